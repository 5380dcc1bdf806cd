//! The heat map: time across, partitions down, coloured by how near each came to its limit.
//!
//! ```text
//! reading: a log, counted by the library
//!    |--> runs: a grid for each part of the log; grid: cells of partitions and spans of time
//!    |--> judge: when the thresholds would have warned
//!    v
//! map: what is shown --> page (HTML), picture (SVG, PNG), in the colours of palette
//! ```

pub mod args;
pub mod cell;
pub mod grid;
pub mod judge;
pub mod label;
pub mod map;
pub mod page;
pub mod palette;
pub mod picture;
pub mod reading;
pub mod runs;

use crate::heatmap::args::Heatmap;
use crate::heatmap::picture::Kind;
use crate::readable::{counted, shown};
use crate::time::span;
use anyhow::{Context, Result, bail};
use std::io::{Write, stdout};

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
    crate::output::check(&args.output, &args.inputs)?;
    let (map, remarks) = reading::read(args)?;
    if map.panels.is_empty() {
        let remarks: Vec<_> = remarks.iter().map(|line| line.trim_end_matches('.')).collect();
        bail!("there is nothing to draw. {}", remarks.join(". "));
    }
    let named = || args.output.display().to_string();
    match output {
        Output::Page => std::fs::write(&args.output, page::page(&map, &remarks)).with_context(named)?,
        Output::Picture(kind) => picture::write(&map, kind, &args.output).with_context(named)?,
    }
    let bytes = std::fs::metadata(&args.output).with_context(named)?.len();
    let mut out = stdout().lock();
    writeln!(
        out,
        "{}: {} of {}, {} (one for each table and operation), {} KB",
        shown(named().as_bytes()),
        counted(u64::from(map.columns), "column"),
        span(u64::from(map.width) * 1_000),
        counted(map.panels.len() as u64, "map"),
        bytes / 1_000
    )?;
    for line in &remarks {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
