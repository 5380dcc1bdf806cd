//! Promises 5 and 6: memory is bounded by live partitions, a record of a tracked one allocates
//! nothing, and every refusal is an error that changed nothing.

#[path = "common/allocator.rs"]
mod allocator;
mod common;

use allocator::{TestAllocator, allocations, live_bytes, while_inside};
use common::{manual, never_hot, stress};
use hotpart::{Detector, Thresholds, Warning};
use std::sync::{Arc, Barrier, Mutex, PoisonError};

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// Runs a test on a thread of its own and no other test meanwhile, since what one thread retires
/// another may free.
fn alone(test: impl FnOnce() + Send) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let tested = std::thread::scope(|scope| {
        let test = || {
            settle();
            test();
        };
        scope.spawn(test).join()
    });
    tested.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}

/// Lets the collector free all that it can, and returns how many bytes are then live.
fn settle() -> isize {
    (0..60).for_each(|_| drop(Detector::new(1, 1, 1)));
    live_bytes()
}

fn key(i: usize) -> [u8; 16] {
    let mut key = *b"customer#0000000";
    key[9..].copy_from_slice(format!("{i:07}").as_bytes());
    key
}

/// Bytes for each of `KEYS` partitions that were seen in so many seconds, the table's included.
fn bytes_per_partition(seconds: u64) -> f64 {
    const KEYS: usize = 30_000;
    let detector = never_hot(60).build().unwrap();
    let before = settle();
    for second in 0..seconds {
        detector.set_time_ms(second * 1000).unwrap();
        (0..KEYS).for_each(|i| assert_eq!(detector.record_write("orders", key(i)), Ok(second + 1)));
    }
    (settle() - before) as f64 / KEYS as f64
}

#[test]
fn a_quiet_partition_takes_little() {
    alone(|| {
        // An entry of 64 bytes; a segment has 320 bytes of its own, and at worst a third more room
        // than it needs.
        let table = 30.0;
        let (once, eight) = (bytes_per_partition(1), bytes_per_partition(8));
        println!("bytes for each partition: seen once {once:.0}, in 8 seconds {eight:.0}");
        assert!(once < 64.0 + table);
        assert!(eight < 128.0 + table);
    });
}

#[test]
fn a_detector_gives_back_what_its_partitions_took() {
    const KEYS: usize = 100_000;
    alone(|| {
        let empty = settle();
        let detector = never_hot(60).build().unwrap();
        assert!(settle() - empty <= 64 * 1024, "an empty detector");
        (0..KEYS).for_each(|i| assert!(detector.record_write("orders", key(i)).is_ok()));
        let full = (settle() - empty) as f64;
        // A window passes in which one of a hundred is recorded now and then.
        for at in 0..200 {
            detector.set_time_ms(at * 1_000).unwrap();
            (0..KEYS / 100).for_each(|i| assert!(detector.record_write("orders", key(i * 100)).is_ok()));
        }
        let held = (settle() - empty) as f64;
        let (per_past, payload) = (held / KEYS as f64, full / 100.0);
        println!(
            "{:.0} bytes each at the peak, {per_past:.1} after it, with 1 % survivors",
            full / KEYS as f64
        );
        // Survivors were seen in all seconds, and have a wheel each.
        let survivors = (KEYS / 100) as f64 * 700.0;
        assert!(held - survivors <= 16.0 * KEYS as f64 + 2.0 * payload);
    });
}

/// New keys for many windows: memory is that of the keys of the last two or so.
#[test]
fn memory_does_not_grow_with_the_keys_ever_seen() {
    const EACH: usize = 20_000;
    alone(|| {
        let detector = never_hot(10).build().unwrap();
        let mut after_window = Vec::new();
        for window in 0..20 {
            for i in 0..EACH {
                detector.set_time_ms((window * EACH + i) as u64 * 10_000 / EACH as u64).unwrap();
                assert_eq!(detector.record_write("orders", key(window * EACH + i)), Ok(1));
            }
            after_window.push(live_bytes());
        }
        // The window, the second that hardly counts, and half a window until the walk comes by.
        let (early, late) =
            (after_window[..4].iter().max().unwrap(), after_window[4..].iter().max().unwrap());
        println!("live bytes at most {early} in the first four windows, {late} in the other sixteen");
        assert!(*late < early * 5 / 4);
        assert!(detector.statistics().partitions < 2 * EACH as u64);
    });
}

#[test]
fn a_detector_gives_back_all_that_it_took() {
    alone(|| {
        const ROUNDS: isize = 50;
        let before = settle();
        for _ in 0..ROUNDS {
            let detector = manual(5, 5, 60).build().unwrap();
            for second in 0..40 {
                detector.set_time_ms(second * 1000).unwrap();
                assert!(detector.record_write("orders", "k").is_ok());
                assert!((0..20).all(|i| detector.record_read(second.to_le_bytes(), key(i)).is_ok()));
                assert_eq!(detector.table("t").unwrap().record_read("k"), Ok(second + 1));
                detector.set_table_thresholds(second.to_le_bytes(), detector.thresholds()).unwrap();
                detector.set_model_thresholds("m", detector.thresholds()).unwrap();
            }
            detector.clear().unwrap();
            assert!((0..300).all(|i| detector.record_read("orders", key(i)).is_ok()));
        }
        // The collector keeps a few bags of some 2,000 bytes, sometimes one more.
        assert!((settle() - before) / ROUNDS < 100);
    });
}

/// Once its past is a wheel, through turns of the second, hot or not.
#[test]
fn a_record_of_a_tracked_partition_allocates_nothing() {
    alone(|| {
        let detector = manual(10, 10, 60).warning_interval_seconds(1).on_warning(|_| {}).build().unwrap();
        let table = detector.table("orders").unwrap();
        let turn = |second: u64| {
            detector.set_time_ms(second * 1000).unwrap();
            for _ in 0..100 {
                detector.record_write("orders", "k").unwrap();
                table.record_read("k").unwrap();
                detector.write_count("orders", "k").unwrap();
            }
        };
        (0..40).for_each(turn);
        assert_eq!(allocations(|| (40..140).for_each(turn)), 0, "in 20,000 records over 100 seconds");
    });
}

#[test]
fn in_one_second_no_record_allocates_where_there_is_room() {
    alone(|| {
        let detector = never_hot(60).build().unwrap();
        let record = || assert!(detector.record_write("orders", "k").is_ok());
        assert_eq!(allocations(|| (0..10_000).for_each(|_| record())), 0, "not even the first");
    });
}

/// Generations of partitions, of which only the last is not idle: the window is a second.
fn churn(detector: &Detector, generations: std::ops::Range<u64>) {
    for generation in generations {
        detector.set_time_ms(generation * 3_000).unwrap();
        assert!((0..3_000).all(|i| detector.record_write("orders", key(i)) == Ok(1)));
    }
}

/// A thread that is stopped in the middle of a record delays reclaim, and only that.
#[test]
fn a_stopped_thread_only_delays_reclaim() {
    alone(|| {
        let detector = never_hot(1).build().unwrap();
        churn(&detector, 1..4);
        let before = settle();
        // Longer than what a segment has room for, so that it needs a new one.
        let long = [b'k'; 2_048];
        while_inside(
            || assert_eq!(detector.write_count("orders", "any"), Ok(0)),
            1,
            || assert_eq!(detector.record_write("stopped", long), Ok(1)),
            || {
                churn(&detector, 4..14);
                assert!(settle() > before + 1_000_000, "ten generations wait for the thread that stopped");
            },
        );
        assert!(settle() < before + 100_000, "and go when it does");
        assert_eq!(detector.write_count("stopped", long), Ok(0), "its second has left the window");
    });
}

/// A callback that takes its time does not even delay that: its thread has let go of everything.
#[test]
fn a_slow_callback_delays_nothing() {
    alone(|| {
        let (entered, leave) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let slow = {
            let (entered, leave) = (entered.clone(), leave.clone());
            move |_: &Warning<'_>| {
                entered.wait();
                leave.wait();
            }
        };
        let detector = never_hot(1).on_warning(slow).build().unwrap();
        detector.set_table_thresholds("slow", Thresholds { writes: Some(1), reads: None }).unwrap();
        churn(&detector, 1..4);
        let before = settle();
        std::thread::scope(|scope| {
            let inside = scope.spawn(|| detector.record_write("slow", "k"));
            entered.wait();
            assert_eq!(detector.write_count("slow", "k"), Ok(1));
            churn(&detector, 4..14);
            detector.clear().unwrap();
            let grown = settle() - before;
            leave.wait();
            assert_eq!(inside.join().unwrap(), Ok(1));
            assert!(grown < 100_000, "ten generations were kept for a callback: {grown} bytes");
        });
    });
}

/// A stranger's distinct keys, short and long, as many as he likes: no more memory than the bound
/// says.
#[test]
fn hostile_keys_take_no_more_than_the_bound() {
    const BOUND: u64 = 10_000;
    alone(|| {
        let detector = never_hot(60).max_partitions(BOUND).build().unwrap();
        let before = settle();
        let keys = stress(50_000);
        let mut text = [b'x'; 1_024];
        let mut most = [0; 10];
        for i in 0..keys {
            // All within two windows, so that hardly anything idle is reclaimed.
            detector.set_time_ms(i as u64 * 120_000 / keys as u64).unwrap();
            text[..8].copy_from_slice(&(i as u64).to_le_bytes());
            let len = if i % 100 == 0 { 1_024 } else { 8 + i % 40 };
            assert_eq!(detector.record_write("orders", &text[..len]), Ok(1));
            let tenth = &mut most[i * 10 / keys];
            *tenth = live_bytes().max(*tenth);
        }
        let statistics = detector.statistics();
        let held = most.map(|bytes| (bytes - before) / 1024);
        println!(
            "{keys} distinct keys at a bound of {BOUND}: {} KiB in the end, at most in each tenth {held:?} KiB",
            statistics.bytes / 1024
        );
        assert_eq!(statistics.partitions, BOUND);
        assert!(statistics.replaced > keys as u64 / 2);
        assert_eq!(statistics.records, keys as u64);
        assert!(held[9] <= held[2] * 3 / 2, "{held:?} KiB");
        // A hundred bytes of text and entry, what waits in segments for their next replacement, and
        // in the collector.
        assert!(held[9] * 1024 < BOUND as isize * 400 + 1_000_000, "{held:?} KiB");
    });
}

/// A stranger's distinct keys, as many as he likes, and a hot one among them: no more memory than
/// the filter says, and the hot one is warned about by the record that reaches its threshold.
fn hostile_keys_in_a_filter(filter: u64, fits: bool) {
    const THRESHOLD: u64 = 1_500;
    const PROMOTION: u64 = THRESHOLD / 4;
    const HOT: &[u8] = b"the hot one";
    // The collector's, and a segment that is being made.
    const BESIDES: isize = 128 << 10;
    let (before, resident_before) = (settle(), resident_bytes());
    let warned = Arc::new(Mutex::new(None));
    let ears = warned.clone();
    let hear = move |warning: &Warning<'_>| {
        assert!(!fits || warning.pk == HOT);
        if warning.pk == HOT {
            ears.lock().unwrap().get_or_insert((warning.count, warning.carried));
        }
    };
    let builder = manual(THRESHOLD, THRESHOLD, 60).memory(filter).on_warning(hear);
    let detector = builder.build().unwrap();
    let keys = stress(50_000);
    // So often that the hot one reaches its threshold in half a window, and goes on.
    let every = keys / (4 * THRESHOLD as usize);
    let (mut most, mut hot, mut warned_at) = ([0; 10], 0, None);
    for i in 0..keys {
        detector.set_time_ms(i as u64 * 120_000 / keys as u64).unwrap();
        assert!(detector.record_write("orders", (i as u64).to_le_bytes()).is_ok());
        if i % every == 0 {
            let count = detector.record_write("orders", HOT).unwrap();
            hot += 1;
            assert!(hot > THRESHOLD || count >= hot, "{count} of {hot}");
            if warned_at.is_none() && warned.lock().unwrap().is_some() {
                warned_at = Some(hot);
            }
            assert!(hot != THRESHOLD || warned_at.is_some(), "late");
        }
        let tenth = &mut most[i * 10 / keys];
        *tenth = live_bytes().max(*tenth);
    }
    let grown = resident_bytes() - resident_before;
    let statistics = detector.statistics();
    let (held, warned_at) = (most.map(|bytes| (bytes - before) / 1024), warned_at.unwrap());
    let (count, carried) = warned.lock().unwrap().unwrap();
    println!(
        "{keys} distinct keys in a filter of {} KiB: {} KiB in the end, at most in each tenth {held:?} KiB, {} KiB resident; \
         {} promoted, {} kept out; the hot one was warned about at {warned_at} of {THRESHOLD}: {count}, {carried} carried",
        filter / 1024,
        statistics.bytes / 1024,
        grown / 1024,
        statistics.promoted,
        statistics.kept_out,
    );
    assert!(statistics.bytes <= filter, "{} bytes", statistics.bytes);
    assert!(most.iter().all(|bytes| bytes - before <= filter as isize + BESIDES), "{held:?} KiB");
    assert!(grown <= filter as isize + (1 << 20), "{} KiB resident", grown / 1024);
    assert!(count >= THRESHOLD && count - carried <= warned_at);
    assert_eq!(statistics.records, keys as u64 + hot);
    if fits {
        assert_eq!(statistics.kept_out, 0);
        assert!(statistics.promoted > 0 && statistics.promoted < keys as u64 / 100);
        assert!(carried < PROMOTION && warned_at > THRESHOLD - PROMOTION);
    }
}

#[test]
fn hostile_keys_take_no_more_than_the_filter() {
    alone(|| hostile_keys_in_a_filter(4 << 20, true));
}

/// Far more keys than it is for: in a release build most records would promote a key, were there
/// room.
#[test]
fn hostile_keys_take_no_more_than_a_filter_that_is_too_small() {
    alone(|| hostile_keys_in_a_filter(512 << 10, false));
}

/// The memory that this process holds by the kernel; 0 where it says nothing of the kind.
fn resident_bytes() -> isize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.map_or(0, |kib| kib.trim().trim_end_matches(" kB").parse::<isize>().unwrap() * 1024)
}

/// A thread stops while it makes room for its override, having put it in already. Who sets the same
/// override meanwhile, and is back, finds it set.
#[test]
fn a_threshold_that_was_set_is_in_force_whoever_stops() {
    alone(|| {
        let detector = never_hot(60).build().unwrap();
        let set = |table: &str, reads| {
            let thresholds = Thresholds { writes: None, reads };
            detector.set_table_thresholds(table, thresholds).unwrap();
        };
        // All but one of the words that a segment takes have been used, and none is in use.
        for i in 0..224 {
            set(&format!("table {i}"), Some(1));
            set(&format!("table {i}"), None);
        }
        while_inside(
            || assert!(detector.table_thresholds("t").is_ok()),
            2,
            || set("t", Some(5)),
            || {
                set("t", Some(6));
                assert_eq!(detector.table_thresholds("t").unwrap().reads, Some(6));
            },
        );
    });
}
