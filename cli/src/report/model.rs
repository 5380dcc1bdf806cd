//! The report as data. What `--json` prints is this, by the schema in `cli/schema/report.json`.

use crate::input::account::Account;
use crate::report::advice::Advice;
use crate::report::compare::model::ComparisonReport;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// The version of the schema. It grows by members; their meaning stays.
pub const SCHEMA: u32 = 1;

#[derive(Debug, Serialize)]
pub struct Report<'a> {
    pub schema: u32,
    /// Whether no number but an estimate of capacity is a bound.
    pub exact: bool,
    pub measure: &'static str,
    /// A partition is hot from more than this share of its limit.
    pub hot_share: f64,
    /// `None`: there was nothing.
    pub span: Option<Span>,
    pub records: &'a Account,
    pub tables: Vec<String>,
    pub operations: Vec<OperationReport>,
    /// By the reason that DynamoDB gave: all throttles, those of partitions included.
    pub throttles: BTreeMap<&'static str, u64>,
    pub memory: Memory,
    /// Comparisons with reports of Contributor Insights, where those are given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub insights: Vec<ComparisonReport>,
    pub remarks: Vec<String>,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Span {
    pub first_ms: u64,
    pub last_ms: u64,
    /// Whether the log's times are since 1970.
    pub utc: bool,
}

#[derive(Debug, Serialize)]
pub struct OperationReport {
    pub operation: &'static str,
    /// The most that DynamoDB lets one partition have in a second.
    pub limit: u64,
    /// All partitions that had some; where memory is bounded, those that were counted by themselves.
    pub partitions: u64,
    pub hot: u64,
    /// By all partitions together; `None` where memory is bounded and the log has exchanges.
    pub total: Option<Amount>,
    /// The part of it that the listed ones don't have for sure.
    pub others: Option<Amount>,
    pub hottest: Vec<PartitionReport>,
}

#[derive(Debug, Serialize)]
pub struct PartitionReport {
    pub table: String,
    /// Where the partition is an index's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// Bytes that are not UTF-8 appear as \xNN.
    pub pk: String,
    /// Where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pk_hex: Option<String>,
    /// For sure its own: all, where counts are exact.
    pub count: Amount,
    pub throttles: u64,
    pub fullest_second: FullestReport,
    pub fullest_minute: FullestReport,
    /// Of the limit, in the fullest second.
    pub share: f64,
    /// Minutes in which it had anything.
    pub busy_minutes: u64,
    pub hot_seconds: u64,
    /// The most of them on end.
    pub longest_run: u64,
    pub hot: bool,
    pub advice: Option<Advice>,
}

/// The fullest of some spans.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FullestReport {
    /// Where it begins; `None` where nothing is known of the span.
    pub time_ms: Option<u64>,
    /// At most.
    pub count: Amount,
    /// At least: the same, where counts are exact.
    pub at_least: Amount,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// The most that counts held, the library's and the report's.
    pub bytes: u64,
    /// The memory of `--memory`.
    pub bound: Option<u64>,
}

/// A number of operations or, to the half, of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Amount {
    pub n: u64,
    pub is_halves: bool,
}

impl Amount {
    pub fn value(self) -> f64 {
        self.n as f64 / if self.is_halves { 2.0 } else { 1.0 }
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self { n, is_halves: false } => serializer.serialize_u64(n),
            Self { n, .. } if n.is_multiple_of(2) => serializer.serialize_u64(n / 2),
            _ => serializer.serialize_f64(self.value()),
        }
    }
}

/// With its thousands apart.
impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use crate::input::account::grouped;
        match *self {
            Self { n, is_halves: false } => f.pad(&grouped(n)),
            Self { n, .. } => f.pad(&format!("{}{}", grouped(n / 2), if n % 2 == 1 { ".5" } else { "" })),
        }
    }
}
