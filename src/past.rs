//! What an operation did in the seconds before its current one: nothing yet, a few recent slots,
//! or a wheel. One tagged pointer; it grows as seconds earn it and is never torn down in place.

use crate::memory::OutOfMemory;
use crate::recent::Recent;
use crate::slot::Slot;
use crate::sync::{AcqRel, Acquire, AtomicPtr, AtomicU64};
use crate::wheel::Wheel;
use crossbeam_epoch::Guard;
use std::ptr::NonNull;

/// How many entries the compact form has at each size. Each doubles the memory, so that a
/// partition costs in step with the number of seconds it was seen in.
#[cfg(not(loom))]
const CAPACITIES: [usize; 4] = [3, 7, 15, 31];
/// In models the first size is full at once and the second leads to a wheel.
#[cfg(loom)]
const CAPACITIES: [usize; 2] = [1, 2];

const KIND: usize = 7;
const WHEEL: usize = 7;

/// Empty, or a pointer whose low bits say to what: 1 and up an array of `CAPACITIES[kind - 1]`
/// entries, 7 a wheel.
pub(crate) struct Past(AtomicPtr<()>);

enum View<'g> {
    Nothing,
    Recent(Recent<'g>),
    Wheel(Wheel<'g>),
}

fn kind(word: *mut ()) -> usize {
    word.addr() & KIND
}

fn target(word: *mut ()) -> Option<NonNull<()>> {
    NonNull::new(word.map_addr(|addr| addr & !KIND))
}

fn word(kind: usize, target: NonNull<()>) -> *mut () {
    debug_assert!(target.as_ptr().addr() & KIND == 0);
    target.as_ptr().map_addr(|addr| addr | kind)
}

/// # Safety
/// `word` is a past's, and what it points to lives through `'g`.
unsafe fn view<'g>(word: *mut ()) -> View<'g> {
    match target(word) {
        None => View::Nothing,
        // SAFETY: kind and target were made as a pair, in `replacement`.
        Some(wheel) if kind(word) == WHEEL => View::Wheel(unsafe { Wheel::view(wheel.cast()) }),
        // SAFETY: as above.
        Some(array) => View::Recent(unsafe { Recent::view(array, CAPACITIES[kind(word) - 1]) }),
    }
}

/// # Safety
/// `word` is a past's, and nobody uses what it points to any more.
unsafe fn destroy(word: *mut ()) {
    match target(word) {
        None => {}
        // SAFETY: kind and target were made as a pair; the caller gives the target up.
        Some(wheel) if kind(word) == WHEEL => unsafe { Wheel::destroy(wheel.cast()) },
        // SAFETY: as above.
        Some(array) => unsafe { Recent::destroy(array, CAPACITIES[kind(word) - 1]) },
    }
}

impl Past {
    pub(crate) fn new() -> Self {
        Self(AtomicPtr::new(std::ptr::null_mut()))
    }

    fn view<'g>(&self, _guard: &'g Guard) -> View<'g> {
        // SAFETY: what this word points to is retired only after it was replaced, and so lives
        // while the guard does.
        unsafe { view(self.0.load(Acquire)) }
    }

    /// Puts the slot of a second that is closing.
    pub(crate) fn put(&self, slot: Slot, window: u32, guard: &Guard) -> Result<(), OutOfMemory> {
        loop {
            let old = self.0.load(Acquire);
            // SAFETY: as in `view`: `guard` keeps it alive.
            let slots = match unsafe { view(old) } {
                View::Wheel(wheel) => {
                    wheel.put(slot);
                    return Ok(());
                }
                View::Recent(recent) => match recent.put(slot, window) {
                    Ok(()) => return Ok(()),
                    Err(_full) => Some(recent),
                },
                View::Nothing => None,
            };
            self.grow(old, slots, slot.second, window, guard)?;
        }
    }

    /// Replaces `old` by the next larger form, or finds that another thread has.
    fn grow(
        &self,
        old: *mut (),
        slots: Option<Recent<'_>>,
        second: u32,
        window: u32,
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        let capacity =
            CAPACITIES.get(kind(old)).filter(|&&n| n * size_of::<AtomicU64>() < Wheel::bytes(window));
        // Frozen only once there is memory for the copy, so that a failure leaves things as they
        // were. Slots that left the window before `second` began are not worth their place.
        let kept = || {
            slots
                .inspect(Recent::freeze)
                .into_iter()
                .flat_map(|recent| recent.slots())
                .filter(|slot| !slot.expired(second, window))
        };
        let new = match capacity {
            Some(&capacity) => {
                let array = Recent::create(capacity, std::iter::once_with(kept).flatten())?;
                word(kind(old) + 1, array)
            }
            None => word(WHEEL, Wheel::create(window, std::iter::once_with(kept).flatten())?.cast()),
        };
        match self.0.compare_exchange(old, new, AcqRel, Acquire) {
            // SAFETY: `old` can't be reached any more by who is not pinned yet.
            Ok(_) => unsafe { guard.defer_unchecked(move || destroy(old)) },
            // SAFETY: nobody has seen `new`.
            Err(_) => unsafe { destroy(new) },
        }
        Ok(())
    }

    /// What the slots in the window before `second` add up to.
    pub(crate) fn sum(&self, second: u32, window: u32, guard: &Guard) -> u64 {
        if let View::Wheel(wheel) = self.view(guard)
            && let Some(sum) = wheel.closed(second)
        {
            return sum;
        }
        self.sum_between(second.saturating_sub(window), second, guard)
    }

    /// What the slots of seconds from `first` to before `end` add up to.
    pub(crate) fn sum_between(&self, first: u32, end: u32, guard: &Guard) -> u64 {
        let mut sum = 0;
        self.for_each(guard, |slot| {
            if (first..end).contains(&slot.second) {
                sum += u64::from(slot.count);
            }
        });
        sum
    }

    /// The fullest slot of seconds from `first` to before `end`.
    pub(crate) fn peak_between(&self, first: u32, end: u32, guard: &Guard) -> u32 {
        let mut peak = 0;
        self.for_each(guard, |slot| {
            if (first..end).contains(&slot.second) {
                peak = peak.max(slot.count);
            }
        });
        peak
    }

    fn for_each(&self, guard: &Guard, f: impl FnMut(Slot)) {
        match self.view(guard) {
            View::Nothing => {}
            View::Recent(recent) => recent.slots().for_each(f),
            View::Wheel(wheel) => wheel.slots().for_each(f),
        }
    }

    /// The sum before `to`, given that `last` was just put and nothing came after it.
    pub(crate) fn sum_after(&self, last: Slot, to: u32, window: u32, guard: &Guard) -> u64 {
        if let View::Wheel(wheel) = self.view(guard)
            && let Some(sum) = wheel.carry(last, to)
        {
            return sum;
        }
        self.sum_between(to.saturating_sub(window), to, guard)
    }

    /// Remembers the sum before `second`, where the form has a place for it.
    pub(crate) fn remember(&self, second: u32, sum: u64, guard: &Guard) {
        if let View::Wheel(wheel) = self.view(guard) {
            wheel.remember(second, sum);
        }
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self, window: u32) -> usize {
        let word = self.0.load(Acquire);
        match (target(word), kind(word)) {
            (None, _) => 0,
            (Some(_), WHEEL) => Wheel::bytes(window),
            (Some(_), kind) => CAPACITIES[kind - 1] * size_of::<AtomicU64>(),
        }
    }
}

impl Drop for Past {
    fn drop(&mut self) {
        // SAFETY: whoever drops the past is the last to use it.
        unsafe { destroy(self.0.load(Acquire)) }
    }
}
