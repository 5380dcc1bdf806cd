//! Settings: the options that a detector was built with. They never change.

use crate::key::hash::Hashing;
use crate::key::redaction::Redaction;
use crate::operation::Operation;
use crate::partition::Timing;
use crate::policy::measure::Measure;
use crate::policy::rule::RateThresholds;

/// The settings of one detector.
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
}

impl Settings {
    /// For each operation a number that no rule of the detector's own is under.
    pub(crate) fn floors(&self) -> [u64; 2] {
        Operation::ALL.map(|operation| self.thresholds[operation.index()].min(self.rates.floor(operation)))
    }
}
