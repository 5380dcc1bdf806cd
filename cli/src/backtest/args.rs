//! Arguments of the backtest.

use crate::args::Inputs;
use crate::period::Period;
use crate::thresholds::When;
use clap::Args;
use std::path::PathBuf;

/// The help of `--from`: counts go back further than what is told.
const FROM: &str = "Leave out warnings and throttles from before this time: UTC as in 2026-03-01T02:14, or milliseconds as the log has \
    them. The warnings from then on are those that the whole log gives: counts include what came before in their window, and a warning \
    from shortly before still delays the next one (--interval). With --memory this takes up to twice as much";

#[derive(Args, Debug)]
#[command(mut_arg("from", |from| from.help(FROM)))]
pub struct Backtest {
    #[command(flatten)]
    pub inputs: Inputs,
    #[command(flatten)]
    pub when: When,
    #[command(flatten)]
    pub period: Period,
    /// Try many thresholds in one pass, and recommend one of them. Alone it tries 0.25 to 4 times
    /// the chosen ones (with --preset dynamodb: 20 % to 100 % of its limits). --sweep=100,200,400
    /// tries these for writes, and those for reads in proportion; with --preset dynamodb,
    /// --sweep=0.5,0.8 tries these shares of its limits. Each of them takes --memory of its own
    #[arg(long, value_name = "THRESHOLD,...", num_args = 0..=1, require_equals = true, value_delimiter = ',', value_parser = number)]
    pub sweep: Option<Vec<f64>>,
    /// Draw the sweep into this SVG file
    #[arg(long, value_name = "FILE", requires = "sweep")]
    pub plot: Option<PathBuf>,
    /// Recommend the lowest thresholds that give at most this many warnings an hour, if the log has
    /// no throttles to go by
    #[arg(long, value_name = "WARNINGS", default_value_t = 6, requires = "sweep")]
    pub an_hour: u64,
    /// Show at most this many rows of each table of the output
    #[arg(long, value_name = "ROWS", default_value_t = 50)]
    pub limit: usize,
    /// Print JSON, with all warnings: {"records", "partitions", "warnings": [{"time_ms", "table",
    /// "pk", "operation", "count", "threshold", "rule"}]}, and more beside these
    #[arg(long)]
    pub json: bool,
}

fn number(text: &str) -> Result<f64, String> {
    text.trim().parse().map_err(|_| "a threshold is a number, as in --sweep=100,200,400".into())
}
