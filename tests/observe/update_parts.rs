//! Updates that set the key of a global index, as parts of more, late, and large.

use crate::case::{blank, case, described, observe};
use crate::updates::{sets_g, statement, update};
use hotpart::Operation::Write;
use hotpart::Reason::Unknown;
use serde_json::json;

#[test]
fn an_update_in_a_transaction_is_a_write_on_its_index() {
    let set = |p: &str, g: &str| {
        format!(
            r#"{{"Update":{{"TableName":"T","Key":{{"p":{{"S":"{p}"}}}},"UpdateExpression":"SET g = :g","ExpressionAttributeValues":{{":g":{{"S":"{g}"}}}}}}}}"#
        )
    };
    // A condition sets nothing, whatever it is sent with.
    let check = set("c", "x").replace("Update\":{", "ConditionCheck\":{");
    let request =
        format!(r#"{{"TransactItems":[{},{},{check},{}]}}"#, set("a", "x"), set("b", "x"), set("d", "y"));
    let seen = || {
        ["a", "b", "c", "d"]
            .into_iter()
            .fold(case("TransactWriteItems", &request), |seen, p| seen.writes("T", p, 1, 2.0))
    };
    let on_indexes = || seen().index_writes("T/index/G", "x", 2, 4.0).index_writes("T/index/G", "y", 1, 2.0);
    on_indexes().all_estimated().check(described);
    on_indexes().no_answer().all_estimated().check(described);
    let told = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":14,"WriteCapacityUnits":14}]}"#;
    on_indexes().answer(told).check(described);
    seen()
        .exception(
            "TransactionCanceledException",
            r#""CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed"},{"Code":"None"},{}]"#,
        )
        .all_estimated()
        .check(described);
    // One that is replayed writes nothing.
    case("TransactWriteItems", &request)
        .answer(r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":4,"ReadCapacityUnits":4}]}"#)
        .reads("T", "a", 1, 1.0)
        .reads("T", "b", 1, 1.0)
        .reads("T", "c", 1, 1.0)
        .reads("T", "d", 1, 1.0)
        .check(described);
}

#[test]
fn updates_among_statements_are_writes_on_their_indexes() {
    let parts = [
        statement("UPDATE T SET g = ? WHERE p = 'a' AND s = 1", json!([{"S": "x"}])),
        statement("FROM T WHERE p = ? SET n = 1 SET g = ?", json!([{"S": "b"}, {"S": "x"}])),
        statement("UPDATE T SET n = 1 WHERE p = 'c'", json!([])),
    ]
    .join(",");
    let batch = format!(r#"{{"Statements":[{parts}]}}"#);
    case("BatchExecuteStatement", &batch)
        .writes("T", "a", 1, 1.0)
        .writes("T", "b", 1, 1.0)
        .writes("T", "c", 1, 1.0)
        .index_writes("T/index/G", "x", 2, 2.0)
        .all_estimated()
        .check(described);
    // Those that fail are none.
    case("BatchExecuteStatement", &batch)
        .answer(r#"{"Responses":[{"Error":{"Code":"ConditionalCheckFailed"}},{},{"Error":{"Code":"ValidationError"}}]}"#)
        .writes("T", "a", 1, 1.0)
        .writes("T", "b", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .all_estimated()
        .check(described);
    case("BatchExecuteStatement", &batch)
        .answer(
            r#"{"Responses":[{"Error":{"Code":"ThrottlingError"}},{"Error":{"Code":"ValidationError"}},{}]}"#,
        )
        .throttle("T", "a", Write, Unknown)
        .writes("T", "c", 1, 1.0)
        .all_estimated()
        .check(described);
    case("ExecuteTransaction", &format!(r#"{{"TransactStatements":[{parts}]}}"#))
        .writes("T", "a", 1, 2.0)
        .writes("T", "b", 1, 2.0)
        .writes("T", "c", 1, 2.0)
        .index_writes("T/index/G", "x", 2, 4.0)
        .all_estimated()
        .check(described);
}

/// An update that waits is worked out by what it sets, too.
#[test]
fn an_update_that_waited_for_its_table_is_a_write_on_its_index() {
    for capacity in [false, true] {
        let detector = blank(capacity);
        let asked = observe(&detector, "UpdateItem", &sets_g(), 200, None);
        assert_eq!(asked, Err(hotpart::ObserveError::MissingSchema(vec!["T".to_owned()])));
        detector.set_key_schema("T", Some(b"G"), &["g"]).unwrap();
        detector.set_key_schema("T", None, &["p"]).unwrap();
        let one = if capacity { 2 } else { 1 };
        assert_eq!(detector.write_count("T", "k"), Ok(one));
        assert_eq!(detector.write_count("T/index/G", "x"), Ok(one));
    }
}

/// Each name and value is looked at once, however many are set, and however many indexes there are.
#[test]
fn an_update_of_many_names_takes_time_in_step_with_its_length() {
    let detector = blank(false);
    detector.set_key_schema("T", None, &["p"]).unwrap();
    for n in 0..100 {
        detector.set_key_schema("T", Some(format!("I{n}").as_bytes()), &[format!("g{n}")]).unwrap();
    }
    let many = |n: usize, one: &dyn Fn(usize) -> String| (0..n).map(one).collect::<Vec<_>>().join(",");
    let expression = many(300, &|n| format!("#n{n}=:v{n}"));
    let names = many(50_000, &|n| format!(r##""#n{n}":"g{n}""##));
    let values = many(50_000, &|n| format!(r#"":v{n}":{{"S":"x"}}"#));
    let request = update(&format!(
        r#""UpdateExpression":"SET {expression}","ExpressionAttributeNames":{{{names}}},"ExpressionAttributeValues":{{{values}}}"#
    ));
    assert_eq!(observe(&detector, "UpdateItem", &request, 200, None), Ok(1));
    assert!((0..100).all(|n| detector.write_count(format!("T/index/I{n}"), "x") == Ok(1)));
}

/// Of a transaction the parts on a known table are recorded at once, with their indexes, and those
/// on another when that is described, with its indexes and its share of what was told.
#[test]
fn an_update_that_waits_costs_the_others_of_its_transaction_nothing() {
    let set = |table: &str, p: &str| {
        let update =
            update(r#""UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":{"S":"x"}}"#);
        let update = update.replace("\"T\"", &format!("\"{table}\"")).replace("\"k\"", &format!("\"{p}\""));
        format!(r#"{{"Update":{update}}}"#)
    };
    let request = format!(r#"{{"TransactItems":[{},{},{}]}}"#, set("T", "a"), set("V", "b"), set("T", "c"));
    let told =
        r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":8},{"TableName":"V","CapacityUnits":3}]}"#;
    for capacity in [false, true] {
        let detector = described(capacity);
        let asked = observe(&detector, "TransactWriteItems", &request, 200, Some(told));
        assert_eq!(asked, Err(hotpart::ObserveError::MissingSchema(vec!["V".to_owned()])));
        let halves = |actions: u64, units: f64| Ok(if capacity { (units * 2.0) as u64 } else { actions });
        assert_eq!(detector.write_count("T/index/G", "x"), halves(2, 4.0));
        assert_eq!(detector.write_count("V/index/H", "x"), Ok(0));
        let table = r#"{"Table":{"TableName":"V","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
            "GlobalSecondaryIndexes":[{"IndexName":"H","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},
            {"AttributeName":"s","KeyType":"RANGE"}]}]}}"#;
        assert_eq!(observe(&detector, "DescribeTable", r#"{"TableName":"V"}"#, 200, Some(table)), Ok(0));
        assert_eq!(detector.write_count("T", "a"), halves(1, 2.0));
        assert_eq!(detector.write_count("V", "b"), halves(1, 2.0));
        assert_eq!(detector.write_count("V/index/H", "x"), halves(1, 1.0));
        assert_eq!(detector.statistics().unread, 0);
    }
}
