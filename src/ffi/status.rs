//! The status of a call: its codes, what they mean, and which version answers.
//!
//! A code alone does not say which of ten fields of a struct was out of range. So a refused call
//! keeps its refusal, code and argument, for its thread, as `errno` is kept.

use crate::argument::Argument;
use crate::error::Error;
use crate::error::OutOfMemory;
use std::cell::Cell;
use std::ffi::c_char;

/// The version of this header.
pub const HPD_ABI_VERSION: u32 = 1;

/// The call succeeded.
pub const HPD_OK: i32 = 0;

/// A pointer is NULL that must not be.
pub const HPD_ERR_NULL: i32 = -1;
/// An argument is out of its range.
pub const HPD_ERR_INVALID: i32 = -2;
/// The call is not supported: by this detector (its clock runs by itself, or its window or
/// filter_bytes does not allow it), by this snapshot, by this version (a flag or a field of a
/// struct is unknown), or by this build (it lacks the feature).
pub const HPD_ERR_UNSUPPORTED: i32 = -3;
/// An allocation failed; nothing changed, unless the function's comment says otherwise.
pub const HPD_ERR_MEMORY: i32 = -4;
/// A panic was caught: a bug of the library.
pub const HPD_ERR_INTERNAL: i32 = -5;
/// The name of the partition key of a table, or of its index, is needed and unknown. Call
/// DescribeTable for the tables that exchange->table names, and observe its answers (see
/// hpd_observe). Do NOT observe the request again that gave this error: it is kept.
pub const HPD_ERR_SCHEMA: i32 = -6;
/// The request, or its answer, is not the JSON object that the operation has; nothing was recorded.
/// (A statement, or a part of a batch, that can't be read is no error: it is tallied, and the call
/// succeeds.)
pub const HPD_ERR_JSON: i32 = -7;

/// An `HPD_ERR_*`, and the argument that it is about, if it is about one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    code: i32,
    argument: Option<Argument>,
}

thread_local! {
    /// The thread's last refusal. It needs no destructor, so it can be used until the thread ends.
    static LAST: Cell<Refused> = const { Cell::new(Refused::of(HPD_OK)) };
}

impl Refused {
    /// Returns a refusal that is about no argument.
    pub(crate) const fn of(code: i32) -> Self {
        Self { code, argument: None }
    }

    // Cold: what leads to them does not slow down what succeeds.
    /// Returns the refusal of an argument that is NULL.
    #[cold]
    pub(crate) const fn null(argument: Argument) -> Self {
        Self { code: HPD_ERR_NULL, argument: Some(argument) }
    }

    /// Returns the refusal of an argument out of its range.
    #[cold]
    pub(crate) const fn invalid(argument: Argument) -> Self {
        Self { code: HPD_ERR_INVALID, argument: Some(argument) }
    }

    /// Returns the refusal of an argument that this version, or this detector, does not support.
    #[cold]
    pub(crate) const fn unsupported(argument: Argument) -> Self {
        Self { code: HPD_ERR_UNSUPPORTED, argument: Some(argument) }
    }

    /// Keeps the refusal for [`hpd_error_argument`], and returns its code.
    #[cold]
    #[inline(never)]
    pub(crate) fn keep(self) -> i32 {
        LAST.set(self);
        self.code
    }

    /// Returns the argument's name, and what the argument must be.
    fn c_texts(self) -> (*const c_char, *const c_char) {
        let Some((name, range)) = self.argument.map(Argument::c_texts) else {
            return (c"".as_ptr(), c"".as_ptr());
        };
        // A pointer may have to be many things; first of all it must not be NULL.
        let range = if self.code == HPD_ERR_NULL { c"must not be NULL".as_ptr() } else { range.cast() };
        (name.cast(), range)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(argument) => Refused::invalid(argument),
            // The one call that not every detector supports sets its time.
            Error::Unsupported => Refused::unsupported(Argument::Detector),
            Error::Memory => Refused::of(HPD_ERR_MEMORY),
        }
    }
}

impl From<OutOfMemory> for Refused {
    fn from(_: OutOfMemory) -> Self {
        Refused::of(HPD_ERR_MEMORY)
    }
}

/// Returns what a status means, in English. An unknown status has a text too. hpd_error_argument
/// and hpd_error_range tell which argument was refused. Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_status_message(status: i32) -> *const c_char {
    match status {
        0.. => c"success",
        HPD_ERR_NULL => c"a pointer that must not be NULL is",
        HPD_ERR_INVALID => c"an argument is out of its range",
        HPD_ERR_UNSUPPORTED => c"not supported by this detector or this version",
        HPD_ERR_MEMORY => c"out of memory",
        HPD_ERR_SCHEMA => c"the name of the table's partition key is not known",
        HPD_ERR_JSON => c"not the JSON of that operation",
        HPD_ERR_INTERNAL => c"internal error: a bug in libhotpart",
        _ => c"unknown status",
    }
    .as_ptr()
}

/// Returns the name of the argument that the calling thread's last failed call refused: a
/// parameter's or a struct's field's, such as "window_seconds" (of a parameter operation_code, the
/// name is "operation"; of reason_code, "reason"). Call it after HPD_ERR_NULL, HPD_ERR_INVALID or
/// HPD_ERR_UNSUPPORTED, on the same thread, before another call. A call that succeeds changes
/// nothing here, as with errno. After another error, or if the call refused no single argument, it
/// is "". Calls that a callback makes count as the thread's. Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_error_argument() -> *const c_char {
    LAST.get().c_texts().0
}

/// Returns what that argument must be, such as "must be 1 to 3600", so that name, a space and this
/// make a sentence. Otherwise as hpd_error_argument.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_error_range() -> *const c_char {
    LAST.get().c_texts().1
}

/// Returns the library's version, such as "0.1.0". Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// Returns the version of this header that the library implements: HPD_ABI_VERSION of the header
/// that the library came with.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_abi_version() -> u32 {
    HPD_ABI_VERSION
}
