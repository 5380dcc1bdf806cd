//! Advice: what to do about a hot partition, with numbers.

use crate::input::account::grouped;
use crate::report::model::{Amount, FullestReport};
use crate::report::text::{many, percent};
use crate::time::duration;
use hotpart::Operation;
use serde::Serialize;

/// The longest stretch of heat, in seconds, that is short beside a total of over a minute.
const SHORT: u64 = 60;

/// The facts by which advice goes.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub operation: Operation,
    pub is_index: bool,
    pub is_units: bool,
    pub limit: u64,
    /// The share of the limit within which a shard is to stay.
    pub hot_share: f64,
    pub fullest_second: FullestReport,
    pub fullest_minute: Amount,
    pub hot_seconds: u64,
    pub longest_run: u64,
    pub throttles: u64,
    /// Whether the seconds are all that were hot, and not only some of them.
    pub exact: bool,
}

/// The time for which the heat lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// In one second.
    OneSecond,
    /// For up to a minute in all.
    Burst,
    /// For longer than a minute in all.
    Sustained,
    /// DynamoDB throttled it although it was not hot by itself.
    ThrottledUnderLimit,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    pub pattern: Pattern,
    /// The number of keys into which its key must go, so that each stays within the share of the
    /// limit. `None` if more keys would not help.
    pub shards: Option<u64>,
    /// The share of the reads that something else must answer, so that the rest stay within the
    /// share of the limit.
    pub cache_share: Option<f64>,
    /// The same for people, a sentence or two each.
    pub text: Vec<String>,
}

impl Case {
    /// Returns what to do, if the partition is hot.
    pub fn advice(&self) -> Option<Advice> {
        let pattern = self.pattern()?;
        if pattern == Pattern::ThrottledUnderLimit {
            let text = vec![self.when(pattern), self.under_limit()];
            return Some(Advice { pattern, shards: None, cache_share: None, text });
        }
        let within = self.limit as f64 * self.hot_share;
        let peak = self.fullest_second.count.value();
        let shards = (peak / within).ceil() as u64;
        let cache_share = (self.operation == Operation::Read).then(|| 1.0 - within / peak);
        let text = vec![self.when(pattern), self.what(pattern, shards, cache_share)];
        Some(Advice { pattern, shards: Some(shards), cache_share, text })
    }

    fn pattern(&self) -> Option<Pattern> {
        let is_over = self.fullest_second.count.value() > self.limit as f64 * self.hot_share;
        match self.hot_seconds {
            _ if !is_over && self.throttles == 0 => None,
            _ if !is_over => Some(Pattern::ThrottledUnderLimit),
            0 | 1 => Some(Pattern::OneSecond),
            2..=60 => Some(Pattern::Burst),
            _ => Some(Pattern::Sustained),
        }
    }

    fn when(&self, pattern: Pattern) -> String {
        let times = match self.throttles {
            1 => "once".into(),
            n => format!("{} times", grouped(n)),
        };
        let least = if self.exact { "" } else { "at least " };
        let [all, run] = [self.hot_seconds, self.longest_run].map(|n| format!("{least}{}", duration(n)));
        let most = if self.exact { "at most " } else { "at least " };
        let minute = format!("{}{}", self.at_most(), self.fullest_minute);
        let (seconds, in_a_row) = (self.hot_seconds, self.longest_run);
        let hot = match pattern {
            Pattern::ThrottledUnderLimit if self.fullest_second.count.n == 0 => {
                return format!("Throttled {times}; the log has no successful operation on it.");
            }
            Pattern::ThrottledUnderLimit => {
                let share = percent(self.fullest_second.count.value() / self.limit as f64);
                return format!("Throttled {times}, though it never had more than {share} of its limit.");
            }
            Pattern::OneSecond if self.hot_seconds == 0 => {
                format!("It may have been hot; it had {minute} in its fullest minute")
            }
            Pattern::OneSecond => format!("Hot in {least}one second; it had {minute} in its fullest minute"),
            Pattern::Burst if all == run => format!("A burst: hot for {all} without a break"),
            Pattern::Burst => {
                format!("Bursts: hot during {least}{seconds} seconds in total, {most}{in_a_row} in a row")
            }
            Pattern::Sustained if all == run => format!("Sustained: hot for {all} without a break"),
            Pattern::Sustained if in_a_row <= SHORT => {
                format!("Often hot: {all} in total, {most}{} at a time", duration(in_a_row))
            }
            Pattern::Sustained => {
                format!("Sustained: hot for {all} in total; the longest stretch was {run}")
            }
        };
        match self.throttles {
            0 => format!("{hot}."),
            _ => format!("{hot}. DynamoDB throttled it {times}, so more was asked for than the log counts."),
        }
    }

    /// Returns the sum by which the number of shards is found.
    fn because(&self) -> String {
        let within = (self.limit as f64 * self.hot_share).floor() as u64;
        let (peak, share) = (self.fullest_second.count, percent(self.hot_share));
        let what = match (self.is_units, self.operation) {
            (true, _) => "unit",
            (false, Operation::Write) => "write",
            (false, Operation::Read) => "read",
        };
        format!(
            "it had {}{peak} {what}{} in one second, and each part should stay within {} ({share} of the limit)",
            self.at_most(),
            many(peak),
            grouped(within)
        )
    }

    fn at_most(&self) -> &'static str {
        let FullestReport { count, at_least, .. } = self.fullest_second;
        if count == at_least { "" } else { "at most " }
    }

    fn what(&self, pattern: Pattern, shards: u64, cache_share: Option<f64>) -> String {
        let because = self.because();
        let least = if self.throttles > 0 { "at least " } else { "" };
        let spread = match pattern {
            Pattern::OneSecond => {
                "If this happens again, spread the requests over several seconds with a queue or random delays. "
            }
            _ => "",
        };
        let cached = percent(cache_share.unwrap_or_default());
        match (self.operation, self.is_index) {
            (Operation::Write, false) => format!(
                "{spread}Split the key into {least}{shards}: {because}. Add a suffix from 0 to {} to the key, chosen at random \
                 for each write. Or collect several writes and send them as one.",
                shards - 1
            ),
            (Operation::Read, false) => format!(
                "{spread}Cache it, in DAX or in the process: it is enough if a cache answers {cached} of these reads. Eventually \
                 consistent reads take half the units. Or keep copies under {least}{shards} keys: {because}."
            ),
            (Operation::Write, true) => format!(
                "{spread}The index is hot, not the table. Give the index another key, with {least}{shards} values for each \
                 value of this one, or add a suffix to the values: {because}. The table's own key can stay. While an index is \
                 throttled, writes to its table are too."
            ),
            (Operation::Read, true) => format!(
                "{spread}The index is hot, not the table. Cache what is queried: it is enough if a cache answers {cached} of these \
                 reads. Or give the index another key, with {least}{shards} values for each value of this one: {because}."
            ),
        }
    }

    fn under_limit(&self) -> String {
        let items = if self.is_units {
            "the estimate of its units is too low"
        } else {
            "its items take more than one unit each (--units counts units)"
        };
        format!(
            "Splitting this key may not help. Possible causes: DynamoDB stores it together with other keys, which were hot, and has \
             not yet split them up; the log does not have all of the traffic; or {items}. Retry with backoff, and look at the other \
             keys of the table."
        )
    }
}
