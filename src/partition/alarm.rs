//! The alarm of a partition: it lets at most one record an interval warn, for each operation.
//!
//! ```text
//! warned       when the last warning was won, in ms, plus 1; 0: never
//! suppressed   the hot records since then that gave none
//! ```
//!
//! A hot record whose time is an interval after `warned` tries to swap its own time in. Of several
//! at once one wins, and takes `suppressed` along. All others add 1 to `suppressed`. So each hot
//! record either is a warning or is counted by the next one, if there is one.
//!
//! An example, with an interval of 60 s: hot records at 5.0 s, 5.1 s, 30 s and 65 s. The first
//! warns, with 0 suppressed. The next two are counted. The last one warns, with 2 suppressed.
//!
//! Where memory is bounded an alarm also knows which part of a count may be other partitions': the
//! *carry* of a promotion (see [`crate::ledger::filtering`]). It has nothing to do with the
//! interval. It is here because only promoted partitions have it, and those have an alarm from the
//! first.
//!
//! **Proof.** `src/models/ledger.rs` (h), and `tests/warnings.rs`.

use crate::operation::Operation;
use crate::sys::sync::{AcqRel, Acquire, AtomicU32, AtomicU64, Relaxed};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use std::ptr::NonNull;

/// The warning state of a partition that has been hot, or may soon be.
pub(crate) struct Alarm {
    sides: [Side; 2],
    /// The amounts that were added when the partition was promoted, and that may be other
    /// partitions' or older than the second they were put in.
    carried: [AtomicU32; 2],
    /// The second in which the last of those was added.
    carried_at: AtomicU32,
    #[cfg(loom)]
    pub(crate) watch: Watch,
}

/// The warning state of one operation.
struct Side {
    /// The time in ms at which the last warning was won, plus one; 0: none was.
    warned: AtomicU64,
    /// The hot records since then that gave no warning.
    suppressed: AtomicU64,
}

impl Alarm {
    /// Makes an alarm that has never rung.
    pub(crate) fn new() -> Self {
        Self {
            sides: std::array::from_fn(|_| Side { warned: AtomicU64::new(0), suppressed: AtomicU64::new(0) }),
            carried: std::array::from_fn(|_| AtomicU32::new(0)),
            carried_at: AtomicU32::new(0),
            #[cfg(loom)]
            watch: Watch::new(Kind::Alarm),
        }
    }

    /// Frees an alarm.
    ///
    /// # Safety
    /// `alarm` came from a box, and no thread uses it any more.
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

    /// Notes that `amount` is about to be added at `second`, and may be other partitions' or older.
    /// Called before the addition, so that no thread takes it for the partition's own.
    pub(crate) fn carry(&self, operation: Operation, amount: u32, second: u32) {
        self.carried_at.fetch_max(second, AcqRel);
        self.carried[operation.index()].fetch_add(amount, AcqRel);
    }

    /// Returns how much of the count of the `seconds` that end with `now` may be other partitions'
    /// or older.
    pub(crate) fn carried(&self, operation: Operation, now: u32, seconds: u32) -> u32 {
        let carried = self.carried[operation.index()].load(Acquire);
        let is_over = u64::from(self.carried_at.load(Acquire)) + u64::from(seconds) <= u64::from(now);
        if is_over { 0 } else { carried }
    }

    /// Asks to warn for a hot record. `Some(n)`: the record warns, and `n` hot records before it
    /// did not. `None`: it is counted among those of the next warning.
    pub(crate) fn ring(&self, operation: Operation, now_ms: u64, interval_ms: u64) -> Option<u64> {
        let side = &self.sides()[operation.index()];
        let mut warned = side.warned.load(Acquire);
        while due(warned, now_ms, interval_ms) {
            // Plus one: 0 stands for never.
            match side.warned.compare_exchange(warned, now_ms + 1, AcqRel, Acquire) {
                Ok(_) => return Some(side.suppressed.swap(0, AcqRel)),
                Err(actual) => warned = actual,
            }
        }
        // Another record has won, or the interval is not over.
        self.hold(operation);
        None
    }

    /// Counts a hot record as suppressed.
    pub(crate) fn hold(&self, operation: Operation) {
        self.sides()[operation.index()].suppressed.fetch_add(1, Relaxed);
    }

    /// Returns whether both operations could warn at once, so that forgetting this alarm changes
    /// nothing.
    pub(crate) fn quiet(&self, now_ms: u64, interval_ms: u64) -> bool {
        self.sides().iter().all(|side| due(side.warned.load(Acquire), now_ms, interval_ms))
    }
}

/// Returns whether a warning won at `warned` is an interval ago.
fn due(warned: u64, now_ms: u64, interval_ms: u64) -> bool {
    warned == 0 || now_ms.saturating_sub(warned - 1) >= interval_ms
}
