//! The past of a partition: its closed slots, and its alarm if any. It grows as seconds earn it.
//!
//! ```text
//! nothing --> history of 7 --> of 15 --> of 31 --> wheel, one for each operation
//!                  |                                 ^
//!                  +--- with an alarm and a window   |
//!                       of up to 103 seconds --------+
//! ```
//!
//! Each step is one compare-and-swap of one pointer from a [`PastPtr`] to another. The thread that
//! wins it retires the parts that are not in use any more; a thread that loses frees the parts that
//! it made. A wheel also comes as soon as it is smaller than the next history.
//!
//! The past belongs to a partition, not to a place. When the entry moves, the copy has the same
//! pointer. The old one is frozen, so that nothing new is hung where no thread would look.

use crate::error::OutOfMemory;
use crate::operation::Operation;
use crate::partition::alarm::Alarm;
use crate::partition::history::History;
use crate::partition::past_ptr::{CAPACITIES, Extension, PastPtr};
use crate::partition::slot::Slot;
use crate::partition::wheel::Wheel;
use crate::sys::sync::{AcqRel, Acquire, AtomicPtr};
use crossbeam_epoch::Guard;

/// The reason for which the past did not grow.
#[derive(Debug)]
pub(crate) enum GrowError {
    /// The entry has moved or gone.
    Frozen,
    Memory,
}

impl From<OutOfMemory> for GrowError {
    fn from(_: OutOfMemory) -> Self {
        GrowError::Memory
    }
}

/// The pointer of a past, which threads share.
pub(crate) struct Past(AtomicPtr<()>);

/// The largest wheel, in bytes, that a partition with an alarm gets before it has filled a larger
/// history: twice as much as its histories would take one after the other.
const WARM_WHEEL_MOST: usize = 848;

pub(super) fn is_smaller_than_wheel(capacity: usize, window: u32) -> bool {
    capacity * size_of::<u64>() < Wheel::bytes(window)
}

/// The place of one operation's closed slots.
#[derive(Clone, Copy)]
pub(crate) enum PastSlots<'g> {
    Nowhere,
    History(History<'g>),
    Wheel(Wheel<'g>),
}

/// Returns whether a partition with an alarm gets a wheel once its first history is full. It will
/// be seen in every second, and histories that it soon outgrows would leave holes in the heap. For
/// a long window that is not worth a large wheel.
pub(super) fn has_small_wheel(window: u32) -> bool {
    Wheel::bytes(window) <= WARM_WHEEL_MOST
}

impl Past {
    pub(crate) fn new(ptr: PastPtr) -> Self {
        Self(AtomicPtr::new(ptr.0))
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> PastPtr {
        PastPtr(self.0.load(Acquire))
    }

    fn replace(&self, old: PastPtr, new: PastPtr) -> Result<(), PastPtr> {
        self.0.compare_exchange(old.0, new.0, AcqRel, Acquire).map(drop).map_err(PastPtr)
    }

    fn mark(&self, mark: impl Fn(PastPtr) -> PastPtr) -> PastPtr {
        let mut ptr = self.load();
        loop {
            match self.replace(ptr, mark(ptr)) {
                Ok(()) => return mark(ptr),
                Err(actual) => ptr = actual,
            }
        }
    }

    pub(crate) fn set_heavy(&self) {
        self.mark(PastPtr::heavy);
    }

    /// Takes back the mark that a partition is fresh. Returns `false` if the partition has moved.
    pub(crate) fn settle(&self) -> bool {
        let mut ptr = self.load();
        while !ptr.is_frozen() {
            match self.replace(ptr, ptr.settled()) {
                Ok(()) => return true,
                Err(actual) => ptr = actual,
            }
        }
        false
    }

    /// Makes sure that nothing new is hung here, and returns the pointer then.
    pub(crate) fn freeze_past(&self) -> PastPtr {
        self.mark(PastPtr::frozen)
    }

    pub(crate) fn parts(&self, _guard: &Guard) -> Extension {
        // SAFETY: what hangs here is retired only after it was replaced, and so lives while the
        // guard does.
        unsafe { self.load().parts() }
    }

    #[inline(always)]
    pub(crate) fn slots<'g>(&self, operation: Operation, window: u32, guard: &'g Guard) -> PastSlots<'g> {
        let ptr = self.load();
        if !ptr.may_have_wheel() {
            return ptr.history(guard).map_or(PastSlots::Nowhere, PastSlots::History);
        }
        self.slots_of_parts(operation, window, guard)
    }

    #[inline(never)] // So that the rest is small where it is inlined.
    fn slots_of_parts<'g>(&self, operation: Operation, window: u32, guard: &'g Guard) -> PastSlots<'g> {
        let parts = self.parts(guard);
        // SAFETY: as in `parts`.
        unsafe {
            match (parts.view_wheel(operation, window), parts.view_history()) {
                (Some(wheel), _) => PastSlots::Wheel(wheel),
                (None, Some(history)) => PastSlots::History(history),
                (None, None) => PastSlots::Nowhere,
            }
        }
    }

    pub(crate) fn alarm_if_any<'g>(&self, guard: &'g Guard) -> Option<&'g Alarm> {
        // SAFETY: as in `parts`.
        unsafe { self.parts(guard).view_alarm() }
    }

    /// Returns the alarm, which is made if it is not there yet.
    #[inline]
    pub(crate) fn alarm<'g>(&self, guard: &'g Guard) -> Result<&'g Alarm, GrowError> {
        match self.alarm_if_any(guard) {
            Some(alarm) => Ok(alarm),
            None => self.make_alarm(guard),
        }
    }

    /// Makes the alarm, and returns it or the one that another thread has made meanwhile.
    #[cold]
    #[inline(never)]
    fn make_alarm<'g>(&self, guard: &'g Guard) -> Result<&'g Alarm, GrowError> {
        loop {
            let old = self.load();
            // SAFETY: as in `parts`.
            let parts = unsafe { old.parts() };
            if parts.alarm.is_none() {
                let alarm = Some(Extension::new_alarm(Alarm::new())?);
                self.grow(old, parts, Extension { alarm, ..parts }, guard)?;
            }
            if let Some(alarm) = self.alarm_if_any(guard) {
                return Ok(alarm);
            }
        }
    }

    /// Hangs the first history here, with the slot of a second that is closing. Returns `false` if
    /// a wheel is smaller, there is no memory, or something hangs here already.
    #[cold]
    #[inline(never)]
    pub(crate) fn begin(&self, operation: Operation, slot: Slot, window: u32) -> bool {
        if !is_smaller_than_wheel(CAPACITIES[0], window) {
            return false;
        }
        let slots = std::iter::once((operation, slot));
        let Ok(first) = PastPtr::with_history(CAPACITIES[0], || {}, slots) else { return false };
        let begun = self.replace(PastPtr::NOTHING, first).is_ok();
        if !begun {
            // SAFETY: no other thread has seen it.
            unsafe { first.free() };
        }
        begun
    }

    /// Puts the slot of an operation's second that is closing, and lets the past grow if it must.
    pub(crate) fn put(
        &self,
        operation: Operation,
        slot: Slot,
        window: u32,
        guard: &Guard,
    ) -> Result<(), GrowError> {
        loop {
            let old = self.load();
            // SAFETY: as in `parts`.
            let parts = unsafe { old.parts() };
            // SAFETY: as in `parts`.
            let (wheel, history) = unsafe { (parts.view_wheel(operation, window), parts.view_history()) };
            if let Some(wheel) = wheel {
                wheel.put(slot);
                return Ok(());
            }
            if history.is_some_and(|history| history.put(operation, slot, window).is_ok()) {
                return Ok(());
            }
            // A frozen entry's history is the copy's as well, which may not have to grow.
            if old.is_frozen() {
                return Err(GrowError::Frozen);
            }
            let larger = Self::larger(parts, operation, slot, window, guard)?;
            if self.grow(old, parts, larger, guard)? {
                return Ok(());
            }
        }
    }

    /// Returns the next larger parts, with the slot of a second that is closing, and without the
    /// operation's slots that left the window before that second began. A history is frozen only
    /// once there is memory for its copy, so that a failure leaves things as they were.
    fn larger(
        parts: Extension,
        operation: Operation,
        slot: Slot,
        window: u32,
        _guard: &Guard,
    ) -> Result<Extension, OutOfMemory> {
        // SAFETY: as in `parts`.
        let history = unsafe { parts.view_history() };
        // Irreversible. From then on no slot is put into the history, so all that it has can be
        // copied.
        let freeze = || history.iter().for_each(History::freeze);
        let all = || history.into_iter().flat_map(|history| history.all());
        let kept = |whose: Operation, held: Slot| {
            whose != operation || held.second != slot.second && !held.expired(slot.second, window)
        };
        // Another thread may have put the same second before the freeze: it is one slot. Looked for
        // when all others have been copied, so after the freeze.
        let last = || {
            let put = history.map_or(0, |history| history.count_in(operation, slot.second));
            (operation, Slot { count: slot.count.max(put), ..slot })
        };
        let copied = || all().filter(|&(whose, held)| kept(whose, held)).chain(std::iter::once_with(last));
        let capacity = parts.history.capacity();
        let is_warm = capacity > 0 && parts.alarm.is_some() && has_small_wheel(window);
        // A larger history if there is one, or else a wheel, and what the other operation needs.
        let larger = CAPACITIES.into_iter().find(|&each| each > capacity && !is_warm);
        if let Some(larger) = larger.filter(|&each| is_smaller_than_wheel(each, window)) {
            return Ok(Extension { history: PastPtr::with_history(larger, freeze, copied())?, ..parts });
        }
        let mut new = Extension { history: PastPtr::NOTHING, ..parts };
        let wheel = Wheel::create(window)?;
        freeze();
        let of = |wanted: Operation| copied().filter(move |&(whose, _)| whose == wanted);
        // SAFETY: just made, and no other thread has seen it.
        let view = unsafe { Wheel::view(wheel, window) };
        of(operation).for_each(|(_, slot)| view.put(slot));
        new.wheels[operation.index()] = Some(wheel);
        let other = operation.other();
        if new.wheels[other.index()].is_none() && of(other).next().is_some() {
            // The history is frozen already.
            new.history = PastPtr::with_history(capacity, || {}, of(other)).inspect_err(|_| {
                // SAFETY: just made, and no other thread has seen it.
                unsafe { Wheel::destroy(wheel) }
            })?;
        }
        Ok(new)
    }

    /// Puts `new` in place of `old`, which had `parts`. Returns `false` if another thread has
    /// replaced `old`.
    fn grow(&self, old: PastPtr, parts: Extension, new: Extension, guard: &Guard) -> Result<bool, GrowError> {
        let ptr = if old.is_frozen() {
            Err(GrowError::Frozen)
        } else {
            PastPtr::from_parts(new).map_err(GrowError::from)
        };
        let replaced = ptr.as_ref().is_ok_and(|&ptr| self.replace(old, ptr.with_marks_of(old)).is_ok());
        if replaced {
            // Alarm and wheels stay.
            let history = if parts.history == new.history { PastPtr::NOTHING } else { parts.history };
            // SAFETY: what is not in the new pointer can't be found from now on, and only this call
            // took it out.
            unsafe { old.retire_box(history, guard) };
            return Ok(true);
        }
        // SAFETY: no other thread has seen what is only in the new pointer.
        unsafe {
            new.free_except(parts);
            ptr.map(|ptr| ptr.free_box())?;
        }
        Ok(false)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::operation::Operation::Write;

    /// The copy of a history that one thread froze and no thread has replaced got a second slot of
    /// a second that was in it.
    #[test]
    fn a_second_that_was_put_before_the_history_was_frozen_is_one_slot_in_the_copy() {
        let guard = &crossbeam_epoch::pin();
        for (before, count, largest) in [(1, 2, 2), (2, 1, 2)] {
            for window in [60, 8] {
                let past = Past::new(PastPtr::NOTHING);
                past.put(Write, Slot::new(5, before), window, guard).unwrap();
                let PastSlots::History(history) = past.slots(Write, window, guard) else {
                    panic!("a history")
                };
                history.freeze();
                past.put(Write, Slot::new(5, count), window, guard).unwrap();
                let slots: Vec<_> = match past.slots(Write, window, guard) {
                    PastSlots::History(history) => history.slots(Write).collect(),
                    PastSlots::Wheel(wheel) => wheel.slots().filter(|slot| !slot.is_empty()).collect(),
                    PastSlots::Nowhere => panic!("nothing"),
                };
                assert_eq!(slots, [Slot::new(5, largest)], "{window}");
                // SAFETY: no other thread has seen it.
                unsafe { past.freeze_past().free() };
            }
        }
    }

    /// A thread that is still in an entry that has moved finds no place in the full history, which
    /// is the copy's as well. It froze that, so that the copy had to grow though it had room.
    #[test]
    fn a_late_put_leaves_the_history_of_the_copy_as_it_is() {
        let guard = &crossbeam_epoch::pin();
        let old = Past::new(PastPtr::NOTHING);
        let put = |past: &Past, second, count| past.put(Write, Slot::new(second, count), 60, guard);
        let full = CAPACITIES[0] as u32;
        (0..full).for_each(|second| put(&old, second, 1).unwrap());
        let copy = Past::new(old.freeze_past().thawed());
        assert!(matches!(put(&old, full, 1), Err(GrowError::Frozen)));
        put(&copy, 0, 2).unwrap();
        assert_eq!(copy.parts(guard).history.capacity(), CAPACITIES[0]);
        put(&copy, full, 1).unwrap();
        assert_eq!(copy.parts(guard).history.capacity(), CAPACITIES[1]);
        // SAFETY: no other thread has seen it; the old one hung on it too.
        unsafe { copy.freeze_past().free() };
    }

    #[test]
    fn the_first_history_is_hung_once_and_never_on_what_is_frozen() {
        let guard = &crossbeam_epoch::pin();
        let past = Past::new(PastPtr::NOTHING);
        assert!(!past.begin(Write, Slot::new(5, 1), 4), "a wheel is smaller");
        assert!(past.begin(Write, Slot::new(5, 1), 60) && !past.begin(Write, Slot::new(6, 2), 60));
        let PastSlots::History(history) = past.slots(Write, 60, guard) else { panic!("a history") };
        assert_eq!(history.slots(Write).collect::<Vec<_>>(), [Slot::new(5, 1)]);
        // SAFETY: no other thread has seen it.
        unsafe { past.freeze_past().free() };
        let frozen = Past::new(PastPtr::NOTHING.frozen());
        assert!(!frozen.begin(Write, Slot::new(5, 1), 60));
    }

    /// It left a hole of each size behind, in memory that a process keeps. Of a long window a wheel
    /// is large: it is earned.
    #[test]
    fn a_partition_with_an_alarm_has_one_history_and_then_wheels_if_those_are_small() {
        let guard = &crossbeam_epoch::pin();
        for window in [60, 3_600] {
            let past = Past::new(PastPtr::NOTHING);
            past.alarm(guard).unwrap();
            for second in 0..=CAPACITIES[0] as u32 {
                assert!(past.parts(guard).history.capacity() <= CAPACITIES[0]);
                past.put(Write, Slot::new(second, 1), window, guard).unwrap();
            }
            let expected = if window == 60 { 0 } else { CAPACITIES[1] };
            assert_eq!(past.parts(guard).history.capacity(), expected);
            let sum = match past.slots(Write, window, guard) {
                PastSlots::Wheel(wheel) => wheel.sum_before(60),
                PastSlots::History(history) => history.slots(Write).map(|slot| u64::from(slot.count)).sum(),
                PastSlots::Nowhere => 0,
            };
            assert_eq!(sum, CAPACITIES[0] as u64 + 1);
            // SAFETY: no other thread has seen it.
            unsafe { past.freeze_past().free() };
        }
    }
}
