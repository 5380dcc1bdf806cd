//! A slot: what one second of one operation added up to, tagged with that second, in one atomic.
//!
//! The second is in the high half, so that slots compare as numbers the way they compare in time,
//! and a slot that is read after its second has left the window is recognised as old by its tag:
//! nothing ever has to be swept back to zero.

use crate::sync::{AcqRel, Acquire, AtomicU64};

/// Where a slot saturates: 2³¹ − 1. The 32nd bit marks a slot that is frozen in [`crate::recent`].
pub(crate) const MOST: u32 = (1 << 31) - 1;

/// Below these two an add is a plain `fetch_add`. Should others saturate the slot between the look and
/// the add, the bits count on past [`MOST`]. Were every thread that a kernel can have (Linux: 2²²) to
/// stop just there, they would end under 2³¹ + 2²² · 2⁷ < 2³²: nothing carries into the tag, and
/// [`Slot::unpack`] reads them as saturated.
const ROOM: u32 = 1 << 30;
const SMALL: u32 = 1 << 7;

/// A second and what it added up to. A count of zero is a slot that was never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) second: u32,
    pub(crate) count: u32,
}

impl Slot {
    pub(crate) const EMPTY: Slot = Slot { second: 0, count: 0 };

    pub(crate) fn new(second: u32, amount: u32) -> Self {
        Self { second, count: amount.min(MOST) }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Whether this slot's second has left the window of `window` seconds that ends at `second`.
    pub(crate) fn expired(self, second: u32, window: u32) -> bool {
        u64::from(self.second) + u64::from(window) < u64::from(second)
    }

    pub(crate) fn plus(self, amount: u32) -> Self {
        Self { second: self.second, count: self.count.saturating_add(amount).min(MOST) }
    }

    pub(crate) fn pack(self) -> u64 {
        u64::from(self.second) << 32 | u64::from(self.count)
    }

    pub(crate) fn unpack(bits: u64) -> Self {
        Self::new((bits >> 32) as u32, bits as u32)
    }
}

/// A slot that threads share.
#[derive(Debug)]
pub(crate) struct AtomicSlot(AtomicU64);

impl AtomicSlot {
    pub(crate) fn new(slot: Slot) -> Self {
        Self(AtomicU64::new(slot.pack()))
    }

    pub(crate) fn load(&self) -> Slot {
        Slot::unpack(self.0.load(Acquire))
    }

    /// A load that takes part in the slot's modification order, so that whoever adds later
    /// sees what this thread wrote before. See "Reclaim" in DESIGN.md.
    pub(crate) fn load_in_order(&self) -> Slot {
        Slot::unpack(self.0.fetch_add(0, AcqRel))
    }

    /// Adds to the slot that was `seen`. `Ok` is the slot just before the add: its second is that of
    /// `seen` or, where another thread has turned the slot since, a later one. `Err` is what the
    /// slot holds now; nothing was added.
    pub(crate) fn add(&self, seen: Slot, amount: u32) -> Result<Slot, Slot> {
        if seen.count < ROOM && amount <= SMALL {
            return Ok(Slot::unpack(self.0.fetch_add(u64::from(amount), AcqRel)));
        }
        self.replace(seen, seen.plus(amount)).map(|()| seen)
    }

    /// Puts `new` where exactly `seen` still is. `Err` is what is there instead.
    pub(crate) fn replace(&self, seen: Slot, new: Slot) -> Result<(), Slot> {
        let mut bits = seen.pack();
        loop {
            match self.0.compare_exchange(bits, new.pack(), AcqRel, Acquire) {
                Ok(_) => return Ok(()),
                // The same slot, counted on past where it saturates.
                Err(actual) if Slot::unpack(actual) == seen => bits = actual,
                Err(actual) => return Err(Slot::unpack(actual)),
            }
        }
    }

    /// Puts `slot` here unless a later second, or more of the same second, is here already.
    pub(crate) fn raise(&self, slot: Slot) {
        self.0.fetch_max(slot.pack(), AcqRel);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn saturates_instead_of_wrapping() {
        let slot = AtomicSlot::new(Slot::new(7, MOST - 1));
        for _ in 0..3 {
            slot.add(slot.load(), 1).unwrap();
        }
        assert_eq!(slot.load(), Slot { second: 7, count: MOST });
        assert_eq!(Slot::new(7, u32::MAX).count, MOST);
        assert_eq!(Slot::new(7, 5).plus(u32::MAX).count, MOST);
    }

    #[test]
    fn the_last_second_there_is_keeps_its_tag() {
        let slot = AtomicSlot::new(Slot::new(u32::MAX, MOST));
        slot.add(slot.load(), 1).unwrap();
        assert_eq!(slot.load().second, u32::MAX);
        assert!(!slot.load().expired(u32::MAX, 1));
    }
}
