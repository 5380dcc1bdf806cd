//! The fleet: what its processes say of partitions, added up to bounds, as
//! `deploy/prometheus/hotpart-fleet.rules.yml` does.

use crate::top::exposition::Sample;
use serde::Serialize;
use std::collections::BTreeMap;

/// DynamoDB's limits for a partition a second, of writes and of reads.
const LIMITS: [(&str, f64); 2] = [("write", 1_000.0), ("read", 3_000.0)];

/// A partition and one operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Name {
    pub table: String,
    pub pk: String,
    pub operation: String,
}

/// A fleet's bounds of one partition and operation.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Demand {
    /// The sum over the processes that list it: the part that it surely has, in the window.
    pub sum: f64,
    /// The most that it can have.
    pub most: f64,
    /// The share that `most` is of what DynamoDB lets a partition have in the window.
    pub share_of_limit: f64,
    /// Throttles of its key range, where processes tell them.
    pub throttles: f64,
    /// Its fullest second in one process, where processes tell it.
    pub peak: f64,
    /// Processes that list it; 0 where a Prometheus does not tell.
    pub processes: u32,
}

/// One partition of the list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    #[serde(flatten)]
    pub name: Name,
    #[serde(flatten)]
    pub demand: Demand,
}

/// A look at a fleet.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Fleet {
    pub partitions: Vec<Row>,
    /// By operation, the most that a partition can have which no process lists. An operation for
    /// which it is not known is missing.
    pub unlisted_most: BTreeMap<String, f64>,
    /// Processes that told something.
    pub processes: u32,
    /// Addresses that told nothing, and why.
    pub failed: Vec<String>,
    /// Lines that could not be read: their values are negative, or no finite numbers.
    pub unread: u64,
    pub window_seconds: u32,
}

impl Fleet {
    /// Returns whether a partition that no process lists may have all that DynamoDB lets one have.
    pub fn is_blind(&self) -> bool {
        LIMITS.iter().any(|&(operation, limit)| {
            let most = self.unlisted_most.get(operation);
            // If that number is not known, there may be such a partition.
            self.processes > 0 && most.is_none_or(|&most| most >= limit * f64::from(self.window_seconds))
        })
    }

    /// Returns whether it is not known how much a partition can have that no process lists.
    pub fn is_untold(&self) -> bool {
        LIMITS.iter().any(|&(operation, _)| !self.unlisted_most.contains_key(operation))
    }

    /// Adds processes up, each with the samples of its page.
    pub fn of_processes(pages: &[Vec<Sample>], window_seconds: u32) -> Self {
        let mut all: BTreeMap<Name, Demand> = BTreeMap::new();
        let mut unlisted: BTreeMap<String, (f64, u32)> = BTreeMap::new();
        for page in pages {
            let unlisted_here: BTreeMap<&str, f64> = page
                .iter()
                .filter(|sample| sample.name == "hotpart_partition_unlisted_most")
                .filter_map(|sample| Some((sample.labels.get("operation")?.as_str(), sample.value)))
                .collect();
            for (&operation, &most) in &unlisted_here {
                let (sum, processes) = unlisted.entry(operation.into()).or_default();
                *sum += most;
                *processes += 1;
            }
            for sample in page {
                let Some(name) = name(sample) else { continue };
                // The unlisted part of this process was added to all partitions; for one that it
                // lists it is taken back.
                let here = || unlisted_here.get(name.operation.as_str()).copied().unwrap_or(0.0);
                match sample.name.as_str() {
                    "hotpart_partition_demand" => {
                        let most = sample.value - here();
                        let demand = all.entry(name).or_default();
                        demand.sum += sample.value;
                        demand.most += most;
                        demand.processes += 1;
                    }
                    "hotpart_partition_carried" => all.entry(name).or_default().sum -= sample.value,
                    "hotpart_partition_throttles" => all.entry(name).or_default().throttles += sample.value,
                    "hotpart_partition_peak" => {
                        let demand = all.entry(name).or_default();
                        demand.peak = demand.peak.max(sample.value);
                    }
                    _ => {}
                }
            }
        }
        for (name, demand) in &mut all {
            demand.most += unlisted.get(&name.operation).map_or(0.0, |&(sum, _)| sum);
        }
        // If one process does not tell, the sum of the others bounds nothing.
        let told = |&(_, processes): &(f64, u32)| processes as usize == pages.len();
        let unlisted_most = unlisted.into_iter().filter(|(_, told_by)| told(told_by));
        Self {
            partitions: rows(all, window_seconds),
            unlisted_most: unlisted_most.map(|(operation, (sum, _))| (operation, sum)).collect(),
            processes: pages.len() as u32,
            failed: Vec::new(),
            unread: 0,
            window_seconds,
        }
    }

    /// Makes a fleet of what a Prometheus has recorded by the fleet's rules.
    pub fn of_rules(recorded: &[Sample], window_seconds: u32) -> Self {
        let value = |name: &'static str| recorded.iter().filter(move |sample| sample.name == name);
        let window =
            value("fleet:hotpart_window_seconds").next().map_or(window_seconds, |sample| sample.value as u32);
        let mut all: BTreeMap<Name, Demand> = BTreeMap::new();
        for sample in recorded {
            let Some(name) = name(sample) else { continue };
            match sample.name.as_str() {
                "fleet:hotpart_partition_demand:sum" => all.entry(name).or_default().sum = sample.value,
                "fleet:hotpart_partition_demand:most" => all.entry(name).or_default().most = sample.value,
                "throttles" => all.entry(name).or_default().throttles = sample.value,
                _ => {}
            }
        }
        let unlisted = value("fleet:hotpart_partition_unlisted:most")
            .filter_map(|sample| Some((sample.labels.get("operation")?.clone(), sample.value)));
        let processes = value("fleet:hotpart_processes:seen").map(|sample| sample.value as u32).sum();
        let unlisted_most = unlisted.collect();
        Self {
            partitions: rows(all, window),
            unlisted_most,
            processes,
            failed: Vec::new(),
            unread: 0,
            window_seconds: window,
        }
    }
}

fn name(sample: &Sample) -> Option<Name> {
    let label = |name| sample.labels.get(name).cloned();
    Some(Name {
        table: label("table")?,
        pk: sample.labels.get("pk").cloned().unwrap_or_default(),
        operation: label("operation")?,
    })
}

fn rows(all: BTreeMap<Name, Demand>, window_seconds: u32) -> Vec<Row> {
    let rows = all.into_iter().map(|(name, demand)| {
        let limit = LIMITS
            .iter()
            .find(|(operation, _)| *operation == name.operation)
            .map_or(1_000.0, |&(_, limit)| limit);
        let share_of_limit = demand.most / limit / f64::from(window_seconds);
        Row { name, demand: Demand { share_of_limit, ..demand } }
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::exposition::samples;
    use hotpart::{Detector, Metrics, Operation};

    /// By the library's own pages, against what was recorded.
    #[test]
    fn bounds_hold_what_the_processes_recorded() {
        let counts = [[90, 5, 0], [80, 0, 30], [3, 70, 4]];
        let pages: Vec<_> = counts
            .iter()
            .map(|counts| {
                let detector = Detector::builder(500, 1_500, 60).manual_clock().build().unwrap();
                for (pk, &n) in ["a", "b", "c"].iter().zip(counts) {
                    (0..n).for_each(|_| assert!(detector.record_write("t", pk).is_ok()));
                }
                samples(&detector.metrics(&Metrics::default().least(20)).unwrap())
            })
            .collect();
        let fleet = Fleet::of_processes(&pages, 60);
        let bounds = |pk: &str| {
            let row = fleet.partitions.iter().find(|row| row.name.pk == pk).unwrap();
            (row.demand.sum, row.demand.most, row.demand.processes)
        };
        // Unlisted in the three processes: 5, 0 and 4 at most.
        assert_eq!(fleet.unlisted_most["write"], 9.0);
        assert_eq!(bounds("a"), (170.0, 174.0, 2));
        assert_eq!(bounds("b"), (70.0, 75.0, 1));
        assert_eq!(bounds("c"), (30.0, 39.0, 1));
        assert!(!fleet.is_blind() && !fleet.is_untold());
        assert_eq!(Operation::ALL.len(), fleet.unlisted_most.len());
    }

    #[test]
    fn a_process_that_does_not_tell_what_is_unlisted_makes_the_fleet_blind() {
        let detector = Detector::builder(500, 1_500, 60).max_partitions(5).build().unwrap();
        let page = samples(&detector.metrics(&Metrics::default()).unwrap());
        let fleet = Fleet::of_processes(&[page], 60);
        assert!(fleet.unlisted_most.is_empty() && fleet.is_blind() && fleet.is_untold());
    }
}
