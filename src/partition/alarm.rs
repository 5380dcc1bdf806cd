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
//! *carry* of a promotion (see [`crate::ledger::filtering`]), and of records that are late. It has
//! nothing to do with the interval. It is here because only promoted partitions have it, and those
//! have an alarm from the first.
//!
//! ```text
//!  63            32  31   30             0
//! +----------------+------+---------------+    second   in which the last of it was added
//! |     second     | anew |    amount     |    anew     what was carried before was over by then
//! +----------------+------+---------------+
//! ```
//!
//! An example: a promotion in second 0 carries 124, with a window of 60 seconds. In second 170 a
//! late record carries 5. The 124 are over, so 5 are carried, anew. A thread that read the clock in
//! second 50, and stands still until then, takes all of its count for carried.
//!
//! **Proof.** `src/models/ledger.rs` (h), and `tests/warnings.rs`.

use crate::operation::Operation;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64, Relaxed};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use std::ptr::NonNull;

/// The warning state of a partition that has been hot, or may soon be.
pub(crate) struct Alarm {
    sides: [Side; 2],
    /// By operation, the amount that was added when the partition was promoted, or late, and that
    /// may be other partitions' or older than the second it was put in. A [`Carry`].
    carried: [AtomicU64; 2],
    #[cfg(loom)]
    pub(crate) watch: Watch,
}

/// An amount that may be other partitions' or older, and its second.
#[derive(Clone, Copy)]
struct Carry(u64);

/// The flag that what was carried before was over when this amount was added.
const ANEW: u64 = 1 << 31;

impl Carry {
    fn second(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn amount(self) -> u32 {
        (self.0 & (ANEW - 1)) as u32
    }

    /// Returns whether it is in none of the `seconds` that end with `now`.
    fn is_over(self, now: u32, seconds: u32) -> bool {
        u64::from(self.second()) + u64::from(seconds) <= u64::from(now)
    }

    /// Returns it with an amount more, added at `second`. What is in none of the `seconds` that end
    /// there is dropped.
    fn with(self, amount: u32, second: u32, seconds: u32) -> Self {
        let is_dropped = self.amount() > 0 && self.is_over(second, seconds);
        let (before, anew) = if is_dropped { (0, ANEW) } else { (self.amount(), self.0 & ANEW) };
        let amount = u64::from(before + amount.min(CARRY_MOST)).min(CARRY_MOST.into());
        Self(u64::from(self.second().max(second)) << 32 | anew | amount)
    }
}

/// The most that is carried: with an amount on top it fits the word.
const CARRY_MOST: u32 = 1 << 30;

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
            carried: std::array::from_fn(|_| AtomicU64::new(0)),
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
    /// Called before the addition, so that no thread takes it for the partition's own. A count is
    /// of `seconds` at most.
    pub(crate) fn carry(&self, operation: Operation, amount: u32, second: u32, seconds: u32) {
        let with = |word| Some(Carry(word).with(amount, second, seconds).0);
        let _ = self.carried[operation.index()].fetch_update(AcqRel, Acquire, with);
    }

    /// Notes that what was just carried has come into a later second.
    pub(crate) fn carry_until(&self, operation: Operation, second: u32) {
        self.carry(operation, 0, second, u32::MAX);
    }

    /// Returns how much of the count of the `seconds` that end with `now` may be other partitions'
    /// or older. `None`: all of it may, as this thread has stood still, and what was carried at its
    /// moment is not known any more.
    pub(crate) fn carried(&self, operation: Operation, now: u32, seconds: u32) -> Option<u32> {
        let carry = Carry(self.carried[operation.index()].load(Acquire));
        if carry.0 & ANEW != 0 && now < carry.second() {
            return None;
        }
        Some(if carry.is_over(now, seconds) { 0 } else { carry.amount() })
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// The 124 came back with each late record, until that was over too.
    #[test]
    fn a_carry_that_is_over_does_not_come_back() {
        let alarm = Alarm::new();
        let carried = |now| alarm.carried(Operation::Write, now, 61);
        alarm.carry(Operation::Write, 124, 0, 61);
        alarm.carry(Operation::Write, 1, 60, 61);
        assert_eq!([60, 120, 121].map(carried), [125, 125, 0].map(Some));
        alarm.carry(Operation::Write, 5, 170, 61);
        assert_eq!([169, 170, 230, 231].map(carried), [None, Some(5), Some(5), Some(0)]);
        assert_eq!(alarm.carried(Operation::Read, 170, 61), Some(0));
        alarm.carry_until(Operation::Write, 300);
        assert_eq!(carried(360), Some(5));
    }

    #[test]
    fn a_carry_never_wraps() {
        let alarm = Alarm::new();
        for amount in [u32::MAX, 1 << 30, 1] {
            alarm.carry(Operation::Read, amount, 7, 61);
            assert_eq!(alarm.carried(Operation::Read, 7, 61), Some(CARRY_MOST));
        }
    }
}
