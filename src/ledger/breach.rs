//! Which rule a count meets, by the thresholds in force.

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
    /// The rule that is met by a partition of which this record has found `count`, if one is: a rate, or the threshold of
    /// the window. So much of the count is `lacking` in its entry. [`Refusal::Memory`]: the latter is not met, and without memory nobody can tell of the former.
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

    /// The rule that a bound meets, of a partition without an entry: all of it may have come in this second.
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

    /// The threshold that `count` has reached, if it has: the model's, else the table's, else the
    /// detector's own.
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

    /// Returns what a partition's count reads as of which nobody knows how much it has, but that it is much: the threshold of its
    /// table or of a rate, whichever is greater, of those that a count can reach; or as much as a count can be, if none can.
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

    /// The least amount at which any rule in force could call a partition hot.
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
