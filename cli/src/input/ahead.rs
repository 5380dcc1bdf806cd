//! Ahead: the record of a file whose time is so far ahead of the others' that these come too late.
//!
//! One machine's wrong clock is enough: everything after its record is late, up to the end of the
//! file.

use crate::input::account::grouped;
use crate::readable::counted;
use crate::time::Clock;

/// Looks at the times of a file's records.
#[derive(Debug)]
pub struct Ahead {
    lateness_ms: u64,
    records: u64,
    late: u64,
    /// The time by which the latest of them was late.
    most_ms: u64,
    latest: Latest,
    /// Of the records before it, the one that made the most others late.
    worst: Latest,
}

/// A record that was the latest of its file.
#[derive(Clone, Copy, Debug, Default)]
struct Latest {
    line: u64,
    time_ms: u64,
    /// The number of records that were too late while it was the latest.
    late: u64,
}

impl Ahead {
    pub fn new(lateness_ms: u64) -> Self {
        let (latest, worst) = (Latest::default(), Latest::default());
        Self { lateness_ms, records: 0, late: 0, most_ms: 0, latest, worst }
    }

    /// Takes the time of the record on this line.
    #[inline]
    pub fn see(&mut self, line: u64, time_ms: u64) {
        self.records += 1;
        if time_ms > self.latest.time_ms {
            if self.latest.late > self.worst.late {
                self.worst = self.latest;
            }
            self.latest = Latest { line, time_ms, late: 0 };
            return;
        }
        let behind_ms = self.latest.time_ms - time_ms;
        if behind_ms > self.lateness_ms {
            self.late += 1;
            self.latest.late += 1;
            self.most_ms = self.most_ms.max(behind_ms);
        }
    }

    /// If more than half of a file's records were late, returns words on the one that was ahead of
    /// them.
    pub fn told(&self, file: &str) -> Option<String> {
        if self.late * 2 <= self.records {
            return None;
        }
        let Latest { line, time_ms, .. } =
            if self.latest.late > self.worst.late { self.latest } else { self.worst };
        let clock = Clock::of_log(time_ms);
        let time = if clock.is_utc() { clock.second(time_ms) + " UTC" } else { format!("{time_ms} ms") };
        Some(format!(
            "{file}:{line}: the time of this record, {time}, is far ahead of the others. So {} of {} came too late after it, and \
             were left out. Remove this record, or use --lateness {}, to count them",
            grouped(self.late),
            counted(self.records, "record"),
            self.most_ms.div_ceil(1_000)
        ))
    }
}
