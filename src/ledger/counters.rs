//! Counters: a detector's numbers about itself, as they run.
//!
//! Each is one atomic that calls add to, without an order among them: nothing is inferred from them
//! but what they tell. So a reading is of no single moment, and is exact while no call is under
//! way. Records are not here, but in [`crate::sys::record_counter`], as they come much more often.

use crate::reason::{Reason, Unattributed};
use crate::statistics::Statistics;
use crate::sys::sync::{AtomicU64, Relaxed};

/// A detector's running counts, as [`Statistics`] tells them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) reclaimed: AtomicU64,
    pub(crate) replaced: AtomicU64,
    pub(crate) cleared: AtomicU64,
    pub(crate) warnings: AtomicU64,
    pub(crate) suppressed: AtomicU64,
    pub(crate) callback_panics: AtomicU64,
    pub(crate) throttles: [AtomicU64; Reason::ALL.len()],
    pub(crate) unattributed: [AtomicU64; Unattributed::ALL.len()],
    pub(crate) estimated_half_units: AtomicU64,
    pub(crate) unknown_operations: AtomicU64,
    pub(crate) promoted: AtomicU64,
    pub(crate) demoted: AtomicU64,
    pub(crate) kept_out: AtomicU64,
    /// The time in ms from which the next notice may be given that the filter is too small.
    pub(crate) notice_due: AtomicU64,
    /// The value of `kept_out` at the last look.
    pub(crate) noticed_kept_out: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Relaxed);
    }

    pub(crate) fn get(counter: &AtomicU64) -> u64 {
        counter.load(Relaxed)
    }

    /// Reads all of them. The partitions and bytes there are now, and the filter's load, are not
    /// counted here: they stay 0.
    pub(crate) fn read(&self, records: u64) -> Statistics {
        let [unattributed @ .., unread] = self.unattributed.each_ref().map(Self::get);
        Statistics {
            records,
            partitions: 0,
            bytes: 0,
            reclaimed: Self::get(&self.reclaimed),
            replaced: Self::get(&self.replaced),
            cleared: Self::get(&self.cleared),
            warnings: Self::get(&self.warnings),
            suppressed: Self::get(&self.suppressed),
            callback_panics: Self::get(&self.callback_panics),
            throttles: self.throttles.each_ref().map(Self::get),
            unattributed,
            estimated_half_units: Self::get(&self.estimated_half_units),
            unknown_operations: Self::get(&self.unknown_operations),
            promoted: Self::get(&self.promoted),
            demoted: Self::get(&self.demoted),
            kept_out: Self::get(&self.kept_out),
            filter_load_permille: 0,
            unread,
        }
    }
}
