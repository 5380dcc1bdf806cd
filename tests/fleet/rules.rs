//! The arithmetic of `deploy/prometheus/hotpart-fleet.rules.yml`, on what all processes of a fleet
//! tell.

use crate::told::{Partition, Told};
use hotpart::Operation;
use std::collections::BTreeMap;

/// The series that the rules record.
#[derive(Debug)]
pub struct Recorded {
    /// `fleet:hotpart_partition_demand:sum`, the lower bound.
    pub sum: BTreeMap<Partition, u64>,
    /// `fleet:hotpart_partition_demand:most`, the upper bound.
    pub most: BTreeMap<Partition, u64>,
    /// `fleet:hotpart_partition_unlisted:most`, the upper bound of a partition that no process
    /// lists.
    pub unlisted_most: BTreeMap<Operation, u64>,
}

impl Recorded {
    /// Adds up what processes tell. Each must have told of its unlisted partitions.
    pub fn of(fleet: &[Told]) -> Self {
        let mut unlisted_most: BTreeMap<_, u64> = BTreeMap::new();
        for (&operation, most) in fleet.iter().flat_map(|told| &told.unlisted_most) {
            *unlisted_most.entry(operation).or_default() += most;
        }
        let (mut sum, mut over): (BTreeMap<_, u64>, BTreeMap<_, i64>) = Default::default();
        for told in fleet {
            for (partition, &demand) in &told.demand {
                let carried = told.carried.get(partition).unwrap_or(&0);
                *sum.entry(partition.clone()).or_default() += demand - carried;
                let own = demand as i64 - told.unlisted_most[&partition.operation] as i64;
                *over.entry(partition.clone()).or_default() += own;
            }
        }
        let most = |(partition, over): (Partition, i64)| {
            let most = over + unlisted_most[&partition.operation] as i64;
            (partition, u64::try_from(most).expect("no demand under 0"))
        };
        Self { sum, most: over.into_iter().map(most).collect(), unlisted_most }
    }

    /// The upper bound of any partition's demand, listed or not.
    pub fn most_of(&self, partition: &Partition) -> u64 {
        self.most.get(partition).copied().unwrap_or(self.unlisted_most[&partition.operation])
    }

    /// `HotPartitionInFleet`: whether it fires for a partition.
    pub fn is_found(&self, partition: &Partition, thresholds: &Thresholds) -> bool {
        self.most.get(partition).is_some_and(|&most| most >= thresholds.of(&partition.table))
    }

    /// `HotPartitionFleetBlind`: whether it fires for an operation and the threshold that is in
    /// force for a table.
    pub fn is_blind(&self, operation: Operation, table: &str, thresholds: &Thresholds) -> bool {
        self.unlisted_most[&operation] >= thresholds.of(table)
    }
}

/// `fleet:hotpart_partition_threshold`: one for all tables, and one that wins over it for one
/// table.
#[derive(Clone, Debug)]
pub struct Thresholds {
    pub of_all: u64,
    pub of_table: Option<(&'static str, u64)>,
}

impl Thresholds {
    /// `fleet:hotpart_table_threshold`: the one in force for a table.
    pub fn of(&self, table: &str) -> u64 {
        match self.of_table {
            Some((own, threshold)) if own == table => threshold,
            _ => self.of_all,
        }
    }
}
