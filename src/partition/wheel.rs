//! A wheel: one slot for every second of the window, one for the second before, and one for the head's. The slot of second
//! `s` is at `s mod (window + 2)`, where it stays until second `s + window + 2` opens or closes.
//!
//! The slot of the head's second is open, and holds what all slots in the window added up to when that began, so that a turn
//! adds up a slot or two instead of 60, and looks at one or two lines of memory. The sum is a function of that second alone
//! (see [`crate::partition::series`]), so it does not matter which thread opens it.

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

/// How many slots a wheel for `window` seconds has.
#[inline(always)]
fn slots_for(window: u32) -> usize {
    window as usize + 2
}

/// Up to so many seconds are looked up one by one; for more, all slots are looked at in their order.
#[cfg(not(loom))]
const FEW: u32 = 4;
/// In models one second is looked up, and two are many.
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

    /// How many bytes a wheel for `window` seconds takes.
    pub(crate) fn bytes(window: u32) -> usize {
        Self::layout(slots_for(window) as u32).size()
    }

    fn layout(slots: u32) -> Tailed<Header, AtomicSlot> {
        Tailed::new(slots as usize)
    }

    /// Views a wheel for a window of `window` seconds. Nothing waits for its header.
    ///
    /// # Safety
    /// `wheel` came from `create` for this window and lives through `'g`.
    #[inline(always)]
    pub(crate) unsafe fn view(wheel: NonNull<Header>, window: u32) -> Self {
        // SAFETY: by the caller's promise the header is there, followed by so many slots.
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

    /// # Safety
    /// `wheel` came from `create`, and nobody uses it any more.
    pub(crate) unsafe fn destroy(wheel: NonNull<Header>) {
        #[cfg(loom)]
        // SAFETY: as the caller promises, the header is there still.
        if unsafe { wheel.as_ref() }.watch.free() {
            return;
        }
        // SAFETY: as the caller promises; the header says how large the allocation is.
        unsafe { Self::layout(wheel.as_ref().slots).destroy(wheel) }
    }

    /// Where the slot of a second is, in a wheel for `window` seconds; it is not looked at.
    pub(crate) fn address(wheel: NonNull<Header>, second: u32, window: u32) -> *const AtomicSlot {
        let slots =
            wheel.as_ptr().wrapping_byte_add(Tailed::<Header, AtomicSlot>::OFFSET).cast::<AtomicSlot>();
        slots.wrapping_add(second as usize % slots_for(window))
    }

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

    pub(crate) fn put(&self, slot: Slot) {
        self.place(slot.second).close(slot);
    }

    /// Returns the sum of the slots of seconds from `first` to before `end`, at most a window.
    pub(crate) fn sum_between(&self, first: u32, end: u32) -> u64 {
        if end.saturating_sub(first) <= FEW {
            return (first..end).map(|second| self.at(second)).sum();
        }
        self.slots()
            .filter(|slot| (first..end).contains(&slot.second))
            .map(|slot| u64::from(slot.count))
            .sum()
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<'g> {
        #[cfg(loom)]
        self.watch.touch();
        self.slots.iter().map(AtomicSlot::load).filter(|slot| !slot.is_empty())
    }

    /// Returns the sum of the window's slots before `second`, if that is open.
    #[inline(always)]
    pub(crate) fn base(&self, second: u32) -> Option<u64> {
        self.place(second).base(second)
    }

    /// Returns the same: as the open slot has it, or added up.
    pub(crate) fn sum_before(&self, second: u32) -> u64 {
        let window = self.slots.len() as u32 - 2;
        self.base(second).unwrap_or_else(|| self.sum_between(second.saturating_sub(window), second))
    }

    /// Opens `second`, which the head has turned to, with what the window's slots before it added up to.
    pub(crate) fn open(&self, second: u32, base: u64) {
        self.place(second).open(second, base);
    }
}
