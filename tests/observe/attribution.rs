//! Whose capacity it is: of which index, of which item of several, of which statement. Each was
//! wrong once.

use crate::case::{blank, case, described, observe};
use crate::items::item;
use hotpart::Detector;
use hotpart::ObserveError::Json;
use hotpart::Operation::{Read, Write};
use hotpart::Unattributed::{IndexUnits, Unprocessed};

const PUT: &str = r#"{"TableName":"T","Item":{"p":{"S":"k"},"g":{"S":"x"}}}"#;

#[test]
fn of_two_items_on_one_key_the_one_that_is_returned_is_taken_back() {
    let large = format!(
        r#"{{"PutRequest":{{"Item":{{"p":{{"S":"a"}},"s":{{"N":"1"}},"t":{{"S":"{}"}}}}}}}}"#,
        "x".repeat(9_000)
    );
    let small = r#"{"PutRequest":{"Item":{"p":{"S":"a"},"s":{"N":"2"}}}}"#;
    for both in [format!("{small},{large}"), format!("{large},{small}")] {
        // With its members in another order, too.
        for returned in [small, r#"{ "PutRequest" : {"Item":{"s":{"N":"2"},"p":{"S":"a"}}}}"#] {
            case("BatchWriteItem", &format!(r#"{{"RequestItems":{{"T":[{both}]}}}}"#))
                .answer(&format!(r#"{{"UnprocessedItems":{{"T":[{returned}]}}}}"#))
                .writes("T", "a", 1, 9.0)
                .tally("T", Write, Unprocessed, 1.0)
                .all_estimated()
                .check(described);
        }
    }
}

#[test]
fn an_index_is_charged_for_the_item_that_was_written() {
    let put = |s: u32, g: &str| {
        format!(r#"{{"PutRequest":{{"Item":{{"p":{{"S":"a"}},"s":{{"N":"{s}"}},"g":{{"S":"{g}"}}}}}}}}"#)
    };
    let units = r#"[{"TableName":"T","CapacityUnits":2,"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"G":{"CapacityUnits":1}}}]"#;
    let returned = put(1, "x");
    case("BatchWriteItem", &format!(r#"{{"RequestItems":{{"T":[{},{}]}}}}"#, put(1, "x"), put(2, "y")))
        .answer(&format!(r#"{{"UnprocessedItems":{{"T":[{returned}]}},"ConsumedCapacity":{units}}}"#))
        .writes("T", "a", 1, 1.0)
        .index_writes("T/index/G", "y", 1, 1.0)
        .tally("T", Write, Unprocessed, 1.0)
        .check(described);
}

#[test]
fn an_item_without_the_index_s_sort_key_is_not_in_the_index() {
    // M: hashed by a and b, sorted by r. Only the second item has all three.
    let puts = r#"{"RequestItems":{"T":[{"PutRequest":{"Item":{"p":{"S":"k"},"a":{"S":"1"},"b":{"S":"2"}}}},
        {"PutRequest":{"Item":{"p":{"S":"l"},"a":{"S":"3"},"b":{"S":"4"},"r":{"S":"5"}}}}]}}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":3,"Table":{"CapacityUnits":2},"GlobalSecondaryIndexes":{"M":{"CapacityUnits":1}}}]}"#;
    case("BatchWriteItem", puts)
        .answer(units)
        .writes("T", "k", 1, 1.0)
        .writes("T", "l", 1, 1.0)
        .index_writes("T/index/M", r#"["3","4"]"#, 1, 1.0)
        .check(described);
}

/// An index by the table's own sort key.
fn inverted(capacity: bool) -> Detector {
    let detector = blank(capacity);
    detector.set_key_schema("T", None, &["p"]).unwrap();
    detector.set_key_schema("T", Some(b"I"), &["s"]).unwrap();
    detector
}

#[test]
fn a_key_has_the_value_of_an_index_by_its_own_attributes() {
    let units = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":2,"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"I":{"CapacityUnits":1}}}}"#;
    for operation in ["UpdateItem", "DeleteItem"] {
        case(operation, r#"{"TableName":"T","Key":{"p":{"S":"k"},"s":{"S":"v"}}}"#)
            .answer(units)
            .writes("T", "k", 1, 1.0)
            .index_writes("T/index/I", "v", 1, 1.0)
            .check(inverted);
    }
}

#[test]
fn an_insert_has_the_values_of_its_indexes() {
    let units = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":2,"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"G":{"CapacityUnits":1}}}}"#;
    case("ExecuteStatement", r#"{"Statement":"INSERT INTO T VALUE {'p':'k','g':'x'}"}"#)
        .answer(units)
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .check(described);
}

#[test]
fn a_page_of_several_keys_is_shared_by_them() {
    // 12 KB, which is 1.5 units in all.
    let items = format!(r#"{{"Items":[{}]}}"#, vec![item(4_000); 3].join(","));
    case("ExecuteStatement", r#"{"Statement":"SELECT * FROM T WHERE p IN ['a','b','c','b']"}"#)
        .answer(&items)
        .reads("T", "a", 1, 0.5)
        .reads("T", "b", 1, 0.5)
        .reads("T", "c", 1, 0.5)
        .all_estimated()
        .check(described);
}

#[test]
fn a_key_has_the_values_that_all_pins_leave() {
    for pins in [
        "p IN ['a','b'] AND p = 'a'",
        "p = 'a' AND p IN ['b','a']",
        "p IN ['b','a'] AND p IN ['a','c']",
        "p IN ['a'] AND p IN ?",
    ] {
        case("ExecuteStatement", &format!(r#"{{"Statement":"SELECT * FROM T WHERE {pins}"}}"#))
            .reads("T", "a", 1, 0.5)
            .all_estimated()
            .check(described);
    }
}

#[test]
fn what_is_of_no_global_index_is_the_table_s_where_the_table_is_cut_off() {
    for details in [r#""GlobalSecondaryIndexes":{}"#, r#""LocalSecondaryIndexes":{}"#] {
        let units = format!(r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":5,{details}}}}}"#);
        case("PutItem", PUT)
            .answer(&units)
            .writes("T", "k", 1, 5.0)
            .index_writes("T/index/G", "x", 1, 0.0)
            .check(described);
    }
    let units = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":5,"GlobalSecondaryIndexes":{"G":{"CapacityUnits":2}}}}"#;
    case("PutItem", PUT)
        .answer(units)
        .writes("T", "k", 1, 3.0)
        .index_writes("T/index/G", "x", 1, 2.0)
        .check(described);
}

#[test]
fn capacity_without_a_name_is_of_the_only_table_or_of_none() {
    let one = r#"{"RequestItems":{"T":[{"DeleteRequest":{"Key":{"p":{"S":"k"}}}}]}}"#;
    let two = r#"{"RequestItems":{"T":[{"DeleteRequest":{"Key":{"p":{"S":"k"}}}}],"U":[{"DeleteRequest":{"Key":{"u":{"S":"l"}}}}]}}"#;
    let units = r#"{"ConsumedCapacity":[{"CapacityUnits":8}]}"#;
    case("BatchWriteItem", one).answer(units).writes("T", "k", 1, 8.0).check(described);
    case("BatchWriteItem", two)
        .answer(units)
        .writes("T", "k", 1, 1.0)
        .writes("U", "l", 1, 1.0)
        .all_estimated()
        .check(described);
}

/// "The values of the list are ordered according to the ordering of the statements."
#[test]
fn statements_are_charged_one_by_one_where_the_answer_tells_them_apart() {
    let two = r#"{"Statements":[{"Statement":"UPDATE T SET x=1 WHERE p='a' AND s=1"},{"Statement":"UPDATE T SET x=1 WHERE p='b' AND s=1"}]}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":9},{"TableName":"T","CapacityUnits":1}],"Responses":[{"TableName":"T"},{"TableName":"T"}]}"#;
    case("BatchExecuteStatement", two)
        .answer(units)
        .writes("T", "a", 1, 9.0)
        .writes("T", "b", 1, 1.0)
        .check(described);
    let together = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":10}]}"#;
    case("BatchExecuteStatement", two)
        .answer(together)
        .writes("T", "a", 1, 5.0)
        .writes("T", "b", 1, 5.0)
        .check(described);
}

#[test]
fn statements_on_a_table_and_on_its_index_are_told_apart() {
    let two = r#"{"Statements":[{"Statement":"SELECT * FROM T WHERE p='a' AND s=1"},{"Statement":"SELECT * FROM \"T\".\"G\" WHERE g='x'"}]}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":3,"Table":{"CapacityUnits":1},"GlobalSecondaryIndexes":{"G":{"CapacityUnits":2}}}]}"#;
    case("BatchExecuteStatement", two)
        .answer(units)
        .reads("T", "a", 1, 1.0)
        .reads("T/index/G", "x", 1, 2.0)
        .check(described);
}

#[test]
fn a_replay_of_one_table_s_writes_leaves_the_others_as_they_are() {
    let request = r#"{"TransactItems":[{"Put":{"TableName":"T","Item":{"p":{"S":"a"}}}},{"ConditionCheck":{"TableName":"U","Key":{"u":{"S":"c"}}}}]}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":2,"WriteCapacityUnits":2},{"TableName":"U","CapacityUnits":2,"ReadCapacityUnits":2}]}"#;
    case("TransactWriteItems", request)
        .answer(units)
        .writes("T", "a", 1, 2.0)
        .reads("U", "c", 1, 2.0)
        .check(described);
    // What a replay reads of an index whose key is not known is a read too.
    let request = r#"{"TransactItems":[{"Put":{"TableName":"T","Item":{"p":{"S":"a"}}}}]}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":3,"ReadCapacityUnits":3,"Table":{"CapacityUnits":2,"ReadCapacityUnits":2},"GlobalSecondaryIndexes":{"G":{"CapacityUnits":1,"ReadCapacityUnits":1}}}]}"#;
    case("TransactWriteItems", request)
        .answer(units)
        .reads("T", "a", 1, 2.0)
        .tally("T/index/G", Read, IndexUnits, 1.0)
        .check(described);
}

#[test]
fn each_api_s_answered_units_count() {
    let one = r#"[{"TableName":"U","CapacityUnits":7.5}]"#;
    for (operation, request) in [
        ("BatchGetItem", r#"{"RequestItems":{"U":{"Keys":[{"u":{"S":"k"}}]}}}"#),
        ("TransactGetItems", r#"{"TransactItems":[{"Get":{"TableName":"U","Key":{"u":{"S":"k"}}}}]}"#),
        ("ExecuteTransaction", r#"{"TransactStatements":[{"Statement":"SELECT * FROM U WHERE u='k'"}]}"#),
        ("BatchExecuteStatement", r#"{"Statements":[{"Statement":"SELECT * FROM U WHERE u='k'"}]}"#),
    ] {
        let units = format!(r#"{{"ConsumedCapacity":{one}}}"#);
        case(operation, request).answer(&units).reads("U", "k", 1, 7.5).check(described);
    }
    let update = r#"{"TableName":"U","Key":{"u":{"S":"k"}}}"#;
    let units = r#"{"ConsumedCapacity":{"TableName":"U","CapacityUnits":7.5}}"#;
    case("UpdateItem", update).answer(units).writes("U", "k", 1, 7.5).check(described);
}

#[test]
fn an_empty_local_list_makes_no_index_local() {
    let query = r#"{"TableName":"T","IndexName":"N","KeyConditionExpression":"n = :v","ExpressionAttributeValues":{":v":{"S":"x"}}}"#;
    let know = |capacity| {
        let detector = blank(capacity);
        detector.set_key_schema("T", None, &["p"]).unwrap();
        detector.set_key_schema("T", Some(b"N"), &["n"]).unwrap();
        detector
    };
    for empty in ["{}", "{ }"] {
        let units = format!(
            r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":1,"Table":{{"CapacityUnits":0}},"LocalSecondaryIndexes":{empty},"GlobalSecondaryIndexes":{{"N":{{"CapacityUnits":1}}}}}}}}"#
        );
        case("Query", query).answer(&units).reads("T/index/N", "x", 1, 1.0).check(know);
    }
}

#[test]
fn a_description_that_is_cut_down_takes_nothing_away() {
    let detector = described(false);
    let updating = r#"{"TableDescription":{"TableName":"T","TableStatus":"UPDATING"}}"#;
    assert_eq!(observe(&detector, "UpdateTable", r#"{"TableName":"T"}"#, 200, Some(updating)), Ok(0));
    assert_eq!(observe(&detector, "PutItem", PUT, 200, None), Ok(1));
    // One that says all does: T has another key now.
    let anew =
        r#"{"TableDescription":{"TableName":"T","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}]}}"#;
    assert_eq!(observe(&detector, "CreateTable", r#"{"TableName":"T"}"#, 200, Some(anew)), Ok(0));
    assert_eq!(observe(&detector, "PutItem", PUT, 200, None), Ok(1));
    assert_eq!(detector.write_count("T", "x"), Ok(1));
}

#[test]
fn a_refused_request_teaches_nothing() {
    let detector = blank(false);
    let get = r#"{"RequestItems":{"U":{"Keys":[{"u":{"S":"x"}}]}}}"#;
    let refused = Some(r#"{"__type":"ValidationException"}"#);
    assert_eq!(observe(&detector, "BatchGetItem", get, 400, refused), Ok(0));
    assert_eq!(observe(&detector, "BatchGetItem", &get[..get.len() - 1], 200, None), Err(Json));
    let put = r#"{"TableName":"U","Item":{"u":{"S":"k"},"x":{"S":"1"}}}"#;
    assert!(observe(&detector, "PutItem", put, 200, None).is_err(), "U is not known");
    let good = r#"{"RequestItems":{"U":{"Keys":[{"u":{"S":"x"}},{"u":{"S":"y"}}]}}}"#;
    assert_eq!(observe(&detector, "BatchGetItem", good, 200, None), Ok(2));
    assert_eq!(observe(&detector, "PutItem", put, 200, None), Ok(1));
    // What one action tells serves the next.
    let both = r#"{"RequestItems":{"V":[{"DeleteRequest":{"Key":{"v":{"S":"x"}}}},{"PutRequest":{"Item":{"a":{"S":"1"},"v":{"S":"y"}}}}]}}"#;
    assert_eq!(observe(&detector, "BatchWriteItem", both, 200, None), Ok(2));
    assert_eq!(detector.write_count("V", "y"), Ok(1));
    // A table that is not known costs only its own parts.
    let waits =
        r#"{"RequestItems":{"X":{"Keys":[{"x":{"S":"x"}}]},"W":{"Keys":[{"a":{"S":"1"},"b":{"S":"2"}}]}}}"#;
    assert!(observe(&detector, "BatchGetItem", waits, 200, None).is_err());
    assert_eq!(
        observe(&detector, "PutItem", r#"{"TableName":"X","Item":{"x":{"S":"k"}}}"#, 200, None),
        Ok(1)
    );
}

#[test]
fn each_index_that_is_asked_is_local_or_not_by_its_own_name() {
    let know = |capacity| {
        let detector = blank(capacity);
        detector.set_key_schema("T", None, &["p"]).unwrap();
        detector.set_key_schema("T", Some(b"A"), &["a"]).unwrap();
        detector
    };
    let two = r#"{"Statements":[{"Statement":"SELECT * FROM \"T\".\"A\" WHERE a='x'"},{"Statement":"SELECT * FROM \"T\".\"B\" WHERE p='k'"}]}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":3,"Table":{"CapacityUnits":0},"LocalSecondaryIndexes":{"B":{"CapacityUnits":1}},"GlobalSecondaryIndexes":{"A":{"CapacityUnits":2}}}]}"#;
    case("BatchExecuteStatement", two)
        .answer(units)
        .reads("T/index/A", "x", 1, 2.0)
        .reads("T", "k", 1, 1.0)
        .check(know);
}

#[test]
fn all_of_one_key_may_come_back() {
    let put = |s: u32| format!(r#"{{"PutRequest":{{"Item":{{"p":{{"S":"a"}},"s":{{"N":"{s}"}}}}}}}}"#);
    let arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/T";
    for (first, second) in [(1, 2), (2, 1)] {
        for table in ["T", arn] {
            case("BatchWriteItem", &format!(r#"{{"RequestItems":{{"{table}":[{},{}]}}}}"#, put(1), put(2)))
                .answer(&format!(r#"{{"UnprocessedItems":{{"T":[{},{}]}}}}"#, put(first), put(second)))
                .tally("T", Write, Unprocessed, 2.0)
                .check(described);
        }
    }
}

#[test]
fn a_page_is_a_read_whether_it_is_the_last_or_empty() {
    let query = r#"{"TableName":"T","KeyConditionExpression":"p = :v","ExclusiveStartKey":{"p":{"S":"k"},"s":{"N":"7"}},"ExpressionAttributeValues":{":v":{"S":"k"}}}"#;
    let page = r#"{"Items":[{"p":{"S":"k"},"s":{"N":"8"}}],"Count":1,"LastEvaluatedKey":{"p":{"S":"k"},"s":{"N":"8"}}}"#;
    for page in [page, r#"{"Items":[],"Count":0}"#] {
        case("Query", query).answer(page).reads("T", "k", 1, 0.5).all_estimated().check(described);
    }
    let legacy = r#"{"TableName":"T","IndexName":"M","KeyConditions":{"a":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"1"}]},
        "b":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"2"}]},"r":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"3"}]}}}"#;
    case("Query", legacy).reads("T/index/M", r#"["1","2"]"#, 1, 0.5).all_estimated().check(described);
}

#[test]
fn a_transaction_s_indexes_have_their_own() {
    let request = r#"{"TransactItems":[{"Put":{"TableName":"T","Item":{"p":{"S":"a"},"g":{"S":"x"}}}}]}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":4,"WriteCapacityUnits":4,"Table":{"CapacityUnits":2,"WriteCapacityUnits":2},"GlobalSecondaryIndexes":{"G":{"CapacityUnits":2,"WriteCapacityUnits":2}}}]}"#;
    case("TransactWriteItems", request)
        .answer(units)
        .writes("T", "a", 1, 2.0)
        .index_writes("T/index/G", "x", 1, 2.0)
        .check(described);
}
