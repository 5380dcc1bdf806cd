//! Thresholds: when a partition is hot, as the command line says it.

use crate::feed::Measure;
use anyhow::bail;
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
    /// DynamoDB's own limits, in capacity units: a whole limit in one second, or 80 % of one over
    /// five seconds
    Dynamodb,
}

impl Preset {
    /// Returns writes, reads and the window; `None` for the preset that goes by DynamoDB's limits.
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
    /// Use the thresholds of this name; --writes, --reads and --window each replace one of its
    /// numbers
    #[arg(long, value_enum, default_value = "moderate")]
    pub preset: Preset,
    /// A partition is hot at this many writes in the window or more
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub writes: Option<u64>,
    /// A partition is hot at this many reads in the window or more
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub reads: Option<u64>,
    /// Count in a window of this many seconds
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub window: Option<u32>,
    /// Give a table its own thresholds: orders=2000,5000 for writes and reads, orders=2000 for
    /// writes alone. With --preset dynamodb they are in capacity units
    #[arg(long = "table", value_name = "TABLE=WRITES,READS", value_parser = named)]
    pub tables: Vec<Named>,
    /// Give a model (a name that the log has beside the table's) its own thresholds, which then
    /// apply in place of the table's
    #[arg(long = "model", value_name = "MODEL=WRITES,READS", value_parser = named)]
    pub models: Vec<Named>,
    /// With --preset dynamodb: warn at this share of DynamoDB's limits over five seconds, as in 0.5
    /// or 50% [default: 80%]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub share: Option<f64>,
    /// With --preset dynamodb: the log is from one of this many processes, which share the traffic
    /// evenly [default: 1]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub processes: Option<u32>,
    /// Wait this many seconds before warning about the same partition again [default: the window,
    /// 60 unless --window is given]
    #[arg(long, value_name = "SECONDS")]
    pub interval: Option<u32>,
}

/// A name and its thresholds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub thresholds: Thresholds,
}

/// The share of DynamoDB's limits at which a partition is hot, unless said otherwise.
const SHARE: f64 = 0.8;

impl When {
    /// Returns what is counted: capacity, where DynamoDB's limits are gone by.
    pub fn measure(&self) -> Measure {
        if self.preset.counts().is_some() { Measure::Operations } else { Measure::HalfUnits }
    }

    /// Returns the thresholds of writes and reads; `None` where DynamoDB's limits are gone by.
    pub fn counts(&self) -> Option<[u64; 2]> {
        let (writes, reads, _) = self.preset.counts()?;
        Some([self.writes.unwrap_or(writes), self.reads.unwrap_or(reads)])
    }

    /// Returns the share of DynamoDB's limits that is gone by, if they are.
    pub fn limits_share(&self) -> Option<f64> {
        self.preset.counts().is_none().then(|| self.share.unwrap_or(SHARE))
    }

    /// Returns the time between two warnings about one partition and operation.
    pub fn interval_ms(&self) -> u64 {
        let window = self.window.unwrap_or(self.preset.counts().map_or(60, |(_, _, window)| window));
        u64::from(self.interval.unwrap_or(window)) * 1_000
    }

    /// Returns these thresholds times `factor`, to the nearest whole number, those of tables and
    /// models too. `None` if DynamoDB's limits would be taken at a share that is none.
    pub fn times(&self, factor: f64) -> Option<Self> {
        let scaled = |n: u64| ((n as f64 * factor).round() as u64).clamp(1, i64::MAX as u64);
        let named = |named: &Named| {
            let Thresholds { writes, reads } = named.thresholds;
            let thresholds = Thresholds { writes: writes.map(scaled), reads: reads.map(scaled) };
            Named { name: named.name.clone(), thresholds }
        };
        let mut times = self.clone();
        times.tables = self.tables.iter().map(named).collect();
        times.models = self.models.iter().map(named).collect();
        match self.counts() {
            Some(counts) => [times.writes, times.reads] = counts.map(|n| Some(scaled(n))),
            None => {
                // The library has shares in thousandths.
                let share = (self.limits_share()? * factor * 1_000.0).round() / 1_000.0;
                times.share = Some(share);
                if !(0.001..=1.0).contains(&share) {
                    return None;
                }
            }
        }
        Some(times)
    }

    /// Returns a builder of a detector that judges so, with a manual clock.
    ///
    /// # Errors
    /// The options contradict each other.
    pub fn builder(&self) -> anyhow::Result<Builder> {
        let mut builder = match (self.counts(), self.preset.counts()) {
            (Some([writes, reads]), Some((_, _, window))) => {
                if self.share.is_some() || self.processes.is_some() {
                    bail!("--share and --processes are for --preset dynamodb alone");
                }
                Detector::builder(writes, reads, self.window.unwrap_or(window))
            }
            _ => self.dynamodb()?,
        };
        if let Some(interval) = self.interval {
            builder = builder.warning_interval_seconds(interval);
        }
        Ok(builder.manual_clock())
    }

    fn dynamodb(&self) -> anyhow::Result<Builder> {
        if self.writes.is_some() || self.reads.is_some() {
            bail!(
                "--preset dynamodb goes by DynamoDB's own limits, and not by counts of a window: leave out --writes and --reads, \
                 or take another preset. --share sets the share of the limits at which it warns"
            );
        }
        let builder = Detector::for_dynamodb(self.share.unwrap_or(SHARE), self.processes.unwrap_or(1))?;
        Ok(match self.window {
            Some(window) if window < 5 => {
                bail!("--preset dynamodb looks at five seconds: --window must be 5 or more")
            }
            Some(window) => builder.window_seconds(window),
            None => builder,
        })
    }

    /// Sets the thresholds of tables and models.
    ///
    /// # Errors
    /// A name is too long, or a threshold too high.
    pub fn set(&self, detector: &Detector) -> anyhow::Result<()> {
        // The library has halves of units.
        let amount = |n: u64| if self.measure() == Measure::HalfUnits { n.saturating_mul(2) } else { n };
        let amounts = |Thresholds { writes, reads }: Thresholds| Thresholds {
            writes: writes.map(amount),
            reads: reads.map(amount),
        };
        for Named { name, thresholds } in &self.tables {
            detector.set_table_thresholds(name, amounts(*thresholds))?;
        }
        for Named { name, thresholds } in &self.models {
            detector.set_model_thresholds(name, amounts(*thresholds))?;
        }
        Ok(())
    }
}

/// Reads a share of DynamoDB's limits: `0.8` or `80%`.
pub fn share(text: &str) -> Result<f64, String> {
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().map(|percent| percent / 100.0),
        None => text.parse(),
    };
    let share = share.ok().filter(|share| (0.001..=1.0).contains(share));
    share.ok_or_else(|| "a share is from 0.1% to 100%, or from 0.001 to 1, as in 80% or 0.8".into())
}

/// Reads `NAME=WRITES,READS`, of which either number may be left out.
fn named(text: &str) -> Result<Named, String> {
    let wrong = || {
        "give a name and its thresholds, as in orders=2000,5000 or orders=2000 or orders=,5000".to_string()
    };
    let (name, counts) = text.rsplit_once('=').filter(|(name, _)| !name.is_empty()).ok_or_else(wrong)?;
    let (writes, reads) = counts.split_once(',').unwrap_or((counts, ""));
    let count = |text: &str| match text.trim() {
        "" => Ok(None),
        text => text.parse::<u64>().ok().filter(|&n| n > 0).map(Some).ok_or_else(wrong),
    };
    let thresholds = Thresholds { writes: count(writes)?, reads: count(reads)? };
    if thresholds == Thresholds::default() {
        return Err(wrong());
    }
    Ok(Named { name: name.into(), thresholds })
}

/// Reads a number of bytes: `8MiB`, `64 KiB`, `1000000`.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a size is a number with KiB, MiB, GiB, KB, MB or GB, as in 64MiB".to_string();
    let digits = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic() || unit == ' ');
    let unit = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        _ => return Err(wrong()),
    };
    let n = digits.trim().parse::<u64>().ok().and_then(|n| n.checked_mul(unit));
    let n = n.ok_or_else(wrong)?;
    if (65_536..=1 << 40).contains(&n) {
        Ok(n)
    } else {
        Err("a size is from 64KiB to 1TiB, as in 64MiB".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        when: When,
    }

    fn when(line: &str) -> When {
        Line::parse_from(std::iter::once("test").chain(line.split_whitespace())).when
    }

    fn refused(line: &str) -> String {
        when(line).builder().map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn all_thresholds_are_scaled_together() {
        let times = when("--preset moderate --reads 1001 --table t=10, --model m=,3").times(0.5).unwrap();
        assert_eq!(times.counts(), Some([400, 501]));
        assert_eq!(times.tables[0].thresholds, Thresholds { writes: Some(5), reads: None });
        assert_eq!(times.models[0].thresholds, Thresholds { writes: None, reads: Some(2) });
        assert_eq!(when("--writes 1").times(0.1).unwrap().counts(), Some([1, 250]));
    }

    #[test]
    fn a_share_of_the_limits_is_scaled_as_far_as_it_is_one() {
        let when = when("--preset dynamodb --share 0.5");
        assert_eq!(when.times(0.25).unwrap().limits_share(), Some(0.125));
        assert_eq!(when.times(2.0).unwrap().limits_share(), Some(1.0));
        assert!(when.times(2.1).is_none() && when.times(0.0005).is_none());
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        assert!(refused("--preset dynamodb --writes 5").contains("leave out --writes"));
        assert!(refused("--preset dynamodb --reads 5").contains("leave out --writes"));
        assert!(refused("--preset dynamodb --window 4").contains("5 or more"));
        assert!(refused("--share 0.5").contains("--preset dynamodb"));
        assert!(refused("--preset moderate --processes 3").contains("--preset dynamodb"));
    }

    #[test]
    fn with_the_limits_of_dynamodb_a_table_has_thresholds_in_units() {
        let when = when("--preset dynamodb --table t=7,");
        let detector = when.builder().unwrap().build().unwrap();
        when.set(&detector).unwrap();
        assert_eq!(detector.table_thresholds("t").unwrap().writes, Some(14));
    }
}
