//! Columns: spans of seconds, each with what every partition had in it.

use crate::batch::Batch;
use crate::feed::{Feed, Measure};
use anyhow::Result;
use hotpart::{Builder, Detector, HotPartition, Operation};

/// The most that is asked for of a column whose memory is bounded.
const BOUNDED_LISTED: usize = 10_000;
/// A partition comes to be counted by itself, where memory is bounded, at a quarter of so much a second.
const BOUNDED_RATES: [u64; 2] = [13, 42];

/// A span that is over.
#[derive(Debug)]
pub struct Column {
    /// Its first second.
    pub first: u64,
    /// How many seconds it has.
    pub seconds: u64,
    /// By operation, those with the most demand: all of them, unless memory is bounded.
    pub hottest: [Vec<HotPartition>; 2],
    /// By operation, what all others had together.
    pub rest: [u64; 2],
}

/// How columns are made.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Seconds in each; 2 at least.
    pub seconds: u32,
    pub measure: Measure,
    /// The memory, in bytes, within which partitions are counted.
    pub memory: Option<u64>,
}

/// Counts entries, and closes a column whenever its time is over.
pub struct Columns {
    shape: Shape,
    detector: Detector,
    feed: Feed,
    /// The first second of the column that is open.
    open: Option<u64>,
    /// By operation, what was listed before this column.
    recorded: u64,
}

impl Columns {
    /// `prepare` gets the detector before anything is recorded.
    pub fn new(shape: Shape, prepare: impl FnOnce(&Detector) -> Result<()>) -> Result<Self> {
        let detector = Self::builder(shape).build()?;
        prepare(&detector)?;
        Ok(Self { shape, detector, feed: Feed::new(shape.measure), open: None, recorded: 0 })
    }

    fn builder(shape: Shape) -> Builder {
        let units = if shape.measure == Measure::HalfUnits { 2 } else { 1 };
        let [writes, reads] = match shape.memory {
            Some(_) => BOUNDED_RATES.map(|rate| rate * u64::from(shape.seconds) * units),
            None => [u64::MAX >> 1; 2],
        };
        // A window has the second that it ends in, and so many before.
        let mut builder = Detector::builder(writes, reads, (shape.seconds - 1).max(1)).manual_clock();
        if shape.measure == Measure::HalfUnits {
            builder = builder.capacity_mode();
        }
        if let Some(memory) = shape.memory {
            builder = builder.memory(memory);
        }
        builder
    }

    /// Records the entries of a second, all of one. Calls `closed` with the column before, once it is over.
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

    /// Closes the last column. Returns what fed the detector.
    pub fn finish(&mut self, closed: impl FnOnce(&Detector, &Column) -> Result<()>) -> Result<&Feed> {
        self.close(closed)?;
        Ok(&self.feed)
    }

    fn close(&mut self, closed: impl FnOnce(&Detector, &Column) -> Result<()>) -> Result<()> {
        let Some(first) = self.open.take() else { return Ok(()) };
        let seconds = u64::from(self.shape.seconds);
        let mut column = Column { first, seconds, hottest: [vec![], vec![]], rest: [0; 2] };
        let end = first + seconds;
        // The last moment at which the window has the whole span and nothing else.
        self.detector.set_time_ms(end * 1_000 - 1)?;
        for (i, operation) in Operation::ALL.into_iter().enumerate() {
            if self.shape.memory.is_some() {
                column.hottest[i] = self.detector.hottest(operation, BOUNDED_LISTED)?;
            }
        }
        self.detector.set_time_ms(end * 1_000)?;
        for (i, operation) in Operation::ALL.into_iter().enumerate() {
            if self.shape.memory.is_none() {
                let all = self.detector.hottest_closed_in(operation, first..end, usize::MAX)?;
                (column.hottest[i], column.rest[i]) = (all.hottest, all.rest);
            }
        }
        let records = self.detector.statistics().records;
        if self.shape.memory.is_some() {
            let listed: u64 = column.hottest.iter().flatten().map(|hot| hot.count - hot.carried).sum();
            column.rest[0] = (records - self.recorded).saturating_sub(listed);
        }
        self.recorded = records;
        closed(&self.detector, &column)
    }
}
