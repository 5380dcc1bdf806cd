//! Thresholds: when a partition is hot, as the command line says it.

use clap::{Args, ValueEnum};
use hotpart::{Builder, Detector, Thresholds};

/// Thresholds that go by a name; those of README.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Preset {
    /// 500 writes or 1,500 reads in 60 seconds
    Conservative,
    /// 800 writes or 2,500 reads in 60 seconds
    Moderate,
    /// 2,000 writes or 5,000 reads in 60 seconds
    HighTraffic,
    /// DynamoDB's own limits, in capacity units: all of one in a second, or 80 % of it over five
    Dynamodb,
}

impl Preset {
    /// Writes, reads and the window; `None` of the one that goes by DynamoDB's limits.
    pub fn counts(self) -> Option<(u64, u64, u32)> {
        match self {
            Self::Conservative => Some((500, 1_500, 60)),
            Self::Moderate => Some((800, 2_500, 60)),
            Self::HighTraffic => Some((2_000, 5_000, 60)),
            Self::Dynamodb => None,
        }
    }
}

/// When a partition is hot.
#[derive(Args, Clone, Debug)]
pub struct When {
    /// Thresholds that go by a name; --writes, --reads and --window replace one of its numbers each
    #[arg(long, value_enum, default_value = "moderate")]
    pub preset: Preset,
    /// Writes in the window from which a partition is hot
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub writes: Option<u64>,
    /// Reads in the window from which a partition is hot
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub reads: Option<u64>,
    /// The window, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub window: Option<u32>,
    /// The thresholds of one table: orders=2000,5000 for writes and reads, orders=2000, for writes alone
    #[arg(long = "table", value_name = "TABLE=WRITES,READS", value_parser = named)]
    pub tables: Vec<Named>,
    /// The thresholds of one model, which win over those of a table
    #[arg(long = "model", value_name = "MODEL=WRITES,READS", value_parser = named)]
    pub models: Vec<Named>,
    /// The share of DynamoDB's limits that --preset dynamodb warns at, over five seconds
    #[arg(long, value_name = "SHARE", default_value_t = 0.8)]
    pub share: f64,
    /// How many processes share the traffic evenly, of which the log is one's: only --preset dynamodb looks at it
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    pub processes: u32,
    /// Seconds between two warnings of one partition; the window unless said otherwise
    #[arg(long, value_name = "SECONDS")]
    pub interval: Option<u32>,
}

/// A name and its thresholds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub thresholds: Thresholds,
}

impl When {
    /// Returns a builder of a detector that judges so, with a manual clock.
    pub fn builder(&self) -> anyhow::Result<Builder> {
        let mut builder = match self.preset.counts() {
            Some((writes, reads, window)) => Detector::builder(
                self.writes.unwrap_or(writes),
                self.reads.unwrap_or(reads),
                self.window.unwrap_or(window),
            ),
            None => {
                let builder = Detector::for_dynamodb(self.share, self.processes)?;
                match self.window {
                    Some(window) => builder.window_seconds(window),
                    None => builder,
                }
            }
        };
        if let Some(interval) = self.interval {
            builder = builder.warning_interval_seconds(interval);
        }
        Ok(builder.manual_clock())
    }

    /// Sets the thresholds of tables and models.
    pub fn set(&self, detector: &Detector) -> anyhow::Result<()> {
        for Named { name, thresholds } in &self.tables {
            detector.set_table_thresholds(name, *thresholds)?;
        }
        for Named { name, thresholds } in &self.models {
            detector.set_model_thresholds(name, *thresholds)?;
        }
        Ok(())
    }
}

/// Reads `NAME=WRITES,READS`, of which either number may be left out.
fn named(text: &str) -> Result<Named, String> {
    let wrong = || format!("{text:?} is not of the form NAME=WRITES,READS");
    let (name, counts) = text.rsplit_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
    let (writes, reads) = counts.split_once(',').unwrap_or((counts, ""));
    let count = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<u64>().ok().filter(|&n| n > 0).map(Some).ok_or_else(wrong),
    };
    Ok(Named { name: name.into(), thresholds: Thresholds { writes: count(writes)?, reads: count(reads)? } })
}

/// Reads a number of bytes: `8MiB`, `64 KiB`, `1000000`.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic() || unit == ' ');
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(format!("{text:?} is not a size such as 64MiB")),
    };
    let n = digits.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    let n = n.ok_or_else(|| format!("{text:?} is not a size such as 64MiB"))?;
    if (65_536..=1 << 40).contains(&n) { Ok(n) } else { Err(format!("{text:?} is not of 64KiB to 1TiB")) }
}
