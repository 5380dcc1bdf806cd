//! Crossing between C and Rust: the panic boundary, texts and codes that come in, values and
//! structs that go out. An argument from C becomes a Rust value or a refusal.
//!
//! A struct's size is its version. A caller built with another version says how large its struct is
//! ([`Versioned`]). A smaller struct lacks fields, which are read as zeros and not written. A
//! larger one must be zero where this version knows nothing.
//!
//! ```text
//! the caller's struct     | size | fields of version 1 | fields of 0.2 |
//! this library's          | size | fields of version 1 | fields of 0.2 | fields of 0.3 |
//!                                                                       read as zeros
//! ```

use crate::argument::Argument;
use crate::ffi::status::{HPD_ERR_INTERNAL, Refused};
use std::ffi::{CStr, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

/// Runs a call. This is the one panic boundary: a panic in `call` ends here, as HPD_ERR_INTERNAL.
/// A refusal becomes its code, and is kept for `hpd_error_argument`.
pub(crate) fn boundary<T: From<i32>>(call: impl FnOnce() -> Result<T, Refused>) -> T {
    // A refusal becomes its code in here, so that a number is handed out, which stays in a
    // register.
    let status = || call().unwrap_or_else(|refused| refused.keep().into());
    catch_unwind(AssertUnwindSafe(status)).unwrap_or_else(|_| Refused::of(HPD_ERR_INTERNAL).keep().into())
}

/// Returns the code of a refusal, as [`boundary`] does. It is a function of its own, so that calls
/// that succeed do not carry its code.
#[cold]
#[inline(never)]
pub(crate) fn refuse(refused: Refused) -> i64 {
    boundary(|| Err(refused))
}

/// Returns a count as C has it.
pub(crate) fn count(count: Result<u64, crate::Error>) -> Result<i64, Refused> {
    // A window's slots add up to less than 2⁴².
    Ok(count? as i64)
}

/// Borrows a text that has a length. A refusal names `argument`.
///
/// # Safety
/// A non-null `text` is valid for `len` bytes through `'a`.
#[inline(always)]
pub(crate) unsafe fn text<'a>(
    argument: Argument,
    text: *const c_char,
    len: usize,
) -> Result<&'a [u8], Refused> {
    match (text.is_null(), len) {
        (true, 0) => Ok(&[]),
        (true, _) => Err(Refused::null(argument)),
        // No text of ours is nearly as long, and a slice could not be either.
        (false, len) if len > isize::MAX as usize => Err(Refused::invalid(argument)),
        // SAFETY: as the caller promises.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(text.cast(), len) }),
    }
}

/// Borrows a text that ends in NUL. A refusal names `argument`.
///
/// # Safety
/// A non-null `text` ends in NUL and lives through `'a`.
pub(crate) unsafe fn text_z<'a>(argument: Argument, text: *const c_char) -> Result<&'a [u8], Refused> {
    if text.is_null() {
        return Err(Refused::null(argument));
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// Returns a pointer to text for C, which is never null.
pub(crate) fn pointer(text: &[u8]) -> *const c_char {
    if text.is_empty() { c"".as_ptr() } else { text.as_ptr().cast() }
}

/// A place where a call writes one value for its caller.
#[derive(Clone, Copy)]
pub(crate) struct Out<T>(NonNull<T>);

impl<T> Out<T> {
    /// Takes a pointer from C; NULL is refused.
    ///
    /// # Safety
    /// A non-null `out` is valid for writes as long as this is used.
    pub(crate) unsafe fn new(argument: Argument, out: *mut T) -> Result<Self, Refused> {
        NonNull::new(out).map(Self).ok_or(Refused::null(argument))
    }

    /// Writes the value, over whatever was there.
    pub(crate) fn write(self, value: T) {
        // SAFETY: as the caller of `new` promised.
        unsafe { self.0.write(value) }
    }
}

/// A struct of the header whose later versions append fields.
///
/// # Safety
/// It is plain data that may be all zeros.
pub(crate) unsafe trait Versioned: Copy {
    /// Its size in version 1 of the header.
    const FIRST_SIZE: usize;
    /// The refusal of a size smaller than version 1's.
    const TOO_SMALL: Argument = Argument::StructSize;
    /// The refusal of a larger size than is known, with something in it.
    const TOO_LARGE: Argument = Argument::NewerStruct;
}

/// Returns the size that a struct says it has, unchecked. It comes first in every version.
///
/// # Safety
/// A non-null `sized` is valid for a read of its size, at any alignment.
#[inline(always)]
unsafe fn struct_size<T: Versioned>(argument: Argument, sized: *const T) -> Result<usize, Refused> {
    if sized.is_null() {
        return Err(Refused::null(argument));
    }
    // SAFETY: as the caller promises.
    Ok(unsafe { sized.cast::<usize>().read_unaligned() })
}

/// Checks a struct that its caller says has `size` bytes. It may be older than this library's, but
/// not than version 1. It may be newer, if the fields that are unknown here are zero.
///
/// # Safety
/// `from` is valid for `size` bytes, at any alignment.
#[inline(always)]
pub(crate) unsafe fn check_size<T: Versioned>(from: *const T, size: usize) -> Result<(), Refused> {
    if size < T::FIRST_SIZE || size > isize::MAX as usize {
        return Err(Refused::invalid(T::TOO_SMALL));
    }
    let own = size_of::<T>().min(size);
    // SAFETY: as the caller promises.
    let tail = unsafe { std::slice::from_raw_parts(from.cast::<u8>().add(own), size - own) };
    if tail.iter().any(|&byte| byte != 0) { Err(Refused::unsupported(T::TOO_LARGE)) } else { Ok(()) }
}

/// Reads a struct of `size` bytes; the fields that an older one lacks are zero.
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

/// Reads a struct that says its own size.
///
/// # Safety
/// A non-null `from` is valid for the bytes that it says it has, at any alignment.
#[inline(always)]
pub(crate) unsafe fn read_sized<T: Versioned>(argument: Argument, from: *const T) -> Result<T, Refused> {
    // SAFETY: as the caller promises.
    unsafe { read(from, struct_size(argument, from)?) }
}

/// Writes as much of a struct as its reader knows, and returns how many bytes that is.
///
/// # Safety
/// `to` is valid for writes of `size` bytes, at any alignment.
pub(crate) unsafe fn write<T: Versioned>(to: *mut T, size: usize, whole: &T) -> usize {
    let known = size.min(size_of::<T>());
    // SAFETY: as the caller promises; a `T` has so many bytes.
    unsafe { to.cast::<u8>().copy_from_nonoverlapping((&raw const *whole).cast(), known) };
    known
}

/// A place where a call fills in a struct, as much of it as the caller knows.
pub(crate) struct Room<T> {
    to: *mut T,
    size: usize,
}

impl<T: Versioned> Room<T> {
    /// Checks the struct's size, which its caller has set.
    ///
    /// # Safety
    /// A non-null `to` is valid for the bytes that it says it has, at any alignment, as long as
    /// this is used.
    pub(crate) unsafe fn new(argument: Argument, to: *mut T) -> Result<Self, Refused> {
        // SAFETY: as the caller promises.
        unsafe {
            let size = struct_size(argument, to)?;
            check_size(to, size)?;
            Ok(Self { to, size })
        }
    }

    /// Writes the struct that `whole` makes, given the caller's size, up to that size.
    pub(crate) fn fill(self, whole: impl FnOnce(usize) -> T) {
        // SAFETY: as the caller of `new` promised.
        unsafe { write(self.to, self.size, &whole(self.size)) };
    }
}
