//! Parts of requests that can't be read: each costs nothing but itself.

use crate::case::{Case, case, described, observe};
use hotpart::Operation::{Read, Write};
use hotpart::Reason::Unknown;
use hotpart::Unattributed::{Throttles, Unprocessed, Unread};
use hotpart::{Detector, Metrics};

/// Texts that are no statement of DynamoDB's, on a table that they tell; and where it does not.
const BAD_SELECT: &str = "SELECT * FROM T WHERE p ~ 'a'";
const BAD_UPDATE: &str = "UPDATE \\\"U\\\" SET x = `1` WHERE u = 'a'";
const NO_TABLE: &str = "DROP TABLE T";

fn batch(statements: &[&str]) -> String {
    let each = statements.iter().map(|text| format!(r#"{{"Statement":"{text}"}}"#));
    format!(r#"{{"Statements":[{}]}}"#, each.collect::<Vec<_>>().join(","))
}

fn alone(text: &str) -> String {
    format!(r#"{{"Statement":"{text}"}}"#)
}

#[test]
fn a_statement_that_cannot_be_read_is_tallied() {
    case("ExecuteStatement", &alone(BAD_SELECT)).tally("T", Read, Unread, 1.0).check(described);
    case("ExecuteStatement", &alone(BAD_UPDATE)).tally("U", Write, Unread, 1.0).check(described);
    for text in [NO_TABLE, "", "SELECT * FROM", "`", "SELECT `a` FROM T", "\\ud800"] {
        case("ExecuteStatement", &alone(text)).unread(1).check(described);
    }
    // Whatever its answer says that it took.
    let units = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":3}}"#;
    case("ExecuteStatement", &alone(BAD_SELECT)).answer(units).tally("T", Read, Unread, 1.0).check(described);
    // What it says may be read, and its key not.
    for rest in [r#""Parameters":[{"BOOL":true}]"#, r#""Parameters":[{"N":"1e999"}]"#, r#""Parameters":1"#] {
        let request = format!(r#"{{"Statement":"DELETE FROM T WHERE p = ?",{rest}}}"#);
        case("ExecuteStatement", &request).tally("T", Write, Unread, 1.0).check(described);
    }
    let ran = || case("ExecuteStatement", &alone(BAD_UPDATE)).tally("U", Write, Unread, 1.0);
    ran().no_answer().check(described);
    ran().status(500, "").check(described);
    ran().exception("ConditionalCheckFailedException", "").check(described);
    ran().exception("ThrottlingException", "").check(described);
}

#[test]
fn a_statement_that_cannot_be_read_costs_its_batch_nothing() {
    let some = batch(&["DELETE FROM T WHERE p = 'a'", BAD_SELECT, "DELETE FROM U WHERE u = 'b'", NO_TABLE]);
    let read = |case: Case| {
        case.writes("T", "a", 1, 1.0).writes("U", "b", 1, 1.0).tally("T", Read, Unread, 1.0).unread(1)
    };
    read(case("BatchExecuteStatement", &some)).all_estimated().check(described);
    read(case("BatchExecuteStatement", &some)).no_answer().all_estimated().check(described);
    // Each statement's answer is at its place.
    let answer =
        r#"{"Responses":[{},{"Error":{"Code":"ThrottlingError"}},{"Error":{"Code":"ThrottlingError"}},{}]}"#;
    case("BatchExecuteStatement", &some)
        .answer(answer)
        .writes("T", "a", 1, 1.0)
        .tally("T", Read, Unread, 1.0)
        .throttle("U", "b", Write, Unknown)
        .unread(1)
        .all_estimated()
        .check(described);
    // What was refused is nothing.
    let answer =
        r#"{"Responses":[{},{"Error":{"Code":"ValidationError"}},{},{"Error":{"Code":"ValidationError"}}]}"#;
    case("BatchExecuteStatement", &some)
        .answer(answer)
        .writes("T", "a", 1, 1.0)
        .writes("U", "b", 1, 1.0)
        .all_estimated()
        .check(described);
    case("BatchExecuteStatement", &some)
        .exception("ProvisionedThroughputExceededException", "")
        .throttle("T", "a", Write, Unknown)
        .throttle("U", "b", Write, Unknown)
        .tally("T", Read, Unread, 1.0)
        .unread(1)
        .check(described);
    // 24 of 25.
    let mut many = vec!["UPDATE T SET x = 1 WHERE p = 'k'"; 24];
    many.insert(7, "FROM T MERGE x");
    case("BatchExecuteStatement", &batch(&many))
        .writes("T", "k", 24, 24.0)
        .all_estimated()
        .tally("T", Write, Unread, 1.0)
        .check(described);
}

#[test]
fn a_part_that_cannot_be_read_stays_one_where_its_transaction_is_replayed() {
    let statements = r#"{"TransactStatements":[{"Statement":"DELETE FROM T WHERE p = 'a'"},
        {"Statement":"UPDATE T SET x = `1` WHERE p = 'b'"}]}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":4,"ReadCapacityUnits":4}]}"#;
    case("ExecuteTransaction", statements)
        .answer(units)
        .reads("T", "a", 1, 2.0)
        .tally("T", Read, Unread, 1.0)
        .check(described);
}

#[test]
fn unread_parts_have_a_family_of_metrics() {
    let detector = described(false);
    let text = |detector: &Detector| detector.metrics(&Metrics::default()).unwrap();
    assert!(text(&detector).contains("# TYPE hotpart_unread_total counter\nhotpart_unread_total 0\n"));
    let some = batch(&[BAD_SELECT, NO_TABLE, BAD_UPDATE]);
    assert_eq!(observe(&detector, "BatchExecuteStatement", &some, 200, None), Ok(0));
    assert!(text(&detector).contains("\nhotpart_unread_total 3\n"));
    assert!(!text(&detector).contains("kind=\"unread\""), "it is told once");
}

/// Its table was asked for, though it may be none.
#[test]
fn the_table_of_a_statement_that_was_refused_is_not_asked_for() {
    let request = batch(&["DELETE FROM nowhere WHERE p = 'a'", "DELETE FROM T WHERE p = 'a'", BAD_SELECT]);
    for code in ["ResourceNotFound", "ValidationError", "AccessDenied"] {
        let refused = format!(r#"{{"Error":{{"Code":"{code}"}}}}"#);
        let answer = format!(r#"{{"Responses":[{refused},{{}},{refused}]}}"#);
        let one = case("BatchExecuteStatement", &request).answer(&answer);
        one.writes("T", "a", 1, 1.0).all_estimated().check(described);
    }
}

#[test]
fn what_is_no_statement_costs_its_batch_nothing() {
    for part in ["1", "null", "{}", r#"{"Statement":[]}"#, r#"{"Statement":"\ud800"}"#, "[]"] {
        let request = format!(r#"{{"Statements":[{part},{{"Statement":"DELETE FROM T WHERE p = 'a'"}}]}}"#);
        let one = case("BatchExecuteStatement", &request);
        one.writes("T", "a", 1, 1.0).all_estimated().unread(1).check(described);
    }
}

#[test]
fn an_unread_statement_takes_its_share_of_what_is_told() {
    let some =
        batch(&["DELETE FROM T WHERE p = 'a'", "DELETE FROM T WHERE `", "DELETE FROM T WHERE p = 'b'"]);
    let each = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":1},{"TableName":"T","CapacityUnits":7},
        {"TableName":"T","CapacityUnits":2}]}"#;
    let read = |answer| case("BatchExecuteStatement", &some).answer(answer).tally("T", Write, Unread, 1.0);
    read(each).writes("T", "a", 1, 1.0).writes("T", "b", 1, 2.0).check(described);
    let sum = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":6}]}"#;
    read(sum).writes("T", "a", 1, 2.0).writes("T", "b", 1, 2.0).check(described);
    // One that does not tell its table makes the others' no less.
    let some = batch(&["DELETE FROM T WHERE p = 'a'", NO_TABLE]);
    for answer in [sum, r#"{"ConsumedCapacity":[{"CapacityUnits":6}]}"#] {
        case("BatchExecuteStatement", &some)
            .answer(answer)
            .writes("T", "a", 1, 6.0)
            .unread(1)
            .check(described);
    }
}

#[test]
fn a_statement_that_cannot_be_read_costs_its_transaction_nothing() {
    let some = batch(&["DELETE FROM T WHERE p = 'a'", BAD_UPDATE, NO_TABLE]);
    let some = some.replace("Statements", "TransactStatements");
    let read = |case: Case| case.writes("T", "a", 1, 2.0).tally("U", Write, Unread, 1.0).unread(1);
    read(case("ExecuteTransaction", &some)).all_estimated().check(described);
    let reasons = r#""CancellationReasons":[{"Code":"None"},{"Code":"ThrottlingError"},{"Code":"None"}]"#;
    read(case("ExecuteTransaction", &some))
        .exception("TransactionCanceledException", reasons)
        .all_estimated()
        .check(described);
    let reasons = reasons.replacen("None", "ThrottlingError", 1);
    case("ExecuteTransaction", &some)
        .exception("TransactionCanceledException", &reasons)
        .throttle("T", "a", Write, Unknown)
        .tally("U", Write, Unread, 1.0)
        .unread(1)
        .check(described);
}

#[test]
fn an_item_that_cannot_be_read_costs_its_batch_nothing() {
    for part in [
        "1",
        "{}",
        r#"{"PutRequest":{}}"#,
        r#"{"PutRequest":{"Item":1}}"#,
        r#"{"PutRequest":{"Item":{"s":{"S":"x"},"p":{"N":"1e999"}}}}"#,
        r#"{"DeleteRequest":{"Key":{"p":5}}}"#,
        r#"{"DeleteRequest":{"Key":[]}}"#,
        r#"{"MergeRequest":{"Key":{"p":{"S":"b"}}}}"#,
    ] {
        let request =
            format!(r#"{{"RequestItems":{{"T":[{{"PutRequest":{{"Item":{{"p":{{"S":"a"}}}}}}}},{part}]}}}}"#);
        let read = || case("BatchWriteItem", &request).writes("T", "a", 1, 1.0);
        read().all_estimated().tally("T", Write, Unread, 1.0).check(described);
        // It may come back, too.
        let answer = format!(r#"{{"UnprocessedItems":{{"T":[{part}]}}}}"#);
        read().answer(&answer).all_estimated().tally("T", Write, Unprocessed, 1.0).check(described);
    }
    for part in ["1", "{}", r#"{"Keys":1}"#, r#"{"Keys":[{"p":{"N":"x"}}]}"#, r#"{"Keys":["p"]}"#] {
        let request = format!(r#"{{"RequestItems":{{"T":{part},"U":{{"Keys":[{{"u":{{"S":"b"}}}}]}}}}}}"#);
        case("BatchGetItem", &request)
            .reads("U", "b", 1, 0.5)
            .all_estimated()
            .tally("T", Read, Unread, 1.0)
            .check(described);
    }
    let no_list = r#"{"RequestItems":{"T":{},"U":[{"DeleteRequest":{"Key":{"u":{"S":"b"}}}}]}}"#;
    case("BatchWriteItem", no_list)
        .writes("U", "b", 1, 1.0)
        .all_estimated()
        .tally("T", Write, Unread, 1.0)
        .check(described);
}

#[test]
fn an_item_that_cannot_be_read_costs_its_transaction_nothing() {
    type Tallied = fn(Case) -> Case;
    let parts: [(&str, Tallied); 6] = [
        ("1", |case| case.unread(1)),
        ("{}", |case| case.unread(1)),
        (r#"{"Put":{"TableName":"U"}}"#, |case| case.tally("U", Write, Unread, 1.0)),
        (r#"{"Merge":{"TableName":"U","Key":{"u":{"S":"x"}}}}"#, |case| case.tally("U", Write, Unread, 1.0)),
        (r#"{"Update":{"Key":{"u":{"S":"x"}}}}"#, |case| case.unread(1)),
        (r#"{"Delete":{"TableName":"T","Key":{"p":{"N":"x"}}}}"#, |case| case.tally("T", Write, Unread, 1.0)),
    ];
    for (part, tallied) in parts {
        let request = format!(
            r#"{{"TransactItems":[{part},{{"Update":{{"TableName":"T","Key":{{"p":{{"S":"a"}}}}}}}}]}}"#
        );
        let read = case("TransactWriteItems", &request).writes("T", "a", 1, 2.0).all_estimated();
        tallied(read).check(described);
    }
    let reads = r#"{"TransactItems":[{"Get":{"TableName":"U","Key":1}},{"Get":{"TableName":"T","Key":{"p":{"S":"a"}}}}]}"#;
    let large = format!(r#"{{"Responses":[{{}},{{"Item":{}}}]}}"#, crate::items::item(5_000));
    case("TransactGetItems", reads)
        .answer(&large)
        .reads("T", "a", 1, 4.0)
        .all_estimated()
        .tally("U", Read, Unread, 1.0)
        .check(described);
}

#[test]
fn a_name_or_a_key_that_no_table_has_costs_the_others_nothing() {
    let (name, key) = ("n".repeat(1_025), "k".repeat(16_385));
    for (bad, table) in [(name.as_str(), None), ("", None), ("U", Some("U"))] {
        let request = format!(
            r#"{{"RequestItems":{{"{bad}":[{{"DeleteRequest":{{"Key":{{"u":{{"S":"{key}"}}}}}}}}],
            "T":[{{"DeleteRequest":{{"Key":{{"p":{{"S":"a"}}}}}}}}]}}}}"#
        );
        let read = case("BatchWriteItem", &request).writes("T", "a", 1, 1.0).all_estimated();
        match table {
            Some(table) => read.tally(table, Write, Unread, 1.0).check(described),
            None => read.unread(1).check(described),
        }
    }
}

#[test]
fn what_teaches_no_key_is_not_learnt_from() {
    let detector = crate::case::blank(false);
    let request = r#"{"RequestItems":{"V":{"Keys":[{"v":5},{"v":{"S":"a"}}]}}}"#;
    assert_eq!(observe(&detector, "BatchGetItem", request, 200, None), Ok(1));
    assert_eq!(detector.read_count("V", "a"), Ok(1));
    assert_eq!((detector.unattributed_count("V", Read, Unread), detector.statistics().unread), (Ok(1), 1));
    let put = r#"{"TableName":"V","Item":{"x":{"S":"1"},"v":{"S":"a"}}}"#;
    assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1), "by the part that was good");
}

#[test]
fn throttles_of_what_is_read_are_none_of_what_is_not() {
    let some = batch(&[BAD_SELECT, "SELECT * FROM U"]);
    case("BatchExecuteStatement", &some)
        .exception("ThrottlingException", "")
        .tally("T", Read, Unread, 1.0)
        .tally("U", Read, Throttles, 1.0)
        .check(described);
}
