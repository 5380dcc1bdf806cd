//! The content of an entry: that of a first record, of a promotion, or of an entry that moves.

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

/// How a detector's partitions behave; the same for all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) window: u32,
    pub(crate) interval_ms: u64,
}

/// The fixed part of an entry.
#[repr(C)]
pub(crate) struct Core {
    pub(crate) heads: [AtomicHead; 2],
    pub(crate) past: Past,
    pub(crate) label: AtomicLabel,
}

/// Where a far text begins, in bytes from its entry.
pub(crate) type Distance = u32;

/// The content of a new entry: that of a first record, or a copy of another entry.
pub(crate) struct Content<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) position: u32,
    pub(crate) heads: [Head; 2],
    pub(crate) past: PastPtr,
}

impl<'a> Content<'a> {
    /// A partition whose first record adds `amount` at `second`; with an alarm if it may soon be hot.
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

    /// A partition that is promoted at `second` with these amounts, of which so much may be others', or older.
    pub(crate) fn promoted(
        key: Key<'a>,
        hash: Hash,
        second: u32,
        amounts: [u32; 2],
        carried: [u32; 2],
    ) -> Result<Self, OutOfMemory> {
        let alarm = Alarm::new();
        Operation::ALL.into_iter().for_each(|each| alarm.carry(each, carried[each.index()], second));
        let head = |amount| if amount > 0 { Head::new(second, 0, amount) } else { Head::EMPTY };
        let past = PastPtr::with_alarm(alarm)?.fresh();
        Ok(Self { key, position: hash.position, heads: amounts.map(head), past })
    }

    pub(crate) fn text_len(&self) -> usize {
        self.key.table.len() + self.key.pk.len()
    }

    /// Writes the entry, with its texts in the cell, or `far` from it.
    ///
    /// # Safety
    /// `cell` is a cell that this call has to itself but for its label, with room for the texts unless they are
    /// far: then there is room there, at a higher address.
    pub(crate) unsafe fn write(&self, cell: NonNull<u8>, far: Option<NonNull<u8>>) {
        let Key { table, pk } = self.key;
        let core: *mut Core = cell.cast().as_ptr();
        let label = Label::new(self.position, self.key);
        // SAFETY: all of it lies within what the caller gives; the label has been there since the segment was
        // made.
        unsafe {
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

    /// How the partition stands, which has been frozen.
    pub(crate) fn standing(&self, now: Moment, timing: Timing, guard: &Guard) -> Standing {
        let mut counts = [0; 2];
        // Its sums are not in the heads then.
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

    /// Calls `see` with each slot of an operation that was in the window when the head's second began, that second's last.
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

    /// Whether the partition is as if never seen; see [`idle`].
    pub(crate) fn idle(&self, now: Moment, timing: Timing, guard: &Guard) -> bool {
        idle(self.heads, self.past, now, timing, guard)
    }
}

/// All that a partition had when it was taken out of the map.
pub(crate) struct Removed {
    pub(crate) heads: [Head; 2],
    pub(crate) past: PastPtr,
}

impl Removed {
    /// Whether the partition was as if never seen when it went; see [`idle`].
    pub(crate) fn was_idle(&self, now: Moment, timing: Timing, guard: &Guard) -> bool {
        idle(self.heads, self.past, now, timing, guard)
    }
}

/// How a partition stands.
pub(crate) struct Standing {
    /// Its counts in the window, of each operation.
    pub(crate) counts: [u64; 2],
    /// Whether it is neither being promoted, nor so full that its heads do not tell all.
    pub(crate) is_settled: bool,
    /// Whether it could warn at once.
    pub(crate) is_quiet: bool,
}

impl Standing {
    /// One of these counts and this past, which lives while the guard does.
    pub(crate) fn new(counts: [u64; 2], past: PastPtr, now: Moment, timing: Timing, _guard: &Guard) -> Self {
        // SAFETY: as the caller says.
        let alarm = unsafe { past.parts().view_alarm() };
        let is_quiet = alarm.is_none_or(|alarm| alarm.quiet(now.ms(), timing.interval_ms));
        Self { counts, is_settled: !past.is_fresh() && !past.is_heavy(), is_quiet }
    }
}

/// Whether a partition of these heads and this past, which lives while the guard does, is as if never seen: its window
/// is empty, and it could warn at once.
#[inline(always)]
pub(crate) fn idle(heads: [Head; 2], past: PastPtr, now: Moment, timing: Timing, _guard: &Guard) -> bool {
    let quiet = || {
        // SAFETY: as the caller says.
        let alarm = unsafe { past.parts().view_alarm() };
        alarm.is_none_or(|alarm| alarm.quiet(now.ms(), timing.interval_ms))
    };
    heads.iter().all(|head| head.idle(now.second(), timing.window)) && quiet()
}
