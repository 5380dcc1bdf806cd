//! The C ABI of a text that the library made: metrics, or a line for a log.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument;
use crate::ffi::boundary::pointer;
use crate::ffi::opaque::Opaque;
use std::ffi::c_char;

/// A text that the library made. Read by hpd_text_data and hpd_text_len, freed by hpd_text_free. It
/// never changes, so any number of threads may read it at once.
pub struct hpd_text {
    _opaque: [u8; 0],
}

impl Opaque for hpd_text {
    type Rust = String;

    const ARGUMENT: Argument = Argument::Text;
}

/// Returns a text's bytes: UTF-8, not NUL-terminated. They live as long as the text. Never NULL.
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
