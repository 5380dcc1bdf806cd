//! The pointer of a past: one tagged word that says what hangs on an entry.
//!
//! ```text
//!  63  62  61  60  59                        3  2    0
//! +---+---+---+---+----------------------------+------+   F: frozen; S: slow, N or H is set too;
//! | F | S | N | H |          address           | kind |   N: fresh, just promoted; H: heavy
//! +---+---+---+---+----------------------------+------+
//! ```
//!
//! | kind | hangs here |
//! |---|---|
//! | 0 | nothing yet |
//! | 1, 2, 3 | a [`History`] of 7, 15 or 31 slots, of both operations |
//! | 4, 5 | one [`Wheel`]: of writes, of reads |
//! | 6 | an *extension*: a history and two wheels, as far as there are any |
//! | 7 | an extension with an alarm |
//!
//! Parts that hang here are replaced. Only slots and alarms change in place. So a thread that swaps
//! the pointer from the value that it saw knows that nothing has been hung here since.

use crate::error::OutOfMemory;
use crate::operation::Operation;
use crate::partition::alarm::Alarm;
use crate::partition::history::History;
use crate::partition::slot::Slot;
use crate::partition::wheel::{Header, Wheel};
use crate::sys::memory::{LINE, prefetch, try_box};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use crossbeam_epoch::Guard;
use std::ptr::{NonNull, null_mut};

/// The elements of a history at each size: doubled, so that memory keeps step with seconds seen.
#[cfg(not(loom))]
pub(crate) const CAPACITIES: [usize; 3] = [7, 15, 31];
/// In models the first size is full at once and the second leads to a wheel.
#[cfg(loom)]
pub(crate) const CAPACITIES: [usize; 2] = [1, 2];

/// The same, by kind.
const CAPACITY: [u8; KIND + 1] = {
    let mut all = [0; KIND + 1];
    let mut kind = CAPACITIES.len();
    while kind > 0 {
        all[kind] = CAPACITIES[kind - 1] as u8;
        kind -= 1;
    }
    all
};

/// The bits of the kind. The kinds are in the table above.
const KIND: usize = 7;
const WHEEL: usize = 4;
const EXTENSION: usize = 6;
const ARMED: usize = 7;
/// Bit F: the entry has moved or gone, and nothing new may be hung here.
const FROZEN: usize = 1 << 63;
/// An add has more to look at than the head: one of the next two marks is set.
const SLOW: usize = 1 << 62;
/// A sum was too much for the head's total: see [`crate::partition::head`]. Never taken back.
const HEAVY: usize = 1 << 60;
/// The partition has just been promoted: see [`crate::ledger::filtering`]. Taken back once.
const FRESH: usize = 1 << 61;
const MARKS: usize = FROZEN | SLOW | HEAVY | FRESH;
const ADDRESS: usize = !(KIND | MARKS);

/// The parts of one past.
#[derive(Clone, Copy)]
pub(crate) struct Extension {
    /// The slots of operations that have no wheel.
    pub(crate) history: PastPtr,
    pub(crate) wheels: [Option<NonNull<Header>>; 2],
    pub(crate) alarm: Option<NonNull<Alarm>>,
}

struct ExtensionBox {
    parts: Extension,
    #[cfg(loom)]
    watch: Watch,
}

/// The word of a past.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct PastPtr(pub(crate) *mut ());

impl PastPtr {
    /// The pointer on which nothing hangs yet.
    pub(crate) const NOTHING: PastPtr = PastPtr(null_mut());

    /// Makes the pointer of a history of `capacity` entries that holds `slots`.
    pub(crate) fn with_history(
        capacity: usize,
        ready: impl FnOnce(),
        slots: impl Iterator<Item = (Operation, Slot)>,
    ) -> Result<Self, OutOfMemory> {
        let kind = CAPACITIES.iter().position(|&each| each >= capacity).expect("no larger than the largest");
        let array = History::create(CAPACITIES[kind], ready, slots)?;
        Ok(Self(array.as_ptr().map_addr(|addr| addr | (kind + 1))))
    }

    /// Makes the pointer of a wheel and nothing else.
    fn with_wheel(wheel: NonNull<Header>, operation: Operation) -> Self {
        Self(wheel.as_ptr().cast::<()>().map_addr(|addr| addr | (WHEEL + operation.index())))
    }

    /// Makes the pointer of an extension of these parts, or of the history or the wheel alone, if
    /// there is nothing else. The parts stay the caller's if there is no memory.
    pub(crate) fn from_parts(parts: Extension) -> Result<Self, OutOfMemory> {
        let kind = match parts.alarm {
            Some(_) => ARMED,
            None => match parts.wheels {
                [None, None] => return Ok(parts.history),
                [Some(wheel), None] if parts.history == Self::NOTHING => {
                    return Ok(Self::with_wheel(wheel, Operation::Write));
                }
                [None, Some(wheel)] if parts.history == Self::NOTHING => {
                    return Ok(Self::with_wheel(wheel, Operation::Read));
                }
                _ => EXTENSION,
            },
        };
        let extension = Box::into_raw(try_box(ExtensionBox {
            parts,
            #[cfg(loom)]
            watch: Watch::new(Kind::Extension),
        })?);
        Ok(Self(extension.cast::<()>().map_addr(|addr| addr | kind)))
    }

    /// Makes the pointer of an extension with an alarm and nothing else.
    pub(crate) fn with_alarm(alarm: Alarm) -> Result<Self, OutOfMemory> {
        let mut parts = Extension::NOTHING;
        parts.alarm = Some(Extension::new_alarm(alarm)?);
        Self::from_parts(parts).inspect_err(|_| {
            // SAFETY: just made, and no other thread has seen it.
            unsafe { parts.free_except(Extension::NOTHING) }
        })
    }

    /// Returns whether the head's total is the count, and all that an add has to look at.
    #[inline(always)]
    pub(crate) fn is_light(self) -> bool {
        self.0.addr() & SLOW == 0
    }

    pub(crate) fn is_heavy(self) -> bool {
        self.0.addr() & HEAVY != 0
    }

    pub(crate) fn is_fresh(self) -> bool {
        self.0.addr() & FRESH != 0
    }

    /// Marks the partition as fresh.
    pub(crate) fn fresh(self) -> Self {
        Self(self.0.map_addr(|addr| addr | FRESH | SLOW))
    }

    /// Takes the mark *fresh* off. The pointer stays slow if it is heavy.
    pub(crate) fn settled(self) -> Self {
        let slow = if self.is_heavy() { SLOW } else { 0 };
        Self(self.0.map_addr(|addr| addr & !(FRESH | SLOW) | slow))
    }

    /// Returns whether there is an alarm.
    #[inline(always)]
    pub(crate) fn is_armed(self) -> bool {
        self.kind() == ARMED
    }

    /// Returns whether more may hang here than a history.
    #[inline(always)]
    pub(crate) fn may_have_wheel(self) -> bool {
        self.kind() >= WHEEL
    }

    pub(crate) fn is_frozen(self) -> bool {
        self.0.addr() & FROZEN != 0
    }

    fn kind(self) -> usize {
        self.0.addr() & KIND
    }

    /// Returns the address of what hangs here, without kind and marks.
    fn target(self) -> Option<NonNull<()>> {
        NonNull::new(self.0.map_addr(|addr| addr & ADDRESS))
    }

    /// Asks for the memory of what hangs here, as far as a turn at `second` needs it.
    pub(crate) fn prefetch(self, second: u32, window: u32) {
        let Some(target) = self.target() else { return };
        let first = target.as_ptr().cast::<u8>();
        match self.kind() {
            WHEEL..EXTENSION => prefetch(Wheel::address(target.cast(), second, window)),
            EXTENSION.. => prefetch(first),
            // The last line too, where one straddles two.
            _ => {
                let last = self.capacity() * size_of::<u64>() - 1;
                (0..last).step_by(LINE).chain([last]).for_each(|at| prefetch(first.wrapping_add(at)));
            }
        }
    }

    pub(crate) fn frozen(self) -> Self {
        Self(self.0.map_addr(|addr| addr | FROZEN))
    }

    pub(crate) fn thawed(self) -> Self {
        Self(self.0.map_addr(|addr| addr & !FROZEN))
    }

    pub(crate) fn heavy(self) -> Self {
        Self(self.0.map_addr(|addr| addr | HEAVY | SLOW))
    }

    /// Returns this pointer, as heavy and as fresh as `other`.
    pub(crate) fn with_marks_of(self, other: Self) -> Self {
        Self(self.0.map_addr(|addr| addr | other.0.addr() & (HEAVY | FRESH | SLOW)))
    }

    /// Returns how many elements the history has that hangs here alone; 0: none does.
    pub(crate) fn capacity(self) -> usize {
        CAPACITY[self.kind()].into()
    }

    /// Returns the parts that hang here.
    ///
    /// # Safety
    /// It lives.
    pub(crate) unsafe fn parts(self) -> Extension {
        match self.target() {
            Some(extension) if self.kind() >= EXTENSION => {
                // SAFETY: kind and target were made as a pair.
                let boxed = unsafe { extension.cast::<ExtensionBox>().as_ref() };
                #[cfg(loom)]
                boxed.watch.touch();
                boxed.parts
            }
            Some(wheel) if self.kind() >= WHEEL => {
                let mut parts = Extension::NOTHING;
                parts.wheels[self.kind() - WHEEL] = Some(wheel.cast());
                parts
            }
            _ => Extension { history: Self(self.0.map_addr(|addr| addr & !MARKS)), ..Extension::NOTHING },
        }
    }

    /// Returns the history that hangs here alone, if there is one.
    #[inline(always)]
    pub(crate) fn history<'g>(self, _guard: &'g Guard) -> Option<History<'g>> {
        debug_assert!(!self.may_have_wheel());
        // SAFETY: what hangs on a past is retired only after it was replaced, and so lives while
        // the guard does.
        unsafe { self.view() }
    }

    /// Returns the wheel of an operation that hangs here alone, if there is one. It is for `window`
    /// seconds.
    #[inline(always)]
    pub(crate) fn wheel<'g>(self, operation: Operation, window: u32, _guard: &'g Guard) -> Option<Wheel<'g>> {
        let wheel = self.target().filter(|_| self.kind() == WHEEL + operation.index())?;
        // SAFETY: as in `history`; kind and target were made as a pair.
        Some(unsafe { Wheel::view(wheel.cast(), window) })
    }

    /// Views the history that hangs here.
    ///
    /// # Safety
    /// It is a history that lives through `'g`, or nothing.
    unsafe fn view<'g>(self) -> Option<History<'g>> {
        // SAFETY: kind and target were made as a pair.
        self.target().map(|array| unsafe { History::view(array, self.capacity()) })
    }

    /// Frees what hangs here once all threads that are pinned now have unpinned.
    ///
    /// # Safety
    /// It can't be found any more, and this is the only call for it.
    pub(crate) unsafe fn retire(self, guard: &Guard) {
        if self.target().is_some() {
            // SAFETY: what can't be found is unused once all threads pinned now have unpinned.
            unsafe { guard.defer_unchecked(move || self.free()) }
        }
    }

    /// Frees the extension itself, if one hangs here, and `history`, which may be nothing, once all
    /// threads that are pinned now have unpinned. As one, for each takes a place in a bag.
    ///
    /// # Safety
    /// Neither can be found any more, and this is the only call for them.
    pub(crate) unsafe fn retire_box(self, history: PastPtr, guard: &Guard) {
        if self.has_box() {
            // SAFETY: what can't be found is unused once all threads pinned now have unpinned.
            unsafe { guard.defer_unchecked(move || (history.free(), self.free_box())) }
        } else {
            // SAFETY: as the caller promises.
            unsafe { history.retire(guard) }
        }
    }

    /// Frees what hangs here at once.
    ///
    /// # Safety
    /// No thread uses what hangs here any more.
    pub(crate) unsafe fn free(self) {
        // SAFETY: as the caller promises.
        unsafe { self.parts().free_except(Extension::NOTHING) };
        // SAFETY: as above.
        unsafe { self.free_box() };
    }

    /// Returns whether an extension hangs here, which has memory of its own besides its parts.
    pub(crate) fn has_box(self) -> bool {
        self.kind() >= EXTENSION
    }

    /// Frees the extension itself, and not the parts that it holds.
    ///
    /// # Safety
    /// No thread uses it any more.
    pub(crate) unsafe fn free_box(self) {
        if let Some(extension) = self.target()
            && self.has_box()
        {
            let boxed = extension.cast::<ExtensionBox>();
            #[cfg(loom)]
            // SAFETY: as the caller promises, it is there still.
            if unsafe { boxed.as_ref() }.watch.free() {
                return;
            }
            // SAFETY: kind and target were made as a pair; it came from a box.
            drop(unsafe { Box::from_raw(boxed.as_ptr()) });
        }
    }
}

impl Extension {
    pub(crate) const NOTHING: Extension =
        Extension { history: PastPtr::NOTHING, wheels: [None; 2], alarm: None };

    pub(crate) fn new_alarm(alarm: Alarm) -> Result<NonNull<Alarm>, OutOfMemory> {
        // SAFETY: a box's pointer is not null.
        Ok(unsafe { NonNull::new_unchecked(Box::into_raw(try_box(alarm)?)) })
    }

    /// # Safety
    /// The parts live through `'g`.
    pub(crate) unsafe fn view_history<'g>(self) -> Option<History<'g>> {
        // SAFETY: as the caller promises.
        unsafe { self.history.view() }
    }

    /// # Safety
    /// The parts live through `'g`; the wheel is for this window.
    pub(crate) unsafe fn view_wheel<'g>(self, operation: Operation, window: u32) -> Option<Wheel<'g>> {
        // SAFETY: as the caller promises.
        self.wheels[operation.index()].map(|wheel| unsafe { Wheel::view(wheel, window) })
    }

    /// # Safety
    /// The parts live through `'g`.
    pub(crate) unsafe fn view_alarm<'g>(self) -> Option<&'g Alarm> {
        // SAFETY: as the caller promises.
        let alarm = self.alarm.map(|alarm| unsafe { alarm.as_ref() });
        #[cfg(loom)]
        alarm.into_iter().for_each(|alarm| alarm.watch.touch());
        alarm
    }

    /// Frees the parts that `others` do not have as well.
    ///
    /// # Safety
    /// No thread uses those any more.
    pub(crate) unsafe fn free_except(self, others: Extension) {
        // SAFETY: as the caller promises; each part came from where it is given back.
        unsafe {
            if self.history != others.history
                && let Some(array) = self.history.target()
            {
                History::destroy(array, self.history.capacity());
            }
            for (wheel, other) in self.wheels.into_iter().zip(others.wheels) {
                wheel.filter(|_| wheel != other).into_iter().for_each(|wheel| Wheel::destroy(wheel));
            }
            if let Some(alarm) = self.alarm.filter(|_| self.alarm != others.alarm) {
                Alarm::destroy(alarm);
            }
        }
    }

    /// Returns the bytes that these parts take.
    pub(crate) fn bytes(self, window: u32) -> usize {
        let wheels = self.wheels.iter().flatten().count();
        let is_alone = wheels == 0 || wheels == 1 && self.history == PastPtr::NOTHING;
        let boxed = if self.alarm.is_some() || !is_alone { size_of::<Self>() } else { 0 };
        let alarm = self.alarm.map_or(0, |_| size_of::<Alarm>());
        boxed + alarm + wheels * Wheel::bytes(window) + self.history.capacity() * size_of::<u64>()
    }
}
