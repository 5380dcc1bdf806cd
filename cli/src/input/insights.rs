//! Contributor Insights: reports of CloudWatch's, to compare with.
//!
//! `aws cloudwatch get-insight-rule-report` tells the contributors of a rule. The rules that
//! DynamoDB makes count accesses, or throttles, by partition key. Such a report has no single
//! accesses, so it is no input. A report of ours is held against it ([`crate::report::compare`]).

use crate::input::source::{Progress, Source};
use crate::input::timestamp;
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::ops::Range;
use std::path::Path;

/// Seconds in the shortest period of a report.
const MINUTE: u64 = 60;

/// The answer of GetInsightRuleReport.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
pub struct Report {
    /// The names of a contributor's keys.
    #[serde(default)]
    pub key_labels: Vec<String>,
    /// `Sum` or `SampleCount`.
    #[serde(default)]
    pub aggregation_statistic: String,
    /// The sum of all contributors, those that are not listed included.
    #[serde(default)]
    pub aggregate_value: f64,
    /// How many contributors there are, about.
    #[serde(default)]
    pub approximate_unique_count: u64,
    /// The contributors with the most, in that order.
    pub contributors: Vec<Contributor>,
    /// The rule's metrics in each period, where they were asked for.
    #[serde(default)]
    pub metric_datapoints: Vec<Moment>,
}

/// One of a report's contributors.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
pub struct Contributor {
    /// Its partition key and, by the rule, its sort key.
    pub keys: Vec<String>,
    pub approximate_aggregate_value: f64,
    #[serde(default)]
    pub datapoints: Vec<Datapoint>,
}

/// A contributor's value in one period.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
pub struct Datapoint {
    /// The beginning of the period.
    #[serde(rename = "Timestamp", deserialize_with = "time_ms")]
    pub time_ms: u64,
    pub approximate_value: f64,
}

/// A period of which there are metrics.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "PascalCase")]
pub struct Moment {
    /// The beginning of the period.
    #[serde(rename = "Timestamp", deserialize_with = "time_ms")]
    pub time_ms: u64,
}

impl Report {
    /// Returns the time of its data points, as seconds since 1970: whole minutes, from the first
    /// point to the end of the last. A report does not say how long a period is, so that is the
    /// shortest time between two points. `None` if it has none.
    pub fn seconds(&self) -> Option<Range<u64>> {
        let points = self.contributors.iter().flat_map(|of| &of.datapoints).map(|point| point.time_ms);
        let mut minutes: Vec<_> = points
            .chain(self.metric_datapoints.iter().map(|moment| moment.time_ms))
            .map(|ms| ms / 1_000 / MINUTE * MINUTE)
            .collect();
        minutes.sort_unstable();
        minutes.dedup();
        let period = minutes.windows(2).map(|two| two[1] - two[0]).min().unwrap_or(MINUTE);
        Some(*minutes.first()?..minutes.last()?.saturating_add(period))
    }
}

/// Reads the reports in a file, one after another; plain, or compressed by gzip or zstd.
///
/// # Errors
/// The file can't be read, or has something else in it, or nothing.
pub fn read(path: &Path) -> Result<Vec<Report>> {
    let name = || path.display().to_string();
    let source = Source::open(path, &Progress::default()).with_context(name)?;
    let reports = serde_json::Deserializer::from_reader(source).into_iter().collect::<Result<Vec<_>, _>>();
    let reports: Vec<Report> = reports
        .context("this is no report of Contributor Insights, as GetInsightRuleReport answers it")
        .with_context(name)?;
    if reports.is_empty() {
        bail!("{}: there is no report in it", name());
    }
    Ok(reports)
}

/// Reads a time: a date, or seconds since 1970.
fn time_ms<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Time {
        Seconds(f64),
        Date(String),
    }
    let time = match Time::deserialize(from)? {
        // As far as a detector's clock goes: a number of milliseconds is far beyond.
        Time::Seconds(seconds) if (0.0..=f64::from(u32::MAX)).contains(&seconds) => {
            Some(timestamp::of_seconds(seconds))
        }
        Time::Seconds(_) => None,
        Time::Date(date) => timestamp::parse(date.as_bytes()),
    };
    time.ok_or_else(|| serde::de::Error::custom("Timestamp is neither a date nor a number of seconds"))
}
