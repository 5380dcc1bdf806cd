//! The C ABI of the hottest partitions.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::hottest::HotPartition;
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::record::{HPD_READ, HPD_WRITE};
use crate::ffi::status::*;
use crate::operation::Operation;
use std::ffi::c_char;

/// A snapshot of the hottest partitions. Made by hpd_hottest_take, read by hpd_hottest_get, freed by hpd_hottest_free.
/// It never changes, so any number of threads may read it at once.
pub struct hpd_hottest {
    _opaque: [u8; 0],
}

impl Opaque for hpd_hottest {
    type Rust = Vec<HotPartition>;
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

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_hot_partition {
    const FIRST_SIZE: usize = 80;
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

/// Takes a snapshot of the n partitions with the most demand for an operation in the window, the most first. Others
/// record meanwhile: each partition is as it was at some moment of the call. Takes time in proportion to the partitions
/// tracked. *out is then freed by hpd_hottest_free; on failure it is untouched. Returns HPD_OK, HPD_ERR_NULL,
/// HPD_ERR_INVALID (operation) or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_take(
    detector: *const hpd_detector,
    operation_code: i32,
    n: usize,
    out: *mut *mut hpd_hottest,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(out)?) };
        hpd_hottest::give(detector.hottest(operation(operation_code)?, n)?, out)
    })
}

/// How many partitions a snapshot has: at most as many as were asked for. HPD_ERR_NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_len(hottest: *const hpd_hottest) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { Ok(hpd_hottest::as_ref(hottest)?.len() as i64) })
}

/// Writes what a snapshot has at place i, from 0, to *out, whose struct_size the caller has set; it becomes how much was
/// filled in. Texts are the snapshot's. Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID for a place that it does not have or a
/// struct that is too small, or HPD_ERR_UNSUPPORTED for one that is larger and not zero there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_get(
    hottest: *const hpd_hottest,
    i: usize,
    out: *mut hpd_hot_partition,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (hottest, out) = unsafe { (hpd_hottest::as_ref(hottest)?, Room::new(out)?) };
        let hot = hottest.get(i).ok_or(INVALID)?;
        out.fill(|size| hpd_hot_partition::new(hot, size));
        Ok(HPD_OK)
    })
}

/// Frees a snapshot; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_free(hottest: *mut hpd_hottest) {
    // SAFETY: as the caller promises.
    unsafe { hpd_hottest::free(hottest) }
}
