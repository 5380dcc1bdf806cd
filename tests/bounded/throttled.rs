//! Throttles where memory is full: those that no entry has room for are in the cells, and none is
//! lost on its way.

use crate::common::manual;
use hotpart::{Detector, Operation, Reason, Record, Warning};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const REASON: Reason = Reason::KeyRange;

fn throttles(detector: &Detector, pk: &[u8], operation: Operation) -> u64 {
    detector.throttle_count("t", pk, operation, REASON).unwrap()
}

/// Throttles others until one is kept out.
fn fill(detector: &Detector) {
    for key in 0..100_u8 {
        detector.record_throttle("o", [key], Operation::Write, REASON).unwrap();
        if detector.statistics().kept_out > 0 {
            return;
        }
    }
    panic!("there is always room");
}

/// Two threads throttle each key at once, as memory becomes full under them. One that was kept out
/// while the other took the last room was in the cells alone, where nobody looked any more.
#[test]
fn two_threads_throttle_a_key_as_memory_becomes_full() {
    const KEYS: u32 = 16;
    let rounds = crate::stress(40) as u64;
    let mut full = 0;
    for round in 0..rounds {
        let detector = manual(1_000_000, 1_000_000, 60).memory(1 << 16).hash_seed([round, 3]);
        let detector = detector.build().unwrap();
        let step = AtomicU32::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for key in 0..KEYS {
                        step.fetch_add(1, Ordering::AcqRel);
                        while step.load(Ordering::Acquire) < 2 * (key + 1) {
                            std::hint::spin_loop();
                        }
                        let count =
                            detector.record_throttle("t", key.to_le_bytes(), Operation::Write, REASON);
                        assert!(count.unwrap() >= 1);
                    }
                });
            }
        });
        full += u64::from(detector.statistics().kept_out > 0);
        for key in 0..KEYS {
            let throttles = throttles(&detector, &key.to_le_bytes(), Operation::Write);
            assert!(throttles >= 2, "round {round}, key {key}: {throttles} of 2 throttles");
        }
    }
    assert!(full > rounds / 2, "memory was full in {full} of {rounds} rounds");
}

/// The one that gets an entry takes over what was kept out of the other operation too.
#[test]
fn throttles_that_were_kept_out_come_into_the_entry_by_either_operation() {
    let detector = manual(1_000_000, 1_000_000, 60).memory(1 << 16).build().unwrap();
    fill(&detector);
    detector.set_time_ms(59_000).unwrap();
    (0..3).for_each(|_| _ = detector.record_throttle("t", "k", Operation::Read, REASON).unwrap());
    assert!(throttles(&detector, b"k", Operation::Read) >= 3);
    // The others are over, and reclaim makes room.
    let (mut kept_out, mut second) = (u64::MAX, 62);
    // Once what was retired is freed, which other threads may hold up.
    for _ in 0..20_000 {
        detector.set_time_ms(second * 1_000).unwrap();
        (0..200).for_each(|_| _ = detector.record_write("t", "passers-by").unwrap());
        let before = detector.statistics().kept_out;
        detector.record_throttle("t", "k", Operation::Write, REASON).unwrap();
        kept_out = detector.statistics().kept_out - before;
        assert!(throttles(&detector, b"k", Operation::Read) >= 3, "at {second} s");
        if kept_out == 0 {
            break;
        }
        second = (second + 1).min(89);
        thread::yield_now();
    }
    assert_eq!(kept_out, 0, "it has an entry at last");
}

/// Lists have what was kept out as well: a key that is hot for its throttles was in none.
#[test]
fn the_hottest_have_the_throttles_that_were_kept_out() {
    let detector = manual(400, 400, 60).memory(1 << 16).build().unwrap();
    // It has an entry, and its throttles have none.
    detector.record(&Record::new("t", b"hot", Operation::Write).amount(300)).unwrap();
    fill(&detector);
    (0..50).for_each(|_| _ = detector.record_throttle("t", "hot", Operation::Write, REASON).unwrap());
    let hottest = detector.hottest(Operation::Write, 100).unwrap();
    let hot = hottest.iter().find(|hot| hot.pk == b"hot").expect("it is listed");
    assert!(hot.throttles >= 50 && hot.demand >= 350, "{hot:?}");
    assert_eq!(hot.demand, hot.count + hot.throttles);
    assert!(hot.demand - hot.carried <= 350, "{hot:?}");
    assert!(throttles(&detector, b"hot", Operation::Write) >= 50);
    let metrics = detector.metrics(&hotpart::Metrics::default()).unwrap();
    let demand = r#"hotpart_partition_demand{table="t",pk="hot",operation="write"} "#;
    let demand = metrics.lines().find_map(|line| line.strip_prefix(demand)).unwrap();
    assert!(demand.parse::<u64>().unwrap() >= 350, "{demand}");
}

/// Partitions that are kept out leave throttles exact, which have had room.
#[test]
fn throttles_stay_exact_while_others_are_kept_out() {
    let detector = manual(400, 400, 60).memory(1 << 16).build().unwrap();
    detector.record_throttle("t", "k", Operation::Write, REASON).unwrap();
    for key in 0..100_000_u32 {
        let pk = key.to_le_bytes();
        detector.record(&Record::new("t", &pk, Operation::Write).amount(150)).unwrap();
        if detector.statistics().kept_out > 100 {
            break;
        }
    }
    assert_eq!(throttles(&detector, b"k", Operation::Write), 1);
    assert_eq!(throttles(&detector, b"another", Operation::Write), 0);
}

/// A warning of throttles says how many of them may be others', like any other.
#[test]
fn a_warning_of_throttles_that_were_kept_out_says_what_is_carried() {
    let warned = Arc::new(Mutex::new(Vec::new()));
    let to = warned.clone();
    let callback = move |w: &Warning<'_>| to.lock().unwrap().push((w.pk.to_vec(), w.count, w.carried));
    let detector = manual(1_000_000, 1_000_000, 60).memory(1 << 16).warn_of_throttles(true);
    let detector = detector.on_warning(callback).build().unwrap();
    fill(&detector);
    detector.set_time_ms(59_000).unwrap();
    detector.record_throttle("t", "k", Operation::Write, REASON).unwrap();
    // Reclaim makes room, once what was retired is freed, which other threads may hold up. Strangers
    // look for it: who is kept out is warned about, and not once more within an interval.
    for try_ in 0..20_000_u64 {
        detector.set_time_ms(90_000 + (try_ * 10).min(20_000)).unwrap();
        (0..100).for_each(|_| _ = detector.record_write("t", "passers-by").unwrap());
        let kept_out = detector.statistics().kept_out;
        detector.record_throttle("strangers", try_.to_le_bytes(), Operation::Write, REASON).unwrap();
        if detector.statistics().kept_out == kept_out {
            break;
        }
        thread::yield_now();
    }
    warned.lock().unwrap().clear();
    detector.record_throttle("t", "k", Operation::Write, REASON).unwrap();
    let told = warned.lock().unwrap().clone();
    assert!(
        matches!(&told[..], [(pk, count, carried)] if pk == b"k" && *count >= 2 && *carried >= 1 && count > carried),
        "{told:?}"
    );
}
