//! Reading: a log on its way into a map.

use crate::batch::Batch;
use crate::columns::{Column, Columns, KeptOut, Shape};
use crate::heatmap::args::Heatmap;
use crate::heatmap::cell::Cell;
use crate::heatmap::grid::NARROWEST;
use crate::heatmap::judge::{Judge, permille};
use crate::heatmap::map::Map;
use crate::heatmap::runs::{Runs, Stray};
use crate::input::account::Account;
use crate::readable::counted;
use crate::report::build::LIMITS;
use crate::report::text;
use crate::session;
use crate::time::Clock;
use anyhow::Result;
use hotpart::{Detector, HotPartition, Operation, Statistics};

/// Says what a map may lack if memory is bounded.
pub const LITTLE: &str =
    "With little --memory a hot partition may be drawn in a shared row, and a row may lack its earlier part.";
/// The strays whose times are told.
const TOLD: usize = 3;

/// The cells so far, and the thresholds.
struct Reading {
    runs: Runs,
    judge: Judge,
    /// The number of processes of which the log is one's: shares of the limit are that many times
    /// the log's. 0: the judge adds shares of thresholds.
    times: u32,
    /// The most bytes that counts held.
    most_bytes: u64,
}

/// Reads the log. Returns its map, and the lines that account for every record.
pub fn read(args: &Heatmap) -> Result<(Map, Vec<String>)> {
    let mut period = args.period.checked()?.of_whole_seconds()?;
    let measure = args.when.measure();
    let memory = args.inputs.memory;
    let rows = usize::from(args.rows);
    let describe = |detector: &Detector| session::describe(&args.inputs, detector);
    // If the log is of one process of several, all of them together have so many times as much.
    let times = if args.when.counts().is_some() { 0 } else { args.when.processes.unwrap_or(1) };
    args.inputs.check_memory(0)?;
    // Two detectors and the cells share the memory, with lists of what one of them counts.
    let cells_memory = memory.map(|memory| memory / 4);
    let each = cells_memory;
    let judge = Judge::new(&args.when, each, describe)?;
    let mut reading = Reading { runs: Runs::new(rows, cells_memory), judge, times, most_bytes: 0 };
    let shape = Shape { seconds: NARROWEST, measure, memory: each };
    let mut columns = Columns::new(shape, describe)?;
    let mut account = session::read(&args.inputs, |batch| {
        if !period.takes(batch) {
            return Ok(());
        }
        columns.second(batch, |detector, column| reading.column(detector, column))?;
        session::check(&args.inputs, columns.feed())?;
        reading.second(batch)
    })?;
    reading.judge.look(&mut reading.runs, usize::MAX)?;
    columns.finish(|detector, column| reading.column(detector, column))?;
    period.tell(&mut account);
    let (mut grid, strays) = reading.runs.finish(!period.is_all());
    let unknown = columns.unknown();
    if let Some(unknown) = unknown {
        // Nothing comes near a threshold unseen: from a quarter of it on a partition is counted by
        // itself.
        let share = |i: usize| match times {
            0 => 249,
            times => permille(unknown[i].second, LIMITS[i] * 2).saturating_mul(times),
        };
        grid.allow_for([0, 1].map(|i| (unknown[i].second, share(i))));
    }
    let far = leave_out(&strays, &mut account);
    let mut remarks = session::remarks(&args.inputs, &account, columns.feed());
    let place = remarks.len() - 1;
    let files = || args.inputs.files.iter().map(|file| file.display().to_string());
    let title = args.title.clone().unwrap_or_else(|| files().collect::<Vec<_>>().join(", "));
    let mut map = Map::new(title, grid, &reading.judge, measure, rows);
    let held = held(reading.most_bytes, memory, &columns.statistics());
    // Of an empty map there is nothing to tell.
    let held = held.into_iter().filter(|_| !map.panels.is_empty());
    remarks.splice(place..place, far.into_iter().chain(held));
    if map.panels.is_empty() {
        let nothing = account.told(columns.feed(), &args.inputs.files).nothing();
        remarks.splice(0..0, [nothing.into()].into_iter().chain(period.log()));
    }
    map.unknown = unknown.map(|unknown| unknown.map(|of| of.column));
    map.strays = strays.iter().map(|stray| stray.entries).sum();
    Ok((map, remarks))
}

impl Reading {
    /// Has the judge see a second.
    fn second(&mut self, batch: &Batch) -> Result<()> {
        let Some((time_ms, _)) = batch.times() else { return Ok(()) };
        self.runs.see(time_ms / 1_000, batch.made_of() as u64);
        self.judge.second(batch, &mut self.runs)
    }

    /// Adds what the partitions had in a column.
    fn column(&mut self, detector: &Detector, column: &Column) -> Result<()> {
        for (operation, hottest) in Operation::ALL.into_iter().zip(&column.hottest) {
            for hot in hottest {
                let HotPartition { count, peak, throttles, utilisation_permille, .. } = *hot;
                let throttles = u32::try_from(throttles).unwrap_or(u32::MAX);
                let permille = utilisation_permille.saturating_mul(self.times);
                let cell = Cell { count, peak, permille, throttles, ..Cell::default() };
                self.runs.add(&hot.table, &hot.pk, operation, column.first, &cell);
            }
        }
        column.kept_out.iter().try_for_each(|kept_out| self.kept_out(detector, column.first, kept_out))?;
        let bytes = column.library_bytes + self.judge.bytes() + column.bytes() + self.runs.bytes();
        self.most_bytes = self.most_bytes.max(bytes);
        Ok(())
    }

    /// Adds a partition for which memory had no room when it was hot, with the most that it may
    /// have had: it must not look cold.
    fn kept_out(&mut self, detector: &Detector, first: u64, kept_out: &KeptOut) -> Result<()> {
        let KeptOut { table, pk, operation, most } = kept_out;
        // The window of the detector is just this column.
        let most = detector.bounds(table, pk, *operation)?.most.max(*most);
        let permille = match self.times {
            0 => self.judge.at_most(kept_out, most)?,
            // In half units. All of it may have come in one second.
            times => permille(most, LIMITS[*operation as usize] * 2).saturating_mul(times),
        };
        let cell = Cell { count: most, peak: most, permille, kept_out: true, ..Cell::default() };
        self.runs.add(table, pk, *operation, first, &cell);
        Ok(())
    }
}

/// Takes records that are not drawn out of the account. Returns a line about them.
fn leave_out(strays: &[Stray], account: &mut Account) -> Option<String> {
    let entries = strays.iter().map(|stray| stray.entries).sum();
    if entries == 0 {
        return None;
    }
    account.entries -= entries;
    account.without_entries.insert("not drawn: far from the others in time", entries);
    let time = |second: u64| {
        let clock = Clock::of_log(second * 1_000);
        if clock.is_utc() { clock.second(second * 1_000) } else { format!("{} ms", second * 1_000) }
    };
    let span = |stray: &Stray| match stray.span {
        (first, last) if first == last => time(first),
        (first, last) => format!("{} to {}", time(first), time(last)),
    };
    let mut spans: Vec<String> = strays.iter().take(TOLD).map(span).collect();
    if strays.len() > TOLD {
        spans.push("...".into());
    }
    Some(format!(
        "Not drawn: {} far from all others in time, at {}. Was a clock wrong? --from and --until choose what is drawn.",
        counted(entries, "record"),
        spans.join(", ")
    ))
}

/// Returns lines about memory.
fn held(most_bytes: u64, memory: Option<u64>, statistics: &Statistics) -> Vec<String> {
    let bytes = text::bytes(most_bytes);
    if memory.is_none() {
        return vec![format!("All counts are exact. Memory used for counting: {bytes}.")];
    }
    let mut lines = vec![format!("Memory used for counting: {bytes}. Counts are upper limits. {LITTLE}")];
    if statistics.kept_out > 0 {
        lines.push(format!(
            "That is little memory for this log: {} {} of partitions that needed a counter of their own and got none. More --memory \
             gives better numbers.",
            counted(statistics.kept_out, "record"),
            if statistics.kept_out == 1 { "was" } else { "were" }
        ));
    }
    lines
}
