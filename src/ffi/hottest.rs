//! The C ABI of the hottest partitions.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::hottest::HotPartition;
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::record::{HPD_READ, HPD_WRITE};
use crate::ffi::status::*;
use crate::operation::Operation;
use crate::sys::memory::try_box;
use std::ffi::c_char;

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

/// # Safety
/// A non-null `hottest` came from `hpd_hottest_take` and has not been freed.
unsafe fn hottest_of<'a>(hottest: *const hpd_hottest) -> Result<&'a Vec<HotPartition>, Refused> {
    // SAFETY: as the caller promises.
    unsafe { hottest.cast::<Vec<HotPartition>>().as_ref() }.ok_or(NULL)
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
        let detector = unsafe { detector_of(detector)? };
        if out.is_null() {
            return Err(NULL);
        }
        let hottest =
            try_box(detector.hottest(operation(operation_code)?, n)?).map_err(crate::Error::from)?;
        // SAFETY: `out` is not null.
        unsafe { out.write(Box::into_raw(hottest).cast()) };
        Ok(HPD_OK)
    })
}

/// How many partitions a snapshot has: at most as many as were asked for. HPD_ERR_NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_len(hottest: *const hpd_hottest) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { Ok(hottest_of(hottest)?.len() as i64) })
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
        let hottest = unsafe { hottest_of(hottest)? };
        // SAFETY: as above.
        let size = unsafe { struct_size(out)? };
        let whole = hpd_hot_partition::new(hottest.get(i).ok_or(INVALID)?, size);
        // SAFETY: the caller says that there is so much room.
        unsafe { write(out, size, &whole) };
        Ok(HPD_OK)
    })
}

/// Frees a snapshot; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_free(hottest: *mut hpd_hottest) {
    boundary(|| {
        if !hottest.is_null() {
            // SAFETY: `hpd_hottest_take` made the pointer from a box of this type.
            drop(unsafe { Box::from_raw(hottest.cast::<Vec<HotPartition>>()) });
        }
        Ok(HPD_OK)
    });
}
