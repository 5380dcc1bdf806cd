//! Throttles as real formats tell them, set against the warnings before them.
//!
//! One scene in each format. `hot` is written once a second from the beginning, and throttled in
//! the ninth second, then again; `cold` is throttled and never warned of; `warm` is warned of and
//! never throttled.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// 2026-03-02T10:04:00Z.
const BEGIN_MS: u64 = 1_772_445_840_000;
const REFUSED: &str = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";

/// An attempt to write a key in a second of the scene.
struct Attempt {
    second: u64,
    pk: &'static str,
    throttled: bool,
}

fn scene() -> Vec<Attempt> {
    let done = |second, pk| Attempt { second, pk, throttled: false };
    let throttled = |second, pk| Attempt { second, pk, throttled: true };
    let hot = (0..12).map(|second| done(second, "hot"));
    let warm = (0..4).map(|second| done(second, "warm"));
    let mut all: Vec<_> = hot.chain(warm).chain([done(4, "cold")]).collect();
    all.extend([throttled(8, "hot"), throttled(9, "cold"), throttled(10, "hot")]);
    all.sort_by_key(|attempt| attempt.second);
    all
}

fn time_ms(attempt: &Attempt) -> u64 {
    BEGIN_MS + attempt.second * 1_000
}

fn request(attempt: &Attempt) -> Value {
    json!({"TableName": "orders", "Item": {"id": {"S": attempt.pk}}})
}

/// The reasons that DynamoDB gives, with this name of the list.
fn refusal(list: &str) -> Value {
    let reason = json!({"reason": "TableWriteKeyRangeThroughputExceeded",
                        "resource": "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"});
    json!({"__type": REFUSED, "message": "slow down", list: [reason]})
}

fn recording(attempt: &Attempt) -> String {
    let (response, status) =
        if attempt.throttled { (refusal("ThrottlingReasons"), 400) } else { (json!({}), 200) };
    json!({"time_ms": time_ms(attempt), "operation": "PutItem", "request": request(attempt), "response": response,
           "http_status": status})
    .to_string()
}

fn sdk_js(attempt: &Attempt) -> String {
    let status = if attempt.throttled { 400 } else { 200 };
    let metadata = json!({"httpStatusCode": status, "attempts": 1, "totalRetryDelay": 0});
    let mut line = json!({"time": time_ms(attempt), "clientName": "DynamoDBClient", "commandName": "PutItemCommand",
                          "input": request(attempt), "metadata": metadata});
    if attempt.throttled {
        let mut error = refusal("ThrottlingReasons");
        error["name"] = "ProvisionedThroughputExceededException".into();
        error["$fault"] = "client".into();
        error["$metadata"] = metadata;
        line["error"] = error;
    } else {
        line["output"] = json!({});
    }
    line.to_string()
}

/// The lines of one attempt, of a botocore that logs times without a zone; `reasons` as DynamoDB
/// gives them, or has not always.
fn botocore(attempt: &Attempt, reasons: bool) -> String {
    let time = format!("2026-03-02 10:04:{:02},000", attempt.second);
    let (body, status) = match attempt.throttled {
        true if reasons => (refusal("throttlingReasons").to_string(), 400),
        true => (json!({"__type": REFUSED, "message": "slow down"}).to_string(), 400),
        false => ("{}".into(), 200),
    };
    let lines = [
        format!(
            "Making request for OperationModel(name=PutItem) with params: {{'url_path': '/', 'method': 'POST', 'headers': {{'X-Amz-Target': \
             'DynamoDB_20120810.PutItem'}}, 'body': b'{}', 'url': 'http://127.0.0.1/'}}",
            request(attempt)
        ),
        "Sending http request: <AWSPreparedRequest stream_output=False, method=POST, url=http://127.0.0.1/, headers={}>".into(),
    ];
    let mut text: String =
        lines.iter().map(|line| format!("{time} botocore.endpoint [DEBUG] {line}\n")).collect();
    text += &format!(
        "{time} urllib3.connectionpool [DEBUG] http://127.0.0.1:80 \"POST / HTTP/1.1\" {status} {}\n",
        body.len()
    );
    text + &format!("{time} botocore.parsers [DEBUG] Response body:\nb'{body}'")
}

fn cloudtrail(attempt: &Attempt) -> String {
    let mut event = json!({
        "eventVersion": "1.09", "eventTime": format!("2026-03-02T10:04:{:02}Z", attempt.second),
        "eventSource": "dynamodb.amazonaws.com", "eventName": "PutItem", "awsRegion": "eu-west-1",
        "requestParameters": {"tableName": "orders", "key": {"id": attempt.pk}, "item": ["id"]},
        "responseElements": null, "eventCategory": "Data",
    });
    if attempt.throttled {
        event["errorCode"] = "ProvisionedThroughputExceededException".into();
        event["errorMessage"] = "slow down".into();
    }
    event.to_string()
}

/// Writes the scene in a format.
fn log(name: &str, format: impl Fn(&Attempt) -> String) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("throttles-{name}"));
    let text: String = scene().iter().map(|attempt| format(attempt) + "\n").collect();
    std::fs::write(&path, text).unwrap();
    path
}

fn run(log: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_hotpart"))
        .args(["backtest", "--quiet", "--writes", "3", "--reads", "3", "--key", "orders=id"])
        .args(arguments)
        .arg(log)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn json_of(log: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&run(log, &[arguments, &["--json"]].concat())).unwrap()
}

#[test]
fn lead_times_are_those_of_the_scene_in_every_format_with_reasons() {
    let logs = [
        log("recording.jsonl", recording),
        log("sdk-js.jsonl", sdk_js),
        log("botocore.log", |attempt| botocore(attempt, true)),
    ];
    for log in logs {
        let printed = json_of(&log, &[]);
        let throttles = &printed["throttles"];
        let numbers =
            ["caught", "missed", "in_vain", "median_lead_ms"].map(|name| throttles[name].as_u64().unwrap());
        assert_eq!(numbers, [1, 1, 1, 6_000], "{}", log.display());
        let mut series = throttles["series"].as_array().unwrap().clone();
        series.sort_by_key(|of| of["first_throttle_ms"].as_u64());
        let of = |pk: &str, throttle: u64, warning: Option<u64>| {
            json!({"table": "orders", "pk": pk, "operation": "write", "first_throttle_ms": BEGIN_MS + throttle,
                   "first_warning_ms": warning.map(|ms| BEGIN_MS + ms), "lead_ms": warning.map(|ms| throttle - ms)})
        };
        assert_eq!(series, [of("hot", 8_000, Some(2_000)), of("cold", 9_000, None)], "{}", log.display());
        // However often it is warned of, it is the first warning that counts.
        assert_eq!(json_of(&log, &["--interval", "0"])["throttles"], *throttles, "{}", log.display());
        let warned = printed["warnings"].as_array().unwrap().iter();
        let mut warned: Vec<_> =
            warned.map(|of| (of["pk"].as_str().unwrap(), of["time_ms"].as_u64().unwrap())).collect();
        warned.sort_unstable();
        assert_eq!(warned, [("hot", BEGIN_MS + 2_000), ("warm", BEGIN_MS + 2_000)], "{}", log.display());
        let said = run(&log, &[]);
        let line = "2 partitions were throttled (reads and writes counted separately): 1 had a warning before (6 s ahead, median), 1 had \
                    none. 1 partition had a warning but no throttle.";
        assert!(said.contains(line), "{said}");
        assert!(said.ends_with("20 records: 20 counted\n"), "{said}");
    }
}

/// `hot` is throttled at 8 and at 10, and warned of at 2: a period that begins between has the
/// second throttle for its first.
#[test]
fn a_period_has_throttles_of_its_own_in_every_format() {
    let logs = [
        log("period.jsonl", recording),
        log("period-sdk-js.jsonl", sdk_js),
        log("period.log", |attempt| botocore(attempt, true)),
    ];
    let (middle, end) = ("2026-03-02T10:04:09", "2026-03-02T10:04:10");
    for log in logs {
        let of = |arguments: &[&str]| {
            let printed = json_of(&log, arguments);
            let throttles = &printed["throttles"];
            let judged =
                ["caught", "missed", "in_vain", "median_lead_ms"].map(|name| throttles[name].as_u64());
            (judged, printed["partitions"].as_u64(), printed["warnings"].as_array().unwrap().len())
        };
        let name = log.display();
        assert_eq!(of(&["--from", middle]), ([Some(1), Some(1), Some(0), Some(8_000)], Some(2), 0), "{name}");
        assert_eq!(
            of(&["--from", middle, "--until", end]),
            ([Some(0), Some(1), Some(0), None], Some(2), 0),
            "{name}"
        );
        assert_eq!(
            of(&["--until", middle]),
            ([Some(1), Some(0), Some(1), Some(6_000)], Some(3), 2),
            "{name}"
        );
        // At 2 s each, and then at 9 s.
        let soon = of(&["--from", middle, "--interval", "7"]);
        assert_eq!(soon, ([Some(1), Some(1), Some(0), Some(1_000)], Some(2), 1), "{name}");
        let said = run(&log, &["--from", middle]);
        assert!(said.ends_with("20 records: 5 counted; 15 outside of --from and --until\n"), "{said}");
        let sweep = json_of(&log, &["--sweep=1,3,13", "--from", middle]);
        let caught: Vec<_> =
            sweep["sweep"].as_array().unwrap().iter().map(|step| step["caught"].as_u64()).collect();
        assert_eq!(caught, [Some(2), Some(1), Some(0)], "{name}");
    }
}

/// A trail, and a DynamoDB that gives no reasons, do not tell that it was the partition: such
/// throttles are no evidence, and told.
#[test]
fn throttles_without_a_reason_are_told_and_judge_nothing() {
    let logs = [log("trail.jsonl", cloudtrail), log("old.log", |attempt| botocore(attempt, false))];
    for log in logs {
        let printed = json_of(&log, &[]);
        assert_eq!(printed.get("throttles"), None, "{}", log.display());
        assert_eq!(printed["warnings"].as_array().unwrap().len(), 2);
        let said = run(&log, &[]);
        let line = "3 throttles left out: 0 for a reason other than one partition's traffic, 3 for a reason that the log does not give\n";
        assert!(said.contains(line) && !said.contains("First throttle"), "{said}");
        assert!(said.ends_with("20 records: 20 counted\n"), "{said}");
    }
}

/// Of thresholds, those are recommended that miss none that one can catch.
#[test]
fn a_sweep_goes_by_the_throttles_of_a_recording() {
    let printed = json_of(&log("sweep.jsonl", recording), &["--sweep=1,3,10"]);
    let judged = |name: &str| -> Vec<_> {
        printed["sweep"].as_array().unwrap().iter().map(|step| step[name].as_u64()).collect()
    };
    assert_eq!(judged("caught"), [Some(2), Some(1), Some(0)]);
    assert_eq!(judged("missed"), [Some(0), Some(1), Some(2)]);
    assert_eq!(printed["recommended"]["step"], 0);
}

/// Fixtures that real programs wrote.
#[test]
fn fixtures_are_judged() {
    let fixture = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    let judged = |name: &str| {
        let args = ["--key", "events=id", "--key", "Orders=customer", "--writes", "1", "--reads", "1"];
        let output = Command::new(env!("CARGO_BIN_EXE_hotpart"))
            .args(["backtest", "--quiet", "--json", "--lateness", "900"])
            .args(args)
            .arg(fixture(name))
            .output()
            .unwrap();
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        ["caught", "missed", "in_vain", "median_lead_ms"].map(|of| printed["throttles"][of].as_u64())
    };
    assert_eq!(judged("recording.jsonl"), [Some(1), Some(0), Some(1), Some(1)]);
    assert_eq!(judged("sdk-js.jsonl"), [Some(0), Some(1), Some(3), None]);
    for name in ["cloudtrail.json", "botocore-boto3.log", "botocore-threads.log"] {
        assert_eq!(judged(name), [None; 4], "{name} tells no reasons");
    }
}
