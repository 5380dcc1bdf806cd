//! The partitions with the most demand, chosen as they are met one after another.
//!
//! A list of `n` takes memory for `2 n + 64` candidates, however many partitions are met. When it
//! is full it is sorted and cut to `n`; from then on a partition with less demand than the last of
//! these is not taken in. So most partitions cost one comparison.

use crate::detector::hot_partition::HotPartition;
use crate::error::Error;
use crate::key::Key;
use crate::operation::Operation;
use crate::policy::measure::Measure;
use crate::sys::memory::try_bytes;

/// A choice of partitions: the `n` with the most demand, of those that have at least `least`.
#[derive(Clone, Copy)]
pub(crate) struct Choice {
    pub(crate) n: usize,
    pub(crate) least: u64,
}

/// One sample of a partition and of its throttles.
pub(crate) struct Sample<'g> {
    pub(crate) key: Key<'g>,
    pub(crate) count: u64,
    pub(crate) throttles: u64,
    /// Whether some of the throttles are surely its own.
    pub(crate) is_throttled: bool,
    pub(crate) demand: u64,
    pub(crate) peak: u64,
    pub(crate) carried: u64,
}

/// The partitions chosen so far, candidates that may yet drop out, and the most that any other had.
pub(crate) struct Top {
    choice: Choice,
    measure: Measure,
    /// A partition with less demand than this is not chosen.
    least: u64,
    /// The most demand of a partition that is not chosen.
    pub(crate) unlisted_most: u64,
    pub(crate) candidates: Vec<HotPartition>,
}

impl Top {
    pub(crate) fn new(choice: Choice, measure: Measure) -> Self {
        Self { choice, measure, least: choice.least.max(1), unlisted_most: 0, candidates: Vec::new() }
    }

    /// Adds a sample, if it may be chosen.
    pub(crate) fn add(&mut self, sample: Sample<'_>, operation: Operation) -> Result<(), Error> {
        let Sample { key, count, throttles, is_throttled, demand, peak, carried } = sample;
        if demand < self.least {
            self.unlisted_most = self.unlisted_most.max(demand);
            return Ok(());
        }
        self.candidates.try_reserve(1).map_err(|_| Error::Memory)?;
        self.candidates.push(HotPartition {
            table: try_bytes([key.table])?,
            pk: try_bytes([key.pk])?,
            operation,
            count,
            throttles,
            demand,
            peak,
            carried,
            // At its limit, as DynamoDB says, whatever came through.
            utilisation_permille: self
                .measure
                .permille(operation, peak, 1)
                .max(1_000 * u32::from(is_throttled)),
        });
        if self.candidates.len() >= self.choice.n.saturating_mul(2).saturating_add(64) {
            self.truncate();
        }
        Ok(())
    }

    /// Drops all but the `n`, and sorts those: the most demand first.
    pub(crate) fn truncate(&mut self) {
        let (n, all) = (self.choice.n, &mut self.candidates);
        // A partition that was throttled is met twice, by its entry and by that of its throttles.
        // The sample with more demand is kept.
        all.sort_unstable_by(|a, b| (&a.table, &a.pk, b.demand).cmp(&(&b.table, &b.pk, a.demand)));
        all.dedup_by(|later, first| (&later.table, &later.pk) == (&first.table, &first.pk));
        all.sort_unstable_by(|a, b| {
            (b.demand, b.count, &a.table, &a.pk).cmp(&(a.demand, a.count, &b.table, &b.pk))
        });
        let dropped = all.get(n).map_or(0, |first| first.demand);
        self.unlisted_most = self.unlisted_most.max(dropped);
        all.truncate(n);
        if all.len() == n {
            self.least = self.least.max(all.last().map_or(0, |last| last.demand));
        }
    }
}
