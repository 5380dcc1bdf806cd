//! Promise 8, of memory: an allocation of ours that fails is `Error::Memory`, and then nothing has
//! changed.
//!
//! Allocations of crossbeam's (a thread's registration, bags of retired memory) abort when they are
//! refused. So threads are registered first, and the layouts of its allocations, learnt from
//! crossbeam itself, are never refused.

#[path = "common/allocator.rs"]
mod allocator;
mod common;

#[cfg(feature = "dynamodb")]
use allocator::spare;
use allocator::{TestAllocator, refusing, spare_crossbeam};
use common::{manual, never_hot};
use hotpart::{Detector, Error, Metrics, Operation, Reason, Record, Thresholds};
#[cfg(feature = "dynamodb")]
use hotpart::{Exchange, ObserveError};

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// All that a test can see of a detector: of one key, and of those that its call may have to move.
fn view(detector: &Detector) -> impl PartialEq + std::fmt::Debug + use<> {
    let counts =
        [detector.write_count("t", "k"), detector.read_count("t", "k"), detector.write_count("t", "other")];
    let moved: Vec<_> = (0..FULL).map(|key| detector.write_count("filler", key.to_le_bytes())).collect();
    (counts, moved, detector.table_thresholds("t"), detector.model_thresholds("m"), detector.statistics())
}

/// Calls it on detectors made alike, with each of its allocations refused in turn: alone, and with
/// all that follow. A call that is refused has changed nothing, and succeeds when it is made again.
fn refuse_each<T: std::fmt::Debug + PartialEq>(
    make: impl Fn() -> Detector,
    call: impl Fn(&Detector) -> Result<T, Error>,
) {
    spare_crossbeam();
    let expected = {
        let detector = make();
        (call(&detector), view(&detector))
    };
    assert!(expected.0.is_ok());
    for only_one in [true, false] {
        let mut refusals = 0;
        for n in 0.. {
            let detector = make();
            let before = view(&detector);
            let (result, refused) =
                refusing(n..if only_one { n + 1 } else { usize::MAX }, || call(&detector));
            if result.is_err() {
                assert_eq!((&result, view(&detector)), (&Err(Error::Memory), before));
                assert_eq!((call(&detector), view(&detector)), expected, "with memory again");
            } else {
                assert_eq!((result, view(&detector)), expected);
            }
            if refused == 0 {
                break;
            }
            refusals += 1;
        }
        assert!(refusals > 0, "nothing was allocated");
    }
}

/// A detector whose key "k" was recorded in so many seconds, and stands in the next.
fn seen_in(seconds: u64) -> Detector {
    let detector = never_hot(60).build().unwrap();
    for second in 0..seconds {
        detector.set_time_ms(second * 1000).unwrap();
        detector.record_write("t", "k").unwrap();
    }
    detector.set_time_ms(seconds * 1000).unwrap();
    detector
}

/// Entries that fill the first segment, so that the next splits it.
const FULL: u64 = 64;

/// A detector whose first segment is full; with this bound.
fn nearly_full(max_partitions: u64) -> Detector {
    let detector = never_hot(60).max_partitions(max_partitions).build().unwrap();
    (0..FULL).for_each(|key| assert_eq!(detector.record_write("filler", key.to_le_bytes()), Ok(1)));
    detector
}

/// As many partitions as the bound allows, in a segment that could not be replaced when it was
/// full.
fn frozen(max_partitions: u64) -> Detector {
    let detector = nearly_full(max_partitions);
    assert_eq!(refusing(0..usize::MAX, || detector.record_write("filler", "last")).0, Err(Error::Memory));
    detector
}

#[test]
fn making_a_detector() {
    spare_crossbeam();
    let make = || {
        manual(1, 1, 60)
            .on_warning({
                let big = [0_u64; 9];
                move |_| assert_eq!(big, [0; 9])
            })
            .build()
    };
    drop(make());
    for n in 0.. {
        let (made, refused) = refusing(n..n + 1, make);
        if refused == 0 {
            assert!(n > 2 && made.is_ok());
            break;
        }
        assert_eq!(made.map(drop), Err(Error::Memory));
    }
}

#[test]
fn a_first_record() {
    // One that warms its partition up: any other finds room in the first segment.
    let warm = || manual(1_000, 1_000, 60).build().unwrap();
    refuse_each(warm, |detector| detector.record(&Record::new("t", "k", Operation::Write).amount(500)));
    refuse_each(warm, |detector| {
        detector.record(&Record::new("t", "k", Operation::Read).model("m").amount(700))
    });
}

#[test]
fn a_record_for_which_the_past_grows() {
    // The last second that fits each form of the past is the head's, so the next one moves it out.
    for seconds in [1, 8, 16, 32] {
        refuse_each(|| seen_in(seconds), |detector| detector.record_write("t", "k"));
    }
}

/// A segment that could not be replaced is counted in, and read, as before.
#[test]
fn records_and_reads_while_there_is_no_memory_for_the_table_to_grow() {
    let detector = frozen(0);
    let read_all = |count| {
        for key in 0..FULL {
            assert_eq!(detector.write_count("filler", key.to_le_bytes()), Ok(count));
        }
    };
    let (_, refused) = refusing(0..usize::MAX, || {
        read_all(1);
        for key in 0..FULL {
            assert_eq!(detector.record_write("filler", key.to_le_bytes()), Ok(2));
        }
        read_all(2);
        assert_eq!(detector.record_write("filler", "last"), Err(Error::Memory));
        read_all(2);
    });
    assert!(refused > 0);
    assert_eq!(detector.record_write("filler", "last"), Ok(1));
    read_all(2);
}

#[test]
fn a_record_for_which_the_table_grows() {
    refuse_each(|| nearly_full(0), |detector| detector.record_write("t", "k"));
    refuse_each(|| frozen(0), |detector| detector.record_write("t", "k"));
}

/// The pasts of the idle ones must be remembered until they can be freed.
#[test]
fn a_record_for_which_idle_partitions_with_a_past_make_way() {
    let full_of_idle = || {
        let detector = never_hot(60).build().unwrap();
        for second in 0..3 {
            detector.set_time_ms(second * 1000).unwrap();
            (0..FULL).for_each(|key| assert!(detector.record_write("filler", key.to_le_bytes()).is_ok()));
        }
        detector.set_time_ms(100_000).unwrap();
        detector
    };
    refuse_each(full_of_idle, |detector| detector.record_write("t", "k"));
}

#[test]
fn a_record_for_which_another_partition_is_replaced() {
    refuse_each(|| nearly_full(FULL), |detector| detector.record_write("t", "k"));
    refuse_each(|| frozen(FULL), |detector| detector.record_write("t", "k"));
}

#[test]
fn setting_thresholds() {
    let both = Thresholds { writes: Some(5), reads: None };
    refuse_each(|| seen_in(1), |detector| detector.set_table_thresholds("t", both));
    refuse_each(|| seen_in(1), |detector| detector.set_model_thresholds("m", both));
    let set_already = || {
        let detector = seen_in(1);
        detector.set_table_thresholds("t", Thresholds { writes: Some(9), reads: Some(9) }).unwrap();
        detector
    };
    refuse_each(set_already, |detector| detector.set_table_thresholds("t", both));
}

#[cfg(feature = "dynamodb")]
#[test]
fn declaring_a_key() {
    let declared = || {
        let detector = seen_in(1);
        detector.set_key_schema("t", None, &["id"]).unwrap();
        detector.set_key_schema("t", Some(b"i"), &["a", "b"]).unwrap();
        detector
    };
    for make in [|| seen_in(1), declared] {
        refuse_each(make, |detector| detector.set_key_schema("u", None, &["a long name of an attribute"]));
        refuse_each(make, |detector| detector.set_key_schema("t", Some(b"j"), &["a", "b", "c", "d"]));
    }
}

/// Knowledge of a table, from requests and descriptions, is kept, or the request is refused.
/// Reading is spared what it takes for a table with a short name; of a name as long as this one
/// only what keeps it makes copies.
#[cfg(feature = "dynamodb")]
#[test]
fn learning_a_key() {
    let long = "u".repeat(777);
    let get = |table: &str| format!(r#"{{"TableName":"{table}","Key":{{"id":{{"S":"k"}}}}}}"#);
    let keys = r#""KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]"#;
    let described = |table: &str| format!(r#"{{"Table":{{"TableName":"{table}",{keys}}}}}"#);
    let put = format!(r#"{{"TableName":"{long}","Item":{{"id":{{"S":"k"}}}}}}"#);
    for operation in ["GetItem", "DescribeTable"] {
        let exchanges = [get("u"), get(&long), described("u"), described(&long)];
        let [short, tell] = [0, 1].map(|i| Exchange {
            operation: operation.as_bytes(),
            request: exchanges[i].as_bytes(),
            response: (operation == "DescribeTable").then_some(exchanges[i + 2].as_bytes()),
            http_status: 200,
            ..Exchange::default()
        });
        let put = Exchange {
            operation: b"PutItem",
            request: put.as_bytes(),
            http_status: 200,
            ..Exchange::default()
        };
        let refused = |n| {
            let (detector, other) = (seen_in(1), seen_in(1));
            spare_crossbeam();
            spare(|| assert!(other.observe(&short).is_ok()));
            let before = view(&detector);
            let (told, refused) = refusing(n..n + 1, || detector.observe(&tell));
            if told.is_err() {
                assert_eq!((told, view(&detector)), (Err(ObserveError::Refused(Error::Memory)), before));
                // A read that was refused later on, for its partition, has told of its table all
                // the same.
                let unknown = detector.observe(&put) == Err(ObserveError::MissingSchema(vec![long.clone()]));
                assert!(unknown || n > 0 && operation == "GetItem");
                assert!(detector.observe(&tell).is_ok());
            }
            assert_eq!(detector.observe(&put), Ok(1));
            refused
        };
        let on_a_thread = |n| std::thread::scope(|scope| scope.spawn(|| refused(n)).join().unwrap());
        assert!((0..).take_while(|&n| on_a_thread(n) > 0).count() > 0, "nothing was kept");
    }
}

/// An attempt that waits is kept, or the request is refused: reading is spared what it takes for a
/// shorter one.
#[cfg(feature = "dynamodb")]
#[test]
fn what_waits_for_a_key() {
    let put =
        |n| format!(r#"{{"TableName":"t","Item":{{"id":{{"S":"k"}},"x":{{"S":"{}"}}}}}}"#, "x".repeat(n));
    let observe = |detector: &Detector, put: &str| {
        let (operation, request) = (&b"PutItem"[..], put.as_bytes());
        detector.observe(&Exchange { operation, request, http_status: 200, ..Exchange::default() })
    };
    let (short, long) = (put(1), put(777));
    let missing = Err(ObserveError::MissingSchema(vec!["t".to_owned()]));
    let (detector, other) = (seen_in(1), seen_in(1));
    spare_crossbeam();
    spare(|| assert_eq!(observe(&other, &short), missing));
    let (observed, refused) = refusing(0..usize::MAX, || observe(&detector, &long));
    assert_eq!((observed, refused), (Err(ObserveError::Refused(Error::Memory)), 1));
    assert_eq!(observe(&detector, &short), missing, "the first that waits");
    detector.set_key_schema("t", None, &["id"]).unwrap();
    assert_eq!(detector.write_count("t", "k"), Ok(2));
}

#[cfg(feature = "dynamodb")]
#[test]
fn forgetting_a_table() {
    let waiting = || {
        let detector = nearly_full(0);
        let request = br#"{"TableName":"t","Item":{"id":{"S":"k"}}}"#;
        let put = Exchange { operation: b"PutItem", request, http_status: 200, ..Exchange::default() };
        assert!(detector.observe(&put).is_err());
        detector
    };
    refuse_each(waiting, |detector| detector.forget_table("t"));
    refuse_each(waiting, |detector| detector.forget_table("another"));
}

#[test]
fn opening_a_table() {
    refuse_each(|| seen_in(1), |detector| detector.table("t").map(drop));
}

#[test]
fn clearing() {
    refuse_each(|| seen_in(9), |detector| detector.clear());
}

#[test]
fn throttles() {
    let warns =
        || never_hot(60).warn_of_throttles(true).on_warning(|_: &hotpart::Warning<'_>| {}).build().unwrap();
    let throttle =
        |detector: &Detector| detector.record_throttle("t", "k", Operation::Write, Reason::KeyRange);
    // The alarm is made before the throttle counts: it warns, or is refused.
    refuse_each(warns, throttle);
    refuse_each(|| nearly_full(0), throttle);
}

#[test]
fn snapshots() {
    let some = || {
        let detector = seen_in(3);
        detector.record_throttle("t", "k", Operation::Write, Reason::KeyRange).unwrap();
        detector
    };
    refuse_each(some, |detector| detector.hottest(Operation::Write, 9));
    refuse_each(some, |detector| detector.metrics(&Metrics::default()));
}

/// A throttle's key is longer than its partition's, and once was put together in memory of its own.
#[test]
fn a_throttle_of_a_tracked_partition_asks_for_no_memory() {
    let detector = never_hot(60).build().unwrap();
    let long = [b'k'; 16_384];
    let throttle = || detector.record_throttle("t", long, Operation::Write, Reason::KeyRange);
    assert_eq!(throttle(), Ok(1));
    assert_eq!(refusing(0..usize::MAX, throttle), (Ok(2), 0));
    let count = || detector.throttle_count("t", long, Operation::Write, Reason::KeyRange);
    assert_eq!(refusing(0..usize::MAX, count), (Ok(2), 0));
}

/// The record that makes a partition hot needs memory for its warning state: it warns, or is
/// refused and counts nowhere.
#[test]
fn a_record_that_makes_hot() {
    spare_crossbeam();
    let hot = Record::new("t", "k", Operation::Write);
    for threshold in [1, 2, 9] {
        let detector = manual(threshold, 1_000_000, 60).build().unwrap();
        for n in 0..threshold - 1 {
            let (recorded, _) = refusing(0..usize::MAX, || detector.record(&hot));
            assert!(recorded == Ok(n + 1) || recorded == Err(Error::Memory));
            assert_eq!(detector.write_count("t", "k"), Ok(n + u64::from(recorded.is_ok())));
            if recorded.is_err() {
                assert_eq!(detector.record(&hot), Ok(n + 1));
            }
        }
        let (recorded, _) = refusing(0..usize::MAX, || detector.record_and_warn(&hot));
        let warned = match recorded {
            Ok((_, warning)) => warning,
            Err(refused) => {
                assert_eq!(refused, Error::Memory);
                assert_eq!(detector.write_count("t", "k"), Ok(threshold - 1));
                detector.record_and_warn(&hot).unwrap().1
            }
        };
        assert_eq!(warned.map(|warning| (warning.count, warning.suppressed)), Some((threshold, 0)));
    }
}

#[cfg(feature = "dynamodb")]
#[test]
fn asking_for_capacity() {
    let ask = |request: &str| hotpart::ask_capacity("PutItem", request);
    // One that asks already is read in the same way, and nothing is made of it.
    spare(|| assert_eq!(ask(r#"{"Item":{"id":{"S":"k"}},"ReturnConsumedCapacity":"TOTAL"}"#), Ok(None)));
    let request = r#"{"Item":{"id":{"S":"k"}}}"#;
    assert_eq!(refusing(0..usize::MAX, || ask(request)), (Err(Error::Memory), 1));
    assert!(ask(request).is_ok_and(|asking| asking.is_some()));
}
