//! The rule that a count meets, by the thresholds in force.
//!
//! A partition is hot by the first of these that is met:
//!
//! 1. a rate: what one second or five seconds had, against the detector's own thresholds for them;
//! 2. the window's count, against the threshold of the record's model if it has one, else of its
//!    table, else the detector's own.
//!
//! A rate needs a look at the partition. It is taken only if the window's count has reached the
//! lowest threshold of a rate, as no second has more than the window.
//!
//! An example: thresholds of 500 in the window and of 50 in one second, and a record that finds a
//! count of 80. 80 is not under 50, so the partition is looked at. If the current second has 52,
//! that is the breach; if it has 30, there is none, as 80 is under 500.

use crate::error::{Cleared, Refusal};
use crate::key::Key;
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::series::Recent;
use crate::partition::slot::COUNT_MOST;
use crate::policy::rule::{Breach, Rule};
use crate::policy::thresholds::Scope;

impl Ledger {
    /// Returns the rule that is met by a partition in which this record has found `count`, if one
    /// is. `lacking` is the part of the count that its entry does not have. [`Refusal::Memory`]:
    /// the window's rule is not met, and whether a rate is can't be told without memory.
    pub(crate) fn breach<'g>(
        &self,
        partition: Partition<'g>,
        count: u64,
        lacking: u64,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Option<Breach>, Refusal> {
        let Posting { key, hash, operation, .. } = *posting;
        let Visit { settings, now, guard, .. } = visit;
        let window = visit.window();
        let mut unjudged = false;
        if count >= settings.rates.floor(operation) {
            let recent = |found: Partition<'g>| found.series(operation, window, guard).recent(now.second());
            let elsewhere = || self.look(key, hash, visit, recent);
            let recent = recent(partition).map_or_else(elsewhere, |recent| Ok(Some(recent)));
            let judged = |recent: Recent| {
                let Recent { second, sustained } = recent;
                let all = Recent { second: second + lacking, sustained: sustained + lacking };
                settings.rates.breach(operation, all)
            };
            match recent.map(|recent| recent.and_then(judged)) {
                Ok(None) => {}
                // The window's rule asks for no memory, as it needs no look at the partition.
                Err(Refusal::Memory) => unjudged = true,
                breach => return breach,
            }
        }
        match self.reached(count, posting, visit)? {
            Some(threshold) => Ok(Some(Breach { rule: Rule::Window, count, threshold, seconds: window })),
            None if unjudged => Err(Refusal::Memory),
            None => Ok(None),
        }
    }

    /// Returns the rule that a bound meets, of a partition without an entry. All of the bound may
    /// have come in this second.
    pub(crate) fn breach_of_bound(
        &self,
        count: u64,
        posting: &Posting<'_>,
        visit: Visit<'_>,
    ) -> Result<Option<Breach>, Cleared> {
        let recent = Recent { second: count, sustained: count };
        if let Some(breach) = visit.settings.rates.breach(posting.operation, recent) {
            return Ok(Some(breach));
        }
        let threshold = self.reached(count, posting, visit)?;
        Ok(threshold.map(|threshold| Breach {
            rule: Rule::Window,
            count,
            threshold,
            seconds: visit.window(),
        }))
    }

    /// Returns the threshold that `count` has reached, if it has: the model's, else the table's,
    /// else the detector's own.
    #[inline(always)] // In the one way of hot records.
    pub(crate) fn reached(
        &self,
        count: u64,
        posting: &Posting<'_>,
        visit: Visit<'_>,
    ) -> Result<Option<u64>, Cleared> {
        let operation = posting.operation;
        if count < self.overrides.floor(operation) {
            return Ok(None);
        }
        let mut threshold = None;
        for (scope, name) in [(Scope::Model, posting.model), (Scope::Table, Some(posting.key.table))] {
            if let (None, Some(name)) = (threshold, name) {
                threshold =
                    self.overrides.get(scope, name, &visit.settings.hashing, visit.guard)?.of(operation);
            }
        }
        Ok(Some(threshold.unwrap_or(visit.settings.thresholds[operation.index()]))
            .filter(|&threshold| count >= threshold))
    }

    /// Returns the count that a full lane is taken for, as it does not tell how much it had: enough
    /// to be hot.
    ///
    /// There are three thresholds: the table's, the lowest of the rates, and the least of all. It
    /// is the greatest of those that a count can reach or, if it can reach none, the highest count.
    pub(crate) fn full_count(
        &self,
        key: Key<'_>,
        operation: Operation,
        visit: Visit<'_>,
    ) -> Result<u64, Cleared> {
        let Visit { settings, guard, .. } = visit;
        let of_table = self.overrides.get(Scope::Table, key.table, &settings.hashing, guard)?;
        let of_table = of_table.of(operation).unwrap_or(settings.thresholds[operation.index()]);
        let least = self.least_threshold(key, operation, visit)?;
        let all = [of_table, settings.rates.floor(operation), least].into_iter();
        Ok(all.filter(|&threshold| threshold <= COUNT_MOST).max().unwrap_or(COUNT_MOST))
    }

    /// Returns the least amount at which any rule in force could call a partition hot.
    pub(crate) fn least_threshold(
        &self,
        key: Key<'_>,
        operation: Operation,
        visit: Visit<'_>,
    ) -> Result<u64, Cleared> {
        let own = visit.settings.thresholds[operation.index()];
        let least = self.overrides.least(key.table, operation, own, &visit.settings.hashing, visit.guard)?;
        Ok(least.min(visit.settings.rates.floor(operation)))
    }
}
