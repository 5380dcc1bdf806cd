//! The C ABI of throttles, of the hottest partitions and of statistics.
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::hottest::HotPartition;
use crate::ffi::boundary::{boundary, count, detector_of};
use crate::ffi::hottest::*;
use crate::ffi::status::*;
use crate::ffi::warning::no_warning;
use crate::key::Key;
use crate::key::synthetic::{Reason, Unattributed};
use crate::sys::memory::try_box;
use std::ffi::c_char;

pub(crate) fn reason(code: i32) -> Result<Reason, Refused> {
    usize::try_from(code).ok().and_then(|code| Reason::ALL.get(code)).copied().ok_or(INVALID)
}

/// Records that DynamoDB throttled one attempt at an operation (HPD_WRITE, HPD_READ) on a partition, and why
/// (HPD_THROTTLE_*). Returns the partition's throttles in the window for this operation and reason, with this one; they
/// are no part of its count. One for the key range is evidence of a hot partition, and warns if the detector was made
/// with HPD_FLAG_WARN_THROTTLES; the others are kept apart. Otherwise as hpd_record_write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_throttle(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
    operation_code: i32,
    reason_code: i32,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe {
        let (detector, table, pk) = (detector_of(detector)?, text(table, table_len)?, text(pk, pk_len)?);
        count(detector.record_throttle(table, pk, operation(operation_code)?, reason(reason_code)?))
    })
}

/// As hpd_record_throttle, but a due warning is written to *warning instead of calling back, as by hpd_record_full.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_throttle_full(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
    operation_code: i32,
    reason_code: i32,
    warning: *mut hpd_warning,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, table, pk, size) = unsafe {
            (detector_of(detector)?, text(table, table_len)?, text(pk, pk_len)?, struct_size(warning)?)
        };
        let (operation, reason) = (operation(operation_code)?, reason(reason_code)?);
        let (throttles, due) = detector.record_throttle_and_warn(table, pk, operation, reason)?;
        let due = due.unwrap_or_else(|| no_warning(Key { table, pk }, operation, detector));
        // SAFETY: the caller says that there is so much room.
        unsafe { write(warning, size, &hpd_warning::new(&due, size)) };
        count(Ok(throttles))
    })
}

/// Returns the partition's throttles in the window for an operation and a reason; otherwise as hpd_get_write_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_throttle_count(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
    operation_code: i32,
    reason_code: i32,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe {
        let (detector, table, pk) = (detector_of(detector)?, text(table, table_len)?, text(pk, pk_len)?);
        count(detector.throttle_count(table, pk, operation(operation_code)?, reason(reason_code)?))
    })
}

/// Returns what was tallied for a table, or an index, in the window because no partition could be charged with it
/// (HPD_UNATTRIBUTED_*); otherwise as hpd_get_write_count.
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
        let (detector, table) = (detector_of(detector)?, text(table, table_len)?);
        let what = usize::try_from(what).ok().and_then(|code| Unattributed::ALL.get(code));
        count(detector.unattributed_count(table, operation(operation_code)?, *what.ok_or(INVALID)?))
    })
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

/// # Safety
/// A non-null `hottest` came from `hpd_hottest_take` and has not been freed.
unsafe fn hottest_of<'a>(hottest: *const hpd_hottest) -> Result<&'a Vec<HotPartition>, Refused> {
    // SAFETY: as the caller promises.
    unsafe { hottest.cast::<Vec<HotPartition>>().as_ref() }.ok_or(NULL)
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

/// Writes numbers about the detector itself to *out, whose struct_size the caller has set; it becomes how much was filled
/// in. Takes time in proportion to the partitions tracked. Returns HPD_OK, HPD_ERR_NULL, or HPD_ERR_INVALID or
/// HPD_ERR_UNSUPPORTED as hpd_hottest_get.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_statistics(detector: *const hpd_detector, out: *mut hpd_statistics) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, size) = unsafe { (detector_of(detector)?, struct_size(out)?) };
        let whole = hpd_statistics::new(&detector.statistics(), size);
        // SAFETY: the caller says that there is so much room.
        unsafe { write(out, size, &whole) };
        Ok(HPD_OK)
    })
}
