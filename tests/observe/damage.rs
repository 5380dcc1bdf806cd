//! Bodies that are not what they should be.

use crate::case::{described, observe};
use hotpart::{Exchange, ObserveError};

const REQUESTS: [(&str, &str); 8] = [
    (
        "PutItem",
        r#"{"TableName":"T","Item":{"p":{"S":"aé\u00e9"},"n":{"N":"-1.5e3"},"m":{"M":{"l":{"L":[{"NULL":true}]}}}}}"#,
    ),
    (
        "Query",
        r##"{"TableName":"T","KeyConditionExpression":"#p = :v AND (s BETWEEN :v AND :v)","ExpressionAttributeNames":{"#p":"p"},"ExpressionAttributeValues":{":v":{"S":"k"}}}"##,
    ),
    (
        "BatchWriteItem",
        r#"{"RequestItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"a"}}}},{"DeleteRequest":{"Key":{"p":{"S":"a"}}}}]}}"#,
    ),
    (
        "BatchGetItem",
        r#"{"RequestItems":{"T":{"Keys":[{"p":{"S":"a"},"s":{"N":"1"}}],"ConsistentRead":true}}}"#,
    ),
    (
        "TransactWriteItems",
        r#"{"TransactItems":[{"Put":{"TableName":"T","Item":{"p":{"S":"a"}}}},{"ConditionCheck":{"TableName":"T","Key":{"p":{"B":"aGk="}}}}]}"#,
    ),
    (
        "ExecuteStatement",
        r#"{"Statement":"SELECT * FROM \"T\" WHERE p = ? AND s IN [1, 2]","Parameters":[{"S":"k"}]}"#,
    ),
    ("DescribeTable", r#"{"TableName":"T"}"#),
    ("Scan", r#"{"TableName":"T","IndexName":"G"}"#),
];

const ANSWERS: [(u16, &str); 4] = [
    (
        200,
        r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":1.5,"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"G":{"CapacityUnits":0.5}}}}"#,
    ),
    (
        200,
        r#"{"Table":{"TableName":"T","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}]},"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"a"}}}}]}}"#,
    ),
    (
        400,
        r#"{"__type":"a#ThrottlingException","throttlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"arn:aws:dynamodb:r:1:table/T"}]}"#,
    ),
    (
        400,
        r#"{"__type":"a#TransactionCanceledException","CancellationReasons":[{"Code":"None"},{"Code":"ThrottlingError"}]}"#,
    ),
];

/// A text cut off, and with characters put in, replaced and left out, at every place.
fn damaged(text: &str) -> impl Iterator<Item = String> + '_ {
    text.char_indices().flat_map(move |(at, c)| {
        let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
        let marks = ["\"", "{", "}", "[", "]", ":", ",", "\\", "0", "'", " null", ""];
        let replaced = marks.into_iter().map(move |mark| format!("{before}{mark}{after}"));
        replaced.chain([before.to_owned()])
    })
}

#[test]
fn no_damage_panics_and_what_is_refused_changes_nothing() {
    let detector = described(true);
    let (mut taken, mut refused) = (0, 0);
    let mut check = |operation: &str, request: &str, status: u16, answer: Option<&str>| {
        let before = detector.statistics();
        match observe(&detector, operation, request, status, answer) {
            Ok(_) => taken += 1,
            Err(_) => {
                refused += 1;
                assert_eq!(detector.statistics(), before, "{operation} {request} {status} {answer:?}");
            }
        }
        if detector.statistics().partitions > 50 {
            detector.clear().unwrap();
        }
    };
    for (operation, request) in REQUESTS {
        for request in damaged(request) {
            check(operation, &request, 200, None);
        }
        for (status, answer) in ANSWERS {
            for answer in damaged(answer) {
                check(operation, request, status, Some(&answer));
            }
        }
    }
    assert!(taken > 1_000 && refused > 1_000, "{taken} taken, {refused} refused");
}

#[test]
fn depth_and_size_cost_no_stack() {
    let detector = described(true);
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(1_000_000), close.repeat(1_000_000));
    for nested in [deep("[", "]"), deep(r#"{"L":["#, "]}"), deep(r#"{"M":{"a":"#, "}}")] {
        let put = |value: &str| format!(r#"{{"Item":{{"x":{value},"p":{{"S":"k"}}}},"TableName":"T"}}"#);
        // Passed over unread, or refused: a nested value that is cut short.
        let _ = observe(&detector, "PutItem", &put(&nested), 200, None);
        assert_eq!(
            observe(&detector, "PutItem", &put(&nested[..nested.len() - 1]), 200, None),
            Err(ObserveError::Json)
        );
        assert_eq!(observe(&detector, "PutItem", &nested, 200, None), Err(ObserveError::Json));
        let _ =
            observe(&detector, "PutItem", r#"{"TableName":"T","Item":{"p":{"S":"k"}}}"#, 200, Some(&nested));
    }
    let statement = format!(
        r#"{{"Statement":"SELECT * FROM T WHERE {}p = 'k'{}"}}"#,
        "(".repeat(100_000),
        ")".repeat(100_000)
    );
    let _ = observe(&detector, "ExecuteStatement", &statement, 200, None);
    let large = format!(
        r#"{{"TableName":"T","Item":{{"x":{{"S":"{}"}},"p":{{"S":"large"}}}}}}"#,
        "x".repeat(16 << 20)
    );
    assert_eq!(observe(&detector, "PutItem", &large, 200, None), Ok(1));
    assert_eq!(
        detector.write_count("T", "large").unwrap() / 2,
        (16 << 10) + 1,
        "units of 16 MiB and a little"
    );
}

#[test]
fn a_request_of_more_items_than_any_has_is_refused() {
    let detector = described(false);
    let batch = |n| {
        let one = r#"{"DeleteRequest":{"Key":{"u":{"S":"k"}}}}"#;
        format!(r#"{{"RequestItems":{{"U":[{}]}}}}"#, vec![one; n].join(","))
    };
    assert_eq!(observe(&detector, "BatchWriteItem", &batch(1_000), 200, None), Ok(1_000));
    assert_eq!(observe(&detector, "BatchWriteItem", &batch(1_001), 200, None), Err(ObserveError::Json));
    assert_eq!(observe(&detector, "BatchWriteItem", &batch(100_000), 200, None), Err(ObserveError::Json));
    assert_eq!(detector.write_count("U", "k"), Ok(1_000));
}

#[test]
fn what_is_not_utf_8_is_not_json() {
    let observed = |request, response| {
        let exchange =
            Exchange { operation: b"Scan", request, response, http_status: 200, ..Exchange::default() };
        described(false).observe(&exchange)
    };
    assert_eq!(observed(b"{\"TableName\":\"\xFF\"}", None), Err(ObserveError::Json));
    assert_eq!(observed(b"{\"TableName\":\"T\"}", Some(b"\xFF")), Err(ObserveError::Json));
    assert_eq!(observed(b"{\"TableName\":\"T\"}", Some(b"{}")), Ok(0));
}
