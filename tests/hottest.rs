//! The hottest partitions, throttles, and what a detector tells about itself.

mod common;

use common::{THREADS, manual, never_hot, race, stress};
use hotpart::Operation::{Read, Write};
use hotpart::{Argument, Detector, Error, HotPartition, Reason, Record, Rule, Unattributed};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// Keys, counts, throttles and demands of a snapshot.
fn numbers(hottest: &[HotPartition]) -> Vec<(&str, u64, u64, u64)> {
    hottest
        .iter()
        .map(|hot| (std::str::from_utf8(&hot.pk).unwrap(), hot.count, hot.throttles, hot.demand))
        .collect()
}

#[test]
fn the_hottest_come_first_and_equals_by_their_keys() {
    let detector = never_hot(60).build().unwrap();
    for (pk, writes) in [("c", 5), ("a", 2), ("d", 9), ("b", 5), ("e", 1)] {
        (0..writes).for_each(|_| _ = detector.record_write("t", pk));
        detector.record_read("t", pk).unwrap();
    }
    let top = |n| detector.hottest(Write, n).unwrap();
    assert_eq!(numbers(&top(3)), [("d", 9, 0, 9), ("b", 5, 0, 5), ("c", 5, 0, 5)]);
    assert_eq!(top(100).len(), 5);
    assert_eq!(top(0), []);
    assert_eq!(top(usize::MAX).len(), 5);
    assert_eq!(detector.hottest(Read, 9).unwrap().len(), 5);
    let first = &top(1)[0];
    assert_eq!(
        (&first.table[..], first.operation, first.peak, first.utilisation_permille),
        (&b"t"[..], Write, 9, 9)
    );
    detector.set_time_ms(120_000).unwrap();
    assert_eq!(top(3), [], "their window is empty");
}

#[test]
fn a_peak_is_the_fullest_second() {
    let detector = never_hot(60).build().unwrap();
    for (at, n) in [(0, 700), (1, 900), (2, 100)] {
        detector.set_time_ms(at * 1_000).unwrap();
        detector.record(&Record::new("t", "k", Write).amount(n)).unwrap();
    }
    let hot = &detector.hottest(Write, 1).unwrap()[0];
    assert_eq!((hot.count, hot.peak, hot.utilisation_permille), (1_700, 900, 900));
}

#[test]
fn a_key_that_is_throttled_to_silence_is_still_hot() {
    let detector = never_hot(60).build().unwrap();
    (0..3).for_each(|_| _ = detector.record_write("t", "loud"));
    (0..2).for_each(|_| _ = detector.record_write("t", "both"));
    let throttle = |pk, reason| detector.record_throttle("t", pk, Write, reason).unwrap();
    (1..=7).for_each(|n| assert_eq!(throttle("silent", Reason::KeyRange), n));
    (1..=2).for_each(|n| assert_eq!(throttle("both", Reason::KeyRange), n));
    // Not evidence of a hot partition.
    (0..9).for_each(|_| _ = throttle("loud", Reason::Provisioned));
    throttle("other", Reason::AccountLimit);
    let top = detector.hottest(Write, 9).unwrap();
    assert_eq!(numbers(&top), [("silent", 0, 7, 7), ("both", 2, 2, 4), ("loud", 3, 0, 3)]);
    assert_eq!(detector.hottest(Read, 9).unwrap(), []);
    assert_eq!(detector.throttle_count("t", "loud", Write, Reason::Provisioned), Ok(9));
    assert_eq!(detector.throttle_count("t", "loud", Write, Reason::KeyRange), Ok(0));
    assert_eq!(detector.throttle_count("t", "loud", Read, Reason::Provisioned), Ok(0));
    assert_eq!(detector.write_count("t", "silent"), Ok(0), "a throttle is no operation");
    let statistics = detector.statistics();
    assert_eq!((statistics.throttles, statistics.partitions), ([0, 9, 9, 1, 0], 2));
    detector.set_time_ms(120_000).unwrap();
    assert_eq!(detector.throttle_count("t", "silent", Write, Reason::KeyRange), Ok(0));
    assert_eq!(
        detector.throttle_count("", "x", Write, Reason::KeyRange),
        Err(Error::Invalid(Argument::Table))
    );
    assert_eq!(
        detector.record_throttle("t", [0; 16_385], Write, Reason::Unknown),
        Err(Error::Invalid(Argument::Pk))
    );
    assert_eq!(detector.unattributed_count("t", Read, Unattributed::Scans), Ok(0));
}

#[test]
fn in_capacity_mode_a_throttle_is_a_unit_of_demand() {
    let detector = never_hot(60).capacity_mode().build().unwrap();
    detector.record(&Record::new("t", "k", Read).amount(25)).unwrap();
    detector.record_throttle("t", "k", Read, Reason::KeyRange).unwrap();
    assert_eq!(numbers(&detector.hottest(Read, 1).unwrap()), [("k", 25, 1, 27)]);
}

#[test]
fn the_first_throttle_of_a_key_range_warns_where_that_is_asked_for() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let to = seen.clone();
    let builder = manual(1, 1, 60).warn_of_throttles(true).on_warning(move |w: &hotpart::Warning<'_>| {
        assert_eq!((w.table, w.pk), (&b"t"[..], &b"k"[..]));
        to.lock().unwrap().push((w.rule, w.operation, w.count, w.suppressed));
    });
    let detector = builder.build().unwrap();
    let throttle = |reason| detector.record_throttle("t", "k", Read, reason).unwrap();
    throttle(Reason::MaxOnDemand);
    throttle(Reason::Unknown);
    assert_eq!(*seen.lock().unwrap(), []);
    (0..3).for_each(|_| _ = throttle(Reason::KeyRange));
    assert_eq!(*seen.lock().unwrap(), [(Rule::Throttle, Read, 1, 0)]);
    detector.set_time_ms(60_000).unwrap();
    throttle(Reason::KeyRange);
    assert_eq!(seen.lock().unwrap()[1..], [(Rule::Throttle, Read, 4, 2)]);
    // Its interval is its own: a hot partition warns besides.
    detector.record_read("t", "k").unwrap();
    assert_eq!(seen.lock().unwrap()[2..], [(Rule::Window, Read, 1, 0)]);
    let silent =
        manual(1, 1, 60).on_warning(|_: &hotpart::Warning<'_>| panic!("nobody asked")).build().unwrap();
    silent.record_throttle("t", "k", Read, Reason::KeyRange).unwrap();
}

#[test]
fn synthetic_keys_are_reclaimed_and_cleared_like_partitions() {
    let detector = never_hot(1).build().unwrap();
    for n in 0..500_u32 {
        detector.record_throttle("t", n.to_le_bytes(), Write, Reason::KeyRange).unwrap();
    }
    let held = detector.statistics().bytes;
    for second in 3..200 {
        detector.set_time_ms(second * 1_000).unwrap();
        detector.record_write("t", "k").unwrap();
    }
    let statistics = detector.statistics();
    assert!(statistics.bytes < held / 3, "{statistics:?} of {held}");
    assert_eq!(statistics.reclaimed, 0, "partitions are what is counted there");
    detector.record_throttle("t", "k", Write, Reason::KeyRange).unwrap();
    detector.clear().unwrap();
    assert_eq!(detector.throttle_count("t", "k", Write, Reason::KeyRange), Ok(0));
    assert_eq!(detector.hottest(Write, 9).unwrap(), []);
    assert_eq!(detector.statistics().throttles[1], 501, "statistics stay");
}

#[test]
fn records_are_counted_exactly_by_threads_that_come_and_go() {
    let detectors: Vec<Detector> = (0..3).map(|_| never_hot(60).build().unwrap()).collect();
    let each = stress(2_000) as u64;
    for _ in 0..3 {
        race(|thread| {
            for n in 0..each {
                let detector = &detectors[(n % 3) as usize];
                detector.record_write("t", [thread as u8, n as u8]).unwrap();
            }
            let records = [Record::new("t", "k", Write), Record::new("t", "l", Read)];
            detectors[0].record_batch(&records).unwrap();
        });
    }
    let all: u64 = detectors.iter().map(|detector| detector.statistics().records).sum();
    assert_eq!(all, 3 * THREADS as u64 * (each + 2));
    assert_eq!(detectors[0].record_write("", "k"), Err(Error::Invalid(Argument::Table)));
    assert_eq!(detectors.iter().map(|detector| detector.statistics().records).sum::<u64>(), all);
}

/// While others record, a partition that is there throughout is in every snapshot, with no less
/// than before.
#[test]
fn snapshots_are_sound_while_others_write_and_grow_the_table() {
    let detector = never_hot(60).build().unwrap();
    for pk in ["x", "y", "z"] {
        detector.record(&Record::new("t", pk, Write).amount(1_000_000)).unwrap();
    }
    let done = AtomicBool::new(false);
    let keys = stress(4_000);
    race(|thread| {
        if thread > 0 {
            for n in 0..keys {
                detector.record_write("t", format!("{thread}/{n}")).unwrap();
                detector.record_write("t", "x").unwrap();
                if n % 64 == 0 {
                    detector.record_throttle("t", "y", Write, Reason::KeyRange).unwrap();
                }
            }
            done.store(true, SeqCst);
            return;
        }
        let mut before = 0;
        while !done.load(SeqCst) {
            let top = detector.hottest(Write, 3).unwrap();
            let mut pks: Vec<_> = top.iter().map(|hot| &hot.pk[..]).collect();
            pks.sort_unstable();
            assert_eq!(pks, [b"x", b"y", b"z"]);
            assert!(top.is_sorted_by_key(|hot| std::cmp::Reverse(hot.demand)));
            let x = top.iter().find(|hot| hot.pk == b"x").unwrap().count;
            assert!(x >= before);
            before = x;
        }
    });
}

/// Throttles took places of partitions at the bound, and were the quietest, so the evidence went
/// first.
#[test]
fn throttles_and_partitions_do_not_take_each_other_s_places() {
    let detector = manual(3, 3, 60)
        .max_partitions(1)
        .warn_of_throttles(true)
        .on_warning(|_: &hotpart::Warning<'_>| {})
        .build()
        .unwrap();
    for n in 1..=10 {
        assert_eq!(detector.record_write("t", "k"), Ok(n));
        assert_eq!(detector.record_throttle("t", "k", Write, Reason::KeyRange), Ok(n));
    }
    let statistics = detector.statistics();
    assert_eq!((statistics.partitions, statistics.replaced), (1, 0));
    assert_eq!(statistics.warnings, 2, "one of the window's rule, one of the throttles");
    let many = never_hot(60).max_partitions(100).build().unwrap();
    for n in 0..100_u8 {
        many.record_write("t", [n]).unwrap();
        many.record_throttle("t", [n], Write, Reason::KeyRange).unwrap();
    }
    assert_eq!(many.statistics().replaced, 0);
    for n in 100..200_u8 {
        many.record_throttle("t", [n], Write, Reason::KeyRange).unwrap();
    }
    let statistics = many.statistics();
    assert_eq!((statistics.partitions, statistics.replaced), (100, 0), "throttles have a bound of their own");
    let left = (0..200_u8).filter(|n| many.throttle_count("t", [*n], Write, Reason::KeyRange) == Ok(1));
    assert_eq!(left.count(), 100);
}

/// Every partition that was inserted is tracked, or went in one of three ways; throttles are no
/// part of that.
#[test]
fn the_books_of_partitions_balance() {
    let detector = never_hot(1).max_partitions(50).build().unwrap();
    let mut inserted = 0;
    for second in 0..20_u64 {
        detector.set_time_ms(second * 1_000).unwrap();
        for n in 0..100_u64 {
            let key = (second * 100 + n).to_le_bytes();
            detector.record_write("t", key).unwrap();
            detector.record_throttle("t", key, Write, Reason::KeyRange).unwrap();
            inserted += 1;
        }
        if second % 7 == 0 {
            detector.clear().unwrap();
        }
        let hotpart::Statistics { partitions, reclaimed, replaced, cleared, .. } = detector.statistics();
        assert_eq!(partitions + reclaimed + replaced + cleared, inserted);
    }
}

#[test]
fn throttles_survive_growth_and_replacement() {
    let detector = never_hot(5).build().unwrap();
    for n in 0..3_000_u32 {
        detector.record_throttle("t", n.to_le_bytes(), Read, Reason::KeyRange).unwrap();
        detector.record_write("t", n.to_le_bytes()).unwrap();
    }
    // Their writes are idle by now, and give their places back; they are throttled on.
    for second in 1..20_u64 {
        detector.set_time_ms(second * 1_000).unwrap();
        (0..100_u32).for_each(|n| _ = detector.record_throttle("t", n.to_le_bytes(), Read, Reason::KeyRange));
    }
    for n in 0..100_u32 {
        assert_eq!(detector.throttle_count("t", n.to_le_bytes(), Read, Reason::KeyRange), Ok(6));
    }
}

/// A snapshot's numbers are of one moment: a second never has more than the window.
#[test]
fn no_peak_is_over_its_count() {
    let detector = never_hot(60).build().unwrap();
    let done = AtomicBool::new(false);
    race(|thread| {
        if thread > 0 {
            (0..stress(20_000)).for_each(|_| _ = detector.record_write("t", "k"));
            done.store(true, SeqCst);
            return;
        }
        while !done.load(SeqCst) {
            for hot in detector.hottest(Write, 1).unwrap() {
                assert!(hot.peak <= hot.count, "{hot:?}");
            }
        }
    });
}

/// They were what is in the table less the throttles that a walk met meanwhile.
#[test]
fn partitions_are_counted_right_while_throttles_come() {
    let detector = never_hot(60).build().unwrap();
    (0..1_000_u32).for_each(|n| _ = detector.record_write("t", n.to_le_bytes()));
    let done = AtomicBool::new(false);
    race(|thread| {
        if thread > 0 {
            for n in 0..stress(4_000) {
                detector.record_throttle("t", format!("{thread}/{n}"), Write, Reason::KeyRange).unwrap();
            }
            done.store(true, SeqCst);
            return;
        }
        while !done.load(SeqCst) {
            assert_eq!(detector.statistics().partitions, 1_000);
        }
    });
}

#[test]
fn bytes_follow_what_is_tracked() {
    let detector = never_hot(60).build().unwrap();
    let empty = detector.statistics().bytes;
    assert!((1_000..65_536).contains(&empty), "{empty}");
    for n in 0..10_000_u32 {
        detector.record_write("t", n.to_le_bytes()).unwrap();
    }
    let held = detector.statistics().bytes - empty;
    assert!((640_000..1_500_000).contains(&held), "{held}");
    let before = detector.statistics().bytes;
    for n in 0..1_000_u32 {
        let own = hotpart::Thresholds { writes: Some(9), reads: None };
        detector.set_table_thresholds(n.to_le_bytes(), own).unwrap();
    }
    assert!(detector.statistics().bytes - before >= 64_000, "thresholds are held too");
}
