//! Clears where memory is bounded: one fails only if a thread stands inside a call, and what is
//! cleared or refused takes nothing in the end.

#[path = "common/allocator.rs"]
mod allocator;
mod common;

use allocator::{TestAllocator, refusing, spare_crossbeam, while_inside};
use common::{Random, manual, race, stress};
use hotpart::{Detector, Error, Operation, Record, Thresholds};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// Waits until no other test runs: all detectors share a collector.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn detector(window: u32, memory: u64) -> Detector {
    manual(40, 40, window).memory(memory).build().unwrap()
}

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

/// Returns whether as many partitions have room as had at first. They may be a few less: what a
/// segment retires as it grows is given back a little later or sooner.
fn has_room(detector: &Detector, partitions: u64) -> bool {
    fill(detector) * 20 >= partitions * 19
}

/// Retired memory was freed slower than a large memory could be cleared: of 16 MiB, full once, the
/// second clear failed.
#[test]
fn clears_of_a_large_memory_in_a_row_all_succeed() {
    let _alone = alone();
    let detector = detector(1, 1 << 24);
    let partitions = fill(&detector);
    for clear in 0..9 {
        assert_eq!(detector.clear(), Ok(()), "clear {clear} after {partitions} partitions");
    }
    assert!(has_room(&detector, partitions), "all is free again");
}

/// The collector frees in order. What was retired before the old ledger, while a thread stood inside
/// a call, was more than a clear worked off, so it failed though all threads had gone on.
#[test]
fn a_clear_succeeds_once_no_thread_stands_inside_a_call() {
    let _alone = alone();
    let detector = detector(60, 1 << 18);
    let record = Record::new("orders", &[b'k'; 2_048], Operation::Write);
    while_inside(
        || assert!(detector.write_count("orders", "any").is_ok()),
        1,
        || assert_eq!(detector.record(&record.amount(30)), Ok(30)),
        || {
            for writes in 1..=20_000 {
                let thresholds = Thresholds { writes: Some(writes), reads: None };
                detector.set_table_thresholds("another", thresholds).unwrap();
            }
            fill(&detector);
            assert_eq!(detector.clear(), Ok(()));
            fill(&detector);
            assert_eq!(detector.clear(), Err(Error::Memory));
        },
    );
    assert_eq!(detector.clear(), Ok(()));
}

/// Threads promote while others clear. Of the bytes that were lent none is lost, whichever thread
/// gave them back.
#[test]
fn after_clears_by_several_threads_there_is_as_much_room_as_at_first() {
    let _alone = alone();
    for memory in [1 << 16, 1 << 18] {
        let detector = detector(60, memory);
        let partitions = fill(&detector);
        race(|thread| {
            let mut random = Random(thread as u64);
            for i in 0..stress(20_000) {
                let key = (random.below(5_000) as u64).to_le_bytes();
                assert!(detector.record(&Record::new("t", &key, Operation::Read).amount(30)).unwrap() >= 30);
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
}

/// The first segment of a ledger that was refused at last stayed in the books: after ten refusals
/// a memory of 256 KiB had room for 65 partitions, which had been 91.
#[test]
fn a_clear_that_is_refused_takes_nothing() {
    let _alone = alone();
    spare_crossbeam();
    let detector = detector(60, 1 << 18);
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
            assert!(n >= 3, "only {n} allocations");
            return;
        }
    }
}
