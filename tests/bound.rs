//! Promise 1 at the bound: what a partition had that made room is lost, and each is told of.

mod common;

use common::{THREADS, never_hot, race, stress};
use hotpart::Operation::Write;
use hotpart::Reason;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const WINDOW: u32 = 10;

/// Nothing is idle while the clock stands. So each partition that went was replaced, and of keys
/// that are recorded once those are lost that were.
#[test]
fn while_the_clock_stands_all_that_went_was_replaced() {
    for bound in [1, 2, 5, 50, 1_000] {
        let detector = never_hot(WINDOW).max_partitions(bound).build().unwrap();
        let keys = stress(1_500) as u64;
        race(|thread| {
            for n in 0..keys {
                let key = (thread as u64 * keys + n).to_le_bytes();
                assert_eq!(detector.record_write("t", key), Ok(1));
            }
        });
        let all = THREADS as u64 * keys;
        let counted: u64 = (0..all).map(|n| detector.write_count("t", n.to_le_bytes()).unwrap()).sum();
        let statistics = detector.statistics();
        assert_eq!(counted + statistics.replaced, all, "with a bound of {bound}");
        assert_eq!((statistics.partitions, statistics.reclaimed), (counted, 0));
        assert!(counted <= bound);
    }
}

/// Threads record the same keys, of which all can't be tracked. A count that begins anew tells of a
/// partition that was inserted, and a count never exceeds what all have recorded.
#[test]
fn counts_begin_anew_as_often_as_partitions_were_replaced() {
    const KEYS: u64 = 8;
    for bound in [1, 2, 3, 5] {
        let detector = never_hot(WINDOW).max_partitions(bound).build().unwrap();
        let recorded: Vec<AtomicU64> = (0..KEYS).map(|_| AtomicU64::new(0)).collect();
        let begun: u64 = race(|thread| {
            let mut begun = 0;
            for n in 0..stress(4_000) {
                let key = (n * (thread + 1)) as u64 % KEYS;
                let before = recorded[key as usize].fetch_add(1, Relaxed);
                let count = detector.record_read("t", key.to_le_bytes()).unwrap();
                // Others may have recorded meanwhile.
                assert!(count > 0 && count <= recorded[key as usize].load(Relaxed), "{count} of {before}");
                begun += u64::from(count == 1);
            }
            begun
        })
        .into_iter()
        .sum();
        let statistics = detector.statistics();
        assert_eq!(begun, statistics.partitions + statistics.replaced, "with a bound of {bound}");
        assert_eq!(statistics.reclaimed, 0);
        assert!((1..=bound).contains(&statistics.partitions));
    }
}

/// Partitions that are idle are recorded again while others need their places. One that makes room
/// is reclaimed if it was idle to the end, and else it has lost a record, and is replaced.
#[test]
fn a_record_that_meets_its_partition_s_removal_is_counted_or_told_of() {
    const BOUND: u64 = 40;
    const LONG: u32 = 3_600;
    const NEW: u64 = BOUND / 2;
    let detector = never_hot(LONG).max_partitions(BOUND).build().unwrap();
    let (mut lost, mut replaced, mut met) = (0, 0, 0);
    for round in 1..=stress(800) as u64 {
        let begin_ms = round * 3 * u64::from(LONG) * 1_000;
        let bytes = |key: [u64; 2]| key.map(u64::to_le_bytes).concat();
        detector.set_time_ms(begin_ms).unwrap();
        (0..BOUND).for_each(|n| _ = detector.record_write("t", bytes([round, n])).unwrap());
        // Reclaim makes up for the lull by what takes no place of theirs; soon they are idle, and
        // it is not due.
        let window_ms = u64::from(LONG) * 1_000;
        detector.set_time_ms(begin_ms + window_ms).unwrap();
        (0..BOUND).for_each(|_| _ = detector.record_throttle("t", "k", Write, Reason::Unknown).unwrap());
        detector.set_time_ms(begin_ms + window_ms + 1_000).unwrap();
        let before = detector.statistics().replaced;
        let keys = race(|thread| {
            let mut keys = Vec::new();
            for n in 0..NEW {
                let nth = thread as u64 / 2 * NEW + n;
                let key = bytes([if thread % 2 == 0 { round } else { 0 }, nth]);
                assert_eq!(detector.record_write("t", &key), Ok(1));
                keys.push(key);
            }
            keys
        });
        let keys: HashSet<_> = keys.into_iter().flatten().collect();
        let counted: u64 = keys.iter().map(|key| detector.write_count("t", key).unwrap()).sum();
        let gone = keys.len() as u64 - counted;
        met += u64::from(gone > 0);
        lost += gone;
        replaced += detector.statistics().replaced - before;
    }
    println!("{lost} records were lost in {met} rounds, {replaced} partitions replaced");
    assert_eq!(lost, replaced, "each record that is lost went with a partition that was replaced");
}
