//! The report: what was hot, when, by how much, and what to do.
//!
//! The library counts a minute at a time ([`crate::columns`]). A [tally] of each partition
//! and operation adds the minutes up: how much it had, its fullest second, in how many seconds it
//! was hot. Of the partitions that come first, [`build`] makes the [report](model), with [advice]
//! for each that is hot, and [`human`] writes it for people. [`compare`] holds reports of
//! Contributor Insights against it.

pub mod advice;
pub mod args;
pub mod build;
pub mod compare;
pub mod human;
pub mod model;
pub mod name;
pub mod partitions;
mod remarks;
pub mod tallies;
pub mod tally;
pub mod text;

use crate::columns::relay::relay;
use crate::columns::{Column, Columns, Shape};
use crate::feed::Measure;
use crate::input::insights;
use crate::report::build::Sources;
use crate::report::compare::Comparison;
use crate::report::model::Span;
use crate::report::tallies::{Rules, Tallies};
use crate::session;
use crate::time::Clock;
use anyhow::Result;
use hotpart::Detector;
use std::io::{Write, stderr, stdout};

/// Seconds in a column.
const MINUTE: u32 = 60;
/// The tallies' part of the memory that is given: a quarter. The library gets the half, and lists
/// of what it counts have the rest.
const TALLIES_SHARE: u64 = 4;
const LIBRARY_SHARE: u64 = 2;

pub fn run(args: &args::Report) -> Result<()> {
    let measure = if args.units { Measure::HalfUnits } else { Measure::Operations };
    let mut others = Vec::new();
    for source in &args.compare_with {
        others.extend(insights::read(&source.path)?.into_iter().map(|report| (source, report)));
    }
    // The tallies of the report, and of each report with which it is compared.
    let tallies_n = 1 + others.len() as u64;
    let top = args.top as usize;
    let needed = tallies::least_bytes(top) * TALLIES_SHARE * tallies_n;
    args.inputs.check_memory(needed)?;
    let tallies_memory = args.inputs.memory.map(|memory| memory / TALLIES_SHARE / tallies_n);
    let library_memory = args.inputs.memory.map(|memory| memory / LIBRARY_SHARE);
    let rules = Rules { top, hot: build::hot(measure, args.hot), memory: tallies_memory };
    let mut tallies = Tallies::new(rules);
    let mut comparisons: Vec<_> =
        others.into_iter().map(|(source, report)| Comparison::new(source, report, rules)).collect();
    let shape = Shape { seconds: MINUTE, measure, memory: library_memory };
    let describe = |detector: &Detector| session::describe(&args.inputs, detector);
    let make = || Ok(Columns::seeing(shape, rules.hot, describe)?.unlisted());
    let mut period = args.period.checked()?.of_whole_seconds()?;
    let mut span: Option<Span> = None;
    let mut is_told = args.inputs.memory.is_some();
    let closed = |detector: &Detector, column: &Column| {
        comparisons.iter_mut().try_for_each(|of| of.add(detector, column))?;
        tallies.add(detector, column)?;
        if tallies.most_bytes > remarks::MUCH && !std::mem::replace(&mut is_told, true) {
            let _ = writeln!(stderr(), "hotpart: {}", remarks::much(tallies.most_bytes));
        }
        Ok(())
    };
    let (columns, mut account) = relay(make, closed, |relay| {
        session::read_seconds(&args.inputs, |batch| {
            if !period.takes(batch) {
                return Ok(());
            }
            if let Some((first_ms, last_ms)) = batch.times() {
                let utc = Clock::of_log(first_ms).is_utc();
                span.get_or_insert(Span { first_ms, last_ms, utc }).last_ms = last_ms;
            }
            relay.second(batch)?;
            session::check(&args.inputs, relay.feed()?)
        })
    })?;
    period.tell(&mut account);
    if let Some(unknown) = columns.unknown() {
        tallies.allow_for(unknown);
    }
    let statistics = columns.statistics();
    let feed = columns.feed();
    let mut lines = session::remarks(&args.inputs, &account, feed);
    let place = lines.len() - 1;
    let missed = period.log().filter(|_| span.is_none());
    let memory = args.inputs.memory;
    let most_bytes = tallies.most_bytes + comparisons.iter().map(|of| of.most_bytes).sum::<u64>();
    let told = remarks::told(&statistics, &tallies, most_bytes, memory);
    lines.splice(place..place, told);
    lines.splice(0..0, missed);
    let account = account.told(feed, &args.inputs.files);
    let sources = Sources {
        measure,
        top,
        hot_share: args.hot,
        memory,
        most_bytes,
        span,
        account: &account,
        feed,
        tallies: &tallies,
        statistics,
        comparisons: &comparisons,
        remarks: lines,
    };
    let report = sources.report();
    let text = match args.json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => human::write(&report),
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}
