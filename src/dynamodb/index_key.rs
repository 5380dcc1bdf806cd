//! Index keys: which global indexes an item is in, and on which of their partitions.
//!
//! An item is in an index if it has all attributes of the index's key. The values of these
//! attributes are looked for, in this order, in:
//!
//! 1. the response, if it returns the item as it is now;
//! 2. the values that the request sets;
//! 3. the request's item or key, or a statement's conditions: those are of the item before it.
//!
//! Of a put everything is known. Of an update by key only the key and what it sets are known; of a
//! delete only the key. Then the index may have a partition that the request does not tell.

use crate::dynamodb::action::{Action, Subject};
use crate::dynamodb::schema::IndexSchema;
use crate::dynamodb::target::{Finder, is_by, joined, values_of};
use crate::dynamodb::values::Value;
use crate::dynamodb::wanted::Wanted;
use std::borrow::Cow;

/// The value that an item has of an index's partition key.
pub(crate) struct IndexKey<'a> {
    pub(crate) value: Cow<'a, [u8]>,
    /// Whether all attributes of the index's key are known to be there, so that the item is in the
    /// index.
    pub(crate) is_whole: bool,
}

impl Finder<'_, '_> {
    /// Returns the global indexes of a table that are known, sorted by name.
    pub(crate) fn global_indexes(&self, table: &str) -> Vec<(&str, &IndexSchema)> {
        let Some(schema) = self.schemas.get(table, self.guard).filter(|schema| !schema.indexes.is_empty())
        else {
            return Vec::new();
        };
        // A declared index with the table's own key is a local one. That key may be known since
        // just now.
        let inferred = if schema.hash.is_none() { self.inferred_key(table) } else { None };
        let own = schema.hash.as_deref().or(inferred.as_deref());
        let is_global = |index: &IndexSchema| !index.local.unwrap_or_else(|| is_by(index, own));
        let all = schema.indexes.iter().filter(|(_, index)| is_global(index));
        let mut all: Vec<_> = all.map(|(name, index)| (&**name, index)).collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }

    /// Returns the value that the item of an action has of the key of the index with this name.
    pub(crate) fn named_index_key<'a>(&self, action: &Action<'a>, index: &str) -> Option<IndexKey<'a>> {
        let index = self.schemas.get(&action.table, self.guard)?.indexes.get(index)?;
        KeyValues::of(action, [index].into_iter()).key_of(index)
    }

    /// Returns whether the item of an action is known not to be in an index, as it lacks an
    /// attribute of the index's key.
    pub(crate) fn is_outside(&self, action: &Action<'_>, index: &str) -> bool {
        let known = || self.schemas.get(&action.table, self.guard)?.indexes.get(index);
        let key = |index| KeyValues::of(action, [index].into_iter()).key_of(index);
        has_all(&action.subject) && known().is_some_and(|index| key(index).is_none())
    }
}

/// The values that an item has of the attributes of which keys of indexes are made. They are looked
/// for together, as an item may be long, and in many indexes.
pub(crate) struct KeyValues<'k, 'a> {
    action: &'k Action<'a>,
    /// The values in the response.
    returned: Wanted<'k, 'a>,
    /// The values in the request's item or key.
    told: Wanted<'k, 'a>,
}

impl<'k, 'a> KeyValues<'k, 'a> {
    /// Looks for the key attributes of all `indexes` in the response and the request.
    pub(crate) fn of(action: &'k Action<'a>, indexes: impl Iterator<Item = &'k IndexSchema> + Clone) -> Self {
        let find = |object: Option<&'a str>| {
            let names = indexes.clone().flat_map(|index| index.hash.iter().chain(&index.range));
            let found = object.and_then(|object| Wanted::new(names.map(|name| &**name)).find_in(object).ok());
            found.unwrap_or_default()
        };
        let told = match action.subject {
            Subject::Item(item) | Subject::Key(item) => Some(item),
            _ => None,
        };
        Self { action, returned: find(action.sets.returned()), told: find(told) }
    }

    /// Returns the value that the item has of an attribute, if it is known.
    fn value_of(&self, name: &str) -> Option<Value<'a>> {
        let told = || match &self.action.subject {
            Subject::Inserted(pins) | Subject::Pins(pins) => match &values_of(pins, name).ok()??[..] {
                [value] => Some((*value).clone()),
                _ => None,
            },
            _ => self.told.get(name).map(Value::Json),
        };
        let returned = self.returned.get(name).map(Value::Json);
        // The order matters: what a statement compares is what was there before it.
        returned.or_else(|| self.action.sets.value_of(name)).or_else(told)
    }

    /// Returns the value that the item has of an index's key, if that is known and the item may be
    /// in the index. A key that is set is the item's from then on: which key it had before is not
    /// known.
    pub(crate) fn key_of(&self, index: &IndexSchema) -> Option<IndexKey<'a>> {
        let values = index.hash.iter().map(|name| self.value_of(name)).collect::<Option<Vec<_>>>();
        let values = values.filter(|values| !values.is_empty())?;
        let is_whole = index.range.iter().all(|name| self.value_of(name).is_some());
        // A whole item without the attribute is not in the index. Of an item that is updated or
        // deleted the attribute may only be unknown.
        if !is_whole && has_all(&self.action.subject) {
            return None;
        }
        let value = joined(&values.iter().collect::<Vec<_>>()).ok()?;
        Some(IndexKey { value, is_whole })
    }
}

/// Returns whether the request has all attributes of the item.
fn has_all(subject: &Subject<'_>) -> bool {
    matches!(subject, Subject::Item(_) | Subject::Inserted(_))
}
