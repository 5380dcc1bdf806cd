//! The C ABI of what a program's own log says of warnings: a line, and the hash that stands for a
//! key.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Output, Pk, Table};
use crate::detector::Detector;
use crate::detector::warning::Warning;
use crate::error::Error;
use crate::ffi::boundary::{Out, boundary, read_sized, text};
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::operation::operation;
use crate::ffi::status::*;
use crate::ffi::text::hpd_text;
use crate::ffi::warning::*;
use crate::key::Key;
use crate::key::redaction::Redacted;
use crate::policy::rule::Breach;
use crate::sys::memory::TryString;
use std::ffi::c_char;
use std::fmt::Write;

/// Makes a line about one of this detector's warnings, for a program's log. It is the same in every
/// language, with the key escaped (or hashed, with HPD_FLAG_REDACT_KEYS), and without an end of
/// line. On success *out is the line, to be freed by hpd_text_free; on failure *out is untouched.
/// Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_MEMORY, HPD_ERR_INVALID for a warning that is smaller than
/// version 1's, of an unknown rule or operation, without a table, or with a key that is too long,
/// or HPD_ERR_UNSUPPORTED for one that is larger than this version's and not zero there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_log_line(
    detector: *const hpd_detector,
    warning: *const hpd_warning,
    out: *mut *mut hpd_text,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (out, warning) = unsafe {
            let (detector, out) = (hpd_detector::as_ref(detector)?, Out::new(Output, out)?);
            (out, warned(detector, &read_sized(Argument::Warning, warning)?)?)
        };
        let mut line = TryString::default();
        write!(line, "{warning}").map_err(|_| Error::Memory)?;
        hpd_text::give(line.0, out)
    })
}

/// Makes a line for a program's log if filter_bytes is too small for what is counted, so that
/// warnings may be false; but not if such a line was made within the last warning interval (at
/// least one second). Ask after a warning, and where statistics or metrics are asked for: a filter
/// may be too full before it warns. Returns 1, and *out is the text, to be freed by hpd_text_free;
/// or 0 if there is nothing to say; or HPD_ERR_NULL; or HPD_ERR_MEMORY, after which the line is
/// lost. *out is untouched unless 1 is returned. It looks at the filter at most once a second,
/// which takes time in proportion to filter_bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_notice_take(detector: *const hpd_detector, out: *mut *mut hpd_text) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(Output, out)?) };
        let Some(notice) = detector.take_notice() else { return Ok(0) };
        let mut line = TryString::default();
        write!(line, "{notice}").map_err(|_| Error::Memory)?;
        hpd_text::give(line.0, out)?;
        Ok(1)
    })
}

/// Returns the warning that C hands in.
///
/// # Safety
/// Its texts are as the header demands, through `'a`.
unsafe fn warned<'a>(detector: &Detector, given: &hpd_warning) -> Result<Warning<'a>, Refused> {
    // SAFETY: as the caller promises.
    let (table, pk) =
        unsafe { (text(Table, given.table, given.table_len)?, text(Pk, given.pk, given.pk_len)?) };
    let key = Key { table, pk };
    key.check()?;
    let rule = rule(given.rule)?;
    let (count, threshold, seconds) = (given.count, given.threshold, given.window_seconds);
    Ok(Warning {
        suppressed: given.suppressed,
        peak: given.peak,
        carried: given.carried,
        utilisation_permille: given.utilisation_permille,
        in_half_units: detector.in_half_units(rule),
        redacted: detector.redact(key),
        ..Warning::new(key, operation(given.operation)?, Breach { rule, count, threshold, seconds })
    })
}

/// Writes the hash of a partition's key that metrics and log lines have with HPD_FLAG_REDACT_KEYS,
/// so that a program's own log can agree with them. out has room for 32 bytes, which become
/// hexadecimal digits, not NUL-terminated. Returns 32; or 0, and writes nothing, if the detector
/// does not redact keys; or HPD_ERR_NULL or HPD_ERR_INVALID.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_redact(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
    out: *mut c_char,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, table, pk, out) = unsafe {
            let out = out.cast::<Redacted>(); // Characters: any alignment is right.
            (
                hpd_detector::as_ref(detector)?,
                text(Table, table, table_len)?,
                text(Pk, pk, pk_len)?,
                Out::new(Output, out)?,
            )
        };
        let key = Key { table, pk };
        key.check()?;
        let Some(digits) = detector.redact(key) else { return Ok(0) };
        out.write(digits);
        Ok(digits.len() as i32)
    })
}
