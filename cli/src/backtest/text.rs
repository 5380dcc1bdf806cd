//! The outcome as a person reads it.

use crate::backtest::args::Backtest;
use crate::backtest::census::Highest;
use crate::backtest::heard::{Heard, Name, Warned};
use crate::backtest::outcome::Outcome;
use crate::backtest::verdict::Verdict;
use crate::feed::Measure;
use crate::heatmap::label;
use crate::input::account::grouped;
use crate::readable::{Readable, counted};
use crate::session;
use crate::time::{Clock, span};
use anyhow::Result;
use comfy_table::{Cell, CellAlignment, ContentArrangement, LineStyle, Table, TableStyle};
use hotpart::{Operation, Reason, Statistics};
use std::collections::BTreeMap;
use std::io::Write;

/// Prints the outcome without a sweep.
pub fn write(out: &mut impl Write, args: &Backtest, outcome: &Outcome) -> Result<()> {
    let clock = outcome.clock();
    let heard = &outcome.chosen.heard;
    if let Some(nothing) = outcome.nothing() {
        writeln!(out, "{nothing}")?;
    } else if heard.n == 0 {
        match heard.standing_partitions() {
            0 => writeln!(out, "No warning: no partition reached {}.", thresholds(args))?,
            _ => writeln!(out, "No warning. It takes at least {}.", thresholds(args))?,
        }
        write_highest(out, args, outcome, clock)?;
    } else {
        write_warnings(out, args, heard, clock)?;
        write_summary(out, args, heard, clock)?;
        let partitions = match outcome.partitions {
            Some(n) => {
                let whose = if outcome.period.is_all() { "log" } else { "period" };
                format!("{} of the {whose}'s {}", grouped(heard.warned_partitions()), counted(n, "partition"))
            }
            None => counted(heard.warned_partitions(), "partition"),
        };
        let warnings = counted(heard.n, "warning");
        writeln!(out, "{warnings} about {partitions}. A warning means: at least {}.", thresholds(args))?;
    }
    write_standing(out, heard)?;
    write_throttles(out, args, heard, clock)?;
    write_remarks(out, args, outcome)
}

/// Tells of warnings that stood when the period began, as they may be why there were none later.
fn write_standing(out: &mut impl Write, heard: &Heard) -> Result<()> {
    let n = heard.standing_partitions();
    if n > 0 {
        writeln!(
            out,
            "{} {} warned about shortly before --from: within an interval (--interval) there is no second warning.",
            counted(n, "partition"),
            if n == 1 { "was" } else { "were" }
        )?;
    }
    Ok(())
}

/// Returns the thresholds that were chosen, as the end of a sentence: "800 writes or 2,500 reads in
/// 60 s".
pub fn thresholds(args: &Backtest) -> String {
    let when = &args.when;
    let own = if when.tables.is_empty() && when.models.is_empty() {
        ""
    } else {
        ", unless its table or model has thresholds of its own"
    };
    match (when.counts(), when.preset.counts(), when.limits_share()) {
        (Some([writes, reads]), Some((_, _, window)), _) => {
            let window = when.window.unwrap_or(window);
            format!("{} or {} in {window} s{own}", counted(writes, "write"), counted(reads, "read"))
        }
        (_, _, share) => {
            let percent = (share.unwrap_or_default() * 1_000.0).round() / 10.0;
            format!(
                "{percent} % of one of DynamoDB's limits over five seconds, or a whole limit in one second{own}"
            )
        }
    }
}

fn write_warnings(out: &mut impl Write, args: &Backtest, heard: &Heard, clock: Clock) -> Result<()> {
    let mut table =
        table(&["Time", "Table", "Partition key", "Operation", "Count", "Threshold", "Within"], &[4, 5, 6]);
    for warned in heard.warnings.iter().take(args.limit) {
        let Name { table: name, pk } = heard.name(warned.partition);
        let amount = |n| amount(n, args.when.measure());
        table.add_row([
            Cell::new(clock.millisecond(warned.time_ms)),
            Cell::new(Readable(name)),
            Cell::new(Readable(pk)),
            Cell::new(warned.operation),
            Cell::new(count(warned, args.when.measure())),
            Cell::new(amount(warned.threshold)),
            Cell::new(format!("{} s", warned.window_seconds)),
        ]);
    }
    write_table(out, &table, heard.warnings.len(), args.limit)
}

/// Returns a count as text; where it is not exact, the least that it is.
fn count(warned: &Warned, measure: Measure) -> String {
    let shown = amount(warned.count, measure);
    match warned.carried {
        0 => shown,
        carried => format!("at least {} of {shown}", amount(warned.count.saturating_sub(carried), measure)),
    }
}

/// The sums of one table and operation.
#[derive(Default)]
struct Sum {
    warnings: u64,
    partitions: u64,
    most: u64,
    first_ms: u64,
    last_ms: u64,
}

fn write_summary(out: &mut impl Write, args: &Backtest, heard: &Heard, clock: Clock) -> Result<()> {
    let mut sums: BTreeMap<(&[u8], Operation), Sum> = BTreeMap::new();
    for (&(partition, operation), series) in &heard.series {
        let Some(first_ms) = series.first_warning_ms else { continue };
        let sum = sums.entry((&heard.name(partition).table, operation)).or_default();
        sum.first_ms = if sum.partitions == 0 { first_ms } else { sum.first_ms.min(first_ms) };
        sum.warnings += series.warnings;
        sum.partitions += 1;
        sum.most = sum.most.max(series.most);
        sum.last_ms = sum.last_ms.max(series.last_warning_ms);
    }
    let mut table =
        table(&["Table", "Operation", "Warnings", "Partitions", "Highest", "First", "Last"], &[2, 3, 4]);
    let n = sums.len();
    for ((name, operation), sum) in sums.into_iter().take(args.limit) {
        table.add_row([
            Cell::new(Readable(name)),
            Cell::new(operation),
            Cell::new(grouped(sum.warnings)),
            Cell::new(grouped(sum.partitions)),
            Cell::new(amount(sum.most, args.when.measure())),
            Cell::new(clock.millisecond(sum.first_ms)),
            Cell::new(clock.millisecond(sum.last_ms)),
        ]);
    }
    write_table(out, &table, n, args.limit)
}

/// Tells how near the log came to its thresholds, where these are of counts of the window.
fn write_highest(out: &mut impl Write, args: &Backtest, outcome: &Outcome, clock: Clock) -> Result<()> {
    let (Some(highest), Some(_)) = (&outcome.highest, args.when.counts()) else { return Ok(()) };
    for (operation, highest) in Operation::ALL.into_iter().zip(highest) {
        let Highest { count, time_ms, table, pk } = highest;
        if *count > 0 {
            let (count, time, table, pk) =
                (grouped(*count), clock.millisecond(*time_ms), Readable(table), Readable(pk));
            writeln!(
                out,
                "The highest count of {operation}: {count}, of table=\"{table}\" pk=\"{pk}\" at {time}."
            )?;
        }
    }
    Ok(())
}

fn write_throttles(out: &mut impl Write, args: &Backtest, heard: &Heard, clock: Clock) -> Result<()> {
    let verdict = Verdict::of(heard);
    if verdict.throttled() == 0 {
        return Ok(());
    }
    let mut throttled: Vec<_> = heard
        .series
        .iter()
        .filter_map(|(of, series)| Some((series.first_throttle_ms?, of, series)))
        .collect();
    throttled.sort_by_key(|&(first_ms, of, _)| (first_ms, of));
    let mut table =
        table(&["First throttle", "Table", "Partition key", "Operation", "First warning", "Lead"], &[5]);
    for &(first_ms, &(partition, operation), series) in throttled.iter().take(args.limit) {
        let Name { table: name, pk } = heard.name(partition);
        table.add_row([
            Cell::new(clock.millisecond(first_ms)),
            Cell::new(Readable(name)),
            Cell::new(Readable(pk)),
            Cell::new(operation),
            Cell::new(series.earliest_ms().map_or("none".into(), |ms| clock.millisecond(ms))),
            Cell::new(series.lead_ms().map_or("missed".into(), span)),
        ]);
    }
    writeln!(out)?;
    write_table(out, &table, throttled.len(), args.limit)?;
    writeln!(out, "{}", throttle_line(&verdict))?;
    Ok(())
}

/// Returns a sentence on how well warnings and throttles go together.
pub fn throttle_line(verdict: &Verdict) -> String {
    let Verdict { caught, missed, in_vain, median_lead_ms } = *verdict;
    let lead = median_lead_ms.map_or(String::new(), |ms| format!(" ({} ahead, median)", span(ms)));
    let throttled = verdict.throttled();
    format!(
        "{} {} throttled (reads and writes counted separately): {} had a warning before{lead}, {} had none. {} had a warning but no \
         throttle.",
        counted(throttled, "partition"),
        if throttled == 1 { "was" } else { "were" },
        grouped(caught),
        grouped(missed),
        counted(in_vain, "partition")
    )
}

/// Prints the last lines, with or without a sweep.
pub fn write_remarks(out: &mut impl Write, args: &Backtest, outcome: &Outcome) -> Result<()> {
    writeln!(out)?;
    if let Some(missed) = &outcome.missed {
        writeln!(out, "{missed}")?;
    }
    let Statistics { throttles, .. } = outcome.chosen.statistics;
    let others: u64 =
        Reason::ALL.into_iter().zip(throttles).filter(|(r, _)| *r != Reason::KeyRange).map(|(_, n)| n).sum();
    if others > 0 {
        let unknown = throttles[Reason::Unknown as usize];
        writeln!(
            out,
            "{} left out: {} for a reason other than one partition's traffic, {} for a reason that the log does not give",
            counted(others, "throttle"),
            grouped(others - unknown),
            grouped(unknown)
        )?;
    }
    if let Some(notice) = outcome.chosen.notice {
        writeln!(out, "{notice}: take more --memory")?;
    }
    if args.inputs.memory.is_some() {
        writeln!(
            out,
            "With --memory no hot partition is missed; how many partitions the log has is not known."
        )?;
    }
    for line in session::remarks(&args.inputs, &outcome.account, &outcome.chosen.feed) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// Makes a table. The columns numbered in `right` are aligned to the right. Cells are not broken,
/// so that a key can be copied.
pub fn table(header: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    let style = TableStyle::new().header_separator(LineStyle::none().fill('─'));
    table.load_style(style).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(header);
    for column in right {
        if let Some(column) = table.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Prints a table that shows the first `limit` of so many rows.
pub fn write_table(out: &mut impl Write, table: &Table, rows: usize, limit: usize) -> Result<()> {
    if limit > 0 {
        writeln!(out, "{}", table.trim_fmt())?;
    }
    if rows > limit {
        writeln!(out, "... and {} more (--limit shows more)", grouped((rows - limit) as u64))?;
    }
    writeln!(out)?;
    Ok(())
}

fn amount(n: u64, measure: Measure) -> String {
    match measure {
        Measure::Operations => grouped(n),
        Measure::HalfUnits => format!("{} unit{}", label::amount(n, measure), if n == 2 { "" } else { "s" }),
    }
}
