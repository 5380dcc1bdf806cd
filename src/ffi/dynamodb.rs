//! The C ABI of DynamoDB's own forms: its numbers, and its requests before they are sent. Without
//! the feature `dynamodb` its functions are there and refuse.
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Output};
use crate::ffi::boundary::{Out, boundary, text};
use crate::ffi::opaque::Opaque;
use crate::ffi::status::*;
use crate::ffi::text::hpd_text;
use std::ffi::c_char;

/// The room that hpd_number_key needs, in bytes.
pub const HPD_NUMBER_KEY_MAX: usize = 170;

/// Writes the key under which a DynamoDB number is counted: its canonical plain decimal form. "1",
/// "1.0" and "1E0" are "1", and "-0" is "0". out has room for HPD_NUMBER_KEY_MAX bytes: the key,
/// which is not NUL-terminated, is followed by bytes of no meaning. Returns the key's length,
/// HPD_ERR_NULL, HPD_ERR_INVALID for what is not a number of DynamoDB's (up to 38 digits; 0, or a
/// magnitude of 1E-130 to 9.99...E+125), or HPD_ERR_UNSUPPORTED (from a library built without
/// this); after an error nothing is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_number_key(number: *const c_char, number_len: usize, out: *mut c_char) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises; characters have any alignment.
        let (number, out) = unsafe {
            (
                text(Argument::Number, number, number_len)?,
                Out::new(Output, out.cast::<[u8; HPD_NUMBER_KEY_MAX]>())?,
            )
        };
        let mut key = [0; HPD_NUMBER_KEY_MAX];
        let len = imp::number_key(number, &mut key)?;
        out.write(key);
        Ok(len)
    })
}

/// Rewrites a request's JSON so that DynamoDB's answer tells the capacity that the request took,
/// which HPD_FLAG_CAPACITY counts. It sets the request's ReturnConsumedCapacity to "INDEXES" if
/// that is absent or "NONE". operation and request are as in an hpd_exchange, before the request is
/// signed and sent. Returns 1, and *out is the request to send, to be freed by hpd_text_free; or 0
/// if it is to be sent as it is, because it asks already, its operation has no such parameter, or
/// it is no JSON object. *out is untouched then, and after HPD_ERR_NULL, HPD_ERR_INVALID,
/// HPD_ERR_UNSUPPORTED (from a library built without this) or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_ask_capacity(
    operation: *const c_char,
    operation_len: usize,
    request: *const c_char,
    request_len: usize,
    out: *mut *mut hpd_text,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (operation, request, out) = unsafe {
            (
                text(Argument::ApiOperation, operation, operation_len)?,
                text(Argument::Request, request, request_len)?,
                Out::new(Output, out)?,
            )
        };
        let Some(asking) = imp::ask_capacity(operation, request)? else { return Ok(0) };
        hpd_text::give(asking, out)?;
        Ok(1)
    })
}

#[cfg(not(feature = "dynamodb"))]
mod imp {
    use crate::ffi::dynamodb::*;

    pub(super) fn number_key(_: &[u8], _: &mut [u8; HPD_NUMBER_KEY_MAX]) -> Result<i32, Refused> {
        Err(Refused::of(HPD_ERR_UNSUPPORTED))
    }

    pub(super) fn ask_capacity(_: &[u8], _: &[u8]) -> Result<Option<String>, Refused> {
        Err(Refused::of(HPD_ERR_UNSUPPORTED))
    }
}

#[cfg(feature = "dynamodb")]
mod imp {
    use crate::dynamodb::{ask, number};
    use crate::ffi::dynamodb::*;

    const _: () = assert!(HPD_NUMBER_KEY_MAX == number::KEY_MAX);

    /// Writes the key; returns its length.
    pub(super) fn number_key(text: &[u8], key: &mut [u8; HPD_NUMBER_KEY_MAX]) -> Result<i32, Refused> {
        let text = std::str::from_utf8(text).ok();
        let plain = text.and_then(number::plain).ok_or(Refused::invalid(Argument::Number))?;
        let written = key.iter_mut().zip(plain).map(|(to, digit)| *to = digit);
        Ok(written.count() as i32)
    }

    pub(super) fn ask_capacity(operation: &[u8], request: &[u8]) -> Result<Option<String>, Refused> {
        Ok(ask::ask_capacity(operation, request)?)
    }
}
