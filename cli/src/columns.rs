//! Columns: spans of seconds, each with what every partition had in it.
//!
//! Exact counts are of spans that are over ([`Detector::hottest_closed_in`]). Where memory is
//! bounded the library has only a list of the window that ends now. So there the window is one
//! second shorter than a column, and is asked for in the column's last millisecond: it has just the
//! column's seconds then.

pub mod rows;

use crate::batch::Batch;
use crate::columns::rows::{Had, Rows};
use crate::feed::{Feed, Measure};
use anyhow::Result;
use hotpart::{Builder, Detector, HotPartition, Operation, Rule, Statistics, Thresholds, Warning};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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

/// A span that is over.
#[derive(Debug)]
pub struct Column {
    /// Its first second.
    pub first: u64,
    /// How many seconds it has.
    pub seconds: u64,
    /// By operation, all partitions, those with the most demand first. None if there are rows. In
    /// bounded memory, only those that are counted by themselves.
    pub hottest: [Vec<HotPartition>; 2],
    /// All partitions, in no order: see [`Columns::unlisted`]. None in bounded memory.
    pub rows: Rows,
    /// By operation, the sum of all others, with what the listed ones may have carried. Where
    /// memory is bounded, of accesses alone: nothing adds up what exchanges had.
    pub rest: [u64; 2],
    /// Partitions that reached a threshold, and for which there was no room.
    pub kept_out: Vec<KeptOut>,
    /// Warnings of more such partitions than are kept.
    pub left_out: u64,
    /// The bytes in which the library counts.
    pub library_bytes: u64,
    is_bounded: bool,
}

/// A partition for which bounded memory had no room when it was hot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOut {
    pub table: Vec<u8>,
    pub pk: Vec<u8>,
    pub operation: Operation,
    /// The most that it may have had in the column.
    pub most: u64,
}

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

impl Column {
    /// Calls `see` with what each partition had of an operation, whether it is listed or in a row.
    pub fn each(&self, operation: Operation, see: impl FnMut(Had<'_>) -> Result<()>) -> Result<()> {
        self.hottest[operation as usize]
            .iter()
            .map(Had::from)
            .chain(self.rows.of(operation))
            .try_for_each(see)
    }

    /// Returns the first of the fullest seconds of a partition. To be asked before the next column.
    pub fn fullest_second(&self, detector: &Detector, hot: &Had<'_>) -> Result<u64> {
        let end = self.first + self.seconds;
        let last = self.last_that_is_over();
        let fullest = detector.fullest_second(hot.table, hot.pk, hot.operation, self.first..last)?;
        Ok(match fullest {
            Some((second, count)) if count >= hot.peak => second,
            _ => end - 1,
        })
    }

    /// Returns each second in which a partition had something, and its count. As late as the above.
    pub fn seconds_of(&self, detector: &Detector, hot: &Had<'_>) -> Result<Vec<(u64, u64)>> {
        let mut seconds = Vec::new();
        for second in self.first..self.last_that_is_over() {
            let own = second..second + 1;
            seconds.extend(detector.fullest_second(hot.table, hot.pk, hot.operation, own)?);
        }
        let sum = seconds.iter().map(|(_, count)| count).sum();
        if hot.count > sum {
            seconds.push((self.first + self.seconds - 1, hot.count - sum));
        }
        Ok(seconds)
    }

    /// Returns the bytes that it holds, with those of the partitions for which there was no room.
    pub fn bytes(&self) -> u64 {
        let listed = self.hottest.iter().map(|listed| listed.capacity() * size_of::<HotPartition>());
        let names = self.hottest.iter().flatten().map(|hot| hot.table.capacity() + hot.pk.capacity());
        let kept_out = self.kept_out.capacity() * size_of::<KeptOut>();
        let their_names =
            self.kept_out.iter().map(|of| of.table.capacity() + of.pk.capacity()).sum::<usize>();
        (listed.sum::<usize>() + names.sum::<usize>() + self.rows.bytes() + 2 * kept_out + their_names) as u64
    }

    /// Returns the last second that is over: where memory is bounded, not yet the column's last.
    fn last_that_is_over(&self) -> u64 {
        self.first + self.seconds - u64::from(self.is_bounded)
    }
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
        let spare = Rows::default();
        let library = Rarely::default();
        let (open, recorded, is_listed) = (None, [0; 2], true);
        Ok(Self { shape, detector, feed, open, recorded, is_listed, spare, heard, hot, library })
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
        let builder = builder.manual_clock();
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
        let Some(entry) = batch.iter().next() else { return Ok(()) };
        let width = u64::from(self.shape.seconds);
        let first = entry.time_ms() / 1_000 / width * width;
        if self.open.is_some_and(|open| open < first) {
            self.close(closed)?;
        }
        self.open = Some(first);
        self.feed.second(&self.detector, batch)
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
        column.library_bytes = if is_bounded { self.library.bytes(bytes) } else { bytes() };
        closed(&self.detector, &column)?;
        // Operations that wait are of this column, and would be counted too late to be in it.
        self.feed.settle(&self.detector)?;
        self.spare = column.rows;
        Ok(())
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
