//! The ledger: all that clearing a detector forgets, behind one pointer; the way of a record from
//! its key to its count; and how idle memory is given back.
//!
//! ```text
//! Detector --> Ledger (current) --> map, overrides, how far reclaim has come
//!                 |
//!              clear: a new one takes its place; the old one lives until its last call has ended
//! ```
//!
//! Clearing puts a new ledger in place of the old one. A record that had taken the old one before
//! either finds its partition there, and so comes before the clear; or it is turned away, starts
//! again with the new one, and comes after it. No record is in both.
//!
//! ```text
//! record_fast --> found, added, nothing due ------------------------------------> count
//!     | else: Unfinished
//!     v
//! record_rest --> recorded already, or added to the entry that was found -------> Recorded
//!     | not recorded
//!     v
//! record:  admit --> inserted --------------------------------------------------> Recorded
//!           ^   \--> exists: add_to --> added ----------------------------------> Recorded
//!           |                   \-----> frozen, or let go: finish_move -------------+
//!           +------------------------------------------------------------------------+
//! ```
//!
//! Each round of that loop means that some thread has got something done. Where memory is bounded
//! most partitions are counted in a filter, which is beside the ledgers and not in one ([`cold`],
//! [`filtering`]; the steps between them are in [`promotion`], [`settling`] and [`demotion`]).
//! [`reclaim`] gives back what is idle, in small steps that records take, and chooses which entry
//! goes at `max_partitions`. A detector's [`settings`] and [`counters`] are beside the ledger and
//! not in it: a [`visit`] brings them. [`moving`] has what is done where an entry has moved.
//!
//! **Invariants.** What a clear must not forget (clock, statistics, settings, open tables) is not
//! in a [`Ledger`]. A step of reclaim never waits, and visits one segment.
//!
//! **Proof.** `src/models/{ledger,bound,filtering,synthetic}.rs`;
//! `tests/{reclaim,bound,bounded,conservation}`.
//!
//! **What may go in**: what one record does from its key to its count, and what is due because of
//! it.

pub(crate) mod bounds;
pub(crate) mod breach;
pub(crate) mod cold;
pub(crate) mod counters;
pub(crate) mod current;
pub(crate) mod demotion;
pub(crate) mod filtering;
pub(crate) mod moving;
pub(crate) mod promotion;
pub(crate) mod recent_warnings;
pub(crate) mod reclaim;
pub(crate) mod recorded;
pub(crate) mod settings;
pub(crate) mod settling;
pub(crate) mod synthetic;
pub(crate) mod visit;

use crate::error::{OutOfMemory, Refusal};
use crate::key::Key;
use crate::key::hash::Hash;
use crate::key::synthetic::throttled_key;
use crate::ledger::filtering::Filtering;
use crate::ledger::reclaim::Reclaimer;
use crate::ledger::recorded::{Recorded, Unfinished};
use crate::ledger::settings::Settings;
use crate::ledger::visit::Visit;
use crate::map::{InsertOutcome, PartitionMap};
use crate::operation::Operation;
use crate::partition::amount::Amount;
use crate::partition::content::Content;
use crate::partition::head::Head;
use crate::partition::series::AddError;
use crate::partition::slot::MOST;
use crate::partition::{FastAdd, Partition};
use crate::policy::overrides::Overrides;
use crate::sys::clock::Moment;
use crate::sys::rcu::Watched;
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use std::sync::Arc;

/// A detector's partitions and overrides since it was made or last cleared.
pub(crate) struct Ledger {
    /// The number of this ledger among the detector's: its address may be that of one that was
    /// freed.
    pub(crate) number: u64,
    pub(crate) partitions: PartitionMap,
    pub(crate) overrides: Overrides,
    reclaimer: Reclaimer,
    /// The filter for partitions that are far from hot, where memory is bounded.
    pub(crate) filtering: Option<Filtering>,
    #[cfg(loom)]
    pub(crate) watch: Watch,
}

/// One record: an amount for a partition. All is in its range. The moment is the visit's.
#[derive(Clone, Copy)]
pub(crate) struct Posting<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) hash: Hash,
    pub(crate) operation: Operation,
    pub(crate) model: Option<&'a [u8]>,
    pub(crate) amount: Amount,
}

impl Ledger {
    fn try_new(settings: &Settings, now: Moment) -> Result<Self, OutOfMemory> {
        let (filter, window) = (settings.filter.as_ref(), settings.timing.window);
        let filtering = |settings| Filtering::try_new(settings, window, size_of::<Self>());
        // Kept until the ledger and the map's first segment have taken theirs.
        let room = filter.map(|filter| filter.budget.room_for_ledger(Self::bytes()).ok_or(OutOfMemory));
        let _room = room.transpose()?;
        Ok(Self {
            number: 0,
            filtering: filter.map(filtering).transpose()?,
            partitions: PartitionMap::try_new(filter.map(|filter| Arc::clone(&filter.budget)))?,
            overrides: Overrides::new(settings.floors()),
            reclaimer: Reclaimer::new(now),
            #[cfg(loom)]
            watch: Watch::new(Kind::Ledger),
        })
    }

    /// Returns how many bytes a ledger takes, with its map's first segment.
    pub(crate) fn bytes() -> u64 {
        size_of::<Self>() as u64 + PartitionMap::first_bytes()
    }

    /// Sets the number, which no other thread has seen yet.
    fn renumber(&mut self, number: u64) {
        self.number = number;
        if let Some(filtering) = &mut self.filtering {
            // The generations come round.
            filtering.generation = number as u32;
        }
    }

    /// Begins the generation of cells that goes with the ledger, unless it has begun.
    #[inline]
    fn begin(&self) {
        if let Some(filtering) = &self.filtering {
            filtering.begin();
        }
    }

    /// Records in the one way that nearly all records take, and returns the count if nothing is
    /// left to do. Where there is a filter, [`Cold::record`](cold::Cold::record) does that.
    #[inline(always)]
    pub(crate) fn record_fast<'g>(
        &self,
        posting: Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<u64, Unfinished<'g>> {
        debug_assert!(self.filtering.is_none());
        match self.partitions.find_fast(posting.hash, posting.key, visit.guard) {
            Some(found) => self.add_fast(found, posting, visit),
            None => Err(Unfinished::Missing),
        }
    }

    /// Does the same in a partition that was found under the guard.
    #[inline(always)]
    pub(crate) fn add_fast<'g>(
        &self,
        found: Partition<'g>,
        posting: Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<u64, Unfinished<'g>> {
        self.add_fast_by(self.overrides.floor(posting.operation), found, posting, visit)
    }

    /// Does the same by a floor that has been read.
    #[inline(always)]
    pub(crate) fn add_fast_by<'g>(
        &self,
        floor: u64,
        found: Partition<'g>,
        posting: Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<u64, Unfinished<'g>> {
        let Posting { operation, amount, .. } = posting;
        match found.add_fast(operation, amount, visit.now, floor) {
            FastAdd::Counted(count) => self.finished(found, count, floor, visit),
            FastAdd::Overtaken(before) => Err(Unfinished::Overtaken(found, before)),
            FastAdd::NotAdded => {
                let second = visit.now.second();
                match found.turn_fast(operation, amount, second, visit.window(), floor, visit.guard) {
                    // `turn_fast` leaves what is near the floor to `add`, so the count is under it.
                    Some(count) => {
                        debug_assert!(count < floor);
                        let is_done = !self.reclaimer.is_due(visit.now);
                        if is_done { Ok(count) } else { Err(Unfinished::NeedsFollowUp(found, count)) }
                    }
                    None => Err(Unfinished::NotAdded(found)),
                }
            }
        }
    }

    /// Returns the count of a record that was made, if nothing is left to do.
    #[inline(always)]
    fn finished<'g>(
        &self,
        found: Partition<'g>,
        count: u64,
        floor: u64,
        visit: Visit<'g>,
    ) -> Result<u64, Unfinished<'g>> {
        let is_done = count < floor && !self.reclaimer.is_due(visit.now);
        if is_done { Ok(count) } else { Err(Unfinished::NeedsFollowUp(found, count)) }
    }

    /// Records what the fast path has not.
    pub(crate) fn record_rest<'g>(
        &self,
        unfinished: Unfinished<'g>,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        let mut bound = None;
        let recorded = match unfinished {
            Unfinished::NeedsFollowUp(found, count) => Some((found, count)),
            Unfinished::Overtaken(found, before) => {
                Some((found, self.overtaken(found, before, posting, visit)))
            }
            // A fresh partition's record goes to the cells too.
            Unfinished::NotAdded(found) if found.is_fresh() => None,
            Unfinished::NotAdded(found) => {
                let count = self.add_to(found, posting, visit).ok();
                count.map(|count| (found, count))
            }
            Unfinished::Missing => None,
            Unfinished::Bounded(seen) => {
                bound = Some(seen);
                None
            }
        };
        match (recorded, &self.filtering) {
            (Some((partition, count)), _) => {
                Ok(Recorded { partition: Some(partition), count, lacking: 0, is_full: false })
            }
            (None, Some(filtering)) => {
                Ok(self.record_filtered(filtering, posting, bound, visit)?.with_own(posting.amount))
            }
            (None, None) => self.record(posting, visit),
        }
    }

    /// Returns the count with an amount that was added to a head that was `before`: other threads
    /// had changed it since it was seen. Where the entry has moved since, its copy is asked.
    #[cold]
    fn overtaken<'g>(
        &self,
        found: Partition<'g>,
        before: Head,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> u64 {
        let Posting { key, hash, operation, amount, .. } = *posting;
        let series = |found: Partition<'g>| found.series(operation, visit.window(), visit.guard);
        let elsewhere = || {
            let count = |found| series(found).count(before.second());
            self.look(key, hash, visit, count).ok().flatten()
        };
        let count = series(found).counted(before, amount).or_else(elsewhere);
        // Its own second had no less.
        let least = before.total().saturating_add(amount.get()).min(MOST);
        count.unwrap_or(0).max(least.into())
    }

    /// Records in the partition that was found, if that still is one.
    pub(crate) fn add_to(
        &self,
        found: Partition<'_>,
        posting: &Posting<'_>,
        visit: Visit<'_>,
    ) -> Result<u64, AddError> {
        let Posting { hash, operation, amount, .. } = *posting;
        let Visit { settings, now, guard, .. } = visit;
        if found.is_idle_with_alarm(now, settings.timing, guard) && self.let_go(hash, visit)? {
            return Err(AddError::Moved);
        }
        found.add(operation, amount, now, settings.timing, self.floor(posting, settings), guard)
    }

    /// Records in any way, until the record is in or is refused.
    pub(crate) fn record<'g>(
        &self,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        if let Some(filtering) = &self.filtering {
            return Ok(self.record_filtered(filtering, posting, None, visit)?.with_own(posting.amount));
        }
        let Posting { hash, amount, .. } = *posting;
        let recorded =
            |partition, count| Recorded { partition: Some(partition), count, lacking: 0, is_full: false };
        loop {
            let found = match self.admit(posting, visit)? {
                InsertOutcome::Done(new) => return Ok(recorded(new, amount.into())),
                InsertOutcome::Exists(found) => found,
            };
            match self.add_to(found, posting, visit) {
                Ok(count) => return Ok(recorded(found, count)),
                Err(refused) => self.finish_move(refused, hash, visit)?,
            }
        }
    }

    /// Returns a count under which no record of this posting warns; the alarm is made well before.
    /// It is 0 for a throttle that may warn at once.
    fn floor(&self, posting: &Posting<'_>, settings: &Settings) -> u64 {
        let warns = settings.warn_of_throttles && throttled_key(posting.key).is_some();
        if warns { 0 } else { self.overrides.floor(posting.operation) }
    }

    /// Finds the partition, or inserts it with its first record. If the map is then over its bound,
    /// another partition goes.
    pub(crate) fn admit<'g>(
        &self,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<InsertOutcome<'g>, Refusal> {
        let Posting { key, hash, operation, amount, .. } = *posting;
        let Visit { settings, now, guard, .. } = visit;
        if let Some(found) = self.partitions.find(hash, key, guard)? {
            return Ok(InsertOutcome::Exists(found));
        }
        let floor = self.floor(posting, settings);
        let content = Content::first(key, hash, operation, amount, now.second(), floor)?;
        let inserted =
            self.with_context(visit, |context| self.partitions.insert(hash, &content, context, guard));
        if !matches!(inserted, Ok(InsertOutcome::Done(_))) {
            // SAFETY: it did not get into the map.
            unsafe { content.past.free() };
        } else if settings.max_partitions != 0 {
            self.reclaimer.evict(&self.partitions, key, visit);
        }
        inserted
    }

    /// Does this call's share of reclaiming idle partitions.
    #[inline]
    pub(crate) fn reclaim_step(&self, visit: Visit<'_>) {
        if self.reclaimer.is_due(visit.now) {
            self.with_context(visit, |context| self.reclaimer.step(&self.partitions, context, visit));
        }
        if let Some(filtering) = &self.filtering {
            filtering.cold.note_due(self.reclaimer.due());
        }
    }
}

impl Watched for Ledger {
    #[cfg(loom)]
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

#[cfg(all(test, not(loom), target_pointer_width = "64"))]
mod tests {
    use super::*;

    /// The number is in `docs/design/{bounded,limits}.md`. In tests a ledger has two numbers more.
    #[test]
    fn a_ledger_and_its_first_segment_take_6400_bytes() {
        assert_eq!(Ledger::bytes() - 16, 6_400);
    }
}
