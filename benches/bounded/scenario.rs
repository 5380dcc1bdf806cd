//! The scenarios: traffic, thresholds, and the detectors that are beside each other on it.

use crate::design::{Design, promotion};
use crate::planted::{Course, Planted};
use crate::traffic::{Plan, Source, Spread};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

pub struct Scenario {
    pub name: String,
    pub window: u32,
    /// Of writes and of reads.
    pub threshold: u64,
    pub source: Source,
    pub designs: Vec<Design>,
}

/// The parts that most scenarios have in common.
struct Base {
    partitions: usize,
    /// How many partitions climb slowly to 1.1 times the threshold. As many stay at 0.7 times of
    /// it.
    planted: usize,
}

impl Base {
    /// Two and a half windows of traffic, or so many seconds.
    fn scenario(
        &self,
        name: &str,
        (spread, rate): (Spread, usize),
        (window, threshold, seconds): (u32, u64, u32),
        designs: impl Into<Vec<Design>>,
    ) -> Scenario {
        let at = |share: f64, course| {
            let peak = share * threshold as f64;
            Planted { partitions: self.planted, peak, course }
        };
        let plan = Plan {
            spread,
            partitions: self.partitions,
            rate,
            seconds: seconds.max(window * 5 / 2),
            planted: vec![at(1.1, Course::Climbs), at(0.7, Course::Stays)],
        };
        let designs = designs.into();
        Scenario { name: name.into(), window, threshold, source: Source::Made(plan), designs }
    }
}

impl Scenario {
    /// With so many partitions more, that stay just below the count from which one is counted
    /// exactly.
    fn with_medium(self, partitions: usize) -> Self {
        let peak = 0.9 * promotion(self.threshold) as f64;
        self.with(Planted { partitions, peak, course: Course::Stays })
    }

    /// With a crowd of so many partitions that fills the table and then leaves, beside others that
    /// have long been hot when it makes room for them.
    fn with_crowd(self, partitions: usize) -> Self {
        let threshold = self.threshold as f64;
        let crowd = Planted { partitions, peak: 0.9 * threshold, course: Course::Leaves };
        let hot = Planted { partitions: partitions / 20, peak: 4.0 * threshold, course: Course::Climbs };
        self.with(crowd).with(hot)
    }

    fn with(mut self, planted: Planted) -> Self {
        if let Source::Made(plan) = &mut self.source {
            plan.planted.push(planted);
        }
        self
    }
}

/// Ten million partitions.
pub fn full() -> Vec<Scenario> {
    use Design::{Bound, Exact};
    use Spread::{Uniform, Zipf};
    let base = Base { partitions: 10_000_000, planted: 64 };
    let (filter, small) = (Design::filter, Design::small);
    vec![
        base.scenario(
            "uniform, 20,000/s",
            (Uniform, 20_000),
            (60, 500, 0),
            [filter(2 * MIB), Bound(8_192), Exact],
        ),
        base.scenario(
            "uniform, 100,000/s",
            (Uniform, 100_000),
            (60, 500, 0),
            [filter(8 * MIB), small(MIB), Bound(8_192), Exact],
        ),
        base.scenario("Zipf 1.0, 5,000/s", (Zipf, 5_000), (60, 500, 0), [filter(MIB), Exact]),
        base.scenario(
            "Zipf 1.0, 20,000/s",
            (Zipf, 20_000),
            (60, 500, 0),
            [filter(4 * MIB), small(2 * MIB), Bound(8_192), Bound(1_000), Exact],
        ),
        base.scenario(
            "Zipf 1.0, 100,000/s",
            (Zipf, 100_000),
            (60, 500, 0),
            [filter(16 * MIB), small(MIB), Bound(8_192), Exact],
        ),
        base.scenario(
            "3,000 at 0.9 P, 20,000/s",
            (Uniform, 20_000),
            (60, 500, 0),
            [filter(8 * MIB), small(4 * MIB), Bound(8_192), Exact],
        )
        .with_medium(3_000),
        base.scenario(
            "a crowd that leaves, 5,000/s",
            (Uniform, 5_000),
            (60, 500, 360),
            [filter(4 * MIB), small(MIB), Bound(1_000), Exact],
        )
        .with_crowd(1_000),
        base.scenario(
            "uniform, 100,000/s",
            (Uniform, 100_000),
            (1, 100, 20),
            [filter(2 * MIB), Bound(8_192), Exact],
        ),
        base.scenario(
            "uniform, 50,000/s",
            (Uniform, 50_000),
            (3, 150, 30),
            [filter(MIB), Bound(8_192), Exact],
        ),
        base.scenario(
            "uniform, 1,000/s",
            (Uniform, 1_000),
            (3_600, 5_000, 0),
            [filter(16 * MIB), Bound(8_192), Exact],
        ),
    ]
}

/// A few hundred thousand partitions, windows of seconds.
pub fn quick() -> Vec<Scenario> {
    use Design::{Bound, Exact};
    use Spread::{Uniform, Zipf};
    let base = Base { partitions: 300_000, planted: 16 };
    let (filter, small) = (Design::filter, Design::small);
    vec![
        base.scenario(
            "uniform, 5,000/s",
            (Uniform, 5_000),
            (10, 100, 0),
            [filter(512 * KIB), small(64 * KIB), Bound(500), Exact],
        ),
        base.scenario(
            "Zipf 1.0, 5,000/s",
            (Zipf, 5_000),
            (10, 100, 0),
            [filter(MIB), small(64 * KIB), Bound(500), Exact],
        ),
        base.scenario(
            "500 at 0.9 P, 5,000/s",
            (Uniform, 5_000),
            (10, 100, 0),
            [filter(MIB), small(64 * KIB), Exact],
        )
        .with_medium(500),
        base.scenario(
            "a crowd that leaves, 5,000/s",
            (Uniform, 5_000),
            (10, 100, 60),
            [filter(MIB), small(64 * KIB), Exact],
        )
        .with_crowd(400),
        base.scenario("uniform, 20,000/s", (Uniform, 20_000), (1, 50, 10), [filter(512 * KIB), Exact]),
        base.scenario("uniform, 100/s", (Uniform, 100), (600, 500, 0), [filter(1024 * KIB), Exact]),
    ]
}
