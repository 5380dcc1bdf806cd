//! Arguments: what the command line says.

use crate::input::csv::Field;
use crate::input::format;
use crate::thresholds;
use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Finds hot DynamoDB partitions in what you have: logs, traces, and live processes.
///
/// DynamoDB throttles a partition key that gets more than about 1,000 write units or 3,000 read
/// units a second. These commands tell which keys came close to that, when, and what to do about
/// them.
#[derive(Debug, Parser)]
#[command(name = "hotpart", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what was hot in a log, when, by how much, and what to do
    Report(crate::report::args::Report),
    /// Show when a set of thresholds would have warned, how early, and how many false alarms
    Backtest(crate::backtest::args::Backtest),
    /// Draw a log: time across, partitions down, coloured by how close each came to its limit
    Heatmap(crate::heatmap::args::Heatmap),
    /// Show the hottest partitions of running processes, now
    Top(crate::top::args::Top),
    /// Print a script that completes this command's arguments in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page of this command, or of one of its commands: `hotpart man | man -l -`
    /// shows it
    Man {
        /// The command whose page is printed
        command: Option<String>,
    },
    /// Print which log formats can be read, and what each of them contains
    Inputs,
}

/// The files that are read, and how.
#[derive(Args, Clone, Debug)]
pub struct Inputs {
    /// Logs to read, `-` for standard input. Formats may be mixed; each file's format is detected,
    /// and whether it is compressed with gzip or zstd. `hotpart inputs` lists them
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Say which column of a CSV is time_ms, operation, table, pk, amount or model, by its header
    /// or its number from 1: pk=user_id, pk=3
    #[arg(long = "column", value_name = "NAME=COLUMN", value_parser = column)]
    pub columns: Vec<(Field, String)>,
    /// Name the attribute that is a table's partition key, if the log does not tell: orders=id; or
    /// an index's, of which there may be four: orders/index/by_day=region,day
    #[arg(long = "key", value_name = "TABLE=ATTRIBUTE[,ATTRIBUTE]", value_parser = key)]
    pub keys: Vec<(String, Vec<String>)>,
    /// Read partition keys from this file: what `aws dynamodb describe-table` prints, of one table
    /// or of several one after another
    #[arg(long, value_name = "FILE")]
    pub schema: Vec<PathBuf>,
    /// Accept records up to this many seconds out of order; leave out later ones
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub lateness: u64,
    /// Go on after lines that cannot be read: count them, and show the first few
    #[arg(long)]
    pub keep_going: bool,
    /// Count within this much memory, such as 64MiB, however many partitions there are. Some
    /// numbers are then upper or lower limits; if it is too little for the log, the output says
    /// what may be missing. Without it all counts are exact
    #[arg(long, value_name = "SIZE", value_parser = thresholds::size)]
    pub memory: Option<u64>,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// The least memory in which a report or a heat map has room for its own lists, and the library for
/// two rows of cells.
const MEMORY_LEAST: u64 = 512 << 10;

impl Inputs {
    /// Checks that the memory has room for lists that need so much, if it is bounded.
    pub fn check_memory(&self, needed: u64) -> Result<()> {
        let least = needed.max(MEMORY_LEAST);
        match self.memory {
            Some(memory) if memory < least => {
                let top = if needed > MEMORY_LEAST { ", or a lower --top" } else { "" };
                bail!(
                    "--memory is too small: this command needs {}KiB or more. Give that much{top}, or leave out --memory",
                    least.div_ceil(1 << 10)
                )
            }
            _ => Ok(()),
        }
    }

    /// Checks that no name has two values, of which one would be passed over.
    pub fn check_names(&self) -> Result<()> {
        let columns = self.columns.iter().map(|(field, _)| ("--column", field.name()));
        let keys = self.keys.iter().map(|(table, _)| ("--key", table.as_str()));
        let mut seen = BTreeSet::new();
        match columns.chain(keys).find(|named| !seen.insert(*named)) {
            Some((option, name)) => bail!("{option} {name}: it is named twice, and can have one value"),
            None => Ok(()),
        }
    }

    pub fn options(&self) -> format::Options {
        format::Options {
            keep_going: self.keep_going,
            lateness_ms: self.lateness.saturating_mul(1_000),
            whole_seconds: false,
            columns: self.columns.iter().cloned().collect(),
            keys: self.keys.iter().cloned().collect(),
        }
    }
}

fn pair<'a>(text: &'a str, example: &str) -> Result<(&'a str, &'a str), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    pair.ok_or_else(|| format!("it has no {:?} with something on both sides, as in {example}", '='))
}

fn column(text: &str) -> Result<(Field, String), String> {
    let (name, column) = pair(text, "pk=user_id")?;
    let field = Field::ALL.into_iter().find(|field| field.name() == name);
    let names = || Field::ALL.map(Field::name).join(", ");
    Ok((
        field.ok_or_else(|| format!("{name:?} is none of {}: write one of these before the =", names()))?,
        column.into(),
    ))
}

fn key(text: &str) -> Result<(String, Vec<String>), String> {
    let (table, attributes) = pair(text, "orders=id")?;
    Ok((table.into(), attributes.split(',').map(Into::into).collect()))
}
