//! The C ABI of throttles.
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Pk, Table};
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::operation::*;
use crate::ffi::status::*;
use crate::ffi::warning::{hpd_warning, no_warning};
use crate::key::Key;
use crate::reason::Reason;
use std::ffi::c_char;

/// A throttle's reason: DynamoDB's answer named none.
pub const HPD_THROTTLE_UNKNOWN: i32 = 0;
/// The partition's own limit. Only this reason is evidence of a hot partition.
pub const HPD_THROTTLE_KEY_RANGE: i32 = 1;
/// The provisioned throughput of the table or index.
pub const HPD_THROTTLE_PROVISIONED: i32 = 2;
/// The account's limit.
pub const HPD_THROTTLE_ACCOUNT_LIMIT: i32 = 3;
/// The most that an on-demand table or index was set to.
pub const HPD_THROTTLE_MAX_ON_DEMAND: i32 = 4;

/// Reads an HPD_THROTTLE_*.
pub(crate) fn reason(code: i32) -> Result<Reason, Refused> {
    usize::try_from(code)
        .ok()
        .and_then(|code| Reason::ALL.get(code))
        .copied()
        .ok_or(Refused::invalid(Argument::Reason))
}

/// Records that DynamoDB throttled one attempt at an operation on a partition. operation_code is
/// HPD_WRITE or HPD_READ; reason_code, HPD_THROTTLE_*, says why. Returns the partition's throttles
/// in the window for this operation and reason, this one included; they are no part of its count. A
/// throttle for the key range is evidence of a hot partition, and warns, by the callback, if the
/// detector was made with HPD_FLAG_WARN_THROTTLES. Otherwise as hpd_record_write.
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
        let (detector, table, pk) =
            (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?, text(Pk, pk, pk_len)?);
        count(detector.record_throttle(table, pk, operation(operation_code)?, reason(reason_code)?))
    })
}

/// As hpd_record_throttle, but a due warning is written to *warning instead of calling back, as by
/// hpd_record_full. warning must not be NULL.
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
        let (detector, table, pk, out) = unsafe {
            (
                hpd_detector::as_ref(detector)?,
                text(Table, table, table_len)?,
                text(Pk, pk, pk_len)?,
                Room::new(Argument::Warning, warning)?,
            )
        };
        let (operation, reason) = (operation(operation_code)?, reason(reason_code)?);
        let (throttles, due) = detector.record_throttle_and_warn(table, pk, operation, reason)?;
        let due = due.unwrap_or_else(|| no_warning(Key { table, pk }, operation, detector));
        out.fill(|size| hpd_warning::new(&due, size));
        count(Ok(throttles))
    })
}

/// Returns the partition's throttles in the window for an operation and a reason. Otherwise as
/// hpd_get_write_count.
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
        let (detector, table, pk) =
            (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?, text(Pk, pk, pk_len)?);
        count(detector.throttle_count(table, pk, operation(operation_code)?, reason(reason_code)?))
    })
}
