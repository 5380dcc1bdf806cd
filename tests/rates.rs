//! Capacity mode, and the rules beside the window's total: a second's, five seconds', and
//! DynamoDB's own.

mod common;

use common::{manual, stress};
use hotpart::Operation::{Read, Write};
use hotpart::{Argument, Builder, Detector, Error, Operation, Record, Rule, Thresholds};
use proptest::prelude::*;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// The parts of a warning that are about its rule: which, count, threshold, seconds, utilisation.
type Seen = (Rule, u64, u64, u32, u32);

fn watched(builder: Builder) -> (Detector, Arc<Mutex<Vec<Seen>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let to = seen.clone();
    let callback = move |w: &hotpart::Warning<'_>| {
        to.lock().unwrap().push((w.rule, w.count, w.threshold, w.window_seconds, w.utilisation_permille));
    };
    (builder.on_warning(callback).build().unwrap(), seen)
}

fn taken(seen: &Mutex<Vec<Seen>>) -> Vec<Seen> {
    std::mem::take(&mut seen.lock().unwrap())
}

fn dynamodb(share: f64, processes: u32) -> Builder {
    Detector::for_dynamodb(share, processes)
        .unwrap()
        .manual_clock()
        .hash_seed([3, 14])
        .warning_interval_seconds(0)
}

fn units(detector: &Detector, operation: Operation, units: u64) {
    detector.record(&Record::new("t", "k", operation).amount(units * 2)).unwrap();
}

#[test]
fn an_even_trickle_below_the_share_never_warns_and_one_at_it_does() {
    for (operation, limit) in [(Write, 1_000), (Read, 3_000)] {
        for (share, warns) in [(limit * 8 / 10 - 1, false), (limit * 8 / 10, true)] {
            let (detector, seen) = watched(dynamodb(0.8, 1));
            for second in 0..120 {
                detector.set_time_ms(second * 1_000).unwrap();
                units(&detector, operation, share);
                let warnings = taken(&seen);
                if warns && second >= 4 {
                    let five = share * 5 * 2;
                    assert_eq!(warnings, [(Rule::Sustained, five, five, 5, 800)], "second {second}");
                } else {
                    assert_eq!(warnings, [], "second {second}");
                }
            }
        }
    }
}

#[test]
fn a_burst_of_the_limit_warns_in_its_second() {
    let (detector, seen) = watched(dynamodb(0.8, 1));
    units(&detector, Write, 999);
    assert_eq!(taken(&seen), []);
    units(&detector, Write, 1);
    assert_eq!(taken(&seen), [(Rule::Second, 2_000, 2_000, 1, 1_000)]);
    // The next second is its own, though the window has the burst still.
    detector.set_time_ms(1_000).unwrap();
    units(&detector, Write, 1);
    assert_eq!(taken(&seen), []);
    assert_eq!(detector.write_count("t", "k"), Ok(2_002));
    // Reads are judged apart.
    units(&detector, Read, 2_999);
    assert_eq!(taken(&seen), []);
    units(&detector, Read, 2);
    assert_eq!(taken(&seen), [(Rule::Second, 6_002, 6_000, 1, 1_000)]);
}

#[test]
fn processes_divide_the_limits() {
    let (detector, seen) = watched(dynamodb(1.0, 4));
    units(&detector, Write, 249);
    assert_eq!(taken(&seen), []);
    units(&detector, Write, 1);
    assert_eq!(taken(&seen), [(Rule::Second, 500, 500, 1, 1_000)]);
}

#[test]
fn a_preset_that_makes_no_sense_is_refused() {
    for (share, processes) in
        [(0.0, 1), (-1.0, 1), (1.1, 1), (f64::NAN, 1), (0.8, 0), (f64::INFINITY, 1), (1.0004, 1), (0.0006, 1)]
    {
        let refused = if processes == 0 { Argument::Processes } else { Argument::Share };
        assert_eq!(
            Detector::for_dynamodb(share, processes).err(),
            Some(Error::Invalid(refused)),
            "{share} {processes}"
        );
    }
    let invalid = |argument| Some(Error::Invalid(argument));
    let five = Thresholds { writes: Some(1), reads: None };
    assert_eq!(
        manual(1, 1, 4).sustained_thresholds(five).build().err(),
        invalid(Argument::WindowSecondsSustained)
    );
    assert!(manual(1, 1, 5).sustained_thresholds(five).build().is_ok());
    let most = Thresholds { writes: Some(u64::MAX), reads: None };
    assert_eq!(
        manual(1, 1, 60).second_thresholds(most).build().err(),
        invalid(Argument::WritesPerSecond),
        "not none"
    );
    let zero = Thresholds { writes: Some(0), reads: None };
    assert_eq!(manual(1, 1, 60).second_thresholds(zero).build().err(), invalid(Argument::WritesPerSecond));
    assert_eq!(manual(1, 1, 60).processes(0).build().err(), invalid(Argument::Processes));
}

#[test]
fn a_second_s_threshold_stands_beside_the_window_s() {
    let second = Thresholds { writes: Some(10), reads: None };
    let (detector, seen) = watched(manual(25, 25, 60).second_thresholds(second).warning_interval_seconds(0));
    for at in 0..3 {
        detector.set_time_ms(at * 1_000).unwrap();
        (0..8).for_each(|_| _ = detector.record_write("t", "k"));
    }
    assert_eq!(taken(&seen), [], "24 in three seconds");
    detector.record_write("t", "k").unwrap();
    assert_eq!(taken(&seen), [(Rule::Window, 25, 25, 60, 0)]);
    detector.record_write("t", "k").unwrap();
    // Both are met: the more urgent one is told.
    assert_eq!(taken(&seen), [(Rule::Second, 10, 10, 1, 10)]);
    (0..24).for_each(|_| _ = detector.record_read("t", "k"));
    assert_eq!(taken(&seen), [], "reads have no such rule");
}

/// The tenth of a second's writes is told, though another thread turns the second between its
/// addition and its look.
#[test]
fn a_full_second_is_told_though_it_turns() {
    let (keys, rate) = (stress(20_000) as u32, 10);
    let rates = Thresholds { writes: Some(rate), reads: None };
    let (detector, seen) = watched(
        manual(i64::MAX as u64, i64::MAX as u64, 60).second_thresholds(rates).warning_interval_seconds(0),
    );
    let turn = AtomicU32::new(0);
    let wait =
        |key| (0_u32..).take_while(|_| turn.load(SeqCst) != key).for_each(|_| std::thread::yield_now());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for key in 0..keys {
                wait(key);
                (0..rate).for_each(|_| _ = detector.record_write("t", key.to_le_bytes()));
            }
        });
        for key in 0..keys {
            while detector.write_count("t", key.to_le_bytes()) != Ok(rate) {
                std::thread::yield_now();
            }
            // All ten are counted; perhaps the last has not been looked at.
            detector.set_time_ms((u64::from(key) + 1) * 1_000).unwrap();
            detector.record_write("t", key.to_le_bytes()).unwrap();
            turn.store(key + 1, SeqCst);
        }
    });
    assert_eq!(taken(&seen).len(), keys as usize);
}

/// Numbers near the end of the manual clock's time.
#[test]
fn the_last_second_has_no_more_than_others() {
    let rates = Thresholds { writes: Some(10), reads: None };
    let (detector, seen) = watched(manual(1_000, 1_000, 60).sustained_thresholds(rates));
    let last = 4_294_967_295_999;
    detector.set_time_ms(last - 30_000).unwrap();
    detector.record(&Record::new("t", "k", Write).amount(9)).unwrap();
    detector.set_time_ms(last).unwrap();
    detector.record_write("t", "k").unwrap();
    assert_eq!(taken(&seen), [], "nine of those are half a minute old");
}

#[test]
fn rates_hold_whatever_a_table_or_a_model_has_for_its_window() {
    let rates = Thresholds { writes: Some(5), reads: None };
    let (detector, seen) = watched(manual(3, 3, 60).second_thresholds(rates).warning_interval_seconds(0));
    let never = Thresholds { writes: Some(i64::MAX as u64), reads: None };
    detector.set_table_thresholds("t", never).unwrap();
    detector.set_model_thresholds("m", never).unwrap();
    let second = [(Rule::Second, 5, 5, 1, 5)];
    detector.record(&Record::new("t", "first", Write).amount(5)).unwrap();
    assert_eq!(taken(&seen), second, "the first record of all, too");
    (0..5).for_each(|_| _ = detector.record(&Record::new("u", "k", Write).model("m")));
    assert_eq!(taken(&seen), second);
    let batch = [Record::new("t", "batch", Write); 5];
    assert_eq!(detector.record_batch(&batch), Ok(5));
    assert_eq!(taken(&seen), second);
    (0..4).for_each(|_| _ = detector.record_write("t", "out"));
    let (count, warning) = detector.record_and_warn(&Record::new("t", "out", Write)).unwrap();
    assert_eq!((count, warning.map(|warning| warning.rule)), (5, Some(Rule::Second)));
}

#[test]
fn records_of_a_batch_are_counted_before_their_warnings_are_given() {
    let detector = std::sync::OnceLock::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (of, to) = (Arc::new(detector), seen.clone());
    // A reference that does not count: the detector holds its callback, and that must not hold the
    // detector.
    let within = Arc::downgrade(&of);
    let builder = manual(1, 1, 60).warning_interval_seconds(0).on_warning(move |_: &hotpart::Warning<'_>| {
        let of = within.upgrade().unwrap();
        let detector: &Detector = of.get().unwrap();
        to.lock().unwrap().push(detector.statistics().records);
    });
    let detector = of.get_or_init(|| builder.build().unwrap());
    detector.record_batch(&[Record::new("t", "k", Write); 3]).unwrap();
    assert_eq!(*seen.lock().unwrap(), [1, 2, 3]);
}

#[test]
fn all_rules_share_one_interval() {
    let second = Thresholds { writes: Some(2), reads: None };
    let (detector, seen) = watched(manual(3, 3, 60).second_thresholds(second));
    (0..5).for_each(|_| _ = detector.record_write("t", "k"));
    assert_eq!(taken(&seen).len(), 1);
    let statistics = detector.statistics();
    assert_eq!((statistics.warnings, statistics.suppressed, statistics.records), (1, 3, 5));
}

#[test]
fn a_record_without_an_amount_is_a_unit_in_capacity_mode() {
    let detector = manual(1_000, 1_000, 60).capacity_mode().build().unwrap();
    assert_eq!(detector.record_write("t", "k"), Ok(2));
    assert_eq!(detector.table("t").unwrap().record_write("k"), Ok(4));
    assert_eq!(detector.record(&Record::new("t", "k", Write).amount(1)), Ok(5), "half a unit");
    assert_eq!(detector.record(&Record::new("t", "k", Write)), Ok(7), "one unit");
}

#[test]
fn two_models_of_one_table_do_not_disturb_each_other() {
    let (detector, seen) = watched(manual(100, 100, 60).warning_interval_seconds(0));
    detector.set_table_thresholds("t", Thresholds { writes: Some(50), reads: Some(5) }).unwrap();
    detector.set_model_thresholds("a", Thresholds { writes: Some(2), reads: None }).unwrap();
    detector.set_model_thresholds("b", Thresholds { writes: Some(4), reads: None }).unwrap();
    let record = |model: &str, operation| {
        detector.record(&Record::new("t", "k", operation).model(model)).unwrap();
        taken(&seen).first().map(|&(_, _, threshold, ..)| threshold)
    };
    assert_eq!(record("a", Write), None);
    assert_eq!(record("a", Write), Some(2));
    assert_eq!(record("b", Write), None, "the third");
    assert_eq!(record("b", Write), Some(4));
    // Setting only writes left reads to the table.
    (0..4).for_each(|_| assert_eq!(record("a", Read), None));
    assert_eq!(record("b", Read), Some(5));
    assert_eq!(detector.table_thresholds("t"), Ok(Thresholds { writes: Some(50), reads: Some(5) }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Against a list of what was recorded when: exactly the rules that are met warn.
    #[test]
    fn rates_are_what_a_list_of_timestamps_says(
        steps in prop::collection::vec((0_u64..2_500, 1_u64..40, any::<bool>()), 1..120),
        second in 1_u64..120,
        sustained in 1_u64..300,
        window in 5_u32..70,
    ) {
        let of = |n| Thresholds { writes: Some(n), reads: Some(n + 1) };
        let builder = manual(i64::MAX as u64, i64::MAX as u64, window);
        let builder = builder.second_thresholds(of(second)).sustained_thresholds(of(sustained));
        let (detector, seen) = watched(builder.warning_interval_seconds(0));
        let mut list: Vec<(u64, u64, Operation)> = Vec::new();
        let mut now = 0;
        for (ms, amount, read) in steps {
            now += ms;
            detector.set_time_ms(now).unwrap();
            let operation = if read { Read } else { Write };
            list.push((now / 1_000, amount, operation));
            detector.record(&Record::new("t", "k", operation).amount(amount)).unwrap();
            let last = |seconds: u64| -> u64 {
                let within = |&&(at, _, of): &&(u64, u64, Operation)| of == operation && at + seconds > now / 1_000;
                list.iter().filter(within).map(|&(_, amount, _)| amount).sum()
            };
            let extra = u64::from(read);
            let expected = if last(1) >= second + extra {
                Some((Rule::Second, last(1)))
            } else if last(5) >= sustained + extra {
                Some((Rule::Sustained, last(5)))
            } else {
                None
            };
            let warned = taken(&seen).first().map(|&(rule, count, ..)| (rule, count));
            prop_assert_eq!(warned, expected);
        }
    }
}
