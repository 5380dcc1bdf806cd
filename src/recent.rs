//! The compact form of the past: a few slots in no order, for partitions seen in a few seconds.
//!
//! **Writer's path.** A slot is put here when its second closes. All threads that close one second
//! pick the same entry: the first that holds this second already or that left the window before
//! this second began. That choice is the same for all of them because entries only ever become
//! newer, so one that could not be taken for this second never can be again. Counts only rise, so
//! the last closer's final count stands, and a closer that comes late with an old count, or whose
//! second has long left the window, changes nothing that anyone still reads.
//!
//! **Growth.** When there is no entry to take, the array is frozen entry by entry (no put succeeds on a
//! frozen entry), copied, and replaced by the copy. Any thread may do that; one copy is published. It
//! is frozen because the clock may leap: an array that is full for the second that closes now is not
//! for one that closes a window later, and what is put then must not go where has been copied already.

use crate::memory::{OutOfMemory, Tailed};
use crate::slot::Slot;
use crate::sync::{AcqRel, Acquire, AtomicU64};
use std::ptr::NonNull;

const FROZEN: u64 = 1 << 31;

/// No entry can be taken, or the array is frozen: it has to grow.
#[derive(Debug)]
pub(crate) struct Full;

/// A view of one array.
#[derive(Clone, Copy)]
pub(crate) struct Recent<'g>(&'g [AtomicU64]);

fn slot_of(bits: u64) -> Slot {
    Slot::unpack(bits & !FROZEN)
}

impl<'g> Recent<'g> {
    fn layout(capacity: usize) -> Tailed<(), AtomicU64> {
        Tailed::new(capacity)
    }

    /// An array of `capacity` entries that holds `slots`, of which there are no more.
    pub(crate) fn create(
        capacity: usize,
        mut slots: impl Iterator<Item = Slot>,
    ) -> Result<NonNull<()>, OutOfMemory> {
        Self::layout(capacity).create((), || AtomicU64::new(slots.next().map_or(0, Slot::pack)))
    }

    /// # Safety
    /// `array` came from `create(capacity, _)` and lives through `'g`.
    pub(crate) unsafe fn view(array: NonNull<()>, capacity: usize) -> Self {
        // SAFETY: by the caller's promise there are `capacity` entries.
        Self(unsafe { std::slice::from_raw_parts(Self::layout(capacity).tail(array).as_ptr(), capacity) })
    }

    /// # Safety
    /// `array` came from `create(capacity, _)`, and nobody uses it any more.
    pub(crate) unsafe fn destroy(array: NonNull<()>, capacity: usize) {
        // SAFETY: as the caller promises.
        unsafe { Self::layout(capacity).destroy(array) }
    }

    /// Puts a slot whose second is closing in a window of `window` seconds.
    pub(crate) fn put(&self, slot: Slot, window: u32) -> Result<(), Full> {
        'entries: loop {
            for entry in self.0 {
                let bits = entry.load(Acquire);
                if bits & FROZEN != 0 {
                    return Err(Full);
                }
                let held = slot_of(bits);
                let same = !held.is_empty() && held.second == slot.second;
                if same && held.count >= slot.count {
                    return Ok(());
                }
                if same || held.is_empty() || held.expired(slot.second, window) {
                    match entry.compare_exchange(bits, slot.pack(), AcqRel, Acquire) {
                        Ok(_) => return Ok(()),
                        Err(_) => continue 'entries,
                    }
                }
            }
            return Err(Full);
        }
    }

    /// Makes every later put fail.
    pub(crate) fn freeze(&self) {
        for entry in self.0 {
            entry.fetch_or(FROZEN, AcqRel);
        }
    }

    pub(crate) fn slots(&self) -> impl Iterator<Item = Slot> + use<'g> {
        self.0.iter().map(|entry| slot_of(entry.load(Acquire))).filter(|slot| !slot.is_empty())
    }
}
