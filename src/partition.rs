//! A partition: its key, its two series, and what hangs on them, in one entry of a
//! [segment](crate::segment).
//!
//! ```text
//!  0        8        16      24      28      32
//! +--------+--------+-------+-------+-------+-----------------+
//! | writes | reads  | past  | place | shape | table, pk bytes |
//! +--------+--------+-------+-------+-------+-----------------+
//!   heads                             lengths
//! ```
//!
//! An entry is written before anybody can find it. From then on its heads and its past change in place;
//! the rest never does. To have other neighbours it *moves*: it is frozen and copied.

use crate::alarm::Alarm;
use crate::clock::Moment;
use crate::form::Form;
use crate::head::{AtomicHead, Head};
use crate::key::{Hash, Key};
use crate::memory::OutOfMemory;
use crate::operation::Operation;
use crate::past::{GrowError, Past};
use crate::series::Series;
use crate::slot::MOST;
use crate::sync::AtomicU64;
use crossbeam_epoch::Guard;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// How a detector's partitions behave; the same for all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) window: u32,
    pub(crate) interval_ms: u64,
}

/// Why an add did not count.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AddError {
    /// The partition has moved, or has been reclaimed or replaced: find it again.
    Moved,
    /// It had better be as if never seen: reclaim it first.
    Idle,
    Memory,
}

/// The lengths of table and key.
#[derive(Clone, Copy)]
struct Shape {
    table_len: u16,
    pk_len: u16,
}

/// What an entry begins with.
#[repr(C)]
struct Core {
    heads: [AtomicHead; 2],
    past: Past,
    place: u32,
    shape: Shape,
}

/// A view of one partition's entry.
#[derive(Clone, Copy)]
pub(crate) struct Partition<'g> {
    core: NonNull<Core>,
    _lives: PhantomData<&'g Core>,
}

/// What an entry is made of: the first record's, or another entry's.
pub(crate) struct Content<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) place: u32,
    heads: [Head; 2],
    pub(crate) past: Form,
}

impl<'a> Content<'a> {
    /// A partition whose first record adds `amount` at `second`; with an alarm if it may soon be hot.
    pub(crate) fn first(
        key: Key<'a>,
        hash: Hash,
        operation: Operation,
        amount: u32,
        second: u32,
        floor: u64,
    ) -> Result<Self, OutOfMemory> {
        let head = |of| if of == operation { Head::new(second, 0, amount.min(MOST)) } else { Head::EMPTY };
        let warm = u64::from(amount) >= floor / 2;
        let past = if warm { Form::armed()? } else { Form::NOTHING };
        Ok(Self { key, place: hash.place, heads: Operation::ALL.map(head), past })
    }

    /// How many bytes an entry takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Core>() + self.key.table.len() + self.key.pk.len()
    }

    /// Writes the entry.
    ///
    /// # Safety
    /// There are `size` bytes at `at`, aligned for an entry, and nobody else sees them.
    pub(crate) unsafe fn write(&self, at: NonNull<u8>) {
        let Key { table, pk } = self.key;
        let core = Core {
            heads: self.heads.map(AtomicHead::new),
            past: Past::new(self.past),
            place: self.place,
            // Keys are checked: 1,024 and 16,384 at most.
            shape: Shape { table_len: table.len() as u16, pk_len: pk.len() as u16 },
        };
        // SAFETY: both parts lie within the caller's bytes.
        unsafe {
            at.cast().write(core);
            let text = at.add(size_of::<Core>());
            text.copy_from_nonoverlapping(NonNull::from(table).cast(), table.len());
            text.add(table.len()).copy_from_nonoverlapping(NonNull::from(pk).cast(), pk.len());
        }
    }

    /// Whether the partition is as if never seen: its window is empty, and it could warn at once.
    pub(crate) fn idle(&self, now: Moment, rules: Rules, _guard: &Guard) -> bool {
        // SAFETY: the form was an entry's, under this guard.
        let alarm = unsafe { self.past.parts().view_alarm() };
        self.heads.iter().all(|head| head.idle(now.second, rules.window)) && quiet(alarm, now, rules)
    }
}

fn quiet(alarm: Option<&Alarm>, now: Moment, rules: Rules) -> bool {
    alarm.is_none_or(|alarm| alarm.quiet(now.ms, rules.interval_ms))
}

impl<'g> Partition<'g> {
    /// # Safety
    /// `at` is where `Content::write` wrote an entry, which lives through `'g`.
    #[inline(always)]
    pub(crate) unsafe fn view(at: NonNull<u8>) -> Self {
        Self { core: at.cast(), _lives: PhantomData }
    }

    #[inline(always)]
    fn core(&self) -> &'g Core {
        // SAFETY: the entry lives through 'g.
        unsafe { self.core.as_ref() }
    }

    pub(crate) fn place(&self) -> u32 {
        self.core().place
    }

    /// Where the entry lies.
    pub(crate) fn address(&self) -> NonNull<u8> {
        self.core.cast()
    }

    #[inline(always)]
    pub(crate) fn key(&self) -> Key<'g> {
        let Shape { table_len, pk_len } = self.core().shape;
        // SAFETY: the texts follow the core, as long as its shape says.
        unsafe {
            let table = self.core.add(1).cast::<u8>();
            let pk = table.add(table_len.into());
            Key {
                table: std::slice::from_raw_parts(table.as_ptr(), table_len.into()),
                pk: std::slice::from_raw_parts(pk.as_ptr(), pk_len.into()),
            }
        }
    }

    pub(crate) fn series(&self, operation: Operation, window: u32, guard: &'g Guard) -> Series<'g> {
        let Core { heads, past, .. } = self.core();
        Series { head: &heads[operation.index()], past, operation, window, guard }
    }

    /// Adds in the one way that nearly all adds take: the head's second is not over, the window's total is in
    /// it, and the alarm is made or far off. `None`: nothing was added. `Err`: the head was no longer so; see
    /// [`Series::counted`].
    #[inline(always)]
    pub(crate) fn add_quickly(
        &self,
        operation: Operation,
        amount: u32,
        now: Moment,
        floor: u64,
    ) -> Option<Result<u64, Head>> {
        let core = self.core();
        let head = &core.heads[operation.index()];
        let (seen, past) = (head.load(), core.past.load());
        let far = u64::from(seen.total()) + u64::from(amount) < floor / 2;
        if seen.second() < now.second || !seen.takes(amount) || !past.is_light() || !(far || past.is_armed())
        {
            return None;
        }
        let before = head.add(amount);
        Some(if before.second() == seen.second() && before.takes(amount) {
            Ok(u64::from(before.total()) + u64::from(amount))
        } else {
            Err(before)
        })
    }

    /// Adds, and returns the count with it.
    pub(crate) fn add(
        &self,
        operation: Operation,
        amount: u32,
        now: Moment,
        rules: Rules,
        floor: u64,
        guard: &'g Guard,
    ) -> Result<u64, AddError> {
        let past = &self.core().past;
        // As if never seen, but for a warning state that must not show: begin anew.
        if past.load().is_armed() && self.idle(now, rules, guard) {
            return Err(AddError::Idle);
        }
        // The alarm is made while a partition warms up, so that a hot record finds it made: a record that
        // gets no memory for it is refused before it has added anything.
        let prepare = |count| if count < floor / 2 { Ok(()) } else { Ok(past.alarm(guard).map(drop)?) };
        self.series(operation, rules.window, guard).add(amount, now.second, prepare)
    }

    /// The alarm, made if it is not there yet.
    pub(crate) fn alarm(&self, guard: &'g Guard) -> Result<&'g Alarm, GrowError> {
        self.core().past.alarm(guard)
    }

    /// Whether the partition is as if never seen: its window is empty, and it could warn at once.
    pub(crate) fn idle(&self, now: Moment, rules: Rules, guard: &Guard) -> bool {
        let core = self.core();
        core.heads.iter().all(|head| head.load().idle(now.second, rules.window))
            && quiet(core.past.alarm_if_any(guard), now, rules)
    }

    /// Freezes the entry, so that every later add is told that it moved, and returns what a copy is made of.
    /// All who freeze it agree on what its heads held by way of `last`. An expired head is copied as it is: one
    /// who read the clock before may be closing its second still, and then needs its base.
    pub(crate) fn freeze(&self, last: &[AtomicU64; 2]) -> Content<'g> {
        let core = self.core();
        // The heads first: who turns one marks the past before that.
        let heads = [0, 1].map(|i| core.heads[i].freeze(&last[i]));
        Content { key: self.key(), place: core.place, heads, past: core.past.freeze().thawed() }
    }

    /// Stops an entry that can't be found any more, and returns what hangs on it: nothing else will.
    pub(crate) fn stop(&self) -> Form {
        self.core().heads.iter().for_each(AtomicHead::stop);
        self.seal()
    }

    /// Makes sure that nothing is hung on the entry from now on, and returns what is.
    pub(crate) fn seal(&self) -> Form {
        self.core().past.freeze()
    }

    /// How many bytes a copy takes.
    pub(crate) fn size(&self) -> usize {
        let Key { table, pk } = self.key();
        size_of::<Core>() + table.len() + pk.len()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// What a partition of a 25-byte key takes that saw these operations once in each of so many seconds.
    fn size(operations: &[Operation], seconds: u32, window: u32) -> usize {
        let rules = Rules { window, interval_ms: 0 };
        let key = Key { table: b"orders", pk: b"customer#0000000007" };
        let content = Content::first(key, Hash::new(0), Operation::Write, 1, 0, u64::MAX).unwrap();
        let entry = content.size().next_multiple_of(16);
        let mut memory = vec![0_u64; entry / 8];
        // SAFETY: there are so many bytes, aligned for an entry.
        let partition = unsafe {
            let at = NonNull::from(memory.as_mut_slice()).cast();
            content.write(at);
            Partition::view(at)
        };
        let guard = &crossbeam_epoch::pin();
        for second in 0..seconds {
            let now = Moment::from_ms(u64::from(second) * 1000);
            for &operation in operations {
                partition.add(operation, 1, now, rules, u64::MAX, guard).unwrap();
            }
        }
        let past = partition.seal();
        // SAFETY: nobody else has seen it.
        let size = entry + unsafe { past.parts().bytes(window) };
        // SAFETY: as above.
        unsafe { past.free() };
        size
    }

    #[test]
    fn a_partition_costs_in_step_with_the_seconds_it_was_seen_in() {
        let (one, both) = (&[Operation::Write][..], &Operation::ALL[..]);
        for seconds in [1, 2, 4, 5, 8, 9, 16, 17, 32, 33, 61] {
            println!(
                "{seconds:3} seconds: {:5} bytes, {:5} for both",
                size(one, seconds, 60),
                size(both, seconds, 60)
            );
        }
        assert_eq!(size(one, 1, 60), 64, "a cache line");
        assert!((1..=8).all(|seconds| size(one, seconds, 60) <= 128 && size(both, seconds, 60) <= 192));
        assert!(size(both, 1_000, 60) + size_of::<Alarm>() <= 1_200);
        // No cliff: one more second never more than doubles what the seconds before it cost.
        assert!((1..200).all(|seconds| size(one, seconds + 1, 60) <= 2 * size(one, seconds, 60)));
        // Long windows too pay by what was seen, until the wheel is earned.
        assert!(size(one, 8, 3_600) < 192 && size(one, 32, 3_600) < 512);
    }
}
