//! The window slides and leaps while threads record: partitions grow quiet, are demoted, and are
//! promoted again. Each count is held against what its moment allows at least, what is known to be
//! a partition's own against what it allows at most.

use crate::common::{Random, manual, stress};
use crate::spans::{Call, check};
use hotpart::{Detector, Operation, Record, Statistics, Thresholds};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

const KEYS: usize = 40;
const THREADS: usize = 3;
const T: u64 = 240;
/// How far the threads get at least before the clock goes on: two for each call.
const TICKETS: u64 = 24;

#[derive(Clone, Copy, Debug)]
struct Leaping {
    window: u32,
    interval: u32,
    memory: u64,
    /// Strangers for each record.
    strangers: usize,
    /// Whether some leaps are of hundreds of sub-windows.
    far: bool,
    ticks: usize,
}

/// A detector, and its clock as callers see it: it has reached one second, and maybe the other.
struct Watch {
    detector: Detector,
    reached: AtomicU32,
    announced: AtomicU32,
    tickets: AtomicU64,
    over: AtomicBool,
}

/// The counts that a thread has seen.
#[derive(Default)]
struct Seen {
    /// Records and gets, with the counts that were returned.
    counts: Vec<Call>,
    /// The same records without, and what was said to be a partition's own.
    own: Vec<Call>,
    /// Records that were warned about.
    warned: Vec<Call>,
}

impl Watch {
    fn set(&self, second: u32) {
        self.announced.store(second, SeqCst);
        self.detector.set_time_ms(u64::from(second) * 1_000).unwrap();
        self.reached.store(second, SeqCst);
    }

    fn log<T>(&self, key: usize, amount: u64, call: impl FnOnce() -> T) -> (Call, T) {
        // In this order: no call that ended before this one began has seen a later second.
        let (begin, before) = (self.tickets.fetch_add(1, SeqCst), self.reached.load(SeqCst));
        let returned = call();
        let (end, after) = (self.tickets.fetch_add(1, SeqCst), self.announced.load(SeqCst));
        let call = Call { series: key as u32, amount, count: None, tickets: [begin, end], before, after };
        (call, returned)
    }

    fn record(&self, key: usize, amount: u64, seen: &mut Seen) {
        let pk = key.to_le_bytes();
        let record = Record::new("t", &pk, Operation::Write).amount(amount);
        let (call, returned) = self.log(key, amount, || self.detector.record_and_warn(&record));
        let (count, warning) = returned.unwrap();
        seen.counts.push(Call { count: Some(count), ..call });
        seen.own.push(call);
        if let Some(warning) = warning {
            assert_eq!((warning.count, warning.threshold), (count, T), "{warning:?}");
            assert!(count >= T && warning.carried <= count, "{warning:?}");
            seen.warned.push(call);
            seen.own.push(Call { count: Some(count - warning.carried), amount: 0, ..call });
        }
    }

    fn get(&self, key: usize, seen: &mut Seen) {
        let pk = key.to_le_bytes();
        let (call, bounds) = self.log(key, 0, || self.detector.bounds("t", pk, Operation::Write));
        let bounds = bounds.unwrap();
        seen.counts.push(Call { count: Some(bounds.most), ..call });
        seen.own.push(Call { count: Some(bounds.least), ..call });
    }
}

impl Leaping {
    fn run(self, seed: u64) -> Statistics {
        let builder = manual(T, T, self.window).warning_interval_seconds(self.interval);
        let watch = &Watch {
            detector: builder.hash_seed([seed, 3]).memory(self.memory).build().unwrap(),
            reached: AtomicU32::new(0),
            announced: AtomicU32::new(0),
            tickets: AtomicU64::new(0),
            over: AtomicBool::new(false),
        };
        watch.set(1 + (seed % 50) as u32);
        let mut seconds = vec![watch.reached.load(SeqCst)];
        let (mut all, mut most_bytes) = (Seen::default(), 0);
        std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..THREADS).map(|n| scope.spawn(move || self.stand_by(watch, seed, n))).collect();
            let mut random = Random(seed);
            for _ in 0..self.ticks {
                let (ticked, tickets) = (Instant::now(), watch.tickets.load(SeqCst));
                while ticked.elapsed() < Duration::from_micros(60) {
                    std::hint::spin_loop();
                }
                // On a busy machine the threads may not have come to anything.
                while watch.tickets.load(SeqCst) < tickets + TICKETS
                    && !threads.iter().any(|thread| thread.is_finished())
                {
                    std::thread::yield_now();
                }
                let sub_window = self.window.div_ceil(2);
                let step = match random.below(128) {
                    0 => self.window + random.below(4) as u32,
                    1 | 2 => 1 + random.below(self.window as usize + 1) as u32,
                    3 if self.far => (510 + random.below(8) as u32) * sub_window,
                    4 if self.far => (1_020 + random.below(8) as u32) * sub_window,
                    _ => 1,
                };
                seconds.push(seconds.last().unwrap() + step);
                watch.set(*seconds.last().unwrap());
                most_bytes = most_bytes.max(watch.detector.statistics().bytes);
            }
            watch.over.store(true, SeqCst);
            for seen in threads.into_iter().map(|thread| thread.join().unwrap()) {
                all.counts.extend(seen.counts);
                all.own.extend(seen.own);
                all.warned.extend(seen.warned);
            }
        });
        assert!(most_bytes <= self.memory, "{most_bytes} bytes: {self:?}");
        let statistics = watch.detector.statistics();
        self.judge(&seconds, &all, &statistics);
        statistics
    }

    /// Records in bursts, of which each is of a quarter of the keys, until the clock stops.
    fn stand_by(self, watch: &Watch, seed: u64, n: usize) -> Seen {
        let mut random = Random(seed ^ (n as u64 + 1) << 32);
        let (mut seen, mut second, mut records) = (Seen::default(), 0, 0);
        while !watch.over.load(SeqCst) {
            if watch.reached.load(SeqCst) != second {
                (second, records) = (watch.reached.load(SeqCst), 0);
            }
            if records == 12 {
                watch.get(random.below(KEYS), &mut seen);
                std::thread::yield_now();
                continue;
            }
            records += 1;
            let burst = second / (self.window + self.window.div_ceil(2)).max(4) % 4;
            let amount = match self.window {
                0..4 => 1 + random.below(60) as u64,
                _ => 1 + random.below(12) as u64,
            };
            match random.below(40) {
                0 => watch.record(random.below(KEYS), 1, &mut seen),
                _ => watch.record(4 * random.below(KEYS / 4) + burst as usize, amount, &mut seen),
            }
            for _ in 0..self.strangers {
                let stranger = random.below(1 << 18).to_le_bytes();
                watch.detector.record_write("strangers", stranger).unwrap();
            }
        }
        seen
    }

    fn judge(&self, seconds: &[u32], seen: &Seen, statistics: &Statistics) {
        let mut counts = check(self.window, seconds, &seen.counts);
        // A count may be too high, and then lies where it likes.
        counts.low.retain(|violation| violation.call.count.unwrap() < violation.least);
        let low: Vec<_> = counts.low.iter().take(3).collect();
        assert!(low.is_empty(), "{} counts are too low: {self:?}, {low:#?}", counts.low.len());
        let own = check(self.window, seconds, &seen.own);
        let high: Vec<_> = own.high.iter().take(3).collect();
        assert!(high.is_empty(), "{} least are too high: {self:?}, {high:#?}", own.high.len());

        let is_hot = |call: &&Call| call.amount > 0 && call.count >= Some(T);
        let hot: Vec<_> = seen.counts.iter().filter(is_hot).collect();
        let apart = |first: &Call, second: &Call| {
            // Which of the two came first is not known.
            (second.after - first.before).max(first.after.saturating_sub(second.before))
        };
        for hot in hot {
            let of_key = seen.warned.iter().filter(|warned| warned.series == hot.series);
            let told = of_key
                .into_iter()
                .any(|warned| warned.before <= hot.after && warned.after + self.interval >= hot.before);
            assert!(told, "a hot record is late: {hot:?}, {self:?}");
        }
        if statistics.kept_out == 0 {
            let mut warned: Vec<_> = seen.warned.iter().collect();
            warned.sort_unstable_by_key(|call| (call.series, call.before));
            for pair in warned.windows(2).filter(|pair| pair[0].series == pair[1].series) {
                let apart = apart(pair[0], pair[1]);
                assert!(apart >= self.interval, "two warnings in an interval: {pair:?}, {self:?}");
            }
        }
    }
}

fn leaps(rounds: usize, kinds: &[Leaping], check: impl Fn(&Statistics)) {
    let mut sum = Statistics::default();
    for round in 0..rounds {
        for (kind, leaping) in kinds.iter().enumerate() {
            let statistics = leaping.run((round * kinds.len() + kind) as u64);
            sum.promoted += statistics.promoted;
            sum.demoted += statistics.demoted;
            sum.reclaimed += statistics.reclaimed;
            sum.kept_out += statistics.kept_out;
        }
    }
    let Statistics { promoted, demoted, reclaimed, kept_out, .. } = sum;
    println!("{promoted} promoted, {demoted} demoted, {reclaimed} reclaimed, {kept_out} kept out");
    check(&sum);
}

const PLAIN: Leaping =
    Leaping { window: 10, interval: 2, memory: 1 << 20, strangers: 0, far: false, ticks: 400 };

/// With room for all.
#[test]
fn partitions_that_are_demoted_and_promoted_again_lose_nothing() {
    let kind = |(window, interval)| Leaping { window, interval, ..PLAIN };
    leaps(stress(3), &[(10, 2), (3, 1), (60, 5)].map(kind), |sum| {
        assert!(sum.promoted > KEYS as u64 && sum.demoted > KEYS as u64, "{sum:?}");
        assert_eq!(sum.kept_out, 0);
    });
}

/// Cells are crowded, and not all that are due are promoted.
#[test]
fn crowded_cells_lose_nothing_while_time_leaps() {
    let kind = |(window, far)| Leaping { window, far, memory: 1 << 16, strangers: 3, ..PLAIN };
    leaps(stress(2), &[(10, false), (3, true), (60, false), (600, true)].map(kind), |_| {});
}

/// Also by more sub-windows than a cell can tell apart.
#[test]
fn leaps_beyond_what_a_cell_can_tell_lose_nothing() {
    let kind = |(window, strangers)| Leaping { window, strangers, far: true, ..PLAIN };
    leaps(stress(2), &[(1, 0), (2, 1), (3, 0), (10, 1)].map(kind), |_| {});
}

/// Two threads that set models at a time each remembered what was before its own change: what was
/// in force between the two was forgotten, and what was recorded by that was not carried over.
#[test]
fn what_models_allowed_between_two_changes_is_remembered() {
    let detector = &manual(100_000, 100_000, 1).memory(1 << 16).build().unwrap();
    let of = |writes| Thresholds { writes: Some(writes), reads: None };
    let mut random = Random(7);
    for round in 1..stress(300) as u64 {
        detector.set_model_thresholds("a", of(100)).unwrap();
        detector.set_model_thresholds("b", of(100_000)).unwrap();
        detector.set_time_ms(round * 10_000).unwrap();
        let key = round.to_le_bytes();
        let (this, other) = (random.below(150), random.below(150));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..this).for_each(|_| std::hint::spin_loop());
                detector.set_model_thresholds("b", of(4)).unwrap();
            });
            (0..other).for_each(|_| std::hint::spin_loop());
            detector.set_model_thresholds("a", Thresholds::default()).unwrap();
            detector.record(&Record::new("t", &key, Operation::Write).amount(20_000)).unwrap();
        });
        let count = detector.record_write("t", key).unwrap();
        assert!(count >= 20_001, "round {round}: {count}");
    }
}
