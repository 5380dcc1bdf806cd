//! The head of a series: its current second and, in the same atomic, the sum of the whole window.
//!
//! ```text
//!  63            32 31  30               0
//! +----------------+---+------------------+
//! |     second     | F |      total       |     F: frozen, the partition has moved or gone
//! +----------------+---+------------------+
//!
//! total = base + own
//!   base   the slots of the window before this second, added up
//!   own    the amounts of this second so far
//! ```
//!
//! A count must be known with every record, and a sum over 60 slots at every record would be slow.
//! So the sum is kept where the record adds: the `fetch_add` returns it, and no other memory is
//! touched.
//!
//! The base is a function of the head's second alone (see [`crate::partition::series`]). So it is
//! kept nowhere. A thread that closes the second adds those slots up once more, and the rest of the
//! total is the second's own.
//!
//! An example: in a window of 60 the slots before second 100 add up to 40. The head begins as (100,
//! 41) with the first record of 1. Two records later it is (100, 43). When second 100 closes, the
//! slots still add up to 40, so its own slot is 3.
//!
//! | head | second | total | F | an add |
//! |---|---|---|---|---|
//! | empty | 0 | 0 | no | turns it without a put; in second 0 it just adds |
//! | in use | s | 1 and up | no | adds, if its clock says s or earlier; else it turns the head |
//! | full | s | over `ROOM` | no | saturates, by a compare-and-swap |
//! | frozen | s | of no use | yes | counts for nothing; the partition is looked for again |

use crate::partition::slot::{self, MOST};
use crate::sys::stamped::Stamped;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};

/// The bit F.
const FROZEN: u64 = 1 << 31;

/// The least sum that is not kept in the total. The base is then 0, and the partition is marked
/// *heavy*.
#[cfg(not(loom))]
pub(crate) const BASE_LIMIT: u64 = 1 << 29;
/// In models a handful is heavy.
#[cfg(loom)]
pub(crate) const BASE_LIMIT: u64 = 1 << 10;

/// The highest total at which an add is a plain `fetch_add`.
///
/// Should other threads fill the head up between the look and the add, the total goes past its
/// most, which is under 2²⁹ + 2³⁰. Were every thread that a kernel can have (Linux: 2²²) to stop
/// just there, the total would end under that + 2²² · 2⁷ = 2³¹. So nothing carries into F.
const ROOM: u32 = MOST - SMALL - NEAR as u32;
/// The largest amount that is added blindly.
const SMALL: u32 = 1 << 7;
/// The amount that other threads may add between the look and the add without another look.
const NEAR: u64 = 1 << 20;

/// The value of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head(u64);

impl Head {
    /// The head of an operation that was never recorded.
    pub(crate) const EMPTY: Head = Head(0);

    /// Makes the head of `second`, in which `own` has been added on top of `base`.
    pub(crate) fn new(second: u32, base: u32, own: u32) -> Self {
        Self(Stamped { second, value: base + own.min(MOST) }.pack())
    }

    /// Returns the second in which the head stands.
    #[inline(always)]
    pub(crate) fn second(self) -> u32 {
        Stamped::unpack(self.0).second
    }

    /// Returns base and own amounts together, without F.
    #[inline(always)]
    pub(crate) fn total(self) -> u32 {
        (self.0 & (FROZEN - 1)) as u32
    }

    /// Returns whether F is set: an add to this head counts for nothing.
    #[inline(always)]
    pub(crate) fn is_frozen(self) -> bool {
        self.0 & FROZEN != 0
    }

    /// Returns whether this is a head of `second` that can still turn to another.
    ///
    /// One comparison covers second and F. A frozen head keeps its second for ever, so its second
    /// alone says nothing.
    pub(crate) fn is_live_at(self, second: u32) -> bool {
        self.0 >> FROZEN.trailing_zeros() == u64::from(second) << 1
    }

    /// Returns whether the operation was never recorded.
    pub(crate) fn is_empty(self) -> bool {
        self.total() == 0
    }

    /// Returns whether nothing is left in the window that ends at `second`.
    pub(crate) fn idle(self, second: u32, window: u32) -> bool {
        self.is_empty() || slot::expired(self.second(), second, window)
    }

    /// Returns whether the head's second is over at `second` and still in the window that ends
    /// there, and the head is neither empty nor frozen.
    #[inline(always)]
    pub(crate) fn is_over(self, second: u32, window: u32) -> bool {
        // One comparison for each: a later second, and no total or F, make larger numbers.
        let age = u64::from(second).wrapping_sub(self.second().into());
        age.wrapping_sub(1) < window.into() && (self.0 as u32).wrapping_sub(1) < FROZEN as u32 - 1
    }

    /// Returns whether `amount` may be added blindly: the head is one of `second`, and neither
    /// frozen nor near its most.
    #[inline(always)]
    pub(crate) fn takes(self, amount: u32, second: u32) -> bool {
        // One comparison: another second, or F, makes a larger difference.
        self.0.wrapping_sub(Head::new(second, 0, 0).0) <= u64::from(ROOM) && amount <= SMALL
    }

    /// Returns whether this is the head that was `seen`, or that head with a little added since. An
    /// amount that [`Head::takes`] allowed for `seen` then fits here too. (Another second, or F,
    /// makes a larger difference.)
    #[inline(always)]
    pub(crate) fn is_near(self, seen: Self) -> bool {
        self.0.wrapping_sub(seen.0) <= NEAR
    }

    /// Returns the amount of the head's own second, on top of `base`. It is 0 only for an operation
    /// that was never recorded, as a second begins with an amount.
    pub(crate) fn own(self, base: u32) -> u32 {
        debug_assert!(self.total() > base || self.is_empty() && base == 0, "{self:?} on a base of {base}");
        self.total().saturating_sub(base).min(MOST)
    }
}

/// A head that threads share.
#[derive(Debug)]
pub(crate) struct AtomicHead(AtomicU64);

impl AtomicHead {
    pub(crate) fn new(head: Head) -> Self {
        Self(AtomicU64::new(head.0))
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> Head {
        Head(self.0.load(Acquire))
    }

    /// Adds blindly, and returns what was there before. That may be a later second than the caller
    /// saw, or a frozen head, in which the amount counts for nothing.
    #[inline(always)]
    pub(crate) fn add(&self, amount: u32) -> Head {
        Head(self.0.fetch_add(amount.into(), AcqRel))
    }

    /// Puts `new` where exactly `seen` still is. Returns whether it was.
    pub(crate) fn replace(&self, seen: Head, new: Head) -> bool {
        self.0.compare_exchange(seen.0, new.0, AcqRel, Acquire).is_ok()
    }

    /// Freezes the head, and returns what it held just before. All threads that freeze it return
    /// the same.
    ///
    /// Each thread raises `frozen_head` to the value that it saw, and then swaps exactly that value
    /// for the same with F. Until the swap that succeeds the head only rises, so `frozen_head` then
    /// holds what was frozen. (A full head may be lowered; all its values read as saturated.) An
    /// add that comes later finds F in what it returns, and is in no copy.
    pub(crate) fn freeze_agreed(&self, frozen_head: &AtomicU64) -> Head {
        let mut seen = self.load();
        while !seen.is_frozen() {
            // Raised before the swap: a thread that finds F then finds the value here.
            frozen_head.fetch_max(seen.0, AcqRel);
            match self.0.compare_exchange(seen.0, seen.0 | FROZEN, AcqRel, Acquire) {
                Ok(_) => break,
                // An add came between: its value is raised and tried next.
                Err(actual) => seen = Head(actual),
            }
        }
        Head(frozen_head.load(Acquire))
    }

    /// Makes every later add count for nothing, and returns what the head held just before. Only
    /// one thread may freeze a head so, as it agrees with no other.
    pub(crate) fn freeze_alone(&self) -> Head {
        let held = Head(self.0.fetch_or(FROZEN, AcqRel));
        debug_assert!(!held.is_frozen(), "frozen alone and moved, or frozen alone twice");
        held
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_full_head_neither_wraps_nor_looks_frozen() {
        let base = BASE_LIMIT as u32 - 1;
        let full = Head::new(7, base, u32::MAX);
        assert_eq!((full.second(), full.own(base), full.takes(1, 7)), (7, MOST, false));
        let head = AtomicHead::new(full);
        for _ in 0..1 << 22 {
            head.add(SMALL);
        }
        let over = head.load();
        assert_eq!((over.second(), over.own(base), over.is_frozen()), (7, MOST, false));
    }

    #[test]
    fn the_last_second_there_is_keeps_its_tag() {
        let head = AtomicHead::new(Head::new(u32::MAX, 0, MOST));
        head.add(SMALL);
        assert_eq!(head.load().second(), u32::MAX);
        assert!(!head.load().idle(u32::MAX, 1));
    }

    #[test]
    fn a_frozen_head_is_live_at_no_second() {
        for second in [0, 1, 7, u32::MAX] {
            let head = AtomicHead::new(Head::new(second, 5, MOST));
            assert!(head.load().is_live_at(second));
            assert!(!head.load().is_live_at(second ^ 1));
            assert_eq!(head.freeze_alone(), Head::new(second, 5, MOST));
            assert!(!head.load().is_live_at(second) && head.load().second() == second);
        }
    }

    #[test]
    fn what_is_added_to_a_frozen_head_is_not_in_what_it_held() {
        let (head, frozen_head) = (AtomicHead::new(Head::new(7, 0, 5)), AtomicU64::new(0));
        assert_eq!(head.freeze_agreed(&frozen_head), Head::new(7, 0, 5));
        assert!(head.add(1).is_frozen());
        assert_eq!(head.freeze_agreed(&frozen_head), Head::new(7, 0, 5));
        assert!(!head.load().takes(1, 7));
    }
}
