//! The C ABI's types and constants of throttles, of the hottest partitions and of statistics.
#![allow(non_camel_case_types)]

use crate::detector::hottest::HotPartition;
use crate::ffi::status::{HPD_READ, HPD_WRITE, NULL, Refused, Versioned, check_size, pointer};
use crate::operation::Operation;
use crate::statistics::Statistics;
use std::ffi::c_char;

/// A throttle's reason: the answer named none.
pub const HPD_THROTTLE_UNKNOWN: i32 = 0;
/// The partition's own limit: the one reason that is evidence of a hot partition.
pub const HPD_THROTTLE_KEY_RANGE: i32 = 1;
/// The provisioned throughput of the table or index.
pub const HPD_THROTTLE_PROVISIONED: i32 = 2;
/// The account's limit.
pub const HPD_THROTTLE_ACCOUNT_LIMIT: i32 = 3;
/// The most that an on-demand table or index was set to.
pub const HPD_THROTTLE_MAX_ON_DEMAND: i32 = 4;

/// Tallied by table: scans, and statements that pin no key.
pub const HPD_UNATTRIBUTED_SCANS: i32 = 0;
/// The capacity that those took, in half units.
pub const HPD_UNATTRIBUTED_SCAN_UNITS: i32 = 1;
/// Items of batches that DynamoDB returned unprocessed.
pub const HPD_UNATTRIBUTED_UNPROCESSED: i32 = 2;
/// Capacity of an index whose key value is not known, in half units.
pub const HPD_UNATTRIBUTED_INDEX_UNITS: i32 = 3;
/// Throttles of requests, or of indexes, of which no key is known.
pub const HPD_UNATTRIBUTED_THROTTLES: i32 = 4;

/// A snapshot of the hottest partitions. Made by hpd_hottest_take, read by hpd_hottest_get, freed by hpd_hottest_free.
/// It never changes, so any number of threads may read it at once.
pub struct hpd_hottest {
    _opaque: [u8; 0],
}

/// A partition in a snapshot, and what it had of one operation in the window.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_hot_partition {
    /// Set by the caller; then how many bytes of this struct the library has filled.
    pub struct_size: usize,
    /// The table; never NULL, not NUL-terminated.
    pub table: *const c_char,
    /// The table's length in bytes.
    pub table_len: usize,
    /// The partition-key value; never NULL, not NUL-terminated.
    pub pk: *const c_char,
    /// The key's length in bytes.
    pub pk_len: usize,
    /// HPD_WRITE or HPD_READ.
    pub operation: i32,
    /// What share of DynamoDB's limit for a partition its fullest second had, in thousandths; 1000 at least if DynamoDB
    /// throttled it for its key range.
    pub utilisation_permille: u32,
    /// The count; with HPD_FLAG_CAPACITY, like demand and peak, in half units.
    pub count: u64,
    /// Throttles for its key range.
    pub throttles: u64,
    /// The count and, for each throttle, one operation or unit more.
    pub demand: u64,
    /// The fullest second.
    pub peak: u64,
}

/// Numbers about a detector since it was made; hpd_clear does not reset them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_statistics {
    /// Set by the caller; then how many bytes of this struct the library has filled.
    pub struct_size: usize,
    /// Records made.
    pub records: u64,
    /// Partitions tracked now.
    pub partitions: u64,
    /// Bytes held now for them, for throttles and thresholds, and for the detector itself; without key schemas.
    pub bytes: u64,
    /// Idle partitions whose memory was given back.
    pub reclaimed: u64,
    /// Partitions that were not idle and lost their counts to a new one at max_partitions.
    pub replaced: u64,
    /// Partitions, idle or not, that hpd_clear forgot.
    pub cleared: u64,
    /// Warnings given.
    pub warnings: u64,
    /// Hot records that gave none.
    pub suppressed: u64,
    /// Throttles, by reason: throttles[HPD_THROTTLE_KEY_RANGE] are those for a key range.
    pub throttles: [u64; 5],
    /// What no partition was charged with: unattributed[HPD_UNATTRIBUTED_SCANS] are scans.
    pub unattributed: [u64; 5],
    /// Capacity that was estimated because no answer told it, in half units.
    pub estimated_half_units: u64,
    /// Observed requests of operations that this version does not know.
    pub unknown_operations: u64,
}

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_hot_partition {
    const FIRST_SIZE: usize = 80;
}
// SAFETY: integers.
unsafe impl Versioned for hpd_statistics {
    const FIRST_SIZE: usize = 168;
}

/// The size of a struct to be written, which its caller has put first, once it has been checked.
///
/// # Safety
/// A non-null `of` is valid for the bytes that it says it has.
pub(crate) unsafe fn struct_size<T: Versioned>(of: *const T) -> Result<usize, Refused> {
    if of.is_null() {
        return Err(NULL);
    }
    // SAFETY: as the caller promises; the size comes first in every version.
    unsafe {
        let size = of.cast::<usize>().read_unaligned();
        check_size(of, size)?;
        Ok(size)
    }
}

impl hpd_hot_partition {
    pub(crate) fn new(hot: &HotPartition, size: usize) -> Self {
        Self {
            struct_size: size_of::<Self>().min(size),
            table: pointer(&hot.table),
            table_len: hot.table.len(),
            pk: pointer(&hot.pk),
            pk_len: hot.pk.len(),
            operation: if hot.operation == Operation::Write { HPD_WRITE } else { HPD_READ },
            utilisation_permille: hot.utilisation_permille,
            count: hot.count,
            throttles: hot.throttles,
            demand: hot.demand,
            peak: hot.peak,
        }
    }
}

impl hpd_statistics {
    pub(crate) fn new(statistics: &Statistics, size: usize) -> Self {
        Self {
            struct_size: size_of::<Self>().min(size),
            records: statistics.records,
            partitions: statistics.partitions,
            bytes: statistics.bytes,
            reclaimed: statistics.reclaimed,
            replaced: statistics.replaced,
            cleared: statistics.cleared,
            warnings: statistics.warnings,
            suppressed: statistics.suppressed,
            throttles: statistics.throttles,
            unattributed: statistics.unattributed,
            estimated_half_units: statistics.estimated_half_units,
            unknown_operations: statistics.unknown_operations,
        }
    }
}
