//! Who warns: at most one record an interval, for each partition and operation.

use crate::operation::Operation;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64, Relaxed};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use std::ptr::NonNull;

/// The warning state of a partition that has been hot.
pub(crate) struct Alarm {
    sides: [Side; 2],
    #[cfg(loom)]
    pub(crate) watch: Watch,
}

struct Side {
    /// When the last warning was won, in ms, plus one; 0 if none was.
    warned: AtomicU64,
    /// Hot records since then that gave no warning.
    suppressed: AtomicU64,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self {
            sides: std::array::from_fn(|_| Side { warned: AtomicU64::new(0), suppressed: AtomicU64::new(0) }),
            #[cfg(loom)]
            watch: Watch::new(Kind::Alarm),
        }
    }

    /// # Safety
    /// `alarm` came from a box, and nobody uses it any more.
    pub(crate) unsafe fn destroy(alarm: NonNull<Alarm>) {
        #[cfg(loom)]
        // SAFETY: as the caller promises, it is there still.
        if unsafe { alarm.as_ref() }.watch.free() {
            return;
        }
        // SAFETY: as the caller promises.
        drop(unsafe { Box::from_raw(alarm.as_ptr()) });
    }

    #[inline(always)]
    fn sides(&self) -> &[Side; 2] {
        #[cfg(loom)]
        self.watch.touch();
        &self.sides
    }

    /// A hot record asks to warn. `Some(n)`: it does, and `n` hot records before it did not.
    /// `None`: it is counted among those of the next warning.
    pub(crate) fn ring(&self, operation: Operation, now_ms: u64, interval_ms: u64) -> Option<u64> {
        let side = &self.sides()[operation.index()];
        let mut warned = side.warned.load(Acquire);
        while due(warned, now_ms, interval_ms) {
            match side.warned.compare_exchange(warned, now_ms + 1, AcqRel, Acquire) {
                Ok(_) => return Some(side.suppressed.swap(0, AcqRel)),
                Err(actual) => warned = actual,
            }
        }
        self.hold(operation);
        None
    }

    /// Counts a hot record that nobody is there to be warned by.
    pub(crate) fn hold(&self, operation: Operation) {
        self.sides()[operation.index()].suppressed.fetch_add(1, Relaxed);
    }

    /// Whether both operations could warn at once, so that forgetting this alarm changes nothing.
    pub(crate) fn quiet(&self, now_ms: u64, interval_ms: u64) -> bool {
        self.sides().iter().all(|side| due(side.warned.load(Acquire), now_ms, interval_ms))
    }
}

fn due(warned: u64, now_ms: u64, interval_ms: u64) -> bool {
    warned == 0 || now_ms.saturating_sub(warned - 1) >= interval_ms
}
