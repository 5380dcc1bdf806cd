//! Two threads at once. What they cost means something only where the second core is there to be used, and
//! a virtual machine's may not be: each round lies between two runs of a control that shares nothing.

use crate::Scale;
use crate::lanes::{DASHMAP, HOTPART, PAPAYA};
use crate::peers::{Dashmap, Papaya};
use crate::recorder::{Hotpart, Map, Recorder};
use crate::rounds::{Lane, Rounds, Spread};
use crate::workload::Workload;
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// What two threads' private work must speed up by for a round to count.
pub const SPEED_UP_MIN: f64 = 1.7;
/// Rounds are repeated until there are enough good ones, or so many bad ones.
const PATIENCE: usize = 5;

/// Two threads on so many partitions: wall-clock time over all records of both.
pub struct Pair {
    pub partitions: usize,
    pub rounds: Rounds,
    /// How many rounds were thrown away.
    pub rejected: usize,
    /// What the control sped up by in the rounds that are reported.
    pub control: Spread,
    /// Whether those are the good ones; else the second core was never there.
    pub sound: bool,
}

impl Pair {
    pub fn run(scale: &Scale, partitions: usize) -> Self {
        let workloads = [1, 2].map(|seed| Workload::new(partitions, scale.records, seed));
        let dashmap = Dashmap::holding(&workloads[0]);
        let papaya = Papaya::holding(&workloads[0]);
        let hotpart = Hotpart::holding(&workloads[0]);
        let lanes = vec![
            lane(DASHMAP, &dashmap, &workloads),
            lane(PAPAYA, &papaya, &workloads),
            lane(HOTPART, &hotpart, &workloads),
        ];
        Self::rounds(scale, partitions, lanes)
    }

    fn rounds(scale: &Scale, partitions: usize, mut lanes: Vec<Lane<'_>>) -> Self {
        let (mut good, mut poor) = (Rounds::new(&lanes), Rounds::new(&lanes));
        let (mut good_controls, mut poor_controls) = (Vec::new(), Vec::new());
        while good.len() < scale.rounds && poor.len() < PATIENCE {
            let before = speed_up(scale.records);
            let costs = Rounds::round(&mut lanes);
            let control = before.min(speed_up(scale.records));
            let (rounds, controls) = if control >= SPEED_UP_MIN {
                (&mut good, &mut good_controls)
            } else {
                (&mut poor, &mut poor_controls)
            };
            rounds.push(costs);
            controls.push(control);
        }
        let sound = good.len() == scale.rounds;
        // A few good rounds are better than many poor ones.
        let (rounds, controls, rejected) =
            if good.len() > 0 { (good, good_controls, poor.len()) } else { (poor, poor_controls, 0) };
        Self { partitions, rounds, rejected, control: Spread::of(controls), sound }
    }
}

fn lane<'a>(
    name: &'static str,
    recorder: &'a (impl Recorder + Sync),
    workloads: &'a [Workload; 2],
) -> Lane<'a> {
    Lane::new(name, || {
        let seconds = wall_seconds(workloads.each_ref().map(|workload| {
            || {
                workload.time(|pk| recorder.record(pk));
            }
        }));
        seconds * 1e9 / workloads.iter().map(Workload::records).sum::<usize>() as f64
    })
}

/// By how much two threads are faster than one at work that they don't share.
fn speed_up(records: usize) -> f64 {
    let work = || {
        let mut state = 1_u64;
        for _ in 0..10 * records {
            state = black_box(state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        }
    };
    2.0 * wall_seconds([work]) / wall_seconds([work, work])
}

/// Runs each on a thread of its own, all at once; seconds from the first one's start to the last one's end.
fn wall_seconds<const N: usize>(works: [impl FnOnce() + Send; N]) -> f64 {
    let barrier = &Barrier::new(N);
    let spans = std::thread::scope(|scope| {
        let threads = works.map(|work| {
            scope.spawn(move || {
                barrier.wait();
                let start = Instant::now();
                work();
                (start, Instant::now())
            })
        });
        threads.map(|thread| thread.join().unwrap())
    });
    let first = spans.iter().map(|(start, _)| *start).min().unwrap();
    let last = spans.iter().map(|(_, end)| *end).max().unwrap();
    (last - first).as_secs_f64()
}
