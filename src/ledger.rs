//! The ledger: everything that clearing a detector forgets, behind one pointer.
//!
//! Clearing puts a new ledger in place of the old one. A record that got hold of the old one before that
//! either finds its partition there, and so comes before the clear, or is turned away and starts again
//! with the new one, and so comes after it.

use crate::clock::Moment;
use crate::key::{Hash, Hashing, Key};
use crate::memory::{OutOfMemory, try_box};
use crate::operation::Operation;
use crate::partition::{AddError, Partition, Rules};
use crate::slot::Slot;
use crate::statistics::Tally;
use crate::sweep::Sweep;
use crate::sync::{AcqRel, Acquire, AtomicPtr};
use crate::table::{Closed, Entry, InsertError, Table};
use crate::thresholds::{Overrides, Scope};
use crossbeam_epoch::Guard;

/// What the operations of one detector have in common.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) hashing: Hashing,
    pub(crate) rules: Rules,
    /// 0: no bound.
    pub(crate) max_partitions: u64,
    /// The detector's own thresholds.
    pub(crate) thresholds: [u64; 2],
    pub(crate) tally: Tally,
}

pub(crate) struct Ledger {
    pub(crate) partitions: Table<Partition>,
    pub(crate) overrides: Overrides,
    sweep: Sweep,
}

/// Why a ledger did not take a record.
#[derive(Debug)]
pub(crate) enum Refusal {
    Closed,
    Memory,
}

impl From<Closed> for Refusal {
    fn from(_: Closed) -> Self {
        Refusal::Closed
    }
}

impl From<OutOfMemory> for Refusal {
    fn from(_: OutOfMemory) -> Self {
        Refusal::Memory
    }
}

/// One record's particulars, all in their ranges.
#[derive(Clone, Copy)]
pub(crate) struct Posting<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) hash: Hash,
    pub(crate) operation: Operation,
    pub(crate) model: Option<&'a [u8]>,
    pub(crate) amount: u32,
    pub(crate) now: Moment,
}

impl Ledger {
    pub(crate) fn try_new(terms: &Terms, now: Moment) -> Result<Self, OutOfMemory> {
        Ok(Self {
            partitions: Table::try_new()?,
            overrides: Overrides::try_new(terms.thresholds)?,
            sweep: Sweep::new(now),
        })
    }

    pub(crate) fn find<'g>(
        &self,
        key: Key<'_>,
        hash: Hash,
        guard: &'g Guard,
    ) -> Result<Option<&'g Partition>, Closed> {
        // SAFETY: the table shows entries that live.
        self.partitions.find(hash, |this| unsafe { Partition::is(this, key) }, guard)
    }

    /// Records, and returns the partition and its count with this record.
    pub(crate) fn post<'g>(
        &self,
        posting: &Posting<'_>,
        terms: &Terms,
        guard: &'g Guard,
    ) -> Result<(&'g Partition, u64), Refusal> {
        let Posting { key, hash, operation, amount, now, .. } = *posting;
        loop {
            let Some(partition) = self.find(key, hash, guard)? else {
                match self.admit(posting, terms, guard) {
                    Ok(partition) => return Ok((partition, u64::from(Slot::new(now.second, amount).count))),
                    Err(InsertError::Exists(_)) => continue,
                    Err(InsertError::Closed) => return Err(Refusal::Closed),
                    Err(InsertError::Memory) => return Err(Refusal::Memory),
                }
            };
            // As if never seen, but for a warning state that must not show: begin anew.
            if partition.alarm_if_any().is_some()
                && self.sweep.reclaim(&self.partitions, partition, now, terms, guard)
            {
                continue;
            }
            let floor = self.overrides.floor(operation);
            match partition.add(operation, amount, now.second, terms.rules, floor, guard) {
                Ok(count) => return Ok((partition, count)),
                Err(AddError::Dead) => {}
                Err(AddError::Memory(refused)) => return Err(refused.into()),
            }
        }
    }

    /// Inserts a partition with its first record, and makes room for it where there is a bound.
    fn admit<'g>(
        &self,
        posting: &Posting<'_>,
        terms: &Terms,
        guard: &'g Guard,
    ) -> Result<&'g Partition, InsertError<'g, Partition>> {
        let Posting { key, hash, operation, amount, now, .. } = *posting;
        let new = Partition::create(key, hash, operation, amount, now.second)
            .map_err(|OutOfMemory| InsertError::Memory)?;
        // SAFETY: the table shows entries that live.
        let matches = |this| unsafe { Partition::is(this, key) };
        // SAFETY: just made; nobody else has seen it.
        let prepared = unsafe { new.as_ref() }.prepare(amount.into(), self.overrides.floor(operation));
        let inserted = prepared
            .map_err(|OutOfMemory| InsertError::Memory)
            .and_then(|()| self.partitions.insert(hash, new, matches, guard));
        if let Err(refused) = inserted {
            // SAFETY: it did not get into the table.
            unsafe { Partition::free(new) };
            return Err(refused);
        }
        // SAFETY: it was alive in the table just now, and is while the guard is.
        let new = unsafe { new.as_ref() };
        self.partitions.len.increment();
        if terms.max_partitions != 0 {
            self.sweep.trim(&self.partitions, new, now, terms, guard);
        }
        Ok(new)
    }

    /// The threshold that `count` has reached, if it has: the model's, else the table's, else the
    /// detector's own.
    pub(crate) fn reached(
        &self,
        count: u64,
        posting: &Posting<'_>,
        terms: &Terms,
        guard: &Guard,
    ) -> Result<Option<u64>, Closed> {
        let operation = posting.operation;
        if count < self.overrides.floor(operation) {
            return Ok(None);
        }
        let mut threshold = None;
        for (scope, name) in [(Scope::Model, posting.model), (Scope::Table, Some(posting.key.table))] {
            if let (None, Some(name)) = (threshold, name) {
                threshold = self.overrides.get(scope, name, &terms.hashing, guard)?.of(operation);
            }
        }
        Ok(Some(threshold.unwrap_or(terms.thresholds[operation.index()]))
            .filter(|&threshold| count >= threshold))
    }

    /// Does this call's share of reclaiming idle partitions.
    pub(crate) fn sweep(&self, now: Moment, terms: &Terms, guard: &Guard) {
        self.sweep.step(&self.partitions, now, terms, guard);
    }
}

/// Where the current ledger is.
pub(crate) struct Current(AtomicPtr<Ledger>);

impl Current {
    pub(crate) fn try_new(terms: &Terms, now: Moment) -> Result<Self, OutOfMemory> {
        Ok(Self(AtomicPtr::new(Box::into_raw(try_box(Ledger::try_new(terms, now)?)?))))
    }

    pub(crate) fn get<'g>(&self, _guard: &'g Guard) -> &'g Ledger {
        // SAFETY: a ledger is retired after it was replaced: it lives while the guard does.
        unsafe { &*self.0.load(Acquire) }
    }

    /// Runs `f` with the current ledger, and again with the next one if that was closed meanwhile.
    pub(crate) fn with<'g, T>(
        &self,
        guard: &'g Guard,
        mut f: impl FnMut(&'g Ledger) -> Result<T, Refusal>,
    ) -> Result<T, OutOfMemory> {
        loop {
            match f(self.get(guard)) {
                Ok(value) => return Ok(value),
                Err(Refusal::Closed) => {}
                Err(Refusal::Memory) => return Err(OutOfMemory),
            }
        }
    }

    /// Puts an empty ledger in place of the current one, whose contents the caller then frees.
    pub(crate) fn clear(
        &self,
        terms: &Terms,
        now: Moment,
        pin: impl Fn() -> Guard,
    ) -> Result<(), OutOfMemory> {
        let new = Box::into_raw(try_box(Ledger::try_new(terms, now)?)?);
        let old = self.0.swap(new, AcqRel);
        // SAFETY: only this thread took it out, and it is not freed before the deferral below.
        let ledger = unsafe { &*old };
        Tally::count(&terms.tally.cleared, ledger.partitions.close(&pin));
        ledger.overrides.close(&pin);
        // SAFETY: it came from a box, and has been empty and out of reach since it was closed.
        unsafe { pin().defer_unchecked(move || drop(Box::from_raw(old))) };
        Ok(())
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        // SAFETY: it came from a box, and whoever drops this is the last to use it.
        drop(unsafe { Box::from_raw(self.0.load(Acquire)) });
    }
}
