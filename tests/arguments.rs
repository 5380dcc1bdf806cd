//! Each refusal names the argument that is out of its range, and no other.

use hotpart::{Argument, Builder, Detector, Error, Operation, Reason, Record, Thresholds, Unattributed};
#[cfg(feature = "dynamodb")]
use hotpart::{Exchange, ObserveError};

static LONG_NAME: [u8; 1_025] = [b'n'; 1_025];
static LONG_KEY: [u8; 16_385] = [b'k'; 16_385];
const MOST: u64 = i64::MAX as u64;

/// The argument that was refused.
#[track_caller]
fn refused<T>(result: Result<T, Error>) -> Argument {
    match result.err().expect("it is refused") {
        Error::Invalid(argument) => argument,
        other => panic!("{other:?}"),
    }
}

fn of(writes: Option<u64>, reads: Option<u64>) -> Thresholds {
    Thresholds { writes, reads }
}

#[test]
fn of_a_builder() {
    let built = |builder: Builder| refused(builder.build());
    let fine = || Detector::builder(1, 1, 60);
    for bad in [0, MOST + 1, u64::MAX] {
        assert_eq!(refused(Detector::new(bad, bad, 0)), Argument::WritesThreshold, "the first that is wrong");
        assert_eq!(refused(Detector::new(1, bad, 0)), Argument::ReadsThreshold);
        let (writes, reads) = (of(Some(bad), Some(1)), of(None, Some(bad)));
        assert_eq!(built(fine().second_thresholds(writes)), Argument::WritesPerSecond);
        assert_eq!(built(fine().second_thresholds(reads)), Argument::ReadsPerSecond);
        assert_eq!(built(fine().sustained_thresholds(writes)), Argument::WritesSustained);
        assert_eq!(built(fine().sustained_thresholds(reads)), Argument::ReadsSustained);
    }
    for seconds in [0, 3_601, u32::MAX] {
        assert_eq!(refused(Detector::new(1, 1, seconds)), Argument::WindowSeconds);
    }
    for five in [of(Some(1), None), of(None, Some(1))] {
        let builder = Detector::builder(1, 1, 4).sustained_thresholds(five);
        assert_eq!(built(builder), Argument::WindowSecondsSustained);
    }
    for bytes in [1, (1 << 16) - 1, (1 << 40) + 1, u64::MAX] {
        assert_eq!(built(fine().memory(bytes)), Argument::FilterBytes);
        assert_eq!(built(fine().memory(bytes).max_partitions(1)), Argument::FilterBytes);
    }
    for permille in [1, 9, 501, u32::MAX] {
        assert_eq!(built(fine().memory(1 << 16).promote_permille(permille)), Argument::PromotePermille);
        assert_eq!(built(fine().promote_permille(permille)), Argument::PromotePermille);
    }
    assert_eq!(built(fine().memory(1 << 16).max_partitions(1)), Argument::FilterOrBound);
    for permille in [0, 10, 500] {
        assert!(fine().memory(1 << 16).promote_permille(permille).build().is_ok());
    }
    assert!(fine().memory(0).max_partitions(1).promote_permille(10).build().is_ok());
    assert_eq!(built(fine().processes(0)), Argument::Processes);
    assert_eq!(refused(Detector::for_dynamodb(0.8, 0)), Argument::Processes);
    for share in [0.0, 1.001, -1.0, f64::NAN] {
        assert_eq!(refused(Detector::for_dynamodb(share, 1)), Argument::Share);
    }
}

#[test]
fn of_a_partition_and_of_a_record() {
    let detector = Detector::new(1, 1, 60).unwrap();
    let (write, key_range) = (Operation::Write, Reason::KeyRange);
    for name in [&[][..], &LONG_NAME] {
        for argument in [
            refused(detector.record_write(name, LONG_KEY)),
            refused(detector.record_read(name, "k")),
            refused(detector.write_count(name, "k")),
            refused(detector.read_count(name, "k")),
            refused(detector.bounds(name, LONG_KEY, write)),
            refused(detector.table(name)),
            refused(detector.record_throttle(name, "k", write, key_range)),
            refused(detector.record_throttle_and_warn(name, &b"k"[..], write, key_range)),
            refused(detector.throttle_count(name, "k", write, key_range)),
            refused(detector.unattributed_count(name, write, Unattributed::Scans)),
            refused(detector.record(&Record::new(name, "k", write))),
            refused(detector.set_table_thresholds(name, of(Some(1), None))),
            refused(detector.table_thresholds(name)),
        ] {
            assert_eq!(argument, Argument::Table);
        }
        let record = Record::new("t", "k", write).model(name);
        for argument in [
            refused(detector.record(&record)),
            refused(detector.record_and_warn(&record)),
            refused(detector.record_batch(&[Record::new("t", "k", write), record])),
            refused(detector.set_model_thresholds(name, of(Some(1), None))),
            refused(detector.model_thresholds(name)),
        ] {
            assert_eq!(argument, Argument::Model);
        }
    }
    let table = detector.table("t").unwrap();
    for argument in [
        refused(detector.record_write("t", LONG_KEY)),
        refused(detector.read_count("t", LONG_KEY)),
        refused(detector.bounds("t", LONG_KEY, write)),
        refused(detector.throttle_count("t", LONG_KEY, write, key_range)),
        refused(detector.record(&Record::new("t", &LONG_KEY, write))),
        refused(table.record_write(LONG_KEY)),
        refused(table.record_read(LONG_KEY)),
    ] {
        assert_eq!(argument, Argument::Pk);
    }
    assert_eq!(refused(detector.record(&Record::new("t", "k", write).amount(0))), Argument::Amount);
    assert_eq!(detector.statistics().records, 0);
}

#[test]
fn of_thresholds_and_times() {
    let detector = Detector::builder(1, 1, 60).manual_clock().build().unwrap();
    for bad in [0, MOST + 1] {
        let (both, reads) = (of(Some(bad), Some(bad)), of(None, Some(bad)));
        assert_eq!(refused(detector.set_table_thresholds("t", both)), Argument::Writes);
        assert_eq!(refused(detector.set_table_thresholds("t", reads)), Argument::Reads);
        assert_eq!(refused(detector.set_model_thresholds("t", both)), Argument::Writes);
        assert_eq!(refused(detector.set_model_thresholds("t", reads)), Argument::Reads);
    }
    assert_eq!(refused(detector.set_time_ms(4_294_967_296_000)), Argument::NowMs);
}

#[cfg(feature = "dynamodb")]
#[test]
fn of_observing() {
    let detector = Detector::new(1, 1, 60).unwrap();
    let of_request = |request: &str, model: Option<&[u8]>| {
        let (operation, request) = (b"DeleteItem", request.as_bytes());
        match detector.observe(&Exchange {
            operation,
            request,
            model,
            http_status: 200,
            ..Exchange::default()
        }) {
            Err(ObserveError::Refused(Error::Invalid(argument))) => argument,
            other => panic!("{other:?}"),
        }
    };
    let delete =
        |table: &str, key: &str| format!(r#"{{"TableName":"{table}","Key":{{"p":{{"S":"{key}"}}}}}}"#);
    let key = String::from_utf8(LONG_KEY.to_vec()).unwrap();
    assert_eq!(of_request(&delete("t", "k"), Some(b"")), Argument::Model);
    assert_eq!(of_request(&delete("t", "k"), Some(&LONG_NAME)), Argument::Model);
    assert_eq!(of_request(&delete("", "k"), None), Argument::Table);
    assert_eq!(of_request(&delete("t", &key), None), Argument::Pk);
    for name in [&b""[..], b"\xFF", &LONG_NAME] {
        assert_eq!(refused(detector.set_key_schema(name, None, &["a"])), Argument::KeyTable);
        assert_eq!(refused(detector.set_key_schema("t", Some(name), &["a"])), Argument::KeyIndex);
        assert_eq!(refused(detector.set_key_schema("t", None, &[name])), Argument::KeyAttribute);
    }
    assert_eq!(refused(detector.set_key_schema("t", None, &["a", "b"])), Argument::KeyAttributes);
    assert_eq!(refused(detector.set_key_schema("t", Some(b"i"), &["a"; 5])), Argument::KeyAttributes);
}

#[test]
fn an_error_is_a_sentence() {
    for (argument, sentence) in [
        (Argument::WindowSeconds, "window_seconds must be 1 to 3600"),
        (Argument::Table, "table must have 1 to 1024 bytes"),
        (Argument::Amount, "amount must be positive"),
    ] {
        assert_eq!(Error::Invalid(argument).to_string(), sentence);
        assert_eq!(format!("{} {}", argument.name(), argument.range()), sentence);
    }
}
