//! What a detector tells about itself.

use crate::reason::{Reason, Unattributed};
use crate::sys::sync::{AtomicU64, Relaxed};

/// Numbers about a detector since it was made. Clearing does not reset them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Records made. Exact, like the next two, while no record is under way.
    pub records: u64,
    /// Partitions tracked now.
    pub partitions: u64,
    /// Bytes held now for them, for throttles and thresholds, and for the detector itself, without key schemas: what
    /// was asked of the allocator, without what it adds and what waits to be freed.
    pub bytes: u64,
    /// Idle partitions whose memory was given back.
    pub reclaimed: u64,
    /// Partitions that were not idle and lost their counts to a new one at the bound.
    pub replaced: u64,
    /// Partitions, idle or not, that clearing forgot.
    pub cleared: u64,
    /// Warnings given.
    pub warnings: u64,
    /// Hot records that gave none.
    pub suppressed: u64,
    /// Callbacks that panicked.
    pub callback_panics: u64,
    /// Throttles recorded, by reason: in the order of [`Reason::ALL`].
    pub throttles: [u64; 5],
    /// What no partition was charged with: in the order of [`Unattributed::ALL`].
    pub unattributed: [u64; 5],
    /// Capacity that was estimated because no response told it, in half units.
    pub estimated_half_units: u64,
    /// Observed requests of operations that are not known.
    pub unknown_operations: u64,
}

/// The running counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
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
}

impl Tally {
    pub(crate) fn count(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Relaxed);
    }

    pub(crate) fn of(counter: &AtomicU64) -> u64 {
        counter.load(Relaxed)
    }

    pub(crate) fn read(&self, records: u64) -> Statistics {
        Statistics {
            records,
            partitions: 0,
            bytes: 0,
            reclaimed: Self::of(&self.reclaimed),
            replaced: Self::of(&self.replaced),
            cleared: Self::of(&self.cleared),
            warnings: Self::of(&self.warnings),
            suppressed: Self::of(&self.suppressed),
            callback_panics: Self::of(&self.callback_panics),
            throttles: self.throttles.each_ref().map(Self::of),
            unattributed: self.unattributed.each_ref().map(Self::of),
            estimated_half_units: Self::of(&self.estimated_half_units),
            unknown_operations: Self::of(&self.unknown_operations),
        }
    }
}
