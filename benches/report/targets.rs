//! The targets, at least and better, and whether the library meets them.

use crate::Scale;
use crate::bounded::C_BOUNDED;
use crate::counts::GOALS;
use crate::figures::ratio;
use crate::lanes::{C, C_HANDLE, DASHMAP, PAPAYA};
use crate::markdown::grouped;
use crate::memory::{self, Memory};
use crate::results::{Results, at};
use crate::rounds::{Rounds, Spread};
use crate::threads::Pair;

/// The batch that has targets.
pub const C_BATCH: &str = "C batch of 64";

pub struct Target {
    pub work: String,
    pub least: String,
    /// Empty where no more is aimed at than that.
    pub aim: String,
    pub measured: String,
    /// Whether the least is reached; none where nothing is asked, or nobody knows.
    pub met: Option<bool>,
}

impl Target {
    pub fn new(work: impl Into<String>, least: impl Into<String>, measured: String, met: bool) -> Self {
        let (work, least) = (work.into(), least.into());
        Self { work, least, aim: String::new(), measured, met: Some(met) }
    }

    pub fn none(work: impl Into<String>, measured: String) -> Self {
        let (work, least) = (work.into(), "none".into());
        Self { work, least, aim: String::new(), measured, met: None }
    }

    /// A ratio that is to be at most so much.
    pub fn at_most(work: impl Into<String>, limit: f64, unit: &str, of: Spread) -> Self {
        Self::new(work, format!("<= {limit} x {unit}"), ratio(of), of.median <= limit)
    }

    fn aiming(self, aim: impl Into<String>) -> Self {
        Self { aim: aim.into(), ..self }
    }
}

/// All of them through the C ABI of the shared library.
pub fn all(scale: &Scale, results: &Results) -> Vec<Target> {
    let mut targets = records(scale, results);
    targets.extend(cold(scale, results));
    targets.extend([threads(&results.spread_out, 0.9, 1.1), threads(&results.contended, 0.8, 1.0)]);
    targets.extend(instructions(results));
    targets.extend(memory(&results.memory));
    targets
}

pub fn partitions(n: usize) -> String {
    format!("{} partition{}", grouped(n as u64), if n == 1 { "" } else { "s" })
}

fn records(scale: &Scale, results: &Results) -> Vec<Target> {
    let calls = |n: usize| (partitions(n), at(&results.calls, n));
    let (one, few, many) = (calls(1), calls(scale.few), calls(scale.many));
    let turning = |state: &str| format!("{}, each turning its second, {state}", many.0);
    let row = |work: &str, on: &str, lane: &str, rounds: &Rounds, least: f64, aim: f64| {
        Target::at_most(format!("{work}, {on}"), least, DASHMAP, rounds.ratio(lane, DASHMAP))
            .aiming(format!("{aim}"))
    };
    vec![
        row("record", &one.0, C, one.1, 1.5, 1.25),
        row("record", &few.0, C, few.1, 1.4, 1.2),
        row("record", &turning("while the window fills"), C, &results.turns.filling, 1.6, 1.0),
        row("record", &turning("the window full"), C, &results.turns.full, 1.6, 1.0),
        row("prepared table", &one.0, C_HANDLE, one.1, 1.3, 1.1),
        row("batch of 64", &one.0, C_BATCH, one.1, 1.2, 1.0),
        row("batch of 64", &many.0, C_BATCH, many.1, 0.5, 0.4),
    ]
}

fn cold(scale: &Scale, results: &Results) -> [Target; 2] {
    let row = |n: usize, least: f64, aim: f64| {
        let ratio = at(&results.bounded.records, n).ratio(C_BOUNDED, DASHMAP);
        let work = format!("record of a cold key in a filter, {}", partitions(n));
        Target::at_most(work, least, DASHMAP, ratio).aiming(format!("{aim}"))
    };
    [row(scale.few, 2.0, 1.4), row(scale.many, 0.25, 0.1)]
}

fn threads(pair: &Pair, least: f64, aim: f64) -> Target {
    let Pair { partitions: n, rounds, patience, .. } = pair;
    let best = rounds.cheapest([DASHMAP, PAPAYA]);
    let throughput = rounds.ratio(best, C);
    let work = format!("throughput of 2 threads, {}", partitions(*n));
    let target = format!(">= {least} x the better of {DASHMAP} and {PAPAYA}");
    let measured = format!("{} x {best}; {}", ratio(throughput), patience.describe());
    let met = patience.judges().then_some(throughput.median >= least);
    Target { work, least: target, aim: format!("{aim}"), measured, met }
}

fn instructions(results: &Results) -> impl Iterator<Item = Target> {
    GOALS.iter().map(|goal| {
        let count = results.counts.of(goal.call);
        Target {
            work: format!("instructions of {}", goal.work),
            least: format!("<= {}", goal.least),
            aim: format!("{}", goal.aim),
            measured: count.map_or("not counted".into(), |count| format!("{count:.1}")),
            met: count.map(|count| count <= goal.least),
        }
    })
}

fn memory(memory: &Memory) -> [Target; 3] {
    let held = |name: &str, work: String, least: f64, aim: f64| {
        let bytes = format!("<= {} bytes", grouped(least as u64));
        let measured = memory.describe(name);
        Target::new(work, bytes, measured, memory.each(name).1 <= least).aiming(grouped(aim as u64))
    };
    let once = format!("a partition seen once, of {}", grouped(memory.partitions(memory::ONCE) as u64));
    [
        held(memory::ONCE, once, 128.0, 96.0),
        held(memory::EIGHT, "a partition seen in 8 different seconds".into(), 192.0, 160.0),
        held(memory::HOT, "a hot partition, 60 seconds, writes and reads".into(), 1_400.0, 1_200.0),
    ]
}
