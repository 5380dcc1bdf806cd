//! What a detector was built with, and its running counts.

use crate::key::hash::Hashing;
use crate::key::redaction::Redaction;
use crate::ledger::counters::Counters;
use crate::map::ReplaceContext;
use crate::operation::Operation;
use crate::partition::Timing;
use crate::policy::measure::Measure;
use crate::policy::rule::RateThresholds;
use crate::sys::clock::Moment;
use crate::sys::sync::AtomicU64;

/// What the operations of one detector have in common.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) hashing: Hashing,
    pub(crate) timing: Timing,
    /// 0: no bound.
    pub(crate) max_partitions: u64,
    /// The detector's own thresholds.
    pub(crate) thresholds: [u64; 2],
    pub(crate) rates: RateThresholds,
    /// How counts are measured.
    pub(crate) measure: Measure,
    /// Whether a throttle for the key range warns.
    pub(crate) warn_of_throttles: bool,
    /// How keys are written where they are not to be read.
    pub(crate) redaction: Option<Redaction>,
    pub(crate) counters: Counters,
    /// How many ledgers there have been.
    pub(crate) ledgers: AtomicU64,
}

impl Settings {
    /// For each operation a number that no rule of the detector's own is under.
    pub(crate) fn floors(&self) -> [u64; 2] {
        Operation::ALL.map(|operation| self.thresholds[operation.index()].min(self.rates.floor(operation)))
    }

    /// For a segment that is replaced at this moment.
    pub(crate) fn replace_context(&self, now: Moment) -> ReplaceContext<'_> {
        let reclaimed = &self.counters.reclaimed;
        ReplaceContext { now, timing: self.timing, reclaimed, to_come: 0 }
    }
}
