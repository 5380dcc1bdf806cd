//! Bounded counting: the state of a ledger's filter, and the numbers that it decides by.
//!
//! Where keys have no bound, memory must not follow them. So with a budget of bytes a ledger counts
//! partitions in a [`Filter`]. Only those whose bound there gets near a threshold get an entry in
//! the map:
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
//! no record of it is hot. One that is promoted was so with a carry of P - 1, or of all that the
//! cells had. That covers all records that were made before. Later ones find the entry, or add
//! themselves to it. So a count is too high by less than P, and never too low.
//! (`docs/design/bounded.md`, "Why it is correct", has the proof.)
//!
//! **Where thresholds change** records may judge by different levels for a while. The carry then
//! covers the greatest level that was in force as long as cells hold anything of that time. And an
//! entry is fresh until the thread that inserted it has looked at the cells once more.
//!
//! **Kept out.** For as long as cells hold anything of a partition that found no room, it may have
//! had more than P. So carries are not cut to P - 1 then: `kept_out_until` says until when. The
//! thread that keeps one out raises that word, and then looks in the map once more. The thread that
//! inserts does a read-modify-write of the same word, which leaves its value, and then reads the
//! cells. One of the two comes later to the word, and sees what the other did before.
//!
//! **Invariants.** All that the budget lends is given back once it is freed: cells and ledger, an
//! entry's most, segments.
//!
//! **Proof.** `src/models/{filtering,synthetic}.rs` (n, o); `tests/bounded`.

use crate::error::OutOfMemory;
use crate::filter::word::SubWindow;
use crate::filter::{Filter, held_seconds};
use crate::key::Key;
use crate::key::synthetic::is_synthetic;
use crate::ledger::recent_warnings::RecentWarnings;
use crate::ledger::settings::FilterSettings;
use crate::ledger::visit::Visit;
use crate::map::PartitionMap;
use crate::partition::reserve::most_bytes;
use crate::sys::budget::{Budget, Room};
use crate::sys::clock::Moment;
use crate::sys::lock::{Lock, Locked};
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};
use crossbeam_epoch::Guard;
use std::sync::Arc;

/// The highest level: three lanes of a cell tell it, and a full one says more.
const LEVEL_MAX: u64 = 1 << 15;
/// The most that a promotion carries over. With an amount on top it is no more than a slot holds.
pub(crate) const CARRIED_MOST: u32 = 1 << 29;
/// The threshold above which all are alike: far over the one with the highest level.
const THRESHOLD_MOST: u64 = 1 << 40;
/// The most bytes that the map's directory takes for one entry. It has at most twice as many places
/// as the map has had entries, and its levels have as many again.
const DIRECTORY_BYTES: u64 = 64;

/// A ledger's filter, and what its budget has lent.
pub(crate) struct Filtering {
    pub(crate) filter: Filter,
    pub(crate) budget: Arc<Budget>,
    permille: u32,
    window: u32,
    /// The bytes of cells and ledger, which the budget has lent.
    fixed: u64,
    /// The bytes that an entry takes of the budget, besides segments.
    pub(crate) entry_bytes: u64,
    /// The last warnings about partitions that were kept out.
    pub(crate) recent_warnings: RecentWarnings,
    /// The stamps until which the cells hold something of a partition that was kept out, and of a
    /// synthetic key. Apart, so that throttles stay exact where all of them had room.
    kept_out_until: [AtomicU64; 2],
    /// Held while thresholds are set, so that one thread after another remembers what was in force.
    setting: Lock<()>,
}

impl Filtering {
    /// Makes the filtering of a ledger of `ledger` bytes, in free bytes or in the room beside the
    /// budget's limit.
    pub(crate) fn try_new(
        settings: &FilterSettings,
        window: u32,
        ledger: usize,
    ) -> Result<Self, OutOfMemory> {
        let budget = Arc::clone(&settings.budget);
        let fixed = Filter::bytes(settings.row) + ledger as u64;
        if !budget.try_take_ledger(fixed) {
            return Err(OutOfMemory);
        }
        let filter = Filter::try_new(settings.row, window).inspect_err(|_| budget.give_back_ledger(fixed))?;
        Ok(Self {
            filter,
            budget,
            permille: settings.promote_permille,
            window,
            fixed,
            entry_bytes: most_bytes(window) + DIRECTORY_BYTES,
            recent_warnings: RecentWarnings::new(),
            kept_out_until: [0, 0].map(AtomicU64::new),
            setting: Lock::new(()),
        })
    }

    /// Returns the level under which nothing calls a partition of this threshold hot.
    #[inline(always)]
    pub(crate) fn level(&self, threshold: u64) -> u32 {
        let share = threshold.min(THRESHOLD_MOST) * u64::from(self.permille) / 1_000;
        share.clamp(1, LEVEL_MAX) as u32
    }

    /// Returns whether a bound is under the level of this threshold, as a comparison with
    /// [`Filtering::level`] without its division. No bound of a record is 0.
    #[inline(always)]
    pub(crate) fn is_under_level(&self, bound: u32, threshold: u64) -> bool {
        let share = threshold.min(THRESHOLD_MOST) * u64::from(self.permille);
        u64::from(bound) < LEVEL_MAX && (u64::from(bound) + 1) * 1_000 <= share
    }

    /// Returns the second since which the cells hold something.
    pub(crate) fn remembered_from(&self, now: Moment) -> u32 {
        now.second().saturating_sub(held_seconds(self.window))
    }

    /// Returns the most that a promotion carries over, where no record has judged by a greater
    /// level than this.
    pub(crate) fn most_carried(&self, greatest: u32, now: Moment) -> u32 {
        // One that was kept out may have had any number of records, and be hot long since.
        if self.has_kept_out(false, now) { CARRIED_MOST } else { greatest - 1 }
    }

    /// Notes that this key is kept out at this moment.
    pub(crate) fn keep_out(&self, key: Key<'_>, now: Moment) {
        let until = now.us() + u64::from(held_seconds(self.window)) * 1_000_000;
        let kept_out_until = &self.kept_out_until[usize::from(is_synthetic(key))];
        kept_out_until.fetch_max(Moment::from_us(until).stamp(), AcqRel);
    }

    /// Returns whether the cells may hold something of a partition that was kept out, or of a
    /// synthetic key.
    pub(crate) fn has_kept_out(&self, synthetic: bool, now: Moment) -> bool {
        let until = self.kept_out_until[usize::from(synthetic)].load(Acquire);
        until != 0 && now.stamp() <= until
    }

    /// Puts this thread in one order with each thread that keeps this key out. A thread that comes
    /// later sees what this one did before. Of a thread that came earlier, this one sees what that
    /// did before.
    pub(crate) fn meet_kept_out(&self, key: Key<'_>) {
        self.kept_out_until[usize::from(is_synthetic(key))].fetch_max(0, AcqRel);
    }

    /// Takes the bytes that an entry of this key needs, and keeps room for what its insert may add
    /// to the map and for a reclaim after it. `None`: there is no room.
    pub(crate) fn try_take_entry(&self, partitions: &PartitionMap, key: Key<'_>) -> Option<Room<'_>> {
        let room = self.budget.room(partitions.insert_bytes(key.table.len() + key.pk.len()))?;
        self.budget.try_take(self.entry_bytes).then_some(room)
    }

    /// Gives back the bytes of these partitions, and entries with synthetic keys, once all threads
    /// that are pinned now have unpinned.
    pub(crate) fn give_back_later(&self, entries: [u64; 2], guard: &Guard) {
        self.budget.give_back_later((entries[0] + entries[1]) * self.entry_bytes, guard);
    }

    /// Waits until no other thread sets thresholds. `None`: this is a forked child, whose parent
    /// may have been setting some; it goes on without.
    pub(crate) fn set_alone(&self) -> Option<Locked<'_, ()>> {
        self.setting.lock_here()
    }

    /// Returns the sub-window of a moment.
    #[inline(always)]
    pub(crate) fn at(&self, now: Moment) -> SubWindow {
        self.filter.sub_window(now.second())
    }

    /// Returns a function that reads the clock.
    pub(crate) fn now<'v>(&'v self, visit: Visit<'v>) -> impl Fn() -> SubWindow + Copy + use<'v> {
        move || self.at(visit.clock.now())
    }
}

impl Drop for Filtering {
    fn drop(&mut self) {
        self.budget.give_back_ledger(self.fixed);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_under_a_level_by_either_comparison() {
        let thresholds = [1, 2, 3, 4, 5, 99, 500, 131_071, 131_072, 131_073, THRESHOLD_MOST, (1 << 63) - 1];
        for permille in [10, 250, 333, 500] {
            let filtering = Filtering::try_new(&FilterSettings::new(1 << 16, permille), 60, 0).unwrap();
            for threshold in thresholds {
                let level = filtering.level(threshold);
                for bound in [1, 2, level.saturating_sub(1), level, level + 1, 32_767, 32_768, u32::MAX] {
                    let is_under = filtering.is_under_level(bound, threshold);
                    assert_eq!(is_under || bound == 0, bound < level, "{bound} of {level}");
                }
            }
        }
    }
}
