//! Arguments of the heat map.

use crate::args::Inputs;
use crate::period::Period;
use crate::thresholds::When;
use clap::Args;
use std::path::PathBuf;

/// Tells what the colours are.
const COLOURS: &str = "A cell shows the fullest second as a share of DynamoDB's limit. With a --preset of counts it shows the \
    fullest count of the window as a share of the threshold. Warnings of the preset are marked.";

/// The help of `--memory`, which here has its own limits.
const MEMORY: &str = "Count within this much memory, such as 64MiB, however many partitions there are. Counts are then upper limits. With \
    little memory a hot partition may be drawn in a shared row, and a row may lack its earlier part. Without it all counts are exact";

#[derive(Args, Debug)]
#[command(after_help = COLOURS, mut_arg("preset", |preset| preset.default_value("dynamodb")), mut_arg("memory", |memory| memory.help(MEMORY)))]
pub struct Heatmap {
    #[command(flatten)]
    pub inputs: Inputs,
    #[command(flatten)]
    pub when: When,
    #[command(flatten)]
    pub period: Period,
    /// Write this file: .html makes a page to look around in, which needs no network; .svg and .png
    /// make pictures
    #[arg(long, short, value_name = "FILE")]
    pub output: PathBuf,
    /// Give this many of the hottest partitions of each table and operation a row of their own; the
    /// others share rows, by a hash of their keys
    #[arg(long, value_name = "COUNT", default_value_t = 40, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub rows: u16,
    /// Write this heading, in place of the names of the files
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,
}
