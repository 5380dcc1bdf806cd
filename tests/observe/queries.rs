//! Queries and scans.

use crate::case::{blank, case, described, observe};
use hotpart::ObserveError::{Json, MissingSchema};
use hotpart::Operation::Read;
use hotpart::Unattributed::{ScanUnits, Scans};

/// A query of `T` with this condition on `p`, `:v` being "k".
fn condition(expression: &str) -> String {
    format!(
        r##"{{"TableName":"T","KeyConditionExpression":"{expression}","ExpressionAttributeNames":{{"#p":"p","#s":"s"}},
            "ExpressionAttributeValues":{{":v":{{"S":"k"}},":w":{{"N":"1"}},":x":{{"N":"2"}}}}}}"##
    )
}

#[test]
fn a_page_is_one_read_on_the_key_that_it_names() {
    let expressions = [
        "p = :v",
        "p=:v",
        ":v = p",
        "#p = :v",
        "(p = :v)",
        "((#p = :v) AND (#s = :w))",
        "s = :w and p = :v",
        "p = :v AND s BETWEEN :w AND :x",
        "s between :w and :x And (p = :v)",
        "p = :v AND begins_with(s, :w)",
        "BEGINS_WITH (s, :w) AND p = :v",
        "p = :v AND s <= :w",
    ];
    for expression in expressions {
        case("Query", &condition(expression)).reads("T", "k", 1, 0.5).all_estimated().check(described);
    }
    let legacy = r#"{"TableName":"T","KeyConditions":{
        "s":{"AttributeValueList":[{"N":"1"},{"N":"2"}],"ComparisonOperator":"BETWEEN"},
        "p":{"AttributeValueList":[{"S":"k"}],"ComparisonOperator":"EQ"}},"ConsistentRead":true}"#;
    case("Query", legacy).reads("T", "k", 1, 1.0).all_estimated().check(described);
}

#[test]
fn a_page_takes_the_sum_of_its_items() {
    let items = |n: usize| format!(r#"{{"Items":[{}]}}"#, vec![crate::items::item(1_000); n].join(","));
    let query = &condition("p = :v");
    case("Query", query).answer(&items(4)).reads("T", "k", 1, 0.5).all_estimated().check(described);
    case("Query", query).answer(&items(5)).reads("T", "k", 1, 1.0).all_estimated().check(described);
    let units = r#"{"Items":[],"ConsumedCapacity":{"TableName":"T","CapacityUnits":7.5}}"#;
    case("Query", query).answer(units).reads("T", "k", 1, 7.5).check(described);
}

fn on(index: &str, expression: &str) -> String {
    condition(expression).replace(r#""TableName":"T""#, &format!(r#""TableName":"T","IndexName":"{index}""#))
}

#[test]
fn a_local_index_has_the_table_s_partitions_and_a_global_one_its_own() {
    case("Query", &on("L", "p = :v")).reads("T", "k", 1, 0.5).all_estimated().check(described);
    case("Query", &on("G", "g = :v")).reads("T/index/G", "k", 1, 0.5).all_estimated().check(described);
    case("Query", &on("G", "g = :v AND s = :w"))
        .reads("T/index/G", "k", 1, 0.5)
        .all_estimated()
        .check(described);
    case("Query", &on("M", "a = :v AND b = :w AND r = :x"))
        .reads("T/index/M", r#"["k","1"]"#, 1, 0.5)
        .all_estimated()
        .check(described);
    let bare = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":2}}"#;
    case("Query", &on("G", "g = :v")).answer(bare).reads("T/index/G", "k", 1, 2.0).check(described);
    let detailed = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":2.5,"Table":{"CapacityUnits":0},
        "GlobalSecondaryIndexes":{"G":{"CapacityUnits":2.5}}}}"#;
    case("Query", &on("G", "g = :v")).answer(detailed).reads("T/index/G", "k", 1, 2.5).check(described);
    let local = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":3,"Table":{"CapacityUnits":2},
        "LocalSecondaryIndexes":{"L":{"CapacityUnits":1}}}}"#;
    case("Query", &on("L", "p = :v")).answer(local).reads("T", "k", 1, 3.0).check(described);
}

#[test]
fn an_index_of_which_only_the_name_is_known_is_asked_about() {
    let query = &on("I", "p = :v");
    let missing = || Err(MissingSchema(vec!["T".to_owned()]));
    let statement = |text: &str| serde_json::json!({ "Statement": text }).to_string();
    let throttled = r#"{"__type":"ThrottlingException"}"#;
    for capacity in [false, true] {
        for (status, answer) in [(200, "{}"), (0, ""), (500, ""), (400, throttled)] {
            let missed = |api, request: &str| {
                let detector = blank(capacity);
                detector.set_key_schema("T", None, &["p"]).unwrap();
                let observed = observe(&detector, api, request, status, Some(answer));
                assert_eq!(observed, missing(), "{status}");
                let statistics = detector.statistics();
                assert_eq!((statistics.records, statistics.unattributed.iter().sum::<u64>()), (0, 0));
            };
            missed("Query", query);
            missed("Scan", r#"{"TableName":"T","IndexName":"I"}"#);
            for text in [r#"SELECT * FROM "T"."I" WHERE p = 'k'"#, r#"SELECT * FROM "T"."I""#] {
                missed("ExecuteStatement", &statement(text));
            }
        }
    }
}

/// Ten reads of twenty went to `T/index/L` once, a partition that is not.
#[test]
fn a_local_index_that_is_queried_before_its_table_is_described_has_the_table_s_partition() {
    let (detector, query) = (blank(false), &on("L", "p = :v"));
    let mut asked = 0;
    for n in 0..20 {
        if n == 10 {
            let description = r#"{"Table":{"TableName":"T","KeySchema":[{"AttributeName":"p","KeyType":"HASH"}],
                "LocalSecondaryIndexes":[{"IndexName":"L","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},
                {"AttributeName":"l","KeyType":"RANGE"}]}]}}"#;
            observe(&detector, "DescribeTable", r#"{"TableName":"T"}"#, 200, Some(description)).unwrap();
        }
        asked += u64::from(observe(&detector, "Query", query, 200, Some("{}")).is_err());
    }
    assert_eq!((asked, detector.read_count("T", "k")), (1, Ok(20)), "ten of them waited");
    assert_eq!(detector.read_count("T/index/L", "k"), Ok(0));
    assert_eq!(detector.statistics().partitions, 1);
}

#[test]
fn an_index_is_judged_by_its_answer_or_by_a_strong_read() {
    let query = &on("I", "p = :v");
    let strong = query.replace(r#""TableName""#, r#""ConsistentRead":true,"TableName""#);
    case("Query", &strong).reads("T", "k", 1, 1.0).all_estimated().check(blank);
    let local = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":1,"LocalSecondaryIndexes":{"I":{"CapacityUnits":1}}}}"#;
    case("Query", query).answer(local).reads("T", "k", 1, 1.0).check(blank);
    let global = &local.replace("Local", "Global");
    case("Query", query).answer(global).reads("T/index/I", "k", 1, 1.0).check(blank);
}

#[test]
fn one_equality_names_the_key_and_several_need_the_schema() {
    case("Query", &condition("p = :v AND s > :w")).reads("T", "k", 1, 0.5).all_estimated().check(blank);
    let detector = blank(false);
    let both = &condition("p = :v AND s = :w");
    assert_eq!(observe(&detector, "Query", both, 200, None), Err(MissingSchema(vec!["T".to_owned()])));
    assert_eq!(detector.statistics().partitions, 0);
    assert_eq!(observe(&detector, "Query", &condition("p = :v"), 200, None), Ok(1));
    assert_eq!(observe(&detector, "Query", both, 200, None), Ok(1), "learnt");
    assert_eq!(detector.read_count("T", "k"), Ok(3), "what waited is counted once");
    assert_eq!(
        observe(&detector, "Query", &on("M", "a = :v AND b = :w"), 200, None),
        Err(MissingSchema(vec!["T".to_owned()]))
    );
    detector.set_key_schema("T", Some(b"M"), &["b", "a"]).unwrap();
    assert_eq!(observe(&detector, "Query", &on("M", "a = :v AND b = :w"), 200, None), Ok(1));
    assert_eq!(detector.read_count("T/index/M", r#"["1","k"]"#), Ok(2), "in the order of the key");
}

#[test]
fn a_scan_is_tallied_by_table() {
    let scan = r#"{"TableName":"T"}"#;
    case("Scan", scan)
        .tally("T", Read, Scans, 1.0)
        .tally("T", Read, ScanUnits, 0.5)
        .estimated(0.5)
        .check(described);
    let units = r#"{"Items":[],"ConsumedCapacity":{"TableName":"T","CapacityUnits":128.5}}"#;
    case("Scan", scan)
        .answer(units)
        .tally("T", Read, Scans, 1.0)
        .tally("T", Read, ScanUnits, 128.5)
        .check(described);
    let index = r#"{"TableName":"T","IndexName":"G"}"#;
    case("Scan", index)
        .tally("T/index/G", Read, Scans, 1.0)
        .tally("T/index/G", Read, ScanUnits, 0.5)
        .estimated(0.5)
        .check(described);
}

#[test]
fn a_condition_that_no_query_has_is_refused() {
    let bad = [
        "",
        "p = ",
        "p = :v OR s = :w",
        "p = :nobody",
        "#nobody = :v",
        "(p = :v",
        "p = :v)",
        "NOT p = :v",
        "s > :w",
    ];
    for expression in bad {
        let detector = described(false);
        assert_eq!(observe(&detector, "Query", &condition(expression), 200, None), Err(Json), "{expression}");
        assert_eq!(detector.statistics().partitions, 0);
    }
}
