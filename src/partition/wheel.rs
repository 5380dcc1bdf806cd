//! A wheel: a ring of one slot for every second of the window, one for the second before, and one
//! for the head's.
//!
//! ```text
//! window of 4: six slots; the head is in second 9
//!
//!  place      0        1        2        3        4        5
//!         +--------+--------+--------+--------+--------+--------+
//! second  |   6    |   7    |   8    |   9    |   4    |   5    |
//!         | closed | closed | closed |  open  | closed | closed |
//!         +--------+--------+--------+--------+--------+--------+
//! ```
//!
//! The slot of second `s` is at `s mod (window + 2)`. It stays there until second `s + window + 2`
//! opens or closes. So the window that ends in the head's second is whole, and so is the one that
//! ended a second earlier.
//!
//! The slot of the head's second is open. It holds the *base*: the sum of all slots in the window
//! when that second began. So a turn reads the base and adds up a slot or two that leave the
//! window, and not 60. Those lie side by side, in one or two lines of memory. The base is a
//! function of its second alone (see [`crate::partition::series`]), so it does not matter which
//! thread opens the slot.
//!
//! **Invariants.** A slot only rises: it opens, closes, and gives way to a later second. A missing
//! base is no fault: it is added up.
//!
//! **Proof.** `src/models/series.rs` (c), and the tests of [`crate::partition::slot`].

use crate::error::OutOfMemory;
use crate::partition::slot::{AtomicSlot, Slot};
use crate::sys::memory::Tailed;
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use std::ptr::NonNull;

/// The header that precedes the slots in memory.
pub(crate) struct Header {
    slots: u32,
    #[cfg(loom)]
    watch: Watch,
}

/// Returns how many slots a wheel for `window` seconds has.
#[inline(always)]
fn slots_for(window: u32) -> usize {
    window as usize + 2
}

/// The number of seconds up to which each is looked up by its place. For more, all slots are read
/// in order.
#[cfg(not(loom))]
const FEW: u32 = 4;
/// In models one second is looked up by its place, and two are many.
#[cfg(loom)]
const FEW: u32 = 1;

/// A view of one wheel.
#[derive(Clone, Copy)]
pub(crate) struct Wheel<'g> {
    slots: &'g [AtomicSlot],
    #[cfg(loom)]
    watch: &'g Watch,
}

impl<'g> Wheel<'g> {
    /// Creates an empty wheel for a window of `window` seconds.
    pub(crate) fn create(window: u32) -> Result<NonNull<Header>, OutOfMemory> {
        let header = Header {
            slots: slots_for(window) as u32,
            #[cfg(loom)]
            watch: Watch::new(Kind::Wheel),
        };
        Tailed::new(slots_for(window)).create(header, AtomicSlot::new)
    }

    /// Returns how many bytes a wheel for `window` seconds takes.
    pub(crate) fn bytes(window: u32) -> usize {
        Self::layout(slots_for(window) as u32).size()
    }

    fn layout(slots: u32) -> Tailed<Header, AtomicSlot> {
        Tailed::new(slots as usize)
    }

    /// Views a wheel for a window of `window` seconds. The length comes from `window`, so that
    /// nothing waits for the header to be read.
    ///
    /// # Safety
    /// `wheel` came from `create` for this window and lives through `'g`.
    #[inline(always)]
    pub(crate) unsafe fn view(wheel: NonNull<Header>, window: u32) -> Self {
        // SAFETY: by the caller's promise the header is there, followed by that many slots.
        unsafe {
            let header = wheel.as_ref();
            #[cfg(loom)]
            header.watch.touch();
            debug_assert_eq!(header.slots as usize, slots_for(window));
            let slots = Tailed::<Header, AtomicSlot>::tail(wheel);
            Self {
                slots: std::slice::from_raw_parts(slots.as_ptr(), slots_for(window)),
                #[cfg(loom)]
                watch: &header.watch,
            }
        }
    }

    /// Frees a wheel.
    ///
    /// # Safety
    /// `wheel` came from `create`, and no thread uses it any more.
    pub(crate) unsafe fn destroy(wheel: NonNull<Header>) {
        #[cfg(loom)]
        // SAFETY: as the caller promises, the header is there still.
        if unsafe { wheel.as_ref() }.watch.free() {
            return;
        }
        // SAFETY: as the caller promises; the header says how large the allocation is.
        unsafe { Self::layout(wheel.as_ref().slots).destroy(wheel) }
    }

    /// Returns where the slot of a second is, in a wheel for `window` seconds, without reading the
    /// wheel.
    pub(crate) fn address(wheel: NonNull<Header>, second: u32, window: u32) -> *const AtomicSlot {
        let slots =
            wheel.as_ptr().wrapping_byte_add(Tailed::<Header, AtomicSlot>::OFFSET).cast::<AtomicSlot>();
        slots.wrapping_add(second as usize % slots_for(window))
    }

    /// Returns the place of a second's slot.
    fn place(&self, second: u32) -> &'g AtomicSlot {
        #[cfg(loom)]
        self.watch.touch();
        &self.slots[(second % self.slots.len() as u32) as usize]
    }

    /// Returns the count of this second, or 0 if another second's slot is in its place.
    fn at(&self, second: u32) -> u64 {
        let slot = self.place(second).load();
        if slot.second == second { u64::from(slot.count) } else { 0 }
    }

    /// Closes the slot of a second, with its count.
    pub(crate) fn put(&self, slot: Slot) {
        self.place(slot.second).close(slot);
    }

    /// Returns the sum of the slots in the seconds `first..end`, which are a window at most.
    pub(crate) fn sum_between(&self, first: u32, end: u32) -> u64 {
        if end.saturating_sub(first) <= FEW {
            return (first..end).map(|second| self.at(second)).sum();
        }
        self.slots()
            .filter(|slot| (first..end).contains(&slot.second))
            .map(|slot| u64::from(slot.count))
            .sum()
    }

    /// Returns all closed slots, in no order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<'g> {
        #[cfg(loom)]
        self.watch.touch();
        self.slots.iter().map(AtomicSlot::load).filter(|slot| !slot.is_empty())
    }

    /// Returns the sum of the window's slots before `second`, if `second` is open.
    #[inline(always)]
    pub(crate) fn base(&self, second: u32) -> Option<u64> {
        self.place(second).base(second)
    }

    /// Returns the same, as the open slot has it or added up.
    pub(crate) fn sum_before(&self, second: u32) -> u64 {
        let window = self.slots.len() as u32 - 2;
        self.base(second).unwrap_or_else(|| self.sum_between(second.saturating_sub(window), second))
    }

    /// Opens `second`, to which the head has turned, with the sum of the window's slots before it.
    pub(crate) fn open(&self, second: u32, base: u64) {
        self.place(second).open(second, base);
    }
}
