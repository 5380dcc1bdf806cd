//! What the library is to reach, and whether it does.

use crate::Scale;
use crate::lanes::{C, C_BATCHES, C_HANDLE, DASHMAP, FLOOR, HOTPART, PAPAYA, RUST, RUST_HANDLE};
use crate::markdown::{cost, grouped, ns, ratio};
use crate::memory::{self, Memory, SURVIVOR};
use crate::observe::{NOTHING, OBSERVE, TREE};
use crate::results::{Results, at};
use crate::rounds::Spread;
use crate::threads::Pair;
use crate::window::{OPERATIONS, TIMESTAMPS};

pub struct Target {
    pub work: String,
    pub target: String,
    pub measured: String,
    /// None where nothing is aimed at, or nobody knows.
    pub met: Option<bool>,
}

impl Target {
    fn new(work: impl Into<String>, target: impl Into<String>, measured: String, met: bool) -> Self {
        Self { work: work.into(), target: target.into(), measured, met: Some(met) }
    }

    fn none(work: impl Into<String>, measured: String) -> Self {
        Self { work: work.into(), target: "none".into(), measured, met: None }
    }

    /// A ratio that is to be at most so much.
    fn at_most(work: impl Into<String>, limit: f64, unit: &str, of: Spread) -> Self {
        Self::new(work, format!("<= {limit} x {unit}"), ratio(of), of.median <= limit)
    }
}

pub fn all(scale: &Scale, results: &Results) -> Vec<Target> {
    let mut targets = records(scale, results);
    targets.extend(batches(scale, results));
    targets.extend([threads(&results.spread_out, 1.0), threads(&results.contended, 0.85)]);
    targets.extend(window(results));
    targets.extend(boundary(scale, results));
    targets.extend(handles(scale, results));
    targets.extend(observing(results));
    targets.extend(memory(&results.memory));
    targets.extend(idle(&results.memory));
    targets
}

fn partitions(n: usize) -> String {
    format!("{} partition{}", grouped(n as u64), if n == 1 { "" } else { "s" })
}

fn records(scale: &Scale, results: &Results) -> Vec<Target> {
    let to = |n: usize, peer: &str| at(&results.peers, n).ratio(HOTPART, peer);
    let work = |n: usize| format!("record, {}", partitions(n));
    vec![
        Target::at_most(work(1), 1.25, DASHMAP, to(1, DASHMAP)),
        Target::at_most(work(1), 1.5, "the floor", to(1, FLOOR)),
        Target::at_most(work(scale.few), 1.25, DASHMAP, to(scale.few, DASHMAP)),
        Target::at_most(
            format!("{}, uniformly (aim: 1)", work(scale.many)),
            1.25,
            DASHMAP,
            to(scale.many, DASHMAP),
        ),
    ]
}

fn batches(scale: &Scale, results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for (limit, n, to, unit) in [(0.5, scale.many, DASHMAP, DASHMAP), (0.8, 1, C, "single C records")] {
        for (name, _) in C_BATCHES {
            let work = format!("{name}, {}", partitions(n));
            targets.push(Target::at_most(work, limit, unit, at(&results.calls, n).ratio(name, to)));
        }
    }
    targets
}

fn observing(results: &Results) -> impl Iterator<Item = Target> {
    let modes = ["operations mode", "capacity mode"].into_iter().zip(&results.observe);
    modes.flat_map(|(mode, rounds)| {
        let work = || format!("observe a PutItem of 400 bytes and its answer, {mode}");
        [
            Target::at_most(work(), 0.5, TREE, rounds.ratio(OBSERVE, TREE)),
            Target::at_most(work(), 2.5, NOTHING, rounds.ratio(OBSERVE, NOTHING)),
        ]
    })
}

fn threads(pair: &Pair, least: f64) -> Target {
    let Pair { partitions: n, rounds, sound, .. } = pair;
    let best = rounds.cheapest([DASHMAP, PAPAYA]);
    let throughput = rounds.ratio(best, HOTPART);
    let work = format!("throughput of 2 threads, {}", partitions(*n));
    let target = format!(">= {least} x the better of {DASHMAP} and {PAPAYA}");
    let measured = format!("{} x {best}", ratio(throughput));
    if *sound {
        Target::new(work, target, measured, throughput.median >= least)
    } else {
        let measured = format!("{measured}; not sound, the second core was not there");
        Target { work, target, measured, met: None }
    }
}

fn window(results: &Results) -> Vec<Target> {
    let [least, .., most] = OPERATIONS;
    let faster = at(&results.window, most).ratio(TIMESTAMPS, HOTPART);
    let [few, many] = [least, most].map(|n| at(&results.window, n).cost(HOTPART));
    vec![
        Target::new(
            format!("record, {} operations in the window", grouped(most as u64)),
            format!(">= 1,000 x faster than the {TIMESTAMPS}"),
            format!("{} x", ratio(faster)),
            faster.median >= 1_000.0,
        ),
        Target::new(
            format!("the same beside {least} operations in the window"),
            "no dearer (<= 1.1 x)",
            format!("{} ns beside {} ns", ns(many.median), ns(few.median)),
            many.median <= 1.1 * few.median,
        ),
    ]
}

fn boundary(scale: &Scale, results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for (c, rust) in [(C, RUST), (C_HANDLE, RUST_HANDLE)] {
        for n in [1, scale.few, scale.many] {
            let rounds = at(&results.calls, n);
            let (excess, to) = (rounds.excess(c, rust), rounds.ratio(c, rust));
            targets.push(Target::new(
                format!("{c}, {}", partitions(n)),
                format!("<= {rust} + 6 ns or x 1.15"),
                format!(
                    "{:+.1} ns ({:+.1} to {:+.1}), {:.2} x",
                    excess.median, excess.min, excess.max, to.median
                ),
                excess.median <= 6.0 || to.median <= 1.15,
            ));
        }
    }
    targets
}

fn handles(scale: &Scale, results: &Results) -> Vec<Target> {
    let mut targets = Vec::new();
    for (handle, plain) in [(RUST_HANDLE, RUST), (C_HANDLE, C)] {
        for n in [1, scale.few] {
            let rounds = at(&results.calls, n);
            let saved = rounds.excess(plain, handle);
            let measured = format!("{} ns less, {} x", cost(saved), ratio(rounds.ratio(handle, plain)));
            targets.push(Target::none(format!("{handle} beside {plain}, {}", partitions(n)), measured));
        }
    }
    targets
}

fn memory(memory: &Memory) -> Vec<Target> {
    let held = |name: &str, work: &str, limit: f64| {
        let (n, bytes) = (memory.partitions(name) as f64, memory.held(name));
        let (heap, resident) = (bytes.heap as f64 / n, bytes.resident as f64 / n);
        Target::new(
            work,
            format!("<= {} bytes", grouped(limit as u64)),
            format!("{resident:.1} resident ({heap:.1} of heap)"),
            resident <= limit,
        )
    };
    let beside = memory.held(memory::DASHMAP_ONCE);
    let n = memory.partitions(memory::DASHMAP_ONCE) as f64;
    let (heap, resident) = (beside.heap as f64 / n, beside.resident as f64 / n);
    let beside = format!("{resident:.1} resident ({heap:.1} of heap)");
    let once = format!("a partition seen once, of {} (aim: 96)", grouped(n as u64));
    vec![
        held(memory::ONCE, &once, 128.0),
        Target::none("the same in dashmap, which counts and no more", beside),
        held(memory::EIGHT, "a partition seen in 8 different seconds", 192.0),
        unbounded(held(memory::SIXTEEN, "in 16 different seconds", 0.0)),
        unbounded(held(memory::THIRTY_TWO, "in 32 different seconds", 0.0)),
        held(memory::HOT, "a hot partition, 60 seconds, writes and reads", 1_200.0),
        held(memory::EMPTY_DETECTOR, "an empty detector", 65_536.0),
    ]
}

/// The same, told but not judged.
fn unbounded(target: Target) -> Target {
    Target { target: "none".into(), met: None, ..target }
}

fn idle(memory: &Memory) -> Vec<Target> {
    let peak = memory.partitions(memory::IDLE) as f64;
    let left = memory.left(memory::IDLE);
    let each = left.heap as f64 / peak;
    let survivors = memory.left(memory::SURVIVORS);
    let table = 16.0 * memory.partitions(memory::SURVIVORS) as f64;
    let beyond = survivors.heap as f64 - table;
    let payload = memory.held(memory::SURVIVORS).heap as f64 / SURVIVOR as f64;
    let mib = |bytes: f64| bytes / f64::from(1 << 20);
    vec![
        Target::new(
            format!("left for each of {} partitions that idled for a window", grouped(peak as u64)),
            "<= 16 bytes",
            format!("{each:.1} of heap ({:.1} resident)", left.resident as f64 / peak),
            each <= 16.0,
        ),
        Target::new(
            "the same with 1 % of survivors, beyond 16 bytes for each of the peak",
            "<= 2 x what the survivors took at first",
            format!(
                "{:.2} MiB of heap - {:.2} = {:.2} MiB; 2 x {:.2} MiB ({:.2} MiB resident)",
                mib(survivors.heap as f64),
                mib(table),
                mib(beyond),
                mib(payload),
                mib(survivors.resident as f64)
            ),
            beyond <= 2.0 * payload,
        ),
    ]
}
