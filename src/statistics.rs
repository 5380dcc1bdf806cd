//! Statistics: the numbers that a detector tells about itself.

/// Numbers about a detector since it was made. Clearing it does not reset them.
///
/// `records`, `partitions` and `bytes` are exact while no record is under way. The other numbers
/// count what has been done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statistics {
    /// The number of records made.
    pub records: u64,
    /// The partitions that are tracked now.
    pub partitions: u64,
    /// The bytes that are held now for partitions, throttles, thresholds and the detector itself,
    /// without key schemas. They are what was asked of the allocator, without the allocator's own
    /// bytes and without memory that waits to be freed.
    pub bytes: u64,
    /// The idle partitions whose memory was given back.
    pub reclaimed: u64,
    /// The partitions that were not idle, and lost their counts to a new one at the bound of
    /// `max_partitions`.
    pub replaced: u64,
    /// The partitions, idle or not, that clearing forgot.
    pub cleared: u64,
    /// The warnings given.
    pub warnings: u64,
    /// The hot records that gave no warning.
    pub suppressed: u64,
    /// The callbacks that panicked.
    pub callback_panics: u64,
    /// The throttles recorded for each reason, in the order of [`Reason::ALL`](crate::Reason::ALL).
    pub throttles: [u64; 5],
    /// The amounts that no partition was charged with, in the order of
    /// [`Unattributed::ALL`](crate::Unattributed::ALL) without its last, which is `unread`.
    /// Capacity is in half units.
    pub unattributed: [u64; 5],
    /// The capacity that was estimated because no response told it, in half units.
    pub estimated_half_units: u64,
    /// The observed requests whose operation is not known.
    pub unknown_operations: u64,
    /// The partitions that came to be counted exactly. This number and the next three are of
    /// bounded counting ([`Builder::memory`](crate::Builder::memory)), and 0 without it.
    pub promoted: u64,
    /// The partitions that ceased to be counted exactly, as they had become quiet.
    pub demoted: u64,
    /// The records of partitions that were due to be counted exactly and were not, for want of
    /// memory.
    pub kept_out: u64,
    /// The load of the filter: the mean of its cells, in thousandths of the count from which a
    /// partition is counted exactly. Over 400 the memory is too small.
    pub filter_load_permille: u64,
    /// The statements, and parts of observed requests, that could not be read. Those whose table is
    /// not known are included.
    pub unread: u64,
}
