//! One partition with more and more operations in its window: the library beside a list of
//! timestamps, which is what the python package pydynox keeps for each key, behind a mutex.

use crate::Scale;
use crate::keys::{TABLE, pk};
use crate::lanes::HOTPART;
use crate::peers::Seeded;
use crate::recorder::{NEVER, WINDOW_SECONDS};
use crate::rounds::{Lane, Rounds};
use hotpart::Detector;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

pub const TIMESTAMPS: &str = "timestamp list";
pub const OPERATIONS: [usize; 5] = [10, 100, 1_000, 10_000, 60_000];

/// How many timestamps a round of the list looks at, more or less.
const SCANNED: usize = 6_000_000;

/// A list of timestamps for each key. A record scans its key's list once, which prunes it and tells
/// the count. (The package scans twice.)
struct Timestamps {
    lists: Mutex<HashMap<Box<[u8]>, Vec<Instant>, Seeded>>,
    start: Instant,
}

impl Timestamps {
    fn new(pk: &[u8]) -> Self {
        let lists = HashMap::from_iter([(pk.into(), Vec::new())]);
        // Later than any window, so that there are instants before it.
        Self { lists: Mutex::new(lists), start: Instant::now() + Duration::from_secs(3_600) }
    }

    fn record(&self, pk: &[u8], now_ms: u64) -> usize {
        let now = self.start + Duration::from_millis(now_ms);
        let left_window = now - Duration::from_secs(u64::from(WINDOW_SECONDS));
        let mut lists = self.lists.lock().unwrap();
        let list = lists.get_mut(pk).unwrap();
        list.retain(|timestamp| *timestamp > left_window);
        list.push(now);
        list.len()
    }
}

/// Records to one key in even steps of time, so that its window always holds so many operations.
pub fn run(scale: &Scale, operations: usize) -> Rounds {
    let step_ms = u64::from(WINDOW_SECONDS) * 1000 / operations as u64;
    let pk = pk(42);
    let timestamps = Timestamps::new(&pk);
    let detector = Detector::builder(NEVER, NEVER, WINDOW_SECONDS).manual_clock().build().unwrap();

    let mut list_ms = 0;
    let mut record_in_list = |n: usize| {
        time(n, || {
            list_ms += step_ms;
            black_box(timestamps.record(black_box(&pk), list_ms));
        })
    };
    let mut detector_ms = 0;
    let mut record = |n: usize| {
        time(n, || {
            detector_ms += step_ms;
            detector.set_time_ms(detector_ms).unwrap();
            black_box(detector.record_write(black_box(TABLE), black_box(&pk)).unwrap());
        })
    };
    record_in_list(operations);
    record(operations);
    let scanned = if scale.quick { SCANNED / 100 } else { SCANNED };
    let few = (scanned / operations).clamp(10, scale.records);
    let lanes = vec![
        Lane::new(TIMESTAMPS, || record_in_list(few)),
        Lane::new(HOTPART, || record(scale.records / 10)),
    ];
    Rounds::run(lanes, scale.rounds)
}

/// Nanoseconds for each of n calls.
fn time(n: usize, mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..n).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / n as f64
}
