//! The C ABI of metrics, of texts that the library makes, and of keys that are not to be read.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::metrics::Metrics;
use crate::ffi::boundary::{Versioned, boundary, detector_of, pointer, read, text};
use crate::ffi::detector::hpd_detector;
use crate::ffi::status::*;
use crate::key::Key;
use crate::sys::memory::try_box;
use std::ffi::c_char;

/// OpenMetrics 1.0 and not Prometheus's text format 0.0.4.
pub const HPD_METRICS_OPEN_METRICS: u32 = 1;

/// What metrics are written, and how.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_metrics_options {
    /// sizeof(hpd_metrics_options).
    pub struct_size: usize,
    /// How many of the hottest partitions are written for each operation: 100 at most, whatever is asked for.
    pub hottest: u64,
    /// HPD_METRICS_*, or 0.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: integers.
unsafe impl Versioned for hpd_metrics_options {
    const FIRST_SIZE: usize = 24;
}

/// A text of the library's. Read by hpd_text_data and hpd_text_len, freed by hpd_text_free. It never changes.
pub struct hpd_text {
    _opaque: [u8; 0],
}

/// Writes the statistics and the hottest partitions as text for Prometheus, or in OpenMetrics. options may be NULL: the ten
/// hottest by writes and by reads, for Prometheus. Keys are hashed with HPD_FLAG_REDACT_KEYS. Takes time in proportion to
/// the partitions tracked. *out is then freed by hpd_text_free; on failure it is untouched. Returns HPD_OK, HPD_ERR_NULL,
/// HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (flags) or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_metrics_take(
    detector: *const hpd_detector,
    options: *const hpd_metrics_options,
    out: *mut *mut hpd_text,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { detector_of(detector)? };
        if out.is_null() {
            return Err(NULL);
        }
        let mut metrics = Metrics::default();
        if !options.is_null() {
            // SAFETY: as the caller promises; the size comes first in every version.
            let options = unsafe { read(options, options.cast::<usize>().read_unaligned())? };
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
        let text = try_box(detector.metrics(&metrics)?).map_err(crate::Error::from)?;
        // SAFETY: `out` is not null.
        unsafe { out.write(Box::into_raw(text).cast()) };
        Ok(HPD_OK)
    })
}

/// # Safety
/// A non-null `text` came from a function that makes one and has not been freed.
unsafe fn text_of<'a>(text: *const hpd_text) -> Option<&'a String> {
    // SAFETY: as the caller promises.
    unsafe { text.cast::<String>().as_ref() }
}

/// A text's bytes: UTF-8, not NUL-terminated. Never NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_text_data(text: *const hpd_text) -> *const c_char {
    // SAFETY: as the caller promises.
    pointer(unsafe { text_of(text) }.map_or(&[], String::as_bytes))
}

/// A text's length in bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_text_len(text: *const hpd_text) -> usize {
    // SAFETY: as the caller promises.
    unsafe { text_of(text) }.map_or(0, String::len)
}

/// Frees a text; NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_text_free(text: *mut hpd_text) {
    boundary(|| {
        if !text.is_null() {
            // SAFETY: the pointer was made from a box of this type.
            drop(unsafe { Box::from_raw(text.cast::<String>()) });
        }
        Ok(HPD_OK)
    });
}

/// Writes what stands for a partition's key where the library redacts keys (HPD_FLAG_REDACT_KEYS), so that a program's
/// own log agrees with its metrics: 32 hexadecimal digits, not NUL-terminated. Returns 32, or 0 and writes nothing if the
/// detector does not redact; HPD_ERR_NULL or HPD_ERR_INVALID.
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
        let (detector, table, pk) =
            unsafe { (detector_of(detector)?, text(table, table_len)?, text(pk, pk_len)?) };
        if out.is_null() {
            return Err(NULL);
        }
        let key = Key { table, pk };
        key.check().map_err(Refused::from)?;
        let Some(digits) = detector.redact(key) else { return Ok(0) };
        // SAFETY: the caller gives room for 32 bytes.
        unsafe { out.cast::<u8>().copy_from_nonoverlapping(digits.as_ptr(), digits.len()) };
        Ok(digits.len() as i32)
    })
}
