//! A process's list, read from its metrics as Prometheus would.

use hotpart::Operation::{self, Write};
use hotpart::{Detector, Metrics};
use std::collections::BTreeMap;

/// The partitions that a process lists, with their demand and what of it is carried, by key; and
/// the most that any other has.
#[derive(Debug, Default)]
pub struct List {
    pub demands: BTreeMap<String, (u64, u64)>,
    pub unlisted_most: Option<u64>,
}

impl List {
    /// Reads that of an operation.
    pub fn of(detector: &Detector, operation: Operation, metrics: &Metrics) -> Self {
        let text = detector.metrics(metrics).unwrap();
        let label = format!("operation=\"{}\"", if operation == Write { "write" } else { "read" });
        let mut list = Self::default();
        for line in text.lines().filter(|line| line.contains(&label)) {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (family, labels) = series.split_once('{').unwrap();
            let value = || value.parse().unwrap();
            let pk = || labels.split("pk=\"").nth(1).unwrap().split('"').next().unwrap().to_string();
            match family {
                "hotpart_partition_demand" => list.demands.entry(pk()).or_default().0 = value(),
                "hotpart_partition_carried" => list.demands.entry(pk()).or_default().1 = value(),
                "hotpart_partition_unlisted_most" => list.unlisted_most = Some(value()),
                _ => {}
            }
        }
        list
    }
}
