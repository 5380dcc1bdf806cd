//! Makes the report of what has been added up.

use crate::feed::{Feed, Measure};
use crate::input::account::Account;
use crate::report::advice::Case;
use crate::report::model::{
    Amount, FullestReport, Memory, OperationReport, PartitionReport, Report, SCHEMA, Span,
};
use crate::report::tallies::{Name, Tallies};
use crate::report::tally::{Fullest, Tally};
use crate::report::text::readable;
use hotpart::{Operation, Reason, Statistics};
use std::collections::{BTreeMap, BTreeSet};

/// What DynamoDB lets one partition have in a second: write units, read units.
pub const LIMITS: [u64; 2] = [1_000, 3_000];

/// All that a report is made of.
pub struct Sources<'a> {
    pub measure: Measure,
    pub top: usize,
    pub hot_share: f64,
    pub memory: Option<u64>,
    pub span: Option<Span>,
    pub account: &'a Account,
    pub feed: &'a Feed,
    pub tallies: &'a Tallies,
    pub statistics: Statistics,
    pub remarks: Vec<String>,
}

/// Returns, by operation, the most of a second that is not hot.
pub fn hot(measure: Measure, share: f64) -> [u64; 2] {
    LIMITS.map(|limit| (limit as f64 * share * one(measure) as f64).floor() as u64)
}

/// Returns an operation's or unit's amount.
fn one(measure: Measure) -> u64 {
    match measure {
        Measure::Operations => 1,
        Measure::HalfUnits => 2,
    }
}

impl<'a> Sources<'a> {
    pub fn report(self) -> Report<'a> {
        let names = Operation::ALL.into_iter().flat_map(|operation| self.tallies.of(operation).keys());
        let tables: BTreeSet<&[u8]> = names.map(Name::table).collect();
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
            memory: Memory { bytes: self.tallies.most_bytes, bound: self.memory },
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
            None => Some(all.values().map(own).sum()),
            Some(_) => (self.feed.exchanges == 0).then_some(self.feed.recorded[i]),
        };
        let first = self.tallies.first(operation, self.top);
        let listed: u64 = first.iter().map(|(_, tally)| own(tally)).sum();
        let most = hot(self.measure, self.hot_share)[i];
        let is_hot = |tally: &&Tally| tally.throttles > 0 || tally.fullest_second.count > most;
        OperationReport {
            operation: ["write", "read"][i],
            limit: LIMITS[i],
            partitions: all.len() as u64,
            hot: all.values().filter(is_hot).count() as u64,
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
        let Fullest { count, carried, at } = fullest;
        FullestReport {
            time_ms: at.map(|second| second * 1_000),
            count: self.amount(count),
            at_least: self.amount(count.saturating_sub(carried)),
        }
    }

    fn amount(&self, n: u64) -> Amount {
        Amount { n, is_halves: self.measure == Measure::HalfUnits }
    }
}
