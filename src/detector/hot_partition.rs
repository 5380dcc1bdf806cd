//! A hot partition, as a list shows it.

use crate::operation::Operation;

/// A partition in a snapshot, and what it had of one operation in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HotPartition {
    /// The table.
    pub table: Vec<u8>,
    /// The partition-key value.
    pub pk: Vec<u8>,
    /// The operation that is counted.
    pub operation: Operation,
    /// The count; in capacity mode, like the rest, in half units.
    pub count: u64,
    /// Throttles for its key range.
    pub throttles: u64,
    /// The count and, for each throttle, one operation or unit more: a key that is throttled to silence is still hot.
    pub demand: u64,
    /// The fullest second.
    pub peak: u64,
    /// At most so much of `demand` may be other partitions', or older than the window, and no more of `count`; 0: both are
    /// exact. It is never more than 0 without [`Builder::memory`](crate::Builder::memory). It is over `count` only where there
    /// was no room to count throttles exactly.
    pub carried: u64,
    /// The share of DynamoDB's limit for a partition that this second had, in thousandths; 1,000 at least if DynamoDB throttled
    /// the partition for its key range.
    pub utilisation_permille: u32,
}
