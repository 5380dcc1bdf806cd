//! The warnings that the calling thread's records give.

use crate::scenario::{Key, Kind};
use hotpart::ffi::{HPD_WRITE, hpd_warning};
use std::cell::RefCell;
use std::ffi::c_void;

/// A warning, without what the explorer chose itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heard {
    pub key: Key,
    pub kind: Kind,
    pub count: u64,
    pub threshold: u64,
    pub suppressed: u64,
    pub peak: u64,
}

thread_local! {
    static HEARD: RefCell<Vec<Heard>> = const { RefCell::new(Vec::new()) };
}

impl Heard {
    /// # Safety
    /// The warning's key is valid for its length.
    pub unsafe fn read(warning: &hpd_warning) -> Self {
        // SAFETY: as the caller promises.
        let pk = unsafe { std::slice::from_raw_parts(warning.pk.cast::<u8>(), warning.pk_len) };
        Self {
            key: crate::field::number(pk),
            kind: if warning.operation == HPD_WRITE { Kind::Write } else { Kind::Read },
            count: warning.count,
            threshold: warning.threshold,
            suppressed: warning.suppressed,
            peak: warning.peak,
        }
    }
}

/// The callback of every detector here.
///
/// # Safety
/// As the header says of callbacks.
pub unsafe extern "C" fn hear(_: *mut c_void, warning: *const hpd_warning) {
    // SAFETY: the library's warning and its texts live during the call.
    let heard = unsafe { Heard::read(&*warning) };
    HEARD.with_borrow_mut(|all| all.push(heard));
}

/// The warnings that the calling thread has heard since it last asked.
pub fn take() -> Vec<Heard> {
    HEARD.take()
}
