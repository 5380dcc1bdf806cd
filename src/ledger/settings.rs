//! Settings: the options that a detector was built with. They never change, and outlive every
//! clear.

use crate::error::OutOfMemory;
use crate::filter::Filter;
use crate::key::hash::Hashing;
use crate::key::redaction::Redaction;
use crate::ledger::cold::Cold;
use crate::partition::content::Timing;
use crate::policy::measure::Measure;
use crate::policy::rule::RateThresholds;
use crate::sys::budget::Budget;
use std::sync::Arc;

/// The settings of bounded counting.
#[derive(Debug)]
pub(crate) struct FilterSettings {
    /// The filter. Ledgers may outlive the detector for a while.
    pub(crate) cold: Arc<Cold>,
    /// The budget of the filter and all of a detector's ledgers together.
    pub(crate) budget: Arc<Budget>,
}

impl FilterSettings {
    /// Makes the settings for `bytes` in all. A quarter is for cells. The rest is for entries, each
    /// of which may come to take as much as fifty cells or more. An example: 1 MiB has two rows of
    /// 16,384 cells, which take 256 KiB.
    ///
    /// `kept` bytes are for ledgers alone. A partition is counted exactly from this share of its
    /// threshold on, in thousandths. `floors`: no threshold of the detector's own is under these.
    pub(crate) fn try_new(
        bytes: u64,
        kept: u64,
        promote_permille: u32,
        window: u32,
        floors: [u64; 2],
    ) -> Result<Self, OutOfMemory> {
        let cells = (bytes / 4 / Filter::bytes(1)).max(1);
        // A power of two, no more than that.
        let row = 1 << cells.ilog2().min(ROW_SHIFT_MAX);
        let cold = Arc::new(Cold::try_new(row, promote_permille, window, floors)?);
        let budget = Arc::new(Budget::new(bytes, kept));
        budget.take(cold.bytes());
        Ok(Self { cold, budget })
    }
}

/// The most cells of a row, as a power of two.
const ROW_SHIFT_MAX: u32 = 30;

/// The settings of one detector.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) hashing: Hashing,
    pub(crate) timing: Timing,
    /// The settings of bounded counting, if memory is bounded in bytes.
    pub(crate) filter: Option<FilterSettings>,
    /// The most partitions; 0: no bound.
    pub(crate) max_partitions: u64,
    /// The detector's own thresholds.
    pub(crate) thresholds: [u64; 2],
    pub(crate) rates: RateThresholds,
    /// The unit of the counts.
    pub(crate) measure: Measure,
    /// Lets a throttle for the key range warn by itself.
    pub(crate) warn_of_throttles: bool,
    /// The redaction of keys where they are not to be read.
    pub(crate) redaction: Option<Redaction>,
}

impl Settings {
    /// Returns for each operation a number that no rule of the detector's own is under.
    pub(crate) fn floors(&self) -> [u64; 2] {
        self.rates.floors(self.thresholds)
    }
}
