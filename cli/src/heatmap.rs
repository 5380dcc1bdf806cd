//! The heat map: time across, partitions down, coloured by how near each came to its limit.
//!
//! [`grid`] has a cell for every partition and span of time, from what the library has counted ([`crate::columns`]); [`judge`] adds
//! what the thresholds say. [`map`] chooses what is shown of it, [`page`] and [`picture`] show it, in the colours of [`palette`].

pub mod args;
pub mod cell;
pub mod grid;
pub mod judge;
pub mod label;
pub mod map;
pub mod page;
pub mod palette;
pub mod picture;

use crate::columns::{Column, Columns, KeptOut, Shape};
use crate::heatmap::args::Heatmap;
use crate::heatmap::cell::Cell;
use crate::heatmap::grid::{Grid, NARROWEST};
use crate::heatmap::judge::{Judge, permille};
use crate::heatmap::map::Map;
use crate::heatmap::picture::Kind;
use crate::report::build::LIMITS;
use crate::session;
use crate::time::span;
use anyhow::{Context, Result, bail};
use hotpart::{Detector, HotPartition, Operation};

/// The kinds of files that it writes.
enum Output {
    Page,
    Picture(Kind),
}

impl Output {
    fn of(args: &Heatmap) -> Result<Self> {
        let extension = args.output.extension().map(|extension| extension.to_ascii_lowercase());
        Ok(match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => Self::Page,
            Some("svg") => Self::Picture(Kind::Svg),
            Some("png") => Self::Picture(Kind::Png),
            _ => bail!("{}: its name must end in .html, .svg or .png", args.output.display()),
        })
    }
}

pub fn run(args: &Heatmap) -> Result<()> {
    let output = Output::of(args)?;
    let (map, remarks) = read(args)?;
    if map.panels.is_empty() {
        bail!("there is nothing to draw; {}", remarks.join("; "));
    }
    let named = || args.output.display().to_string();
    match output {
        Output::Page => std::fs::write(&args.output, page::page(&map, &remarks)).with_context(named)?,
        Output::Picture(kind) => picture::write(&map, kind, &args.output).with_context(named)?,
    }
    let bytes = std::fs::metadata(&args.output).with_context(named)?.len();
    println!(
        "{}: {} columns of {}, {} tables and operations, {} KB",
        named(),
        map.columns,
        span(u64::from(map.width) * 1_000),
        map.panels.len(),
        bytes / 1_000
    );
    remarks.iter().for_each(|line| println!("{line}"));
    Ok(())
}

/// Reads the log. Returns its map, and the lines that account for every record.
fn read(args: &Heatmap) -> Result<(Map, Vec<String>)> {
    let measure = args.when.measure();
    let of_threshold = args.when.counts().is_some();
    let memory = args.inputs.memory;
    let mut grid = Grid::new(args.rows.into(), memory);
    let mut judge = Judge::new(&args.when, memory, |detector| session::describe(&args.inputs, detector))?;
    let shape = Shape { seconds: NARROWEST, measure, memory };
    // Of a log of one process of several, all of them have so much more. The judge adds shares of a threshold.
    let times = if of_threshold { 0 } else { args.when.processes.unwrap_or(1) };
    let mut columns = Columns::new(shape, |detector| session::describe(&args.inputs, detector))?;
    let account = session::read(&args.inputs, |batch| {
        let Some(second) = batch.iter().next().map(|entry| entry.time_ms() / 1_000) else { return Ok(()) };
        columns.second(batch, |detector, column| {
            add(&mut grid, column, times);
            add_kept_out(&mut grid, detector, column, times, &judge)
        })?;
        grid.see(second);
        judge.second(batch, &mut grid)
    })?;
    judge.look(&mut grid, usize::MAX)?;
    let feed = columns.finish(|detector, column| {
        add(&mut grid, column, times);
        add_kept_out(&mut grid, detector, column, times, &judge)
    })?;
    let remarks = session::remarks(&account, feed);
    let files = || args.inputs.files.iter().map(|file| file.display().to_string());
    let title = args.title.clone().unwrap_or_else(|| files().collect::<Vec<_>>().join(", "));
    let mut map = Map::new(title, grid, &judge, measure, args.rows.into());
    map.is_bounded = memory.is_some();
    Ok((map, remarks))
}

/// Adds what the partitions had in a column, their shares of the limit so many times.
fn add(grid: &mut Grid, column: &Column, times: u32) {
    for (operation, hottest) in Operation::ALL.into_iter().zip(&column.hottest) {
        for hot in hottest {
            let HotPartition { count, peak, throttles, utilisation_permille, .. } = *hot;
            let throttles = u32::try_from(throttles).unwrap_or(u32::MAX);
            let permille = utilisation_permille.saturating_mul(times);
            let cell = Cell { count, peak, permille, throttles, ..Cell::default() };
            grid.add(&hot.table, &hot.pk, operation, column.first, &cell);
        }
    }
}

/// Adds the partitions that memory had no room for when they were hot, with the most that each may have had: they must not look cold.
fn add_kept_out(
    grid: &mut Grid,
    detector: &Detector,
    column: &Column,
    times: u32,
    judge: &Judge,
) -> Result<()> {
    for kept_out in &column.kept_out {
        let KeptOut { table, pk, operation, most } = kept_out;
        // Its window has just this column.
        let most = detector.bounds(table, pk, *operation)?.most.max(*most);
        let limit = LIMITS[*operation as usize] * 2;
        let permille = match times {
            0 => judge.at_most(kept_out, most)?,
            // All of it may have come in one second.
            _ => permille(most, limit).saturating_mul(times),
        };
        let cell = Cell { count: most, peak: most, permille, kept_out: true, ..Cell::default() };
        grid.add(table, pk, *operation, column.first, &cell);
    }
    Ok(())
}
