//! A slot: what one second of one operation added up to, tagged with that second, in one atomic.
//!
//! The second is in the high half, so that slots compare as numbers the way they compare in time,
//! and a slot that is read after its second has left the window is recognised as old by its tag:
//! nothing ever has to be swept back to zero.

use crate::sys::stamped::Stamped;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};

/// Where a slot saturates: 2³⁰ − 1. The two bits above mark slots in [`crate::partition::history`].
pub(crate) const MOST: u32 = (1 << 30) - 1;

/// A second and what it added up to. A count of zero is a slot that was never used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) second: u32,
    pub(crate) count: u32,
}

impl Slot {
    pub(crate) const EMPTY: Slot = Slot { second: 0, count: 0 };

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

    pub(crate) fn pack(self) -> u64 {
        Stamped { second: self.second, value: self.count }.pack()
    }

    pub(crate) fn unpack(bits: u64) -> Self {
        let Stamped { second, value } = Stamped::unpack(bits);
        Self { second, count: value & MOST }
    }
}

/// Whether the second `slot` has left the window of `window` seconds that ends at `second`.
pub(crate) fn expired(slot: u32, second: u32, window: u32) -> bool {
    u64::from(slot) + u64::from(window) < u64::from(second)
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

    /// Puts `slot` here unless a later second, or more of the same second, is here already.
    pub(crate) fn raise(&self, slot: Slot) {
        self.0.fetch_max(slot.pack(), AcqRel);
    }
}
