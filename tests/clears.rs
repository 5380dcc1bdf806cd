//! Clears where memory is bounded: one fails only if a thread stands inside a call, and what is
//! cleared or refused takes nothing in the end.

#[path = "common/allocator.rs"]
mod allocator;
mod common;
#[path = "common/held.rs"]
mod held;

use allocator::{TestAllocator, all_live_bytes, refusing, spare_crossbeam, while_inside};
use common::{Random, race, stress};
use held::{Held, add, alone, detector, settle};
use hotpart::{Detector, Error, Operation, Record, Thresholds};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// Promotes partitions until there is room for no more, and returns how many there are.
fn fill(detector: &Detector) -> u64 {
    let mut before = detector.statistics().kept_out;
    for key in 0..u64::MAX {
        let key = key.to_le_bytes();
        assert!(detector.record(&Record::new("orders", &key, Operation::Write).amount(30)).unwrap() >= 30);
        if key[0] == 0 {
            let statistics = detector.statistics();
            if statistics.kept_out > before {
                return statistics.partitions;
            }
            before = statistics.kept_out;
        }
    }
    unreachable!("memory has an end")
}

/// A clear makes no new cells. After 341 of them a cell that nobody touched would look current
/// again, with what it had.
#[test]
fn what_is_cleared_stays_cleared_however_often_that_is_done() {
    alone(|| {
        let detector = detector(1_000, 60, 1 << 18);
        // In all three lanes.
        for ms in [0, 30_000, 60_000] {
            detector.set_time_ms(ms).unwrap();
            (0..1_000_u64).for_each(|key| add(&detector, &key.to_le_bytes(), Operation::Write, 5));
        }
        for clear in 0..1_100 {
            detector.clear().unwrap();
            let key = clear as u64 % 1_000;
            assert_eq!(detector.write_count("orders", key.to_le_bytes()), Ok(0), "clear {clear}");
            assert_eq!(detector.statistics().filter_load_permille, 0);
        }
    });
}

/// Each round promotes as many partitions as the first, and a clear leaves nothing of them.
#[test]
fn promoted_partitions_leave_nothing_after_a_clear() {
    alone(|| {
        let detector = detector(40, 60, 1 << 20);
        for _ in 0..100 {
            for operation in Operation::ALL {
                (0..100_u64).for_each(|key| add(&detector, &key.to_le_bytes(), operation, 30));
            }
            assert_eq!(detector.statistics().partitions, 100);
            detector.clear().unwrap();
            for key in 0..100_u64 {
                assert_eq!(detector.bounds("orders", key.to_le_bytes(), Operation::Read).unwrap().most, 0);
            }
        }
    });
}

/// Returns whether as many partitions have room as had at first. They may be a few less: what a
/// segment retires as it grows is given back a little later or sooner.
fn has_room(detector: &Detector, partitions: u64) -> bool {
    fill(detector) * 20 >= partitions * 19
}

/// Retired memory was freed slower than a large memory could be cleared: of 16 MiB, full once, the
/// second clear failed.
#[test]
fn clears_of_a_large_memory_in_a_row_all_succeed() {
    alone(|| {
        let detector = detector(40, 1, 1 << 24);
        let partitions = fill(&detector);
        for clear in 0..9 {
            assert_eq!(detector.clear(), Ok(()), "clear {clear} after {partitions} partitions");
        }
        assert!(has_room(&detector, partitions), "all is free again");
    });
}

/// Each idle partition that was recorded again took a segment anew, room or not. So the books were
/// over the limit, and a clear was refused.
#[test]
fn partitions_that_wake_up_beside_a_thread_inside_a_call_leave_room_for_a_clear() {
    for memory in [1 << 16, 1 << 18, 1 << 20, 1 << 22] {
        alone(|| {
            let detector = detector(40, 1, memory);
            let partitions = fill(&detector);
            while_inside(
                || assert!(detector.write_count("orders", "any").is_ok()),
                1,
                || detector.set_table_thresholds("o", Thresholds { writes: Some(50), reads: None }).unwrap(),
                || {
                    detector.set_time_ms(100_000).unwrap();
                    for key in 0..partitions {
                        add(&detector, &key.to_le_bytes(), Operation::Write, 5);
                    }
                    assert_eq!(detector.clear(), Ok(()), "{memory} bytes, {partitions} partitions");
                },
            );
        });
    }
}

/// A copy of a segment in which most are alive was made as two halves, and room was asked for one.
#[test]
fn copies_of_full_segments_beside_a_thread_inside_a_call_leave_room_for_a_clear() {
    const IDLE_OF: u64 = 23;
    let memories = || (50..66).map(|i| (1 << 19) + i * 211);
    for (len, wakes_up) in [(64, true), (72, true), (72, false), (80, true)] {
        for memory in memories() {
            alone(|| {
                let pk = |key: u64| [&key.to_le_bytes(), &*vec![b'x'; len - 8]].concat();
                let detector = detector(40, 2, memory);
                let mut keys = 0;
                while detector.statistics().kept_out == 0 {
                    add(&detector, &pk(keys), Operation::Write, 30);
                    keys += 1;
                }
                let idle = || (0..keys).filter(|key| key % IDLE_OF == 0);
                detector.set_time_ms(1_000).unwrap();
                let others = (0..keys).filter(|key| key % IDLE_OF != 0);
                others.for_each(|key| add(&detector, &pk(key), Operation::Write, 30));
                while_inside(
                    || assert!(detector.write_count("orders", "any").is_ok()),
                    1,
                    || {
                        detector
                            .set_table_thresholds("o", Thresholds { writes: Some(50), reads: None })
                            .unwrap()
                    },
                    || {
                        detector.set_time_ms(3_000).unwrap();
                        for key in idle() {
                            let pk = if wakes_up { pk(key) } else { b"other".to_vec() };
                            add(&detector, &pk, Operation::Write, if wakes_up { 5 } else { 1 });
                        }
                        assert_eq!(detector.clear(), Ok(()), "{memory} bytes, {keys} keys of {len} bytes");
                    },
                );
            });
        }
    }
}

/// The system halts threads inside calls. Clears that did not wait for them were refused, four of
/// five.
#[test]
fn a_clear_waits_for_threads_that_are_busy() {
    alone(|| {
        let detector = detector(40, 60, 1 << 20);
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let (detector, is_done) = (&detector, &is_done);
                scope.spawn(move || {
                    let mut random = Random(thread);
                    while !is_done.load(Relaxed) {
                        let key = (random.below(5_000) as u64).to_le_bytes();
                        add(detector, &key, Operation::Write, 30);
                    }
                });
            }
            let refused = (0..300).filter(|_| detector.clear().is_err()).count();
            is_done.store(true, Relaxed);
            assert!(refused < 100, "{refused} of 300 are refused");
        });
    });
}

/// Threads promote while others clear. Of the bytes that were lent none is lost, whichever thread
/// gave them back.
#[test]
fn after_clears_by_several_threads_there_is_as_much_room_as_at_first() {
    alone(|| {
        for memory in [1 << 16, 1 << 18] {
            let detector = detector(40, 60, memory);
            let partitions = fill(&detector);
            race(|thread| {
                let mut random = Random(thread as u64);
                for i in 0..stress(20_000) {
                    let key = (random.below(5_000) as u64).to_le_bytes();
                    assert!(
                        detector.record(&Record::new("t", &key, Operation::Read).amount(30)).unwrap() >= 30
                    );
                    if i % 500 == thread {
                        let cleared = detector.clear();
                        assert!(matches!(cleared, Ok(()) | Err(Error::Memory)), "{cleared:?}");
                    }
                }
            });
            // A thread that is ending may keep some for a moment.
            let is_free = (0..200).any(|_| {
                std::thread::sleep(Duration::from_millis(5));
                detector.clear().is_ok() && has_room(&detector, partitions)
            });
            assert!(is_free, "{} of {partitions} have room", fill(&detector));
        }
    });
}

/// The first segment of a ledger that was refused at last stayed in the books: after ten refusals
/// a memory of 256 KiB had room for 65 partitions, which had been 91.
#[test]
fn a_clear_that_is_refused_takes_nothing() {
    alone(|| {
        spare_crossbeam();
        let detector = detector(40, 60, 1 << 18);
        let partitions = fill(&detector);
        for n in 0.. {
            let mut refused = 0;
            for _ in 0..20 {
                let (cleared, each) = refusing(n..usize::MAX, || detector.clear());
                assert_eq!(cleared, if each > 0 { Err(Error::Memory) } else { Ok(()) });
                refused += each;
            }
            detector.clear().unwrap();
            assert!(has_room(&detector, partitions), "allocation {n} was refused");
            if refused == 0 {
                assert!(n >= 2, "only {n} allocations");
                return;
            }
        }
    });
}

/// For a while there were the cells of two ledgers.
#[test]
fn a_memory_that_is_full_can_be_cleared_again_and_again() {
    for memory in [1 << 16, 1 << 18, 1 << 20] {
        alone(|| {
            let before = settle();
            let detector = detector(40, 60, memory);
            let mut held = Held::new(&detector, memory, before);
            for _ in 0..20 {
                _ = fill(&detector);
                detector.clear().unwrap();
                held.look(1);
                assert_eq!(detector.statistics().partitions, 0);
            }
            println!("{} live, of {memory}", held.most_live);
        });
    }
}

/// Each of them kept its cells until the thread went on: 50 kept 14.4 MB, of a memory of 1 MiB.
#[test]
fn clears_while_a_thread_stands_inside_a_call_stay_within_the_memory() {
    alone(|| {
        let memory = 1 << 20;
        let before = settle();
        let detector = detector(40, 60, memory);
        let mut held = Held::new(&detector, memory, before);
        while_inside(
            || assert!(detector.write_count("orders", "any").is_ok()),
            1,
            || add(&detector, &[b'k'; 2_048], Operation::Write, 30),
            || {
                let mut refused = 0;
                for _ in 0..10 {
                    _ = fill(&detector);
                    let partitions = detector.statistics().partitions;
                    match detector.clear() {
                        Ok(()) => assert_eq!(detector.statistics().partitions, 0),
                        Err(error) => {
                            assert_eq!(error, Error::Memory);
                            assert_eq!(detector.statistics().partitions, partitions, "nothing is forgotten");
                            refused += 1;
                        }
                    }
                    held.look(2);
                }
                assert!((1..10).contains(&refused), "{refused} of 10 are refused");
            },
        );
        // What the thread kept is free again.
        for _ in 0..3 {
            _ = fill(&detector);
            detector.clear().unwrap();
            held.look(2);
        }
        println!("{} live, of {memory}", held.most_live);
    });
}

/// The past of each partition took a place in a bag, which nothing had counted.
#[test]
fn a_clear_beside_a_thread_that_stands_inside_a_call_makes_few_bags() {
    alone(|| {
        let memory = 1 << 24;
        let detector = detector(40, 60, memory);
        for second in 0..9 {
            detector.set_time_ms(second * 1_000).unwrap();
            (0..5_000_u64).for_each(|key| add(&detector, &key.to_le_bytes(), Operation::Write, 30));
        }
        assert_eq!(detector.statistics().partitions, 5_000);
        while_inside(
            || assert!(detector.write_count("orders", "any").is_ok()),
            1,
            || add(&detector, &[b'k'; 2_048], Operation::Write, 30),
            || {
                let before = settle();
                detector.clear().unwrap();
                let grown = all_live_bytes() - before;
                println!("a clear of 5,000 partitions takes {grown} bytes");
                assert!(grown < 64 << 10, "{grown} bytes");
            },
        );
    });
}
