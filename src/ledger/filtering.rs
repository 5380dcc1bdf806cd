//! Bounded counting: the part of it that a clear forgets, and the numbers by which a partition
//! gets an entry.
//!
//! Where keys have no bound, memory must not grow with them. So with a budget of bytes a detector
//! counts partitions in a filter ([`Cold`]). Only those whose bound there gets near a threshold get
//! an entry in the map:
//!
//! ```text
//!            bound < P                 bound >= P, and there is room: promoted
//! record --> both cells -------------> an entry with what the cells had, at most P - 1: its carry
//!              ^    ^                    |
//!              |    +- no room: kept out | the first cell has a mark: records look in the map
//!              +-------------------------+ counts under P / 2: demoted, its slots go to the cells
//! ```
//!
//! P is the *level* of the partition: a share of the least threshold by which anything could call
//! it hot.
//!
//! | a partition is | its entry | its records go to | its count |
//! |---|---|---|---|
//! | cold | none | both cells | the bound, less than P |
//! | fresh | just inserted | the entry and both cells | the entry's, or the bound if that is more |
//! | promoted | is there | the entry | the entry's: too high by less than P |
//! | kept out | none, for want of room | both cells | the bound, none of which is known to be its own |
//!
//! An example: a threshold of 500, a level of 125, a window of 60 seconds. A key's 100th write
//! makes 140 in its first cell and 118 in its second, in the same lane: its bound is 118. At its
//! 107th write the bound is 125. The entry begins with the write's own 1 and a carry of 124, of
//! which 106 are the key's own. The key is warned about at a count of 500, which is its 482nd
//! write. The warning says "at least 376 of 500".
//!
//! **Why no count is too low.** A partition that is not promoted has less than P in the window, so
//! no record of it is hot. The entry of a promoted one begins with a carry of P - 1, or of all that
//! the cells had. That covers all records that were made before. Later ones add to the entry. So a
//! count is too high by less than P, and never too low.
//! (`docs/design/bounded.md`, "Why it is correct", has the proof.)
//!
//! **Where thresholds change** records may judge by different levels for a while. The carry then
//! covers the greatest level that was in force as long as cells hold anything of that time. And an
//! entry is fresh until the thread that inserted it has looked at the cells once more.
//!
//! **Kept out.** For as long as cells hold anything of a partition that found no room, it may have
//! had more than P. So carries are not cut to P - 1 then: `kept_out_until` says until when. The
//! thread that keeps a partition out raises that word, and then looks in the map once more. A
//! thread that inserts an entry does a read-modify-write of the same word, which leaves its value,
//! and then reads the cells. One of the two comes later to the word, and sees what the other did
//! before.
//!
//! **Invariants.** All bytes that the budget lends are given back once their memory is freed: those
//! of the ledger, those of segments, and for each entry the most that it could need.
//!
//! **Proof.** `src/models/{filtering,synthetic,cleared}.rs` (n, o, p); `tests/bounded`.

use crate::error::OutOfMemory;
use crate::filter::Pair;
use crate::filter::word::SubWindow;
use crate::key::Key;
use crate::key::hash::{Hash, Hashing};
use crate::key::synthetic::is_synthetic;
use crate::ledger::cold::Cold;
use crate::ledger::settings::FilterSettings;
use crate::map::PartitionMap;
use crate::operation::Operation;
use crate::partition::reserve::most_bytes;
use crate::sys::budget::{Budget, Room};
use crate::sys::clock::{Clock, Moment};
use crate::sys::lock::{Lock, Locked};
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};
use crossbeam_epoch::Guard;
use std::sync::Arc;

/// The most that a promotion carries over: about half of what a slot holds. With a record's amount
/// on top, it is cut to what a slot holds.
pub(crate) const CARRIED_MOST: u32 = 1 << 29;
/// The most bytes that the map takes for one entry, besides its segments: 8 for its place in a list
/// of what goes from a segment, and the rest for the directory. That has at most twice as many
/// places of 8 bytes as the map has had entries, and its levels have as many again.
const MAP_BYTES: u64 = 64;

/// A ledger's part in bounded counting, and what its budget has lent.
pub(crate) struct Filtering {
    pub(crate) cold: Arc<Cold>,
    /// The generation of the cells that goes with the ledger.
    pub(crate) generation: u32,
    pub(crate) budget: Arc<Budget>,
    /// The bytes of the ledger, which the budget has lent.
    fixed: u64,
    /// The bytes that an entry takes from the budget, besides those of segments.
    pub(crate) entry_bytes: u64,
    /// The stamps until which the cells hold something of a key that was kept out: of a partition,
    /// and of a synthetic key. There are two, so that throttles stay exact where all of them had
    /// room.
    kept_out_until: [AtomicU64; 2],
    /// Held while thresholds are set, so that one thread after another remembers what was in force.
    setting: Lock<()>,
}

impl Filtering {
    /// Makes the filtering of a ledger of `ledger` bytes, for which there is room.
    pub(crate) fn try_new(
        settings: &FilterSettings,
        window: u32,
        ledger: usize,
    ) -> Result<Self, OutOfMemory> {
        let FilterSettings { cold, budget } = settings;
        let fixed = ledger as u64;
        if !budget.try_take_ledger(fixed) {
            return Err(OutOfMemory);
        }
        Ok(Self {
            cold: Arc::clone(cold),
            generation: 0,
            budget: Arc::clone(budget),
            fixed,
            entry_bytes: most_bytes(window) + MAP_BYTES,
            kept_out_until: [0, 0].map(AtomicU64::new),
            setting: Lock::new(()),
        })
    }

    /// Begins this ledger's generation, unless it has begun.
    #[inline]
    pub(crate) fn begin(&self) {
        self.cold.begin(self.generation);
    }

    /// Returns whether the ledger was cleared: the generation of another has begun.
    pub(crate) fn is_over(&self) -> bool {
        self.cold.generation() != self.generation
    }

    /// Returns the cells of a key and an operation.
    #[inline(always)]
    pub(crate) fn pair(&self, hash: Hash, operation: Operation) -> Pair<'_> {
        self.cold.filter.pair(hash, operation)
    }

    /// Returns the level of a partition with this threshold: under it, no rule calls it hot.
    pub(crate) fn level(&self, threshold: u64) -> u32 {
        self.cold.level(threshold)
    }

    /// Returns the earliest second of which the cells may hold something.
    pub(crate) fn remembered_from(&self, now: Moment) -> u32 {
        now.second().saturating_sub(self.cold.held_seconds())
    }

    /// Takes the marks of a key off its first cells, as it has no entry any more. `now` reads the
    /// clock.
    pub(crate) fn unmark(&self, key: Key<'_>, hashing: &Hashing, now: impl Fn() -> SubWindow + Copy) {
        if !is_synthetic(key) {
            let hash = hashing.key(key);
            Operation::ALL.into_iter().for_each(|operation| self.pair(hash, operation).unmark(now));
        }
    }

    /// Returns the most that a promotion carries over. `greatest`: no record that the cells still
    /// hold was judged by a greater level.
    pub(crate) fn most_carried(&self, greatest: u32, now: Moment) -> u32 {
        // A partition that was kept out may have had any number of records, and be hot long since.
        if self.has_kept_out(false, now) { CARRIED_MOST } else { greatest - 1 }
    }

    /// Notes that this key is kept out at this moment.
    pub(crate) fn keep_out(&self, key: Key<'_>, now: Moment) {
        let until = now.us() + u64::from(self.cold.held_seconds()) * 1_000_000;
        let kept_out_until = &self.kept_out_until[usize::from(is_synthetic(key))];
        kept_out_until.fetch_max(Moment::from_us(until).stamp(), AcqRel);
    }

    /// Returns whether the cells may hold something of a key that was kept out: of a synthetic one,
    /// or of a partition if not `synthetic`.
    pub(crate) fn has_kept_out(&self, synthetic: bool, now: Moment) -> bool {
        let until = self.kept_out_until[usize::from(synthetic)].load(Acquire);
        until != 0 && now.stamp() <= until
    }

    /// Puts this thread in one order with each thread that keeps this key out. A thread that comes
    /// later sees what this one did before. This one sees what an earlier one did before.
    pub(crate) fn meet_kept_out(&self, key: Key<'_>) {
        self.kept_out_until[usize::from(is_synthetic(key))].fetch_max(0, AcqRel);
    }

    /// Takes the bytes that an entry of this key needs, and keeps room for what its insert may add
    /// to the map and for a reclaim after it. `None`: there is no room.
    pub(crate) fn try_take_entry(&self, partitions: &PartitionMap, key: Key<'_>) -> Option<Room<'_>> {
        let room = self.budget.room(partitions.insert_bytes(key.table.len() + key.pk.len()))?;
        self.budget.try_take(self.entry_bytes).then_some(room)
    }

    /// Gives back the bytes of `entries`, the numbers of partitions and of synthetic keys, once all
    /// threads that are pinned now have unpinned.
    pub(crate) fn give_back_later(&self, entries: [u64; 2], guard: &Guard) {
        self.budget.give_back_later((entries[0] + entries[1]) * self.entry_bytes, guard);
    }

    /// Waits until no other thread sets thresholds. `None`: this is a forked child, whose parent
    /// may have been setting some; it goes on without.
    pub(crate) fn set_alone(&self) -> Option<Locked<'_, ()>> {
        self.setting.lock_here()
    }

    /// Returns the sub-window of a moment in this ledger's generation.
    #[inline(always)]
    pub(crate) fn at(&self, now: Moment) -> SubWindow {
        self.sub_window(now.second())
    }

    /// Returns the sub-window of a second in this ledger's generation.
    pub(crate) fn sub_window(&self, second: u32) -> SubWindow {
        self.cold.filter.sub_window(second, self.generation)
    }

    /// Returns a function that reads the clock and the generation, and returns their sub-window. A
    /// cell that is ahead of it is of long ago.
    pub(crate) fn now<'v>(&'v self, clock: &'v Clock) -> impl Fn() -> SubWindow + Copy + use<'v> {
        move || self.cold.at(clock.now())
    }
}

impl Drop for Filtering {
    fn drop(&mut self) {
        self.budget.give_back_ledger(self.fixed);
    }
}
