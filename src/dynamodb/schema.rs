//! Key schemas: which attributes are the partition key, of a table and of each of its indexes.
//!
//! Every observed request reads them, and a new table or so changes them. So they are one map
//! behind one pointer, and a change replaces the whole map (read-copy-update, see `sys/rcu.rs`): a
//! reader takes no lock and sees one state throughout. A change costs a copy of all that is known,
//! which is why inferred keys are bounded.
//!
//! A key gets known in three ways. A caller declares it; a table's description tells it; or a
//! request that DynamoDB accepted shows it. A description replaces all that was known of its table.
//! An inferred key never replaces a known one.

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

/// The key of one table, and those of its indexes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TableSchema {
    /// The name of the attribute that is the table's partition key, if it is known.
    pub(crate) hash: Option<String>,
    pub(crate) indexes: HashMap<String, IndexSchema>,
    pub(crate) vector_indexes: HashMap<String, VectorIndexSchema>,
}

/// The key of one secondary index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IndexSchema {
    /// The one to four attributes that are its partition key. None: the description does not say
    /// which.
    pub(crate) hash: Vec<String>,
    /// The up to four attributes that are its sort key. An item that lacks an attribute of the key
    /// is not in the index. Of a declared index they are not known.
    pub(crate) range: Vec<String>,
    /// Whether the index is local, so that its partitions are the table's; `None` if no description
    /// has said so.
    pub(crate) local: Option<bool>,
}

/// The attributes of one vector index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct VectorIndexSchema {
    /// The attribute that chooses a partition of the index, if the index has several.
    pub(crate) hash: Option<String>,
    /// The attribute that holds the vector.
    pub(crate) vector: Option<String>,
}

/// The number of known tables from which on no inferred key is added. Declared and described tables
/// are always kept.
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

/// The schemas that one detector knows.
pub(crate) struct Schemas {
    known: Rcu<Known>,
    /// How many changes there have been.
    changes: AtomicU64,
}

impl Schemas {
    pub(crate) fn try_new() -> Result<Self, OutOfMemory> {
        // From `std`'s own randomness: names of tables may come from strangers.
        let hasher = RandomState::with_seeds(random_word(), random_word(), random_word(), random_word());
        Ok(Self { known: Rcu::try_new(Known::with_hasher(hasher))?, changes: AtomicU64::new(0) })
    }

    /// Returns how many changes there have been. A schema that is looked up later is as new or
    /// newer. A caller that compares two numbers learns whether a key may have become known in
    /// between.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Acquire)
    }

    /// Returns all that is known of a table, as of now, for as long as `guard` is held.
    pub(crate) fn get<'g>(&self, table: &str, guard: &'g Guard) -> Option<&'g TableSchema> {
        self.known.get(guard).tables.get(table)
    }

    /// Changes what is known of one table. `change` runs once more for each other change that comes
    /// in between.
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

    /// Puts in what `changed` finds has changed: all of it at once or, without memory, nothing.
    ///
    /// 1. `changed` looks at what is known, and returns new schemas of some tables.
    /// 2. The map is copied, and the new schemas put in.
    /// 3. The copy takes the map's place, unless another thread has changed that meanwhile: then
    ///    again.
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

    /// Takes over a key that a caller declares, of a table or of its index.
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

    /// Adds keys that a request has shown which DynamoDB accepted. Of a table whose key is known
    /// nothing changes.
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
            // A description without the table's key was cut down: what it does not say stays as it
            // was.
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

/// Splits a name or an ARN into the table's name, and the name of the index if the ARN is of one.
/// `arn:aws:dynamodb:eu-west-1:1:table/orders/index/by-user` is `orders` and `by-user`.
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
