//! Schemas: descriptions of tables, by which streams are read whose records name no table.

use crate::read::{fixture, options, read};
use hotpart_cli::input::schema;

#[test]
fn a_description_tells_the_keys() {
    let keys = schema::keys(&fixture("table.json")).unwrap();
    let expected = [("Orders", vec!["customer"]), ("Orders/index/by_status", vec!["status", "region"])];
    assert!(keys.iter().map(|(name, key)| (&**name, key.iter().map(|name| &**name).collect())).eq(expected));
    // One table: the records that name none are its.
    let mut options = options(&[], &[]);
    options.keys = schema::keys(&fixture("table-devices.json")).unwrap();
    assert_eq!(
        read(&["stream-getrecords.json"], &options).counts,
        ["write devices \\x00\\xff 1", "write devices 7 2"]
    );
    assert!(schema::keys(&fixture("insights.json")).is_err());
}
