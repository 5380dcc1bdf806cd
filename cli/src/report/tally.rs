//! A tally: what one partition had of one operation, added up over the columns of a log.

use crate::columns::Column;
use crate::columns::rows::Had;
use anyhow::Result;
use hotpart::Detector;
use std::num::NonZeroU64;

/// The numbers of a partition and operation. Amounts are in half units where capacity is counted.
///
/// There may be more of them than a processor's cache holds. So the numbers that nearly every column
/// changes lie in one line of it: the first four.
#[repr(C, align(64))]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The sum of its columns' counts.
    pub count: u64,
    /// The number of columns in which it had anything.
    pub columns: u64,
    pub fullest_second: Fullest,
    /// The column in which it had the most.
    pub fullest_column: Fullest,
    /// The most of the count that may be other partitions'.
    pub carried: u64,
    /// Throttles for its key range.
    pub throttles: u64,
    /// The number of seconds in which it was surely hot.
    pub hot_seconds: u64,
    /// The most of those in a row.
    pub longest_run: u64,
    /// The last hot second, and how many in a row there were with it.
    run: (u64, u64),
}

/// The fullest of some spans of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fullest {
    /// The most that it had.
    pub count: u64,
    /// The least that it had: the same, where counts are exact.
    pub least: u64,
    /// The second at which it begins, plus 1; `None` if that was not looked for.
    after: Option<NonZeroU64>,
}

impl Fullest {
    /// Takes a span that may have more than all before.
    fn rise(&mut self, count: u64, at: Option<u64>) {
        (self.count, self.after) = (count, at.and_then(|at| NonZeroU64::new(at + 1)));
    }

    /// Returns the second at which it begins; `None` if that was not looked for.
    pub fn at(&self) -> Option<u64> {
        self.after.map(|after| after.get() - 1)
    }

    /// Notes that a span surely has so much.
    fn know(&mut self, least: u64) {
        self.least = self.least.max(least);
    }

    /// Raises the fullest to what some span of which nothing is known may have had.
    pub fn allow_for(&mut self, most: u64) {
        if most > self.count {
            self.rise(most, None);
        }
    }
}

impl Tally {
    /// Adds a column. Looks for its fullest second if that has at least `told`, and at all its
    /// seconds if one has more than `hot`.
    pub fn add(
        &mut self,
        detector: &Detector,
        column: &Column,
        had: &Had<'_>,
        told: u64,
        hot: u64,
    ) -> Result<()> {
        let Had { count, throttles, peak, carried, .. } = *had;
        self.count += count;
        self.columns += 1;
        if carried > 0 || throttles > 0 {
            self.carried += carried;
            self.throttles += throttles;
        }
        if count > self.fullest_column.count {
            self.fullest_column.rise(count, Some(column.first));
        }
        self.fullest_column.know(count - carried);
        if peak > self.fullest_second.count {
            let is_told = peak >= told || throttles > 0;
            let at = if is_told { Some(column.fullest_second(detector, had)?) } else { None };
            self.fullest_second.rise(peak, at);
        }
        self.fullest_second.know(peak.saturating_sub(carried));
        if peak > hot {
            for (i, (second, count)) in column.seconds_of(detector, had)?.into_iter().enumerate() {
                // Only the first second may have others' part: in it the partition came to be
                // counted by itself.
                let carried = if i == 0 { carried } else { 0 };
                if count.saturating_sub(carried) > hot {
                    self.add_hot(second);
                }
            }
        }
        Ok(())
    }

    /// Adds a column in which the partition was hot and not counted by itself: only the most that
    /// it had is known.
    pub fn add_kept_out(&mut self, first: u64, most: u64) {
        self.count += most;
        self.carried += most;
        self.columns += 1;
        for fullest in [&mut self.fullest_second, &mut self.fullest_column] {
            if most > fullest.count {
                fullest.rise(most, Some(first));
            }
        }
    }

    fn add_hot(&mut self, second: u64) {
        let (last, run) = self.run;
        self.run = (second, if run > 0 && last + 1 == second { run + 1 } else { 1 });
        self.hot_seconds += 1;
        self.longest_run = self.longest_run.max(self.run.1);
    }
}
