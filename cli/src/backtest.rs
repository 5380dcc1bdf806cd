//! The backtest: what would have warned, when, and how early.
//!
//! ```text
//! entries --> trial: a detector under thresholds --> heard: its warnings, and throttles
//!    |                                                  --> verdict: caught, missed, in vain
//!    |                                                        --> text, json
//!    |                +--> restart: the throttles of a period, --from one time
//!    +--> census: how many partitions there are
//!    +--> trials: a trial for each step of a sweep --> sweep: which to take --> sweep_text, plot
//! ```
//!
//! Each entry is recorded at its own millisecond, in the order of time. So a warning comes here
//! when it would have come in the program, if that were one process.

pub mod args;
mod census;
mod heard;
mod json;
mod outcome;
mod plot;
mod restart;
mod sweep;
mod sweep_text;
#[cfg(test)]
mod tests;
mod text;
mod trial;
mod trials;
mod verdict;

use crate::output;
use anyhow::{Result, bail};
use std::io::{BufWriter, Write, stdout};
use std::path::Path;

pub fn run(args: &args::Backtest) -> Result<()> {
    check(args)?;
    let outcome = outcome::Outcome::of(args)?;
    let mut out = BufWriter::new(stdout().lock());
    print(&mut out, args, &outcome)?;
    plot(args, &outcome)?;
    out.flush()?;
    Ok(())
}

/// Refuses arguments that would fail after the log has been read, or that are likely not meant.
fn check(args: &args::Backtest) -> Result<()> {
    if let Some(path) = &args.plot {
        output::check(path, &args.inputs)?;
    }
    // In `--sweep 100,200`, without a `=`, the list is taken for a file.
    let is_list = |name: &str| name.split(',').all(|part| part.parse::<f64>().is_ok());
    if args.sweep.as_ref().is_some_and(Vec::is_empty)
        && let Some(list) =
            args.inputs.files.iter().filter_map(|file| file.to_str()).find(|name| is_list(name))
        && !Path::new(list).exists()
    {
        bail!("{list} is taken for a file: write --sweep={list}");
    }
    Ok(())
}

fn print(out: &mut impl Write, args: &args::Backtest, outcome: &outcome::Outcome) -> Result<()> {
    match args.sweep {
        _ if args.json => json::write(out, args, outcome),
        Some(_) => sweep_text::write(out, args, outcome),
        None => text::write(out, args, outcome),
    }
}

/// Draws the sweep, if the command line says where.
fn plot(args: &args::Backtest, outcome: &outcome::Outcome) -> Result<()> {
    let Some(path) = &args.plot else { return Ok(()) };
    let recommended = sweep::recommend(&outcome.rows, outcome.hours(), args.an_hour);
    plot::write(path, &outcome.rows, &recommended)
}
