//! Arguments: what the command line says.

use crate::input::csv::Field;
use crate::input::format;
use crate::thresholds;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Finds hot DynamoDB partitions in what you have: logs, traces, and live processes.
///
/// DynamoDB throttles a partition key that gets more than about 1,000 write units or 3,000 read units a second. These commands tell
/// which keys came near that, when, and what to do about them.
#[derive(Debug, Parser)]
#[command(name = "hotpart", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Tell what was hot, when, by how much, and what to do
    Report(crate::report::args::Report),
    /// Tell which thresholds would have warned, and when
    Backtest(crate::backtest::args::Backtest),
    /// Draw time across and partitions down, coloured by how near each came to its limit
    Heatmap(crate::heatmap::args::Heatmap),
    /// Show the fleet's hottest partitions now
    Top(crate::top::args::Top),
    /// Print a script that completes this command's arguments in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print this command's manual page
    Man,
    /// Print which formats are read, and what each of them tells
    Inputs,
}

/// The files that are read, and how.
#[derive(Args, Clone, Debug)]
pub struct Inputs {
    /// Logs, of any mix of formats, plain or compressed by gzip or zstd; `-` for standard input. What each is, is told by its content
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// The header, or the number from 1, of a CSV column: time_ms=ts, pk=3
    #[arg(long = "column", value_name = "NAME=COLUMN", value_parser = column)]
    pub columns: Vec<(Field, String)>,
    /// The attributes of a table's partition key, or of an index's, TABLE/index/INDEX, where a log does not tell them: events=id
    #[arg(long = "key", value_name = "TABLE=ATTRIBUTE[,ATTRIBUTE]", value_parser = key)]
    pub keys: Vec<(String, Vec<String>)>,
    /// A file with what DescribeTable answers, of one table or of several one after another
    #[arg(long, value_name = "FILE")]
    pub schema: Vec<PathBuf>,
    /// How late a record may be and still be put in order, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub lateness: u64,
    /// Count bad lines, show the first few, and go on
    #[arg(long)]
    pub keep_going: bool,
    /// Count within so much memory, "64MiB", whatever the number of partitions: no hot one is missed, and numbers that may be too
    /// high say by how much. Without it all counts are exact
    #[arg(long, value_name = "SIZE", value_parser = thresholds::size)]
    pub memory: Option<u64>,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

impl Inputs {
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

fn pair(text: &str) -> Result<(&str, &str), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    pair.ok_or_else(|| format!("{text:?} is not of the form NAME=VALUE"))
}

fn column(text: &str) -> Result<(Field, String), String> {
    let (name, column) = pair(text)?;
    let field = Field::ALL.into_iter().find(|field| field.name() == name);
    let names = || Field::ALL.map(Field::name).join(", ");
    Ok((field.ok_or_else(|| format!("{name:?} is none of {}", names()))?, column.into()))
}

fn key(text: &str) -> Result<(String, Vec<String>), String> {
    let (table, attributes) = pair(text)?;
    Ok((table.into(), attributes.split(',').map(Into::into).collect()))
}
