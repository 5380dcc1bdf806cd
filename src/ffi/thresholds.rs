//! The C ABI of thresholds.
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Model, Reads, Table, Writes};
use crate::ffi::boundary::{Out, boundary, text};
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::status::*;
use crate::policy::thresholds::Thresholds;
use std::ffi::c_char;

/// The threshold that is not set: the next level decides.
pub const HPD_INHERIT: i64 = -1;

/// Reads a threshold, which may be HPD_INHERIT. The detector checks the rest of its range.
fn threshold(argument: Argument, value: i64) -> Result<Option<u64>, Refused> {
    match value {
        HPD_INHERIT => Ok(None),
        value => u64::try_from(value).map(Some).map_err(|_| Refused::invalid(argument)),
    }
}

fn thresholds(writes: i64, reads: i64) -> Result<Thresholds, Refused> {
    Ok(Thresholds { writes: threshold(Writes, writes)?, reads: threshold(Reads, reads)? })
}

/// Writes both thresholds.
fn write_thresholds(thresholds: Thresholds, writes: Out<i64>, reads: Out<i64>) -> Result<i32, Refused> {
    let code =
        |threshold: Option<u64>| threshold.map_or(HPD_INHERIT, |n| i64::try_from(n).unwrap_or(i64::MAX));
    writes.write(code(thresholds.writes));
    reads.write(code(thresholds.reads));
    Ok(HPD_OK)
}

/// Sets the window's thresholds of one table, whose name has 1 to 1024 bytes. Thresholds for one
/// second and for five are not changed. The table's name must match to the byte: an override on T
/// covers neither T/index/I nor T's ARN. writes and reads are 1 to INT64_MAX, or HPD_INHERIT;
/// HPD_INHERIT for both removes the override. Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID or
/// HPD_ERR_MEMORY.
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
        let (detector, table) = unsafe { (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?) };
        detector.set_table_thresholds(table, thresholds(writes, reads)?)?;
        Ok(HPD_OK)
    })
}

/// Sets the window's thresholds of one model, a name that a program gives to a kind of item, for
/// the records that name it. They win over the table's. Otherwise as hpd_set_table_thresholds.
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
        let (detector, model) = unsafe { (hpd_detector::as_ref(detector)?, text(Model, model, model_len)?) };
        detector.set_model_thresholds(model, thresholds(writes, reads)?)?;
        Ok(HPD_OK)
    })
}

/// Reads back the override of a table. A threshold that is not set is HPD_INHERIT; both are if the
/// table has no override. Returns HPD_OK, HPD_ERR_NULL or HPD_ERR_INVALID; after an error neither
/// threshold is written.
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
        let (detector, table) = unsafe { (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?) };
        // SAFETY: as above.
        let (writes, reads) = unsafe { (Out::new(Writes, writes)?, Out::new(Reads, reads)?) };
        write_thresholds(detector.table_thresholds(table)?, writes, reads)
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
        let (detector, model) = unsafe { (hpd_detector::as_ref(detector)?, text(Model, model, model_len)?) };
        // SAFETY: as above.
        let (writes, reads) = unsafe { (Out::new(Writes, writes)?, Out::new(Reads, reads)?) };
        write_thresholds(detector.model_thresholds(model)?, writes, reads)
    })
}

/// Reads back the detector's own thresholds of the window. Returns HPD_OK or HPD_ERR_NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_thresholds(
    detector: *const hpd_detector,
    writes: *mut i64,
    reads: *mut i64,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, writes, reads) =
            unsafe { (hpd_detector::as_ref(detector)?, Out::new(Writes, writes)?, Out::new(Reads, reads)?) };
        write_thresholds(detector.thresholds(), writes, reads)
    })
}
