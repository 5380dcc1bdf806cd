//! Arguments of the backtest.

use crate::args::Inputs;
use crate::thresholds::When;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct Backtest {
    #[command(flatten)]
    pub inputs: Inputs,
    #[command(flatten)]
    pub when: When,
    /// Try many thresholds in one pass, and recommend one: 0.25 to 4 times those chosen, or, by --sweep=100,200,400, those for writes,
    /// with the others in proportion. With --preset dynamodb they are shares of its limits: --sweep=0.5,0.8. Each has a --memory of its
    /// own
    #[arg(long, value_name = "THRESHOLD,...", num_args = 0..=1, require_equals = true, value_delimiter = ',')]
    pub sweep: Option<Vec<f64>>,
    /// Draw the sweep as a picture, an SVG file
    #[arg(long, value_name = "FILE", requires = "sweep")]
    pub plot: Option<PathBuf>,
    /// Recommend the lowest thresholds that give at most so many warnings an hour, where the log has no throttles to go by
    #[arg(long, value_name = "WARNINGS", default_value_t = 6, requires = "sweep")]
    pub an_hour: u64,
    /// Show at most so many rows of each table
    #[arg(long, value_name = "ROWS", default_value_t = 50)]
    pub limit: usize,
    /// Print JSON: {"records", "partitions", "warnings": [{"time_ms", "table", "pk", "operation", "count", "threshold", "rule"}]} and
    /// more, all warnings of it
    #[arg(long)]
    pub json: bool,
}
