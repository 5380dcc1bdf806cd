//! The report's text and plots.

use crate::Scale;
use crate::abi::compiler;
use crate::growth::{Growth, Latencies, PERCENTILES};
use crate::lanes::{DASHMAP, GOVERNOR, HOTPART, PAPAYA};
use crate::machine;
use crate::markdown::{cost, grouped, ratio, table};
use crate::plots::{Line, Plot};
use crate::results::{Results, Series};
use crate::targets;
use crate::threads::{Pair, SPEED_UP_MIN};
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
        ("{machine}", machine_table()),
        ("{targets}", targets_table(scale, results)),
        ("{records}", grouped(scale.records as u64)),
        ("{peers}", costs("partitions", &results.peers)),
        ("{calls}", costs("partitions", &results.calls)),
        ("{window}", costs("operations", &results.window)),
        ("{speed_up}", SPEED_UP_MIN.to_string()),
        ("{threads}", threads_table(&[&results.spread_out, &results.contended])),
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

fn targets_table(scale: &Scale, results: &Results) -> String {
    let met = |met: Option<bool>| met.map_or("", |met| if met { "yes" } else { "**no**" });
    let rows: Vec<Vec<String>> = targets::all(scale, results)
        .into_iter()
        .map(|row| vec![row.work, row.target, row.measured, met(row.met).into()])
        .collect();
    table(&["work", "target", "measured", "met?"], &rows, false)
}

/// What each lane costs: a line for each number.
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

fn threads_table(pairs: &[&Pair]) -> String {
    let rows: Vec<Vec<String>> = pairs
        .iter()
        .map(|pair| {
            let costs = [DASHMAP, PAPAYA, HOTPART].map(|name| cost(pair.rounds.cost(name)));
            let rounds = format!("{} ({})", pair.rounds.len(), pair.rejected);
            let ends = [ratio(pair.control), rounds, if pair.sound { "yes" } else { "**no**" }.into()];
            [grouped(pair.partitions as u64)].into_iter().chain(costs).chain(ends).collect()
        })
        .collect();
    let header = ["partitions", DASHMAP, PAPAYA, HOTPART, "control", "rounds (repeated)", "sound?"];
    table(&header, &rows, true)
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
