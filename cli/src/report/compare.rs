//! Comparison: the numbers of Contributor Insights, held against those of the log in the same time.
//!
//! DynamoDB's rules see all requests at the server except PartiQL's, and list the keys that had the
//! most. They add up reads and three times the writes, as a partition bears 3,000 reads or 1,000
//! writes a second. So the same sum is made of the log here, of whole minutes of the clock.

pub mod build;
pub mod model;
pub mod rule;
pub mod text;

use crate::columns::Column;
use crate::input::insights;
use crate::report::compare::rule::{Counts, Rule, Source};
use crate::report::tallies::{Rules, Tallies};
use crate::time::Clock;
use anyhow::Result;
use hotpart::{Detector, Operation, Reason};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

/// A report of Contributor Insights, and what the log has beside it.
pub struct Comparison {
    file: String,
    rule: Option<Rule>,
    insights: insights::Report,
    /// The time that is compared, in seconds; `None`: the report has no times.
    seconds: Option<Range<u64>>,
    /// Whether the log's times are since 1970, as the report's are.
    is_utc: bool,
    /// The names that the rule's table can have; `None` if no rule is named, and all tables are
    /// looked at.
    tables: Option<Vec<Vec<u8>>>,
    /// Tables of the log that were looked at.
    seen: BTreeSet<Vec<u8>>,
    /// The contributors by partition key.
    contributors: HashMap<Vec<u8>, Sum>,
    /// Whether the log has anything in that time, of whatever table.
    has_time: bool,
    /// All partitions of these tables in this time.
    tallies: Tallies,
    /// The most bytes that the tallies had.
    pub most_bytes: u64,
}

/// The log's part of a contributor.
#[derive(Clone, Debug, Default)]
struct Sum {
    /// By operation, the counts that are surely its own.
    counts: [u64; 2],
    /// By operation, the most that its fullest second had.
    peaks: [u64; 2],
    /// Throttles for any reason.
    throttles: u64,
    /// Throttles for its key range.
    own_throttles: u64,
}

impl Comparison {
    pub fn new(source: &Source, insights: insights::Report, rules: Rules) -> Self {
        let keys = insights.contributors.iter().filter_map(|of| of.keys.first());
        Self {
            file: source.path.display().to_string(),
            rule: source.rule.clone(),
            seconds: insights.seconds(),
            is_utc: true,
            tables: source.rule.as_ref().map(Rule::tables),
            seen: BTreeSet::new(),
            has_time: false,
            contributors: keys.map(|key| (key.clone().into_bytes(), Sum::default())).collect(),
            tallies: Tallies::new(rules),
            most_bytes: 0,
            insights,
        }
    }

    fn counts(&self) -> Counts {
        self.rule.as_ref().map_or(Counts::Accessed, |rule| rule.counts)
    }

    /// Adds a minute that is over, if it is within the time that is compared.
    pub fn add(&mut self, detector: &Detector, column: &Column) -> Result<()> {
        self.is_utc &= Clock::of_log(column.first * 1_000).is_utc();
        let is_within = self.seconds.as_ref().is_none_or(|seconds| seconds.contains(&column.first));
        if self.is_utc && !is_within {
            return Ok(());
        }
        self.has_time = true;
        let tables = self.tables.as_deref();
        let is_of = |table: &[u8]| tables.is_none_or(|tables| tables.iter().any(|of| of == table));
        for (i, operation) in Operation::ALL.into_iter().enumerate() {
            column.each(operation, |had| {
                if !is_of(had.table) {
                    return Ok(());
                }
                if !self.seen.contains(had.table) {
                    self.seen.insert(had.table.into());
                }
                if let Some(sum) = self.contributors.get_mut(had.pk) {
                    sum.counts[i] += had.count - had.carried;
                    sum.peaks[i] = sum.peaks[i].max(had.peak);
                    sum.own_throttles += had.throttles;
                }
                Ok(())
            })?;
        }
        self.tallies.add_of(detector, column, is_of)?;
        self.most_bytes = self.most_bytes.max(self.tallies.bytes());
        if self.counts() == Counts::Throttled {
            self.add_throttles(detector);
        }
        Ok(())
    }

    /// Adds the contributors' throttles of the column that has just closed, which is the detector's
    /// window.
    fn add_throttles(&mut self, detector: &Detector) {
        for (pk, sum) in &mut self.contributors {
            for table in self.tables.iter().flatten() {
                for operation in Operation::ALL {
                    for reason in Reason::ALL {
                        // A report may have keys that DynamoDB can't have: those were never
                        // throttled.
                        sum.throttles +=
                            detector.throttle_count(table, pk, operation, reason).unwrap_or_default();
                    }
                }
            }
        }
    }
}
