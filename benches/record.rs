//! What a record costs beside a bare concurrent counter: `dashmap`'s `get` + `fetch_add`, which has no
//! window, no clock and no threshold. Both run in turns in this process, on the same keys in the same
//! order, so that the ratio means something on a machine whose nanoseconds don't.

use dashmap::DashMap;
use hotpart::Detector;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

const ROUNDS: usize = 15;
const RECORDS: usize = 1_000_000;

fn main() {
    println!(
        "ns for a record, medians of {ROUNDS} rounds of {RECORDS} (ratio: median and range of the rounds')"
    );
    println!("{:>12} {:>10} {:>10} {:>8}", "partitions", "dashmap", "hotpart", "ratio");
    for partitions in [1_000_000] {
        compare(partitions);
    }
}

fn compare(partitions: usize) {
    let keys: Vec<String> = (0..partitions).map(|i| format!("customer#{i:011}")).collect();
    // Visits keys at random, the same way each round.
    let mut state = 1_u64;
    let order: Vec<&str> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        keys[(state >> 33) as usize % partitions].as_str()
    })
    .take(RECORDS)
    .collect();

    let bare: DashMap<&[u8], AtomicU64, _> = DashMap::with_hasher(ahash::RandomState::with_seeds(1, 2, 3, 4));
    let detector = Detector::new(u64::MAX >> 1, u64::MAX >> 1, 60).unwrap();
    for key in &keys {
        bare.insert(key.as_bytes(), AtomicU64::new(0));
        detector.record_write("orders", key).unwrap();
    }

    let count_bare = |key: &str| bare.get(key.as_bytes()).unwrap().fetch_add(1, Relaxed);
    let record = |key: &str| detector.record_write("orders", key).unwrap();
    let rounds: Vec<[f64; 2]> =
        (0..ROUNDS).map(|_| [time(&order, count_bare), time(&order, record)]).collect();
    let ratios = sorted(rounds.iter().map(|[bare, record]| record / bare));
    let median = |of: fn(&[f64; 2]) -> f64| sorted(rounds.iter().map(of))[ROUNDS / 2];
    println!(
        "{partitions:>12} {:>10.1} {:>10.1} {:>8.2}  ({:.2} to {:.2})",
        median(|round| round[0]),
        median(|round| round[1]),
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1],
    );
}

/// Nanoseconds for each call.
fn time(order: &[&str], call: impl Fn(&str) -> u64) -> f64 {
    let start = Instant::now();
    for key in order {
        black_box(call(black_box(key)));
    }
    start.elapsed().as_nanos() as f64 / order.len() as f64
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}
