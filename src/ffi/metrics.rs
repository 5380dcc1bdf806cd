//! The C ABI of metrics, of texts that the library makes, and of keys that are not to be read.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::metrics::Metrics;
use crate::ffi::boundary::{Out, Versioned, boundary, pointer, read_sized, text};
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::status::*;
use crate::key::Key;
use crate::key::redaction::Redacted;
use std::ffi::c_char;

/// Write OpenMetrics 1.0 and not Prometheus's text format 0.0.4.
pub const HPD_METRICS_OPEN_METRICS: u32 = 1;

/// Which metrics are written, and in which format.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_metrics_options {
    /// sizeof(hpd_metrics_options).
    pub struct_size: usize,
    /// The number of hottest partitions that are written for each operation; more than 100 is taken
    /// for 100.
    pub hottest: u64,
    /// HPD_METRICS_*, or 0.
    pub flags: u32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: integers.
unsafe impl Versioned for hpd_metrics_options {
    const FIRST_SIZE: usize = 24;
}

/// A text that the library made. Read by hpd_text_data and hpd_text_len, freed by hpd_text_free. It
/// never changes, so any number of threads may read it at once.
pub struct hpd_text {
    _opaque: [u8; 0],
}

impl Opaque for hpd_text {
    type Rust = String;
}

/// Writes the statistics and the hottest partitions as text for Prometheus, or in OpenMetrics. If
/// options is NULL, the text has the ten hottest partitions by writes and by reads, for Prometheus.
/// Keys are hashed with HPD_FLAG_REDACT_KEYS. Takes time in proportion to the partitions tracked.
/// On success *out is the text, to be freed by hpd_text_free; on failure *out is untouched. Returns
/// HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (unknown flags or fields) or
/// HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_metrics_take(
    detector: *const hpd_detector,
    options: *const hpd_metrics_options,
    out: *mut *mut hpd_text,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(out)?) };
        let mut metrics = Metrics::default();
        if !options.is_null() {
            // SAFETY: as the caller promises.
            let options = unsafe { read_sized(options)? };
            if options.flags & !HPD_METRICS_OPEN_METRICS != 0 {
                return Err(UNSUPPORTED);
            }
            if options.reserved != 0 {
                return Err(INVALID);
            }
            metrics = metrics.hottest(usize::try_from(options.hottest).unwrap_or(usize::MAX));
            if options.flags & HPD_METRICS_OPEN_METRICS != 0 {
                metrics = metrics.open_metrics();
            }
        }
        hpd_text::give(detector.metrics(&metrics)?, out)
    })
}

/// Returns a text's bytes: UTF-8, not NUL-terminated. Never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_text_data(text: *const hpd_text) -> *const c_char {
    // SAFETY: as the caller promises.
    pointer(unsafe { hpd_text::as_ref(text) }.map_or(&[], String::as_bytes))
}

/// Returns a text's length in bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_text_len(text: *const hpd_text) -> usize {
    // SAFETY: as the caller promises.
    unsafe { hpd_text::as_ref(text) }.map_or(0, String::len)
}

/// Frees a text. Does nothing for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_text_free(text: *mut hpd_text) {
    // SAFETY: as the caller promises.
    unsafe { hpd_text::free(text) }
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
            (hpd_detector::as_ref(detector)?, text(table, table_len)?, text(pk, pk_len)?, Out::new(out)?)
        };
        let key = Key { table, pk };
        key.check()?;
        let Some(digits) = detector.redact(key) else { return Ok(0) };
        out.write(digits);
        Ok(digits.len() as i32)
    })
}
