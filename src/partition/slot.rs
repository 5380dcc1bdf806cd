//! A slot: the amount of one operation in one second, tagged with that second, in one atomic.
//!
//! The second is in the high half, so that slots compare as numbers the way they compare in time. A
//! slot that is read after its second has left the window is recognised as old by its tag. So no
//! slot is ever swept back to zero, and no thread has to run when a second ends.

use crate::sys::stamped::Stamped;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};

/// The count at which a slot saturates, 2³⁰ − 1. One of the bits above marks slots in
/// [`crate::partition::history`], and one marks slots in wheels.
pub(crate) const MOST: u32 = (1 << 30) - 1;
/// The highest count that there can be: a window has 3,601 seconds at most.
pub(crate) const COUNT_MOST: u64 = 3_601 * MOST as u64;

/// A second and its count. A count of zero is a slot that was never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) second: u32,
    pub(crate) count: u32,
}

impl Slot {
    /// Makes a slot of `count`, which is positive, cut to [`MOST`].
    pub(crate) fn new(second: u32, count: u32) -> Self {
        debug_assert!(count > 0, "a slot of nothing would look vacant");
        Self { second, count: count.min(MOST) }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Returns whether this slot's second has left the window of `window` seconds that ends at
    /// `second`.
    pub(crate) fn expired(self, second: u32, window: u32) -> bool {
        expired(self.second, second, window)
    }
}

/// Returns whether the second `slot` has left the window of `window` seconds that ends at `second`.
/// With a window of 60 second 40 is in the windows that end at 40 to 100, and has left the one that
/// ends at 101.
pub(crate) fn expired(slot: u32, second: u32, window: u32) -> bool {
    u64::from(slot) + u64::from(window) < u64::from(second)
}

/// A wheel's slot, which threads share. It is *open* while its second is the head's, and holds the
/// base: the sum of the window's slots before it. Then it is *closed*, and holds the count of its
/// second.
///
/// ```text
///  63            32 31  30               0
/// +----------------+---+------------------+
/// |     second     | C |  base, or count  |     C: closed
/// +----------------+---+------------------+
/// ```
///
/// C is above the value, and the second above C. So a closed slot is larger than an open one of its
/// second, and a later second larger than both. Each is put by one `fetch_max`, and a thread that
/// comes late changes nothing.
///
/// | slot | word | [`load`](Self::load) | [`base`](Self::base) of its second |
/// |---|---|---|---|
/// | never used | 0: open in second 0, base 0 | empty | 0 in second 0 |
/// | open | second, base | empty | the base |
/// | closed | second, C, count | the slot | none |
#[derive(Debug)]
pub(crate) struct AtomicSlot(AtomicU64);

/// The bit C.
const CLOSED: u32 = 1 << 31;

impl AtomicSlot {
    /// Makes a slot that was never used: open in second 0, before which there is nothing.
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Returns the closed slot here, or an empty one.
    pub(crate) fn load(&self) -> Slot {
        let Stamped { second, value } = Stamped::unpack(self.0.load(Acquire));
        Slot { second, count: if value & CLOSED == 0 { 0 } else { value & MOST } }
    }

    /// Puts `slot` here unless a later second, or more of the same second, is here already.
    pub(crate) fn close(&self, Slot { second, count }: Slot) {
        self.0.fetch_max(Stamped { second, value: CLOSED | count }.pack(), AcqRel);
    }

    /// Opens `second` here with its base, if that fits, unless the second is closed or a later one
    /// is here. A base that does not fit is added up when it is needed.
    pub(crate) fn open(&self, second: u32, base: u64) {
        if base < CLOSED.into() {
            self.0.fetch_max(Stamped { second, value: base as u32 }.pack(), AcqRel);
        }
    }

    /// Returns the base of `second`, if that is open here.
    #[inline(always)]
    pub(crate) fn base(&self, second: u32) -> Option<u64> {
        // Another second, or C, makes a larger difference.
        let base = self.0.load(Acquire).wrapping_sub(Stamped { second, value: 0 }.pack());
        (base < CLOSED.into()).then_some(base)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_open_until_it_is_closed_and_then_for_good() {
        let slot = AtomicSlot::new();
        assert!(slot.base(0) == Some(0) && slot.load().is_empty());
        slot.open(7, 40);
        assert!(slot.base(7) == Some(40) && slot.base(6).is_none() && slot.base(8).is_none());
        assert!(slot.load().is_empty());
        slot.close(Slot::new(7, 3));
        let late: [fn(&AtomicSlot); 3] =
            [|slot| slot.open(7, 40), |slot| slot.close(Slot::new(7, 2)), |slot| slot.open(6, 50)];
        for late in late {
            late(&slot);
            assert!(slot.load() == Slot::new(7, 3) && slot.base(7).is_none());
        }
        slot.close(Slot::new(7, MOST));
        assert_eq!(slot.load(), Slot::new(7, MOST));
        // A base that does not fit is not kept.
        slot.open(9, 1 << 31);
        assert_eq!((slot.load(), slot.base(9)), (Slot::new(7, MOST), None));
        slot.open(9, (1 << 31) - 1);
        assert_eq!((slot.load().is_empty(), slot.base(9)), (true, Some((1 << 31) - 1)));
    }
}
