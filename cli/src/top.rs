//! The live screen: the fleet's hottest partitions now, by what its processes say, or by what a
//! Prometheus has recorded of them.

pub mod args;
pub mod exposition;
pub mod fleet;
pub mod list;
pub mod scrape;
pub mod screen;

use crate::readable::shown;
use crate::top::args::Top;
use crate::top::fleet::Fleet;
use crate::top::list::{Choice, HEADINGS, blindness, cells, headline};
use anyhow::{Result, bail};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;
use std::io::{IsTerminal, Write, stdout};

/// Shows the fleet, or prints it once.
pub fn run(args: &Top) -> Result<()> {
    if let Some((_, url)) = args.urls.iter().enumerate().find(|(i, url)| args.urls[..*i].contains(url)) {
        bail!("{}: it is named twice, and would be counted twice", shown(url.as_bytes()));
    }
    if !args.once {
        if !stdout().is_terminal() {
            bail!("the output is no terminal; --once prints a table, --once --json JSON");
        }
        return screen::run(args);
    }
    let fleet = scrape::look(args);
    if fleet.failed.len() == args.urls.len() && !args.json {
        bail!("no address gave metrics: {}", shown(fleet.failed.join("; ").as_bytes()));
    }
    let choice = Choice { sort: args.sort, filter: args.filter.clone(), operation: None };
    if args.json {
        print_json(&fleet, &choice, args.limit)?
    } else {
        print_table(&fleet, &choice, args.limit)?
    }
    // Everything that answered has been told by now.
    match fleet.failed.len() {
        0 => Ok(()),
        n => bail!(
            "{n} of {} addresses failed: {}",
            args.urls.len(),
            shown(fleet.failed.join("; ").as_bytes())
        ),
    }
}

fn print_json(fleet: &Fleet, choice: &Choice, limit: usize) -> Result<()> {
    let partitions: Vec<_> = choice.of(fleet).into_iter().take(limit).collect();
    let document = json!({
        "window_seconds": fleet.window_seconds,
        "processes": fleet.processes,
        "failed": fleet.failed,
        "unread": fleet.unread,
        "blind": fleet.is_blind(),
        "unlisted_most": fleet.unlisted_most,
        "partitions": partitions,
    });
    writeln!(stdout(), "{document:#}")?;
    Ok(())
}

fn print_table(fleet: &Fleet, choice: &Choice, limit: usize) -> Result<()> {
    let rows = choice.of(fleet);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(HEADINGS);
    for row in rows.iter().take(limit) {
        table.add_row(cells(row));
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut out = stdout().lock();
    writeln!(out, "{}", headline(fleet))?;
    if let Some(line) = blindness(fleet) {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "{table}")?;
    if rows.len() > limit {
        writeln!(out, "{} more (--limit)", rows.len() - limit)?;
    }
    Ok(())
}
