//! A partition: its key, its two series, its warning state, and whether it is still alive, in one
//! allocation that ends in the key's bytes.
//!
//! **Reclaim** must not lose an add that comes at the same time. The state goes from *live* to
//! *dying*, then both heads are looked at once more **in the order of the adds**, then it
//! goes to *dead*. An adder adds first and looks at the state second. So either the
//! reclaimer's look comes after the add and it calls off, or the adder sees *dying* and makes it *live*
//! again (the step to *dead* then fails), or it sees *dead*, and adds once more to the partition's
//! successor; nobody counts the dead one. Each *dying* has a number of its own, so that a
//! slow reclaimer can't finish what a later one began.

use crate::alarm::Alarm;
use crate::clock::Moment;
use crate::key::{Hash, Key};
use crate::memory::{OutOfMemory, try_box};
use crate::operation::Operation;
use crate::series::Series;
use crate::slot::Slot;
use crate::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32};
use crate::table::Entry;
use crossbeam_epoch::Guard;
use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

/// How a detector's partitions behave; the same for all of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) window: u32,
    pub(crate) interval_ms: u64,
}

#[repr(C)]
pub(crate) struct Partition {
    series: [Series; 2],
    /// Null until the first hot record.
    alarm: AtomicPtr<Alarm>,
    place: u32,
    state: AtomicU32,
    table_len: u16,
    pk_len: u16,
    /// Where the bytes of table and pk begin.
    bytes: [u8; 0],
}

/// The state's low bits; the others number the attempts to reclaim.
const LIVE: u32 = 0;
const DYING: u32 = 1;
const DEAD: u32 = 2;
const PHASE: u32 = 3;

/// Why an add did not count.
#[derive(Debug)]
pub(crate) enum AddError {
    /// The partition has been reclaimed or replaced.
    Dead,
    Memory(OutOfMemory),
}

impl Partition {
    /// A partition whose first record adds `amount` at `second`.
    pub(crate) fn create(
        key: Key<'_>,
        hash: Hash,
        operation: Operation,
        amount: u32,
        second: u32,
    ) -> Result<NonNull<Self>, OutOfMemory> {
        let first = |of| if of == operation { Slot::new(second, amount) } else { Slot::EMPTY };
        let layout = Self::layout(key.table.len(), key.pk.len());
        // SAFETY: the layout holds at least the header.
        let memory = NonNull::new(unsafe { alloc(layout) }.cast::<Self>()).ok_or(OutOfMemory)?;
        let partition = Self {
            series: Operation::ALL.map(|of| Series::new(first(of))),
            alarm: AtomicPtr::new(std::ptr::null_mut()),
            place: hash.place,
            state: AtomicU32::new(LIVE),
            // Keys are checked: 1,024 and 16,384 at most.
            table_len: key.table.len() as u16,
            pk_len: key.pk.len() as u16,
            bytes: [],
        };
        // SAFETY: the allocation holds a header and, where `bytes` begins, both texts. The
        // header's padding lies where the texts begin, so they are written after it.
        unsafe {
            memory.write(partition);
            let bytes = Self::bytes(memory);
            bytes.copy_from_nonoverlapping(NonNull::from(key.table).cast(), key.table.len());
            bytes.add(key.table.len()).copy_from_nonoverlapping(NonNull::from(key.pk).cast(), key.pk.len());
        }
        Ok(memory)
    }

    fn layout(table_len: usize, pk_len: usize) -> Layout {
        let size = std::mem::offset_of!(Self, bytes) + table_len + pk_len;
        Layout::from_size_align(size.max(size_of::<Self>()), align_of::<Self>()).expect("keys are bounded")
    }

    /// # Safety
    /// `this` came from `create` and lives.
    unsafe fn bytes(this: NonNull<Self>) -> NonNull<u8> {
        // SAFETY: `bytes` is a field of the header.
        unsafe { this.byte_add(std::mem::offset_of!(Self, bytes)).cast() }
    }

    /// Whether this is the partition of `key`, and alive.
    ///
    /// # Safety
    /// `this` came from `create` and lives. (A reference would not reach the bytes behind the header.)
    pub(crate) unsafe fn is(this: NonNull<Self>, key: Key<'_>) -> bool {
        // SAFETY: as the caller promises; the lengths were written with the texts.
        unsafe {
            let header = this.as_ref();
            let bytes = Self::bytes(this);
            let text = |from: usize, len: u16| {
                std::slice::from_raw_parts(bytes.add(from).as_ptr(), usize::from(len))
            };
            usize::from(header.table_len) == key.table.len()
                && text(key.table.len(), header.pk_len) == key.pk
                && text(0, header.table_len) == key.table
                && !header.is_dead()
        }
    }

    pub(crate) fn series(&self, operation: Operation) -> &Series {
        &self.series[operation.index()]
    }

    /// Adds, and returns the count with it.
    pub(crate) fn add(
        &self,
        operation: Operation,
        amount: u32,
        second: u32,
        rules: Rules,
        floor: u64,
        guard: &Guard,
    ) -> Result<u64, AddError> {
        let prepare = |count| self.prepare(count, floor);
        let added = self.series(operation).add(amount, second, rules.window, prepare, guard);
        let count = added.map_err(AddError::Memory)?;
        let mut state = self.state.load(Acquire);
        loop {
            match state & PHASE {
                LIVE => return Ok(count),
                DEAD => return Err(AddError::Dead),
                _dying => {
                    let live = state & !PHASE | LIVE;
                    match self.state.compare_exchange(state, live, AcqRel, Acquire) {
                        Ok(_) => return Ok(count),
                        Err(actual) => state = actual,
                    }
                }
            }
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.state.load(Acquire) & PHASE == DEAD
    }

    /// Whether the partition is as if never seen: its window is empty, and it could warn at once.
    pub(crate) fn idle(&self, now: Moment, rules: Rules) -> bool {
        self.series.iter().all(|series| series.idle(now.second, rules.window)) && self.quiet(now, rules)
    }

    fn quiet(&self, now: Moment, rules: Rules) -> bool {
        self.alarm_if_any().is_none_or(|alarm| alarm.quiet(now.ms, rules.interval_ms))
    }

    /// Kills the partition if it is idle. `true`: this call did; it must be unlinked. After `false` it is
    /// dead or was not idle.
    pub(crate) fn kill_idle(&self, now: Moment, rules: Rules) -> bool {
        while self.idle(now, rules) {
            let state = self.state.load(Acquire);
            let dying = match state & PHASE {
                DEAD => return false,
                // Another thread's attempt: finished here too, as that one may have stopped.
                DYING => state,
                _live => (state & !PHASE).wrapping_add(PHASE + 1) | DYING,
            };
            if dying != state && self.state.compare_exchange(state, dying, AcqRel, Acquire).is_err() {
                continue;
            }
            let empty = |series: &Series| series.idle_in_order(now.second, rules.window);
            let idle = self.series.iter().all(empty) && self.quiet(now, rules);
            let next = dying & !PHASE | if idle { DEAD } else { LIVE };
            if self.state.compare_exchange(dying, next, AcqRel, Acquire).is_ok() {
                return idle;
            }
        }
        false
    }

    /// Kills the partition whatever it holds. `true`: this call did; it must be unlinked.
    pub(crate) fn kill(&self) -> bool {
        let mut state = self.state.load(Acquire);
        while state & PHASE != DEAD {
            match self.state.compare_exchange(state, state & !PHASE | DEAD, AcqRel, Acquire) {
                Ok(_) => return true,
                Err(actual) => state = actual,
            }
        }
        false
    }

    pub(crate) fn alarm_if_any(&self) -> Option<&Alarm> {
        // SAFETY: an alarm lives as long as its partition.
        unsafe { self.alarm.load(Acquire).as_ref() }
    }

    /// Makes the alarm while a partition warms up, so that a hot record finds it made: a record that gets
    /// no memory for it is refused before it has added anything.
    pub(crate) fn prepare(&self, count: u64, floor: u64) -> Result<(), OutOfMemory> {
        if count < floor / 2 { Ok(()) } else { self.alarm().map(drop) }
    }

    /// The alarm, made if it is not there yet.
    pub(crate) fn alarm(&self) -> Result<&Alarm, OutOfMemory> {
        if let Some(alarm) = self.alarm_if_any() {
            return Ok(alarm);
        }
        let new = Box::into_raw(try_box(Alarm::new())?);
        let alarm = match self.alarm.compare_exchange(std::ptr::null_mut(), new, AcqRel, Acquire) {
            Ok(_) => new,
            Err(other) => {
                // SAFETY: nobody has seen `new`, which came from a box.
                drop(unsafe { Box::from_raw(new) });
                other
            }
        };
        // SAFETY: an alarm lives as long as its partition.
        Ok(unsafe { &*alarm })
    }

    /// The bytes that the partition takes, all told.
    #[cfg(all(test, not(loom)))]
    pub(crate) fn size(&self, rules: Rules) -> usize {
        Self::layout(self.table_len.into(), self.pk_len.into()).size()
            + self.series.iter().map(|series| series.bytes(rules.window)).sum::<usize>()
            + self.alarm_if_any().map_or(0, size_of_val)
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        let alarm = self.alarm.load(Acquire);
        if !alarm.is_null() {
            // SAFETY: it came from a box, in `alarm`, and goes with its partition.
            drop(unsafe { Box::from_raw(alarm) });
        }
    }
}

// SAFETY: `place` never changes; `free` undoes `create`.
unsafe impl Entry for Partition {
    fn place(&self) -> u32 {
        self.place
    }

    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: the caller is the last to use what `create` made; the lengths give its layout.
        unsafe {
            let layout = Self::layout(this.as_ref().table_len.into(), this.as_ref().pk_len.into());
            this.drop_in_place();
            dealloc(this.as_ptr().cast(), layout);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// The size of a partition of a 19-byte key that saw one write in each of these seconds.
    fn size(seconds: std::ops::Range<u32>, window: u32) -> usize {
        size_of_operations(&[Operation::Write], seconds, window)
    }

    fn size_of_operations(operations: &[Operation], seconds: std::ops::Range<u32>, window: u32) -> usize {
        let rules = Rules { window, interval_ms: 0 };
        let key = Key { table: b"orders", pk: b"customer#00000000007" };
        let hash = Hash::new(0);
        let new = Partition::create(key, hash, Operation::Write, 1, seconds.start).unwrap();
        // SAFETY: just made; freed below.
        let partition = unsafe { new.as_ref() };
        for second in seconds {
            for &operation in operations {
                partition.add(operation, 1, second, rules, u64::MAX, &crossbeam_epoch::pin()).unwrap();
            }
        }
        let size = partition.size(rules);
        // SAFETY: nobody else has seen it.
        unsafe { Partition::free(new) };
        size
    }

    #[test]
    fn a_partition_costs_in_step_with_the_seconds_it_was_seen_in() {
        for seconds in [1, 2, 4, 5, 8, 9, 16, 17, 32, 33, 61] {
            println!("{:3} seconds: {:5} bytes", seconds, size(0..seconds, 60));
        }
        assert!(size(0..1, 60) <= 96);
        assert!((1..=8).all(|seconds| size(0..seconds, 60) < 192));
        let hot = size_of_operations(&Operation::ALL, 0..1_000, 60) + size_of::<Alarm>();
        println!("hot in both operations: {hot} bytes");
        assert!(hot <= 1_200);
        // Reads and writes in each of eight seconds, too.
        assert!(size_of_operations(&Operation::ALL, 0..8, 60) < 192);
        // No cliff: one more second never more than doubles what the seconds before it cost.
        assert!((1..1_000).all(|seconds| size(0..seconds + 1, 60) <= 2 * size(0..seconds, 60)));
        // Long windows too pay by what was seen, until the wheel is earned.
        assert!(size(0..8, 3_600) < 192 && size(0..32, 3_600) < 512);
    }
}
