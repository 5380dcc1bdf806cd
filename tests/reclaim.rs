//! Promise 6: memory follows live partitions, and who goes first at the bound.

mod common;

use common::{manual, never_hot};
use hotpart::{Argument, Detector, Error, Operation, Record};

const WINDOW: u32 = 60;
const WINDOW_MS: u64 = WINDOW as u64 * 1000;
const LAST_MS: u64 = 4_294_967_295_999;

/// Touches `keys` partitions, once each.
fn touch(detector: &Detector, keys: u32) {
    for key in 0..keys {
        assert_eq!(detector.record_write("t", key.to_le_bytes()), Ok(1));
    }
}

/// Records to one key alone, every millisecond from `from_ms` on, for this long.
fn trickle(detector: &Detector, from_ms: u64, ms: u64) {
    for at_ms in from_ms..from_ms + ms {
        detector.set_time_ms(at_ms).unwrap();
        detector.record_write("t", "steady").unwrap();
    }
}

#[test]
fn traffic_anywhere_reclaims_what_is_idle() {
    const KEYS: u32 = 100_000;
    let detector = never_hot(WINDOW).build().unwrap();
    touch(&detector, KEYS);
    trickle(&detector, 1, WINDOW_MS + 999);
    assert_eq!(detector.statistics().partitions, u64::from(KEYS) + 1, "none goes before its window is over");
    // A walk over all partitions takes half a window.
    trickle(&detector, WINDOW_MS + 1_000, WINDOW_MS / 2 + 1_000);
    let statistics = detector.statistics();
    assert_eq!((statistics.partitions, statistics.reclaimed), (1, KEYS.into()));
    assert_eq!(statistics.replaced + statistics.cleared, 0);
}

#[test]
fn after_a_lull_a_walks_worth_of_records_reclaims_all() {
    const KEYS: u32 = 20_000;
    let detector = never_hot(WINDOW).build().unwrap();
    touch(&detector, KEYS);
    detector.set_time_ms(100 * WINDOW_MS).unwrap();
    // Each record takes a step, which looks at 16 places; there are fewer than four places for each
    // entry.
    for _ in 0..KEYS / 4 {
        detector.record_read("t", "steady").unwrap();
    }
    assert_eq!(detector.statistics().partitions, 1);
    // And with the walk made up for, a clock that stands reclaims no more, whatever the traffic.
    touch(&detector, 100);
    assert_eq!(detector.statistics().partitions, 101);
}

#[test]
fn asking_neither_inserts_nor_keeps_alive() {
    let detector = never_hot(WINDOW).build().unwrap();
    assert_eq!((detector.write_count("t", "k"), detector.read_count("t", "k")), (Ok(0), Ok(0)));
    assert_eq!(detector.statistics().partitions, 0);
    detector.record_write("t", "asked").unwrap();
    for at_ms in 1..2 * WINDOW_MS {
        detector.set_time_ms(at_ms).unwrap();
        detector.record_write("t", "steady").unwrap();
        detector.write_count("t", "asked").unwrap();
    }
    let statistics = detector.statistics();
    assert_eq!((statistics.partitions, statistics.reclaimed), (1, 1));
}

/// Its window is empty, but it must not warn yet: forgetting it would.
#[test]
fn a_partition_stays_until_its_interval_has_run_out() {
    let detector = manual(1, 1, 10).warning_interval_seconds(60).build().unwrap();
    let hot = Record::new("t", "hot", Operation::Write);
    assert!(detector.record_and_warn(&hot).unwrap().1.is_some());
    trickle(&detector, 1, 59_998);
    assert_eq!(detector.statistics().partitions, 2);
    assert_eq!(detector.record_and_warn(&hot), Ok((1, None)));
    trickle(&detector, 60_000, 11_000 + 10_000);
    assert_eq!(detector.statistics().partitions, 1);
    let warning = detector.record_and_warn(&hot).unwrap().1.unwrap();
    assert_eq!(warning.suppressed, 0, "as if never seen");
}

/// Reclaim looks at both operations: either keeps the partition.
#[test]
fn a_read_keeps_the_writes_partition() {
    let detector = never_hot(10).build().unwrap();
    detector.record_write("t", "k").unwrap();
    trickle(&detector, 1, 9_999);
    detector.record_read("t", "k").unwrap();
    trickle(&detector, 10_000, 9_999);
    assert_eq!(detector.statistics().partitions, 2);
    trickle(&detector, 20_000, 6_000);
    assert_eq!(detector.statistics().partitions, 1);
}

#[test]
fn the_bound_holds() {
    let detector = never_hot(WINDOW).max_partitions(100).build().unwrap();
    for key in 0..10_000_u64 {
        assert_eq!(detector.record_write("t", key.to_le_bytes()), Ok(1));
        assert_eq!(detector.statistics().partitions, (key + 1).min(100));
    }
    assert_eq!(detector.statistics().replaced, 9_900);
}

#[test]
fn idle_partitions_are_replaced_before_busy_ones() {
    let detector = never_hot(WINDOW).max_partitions(100).build().unwrap();
    touch(&detector, 50);
    detector.set_time_ms(WINDOW_MS + 1_000).unwrap();
    // Their first records reclaim as well; what matters is that no busy one is hurt.
    (0..100_u64).for_each(|key| assert_eq!(detector.record_read("busy", key.to_le_bytes()), Ok(1)));
    let statistics = detector.statistics();
    assert_eq!((statistics.partitions, statistics.replaced, statistics.reclaimed), (100, 0, 50));
}

/// A scan of new keys does not push out the key that matters. Each new one is compared with a few:
/// so that in this crowd the busiest goes only if those few are all it.
#[test]
fn a_busy_partition_outlives_a_flood_of_quiet_ones() {
    let detector = never_hot(WINDOW).max_partitions(1_000).build().unwrap();
    let hot = Record::new("t", "hot", Operation::Write).amount(1_000);
    detector.record(&hot).unwrap();
    touch(&detector, 50_000);
    assert_eq!(detector.write_count("t", "hot"), Ok(1_000));
    assert_eq!(detector.statistics().replaced, 50_001 - 1_000);
}

#[test]
fn the_clock_may_leap_to_its_last_moment() {
    for window in [1, 10, 60, 3600] {
        let detector = manual(2, 2, window).build().unwrap();
        let hot = Record::new("t", "k", Operation::Write);
        for second in 0..u64::from(window.min(100)) {
            detector.set_time_ms(second * 1000).unwrap();
            assert_eq!(detector.record(&hot), Ok(second + 1));
        }
        detector.set_time_ms(LAST_MS).unwrap();
        assert_eq!(detector.write_count("t", "k"), Ok(0));
        assert_eq!(detector.record(&hot), Ok(1));
        let (count, warning) = detector.record_and_warn(&hot).unwrap();
        assert_eq!((count, warning.map(|warning| (warning.suppressed, warning.peak))), (2, Some((0, 2))));
        // Time stands there for ever, and refuses to go on.
        assert_eq!(detector.set_time_ms(LAST_MS + 1), Err(Error::Invalid(Argument::NowMs)));
        assert_eq!(detector.set_time_ms(5), Ok(()));
        touch(&detector, 1_000);
        assert_eq!(detector.record(&hot), Ok(3));
    }
}

/// The clock stands for as long as it likes, leaps an hour, and stands again: to the window of an
/// hour the leap is no more than a window, to the others it is the end of all that was.
#[test]
fn the_clock_may_stop_and_leap_an_hour() {
    const HOUR_MS: u64 = 3_600_000;
    for window in [1, 60, 3_600] {
        let detector = never_hot(window).build().unwrap();
        let mut now_ms = 999;
        for _ in 0..5 {
            detector.set_time_ms(now_ms).unwrap();
            assert!((1..=10_000).all(|n| detector.record_write("t", "k") == Ok(n)));
            touch(&detector, 1_000);
            detector.set_time_ms(now_ms + HOUR_MS).unwrap();
            let left = if window == 3_600 { 10_000 } else { 0 };
            assert_eq!(detector.write_count("t", "k"), Ok(left));
            assert_eq!(detector.record_write("t", "k"), Ok(left + 1));
            // A millisecond more is the next second: the one before the leap has left every window.
            detector.set_time_ms(now_ms + HOUR_MS + 1).unwrap();
            assert_eq!(detector.write_count("t", "k"), Ok(1));
            now_ms += 2 * (HOUR_MS + 1_000);
        }
    }
}

/// A leap over many windows, recorded into from before the leap on: every form of the past is empty
/// after it.
#[test]
fn nothing_outlives_a_leap() {
    let window = 60;
    for seconds in [1, 4, 8, 16, 32, 61] {
        let detector = never_hot(window).build().unwrap();
        let mut now_ms = 0;
        for _ in 0..5 {
            for second in 1..=seconds {
                detector.set_time_ms(now_ms).unwrap();
                assert_eq!(detector.record_write("t", "k"), Ok(second));
                now_ms += 1000;
            }
            now_ms += 1_000_003_000;
        }
    }
}
