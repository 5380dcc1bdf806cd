//! The table, and what its columns mean.

use crate::contender::Contender;
use crate::design::{Design, promotion};
use crate::faults::EXCESS;
use crate::markdown::{grouped, table};
use crate::scenario::Scenario;
use crate::simulation::Simulation;

const HEADER: [&str; 14] = [
    "traffic",
    "N/T",
    "detector",
    "hot",
    "missed",
    "late",
    "falsely warned",
    "least truth",
    "promoted",
    "entries",
    "kept out",
    "excess",
    "load",
    "MiB",
];

const LEGEND: &str = "\
- **N/T**: the most records in the window at once, over the threshold T. **hot**: series whose exact count reached T. **missed**: those
  that no warning came for; **late**: those whose warning came after the record that reached T, or after the interval.
- **falsely warned**: series that never were hot, with their share of all such that were recorded. **least truth**: the least exact
  count at any warning; with a filter that keeps nobody out, at least T - P + 1, where P is a quarter of T.
- **promoted**: how often a series came to be counted exactly, with the share of all recorded. **due**: how many had to, as their
  exact counts reached P. **entries**: the most partitions in the table. **kept out**: records that found no room in it.
- **excess**: how far the count of a cold series is over the truth, on the mean, over P. **load**: the filter's own figure, in
  thousandths. **MiB**: the most memory, by the detector's statistics.
";

/// Traffic in words.
pub fn traffic(scenario: &Scenario) -> String {
    format!("{}, W {}, T {}", scenario.name, grouped(scenario.window), grouped(scenario.threshold as i64))
}

pub fn design(design: Design) -> String {
    match design {
        Design::Exact => "exact table".into(),
        Design::Bound(partitions) => format!("bound of {}", grouped(partitions as i64)),
        Design::Filter { bytes, fits } => {
            let kib = bytes >> 10;
            let size = if kib < 1_024 { format!("{kib} KiB") } else { format!("{} MiB", kib >> 10) };
            format!("filter of {size}{}", if fits { "" } else { ", not said to fit" })
        }
    }
}

pub fn rows(scenario: &Scenario, simulation: &Simulation) -> Vec<Vec<String>> {
    let contenders = simulation.contenders.iter().zip(&simulation.falsely_warned);
    contenders.map(|(contender, &falsely)| row(scenario, simulation, contender, falsely)).collect()
}

fn row(scenario: &Scenario, simulation: &Simulation, contender: &Contender, falsely: usize) -> Vec<String> {
    let scores = &contender.scores;
    let Simulation { most, seen, due, hot, .. } = simulation;
    let share = |n: usize, of: usize| {
        if n == 0 { "0".into() } else { format!("{} ({:.1e})", grouped(n as i64), n as f64 / of as f64) }
    };
    let filter = |text: String| if contender.design.is_filter() { text } else { String::new() };
    let statistics = &scores.last;
    let excess = scores.mean_excess() / promotion(scenario.threshold) as f64;
    vec![
        traffic(scenario),
        grouped((*most as u64 / scenario.threshold) as i64),
        design(contender.design),
        grouped(*hot as i64),
        grouped(scores.missed() as i64),
        grouped(scores.late() as i64),
        share(falsely, seen - hot),
        scores.least_truth.map_or(String::new(), |least| grouped(least as i64)),
        filter(format!("{}, due {}", share(statistics.promoted as usize, *seen), grouped(*due as i64))),
        grouped(scores.entries as i64),
        filter(grouped(statistics.kept_out as i64)),
        filter(format!("{excess:.2}")),
        filter(scores.load_permille.to_string()),
        format!("{:.2}", scores.bytes as f64 / f64::from(1 << 20)),
    ]
}

pub fn text(rows: &[Vec<String>]) -> String {
    let fits = format!(
        "- A filter that **fits** keeps nobody out, promotes under 1 % of partitions, and has an excess under {EXCESS}.\n"
    );
    table(&HEADER, rows, true) + "\n" + LEGEND + &fits
}
