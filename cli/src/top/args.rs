//! Arguments of the live screen.

use clap::{Args, ValueEnum};

/// The order of the list, the most first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The sum over the processes that list the partition
    #[default]
    Sum,
    /// The most that the partition may have
    Most,
    /// Throttles
    Throttles,
    /// Table and key
    Name,
}

impl Sort {
    pub const ALL: [Self; 4] = [Self::Sum, Self::Most, Self::Throttles, Self::Name];

    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|&sort| sort == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Most => "most",
            Self::Throttles => "throttles",
            Self::Name => "name",
        }
    }
}

#[derive(Args, Debug)]
pub struct Top {
    /// Addresses to ask: each process's, with its path, as in http://host:9100/metrics; or that of
    /// a Prometheus that has the fleet's rules, without a path, as in http://prometheus:9090
    #[arg(value_name = "URL", required = true)]
    pub urls: Vec<String>,
    /// The window of the processes' detectors, in seconds. If a Prometheus has recorded it, that
    /// one is used
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub window: u32,
    /// Ask again after this many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    pub every: f64,
    /// Give up on an address that has not answered after this many seconds, until it is asked again
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub timeout: f64,
    /// Show only partitions whose table or key has this text, in upper or lower case
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Sort by this
    #[arg(long, value_enum, default_value_t)]
    pub sort: Sort,
    /// Ask once, print a table, and end: for scripts
    #[arg(long)]
    pub once: bool,
    /// With --once: print JSON in place of the table
    #[arg(long, requires = "once")]
    pub json: bool,
    /// With --once: print at most this many partitions
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
}

/// Reads a span of a tenth of a second to an hour.
fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=3_600.0).contains(seconds));
    seconds.ok_or_else(|| "seconds are a number from 0.1 to 3600".into())
}
