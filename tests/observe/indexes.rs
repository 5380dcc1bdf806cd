//! Index writes: items that are written are writes on their global indexes, which have partitions
//! of their own.

use crate::case::{blank, case, described, observe};
use crate::items::item;
use hotpart::Detector;
use hotpart::Operation::Write;
use hotpart::Reason::Unknown;
use hotpart::Unattributed::Unprocessed;

const PUT: &str = r#"{"TableName":"T","Item":{"p":{"S":"k"},"g":{"S":"x"}}}"#;

fn total(units: f64) -> String {
    format!(r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":{units}}}}}"#)
}

fn totals(units: f64) -> String {
    format!(r#"{{"ConsumedCapacity":[{{"TableName":"T","CapacityUnits":{units}}}]}}"#)
}

/// Items with keys of their own and one value of an index's: the commonest hot partition, and no
/// key of the table's shows it. The hottest had 1 write once.
#[test]
fn twelve_hundred_puts_on_one_index_key_are_the_hottest_partition() {
    for (capacity, answer) in [(false, "{}".to_owned()), (true, total(2.0))] {
        let detector = described(capacity);
        for n in 0..1_200 {
            let put = format!(r#"{{"TableName":"T","Item":{{"p":{{"S":"{n}"}},"g":{{"S":"OPEN"}}}}}}"#);
            assert_eq!(observe(&detector, "PutItem", &put, 200, Some(&answer)), Ok(1));
        }
        let one = if capacity { 2 } else { 1 };
        let hottest = detector.hottest(Write, 2).unwrap();
        let hottest: Vec<_> = hottest.iter().map(|hot| (&hot.table[..], &hot.pk[..], hot.count)).collect();
        assert_eq!(hottest[0], (&b"T/index/G"[..], &b"OPEN"[..], 1_200 * one));
        assert_eq!((hottest[1].0, hottest[1].2), (&b"T"[..], one));
        assert_eq!(detector.statistics().records, 2_400);
    }
}

#[test]
fn an_index_gets_what_a_total_leaves_beside_the_table_s_own() {
    let put = |bytes| format!(r#"{{"TableName":"T","Item":{}}}"#, with_index(bytes));
    // Of an item of 3 units: an index that did not change costs nothing, and none costs more than
    // the item.
    for (units, table, index) in
        [(1.0, 1.0, 0.0), (3.0, 3.0, 0.0), (4.0, 3.0, 1.0), (6.0, 3.0, 3.0), (8.0, 5.0, 3.0)]
    {
        case("PutItem", &put(3_000))
            .answer(&total(units))
            .writes("T", "k", 1, table)
            .index_writes("T/index/G", "x", 1, index)
            .check(described);
    }
    // Of two indexes each has its share.
    let both =
        r#"{"TableName":"T","Item":{"p":{"S":"k"},"g":{"S":"x"},"a":{"S":"1"},"b":{"S":"2"},"r":{"S":"3"}}}"#;
    for (units, table, first, second) in
        [(1.0, 1.0, 0.0, 0.0), (2.0, 1.0, 0.5, 0.5), (3.0, 1.0, 1.0, 1.0), (4.0, 2.0, 1.0, 1.0)]
    {
        case("PutItem", both)
            .answer(&total(units))
            .writes("T", "k", 1, table)
            .index_writes("T/index/G", "x", 1, first)
            .index_writes("T/index/M", r#"["1","2"]"#, 1, second)
            .check(described);
    }
}

fn with_index(bytes: usize) -> String {
    item(bytes).replacen('{', r#"{"g":{"S":"x"},"#, 1)
}

#[test]
fn without_an_answer_s_units_an_index_has_the_item_s_estimate() {
    case("PutItem", &format!(r#"{{"TableName":"T","Item":{}}}"#, with_index(3_000)))
        .writes("T", "k", 1, 3.0)
        .index_writes("T/index/G", "x", 1, 3.0)
        .all_estimated()
        .check(described);
    // Details that don't name it say that it took nothing.
    let details = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":1,"Table":{"CapacityUnits":1}}}"#;
    case("PutItem", PUT)
        .answer(details)
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 0.0)
        .check(described);
}

#[test]
fn a_batch_s_items_are_on_their_indexes_but_for_those_that_came_back() {
    let put =
        |p: &str, g: &str| format!(r#"{{"PutRequest":{{"Item":{{"p":{{"S":"{p}"}},"g":{{"S":"{g}"}}}}}}}}"#);
    let (first, second, third) = (put("a", "x"), put("b", "x"), put("c", "y"));
    let request = format!(
        r#"{{"RequestItems":{{"T":[{first},{second},{third},{{"PutRequest":{{"Item":{{"p":{{"S":"d"}}}}}}}}]}}}}"#
    );
    case("BatchWriteItem", &request)
        .answer(&totals(7.0))
        .writes("T", "a", 1, 1.0)
        .writes("T", "b", 1, 1.0)
        .writes("T", "c", 1, 1.0)
        .writes("T", "d", 1, 1.0)
        .index_writes("T/index/G", "x", 2, 2.0)
        .index_writes("T/index/G", "y", 1, 1.0)
        .check(described);
    case("BatchWriteItem", &request)
        .answer(&format!(r#"{{"UnprocessedItems":{{"T":[{second},{third}]}}}}"#))
        .writes("T", "a", 1, 1.0)
        .writes("T", "d", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .tally("T", Write, Unprocessed, 2.0)
        .all_estimated()
        .check(described);
}

/// `I` is by the table's own sort key, `S` by that and an attribute that no `Key` has.
fn inverted(capacity: bool) -> Detector {
    let detector = blank(capacity);
    let table = r#"{"Table":{"TableName":"T","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},
        {"AttributeName":"s","KeyType":"RANGE"}],"GlobalSecondaryIndexes":[{"IndexName":"I","KeySchema":[
        {"AttributeName":"s","KeyType":"HASH"},{"AttributeName":"p","KeyType":"RANGE"}]},{"IndexName":"S","KeySchema":[
        {"AttributeName":"s","KeyType":"HASH"},{"AttributeName":"z","KeyType":"RANGE"}]}]}}"#;
    assert_eq!(observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(table)), Ok(0));
    detector
}

#[test]
fn an_update_or_a_delete_whose_key_is_the_index_s_is_a_write_on_it() {
    let key = r#"{"TableName":"T","Key":{"p":{"S":"k"},"s":{"S":"v"}}}"#;
    let statement = |text: &str| serde_json::json!({ "Statement": text }).to_string();
    let requests = [
        ("UpdateItem", key.to_owned()),
        ("DeleteItem", key.to_owned()),
        ("ExecuteStatement", statement("UPDATE T SET x = 1 WHERE p = 'k' AND s = 'v'")),
        ("ExecuteStatement", statement("DELETE FROM T WHERE p = 'k' AND s = 'v'")),
        ("ExecuteStatement", statement("INSERT INTO T VALUE {'p': 'k', 's': 'v'}")),
    ];
    for (operation, request) in requests {
        let seen = || case(operation, &request).writes("T", "k", 1, 1.0);
        seen().index_writes("T/index/I", "v", 1, 1.0).all_estimated().check(inverted);
        seen().answer(&total(1.0)).index_writes("T/index/I", "v", 1, 0.0).check(inverted);
        seen().answer(&total(2.0)).index_writes("T/index/I", "v", 1, 1.0).check(inverted);
    }
    // What the answer tells of S is S's, though nobody knows whether the item has a z.
    let details = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":3,"Table":{"CapacityUnits":1},
        "GlobalSecondaryIndexes":{"I":{"CapacityUnits":1},"S":{"CapacityUnits":1}}}}"#;
    case("DeleteItem", key)
        .answer(details)
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/I", "v", 1, 1.0)
        .index_writes("T/index/S", "v", 0, 1.0)
        .check(inverted);
}

#[test]
fn a_condition_that_failed_touches_no_index() {
    case("PutItem", PUT)
        .exception("ConditionalCheckFailedException", "")
        .writes("T", "k", 1, 1.0)
        .all_estimated()
        .check(described);
    let insert = r#"{"Statements":[{"Statement":"INSERT INTO T VALUE {'p':'k','g':'x'}"}]}"#;
    case("BatchExecuteStatement", insert)
        .answer(r#"{"Responses":[{"Error":{"Code":"DuplicateItem"}}]}"#)
        .writes("T", "k", 1, 1.0)
        .all_estimated()
        .check(described);
    case("BatchExecuteStatement", insert)
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .all_estimated()
        .check(described);
}

#[test]
fn a_throttled_put_is_no_write_on_an_index() {
    case("PutItem", PUT)
        .exception("ThrottlingException", "")
        .throttle("T", "k", Write, Unknown)
        .check(described);
}

#[test]
fn a_transaction_s_items_are_on_their_indexes_and_what_it_checks_is_not() {
    let put = r#"{"Put":{"TableName":"T","Item":{"p":{"S":"a"},"s":{"S":"v"}}}}"#;
    let check = r#"{"ConditionCheck":{"TableName":"T","Key":{"p":{"S":"b"},"s":{"S":"w"}}}}"#;
    let request = format!(r#"{{"TransactItems":[{put},{check}]}}"#);
    let seen = || case("TransactWriteItems", &request).writes("T", "a", 1, 2.0).writes("T", "b", 1, 2.0);
    seen().index_writes("T/index/I", "v", 1, 2.0).all_estimated().check(inverted);
    seen().answer(&totals(6.0)).index_writes("T/index/I", "v", 1, 2.0).check(inverted);
    seen()
        .exception(
            "TransactionCanceledException",
            r#""CancellationReasons":[{"Code":"None"},{"Code":"None"}]"#,
        )
        .all_estimated()
        .check(inverted);
    // One that is replayed writes nothing.
    case("TransactWriteItems", &request)
        .answer(r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":4,"ReadCapacityUnits":4}]}"#)
        .reads("T", "a", 1, 2.0)
        .reads("T", "b", 1, 2.0)
        .check(inverted);
    let statements = r#"{"TransactStatements":[{"Statement":"EXISTS(SELECT * FROM T WHERE p = 'b' AND s = 'w')"},
        {"Statement":"UPDATE T SET x = 1 WHERE p = 'a' AND s = 'v'"}]}"#;
    case("ExecuteTransaction", statements)
        .writes("T", "a", 1, 2.0)
        .writes("T", "b", 1, 2.0)
        .index_writes("T/index/I", "v", 1, 2.0)
        .all_estimated()
        .check(inverted);
}

/// Bare totals of a transaction on two tables, and of items in both indexes, in one and in none.
#[test]
fn a_transaction_s_total_is_shared_by_two_indexes() {
    let both = r#"{"Put":{"TableName":"T","Item":{"p":{"S":"a"},"g":{"S":"x"},"a":{"S":"1"},"b":{"S":"2"},"r":{"S":"3"}}}}"#;
    let one = r#"{"Put":{"TableName":"T","Item":{"p":{"S":"b"},"g":{"S":"x"},"a":{"S":"1"},"b":{"S":"2"}}}}"#;
    let none = r#"{"Put":{"TableName":"T","Item":{"p":{"S":"c"}}}},{"Delete":{"TableName":"U","Key":{"u":{"S":"d"}}}}"#;
    let request = format!(r#"{{"TransactItems":[{both},{one},{none}]}}"#);
    // Three items at two units, and three index writes at two.
    for (units, each, g, m) in [
        (6.0, 2.0, 0.0, 0.0),
        (9.0, 2.0, 2.0, 1.0),
        (10.5, 2.0, 3.0, 1.5),
        (12.0, 2.0, 4.0, 2.0),
        (15.0, 3.0, 4.0, 2.0),
    ] {
        let told = format!(
            r#"{{"ConsumedCapacity":[{{"TableName":"U","CapacityUnits":2}},{{"TableName":"T","CapacityUnits":{units},"WriteCapacityUnits":{units}}}]}}"#
        );
        case("TransactWriteItems", &request)
            .answer(&told)
            .writes("T", "a", 1, each)
            .writes("T", "b", 1, each)
            .writes("T", "c", 1, each)
            .writes("U", "d", 1, 2.0)
            .index_writes("T/index/G", "x", 2, g)
            .index_writes("T/index/M", r#"["1","2"]"#, 1, m)
            .check(described);
    }
}

/// Such an index is not a local one, as it is described as global.
#[test]
fn a_global_index_by_the_table_s_own_key_is_written_to() {
    let know = |capacity| {
        let detector = blank(capacity);
        let table = r#"{"Table":{"TableName":"T","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
            "GlobalSecondaryIndexes":[{"IndexName":"O","KeySchema":[{"KeyType":"RANGE","AttributeName":"z"},
            {"KeyType":"HASH","AttributeName":"p"}]},{"IndexName":"N","KeySchema":null},{"IndexName":null},7]}}"#;
        assert_eq!(observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(table)), Ok(0));
        detector
    };
    let requests = [
        ("PutItem", r#"{"TableName":"T","Item":{"z":{"N":"1"},"p":{"S":"k"}}}"#),
        (
            "UpdateItem",
            r#"{"TableName":"T","Key":{"p":{"S":"k"}},"UpdateExpression":"SET z = :z","ExpressionAttributeValues":{":z":{"N":"1"}}}"#,
        ),
        ("ExecuteStatement", r#"{"Statement":"UPDATE T SET z = 1 WHERE p = 'k'"}"#),
    ];
    for (operation, request) in requests {
        case(operation, request)
            .answer(&total(2.0))
            .writes("T", "k", 1, 1.0)
            .index_writes("T/index/O", "k", 1, 1.0)
            .check(know);
    }
    case("PutItem", r#"{"TableName":"T","Item":{"p":{"S":"k"}}}"#)
        .writes("T", "k", 1, 1.0)
        .all_estimated()
        .check(know);
}

#[test]
fn statements_that_are_told_apart_have_their_own_indexes() {
    let two = r#"{"Statements":[{"Statement":"INSERT INTO T VALUE {'p':'a','g':'x'}"},{"Statement":"INSERT INTO T VALUE {'p':'b','g':'y'}"}]}"#;
    let units = r#"{"ConsumedCapacity":[{"TableName":"T","CapacityUnits":2},{"TableName":"T","CapacityUnits":1}],"Responses":[{"TableName":"T"},{"TableName":"T"}]}"#;
    case("BatchExecuteStatement", two)
        .answer(units)
        .writes("T", "a", 1, 1.0)
        .writes("T", "b", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .index_writes("T/index/G", "y", 1, 0.0)
        .check(described);
}

#[test]
fn a_declared_index_is_written_to_unless_it_is_by_the_table_s_own_key() {
    let know = |capacity| {
        let detector = blank(capacity);
        detector.set_key_schema("T", None, &["p"]).unwrap();
        detector.set_key_schema("T", Some(b"G"), &["g"]).unwrap();
        detector.set_key_schema("T", Some(b"L"), &["p"]).unwrap();
        detector
    };
    case("PutItem", PUT)
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .all_estimated()
        .check(know);
    // The request itself may tell what the table's own key is.
    let know = |capacity| {
        let detector = blank(capacity);
        detector.set_key_schema("T", Some(b"L"), &["p"]).unwrap();
        detector
    };
    let delete = r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#;
    case("DeleteItem", delete).writes("T", "k", 1, 1.0).all_estimated().check(know);
}

/// No item of DynamoDB's has such a key, but an emulator's may.
#[test]
fn an_index_key_that_is_too_long_costs_the_table_nothing() {
    let put = PUT.replace("\"x\"", &format!("\"{}\"", "x".repeat(16_385)));
    case("PutItem", &put).answer(&total(1.0)).writes("T", "k", 1, 1.0).check(described);
}

#[test]
fn an_index_that_can_t_be_read_in_a_description_costs_nothing_but_itself() {
    let index = |name: &str, keys: &str| format!(r#"{{"IndexName":"{name}","KeySchema":{keys}}}"#);
    let hash = r#"[{"AttributeName":"g","KeyType":"HASH"}]"#;
    let range = r#"[{"AttributeName":"l","KeyType":"RANGE"}]"#;
    let odd = [
        index("O", range),
        index("O", "[]"),
        index("O", "7"),
        index("O", r#"[{"KeyType":"HASH"}]"#),
        "7".to_owned(),
    ];
    for odd in odd {
        let know = |capacity| {
            let description = format!(
                r#"{{"Table":{{"TableName":"T","KeySchema":[{{"AttributeName":"p","KeyType":"HASH"}}],
                "GlobalSecondaryIndexes":[{odd},{}],"LocalSecondaryIndexes":[{}],"VectorIndexes":[{odd}]}}}}"#,
                index("G", hash),
                index("L", range)
            );
            let detector = blank(capacity);
            let described =
                observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(&description));
            assert_eq!(described, Ok(0), "{odd}");
            detector
        };
        case("PutItem", PUT)
            .writes("T", "k", 1, 1.0)
            .index_writes("T/index/G", "x", 1, 1.0)
            .all_estimated()
            .check(know);
        // Whose partitions it has is known without its key.
        let query = r#"{"TableName":"T","IndexName":"L","KeyConditionExpression":"p = :v","ExpressionAttributeValues":{":v":{"S":"k"}}}"#;
        case("Query", query).reads("T", "k", 1, 0.5).all_estimated().check(know);
        let query = query.replace("\"L\"", "\"O\"");
        if odd.contains("\"O\"") {
            case("Query", &query).reads("T/index/O", "k", 1, 0.5).all_estimated().check(know);
        }
    }
    for lists in [r#""GlobalSecondaryIndexes":{}"#, r#""LocalSecondaryIndexes":7"#, r#""VectorIndexes":"x""#]
    {
        let detector = blank(false);
        let description = format!(
            r#"{{"Table":{{"TableName":"T","KeySchema":[{{"AttributeName":"p","KeyType":"HASH"}}],{lists}}}}}"#
        );
        observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(&description)).unwrap();
        assert_eq!(observe(&detector, "PutItem", PUT, 200, None), Ok(1), "{lists}");
    }
    let detector = blank(false);
    let keyless = format!(
        r#"{{"Table":{{"TableName":"T","KeySchema":{range},"GlobalSecondaryIndexes":[{}]}}}}"#,
        index("G", hash)
    );
    observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(&keyless)).unwrap();
    detector.set_key_schema("T", None, &["p"]).unwrap();
    assert_eq!(observe(&detector, "PutItem", PUT, 200, None), Ok(1));
    assert_eq!(detector.write_count("T/index/G", "x"), Ok(1));
}
