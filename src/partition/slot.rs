//! A slot: what one second of one operation added up to, tagged with that second, in one atomic.
//!
//! The second is in the high half, so that slots compare as numbers the way they compare in time,
//! and a slot that is read after its second has left the window is recognised as old by its tag:
//! nothing ever has to be swept back to zero.

use crate::sys::stamped::Stamped;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};

/// Where a slot saturates: 2³⁰ − 1. Of the bits above, one marks slots in [`crate::partition::history`], and one slots in
/// wheels.
pub(crate) const MOST: u32 = (1 << 30) - 1;
/// No count is more: a window has 3,601 seconds at most.
pub(crate) const COUNT_MOST: u64 = 3_601 * MOST as u64;

/// A second and what it added up to. A count of zero is a slot that was never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) second: u32,
    pub(crate) count: u32,
}

impl Slot {
    pub(crate) fn new(second: u32, count: u32) -> Self {
        debug_assert!(count > 0, "a slot of nothing would look vacant");
        Self { second, count: count.min(MOST) }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Whether this slot's second has left the window of `window` seconds that ends at `second`.
    pub(crate) fn expired(self, second: u32, window: u32) -> bool {
        expired(self.second, second, window)
    }
}

/// Whether the second `slot` has left the window of `window` seconds that ends at `second`.
pub(crate) fn expired(slot: u32, second: u32, window: u32) -> bool {
    u64::from(slot) + u64::from(window) < u64::from(second)
}

/// A wheel's slot, which threads share. While its second is the head's it is *open*, and holds what the window's slots before
/// it add up to; then it is *closed*, and holds what its second added up to.
///
/// ```text
///  63            32 31  30               0
/// +----------------+---+------------------+
/// |     second     | C |  base, or count  |     C: closed
/// +----------------+---+------------------+
/// ```
///
/// C is above the rest: what is closed is larger than what is open, and a later second than both, so that each is put by
/// one `fetch_max`, whoever comes late.
#[derive(Debug)]
pub(crate) struct AtomicSlot(AtomicU64);

const CLOSED: u32 = 1 << 31;

impl AtomicSlot {
    /// One that was never used: open in second 0, before which there is nothing.
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

    /// Opens `second` here, with its base if that is not too much, unless it is closed or a later one is here.
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
