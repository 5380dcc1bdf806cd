//! SearchVectors, and writes of vectors.

use crate::case::{blank, case, observe};
use hotpart::Detector;
use hotpart::ObserveError::{Json, MissingSchema};
use hotpart::Operation::Read;
use hotpart::Reason::Unknown;
use hotpart::Unattributed::{ScanUnits, Scans};

const DESCRIPTION: &str = r#"{"Table":{"TableName":"T","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
    "VectorIndexes":[{"IndexName":"V","Dimensions":3,"DistanceFunction":"COSINE","VectorAttribute":{"AttributeName":"v"},
    "SearchSchema":[{"AttributeName":"c","SearchSchemaElementType":"INLINE_FILTER"},
    {"AttributeName":"tenant","SearchSchemaElementType":"HASH"}]},
    {"IndexName":"P","Dimensions":3,"DistanceFunction":"COSINE","VectorAttribute":{"AttributeName":"v"},
    "SearchSchema":[{"AttributeName":"c","SearchSchemaElementType":"INLINE_FILTER"}]}]}}"#;

fn know(capacity: bool) -> Detector {
    let detector = blank(capacity);
    assert_eq!(observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(DESCRIPTION)), Ok(0));
    detector
}

fn search(index: &str, condition: &str) -> String {
    let condition = if condition.is_empty() {
        String::new()
    } else {
        format!(
            r##","SearchConditionExpression":"{condition}","ExpressionAttributeNames":{{"#t":"tenant"}},
            "ExpressionAttributeValues":{{":t":{{"S":"k"}},":c":{{"S":"x"}}}}"##
        )
    };
    format!(
        r#"{{"TableName":"T","IndexName":"{index}","TopK":3,"SearchVector":[{{"N":"1"}},{{"N":"0.5"}},{{"N":"0"}}]{condition}}}"#
    )
}

/// As it is told of every search, however it was asked.
const BYTES: &str = r#"{"SearchResults":[],"ConsumedCapacity":{"VectorSearchRequestBytes":41714.0}}"#;

#[test]
fn a_search_of_an_index_with_a_key_is_one_read_of_that_partition() {
    for condition in ["tenant = :t", "#t = :t AND c = :c", "c = :c and tenant=:t"] {
        for answer in [BYTES, "{}"] {
            case("SearchVectors", &search("V", condition))
                .answer(answer)
                .reads("T/index/V", "k", 1, 1.0)
                .all_estimated()
                .check(know);
        }
    }
    let lost = case("SearchVectors", &search("V", "tenant = :t")).no_answer();
    lost.reads("T/index/V", "k", 1, 1.0).all_estimated().check(know);
    case("SearchVectors", &search("V", "tenant = :t"))
        .exception("ThrottlingException", "")
        .throttle("T/index/V", "k", Read, Unknown)
        .check(know);
}

#[test]
fn other_searches_are_tallied_with_the_scans() {
    for condition in ["", "c = :c"] {
        case("SearchVectors", &search("P", condition))
            .answer(BYTES)
            .tally("T/index/P", Read, Scans, 1.0)
            .tally("T/index/P", Read, ScanUnits, 1.0)
            .estimated(1.0)
            .check(know);
    }
    // An index with a key is not searched without one, so this is none.
    case("SearchVectors", &search("W", ""))
        .answer(BYTES)
        .tally("T/index/W", Read, Scans, 1.0)
        .tally("T/index/W", Read, ScanUnits, 1.0)
        .estimated(1.0)
        .check(blank);
}

#[test]
fn a_vector_index_that_is_not_known_is_asked_about() {
    let detector = blank(false);
    let observed = |condition| observe(&detector, "SearchVectors", &search("V", condition), 200, Some(BYTES));
    assert_eq!(observed("tenant = :t"), Err(MissingSchema(vec!["T".to_owned()])));
    assert_eq!(detector.statistics().records, 0);
    observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(DESCRIPTION)).unwrap();
    assert_eq!(observed("tenant = :t"), Ok(1));
    assert_eq!(detector.read_count("T/index/V", "k"), Ok(2), "the first has waited");
    // A description that is cut down takes nothing away.
    let updating = r#"{"TableDescription":{"TableName":"T","VectorIndexes":[{"IndexName":"P"}]}}"#;
    observe(&detector, "UpdateTable", r#"{"TableName":"T"}"#, 200, Some(updating)).unwrap();
    assert_eq!(observed("tenant = :t"), Ok(1));
    assert_eq!(observe(&detector, "SearchVectors", r#"{"TableName":"T"}"#, 200, None), Err(Json));
}

#[test]
fn a_vector_is_written_at_four_bytes_a_dimension_and_read_by_its_numbers() {
    let wide = format!(r#"{{"N":"{}"}}"#, "1".repeat(38));
    // p, k, v, t and three dimensions leave 1,008 bytes of a unit.
    let item = |bytes: usize| {
        format!(
            r#"{{"p":{{"S":"k"}},"v":{{"L":[{wide},{wide},{wide}]}},"t":{{"S":"{}"}}}}"#,
            "x".repeat(bytes)
        )
    };
    let put = |bytes| format!(r#"{{"TableName":"T","Item":{}}}"#, item(bytes));
    for (bytes, units) in [(1_008, 1.0), (1_009, 2.0)] {
        case("PutItem", &put(bytes)).writes("T", "k", 1, units).all_estimated().check(know);
        case("UpdateItem", r#"{"TableName":"T","Key":{"p":{"S":"k"}}}"#)
            .exception("ConditionalCheckFailedException", &format!(r#""Item":{}"#, item(bytes)))
            .writes("T", "k", 1, units)
            .all_estimated()
            .check(know);
    }
    // Where no index reads it, it is a list.
    let plain = |capacity| {
        let detector = blank(capacity);
        detector.set_key_schema("T", None, &["p"]).unwrap();
        detector
    };
    case("PutItem", &put(1_008)).writes("T", "k", 1, 2.0).all_estimated().check(plain);
    // A read has 66 bytes of numbers.
    let get = r#"{"TableName":"T","Key":{"p":{"S":"k"}},"ConsistentRead":true}"#;
    for (bytes, units) in [(4_096 - 4 - 66, 1.0), (4_096 - 4 - 65, 2.0)] {
        let answer = format!(r#"{{"Item":{}}}"#, item(bytes));
        case("GetItem", get).answer(&answer).reads("T", "k", 1, units).all_estimated().check(know);
    }
}

/// A batch's puts, a transaction's, and what an update returns. The vector of an update that
/// returns nothing is not measured: it takes one unit at least.
#[test]
fn vectors_are_written_alike_by_whatever_writes_them() {
    let wide = format!(r#"{{"N":"{}"}}"#, "1".repeat(38));
    // p, k, v, t and three dimensions leave 1,008 bytes of a unit.
    let item = |bytes: usize| {
        format!(
            r#"{{"p":{{"S":"k"}},"v":{{"L":[{wide},{wide},{wide}]}},"t":{{"S":"{}"}}}}"#,
            "x".repeat(bytes)
        )
    };
    let update = |returns: &str| {
        let vector = vec![&wide[..]; 1_024].join(",");
        format!(
            r#"{{"TableName":"T","Key":{{"p":{{"S":"k"}}}},"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{{":v":{{"L":[{vector}]}}}},"ReturnValues":"{returns}"}}"#
        )
    };
    for (bytes, units) in [(1_008, 1.0), (1_009, 2.0)] {
        let put = format!(r#"{{"RequestItems":{{"T":[{{"PutRequest":{{"Item":{}}}}}]}}}}"#, item(bytes));
        case("BatchWriteItem", &put).writes("T", "k", 1, units).all_estimated().check(know);
        let put = format!(r#"{{"TransactItems":[{{"Put":{{"TableName":"T","Item":{}}}}}]}}"#, item(bytes));
        case("TransactWriteItems", &put).writes("T", "k", 1, 2.0 * units).all_estimated().check(know);
        case("UpdateItem", &update("ALL_NEW"))
            .answer(&format!(r#"{{"Attributes":{}}}"#, item(bytes)))
            .writes("T", "k", 1, units)
            .all_estimated()
            .check(know);
    }
    case("UpdateItem", &update("NONE")).writes("T", "k", 1, 1.0).all_estimated().check(know);
    let details = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":5.0,"Table":{"CapacityUnits":5.0},
        "VectorIndexes":{"V":{"VectorWriteRequestBytes":4125.0}}}}"#;
    case("UpdateItem", &update("NONE")).answer(details).writes("T", "k", 1, 5.0).check(know);
}

#[test]
fn a_vector_index_s_bytes_are_no_units() {
    let put = r#"{"TableName":"T","Item":{"p":{"S":"k"},"v":{"L":[{"N":"1"},{"N":"0"},{"N":"0"}]}}}"#;
    let details = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":5.0,"Table":{"CapacityUnits":5.0},
        "VectorIndexes":{"V":{"VectorWriteRequestBytes":4125.0}}}}"#;
    case("PutItem", put).answer(details).writes("T", "k", 1, 5.0).check(know);
}
