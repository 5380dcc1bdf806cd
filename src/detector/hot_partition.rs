//! A hot partition, as a list has it.

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
    /// The count; in capacity mode, like `demand`, `peak` and `carried`, in half units.
    pub count: u64,
    /// Throttled attempts for its key range.
    pub throttles: u64,
    /// The count and, for each throttle, one operation or unit more. So a key that is throttled to
    /// silence is still hot.
    pub demand: u64,
    /// The fullest second in the window.
    pub peak: u64,
    /// The most of `demand`, and of `count`, that may belong to other partitions or be older than
    /// the window; 0 if both are exact, which they always are without
    /// [`Builder::memory`](crate::Builder::memory). It is over `count` only where there was no room
    /// to count throttles exactly.
    pub carried: u64,
    /// The share of DynamoDB's limit for a partition that the fullest second had, in thousandths;
    /// at least 1,000 if DynamoDB throttled the partition for its key range.
    pub utilisation_permille: u32,
}
