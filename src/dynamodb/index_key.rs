//! Index keys: which global indexes an item is in, and on which of their partitions.

use crate::dynamodb::action::{Action, Subject};
use crate::dynamodb::schema::IndexSchema;
use crate::dynamodb::target::{Finder, is_by, joined, member, values_of};
use crate::dynamodb::values::Value;
use std::borrow::Cow;

/// The value that an item has of an index's key.
pub(crate) struct IndexKey<'a> {
    pub(crate) value: Cow<'a, [u8]>,
    /// Whether all attributes of the index's key are there, so that the item is in the index.
    pub(crate) is_whole: bool,
}

impl Finder<'_, '_> {
    /// Returns the global indexes of a table that are known, in the order of their names.
    pub(crate) fn global_indexes(&self, table: &str) -> Vec<(&str, &IndexSchema)> {
        let Some(schema) = self.schemas.get(table, self.guard).filter(|schema| !schema.indexes.is_empty())
        else {
            return Vec::new();
        };
        let inferred = if schema.hash.is_none() { self.inferred_key(table) } else { None };
        let own = schema.hash.as_deref().or(inferred.as_deref());
        let is_global = |index: &IndexSchema| !index.local.unwrap_or_else(|| is_by(index, own));
        let all = schema.indexes.iter().filter(|(_, index)| is_global(index));
        let mut all: Vec<_> = all.map(|(name, index)| (&**name, index)).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }

    /// Returns the value that an item has of an index's key, if that is known and the item may be
    /// in the index. Of one that is deleted only the attributes are known that say which it is; of
    /// one that is updated also those that are set. It has the value where the index is by those.
    /// A key that is set is the one from then on: which it was before is not known.
    pub(crate) fn index_key<'a>(&self, action: &Action<'a>, index: &IndexSchema) -> Option<IndexKey<'a>> {
        let IndexSchema { hash, range, .. } = index;
        let told = |name: &String| match &action.subject {
            Subject::Item(item) | Subject::Key(item) => member(item, name).ok()?.map(Value::Json),
            Subject::Inserted(pins) | Subject::Pins(pins) => match &values_of(pins, name).ok()??[..] {
                [value] => Some((*value).clone()),
                _ => None,
            },
            _ => None,
        };
        // What a statement compares is what was there before it.
        let value = |name: &String| action.sets.value_of(name).or_else(|| told(name));
        let values =
            hash.iter().map(value).collect::<Option<Vec<_>>>().filter(|values| !values.is_empty())?;
        let is_whole = range.iter().all(|name| value(name).is_some());
        if !is_whole && has_all(&action.subject) {
            return None;
        }
        let value = joined(&values.iter().collect::<Vec<_>>()).ok()?;
        Some(IndexKey { value, is_whole })
    }

    /// Does the same by an index's name.
    pub(crate) fn named_index_key<'a>(&self, action: &Action<'a>, index: &str) -> Option<IndexKey<'a>> {
        self.index_key(action, self.schemas.get(&action.table, self.guard)?.indexes.get(index)?)
    }

    /// Returns whether an item is known not to be in an index, as it lacks one of its attributes.
    pub(crate) fn is_outside(&self, action: &Action<'_>, index: &str) -> bool {
        let known = || self.schemas.get(&action.table, self.guard)?.indexes.get(index);
        has_all(&action.subject) && known().is_some_and(|index| self.index_key(action, index).is_none())
    }
}

/// Returns whether all attributes of an item are known.
fn has_all(subject: &Subject<'_>) -> bool {
    matches!(subject, Subject::Item(_) | Subject::Inserted(_))
}
