//! Thresholds: the detector's own, and what tables and models put over them.

use crate::error::Error;
use crate::key::{Hash, Hashing, Key, check_name};
use crate::memory::{OutOfMemory, Tailed};
use crate::operation::Operation;
use crate::sync::{AcqRel, Acquire, AtomicU64};
use crate::table::{Closed, Entry, InsertError, Table, Update};
use crossbeam_epoch::Guard;
use std::ptr::NonNull;

/// The highest threshold: 2⁶³ − 1, what a C caller can read back as `int64_t`.
pub(crate) const THRESHOLD_MAX: u64 = i64::MAX as u64;

/// The counts from which a partition is hot. `None`: the next level decides (a model's threshold wins
/// over its table's, and that over the detector's own).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Thresholds {
    /// For writes, 1 to 2⁶³ − 1.
    pub writes: Option<u64>,
    /// For reads, 1 to 2⁶³ − 1.
    pub reads: Option<u64>,
}

impl Thresholds {
    pub(crate) fn of(&self, operation: Operation) -> Option<u64> {
        match operation {
            Operation::Write => self.writes,
            Operation::Read => self.reads,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let within = |threshold: Option<u64>| threshold.is_none_or(|n| (1..=THRESHOLD_MAX).contains(&n));
        if within(self.writes) && within(self.reads) { Ok(()) } else { Err(Error::Invalid) }
    }
}

/// What an override is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Table,
    Model,
}

impl Scope {
    fn hash(self, name: &[u8], hashing: &Hashing) -> Hash {
        let scope: &[u8] = match self {
            Scope::Table => b"table",
            Scope::Model => b"model",
        };
        hashing.key(Key { table: scope, pk: name })
    }
}

/// One override; replaced, never changed, so that its two sides are always read as they were set.
pub(crate) struct Override {
    scope: Scope,
    place: u32,
    thresholds: Thresholds,
    name_len: usize,
}

impl Override {
    fn create(
        scope: Scope,
        name: &[u8],
        hash: Hash,
        thresholds: Thresholds,
    ) -> Result<NonNull<Self>, OutOfMemory> {
        let header = Self { scope, place: hash.place, thresholds, name_len: name.len() };
        let mut bytes = name.iter().copied();
        Self::layout(name.len()).create(header, || bytes.next().unwrap_or_default())
    }

    fn layout(name_len: usize) -> Tailed<Self, u8> {
        Tailed::new(name_len)
    }

    /// # Safety
    /// `this` came from `create` and lives.
    unsafe fn is(this: NonNull<Self>, scope: Scope, name: &[u8]) -> bool {
        // SAFETY: as the caller promises; the name follows the header.
        unsafe {
            let Self { scope: own, name_len, .. } = *this.as_ref();
            own == scope
                && std::slice::from_raw_parts(Self::layout(name_len).tail(this).as_ptr(), name_len) == name
        }
    }
}

// SAFETY: `place` never changes; `free` undoes `create`.
unsafe impl Entry for Override {
    fn place(&self) -> u32 {
        self.place
    }

    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: the caller is the last to use what `create` made; its length is in the header.
        unsafe { Self::layout(this.as_ref().name_len).destroy(this) }
    }
}

/// All overrides, read without a lock.
pub(crate) struct Overrides {
    table: Table<Override>,
    /// For each operation a number that no threshold in force is under: below it nobody is hot,
    /// and the overrides need not be looked at.
    floors: [AtomicU64; 2],
}

impl Overrides {
    pub(crate) fn try_new(own: [u64; 2]) -> Result<Self, OutOfMemory> {
        Ok(Self { table: Table::try_new()?, floors: own.map(AtomicU64::new) })
    }

    pub(crate) fn floor(&self, operation: Operation) -> u64 {
        self.floors[operation.index()].load(Acquire)
    }

    /// Sets both sides of an override; `None` for both removes it.
    pub(crate) fn set(
        &self,
        scope: Scope,
        name: &[u8],
        thresholds: Thresholds,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<(), InsertError<'static, ()>> {
        let hash = scope.hash(name, hashing);
        let update = if thresholds == Thresholds::default() {
            Update::Remove
        } else {
            Update::Put(
                Override::create(scope, name, hash, thresholds).map_err(|OutOfMemory| InsertError::Memory)?,
            )
        };
        for operation in Operation::ALL {
            let floor = thresholds.of(operation).unwrap_or(u64::MAX);
            self.floors[operation.index()].fetch_min(floor, AcqRel);
        }
        // SAFETY: the table shows entries that live.
        let matches = |this| unsafe { Override::is(this, scope, name) };
        self.table.update(hash, &update, matches, guard).map_err(|refused| {
            if let Update::Put(unused) = update {
                // SAFETY: it did not get into the table.
                unsafe { Override::free(unused) };
            }
            match refused {
                InsertError::Memory => InsertError::Memory,
                InsertError::Closed | InsertError::Exists(_) => InsertError::Closed,
            }
        })
    }

    pub(crate) fn get(
        &self,
        scope: Scope,
        name: &[u8],
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<Thresholds, Closed> {
        if self.table.len.get() == 0 {
            return Ok(Thresholds::default());
        }
        // SAFETY: the table shows entries that live.
        let matches = |this| unsafe { Override::is(this, scope, name) };
        let found = self.table.find(scope.hash(name, hashing), matches, guard)?;
        Ok(found.map(|entry| entry.thresholds).unwrap_or_default())
    }

    pub(crate) fn close(&self, pin: impl Fn() -> Guard) {
        self.table.close(pin);
    }
}

/// Checks a name and the thresholds to set for it.
pub(crate) fn check(name: &[u8], thresholds: Thresholds) -> Result<(), Error> {
    check_name(name)?;
    thresholds.check()
}
