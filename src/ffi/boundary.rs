//! The boundary between the C ABI and the Rust API: what a C caller hands in becomes a reference or a
//! refusal, and what unwinds stops here.

use crate::detector::Detector;
use crate::ffi::detector::hpd_detector;
use crate::ffi::record::{HPD_READ, HPD_WRITE};
use crate::ffi::status::{HPD_ERR_INTERNAL, INVALID, NULL, Refused, UNSUPPORTED};
use crate::operation::Operation;
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The one panic boundary: what unwinds in here ends here.
pub(crate) fn boundary<T: From<i32>>(call: impl FnOnce() -> Result<T, Refused>) -> T {
    catch_unwind(AssertUnwindSafe(call))
        .unwrap_or(Err(Refused(HPD_ERR_INTERNAL)))
        .unwrap_or_else(|Refused(code)| code.into())
}

/// # Safety
/// A non-null `detector` came from `hpd_new` and has not been freed.
pub(crate) unsafe fn detector_of<'a>(detector: *const hpd_detector) -> Result<&'a Detector, Refused> {
    // SAFETY: as the caller promises; `publish` made the pointer from a box of this type.
    unsafe { detector.cast::<Detector>().as_ref() }.ok_or(NULL)
}

pub(crate) fn count(count: Result<u64, crate::Error>) -> Result<i64, Refused> {
    // A window's slots add up to less than 2⁴².
    Ok(count? as i64)
}

#[inline(always)]
pub(crate) fn operation(code: i32) -> Result<Operation, Refused> {
    match code {
        HPD_WRITE => Ok(Operation::Write),
        HPD_READ => Ok(Operation::Read),
        _ => Err(INVALID),
    }
}

/// # Safety
/// A non-null `text` is valid for `len` bytes through `'a`.
#[inline(always)]
pub(crate) unsafe fn text<'a>(text: *const c_char, len: usize) -> Result<&'a [u8], Refused> {
    match (text.is_null(), len) {
        (true, 0) => Ok(&[]),
        (true, _) => Err(NULL),
        // No text of ours is nearly as long; a slice could not be either.
        (false, len) if len > isize::MAX as usize => Err(INVALID),
        // SAFETY: as the caller promises.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(text.cast(), len) }),
    }
}

/// # Safety
/// A non-null `text` ends in NUL and lives through `'a`.
pub(crate) unsafe fn text_z<'a>(text: *const c_char) -> Result<&'a [u8], Refused> {
    if text.is_null() {
        return Err(NULL);
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A pointer to text for C, never null.
pub(crate) fn pointer(text: &[u8]) -> *const c_char {
    if text.is_empty() { c"".as_ptr() } else { text.as_ptr().cast() }
}

/// A struct of the header, of which zeros are a valid one. Later versions append fields.
///
/// # Safety
/// It is plain data that may be all zeros.
pub(crate) unsafe trait Versioned: Copy {
    /// What it took in version 1 of the header.
    const FIRST_SIZE: usize;
}

/// Checks a struct that its caller says has `size` bytes: it may be older than this library's, but not than version 1;
/// or newer, which is fine while what is unknown here is zero.
///
/// # Safety
/// `from` is valid for `size` bytes, at any alignment.
#[inline(always)]
pub(crate) unsafe fn check_size<T: Versioned>(from: *const T, size: usize) -> Result<(), Refused> {
    if size < T::FIRST_SIZE || size > isize::MAX as usize {
        return Err(INVALID);
    }
    let own = size_of::<T>().min(size);
    // SAFETY: as the caller promises.
    let tail = unsafe { std::slice::from_raw_parts(from.cast::<u8>().add(own), size - own) };
    if tail.iter().any(|&byte| byte != 0) { Err(UNSUPPORTED) } else { Ok(()) }
}

/// The size of a struct to be written, which its caller has put first, once it has been checked.
///
/// # Safety
/// A non-null `of` is valid for the bytes that it says it has.
pub(crate) unsafe fn struct_size<T: Versioned>(of: *const T) -> Result<usize, Refused> {
    if of.is_null() {
        return Err(NULL);
    }
    // SAFETY: as the caller promises; the size comes first in every version.
    unsafe {
        let size = of.cast::<usize>().read_unaligned();
        check_size(of, size)?;
        Ok(size)
    }
}

/// Reads such a struct; what an older one lacks is zero.
///
/// # Safety
/// As for [`check_size`].
#[inline(always)]
pub(crate) unsafe fn read<T: Versioned>(from: *const T, size: usize) -> Result<T, Refused> {
    // SAFETY: as the caller promises. No more is read than there is, and zeros are a valid `T`.
    unsafe {
        check_size(from, size)?;
        if size >= size_of::<T>() {
            return Ok(from.read_unaligned());
        }
        let mut whole = std::mem::MaybeUninit::<T>::zeroed();
        whole.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(from.cast(), size);
        Ok(whole.assume_init())
    }
}

/// Writes as much of a struct as its reader knows, and returns how much that is.
///
/// # Safety
/// `to` is valid for writes of `size` bytes, at any alignment.
pub(crate) unsafe fn write<T: Versioned>(to: *mut T, size: usize, whole: &T) -> usize {
    let known = size.min(size_of::<T>());
    // SAFETY: as the caller promises; a `T` has so many bytes.
    unsafe { to.cast::<u8>().copy_from_nonoverlapping((&raw const *whole).cast(), known) };
    known
}
