//! The outcome: one pass over the inputs, with a trial for each of the thresholds.

use crate::backtest::args::Backtest;
use crate::backtest::census::{Census, Highest};
use crate::backtest::sweep::{self, Row};
use crate::backtest::trial::{Trial, Tried};
use crate::input::account::Account;
use crate::session;
use anyhow::Result;

/// All that is printed.
pub struct Outcome {
    pub account: Account,
    /// The first time in the log, and the last.
    pub begin_ms: u64,
    pub end_ms: u64,
    /// `None`: memory is bounded.
    pub partitions: Option<u64>,
    /// By operation, of accesses; `None`: memory is bounded.
    pub highest: Option<[Highest; 2]>,
    /// What the thresholds give that were chosen.
    pub chosen: Tried,
    /// What those of the sweep give.
    pub rows: Vec<Row>,
}

impl Outcome {
    pub fn of(args: &Backtest) -> Result<Self> {
        let ladder = sweep::ladder(args)?;
        let mut chosen = Trial::new(&args.when, &args.inputs, args.sweep.is_none() || args.json)?;
        let mut trials =
            ladder.iter().map(|when| Trial::new(when, &args.inputs, false)).collect::<Result<Vec<_>>>()?;
        let window = chosen.detector.window_seconds();
        let mut census = args.inputs.memory.is_none().then(|| Census::new(args.when.measure(), window));
        let (mut begin_ms, mut end_ms) = (None, 0);
        let account = session::read(&args.inputs, |batch| {
            for entry in batch.iter() {
                begin_ms.get_or_insert(entry.time_ms());
                end_ms = entry.time_ms();
                if let Some(census) = &mut census {
                    census.before(&chosen.detector, &entry)?;
                }
                let count = chosen.entry(&entry)?;
                if let Some(census) = &mut census {
                    census.after(&entry, count);
                }
            }
            for trial in &mut trials {
                batch.iter().try_for_each(|entry| trial.entry(&entry).map(drop))?;
            }
            Ok(())
        })?;
        let partitions = census.as_mut().map(|census| census.finish(&chosen.detector)).transpose()?;
        let tried = trials.into_iter().map(Trial::finish);
        Ok(Self {
            account,
            begin_ms: begin_ms.unwrap_or(0),
            end_ms,
            partitions,
            highest: census.map(|census| census.highest),
            rows: ladder.into_iter().zip(tried).map(|(when, tried)| Row::new(when, &tried)).collect(),
            chosen: chosen.finish(),
        })
    }

    /// Returns the hours that the log spans, as far as they have begun: one at least.
    pub fn hours(&self) -> f64 {
        ((self.end_ms - self.begin_ms) as f64 / 3_600_000.0).max(1.0)
    }
}
