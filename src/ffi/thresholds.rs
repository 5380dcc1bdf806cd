//! The C ABI of thresholds.
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::ffi::boundary::{boundary, detector_of, text};
use crate::ffi::detector::hpd_detector;
use crate::ffi::status::*;
use crate::policy::thresholds::Thresholds;
use std::ffi::c_char;

/// A threshold: the next level decides.
pub const HPD_INHERIT: i64 = -1;

fn threshold(value: i64) -> Result<Option<u64>, Refused> {
    match value {
        HPD_INHERIT => Ok(None),
        value => u64::try_from(value).map(Some).map_err(|_| INVALID),
    }
}

fn thresholds(writes: i64, reads: i64) -> Result<Thresholds, Refused> {
    Ok(Thresholds { writes: threshold(writes)?, reads: threshold(reads)? })
}

/// # Safety
/// Non-null pointers are valid for a write.
unsafe fn write_thresholds(
    writes: *mut i64,
    reads: *mut i64,
    get: impl FnOnce() -> Result<Thresholds, Refused>,
) -> Result<i32, Refused> {
    if writes.is_null() || reads.is_null() {
        return Err(NULL);
    }
    let thresholds = get()?;
    let code =
        |threshold: Option<u64>| threshold.map_or(HPD_INHERIT, |n| i64::try_from(n).unwrap_or(i64::MAX));
    // SAFETY: neither is null.
    unsafe {
        writes.write(code(thresholds.writes));
        reads.write(code(thresholds.reads));
    }
    Ok(HPD_OK)
}

/// Sets the thresholds of one table, whose name must match to the byte: an override on T covers neither
/// T/index/I nor T's ARN. Each is 1 to INT64_MAX, or HPD_INHERIT; HPD_INHERIT for both removes the
/// override. Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_set_table_thresholds(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    writes: i64,
    reads: i64,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, table) = unsafe { (detector_of(detector)?, text(table, table_len)?) };
        detector.set_table_thresholds(table, thresholds(writes, reads)?)?;
        Ok(HPD_OK)
    })
}

/// Sets the thresholds of one model, for the records that name it; they win over the table's.
/// Otherwise as hpd_set_table_thresholds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_set_model_thresholds(
    detector: *const hpd_detector,
    model: *const c_char,
    model_len: usize,
    writes: i64,
    reads: i64,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, model) = unsafe { (detector_of(detector)?, text(model, model_len)?) };
        detector.set_model_thresholds(model, thresholds(writes, reads)?)?;
        Ok(HPD_OK)
    })
}

/// Reads back the override of a table; HPD_INHERIT for a side that is not set. Returns HPD_OK,
/// HPD_ERR_NULL or HPD_ERR_INVALID; after an error neither number is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_table_thresholds(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    writes: *mut i64,
    reads: *mut i64,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, table) = unsafe { (detector_of(detector)?, text(table, table_len)?) };
        // SAFETY: as the caller promises.
        unsafe { write_thresholds(writes, reads, || Ok(detector.table_thresholds(table)?)) }
    })
}

/// Reads back the override of a model; otherwise as hpd_get_table_thresholds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_model_thresholds(
    detector: *const hpd_detector,
    model: *const c_char,
    model_len: usize,
    writes: *mut i64,
    reads: *mut i64,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, model) = unsafe { (detector_of(detector)?, text(model, model_len)?) };
        // SAFETY: as the caller promises.
        unsafe { write_thresholds(writes, reads, || Ok(detector.model_thresholds(model)?)) }
    })
}

/// Reads back the detector's own thresholds. Returns HPD_OK or HPD_ERR_NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_thresholds(
    detector: *const hpd_detector,
    writes: *mut i64,
    reads: *mut i64,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { detector_of(detector)? };
        // SAFETY: as the caller promises.
        unsafe { write_thresholds(writes, reads, || Ok(detector.thresholds())) }
    })
}
