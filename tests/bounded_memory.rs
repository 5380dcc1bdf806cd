//! Bounded counting's allocations: all of them stay under the memory that it was given, at every
//! moment, whatever comes.

#[path = "common/allocator.rs"]
mod allocator;
mod common;
#[path = "common/held.rs"]
mod held;

use allocator::{TestAllocator, while_inside};
use common::{Random, THREADS, manual, race, stress};
use held::{Held, add, alone, detector, settle};
use hotpart::{Operation, Reason, Record, Thresholds, Warning};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// As many partitions as will go are promoted, each is seen in every second of its window, and
/// then others come.
#[test]
fn memory_is_bounded_for_every_window() {
    for window in [1, 2, 3, 60, 600, 3_600] {
        for memory in [1 << 16, 1 << 18, 1 << 20] {
            alone(|| {
                let before = settle();
                let detector = detector(400, window, memory);
                let mut held = Held::new(&detector, memory, before);
                let keys = stress(600) as u64;
                // A long window is crossed in strides; each second has a slot all the same.
                let seconds = u64::from(window.min(64)) * 3;
                for i in 0..seconds {
                    detector.set_time_ms(i * 1_000).unwrap();
                    for key in 0..if i == 0 { keys } else { keys.min(80) } {
                        let operation = Operation::ALL[(key % 2) as usize];
                        // Some keys fit no entry.
                        let pk = [key.to_le_bytes(); 9].concat();
                        add(&detector, &pk[..if key % 5 == 0 { 72 } else { 8 }], operation, 150);
                    }
                    held.look(1);
                }
                // And by both operations, at random seconds.
                let mut random = Random(5);
                for i in 0..stress(4_000) as u64 {
                    if i % 16 == 0 {
                        let leap = random.below(window as usize) as u64 / 8 * 1_000 + 500;
                        detector.set_time_ms(seconds * 1_000 + i / 16 * leap).unwrap();
                    }
                    let pk = (random.below(keys as usize) as u64).to_le_bytes();
                    add(&detector, &pk, Operation::ALL[random.below(2)], 1 + random.below(200) as u64);
                    if i % 64 == 0 {
                        held.look(1);
                    }
                }
                held.look(1);
                let (most, live, n) = (held.most, held.most_live, detector.statistics());
                println!(
                    "window {window}, memory {memory}: {most} bytes at most, {live} live; {} promoted, {} kept out",
                    n.promoted, n.kept_out
                );
                // The worst of an hour is nearly as much as the least memory.
                assert!(n.promoted > 0 || (window, memory) == (3_600, 1 << 16), "none was promoted");
            });
        }
    }
}

/// Strangers' keys, as many and as long as they like, and their throttles.
#[test]
fn hostile_keys_and_throttles_take_no_more_than_the_memory() {
    for memory in [1 << 16, 1 << 20] {
        alone(|| {
            let before = settle();
            let detector = detector(100, 60, memory);
            let mut held = Held::new(&detector, memory, before);
            let (mut text, mut random) = ([b'x'; 2_048], Random(3));
            for i in 0..stress(40_000) as u64 {
                detector.set_time_ms(i * 2).unwrap();
                text[..8].copy_from_slice(&i.to_le_bytes());
                let len = if i % 100 == 0 { 2_048 } else { 8 + i as usize % 40 };
                let amount = if random.below(20) == 0 { 120 } else { 1 };
                add(&detector, &text[..len], Operation::Write, amount);
                if i % 7 == 0 {
                    let throttle =
                        detector.record_throttle("orders", &text[..len], Operation::Write, Reason::KeyRange);
                    assert!(throttle.is_ok_and(|count| count >= 1));
                }
                if i % 500 == 0 {
                    held.look(1);
                }
            }
            held.look(1);
            println!("{} bytes at most, {} live, of {memory}", held.most, held.most_live);
        });
    }
}

/// Hot partitions become idle, and are recorded again. Returns how many told, with their next
/// warning, of the hot record from before. `is_stuck`: a thread stands inside a call meanwhile, so
/// that there is no room for most.
fn woken_up(is_stuck: bool) -> usize {
    const MEMORY: u64 = 1 << 18;
    let warned: Arc<Mutex<HashMap<Vec<u8>, u64>>> = Arc::default();
    let to = warned.clone();
    let hear = move |w: &Warning<'_>| _ = to.lock().unwrap().insert(w.pk.to_vec(), w.suppressed);
    let detector = manual(40, 40, 1).memory(MEMORY).on_warning(hear).build().unwrap();
    let mut keys = 0_u64;
    while if is_stuck { detector.statistics().kept_out == 0 } else { keys < 50 } {
        // The second of these is suppressed.
        add(&detector, &keys.to_le_bytes(), Operation::Write, 40);
        add(&detector, &keys.to_le_bytes(), Operation::Write, 1);
        keys += 1;
    }
    detector.set_time_ms(100_000).unwrap();
    warned.lock().unwrap().clear();
    let wake_up = || {
        for key in 0..keys {
            let pk = key.to_le_bytes();
            for count in [5, 39] {
                add(&detector, &pk, Operation::Write, count - if count == 5 { 0 } else { 5 });
                let bounds = detector.bounds("orders", pk, Operation::Write).unwrap();
                assert!(bounds.least <= count && count <= bounds.most, "{bounds:?} after {count}");
            }
            add(&detector, &pk, Operation::Write, 1);
            assert!(warned.lock().unwrap().contains_key(&pk[..]), "{key} has 40");
        }
    };
    let set = || detector.set_table_thresholds("o", Thresholds { writes: Some(50), reads: None }).unwrap();
    if is_stuck {
        while_inside(|| assert!(detector.write_count("orders", "any").is_ok()), 1, set, wake_up);
    } else {
        wake_up();
    }
    let warned = warned.lock().unwrap();
    assert!(warned.values().all(|&suppressed| suppressed <= 1), "{warned:?}");
    warned.values().filter(|&&suppressed| suppressed == 1).count()
}

/// One for which there is no room keeps its alarm: see `docs/design/limits.md`.
#[test]
fn partitions_that_wake_up_are_as_new_where_there_is_room() {
    alone(|| assert_eq!(woken_up(false), 0));
    alone(|| assert!(woken_up(true) > 0));
}

/// A thread that is stopped inside a call delays what is given back. It counts until it is freed.
#[test]
fn what_a_stopped_thread_keeps_counts() {
    alone(|| {
        let memory = 1 << 19;
        let before = settle();
        let detector = detector(40, 2, memory);
        let mut held = Held::new(&detector, memory, before);
        // Longer than what a segment has room for, so that it needs a new one.
        let long = [b'k'; 2_048];
        let churn = |held: &mut Held<'_>, generations: std::ops::Range<u64>| {
            for generation in generations {
                detector.set_time_ms(generation * 4_000).unwrap();
                for key in 0..2_000_u64 {
                    add(&detector, &key.to_le_bytes(), Operation::Write, 30);
                    if key % 100 == 0 {
                        held.look(2);
                    }
                }
            }
        };
        churn(&mut held, 1..4);
        // What there was is idle, and records go by until it is given back.
        for ms in (16_000..20_000).step_by(4) {
            detector.set_time_ms(ms).unwrap();
            add(&detector, b"passes", Operation::Read, 1);
        }
        while_inside(
            || assert!(detector.write_count("orders", "any").is_ok()),
            1,
            || add(&detector, &long, Operation::Write, 30),
            || churn(&mut held, 6..30),
        );
        churn(&mut held, 30..60);
        println!("{} bytes at most, {} live, of {memory}", held.most, held.most_live);
        // What it kept is free again.
        for ms in (300_000..304_000).step_by(4) {
            detector.set_time_ms(ms).unwrap();
            add(&detector, b"passes", Operation::Read, 1);
        }
        let promoted = detector.statistics().promoted + 99;
        (0..100_u64).for_each(|key| add(&detector, &key.to_le_bytes(), Operation::Write, 30));
        assert!(detector.statistics().promoted > promoted, "there is no room any more");
    });
}

/// A segment is replaced for each partition that goes, while a thread stands still. The list of what
/// went with it did not count: 242 KB came beside a memory of 16 MiB.
#[test]
fn the_lists_of_what_goes_count_while_a_thread_stands_still() {
    alone(|| {
        let memory = 1 << 23;
        let before = settle();
        let detector = detector(40, 1, memory);
        let mut held = Held::new(&detector, memory, before);
        while_inside(
            || assert!(detector.write_count("orders", "any").is_ok()),
            1,
            || add(&detector, &[b'k'; 2_048], Operation::Write, 30),
            || {
                for second in 1..1_600_u64 {
                    detector.set_time_ms(second * 1_000).unwrap();
                    // 40 stay, and one goes each second, when all has been made for it that may be.
                    (0..40_u64).for_each(|key| add(&detector, &key.to_le_bytes(), Operation::Read, 20));
                    for key in second.saturating_sub(3)..=second {
                        let pk = (1 << 40 | key).to_le_bytes();
                        Operation::ALL.into_iter().for_each(|each| add(&detector, &pk, each, 20));
                    }
                    for ms in [250, 500, 750] {
                        detector.set_time_ms(second * 1_000 + ms).unwrap();
                        add(&detector, &0_u64.to_le_bytes(), Operation::Read, 1);
                    }
                }
                held.look(2);
                assert!(detector.statistics().kept_out > 0, "memory was never full");
            },
        );
        println!("{} live, of {memory}", held.most_live);
    });
}

/// Threads promote at once, and give back at once what is idle, as the clock goes on. A thread that
/// is stopped inside a call delays what the others give back, and the bags that they hand it over
/// in.
#[test]
fn threads_that_promote_and_reclaim_at_once_stay_within_the_memory() {
    for (window, memory) in [(1, 1 << 16), (1, 1 << 18), (1, 1 << 22), (10, 1 << 16), (60, 1 << 18)] {
        alone(|| {
            let before = settle();
            let detector = detector(8, window, memory);
            let mut held = Held::new(&detector, memory, before);
            race(|thread| {
                let (mut random, mut now_ms) = (Random(thread as u64), 0);
                for i in 0..stress(30_000) as u64 {
                    let pk = (random.below(3_000) as u64).to_le_bytes();
                    let amount = 1 + random.below(20) as u64;
                    let record = Record::new("orders", &pk, Operation::ALL[random.below(2)]);
                    // However far the clock is set on meanwhile.
                    assert!(detector.record(&record.amount(amount)).unwrap() >= amount);
                    if thread == 0 && i % 40 == 0 {
                        now_ms += [100, 500, 1_000][(i / 3_000) as usize % 3];
                        detector.set_time_ms(now_ms).unwrap();
                    }
                }
            });
            held.look(THREADS as isize);
            let statistics = detector.statistics();
            assert!(statistics.reclaimed > 0, "nothing was given back");
            println!(
                "window {window}, memory {memory}: {} bytes at most, {} live ({} over)",
                held.most,
                held.most_live,
                held.most_live - memory as isize
            );
        });
    }
}

/// One ledger after another: each waited to be freed in a bag that was not full. After 50 clears
/// 10.8 MB were held, of a memory of 1 MiB.
#[test]
fn what_is_cleared_is_freed_though_nothing_is_recorded() {
    alone(|| {
        let memory = 1 << 20;
        let before = settle();
        let detector = detector(40, 60, memory);
        let mut held = Held::new(&detector, memory, before);
        for _ in 0..50 {
            detector.clear().unwrap();
            held.look(1);
        }
        println!("{} live, of {memory}", held.most_live);
    });
}

/// All is given back with the detector.
#[test]
fn a_bounded_detector_gives_back_all_that_it_took() {
    alone(|| {
        const ROUNDS: isize = 150;
        let before = settle();
        for _ in 0..ROUNDS {
            let detector = detector(40, 3, 1 << 18);
            for second in 0..30_u64 {
                detector.set_time_ms(second * 1_000).unwrap();
                (0..400_u64).for_each(|key| add(&detector, &key.to_le_bytes(), Operation::Read, 15));
            }
            detector.clear().unwrap();
            (0..400_u64).for_each(|key| add(&detector, &key.to_le_bytes(), Operation::Read, 15));
        }
        // The collector keeps a few bags of some 2,000 bytes. Threads of other tests that are
        // ending may hold up more for a while.
        let mut kept = settle() - before;
        for _ in 0..100 {
            if kept / ROUNDS < 100 {
                return;
            }
            std::thread::yield_now();
            kept = settle() - before;
        }
        panic!("{kept} bytes of {ROUNDS} detectors");
    });
}

/// A record of a partition that is counted in cells allocates nothing, nor does one of a partition
/// that is counted exactly once its past is a wheel.
#[test]
fn a_record_allocates_nothing_but_where_it_promotes() {
    alone(|| {
        let detector = detector(1_000, 10, 1 << 20);
        let seconds = |seconds: std::ops::Range<u64>| {
            for second in seconds {
                detector.set_time_ms(second * 1_000).unwrap();
                (0..500_u64).for_each(|key| add(&detector, &key.to_le_bytes(), Operation::Write, 1));
                (0..50).for_each(|_| add(&detector, b"promoted", Operation::Write, 1));
            }
        };
        seconds(0..40);
        let promoted = detector.statistics().promoted;
        assert!(promoted >= 1);
        let allocations = allocator::allocations(|| seconds(40..140));
        assert_eq!((allocations, detector.statistics().promoted), (0, promoted));
    });
}
