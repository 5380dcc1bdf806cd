//! Parts that wait for a table's key: that each is counted once, as of when it was observed,
//! whatever makes the key known.

use crate::case::{blank, observe};
use hotpart::ObserveError::MissingSchema;
use hotpart::Operation::{Read, Write};
use hotpart::Unattributed::Unread;
use hotpart::{Detector, Exchange, ObserveError};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

fn missing(tables: &[&str]) -> Result<u64, ObserveError> {
    Err(MissingSchema(tables.iter().map(|&table| table.to_owned()).collect()))
}

fn put_of(table: &str, key: &str) -> String {
    json!({"TableName": table, "Item": {"id": {"S": key}, "g": {"S": "x"}}}).to_string()
}

fn put(detector: &Detector, table: &str, key: &str) -> Result<u64, ObserveError> {
    observe(detector, "PutItem", &put_of(table, key), 200, Some("{}"))
}

fn description(table: &str) -> String {
    json!({"Table": {"TableName": table, "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [{"IndexName": "G", "KeySchema": [{"AttributeName": "g", "KeyType": "HASH"}]}]}})
    .to_string()
}

fn describe(detector: &Detector, table: &str) {
    let asked = json!({"TableName": table}).to_string();
    assert_eq!(observe(detector, "DescribeTable", &asked, 200, Some(&description(table))), Ok(0));
}

fn unread(detector: &Detector, table: &str) -> [u64; 2] {
    [Write, Read].map(|operation| detector.unattributed_count(table, operation, Unread).unwrap())
}

#[test]
fn what_waited_is_counted_once_whatever_makes_the_key_known() {
    type Makes = fn(&Detector);
    let ways: [(Makes, u64); 3] = [
        (|detector| describe(detector, "t"), 0),
        (|detector| detector.set_key_schema("t", None, &["id"]).unwrap(), 0),
        (
            |detector| {
                let delete = r#"{"TableName":"t","Key":{"id":{"S":"k"}}}"#;
                assert_eq!(observe(detector, "DeleteItem", delete, 200, Some("{}")), Ok(1));
            },
            1,
        ),
    ];
    for (make_known, more) in ways {
        let detector = blank(false);
        assert_eq!(put(&detector, "t", "k"), missing(&["t"]));
        assert_eq!(put(&detector, "t", "k"), Ok(1), "it waits, and is an action");
        assert_eq!(detector.write_count("t", "k"), Ok(0));
        make_known(&detector);
        assert_eq!(detector.write_count("t", "k"), Ok(2 + more));
        make_known(&detector);
        assert_eq!(detector.write_count("t", "k"), Ok(2 + 2 * more), "it waits no longer");
        assert_eq!(put(&detector, "t", "k"), Ok(1));
        assert_eq!(unread(&detector, "t"), [0, 0]);
    }
}

/// One table of unknown key cost the whole request.
#[test]
fn the_other_parts_of_a_request_are_recorded_at_once() {
    for capacity in [false, true] {
        let detector = blank(capacity);
        detector.set_key_schema("known", None, &["id"]).unwrap();
        let puts = |table: &str| json!([{"PutRequest": {"Item": {"id": {"S": format!("of {table}")}}}}]);
        let request = json!({"RequestItems": {"a": puts("a"), "known": puts("known"), "b": puts("b")}});
        let units = |table: &str, units: f64| json!({"TableName": table, "CapacityUnits": units});
        let answer = json!({"ConsumedCapacity": [units("a", 3.0), units("known", 2.0), units("b", 5.0)]});
        let (request, answer) = (request.to_string(), answer.to_string());
        let observed = observe(&detector, "BatchWriteItem", &request, 200, Some(&answer));
        assert_eq!(observed, missing(&["a", "b"]), "all that are asked for");
        let halves = |units: u64| if capacity { 2 * units } else { 1 };
        let counts = |counts: [u64; 3]| {
            for (table, count) in ["a", "known", "b"].into_iter().zip(counts) {
                assert_eq!(detector.write_count(table, format!("of {table}")), Ok(count), "{table}");
            }
        };
        counts([0, halves(2), 0]);
        describe(&detector, "b");
        counts([0, halves(2), halves(5)]);
        assert_eq!(
            observe(&detector, "BatchWriteItem", &request, 200, Some(&answer)),
            Ok(3),
            "one of them waits"
        );
        describe(&detector, "a");
        counts([2 * halves(3), 2 * halves(2), 2 * halves(5)]);
        assert_eq!(detector.statistics().unread, 0);
    }
}

/// The oracle: a detector that knew the key from the start, and was asked the same at the same
/// times.
#[test]
fn what_waited_is_recorded_as_of_when_it_was_observed() {
    let warned = |detector: &Detector, exchange: &Exchange<'_>, warnings: &mut Vec<String>| {
        let hear = |warning: &hotpart::Warning<'_>| {
            warnings.push(format!("{warning} {} {}", warning.suppressed, warning.peak));
        };
        let _ = detector.observe_and_warn(exchange, hear);
    };
    for (threshold, seed) in [(4, 1), (9, 2), (1_000, 3)] {
        let new = || Detector::builder(threshold, threshold, 10).manual_clock().build().unwrap();
        let (known, waits) = (new(), new());
        let (mut told, mut told_late) = (Vec::new(), Vec::new());
        known.set_key_schema("t", None, &["id"]).unwrap();
        let mut random = seed;
        let mut next = |n: u64| {
            random =
                u64::wrapping_mul(random, 6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % n
        };
        // So long that nothing is older than the window when the key gets known.
        for ms in (0..9_500).step_by(250) {
            [&known, &waits].iter().for_each(|detector| detector.set_time_ms(ms).unwrap());
            for _ in 0..next(4) {
                let request = put_of("t", ["a", "b", "c"][next(3) as usize]);
                let exchange = Exchange {
                    operation: b"PutItem",
                    request: request.as_bytes(),
                    http_status: 200,
                    ..Exchange::default()
                };
                warned(&known, &exchange, &mut told);
                warned(&waits, &exchange, &mut told_late);
            }
        }
        assert!(told_late.is_empty());
        let hear = |warning: &hotpart::Warning<'_>| {
            told_late.push(format!("{warning} {} {}", warning.suppressed, warning.peak));
        };
        waits.set_key_schema_and_warn("t", None, &["id"], hear).unwrap();
        assert_eq!(told_late, told, "the same warnings, about the same moments");
        assert_eq!(told.is_empty(), threshold == 1_000);
        for ms in (9_500..25_000).step_by(250) {
            [&known, &waits].iter().for_each(|detector| detector.set_time_ms(ms).unwrap());
            for key in ["a", "b", "c"] {
                assert_eq!(waits.write_count("t", key), known.write_count("t", key), "{key} at {ms} ms");
            }
        }
        assert_eq!(waits.statistics().unread, 0);
    }
}

/// A partition that another call has recorded later than what waited counts it for longer than it
/// should, never for less.
#[test]
fn what_waited_is_never_lost_to_a_partition_that_is_ahead() {
    let detector = Detector::builder(1_000, 1_000, 10).manual_clock().build().unwrap();
    assert_eq!(put(&detector, "t", "k"), missing(&["t"]));
    detector.set_time_ms(4_000).unwrap();
    detector.record_write("t", "k").unwrap();
    detector.set_time_ms(8_000).unwrap();
    describe(&detector, "t");
    for (ms, count) in [(8_000, 2), (10_999, 2), (14_999, 2), (15_000, 0)] {
        detector.set_time_ms(ms).unwrap();
        assert_eq!(detector.write_count("t", "k"), Ok(count), "{ms} ms");
    }
}

#[test]
fn what_is_older_than_a_window_is_tallied() {
    let detector = Detector::builder(1_000, 1_000, 10).manual_clock().build().unwrap();
    assert_eq!(put(&detector, "t", "k"), missing(&["t"]));
    detector.set_time_ms(1_000).unwrap();
    assert_eq!(put(&detector, "t", "k"), Ok(1));
    detector.set_time_ms(11_999).unwrap();
    describe(&detector, "t");
    assert_eq!((unread(&detector, "t"), detector.write_count("t", "k")), ([1, 0], Ok(1)));
    assert_eq!(detector.statistics().unread, 1);
    detector.set_time_ms(12_000).unwrap();
    assert_eq!(detector.write_count("t", "k"), Ok(0), "its own second has left the window");
}

#[test]
fn a_table_is_asked_for_once_a_minute() {
    let detector = blank(false);
    for (ms, asked) in
        [(0, true), (1, false), (59_999, false), (60_000, true), (119_999, false), (125_000, true)]
    {
        detector.set_time_ms(ms).unwrap();
        let expected = if asked { missing(&["t"]) } else { Ok(1) };
        assert_eq!(put(&detector, "t", "k"), expected, "{ms} ms");
    }
    assert_eq!(put(&detector, "u", "k"), missing(&["u"]), "another is asked for at its first");
    describe(&detector, "t");
    let two = r#"{"TableName":"t","Key":{"new":{"S":"1"},"s":{"S":"2"}}}"#;
    assert_eq!(observe(&detector, "GetItem", two, 200, None), missing(&["t"]), "another key, another first");
    describe(&detector, "t");
    assert_eq!(unread(&detector, "t"), [4, 1], "what all that is known does not tell; what is late");
    assert_eq!(observe(&detector, "GetItem", two, 200, None), Ok(1), "asking again would not help so soon");
    detector.set_time_ms(185_000).unwrap();
    assert_eq!(observe(&detector, "GetItem", two, 200, None), missing(&["t"]));
}

#[test]
fn what_waits_is_bounded_and_the_oldest_is_tallied() {
    let detector = blank(false);
    assert_eq!(put(&detector, "old", "k"), missing(&["old"]));
    assert_eq!(put(&detector, "t", "k"), missing(&["t"]));
    (0..9_998).for_each(|_| assert_eq!(put(&detector, "t", "k"), Ok(1)));
    assert_eq!(detector.statistics().unread, 0);
    assert_eq!(put(&detector, "t", "k"), Ok(1));
    assert_eq!((unread(&detector, "old"), unread(&detector, "t")), ([1, 0], [0, 0]));
    assert_eq!(put(&detector, "t", "k"), Ok(1));
    assert_eq!((unread(&detector, "old"), unread(&detector, "t")), ([1, 0], [1, 0]));
    describe(&detector, "old");
    describe(&detector, "t");
    assert_eq!(detector.write_count("t", "k"), Ok(10_000));
    assert_eq!(detector.write_count("old", "k"), Ok(0));
    // So are its bytes.
    let large = |n: usize| {
        json!({"TableName": "u", "Item": {"id": {"S": "k"}, "x": {"S": "x".repeat(n)}}}).to_string()
    };
    let observed = |request: &str| observe(&detector, "PutItem", request, 200, None);
    assert_eq!(observed(&large(20 << 20)), missing(&["u"]));
    assert_eq!(observed(&large(20 << 20)), Ok(1));
    assert_eq!(unread(&detector, "u"), [1, 0]);
    assert_eq!(observed(&large(40 << 20)), Ok(0), "it is tallied, as it fits in nowhere");
    assert_eq!(unread(&detector, "u"), [2, 0]);
    describe(&detector, "u");
    assert_eq!((detector.write_count("u", "k"), unread(&detector, "u")), (Ok(1), [2, 0]));
}

#[test]
fn a_forgotten_table_is_tallied_until_its_key_is_known_after_all() {
    let detector = blank(true);
    assert_eq!(put(&detector, "t", "k"), missing(&["t"]));
    let get = r#"{"TableName":"t","Key":{"id":{"S":"k"},"s":{"S":"s"}}}"#;
    assert_eq!(observe(&detector, "GetItem", get, 200, None), Ok(1));
    detector.forget_table("arn:aws:dynamodb:eu-west-1:1:table/t").unwrap();
    assert_eq!(unread(&detector, "t"), [1, 1]);
    let request = json!({"RequestItems": {"t": [{"PutRequest": {"Item": {"id": {"S": "k"}}}}],
        "u": [{"PutRequest": {"Item": {"id": {"S": "k"}}}}]}});
    assert_eq!(put(&detector, "t", "k"), Ok(0), "it is neither recorded nor waits");
    assert_eq!(observe(&detector, "BatchWriteItem", &request.to_string(), 200, None), missing(&["u"]));
    assert_eq!((unread(&detector, "t"), unread(&detector, "u")), ([3, 1], [0, 0]));
    detector.set_time_ms(60_000).unwrap();
    assert_eq!(put(&detector, "t", "k"), Ok(0), "nor is it asked for again");
    detector.clear().unwrap();
    assert_eq!(put(&detector, "t", "k"), Ok(0), "a clear does not forget that");
    describe(&detector, "t");
    assert_eq!(put(&detector, "t", "k"), Ok(1));
    assert_eq!(detector.write_count("t", "k"), Ok(2), "in half units, and nothing of before");
    let other = r#"{"TableName":"t","Key":{"new":{"S":"1"},"s":{"S":"2"}}}"#;
    assert_eq!(
        observe(&detector, "GetItem", other, 200, None),
        missing(&["t"]),
        "it is known to be described"
    );
    let long = "x".repeat(1_025);
    for name in [b"", long.as_bytes(), b"\xFF"] {
        assert_eq!(detector.forget_table(name), Err(hotpart::Error::Invalid(hotpart::Argument::KeyTable)));
    }
}

#[test]
fn a_clear_drops_what_waits() {
    let detector = blank(false);
    assert_eq!(put(&detector, "t", "k"), missing(&["t"]));
    detector.clear().unwrap();
    assert_eq!(put(&detector, "t", "l"), missing(&["t"]), "the first again");
    describe(&detector, "t");
    assert_eq!((detector.write_count("t", "k"), detector.write_count("t", "l")), (Ok(0), Ok(1)));
    assert_eq!(detector.statistics().unread, 0);
}

#[test]
fn who_releases_hears_the_warnings_of_what_waited() {
    let told = Arc::new(AtomicUsize::new(0));
    let new = || {
        let counter = Arc::clone(&told);
        let callback = move |_: &hotpart::Warning<'_>| {
            counter.fetch_add(1, Relaxed);
        };
        let detector = Detector::builder(2, 2, 60).manual_clock().on_warning(callback).build().unwrap();
        assert_eq!(put(&detector, "t", "k"), missing(&["t"]));
        assert_eq!(put(&detector, "t", "k"), Ok(1));
        detector
    };
    let line = r#"Hot partition detected - table="t" pk="k" had 2 writes in 60s"#;
    let mut heard = Vec::new();
    let described = description("t");
    let exchange = Exchange {
        operation: b"DescribeTable",
        request: br#"{"TableName":"t"}"#,
        response: Some(described.as_bytes()),
        http_status: 200,
        ..Exchange::default()
    };
    let detector = new();
    let hear = |warning: &hotpart::Warning<'_>| {
        let asks = if heard.is_empty() { missing(&["other"]) } else { Ok(1) };
        assert_eq!(put(&detector, "other", "k"), asks, "the detector may be used");
        heard.push(warning.to_string());
    };
    assert_eq!(detector.observe_and_warn(&exchange, hear), Ok(0));
    let detector = new();
    detector.set_key_schema_and_warn("t", None, &["id"], |warning| heard.push(warning.to_string())).unwrap();
    let index = r#"Hot partition detected - table="t/index/G" pk="x" had 2 writes in 60s"#;
    assert_eq!(heard, [line, index, line]);
    assert_eq!(told.load(Relaxed), 0);
    new().set_key_schema("t", None, &["id"]).unwrap();
    new().observe(&exchange).unwrap();
    assert_eq!(told.load(Relaxed), 3, "else the callback does");
}

/// An index's key tells what a table's does not.
#[test]
fn what_needs_an_index_waits_on_when_only_the_table_is_known() {
    let detector = blank(false);
    let statement = r#"{"Statement":"SELECT * FROM t.G WHERE g = 'x' AND id = 'k'"}"#;
    assert_eq!(observe(&detector, "ExecuteStatement", statement, 200, None), missing(&["t"]));
    let delete = r#"{"TableName":"t","Key":{"id":{"S":"k"}}}"#;
    assert_eq!(observe(&detector, "DeleteItem", delete, 200, None), Ok(1));
    detector.set_key_schema("t", None, &["id"]).unwrap();
    assert_eq!(detector.read_count("t/index/G", "x"), Ok(0));
    detector.set_key_schema("t", Some(b"G"), &["g"]).unwrap();
    assert_eq!((detector.read_count("t/index/G", "x"), unread(&detector, "t")), (Ok(1), [0, 0]));
}

#[test]
fn a_part_that_can_t_be_read_is_no_action_that_waits() {
    let detector = blank(false);
    let batch = r#"{"RequestItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"k"}}}},{"PutRequest":{}}]}}"#;
    let observed = || observe(&detector, "BatchWriteItem", batch, 200, Some("{}"));
    assert_eq!(observed(), missing(&["t"]));
    assert_eq!(observed(), Ok(1));
    describe(&detector, "t");
    assert_eq!((detector.write_count("t", "k"), unread(&detector, "t")), (Ok(2), [2, 0]));
    assert_eq!(observed(), Ok(1));
}

/// An item before the key that tells of its table was an error, and behind it was not.
#[test]
fn a_request_tells_of_its_own_tables_in_any_order() {
    let detector = blank(false);
    let batch = r#"{"RequestItems":{"t":[{"PutRequest":{"Item":{"id":{"S":"k"},"x":{"S":"1"}}}},
        {"DeleteRequest":{"Key":{"id":{"S":"l"}}}}]}}"#;
    assert_eq!(observe(&detector, "BatchWriteItem", batch, 200, Some("{}")), Ok(2));
    assert_eq!((detector.write_count("t", "k"), detector.write_count("t", "l")), (Ok(1), Ok(1)));
}
