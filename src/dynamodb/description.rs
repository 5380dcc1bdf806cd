//! A table's description: what it says of the keys of the table and of its indexes.
//!
//! The responses of CreateTable, DescribeTable and UpdateTable have one. It names the attributes of
//! each key by their kind:
//!
//! ```text
//! {"TableName": "orders", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
//!  "GlobalSecondaryIndexes": [{"IndexName": "by-user", "KeySchema": [...]}], ...}
//! ```

use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::schema::{IndexSchema, TableSchema, VectorIndexSchema};
use std::borrow::Cow;

/// The most indexes of a kind, more than a table has. Each is looked for in each item that is
/// written.
const INDEXES_MAX: usize = 100;

/// Returns the table that a description is of, and all that it says of its keys; `None` if it names
/// no table.
///
/// A part that can't be read, such as an index without a HASH that an emulator describes, costs
/// nothing but itself.
pub(crate) fn described(description: &str) -> Result<Option<(Cow<'_, str>, TableSchema)>, Malformed> {
    let [name, keys, global, local, vector] = json::members(
        description,
        ["TableName", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "VectorIndexes"],
    )?;
    let Some(name) = name else { return Ok(None) };
    let mut schema = TableSchema {
        hash: keys.and_then(|keys| key_of(keys).ok()?.0.into_iter().next()),
        ..TableSchema::default()
    };
    for (all, local) in [(global, false), (local, true)] {
        each_index(all, |index| {
            let [name, keys] = json::members(index, ["IndexName", "KeySchema"])?;
            if let (Some(name), Some(keys)) = (name, keys) {
                // Even without its key it is known whether the index is local: whose partitions it
                // has.
                let (hash, range) = key_of(keys).unwrap_or_default();
                let index = IndexSchema { hash, range, local: Some(local) };
                schema.indexes.insert(json::text(name)?.into_owned(), index);
            }
            Ok(())
        });
    }
    each_index(vector, |index| {
        let [name, attribute, search] =
            json::members(index, ["IndexName", "VectorAttribute", "SearchSchema"])?;
        // The attribute that holds the vector, whose size is another when it is written.
        let vector = attribute.and_then(|attribute| {
            let [name] = json::members(attribute, ["AttributeName"]).ok()?;
            Some(json::text(name?).ok()?.into_owned())
        });
        let hash = search.map(|search| hashed(search, "SearchSchemaElementType")).transpose()?;
        let index = VectorIndexSchema { hash: hash.and_then(|(hash, _)| hash.into_iter().next()), vector };
        schema.vector_indexes.insert(json::text(name.ok_or(Malformed)?)?.into_owned(), index);
        Ok(())
    });
    Ok(Some((json::text(name)?, schema)))
}

/// Calls `see` with each index of a list, as far as that can be read.
fn each_index<'a>(indexes: Option<&'a str>, mut see: impl FnMut(&'a str) -> Result<(), Malformed>) {
    let mut seen = 0;
    // A value that is no list has no indexes.
    let _ = json::elements(indexes.unwrap_or("[]"), |index| {
        seen += 1;
        if seen <= INDEXES_MAX {
            let _ = see(index);
        }
        Ok::<(), Malformed>(())
    });
}

/// Returns the attributes of a `KeySchema`, of which at least one is hashed: the hashed ones, and
/// the others.
fn key_of(keys: &str) -> Result<(Vec<String>, Vec<String>), Malformed> {
    let (hash, range) = hashed(keys, "KeyType")?;
    if hash.is_empty() { Err(Malformed) } else { Ok((hash, range)) }
}

/// Returns the attributes whose member `kind` says that they are hashed, and the others.
fn hashed(keys: &str, kind: &str) -> Result<(Vec<String>, Vec<String>), Malformed> {
    let (mut hash, mut other) = (Vec::new(), Vec::new());
    json::elements(keys, |key| {
        let [name, kind] = json::members(key, ["AttributeName", kind])?;
        let name = json::text(name.ok_or(Malformed)?)?.into_owned();
        let hashed = json::text(kind.ok_or(Malformed)?)? == "HASH";
        if hashed { &mut hash } else { &mut other }.push(name);
        Ok::<(), Malformed>(())
    })?;
    Ok((hash, other))
}
