//! The outcomes of a request: throttled, refused, lost, condition failed.

use crate::case::{Case, case, described};
use hotpart::Operation::{self, Read, Write};
use hotpart::Reason::{self, AccountLimit, KeyRange, MaxOnDemand, Provisioned, Unknown};
use hotpart::Unattributed::{ScanUnits, Scans, Throttles};

const PUT: &str = r#"{"TableName":"T","Item":{"p":{"S":"k"},"g":{"S":"x"}}}"#;
const GET: &str = r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#;

#[test]
fn a_failed_condition_is_a_write() {
    let failed = || {
        case("PutItem", PUT).exception("ConditionalCheckFailedException", r#""message":"The conditional""#)
    };
    failed().writes("T", "k", 1, 1.0).all_estimated().check(described);
    let item = format!(r#""Item":{}"#, crate::items::item(3_000));
    case("PutItem", PUT)
        .exception("ConditionalCheckFailedException", &item)
        .writes("T", "k", 1, 3.0)
        .all_estimated()
        .check(described);
}

#[test]
fn other_refusals_are_nothing() {
    for name in ["ValidationException", "ResourceNotFoundException", "TransactionConflictException", "X"] {
        case("PutItem", PUT).exception(name, "").check(described);
    }
    case("PutItem", PUT).status(413, "{}").check(described);
    let mut empty = case("PutItem", PUT).status(403, "");
    empty.response = None;
    empty.check(described);
}

/// It was logged as "not the JSON of that operation", and so hid the next fault.
#[test]
fn what_was_refused_is_not_read() {
    let requests = [
        ("PutItem", "nonsense"),
        ("PutItem", r#"{"TableName":"T"}"#),
        ("PutItem", r#"{"TableName":"","Item":{}}"#),
        ("GetItem", r#"{"TableName":"unheard-of","Key":{"a":{"S":"1"},"b":{"S":"2"}}}"#),
        ("Query", r#"{"TableName":"T","KeyConditionExpression":"p ~ 1"}"#),
        ("BatchGetItem", r#"{"RequestItems":{"T":{"Keys":1}}}"#),
        ("ExecuteStatement", r#"{"Statement":"DROP TABLE T"}"#),
        ("BatchExecuteStatement", r#"{"Statements":[{"Statement":"DROP TABLE T"}]}"#),
        ("DescribeTable", "[]"),
        ("Scan", ""),
    ];
    for (operation, request) in requests {
        for name in ["ValidationException", "SerializationException", "ResourceNotFoundException"] {
            case(operation, request).exception(name, "").check(described);
        }
        case(operation, request).status(403, "<html>").check(described);
        let bytes = hotpart::Exchange {
            operation: operation.as_bytes(),
            request: b"\xFF",
            response: Some(br#"{"__type":"ValidationException"}"#),
            http_status: 400,
            ..hotpart::Exchange::default()
        };
        assert_eq!(described(false).observe(&bytes), Ok(0), "{operation}");
    }
    // What was throttled, or failed its condition, has to be read.
    for name in ["ThrottlingException", "ConditionalCheckFailedException", "TransactionCanceledException"] {
        let body = format!(r#"{{"__type":"x#{name}"}}"#);
        let observed = crate::case::observe(&described(false), "PutItem", "nonsense", 400, Some(&body));
        assert_eq!(observed, Err(hotpart::ObserveError::Json), "{name}");
    }
}

#[test]
fn what_may_have_run_is_estimated() {
    for status in [500, 503, 599] {
        case("PutItem", PUT)
            .status(status, "<html>")
            .writes("T", "k", 1, 1.0)
            .index_writes("T/index/G", "x", 1, 1.0)
            .all_estimated()
            .check(described);
        case("GetItem", GET).status(status, "").reads("T", "k", 1, 0.5).all_estimated().check(described);
    }
    let lost = |put: &str| case("PutItem", put).no_answer();
    lost(PUT)
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .all_estimated()
        .check(described);
    let large = PUT.replace("\"g\"", "\"t\"").replace("\"x\"", &format!("\"{}\"", "x".repeat(2_000)));
    lost(&large).writes("T", "k", 1, 2.0).all_estimated().check(described);
}

fn throttled(operation: &'static str, request: &str, reason: &str, resource: &str) -> Case {
    let reasons =
        format!(r#""ThrottlingReasons":[{{"reason":"{reason}","resource":"{resource}"}}],"message":"x""#);
    case(operation, request).exception("ProvisionedThroughputExceededException", &reasons)
}

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/T";

#[test]
fn a_throttle_belongs_to_the_resource_and_the_reason_that_are_named() {
    let kinds: [(&str, Reason); 4] = [
        ("KeyRangeThroughputExceeded", KeyRange),
        ("ProvisionedThroughputExceeded", Provisioned),
        ("AccountLimitExceeded", AccountLimit),
        ("MaxOnDemandThroughputExceeded", MaxOnDemand),
    ];
    let operations: [(&str, Operation, &'static str, &str); 2] =
        [("Write", Write, "PutItem", PUT), ("Read", Read, "GetItem", GET)];
    for (kind, reason) in kinds {
        for (name, operation, api, request) in operations {
            throttled(api, request, &format!("Table{name}{kind}"), ARN)
                .throttle("T", "k", operation, reason)
                .check(described);
        }
        throttled("PutItem", PUT, &format!("IndexWrite{kind}"), &format!("{ARN}/index/G"))
            .throttle("T/index/G", "x", Write, reason)
            .check(described);
        let query = r#"{"TableName":"T","IndexName":"G","KeyConditionExpression":"g = :v",
            "ExpressionAttributeValues":{":v":{"S":"q"}}}"#;
        throttled("Query", query, &format!("IndexRead{kind}"), &format!("{ARN}/index/G"))
            .throttle("T/index/G", "q", Read, reason)
            .check(described);
    }
}

#[test]
fn an_index_s_throttle_is_never_its_base_key_s() {
    let delete = GET;
    throttled("DeleteItem", delete, "IndexWriteKeyRangeThroughputExceeded", &format!("{ARN}/index/G"))
        .tally("T/index/G", Write, Throttles, 1.0)
        .check(described);
    // Which index it was is not said.
    throttled("PutItem", PUT, "IndexWriteKeyRangeThroughputExceeded", "T")
        .tally("T", Write, Throttles, 1.0)
        .check(described);
}

#[test]
fn a_throttle_without_a_reason_is_unknown() {
    for name in ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"] {
        case("PutItem", PUT).exception(name, "").throttle("T", "k", Write, Unknown).check(described);
    }
    throttled("PutItem", PUT, "SomethingNew", ARN).throttle("T", "k", Write, Unknown).check(described);
    let scan = r#"{"TableName":"T"}"#;
    case("Scan", scan).exception("ThrottlingException", "").tally("T", Read, Throttles, 1.0).check(described);
}

#[test]
fn a_throttled_attempt_counts_once_for_each_key_and_reason() {
    let two = format!(
        r#""ThrottlingReasons":[{{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"{ARN}"}},
        {{"reason":"IndexWriteKeyRangeThroughputExceeded","resource":"{ARN}/index/G"}}]"#
    );
    case("PutItem", PUT)
        .exception("ThrottlingException", &two)
        .throttle("T", "k", Write, KeyRange)
        .throttle("T/index/G", "x", Write, KeyRange)
        .check(described);
    let batch = r#"{"RequestItems":{"T":[{"DeleteRequest":{"Key":{"p":{"S":"a"},"s":{"N":"1"}}}},
        {"DeleteRequest":{"Key":{"p":{"S":"a"},"s":{"N":"2"}}}},{"DeleteRequest":{"Key":{"p":{"S":"b"}}}}],
        "U":[{"DeleteRequest":{"Key":{"u":{"S":"c"}}}}]}}"#;
    throttled("BatchWriteItem", batch, "TableWriteKeyRangeThroughputExceeded", ARN)
        .throttle("T", "a", Write, KeyRange)
        .throttle("T", "b", Write, KeyRange)
        .check(described);
}

#[test]
fn operations_that_are_not_known_are_tallied() {
    for operation in ["ListTables", "", "DynamoDB_20111205.GetItem", "DynamoDBStreams_20120810.GetRecords"] {
        let mut case = case(operation, "anything");
        case.unknown = 1;
        case.check(described);
    }
}

#[test]
fn every_operation_may_be_throttled_or_lost() {
    let reason = format!(
        r#""ThrottlingReasons":[{{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"{ARN}"}}]"#
    );
    for (operation, request, units) in [
        ("UpdateItem", r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#, 1.0),
        ("DeleteItem", r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#, 1.0),
        ("BatchWriteItem", r#"{"RequestItems":{"T":[{"DeleteRequest":{"Key":{"p":{"S":"k"}}}}]}}"#, 1.0),
        (
            "TransactWriteItems",
            r#"{"TransactItems":[{"Update":{"TableName":"T","Key":{"p":{"S":"k"}}}}]}"#,
            2.0,
        ),
        ("ExecuteStatement", r#"{"Statement":"DELETE FROM T WHERE p='k'"}"#, 1.0),
        ("ExecuteTransaction", r#"{"TransactStatements":[{"Statement":"DELETE FROM T WHERE p='k'"}]}"#, 2.0),
        ("BatchExecuteStatement", r#"{"Statements":[{"Statement":"DELETE FROM T WHERE p='k'"}]}"#, 1.0),
    ] {
        let throttled = case(operation, request).exception("RequestLimitExceeded", &reason);
        throttled.throttle("T", "k", Write, KeyRange).check(described);
        case(operation, request).no_answer().writes("T", "k", 1, units).all_estimated().check(described);
        case(operation, request).status(500, "").writes("T", "k", 1, units).all_estimated().check(described);
    }
    let reason = reason.replace("Write", "Read");
    for (operation, request, units) in [
        ("GetItem", r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#, 0.5),
        ("BatchGetItem", r#"{"RequestItems":{"T":{"Keys":[{"p":{"S":"k"}}]}}}"#, 0.5),
        ("TransactGetItems", r#"{"TransactItems":[{"Get":{"TableName":"T","Key":{"p":{"S":"k"}}}}]}"#, 2.0),
        (
            "Query",
            r#"{"TableName":"T","KeyConditionExpression":"p = :v","ExpressionAttributeValues":{":v":{"S":"k"}}}"#,
            0.5,
        ),
        // Of a local index, whose partition is the table's.
        (
            "Query",
            r#"{"TableName":"T","IndexName":"L","KeyConditionExpression":"p = :v","ExpressionAttributeValues":{":v":{"S":"k"}}}"#,
            0.5,
        ),
        ("ExecuteStatement", r#"{"Statement":"SELECT * FROM T WHERE p='k'"}"#, 0.5),
    ] {
        let throttled = case(operation, request).exception("RequestLimitExceeded", &reason);
        throttled.throttle("T", "k", Read, KeyRange).check(described);
        case(operation, request).no_answer().reads("T", "k", 1, units).all_estimated().check(described);
    }
    let scan = case("Scan", r#"{"TableName":"T"}"#).no_answer();
    scan.tally("T", Read, Scans, 1.0).tally("T", Read, ScanUnits, 0.5).estimated(0.5).check(described);
    let scan = case("Scan", r#"{"TableName":"T","IndexName":"G"}"#);
    let scan = scan.tally("T/index/G", Read, Scans, 1.0).tally("T/index/G", Read, ScanUnits, 0.5);
    scan.estimated(0.5).check(described);
    let unpinned = case("ExecuteStatement", r#"{"Statement":"UPDATE T SET x=1 WHERE y='k'"}"#);
    unpinned.tally("T", Write, Scans, 1.0).tally("T", Write, ScanUnits, 1.0).estimated(1.0).check(described);
}

#[test]
fn a_condition_that_failed_is_a_write_of_the_item_that_is_there() {
    let item = crate::items::item(3_000);
    for operation in ["UpdateItem", "DeleteItem"] {
        case(operation, r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#)
            .exception("ConditionalCheckFailedException", &format!(r#""Item":{item}"#))
            .writes("T", "k", 1, 3.0)
            .all_estimated()
            .check(described);
    }
    let statement = r#"{"Statement":"UPDATE T SET x = 1 WHERE p = 'k' AND s = 1"}"#;
    case("ExecuteStatement", statement)
        .exception("ConditionalCheckFailedException", "")
        .writes("T", "k", 1, 1.0)
        .all_estimated()
        .check(described);
    case("BatchExecuteStatement", &format!(r#"{{"Statements":[{statement}]}}"#))
        .answer(&format!(
            r#"{{"Responses":[{{"Error":{{"Code":"ConditionalCheckFailed","Item":{item}}}}}]}}"#
        ))
        .writes("T", "k", 1, 3.0)
        .all_estimated()
        .check(described);
    // An INSERT's condition is that there is no such item.
    let insert = r#"{"Statement":"INSERT INTO T VALUE {'p':'k','s':1}"}"#;
    case("ExecuteStatement", insert)
        .exception("DuplicateItemException", "")
        .writes("T", "k", 1, 1.0)
        .all_estimated()
        .check(described);
    case("BatchExecuteStatement", &format!(r#"{{"Statements":[{insert}]}}"#))
        .answer(r#"{"Responses":[{"Error":{"Code":"DuplicateItem"}}]}"#)
        .writes("T", "k", 1, 1.0)
        .all_estimated()
        .check(described);
}
