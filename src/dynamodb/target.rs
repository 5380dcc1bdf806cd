//! Which partitions an action is on, by what is known of its table's key.

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

/// Where an action belongs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target<'a> {
    /// A table, or `TABLE/index/INDEX`.
    pub(crate) resource: Cow<'a, str>,
    /// The values of its partition key: one or, of a statement with `IN` or `OR`, several. Of a
    /// scan none.
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
        let (resource, index) = self.resource(action, schema)?;
        let value_of =
            |name: &str| conditions.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value);
        if let Some(hash) = hash(schema, index)
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
        let (resource, index) = self.resource(action, schema)?;
        if pins.is_empty() {
            return Ok(Target { resource, keys: Vec::new() });
        }
        // Any attribute may be compared: only the schema tells which is the key.
        let hash = hash(schema, index).ok_or_else(|| NoTarget::Schema(action.table.to_string()))?;
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

    /// Finds the partition of a vector index that is searched. One without a key of its own is
    /// searched whole.
    fn of_search<'a>(
        &self,
        action: &Action<'a>,
        conditions: &[(Cow<'a, str>, Value<'a>)],
        schema: Option<&TableSchema>,
    ) -> Result<Target<'a>, NoTarget> {
        let index = action.index.as_deref().unwrap_or_default();
        let resource = Cow::Owned(index_resource(&action.table, index));
        // An index with a key can't be searched without it.
        if conditions.is_empty() {
            return Ok(Target { resource, keys: Vec::new() });
        }
        let known = schema.and_then(|schema| schema.vector_indexes.get(index));
        let known = known.ok_or_else(|| NoTarget::Schema(action.table.to_string()))?;
        let is_key = |(name, _): &&(Cow<'_, str>, _)| known.hash.as_deref() == Some(&**name);
        let key = conditions.iter().find(is_key).map(|(_, value)| joined(&[value])).transpose()?;
        Ok(Target { resource, keys: key.into_iter().collect() })
    }

    /// Returns the resource that is asked, and which global index that is; `None` of a table or a
    /// local index.
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

    /// Returns whether a queried index is local: a description knows, else the response shows it.
    /// Else one that is declared with the table's own key is. `None`: nothing but its name is
    /// known. (A strong read of it says more, as no global index allows that.)
    fn is_local(&self, index: &str, schema: Option<&TableSchema>) -> Option<bool> {
        let known = schema.and_then(|schema| schema.indexes.get(index));
        let described = known.and_then(|index| index.local);
        let declared = || Some(is_by(known?, schema?.hash.as_deref()));
        let is = |(name, local): &(String, bool)| (index == name).then_some(*local);
        described.or_else(|| self.response_indexes.iter().find_map(is)).or_else(declared)
    }

    /// Estimates the units of an action, by an item that the response has.
    pub(crate) fn estimate(&self, action: &Action<'_>, returned: Option<&str>) -> Units {
        action.cost.estimate(returned, &self.vectors(&action.table))
    }

    /// Returns the attributes that vector indexes of a table read.
    pub(crate) fn vectors(&self, table: &str) -> Vec<&str> {
        let schema = self.schemas.get(table, self.guard);
        let all = schema.into_iter().flat_map(|schema| schema.vector_indexes.values());
        all.filter_map(|index| index.vector.as_deref()).collect()
    }

    /// Returns the name of a table's key that another action of this request has told.
    pub(crate) fn inferred_key(&self, table: &str) -> Option<String> {
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

/// Returns whether an index is by this key of a table's: one that is declared so is taken for
/// local.
pub(crate) fn is_by(index: &IndexSchema, hash: Option<&str>) -> bool {
    matches!((&index.hash[..], hash), ([index], Some(hash)) if index == hash)
}

/// Returns the names of the attributes that choose a partition of a table, or of this global index.
fn hash(schema: Option<&TableSchema>, index: Option<&str>) -> Option<Vec<String>> {
    let schema = schema?;
    match index {
        Some(index) => {
            schema.indexes.get(index).map(|index| index.hash.clone()).filter(|hash| !hash.is_empty())
        }
        None => schema.hash.clone().map(|hash| vec![hash]),
    }
}

/// A member of an item; one that is null is absent.
fn member<'a>(item: &'a str, name: &str) -> Result<Option<&'a str>, Malformed> {
    let [value] = json::first_members(item, [name])?;
    Ok(value.filter(|value| *value != "null"))
}

/// The values that an attribute may have by all that pins it, each once; `None` if nothing that is spelled out does. A
/// list that is a parameter, say, pins it too, but nobody knows to what.
pub(crate) fn values_of<'p, 'a>(
    pins: &'p [Pinned<'a>],
    name: &str,
) -> Result<Option<Vec<&'p Value<'a>>>, Malformed> {
    let mut lists = pins.iter().filter(|(attribute, _)| attribute == name).map(|(_, values)| values);
    // Nearly always there is one, and nothing to compare it with.
    if let (Some(one), None) = (lists.clone().next().and_then(Values::only), lists.clone().nth(1)) {
        return Ok((*one != Value::Other).then(|| vec![one]));
    }
    let key = |value: &Value<'a>| match value {
        Value::Other => Ok(None),
        value => joined(&[value]).map(Some),
    };
    Ok(values::common(&mut lists, &key)?.map(|all| all.into_values().collect()))
}

/// The key that one attribute is, or several are together: the compact JSON array of their texts.
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
