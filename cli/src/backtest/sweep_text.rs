//! The sweep as a person reads it: a table, bars, and which to take.

use crate::backtest::args::Backtest;
use crate::backtest::outcome::Outcome;
use crate::backtest::sweep::{Recommendation, Row, recommend};
use crate::backtest::text::{table, write_remarks, write_table};
use crate::input::account::grouped;
use crate::time::span;
use anyhow::Result;
use comfy_table::Cell;
use std::io::Write;

/// Characters of the longest bar.
const WIDTH: u64 = 40;

pub fn write(out: &mut impl Write, args: &Backtest, outcome: &Outcome) -> Result<()> {
    let rows = &outcome.rows;
    let throttled = rows.first().map_or(0, |row| row.verdict.throttled());
    if let Some(nothing) = outcome.nothing() {
        writeln!(out, "{nothing}")?;
        return write_remarks(out, args, outcome);
    }
    write_rows(out, rows, outcome.hours(), throttled > 0)?;
    write_bars(out, rows)?;
    let Recommendation { row, reason } = recommend(rows, outcome.hours(), args.an_hour);
    match row {
        Some(row) => writeln!(out, "Recommended: {}. {reason}", rows[row].label())?,
        None => writeln!(out, "{reason}")?,
    }
    if throttled > 0 {
        writeln!(
            out,
            "Caught are throttled partitions that had a warning before their first throttle, missed those that had none. False alarms \
             are partitions with a warning and no throttle. Reads and writes are counted separately."
        )?;
    }
    write_remarks(out, args, outcome)
}

fn write_rows(out: &mut impl Write, rows: &[Row], hours: f64, has_throttles: bool) -> Result<()> {
    let mut header = vec!["Thresholds", "Warnings", "Warnings/hour", "Partitions"];
    if has_throttles {
        header.extend(["Caught", "Missed", "False alarms", "Median lead"]);
    }
    let mut table = table(&header, &[1, 2, 3, 4, 5, 6, 7]);
    for row in rows {
        let an_hour = row.warnings as f64 / hours;
        let mut cells =
            vec![row.label(), grouped(row.warnings), format!("{an_hour:.1}"), grouped(row.partitions)];
        if has_throttles {
            let verdict = &row.verdict;
            cells.extend([verdict.caught, verdict.missed, verdict.in_vain].map(grouped));
            cells.push(verdict.median_lead_ms.map_or(String::new(), span));
        }
        table.add_row(cells.iter().map(Cell::new));
    }
    write_table(out, &table, rows.len(), usize::MAX)
}

fn write_bars(out: &mut impl Write, rows: &[Row]) -> Result<()> {
    let most = rows.iter().map(|row| row.warnings).max().unwrap_or(0);
    let width = rows.iter().map(|row| row.label().len()).max().unwrap_or(0);
    writeln!(out, " Warnings")?;
    for row in rows {
        let missed = match row.verdict.missed {
            0 => String::new(),
            n => format!(", {} missed", grouped(n)),
        };
        let bar = bar(row.warnings, most);
        writeln!(out, " {:width$} {bar}{}{missed}", row.label(), grouped(row.warnings))?;
    }
    writeln!(out)?;
    Ok(())
}

/// Draws a number, to the eighth of a character; any that is not 0 can be seen.
fn bar(n: u64, most: u64) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if n == 0 {
        return String::new();
    }
    let eighths = ((n as f64 / most as f64 * (8 * WIDTH) as f64).round() as usize).max(1);
    format!("{}{} ", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion() {
        assert_eq!(bar(100, 100), format!("{} ", "█".repeat(40)));
        assert_eq!(bar(50, 100), format!("{} ", "█".repeat(20)));
        assert_eq!((bar(1, 1_000_000), bar(0, 0)), ("▏ ".into(), String::new()));
        assert_eq!(bar(3, 80), "█▌ ");
    }
}
