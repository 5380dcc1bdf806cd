//! The status of a call: its codes, what they mean, and which version answers.

use crate::error::Error;
use std::ffi::c_char;

/// The version of this header.
pub const HPD_ABI_VERSION: u32 = 1;

/// The call succeeded.
pub const HPD_OK: i32 = 0;

/// A pointer that must not be NULL is.
pub const HPD_ERR_NULL: i32 = -1;
/// An argument is out of its range.
pub const HPD_ERR_INVALID: i32 = -2;
/// Not with this detector: setting the time of a running clock; a flag, or more in a struct, than this
/// version knows.
pub const HPD_ERR_UNSUPPORTED: i32 = -3;
/// An allocation failed; nothing changed.
pub const HPD_ERR_MEMORY: i32 = -4;
/// A caught panic: a bug of the library.
pub const HPD_ERR_INTERNAL: i32 = -5;
/// The partition key's name is needed and unknown: describe the table, then call again.
pub const HPD_ERR_SCHEMA: i32 = -6;
/// It is not the JSON of that operation; nothing was recorded.
pub const HPD_ERR_JSON: i32 = -7;

/// An `HPD_ERR_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) i32);

pub(crate) const NULL: Refused = Refused(HPD_ERR_NULL);
pub(crate) const INVALID: Refused = Refused(HPD_ERR_INVALID);
pub(crate) const UNSUPPORTED: Refused = Refused(HPD_ERR_UNSUPPORTED);

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused(match error {
            Error::Invalid => HPD_ERR_INVALID,
            Error::Unsupported => HPD_ERR_UNSUPPORTED,
            Error::Memory => HPD_ERR_MEMORY,
        })
    }
}

/// What a status means, in English; for any status, a known one or not. Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_status_message(status: i32) -> *const c_char {
    match status {
        0.. => c"success",
        HPD_ERR_NULL => c"a pointer that must not be NULL is",
        HPD_ERR_INVALID => c"an argument is out of its range",
        HPD_ERR_UNSUPPORTED => c"not supported by this detector or this version",
        HPD_ERR_MEMORY => c"out of memory; nothing changed",
        HPD_ERR_SCHEMA => c"the name of the table's partition key is not known",
        HPD_ERR_JSON => c"not the JSON of that operation",
        HPD_ERR_INTERNAL => c"internal error: a bug in libhotpart",
        _ => c"unknown status",
    }
    .as_ptr()
}

/// The library's version, such as "0.1.0". Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// The version of this header that the library implements: HPD_ABI_VERSION, if it is that header's.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_abi_version() -> u32 {
    HPD_ABI_VERSION
}
