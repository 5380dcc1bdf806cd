//! The partitions that the lists of a fleet, added up, find.

use crate::list::List;
use crate::markdown::table;
use crate::traffic::{Fleet, HOT, Shares, THRESHOLD, hot, hot_name, process};
use hotpart::Operation::Write;
use hotpart::{Metrics, fleet_least};
use std::collections::BTreeMap;

/// A list that a threshold is made for has no more in a process than this.
const SERIES_MOST: usize = 200;

/// A way to choose what a process lists; with the precision, if it was made for the threshold.
struct Way {
    name: String,
    metrics: Metrics,
    precision: Option<u32>,
}

/// Everything that the lists of all processes say.
#[derive(Default)]
struct Sums {
    series: usize,
    longest: usize,
    /// By partition: the sum, and what must be added for those that don't list it.
    demands: BTreeMap<String, (u64, i64)>,
    unlisted: u64,
}

impl Sums {
    fn add(&mut self, list: &List) {
        let unlisted = list.unlisted_most.expect("no bound on partitions");
        self.series += list.demands.len();
        self.longest = self.longest.max(list.demands.len());
        self.unlisted += unlisted;
        for (key, &(demand, _)) in &list.demands {
            let (sum, rest) = self.demands.entry(key.clone()).or_default();
            *sum += demand;
            *rest -= unlisted as i64;
        }
    }

    /// The most that a partition can have.
    fn most(&self, (sum, rest): (u64, i64)) -> u64 {
        (sum as i64 + rest + self.unlisted as i64) as u64
    }

    /// How many of the hot ones `has` holds of, and how many others.
    fn found(&self, has: impl Fn((u64, i64)) -> bool) -> (usize, usize) {
        let all: Vec<_> =
            self.demands.iter().filter(|&(_, &both)| has(both)).map(|(key, _)| key.as_str()).collect();
        let hot = (0..HOT).filter(|&n| all.contains(&hot_name(n).as_str())).count();
        (hot, all.len() - hot)
    }
}

fn ways(processes: usize) -> Vec<Way> {
    let top = |n| Way { name: format!("top {n}"), metrics: Metrics::default().hottest(n), precision: None };
    let least = |precision| {
        let least = fleet_least(THRESHOLD, processes as u32, precision);
        let metrics = Metrics::default().least(least).demand_only();
        Way { name: format!("at least {least} (precision {precision})"), metrics, precision: Some(precision) }
    };
    vec![top(10), top(100), least(2), least(4), least(8)]
}

/// Prints what the lists of a fleet find. One process is there at a time: of each its lists are
/// added up.
pub fn run(fleet: &Fleet, faults: &mut Vec<String>) {
    let mut rows = Vec::new();
    for shares in Shares::ALL {
        let (hot, ways) = (hot(fleet, shares), ways(fleet.processes));
        let mut all: Vec<_> = ways.iter().map(|_| Sums::default()).collect();
        for number in 0..fleet.processes {
            let process = process(fleet, number, &hot);
            for (way, sums) in ways.iter().zip(&mut all) {
                sums.add(&List::of(&process, Write, &way.metrics));
            }
        }
        for (way, sums) in ways.iter().zip(&all) {
            let (by_sum, _) = sums.found(|(sum, _)| sum >= THRESHOLD);
            let (by_most, in_vain) = sums.found(|both| sums.most(both) >= THRESHOLD);
            let blind = sums.unlisted as f64 / THRESHOLD as f64;
            rows.push(vec![
                shares.name().into(),
                way.name.clone(),
                sums.series.to_string(),
                sums.longest.to_string(),
                format!("{by_sum} of {HOT}"),
                format!("{by_most} of {HOT}"),
                in_vain.to_string(),
                if blind >= 1.0 { format!("yes, {blind:.2} T") } else { format!("no, {blind:.2} T") },
            ]);
            if let Some(precision) = way.precision {
                let said = format!("{} processes, {}, spread {}", fleet.processes, way.name, shares.name());
                let mut check = |holds: bool, fault: String| {
                    if !holds {
                        faults.push(format!("{said}: {fault}"));
                    }
                };
                check(by_most == HOT, format!("finds {by_most} of {HOT}"));
                check(blind < 1.0, format!("is blind: {blind:.2}"));
                check(sums.longest <= SERIES_MOST, format!("a process lists {}", sums.longest));
                let least = THRESHOLD - THRESHOLD / u64::from(precision);
                let (_, far) = sums.found(|both| sums.most(both) >= THRESHOLD && both.0 < least);
                check(far == 0, format!("{far} that are found have less than {least}"));
            }
        }
    }
    println!(
        "A fleet of {} processes, T = {THRESHOLD} in 60 s, {} operations each.\n",
        fleet.processes, fleet.operations
    );
    let header = [
        "hot ones spread",
        "listed",
        "series",
        "of a process",
        "found by the sum",
        "by the most",
        "others found",
        "blind",
    ];
    println!("{}", table(&header, &rows, true));
}
