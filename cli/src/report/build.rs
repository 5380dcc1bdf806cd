//! Makes the report from everything that has been added up.

use crate::feed::{Feed, Measure};
use crate::input::account::Account;
use crate::report::advice::Case;
use crate::report::compare::Comparison;
use crate::report::compare::build::Terms;
use crate::report::model::{
    Amount, FullestReport, Memory, OperationReport, PartitionReport, Report, SCHEMA, Span,
};
use crate::report::name::Name;
use crate::report::tallies::Tallies;
use crate::report::tally::{Fullest, Tally};
use crate::report::text::readable;
use hotpart::{Operation, Reason, Statistics};
use std::collections::{BTreeMap, BTreeSet};

/// DynamoDB's limits for one partition in a second: write units, read units.
pub const LIMITS: [u64; 2] = [1_000, 3_000];

/// Everything of which a report is made.
pub struct Sources<'a> {
    pub measure: Measure,
    pub top: usize,
    pub hot_share: f64,
    pub memory: Option<u64>,
    /// The most bytes that counts held.
    pub most_bytes: u64,
    pub span: Option<Span>,
    pub account: &'a Account,
    pub feed: &'a Feed,
    pub tallies: &'a Tallies,
    pub statistics: Statistics,
    pub comparisons: &'a [Comparison],
    pub remarks: Vec<String>,
}

/// Returns, by operation, the greatest amount of a second that is not hot.
pub fn hot(measure: Measure, share: f64) -> [u64; 2] {
    LIMITS.map(|limit| (limit as f64 * share * one(measure) as f64).floor() as u64)
}

/// Returns the amount of one operation, or of one unit.
fn one(measure: Measure) -> u64 {
    match measure {
        Measure::Operations => 1,
        Measure::HalfUnits => 2,
    }
}

impl<'a> Sources<'a> {
    pub fn report(self) -> Report<'a> {
        let names = Operation::ALL.into_iter().flat_map(|operation| self.tallies.of(operation).names());
        let tables: BTreeSet<&[u8]> = names.map(Name::table).collect();
        let terms = Terms {
            measure: self.measure,
            hot_share: self.hot_share,
            top: self.top,
            exact: self.memory.is_none(),
        };
        Report {
            schema: SCHEMA,
            exact: self.memory.is_none(),
            measure: match self.measure {
                Measure::Operations => "operations",
                Measure::HalfUnits => "units",
            },
            hot_share: self.hot_share,
            span: self.span,
            records: self.account,
            tables: tables.into_iter().map(|table| readable(table, false)).collect(),
            operations: Operation::ALL.map(|operation| self.operation(operation)).into(),
            throttles: self.throttles(),
            memory: Memory { bytes: self.most_bytes, bound: self.memory },
            insights: self.comparisons.iter().map(|of| of.report(terms, self.span)).collect(),
            remarks: self.remarks,
        }
    }

    fn throttles(&self) -> BTreeMap<&'static str, u64> {
        let name = |reason| match reason {
            Reason::KeyRange => "key_range",
            Reason::Provisioned => "provisioned",
            Reason::AccountLimit => "account_limit",
            Reason::MaxOnDemand => "max_on_demand",
            _ => "unknown",
        };
        let all = Reason::ALL.into_iter().zip(self.statistics.throttles);
        all.filter(|&(_, n)| n > 0).map(|(reason, n)| (name(reason), n)).collect()
    }

    fn operation(&self, operation: Operation) -> OperationReport {
        let i = operation as usize;
        let all = self.tallies.of(operation);
        let own = |tally: &Tally| tally.count - tally.carried;
        let total = match self.memory {
            None => Some(all.tallies().map(own).sum()),
            Some(_) => (self.feed.exchanges == 0).then_some(self.feed.recorded[i]),
        };
        let first = self.tallies.first(operation, self.top);
        let listed: u64 = first.iter().map(|(_, tally)| own(tally)).sum();
        let most = hot(self.measure, self.hot_share)[i];
        let is_hot = |tally: &&Tally| tally.throttles > 0 || tally.fullest_second.count > most;
        OperationReport {
            operation: ["write", "read"][i],
            limit: LIMITS[i],
            partitions: all.number() as u64,
            hot: all.tallies().filter(is_hot).count() as u64,
            total: total.map(|n| self.amount(n)),
            others: total.map(|n: u64| self.amount(n.saturating_sub(listed))),
            hottest: first.into_iter().map(|(name, tally)| self.partition(operation, name, tally)).collect(),
        }
    }

    fn partition(&self, operation: Operation, name: &Name, tally: &Tally) -> PartitionReport {
        let table = readable(name.table(), false);
        let (table, index) = match table.split_once("/index/") {
            Some((table, index)) => (table.to_owned(), Some(index.to_owned())),
            None => (table, None),
        };
        let limit = LIMITS[operation as usize];
        let fullest_second = self.fullest(tally.fullest_second);
        let case = Case {
            operation,
            is_index: index.is_some(),
            is_units: self.measure == Measure::HalfUnits,
            limit,
            hot_share: self.hot_share,
            fullest_second,
            fullest_minute: self.amount(tally.fullest_column.count),
            hot_seconds: tally.hot_seconds,
            longest_run: tally.longest_run,
            throttles: tally.throttles,
            exact: self.memory.is_none(),
        };
        let advice = case.advice();
        let is_text = std::str::from_utf8(name.pk()).is_ok();
        let hex = || name.pk().iter().map(|byte| format!("{byte:02x}")).collect();
        PartitionReport {
            table,
            index,
            pk: readable(name.pk(), false),
            pk_hex: (!is_text).then(hex),
            count: self.amount(tally.count - tally.carried),
            throttles: tally.throttles,
            fullest_second,
            fullest_minute: self.fullest(tally.fullest_column),
            share: fullest_second.count.value() / limit as f64,
            busy_minutes: tally.columns,
            hot_seconds: tally.hot_seconds,
            longest_run: tally.longest_run,
            hot: advice.is_some(),
            advice,
        }
    }

    fn fullest(&self, fullest: Fullest) -> FullestReport {
        let (Fullest { count, least, .. }, at) = (fullest, fullest.at());
        FullestReport {
            time_ms: at.map(|second| second * 1_000),
            count: self.amount(count),
            at_least: self.amount(least),
        }
    }

    fn amount(&self, n: u64) -> Amount {
        Amount { n, is_halves: self.measure == Measure::HalfUnits }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::columns::{Columns, Shape};
    use crate::entry::{Access, Entry, Event};
    use crate::report::advice::Pattern;
    use crate::report::human;
    use crate::report::tallies::Rules;

    fn access(time_ms: u64, operation: Operation, pk: &str) -> Access<'_> {
        Access::new(time_ms, operation, b"orders", pk.as_bytes())
    }

    /// Hands the report of entries, which are in order, to `see`.
    fn report(measure: Measure, entries: &[Access<'_>], see: impl FnOnce(&Report<'_>)) {
        let rules = Rules { top: 10, hot: hot(measure, 0.5), memory: None };
        let mut tallies = Tallies::new(rules);
        let shape = Shape { seconds: 60, measure, memory: None };
        let mut columns = Columns::new(shape, |_| Ok(())).expect("columns").unlisted();
        for second in entries.chunk_by(|a, b| a.time_ms / 1_000 == b.time_ms / 1_000) {
            let mut batch = Batch::default();
            second.iter().for_each(|access| batch.push(&Entry::Access(*access)));
            columns.second(&batch, |detector, column| tallies.add(detector, column)).expect("counted");
        }
        columns.finish(|detector, column| tallies.add(detector, column)).expect("counted");
        let account = Account { records: entries.len() as u64, ..Account::default() };
        let [first_ms, last_ms] = [entries.first(), entries.last()].map(|of| of.expect("some").time_ms);
        see(&Sources {
            measure,
            top: 10,
            hot_share: 0.5,
            memory: None,
            most_bytes: tallies.most_bytes,
            span: Some(Span { first_ms, last_ms, utc: false }),
            account: &account,
            feed: columns.feed(),
            tallies: &tallies,
            statistics: columns.statistics(),
            comparisons: &[],
            remarks: vec![],
        }
        .report());
    }

    #[test]
    fn what_dynamodb_throttled_comes_first_and_is_told_apart() {
        let throttled =
            |ms, pk, reason| Access { event: Event::Throttled(reason), ..access(ms, Operation::Write, pk) };
        let mut entries = vec![
            access(1_000, Operation::Write, "beside"),
            throttled(1_000, "beside", Reason::KeyRange),
            throttled(1_001, "silenced", Reason::KeyRange),
            throttled(1_002, "beside", Reason::Provisioned),
        ];
        entries.extend((0..800).map(|ms| access(61_000 + ms, Operation::Write, "hot")));
        entries.push(throttled(61_900, "hot", Reason::KeyRange));
        entries.push(throttled(61_901, "hot", Reason::KeyRange));
        entries.extend((0..300).map(|ms| access(62_000 + ms, Operation::Write, "warm")));
        report(Measure::Operations, &entries, |report| {
            let writes = &report.operations[0];
            let told: Vec<_> = writes
                .hottest
                .iter()
                .map(|of| {
                    let advice = of.advice.as_ref();
                    (&*of.pk, of.count.n, of.throttles, advice.map(|of| (of.pattern, of.shards)))
                })
                .collect();
            let under = Some((Pattern::ThrottledUnderLimit, None));
            assert_eq!(
                told,
                [
                    ("hot", 800, 2, Some((Pattern::OneSecond, Some(2)))),
                    ("beside", 1, 1, under),
                    ("silenced", 0, 1, under),
                    ("warm", 300, 0, None),
                ]
            );
            assert_eq!((writes.hot, writes.total.map(|of| of.n)), (3, Some(1_101)));
            assert_eq!(report.throttles, BTreeMap::from([("key_range", 4), ("provisioned", 1)]));
            let text = human::write(report).split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [
                "share of limit throttles",
                "80 % 2 orders beside 1 1 0:00:00 0.1 % 1 orders silenced",
                "DynamoDB throttled it 2 times, so more was asked for than the log counts.",
                "Split the key into at least 2: it had 800 writes in one second, and each part should stay within 500 (50 % of the limit).",
                "writes of orders / silenced Throttled once; the log has no successful operation on it. Splitting this key may not help.",
                "Throttles not counted for any partition: 1 for the provisioned capacity of a table or index.",
            ] {
                assert!(text.contains(part), "{part:?} is not in {text}");
            }
        });
    }

    #[test]
    fn units_are_exact_to_the_half() {
        let half = Access { half_units: Some(1), ..access(5, Operation::Read, "a") };
        let nothing = Access { half_units: Some(0), ..access(5, Operation::Write, "expired") };
        let two = Access { operations: 2, ..access(6, Operation::Read, "a") };
        report(Measure::HalfUnits, &[half, nothing, two], |report| {
            let json = serde_json::to_value(report).expect("JSON");
            assert_eq!(json["operations"][1]["hottest"][0]["count"], 2.5);
            assert_eq!(json["operations"][1]["total"], 2.5);
            assert_eq!(json["operations"][0]["partitions"], 0);
            assert_eq!(json["measure"], "units");
            assert!(human::write(report).contains(" 2.5 "), "{}", human::write(report));
        });
    }
}
