//! Which partitions an action is on, by what is known of its table's key.

use crate::argument::Argument;
use crate::dynamodb::action::{Action, Pinned, Subject, Value};
use crate::dynamodb::attribute;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::schema::{IndexSchema, InferredKey, Schemas, TableSchema};
use crate::error::OutOfMemory;
use crate::key::check_name;
use crate::sys::memory::try_text;
use crossbeam_epoch::Guard;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// Where an action belongs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target<'a> {
    /// A table, or `TABLE/index/INDEX`.
    pub(crate) resource: Cow<'a, str>,
    /// The values of its partition key: one or, of a statement with `IN`, several. Of a scan none.
    pub(crate) keys: Vec<Cow<'a, [u8]>>,
}

/// The reason for which a target is not found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NoTarget {
    Malformed,
    /// The schema of this table is needed.
    Schema(String),
    /// There is no memory to keep what was inferred.
    Memory,
}

impl From<OutOfMemory> for NoTarget {
    fn from(_: OutOfMemory) -> Self {
        NoTarget::Memory
    }
}

impl From<Malformed> for NoTarget {
    fn from(_: Malformed) -> Self {
        NoTarget::Malformed
    }
}

/// The name of an index's partitions.
pub(crate) fn index_resource(table: &str, index: &str) -> String {
    format!("{table}/index/{index}")
}

/// The most values that a statement's IN may have for a key: DynamoDB takes 50.
const VALUES_MAX: usize = 100;

/// Finds targets by what is known of tables, and by what the response tells about the index that was queried.
pub(crate) struct Finder<'s, 'g> {
    pub(crate) schemas: &'s Schemas,
    /// Indexes that the response names, and whether they are local ones.
    pub(crate) response_indexes: Vec<(String, bool)>,
    /// Whether the request was accepted, so that its keys are those of the table.
    pub(crate) accepted: bool,
    /// The keys of tables that the request tells.
    pub(crate) inferred: RefCell<Vec<InferredKey<'s>>>,
    /// The tables whose schema was needed and is not known.
    pub(crate) missing: RefCell<Vec<String>>,
    /// The one table whose parts are looked for; `None`: those of all.
    pub(crate) only: Option<&'s str>,
    /// The tables whose parts are left out, sorted.
    pub(crate) left_out: Vec<String>,
    pub(crate) guard: &'g Guard,
}

impl Finder<'_, '_> {
    /// Finds the target of an action that is not left out. `None`: it is, or has to be, as its table's key is missing.
    pub(crate) fn part<'a>(&self, action: &Action<'a>) -> Result<Option<Target<'a>>, NoTarget> {
        if self.only.is_some_and(|only| action.table != only) || self.is_left_out(&action.table) {
            return Ok(None);
        }
        match self.target(action) {
            // Nobody can describe a table of a name that none has.
            Err(NoTarget::Schema(table)) if check_name(Argument::Table, table.as_bytes()).is_ok() => {
                self.missing.borrow_mut().push(table);
                Ok(None)
            }
            target => target.map(Some),
        }
    }

    fn is_left_out(&self, table: &str) -> bool {
        !self.left_out.is_empty() && self.left_out.binary_search_by(|one| one.as_str().cmp(table)).is_ok()
    }

    /// Leaves out these tables too.
    pub(crate) fn leave_out(&mut self, mut tables: Vec<String>) {
        self.left_out.append(&mut tables);
        self.left_out.sort_unstable();
        self.left_out.dedup();
    }

    fn target<'a>(&self, action: &Action<'a>) -> Result<Target<'a>, NoTarget> {
        let schema = self.schemas.get(&action.table, self.guard);
        let table = action.table.clone();
        match &action.subject {
            Subject::Key(key) => {
                Ok(Target { resource: table, keys: vec![self.of_item(action, key, schema)?] })
            }
            Subject::Item(item) => {
                Ok(Target { resource: table, keys: vec![self.of_item(action, item, schema)?] })
            }
            Subject::Conditions(conditions) => self.of_conditions(action, conditions, schema),
            Subject::Pins(pins) | Subject::Inserted(pins) => self.of_pins(action, pins, schema),
            Subject::Scan => Ok(Target { resource: self.resource(action, schema), keys: Vec::new() }),
        }
    }

    /// The value of a `Key` or an `Item`.
    fn of_item<'a>(
        &self,
        action: &Action<'_>,
        item: &'a str,
        schema: Option<&TableSchema>,
    ) -> Result<Cow<'a, [u8]>, NoTarget> {
        let inferred = || self.inferred_key(&action.table).map(Cow::Owned);
        let hash = schema.and_then(|schema| schema.hash.as_deref()).map(Cow::Borrowed).or_else(inferred);
        if let Some(hash) = hash
            && let Some(value) = member(item, &hash)?
        {
            return Ok(attribute::key_value(value)?);
        }
        // Nothing is known, or it is no longer so. A `Key` of one attribute tells; an `Item` does not say what it is.
        let sole = if matches!(action.subject, Subject::Key(_)) { attribute::only(item)? } else { None };
        let Some((name, value)) = sole else {
            return Err(NoTarget::Schema(action.table.to_string()));
        };
        let value = attribute::key_value(value)?;
        if self.accepted {
            self.infer(&action.table, &name)?;
        }
        Ok(value)
    }

    fn of_conditions<'a>(
        &self,
        action: &Action<'a>,
        conditions: &[(Cow<'a, str>, Value<'a>)],
        schema: Option<&TableSchema>,
    ) -> Result<Target<'a>, NoTarget> {
        let resource = self.resource(action, schema);
        let value_of =
            |name: &str| conditions.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value);
        if let Some(hash) = self.hash(action, schema)
            && let Some(values) = hash.iter().map(|name| value_of(name)).collect::<Option<Vec<_>>>()
        {
            return Ok(Target { resource, keys: vec![joined(&values)?] });
        }
        let [(name, value)] = conditions else {
            // A query has an equality at least.
            let schema = NoTarget::Schema(action.table.to_string());
            return Err(if conditions.is_empty() { NoTarget::Malformed } else { schema });
        };
        let key = joined(&[value])?;
        if self.accepted && action.index.is_none() {
            self.infer(&action.table, name)?;
        }
        Ok(Target { resource, keys: vec![key] })
    }

    fn of_pins<'a>(
        &self,
        action: &Action<'a>,
        pins: &[Pinned<'a>],
        schema: Option<&TableSchema>,
    ) -> Result<Target<'a>, NoTarget> {
        let resource = self.resource(action, schema);
        if pins.is_empty() {
            return Ok(Target { resource, keys: Vec::new() });
        }
        // Any attribute may be compared: only the schema tells which is the key.
        let hash = self.hash(action, schema).ok_or_else(|| NoTarget::Schema(action.table.to_string()))?;
        let mut named = Vec::new();
        for name in &hash {
            named.extend(values_of(pins, name)?);
        }
        let keys = match &named[..] {
            _ if named.len() < hash.len() => Vec::new(),
            [values] => values.iter().map(|value| joined(&[value])).collect::<Result<Vec<_>, _>>()?,
            several if several.iter().all(|values| values.len() == 1) => {
                vec![joined(&several.iter().map(|values| values[0]).collect::<Vec<_>>())?]
            }
            // Lists of several attributes of one key: all their combinations, which nobody counts apart.
            _ => Vec::new(),
        };
        Ok(Target { resource, keys })
    }

    /// The names of the attributes that choose the partition of a query or a statement.
    fn hash(&self, action: &Action<'_>, schema: Option<&TableSchema>) -> Option<Vec<String>> {
        let schema = schema?;
        match &action.index {
            Some(index) if !self.is_local(action, Some(schema)) => {
                schema.indexes.get(&**index).map(|index| index.hash.clone())
            }
            _ => schema.hash.clone().map(|hash| vec![hash]),
        }
    }

    fn resource<'a>(&self, action: &Action<'a>, schema: Option<&TableSchema>) -> Cow<'a, str> {
        match &action.index {
            Some(index) if !self.is_local(action, schema) => Cow::Owned(index_resource(&action.table, index)),
            _ => action.table.clone(),
        }
    }

    /// Returns whether a queried index is local: a description knows, else the response shows it. Else one that is declared with the
    /// table's own key is; and of one that is not known a strong read is, which no global one allows.
    fn is_local(&self, action: &Action<'_>, schema: Option<&TableSchema>) -> bool {
        let index = || schema?.indexes.get(&**action.index.as_ref()?);
        let described = index().and_then(|index| index.local);
        let declared = || {
            let (index, hash) = (index()?, schema?.hash.as_ref()?);
            Some(index.hash.len() == 1 && index.hash.first() == Some(hash))
        };
        let is = |(name, local): &(String, bool)| (action.index.as_deref() == Some(name)).then_some(*local);
        let responded = || self.response_indexes.iter().find_map(is);
        described.or_else(responded).or_else(declared).unwrap_or_else(|| action.is_strong())
    }

    /// The value that an item has of an index's key, if that is known and the item is in the index. Of one that is
    /// updated or deleted only the `Key` is known: it has the value where the index is by the table's own key attributes.
    pub(crate) fn index_key(&self, action: &Action<'_>, index: &str) -> Option<Vec<u8>> {
        let IndexSchema { hash, range, .. } =
            self.schemas.get(&action.table, self.guard)?.indexes.get(index)?;
        let value = |name: &String| match &action.subject {
            Subject::Item(item) | Subject::Key(item) => member(item, name).ok()?.map(Value::Json),
            Subject::Inserted(pins) => match &pins.iter().find(|(attribute, _)| attribute == name)?.1[..] {
                [value] => Some(value.clone()),
                _ => None,
            },
            _ => None,
        };
        let whole = !matches!(action.subject, Subject::Key(_));
        if whole && !range.iter().all(|name| value(name).is_some()) {
            return None;
        }
        let values = hash.iter().map(value).collect::<Option<Vec<_>>>()?;
        joined(&values.iter().collect::<Vec<_>>()).ok().map(Cow::into_owned)
    }

    /// Returns whether an item is known not to be in an index, as it lacks one of its attributes.
    pub(crate) fn is_outside(&self, action: &Action<'_>, index: &str) -> bool {
        let whole = matches!(action.subject, Subject::Item(_) | Subject::Inserted(_));
        let known = || self.schemas.get(&action.table, self.guard)?.indexes.get(index);
        whole && known().is_some() && self.index_key(action, index).is_none()
    }

    /// Returns the name of a table's key that another action of this request has told.
    fn inferred_key(&self, table: &str) -> Option<String> {
        let inferred = self.inferred.borrow();
        inferred.iter().find(|(known, _)| known == table).map(|(_, hash)| hash.to_string())
    }

    /// Keeps what the request tells, until all of it is found good.
    fn infer(&self, table: &str, hash: &str) -> Result<(), OutOfMemory> {
        let mut inferred = self.inferred.borrow_mut();
        if !inferred.iter().any(|(known, _)| known == table) {
            inferred.try_reserve(1)?;
            inferred.push((Cow::Owned(try_text([table])?), Cow::Owned(try_text([hash])?)));
        }
        Ok(())
    }
}

/// A member of an item; one that is null is absent.
fn member<'a>(item: &'a str, name: &str) -> Result<Option<&'a str>, Malformed> {
    let [value] = json::first_members(item, [name])?;
    Ok(value.filter(|value| *value != "null"))
}

/// The values that an attribute may have by all that pins it, each once; `None` if nothing that is spelled out does. A
/// list that is a parameter, say, pins it too, but nobody knows to what.
fn values_of<'p, 'a>(pins: &'p [Pinned<'a>], name: &str) -> Result<Option<Vec<&'p Value<'a>>>, Malformed> {
    let mut lists =
        pins.iter().filter(|(attribute, values)| attribute == name && !values.contains(&Value::Other));
    let Some((_, first)) = lists.next() else { return Ok(None) };
    if let ([one], None) = (&first[..], lists.clone().next()) {
        return Ok(Some(vec![one]));
    }
    let keys = |values: &'p [Value<'a>]| -> Result<BTreeMap<Cow<'a, [u8]>, &'p Value<'a>>, Malformed> {
        if values.len() > VALUES_MAX {
            return Err(Malformed);
        }
        values.iter().map(|value| Ok((joined(&[value])?, value))).collect()
    };
    let mut left = keys(first)?;
    for (_, others) in lists {
        let others = keys(others)?;
        left.retain(|key, _| others.contains_key(key));
    }
    Ok(Some(left.into_values().collect()))
}

/// The key that one attribute is, or several are together: the compact JSON array of their texts.
fn joined<'a>(values: &[&Value<'a>]) -> Result<Cow<'a, [u8]>, Malformed> {
    if let [value] = values {
        return match value {
            Value::Json(value) => attribute::key_value(value),
            Value::Text(Cow::Borrowed(text)) => Ok(Cow::Borrowed(text.as_bytes())),
            Value::Text(Cow::Owned(text)) => Ok(Cow::Owned(text.clone().into_bytes())),
            Value::Other => Err(Malformed),
        };
    }
    let text = |value: &&Value<'a>| match value {
        Value::Json(value) => attribute::key_text(value),
        Value::Text(text) => Ok(text.clone()),
        Value::Other => Err(Malformed),
    };
    let texts = values.iter().map(text).collect::<Result<Vec<_>, _>>()?;
    Ok(Cow::Owned(serde_json::to_vec(&texts)?))
}
