//! Key schemas: which attributes are hashed, of a table and of its indexes.
//!
//! Read with every observed request and changed for every new table or so: one map, replaced whole.

use crate::error::OutOfMemory;
use crate::key::hash::random_word;
use crate::sys::memory::try_text;
use crate::sys::rcu::{Rcu, Watched};
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use ahash::RandomState;
use crossbeam_epoch::Guard;
use std::borrow::Cow;
use std::collections::HashMap;

/// One table's.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TableSchema {
    /// The name of the attribute that is the table's partition key, if it is known.
    pub(crate) hash: Option<String>,
    pub(crate) indexes: HashMap<String, IndexSchema>,
    pub(crate) vector_indexes: HashMap<String, VectorIndexSchema>,
}

/// One index's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IndexSchema {
    /// One to four attributes. None: the description does not say which.
    pub(crate) hash: Vec<String>,
    /// None to four: an item that lacks one of them, or of the former, is not in the index. Of a declared index they are
    /// not known.
    pub(crate) range: Vec<String>,
    /// Whether the index is local, so that its partitions are the table's; if a description has said so.
    pub(crate) local: Option<bool>,
}

/// One vector index's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct VectorIndexSchema {
    /// The attribute that chooses a partition of the index, if it has several.
    pub(crate) hash: Option<String>,
    /// The attribute that holds the vector.
    pub(crate) vector: Option<String>,
}

/// The most tables whose key is inferred from traffic. Declared ones are always kept.
const INFERRED_MAX: usize = 10_000;

/// A table, and the name of its partition key as requests show it.
pub(crate) type InferredKey<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The tables of which something is known.
struct Known {
    tables: HashMap<String, TableSchema, RandomState>,
    #[cfg(loom)]
    watch: Watch,
}

impl Known {
    fn with_hasher(hasher: RandomState) -> Self {
        Self {
            tables: HashMap::with_hasher(hasher),
            #[cfg(loom)]
            watch: Watch::new(Kind::Schema),
        }
    }
}

impl Watched for Known {
    #[cfg(loom)]
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

pub(crate) struct Schemas {
    known: Rcu<Known>,
    /// How often it has changed.
    changes: AtomicU64,
}

impl Schemas {
    pub(crate) fn try_new() -> Result<Self, OutOfMemory> {
        // From `std`'s own randomness: names of tables may come from strangers.
        let hasher = RandomState::with_seeds(random_word(), random_word(), random_word(), random_word());
        Ok(Self { known: Rcu::try_new(Known::with_hasher(hasher))?, changes: AtomicU64::new(0) })
    }

    /// Returns how often what is known has changed. What is looked up later than this is as new or newer.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Acquire)
    }

    pub(crate) fn get<'g>(&self, table: &str, guard: &'g Guard) -> Option<&'g TableSchema> {
        self.known.get(guard).tables.get(table)
    }

    /// Changes what is known of a table, by `change` as often as others come in between.
    fn set(
        &self,
        table: &str,
        change: impl Fn(&mut TableSchema) -> Result<(), OutOfMemory>,
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        let changed = |known: &Known| {
            let before = known.tables.get(table);
            let mut schema = before.map_or_else(|| Ok(TableSchema::default()), TableSchema::try_clone)?;
            change(&mut schema)?;
            let mut changed = Vec::new();
            if before != Some(&schema) {
                try_push(&mut changed, (try_text([table])?, schema))?;
            }
            Ok(changed)
        };
        self.replace(changed, guard)
    }

    /// Puts in what `changed` finds has changed, all at once; without memory nothing.
    fn replace(
        &self,
        changed: impl Fn(&Known) -> Result<Vec<(String, TableSchema)>, OutOfMemory>,
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        loop {
            let known = self.known.get(guard);
            let changed = changed(known)?;
            if changed.is_empty() {
                return Ok(());
            }
            let mut new = Known::with_hasher(known.tables.hasher().clone());
            new.tables.try_reserve(known.tables.len() + changed.len())?;
            for (table, schema) in &known.tables {
                new.tables.insert(try_text([table])?, schema.try_clone()?);
            }
            new.tables.extend(changed);
            if self.known.replace(known, new, guard)? {
                self.changes.fetch_add(1, AcqRel);
                return Ok(());
            }
        }
    }

    /// Takes over what a caller declares.
    pub(crate) fn declare(
        &self,
        table: &str,
        index: Option<&str>,
        hash: &[String],
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        let change = |schema: &mut TableSchema| match index {
            None => {
                schema.hash = hash.first().map(|name| try_text([name])).transpose()?;
                Ok(())
            }
            Some(index) => {
                let declared = IndexSchema { hash: try_texts(hash)?, range: Vec::new(), local: None };
                put(&mut schema.indexes, index, declared)
            }
        };
        self.set(table, change, guard)
    }

    /// Adds the names of tables' partition keys that a request showed which DynamoDB accepted.
    pub(crate) fn add_inferred(
        &self,
        inferred: &[InferredKey<'_>],
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        let changed = |known: &Known| {
            let room = INFERRED_MAX.saturating_sub(known.tables.len());
            let new = inferred
                .iter()
                .filter(|(table, _)| known.tables.get(&**table).is_none_or(|schema| schema.hash.is_none()));
            let mut changed = Vec::new();
            for (table, hash) in new.take(room) {
                let before = known.tables.get(&**table);
                let mut schema = before.map_or_else(|| Ok(TableSchema::default()), TableSchema::try_clone)?;
                schema.hash = Some(try_text([hash])?);
                try_push(&mut changed, (try_text([table])?, schema))?;
            }
            Ok(changed)
        };
        self.replace(changed, guard)
    }

    /// Takes over what a table's description says.
    pub(crate) fn describe(
        &self,
        table: &str,
        described: &TableSchema,
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        let change = |known: &mut TableSchema| {
            if described.hash.is_some() {
                *known = described.try_clone()?;
                return Ok(());
            }
            // Cut down: what it does not say stays.
            for (name, index) in &described.vector_indexes {
                put(&mut known.vector_indexes, name, index.try_clone()?)?;
            }
            for (name, index) in &described.indexes {
                put(&mut known.indexes, name, index.try_clone()?)?;
            }
            Ok(())
        };
        self.set(table, change, guard)
    }
}

impl TableSchema {
    fn try_clone(&self) -> Result<Self, OutOfMemory> {
        let mut own = Self { hash: try_name(self.hash.as_deref())?, ..Self::default() };
        for (name, index) in &self.indexes {
            put(&mut own.indexes, name, index.try_clone()?)?;
        }
        for (name, index) in &self.vector_indexes {
            put(&mut own.vector_indexes, name, index.try_clone()?)?;
        }
        Ok(own)
    }
}

fn put<T>(indexes: &mut HashMap<String, T>, name: &str, index: T) -> Result<(), OutOfMemory> {
    indexes.try_reserve(1)?;
    indexes.insert(try_text([name])?, index);
    Ok(())
}

impl IndexSchema {
    fn try_clone(&self) -> Result<Self, OutOfMemory> {
        Ok(Self { hash: try_texts(&self.hash)?, range: try_texts(&self.range)?, local: self.local })
    }
}

impl VectorIndexSchema {
    fn try_clone(&self) -> Result<Self, OutOfMemory> {
        Ok(Self { hash: try_name(self.hash.as_deref())?, vector: try_name(self.vector.as_deref())? })
    }
}

fn try_name(name: Option<&str>) -> Result<Option<String>, OutOfMemory> {
    name.map(|name| try_text([name])).transpose()
}

fn try_push<T>(all: &mut Vec<T>, one: T) -> Result<(), OutOfMemory> {
    all.try_reserve(1)?;
    all.push(one);
    Ok(())
}

fn try_texts(texts: &[String]) -> Result<Vec<String>, OutOfMemory> {
    let mut own = Vec::new();
    texts.iter().try_for_each(|text| try_push(&mut own, try_text([text])?))?;
    Ok(own)
}

/// Splits a name or an ARN into the table's name, and the index's if it is of one.
pub(crate) fn split_arn(name: &str) -> (&str, Option<&str>) {
    if !name.starts_with("arn:") {
        return (name, None);
    }
    let Some((_, local)) = name.split_once(":table/") else { return (name, None) };
    match local.split_once('/') {
        Some((table, rest)) => (table, rest.strip_prefix("index/")),
        None => (local, None),
    }
}
