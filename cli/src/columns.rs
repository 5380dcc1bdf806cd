//! Columns: spans of seconds, each with what every partition had in it.
//!
//! Exact counts are of spans that are over ([`Detector::hottest_closed_in`]). Where memory is
//! bounded the library has only a list of the window that ends now. So there the window is one
//! second shorter than a column, and is asked for in the column's last millisecond: it has just the
//! column's seconds then.

mod column;
pub mod relay;
pub mod rows;

use crate::batch::Batch;
pub use crate::columns::column::{Column, KeptOut};
use crate::columns::rows::Rows;
use crate::feed::{Feed, Measure};
use anyhow::Result;
use hotpart::{Builder, Detector, Operation, Rule, Statistics, Thresholds, Warning};
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// In bounded memory, a partition is counted by itself from a quarter of this a second on average.
const BOUNDED_MEANS: [u64; 2] = [13, 42];
/// It is, too, from a quarter of this in one second. Both are by operation.
const BOUNDED_SECONDS: [u64; 2] = [500, 1_500];
/// That quarter, in thousandths.
const PROMOTE_PERMILLE: u32 = 250;
/// The highest count from which the library counts a partition by itself.
const LEVEL_MOST: u64 = 1 << 15;
/// The most partitions that are kept of those for which there was no room.
const KEPT_OUT: usize = 10_000;
/// The bytes of the memory for each of which one such partition is kept at most.
const KEPT_OUT_EACH: u64 = 4_096;

/// The seed of all detectors' hashes: random, as strangers choose the keys, and the same, so that
/// they tell partitions in about the same order.
static SEED: LazyLock<[u64; 2]> = LazyLock::new(|| [0, 1].map(|n| RandomState::new().hash_one(n)));

/// The way in which columns are made.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Seconds in each; 2 at least.
    pub seconds: u32,
    pub measure: Measure,
    /// The memory, in bytes, within which partitions are counted.
    pub memory: Option<u64>,
}

type Heard = Arc<Mutex<Noted>>;

/// Partitions that were warned of and have no count of their own.
#[derive(Debug, Default)]
struct Noted {
    most: HashMap<(Vec<u8>, Vec<u8>, Operation), u64>,
    /// Warnings that there was no room to note.
    left_out: u64,
}

/// Counts entries, and closes a column whenever its time is over.
pub struct Columns {
    shape: Shape,
    detector: Detector,
    feed: Feed,
    /// The first second of the column that is open.
    open: Option<u64>,
    /// By operation, what had been recorded before this column.
    recorded: [u64; 2],
    is_listed: bool,
    /// Rows of columns that are done with, for their memory.
    spare: Rows,
    /// The warnings of a detector whose memory is bounded, in this column.
    heard: Heard,
    /// By operation, the least that a second must have to be hot by itself.
    hot: [u64; 2],
    library: Rarely,
    /// Bytes that the detector had when a column was closed last.
    own_bytes: u64,
    /// Those of the other that records meanwhile.
    beside_bytes: u64,
}

/// A number of bytes that is dear to count where memory is bounded, and changes little there: the
/// last count, and how often it was asked for.
#[derive(Debug, Default)]
pub struct Rarely {
    bytes: u64,
    asked: u64,
}

impl Rarely {
    /// Returns the bytes, counted anew at the first, second, fourth, eighth ... time of asking.
    pub fn bytes(&mut self, count: impl FnOnce() -> u64) -> u64 {
        self.asked += 1;
        if self.asked.is_power_of_two() {
            self.bytes = count();
        }
        self.bytes
    }
}

/// The most that a partition may have had of an operation, if nothing is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// In a second.
    pub second: u64,
    /// In a column.
    pub column: u64,
}

impl Columns {
    /// Makes columns. `prepare` gets the detector before anything is recorded.
    pub fn new(shape: Shape, prepare: impl FnOnce(&Detector) -> Result<()>) -> Result<Self> {
        Self::seeing(shape, [u64::MAX; 2], prepare)
    }

    /// Does the same, and in bounded memory overlooks no partition with over `hot` in a second.
    pub fn seeing(
        shape: Shape,
        hot: [u64; 2],
        prepare: impl FnOnce(&Detector) -> Result<()>,
    ) -> Result<Self> {
        let heard = Heard::default();
        let detector = Self::builder(shape, hot, &heard).build()?;
        prepare(&detector)?;
        let feed = Feed::new(shape.measure);
        Ok(Self {
            shape,
            detector,
            feed,
            open: None,
            recorded: [0; 2],
            is_listed: true,
            spare: Rows::default(),
            heard,
            hot,
            library: Rarely::default(),
            own_bytes: 0,
            beside_bytes: 0,
        })
    }

    /// Makes columns have rows, which cost less, in place of lists.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.is_listed = false;
        self
    }

    fn builder(shape: Shape, hot: [u64; 2], heard: &Heard) -> Builder {
        let builder = match shape.memory {
            None => Detector::builder(u64::MAX >> 1, u64::MAX >> 1, shape.seconds),
            Some(memory) => Self::bounded(shape, memory, hot, heard.clone()),
        };
        let builder = builder.manual_clock().hash_seed(*SEED);
        if shape.measure == Measure::HalfUnits { builder.capacity_mode() } else { builder }
    }

    fn bounded(shape: Shape, memory: u64, hot: [u64; 2], heard: Heard) -> Builder {
        let room = KEPT_OUT.min(usize::try_from(memory / KEPT_OUT_EACH).unwrap_or(KEPT_OUT));
        let [(writes, writes_a_second), (reads, reads_a_second)] = Self::thresholds(shape, hot);
        // A window has the second in which it ends, and its length before.
        Detector::builder(writes, reads, (shape.seconds - 1).max(1))
            .second_thresholds(Thresholds { writes: Some(writes_a_second), reads: Some(reads_a_second) })
            .memory(memory)
            .promote_permille(PROMOTE_PERMILLE)
            // Each hot record of a partition that is kept out tells of more than the last.
            .warning_interval_seconds(0)
            .on_warning(move |warning| hear(&heard, room, warning))
    }

    /// Returns, by operation, the thresholds of a column and of a second.
    fn thresholds(shape: Shape, hot: [u64; 2]) -> [(u64, u64); 2] {
        let one = if shape.measure == Measure::HalfUnits { 2 } else { 1 };
        [0, 1].map(|i| {
            let column = BOUNDED_MEANS[i] * u64::from(shape.seconds) * one;
            (column, (BOUNDED_SECONDS[i] * one).min(hot[i].saturating_add(1)))
        })
    }

    /// Returns, by operation, the most that a partition may have had in a column in which it was
    /// not counted by itself. `None` where memory is not bounded: there all are.
    pub fn unknown(&self) -> Option<[Unknown; 2]> {
        self.shape.memory?;
        let has_kept_out = self.statistics().kept_out > 0;
        Some(Self::thresholds(self.shape, self.hot).map(|(column, second)| {
            if has_kept_out {
                // From these numbers on a partition without room was warned about.
                return Unknown { second: column.min(second) - 1, column: column - 1 };
            }
            let least = column.min(second) * u64::from(PROMOTE_PERMILLE) / 1_000;
            let most = least.clamp(1, LEVEL_MOST) - 1;
            Unknown { second: most, column: most }
        }))
    }

    /// Records the entries of one second. Calls `closed` with the column before, once it is over.
    pub fn second(
        &mut self,
        batch: &Batch,
        closed: impl FnOnce(&Detector, &Column) -> Result<()>,
    ) -> Result<()> {
        if self.is_over_by(batch) {
            self.close(closed)?;
        }
        self.record(batch)
    }

    /// Whether the entries of a second are of a later column than the one that is open.
    fn is_over_by(&self, batch: &Batch) -> bool {
        self.open.zip(self.first_of(batch)).is_some_and(|(open, first)| open < first)
    }

    /// Records the entries of a second, of the column that is open or, if none is, of the next one.
    fn record(&mut self, batch: &Batch) -> Result<()> {
        let Some(first) = self.first_of(batch) else { return Ok(()) };
        self.open = Some(first);
        self.feed.second(&self.detector, batch)
    }

    /// Returns the first second of the column that a batch is of.
    fn first_of(&self, batch: &Batch) -> Option<u64> {
        let width = u64::from(self.shape.seconds);
        batch.times().map(|(first_ms, _)| first_ms / 1_000 / width * width)
    }

    /// Closes the last column. Returns the feed of the detector.
    pub fn finish(&mut self, closed: impl FnOnce(&Detector, &Column) -> Result<()>) -> Result<&Feed> {
        self.close(closed)?;
        self.feed.finish(&self.detector)?;
        Ok(&self.feed)
    }

    /// Returns the feed of the detector.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    pub fn statistics(&self) -> Statistics {
        self.detector.statistics()
    }

    fn close(&mut self, closed: impl FnOnce(&Detector, &Column) -> Result<()>) -> Result<()> {
        let Some(first) = self.open.take() else { return Ok(()) };
        let seconds = u64::from(self.shape.seconds);
        let is_bounded = self.shape.memory.is_some();
        let mut column = Column {
            first,
            seconds,
            hottest: [vec![], vec![]],
            rows: std::mem::take(&mut self.spare),
            rest: [0; 2],
            kept_out: vec![],
            left_out: 0,
            library_bytes: 0,
            is_bounded,
        };
        if is_bounded {
            self.close_bounded(&mut column)?;
        } else {
            self.close_exact(&mut column)?;
        }
        let bytes = || self.detector.statistics().bytes;
        self.own_bytes = if is_bounded { self.library.bytes(bytes) } else { bytes() };
        column.library_bytes = self.own_bytes + self.beside_bytes;
        closed(&self.detector, &column)?;
        // Operations that wait are of this column, and would be counted too late to be in it.
        self.feed.settle(&self.detector)?;
        if self.is_separate() {
            // Else the library gives back what is idle bit by bit, each time copying what is not.
            self.detector.clear()?;
        }
        self.spare = column.rows;
        Ok(())
    }

    /// Whether the detector knows nothing that is needed once its column is closed. In bounded
    /// memory what was hot stays known. From other entries than plain accesses keys may have been
    /// learnt, and throttles are in the statistics.
    fn is_separate(&self) -> bool {
        !self.is_listed && self.shape.memory.is_none() && self.feed.is_plain()
    }

    /// Is to be closed while `next` records, which needs no rows meanwhile.
    fn go_beside(&mut self, next: &mut Self) {
        std::mem::swap(&mut self.spare, &mut next.spare);
        self.beside_bytes = next.own_bytes;
    }

    fn close_exact(&mut self, column: &mut Column) -> Result<()> {
        let span = column.first..column.first + column.seconds;
        self.detector.set_time_ms(span.end * 1_000)?;
        if !self.is_listed {
            let spare = Cell::new(std::mem::take(&mut column.rows));
            let new = || {
                let mut rows = spare.take();
                rows.clear();
                rows
            };
            column.rows = self.detector.fold_closed_in(span, new, |rows, of| rows.push(&of))?;
            return Ok(());
        }
        for (i, operation) in Operation::ALL.into_iter().enumerate() {
            let all = self.detector.hottest_closed_in(operation, span.clone(), usize::MAX)?;
            (column.hottest[i], column.rest[i]) = (all.hottest, all.rest);
        }
        Ok(())
    }

    fn close_bounded(&mut self, column: &mut Column) -> Result<()> {
        self.detector.set_time_ms((column.first + column.seconds) * 1_000 - 1)?;
        for (i, operation) in Operation::ALL.into_iter().enumerate() {
            column.hottest[i] = self.detector.hottest(operation, usize::MAX)?;
            let own: u64 = column.hottest[i].iter().map(|hot| hot.count.saturating_sub(hot.carried)).sum();
            column.rest[i] = (self.feed.recorded[i] - self.recorded[i]).saturating_sub(own);
        }
        self.recorded = self.feed.recorded;
        let mut heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        if !heard.most.is_empty() {
            for hot in column.hottest.iter().flatten() {
                heard.most.remove(&(hot.table.clone(), hot.pk.clone(), hot.operation));
            }
        }
        column.left_out = heard.left_out;
        let kept_out = heard.most.into_iter().map(|((table, pk, operation), most)| KeptOut {
            table,
            pk,
            operation,
            most,
        });
        column.kept_out = kept_out.collect();
        Ok(())
    }
}

/// Keeps the most that a warning said of a partition, if that has no count of its own.
fn hear(heard: &Heard, room: usize, warning: &Warning<'_>) {
    if !matches!(warning.rule, Rule::Window | Rule::Second) || warning.carried < warning.count {
        return;
    }
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    let name = (warning.table.into(), warning.pk.into(), warning.operation);
    if heard.most.len() < room || heard.most.contains_key(&name) {
        let most = heard.most.entry(name).or_default();
        *most = (*most).max(warning.count);
    } else {
        heard.left_out += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Access, Entry};

    #[test]
    fn all_tell_partitions_in_about_the_same_order() {
        const N: u32 = 4_000;
        let shape = Shape { seconds: 60, measure: Measure::Operations, memory: None };
        let told = |keys: &mut dyn Iterator<Item = u32>| {
            let mut columns = Columns::new(shape, |_| Ok(())).expect("columns").unlisted();
            let mut batch = Batch::default();
            for key in keys {
                batch.push(&Entry::Access(Access::new(0, Operation::Read, b"t", &key.to_le_bytes())));
            }
            columns.second(&batch, |_, _| unreachable!("it is the first column")).expect("counted");
            let mut places = HashMap::new();
            let see = |_: &Detector, column: &Column| {
                column.each(Operation::Read, |had| {
                    places.insert(had.pk.to_vec(), places.len());
                    Ok(())
                })
            };
            columns.finish(see).expect("counted");
            places
        };
        let (one, other) = (told(&mut (0..N)), told(&mut (0..N).rev()));
        assert_eq!(one.len(), N as usize);
        let farthest = one.iter().map(|(pk, place)| place.abs_diff(other[pk])).max();
        assert!(farthest.is_some_and(|farthest| farthest < N as usize / 10), "{farthest:?} places apart");
    }

    #[test]
    fn bytes_are_asked_for_the_less_the_longer_a_log_is() {
        let (mut rarely, mut asked) = (Rarely::default(), 0);
        for _ in 0..10_080 {
            rarely.bytes(|| {
                asked += 1;
                asked
            });
        }
        assert_eq!((asked, rarely.bytes), (14, 14));
    }
}
