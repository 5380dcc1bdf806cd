//! The latency of each record while the map grows from nothing, beside dashmap's inserts, and while
//! what has become idle is reclaimed. Runs in a child.

use crate::child::{self, Results};
use crate::keys::pk;
use crate::peers::Dashmap;
use crate::recorder::{Hotpart, Map, NEVER, WINDOW_SECONDS};
use hdrhistogram::Histogram;
use std::time::Instant;

/// Longer ones would count as this.
const LONGEST_NS: u64 = 60_000_000_000;
const MEASURE: &str = "growth";
/// Contenders take turns after so many records.
const CHUNK: usize = 10_000;
/// How many records a millisecond of the manual clock sees during reclaim.
const TRAFFIC: u64 = 10;
/// How often it is asked whether all is reclaimed.
const LOOK_MS: u64 = 500;
const WINDOW_MS: u64 = WINDOW_SECONDS as u64 * 1000;

const GROWTH: &str = "growth";
const DASHMAP: &str = "dashmap";
const RECLAIM: &str = "reclaim";
const TIMER: &str = "timer";
const LEFT: &str = "left";

pub const PERCENTILES: [f64; 5] = [50.0, 99.0, 99.9, 99.99, 99.999];

/// How many the map grows to.
pub fn partitions(quick: bool) -> usize {
    if quick { 100_000 } else { 10_000_000 }
}

/// Nanoseconds.
pub struct Latencies {
    pub percentiles: Vec<i64>,
    pub max: i64,
    pub records: i64,
}

pub struct Growth(Results);

impl Growth {
    pub fn run(quick: bool) -> Self {
        Self(child::run(MEASURE, quick))
    }

    pub fn hotpart(&self) -> Latencies {
        self.latencies(GROWTH)
    }

    pub fn dashmap(&self) -> Latencies {
        self.latencies(DASHMAP)
    }

    pub fn reclaim(&self) -> Latencies {
        self.latencies(RECLAIM)
    }

    /// The time of reading the clock twice, which is in every figure.
    pub fn timer(&self) -> i64 {
        self.0[TIMER][0]
    }

    /// Partitions that were still there when the reclaim ended.
    pub fn left(&self) -> i64 {
        self.0[LEFT][0]
    }

    fn latencies(&self, name: &str) -> Latencies {
        let [percentiles @ .., max, records] = &self.0[name][..] else { panic!("{name}: too few numbers") };
        Latencies { percentiles: percentiles.into(), max: *max, records: *records }
    }
}

/// In a child: runs the measure, if this is its name.
pub fn run_in_child(name: &str, quick: bool) {
    if name == MEASURE {
        measure(partitions(quick));
        child::exit();
    }
}

/// The latencies of single calls.
struct Stopwatch(Histogram<u64>);

impl Stopwatch {
    fn new() -> Self {
        Self(Histogram::new_with_max(LONGEST_NS, 3).unwrap())
    }

    fn time(&mut self, call: impl FnOnce()) {
        let start = Instant::now();
        call();
        self.0.saturating_record(start.elapsed().as_nanos() as u64);
    }

    fn print(&self, name: &str) {
        let percentiles = PERCENTILES.map(|percentile| self.0.value_at_percentile(percentile));
        let numbers = percentiles.into_iter().chain([self.0.max(), self.0.len()]).map(|ns| ns as i64);
        child::print(name, &numbers.collect::<Vec<_>>());
    }
}

fn measure(partitions: usize) {
    let mut timer = Stopwatch::new();
    (0..CHUNK).for_each(|_| timer.time(|| ()));
    timer.print(TIMER);

    let hotpart = Hotpart::manual(NEVER);
    let dashmap = Dashmap::default();
    grow(&hotpart, &dashmap, partitions);
    reclaim(&hotpart);
    child::print(LEFT, &[hotpart.detector.statistics().partitions as i64]);
    std::mem::forget((hotpart, dashmap));
}

fn grow(hotpart: &Hotpart, dashmap: &Dashmap, partitions: usize) {
    let (mut ours, mut theirs) = (Stopwatch::new(), Stopwatch::new());
    let start = Instant::now();
    for chunk in (0..partitions).step_by(CHUNK) {
        let pks = (chunk..partitions.min(chunk + CHUNK)).map(pk);
        // The time that passes, so that the table is swept as it is in earnest; but nothing becomes
        // idle yet.
        hotpart.detector.set_time_ms((start.elapsed().as_millis() as u64).min(WINDOW_MS - 1)).unwrap();
        pks.clone().for_each(|pk| ours.time(|| hotpart.insert(&pk)));
        pks.for_each(|pk| theirs.time(|| dashmap.insert(&pk)));
    }
    ours.print(GROWTH);
    theirs.print(DASHMAP);
}

/// Records to one key, after all others have become idle, until they are gone or three windows are
/// over.
fn reclaim(hotpart: &Hotpart) {
    let mut stopwatch = Stopwatch::new();
    for ms in 0..3 * WINDOW_MS {
        hotpart.detector.set_time_ms(2 * WINDOW_MS + 1000 + ms).unwrap();
        for _ in 0..TRAFFIC {
            stopwatch.time(|| hotpart.insert(b"the one"));
        }
        // Seldom: it walks the table.
        if ms % LOOK_MS == 0 && hotpart.detector.statistics().partitions == 1 {
            break;
        }
    }
    stopwatch.print(RECLAIM);
}
