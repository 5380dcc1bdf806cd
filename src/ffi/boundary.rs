//! The boundary between the C ABI and the Rust API: what a C caller hands in becomes a reference or a
//! refusal, and what unwinds stops here.

use crate::detector::Detector;
use crate::ffi::status::{HPD_ERR_INTERNAL, NULL, Refused, hpd_detector};
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
