//! A wheel: one slot for every second of the window, the slot of second `s` at
//! `s mod (window + 1)`, where it stays until second `s + window + 1` closes.
//!
//! The wheel also remembers what all its slots in the window added up to when the head's second began, so
//! that a turn adds up a slot or two instead of 61. The sum is a function of that second alone (see
//! [`crate::partition::series`]), so it does not matter which thread remembers it.

use crate::error::OutOfMemory;
use crate::partition::slot::{AtomicSlot, Slot};
use crate::sys::memory::Tailed;
use crate::sys::stamped::Stamped;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use std::ptr::NonNull;

/// The header that precedes the slots in memory.
pub(crate) struct Header {
    slots: u32,
    /// (second, what the window's slots before it added up to), [`UNKNOWN`] if that is too much.
    cached_sum: AtomicU64,
    #[cfg(loom)]
    watch: Watch,
}

const UNKNOWN: u32 = u32::MAX;

/// Up to so many seconds are looked up one by one; for more, all slots are looked at in their order.
#[cfg(not(loom))]
const FEW: u32 = 4;
/// In models one second is looked up, and two are many.
#[cfg(loom)]
const FEW: u32 = 1;

/// A view of one wheel.
#[derive(Clone, Copy)]
pub(crate) struct Wheel<'g> {
    cached_sum: &'g AtomicU64,
    slots: &'g [AtomicSlot],
    #[cfg(loom)]
    watch: &'g Watch,
}

impl<'g> Wheel<'g> {
    /// Creates an empty wheel for a window of `window` seconds.
    pub(crate) fn create(window: u32) -> Result<NonNull<Header>, OutOfMemory> {
        let header = Header {
            slots: window + 1,
            cached_sum: AtomicU64::new(Stamped { second: 0, value: UNKNOWN }.pack()),
            #[cfg(loom)]
            watch: Watch::new(Kind::Wheel),
        };
        Tailed::new(window as usize + 1).create(header, || AtomicSlot::new(Slot::EMPTY))
    }

    /// How many bytes a wheel for `window` seconds takes.
    pub(crate) fn bytes(window: u32) -> usize {
        size_of::<Header>() + (window as usize + 1) * size_of::<AtomicSlot>()
    }

    fn layout(slots: u32) -> Tailed<Header, AtomicSlot> {
        Tailed::new(slots as usize)
    }

    /// # Safety
    /// `wheel` came from `create` and lives through `'g`.
    pub(crate) unsafe fn view(wheel: NonNull<Header>) -> Self {
        // SAFETY: by the caller's promise the header is there, followed by as many slots as it says.
        unsafe {
            let header = wheel.as_ref();
            #[cfg(loom)]
            header.watch.touch();
            let slots = Tailed::<Header, AtomicSlot>::tail(wheel);
            Self {
                cached_sum: &header.cached_sum,
                slots: std::slice::from_raw_parts(slots.as_ptr(), header.slots as usize),
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

    fn place(&self, second: u32) -> &'g AtomicSlot {
        #[cfg(loom)]
        self.watch.touch();
        &self.slots[second as usize % self.slots.len()]
    }

    /// Returns the count of this second, or 0 if another second's slot is in its place.
    fn at(&self, second: u32) -> u64 {
        let slot = self.place(second).load();
        if slot.second == second { u64::from(slot.count) } else { 0 }
    }

    pub(crate) fn put(&self, slot: Slot) {
        self.place(slot.second).raise(slot);
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

    /// Returns the sum of the window's slots before `second`: remembered, or added up.
    pub(crate) fn sum_before(&self, second: u32) -> u64 {
        #[cfg(loom)]
        self.watch.touch();
        let cached = Stamped::unpack(self.cached_sum.load(Acquire));
        if cached.second == second && cached.value != UNKNOWN {
            return cached.value.into();
        }
        self.sum_between(second.saturating_sub(self.slots.len() as u32 - 1), second)
    }

    /// Remembers for `second` what the window's slots before it added up to.
    pub(crate) fn remember(&self, second: u32, sum: u64) {
        #[cfg(loom)]
        self.watch.touch();
        let value = u32::try_from(sum).unwrap_or(UNKNOWN);
        self.cached_sum.fetch_max(Stamped { second, value }.pack(), AcqRel);
    }
}
