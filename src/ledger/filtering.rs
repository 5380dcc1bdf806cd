//! Bounded counting: the state of a ledger's filter, and what it decides by.
//!
//! With a budget of bytes a ledger counts partitions in a [`Filter`], and only those in the map whose bound there gets
//! near a threshold:
//!
//! ```text
//!            bound < P                        bound >= P, and there is room: promoted
//! record --> both cells --------------------> an entry with what the cells had, at most P - 1: its carry
//!              ^    ^                           |
//!              |    +--- no room: kept out      | the first cell has a mark for it: records look in the map
//!              +------------------------------- + counts under P / 2: demoted, its slots go back into the cells
//! ```
//!
//! P is the *level* of the partition: a share of the least threshold by which anything could call it hot. A partition that is
//! not promoted has less than P in the window, so no record of it is hot. One that is promoted was so with a carry of P - 1 at
//! most, which covers all records that were made before: those made later find the entry, or add themselves to it. So a
//! count is never too low, and by less than P too high. (`crate::ledger::promotion` has the steps, `crate::ledger::demotion` those back.)
//!
//! Where thresholds change, records may judge by different levels for a while. The carry then covers the greatest that was in
//! force as long as cells hold anything of that time; and an entry is *fresh* until the thread that inserted it has looked at
//! the cells once more: records that find it so go to both.

use crate::error::OutOfMemory;
use crate::filter::word::SubWindow;
use crate::filter::{Filter, held_seconds};
use crate::key::Key;
use crate::key::synthetic::is_synthetic;
use crate::ledger::recent_warnings::RecentWarnings;
use crate::ledger::settings::FilterSettings;
use crate::ledger::visit::Visit;
use crate::map::PartitionMap;
use crate::partition::past::most_bytes;
use crate::sys::budget::{Budget, Room};
use crate::sys::clock::Moment;
use crate::sys::lock::{Lock, Locked};
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};
use crossbeam_epoch::Guard;
use std::sync::Arc;

/// The highest level: three lanes of a cell tell it, and one that is full says more.
const LEVEL_MAX: u64 = 1 << 15;
/// No promotion carries over more: with an amount on top it is not over what a slot holds.
pub(crate) const CARRIED_MOST: u32 = 1 << 29;
/// Thresholds are compared as if they were no higher, which is far over what has the highest level.
const THRESHOLD_MOST: u64 = 1 << 40;
/// The directory's words of one entry, at most: it is no longer than twice as many as entries, and its levels as long again.
const DIRECTORY_BYTES: u64 = 64;

pub(crate) struct Filtering {
    pub(crate) filter: Filter,
    pub(crate) budget: Arc<Budget>,
    permille: u32,
    window: u32,
    /// Bytes of cells and ledger, which the budget has lent.
    fixed: u64,
    /// Bytes that an entry takes of the budget, besides segments: that of a partition, and one with a synthetic key.
    entry_bytes: [u64; 2],
    /// The last warnings about those that were kept out.
    pub(crate) recent_warnings: RecentWarnings,
    /// Until when the cells hold something of a partition that was kept out, and of a synthetic key; stamps of moments. Apart, so
    /// that throttles stay exact where all of them had room.
    kept_out_until: [AtomicU64; 2],
    /// Held while thresholds are set: what was in force is remembered by one thread after another.
    setting: Lock<()>,
}

impl Filtering {
    /// One for a ledger of so many bytes.
    pub(crate) fn try_new(
        settings: &FilterSettings,
        window: u32,
        ledger: usize,
    ) -> Result<Self, OutOfMemory> {
        let fixed = Filter::bytes(settings.row) + ledger as u64;
        let filter = Filter::try_new(settings.row, window)?;
        settings.budget.take(fixed);
        Ok(Self {
            filter,
            budget: Arc::clone(&settings.budget),
            permille: settings.promote_permille,
            window,
            fixed,
            entry_bytes: [true, false].map(|is_armed| most_bytes(window, is_armed) + DIRECTORY_BYTES),
            recent_warnings: RecentWarnings::new(),
            kept_out_until: [0, 0].map(AtomicU64::new),
            setting: Lock::new(()),
        })
    }

    /// The level of a partition that nothing calls hot under this threshold.
    #[inline(always)]
    pub(crate) fn level(&self, threshold: u64) -> u32 {
        let share = threshold.min(THRESHOLD_MOST) * u64::from(self.permille) / 1_000;
        share.clamp(1, LEVEL_MAX) as u32
    }

    /// Whether a bound is under the level of this threshold: as a comparison with [`Filtering::level`], without its division. No
    /// bound of a record is 0.
    #[inline(always)]
    pub(crate) fn is_under_level(&self, bound: u32, threshold: u64) -> bool {
        let share = threshold.min(THRESHOLD_MOST) * u64::from(self.permille);
        u64::from(bound) < LEVEL_MAX && (u64::from(bound) + 1) * 1_000 <= share
    }

    /// Since which second the cells hold something.
    pub(crate) fn remembered_from(&self, now: Moment) -> u32 {
        now.second().saturating_sub(held_seconds(self.window))
    }

    /// Returns the most that a promotion carries over, where no record has judged by a greater level than this.
    pub(crate) fn most_carried(&self, greatest: u32, now: Moment) -> u32 {
        // It may have had any number of records where it was kept out, and be hot long since.
        if self.has_kept_out(false, now) { CARRIED_MOST } else { greatest - 1 }
    }

    /// This key is kept out at this moment.
    pub(crate) fn keep_out(&self, key: Key<'_>, now: Moment) {
        let until = now.us() + u64::from(held_seconds(self.window)) * 1_000_000;
        let kept_out_until = &self.kept_out_until[usize::from(is_synthetic(key))];
        kept_out_until.fetch_max(Moment::from_us(until).stamp(), AcqRel);
    }

    /// Whether the cells may hold something of a partition that was kept out, or of a synthetic key.
    pub(crate) fn has_kept_out(&self, synthetic: bool, now: Moment) -> bool {
        let until = self.kept_out_until[usize::from(synthetic)].load(Acquire);
        until != 0 && now.stamp() <= until
    }

    /// Comes before or after each call that keeps this key out: such a call sees what was done before this one, or what it has
    /// done is seen after it.
    pub(crate) fn meet_kept_out(&self, key: Key<'_>) {
        self.kept_out_until[usize::from(is_synthetic(key))].fetch_max(0, AcqRel);
    }

    /// How many bytes an entry of this key takes of the budget, besides segments.
    pub(crate) fn entry_bytes(&self, key: Key<'_>) -> u64 {
        self.entry_bytes[usize::from(is_synthetic(key))]
    }

    /// Takes what an entry of this key needs, and keeps room for what its insert may add to the map, and for a reclaim after it.
    /// `None`: there is no room.
    pub(crate) fn try_take_entry(&self, partitions: &PartitionMap, key: Key<'_>) -> Option<Room<'_>> {
        let room = self.budget.room(partitions.insert_bytes(key.table.len() + key.pk.len()))?;
        self.budget.try_take(self.entry_bytes(key)).then_some(room)
    }

    /// Gives back what so many partitions, and entries with synthetic keys, had taken, once all who are pinned now are gone.
    pub(crate) fn give_back_later(&self, entries: [u64; 2], guard: &Guard) {
        let bytes = entries[0] * self.entry_bytes[0] + entries[1] * self.entry_bytes[1];
        self.budget.give_back_later(bytes, guard);
    }

    /// Waits until no other thread sets thresholds. `None`: this is a forked child, whose parent may have been setting some; then it
    /// goes without.
    pub(crate) fn set_alone(&self) -> Option<Locked<'_, ()>> {
        self.setting.lock_here()
    }

    /// The sub-window of a moment.
    #[inline(always)]
    pub(crate) fn at(&self, now: Moment) -> SubWindow {
        self.filter.sub_window(now.second())
    }

    /// Reads the clock.
    pub(crate) fn now<'v>(&'v self, visit: Visit<'v>) -> impl Fn() -> SubWindow + Copy + use<'v> {
        move || self.at(visit.clock.now())
    }
}

impl Drop for Filtering {
    fn drop(&mut self) {
        self.budget.give_back(self.fixed);
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
