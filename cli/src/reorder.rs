//! Reorder: entries that come somewhat out of order, put in the order of their times, a second at a
//! time.

use crate::batch::Batch;
use std::collections::VecDeque;
use std::ops::Range;

/// The number of batches that are kept for reuse.
const SPARE: usize = 8;

/// Holds the entries of the last seconds, until only late ones could come before them.
#[derive(Debug)]
pub struct Reorder {
    lateness_ms: u64,
    /// Whether accesses of one partition in one second become one.
    sums: bool,
    /// The seconds that have entries, the earliest first.
    seconds: VecDeque<(u64, Batch)>,
    /// The second before which all may be popped.
    released: u64,
    spare: Vec<Batch>,
}

impl Reorder {
    pub fn new(lateness_ms: u64, sums: bool) -> Self {
        Self { lateness_ms, sums, seconds: VecDeque::new(), released: 0, spare: Vec::new() }
    }

    /// Returns whether an entry comes too late, if `latest_ms` is the latest time of its file.
    pub fn is_late(&self, time_ms: u64, latest_ms: u64) -> bool {
        latest_ms.saturating_sub(time_ms) > self.lateness_ms || time_ms / 1_000 < self.released
    }

    /// Takes some entries of a batch, which are of one second, and not late.
    pub fn push(&mut self, batch: &Batch, run: Range<usize>, second: u64) {
        // It is nearly always one of the last.
        let behind = self.seconds.iter().rev().take_while(|(later, _)| *later > second).count();
        let mut at = self.seconds.len() - behind;
        if at == 0 || self.seconds[at - 1].0 != second {
            self.seconds.insert(at, (second, self.spare.pop().unwrap_or_default()));
            at += 1;
        }
        let own = &mut self.seconds[at - 1].1;
        if self.sums { own.sum(batch, run) } else { own.extend(batch, run) }
    }

    /// Notes that all entries to come have this time or a later one, but may be as late as is
    /// allowed.
    pub fn advance(&mut self, time_ms: u64) {
        let until = time_ms.saturating_sub(self.lateness_ms) / 1_000;
        self.released = self.released.max(until);
    }

    /// Returns the next second's entries, if no more of them can come.
    pub fn pop(&mut self) -> Option<Batch> {
        let (second, _) = self.seconds.front()?;
        if *second < self.released { self.finish() } else { None }
    }

    /// Returns the next second's entries when no more entries come at all.
    pub fn finish(&mut self) -> Option<Batch> {
        let (second, mut batch) = self.seconds.pop_front()?;
        self.released = self.released.max(second + 1);
        batch.sort();
        Some(batch)
    }

    /// Takes a batch whose entries are done with, for its memory.
    pub fn reuse(&mut self, mut batch: Batch) {
        if self.spare.len() < SPARE {
            batch.clear();
            self.spare.push(batch);
        }
    }
}
