//! The outcome: one pass over the inputs, with a trial for each of the thresholds.

use crate::backtest::args::Backtest;
use crate::backtest::census::{Census, Highest};
use crate::backtest::sweep::{self, Row};
use crate::backtest::trial::{Trial, Tried};
use crate::backtest::trials::Trials;
use crate::batch::Batch;
use crate::input::account::Account;
use crate::session;
use crate::thresholds::When;
use anyhow::Result;
use std::path::PathBuf;

/// The detectors under way.
pub struct Pass {
    ladder: Vec<When>,
    chosen: Trial,
    trials: Trials,
    census: Option<Census>,
    begin_ms: Option<u64>,
    end_ms: u64,
}

/// All that is printed.
pub struct Outcome {
    pub account: Account,
    /// The first time in the log, and the last.
    pub begin_ms: u64,
    pub end_ms: u64,
    /// How many partitions there are; `None` where memory is bounded.
    pub partitions: Option<u64>,
    /// The highest count of each operation, of accesses; `None` where memory is bounded.
    pub highest: Option<[Highest; 2]>,
    /// The result of the thresholds that were chosen.
    pub chosen: Tried,
    /// The results of the sweep's thresholds.
    pub rows: Vec<Row>,
}

impl Pass {
    pub fn new(args: &Backtest) -> Result<Self> {
        let ladder = sweep::ladder(args)?;
        let chosen = Trial::new(&args.when, &args.inputs, args.sweep.is_none() || args.json)?;
        let trial = |when| Trial::new(when, &args.inputs, false);
        let trials = Trials::new(ladder.iter().map(trial).collect::<Result<_>>()?);
        let window = chosen.detector.window_seconds();
        let census = args.inputs.memory.is_none().then(|| Census::new(args.when.measure(), window));
        Ok(Self { ladder, chosen, trials, census, begin_ms: None, end_ms: 0 })
    }

    /// Records the entries of a second.
    pub fn second(&mut self, batch: &Batch) -> Result<()> {
        for entry in batch.iter() {
            self.begin_ms.get_or_insert(entry.time_ms());
            self.end_ms = entry.time_ms();
            if let Some(census) = &mut self.census {
                census.before(&self.chosen.detector, &entry)?;
            }
            let count = self.chosen.entry(&entry)?;
            if let Some(census) = &mut self.census {
                census.after(&entry, count);
            }
        }
        self.trials.second(batch)
    }

    /// Sets how many threads run the sweep's trials.
    #[cfg(test)]
    pub fn threads(&mut self, threads: usize) {
        self.trials.threads(threads);
    }

    /// `files`: those that were read.
    pub fn finish(self, account: &Account, files: &[PathBuf]) -> Result<Outcome> {
        let Self { ladder, chosen, trials, mut census, begin_ms, end_ms } = self;
        let partitions = census.as_mut().map(|census| census.finish(&chosen.detector)).transpose()?;
        let chosen = chosen.finish();
        let tried = trials.finish()?;
        Ok(Outcome {
            account: account.told(&chosen.feed, files),
            begin_ms: begin_ms.unwrap_or(0),
            end_ms,
            partitions,
            highest: census.map(|census| census.highest),
            rows: ladder.into_iter().zip(tried).map(|(when, tried)| Row::new(when, &tried)).collect(),
            chosen,
        })
    }
}

impl Outcome {
    /// Reads the inputs.
    pub fn of(args: &Backtest) -> Result<Self> {
        let mut pass = Pass::new(args)?;
        let account = session::read(&args.inputs, |batch| {
            pass.second(batch)?;
            session::check(&args.inputs, pass.chosen.feed())
        })?;
        pass.finish(&account, &args.inputs.files)
    }

    /// Returns a sentence in place of an outcome, if nothing was counted.
    pub fn nothing(&self) -> Option<&'static str> {
        (self.account.entries == 0 || self.partitions == Some(0)).then(|| self.account.nothing())
    }

    /// Returns the hours that the log spans, of which it has at least a second.
    pub fn hours(&self) -> f64 {
        (self.end_ms - self.begin_ms).max(1_000) as f64 / 3_600_000.0
    }
}
