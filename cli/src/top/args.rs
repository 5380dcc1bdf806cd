//! Arguments of the live screen.

use clap::{Args, ValueEnum};

/// The order of the list, the most first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// The sum of the processes that list it
    #[default]
    Sum,
    /// The most that it can have
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
    /// Addresses: of processes, http://host:9100/metrics, or of a Prometheus with the fleet's rules, http://prometheus:9090
    #[arg(value_name = "URL", required = true)]
    pub urls: Vec<String>,
    /// The window of the processes' detectors, in seconds. What a Prometheus says of it wins
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub window: u32,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub every: f64,
    /// Seconds after which an address that does not answer is given up for this look
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub timeout: f64,
    /// Show partitions whose table or key has this text
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub filter: String,
    /// Sort by this
    #[arg(long, value_enum, default_value_t)]
    pub sort: Sort,
    /// Look once, print a table, and end
    #[arg(long)]
    pub once: bool,
    /// Print JSON in place of the table
    #[arg(long, requires = "once")]
    pub json: bool,
    /// How many partitions are printed at most
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
}
