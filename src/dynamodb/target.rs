//! Targets: the partitions that an action is on, by the key schema of its table.
//!
//! The key of a table is found in this order:
//!
//! 1. The schema has it: it was declared, described or inferred before.
//! 2. Another action of the same request has shown it.
//! 3. The action itself shows it: a `Key` of one attribute, or a Query of a table with one
//!    equality, names nothing but the partition key.
//!
//! Otherwise the table's schema is missing, and the action has to wait. What step 3 shows is kept
//! only if DynamoDB accepted the request: a refused one may name any attribute.

use crate::dynamodb::action::{Action, Pinned, Subject};
use crate::dynamodb::attribute;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::schema::{IndexSchema, InferredKey, Schemas, TableSchema};
use crate::dynamodb::values::{self, Value, Values};
use crate::error::OutOfMemory;
use crate::key::Key;
use crate::sys::memory::try_text;
use crate::units::Units;
use crossbeam_epoch::Guard;
use std::borrow::Cow;
use std::cell::RefCell;

/// The partitions of an action: a resource, and values of its partition key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target<'a> {
    /// A table, or `TABLE/index/INDEX`.
    pub(crate) resource: Cow<'a, str>,
    /// The values of its partition key: one or, of a statement with `IN` or `OR`, several. A scan
    /// has none.
    pub(crate) keys: Vec<Cow<'a, [u8]>>,
}

impl Target<'_> {
    /// Returns whether DynamoDB can have a partition of this name.
    pub(crate) fn is_valid(&self) -> bool {
        let key = |pk| Key { table: self.resource.as_bytes(), pk };
        self.keys.iter().all(|pk| key(pk).check().is_ok()) && key(&[]).check().is_ok()
    }
}

/// The reason for which a target is not found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum NoTarget {
    /// The request says no key that DynamoDB would take.
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

/// Returns the name under which the partitions of a global index are counted.
pub(crate) fn index_resource(table: &str, index: &str) -> String {
    format!("{table}/index/{index}")
}

/// Finds targets for the actions of one request, by what is known of tables, and by what the
/// response tells about the index that was queried.
///
/// The cells collect what turns up on the way: keys that the request shows, and tables whose key is
/// missing.
pub(crate) struct Finder<'s, 'g> {
    pub(crate) schemas: &'s Schemas,
    /// Indexes that the response names, and whether each is local.
    pub(crate) response_indexes: Vec<(String, bool)>,
    /// Whether DynamoDB accepted the request, so that the keys in it are those of the table.
    pub(crate) accepted: bool,
    /// The keys of tables that the request shows.
    pub(crate) inferred: RefCell<Vec<InferredKey<'s>>>,
    /// The tables whose schema was needed and is not known.
    pub(crate) missing: RefCell<Vec<String>>,
    /// The one table whose parts are looked for; `None` stands for all.
    pub(crate) only: Option<&'s str>,
    /// The tables whose parts are left out, sorted.
    pub(crate) left_out: Vec<String>,
    pub(crate) guard: &'g Guard,
}

impl Finder<'_, '_> {
    /// Finds the target of an action. By its subject: a `Key` or `Item` has one key value; a query
    /// has one; a statement has one for each value that it pins the key to; a scan, or a statement
    /// that does not pin the key, has none.
    pub(crate) fn target<'a>(&self, action: &Action<'a>) -> Result<Target<'a>, NoTarget> {
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
            Subject::Search(conditions) => self.of_search(action, conditions, schema),
            Subject::Unread => Err(NoTarget::Malformed),
            Subject::Scan => Ok(Target { resource: self.resource(action, schema)?.0, keys: Vec::new() }),
        }
    }

    /// Returns the value of the partition key in a `Key` or an `Item`.
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
        // Nothing is known of the table, or its key has another name by now. A `Key` of one
        // attribute shows the name; an `Item` has many attributes, and does not say which is the
        // key.
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

    /// Finds the partition of a Query. The key is read by the schema; without one, a lone equality
    /// is on it, as DynamoDB demands an equality on the whole partition key.
    fn of_conditions<'a>(
        &self,
        action: &Action<'a>,
        conditions: &[(Cow<'a, str>, Value<'a>)],
        schema: Option<&TableSchema>,
    ) -> Result<Target<'a>, NoTarget> {
        let (resource, index) = self.resource(action, schema)?;
        let value_of =
            |name: &str| conditions.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value);
        if let Some(hash) = hash(schema, index)
            && let Some(values) = hash.iter().map(|name| value_of(name)).collect::<Option<Vec<_>>>()
        {
            return Ok(Target { resource, keys: vec![joined(&values)?] });
        }
        let [(name, value)] = conditions else {
            // Two equalities may be on the partition key and the sort key, in either order.
            let schema = NoTarget::Schema(action.table.to_string());
            return Err(if conditions.is_empty() { NoTarget::Malformed } else { schema });
        };
        let key = joined(&[value])?;
        // A queried index has a key of its own, which says nothing of the table's.
        if self.accepted && action.index.is_none() {
            self.infer(&action.table, name)?;
        }
        Ok(Target { resource, keys: vec![key] })
    }

    /// Finds the partitions of a statement.
    ///
    /// | the statement pins the key to | partitions |
    /// |---|---|
    /// | nothing, or not all of the key's attributes | none: a scan |
    /// | one attribute, to some values: `id IN ['a', 'b']` | one for each value |
    /// | several attributes, to one value each | one, whose key is all of them together |
    /// | several attributes, one of them to several values | none |
    fn of_pins<'a>(
        &self,
        action: &Action<'a>,
        pins: &[Pinned<'a>],
        schema: Option<&TableSchema>,
    ) -> Result<Target<'a>, NoTarget> {
        let (resource, index) = self.resource(action, schema)?;
        if pins.is_empty() {
            return Ok(Target { resource, keys: Vec::new() });
        }
        // Any attribute may be compared: only the schema tells which is the key.
        let hash = hash(schema, index).ok_or_else(|| NoTarget::Schema(action.table.to_string()))?;
        // For each of the key's attributes, the values that it is pinned to; unpinned ones are left
        // out.
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
            // Several values of one attribute of several: the keys are all combinations, which are
            // not told apart.
            _ => Vec::new(),
        };
        Ok(Target { resource, keys })
    }

    /// Finds the partition of a vector index that is searched. An index without a key of its own is
    /// searched whole.
    fn of_search<'a>(
        &self,
        action: &Action<'a>,
        conditions: &[(Cow<'a, str>, Value<'a>)],
        schema: Option<&TableSchema>,
    ) -> Result<Target<'a>, NoTarget> {
        let index = action.index.as_deref().unwrap_or_default();
        let resource = Cow::Owned(index_resource(&action.table, index));
        // A search of an index that has a key must name the key.
        if conditions.is_empty() {
            return Ok(Target { resource, keys: Vec::new() });
        }
        let known = schema.and_then(|schema| schema.vector_indexes.get(index));
        let known = known.ok_or_else(|| NoTarget::Schema(action.table.to_string()))?;
        let is_key = |(name, _): &&(Cow<'_, str>, _)| known.hash.as_deref() == Some(&**name);
        let key = conditions.iter().find(is_key).map(|(_, value)| joined(&[value])).transpose()?;
        Ok(Target { resource, keys: key.into_iter().collect() })
    }

    /// Returns the resource that is asked, and the name of the global index that it is; `None` of a
    /// table or of a local index, whose partitions are the table's.
    fn resource<'b, 'a>(
        &self,
        action: &'b Action<'a>,
        schema: Option<&TableSchema>,
    ) -> Result<(Cow<'a, str>, Option<&'b str>), NoTarget> {
        let Some(index) = action.index.as_deref() else { return Ok((action.table.clone(), None)) };
        match self.is_local(index, schema).or(action.is_strong().then_some(true)) {
            Some(true) => Ok((action.table.clone(), None)),
            Some(false) => Ok((Cow::Owned(index_resource(&action.table, index)), Some(index))),
            // To take it for either would charge partitions that were not touched.
            None => Err(NoTarget::Schema(action.table.to_string())),
        }
    }

    /// Returns whether a queried index is local. A description knows best, then the response, which
    /// lists indexes by their kind. Failing both, a declared index is local if its key is the
    /// table's own. `None`: nothing but its name is known. (The caller then looks whether the read
    /// is a strong one, as no global index allows that.)
    fn is_local(&self, index: &str, schema: Option<&TableSchema>) -> Option<bool> {
        let known = schema.and_then(|schema| schema.indexes.get(index));
        let described = known.and_then(|index| index.local);
        let declared = || Some(is_by(known?, schema?.hash.as_deref()));
        let is = |(name, local): &(String, bool)| (index == name).then_some(*local);
        described.or_else(|| self.response_indexes.iter().find_map(is)).or_else(declared)
    }

    /// Estimates the units of an action, by the item in the request and the item `returned` in the
    /// response.
    pub(crate) fn estimate(&self, action: &Action<'_>, returned: Option<&str>) -> Units {
        action.cost.estimate(returned, &self.vectors(&action.table))
    }

    /// Returns the attributes that vector indexes of a table read.
    pub(crate) fn vectors(&self, table: &str) -> Vec<&str> {
        let schema = self.schemas.get(table, self.guard);
        let all = schema.into_iter().flat_map(|schema| schema.vector_indexes.values());
        all.filter_map(|index| index.vector.as_deref()).collect()
    }

    /// Returns the name of a table's key, if another action of this request has shown it.
    pub(crate) fn inferred_key(&self, table: &str) -> Option<String> {
        let inferred = self.inferred.borrow();
        inferred.iter().find(|(known, _)| known == table).map(|(_, hash)| hash.to_string())
    }

    /// Notes a key that the request shows. It gets into the schemas once the whole request is found
    /// good.
    fn infer(&self, table: &str, hash: &str) -> Result<(), OutOfMemory> {
        let mut inferred = self.inferred.borrow_mut();
        if !inferred.iter().any(|(known, _)| known == table) {
            inferred.try_reserve(1)?;
            inferred.push((Cow::Owned(try_text([table])?), Cow::Owned(try_text([hash])?)));
        }
        Ok(())
    }
}

/// Returns whether the key of an index is `hash` alone, the table's own. A declared index of this
/// kind is taken for a local one.
pub(crate) fn is_by(index: &IndexSchema, hash: Option<&str>) -> bool {
    matches!((&index.hash[..], hash), ([index], Some(hash)) if index == hash)
}

/// Returns the names of the attributes that choose a partition of the table, or of this global
/// index; `None` if they are not known.
fn hash(schema: Option<&TableSchema>, index: Option<&str>) -> Option<Vec<String>> {
    let schema = schema?;
    match index {
        Some(index) => {
            schema.indexes.get(index).map(|index| index.hash.clone()).filter(|hash| !hash.is_empty())
        }
        None => schema.hash.clone().map(|hash| vec![hash]),
    }
}

/// Returns a member of an item. One that is null is absent.
fn member<'a>(item: &'a str, name: &str) -> Result<Option<&'a str>, Malformed> {
    let [value] = json::first_members(item, [name])?;
    Ok(value.filter(|value| *value != "null"))
}

/// Returns the values that an attribute may have by everything that pins it, each once. `None`: no
/// pin on it is spelled out. A parameter that is a list, say, pins the attribute too, but its
/// values are not known.
pub(crate) fn values_of<'p, 'a>(
    pins: &'p [Pinned<'a>],
    name: &str,
) -> Result<Option<Vec<&'p Value<'a>>>, Malformed> {
    let mut lists = pins.iter().filter(|(attribute, _)| attribute == name).map(|(_, values)| values);
    // Nearly always there is one pin of one value, and nothing to compare it with.
    if let (Some(one), None) = (lists.clone().next().and_then(Values::only), lists.clone().nth(1)) {
        return Ok((*one != Value::Other).then(|| vec![one]));
    }
    let key = |value: &Value<'a>| match value {
        Value::Other => Ok(None),
        value => joined(&[value]).map(Some),
    };
    Ok(values::common(&mut lists, &key)?.map(|all| all.into_values().collect()))
}

/// Returns the key that the values of a key's attributes make. Of one attribute it is that value's
/// bytes. Of several it is the compact JSON array of their texts: `["eu","7"]`.
pub(crate) fn joined<'a>(values: &[&Value<'a>]) -> Result<Cow<'a, [u8]>, Malformed> {
    if let [value] = values {
        return match value {
            Value::Json(value) => attribute::key_value(value),
            Value::Text(Cow::Borrowed(text)) => Ok(Cow::Borrowed(text.as_bytes())),
            Value::Text(Cow::Owned(text)) => Ok(Cow::Owned(text.clone().into_bytes())),
            Value::Other => Err(Malformed),
        };
    }
    let mut array = vec![b'['];
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            array.push(b',');
        }
        match value {
            Value::Json(value) => json::write_string(&mut array, &attribute::key_text(value)?)?,
            Value::Text(text) => json::write_string(&mut array, text.as_bytes())?,
            Value::Other => return Err(Malformed),
        }
    }
    array.push(b']');
    Ok(Cow::Owned(array))
}
