//! Bounds that the library keeps to beside its targets of speed and memory, and figures to compare
//! with.

use crate::Scale;
use crate::bounded::{MANY, MOST, TIMES};
use crate::figures::{cost, ns, ratio};
use crate::lanes::{C, C_BATCHES, C_HANDLE, DASHMAP, FLOOR, HOTPART, RUST, RUST_HANDLE};
use crate::markdown::grouped;
use crate::memory::{self, Memory, SURVIVOR};
use crate::observe::{NOTHING, OBSERVE, TREE};
use crate::results::{Results, at};
use crate::targets::{C_BATCH, Target, partitions};
use crate::window::{OPERATIONS, TIMESTAMPS};

pub fn all(scale: &Scale, results: &Results) -> Vec<Target> {
    let floor = at(&results.peers, 1).ratio(HOTPART, FLOOR);
    let mut bounds = vec![Target::at_most("Rust record, 1 partition", 1.5, "the floor", floor)];
    bounds.extend(batches(scale, results));
    bounds.push(grown(scale, results));
    bounds.extend(window(results));
    bounds.extend(boundary(scale, results));
    bounds.extend(handles(scale, results));
    bounds.extend(observing(results));
    bounds.extend(memory(&results.memory));
    bounds.extend(idle(&results.memory));
    bounds
}

fn batches(scale: &Scale, results: &Results) -> Vec<Target> {
    let mut bounds = Vec::new();
    for (limit, n, to, unit) in [(0.5, scale.many, DASHMAP, DASHMAP), (0.8, 1, C, "single C records")] {
        // One of them is among the targets.
        for (name, _) in C_BATCHES.into_iter().filter(|(name, _)| (*name, to) != (C_BATCH, DASHMAP)) {
            let work = format!("{name}, {}", partitions(n));
            bounds.push(Target::at_most(work, limit, unit, at(&results.calls, n).ratio(name, to)));
        }
    }
    bounds
}

/// With a filter it does not matter how many keys there are.
fn grown(scale: &Scale, results: &Results) -> Target {
    let [many, most] = [1, TIMES].map(|times| grouped((times * scale.many) as u64));
    let grown = results.bounded.grown.ratio(MOST, MANY);
    Target::none(
        format!("record of a cold key in a filter, {most} beside {many}"),
        format!("{} x", ratio(grown)),
    )
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
    let mut bounds = Vec::new();
    for (c, rust) in [(C, RUST), (C_HANDLE, RUST_HANDLE)] {
        for n in [1, scale.few, scale.many] {
            let rounds = at(&results.calls, n);
            let (excess, to) = (rounds.excess(c, rust), rounds.ratio(c, rust));
            bounds.push(Target::new(
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
    bounds
}

fn handles(scale: &Scale, results: &Results) -> Vec<Target> {
    let mut bounds = Vec::new();
    for (handle, plain) in [(RUST_HANDLE, RUST), (C_HANDLE, C)] {
        for n in [1, scale.few] {
            let rounds = at(&results.calls, n);
            let saved = rounds.excess(plain, handle);
            let measured = format!("{} ns less, {} x", cost(saved), ratio(rounds.ratio(handle, plain)));
            bounds.push(Target::none(format!("{handle} beside {plain}, {}", partitions(n)), measured));
        }
    }
    bounds
}

fn memory(memory: &Memory) -> [Target; 4] {
    let told = |name: &str, work: &str| Target::none(work, memory.describe(name));
    let empty = memory.describe(memory::EMPTY_DETECTOR);
    let bound = memory.each(memory::EMPTY_DETECTOR).1 <= 65_536.0;
    [
        told(memory::DASHMAP_ONCE, "a partition seen once in dashmap, which counts and no more"),
        told(memory::SIXTEEN, "a partition seen in 16 different seconds"),
        told(memory::THIRTY_TWO, "in 32 different seconds"),
        Target::new("an empty detector", "<= 65,536 bytes", empty, bound),
    ]
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
