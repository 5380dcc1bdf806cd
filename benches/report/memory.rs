//! Memory that partitions take, and that they leave behind. Each measure runs in a child of its
//! own.

use crate::child::{self, Results};
use crate::heap;
use crate::keys::{TABLE, pk};
use crate::peers::Dashmap;
use crate::random::Random;
use crate::recorder::{Hotpart, Map, NEVER, WINDOW_SECONDS};

const WINDOW_MS: u64 = WINDOW_SECONDS as u64 * 1000;
/// How many records a millisecond of the manual clock sees while others are idle.
const TRAFFIC: u64 = 10;
/// How many detectors are averaged to weigh an empty one.
const EMPTY: usize = 100;
/// One in so many partitions survives.
pub const SURVIVOR: usize = 100;
/// Survivors are recorded this often.
const SURVIVOR_MS: u64 = 50_000;

/// A measure: its name, how many partitions it takes, in how many seconds they are seen.
#[derive(Clone, Copy)]
pub struct Measure {
    pub name: &'static str,
    pub partitions: usize,
    run: fn(&Measure),
}

pub const DASHMAP_ONCE: &str = "dashmap-once";
pub const ONCE: &str = "once";
pub const EIGHT: &str = "8-seconds";
pub const SIXTEEN: &str = "16-seconds";
pub const THIRTY_TWO: &str = "32-seconds";
pub const HOT: &str = "hot";
pub const EMPTY_DETECTOR: &str = "empty";
pub const IDLE: &str = "idle";
pub const SURVIVORS: &str = "survivors";

/// The measures; `many`, `some` and `few` partitions.
pub fn measures(quick: bool) -> [Measure; 9] {
    let [many, some, few] = if quick { [20_000, 5_000, 1_000] } else { [1_000_000, 100_000, 10_000] };
    let measure = |name, partitions, run| Measure { name, partitions, run };
    [
        measure(EMPTY_DETECTOR, EMPTY, |_| weigh_empty()),
        measure(DASHMAP_ONCE, many, |measure| weigh_dashmap(measure.partitions)),
        measure(ONCE, many, |measure| weigh(measure.partitions, 1)),
        measure(EIGHT, many, |measure| weigh(measure.partitions, 8)),
        measure(SIXTEEN, some, |measure| weigh(measure.partitions, 16)),
        measure(THIRTY_TWO, some, |measure| weigh(measure.partitions, 32)),
        measure(HOT, few, |measure| weigh_hot(measure.partitions)),
        measure(IDLE, many, |measure| weigh_idle(measure.partitions, false)),
        measure(SURVIVORS, many, |measure| weigh_idle(measure.partitions, true)),
    ]
}

/// Bytes, as the allocator was asked for them and as the kernel sees them.
#[derive(Clone, Copy)]
pub struct Bytes {
    pub heap: i64,
    pub resident: i64,
}

impl Bytes {
    fn now() -> Self {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        let kib: i64 = line.trim().trim_end_matches(" kB").parse().expect("VmRSS in kB");
        Self { heap: heap::live_bytes(), resident: kib * 1024 }
    }

    /// Tells the parent how much more there is now.
    fn print_since(self, name: &str) {
        let now = Self::now();
        child::print(name, &[now.heap - self.heap, now.resident - self.resident]);
    }
}

/// Results of the measures: the memory that the partitions of each took, and that idle ones had
/// left in the end.
pub struct Memory(Vec<(Measure, Results)>);

impl Memory {
    pub fn run(quick: bool) -> Self {
        Self(measures(quick).map(|measure| (measure, child::run(measure.name, quick))).into())
    }

    pub fn partitions(&self, name: &str) -> usize {
        self.find(name).0.partitions
    }

    pub fn held(&self, name: &str) -> Bytes {
        self.bytes(name, "held")
    }

    /// Bytes for each partition: of heap, and resident.
    pub fn each(&self, name: &str) -> (f64, f64) {
        let (n, bytes) = (self.partitions(name) as f64, self.held(name));
        (bytes.heap as f64 / n, bytes.resident as f64 / n)
    }

    /// `118.7 resident (95.0 of heap)`.
    pub fn describe(&self, name: &str) -> String {
        let (heap, resident) = self.each(name);
        format!("{resident:.1} resident ({heap:.1} of heap)")
    }

    pub fn left(&self, name: &str) -> Bytes {
        self.bytes(name, "left")
    }

    fn find(&self, name: &str) -> &(Measure, Results) {
        self.0.iter().find(|(measure, _)| measure.name == name).expect("a measure")
    }

    fn bytes(&self, name: &str, what: &str) -> Bytes {
        let [heap, resident] = self.find(name).1[what][..] else { panic!("{name} {what}: not two numbers") };
        Bytes { heap, resident }
    }
}

/// In a child: runs the measure of this name, if there is one.
pub fn run_in_child(name: &str, quick: bool) {
    if let Some(measure) = measures(quick).iter().find(|measure| measure.name == name) {
        heap::start_counting();
        (measure.run)(measure);
        child::exit();
    }
}

fn weigh_empty() {
    // The first one brings in code and the collector's memory.
    let first = Hotpart::manual(NEVER);
    let before = Bytes::now();
    let detectors: Vec<Hotpart> = (0..EMPTY).map(|_| Hotpart::manual(NEVER)).collect();
    before.print_since("held");
    std::mem::forget((first, detectors));
}

fn weigh_dashmap(partitions: usize) {
    let map = Dashmap::default();
    let before = Bytes::now();
    (0..partitions).for_each(|i| map.insert(&pk(i)));
    before.print_since("held");
    std::mem::forget(map);
}

/// Partitions that are seen in so many seconds.
fn weigh(partitions: usize, seconds: u64) {
    let hotpart = Hotpart::manual(NEVER);
    let before = Bytes::now();
    for second in 0..seconds {
        hotpart.detector.set_time_ms(second * 1000).unwrap();
        (0..partitions).for_each(|i| hotpart.insert(&pk(i)));
    }
    before.print_since("held");
    std::mem::forget(hotpart);
}

/// Partitions that are hot, in writes and in reads, for longer than the window.
fn weigh_hot(partitions: usize) {
    let hotpart = Hotpart::manual(1);
    let before = Bytes::now();
    for second in 0..u64::from(WINDOW_SECONDS) + 10 {
        hotpart.detector.set_time_ms(second * 1000).unwrap();
        for _ in 0..10 {
            for i in 0..partitions {
                hotpart.insert(&pk(i));
                hotpart.detector.record_read(TABLE, pk(i)).unwrap();
            }
        }
    }
    before.print_since("held");
    std::mem::forget(hotpart);
}

/// Partitions that are seen once and then no more, but for a few that may survive, while the
/// traffic of one goes on for three windows.
fn weigh_idle(partitions: usize, survive: bool) {
    let hotpart = Hotpart::manual(NEVER);
    let before = Bytes::now();
    (0..partitions).for_each(|i| hotpart.insert(&pk(i)));
    before.print_since("held");

    let survivors = if survive { partitions / SURVIVOR } else { 0 };
    let mut random = Random(3);
    let survivors: Vec<usize> = (0..survivors).map(|_| random.below(partitions)).collect();
    for now_ms in 1..=4 * WINDOW_MS {
        hotpart.detector.set_time_ms(now_ms).unwrap();
        (0..TRAFFIC).for_each(|_| hotpart.insert(b"the one"));
        // Each has its moment in the interval.
        let due = |ms: u64| (ms % SURVIVOR_MS) as usize * survivors.len() / SURVIVOR_MS as usize;
        let end = if (now_ms + 1) % SURVIVOR_MS == 0 { survivors.len() } else { due(now_ms + 1) };
        for &survivor in &survivors[due(now_ms)..end] {
            hotpart.insert(&pk(survivor));
        }
    }
    before.print_since("left");
    child::print("partitions", &[hotpart.detector.statistics().partitions as i64]);
    std::mem::forget(hotpart);
}
