//! Requests and answers that are made to take long, to take much, or to get past a check.

use crate::case::{blank, case, described, observe};
use hotpart::Operation::{Read, Write};
use hotpart::Reason::{KeyRange, Unknown};
use hotpart::Unattributed::{Throttles, Unprocessed, Unread};
use hotpart::{Argument, Error, ObserveError};
use std::time::Instant;

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/T";

fn deletes(n: usize) -> String {
    let one = |i| format!(r#"{{"DeleteRequest":{{"Key":{{"u":{{"S":"k{i}"}}}}}}}}"#);
    format!(r#"{{"RequestItems":{{"U":[{}]}}}}"#, (0..n).map(one).collect::<Vec<_>>().join(","))
}

/// They took minutes: each comparison read all the values anew.
#[test]
fn conditions_of_more_comparisons_than_a_key_has_are_refused() {
    let query = |n: usize, name: &str| {
        let expression = (0..n).map(|i| format!("{name}{i}=:v{i}")).collect::<Vec<_>>().join(" and ");
        let values: Vec<_> = (0..n).map(|i| format!(r#"":v{i}":{{"S":"x"}}"#)).collect();
        format!(
            r#"{{"TableName":"T","IndexName":"M","KeyConditionExpression":"{expression}","ExpressionAttributeValues":{{{}}}}}"#,
            values.join(",")
        )
    };
    assert_eq!(observe(&described(false), "Query", &query(9, "a"), 200, None), Err(ObserveError::Json));
    assert_eq!(observe(&described(false), "Query", &query(16_000, "a"), 200, None), Err(ObserveError::Json));
    let long = query(2, &"a".repeat(2_048));
    assert_eq!(observe(&described(false), "Query", &long, 200, None), Err(ObserveError::Json));
}

#[test]
fn statements_and_lists_beyond_dynamodb_s_limits_are_not_read() {
    let statement = |values: usize| {
        format!(r#"{{"Statement":"SELECT * FROM U WHERE u IN [{}1]"}}"#, "1,".repeat(values - 1))
    };
    case("ExecuteStatement", &statement(100)).reads("U", "1", 1, 0.5).all_estimated().check(described);
    for values in [101, 1 << 20] {
        case("ExecuteStatement", &statement(values)).tally("U", Read, Unread, 1.0).check(described);
    }
    let eleven = vec![statement(100); 11].join(",");
    let many = format!(r#"{{"Statements":[{eleven}]}}"#);
    case("BatchExecuteStatement", &many)
        .reads("U", "1", 10, 5.0)
        .all_estimated()
        .tally("U", Read, Unread, 1.0)
        .check(described);
    // Characters, and not bytes.
    let wide = format!(r#"{{"Statement":"SELECT * FROM U WHERE u = '{}'"}}"#, "ä".repeat(8_000));
    assert_eq!(observe(&described(false), "ExecuteStatement", &wide, 200, None), Ok(1));
    let keys = format!(r#"{{"RequestItems":{{"U":{{"Keys":[{}1]}}}}}}"#, "1,".repeat(1 << 20));
    assert_eq!(observe(&described(false), "BatchGetItem", &keys, 200, None), Err(ObserveError::Json));
}

/// 280 KB of an answer asked for 5 GB: each index was put to each item, as often as it was named.
#[test]
fn an_index_that_is_named_often_is_one_and_too_many_are_refused() {
    let answer = |indexes: Vec<String>| {
        format!(
            r#"{{"ConsumedCapacity":[{{"TableName":"U","Table":{{"CapacityUnits":1000}},"GlobalSecondaryIndexes":{{{}}}}}]}}"#,
            indexes.join(",")
        )
    };
    let detector = described(true);
    let often = answer(vec![r#""G":{"CapacityUnits":1}"#.to_owned(); 40_000]);
    assert_eq!(observe(&detector, "BatchWriteItem", &deletes(1_000), 200, Some(&often)), Ok(1_000));
    let many = answer((0..101).map(|i| format!(r#""G{i}":{{}}"#)).collect());
    let refused = observe(&detector, "BatchWriteItem", &deletes(2), 200, Some(&many));
    assert_eq!(refused, Err(ObserveError::Json));
    let spread: Vec<_> = (0..200)
        .map(|i| format!(r#"{{"TableName":"U","GlobalSecondaryIndexes":{{"G{i}":{{}}}}}}"#))
        .collect();
    let spread = format!(r#"{{"ConsumedCapacity":[{}]}}"#, spread.join(","));
    let refused = observe(&detector, "BatchWriteItem", &deletes(2), 200, Some(&spread));
    assert_eq!(refused, Err(ObserveError::Json));
    let tables = format!(r#"{{"ConsumedCapacity":[{}{{}}]}}"#, r#"{"TableName":"X"},"#.repeat(200_000));
    let refused = observe(&detector, "BatchWriteItem", &deletes(2), 200, Some(&tables));
    assert_eq!(refused, Err(ObserveError::Json));
}

#[test]
fn a_reason_that_is_named_often_is_one() {
    let detector = described(false);
    let body =
        format!(r#"{{"__type":"ThrottlingException","ThrottlingReasons":[{}{{}}]}}"#, "{},".repeat(100_000));
    assert_eq!(observe(&detector, "BatchWriteItem", &deletes(1_000), 400, Some(&body)), Ok(0));
    assert_eq!(detector.statistics().throttles[Unknown as usize], 1_000);
}

/// An item that came back was taken out before names were looked at, and its table's was tallied as
/// it was.
#[test]
fn names_of_unprocessed_items_are_checked_too() {
    for name in ["", &"n".repeat(1_025), &"n".repeat(40_000)] {
        let detector = described(false);
        let of = |member: &str| {
            format!(
                r#"{{"{member}":{{"{name}":{{"Keys":[{{"u":{{"S":"x"}}}}]}},"U":{{"Keys":[{{"u":{{"S":"k"}}}}]}}}}}}"#
            )
        };
        let mut expected = detector.statistics();
        assert_eq!(observe(&detector, "BatchGetItem", &of("RequestItems"), 200, None), Ok(1));
        expected.unread = 1;
        let answer = of("UnprocessedKeys");
        assert_eq!(observe(&detector, "BatchGetItem", &of("RequestItems"), 200, Some(&answer)), Ok(0));
        expected.unattributed[Unprocessed as usize] = 2;
        let found = detector.statistics();
        assert_eq!(
            (found.unread, found.unattributed),
            (expected.unread, expected.unattributed),
            "{} bytes",
            name.len()
        );
        assert_eq!(detector.unattributed_count("U", Read, Unprocessed), Ok(1));
    }
}

/// The caller was told to describe a table without a name, and to come again; for ever.
#[test]
fn a_name_that_no_table_has_is_not_said_to_lack_a_schema() {
    let too_long = "n".repeat(1_025);
    for name in ["", &too_long, r"a\u0000b"] {
        let detector = described(false);
        let put = format!(r#"{{"TableName":"{name}","Item":{{"a":{{"S":"x"}},"b":{{"S":"y"}}}}}}"#);
        let query = format!(
            r#"{{"TableName":"{name}","KeyConditionExpression":"a = :v AND b = :v","ExpressionAttributeValues":{{":v":{{"S":"x"}}}}}}"#
        );
        let select = format!(r#"{{"Statement":"SELECT * FROM \"{name}\" WHERE a = 1"}}"#);
        let puts = r#"[{"PutRequest":{"Item":{"a":{"S":"x"}}}}]"#;
        let delete = r#"[{"DeleteRequest":{"Key":{"u":{"S":"k"}}}}]"#;
        let batch = format!(r#"{{"RequestItems":{{"{name}":{puts},"U":{delete}}}}}"#);
        assert_eq!(observe(&detector, "BatchWriteItem", &batch, 200, None), Ok(1), "the other's");
        assert_eq!(detector.statistics().unread, 1);
        for (operation, request) in [("PutItem", put), ("Query", query), ("ExecuteStatement", select)] {
            let refused = observe(&detector, operation, &request, 200, None);
            assert_eq!(
                refused,
                Err(ObserveError::Refused(Error::Invalid(Argument::Table))),
                "{operation}, {} bytes",
                name.len()
            );
        }
    }
}

/// A long item was walked over for each attribute of each index's key.
#[test]
fn a_long_item_takes_little_longer_for_the_indexes_that_it_is_not_in() {
    let members: Vec<_> = (0..20_000).map(|n| format!(r#""a{n}":{{"S":"x"}}"#)).collect();
    let put = format!(r#"{{"TableName":"T","Item":{{"p":{{"S":"k"}},{}}}}}"#, members.join(","));
    let fastest = |indexes: usize| {
        let detector = blank(false);
        detector.set_key_schema("T", None, &["p"]).unwrap();
        for n in 0..indexes {
            detector.set_key_schema("T", Some(format!("I{n}").as_bytes()), &[format!("g{n}")]).unwrap();
        }
        let times = (0..5).map(|_| {
            let begin = Instant::now();
            assert_eq!(observe(&detector, "PutItem", &put, 200, None), Ok(1));
            begin.elapsed()
        });
        times.min().unwrap()
    };
    let (none, many) = (fastest(0), fastest(100));
    assert!(many < 20 * none, "{many:?}, and {none:?} without indexes");
}

/// Each part that waited looked at all tables that were forgotten.
#[test]
fn many_tables_that_are_forgotten_cost_the_others_no_time() {
    let time = |forgotten: usize| {
        let detector = blank(false);
        (0..forgotten).for_each(|n| detector.forget_table(format!("forgotten{n}")).unwrap());
        let begin = Instant::now();
        for n in 0..2_000 {
            let put = format!(r#"{{"TableName":"t{n}","Item":{{"a":{{"S":"x"}}}}}}"#);
            assert!(observe(&detector, "PutItem", &put, 200, None).is_err(), "it is asked for");
        }
        begin.elapsed()
    };
    let (none, many) = (time(0), time(200_000));
    assert!(many < 20 * none, "{many:?}, and {none:?} without");
}

/// 5 seconds and 4 GB: all that was known was copied for each table that was new.
#[test]
fn a_thousand_new_tables_are_learnt_at_once() {
    let detector = blank(false);
    for first in [0, 1_000, 2_000] {
        let tables = (first..first + 1_000).map(|i| format!(r#""t{i}":{{"Keys":[{{"u":{{"S":"k"}}}}]}}"#));
        let request = format!(r#"{{"RequestItems":{{{}}}}}"#, tables.collect::<Vec<_>>().join(","));
        assert_eq!(observe(&detector, "BatchGetItem", &request, 200, None), Ok(1_000));
    }
    let put = r#"{"TableName":"t1500","Item":{"x":{"S":"1"},"u":{"S":"k"}}}"#;
    assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1));
}

#[test]
fn capacity_that_is_no_number_of_units_is_refused() {
    for units in ["1e300", "-1", "1e13"] {
        let answer = format!(r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":{units}}}}}"#);
        let refused = observe(&described(true), "Scan", r#"{"TableName":"T"}"#, 200, Some(&answer));
        assert_eq!(refused, Err(ObserveError::Json), "{units}");
    }
}

#[test]
fn a_refusal_that_can_not_be_read_is_no_more_than_that() {
    let put = r#"{"TableName":"T","Item":{"p":{"S":"k"}}}"#;
    for (status, body) in [(413, "<html>"), (403, "<html>"), (302, ""), (400, "{"), (400, "[]")] {
        case("PutItem", put).status(status, body).check(described);
    }
    let exchange = hotpart::Exchange {
        operation: b"PutItem",
        request: put.as_bytes(),
        response: Some(b"\xFF"),
        http_status: 404,
        ..hotpart::Exchange::default()
    };
    assert_eq!(described(false).observe(&exchange), Ok(0));
}

/// In the API's model the exceptions spell it in two ways.
#[test]
fn reasons_are_found_by_either_spelling() {
    let put = r#"{"TableName":"T","Item":{"p":{"S":"k"}}}"#;
    let reason = format!(r#"[{{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"{ARN}"}}]"#);
    for (exception, member) in [
        ("ThrottlingException", "throttlingReasons"),
        ("ProvisionedThroughputExceededException", "ThrottlingReasons"),
        ("RequestLimitExceeded", "ThrottlingReasons"),
    ] {
        case("PutItem", put)
            .exception(exception, &format!(r#""{member}":{reason}"#))
            .throttle("T", "k", Write, KeyRange)
            .check(described);
    }
}

#[test]
fn a_throttle_of_nothing_that_was_asked_for_is_one_all_the_same() {
    let put = r#"{"TableName":"T","Item":{"p":{"S":"k"}}}"#;
    for resource in ["*", "arn:aws:dynamodb:us-east-1:123456789012:table/Other"] {
        let reason =
            format!(r#"{{"reason":"TableWriteKeyRangeThroughputExceeded","resource":"{resource}"}}"#);
        case("PutItem", put)
            .exception(
                "ProvisionedThroughputExceededException",
                &format!(r#""ThrottlingReasons":[{reason}]"#),
            )
            .throttle("T", "k", Write, Unknown)
            .check(described);
    }
    for resource in [r#","resource":"""#, ""] {
        let reason = format!(r#"{{"reason":"TableWriteKeyRangeThroughputExceeded"{resource}}}"#);
        case("PutItem", put)
            .exception(
                "ProvisionedThroughputExceededException",
                &format!(r#""ThrottlingReasons":[{reason}]"#),
            )
            .throttle("T", "k", Write, KeyRange)
            .check(described);
    }
}

#[test]
fn an_index_s_throttle_is_of_the_items_that_are_in_it() {
    let puts = r#"{"RequestItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"k"}}}},{"PutRequest":{"Item":{"p":{"S":"l"},"g":{"S":"x"}}}}]}}"#;
    let none = r#"{"RequestItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"k"}}}}]}}"#;
    let reason = format!(
        r#""ThrottlingReasons":[{{"reason":"IndexWriteKeyRangeThroughputExceeded","resource":"{ARN}/index/G"}}]"#
    );
    let throttled = |request: &str| {
        case("BatchWriteItem", request).exception("ProvisionedThroughputExceededException", &reason)
    };
    throttled(puts).throttle("T/index/G", "x", Write, KeyRange).check(described);
    throttled(none).tally("T/index/G", Write, Throttles, 1.0).check(described);
    // Of one that is updated nobody knows.
    let unknown = r#"{"TransactItems":[{"Update":{"TableName":"T","Key":{"p":{"S":"k"}}}},{"Put":{"TableName":"T","Item":{"p":{"S":"l"},"g":{"S":"x"}}}}]}"#;
    case("TransactWriteItems", unknown)
        .exception("ProvisionedThroughputExceededException", &reason)
        .throttle("T/index/G", "x", Write, KeyRange)
        .tally("T/index/G", Write, Throttles, 1.0)
        .check(described);
}

#[test]
fn members_that_are_null_are_absent() {
    case(
        "TransactGetItems",
        r#"{"TransactItems":[{"Get":{"TableName":"U","Key":{"u":{"S":"a","N":null}}}}]}"#,
    )
    .answer(r#"{"Responses":[null]}"#)
    .reads("U", "a", 1, 2.0)
    .all_estimated()
    .check(described);
}

#[test]
fn a_sort_key_that_is_null_is_none() {
    let put = r#"{"TableName":"T","Item":{"p":{"S":"k"},"a":{"S":"1"},"b":{"S":"2"},"r":null}}"#;
    let units = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":2,"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"M":{"CapacityUnits":1}}}}"#;
    case("PutItem", put)
        .answer(units)
        .writes("T", "k", 1, 1.0)
        .tally("T/index/M", Write, hotpart::Unattributed::IndexUnits, 1.0)
        .check(described);
}

#[test]
fn keys_and_names_are_read_through_their_escapes() {
    let put = r#"{"TableName":"T","Item":{"\u0070":{"S":"a\u0000\ud83d\ude00"}}}"#;
    case("PutItem", put).writes("T", "a\0\u{1F600}", 1, 1.0).all_estimated().check(described);
    case("DeleteItem", r#"{"TableName":"\u0054","Key":{"\u0070":{"S":"\/"}}}"#)
        .writes("T", "/", 1, 1.0)
        .all_estimated()
        .check(described);
}

/// A client's serialiser writes a name once. Of several the first is the key: reading on would cost
/// every request.
#[test]
fn of_two_members_of_one_name_the_first_is_the_key() {
    let detector = described(false);
    let put = r#"{"TableName":"T","Item":{"p":{"S":"first"},"p":{"S":"last"}}}"#;
    assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1));
    assert_eq!(detector.write_count("T", "first"), Ok(1));
}
