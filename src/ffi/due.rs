//! The C ABI for languages that callbacks don't suit and where each argument of a call is felt: warnings are kept for the thread
//! whose call gave them, and a bit in what it returns says so.
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::Detector;
use crate::detector::delivery::Delivery;
use crate::detector::warning::Warning;
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::observe::{hpd_exchange, imp};
use crate::ffi::pending::{self, Warnings};
use crate::ffi::record::hpd_record;
use crate::ffi::status::*;
use crate::ffi::table::{hpd_table, table_of};
use crate::ffi::throttle::reason;
use crate::ffi::warning::hpd_warnings;
use crate::operation::Operation;
use std::ffi::{CStr, c_char};

/// What hpd_table_record_write_due and its like add to what they return when a warning is kept; no count has this bit.
pub const HPD_DUE: i64 = 0x4000_0000_0000_0000;

/// A count, with HPD_DUE added if there is a warning, which is then kept.
#[inline(always)]
fn due((counted, warning): (u64, Option<Warning<'_>>), detector: &Detector) -> Result<i64, Refused> {
    let kept = warning.is_some_and(|warning| pending::keep(detector.id, Warnings::of(&warning)));
    Ok(count(Ok(counted))? | if kept { HPD_DUE } else { 0 })
}

/// As hpd_table_record_write_z, but a due warning is kept for this thread instead of calling back, and what is returned has
/// HPD_DUE added: clear that bit to have the count, and take the warning by hpd_take_warnings. A thread keeps those of its last
/// call, and 64 of earlier ones at most, the newest; where there is no memory to keep one, it is lost as well. What a thread has
/// kept is gone when it ends; after fork the child's thread has what the thread that forked had kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_write_due(table: *const hpd_table, pk: *const c_char) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (table, pk) = unsafe { (table_of(table)?, text_z(pk)?) };
        due(table.record_and_warn(pk, Operation::Write)?, table.detector())
    })
}

/// As hpd_table_record_write_due, for a read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_read_due(table: *const hpd_table, pk: *const c_char) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (table, pk) = unsafe { (table_of(table)?, text_z(pk)?) };
        due(table.record_and_warn(pk, Operation::Read)?, table.detector())
    })
}

/// As hpd_record_full, but a due warning is kept for this thread, as by hpd_table_record_write_due.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_due(
    detector: *const hpd_detector,
    record: *const hpd_record,
    record_size: usize,
) -> i64 {
    boundary(|| {
        if record.is_null() {
            return Err(NULL);
        }
        // SAFETY: as the caller promises.
        let (detector, record) = unsafe { (detector_of(detector)?, read(record, record_size)?.read()?) };
        due(detector.post_checked(&record, Delivery::Caller)?, detector)
    })
}

/// As hpd_record_throttle, but a due warning is kept for this thread, as by hpd_table_record_write_due.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_throttle_due(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
    operation_code: i32,
    reason_code: i32,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, table, pk) =
            unsafe { (detector_of(detector)?, text(table, table_len)?, text(pk, pk_len)?) };
        let (operation, reason) = (operation(operation_code)?, reason(reason_code)?);
        due(detector.record_throttle_and_warn(table, pk, operation, reason)?, detector)
    })
}

/// As hpd_observe, in one flat call: every text ends in NUL and holds none, as JSON does not; response and model may be NULL. Due
/// warnings are kept for this thread, as by hpd_table_record_write_due; with HPD_ERR_MEMORY some may be kept, too. HPD_ERR_SCHEMA:
/// hpd_observe_full says which table.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_observe_due(
    detector: *const hpd_detector,
    operation: *const c_char,
    request: *const c_char,
    response: *const c_char,
    http_status: i32,
    model: *const c_char,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { detector_of(detector)? };
        let len = |text: *const c_char| {
            // SAFETY: as the caller promises: a text that is not null ends in NUL.
            if text.is_null() { 0 } else { unsafe { CStr::from_ptr(text) }.count_bytes() }
        };
        let mut exchange = hpd_exchange {
            struct_size: size_of::<hpd_exchange>(),
            operation,
            operation_len: len(operation),
            request,
            request_len: len(request),
            response,
            response_len: len(response),
            model,
            model_len: len(model),
            http_status,
            reserved: 0,
            table: std::ptr::null_mut(),
            table_capacity: 0,
            table_len: 0,
        };
        let mut warnings = Warnings::default();
        // SAFETY: the struct is whole, and its texts are as long as it says.
        let actions = unsafe {
            let hear = &mut |warning: &Warning<'_>| warnings.keep(warning);
            imp::observe(detector, &raw mut exchange, exchange.struct_size, Some(hear))
        };
        let kept = pending::keep(detector.id, warnings);
        Ok(actions? | if kept { HPD_DUE } else { 0 })
    })
}

/// Takes the warnings that this thread's calls have kept for it, the oldest first, and writes them to *out: NULL if there are
/// none, else to be freed by hpd_warnings_free. Returns how many, HPD_ERR_NULL, or HPD_ERR_MEMORY, after which they are still kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_take_warnings(
    detector: *const hpd_detector,
    out: *mut *mut hpd_warnings,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { detector_of(detector)? };
        if out.is_null() {
            return Err(NULL);
        }
        let warnings = pending::take(detector.id)?;
        let taken = warnings.as_deref().map_or(0, Warnings::len);
        let handle = warnings.map_or(std::ptr::null_mut(), Box::into_raw);
        // SAFETY: `out` is not null.
        unsafe { out.write(handle.cast()) };
        Ok(taken as i32)
    })
}
