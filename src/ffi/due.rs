//! The C ABI for languages that callbacks do not suit, and where each argument of a call costs
//! time. A warning is kept for the thread whose call gave it, and a bit in what the call returns
//! says so.
//!
//! A call from Python by ctypes, say, takes two arguments and returns an integer. It is all that
//! nearly every record needs: `count & HPD_DUE` is 0, and the count is what it is. Once in a while
//! the bit is set, and the program takes the warning by a second call.
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{Output, Pk, Table};
use crate::detector::Detector;
use crate::detector::delivery::Delivery;
use crate::detector::warning::Warning;
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::observe::{KeySchema, hpd_exchange, imp};
use crate::ffi::opaque::Opaque;
use crate::ffi::operation::*;
use crate::ffi::pending::{self, Warnings};
use crate::ffi::record::hpd_record;
use crate::ffi::status::*;
use crate::ffi::table::hpd_table;
use crate::ffi::text::hpd_text;
use crate::ffi::throttle::reason;
use crate::ffi::warning::hpd_warnings;
use crate::operation::Operation;
use std::ffi::{CStr, c_char};

/// The bit that hpd_table_record_write_due and its like add to the number that they return, if they
/// keep a warning. No such number has this bit of its own, but every negative HPD_ERR_* has: look
/// for an error first.
pub const HPD_DUE: i64 = 0x4000_0000_0000_0000;

/// Returns a count, with HPD_DUE added if there is a warning, which is then kept.
#[inline(always)]
fn due((counted, warning): (u64, Option<Warning<'_>>), detector: &Detector) -> Result<i64, Refused> {
    let kept = warning.is_some_and(|warning| pending::keep(detector.id, Warnings::of(&warning)));
    Ok(count(Ok(counted))? | if kept { HPD_DUE } else { 0 })
}

/// As hpd_table_record_write_z, but a due warning is kept for this thread instead of calling back,
/// and HPD_DUE is added to the count that is returned. A negative result is an error. Otherwise
/// clear that bit to have the count, and take the warning by hpd_take_warnings. A thread keeps all
/// warnings of the last call that gave any, and the newest 64 of its earlier calls, of all
/// detectors together. A warning is lost if there is no memory to keep it. A thread's kept warnings
/// are gone when it ends; after fork the child's thread has those of the thread that forked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_write_due(table: *const hpd_table, pk: *const c_char) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (table, pk) = unsafe { (hpd_table::as_ref(table)?, text_z(Pk, pk)?) };
        due(table.record_and_warn(pk, Operation::Write)?, table.detector())
    })
}

/// As hpd_table_record_write_due, for a read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_read_due(table: *const hpd_table, pk: *const c_char) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (table, pk) = unsafe { (hpd_table::as_ref(table)?, text_z(Pk, pk)?) };
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
        // SAFETY: as the caller promises.
        let (detector, record) =
            unsafe { (hpd_detector::as_ref(detector)?, hpd_record::of(record, record_size)?) };
        due(detector.record_checked(&record, Delivery::Caller)?, detector)
    })
}

/// As hpd_record_throttle, but a due warning is kept for this thread, as by
/// hpd_table_record_write_due.
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
        let (detector, table, pk) = unsafe {
            (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?, text(Pk, pk, pk_len)?)
        };
        let (operation, reason) = (operation(operation_code)?, reason(reason_code)?);
        due(detector.record_throttle_and_warn(table, pk, operation, reason)?, detector)
    })
}

/// As hpd_observe, with the exchange as arguments. Every text ends in NUL, which JSON does not
/// contain; response and model may be NULL. Due warnings are kept for this thread, and HPD_DUE is
/// added to the number of actions, as by hpd_table_record_write_due. After HPD_ERR_SCHEMA and
/// HPD_ERR_MEMORY some may be kept, too: ask hpd_take_warnings. After HPD_ERR_SCHEMA
/// hpd_take_missing_tables tells which tables are asked for.
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
        let detector = unsafe { hpd_detector::as_ref(detector)? };
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
        let (mut warnings, mut missing) = (Warnings::default(), Vec::new());
        // SAFETY: the struct is whole, and its texts are as long as it says.
        let actions = unsafe {
            let hear = &mut |warning: &Warning<'_>| warnings.keep(warning);
            imp::observe(detector, &raw mut exchange, Some(hear), &mut missing)
        };
        if !missing.is_empty() {
            pending::keep_missing(missing);
        }
        let kept = pending::keep(detector.id, warnings);
        Ok(actions? | if kept { HPD_DUE } else { 0 })
    })
}

/// As hpd_set_key_schema, but due warnings of what waited are kept for this thread, as by
/// hpd_table_record_write_due. Returns HPD_OK, with HPD_DUE added if there are any.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_set_key_schema_due(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    index: *const c_char,
    index_len: usize,
    attributes: *const *const c_char,
    attribute_lens: *const usize,
    n: usize,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, schema) = unsafe {
            let detector = hpd_detector::as_ref(detector)?;
            (detector, KeySchema::of(table, table_len, index, index_len, attributes, attribute_lens, n)?)
        };
        let mut warnings = Warnings::default();
        let declared = imp::set_key_schema(detector, &schema, Some(&mut |warning| warnings.keep(warning)));
        let kept = pending::keep(detector.id, warnings);
        declared.map(|()| i64::from(HPD_OK) | if kept { HPD_DUE } else { 0 })
    })
}

/// Takes the names of the tables that were asked for by the last hpd_observe_due on this thread
/// that returned HPD_ERR_SCHEMA. Each is ended by a NUL, as in exchange->table. Returns 1, and *out
/// is to be freed by hpd_text_free; or 0 if there are none, as they have been taken, or there was
/// no memory to keep them. *out is untouched then, and after HPD_ERR_NULL or HPD_ERR_MEMORY; after
/// the latter the names are lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_take_missing_tables(out: *mut *mut hpd_text) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let out = unsafe { Out::new(Output, out)? };
        let Some(names) = pending::take_missing() else { return Ok(0) };
        hpd_text::give(names, out)?;
        Ok(1)
    })
}

/// Takes the warnings of this detector that calls on this thread have kept, the oldest first. *out
/// is NULL if there are none. Otherwise it is the warnings, to be freed by hpd_warnings_free.
/// Returns their number, HPD_ERR_NULL, or HPD_ERR_MEMORY, after which they are still kept, and *out
/// is untouched. Those of a detector that was freed can't be taken any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_take_warnings(
    detector: *const hpd_detector,
    out: *mut *mut hpd_warnings,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(Output, out)?) };
        let warnings = pending::take(detector.id)?;
        let taken = warnings.as_deref().map_or(0, Warnings::len);
        out.write(hpd_warnings::handle(warnings));
        Ok(taken as i32)
    })
}
