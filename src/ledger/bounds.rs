//! Bounds: the least and the most that a count can be where there is a filter, and how changes of
//! thresholds bear on them.
//!
//! | a key has | least | most |
//! |---|---|---|
//! | an entry | its count, less what was carried over | its count |
//! | a fresh entry | the same | its count, or the cells' bound if that is more |
//! | a fresh entry, as a synthetic key | the same | its count and the cells' bound together |
//! | no entry | 0 | the cells' bound |
//!
//! An example: an entry of 500 with a carry of 124 has 376 to 500. A key without an entry, with 140
//! and 118 in its cells, has 0 to 118.
//!
//! **Invariant.** `least <= exact <= most` for every key, at every moment (promise 10).
//!
//! **Proof.** `src/models/filtering.rs`; `tests/bounded`, against an exact oracle.

use crate::error::{Cleared, Refusal};
use crate::filter;
use crate::key::Key;
use crate::key::hash::Hash;
use crate::key::synthetic::is_synthetic;
use crate::ledger::Ledger;
use crate::ledger::filtering::Filtering;
use crate::ledger::visit::Visit;
use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::slot::COUNT_MOST;
use crate::policy::override_list::Setting;
use crate::policy::thresholds::{Scope, Thresholds};

/// The most that partitions without an entry can have.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hidden {
    /// The most of one that is not kept out: less than its level.
    pub(crate) cold: u64,
    /// The most of one that is kept out; 0 if none is.
    pub(crate) kept_out: u64,
}

impl Ledger {
    /// Returns the least and the most that a partition's count of an operation can be.
    pub(crate) fn bounds(
        &self,
        key: Key<'_>,
        operation: Operation,
        visit: Visit<'_>,
    ) -> Result<(u64, u64), Refusal> {
        let hash = visit.settings.hashing.key(key);
        let read = |found: Partition<'_>| {
            // A fresh entry lacks what the cells have got since. Asked first, as it may be settled
            // meanwhile.
            let is_fresh = found.is_fresh();
            let most = found.series(operation, visit.window(), visit.guard).count(visit.now.second())?;
            let carried = found
                .alarm_if_any(visit.guard)
                .map_or(Some(0), |alarm| alarm.carried(operation, visit.now.second(), visit.window() + 1));
            Some((most, carried.map_or(0, |carried| most.saturating_sub(carried.into())), is_fresh))
        };
        Ok(match self.look(key, hash, visit, read)? {
            Some((most, least, false)) => (least, most),
            // A synthetic key's records are in its cells only if it was kept out, and are not in
            // its entry then.
            Some((most, least, true)) if is_synthetic(key) => {
                (least, most.saturating_add(self.bound(key, hash, operation, visit)?))
            }
            Some((most, least, true)) => (least, most.max(self.bound(key, hash, operation, visit)?)),
            None => (0, self.bound(key, hash, operation, visit)?),
        })
    }

    /// Returns the most that a key can have in the cells.
    pub(crate) fn bound(
        &self,
        key: Key<'_>,
        hash: Hash,
        operation: Operation,
        visit: Visit<'_>,
    ) -> Result<u64, Cleared> {
        let Some(filtering) = &self.filtering else { return Ok(0) };
        if is_synthetic(key) && !filtering.has_kept_out(true, visit.now) {
            return Ok(0);
        }
        let bound =
            filtering.pair(hash, operation).bound(filtering.at(visit.now), filtering.now(visit.clock));
        Ok(filter::count(bound, self.full_count(key, operation, visit)?))
    }

    /// Sets an override. Records may judge by the old level and the new for a while: see
    /// [`crate::ledger::filtering`]. Where there is a filter, one thread sets at a time: of two at
    /// once, each could remember what was in force before the other's change, and neither what was
    /// between.
    pub(crate) fn set_override(
        &self,
        scope: Scope,
        name: &[u8],
        thresholds: Thresholds,
        visit: Visit<'_>,
    ) -> Result<(), Refusal> {
        let Visit { settings, guard, .. } = visit;
        let alone = self.filtering.as_ref().and_then(Filtering::set_alone);
        // Read once the lock is held: what another thread has set meanwhile was in force until now.
        let setting = self.setting(visit.renewed());
        // Lowered before and after, as the floors are: this process may be forked in between.
        let set_levels = |floor: &dyn Fn(Operation) -> u64, only_lower| {
            if let Some(filtering) = &self.filtering {
                let levels = Operation::ALL.map(|operation| filtering.level(floor(operation)));
                filtering.cold.set_levels(filtering.generation, levels, only_lower);
            }
        };
        set_levels(&|operation| thresholds.of(operation).unwrap_or(u64::MAX), true);
        let set = self.overrides.set(scope, name, thresholds, setting, &settings.hashing, guard);
        set_levels(&|operation| self.overrides.floor(operation), alone.is_none());
        set?;
        if self.filtering.is_some() {
            // Records have judged by the old one until now. Without memory more is remembered than
            // need be.
            let finished = self.setting(visit.renewed());
            let _ = self.overrides.finish(scope, name, finished, &settings.hashing, guard);
        }
        Ok(())
    }

    /// Returns the moment of a change, and since when it is remembered what was in force.
    fn setting(&self, visit: Visit<'_>) -> Setting {
        let oldest = self.filtering.as_ref().map(|filtering| filtering.remembered_from(visit.now));
        Setting { now: visit.now.second(), oldest, own: visit.settings.thresholds }
    }

    /// Returns the greatest level by which any record that the cells still hold may have judged.
    /// `level` is that of now.
    pub(crate) fn greatest_level(
        &self,
        filtering: &Filtering,
        key: Key<'_>,
        operation: Operation,
        level: u32,
        visit: Visit<'_>,
    ) -> Result<u32, Cleared> {
        let Visit { settings, guard, .. } = visit;
        let setting = self.setting(visit);
        let greatest = self.overrides.greatest(key.table, operation, setting, &settings.hashing, guard)?;
        Ok(level.max(filtering.level(greatest.min(settings.rates.floor(operation)))))
    }

    /// Returns the greatest level of any table, in force or remembered; 0 without a filter.
    pub(crate) fn greatest_level_of_all(
        &self,
        operation: Operation,
        visit: Visit<'_>,
    ) -> Result<u32, Cleared> {
        let Some(filtering) = &self.filtering else { return Ok(0) };
        let greatest = self.overrides.greatest_of_all(operation, self.setting(visit), visit.guard)?;
        Ok(filtering.level(greatest.min(visit.settings.rates.floor(operation))))
    }

    /// Returns the most of an operation that partitions without an entry can have; zeros without a
    /// filter.
    pub(crate) fn hidden_most(&self, operation: Operation, visit: Visit<'_>) -> Result<Hidden, Cleared> {
        let Some(filtering) = &self.filtering else { return Ok(Hidden::default()) };
        let level = self.greatest_level_of_all(operation, visit)?;
        let kept_out = if [false, true].iter().any(|&each| filtering.has_kept_out(each, visit.now)) {
            // A full lane does not tell how much it had.
            let most = filtering.cold.filter.most(filtering.now(visit.clock));
            if filtering.is_over() {
                // The cells were looked at for the next ledger.
                return Err(Cleared);
            }
            filter::count(most, COUNT_MOST)
        } else {
            0
        };
        Ok(Hidden { cold: u64::from(level) - 1, kept_out })
    }

    /// Returns the mean of the filter's cells, in thousandths of the lowest level.
    pub(crate) fn filter_load_permille(&self, visit: Visit<'_>) -> u64 {
        let Some(filtering) = &self.filtering else { return 0 };
        let floors = Operation::ALL.map(|operation| self.overrides.floor(operation));
        let level = filtering.level(floors[0].min(floors[1]));
        (filtering.cold.filter.mean(filtering.now(visit.clock)) * 1_000.0 / f64::from(level)) as u64
    }
}
