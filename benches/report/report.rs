//! The report's text and plots.

use crate::Scale;
use crate::abi::compiler;
use crate::bounded::{Bounded, C_BOUNDED, FILTER_BYTES, MOST, TIMES};
use crate::bounds;
use crate::counts::{Counts, GOALS};
use crate::figures::{cost, ratio};
use crate::growth::{Growth, Latencies, PERCENTILES};
use crate::lanes::{C, DASHMAP, GOVERNOR, HOTPART, PAPAYA};
use crate::lead;
use crate::machine;
use crate::markdown::{grouped, table};
use crate::patience::SPEED_UP_MIN;
use crate::plots::{Line, Plot};
use crate::results::{Results, Series};
use crate::rounds::Rounds;
use crate::targets::{self, Target};
use crate::threads::Pair;
use crate::turns::FILLED;
use crate::window::TIMESTAMPS;

/// The directory of the plots.
pub const PLOTS: &str = "benches/plots";

/// The prose, with a name in braces for each thing that differs from run to run.
const TEMPLATE: &str = include_str!("template.md");

pub fn text(scale: &Scale, results: &Results) -> String {
    let growth = &results.growth;
    let filled = [
        ("{command}", if scale.quick { "make bench BENCH_FLAGS=--quick" } else { "make bench" }.into()),
        ("{rounds}", scale.rounds.to_string()),
        ("{processor}", machine::processor()),
        ("{lead}", lead::text(scale, results)),
        ("{machine}", machine_table()),
        ("{targets}", targets_table(targets::all(scale, results))),
        ("{bounds}", bounds_table(bounds::all(scale, results))),
        ("{records}", grouped(scale.records as u64)),
        ("{peers}", costs("partitions", &results.peers)),
        ("{calls}", costs("partitions", &results.calls)),
        ("{window}", costs("operations", &results.window)),
        ("{many}", grouped(scale.many as u64)),
        ("{filled}", FILLED.to_string()),
        ("{turns}", turns_table(scale, results)),
        ("{filter}", format!("{} MiB", FILTER_BYTES >> 20)),
        ("{bounded}", bounded_table(scale, &results.bounded)),
        ("{bounded-threads}", threads_table(&[&results.bounded.threads], C_BOUNDED)),
        ("{counted}", format!("{}, {}", results.counts.machine, results.counts.compiler)),
        ("{counts}", counts_table(&results.counts)),
        ("{patience}", scale.patience.as_secs().to_string()),
        ("{speed_up}", SPEED_UP_MIN.to_string()),
        ("{threads}", threads_table(&[&results.spread_out, &results.contended], C)),
        ("{most}", grouped(scale.most as u64)),
        ("{left}", grouped(growth.left())),
        ("{timer}", growth.timer().to_string()),
        ("{growth}", growth_table(growth)),
    ];
    filled.iter().fold(TEMPLATE.into(), |text: String, (name, value)| text.replace(name, value))
}

fn machine_table() -> String {
    let rows: Vec<Vec<String>> = machine::describe(&compiler())
        .into_iter()
        .map(|(what, value)| vec![what.into(), value.replace('|', "\\|")])
        .collect();
    table(&["machine", ""], &rows, false)
}

fn targets_table(targets: Vec<Target>) -> String {
    let row = |target: Target| {
        vec![target.work, target.least, target.aim, target.measured, yes_or_no(target.met).into()]
    };
    let rows: Vec<Vec<String>> = targets.into_iter().map(row).collect();
    table(&["work", "at least", "aim", "measured", "met?"], &rows, false)
}

fn bounds_table(bounds: Vec<Target>) -> String {
    let row = |bound: Target| vec![bound.work, bound.least, bound.measured, yes_or_no(bound.met).into()];
    let rows: Vec<Vec<String>> = bounds.into_iter().map(row).collect();
    table(&["work", "bound", "measured", "met?"], &rows, false)
}

fn yes_or_no(met: Option<bool>) -> &'static str {
    met.map_or("", |met| if met { "yes" } else { "**no**" })
}

/// The cost of each lane: a line for each number.
fn costs(what: &str, series: &Series) -> String {
    let names = series[0].1.names();
    let header: Vec<&str> = [what].into_iter().chain(names.iter().copied()).collect();
    let rows: Vec<Vec<String>> = series
        .iter()
        .map(|(n, rounds)| {
            let costs = names.iter().map(|name| cost(rounds.cost(name)));
            [grouped(*n as u64)].into_iter().chain(costs).collect()
        })
        .collect();
    table(&header, &rows, true)
}

fn turns_table(scale: &Scale, results: &Results) -> String {
    let row = |passes: String, rounds: &Rounds| {
        let [theirs, ours] = [DASHMAP, C].map(|name| cost(rounds.cost(name)));
        vec![passes, theirs, ours, ratio(rounds.ratio(C, DASHMAP))]
    };
    let rows = [
        row(format!("2 to {FILLED}, the window fills"), &results.turns.filling),
        row(format!("{} to {}, the window is full", FILLED + 1, FILLED + scale.rounds), &results.turns.full),
    ];
    table(&["passes", DASHMAP, C, "ratio"], &rows, true)
}

/// The last row has no peers: it is of [`TIMES`] as many keys.
fn bounded_table(scale: &Scale, bounded: &Bounded) -> String {
    let names = bounded.records[0].1.names();
    let mut rows: Vec<Vec<String>> = bounded
        .records
        .iter()
        .map(|(n, rounds)| {
            let costs = names.iter().map(|name| cost(rounds.cost(name)));
            let ratio = ratio(rounds.ratio(C_BOUNDED, DASHMAP));
            [grouped(*n as u64)].into_iter().chain(costs).chain([ratio]).collect()
        })
        .collect();
    let most = names.iter().map(|name| match *name {
        C_BOUNDED => cost(bounded.grown.cost(MOST)),
        _ => String::new(),
    });
    rows.push(
        [grouped((TIMES * scale.many) as u64)].into_iter().chain(most).chain([String::new()]).collect(),
    );
    let header: Vec<&str> =
        ["partitions"].into_iter().chain(names.iter().copied()).chain(["ratio"]).collect();
    table(&header, &rows, true)
}

fn counts_table(counts: &Counts) -> String {
    let goal = |call: &str| GOALS.iter().find(|goal| goal.call == call);
    let rows: Vec<Vec<String>> = counts
        .calls
        .iter()
        .map(|(call, count)| {
            let [least, aim] = goal(call).map_or([String::new(), String::new()], |goal| {
                [goal.least.to_string(), goal.aim.to_string()]
            });
            vec![format!("`{call}`"), format!("{count:.1}"), least, aim]
        })
        .collect();
    table(&["call", "instructions", "at most", "aim"], &rows, true)
}

fn threads_table(pairs: &[&Pair], lane: &'static str) -> String {
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|pair| {
            let costs = [DASHMAP, PAPAYA, lane].map(|name| cost(pair.rounds.cost(name)));
            let patience = &pair.patience;
            let gave_up =
                patience.gave_up().map_or("no".into(), |after| format!("after {:.0} s", after.as_secs_f64()));
            let ends =
                [ratio(pair.control), patience.sound().to_string(), patience.poor().to_string(), gave_up];
            [grouped(pair.partitions as u64)].into_iter().chain(costs).chain(ends).collect()
        })
        .collect();
    table(
        &["partitions", DASHMAP, PAPAYA, lane, "control", "sound rounds", "others", "gave up?"],
        &rows,
        true,
    )
}

fn growth_table(growth: &Growth) -> String {
    let row = |name: String, latencies: Latencies| {
        let numbers = latencies.percentiles.into_iter().chain([latencies.max, latencies.records]);
        [name].into_iter().chain(numbers.map(grouped)).collect::<Vec<String>>()
    };
    let rows = [
        row(format!("{HOTPART}, growth"), growth.hotpart()),
        row(format!("{DASHMAP}, growth"), growth.dashmap()),
        row(format!("{HOTPART}, reclaim"), growth.reclaim()),
    ];
    let percentiles = PERCENTILES.map(|percentile| format!("p{percentile}"));
    let header: Vec<&str> =
        ["ns"].into_iter().chain(percentiles.iter().map(String::as_str)).chain(["max", "records"]).collect();
    table(&header, &rows, true)
}

pub fn plots(results: &Results) -> [Plot; 2] {
    [
        Plot {
            file: "partitions.svg",
            title: "Cost of a record by number of partitions",
            x: "partitions, visited at random",
            lines: lines(&results.peers, &[HOTPART, DASHMAP, PAPAYA, GOVERNOR]),
        },
        Plot {
            file: "operations.svg",
            title: "Cost of a record by operations in the window",
            x: "operations of one key in 60 seconds",
            lines: lines(&results.window, &[HOTPART, TIMESTAMPS]),
        },
    ]
}

fn lines(series: &Series, names: &[&'static str]) -> Vec<Line> {
    let point = |name: &str| series.iter().map(|(n, rounds)| (*n as f64, rounds.cost(name).median)).collect();
    names.iter().map(|name| (*name, point(name))).collect()
}
