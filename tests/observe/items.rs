//! Requests for one item.

use crate::case::{case, described};

/// An item with so many bytes of text in it.
pub fn item(bytes: usize) -> String {
    format!(r#"{{"p":{{"S":"k"}},"t":{{"S":"{}"}}}}"#, "x".repeat(bytes))
}

#[test]
fn one_item_is_one_operation() {
    let key = r#"{"TableName":"T","Key":{"p":{"S":"k"},"s":{"N":"1"}}}"#;
    let put = r#"{"TableName":"T","Item":{"x":{"M":{"p":{"S":"no"}}},"p":{"S":"k"},"s":{"N":"1"}}}"#;
    case("PutItem", put).writes("T", "k", 1, 1.0).all_estimated().check(described);
    case("UpdateItem", key).writes("T", "k", 1, 1.0).all_estimated().check(described);
    case("DeleteItem", key).writes("T", "k", 1, 1.0).all_estimated().check(described);
    // A missing item too: half a unit, eventually.
    case("GetItem", key).reads("T", "k", 1, 0.5).all_estimated().check(described);
    case("DynamoDB_20120810.GetItem", key).reads("T", "k", 1, 0.5).all_estimated().check(described);
}

#[test]
fn a_missing_item_costs_a_read_by_its_consistency() {
    let strong = r#"{"TableName":"T","Key":{"p":{"S":"k"}},"ConsistentRead":true}"#;
    case("GetItem", strong).reads("T", "k", 1, 1.0).all_estimated().check(described);
    let eventual = strong.replace("true", "false");
    case("GetItem", &eventual).reads("T", "k", 1, 0.5).all_estimated().check(described);
}

#[test]
fn sizes_are_estimated_where_no_answer_tells_the_units() {
    let put = |bytes| format!(r#"{{"TableName":"T","Item":{}}}"#, item(bytes));
    // p, k, t and the text.
    case("PutItem", &put(1_021)).writes("T", "k", 1, 1.0).all_estimated().check(described);
    case("PutItem", &put(1_022)).writes("T", "k", 1, 2.0).all_estimated().check(described);
    let get = r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#;
    let found = |bytes| format!(r#"{{"Item":{}}}"#, item(bytes));
    case("GetItem", get).answer(&found(4_093)).reads("T", "k", 1, 0.5).all_estimated().check(described);
    case("GetItem", get).answer(&found(4_094)).reads("T", "k", 1, 1.0).all_estimated().check(described);
}

#[test]
fn the_answer_s_units_win() {
    let put = format!(r#"{{"TableName":"T","Item":{},"ReturnConsumedCapacity":"TOTAL"}}"#, item(100));
    let total = |units| format!(r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":{units}}}}}"#);
    case("PutItem", &put).answer(&total("98")).writes("T", "k", 1, 98.0).check(described);
    let get = r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#;
    case("GetItem", get).answer(&total("12.5")).reads("T", "k", 1, 12.5).check(described);
    // One that is not a multiple of a half is rounded up.
    case("GetItem", get).answer(&total("12.6")).reads("T", "k", 1, 13.0).check(described);
}

#[test]
fn local_indexes_are_the_table_s_and_global_ones_their_own() {
    let units = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":9.0,"Table":{"CapacityUnits":2.0},
        "LocalSecondaryIndexes":{"L":{"CapacityUnits":3.0}},
        "GlobalSecondaryIndexes":{"G":{"CapacityUnits":1.0},"M":{"CapacityUnits":1.0},"Z":{"CapacityUnits":2.0}}}}"#;
    let put = r#"{"TableName":"T","Item":{"p":{"S":"k"},"g":{"S":"gk"},"a":{"S":"é\""},"b":{"N":"1.0"},"r":{"S":"z"}}}"#;
    use hotpart::Operation::Write;
    use hotpart::Unattributed::IndexUnits;
    case("PutItem", put)
        .answer(units)
        .writes("T", "k", 1, 5.0)
        .index_writes("T/index/G", "gk", 1, 1.0)
        .index_writes("T/index/M", r#"["é\"","1"]"#, 1, 1.0)
        .tally("T/index/Z", Write, IndexUnits, 2.0)
        .check(described);
    // One does not tell the values of the indexes' keys, and the other is in no index: it has no r.
    let delete = r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#;
    let sparse = r#"{"TableName":"T","Item":{"p":{"S":"k"},"a":{"S":"x"},"b":{"N":"1"}}}"#;
    for (operation, request) in [("DeleteItem", delete), ("PutItem", sparse)] {
        case(operation, request)
            .answer(units)
            .writes("T", "k", 1, 5.0)
            .tally("T/index/G", Write, IndexUnits, 1.0)
            .tally("T/index/M", Write, IndexUnits, 1.0)
            .tally("T/index/Z", Write, IndexUnits, 2.0)
            .check(described);
    }
}

#[test]
fn an_arn_is_reduced_to_its_table() {
    let key = r#"{"TableName":"arn:aws:dynamodb:eu-west-1:123456789012:table/T","Key":{"p":{"S":"k"}}}"#;
    case("DeleteItem", key).writes("T", "k", 1, 1.0).all_estimated().check(described);
    let units = r#"{"ConsumedCapacity":{"TableName":"arn:aws:dynamodb:eu-west-1:123456789012:table/T","CapacityUnits":3}}"#;
    case("DeleteItem", key).answer(units).writes("T", "k", 1, 3.0).check(described);
}
