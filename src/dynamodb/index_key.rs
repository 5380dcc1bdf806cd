//! Index keys: which global indexes an item is in, and on which of their partitions.

use crate::dynamodb::action::{Action, Subject};
use crate::dynamodb::schema::IndexSchema;
use crate::dynamodb::target::{Finder, is_by, joined, values_of};
use crate::dynamodb::values::Value;
use crate::dynamodb::wanted::Wanted;
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

    /// Returns the value that an item has of the key of the index that has this name.
    pub(crate) fn named_index_key<'a>(&self, action: &Action<'a>, index: &str) -> Option<IndexKey<'a>> {
        let index = self.schemas.get(&action.table, self.guard)?.indexes.get(index)?;
        KeyValues::of(action, [index].into_iter()).key_of(index)
    }

    /// Returns whether an item is known not to be in an index, as it lacks one of its attributes.
    pub(crate) fn is_outside(&self, action: &Action<'_>, index: &str) -> bool {
        let known = || self.schemas.get(&action.table, self.guard)?.indexes.get(index);
        let key = |index| KeyValues::of(action, [index].into_iter()).key_of(index);
        has_all(&action.subject) && known().is_some_and(|index| key(index).is_none())
    }
}

/// The values that an item has of the attributes that keys of indexes are made of. They are looked
/// for together, as an item may be long, and in many indexes.
pub(crate) struct KeyValues<'k, 'a> {
    action: &'k Action<'a>,
    /// Those in the response.
    returned: Wanted<'k, 'a>,
    /// Those in the request's item or key.
    told: Wanted<'k, 'a>,
}

impl<'k, 'a> KeyValues<'k, 'a> {
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

    fn value_of(&self, name: &str) -> Option<Value<'a>> {
        let told = || match &self.action.subject {
            Subject::Inserted(pins) | Subject::Pins(pins) => match &values_of(pins, name).ok()??[..] {
                [value] => Some((*value).clone()),
                _ => None,
            },
            _ => self.told.get(name).map(Value::Json),
        };
        let returned = self.returned.get(name).map(Value::Json);
        // What a statement compares is what was there before it.
        returned.or_else(|| self.action.sets.value_of(name)).or_else(told)
    }

    /// Returns the value that the item has of an index's key, if that is known and the item may be
    /// in the index. Of one that is deleted only the attributes are known that say which it is; of
    /// one that is updated also those that are set. It has the value where the index is by those.
    /// A key that is set is the one from then on: which it was before is not known.
    pub(crate) fn key_of(&self, index: &IndexSchema) -> Option<IndexKey<'a>> {
        let values = index.hash.iter().map(|name| self.value_of(name)).collect::<Option<Vec<_>>>();
        let values = values.filter(|values| !values.is_empty())?;
        let is_whole = index.range.iter().all(|name| self.value_of(name).is_some());
        if !is_whole && has_all(&self.action.subject) {
            return None;
        }
        let value = joined(&values.iter().collect::<Vec<_>>()).ok()?;
        Some(IndexKey { value, is_whole })
    }
}

/// Returns whether all attributes of an item are known.
fn has_all(subject: &Subject<'_>) -> bool {
    matches!(subject, Subject::Item(_) | Subject::Inserted(_))
}
