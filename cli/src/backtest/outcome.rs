//! The outcome: one pass over the inputs, with a trial for each of the thresholds.

use crate::backtest::args::Backtest;
use crate::backtest::census::{Census, Highest};
use crate::backtest::sweep::{self, Row};
use crate::backtest::trial::{Trial, Tried};
use crate::backtest::trials::Trials;
use crate::batch::Batch;
use crate::input::account::Account;
use crate::period::{Period, Side};
use crate::session;
use crate::thresholds::When;
use crate::time::Clock;
use anyhow::Result;
use std::path::PathBuf;

/// The detectors under way.
pub struct Pass {
    ladder: Vec<When>,
    chosen: Trial,
    trials: Trials,
    census: Option<Census>,
    period: Period,
    /// Whether an entry has been in the period.
    has_begun: bool,
}

/// All that is printed.
pub struct Outcome {
    pub account: Account,
    pub period: Period,
    /// A sentence on when the log is, if the period has nothing of it.
    pub missed: Option<String>,
    /// How many partitions the period has; `None` where memory is bounded.
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
        let period = args.period.checked()?.of_whole_seconds()?;
        let trial = |when, keeps_warnings| Trial::new(when, &args.inputs, period.from, keeps_warnings);
        let chosen = trial(&args.when, args.sweep.is_none() || args.json)?;
        let trial = |when| trial(when, false);
        let trials = Trials::new(ladder.iter().map(trial).collect::<Result<_>>()?);
        let window = chosen.detector.window_seconds();
        let census =
            args.inputs.memory.is_none().then(|| Census::new(args.when.measure(), window, period.from));
        Ok(Self { ladder, chosen, trials, census, period, has_begun: false })
    }

    /// Records the entries of a second, unless they come after the period. Returns whether they are
    /// in it.
    pub fn second(&mut self, batch: &Batch) -> Result<bool> {
        match self.period.side(batch) {
            Side::Before => {
                batch.iter().try_for_each(|entry| self.chosen.entry(&entry).map(drop))?;
                self.trials.second(batch)?;
                return Ok(false);
            }
            Side::Within => self.has_begun = true,
            Side::After => return Ok(false),
        }
        for entry in batch.iter() {
            if let Some(census) = &mut self.census {
                census.before(&self.chosen.detector, &entry)?;
            }
            let count = self.chosen.entry(&entry)?;
            if let Some(census) = &mut self.census {
                census.after(&entry, count);
            }
        }
        self.trials.second(batch)?;
        Ok(true)
    }

    /// Sets how many threads run the sweep's trials.
    #[cfg(test)]
    pub fn threads(&mut self, threads: usize) {
        self.trials.threads(threads);
    }

    /// `files`: those that were read.
    pub fn finish(self, account: &Account, files: &[PathBuf]) -> Result<Outcome> {
        let Self { ladder, chosen, trials, mut census, period, has_begun } = self;
        let partitions = census.as_mut().map(|census| census.finish(&chosen.detector)).transpose()?;
        let chosen = chosen.finish()?;
        let tried = trials.finish()?;
        let mut account = account.clone();
        period.tell(&mut account);
        Ok(Outcome {
            account: account.told(&chosen.feed, files),
            period,
            missed: period.log().filter(|_| !has_begun),
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
            if pass.second(batch)? {
                session::check(&args.inputs, pass.chosen.feed())?;
            }
            Ok(())
        })?;
        pass.finish(&account, &args.inputs.files)
    }

    /// Returns a sentence in place of an outcome, if nothing was counted.
    pub fn nothing(&self) -> Option<&'static str> {
        (self.account.entries == 0 || self.partitions == Some(0)).then(|| self.account.nothing())
    }

    /// Returns the clock by which times are written.
    pub fn clock(&self) -> Clock {
        Clock::of_log(self.period.log_ms().map_or(0, |(first_ms, _)| first_ms))
    }

    /// Returns the hours that the log spans in the period, of which it has at least a second.
    pub fn hours(&self) -> f64 {
        self.period.length_ms().max(1_000) as f64 / 3_600_000.0
    }
}
