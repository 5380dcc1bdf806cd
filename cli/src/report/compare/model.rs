//! The comparison as data: the member `insights` of the report.

use crate::report::model::Amount;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct ComparisonReport {
    pub file: String,
    /// `None`: nothing names it.
    pub rule: Option<String>,
    /// `accessed` or `throttled`.
    pub counts: &'static str,
    /// The tables and indexes of the log that were compared.
    pub tables: Vec<String>,
    /// Whether the log has anything in the time of the report, of whatever table.
    #[serde(skip)]
    pub has_time: bool,
    /// The time that was compared; `None` if it is all that the log has.
    pub from_ms: Option<u64>,
    pub until_ms: Option<u64>,
    /// The value of all contributors together, as Insights tells it.
    pub total: f64,
    /// The number of contributors, about, as Insights tells it.
    pub unique: u64,
    pub contributors: Vec<ContributorReport>,
    /// Partitions that were hot in the log, and that Insights does not list.
    pub not_listed: Vec<NotListed>,
    /// How many more of them there are.
    pub not_listed_more: u64,
    pub remarks: Vec<String>,
}

/// A key that Insights lists.
#[derive(Debug, Serialize)]
pub struct ContributorReport {
    pub pk: String,
    /// The value that Insights tells; of a rule by items, the sum of those that it lists.
    pub insights: f64,
    /// The value made of the log in the same way; where memory is bounded, the least that it is.
    pub log: f64,
    /// The value of Insights less the log's.
    pub difference: f64,
    pub writes: Amount,
    pub reads: Amount,
    /// Of a rule that counts throttles, throttles for any reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttles: Option<u64>,
    pub in_log: bool,
    pub hot: bool,
}

/// A partition that Insights does not list.
#[derive(Debug, Serialize)]
pub struct NotListed {
    /// The table, or TABLE/index/INDEX.
    pub table: String,
    pub pk: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pk_hex: Option<String>,
    /// The value made of the log, as for a contributor.
    pub log: f64,
    pub writes: Amount,
    pub reads: Amount,
    /// Throttles for its key range.
    pub throttles: u64,
}
