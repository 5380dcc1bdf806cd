//! Transactions.

use crate::case::{case, described};
use hotpart::Operation::{Read, Write};
use hotpart::Reason::Unknown;

const WRITES: &str = r#"{"TransactItems":[{"Put":{"TableName":"T","Item":{"p":{"S":"a"}}}},
    {"Update":{"TableName":"T","Key":{"p":{"S":"b"}}}},{"Delete":{"TableName":"U","Key":{"u":{"S":"c"}}}},
    {"ConditionCheck":{"TableName":"T","Key":{"p":{"S":"a"},"s":{"N":"2"}}}}],"ClientRequestToken":"x"}"#;
const READS: &str = r#"{"TransactItems":[{"Get":{"TableName":"T","Key":{"p":{"S":"a"}}}},
    {"Get":{"TableName":"T","Key":{"p":{"S":"b"}}}}]}"#;

#[test]
fn a_transaction_is_an_operation_for_each_item_at_twice_the_price() {
    case("TransactWriteItems", WRITES)
        .writes("T", "a", 2, 4.0)
        .writes("T", "b", 1, 2.0)
        .writes("U", "c", 1, 2.0)
        .all_estimated()
        .check(described);
    case("TransactGetItems", READS)
        .reads("T", "a", 1, 2.0)
        .reads("T", "b", 1, 2.0)
        .all_estimated()
        .check(described);
    let large = format!(r#"{{"Responses":[{{"Item":{}}},{{}}]}}"#, crate::items::item(5_000));
    case("TransactGetItems", READS)
        .answer(&large)
        .reads("T", "a", 1, 4.0)
        .reads("T", "b", 1, 2.0)
        .all_estimated()
        .check(described);
}

#[test]
fn an_answered_transaction_takes_what_it_says() {
    let units = r#"{"ConsumedCapacity":[
        {"TableName":"T","CapacityUnits":6,"WriteCapacityUnits":6,"Table":{"CapacityUnits":6,"WriteCapacityUnits":6}},
        {"TableName":"U","CapacityUnits":2,"WriteCapacityUnits":2}]}"#;
    case("TransactWriteItems", WRITES)
        .answer(units)
        .writes("T", "a", 2, 4.0)
        .writes("T", "b", 1, 2.0)
        .writes("U", "c", 1, 2.0)
        .check(described);
}

#[test]
fn a_replayed_transaction_reads() {
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":3,"ReadCapacityUnits":3},
        {"TableName":"U","CapacityUnits":1,"ReadCapacityUnits":1}]}"#;
    case("TransactWriteItems", WRITES)
        .answer(units)
        .reads("T", "a", 2, 2.0)
        .reads("T", "b", 1, 1.0)
        .reads("U", "c", 1, 1.0)
        .check(described);
}

#[test]
fn a_cancelled_transaction_is_an_operation_for_each_item_that_was_not_throttled() {
    let reasons = r#""CancellationReasons":[{"Code":"None"},{"Code":"ThrottlingError","Message":"x"},
        {"Code":"ConditionalCheckFailed"},{"Code":"ProvisionedThroughputExceeded"}]"#;
    let cancelled = || {
        case("TransactWriteItems", WRITES)
            .writes("T", "a", 1, 2.0)
            .writes("U", "c", 1, 2.0)
            .throttle("T", "b", Write, Unknown)
            .throttle("T", "a", Write, Unknown)
            .all_estimated()
    };
    cancelled().exception("TransactionCanceledException", reasons).check(described);
    // Without them the message lists the codes.
    let message = r#""Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [None, ThrottlingError, ConditionalCheckFailed, ProvisionedThroughputExceeded]""#;
    cancelled().exception("TransactionCanceledException", message).check(described);
    case("TransactGetItems", READS)
        .exception(
            "TransactionCanceledException",
            r#""CancellationReasons":[{"Code":"TransactionConflict"},{}]"#,
        )
        .reads("T", "a", 1, 2.0)
        .reads("T", "b", 1, 2.0)
        .all_estimated()
        .check(described);
}

#[test]
fn two_throttled_items_of_a_cancelled_transaction_are_two() {
    let twice = r#"{"TransactItems":[{"Get":{"TableName":"U","Key":{"u":{"S":"a"}}}},{"Get":{"TableName":"U","Key":{"u":{"S":"a"}}}}]}"#;
    let reasons = r#""CancellationReasons":[{"Code":"ThrottlingError"},{"Code":"ThrottlingError"}]"#;
    let mut case = case("TransactGetItems", twice).exception("TransactionCanceledException", reasons);
    case.throttles.push(("U", "a", Read, Unknown, 2));
    case.check(described);
}
