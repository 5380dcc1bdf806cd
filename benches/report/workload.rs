//! Which keys are recorded, and in which order.

use crate::keys::{PK_LEN, pk};
use crate::random::Random;
use std::hint::black_box;
use std::time::Instant;

/// At least so many visits lie in the buffer; at most [`VISITS_MAX`].
const VISITS_MIN: usize = 1 << 16;
const VISITS_MAX: usize = 1 << 20;

/// Keys visited at random. Their texts lie one after the other in the order of the visits, so that
/// to read them costs no cache miss: a caller has just made its key.
pub struct Workload {
    pub partitions: usize,
    visits: Vec<u8>,
    passes: usize,
}

impl Workload {
    /// About `records` visits to `partitions` keys.
    pub fn new(partitions: usize, records: usize, seed: u64) -> Self {
        let len = (4 * partitions).clamp(VISITS_MIN, VISITS_MAX).min(records);
        let mut random = Random(seed);
        let visits = (0..len).flat_map(|_| pk(random.below(partitions))).collect();
        Self { partitions, visits, passes: (records / len).max(1) }
    }

    /// Visits each key once, in a random order.
    pub fn each_once(partitions: usize, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..partitions).collect();
        let mut random = Random(seed);
        (1..partitions).rev().for_each(|last| order.swap(last, random.below(last + 1)));
        Self { partitions, visits: order.into_iter().flat_map(pk).collect(), passes: 1 }
    }

    /// Every key once.
    pub fn keys(&self) -> impl Iterator<Item = [u8; PK_LEN]> {
        (0..self.partitions).map(pk)
    }

    /// The keys of one pass, end to end.
    pub fn visits(&self) -> &[u8] {
        &self.visits
    }

    pub fn visits_len(&self) -> usize {
        self.visits.len() / PK_LEN
    }

    pub fn records(&self) -> usize {
        self.visits_len() * self.passes
    }

    /// Calls `pass` for each pass; nanoseconds for each visit.
    pub fn time_passes(&self, mut pass: impl FnMut()) -> f64 {
        let start = Instant::now();
        (0..self.passes).for_each(|_| pass());
        start.elapsed().as_nanos() as f64 / self.records() as f64
    }

    /// Has C record each pass's keys, and add up what that returned; nanoseconds for each visit.
    pub fn time_sums(&self, record: impl Fn(&[u8]) -> i64) -> f64 {
        self.time_passes(|| assert!(record(&self.visits) > 0))
    }

    /// Calls `record` for each visit; nanoseconds for each.
    pub fn time(&self, record: impl Fn(&[u8]) -> u64) -> f64 {
        self.time_passes(|| {
            for pk in self.visits.chunks_exact(PK_LEN) {
                // Opaque, so that nobody profits from knowing the key's length at compile time.
                black_box(record(black_box(pk)));
            }
        })
    }
}
