//! The judge: a second detector, with the thresholds that were asked for. It says when it would
//! have warned. Where shares are of a threshold, it also says how near each partition came to it.

use crate::batch::Batch;
use crate::columns::{KeptOut, Rarely};
use crate::feed::{Feed, Measure};
use crate::heatmap::cell::Cell;
use crate::heatmap::grid::NARROWEST;
use crate::heatmap::runs::Runs;
use crate::readable::counted;
use crate::thresholds::When;
use anyhow::Result;
use hotpart::{Detector, Operation, Rule, Warning};
use std::sync::{Arc, Mutex};

/// The partitions that are looked at every second, those with the greatest counts. The others are
/// looked at once a column.
const EACH_SECOND: usize = 200;

/// A warning.
#[derive(Clone, Debug)]
pub struct Warned {
    pub time_ms: u64,
    pub table: Vec<u8>,
    pub pk: Vec<u8>,
    pub operation: Operation,
    pub count: u64,
    pub threshold: u64,
    pub seconds: u32,
    pub rule: Rule,
    /// The share that it is of; 0 where shares are of something else.
    pub permille: u32,
}

/// The detector, and the warnings that are still to be marked.
pub struct Judge {
    detector: Detector,
    feed: Feed,
    warnings: Arc<Mutex<Vec<Warned>>>,
    of_threshold: bool,
    /// The last second that was recorded.
    second: u64,
    is_bounded: bool,
    bytes: Rarely,
}

impl Judge {
    /// `prepare` gets the detector before anything is recorded.
    pub fn new(
        when: &When,
        memory: Option<u64>,
        prepare: impl FnOnce(&Detector) -> Result<()>,
    ) -> Result<Self> {
        let warnings = Arc::new(Mutex::new(Vec::new()));
        // Otherwise shares are of DynamoDB's limit.
        let of_threshold = when.counts().is_some();
        let to = Arc::clone(&warnings);
        let builder = when.builder()?.on_warning(move |warning| {
            to.lock().expect("no callback panics").push(Warned::new(warning, of_threshold));
        });
        let detector = match memory {
            Some(memory) => builder.memory(memory).build()?,
            None => builder.build()?,
        };
        when.set(&detector)?;
        prepare(&detector)?;
        let (feed, is_bounded, bytes) = (Feed::new(when.measure()), memory.is_some(), Rarely::default());
        Ok(Self { detector, feed, warnings, of_threshold, second: 0, is_bounded, bytes })
    }

    /// Returns the threshold of a table, if shares are of one.
    pub fn threshold(&self, table: &[u8], operation: Operation) -> Option<u64> {
        let of = |thresholds: hotpart::Thresholds| match operation {
            Operation::Write => thresholds.writes,
            Operation::Read => thresholds.reads,
        };
        let own = self.detector.table_thresholds(table).ok().and_then(of);
        own.or_else(|| of(self.detector.thresholds())).filter(|_| self.of_threshold)
    }

    /// Returns the greatest share of its threshold that a partition may have come to, if it had at
    /// most `most` in a column.
    pub fn at_most(&self, kept_out: &KeptOut, most: u64) -> Result<u32> {
        let KeptOut { table, pk, operation, .. } = kept_out;
        let Some(threshold) = self.threshold(table, *operation) else { return Ok(0) };
        let window = self.detector.bounds(table, pk, *operation)?.most;
        Ok(permille(window.max(most), threshold))
    }

    /// Returns the bytes in which it counts.
    pub fn bytes(&mut self) -> u64 {
        let bytes = || self.detector.statistics().bytes;
        if self.is_bounded { self.bytes.bytes(bytes) } else { bytes() }
    }

    /// Records the entries of one second, and marks the warnings and shares that come of it.
    pub fn second(&mut self, batch: &Batch, runs: &mut Runs) -> Result<()> {
        let Some(second) = batch.iter().next().map(|entry| entry.time_ms() / 1_000) else { return Ok(()) };
        let column = |second: u64| second / u64::from(NARROWEST);
        if column(second) != column(self.second) {
            self.look(runs, usize::MAX)?;
        }
        self.second = second;
        for entry in batch.iter() {
            self.feed.timed(&self.detector, &entry)?;
            let mut warnings = self.warnings.lock().expect("no callback panics");
            for mut warned in warnings.drain(..) {
                warned.time_ms = entry.time_ms();
                runs.warn(warned);
            }
        }
        // A count is greatest at the end of a second, as the next one takes the oldest away.
        self.look(runs, EACH_SECOND)?;
        Ok(())
    }

    /// Marks how near the `n` partitions with the greatest counts are to their thresholds.
    pub fn look(&self, runs: &mut Runs, n: usize) -> Result<()> {
        if !self.of_threshold {
            return Ok(());
        }
        for operation in Operation::ALL {
            for hot in self.detector.hottest(operation, n)? {
                let Some(threshold) = self.threshold(&hot.table, operation) else { continue };
                let cell = Cell { permille: permille(hot.count, threshold), ..Cell::default() };
                runs.add(&hot.table, &hot.pk, operation, self.second, &cell);
            }
        }
        Ok(())
    }
}

impl Warned {
    fn new(warning: &Warning<'_>, of_threshold: bool) -> Self {
        let is_of = of_threshold && warning.rule == Rule::Window;
        Self {
            time_ms: 0,
            table: warning.table.into(),
            pk: warning.pk.into(),
            operation: warning.operation,
            count: warning.count,
            threshold: warning.threshold,
            seconds: warning.window_seconds,
            rule: warning.rule,
            permille: if is_of { permille(warning.count, warning.threshold) } else { 0 },
        }
    }

    /// Returns the judgement in words.
    pub fn text(&self, measure: Measure) -> String {
        let Self { count, threshold, seconds, .. } = *self;
        if self.rule == Rule::Throttle {
            return format!("DynamoDB throttled it, {} so far", counted(count, "time"));
        }
        let amount = |n| crate::heatmap::label::amount(n, measure);
        let seconds = if seconds == 1 { "a second".into() } else { format!("{seconds} seconds") };
        let unit = crate::heatmap::page::unit(measure);
        format!("{} {unit} in {seconds}; the threshold is {}", amount(count), amount(threshold))
    }
}

/// Returns a share in thousandths.
pub fn permille(count: u64, threshold: u64) -> u32 {
    u32::try_from(u128::from(count) * 1_000 / u128::from(threshold.max(1))).unwrap_or(u32::MAX)
}
