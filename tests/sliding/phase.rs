//! A phase: one detector, on which threads record and get for some hundred seconds of its clock,
//! while its segments are replaced and the threads stalled.
//!
//! ```text
//! conductor   second 1 | second 2 | second 3 | ...   moves the clock; in each second it
//!             records each hot series, and has segments replaced
//! bystanders  record, get and insert at random, and are stalled at random
//! ```
//!
//! The conductor makes everything happen that goes wrong under a thread that stands still: a
//! segment is replaced, and the copy's heads turn. It does so alone, at some microseconds a second
//! of the clock, so that a bystander that is stalled, or loses its core, wakes up some seconds
//! later, on however busy a machine.

use crate::common::{Random, manual};
use crate::oracle::Call;
use crate::stall::Stall;
use crate::watch::{Heard, Keys, Log, Watch, series};
use hotpart::{Operation, Statistics, Thresholds};
use std::ops::RangeInclusive;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

/// How segments come to be replaced.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Churn {
    /// By few keys with a warning state: one that is idle when it is recorded again begins anew,
    /// which replaces its segment at once.
    Anew,
    /// By many keys, of which some come all at once and split segments.
    Splits,
    /// By new keys at a bound on partitions: each makes another go, and soon the segment has no
    /// free cell left. The hot ones are never the quietest, so nothing of theirs may be missing.
    Bound,
}

#[derive(Clone, Debug)]
pub struct Phase {
    pub window: u32,
    /// The clock moves by so many seconds, seldom by twice as many. If they divide the window and
    /// one second more, what is recorded next takes the place of what leaves the window.
    pub step: u32,
    /// It also leaps over a window now and then.
    pub leaps: bool,
    /// Partitions that all threads share.
    pub hot: usize,
    pub churn: Churn,
    /// Amounts are 1 or of the first range, and seldom of the second.
    pub amounts: [RangeInclusive<u64>; 2],
    /// If there is one, every record of a hot partition asks for its warning, and a partition warns
    /// once in as many seconds.
    pub warns: Option<(u64, u32)>,
    /// How long a second of the clock takes at least, in microseconds.
    pub tick_us: u64,
    /// For how many microseconds bystanders are stalled.
    pub stalls_us: RangeInclusive<usize>,
    pub ticks: usize,
}

const BYSTANDERS: usize = 3;

/// Records that a bystander makes in one second of the clock, at most.
const RECORDS: u32 = 12;

/// Results of a phase, to be checked.
#[derive(Default)]
pub struct Outcome {
    pub calls: Vec<Call>,
    /// The clock's times.
    pub seconds: Vec<u32>,
    pub warnings: Vec<Heard>,
    pub stalls: u64,
    pub statistics: Statistics,
}

impl Outcome {
    fn add(&mut self, player: Player<'_>) {
        self.calls.extend(player.log.calls);
        self.warnings.extend(player.log.warnings);
        self.seconds.extend(player.seconds);
    }
}

impl Phase {
    /// Runs all threads, and logs all calls.
    pub fn run(&self, seed: u64) -> Outcome {
        let bound = if self.churn == Churn::Bound { self.hot as u64 + 3 } else { 0 };
        let (threshold, interval) = self.warns.unwrap_or((i64::MAX as u64, self.window));
        let detector = manual(threshold, threshold, self.window)
            .warning_interval_seconds(interval)
            .max_partitions(bound)
            .build()
            .unwrap();
        if self.churn == Churn::Anew {
            let at_once = Thresholds { writes: Some(1), reads: Some(1) };
            detector.set_table_thresholds("churn", at_once).unwrap();
        }
        let mut random = Random(seed);
        // Not all windows begin at 0.
        let begin = 1 + random.below(2 * self.window as usize) as u32;
        let watch = &Watch::new(detector, begin);
        let keys = &Keys::new(self.hot, (BYSTANDERS + 1) * self.churned());
        let player = |n: usize| Player {
            phase: self,
            watch,
            log: Log::new(watch, keys),
            random: Random(seed ^ (n as u64 + 1) << 32),
            first_key: self.hot + n * self.churned(),
            recorded: vec![0; self.churned()],
            next: 0,
            seconds: Vec::new(),
        };
        let mut outcome = Outcome { seconds: vec![begin], ..Outcome::default() };
        let mut first = player(BYSTANDERS);
        // From now on no hot partition is the quietest.
        (0..2 * self.hot).for_each(|series| first.log.record_amount(series as u32, 100));
        outcome.add(first);
        std::thread::scope(|scope| {
            let stand_by = |n| {
                let mut bystander = player(n);
                scope.spawn(move || {
                    let stalls = bystander.stand_by();
                    (bystander, stalls)
                })
            };
            let bystanders: Vec<_> = (0..BYSTANDERS).map(stand_by).collect();
            let mut conductor = player(BYSTANDERS);
            let conducted = scope.spawn(move || {
                conductor.conduct();
                conductor
            });
            let conducted = conducted.join();
            // Whatever came of it, or the others would never end.
            watch.over.store(true, SeqCst);
            outcome.add(conducted.unwrap());
            for (bystander, stalls) in bystanders.into_iter().map(|thread| thread.join().unwrap()) {
                outcome.add(bystander);
                outcome.stalls += stalls;
            }
        });
        let mut last = player(BYSTANDERS);
        last.drain();
        outcome.add(last);
        outcome.seconds.dedup();
        outcome.statistics = watch.detector.statistics();
        outcome
    }

    /// How many keys each thread has to itself, which come and go.
    fn churned(&self) -> usize {
        match self.churn {
            Churn::Anew => 16,
            Churn::Splits => 500,
            Churn::Bound => 64,
        }
    }
}

/// One of the threads.
struct Player<'p> {
    phase: &'p Phase,
    watch: &'p Watch,
    log: Log<'p>,
    random: Random,
    /// Of the keys that are this thread's alone: the first one, when each was recorded, and which
    /// is next.
    first_key: usize,
    recorded: Vec<u32>,
    next: usize,
    /// The seconds to which this thread has moved the clock.
    seconds: Vec<u32>,
}

impl Player<'_> {
    fn one_in(&mut self, n: usize) -> bool {
        self.random.below(n) == 0
    }

    fn set(&mut self, second: u32) {
        self.watch.set(second);
        self.seconds.push(second);
    }

    fn amount(&mut self) -> u64 {
        let range = self.phase.amounts[usize::from(self.one_in(16))].clone();
        range.start() + self.random.below((range.end() - range.start()) as usize + 1) as u64
    }

    fn hot_series(&mut self) -> u32 {
        self.random.below(2 * self.phase.hot) as u32
    }

    /// Records in a hot series, in one way or another.
    fn record(&mut self, series: u32) {
        if self.phase.warns.is_some() {
            let amount = self.amount();
            return self.log.record_and_warn(series, amount);
        }
        match self.random.below(8) {
            0..=2 => self.log.record(series),
            3 => self.log.record_prepared(series),
            4 => {
                let mut pick = |series| (series, self.amount());
                let amounts = [pick(series), pick(series ^ 1), pick(series)];
                self.log.record_batch(&amounts);
            }
            _ => {
                let amount = self.amount();
                self.log.record_amount(series, amount);
            }
        }
    }

    /// Records a key that is new, or has become idle; or none, if there is none.
    fn churn(&mut self) {
        let second = self.watch.second();
        let waited =
            self.phase.churn == Churn::Bound || self.recorded[self.next] + self.phase.window < second;
        if waited {
            self.recorded[self.next] = second;
            let operation = Operation::ALL[self.random.below(2)];
            self.log.record(series(self.first_key + self.next, operation));
            self.next = (self.next + 1) % self.recorded.len();
        }
    }

    /// Makes a few calls, in the midst of which it is stalled, until the clock stops. Returns how
    /// often it was stalled.
    fn stand_by(&mut self) -> u64 {
        let stall = Stall::new(self.phase.stalls_us.clone());
        // Few records a second, whatever it takes: so no slot is ever full.
        let (mut second, mut records) = (0, 0);
        while !self.watch.over.load(SeqCst) {
            if self.watch.second() != second {
                (second, records) = (self.watch.second(), 0);
            }
            stall.soon(3_000, &mut self.random);
            for _ in 0..8 {
                let series = self.hot_series();
                match self.random.below(16) {
                    0 => self.churn(),
                    1..=8 if records < RECORDS => {
                        records += 1;
                        self.record(series);
                    }
                    _ => self.log.get(series),
                }
            }
        }
        stall.stalls()
    }

    fn conduct(&mut self) {
        let Phase { window, churn, .. } = *self.phase;
        for _ in 0..self.phase.ticks {
            let ticked = Instant::now();
            if churn == Churn::Splits && self.one_in(128) {
                (0..64).for_each(|_| self.churn());
            }
            let first = self.hot_series();
            for i in 0..2 * self.phase.hot as u32 {
                (0..3).for_each(|_| self.churn());
                let series = (first + i) % (2 * self.phase.hot as u32);
                if self.one_in(4) {
                    self.log.get(series);
                }
                self.record(series);
            }
            while ticked.elapsed() < Duration::from_micros(self.phase.tick_us) {
                std::hint::spin_loop();
            }
            let step = match self.random.below(128) {
                0 if self.phase.leaps => 1 + window + self.random.below(3) as u32,
                1 if self.phase.leaps => 1 + self.random.below(window as usize + 1) as u32,
                2..=8 => 2 * self.phase.step,
                _ => self.phase.step,
            };
            self.set(self.watch.second() + step);
        }
    }

    /// Gets every hot count, step by step, until all that was recorded has left the window. No
    /// other call is under way, so the bounds are as narrow as they get, and 0 in the end.
    fn drain(&mut self) {
        if let Some((threshold, interval)) = self.phase.warns {
            // Tells all that is suppressed.
            self.set(self.watch.second() + interval);
            (0..2 * self.phase.hot).for_each(|series| self.log.record_and_warn(series as u32, threshold));
        }
        let last = self.watch.second() + self.phase.window + 1;
        for second in (self.watch.second()..=last).step_by(self.phase.step as usize).chain([last]) {
            self.set(second);
            (0..2 * self.phase.hot).for_each(|series| self.log.get(series as u32));
        }
    }
}
