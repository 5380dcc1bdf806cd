//! An amount of 0 changes nothing anywhere. Once it put a slot without a count over one that had
//! left the window, which read as the end of a tally's history: slots behind it were missed, and
//! counted twice at the next turn.

use crate::case::{blank, observe};
use hotpart::Operation::{Read, Write};
use hotpart::Unattributed::{IndexUnits, ScanUnits, Scans};
use hotpart::{Builder, Detector, Operation, Unattributed};

const WINDOW: u64 = 10;

/// Seconds, the units told in each, and the half units that the last second's window then has.
type Story<'a> = (&'a [(u64, u64)], u64);

const STORIES: [Story<'_>; 6] = [
    // Counted as 44.
    (&[(1, 5), (8, 9), (15, 0), (16, 4), (17, 0)], 26),
    // Counted as 12, as all that follow.
    (&[(1, 2), (11, 1), (12, 0), (14, 2), (18, 3), (19, 3), (26, 1)], 14),
    (&[(1, 1), (11, 3), (12, 0), (13, 0), (20, 0)], 6),
    (&[(10, 3), (20, 1), (21, 0), (23, 3), (24, 2), (26, 3), (33, 2), (34, 0)], 14),
    (&[(7, 2), (14, 2), (21, 0), (22, 1), (23, 1), (25, 3), (26, 3), (33, 0)], 14),
    (&[(2, 2), (3, 3), (4, 3), (8, 2), (9, 2), (16, 0), (17, 0), (21, 2)], 4),
];

fn capacity(window: u64) -> Builder {
    let most = i64::MAX as u64;
    Detector::builder(most, most, window as u32).manual_clock().hash_seed([3, 14]).capacity_mode()
}

/// Tells each story by answers to `request`, and checks what is tallied in the end.
fn is_told(
    api: &str,
    request: &str,
    answer: impl Fn(u64) -> String,
    (resource, operation, what): (&str, Operation, Unattributed),
) {
    for (story, halves) in STORIES {
        let detector = capacity(WINDOW).build().unwrap();
        detector.set_key_schema("T", None, &["p"]).unwrap();
        for &(second, units) in story {
            detector.set_time_ms(second * 1_000).unwrap();
            assert!(observe(&detector, api, request, 200, Some(&answer(units))).is_ok());
            let at = |(s, _): &&(u64, u64)| *s <= second && s + WINDOW >= second;
            let truth: u64 = story.iter().filter(at).map(|(_, units)| 2 * units).sum();
            let count = detector.unattributed_count(resource, operation, what);
            assert_eq!(count, Ok(truth), "at {second} s of {story:?}");
        }
        assert_eq!(detector.unattributed_count(resource, operation, what), Ok(halves));
        let all: u64 = story.iter().map(|(_, units)| 2 * units).sum();
        assert_eq!(detector.statistics().unattributed[what as usize], all);
    }
}

#[test]
fn scans_that_took_0_leave_the_units_of_other_scans_alone() {
    let bare = |units| format!(r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":{units}}}}}"#);
    is_told("Scan", r#"{"TableName":"T"}"#, bare, ("T", Read, ScanUnits));
    is_told("ExecuteStatement", r#"{"Statement":"SELECT * FROM T"}"#, bare, ("T", Read, ScanUnits));
}

/// An answer that tells no number, or names no units of the index, tells 0 as well.
#[test]
fn answers_that_tell_no_units_leave_the_units_of_other_scans_alone() {
    let bare = |units| match units {
        0 => r#"{"ConsumedCapacity":{"TableName":"T"}}"#.to_owned(),
        _ => format!(r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":{units}.0}}}}"#),
    };
    is_told("Scan", r#"{"TableName":"T"}"#, bare, ("T", Read, ScanUnits));
    is_told(
        "Scan",
        r#"{"TableName":"T"}"#,
        |units| index_took(units, "0.0"),
        ("T/index/G", Read, IndexUnits),
    );
}

/// The capacity that a table took, and its index, whose key is not known.
fn index_took(units: u64, table: &str) -> String {
    let index = if units == 0 { "{}".to_owned() } else { format!(r#"{{"CapacityUnits":{units}}}"#) };
    format!(
        r#"{{"ConsumedCapacity":{{"TableName":"T","Table":{{"CapacityUnits":{table}}},"GlobalSecondaryIndexes":{{"G":{index}}}}}}}"#
    )
}

#[test]
fn writes_that_took_0_of_an_index_leave_its_other_units_alone() {
    let zero = |units| {
        format!(
            r#"{{"ConsumedCapacity":{{"TableName":"T","Table":{{"CapacityUnits":1}},"GlobalSecondaryIndexes":{{"G":{{"CapacityUnits":{units}}}}}}}}}"#
        )
    };
    let put = r#"{"TableName":"T","Item":{"p":{"S":"k"}}}"#;
    is_told("PutItem", put, zero, ("T/index/G", Write, IndexUnits));
    is_told("PutItem", put, |units| index_took(units, "1"), ("T/index/G", Write, IndexUnits));
}

/// No partition appears, none is kept alive, and no place is taken at the bound.
#[test]
fn what_took_0_takes_no_place() {
    let detector = capacity(WINDOW).max_partitions(1).build().unwrap();
    detector.set_key_schema("T", None, &["p"]).unwrap();
    let put = |index: &str, units: u64| {
        let answer = format!(
            r#"{{"ConsumedCapacity":{{"TableName":"T","Table":{{"CapacityUnits":0}},"GlobalSecondaryIndexes":{{"{index}":{{"CapacityUnits":{units}}}}}}}}}"#
        );
        let item = r#"{"TableName":"T","Item":{"p":{"S":"k"}}}"#;
        assert_eq!(observe(&detector, "PutItem", item, 200, Some(&answer)), Ok(1));
        detector.unattributed_count("T/index/G", Write, IndexUnits).unwrap()
    };
    assert_eq!(put("G", 3), 6);
    let before = detector.statistics();
    assert_eq!((before.partitions, before.records), (0, 0), "of the table it took 0");
    assert_eq!(put("H", 0), 6, "the tally of another index is not replaced");
    assert_eq!(put("G", 0), 6);
    assert_eq!(detector.statistics(), before);
    assert_eq!(put("H", 1), 0, "but by one that is more than 0");
}

/// In operations an index's units are nothing at all.
#[test]
fn without_capacity_no_units_are_tallied() {
    let detector = blank(false);
    let scan = r#"{"TableName":"T"}"#;
    assert_eq!(observe(&detector, "Scan", scan, 200, Some(&index_took(7, "1"))), Ok(0));
    let bytes = detector.statistics().bytes;
    assert_eq!(observe(&detector, "Scan", scan, 200, Some(&index_took(0, "0"))), Ok(0));
    let statistics = detector.statistics();
    assert_eq!((statistics.unattributed, statistics.bytes), ([2, 0, 0, 0, 0], bytes));
    assert_eq!(detector.unattributed_count("T", Read, Scans), Ok(2));
}
