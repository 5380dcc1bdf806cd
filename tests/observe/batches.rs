//! Batches: items that share an answer.

use crate::case::{case, described};
use crate::items::item;
use hotpart::Operation::{Read, Write};
use hotpart::Unattributed::Unprocessed;

const WRITES: &str = r#"{"RequestItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"a"},"s":{"N":"1"}}}},
    {"DeleteRequest":{"Key":{"p":{"S":"a"},"s":{"N":"2"}}}},{"PutRequest":{"Item":{"p":{"S":"b"}}}}],
    "U":[{"PutRequest":{"Item":{"u":{"N":"10"},"p":{"S":"no"}}}}]}}"#;

#[test]
fn items_on_one_key_are_one_add() {
    case("BatchWriteItem", WRITES)
        .writes("T", "a", 2, 2.0)
        .writes("T", "b", 1, 1.0)
        .writes("U", "10", 1, 1.0)
        .all_estimated()
        .check(described);
    let gets = r#"{"RequestItems":{"T":{"Keys":[{"p":{"S":"a"},"s":{"N":"1"}},{"p":{"S":"b"},"s":{"N":"1"}},
        {"p":{"S":"a"},"s":{"N":"2"}}],"ConsistentRead":true},"U":{"Keys":[{"u":{"S":"x"}}]}}}"#;
    case("BatchGetItem", gets)
        .reads("T", "a", 2, 2.0)
        .reads("T", "b", 1, 1.0)
        .reads("U", "x", 1, 0.5)
        .all_estimated()
        .check(described);
}

#[test]
fn a_table_s_units_are_shared_in_halves_and_the_sum_is_exact() {
    let units =
        r#"{"ConsumedCapacity":[{"TableName":"U","CapacityUnits":4},{"TableName":"T","CapacityUnits":3.5}]}"#;
    case("BatchWriteItem", WRITES)
        .answer(units)
        // Of seven halves a third and two thirds; the rest goes to the largest.
        .writes("T", "a", 2, 2.5)
        .writes("T", "b", 1, 1.0)
        .writes("U", "10", 1, 4.0)
        .check(described);
    // By size: of 4 units three and one.
    let of_size =
        |key: &str, bytes| format!(r#"{{"PutRequest":{{"Item":{}}}}}"#, item(bytes).replace("\"k\"", key));
    let puts =
        format!(r#"{{"RequestItems":{{"T":[{},{}]}}}}"#, of_size("\"a\"", 3_000), of_size("\"b\"", 10));
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":4}]}"#;
    case("BatchWriteItem", &puts)
        .answer(units)
        .writes("T", "a", 1, 3.0)
        .writes("T", "b", 1, 1.0)
        .check(described);
}

#[test]
fn global_index_units_go_to_the_items_that_carry_its_key() {
    let puts = r#"{"RequestItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"a"},"g":{"S":"x"}}}},
        {"PutRequest":{"Item":{"p":{"S":"a"},"g":{"S":"y"}}}},{"PutRequest":{"Item":{"p":{"S":"b"}}}}]}}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":5,"Table":{"CapacityUnits":3},
        "GlobalSecondaryIndexes":{"G":{"CapacityUnits":2}}}]}"#;
    case("BatchWriteItem", puts)
        .answer(units)
        .writes("T", "a", 2, 2.0)
        .writes("T", "b", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .index_writes("T/index/G", "y", 1, 1.0)
        .check(described);
}

#[test]
fn an_unprocessed_item_is_none() {
    let answer = r#"{"UnprocessedItems":{"T":[{"DeleteRequest":{"Key":{"p":{"S":"a"},"s":{"N":"2"}}}}]},
        "ConsumedCapacity":[{"TableName":"T","CapacityUnits":2},{"TableName":"U","CapacityUnits":1}]}"#;
    case("BatchWriteItem", WRITES)
        .answer(answer)
        .writes("T", "a", 1, 1.0)
        .writes("T", "b", 1, 1.0)
        .writes("U", "10", 1, 1.0)
        .tally("T", Write, Unprocessed, 1.0)
        .check(described);
    let gets = r#"{"RequestItems":{"U":{"Keys":[{"u":{"S":"x"}},{"u":{"S":"y"}}]}}}"#;
    case("BatchGetItem", gets)
        .answer(r#"{"Responses":{"U":[]},"UnprocessedKeys":{"U":{"Keys":[{"u":{"S":"x"}}]}}}"#)
        .reads("U", "y", 1, 0.5)
        .tally("U", Read, Unprocessed, 1.0)
        .all_estimated()
        .check(described);
    // All of them, and of none nothing is left to share.
    case("BatchGetItem", gets)
        .answer(
            r#"{"UnprocessedKeys":{"U":{"Keys":[{"u":{"S":"y"}},{"u":{"S":"x"}}]}},"ConsumedCapacity":[]}"#,
        )
        .tally("U", Read, Unprocessed, 2.0)
        .check(described);
}

#[test]
fn items_on_one_key_warn_once() {
    let warnings = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = warnings.clone();
    let detector = hotpart::Detector::builder(2, 2, 60)
        .warning_interval_seconds(0)
        .on_warning(move |warning: &hotpart::Warning<'_>| {
            assert_eq!(warning.count, 2);
            counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        })
        .build()
        .unwrap();
    detector.set_key_schema("T", None, &["p"]).unwrap();
    detector.set_key_schema("U", None, &["u"]).unwrap();
    assert_eq!(crate::case::observe(&detector, "BatchWriteItem", WRITES, 200, None), Ok(4));
    assert_eq!(warnings.load(std::sync::atomic::Ordering::SeqCst), 1);
}
