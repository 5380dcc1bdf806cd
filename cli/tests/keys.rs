//! Tables whose partition key no part of a log tells, or too late: what is not counted is told by
//! its number.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// 2026-03-02T10:04:00Z.
const BEGIN_MS: u64 = 1_772_445_840_000;

fn written(name: &str, lines: &[Value]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("keys-{name}.jsonl"));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(&path, text).expect("a file is written");
    path
}

fn text(command: &str, log: &Path, args: &[&str]) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    let output = run.args([command, "--quiet"]).args(args).arg(log).output().expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn last(text: &str) -> &str {
    text.lines().last().expect("a line")
}

/// An item has two attributes, of which either may be the key.
fn put(second: u64, table: &str) -> Value {
    let item = json!({"id": {"S": "a"}, "at": {"N": "1"}});
    json!({"time_ms": BEGIN_MS + second * 1_000, "operation": "PutItem", "request": {"TableName": table, "Item": item},
           "response": {}, "http_status": 200})
}

fn get(second: u64, table: &str) -> Value {
    let request = json!({"TableName": table, "Key": {"id": {"S": "a"}}});
    json!({"time_ms": BEGIN_MS + second * 1_000, "operation": "GetItem", "request": request, "response": {}, "http_status": 200})
}

/// Two of one table, of which nothing else comes, in one request.
fn batch(second: u64, table: &str) -> Value {
    let put = |id: &str| json!({"PutRequest": {"Item": {"id": {"S": id}, "at": {"N": "1"}}}});
    json!({"time_ms": BEGIN_MS + second * 1_000, "operation": "BatchWriteItem",
           "request": {"RequestItems": {table: [put("a"), put("b")]}}, "response": {}, "http_status": 200})
}

#[test]
fn those_that_wait_for_a_key_to_the_end_are_told_by_number() {
    let lines: Vec<_> =
        (0..3).map(|n| put(n, "events")).chain([batch(3, "events"), get(200, "known")]).collect();
    let log = written("never", &lines);
    let said = text("report", &log, &[]);
    assert_eq!(
        last(&said),
        "5 records: 5 counted (5 operations in these left out: unreadable, or partition key unknown)",
        "{said}"
    );
    assert!(
        said.contains("\nevents: a partition key is unknown, or became known too late. Name it: --key events=ATTRIBUTE, and --key events/index/INDEX=ATTRIBUTE for an index\n"),
        "{said}"
    );
    assert_eq!(last(&text("backtest", &log, &[])), last(&said));
    let json: Value = serde_json::from_str(&text("report", &log, &["--json"])).expect("JSON");
    assert_eq!(json["records"]["unread_operations"], 5);
    assert_eq!((&json["operations"][0]["total"], &json["operations"][1]["total"]), (&json!(0), &json!(1)));
    let said = text("report", &log, &["--key", "events=id"]);
    assert_eq!(last(&said), "5 records: 5 counted");
    let json: Value =
        serde_json::from_str(&text("report", &log, &["--json", "--key", "events=id"])).expect("JSON");
    assert_eq!(json["operations"][0]["total"], 5);
}

/// A Query of an index whose key nothing tells.
#[test]
fn an_index_whose_key_is_unknown_is_asked_about() {
    let request = json!({
        "TableName": "orders", "IndexName": "by_day", "KeyConditionExpression": "d = :d",
        "ExpressionAttributeValues": {":d": {"S": "monday"}},
    });
    let line = json!({"time_ms": 1_772_445_600_000_u64, "operation": "Query", "request": request, "response": {}, "http_status": 200});
    let log = written("index", &[line]);
    let said = text("report", &log, &["--key", "orders=id"]);
    let hint = "\norders: the partition key of one of its indexes is unknown, or became known too late. Name it: \
                --key orders/index/INDEX=ATTRIBUTE\n";
    assert!(said.contains(hint), "{said}");
    let said = text("report", &log, &["--key", "orders=id", "--key", "orders/index/by_day=d"]);
    assert!(said.contains(" monday ") && !said.contains("Name it"), "{said}");
}

/// A key that comes within the minute counts what waited; what was before cannot be counted any
/// more.
#[test]
fn those_whose_key_comes_too_late_are_told_too() {
    let in_time =
        written("in-time", &[put(1, "events"), put(2, "events"), get(59, "events"), put(61, "events")]);
    let said = text("report", &in_time, &[]);
    assert_eq!(last(&said), "4 records: 4 counted");
    assert!(!said.contains("--key"), "{said}");
    let late = written("late", &[put(1, "events"), put(58, "events"), get(61, "events"), put(62, "events")]);
    for args in [&[][..], &["--memory", "1MiB"]] {
        let said = text("report", &late, args);
        assert!(last(&said).starts_with("4 records: 4 counted (2 operations in these left out: "), "{said}");
        assert!(said.contains("became known too late. Name it: --key events=ATTRIBUTE"), "{said}");
    }
    let json: Value = serde_json::from_str(&text("report", &late, &["--json"])).expect("JSON");
    assert_eq!(json["operations"][0]["total"].as_u64(), Some(1), "{json}");
}

#[test]
fn exchanges_that_are_none_are_not_counted() {
    let none = json!({"time_ms": BEGIN_MS, "operation": "GetItem", "request": null, "response": null, "http_status": 0});
    let log = written("none", &[none, get(1, "events")]);
    for command in ["report", "backtest"] {
        let said = text(command, &log, &[]);
        assert_eq!(last(&said), "2 records: 1 counted; 1 without its request", "{said}");
    }
    let json: Value = serde_json::from_str(&text("report", &log, &["--json"])).expect("JSON");
    assert_eq!(json["records"]["entries"], 1);
}

/// Returns what a run that stops says.
fn stopped(command: &str, args: &[&str], logs: &[&Path]) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    let output = run.args([command, "--quiet"]).args(args).args(logs).output().expect("the command runs");
    assert!(
        !output.status.success() && output.stdout.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stderr).expect("text")
}

/// A table's name, or a key, may be of a length that no table of DynamoDB has; a request may be
/// none. They are bad as lines of any other kind are.
#[test]
fn exchanges_that_the_library_refuses_are_told_by_their_lines() {
    let of = |table: &str, id: &str| {
        json!({"time_ms": BEGIN_MS, "operation": "GetItem", "request": {"TableName": table, "Key": {"id": {"S": id}}},
               "response": {}, "http_status": 200})
    };
    let long = "x".repeat(16_385);
    let mut no_request = get(1, "events");
    no_request["request"] = "not JSON".into();
    let lines = [
        get(1, "events"),
        of("", "a"),
        of(&long[..1_025], "a"),
        of("events", &long),
        put(0, &long[..1_025]),
        no_request,
        json!({"time_ms": "never"}),
    ];
    let (log, other) =
        (written("refused", &lines), written("refused-other", &[get(0, "events"), of("events", &long)]));
    let page = log.with_extension("html");
    let page = page.to_str().expect("text");
    for args in [
        &["report"][..],
        &["report", "--memory", "1MiB"],
        &["backtest"],
        &["backtest", "--sweep"],
        &["heatmap", "-o", page],
    ] {
        let said = text(args[0], &log, &[&["--keep-going"], &args[1..]].concat());
        assert_eq!(last(&said), "7 records: 1 counted; 6 bad", "{said}");
        // By what reads a file first, and then by what counts it.
        for (line, reason) in [
            (7, "time_ms is not a number of milliseconds"),
            (2, "table must have 1 to 1024 bytes"),
            (3, "table must have 1 to 1024 bytes"),
            (4, "pk must have at most 16384 bytes"),
            (5, "table must have 1 to 1024 bytes"),
        ] {
            let told = format!("bad: {}:{line}: {reason}", log.display());
            assert!(said.lines().any(|line| line == told), "{told}: {said}");
        }
        let said = stopped(args[0], &args[1..], &[&log, &other]);
        assert!(
            said.contains("refused.jsonl:") && said.contains(": t") && said.contains("--keep-going"),
            "{said}"
        );
        let said = stopped(args[0], &args[1..], &[&written("refused-not", &[get(0, "events")]), &other]);
        let told = format!("hotpart: {}:2: pk must have at most 16384 bytes (--keep-going ", other.display());
        assert!(said.starts_with(&told), "{said}");
    }
    let last_line = written("refused-json", &lines[5..6]);
    let said = stopped("report", &[], &[&last_line]);
    assert!(said.contains("refused-json.jsonl:1: this is not the JSON of that operation"), "{said}");
    let json: Value = serde_json::from_str(&text("report", &log, &["--json", "--keep-going"])).expect("JSON");
    let records = &json["records"];
    assert_eq!(
        (&records["bad"], &records["entries"], &records["records"]),
        (&json!(6), &json!(1), &json!(7))
    );
    assert_eq!(records["first_bad"].as_array().map(Vec::len), Some(5));
    // What DynamoDB refused itself was not done, whatever its key.
    let mut refused = of("events", &long);
    refused["http_status"] = 400.into();
    refused["response"] = json!({"__type": "com.amazon.coral.validate#ValidationException"});
    let said = text("report", &written("refused-by-dynamodb", &[refused]), &[]);
    assert_eq!(last(&said), "1 record: 0 counted; 1 refused by DynamoDB", "{said}");
}

/// The last moment that is taken leaves room for the end of what it is in.
#[test]
fn a_time_at_the_end_of_the_clock_is_bad_or_counted() {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys-end.csv");
    let last_ms = (u64::from(u32::MAX) - 3_600) * 1_000 + 999;
    std::fs::write(
        &path,
        format!("{last_ms},write,t,a,100000\n4294967295000,write,t,a\n{},write,t,a\n", last_ms + 1),
    )
    .expect("a file is written");
    let page = path.with_extension("html");
    let page = page.to_str().expect("text");
    for args in [
        &["report"][..],
        &["report", "--memory", "1MiB"],
        &["backtest"],
        &["heatmap", "-o", page],
        &["heatmap", "--memory", "1MiB", "-o", page],
    ] {
        let said = text(args[0], &path, &[&["--keep-going"], &args[1..]].concat());
        assert_eq!(last(&said), "3 records: 1 counted; 2 bad", "{said}");
        assert!(
            said.contains("end.csv:2: the time 4294967295000, if it is in milliseconds, is past"),
            "{said}"
        );
    }
    // Over all the time that there is, columns are as wide as they get.
    std::fs::write(&path, format!("0,write,t,a,100000\n{last_ms},write,t,a,100000\n"))
        .expect("a file is written");
    for args in [&["report"][..], &["heatmap", "-o", page], &["heatmap", "--memory", "1MiB", "-o", page]] {
        assert_eq!(last(&text(args[0], &path, &args[1..])), "2 records: 2 counted");
    }
}

/// An exchange with this operation, status and body.
fn exchange(second: u64, operation: &str, status: u16, response: &Value) -> Value {
    let mut line = get(second, "events");
    line["operation"] = operation.into();
    line["http_status"] = status.into();
    line["response"] = response.clone();
    line
}

/// Tells requests that DynamoDB did not do, or that are on no item, apart from those that were
/// counted; throttled and lost ones count.
#[test]
fn exchanges_that_come_to_nothing_are_not_counted() {
    let error = |name: &str| json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}")});
    let described =
        json!({"Table": {"TableName": "events", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}});
    let lines = [
        exchange(0, "DescribeTable", 200, &described),
        exchange(1, "DynamoDB_20120810.DescribeTable", 200, &described),
        exchange(2, "ListTables", 200, &json!({})),
        exchange(3, "GetItem", 400, &error("ValidationException")),
        exchange(4, "DescribeTable", 400, &error("ResourceNotFoundException")),
        exchange(5, "GetItem", 403, &Value::Null),
        exchange(6, "GetItem", 400, &error("ProvisionedThroughputExceededException")),
        exchange(7, "DeleteItem", 400, &error("ConditionalCheckFailedException")),
        exchange(8, "GetItem", 500, &error("InternalServerError")),
        exchange(9, "GetItem", 0, &Value::Null),
        exchange(10, "GetItem", 200, &json!({})),
        exchange(11, "Scan", 200, &json!({})),
    ];
    let log = written("nothing", &lines);
    let expected =
        "12 records: 6 counted; 2 table descriptions; 1 of other operations; 3 refused by DynamoDB";
    for args in [&["report"][..], &["report", "--memory", "1MiB"], &["backtest"]] {
        let said = text(args[0], &log, &args[1..]);
        assert_eq!(last(&said), expected, "{said}");
    }
    let json: Value = serde_json::from_str(&text("backtest", &log, &["--json"])).expect("JSON");
    let report: Value = serde_json::from_str(&text("report", &log, &["--json"])).expect("JSON");
    for records in [&json["account"], &report["records"]] {
        let (without, entries) = (&records["without_entries"], &records["entries"]);
        assert_eq!((&without["refused by DynamoDB"], entries), (&json!(3), &json!(6)), "{records}");
    }
    // What waits for its key comes to nothing when it is observed, and is counted all the same.
    let waits = written("nothing-waits", &[put(0, "events"), put(1, "events"), get(2, "events")]);
    assert_eq!(last(&text("report", &waits, &[])), "3 records: 3 counted");
}
