//! What a detector tells about itself.

use crate::sync::{AtomicU64, Relaxed};

/// Numbers about a detector since it was made. Clearing does not reset them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// Partitions tracked now. Exact while no record is under way.
    pub partitions: u64,
    /// Idle partitions whose memory was given back.
    pub reclaimed: u64,
    /// Partitions that were not idle and lost their counts to a new one at the bound.
    pub replaced: u64,
    /// Partitions, idle or not, that clearing forgot.
    pub cleared: u64,
    /// Callbacks that panicked.
    pub callback_panics: u64,
}

/// The running counts.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) reclaimed: AtomicU64,
    pub(crate) replaced: AtomicU64,
    pub(crate) cleared: AtomicU64,
    pub(crate) callback_panics: AtomicU64,
}

impl Tally {
    pub(crate) fn count(counter: &AtomicU64, n: u64) {
        counter.fetch_add(n, Relaxed);
    }

    pub(crate) fn read(&self, partitions: u64) -> Statistics {
        Statistics {
            partitions,
            reclaimed: self.reclaimed.load(Relaxed),
            replaced: self.replaced.load(Relaxed),
            cleared: self.cleared.load(Relaxed),
            callback_panics: self.callback_panics.load(Relaxed),
        }
    }
}
