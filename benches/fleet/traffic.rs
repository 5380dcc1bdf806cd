//! The traffic of one process of a fleet in a window.

use crate::Scale;
use crate::random::Random;
use hotpart::Operation::Write;
use hotpart::{Detector, Record};

/// Processes of the fleet.
pub const PROCESSES: usize = 50;
/// The demand in a window from which a partition is hot in the fleet: DynamoDB's limit, for sixty
/// seconds.
pub const THRESHOLD: u64 = 60_000;
/// Partitions that are hot in the fleet, and in no process.
pub const HOT: usize = 13;
/// Partitions of each process's own, which crowd its list: they stick to it.
const TENANTS: u64 = 120;
/// Partitions of each process's own that are warm: the first has so much, the n-th an n-th of it.
const WARM: u64 = 900;

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
pub fn hot(shares: Shares) -> Vec<[u64; PROCESSES]> {
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
        let parts: [f64; PROCESSES] = std::array::from_fn(|process| share(n, process, &mut unit));
        let sum: f64 = parts.iter().sum();
        parts.map(|part| (part / sum * total).ceil() as u64)
    };
    (0..HOT).map(spread).collect()
}

pub fn hot_name(n: usize) -> String {
    format!("hot-{n}")
}

/// A process in which all of a window has been recorded.
pub fn process(scale: &Scale, number: usize, hot: &[[u64; PROCESSES]]) -> Detector {
    let never = i64::MAX as u64;
    let detector =
        Detector::builder(never, never, 60).manual_clock().hash_seed([number as u64, 50]).build().unwrap();
    let record = |pk: &str, amount: u64| {
        if amount > 0 {
            detector.record(&Record::new("orders", pk, Write).amount(amount)).unwrap();
        }
    };
    let mut left = scale.operations;
    for tenant in 0..TENANTS {
        let amount = 1_300 + (number as u64 * 131 + tenant * 17) % 400;
        record(&format!("tenant-{number}-{tenant}"), amount);
        left = left.saturating_sub(amount);
    }
    for n in 1..=40 {
        record(&format!("warm-{number}-{n}"), WARM / n);
        left = left.saturating_sub(WARM / n);
    }
    for (n, shares) in hot.iter().enumerate() {
        record(&hot_name(n), shares[number]);
        left = left.saturating_sub(shares[number]);
    }
    let mut random = Random(1 + number as u64);
    for _ in 0..left {
        detector.record_write("orders", random.below(scale.partitions as usize).to_string()).unwrap();
    }
    detector
}
