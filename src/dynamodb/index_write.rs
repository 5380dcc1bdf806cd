//! Index writes: the writes that an item which is written brings to the global indexes that it is
//! in.
//!
//! A global index has partitions of its own, by its own key. A thousand items with keys of their
//! own, and one value of the index's key between them, make a hot partition that the table's keys
//! don't show.

use crate::dynamodb::action::Action;
use crate::dynamodb::charge::{Charge, Of};
use crate::dynamodb::index_key::KeyValues;
use crate::dynamodb::target::{Finder, index_resource};
use crate::key::Key;
use std::borrow::Cow;

/// Returns a charge for each global index that is known to have an item which one of `charges` may
/// have changed. Its estimate is that of the item's own charge: an index has no more of an item
/// than the table has.
pub(crate) fn index_writes<'a>(
    charges: &[Charge<'a>],
    actions: &[Action<'a>],
    finder: &Finder<'_, '_>,
) -> Vec<Charge<'a>> {
    let mut writes = Vec::new();
    for charge in charges.iter().filter(|charge| charge.of == Of::Change) {
        let action = &actions[charge.action];
        let indexes = finder.global_indexes(&action.table);
        let values = KeyValues::of(action, indexes.iter().map(|(_, index)| *index));
        for (name, index) in indexes {
            // An item that may be in the index or not is charged there only what the response
            // tells.
            let Some(key) = values.key_of(index).filter(|key| key.is_whole) else { continue };
            let resource = index_resource(&action.table, name);
            // A name that can't be recorded costs the table's own part nothing.
            if (Key { table: resource.as_bytes(), pk: &key.value }).check().is_err() {
                continue;
            }
            let (resource, key) = (Cow::Owned(resource), Some(key.value));
            writes.push(Charge { resource, key, of: Of::Index, ..charge.clone() });
        }
    }
    writes
}
