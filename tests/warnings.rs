//! Promises 3 and 4: who warns, when, about what, and what a callback may do.

mod common;

use common::{THREADS, lock, manual, race, stress};
use hotpart::{Builder, Detector, Operation, Record, Thresholds};
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};

/// A warning's numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seen {
    count: u64,
    threshold: u64,
    suppressed: u64,
    peak: u64,
}

/// The detector of a builder, and what it warns of.
fn watched(builder: Builder) -> (Detector, Arc<Mutex<Vec<Seen>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let callback = {
        let seen = seen.clone();
        move |w: &hotpart::Warning<'_>| {
            let (count, threshold, suppressed, peak) = (w.count, w.threshold, w.suppressed, w.peak);
            lock(&seen).push(Seen { count, threshold, suppressed, peak });
        }
    };
    (builder.on_warning(callback).build().unwrap(), seen)
}

/// The warnings since this was last asked.
fn taken(seen: &Mutex<Vec<Seen>>) -> Vec<Seen> {
    std::mem::take(&mut lock(seen))
}

fn both(writes: u64, reads: u64) -> Thresholds {
    Thresholds { writes: Some(writes), reads: Some(reads) }
}

#[test]
fn one_of_the_racing_threads_warns_in_each_interval() {
    const THRESHOLD: u64 = 10;
    let (detector, seen) = watched(manual(THRESHOLD, 1, 60));
    let intervals = stress(100) as u64;
    let each = 200;
    let mut hot = 0;
    for interval in 0..intervals {
        detector.set_time_ms(interval * 60_000).unwrap();
        let counts =
            race(|_| (0..each).map(|_| detector.record_write("t", "k").unwrap()).collect::<Vec<_>>());
        hot += counts.iter().flatten().filter(|&&count| count >= THRESHOLD).count() as u64;
        assert_eq!(seen.lock().unwrap().len() as u64, interval + 1, "exactly one warning");
    }
    // Once more, to hear what is still pending.
    detector.set_time_ms(intervals * 60_000).unwrap();
    detector.record_write("t", "k").unwrap();
    hot += 1;
    let warnings = taken(&seen);
    let suppressed = warnings.iter().map(|warning| warning.suppressed).sum::<u64>();
    assert_eq!(warnings.len() as u64 + suppressed, hot);
    assert!(warnings.iter().all(|warning| warning.count >= THRESHOLD));
    println!("{hot} hot records: {} warned, {suppressed} suppressed", warnings.len());
}

/// The clock moves while threads record, so that a warning is due over and over and threads meet at
/// it: still there is one in an interval at most, and every other hot record is counted as
/// suppressed.
#[test]
fn hot_records_are_warned_about_or_suppressed_while_the_clock_moves() {
    let (detector, seen) = watched(manual(1, 1, 60).warning_interval_seconds(1));
    let records = stress(20_000) as u64;
    race(|_| {
        for i in 0..records {
            detector.set_time_ms(i * 250).unwrap();
            detector.record_read("t", "k").unwrap();
        }
    });
    detector.set_time_ms(records * 250 + 1_000).unwrap();
    detector.record_read("t", "k").unwrap();
    let warnings = taken(&seen);
    let suppressed = warnings.iter().map(|warning| warning.suppressed).sum::<u64>();
    assert_eq!(warnings.len() as u64 + suppressed, THREADS as u64 * records + 1);
    assert!((2..=records / 4 + 2).contains(&(warnings.len() as u64)), "{} warnings", warnings.len());
}

#[test]
fn an_interval_of_zero_warns_of_every_hot_record() {
    let (detector, seen) = watched(manual(3, 3, 60).warning_interval_seconds(0));
    let each = stress(2_000) as u64;
    race(|_| (0..each).for_each(|_| assert!(detector.record_write("t", "k").is_ok())));
    let warnings = taken(&seen);
    assert_eq!(warnings.len() as u64, THREADS as u64 * each - 2);
    assert!(warnings.iter().all(|warning| warning.suppressed == 0));
}

#[test]
fn an_interval_ends_to_the_millisecond() {
    let (detector, seen) = watched(manual(1, 1, 60).warning_interval_seconds(5));
    for (at_ms, warnings) in [(700, 1), (5_699, 1), (5_700, 2), (5_701, 2), (10_699, 2), (10_700, 3)] {
        detector.set_time_ms(at_ms).unwrap();
        detector.record_write("t", "k").unwrap();
        assert_eq!(seen.lock().unwrap().len(), warnings, "at {at_ms} ms");
    }
    assert_eq!(taken(&seen).pop(), Some(Seen { count: 6, threshold: 1, suppressed: 2, peak: 3 }));
}

#[test]
fn writes_and_reads_warn_apart() {
    let (detector, seen) = watched(manual(2, 3, 60));
    for (writes, reads, warnings) in [(1, 1, 0), (1, 0, 1), (0, 1, 1), (0, 1, 2), (1, 1, 2)] {
        (0..writes).for_each(|_| assert!(detector.record_write("t", "k").is_ok()));
        (0..reads).for_each(|_| assert!(detector.record_read("t", "k").is_ok()));
        assert_eq!(seen.lock().unwrap().len(), warnings);
    }
}

#[test]
fn a_models_threshold_wins_over_the_tables_and_that_over_the_detectors() {
    let (detector, _) = watched(manual(10, 10, 60).warning_interval_seconds(0));
    let threshold = |table: &str, model: Option<&str>| {
        // One record that is past every threshold.
        let record = Record::new(table, "k", Operation::Write).amount(100);
        let record = model.map_or(record, |model| record.model(model));
        detector.record_and_warn(&record).unwrap().1.unwrap().threshold
    };
    detector.set_table_thresholds("t", both(20, 20)).unwrap();
    detector.set_model_thresholds("m", both(30, 30)).unwrap();
    detector.set_model_thresholds("reads", Thresholds { writes: None, reads: Some(5) }).unwrap();
    assert_eq!(threshold("t", Some("m")), 30);
    assert_eq!(threshold("t", Some("reads")), 20, "a side that is not set leaves it to the table");
    assert_eq!(threshold("t", Some("unknown")), 20);
    assert_eq!(threshold("t", Some("t")), 20, "a table's override is not a model's");
    assert_eq!(threshold("m", None), 10, "a model's override is not a table's");
    assert_eq!(threshold("t/index/i", None), 10);
    assert_eq!(threshold("arn:aws:dynamodb:eu-west-1:1:table/t", None), 10);
    detector.set_table_thresholds("t", Thresholds::default()).unwrap();
    assert_eq!(threshold("t", None), 10);
    detector.clear().unwrap();
    assert_eq!(threshold("other", Some("m")), 10, "clearing forgets overrides");
}

#[test]
fn who_takes_a_warning_is_not_called_back_with_it() {
    let (detector, seen) = watched(manual(2, 2, 60));
    let record = Record::new("t", "k", Operation::Read);
    assert_eq!(detector.record_and_warn(&record), Ok((1, None)));
    let (count, warning) = detector.record_and_warn(&record).unwrap();
    assert_eq!((count, warning.unwrap().count), (2, 2));
    assert_eq!(detector.record(&record), Ok(3));
    assert_eq!(taken(&seen), []);
}

#[test]
fn without_a_listener_hot_records_are_suppressed() {
    let detector = manual(2, 2, 60).build().unwrap();
    (0..5).for_each(|_| assert!(detector.record_write("t", "k").is_ok()));
    let (_, warning) = detector.record_and_warn(&Record::new("t", "k", Operation::Write)).unwrap();
    assert_eq!(warning.unwrap().suppressed, 4);
}

/// A detector whose callback gets the detector itself.
fn with_callback(
    builder: Builder,
    callback: impl Fn(&Detector) + Send + Sync + 'static,
) -> Arc<OnceLock<Detector>> {
    let cell = Arc::new(OnceLock::new());
    let builder = {
        let cell = Arc::downgrade(&cell);
        builder.on_warning(move |_| callback(cell.upgrade().unwrap().get().unwrap()))
    };
    cell.set(builder.build().unwrap()).unwrap();
    cell
}

#[test]
fn records_inside_a_callback_count_but_call_back_no_further() {
    let calls = Arc::new(AtomicU64::new(0));
    let detector = {
        let calls = calls.clone();
        with_callback(manual(1, 1, 60).warning_interval_seconds(0), move |detector| {
            let call = calls.fetch_add(1, SeqCst);
            let visible = detector.write_count("t", "k").unwrap();
            assert_eq!(visible, 2 * call + 1, "the record is visible before the callback runs");
            assert_eq!(detector.record_write("t", "k"), Ok(visible + 1));
            assert_eq!(detector.record_write("t", "inner"), Ok(call + 1));
        })
    };
    let detector = detector.get().unwrap();
    assert_eq!(detector.record_write("t", "k"), Ok(1));
    assert_eq!(detector.record_write("t", "k"), Ok(3));
    assert_eq!(detector.write_count("t", "k"), Ok(4));
    assert_eq!(calls.load(SeqCst), 2, "once for each record outside");
    // Those inside were suppressed, and the next to be heard says so.
    let (_, warning) = detector.record_and_warn(&Record::new("t", "inner", Operation::Write)).unwrap();
    assert_eq!(warning.unwrap().suppressed, 2);
    assert_eq!(detector.statistics().callback_panics, 0, "nothing above failed unseen");
}

/// Two detectors' callbacks record on each other's, and every record is hot: that ends at once,
/// too.
#[test]
fn callbacks_that_record_on_each_others_detectors_end() {
    let cells: [Arc<OnceLock<Detector>>; 2] = Default::default();
    for (cell, other) in [(0, 1), (1, 0)] {
        let other = Arc::downgrade(&cells[other]);
        let builder = manual(1, 1, 60).warning_interval_seconds(0).on_warning(move |_| {
            let other = other.upgrade().unwrap();
            assert!(other.get().unwrap().record_write("t", "k").is_ok());
        });
        cells[cell].set(builder.build().unwrap()).unwrap();
    }
    let [first, second] = cells.each_ref().map(|cell| cell.get().unwrap());
    assert_eq!((first.record_write("t", "k"), second.record_write("t", "k")), (Ok(1), Ok(2)));
    assert_eq!((first.write_count("t", "k"), second.write_count("t", "k")), (Ok(2), Ok(2)));
    for detector in [first, second] {
        let statistics = detector.statistics();
        assert_eq!((statistics.warnings, statistics.suppressed, statistics.callback_panics), (1, 1, 0));
    }
}

/// Whatever is cleared under the others' hands, each record returns a count that some moment had.
#[test]
fn callbacks_may_clear_while_others_record() {
    let detector = with_callback(manual(10, 10, 60).warning_interval_seconds(0), |detector| {
        assert!(detector.record_write("t", "k").is_ok());
        detector.clear().unwrap();
    });
    let detector = detector.get().unwrap();
    let records = stress(2_000) as u64;
    race(|thread| {
        for i in 0..records {
            let count = detector.record_write("t", "k").unwrap();
            assert!(1 <= count && count <= 2 * records * THREADS as u64);
            assert!(detector.record_read("mine", (records * thread as u64 + i).to_le_bytes()).unwrap() == 1);
        }
    });
    let statistics = detector.statistics();
    assert_eq!(statistics.callback_panics, 0);
    assert!(statistics.cleared > 0 && detector.write_count("t", "k").unwrap() < 10);
    println!("{} callbacks cleared {} partitions", statistics.warnings, statistics.cleared);
}

#[test]
fn a_callback_may_call_everything() {
    let detector = with_callback(manual(1, 1, 60), |detector| {
        detector.set_time_ms(90_000).unwrap();
        detector.set_table_thresholds("t", both(5, 5)).unwrap();
        detector.set_model_thresholds("m", both(5, 5)).unwrap();
        assert_eq!(detector.table_thresholds("t"), Ok(both(5, 5)));
        assert_eq!(detector.model_thresholds("m"), Ok(both(5, 5)));
        assert_eq!(detector.thresholds(), both(1, 1));
        let table = detector.table("t").unwrap();
        assert_eq!((table.record_write("x"), table.record_read("x")), (Ok(1), Ok(1)));
        let record = Record::new("u", "x", Operation::Write);
        assert!(detector.record_and_warn(&record).unwrap().1.is_some(), "it may take warnings itself");
        assert_eq!(detector.record(&record), Ok(2));
        detector.clear().unwrap();
        assert_eq!(detector.write_count("t", "k"), Ok(0));
        assert_eq!(detector.statistics().partitions, 0);
    });
    let detector = detector.get().unwrap();
    assert_eq!(detector.record_write("t", "k"), Ok(1), "the count from before the callback cleared it");
    assert_eq!(detector.statistics().callback_panics, 0, "nothing above failed unseen");
    assert_eq!(detector.write_count("t", "k"), Ok(0));
}

/// A payload whose own drop panics.
struct Grenade;

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_callback_that_panics_is_tallied_and_the_record_returns_its_count() {
    let calls = Cell::new(0);
    let builder = manual(2, 2, 60).warning_interval_seconds(0);
    let detector = builder.on_warning(|warning| {
        if warning.count == 4 { std::panic::panic_any(Grenade) } else { panic!("on purpose") }
    });
    let detector = detector.build().unwrap();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    for count in 1..=5 {
        assert_eq!(detector.record_write("t", "k"), Ok(count));
        calls.set(calls.get() + u64::from(count >= 2));
        assert_eq!(detector.statistics().callback_panics, calls.get());
    }
    std::panic::set_hook(hook);
}

/// The thresholds are those of its examples.
#[test]
fn the_log_line_is_the_one_that_the_readme_shows() {
    let detector = Detector::builder(500, 1_500, 60).manual_clock().build().unwrap();
    let record = Record::new("orders", "CUSTOMER#42", Operation::Write);
    (1..500).for_each(|n| assert_eq!(detector.record(&record).unwrap(), n));
    let (_, warning) = detector.record_and_warn(&record).unwrap();
    let line = warning.unwrap().to_string();
    assert!(include_str!("../README.md").lines().any(|shown| shown == line), "{line}");
}

/// Such a record turns the head of a partition that has no alarm yet. The fast turn leaves it alone,
/// and does not compare counts with the thresholds afterwards.
#[test]
fn one_large_amount_that_begins_a_second_warns() {
    let (detector, seen) = watched(manual(50, 50, 60));
    let record = |amount| Record::new("t", "k", Operation::Write).amount(amount);
    assert_eq!(detector.record(&record(1)).unwrap(), 1);
    detector.set_time_ms(1_000).unwrap();
    assert_eq!(detector.record(&record(100)).unwrap(), 101);
    assert_eq!(taken(&seen), [Seen { count: 101, threshold: 50, suppressed: 0, peak: 100 }]);
}
