//! The oracle: the exact counts of all series, by the records of each second of a window.

use std::collections::VecDeque;

/// A series: twice its partition's number, and one more for reads.
pub type Series = u32;

/// Counts of `window + 1` whole seconds, the one under way included, as the contract has them.
pub struct Oracle {
    window: usize,
    counts: Vec<u32>,
    /// The records of each second, the oldest first.
    seconds: VecDeque<Vec<Series>>,
    records: usize,
    /// The most records that were in the window at once.
    pub most: usize,
}

impl Oracle {
    pub fn new(window: u32, series: usize) -> Self {
        let seconds = VecDeque::from([Vec::new()]);
        Self { window: window as usize, counts: vec![0; series], seconds, records: 0, most: 0 }
    }

    /// Opens the next second; what has left the window is over.
    pub fn turn(&mut self) {
        let mut next = Vec::new();
        if self.seconds.len() > self.window {
            next = self.seconds.pop_front().expect("a window has a second");
            next.iter().for_each(|&series| self.counts[series as usize] -= 1);
            self.records -= next.len();
            next.clear();
        }
        self.seconds.push_back(next);
    }

    /// Counts a record, and returns its series' count with it.
    pub fn record(&mut self, series: Series) -> u64 {
        self.seconds.back_mut().expect("a second is open").push(series);
        self.records += 1;
        self.most = self.most.max(self.records);
        let count = &mut self.counts[series as usize];
        *count += 1;
        u64::from(*count)
    }

    pub fn count(&self, series: Series) -> u64 {
        u64::from(self.counts[series as usize])
    }

    pub fn len(&self) -> usize {
        self.counts.len()
    }
}
