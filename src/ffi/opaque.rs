//! The handles that C holds. Each opaque C type names a Rust type that lives in a box of its own;
//! this trait is the one place where such a box becomes a pointer, and the pointer a box again.
//!
//! (rustls-ffi calls its trait of the kind `Castable`.)

use crate::argument::Argument;
use crate::ffi::boundary::{Out, boundary};
use crate::ffi::status::{HPD_OK, Refused};
use crate::sys::memory::try_box;

/// An opaque type of the header. Every pointer to one is null or came from [`Opaque::handle`], so
/// it points to a boxed [`Opaque::Rust`].
pub(crate) trait Opaque: Sized {
    /// The Rust type to which a pointer to the C type points.
    type Rust: 'static;

    /// The argument that a refusal of null names.
    const ARGUMENT: Argument;

    /// Borrows what a handle stands for.
    ///
    /// # Safety
    /// A non-null `handle` came from [`Opaque::handle`] and is not freed during `'a`.
    unsafe fn as_ref<'a>(handle: *const Self) -> Result<&'a Self::Rust, Refused> {
        // SAFETY: as the caller promises; `handle` made the pointer from a box of this type.
        unsafe { handle.cast::<Self::Rust>().as_ref() }.ok_or_else(|| Refused::null(Self::ARGUMENT))
    }

    /// Boxes a value, and writes its handle to `out`; writes nothing if there is no memory.
    fn give(value: Self::Rust, out: Out<*mut Self>) -> Result<i32, Refused> {
        out.write(Self::handle(Some(try_box(value)?)));
        Ok(HPD_OK)
    }

    /// Turns a box into a handle, which [`Opaque::free`] frees; no box into null.
    fn handle(boxed: Option<Box<Self::Rust>>) -> *mut Self {
        boxed.map_or(std::ptr::null_mut(), |boxed| Box::into_raw(boxed).cast())
    }

    /// Frees what a handle stands for; does nothing for null.
    ///
    /// # Safety
    /// As for [`Opaque::as_ref`], and the handle is not used again.
    unsafe fn free(handle: *mut Self) {
        boundary(|| {
            if !handle.is_null() {
                // SAFETY: as the caller promises; `handle` made the pointer from a box of this type.
                drop(unsafe { Box::from_raw(handle.cast::<Self::Rust>()) });
            }
            Ok(HPD_OK)
        });
    }
}
