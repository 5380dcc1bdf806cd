//! The truth: lists of times and amounts, added up anew for each record.

use crate::trace::Line;
use std::collections::BTreeMap;

/// Operation, table, pk.
pub type Of<'a> = (&'a str, &'a str, &'a str);

/// When a partition is hot: the last of so many seconds, the current one included, have reached a
/// threshold.
#[derive(Clone, Copy)]
pub struct Rule {
    pub name: &'static str,
    pub slots: u64,
    pub window_seconds: u64,
}

/// The rules of a run, the most urgent first, and their thresholds.
pub struct Terms<'a> {
    pub rules: Vec<Rule>,
    pub threshold: &'a dyn Fn(&Rule, &Line) -> u64,
    pub interval_ms: u64,
}

/// The rule of a window of so many seconds.
pub fn window(seconds: u64) -> Vec<Rule> {
    vec![Rule { name: "window", slots: seconds + 1, window_seconds: seconds }]
}

/// One record that is hot.
#[derive(Clone, Debug, PartialEq)]
pub struct Hot<'a> {
    pub time_ms: u64,
    pub of: Of<'a>,
    pub count: u64,
    pub threshold: u64,
    pub rule: &'static str,
    pub window_seconds: u64,
    /// Whether it is the one to warn.
    pub warns: bool,
}

/// The facts of a trace.
pub struct Truth<'a> {
    pub hot: Vec<Hot<'a>>,
    /// The counts of each key's records by the first rule, in the order of time.
    pub counts: BTreeMap<Of<'a>, Vec<(u64, u64)>>,
}

pub fn of(line: &Line) -> Of<'_> {
    (line.operation, &line.table, &line.pk)
}

/// Works out all of it. Lines of one time stay in the order in which they are given.
pub fn truth<'a>(lines: &'a [Line], terms: &Terms<'_>) -> Truth<'a> {
    let mut lines: Vec<&Line> = lines.iter().collect();
    lines.sort_by_key(|line| line.time_ms);
    let mut past: BTreeMap<Of<'a>, Vec<(u64, u64)>> = BTreeMap::new();
    let mut warned: BTreeMap<Of<'a>, u64> = BTreeMap::new();
    let mut truth = Truth { hot: vec![], counts: BTreeMap::new() };
    for line in lines {
        let (of, second) = (of(line), line.time_ms / 1_000);
        let past = past.entry(of).or_default();
        past.push((second, line.amount));
        let count = |rule: &Rule| -> u64 {
            let recent = past.iter().rev().take_while(|(then, _)| then + rule.slots > second);
            recent.map(|(_, amount)| amount).sum()
        };
        truth.counts.entry(of).or_default().push((line.time_ms, count(&terms.rules[0])));
        let met = terms.rules.iter().find(|rule| count(rule) >= (terms.threshold)(rule, line));
        let Some(rule) = met else { continue };
        let last = warned.get(&of);
        let warns = last.is_none_or(|last| line.time_ms - last >= terms.interval_ms);
        if warns {
            warned.insert(of, line.time_ms);
        }
        truth.hot.push(Hot {
            time_ms: line.time_ms,
            of,
            count: count(rule),
            threshold: (terms.threshold)(rule, line),
            rule: rule.name,
            window_seconds: rule.window_seconds,
            warns,
        });
    }
    truth
}

/// A threshold of an operation that about one of its partitions in twenty reaches.
pub fn telling(truth: &Truth<'_>, operation: &str) -> u64 {
    let of_operation = truth.counts.iter().filter(|((of, ..), _)| *of == operation);
    let mut highest: Vec<u64> =
        of_operation.map(|(_, counts)| counts.iter().map(|&(_, count)| count).max().unwrap()).collect();
    highest.sort_unstable_by(|a, b| b.cmp(a));
    highest[highest.len() / 20].max(2)
}
