//! What a detector knows of tables' keys: which attributes are hashed, of the table and of its indexes.
//!
//! Read with every observed request and changed for every new table or so: one map, replaced whole.

use crate::json::{self, Malformed};
use crate::memory::{OutOfMemory, try_box};
use ahash::RandomState;
use crossbeam_epoch::Guard;
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
    /// Whether the index is local, so that its partitions are the table's; if a description has said so.
    pub(crate) local: Option<bool>,
}

/// Tables that are learnt from traffic, at most. Declared ones are always kept.
const LEARNT_MAX: usize = 10_000;

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
    pub(crate) fn set(&self, table: &str, change: impl Fn(&mut TableSchema), guard: &Guard) {
        loop {
            let old = self.0.load(Acquire);
            // SAFETY: as in `known`.
            let known = unsafe { &*old };
            let mut schema = known.get(table).map(|schema| (**schema).clone()).unwrap_or_default();
            change(&mut schema);
            if known.get(table).is_some_and(|before| **before == schema) {
                return;
            }
            let mut new = known.clone();
            new.insert(table.to_owned(), Arc::new(schema));
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
                schema.indexes.insert(index.to_owned(), IndexSchema { hash, local: None });
            }
        };
        self.set(table, change, guard);
    }

    /// Learns the name of a table's partition key from a request that was answered.
    pub(crate) fn learn(&self, table: &str, hash: &str, guard: &Guard) {
        let known = self.known(guard);
        let new = known.get(table).is_none_or(|schema| schema.hash.is_none());
        if new && known.len() < LEARNT_MAX {
            self.set(table, |schema| schema.hash = Some(hash.to_owned()), guard);
        }
    }

    /// Learns all that a table's description says.
    pub(crate) fn describe(&self, description: &str, guard: &Guard) -> Result<(), Malformed> {
        let [name, keys, global, local] = json::members(
            description,
            ["TableName", "KeySchema", "GlobalSecondaryIndexes", "LocalSecondaryIndexes"],
        )?;
        let Some(name) = name else { return Ok(()) };
        let name = json::text(name)?;
        let hash = keys.map(hashed).transpose()?.and_then(|all| all.into_iter().next());
        let mut indexes = HashMap::new();
        for (all, local) in [(global, false), (local, true)] {
            json::elements(all.unwrap_or("[]"), |index| {
                let [name, keys] = json::members(index, ["IndexName", "KeySchema"])?;
                if let (Some(name), Some(keys)) = (name, keys) {
                    indexes.insert(
                        json::text(name)?.into_owned(),
                        IndexSchema { hash: hashed(keys)?, local: Some(local) },
                    );
                }
                Ok::<(), Malformed>(())
            })?;
        }
        let schema = TableSchema { hash, indexes };
        self.set(&name, |known| known.clone_from(&schema), guard);
        Ok(())
    }
}

/// The attributes of a `KeySchema` that are hashed.
fn hashed(keys: &str) -> Result<Vec<String>, Malformed> {
    let mut all = Vec::new();
    json::elements(keys, |key| {
        let [name, kind] = json::members(key, ["AttributeName", "KeyType"])?;
        if json::text(kind.ok_or(Malformed)?)? == "HASH" {
            all.push(json::text(name.ok_or(Malformed)?)?.into_owned());
        }
        Ok::<(), Malformed>(())
    })?;
    if all.is_empty() { Err(Malformed) } else { Ok(all) }
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
