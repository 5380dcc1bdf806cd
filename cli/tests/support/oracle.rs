//! The oracle: a map of what each second of each partition had, from which everything else follows
//! by going through it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    pub time_ms: u64,
    pub operation: &'static str,
    pub table: String,
    pub pk: String,
    pub amount: u64,
}

/// Numbers that look random, the same in each run (xorshift64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// Writes lines as CSV.
pub fn csv(lines: &[Line]) -> String {
    let mut text = String::from("time_ms,operation,table,pk,amount\n");
    for Line { time_ms, operation, table, pk, amount } in lines {
        writeln!(text, "{time_ms},{operation},{table},{pk},{amount}").expect("a string takes all");
    }
    text
}

#[derive(Default)]
pub struct Oracle {
    /// By (operation, table, pk), by second.
    pub counts: BTreeMap<(&'static str, String, String), BTreeMap<u64, u64>>,
}

/// The oracle's verdict on one partition and operation.
#[derive(Debug, PartialEq, Eq)]
pub struct Truth {
    pub count: u64,
    /// The first of the fullest, and its count.
    pub fullest_second: (u64, u64),
    pub fullest_minute: (u64, u64),
    pub busy_minutes: u64,
    pub hot_seconds: u64,
    pub longest_run: u64,
}

impl Oracle {
    pub fn new(lines: &[Line]) -> Self {
        let mut oracle = Self::default();
        for line in lines {
            let key = (line.operation, line.table.clone(), line.pk.clone());
            *oracle.counts.entry(key).or_default().entry(line.time_ms / 1_000).or_default() += line.amount;
        }
        oracle
    }

    pub fn total(&self, operation: &str) -> u64 {
        let own = self.counts.iter().filter(|((of, ..), _)| *of == operation);
        own.flat_map(|(_, seconds)| seconds.values()).sum()
    }

    /// `hot`: a second with more than so much is.
    pub fn truth(seconds: &BTreeMap<u64, u64>, hot: u64) -> Truth {
        let mut minutes = BTreeMap::<u64, u64>::new();
        for (second, count) in seconds {
            *minutes.entry(second / 60 * 60).or_default() += count;
        }
        let fullest = |spans: &BTreeMap<u64, u64>| {
            let most = *spans.values().max().expect("one at least");
            let first = spans.iter().find(|&(_, &count)| count == most);
            first.map(|(&at, &count)| (at, count)).expect("that one")
        };
        let hot: Vec<u64> =
            seconds.iter().filter(|&(_, &count)| count > hot).map(|(&second, _)| second).collect();
        let run = |&from: &u64| (from..).take_while(|second| hot.contains(second)).count() as u64;
        Truth {
            count: seconds.values().sum(),
            fullest_second: fullest(seconds),
            fullest_minute: fullest(&minutes),
            busy_minutes: minutes.len() as u64,
            hot_seconds: hot.len() as u64,
            longest_run: hot.iter().map(run).max().unwrap_or(0),
        }
    }
}
