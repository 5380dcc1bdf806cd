//! Two threads at once. What they cost means something only where the second core is there to be
//! used, and a virtual machine's may not be: each round lies between two runs of a control that
//! shares nothing.

use crate::Scale;
use crate::abi::{CCaller, Library};
use crate::bounded::{C_BOUNDED, FILTER_BYTES};
use crate::lanes::{C, DASHMAP, PAPAYA};
use crate::patience::Patience;
use crate::peers::{Dashmap, Papaya};
use crate::recorder::{Map, Recorder};
use crate::rounds::{Lane, Rounds, Spread};
use crate::workload::Workload;
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

/// Two threads on so many partitions: wall-clock time over all records of both.
pub struct Pair {
    pub partitions: usize,
    /// The sound ones; if none was, the others.
    pub rounds: Rounds,
    /// The speed-up of the control in these rounds.
    pub control: Spread,
    /// How many were sound, how many not, and whether it gave up.
    pub patience: Patience,
}

impl Pair {
    pub fn run(scale: &Scale, partitions: usize, library: &Library) -> Self {
        let workloads = [1, 2].map(|seed| Workload::new(partitions, scale.records, seed));
        let caller = CCaller::holding(library, &workloads[0]);
        Self::beside(scale, &workloads, (C, &caller))
    }

    /// With a filter, and keys that stay cold.
    pub fn bounded(scale: &Scale, partitions: usize, library: &Library) -> Self {
        let workloads = [1, 2].map(|seed| Workload::new(partitions, scale.records, seed));
        let caller = CCaller::bounded(library, &workloads[0], FILTER_BYTES);
        let own = Self::beside(scale, &workloads, (C_BOUNDED, &caller));
        caller.assert_cold();
        own
    }

    fn beside(
        scale: &Scale,
        workloads: &[Workload; 2],
        (name, caller): (&'static str, &CCaller<'_>),
    ) -> Self {
        let dashmap = Dashmap::holding(&workloads[0]);
        let papaya = Papaya::holding(&workloads[0]);
        let lanes = vec![
            lane(DASHMAP, workloads, |workload| workload.time(|pk| dashmap.record(pk))),
            lane(PAPAYA, workloads, |workload| workload.time(|pk| papaya.record(pk))),
            lane(name, workloads, |workload| workload.time_sums(|pks| caller.record(pks))),
        ];
        Self::rounds(scale, workloads[0].partitions, lanes)
    }

    fn rounds(scale: &Scale, partitions: usize, mut lanes: Vec<Lane<'_>>) -> Self {
        let mut patience = Patience::new(scale.rounds, scale.patience);
        let (mut sound, mut poor) = (Rounds::new(&lanes), Rounds::new(&lanes));
        let (mut sound_controls, mut poor_controls) = (Vec::new(), Vec::new());
        let start = Instant::now();
        while patience.another() {
            let before = speed_up(scale.records);
            let costs = Rounds::round(&mut lanes);
            let control = before.min(speed_up(scale.records));
            let (rounds, controls) = if patience.note(control, start.elapsed()) {
                (&mut sound, &mut sound_controls)
            } else {
                (&mut poor, &mut poor_controls)
            };
            rounds.push(costs);
            controls.push(control);
        }
        let (rounds, controls) =
            if patience.sound() > 0 { (sound, sound_controls) } else { (poor, poor_controls) };
        Self { partitions, rounds, control: Spread::of(controls), patience }
    }
}

/// Both threads run `pass`, each over visits of its own.
fn lane<'a>(
    name: &'static str,
    workloads: &'a [Workload; 2],
    pass: impl Fn(&Workload) -> f64 + Sync + 'a,
) -> Lane<'a> {
    Lane::new(name, move || {
        let seconds = wall_seconds(workloads.each_ref().map(|workload| || _ = pass(workload)));
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

/// Runs each on a thread of its own, all at once; seconds from the first one's start to the last
/// one's end.
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
