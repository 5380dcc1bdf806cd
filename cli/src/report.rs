//! The report: what was hot, when, by how much, and what to do.
//!
//! The library counts a minute at a time ([`crate::columns`]), and a [tally](tally) of each partition and operation adds the minutes up:
//! how much it had, its fullest second, in how many seconds it was hot. Of those that come first, [`build`] makes the
//! [report](model), with [advice] for each that is hot, and [`human`] writes it for people.

pub mod advice;
pub mod args;
pub mod build;
pub mod human;
pub mod model;
pub mod tallies;
pub mod tally;
pub mod text;

use crate::batch::Batch;
use crate::columns::{Columns, Shape};
use crate::feed::Measure;
use crate::input::account::Account;
use crate::report::build::Sources;
use crate::report::model::Span;
use crate::report::tallies::{Rules, Tallies};
use crate::session;
use crate::time::Clock;
use anyhow::Result;
use hotpart::Statistics;
use std::io::{Write, stdout};

/// Seconds in a column.
const MINUTE: u32 = 60;
/// Bytes from which a bound is suggested.
const MUCH: u64 = 1 << 30;
/// Of the memory that is given, what the tallies get; the library has the rest.
const TALLIES_SHARE: u64 = 4;

pub fn run(args: &args::Report) -> Result<()> {
    let measure = if args.units { Measure::HalfUnits } else { Measure::Operations };
    let tallies_memory = args.inputs.memory.map(|memory| memory / TALLIES_SHARE);
    let library_memory = args.inputs.memory.map(|memory| (memory - memory / TALLIES_SHARE).max(65_536));
    let top = args.top as usize;
    let rules = Rules { top, hot: build::hot(measure, args.hot), memory: tallies_memory };
    let mut tallies = Tallies::new(rules);
    let shape = Shape { seconds: MINUTE, measure, memory: library_memory };
    let mut columns = Columns::new(shape, |detector| session::describe(&args.inputs, detector))?.unlisted();
    let mut period = Period { from: args.from, until: args.until, span: None, outside: 0 };
    let mut is_told = args.inputs.memory.is_some();
    let mut account = session::read_seconds(&args.inputs, |batch| {
        if !period.takes(batch) {
            return Ok(());
        }
        columns.second(batch, |detector, column| tallies.add(detector, column))?;
        if tallies.most_bytes > MUCH && !is_told {
            is_told = true;
            eprintln!("hotpart: {}", much(tallies.most_bytes));
        }
        Ok(())
    })?;
    columns.finish(|detector, column| tallies.add(detector, column))?;
    period.tell(&mut account);
    let statistics = columns.statistics();
    let feed = columns.feed();
    let mut remarks = session::remarks(&account, feed);
    let place = remarks.len() - 1;
    let memory = args.inputs.memory;
    remarks.splice(place..place, told(&statistics, &tallies, memory));
    let span = period.span;
    let sources = Sources {
        measure,
        top,
        hot_share: args.hot,
        memory,
        span,
        account: &account,
        feed,
        tallies: &tallies,
        statistics,
        remarks,
    };
    let report = sources.report();
    let text = match args.json {
        true => serde_json::to_string_pretty(&report)? + "\n",
        false => human::write(&report),
    };
    stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// The time that is looked at.
struct Period {
    from: Option<u64>,
    until: Option<u64>,
    /// The first time and the last.
    span: Option<Span>,
    /// Entries that are not in it.
    outside: u64,
}

impl Period {
    /// Whether the entries of a second are looked at.
    fn takes(&mut self, batch: &Batch) -> bool {
        let Some((first_ms, last_ms)) = batch.times() else { return false };
        let second = first_ms / 1_000 * 1_000;
        if self.from.is_some_and(|from| second + 999 < from)
            || self.until.is_some_and(|until| second >= until)
        {
            self.outside += batch.made_of() as u64;
            return false;
        }
        let utc = Clock::of_log(first_ms).is_utc();
        self.span.get_or_insert(Span { first_ms, last_ms, utc }).last_ms = last_ms;
        true
    }

    fn tell(&self, account: &mut Account) {
        if self.outside > 0 {
            account.entries -= self.outside;
            account.without_entries.insert("outside of --from and --until", self.outside);
        }
    }
}

fn much(bytes: u64) -> String {
    format!("counts hold {}; --memory 64MiB bounds them, and misses nothing hot", text::bytes(bytes))
}

/// Lines about memory, and about what no partition was charged with.
fn told(statistics: &Statistics, tallies: &Tallies, memory: Option<u64>) -> Vec<String> {
    use crate::input::account::grouped;
    let mut lines = Vec::new();
    let [scans, _, unprocessed, _, throttles] = statistics.unattributed;
    for (n, what) in [
        (scans, "scans, and statements that name no key"),
        (unprocessed, "items of batches that DynamoDB did not process"),
        (throttles, "throttles of which no key is known"),
        (statistics.unread, "parts of requests that could not be read"),
    ] {
        if n > 0 {
            lines.push(format!("charged to no partition: {} {what}", grouped(n)));
        }
    }
    let held = text::bytes(tallies.most_bytes);
    lines.push(match memory {
        None if tallies.most_bytes > MUCH => much(tallies.most_bytes),
        None => format!("all counts are exact; they held {held}"),
        Some(_) => format!("counted within {held}: ≤ is at most, ≥ is at least, and nothing hot is missed"),
    });
    if statistics.kept_out > 0 || tallies.dropped > 0 {
        lines.push(format!(
            "that is little for this log: {} records of partitions that were to be counted by themselves were not, and {} partitions \
             were dropped from the report; with more --memory numbers are better",
            grouped(statistics.kept_out),
            grouped(tallies.dropped)
        ));
    }
    lines
}
