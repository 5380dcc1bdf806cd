//! The C ABI of statistics, and of tallies that no partition could be charged with.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Output, Table};
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::operation::*;
use crate::ffi::status::*;
use crate::reason::Unattributed;
use crate::statistics::Statistics;
use std::ffi::c_char;

/// A tally of a table or index: scans, and statements that name no partition key.
pub const HPD_UNATTRIBUTED_SCANS: i32 = 0;
/// The capacity that those scans and statements took, in half units.
pub const HPD_UNATTRIBUTED_SCAN_UNITS: i32 = 1;
/// Items of batches that DynamoDB returned unprocessed.
pub const HPD_UNATTRIBUTED_UNPROCESSED: i32 = 2;
/// Capacity of an index whose key value is not known, in half units.
pub const HPD_UNATTRIBUTED_INDEX_UNITS: i32 = 3;
/// Throttles of requests, or of indexes, of which no key is known.
pub const HPD_UNATTRIBUTED_THROTTLES: i32 = 4;
/// Statements, and parts of requests, that could not be read. Those whose table is not known are in
/// hpd_statistics.unread alone.
pub const HPD_UNATTRIBUTED_UNREAD: i32 = 5;

/// Numbers about a detector. partitions, bytes and filter_load_permille are of now. The others
/// count from when it was made, and hpd_clear does not reset them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_statistics {
    /// Set by the caller to sizeof(hpd_statistics); then the number of bytes of this struct that
    /// the library has filled.
    pub struct_size: usize,
    /// Records made.
    pub records: u64,
    /// Partitions tracked now; with filter_bytes, those that are counted exactly.
    pub partitions: u64,
    /// Bytes held now for partitions, throttles, thresholds and the filter, and for the detector
    /// itself. Key schemas, requests that wait for one, and kept warnings are not counted.
    pub bytes: u64,
    /// Idle partitions whose memory was given back.
    pub reclaimed: u64,
    /// Partitions that were not idle and lost their counts to a new one at max_partitions.
    pub replaced: u64,
    /// Partitions, idle or not, that hpd_clear forgot.
    pub cleared: u64,
    /// Warnings given.
    pub warnings: u64,
    /// Hot records that gave no warning.
    pub suppressed: u64,
    /// Throttles: one number for each HPD_THROTTLE_*, at that index.
    pub throttles: [u64; 5],
    /// Amounts charged to no partition: one number for each HPD_UNATTRIBUTED_*, at that index,
    /// except HPD_UNATTRIBUTED_UNREAD, whose number is unread.
    pub unattributed: [u64; 5],
    /// Capacity that was estimated because no answer told it, in half units.
    pub estimated_half_units: u64,
    /// Observed requests of operations that this version does not know.
    pub unknown_operations: u64,
    /// Partitions that came to be counted exactly. This and the next three are of bounded counting,
    /// and 0 without filter_bytes.
    pub promoted: u64,
    /// Partitions that ceased to be counted exactly, as they had become quiet.
    pub demoted: u64,
    /// Records of partitions that were due to be counted exactly and were not, for want of room.
    pub kept_out: u64,
    /// How full the filter is: the mean of its cells, in thousandths of the lowest count from which
    /// any partition is counted exactly. Over 400 the filter is too small: warnings become false.
    pub filter_load_permille: u64,
    /// Statements, and parts of observed requests, that could not be read.
    pub unread: u64,
}

// SAFETY: integers.
unsafe impl Versioned for hpd_statistics {
    const FIRST_SIZE: usize = 168;
}

impl hpd_statistics {
    /// Returns the statistics in C's form, for a caller whose struct has `size` bytes.
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
            promoted: statistics.promoted,
            demoted: statistics.demoted,
            kept_out: statistics.kept_out,
            filter_load_permille: statistics.filter_load_permille,
            unread: statistics.unread,
        }
    }
}

/// Writes numbers about the detector itself to *out. The caller has set its struct_size, which
/// becomes the number of bytes filled in. Takes time in proportion to the partitions tracked and to
/// filter_bytes. Returns HPD_OK, HPD_ERR_NULL, or HPD_ERR_INVALID or HPD_ERR_UNSUPPORTED for its
/// struct_size as hpd_hottest_get does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_statistics(detector: *const hpd_detector, out: *mut hpd_statistics) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Room::new(Output, out)?) };
        out.fill(|size| hpd_statistics::new(&detector.statistics(), size));
        Ok(HPD_OK)
    })
}

/// Returns a tally of a table or an index (TABLE/index/INDEX) in the window: work that no partition
/// could be charged with. operation_code is HPD_WRITE or HPD_READ, what is HPD_UNATTRIBUTED_*.
/// Otherwise as hpd_get_write_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_unattributed_count(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    operation_code: i32,
    what: i32,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe {
        let (detector, table) = (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?);
        let what = usize::try_from(what).ok().and_then(|code| Unattributed::ALL.get(code));
        let what = what.ok_or(Refused::invalid(Argument::What));
        count(detector.unattributed_count(table, operation(operation_code)?, *what?))
    })
}
