//! The number of entries of a map, counted by the threads that insert and remove them.

use crate::sys::sync::{AtomicU64, Relaxed};

/// A count that is exact when no thread is inserting or removing.
///
/// An entry may be removed before the thread that inserted it has counted it in. Then this wraps
/// below zero for a moment, which reads as zero.
#[derive(Debug)]
pub(crate) struct Len(AtomicU64);

/// Returns a count, or 0 for one that has wrapped.
fn positive(len: u64) -> u64 {
    (len as i64).max(0) as u64
}

impl Len {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn get(&self) -> u64 {
        positive(self.0.load(Relaxed))
    }

    /// Counts an entry in.
    pub(crate) fn increment(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Counts entries out.
    pub(crate) fn decrement_by(&self, entries: u64) {
        self.0.fetch_sub(entries, Relaxed);
    }

    /// Counts one entry out if there are over `most`. The caller then has to remove one, or count
    /// it in again. So two threads never each remove one for the same excess.
    pub(crate) fn decrement_over(&self, most: u64) -> bool {
        let less_one = |len| (positive(len) > most).then(|| len - 1);
        self.0.fetch_update(Relaxed, Relaxed, less_one).is_ok()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_entry_that_leaves_before_it_is_counted_does_not_look_like_many() {
        let len = Len::new();
        len.decrement_by(1);
        assert_eq!(len.get(), 0);
        assert!(!len.decrement_over(0));
        len.increment();
        assert_eq!(len.get(), 0);
    }

    #[test]
    fn each_excess_is_counted_out_once() {
        let len = Len::new();
        (0..5).for_each(|_| len.increment());
        assert!(!len.decrement_over(u64::MAX));
        assert_eq!((0..9).filter(|_| len.decrement_over(3)).count(), 2);
    }
}
