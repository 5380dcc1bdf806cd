//! The number of records: a counter that each thread has for itself.
//!
//! Every thread counts in a block that only it writes to. So counting costs a load and a store, and
//! no two threads meet. The number is asked for rarely, and then all blocks are added up.
//!
//! ```text
//! BLOCKS --> block of thread 3 --> block of thread 2 --> block of thread 1
//!            place 0 | 1 | ...     place 0 | 1 | ...     place 0 | 1 | ...
//!                    ^                     ^                     ^
//!                    +---------------------+---------------------+---- one detector's records
//! ```
//!
//! Blocks are in one list for the whole process and are never freed. A thread that exits leaves its
//! block, with all that is counted in it, to the next one. Each detector has a place of its own in
//! all blocks while it lives. Detectors that find no place, and threads that find no block, count
//! in an ordinary shared counter.
//!
//! **Invariants.** Only the thread that has taken a block adds to its counts. A detector's place is
//! zeroed in all blocks before it is given up, by the thread that drops the detector. No thread
//! adds there then.

use crate::sys::memory::try_box;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64};

/// The number of detectors that can count in blocks at once.
const PLACES: usize = 30;

/// The counts of one thread, a place for each detector.
#[repr(align(128))] // Two lines: processors fetch them in pairs.
pub(crate) struct Block {
    counts: [AtomicU64; PLACES],
    taken: AtomicBool,
    next: AtomicPtr<Block>,
}

/// The newest block.
static BLOCKS: AtomicPtr<Block> = AtomicPtr::new(null_mut());
/// The places that are taken, a bit for each.
static TAKEN: AtomicU64 = AtomicU64::new(0);

/// Returns all blocks, the newest first.
fn blocks() -> impl Iterator<Item = &'static Block> {
    // SAFETY: a block is never freed, and what comes after it in the list never changes.
    let view = |block: *mut Block| unsafe { block.as_ref() };
    std::iter::successors(view(BLOCKS.load(Acquire)), move |block| view(block.next.load(Relaxed)))
}

impl Block {
    /// Returns a block for this thread alone. `None`: there is no memory for one.
    pub(crate) fn claim() -> Option<&'static Self> {
        // One that another thread has left, or else a new one.
        let free = |block: &&Block| block.taken.compare_exchange(false, true, AcqRel, Relaxed).is_ok();
        if let Some(block) = blocks().find(free) {
            return Some(block);
        }
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        let new = Box::leak(
            try_box(Self { counts, taken: AtomicBool::new(true), next: AtomicPtr::new(null_mut()) }).ok()?,
        );
        let mut newest = BLOCKS.load(Acquire);
        loop {
            new.next.store(newest, Relaxed);
            match BLOCKS.compare_exchange(newest, new, AcqRel, Acquire) {
                Ok(_) => return Some(new),
                Err(other) => newest = other,
            }
        }
    }

    /// Releases the block to another thread.
    pub(crate) fn release(&self) {
        self.taken.store(false, Release);
    }

    /// Releases all blocks but `own`, in a forked child: the threads of the others are not here.
    #[cfg(unix)]
    pub(crate) fn release_others(own: *const Self) {
        blocks().filter(|&block| !std::ptr::eq(block, own)).for_each(Self::release);
    }
}

/// A detector's counter of records.
#[derive(Debug)]
pub(crate) struct RecordCounter {
    /// The detector's place in all blocks, or [`PLACES`].
    place: usize,
    /// The records of threads without a block, or of a detector without a place.
    overflow: AtomicU64,
}

impl RecordCounter {
    /// Makes a counter, which takes a place if one is free.
    pub(crate) fn new() -> Self {
        let free = |taken: u64| (0..PLACES).find(|place| taken >> place & 1 == 0);
        let take = |taken| free(taken).map(|place| taken | 1 << place);
        let place = TAKEN
            .fetch_update(AcqRel, Acquire, take)
            .map_or(PLACES, |before| free(before).expect("it was taken"));
        Self { place, overflow: AtomicU64::new(0) }
    }

    /// Counts `n` records of this thread, whose block is `block` if it has one.
    #[inline(always)]
    pub(crate) fn add(&self, block: Option<&'static Block>, n: u64) {
        match block.and_then(|block| block.counts.get(self.place)) {
            // Only this thread writes here: nothing comes between load and store.
            Some(count) => count.store(count.load(Relaxed) + n, Relaxed),
            None => self.add_to_overflow(n),
        }
    }

    /// Counts where there is no block or no place.
    #[cold]
    #[inline(never)]
    fn add_to_overflow(&self, n: u64) {
        self.overflow.fetch_add(n, Relaxed);
    }

    /// Returns how many records were counted. Exact while no record is under way.
    pub(crate) fn get(&self) -> u64 {
        let counted = |block: &Block| block.counts.get(self.place).map_or(0, |count| count.load(Relaxed));
        self.overflow.load(Relaxed) + blocks().map(counted).sum::<u64>()
    }
}

impl Drop for RecordCounter {
    fn drop(&mut self) {
        if self.place < PLACES {
            // No call on this detector is under way, so no thread writes here meanwhile.
            blocks().for_each(|block| block.counts[self.place].store(0, Relaxed));
            TAKEN.fetch_and(!(1 << self.place), AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detectors_without_a_place_count_too() {
        let block = Block::claim();
        let all: Vec<_> = (0..PLACES + 5).map(|_| RecordCounter::new()).collect();
        for (n, counter) in all.iter().enumerate() {
            counter.add(block, n as u64);
            counter.add(None, 1);
        }
        assert!(all.iter().enumerate().all(|(n, counter)| counter.get() == n as u64 + 1));
        drop(all);
        assert_eq!(RecordCounter::new().get(), 0, "a place is left as it was found");
        block.unwrap().release();
    }
}
