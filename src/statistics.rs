//! Statistics: the numbers that a detector tells about itself.

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
    /// Throttles recorded, by reason: in the order of [`Reason::ALL`](crate::Reason::ALL).
    pub throttles: [u64; 5],
    /// Amounts that no partition was charged with: in the order of
    /// [`Unattributed::ALL`](crate::Unattributed::ALL), but for its last, which is `unread`.
    pub unattributed: [u64; 5],
    /// Capacity that was estimated because no response told it, in half units.
    pub estimated_half_units: u64,
    /// Observed requests of operations that are not known.
    pub unknown_operations: u64,
    /// Partitions that came to be counted exactly. This and the next three are of bounded counting
    /// ([`Builder::memory`](crate::Builder::memory)), and 0 without it.
    pub promoted: u64,
    /// Partitions that ceased to be counted exactly, as they had become quiet.
    pub demoted: u64,
    /// Records of partitions that were due to be counted exactly and were not, for want of room.
    pub kept_out: u64,
    /// How full the filter is: the mean of its cells, in thousandths of the count from which a partition is counted
    /// exactly. From 400 on it is too small.
    pub filter_load_permille: u64,
    /// Statements, and parts of observed requests, that could not be read, those included whose
    /// table is not known.
    pub unread: u64,
}
