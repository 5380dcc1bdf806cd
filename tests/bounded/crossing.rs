//! Threads record keys across their promotion and past the threshold: of each key's calls some
//! returns at least all records made, none returns less than had returned before it began, and one
//! warns.

use crate::common::{Random, THREADS, manual, race, stress};
use hotpart::{Bounds, Detector, Operation, Statistics};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

const WINDOW: u32 = 60;
const T: u64 = 64;

/// Keys, and what all threads know of them.
struct Keys {
    /// Records that were made, the greatest count that was returned, and warnings.
    made: Vec<AtomicU64>,
    returned: Vec<AtomicU64>,
    warned: Arc<Vec<AtomicU64>>,
}

fn zeros(n: usize) -> Vec<AtomicU64> {
    (0..n).map(|_| AtomicU64::new(0)).collect()
}

impl Keys {
    fn new(n: usize) -> Self {
        Self { made: zeros(n), returned: zeros(n), warned: Arc::new(zeros(n)) }
    }

    fn record(&self, detector: &Detector, key: usize, may_fall: bool) {
        let (made, returned) = (self.made[key].load(SeqCst), self.returned[key].load(SeqCst));
        let count = detector.record_write("t", key.to_le_bytes()).unwrap();
        assert!(count > made, "key {key}: returns {count}, where {made} were made before it began");
        assert!(may_fall || count >= returned, "key {key}: returns {count} after {returned}");
        self.made[key].fetch_add(1, SeqCst);
        self.returned[key].fetch_max(count, SeqCst);
    }

    fn check(&self, detector: &Detector, nothing_kept_out: bool) {
        for (key, made) in self.made.iter().map(|made| made.load(SeqCst)).enumerate() {
            let returned = self.returned[key].load(SeqCst);
            assert!(returned >= made, "key {key}: no call has returned all {made}, but one {returned}");
            let Bounds { least, most, .. } =
                detector.bounds("t", key.to_le_bytes(), Operation::Write).unwrap();
            assert!(least <= made && made <= most, "key {key}: {least} to {most}, where {made} were made");
            let warned = self.warned[key].load(SeqCst);
            assert!(made < T || warned > 0, "key {key}: {made} were made, and nobody told");
            assert!(warned <= 1 || !nothing_kept_out, "key {key} warns {warned} times");
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Crossing {
    memory: u64,
    keys: usize,
    /// Strangers for each record.
    strangers: usize,
    /// The clock moves, by less than a window in all.
    steps: bool,
    /// Whether counts are held against records alone, and not against counts that were returned.
    may_fall: bool,
}

impl Crossing {
    fn run(self, seed: u64) -> Statistics {
        let keys = Keys::new(self.keys);
        let warned = keys.warned.clone();
        let detector = manual(T, T, WINDOW)
            .hash_seed([seed, 7])
            .memory(self.memory)
            .on_warning(move |warning| {
                if warning.table == b"t" {
                    let key = u64::from_le_bytes(warning.pk.try_into().unwrap());
                    warned[key as usize].fetch_add(1, SeqCst);
                }
            })
            .build()
            .unwrap();
        // Sub-windows turn at 60 and at 90 s.
        let begin_ms = 40_000;
        detector.set_time_ms(begin_ms).unwrap();
        let rounds = T / THREADS as u64 + 1;
        race(|thread| {
            let mut random = Random(seed ^ (thread as u64) << 32);
            for round in 0..rounds {
                for i in 0..self.keys {
                    // Neighbours meet at the same keys.
                    keys.record(&detector, (i + thread % 2 * 7) % self.keys, self.may_fall);
                    for _ in 0..self.strangers {
                        let stranger = random.below(1 << 20).to_le_bytes();
                        detector.record_write("strangers", stranger).unwrap();
                    }
                    if self.steps && thread == 0 && i % 64 == 0 {
                        let done = round * self.keys as u64 + i as u64;
                        let all = rounds * self.keys as u64;
                        detector.set_time_ms(begin_ms + done * 59_000 / all).unwrap();
                    }
                }
            }
        });
        let statistics = detector.statistics();
        assert!(statistics.bytes <= self.memory, "{} bytes: {self:?}", statistics.bytes);
        keys.check(&detector, statistics.kept_out == 0);
        statistics
    }
}

fn crosses(rounds: usize, kinds: &[Crossing], check: impl Fn(&Crossing, Statistics)) {
    let (mut keys, mut promoted, mut kept_out) = (0, 0, 0);
    for round in 0..rounds {
        for (kind, crossing) in kinds.iter().enumerate() {
            let statistics = crossing.run((round * kinds.len() + kind) as u64);
            check(crossing, statistics);
            keys += crossing.keys;
            promoted += statistics.promoted;
            kept_out += statistics.kept_out;
        }
    }
    println!("{keys} keys, {promoted} promotions, {kept_out} records kept out");
}

const ROOMY: Crossing = Crossing { memory: 1 << 24, keys: 1_000, strangers: 0, steps: false, may_fall: true };
const CROWDED: Crossing = Crossing { memory: 1 << 16, ..ROOMY };

/// With room for all, each is promoted once and warns once.
#[test]
fn keys_that_cross_their_promotion_lose_nothing_and_warn_once() {
    let kinds = [ROOMY, Crossing { steps: true, ..ROOMY }, Crossing { strangers: 1, ..ROOMY }];
    crosses(stress(4), &kinds, |crossing, statistics| {
        assert_eq!(statistics.kept_out, 0, "{crossing:?}");
        assert!(statistics.promoted >= crossing.keys as u64, "{crossing:?}");
    });
}

/// Cells are crowded, by the keys themselves and by strangers, and most keys are kept out.
#[test]
fn keys_in_crowded_cells_lose_nothing() {
    let kinds = [
        CROWDED,
        Crossing { steps: true, ..CROWDED },
        Crossing { strangers: 3, ..CROWDED },
        Crossing { memory: 1 << 18, strangers: 1, steps: true, ..CROWDED },
    ];
    crosses(stress(3), &kinds, |_, _| {});
}

/// No count is returned that is less than one that was returned before it began: what was said of a
/// key is not taken back while nothing has left the window. That holds where there is room: a key
/// that is kept out has the bound that its cells give, others' records included, and has less again
/// once it gets an entry.
#[test]
fn counts_of_keys_that_cross_their_promotion_do_not_fall() {
    let kinds = [ROOMY, Crossing { steps: true, ..ROOMY }, Crossing { strangers: 1, steps: true, ..ROOMY }];
    crosses(stress(3), &kinds.map(|kind| Crossing { may_fall: false, ..kind }), |crossing, statistics| {
        assert_eq!(statistics.kept_out, 0, "{crossing:?}");
    });
}

/// A few keys, so that all threads promote the same one at once, over and over.
#[test]
fn threads_that_promote_one_key_at_once_lose_nothing() {
    let plain = Crossing { memory: 1 << 18, keys: 3, ..ROOMY };
    let kinds = [plain, Crossing { steps: true, ..plain }, Crossing { keys: 9, ..plain }];
    crosses(stress(150), &kinds, |crossing, statistics| {
        assert_eq!(statistics.kept_out, 0, "{crossing:?}");
    });
}

/// Clearing comes between records of keys that are promoted: what was recorded after the last
/// clear is counted, and what ended before it is not.
#[test]
fn clearing_keeps_a_record_or_forgets_it() {
    const CLEARS: u64 = 60;
    const KEYS: usize = 60;
    for memory in [1 << 16, 1 << 20] {
        let warned = Arc::new(Mutex::new(0_u64));
        let to = warned.clone();
        let detector = manual(200, 200, WINDOW)
            .memory(memory)
            .on_warning(move |_| *to.lock().unwrap() += 1)
            .build()
            .unwrap();
        let (begun, ended) = (AtomicU64::new(0), AtomicU64::new(0));
        let all = race(|thread| {
            // For each key, how many records must be counted and how many may be.
            let mut bounds = [(0_u64, 0_u64); KEYS];
            if thread == 0 {
                for _ in 0..CLEARS {
                    begun.fetch_add(1, SeqCst);
                    // Refused while another thread stands inside a call for too long: then nothing is
                    // forgotten.
                    while detector.clear().is_err() {}
                    ended.fetch_add(1, SeqCst);
                    std::thread::sleep(std::time::Duration::from_micros(500));
                }
                return bounds;
            }
            let mut random = Random(thread as u64);
            let mut after = stress(12_000);
            while after > 0 {
                let key = random.below(KEYS);
                let surely = ended.load(SeqCst) == CLEARS;
                detector.record_write("t", key.to_le_bytes()).unwrap();
                bounds[key].0 += u64::from(surely);
                bounds[key].1 += u64::from(begun.load(SeqCst) == CLEARS);
                after -= usize::from(surely);
            }
            bounds
        });
        for key in 0..KEYS {
            let surely = all.iter().map(|bounds| bounds[key].0).sum::<u64>();
            let perhaps = all.iter().map(|bounds| bounds[key].1).sum::<u64>();
            let Bounds { least, most, .. } =
                detector.bounds("t", key.to_le_bytes(), Operation::Write).unwrap();
            assert!(most >= surely, "key {key}: {most}, where {surely} were made after the last clear");
            assert!(least <= perhaps, "key {key}: {least} at least, where {perhaps} may be counted");
        }
        assert!(*warned.lock().unwrap() >= KEYS as u64, "all are hot in the end");
    }
}
