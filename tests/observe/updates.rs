//! Updates that set the key of a global index: writes on its partitions, as puts are.

use crate::case::{case, described, observe};
use hotpart::Detector;
use hotpart::Operation::Write;
use hotpart::Reason::{KeyRange, Unknown};
use hotpart::Unattributed::{IndexUnits, Throttles};
use serde_json::json;

/// An update of `k` in `T`, with these members too.
pub fn update(rest: &str) -> String {
    format!(r#"{{"TableName":"T","Key":{{"p":{{"S":"k"}},"s":{{"N":"1"}}}},{rest}}}"#)
}

/// One that sets `g` to `x`.
pub fn sets_g() -> String {
    update(r#""UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":{"S":"x"}}"#)
}

pub fn statement(text: &str, parameters: serde_json::Value) -> String {
    json!({"Statement": text, "Parameters": parameters}).to_string()
}

fn total(units: f64) -> String {
    format!(r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":{units}}}}}"#)
}

/// The answer where `index` took so many units, and the table one.
fn details(index: &str, units: f64) -> String {
    format!(
        r#"{{"ConsumedCapacity":{{"TableName":"T","CapacityUnits":{},"Table":{{"CapacityUnits":1}},"GlobalSecondaryIndexes":{{"{index}":{{"CapacityUnits":{units}}}}}}}}}"#,
        1.0 + units
    )
}

/// Orders with keys of their own whose state becomes OPEN: the hottest had 1 write.
#[test]
fn twelve_hundred_updates_to_one_index_key_are_the_hottest_partition() {
    for (capacity, answer) in [(false, "{}".to_owned()), (true, total(2.0))] {
        let detector = described(capacity);
        for n in 0..1_200 {
            let update = sets_g().replace("\"k\"", &format!("\"{n}\"")).replace("\"x\"", "\"OPEN\"");
            assert_eq!(observe(&detector, "UpdateItem", &update, 200, Some(&answer)), Ok(1));
        }
        let hottest = detector.hottest(Write, 1).unwrap();
        let one = if capacity { 2 } else { 1 };
        assert_eq!((&hottest[0].table[..], &hottest[0].pk[..]), (&b"T/index/G"[..], &b"OPEN"[..]));
        assert_eq!(hottest[0].count, 1_200 * one);
    }
}

#[test]
fn an_update_that_sets_an_index_s_key_is_a_write_on_it() {
    let names = r##""ExpressionAttributeNames":{"#o":"o","#g":"g"}"##;
    let values = r#""ExpressionAttributeValues":{":one":{"N":"1"},":g":{"S":"x"},":o":{"L":[{"S":"no"}]}}"#;
    let expressions = [
        "SET g = :g",
        "set g=:g",
        "SET #g = :g REMOVE #o",
        "REMOVE x ADD n :one SET #o = list_append(#o, :o), g = :g",
        "SET n = if_not_exists(n, :one) + :one, #g = :g, #o.g = :one, l[0] = :one",
        "DELETE ss :o SET g = :g",
    ];
    let expressed = expressions.map(|expression| {
        ("UpdateItem", update(&format!(r#""UpdateExpression":"{expression}",{names},{values}"#)))
    });
    let legacy = [
        r#"{"g":{"Action":"PUT","Value":{"S":"x"}},"n":{"Action":"ADD","Value":{"N":"1"}}}"#,
        r#"{"n":{"Action":"DELETE"},"g":{"Value":{"S":"x"}}}"#,
    ];
    let legacy = legacy.map(|updates| ("UpdateItem", update(&format!(r#""AttributeUpdates":{updates}"#))));
    let x = || json!([{"S": "x"}]);
    let statements = [
        ("UPDATE T SET g = 'x' WHERE p = 'k' AND s = 1", json!([])),
        ("UPDATE \"T\" SET n = n + 1, \"g\" = ? WHERE p = 'k'", x()),
        ("UPDATE T REMOVE n SET l = list_append(l, [1]) SET g = 'x' WHERE p = 'k' RETURNING ALL NEW *", x()),
        ("FROM T WHERE p = 'k' AND s = 1 SET g = 'x'", json!([])),
        ("from \"T\" where p = 'k' set n = 1 set g = ? remove m returning all old *", x()),
    ];
    let statements =
        statements.into_iter().map(|(text, parameters)| ("ExecuteStatement", statement(text, parameters)));
    for (operation, request) in expressed.into_iter().chain(legacy).chain(statements) {
        let seen = || case(operation, &request).writes("T", "k", 1, 1.0);
        seen().index_writes("T/index/G", "x", 1, 1.0).all_estimated().check(described);
        seen().no_answer().index_writes("T/index/G", "x", 1, 1.0).all_estimated().check(described);
        seen().answer(&total(1.0)).index_writes("T/index/G", "x", 1, 0.0).check(described);
        seen().answer(&total(2.0)).index_writes("T/index/G", "x", 1, 1.0).check(described);
        seen().answer(&details("G", 1.0)).index_writes("T/index/G", "x", 1, 1.0).check(described);
    }
}

/// The old key is not in the request: both writes are counted on the new one.
#[test]
fn an_item_that_moves_from_one_index_key_to_another_is_counted_on_the_new_one() {
    case("UpdateItem", &sets_g())
        .answer(&details("G", 2.0))
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 2.0)
        .check(described);
    // Even where the statement's condition tells it.
    let moved = statement("UPDATE T SET g = 'x' WHERE p = 'k' AND g = 'old'", json!([]));
    case("ExecuteStatement", &moved)
        .answer(&details("G", 2.0))
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "x", 1, 2.0)
        .check(described);
    // A bare total gives an index no more than the item's estimate.
    case("UpdateItem", &sets_g())
        .answer(&total(3.0))
        .writes("T", "k", 1, 2.0)
        .index_writes("T/index/G", "x", 1, 1.0)
        .check(described);
}

#[test]
fn an_update_that_does_not_spell_an_index_s_key_out_is_no_write_on_it() {
    let values = r#""ExpressionAttributeValues":{":g":{"S":"x"},":n":{"N":"1"},":l":{"L":[]},":null":null}"#;
    let names = r##""ExpressionAttributeNames":{"#g":"g","#dot":"g.x","#null":null,"#n":1}"##;
    let expressions = [
        "SET other = :g",
        "SET g = if_not_exists(g, :g)",
        "SET g = g + :n",
        "SET g = :n - g",
        "SET g = other",
        "SET g.x = :g, g[0] = :g, #g.#g = :g, #dot = :g",
        "SET x.g = :g",
        "SET g = :absent",
        "SET g = :null",
        "SET g = :l",
        "SET #absent = :g, #null = :g, #n = :g",
        "ADD g :n",
        "DELETE g :l",
        "REMOVE g",
        // Of these nothing can be read.
        "g = :g",
        "SET g = :g, ",
        "SET g = :g, a = f(",
        "",
    ];
    let mut requests: Vec<_> = expressions
        .map(|expression| update(&format!(r#""UpdateExpression":"{expression}",{names},{values}"#)))
        .into();
    let long = format!("SET g = :g, a = f({})", "b, ".repeat(4_096));
    requests.push(update(&format!(r#""UpdateExpression":"{long}",{values}"#)));
    requests.extend(
        [
            r#""UpdateExpression":1"#,
            r#""UpdateExpression":"SET g = :g""#,
            r#""UpdateExpression":"SET g = :g","ExpressionAttributeValues":[]"#,
            r##""UpdateExpression":"SET #g = :g","ExpressionAttributeValues":{":g":{"S":"x"}}"##,
            r##""UpdateExpression":"SET #g = :g","ExpressionAttributeNames":7,"ExpressionAttributeValues":{":g":{"S":"x"}}"##,
            r#""UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":{"S":1}}"#,
            r#""UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":"x"}"#,
            r#""UpdateExpression":"SET n = :g","AttributeUpdates":{"g":{"Value":{"S":"x"}}}"#,
            r#""AttributeUpdates":{"g":{"Action":"ADD","Value":{"S":"x"}}}"#,
            r#""AttributeUpdates":{"g":{"Action":"DELETE","Value":{"S":"x"}}}"#,
            r#""AttributeUpdates":{"g":{"Action":1,"Value":{"S":"x"}}}"#,
            r#""AttributeUpdates":{"g":{"Action":"PUT"}}"#,
            r#""AttributeUpdates":{"g":null}"#,
            r#""AttributeUpdates":{"g":7}"#,
            r#""AttributeUpdates":[]"#,
        ]
        .map(update),
    );
    for request in requests {
        case("UpdateItem", &request).writes("T", "k", 1, 1.0).all_estimated().check(described);
        case("UpdateItem", &request)
            .answer(&details("G", 1.0))
            .writes("T", "k", 1, 1.0)
            .tally("T/index/G", Write, IndexUnits, 1.0)
            .check(described);
    }
    for text in [
        "UPDATE T SET g = h WHERE p = 'k'",
        "UPDATE T SET g = g || 'x' WHERE p = 'k'",
        "UPDATE T SET g.h = 'x' WHERE p = 'k'",
        "UPDATE T SET g = ? WHERE p = 'k'",
        "UPDATE T SET g = ['x'] WHERE p = 'k'",
        "UPDATE T SET g = ***(Redacted) WHERE p = 'k'",
        "FROM T WHERE p = 'k' REMOVE g",
    ] {
        let request = statement(text, json!([]));
        case("ExecuteStatement", &request).writes("T", "k", 1, 1.0).all_estimated().check(described);
    }
}

/// `M` is by `a` and `b`, with `r` for its sort key; `J` by `h`, with the table's own key.
fn several(capacity: bool) -> Detector {
    let detector = described(capacity);
    let more = r#"{"TableDescription":{"TableName":"T","GlobalSecondaryIndexes":[{"IndexName":"J","KeySchema":[
        {"AttributeName":"h","KeyType":"HASH"},{"AttributeName":"p","KeyType":"RANGE"}]}]}}"#;
    assert_eq!(observe(&detector, "UpdateTable", r#"{"TableName":"T"}"#, 200, Some(more)), Ok(0));
    detector
}

#[test]
fn all_of_an_index_s_key_must_be_known_from_the_key_and_what_is_set() {
    let sets = |expression: &str| {
        let values =
            r#""ExpressionAttributeValues":{":a":{"S":"1"},":b":{"N":"2.0"},":r":{"S":"3"},":h":{"S":"y"}}"#;
        update(&format!(r#""UpdateExpression":"SET {expression}",{values}"#))
    };
    let whole = sets("a = :a, b = :b, r = :r");
    case("UpdateItem", &whole)
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/M", r#"["1","2"]"#, 1, 1.0)
        .all_estimated()
        .check(several);
    // A range that is in the Key.
    case("UpdateItem", &sets("h = :h"))
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/J", "y", 1, 1.0)
        .all_estimated()
        .check(several);
    // Without the range the item may not be in the index, unless the answer names that.
    let rangeless = sets("b = :b, a = :a");
    case("UpdateItem", &rangeless).writes("T", "k", 1, 1.0).all_estimated().check(several);
    case("UpdateItem", &rangeless)
        .answer(&details("M", 1.0))
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/M", r#"["1","2"]"#, 0, 1.0)
        .check(several);
    for partial in ["a = :a, r = :r", "b = :b, r = :r", "r = :r"] {
        case("UpdateItem", &sets(partial)).writes("T", "k", 1, 1.0).all_estimated().check(several);
        case("UpdateItem", &sets(partial))
            .answer(&details("M", 1.0))
            .writes("T", "k", 1, 1.0)
            .tally("T/index/M", Write, IndexUnits, 1.0)
            .check(several);
    }
    // One value for two attributes, and two indexes.
    case("UpdateItem", &sets("a = :a, b = :a, r = :r, g = :a, h = :a"))
        .answer(&total(4.0))
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "1", 1, 1.0)
        .index_writes("T/index/J", "1", 1, 1.0)
        .index_writes("T/index/M", r#"["1","1"]"#, 1, 1.0)
        .check(several);
}

#[test]
fn an_update_whose_condition_failed_is_no_write_on_an_index() {
    for (operation, request) in [
        ("UpdateItem", sets_g()),
        ("ExecuteStatement", statement("UPDATE T SET g = 'x' WHERE p = 'k'", json!([]))),
    ] {
        case(operation, &request)
            .exception("ConditionalCheckFailedException", "")
            .writes("T", "k", 1, 1.0)
            .all_estimated()
            .check(described);
        case(operation, &request).exception("ValidationException", "").check(described);
    }
}

#[test]
fn a_throttled_update_is_of_the_index_key_that_it_sets() {
    let reason = |of: &str, resource: &str| {
        format!(
            r#""ThrottlingReasons":[{{"reason":"{of}WriteKeyRangeThroughputExceeded","resource":"arn:aws:dynamodb:us-east-1:123456789012:table/T{resource}"}}]"#
        )
    };
    let throttled = |request: &str, reason: &str| {
        case("UpdateItem", request).exception("ProvisionedThroughputExceededException", reason)
    };
    throttled(&sets_g(), &reason("Index", "/index/G"))
        .throttle("T/index/G", "x", Write, KeyRange)
        .check(described);
    throttled(&sets_g(), &reason("Table", "")).throttle("T", "k", Write, KeyRange).check(described);
    throttled(&sets_g(), "\"x\":1").throttle("T", "k", Write, Unknown).check(described);
    let computed = sets_g().replace("g = :g", "g = if_not_exists(g, :g)");
    throttled(&computed, &reason("Index", "/index/G"))
        .tally("T/index/G", Write, Throttles, 1.0)
        .check(described);
}

/// ALL_NEW tells the item as it is now: its keys and its size.
#[test]
fn attributes_that_are_returned_tell_the_item() {
    let asked = |returns: &str| {
        update(&format!(
            r#""UpdateExpression":"SET g = if_not_exists(g, :g), n = :g","ExpressionAttributeValues":{{":g":{{"S":"x"}}}},"ReturnValues":"{returns}""#
        ))
    };
    let attributes = |bytes: usize| {
        format!(
            r#""Attributes":{{"p":{{"S":"k"}},"s":{{"N":"1"}},"g":{{"S":"old"}},"n":{{"S":"{}"}},"a":{{"S":"1"}},"b":{{"S":"2"}},"r":{{"S":"3"}}}}"#,
            "x".repeat(bytes)
        )
    };
    let m = r#"["1","2"]"#;
    case("UpdateItem", &asked("ALL_NEW"))
        .answer(&format!("{{{}}}", attributes(2_500)))
        .writes("T", "k", 1, 3.0)
        .index_writes("T/index/G", "old", 1, 3.0)
        .index_writes("T/index/M", m, 1, 3.0)
        .all_estimated()
        .check(described);
    let told = |units: f64, bytes| total(units).replacen('{', &format!("{{{},", attributes(bytes)), 1);
    case("UpdateItem", &asked("ALL_NEW"))
        .answer(&told(7.0, 2_500))
        .writes("T", "k", 1, 3.0)
        .index_writes("T/index/G", "old", 1, 2.0)
        .index_writes("T/index/M", m, 1, 2.0)
        .check(described);
    // Of these not all is told.
    case("UpdateItem", &asked("UPDATED_NEW"))
        .answer(r#"{"Attributes":{"g":{"S":"old"},"n":{"S":"x"}}}"#)
        .writes("T", "k", 1, 1.0)
        .index_writes("T/index/G", "old", 1, 1.0)
        .all_estimated()
        .check(described);
    // And those are as they were.
    for returns in ["ALL_OLD", "UPDATED_OLD", "NONE"] {
        case("UpdateItem", &asked(returns))
            .answer(&format!("{{{}}}", attributes(2_500)))
            .writes("T", "k", 1, 1.0)
            .all_estimated()
            .check(described);
    }
    let put = r#"{"TableName":"T","Item":{"p":{"S":"k"}},"ReturnValues":"ALL_NEW"}"#;
    case("PutItem", put)
        .answer(&format!("{{{}}}", attributes(1)))
        .writes("T", "k", 1, 1.0)
        .all_estimated()
        .check(described);
    for odd in ["7", "[]", "{}", r#"{"g":7}"#, "null"] {
        case("UpdateItem", &asked("ALL_NEW"))
            .answer(&format!(r#"{{"Attributes":{odd}}}"#))
            .writes("T", "k", 1, 1.0)
            .all_estimated()
            .check(described);
    }
}
