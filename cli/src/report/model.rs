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
    /// Whether all numbers are exact, except estimates of capacity.
    pub exact: bool,
    pub measure: &'static str,
    /// The share of its limit above which a partition is hot.
    pub hot_share: f64,
    /// The time of the log; `None` if there was nothing.
    pub span: Option<Span>,
    pub records: &'a Account,
    pub tables: Vec<String>,
    pub operations: Vec<OperationReport>,
    /// All throttles by the reason that DynamoDB gave, those of partitions included.
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
    /// The partitions that had some; where memory is bounded, those that were counted by
    /// themselves.
    pub partitions: u64,
    pub hot: u64,
    /// The sum of all partitions; `None` where memory is bounded and the log has exchanges.
    pub total: Option<Amount>,
    /// The part of it that is not surely the listed ones'.
    pub others: Option<Amount>,
    pub hottest: Vec<PartitionReport>,
}

#[derive(Debug, Serialize)]
pub struct PartitionReport {
    pub table: String,
    /// The index, if the partition is an index's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// The key. Bytes that are not UTF-8 appear as \xNN.
    pub pk: String,
    /// The key's bytes, if they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pk_hex: Option<String>,
    /// The count that is surely its own: all of it, where counts are exact.
    pub count: Amount,
    pub throttles: u64,
    pub fullest_second: FullestReport,
    pub fullest_minute: FullestReport,
    /// The share of the limit that the fullest second had.
    pub share: f64,
    /// Minutes in which it had anything.
    pub busy_minutes: u64,
    pub hot_seconds: u64,
    /// The most hot seconds in a row.
    pub longest_run: u64,
    pub hot: bool,
    pub advice: Option<Advice>,
}

/// The fullest of some spans.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FullestReport {
    /// The beginning of the span; `None` if nothing is known of it.
    pub time_ms: Option<u64>,
    /// The most that it had.
    pub count: Amount,
    /// The least that it had: the same, where counts are exact.
    pub at_least: Amount,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// The most bytes that counts took, the library's and the report's.
    pub bytes: u64,
    /// The memory that `--memory` gives.
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
