//! PartiQL.

use crate::case::{blank, case, described, observe};
use hotpart::ObserveError::{Json, MissingSchema};
use hotpart::Operation::{Read, Write};
use hotpart::Reason::Unknown;
use hotpart::Unattributed::{ScanUnits, Scans};
use serde_json::json;

fn statement(text: &str, parameters: serde_json::Value) -> String {
    json!({"Statement": text, "Parameters": parameters}).to_string()
}

#[test]
fn a_statement_is_on_the_key_that_it_pins() {
    let none = || json!([]);
    let k = || json!([{"S": "k"}]);
    let reads = [
        (r#"SELECT * FROM "T" WHERE p = 'k'"#, none()),
        (r#"select a, b from T where 'k' = p and s > 1"#, none()),
        (r#"SELECT * FROM "T" WHERE ("p" = ?) AND (s = 1 OR s = 2)"#, k()),
        (r#"SELECT * FROM "T"."L" WHERE p = ? AND l = 3"#, k()),
        (r#"SELECT '?' FROM T WHERE s = ? AND p = ?"#, json!([{"N": "1"}, {"S": "k"}])),
    ];
    for (text, parameters) in reads {
        case("ExecuteStatement", &statement(text, parameters))
            .reads("T", "k", 1, 0.5)
            .all_estimated()
            .check(described);
    }
    let writes = [
        (r#"INSERT INTO "T" VALUE {'p': 'k', 's': 1, 'm': {'p': 'no'}}"#, none()),
        (r#"INSERT INTO "T" VALUE {'x': ?, 'p': ?}"#, json!([{"S": "no"}, {"S": "k"}])),
        (r#"UPDATE "T" SET x = ? SET y = 'p = 1' WHERE p = ? AND s = 1"#, json!([{"S": "no"}, {"S": "k"}])),
        (r#"DELETE FROM "T" WHERE p = 'k' AND s = 1 RETURNING ALL OLD *"#, none()),
    ];
    for (text, parameters) in writes {
        case("ExecuteStatement", &statement(text, parameters))
            .writes("T", "k", 1, 1.0)
            .all_estimated()
            .check(described);
    }
    let strong = r#"{"Statement":"SELECT * FROM T WHERE p = 'k'","ConsistentRead":true}"#;
    case("ExecuteStatement", strong).reads("T", "k", 1, 1.0).all_estimated().check(described);
    let number = statement("SELECT * FROM U WHERE u = 1.50e1", none());
    case("ExecuteStatement", &number).reads("U", "15", 1, 0.5).all_estimated().check(described);
    let index = statement(r#"SELECT * FROM "T"."G" WHERE g = 'x' AND p = 'k'"#, none());
    case("ExecuteStatement", &index).reads("T/index/G", "x", 1, 0.5).all_estimated().check(described);
}

#[test]
fn a_list_of_keys_is_on_each() {
    let three = statement("SELECT * FROM T WHERE p IN ['a', ?, 'c']", json!([{"S": "b"}]));
    let units = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":3.5}}"#;
    case("ExecuteStatement", &three)
        .answer(units)
        .reads("T", "a", 1, 1.5)
        .reads("T", "b", 1, 1.0)
        .reads("T", "c", 1, 1.0)
        .check(described);
}

#[test]
fn what_pins_no_key_is_tallied_by_table() {
    let scans = [
        "SELECT * FROM T",
        "SELECT * FROM T WHERE s = 1",
        "SELECT * FROM T WHERE p = 'k' OR s = 1",
        "SELECT * FROM T WHERE NOT p = 'k'",
        "SELECT * FROM T WHERE p > 'k'",
        "SELECT * FROM T WHERE p IN ?",
    ];
    for scan in scans {
        case("ExecuteStatement", &statement(scan, json!([{"L": []}])))
            .tally("T", Read, Scans, 1.0)
            .tally("T", Read, ScanUnits, 0.5)
            .estimated(0.5)
            .check(described);
    }
}

#[test]
fn what_may_be_the_key_needs_the_schema() {
    let observed = |text| observe(&blank(false), "ExecuteStatement", &statement(text, json!([])), 200, None);
    assert_eq!(observed("SELECT * FROM T WHERE p = 'k'"), Err(MissingSchema(vec!["T".to_owned()])));
    assert_eq!(observed("SELECT * FROM T"), Ok(0), "a scan whatever the key is");
    assert_eq!(observed("SELECT * FROM T WHERE p = 'k' OR s = 1"), Ok(0), "no branch makes it another");
}

#[test]
fn an_update_may_name_its_table_first() {
    let none = || json!([]);
    let k = || json!([{"S": "k"}, {"N": "1"}]);
    let updates = [
        (r#"FROM "T" WHERE p='k' SET c=1"#, none()),
        (r#"FROM "T" WHERE p = 'k' AND s = 1 SET c = 2 REMOVE a"#, none()),
        ("FROM T WHERE p = ? REMOVE b", k()),
        ("FROM T WHERE p = ? SET c = ? RETURNING ALL NEW *", k()),
        ("from T where ('k' = p) and a > 1 set e = {'where': [4]}", none()),
    ];
    for (text, parameters) in updates {
        let alone = statement(text, parameters);
        let updated = |operation, request: &str| case(operation, request).writes("T", "k", 1, 1.0);
        updated("ExecuteStatement", &alone).all_estimated().check(described);
        updated("ExecuteStatement", &alone)
            .exception("ConditionalCheckFailedException", "")
            .all_estimated()
            .check(described);
        updated("BatchExecuteStatement", &format!(r#"{{"Statements":[{alone}]}}"#))
            .all_estimated()
            .check(described);
        case("ExecuteTransaction", &format!(r#"{{"TransactStatements":[{alone}]}}"#))
            .writes("T", "k", 1, 2.0)
            .all_estimated()
            .check(described);
    }
}

#[test]
fn alternatives_that_each_pin_the_key_are_one_action_for_each_key() {
    let units = r#"{"ConsumedCapacity":{"TableName":"T","CapacityUnits":3}}"#;
    let two = [
        ("p = 'a' OR p = 'b'", json!([])),
        ("(p = ?) OR (? = p)", json!([{"S": "b"}, {"S": "a"}])),
        ("p = 'a' AND s = 1 OR p = 'b' AND s > 2", json!([])),
        ("p = 'a' AND NOT s = 1 OR p = 'b' AND s <> 2 OR p = 'a' AND NOT begins_with(s, 'x')", json!([])),
        ("(p = 'a' OR p = 'b') AND NOT (s = 1 OR s = 2)", json!([])),
        ("p = 'a' AND (s = 1 OR s = 2) OR p IN ['b', 'a']", json!([])),
        ("p = 'a' OR (p = 'b' OR p = 'a') AND s BETWEEN 1 AND 2", json!([])),
        ("p IN ['a', 'c'] AND p = 'a' OR p = 'b'", json!([])),
        ("(p = 'a' OR p = 'b' OR p = 'c') AND p IN ['b', 'a', 'd']", json!([])),
    ];
    for (condition, parameters) in two {
        let request = statement(&format!(r#"SELECT * FROM "T" WHERE {condition}"#), parameters);
        case("ExecuteStatement", &request)
            .answer(units)
            .reads("T", "a", 1, 1.5)
            .reads("T", "b", 1, 1.5)
            .check(described);
    }
    let local = statement(r#"SELECT * FROM "T"."L" WHERE p = 'a' AND l = 1 OR p = 'b'"#, json!([]));
    case("ExecuteStatement", &local)
        .answer(units)
        .reads("T", "a", 1, 1.5)
        .reads("T", "b", 1, 1.5)
        .check(described);
    let global = statement(r#"SELECT * FROM "T"."G" WHERE g = 'x' AND NOT p = 'k' OR g = 'y'"#, json!([]));
    case("ExecuteStatement", &global)
        .reads("T/index/G", "x", 1, 0.5)
        .reads("T/index/G", "y", 1, 0.5)
        .all_estimated()
        .check(described);
    let one = statement("SELECT * FROM T WHERE p = 'a' OR p = 'a' AND NOT s = 1", json!([]));
    case("ExecuteStatement", &one).reads("T", "a", 1, 0.5).all_estimated().check(described);
    let numbers = statement("SELECT * FROM U WHERE u = 1 OR u = 1.0 OR u = 1e1", json!([]));
    case("ExecuteStatement", &numbers)
        .reads("U", "1", 1, 0.5)
        .reads("U", "10", 1, 0.5)
        .all_estimated()
        .check(described);
}

/// OR among IN and NOT, names in quotes, and comments that say OR.
#[test]
fn alternatives_are_found_among_lists_negations_quotes_and_comments() {
    let two = [
        "p IN ['a'] OR p IN ('b') AND NOT s IN [1, 2]",
        "NOT s = 1 AND p = 'a' OR NOT (s = 1 OR s = 2) AND p = 'b'",
        "(p = 'a' OR s = 1) AND (p = 'a' OR p = 'b')",
        "s = 1 AND (p = 'a' OR (p IN ['b'] AND (NOT s > 5 OR s = 3)))",
        "p NOT IN ['c'] AND (p = 'a' OR p = 'b') AND NOT p = 'd'",
        "p = 'a' AND (s IN [1, 2] OR NOT s BETWEEN 3 AND 4) OR p IN <<'b'>> AND s IS NOT MISSING",
        r#""p" = 'a' AND "or" = 'x' or "p"='b' and "a""or" = 'OR p = ''c'''"#,
        "p = 'a' /* OR p = 'c' */ OR -- OR s = 1\n p = 'b' -- OR s = 2",
        "(p IN ['a', 'b'] OR p = 'b' AND NOT s = 1) AND (p = 'b' OR p = 'a' OR p = 'c' AND p = 'd')",
    ];
    for condition in two {
        for from in ["T", "T . \"L\"", "/*OR*/\"T\".L--\n"] {
            let request = statement(&format!("SELECT * FROM {from} WHERE {condition}"), json!([]));
            let seen = case("ExecuteStatement", &request).reads("T", "a", 1, 0.5).reads("T", "b", 1, 0.5);
            seen.all_estimated().check(described);
        }
    }
    let global = r#"SELECT * FROM "T"."G" WHERE "g" = 'x' AND (s = 1 OR NOT s = 2) OR NOT p = 'k' AND g IN ['y', 'x']"#;
    case("ExecuteStatement", &statement(global, json!([])))
        .reads("T/index/G", "x", 1, 0.5)
        .reads("T/index/G", "y", 1, 0.5)
        .all_estimated()
        .check(described);
    for scan in [
        "p IN ['a'] OR NOT p IN ['b']",
        "p = 'a' OR p NOT IN ['b']",
        "NOT p = 'a' OR p = 'b'",
        r#"p = 'a' OR "P" = 'b'"#,
        "p = 'a' OR 'p' = 'b'",
        "(p = 'a' OR s = 1) AND NOT (p = 'b')",
        "p = 'a' OR (p = 'b' OR NOT p = 'c')",
    ] {
        let request = statement(&format!("SELECT * FROM T WHERE {scan}"), json!([]));
        case("ExecuteStatement", &request)
            .tally("T", Read, Scans, 1.0)
            .tally("T", Read, ScanUnits, 0.5)
            .estimated(0.5)
            .check(described);
    }
}

/// As a caller's own text has them: in lower case, with comments, and with what is returned.
#[test]
fn updates_that_name_their_table_first_are_read_in_a_transaction() {
    let part = |text: &str| statement(text, json!([{"S": "k"}]));
    let parts = [
        r#"from "T" where p = 'a' and s = 1 set c = 1 returning all new *"#,
        "from/**/T--from U\nwhere p=? remove c,d[0] set e='where p = 1' returning modified old *;",
        r#"From "U" wHere "u" = 'b' and not attribute_exists(c) Set "set" = 'returning' Returning All Old *"#,
        r#"FROM "arn:aws:dynamodb:us-east-1:123456789012:table/U" WHERE u IN ['c'] SET l = list_append(l, ['SET'])"#,
    ]
    .map(part)
    .join(",");
    case("ExecuteTransaction", &format!(r#"{{"TransactStatements":[{parts}]}}"#))
        .writes("T", "a", 1, 2.0)
        .writes("T", "k", 1, 2.0)
        .writes("U", "b", 1, 2.0)
        .writes("U", "c", 1, 2.0)
        .all_estimated()
        .check(described);
    let answer = r#"{"Responses":[{},{"Error":{"Code":"ConditionalCheckFailed"}},{"Error":{"Code":"ThrottlingError"}},{}]}"#;
    case("BatchExecuteStatement", &format!(r#"{{"Statements":[{parts}]}}"#))
        .answer(answer)
        .writes("T", "a", 1, 1.0)
        .writes("T", "k", 1, 1.0)
        .throttle("U", "b", Write, Unknown)
        .writes("U", "c", 1, 1.0)
        .all_estimated()
        .check(described);
}

#[test]
fn a_branch_without_the_key_is_a_scan() {
    let scans = [
        ("T", "T", "p = 'a' OR s = 1"),
        ("T", "T", "p = 'a' OR p > 'b'"),
        ("T", "T", "p = 'a' OR NOT p = 'b'"),
        ("T", "T", "NOT (p = 'a' OR p = 'b')"),
        ("T", "T", "p = 'a' OR p IN ?"),
        ("T", "T", "p = 'a' AND s = 1 OR p = 'b' OR s = 3"),
        (r#""T"."G""#, "T/index/G", "g = 'x' OR p = 'a'"),
        (r#""T"."G""#, "T/index/G", "p = 'a' OR p = 'b'"),
    ];
    for (from, resource, condition) in scans {
        let text = format!("SELECT * FROM {from} WHERE {condition}");
        case("ExecuteStatement", &statement(&text, json!([{"L": []}])))
            .tally(resource, Read, Scans, 1.0)
            .tally(resource, Read, ScanUnits, 0.5)
            .estimated(0.5)
            .check(described);
    }
}

#[test]
fn values_that_were_left_out_are_of_no_interest() {
    let log = statement("SELECT * FROM T WHERE p = 'k' AND s = 'x' AND other = ***(Redacted)", json!([]));
    case("ExecuteStatement", &log).reads("T", "k", 1, 0.5).all_estimated().check(described);
    let insert = statement("INSERT INTO T VALUE {'p': 'k', 's': 1, 'x': ***(Redacted)}", json!([]));
    case("ExecuteStatement", &insert).writes("T", "k", 1, 1.0).all_estimated().check(described);
    let update = statement("UPDATE T SET x = ***(Redacted) WHERE p = 'k' AND s = 1", json!([]));
    case("ExecuteStatement", &update).writes("T", "k", 1, 1.0).all_estimated().check(described);
}

#[test]
fn a_request_without_a_statement_is_none() {
    for (operation, request) in [
        ("ExecuteStatement", "{}"),
        ("ExecuteStatement", r#"{"Statement":1}"#),
        ("BatchExecuteStatement", r#"{"Statements":{}}"#),
        ("ExecuteTransaction", r#"{"Statements":[]}"#),
        ("ExecuteStatement", r#"{"Statement":"SELECT"#),
    ] {
        assert_eq!(observe(&described(false), operation, request, 200, None), Err(Json), "{request}");
    }
}

const BATCH: &str = r#"{"Statements":[{"Statement":"SELECT * FROM T WHERE p = 'a' AND s = 1"},
    {"Statement":"UPDATE T SET x = 1 WHERE p = ? AND s = 1","Parameters":[{"S":"b"}]},
    {"Statement":"INSERT INTO U VALUE {'u': 'c'}"},{"Statement":"DELETE FROM U WHERE u = 'd'"},
    {"Statement":"DELETE FROM U WHERE u = 'e'"}]}"#;

#[test]
fn the_statements_of_a_batch_succeed_and_fail_apart() {
    case("BatchExecuteStatement", BATCH)
        .reads("T", "a", 1, 0.5)
        .writes("T", "b", 1, 1.0)
        .writes("U", "c", 1, 1.0)
        .writes("U", "d", 1, 1.0)
        .writes("U", "e", 1, 1.0)
        .all_estimated()
        .check(described);
    let answer = r#"{"Responses":[{"Error":{"Code":"ThrottlingError","Message":"x"}},
        {"Error":{"Code":"ConditionalCheckFailed"}},{"Error":{"Code":"ValidationError"}},
        {"Error":{"Code":"ProvisionedThroughputExceeded"}},{"Error":{"Code":"InternalServerError"}}]}"#;
    case("BatchExecuteStatement", BATCH)
        .answer(answer)
        .throttle("T", "a", Read, Unknown)
        .writes("T", "b", 1, 1.0)
        .throttle("U", "d", Write, Unknown)
        .writes("U", "e", 1, 1.0)
        .all_estimated()
        .check(described);
}

#[test]
fn the_statements_of_a_transaction_cost_twice() {
    let writes = r#"{"TransactStatements":[{"Statement":"EXISTS(SELECT * FROM T WHERE p = 'a' AND s = 1)"},
        {"Statement":"DELETE FROM T WHERE p = 'b' AND s = 1"}]}"#;
    case("ExecuteTransaction", writes)
        .writes("T", "a", 1, 2.0)
        .writes("T", "b", 1, 2.0)
        .all_estimated()
        .check(described);
    let reads = r#"{"TransactStatements":[{"Statement":"SELECT * FROM T WHERE p = 'a' AND s = 1"}]}"#;
    case("ExecuteTransaction", reads).reads("T", "a", 1, 2.0).all_estimated().check(described);
    let reasons = r#""CancellationReasons":[{"Code":"ThrottlingError"},{"Code":"None"}]"#;
    case("ExecuteTransaction", writes)
        .exception("TransactionCanceledException", reasons)
        .throttle("T", "a", Write, Unknown)
        .writes("T", "b", 1, 2.0)
        .all_estimated()
        .check(described);
}
