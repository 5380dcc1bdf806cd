//! Parts that waited for a table's key come to what they would have come to where the key is known.

use crate::case::{blank, described, observe};
use hotpart::Operation::{Read, Write};
use hotpart::Unattributed::{IndexUnits, Scans, Throttles, Unprocessed, Unread};
use hotpart::{Detector, Reason};
use serde_json::{Value, json};

/// All kinds of outcomes, of tables that are not known, come to what they come to where they are.
#[test]
fn each_outcome_comes_to_what_it_would_have_come_to_at_once() {
    let batch = json!({"RequestItems": {"T": [{"PutRequest": {"Item": {"p": {"S": "k"}, "n": {"N": "1"}}}},
        {"DeleteRequest": {"Key": {"p": {"S": "k"}, "s": {"S": "1"}}}},
        {"PutRequest": {"Item": {"p": {"S": "l"}, "n": {"N": "2"}, "g": {"S": "x"}}}}]}});
    let back =
        json!({"UnprocessedItems": {"T": [{"DeleteRequest": {"Key": {"p": {"S": "k"}, "s": {"S": "1"}}}}]}});
    let reason = |resource: &str, reason: &str| {
        let resource = format!("arn:aws:dynamodb:eu-west-1:1:table/{resource}");
        json!({"__type": "x#ProvisionedThroughputExceededException",
            "ThrottlingReasons": [{"reason": reason, "resource": resource}]})
    };
    let item = json!({"TableName": "T", "Item": {"p": {"S": "k"}, "s": {"S": "1"}, "g": {"S": "x"}}});
    let used = json!({"ConsumedCapacity": {"TableName": "T", "CapacityUnits": 5.0, "Table": {"CapacityUnits": 2.0},
        "GlobalSecondaryIndexes": {"G": {"CapacityUnits": 2.0}, "M": {"CapacityUnits": 1.0}}}});
    let transaction =
        json!({"TransactItems": [{"Put": item}, {"Put": {"TableName": "U", "Item": {"u": {"S": "v"}}}}]});
    let cancelled = json!({"__type": "x#TransactionCanceledException",
        "CancellationReasons": [{"Code": "ThrottlingError"}, {"Code": "None"}]});
    let query = |condition: &str, index: Option<&str>| {
        let mut query = json!({"TableName": "T", "KeyConditionExpression": condition,
            "ExpressionAttributeValues": {":k": {"S": "k"}, ":s": {"S": "1"}}});
        index.into_iter().for_each(|index| query["IndexName"] = index.into());
        query
    };
    let page = json!({"Items": [{"p": {"S": "k"}, "x": {"S": "x".repeat(9_000)}}]});
    let statement = |text: &str| json!({"Statement": text});
    let two = json!({"Statements": [statement("INSERT INTO T VALUE {'p': 'k'}"), statement("DELETE FROM T WHERE p = 'l'")]});
    let none = Value::Null;
    let cases = [
        ("PutItem", &item, 200, &used),
        ("PutItem", &item, 500, &none),
        ("PutItem", &item, 0, &none),
        ("PutItem", &item, 400, &json!({"__type": "x#ConditionalCheckFailedException"})),
        ("PutItem", &item, 400, &reason("T", "TableWriteKeyRangeThroughputExceeded")),
        ("PutItem", &item, 400, &reason("T/index/G", "IndexWriteKeyRangeThroughputExceeded")),
        ("PutItem", &item, 400, &reason("other", "TableWriteKeyRangeThroughputExceeded")),
        ("PutItem", &item, 400, &json!({"__type": "x#ValidationException"})),
        ("BatchWriteItem", &batch, 200, &back),
        ("TransactWriteItems", &transaction, 200, &none),
        ("TransactWriteItems", &transaction, 400, &cancelled),
        ("Query", &query("p = :k AND s = :s", None), 200, &page),
        ("Query", &query("p = :k AND l = :s", Some("L")), 200, &page),
        ("Query", &query("a = :k AND b = :s", Some("M")), 200, &page),
        ("ExecuteStatement", &statement("SELECT * FROM T WHERE p IN ['k', 'l'] AND x = 1"), 200, &page),
        ("ExecuteStatement", &statement("SELECT * FROM T WHERE x = 1"), 200, &page),
        (
            "BatchExecuteStatement",
            &two,
            200,
            &json!({"Responses": [{}, {"Error": {"Code": "ThrottlingError"}}]}),
        ),
    ];
    for (operation, request, status, answer) in cases {
        for capacity in [false, true] {
            let (at_once, later) = (described(capacity), blank(capacity));
            let (request, answer) = (request.to_string(), answer.to_string());
            let answer = (answer != "null").then_some(answer.as_str());
            let actions = observe(&at_once, operation, &request, status, answer).unwrap();
            let observed = observe(&later, operation, &request, status, answer);
            let of = format!("{operation} {request} -> {status} {answer:?}, capacity: {capacity}");
            if let Ok(found) = observed {
                assert_eq!(found, actions, "{of}");
            }
            later.set_key_schema("U", None, &["u"]).unwrap();
            let (table, answer) = (json!({"TableName": "T"}).to_string(), table_of_all());
            assert_eq!(observe(&later, "DescribeTable", &table, 200, Some(&answer)), Ok(0));
            same(&at_once, &later, &of);
        }
    }
}

/// The description that `described` has observed.
fn table_of_all() -> String {
    let key = |attributes: &[&str], range: &[&str]| {
        let hash = attributes.iter().map(|name| json!({"AttributeName": name, "KeyType": "HASH"}));
        let range = range.iter().map(|name| json!({"AttributeName": name, "KeyType": "RANGE"}));
        hash.chain(range).collect::<Value>()
    };
    json!({"Table": {"TableName": "T", "KeySchema": key(&["p"], &["s"]),
        "GlobalSecondaryIndexes": [{"IndexName": "G", "KeySchema": key(&["g"], &[])},
            {"IndexName": "M", "KeySchema": key(&["a", "b"], &["r"])}],
        "LocalSecondaryIndexes": [{"IndexName": "L", "KeySchema": key(&["p"], &["l"])}]}})
    .to_string()
}

fn same(one: &Detector, other: &Detector, of: &str) {
    for (table, keys) in [
        ("T", &["k", "l", "1"][..]),
        ("U", &["v"]),
        ("T/index/G", &["x"]),
        ("T/index/L", &["k"]),
        ("T/index/M", &[r#"["k","1"]"#]),
    ] {
        for key in keys {
            assert_eq!(one.write_count(table, key), other.write_count(table, key), "{table} {key}: {of}");
            assert_eq!(one.read_count(table, key), other.read_count(table, key), "{table} {key}: {of}");
            for (operation, reason) in
                [Write, Read].iter().flat_map(|of| Reason::ALL.map(|reason| (*of, reason)))
            {
                let throttles = |detector: &Detector| detector.throttle_count(table, key, operation, reason);
                assert_eq!(throttles(one), throttles(other), "{table} {key} {reason:?}: {of}");
            }
        }
        for what in [Scans, Unprocessed, IndexUnits, Throttles, Unread] {
            for operation in [Write, Read] {
                let tally = |detector: &Detector| detector.unattributed_count(table, operation, what);
                assert_eq!(tally(one), tally(other), "{what:?} of {table}: {of}");
            }
        }
    }
    let plain = |detector: &Detector| {
        let numbers = detector.statistics();
        (
            numbers.records,
            numbers.partitions,
            numbers.throttles,
            numbers.unattributed,
            numbers.estimated_half_units,
        )
    };
    assert_eq!(plain(one), plain(other), "{of}");
}
