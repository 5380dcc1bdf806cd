//! Makes the comparison's part of the report from everything that has been added up.

use crate::feed::Measure;
use crate::input::account::grouped;
use crate::report::build::hot;
use crate::report::compare::model::{ComparisonReport, ContributorReport, NotListed};
use crate::report::compare::rule::Counts;
use crate::report::compare::{Comparison, Sum};
use crate::report::model::{Amount, Span};
use crate::report::name::Name;
use crate::report::tally::Tally;
use crate::report::text::readable;
use crate::time::Clock;
use hotpart::Operation;
use std::collections::{BTreeMap, BTreeSet};

/// The way in which values are made of the log's counts.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub measure: Measure,
    pub hot_share: f64,
    /// The most partitions that are listed.
    pub top: usize,
    /// Whether counts are exact.
    pub exact: bool,
}

impl Comparison {
    pub fn report(&self, terms: Terms, span: Option<Span>) -> ComparisonReport {
        let (not_listed, not_listed_more) = self.not_listed(terms);
        let second_ms = |second: u64| second.saturating_mul(1_000);
        let seconds = self.seconds.as_ref().filter(|_| self.is_utc);
        ComparisonReport {
            file: self.file.clone(),
            rule: self.rule.as_ref().map(|rule| rule.name.clone()),
            counts: match self.counts() {
                Counts::Accessed => "accessed",
                Counts::Throttled => "throttled",
            },
            tables: self.seen.iter().map(|table| readable(table, false)).collect(),
            has_time: self.has_time,
            from_ms: seconds.map(|seconds| second_ms(seconds.start)),
            until_ms: seconds.map(|seconds| second_ms(seconds.end)),
            total: self.insights.aggregate_value,
            unique: self.insights.approximate_unique_count,
            contributors: self.contributors(terms),
            not_listed,
            not_listed_more,
            remarks: self.remarks(terms, span),
        }
    }

    /// Returns a value as Insights adds it up.
    fn value(&self, terms: Terms, counts: [u64; 2], throttles: u64) -> f64 {
        let [writes, reads] = counts.map(|n| amount(terms, n).value());
        let weight =
            if self.insights.aggregation_statistic.eq_ignore_ascii_case("SampleCount") { 1.0 } else { 3.0 };
        match self.counts() {
            Counts::Accessed => weight * writes + reads,
            Counts::Throttled => throttles as f64,
        }
    }

    /// Returns the contributors that Insights lists, in its order; of items the sum of each
    /// partition key.
    fn contributors(&self, terms: Terms) -> Vec<ContributorReport> {
        let mut order: Vec<&str> = Vec::new();
        let mut values: BTreeMap<&str, f64> = BTreeMap::new();
        for contributor in &self.insights.contributors {
            let Some(pk) = contributor.keys.first() else { continue };
            if !values.contains_key(&**pk) {
                order.push(pk);
            }
            *values.entry(pk).or_default() += contributor.approximate_aggregate_value;
        }
        let most = hot(terms.measure, terms.hot_share);
        let report = |pk: &str| {
            let sum = self.contributors.get(pk.as_bytes()).cloned().unwrap_or_default();
            let Sum { counts, peaks, throttles, own_throttles } = sum;
            let (insights, log) = (values[pk], self.value(terms, counts, throttles));
            let [writes, reads] = counts.map(|n| amount(terms, n));
            ContributorReport {
                pk: pk.into(),
                insights,
                log,
                difference: insights - log,
                writes,
                reads,
                throttles: (self.counts() == Counts::Throttled).then_some(throttles),
                in_log: counts != [0; 2] || throttles + own_throttles > 0,
                hot: own_throttles > 0 || peaks[0] > most[0] || peaks[1] > most[1],
            }
        };
        order.into_iter().map(report).collect()
    }

    /// Returns partitions that were hot and are not listed: the first of them, and how many more
    /// there are.
    fn not_listed(&self, terms: Terms) -> (Vec<NotListed>, u64) {
        let most = hot(terms.measure, terms.hot_share);
        let is_throttles = self.counts() == Counts::Throttled;
        let mut names: BTreeSet<&Name> = BTreeSet::new();
        for operation in Operation::ALL {
            let most = most[operation as usize];
            let is_hot =
                |tally: &Tally| tally.throttles > 0 || !is_throttles && tally.fullest_second.count > most;
            let all = self.tallies.of(operation).iter();
            let hot = all.filter(|(name, tally)| is_hot(tally) && !self.contributors.contains_key(name.pk()));
            names.extend(hot.map(|(name, _)| name));
        }
        let mut all: Vec<_> = names.into_iter().map(|name| self.one_not_listed(terms, name)).collect();
        all.sort_by(|a, b| b.log.total_cmp(&a.log));
        let more = all.len().saturating_sub(terms.top) as u64;
        all.truncate(terms.top);
        (all, more)
    }

    fn one_not_listed(&self, terms: Terms, name: &Name) -> NotListed {
        let tally = |operation| self.tallies.of(operation).get(name.borrowed());
        let counts = Operation::ALL.map(|operation| tally(operation).map_or(0, |of| of.count - of.carried));
        let throttles = Operation::ALL.into_iter().filter_map(tally).map(|of| of.throttles).sum();
        let [writes, reads] = counts.map(|n| amount(terms, n));
        let is_text = std::str::from_utf8(name.pk()).is_ok();
        NotListed {
            table: readable(name.table(), false),
            pk: readable(name.pk(), false),
            pk_hex: (!is_text).then(|| name.pk().iter().map(|byte| format!("{byte:02x}")).collect()),
            log: self.value(terms, counts, throttles),
            writes,
            reads,
            throttles,
        }
    }

    /// Returns lines on why the two differ by their nature, and on what may have been compared
    /// wrongly.
    fn remarks(&self, terms: Terms, span: Option<Span>) -> Vec<String> {
        let mut lines = Vec::new();
        match (&self.rule, self.counts()) {
            (None, _) => lines.push(
                "No rule is named. So the report is taken for one of keys accessed, and these are looked for in all tables. Name the rule: \
                 --compare-with RULE=FILE."
                    .into(),
            ),
            (Some(_), _) if self.seen.is_empty() && self.has_time => {
                lines.push("The log has nothing of the rule's table in that time.".into());
            }
            (Some(_), _) if self.seen.len() > 1 => {
                lines.push("The rule's name fits several tables or indexes of the log: all of them are added up.".into());
            }
            _ => {}
        }
        lines.extend(self.time_remark(span));
        if self.rule.as_ref().is_some_and(|rule| rule.is_of_items) {
            lines
                .push("The rule counts items: a key's value is the sum of its items that are listed.".into());
        }
        lines.push(match self.counts() {
            Counts::Accessed => {
                let units = match terms.measure {
                    Measure::HalfUnits => "",
                    Measure::Operations => " Each operation of the log is taken for one unit: --units counts the units that the log has.",
                };
                format!("Values are units of reads and three times those of writes, as Insights adds them up.{units}")
            }
            Counts::Throttled => "Values are throttles, for whatever reason. Of keys that Insights does not list, only those are shown that were \
                 throttled for their key range. Insights leaves out writes that an index throttled."
                .into(),
        });
        if !terms.exact {
            lines.push("Memory is limited (--memory), so the log's values are lower limits.".into());
        }
        lines.push(
            "Insights' values are approximate, and it lists only the keys with the most. It sees all clients, but no PartiQL. The log \
             has only the clients that wrote it."
                .into(),
        );
        lines
    }

    fn time_remark(&self, span: Option<Span>) -> Option<String> {
        let Some(seconds) = &self.seconds else {
            return Some(
                "The report has no data points, so its time is not known: all of the log is compared.".into(),
            );
        };
        if !self.is_utc {
            return Some("The log's times are not since 1970: all of the log is compared.".into());
        }
        let span = span?;
        let (first, last) = (span.first_ms / 1_000, span.last_ms / 1_000);
        // A log that has an entry in the first minute and in the last probably has all between.
        let is_covered = first < seconds.start.saturating_add(60) && last.saturating_add(60) >= seconds.end;
        (!is_covered).then(|| {
            let [first, last] = [span.first_ms, span.last_ms].map(|ms| Clock::of_log(ms).second(ms));
            format!("The log does not cover that time: it is from {first} to {last}.")
        })
    }
}

fn amount(terms: Terms, n: u64) -> Amount {
    Amount { n, is_halves: terms.measure == Measure::HalfUnits }
}

/// Returns a value as people read it: with its thousands apart, and a decimal where there is one.
pub fn shown(value: f64) -> String {
    let tenths = (value.abs() * 10.0).round() as u64;
    let sign = if value < 0.0 && tenths > 0 { "−" } else { "" };
    match tenths % 10 {
        0 => format!("{sign}{}", grouped(tenths / 10)),
        tenth => format!("{sign}{}.{tenth}", grouped(tenths / 10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_to_the_tenth() {
        let values = [0.0, -0.04, 1_234_567.0, -1_500.26, f64::MAX].map(shown);
        assert_eq!(values[..4], ["0", "0", "1,234,567", "−1,500.3"]);
    }
}
