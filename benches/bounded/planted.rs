//! Planted partitions: each has a rate of its own, whatever the others do.

use crate::oracle::Series;

/// A number of partitions whose counts come to `peak`.
#[derive(Clone, Copy)]
pub struct Planted {
    pub partitions: usize,
    /// The count in the window that each is to reach and keep.
    pub peak: f64,
    pub course: Course,
}

#[derive(Clone, Copy)]
pub enum Course {
    /// Gets there slowly, and reaches the peak in the last second.
    Climbs,
    /// Is there after a window.
    Stays,
    /// Is there after a window, and is recorded no more in the second half of the time.
    Leaves,
}

/// Planted partitions in traffic: which they are, and how far each has come.
pub struct Growing {
    planted: Planted,
    first: usize,
    /// Returns the records of one second at the peak.
    rate: f64,
    /// Seconds until that.
    climb: f64,
    /// The second from which on it is not recorded.
    end: f64,
}

impl Growing {
    /// From the partition with the number `first` on, in traffic of so many seconds.
    pub fn new(planted: Planted, first: usize, window: u32, seconds: u32) -> Self {
        let slots = f64::from(window) + 1.0;
        let seconds = f64::from(seconds);
        let (climb, end) = match planted.course {
            Course::Climbs => (seconds - slots, seconds),
            Course::Stays => (0.0, seconds),
            Course::Leaves => (0.0, (seconds / 2.0).floor()),
        };
        Self { planted, first, rate: planted.peak / slots, climb, end }
    }

    /// Adds the records of a second. Each partition is a little behind the one before, so that they
    /// don't go in step.
    pub fn add(&self, second: u32, records: &mut Vec<Series>) {
        let n = self.planted.partitions;
        for i in 0..n {
            let phase = i as f64 / n as f64;
            let due = |second: f64| (self.total(second) + phase) as u64;
            let own = due(f64::from(second) + 1.0) - due(f64::from(second));
            records.extend((0..own).map(|_| 2 * (self.first + i) as Series));
        }
    }

    /// Returns how much has come by the start of this second, as the rate climbs evenly from
    /// nothing to the full.
    fn total(&self, second: f64) -> f64 {
        let second = second.min(self.end);
        let climbed = second.min(self.climb);
        let slope = if self.climb > 0.0 { climbed * climbed / (2.0 * self.climb) } else { 0.0 };
        self.rate * (slope + (second - climbed))
    }
}
