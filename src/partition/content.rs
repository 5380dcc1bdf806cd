//! The content of an entry, from which it is written into a cell.
//!
//! There are three kinds. A first record's has one head with one amount. A promotion's has both
//! heads, with the amounts that a filter's cells had. A copy's has all that a frozen entry held,
//! and shares its past.
//!
//! A new entry may have an alarm from the first: it is there before the record that needs it, so
//! that a hot record asks for no memory.
//!
//! [`Standing`] and [`idle`] answer the two questions that decide whether an entry is copied at
//! all: could it be counted in the filter from now on, and is it as if never seen? Both are asked
//! of a live entry, as a guess, and of a frozen one, for good.

use crate::error::OutOfMemory;
use crate::key::Key;
use crate::key::hash::Hash;
use crate::operation::Operation;
use crate::partition::alarm::Alarm;
use crate::partition::amount::Amount;
use crate::partition::head::{AtomicHead, Head};
use crate::partition::label::{AtomicLabel, Label};
use crate::partition::past::{Past, PastSlots};
use crate::partition::past_ptr::PastPtr;
use crate::partition::series;
use crate::partition::slot::Slot;
use crate::sys::clock::Moment;
use crossbeam_epoch::Guard;
use std::ptr::NonNull;

/// The times by which a detector's partitions go; the same for all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// The window, in seconds.
    pub(crate) window: u32,
    /// The least time between two warnings of one partition and operation.
    pub(crate) interval_ms: u64,
}

/// The fixed part of an entry.
#[repr(C)]
pub(crate) struct Core {
    pub(crate) heads: [AtomicHead; 2],
    pub(crate) past: Past,
    pub(crate) label: AtomicLabel,
}

/// The distance of a far text from its entry, in bytes.
pub(crate) type Distance = u32;

/// The content of an entry that is about to be written.
pub(crate) struct Content<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) position: u32,
    pub(crate) heads: [Head; 2],
    pub(crate) past: PastPtr,
}

impl<'a> Content<'a> {
    /// Makes the content of a partition whose first record adds `amount` at `second`. It has an
    /// alarm if the amount is half of `floor` or more, as the next record may be hot.
    pub(crate) fn first(
        key: Key<'a>,
        hash: Hash,
        operation: Operation,
        amount: Amount,
        second: u32,
        floor: u64,
    ) -> Result<Self, OutOfMemory> {
        let head = |each| if each == operation { Head::new(second, 0, amount.get()) } else { Head::EMPTY };
        let warm = u64::from(amount) >= floor / 2;
        let past = if warm { PastPtr::with_alarm(Alarm::new())? } else { PastPtr::NOTHING };
        Ok(Self { key, position: hash.position, heads: Operation::ALL.map(head), past })
    }

    /// Makes the content of a partition that is promoted at `second` with these amounts. Of each,
    /// `carried` may be other partitions' or older.
    ///
    /// It is *fresh*: the promoting thread has yet to add what the cells get meanwhile. Records
    /// that find it fresh go to both places.
    pub(crate) fn promoted(
        key: Key<'a>,
        hash: Hash,
        second: u32,
        amounts: [u32; 2],
        carried: [u32; 2],
    ) -> Result<Self, OutOfMemory> {
        let alarm = Alarm::new();
        Operation::ALL
            .into_iter()
            .for_each(|each| alarm.carry(each, carried[each.index()], second, u32::MAX));
        let head = |amount| if amount > 0 { Head::new(second, 0, amount) } else { Head::EMPTY };
        let past = PastPtr::with_alarm(alarm)?.fresh();
        Ok(Self { key, position: hash.position, heads: amounts.map(head), past })
    }

    /// Returns the bytes of table and key together.
    pub(crate) fn text_len(&self) -> usize {
        self.key.table.len() + self.key.pk.len()
    }

    /// Writes the entry, with its texts in the cell, or `far` from it.
    ///
    /// # Safety
    /// `cell` is a cell that this call has to itself but for its label, with room for the texts
    /// unless they are far: then there is room there, at a higher address.
    pub(crate) unsafe fn write(&self, cell: NonNull<u8>, far: Option<NonNull<u8>>) {
        let Key { table, pk } = self.key;
        let core: *mut Core = cell.cast().as_ptr();
        let label = Label::new(self.position, self.key);
        // SAFETY: all of it lies within what the caller gives; the label has been there since the
        // segment was made.
        unsafe {
            // The label comes last. It is *new* until the entry's lane is taken, so that no lookup
            // of the cell takes the entry for one in the map.
            (&raw mut (*core).heads).write(self.heads.map(AtomicHead::new));
            (&raw mut (*core).past).write(Past::new(self.past));
            let near = cell.add(size_of::<Core>());
            if let Some(far) = far {
                near.cast::<Distance>().write((far.addr().get() - cell.addr().get()) as Distance);
            }
            let text = far.unwrap_or(near);
            text.copy_from_nonoverlapping(NonNull::from(table).cast(), table.len());
            text.add(table.len()).copy_from_nonoverlapping(NonNull::from(pk).cast(), pk.len());
            (*core).label.set(if far.is_some() { label.far() } else { label }.new_entry());
        }
    }

    /// Returns how a frozen partition stands.
    pub(crate) fn standing(&self, now: Moment, timing: Timing, guard: &Guard) -> Standing {
        let mut counts = [0; 2];
        // A heavy partition's sums are not in its heads. It does not go into the filter in any
        // case, so its counts stay 0 here.
        if !self.past.is_heavy() {
            for operation in Operation::ALL {
                let count = &mut counts[operation.index()];
                let kept = |slot: &Slot| !slot.expired(now.second(), timing.window);
                self.each_slot(operation, timing.window, guard, |slot| {
                    *count += if kept(&slot) { u64::from(slot.count) } else { 0 };
                });
            }
        }
        Standing::new(counts, self.past, now, timing, guard)
    }

    /// Calls `see` with each slot of an operation that was in the window when the head's second
    /// began. The slot of that second comes last, as only the sum of the others tells its count.
    pub(crate) fn each_slot(
        &self,
        operation: Operation,
        window: u32,
        guard: &Guard,
        mut see: impl FnMut(Slot),
    ) {
        let head = self.heads[operation.index()];
        if head.is_empty() {
            return;
        }
        let within = head.second().saturating_sub(window)..head.second();
        let mut base = 0;
        let mut add = |slot: Slot| {
            if within.contains(&slot.second) {
                base += u64::from(slot.count);
                see(slot);
            }
        };
        match Past::new(self.past).slots(operation, window, guard) {
            PastSlots::Nowhere => {}
            PastSlots::History(history) => history.slots(operation).for_each(&mut add),
            PastSlots::Wheel(wheel) => wheel.slots().for_each(&mut add),
        }
        see(Slot { second: head.second(), count: head.own(series::base(base)) });
    }

    /// Returns whether the partition is as if never seen: see [`idle`].
    pub(crate) fn idle(&self, now: Moment, timing: Timing, guard: &Guard) -> bool {
        idle(self.heads, self.past, now, timing, guard)
    }
}

/// The heads and the past of a partition that was taken out of the map.
pub(crate) struct Removed {
    pub(crate) heads: [Head; 2],
    pub(crate) past: PastPtr,
}

impl Removed {
    /// Returns whether the partition was as if never seen when it went: see [`idle`].
    pub(crate) fn was_idle(&self, now: Moment, timing: Timing, guard: &Guard) -> bool {
        idle(self.heads, self.past, now, timing, guard)
    }
}

/// A partition's counts and state at one moment.
pub(crate) struct Standing {
    /// The counts in the window, of writes and of reads.
    pub(crate) counts: [u64; 2],
    /// Tells that the partition is neither fresh nor heavy: its heads tell all.
    pub(crate) is_settled: bool,
    /// Tells that the partition could warn at once, so that no warning state is lost with its
    /// entry.
    pub(crate) is_quiet: bool,
}

impl Standing {
    /// Makes the standing of a partition with these counts and this past, which lives while the
    /// guard does.
    pub(crate) fn new(counts: [u64; 2], past: PastPtr, now: Moment, timing: Timing, _guard: &Guard) -> Self {
        // SAFETY: as the caller says.
        let alarm = unsafe { past.parts().view_alarm() };
        let is_quiet = alarm.is_none_or(|alarm| alarm.quiet(now.ms(), timing.interval_ms));
        Self { counts, is_settled: !past.is_fresh() && !past.is_heavy(), is_quiet }
    }
}

/// Returns whether a partition of these heads and this past, which lives while the guard does, is
/// as if never seen: its window is empty, and it could warn at once.
#[inline(always)]
pub(crate) fn idle(heads: [Head; 2], past: PastPtr, now: Moment, timing: Timing, _guard: &Guard) -> bool {
    let quiet = || {
        // SAFETY: as the caller says.
        let alarm = unsafe { past.parts().view_alarm() };
        alarm.is_none_or(|alarm| alarm.quiet(now.ms(), timing.interval_ms))
    };
    heads.iter().all(|head| head.idle(now.second(), timing.window)) && quiet()
}
