//! The traffic of one process of a fleet in a window.

use crate::random::Random;
use hotpart::Operation::Write;
use hotpart::{Detector, Record};

/// The demand in a window from which a partition is hot in the fleet: DynamoDB's limit, for sixty
/// seconds.
pub const THRESHOLD: u64 = 60_000;
/// Partitions that are hot in the fleet, and in no process.
pub const HOT: usize = 13;

/// A fleet whose processes are alike.
pub struct Fleet {
    pub processes: usize,
    /// Operations of a process in a window, and partitions that those are spread over which are of
    /// none of the kinds below.
    pub operations: u64,
    pub partitions: u64,
    /// Partitions of each process's own, which crowd its list: they stick to it.
    pub tenants: u64,
    /// The demand of a tenant: at least so much, and less than so much more.
    pub tenant: (u64, u64),
    /// Partitions of each process's own that are warm: the first has so much, the n-th an n-th of
    /// it.
    pub warm: u64,
}

impl Fleet {
    /// Fifty processes.
    pub fn fifty(operations: u64, partitions: u64) -> Self {
        Self { processes: 50, operations, partitions, tenants: 120, tenant: (1_300, 400), warm: 900 }
    }

    /// Five hundred, each with far less: 10,500 operations.
    pub fn five_hundred(partitions: u64) -> Self {
        Self { processes: 500, operations: 10_500, partitions, tenants: 20, tenant: (130, 40), warm: 90 }
    }
}

/// How a hot partition's operations are spread over the processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shares {
    Even,
    /// By Pareto's law, exponent 1.2: a few processes have most.
    Pareto,
    /// Evenly over one half of the processes.
    Half,
}

impl Shares {
    pub const ALL: [Self; 3] = [Self::Even, Self::Pareto, Self::Half];

    pub fn name(self) -> &'static str {
        match self {
            Self::Even => "evenly",
            Self::Pareto => "by Pareto 1.2",
            Self::Half => "over half of them",
        }
    }
}

/// The part that each process has of each hot partition.
pub fn hot(fleet: &Fleet, shares: Shares) -> Vec<Vec<u64>> {
    let mut random = Random(26);
    let mut unit = || (random.below(1 << 24) + 1) as f64 / f64::from(1 << 24);
    let share = |n: usize, process: usize, unit: &mut dyn FnMut() -> f64| match shares {
        Shares::Even => 1.0,
        Shares::Pareto => unit().powf(-1.0 / 1.2),
        Shares::Half => f64::from(u8::from((process + n).is_multiple_of(2))),
    };
    let spread = |n: usize| {
        // From the threshold to some more.
        let total = THRESHOLD as f64 * (1.0 + 0.02 * n as f64);
        let parts: Vec<_> = (0..fleet.processes).map(|process| share(n, process, &mut unit)).collect();
        let sum: f64 = parts.iter().sum();
        parts.into_iter().map(|part| (part / sum * total).ceil() as u64).collect()
    };
    (0..HOT).map(spread).collect()
}

pub fn hot_name(n: usize) -> String {
    format!("hot-{n}")
}

/// A process in which all of a window has been recorded.
pub fn process(fleet: &Fleet, number: usize, hot: &[Vec<u64>]) -> Detector {
    let never = i64::MAX as u64;
    let seed = [number as u64, fleet.processes as u64];
    let detector = Detector::builder(never, never, 60).manual_clock().hash_seed(seed).build().unwrap();
    let record = |pk: &str, amount: u64| {
        if amount > 0 {
            detector.record(&Record::new("orders", pk, Write).amount(amount)).unwrap();
        }
    };
    let mut left = fleet.operations;
    for tenant in 0..fleet.tenants {
        let (least, more) = fleet.tenant;
        let amount = least + (number as u64 * 131 + tenant * 17) % more;
        record(&format!("tenant-{number}-{tenant}"), amount);
        left = left.saturating_sub(amount);
    }
    for n in 1..=40 {
        record(&format!("warm-{number}-{n}"), fleet.warm / n);
        left = left.saturating_sub(fleet.warm / n);
    }
    for (n, shares) in hot.iter().enumerate() {
        record(&hot_name(n), shares[number]);
        left = left.saturating_sub(shares[number]);
    }
    let mut random = Random(1 + number as u64);
    for _ in 0..left {
        detector.record_write("orders", random.below(fleet.partitions as usize).to_string()).unwrap();
    }
    detector
}
