//! What a detector knows of tables' keys: which attributes are hashed, of the table and of its indexes.
//!
//! Read with every observed request and changed for every new table or so: one map, replaced whole.

use crate::json::{self, Malformed};
use crate::memory::{OutOfMemory, try_box};
use ahash::RandomState;
use crossbeam_epoch::Guard;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

/// One table's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableSchema {
    /// The name of the attribute that is the table's partition key, if it is known.
    pub(crate) hash: Option<String>,
    pub(crate) indexes: HashMap<String, IndexSchema>,
}

/// One index's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexSchema {
    /// One to four attributes.
    pub(crate) hash: Vec<String>,
    /// None to four: an item that lacks one of them, or of the former, is not in the index. Of a declared index they are
    /// not known.
    pub(crate) range: Vec<String>,
    /// Whether the index is local, so that its partitions are the table's; if a description has said so.
    pub(crate) local: Option<bool>,
}

/// Tables that are learnt from traffic, at most. Declared ones are always kept.
const LEARNT_MAX: usize = 10_000;

/// A table, and the name of its partition key.
pub(crate) type Learnt<'a> = (Cow<'a, str>, Cow<'a, str>);

type Known = HashMap<String, Arc<TableSchema>, RandomState>;

pub(crate) struct Schemas(AtomicPtr<Known>);

impl Schemas {
    pub(crate) fn try_new() -> Result<Self, OutOfMemory> {
        // From `std`'s own randomness: names of tables may come from strangers.
        let seed = || std::hash::RandomState::new().build_hasher().finish();
        let hasher = RandomState::with_seeds(seed(), seed(), seed(), seed());
        Ok(Self(AtomicPtr::new(Box::into_raw(try_box(Known::with_hasher(hasher))?))))
    }

    fn known<'g>(&self, _guard: &'g Guard) -> &'g Known {
        // SAFETY: a map is retired after it was replaced: it lives while the guard does.
        unsafe { &*self.0.load(Acquire) }
    }

    pub(crate) fn get<'g>(&self, table: &str, guard: &'g Guard) -> Option<&'g TableSchema> {
        self.known(guard).get(table).map(|schema| &**schema)
    }

    /// Changes what is known of a table, by `change` as often as others come in between.
    fn set(&self, table: &str, change: impl Fn(&mut TableSchema), guard: &Guard) {
        let changed = |known: &Known| {
            let mut schema = known.get(table).map(|schema| (**schema).clone()).unwrap_or_default();
            change(&mut schema);
            let same = known.get(table).is_some_and(|before| **before == schema);
            if same { Vec::new() } else { vec![(table.to_owned(), Arc::new(schema))] }
        };
        self.replace(changed, guard);
    }

    /// Puts in what `changed` finds has changed, all at once.
    fn replace(&self, changed: impl Fn(&Known) -> Vec<(String, Arc<TableSchema>)>, guard: &Guard) {
        loop {
            let old = self.0.load(Acquire);
            // SAFETY: as in `known`.
            let known = unsafe { &*old };
            let changed = changed(known);
            if changed.is_empty() {
                return;
            }
            let mut new = known.clone();
            new.extend(changed);
            let new = Box::into_raw(Box::new(new));
            match self.0.compare_exchange(old, new, AcqRel, Acquire) {
                Ok(_) => {
                    // SAFETY: it came from a box, and this thread took it out.
                    unsafe { guard.defer_unchecked(move || drop(Box::from_raw(old))) };
                    return;
                }
                // SAFETY: it came from a box, and nobody has seen it.
                Err(_) => drop(unsafe { Box::from_raw(new) }),
            }
        }
    }

    /// Takes what a caller declares.
    pub(crate) fn declare(&self, table: &str, index: Option<&str>, hash: &[String], guard: &Guard) {
        let change = |schema: &mut TableSchema| match index {
            None => schema.hash = hash.first().cloned(),
            Some(index) => {
                let hash = hash.to_vec();
                schema.indexes.insert(index.to_owned(), IndexSchema { hash, range: Vec::new(), local: None });
            }
        };
        self.set(table, change, guard);
    }

    /// Learns the names of tables' partition keys from a request that was answered.
    pub(crate) fn learn(&self, learnt: &[Learnt<'_>], guard: &Guard) {
        let new = |known: &Known| {
            let room = LEARNT_MAX.saturating_sub(known.len());
            let new =
                learnt.iter().filter(|(table, _)| known.get(&**table).is_none_or(|of| of.hash.is_none()));
            let with = |(table, hash): &Learnt<'_>| {
                let before = known.get(&**table).map(|schema| (**schema).clone()).unwrap_or_default();
                (table.to_string(), Arc::new(TableSchema { hash: Some(hash.to_string()), ..before }))
            };
            new.take(room).map(with).collect()
        };
        self.replace(new, guard);
    }

    /// Learns all that a table's description says.
    pub(crate) fn describe(&self, description: &str, guard: &Guard) -> Result<(), Malformed> {
        let [name, keys, global, local] = json::members(
            description,
            ["TableName", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"],
        )?;
        let Some(name) = name else { return Ok(()) };
        let name = json::text(name)?;
        let hash = keys.map(key_of).transpose()?.and_then(|(hash, _)| hash.into_iter().next());
        let mut indexes = HashMap::new();
        for (all, local) in [(global, false), (local, true)] {
            json::elements(all.unwrap_or("[]"), |index| {
                let [name, keys] = json::members(index, ["IndexName", "KeySchema"])?;
                if let (Some(name), Some(keys)) = (name, keys) {
                    let (hash, range) = key_of(keys)?;
                    let schema = IndexSchema { hash, range, local: Some(local) };
                    indexes.insert(json::text(name)?.into_owned(), schema);
                }
                Ok::<(), Malformed>(())
            })?;
        }
        let change = |known: &mut TableSchema| match &hash {
            Some(_) => *known = TableSchema { hash: hash.clone(), indexes: indexes.clone() },
            // Cut down: what it does not say stays.
            None => known.indexes.extend(indexes.clone()),
        };
        self.set(&name, change, guard);
        Ok(())
    }
}

/// The attributes of a `KeySchema`: those that are hashed, and those that sort.
fn key_of(keys: &str) -> Result<(Vec<String>, Vec<String>), Malformed> {
    let (mut hash, mut range) = (Vec::new(), Vec::new());
    json::elements(keys, |key| {
        let [name, kind] = json::members(key, ["AttributeName", "KeyType"])?;
        let name = json::text(name.ok_or(Malformed)?)?.into_owned();
        let hashed = json::text(kind.ok_or(Malformed)?)? == "HASH";
        if hashed { &mut hash } else { &mut range }.push(name);
        Ok::<(), Malformed>(())
    })?;
    if hash.is_empty() { Err(Malformed) } else { Ok((hash, range)) }
}

impl Drop for Schemas {
    fn drop(&mut self) {
        // SAFETY: it came from a box, and whoever drops this is the last to use it.
        drop(unsafe { Box::from_raw(self.0.load(Acquire)) });
    }
}

/// The table that a name or ARN is of, and the index if it is one's.
pub(crate) fn reduced(name: &str) -> (&str, Option<&str>) {
    if !name.starts_with("arn:") {
        return (name, None);
    }
    let Some((_, local)) = name.split_once(":table/") else { return (name, None) };
    match local.split_once('/') {
        Some((table, rest)) => (table, rest.strip_prefix("index/")),
        None => (local, None),
    }
}
