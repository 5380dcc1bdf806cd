//! `hotpart report --compare-with`: reports of Contributor Insights, held against logs.

#[path = "support/schema.rs"]
mod schema;

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// 2026-03-02T10:04:00Z.
const BEGIN_MS: u64 = 1_772_445_840_000;
const ACCESSED: &str = "DynamoDBContributorInsights-PKC-events-1772000000000";
const THROTTLED: &str = "arn:aws:cloudwatch:eu-west-1:111122223333:insight-rule/DynamoDBContributorInsights-PKT-events-1772000000000";

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Writes a file; tests run side by side, so that each has names of its own.
fn written(name: &str, content: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compare");
    std::fs::create_dir_all(&folder).expect("a folder for files");
    let path = folder.join(name);
    std::fs::write(&path, content).expect("a file is written");
    path
}

fn text(log: &Path, args: &[&str]) -> String {
    let command = &mut Command::new(env!("CARGO_BIN_EXE_hotpart"));
    let output = command.args(["report", "--quiet"]).args(args).arg(log).output().expect("the command runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Returns the comparisons of a report that fits its schema.
fn insights(log: &Path, args: &[&str]) -> Vec<Value> {
    let report: Value = serde_json::from_str(&text(log, &[args, &["--json"]].concat())).expect("JSON");
    let schema: Value = serde_json::from_str(include_str!("../schema/report.json")).expect("a schema");
    assert_eq!(schema::misfits(&schema, &report), Vec::<String>::new());
    report["insights"].as_array().cloned().unwrap_or_default()
}

fn option(rule: &str, file: &Path) -> String {
    format!("--compare-with={rule}={}", file.display())
}

/// Writes what GetInsightRuleReport answers, of these keys' values a minute from the beginning on.
fn report(name: &str, total: f64, keys: &[(&[&str], &[f64])]) -> PathBuf {
    let points = |values: &[f64]| -> Vec<Value> {
        let point = |(minute, value): (u64, &f64)| json!({"Timestamp": BEGIN_MS / 1_000 + 60 * minute, "ApproximateValue": value});
        (0..).zip(values).map(point).collect()
    };
    let contributors: Vec<_> = keys
        .iter()
        .map(|(keys, values)| {
            json!({"Keys": keys, "ApproximateAggregateValue": values.iter().sum::<f64>(), "Datapoints": points(values)})
        })
        .collect();
    let answer = json!({
        "KeyLabels": ["pk"], "AggregationStatistic": "Sum", "AggregateValue": total, "ApproximateUniqueCount": keys.len(),
        "Contributors": contributors, "MetricDatapoints": [],
    });
    written(name, &answer.to_string())
}

/// A log in which, in two minutes from the beginning, `sale` is written 1,200 times, `pop` is read
/// 2,500 times in a second, `job` is written 700 times in one, and `cold` is read twice; and all of
/// them before, after, and in another table.
fn log(name: &str) -> PathBuf {
    let mut lines = String::new();
    let mut line = |second: u64, operation: &str, table: &str, pk: &str, amount: u64| {
        lines += &format!("{},{operation},{table},{pk},{amount}\n", BEGIN_MS - 120_000 + second * 1_000);
    };
    for pk in ["sale", "pop", "job", "cold", "early"] {
        line(0, "write", "events", pk, 5_000);
    }
    for second in 120..240 {
        line(second, "write", "events", "sale", 10);
        if second == 150 {
            line(second, "read", "events", "pop", 2_500);
            line(second, "read", "events", "cold", 2);
            line(second, "write", "other", "sale", 900);
        }
        if second == 239 {
            line(second, "write", "events", "job", 700);
        }
    }
    for pk in ["sale", "pop", "job", "cold", "late"] {
        line(240, "read", "events", pk, 5_000);
    }
    written(name, &lines)
}

fn known(name: &str) -> PathBuf {
    report(
        name,
        7_000.0,
        &[
            (&["sale"], &[2_000.0, 1_500.0]),
            (&["pop"], &[2_500.0]),
            (&["gone"], &[40.0]),
            (&["cold"], &[3.0]),
        ],
    )
}

#[test]
fn a_known_difference_is_told_key_by_key() {
    let log = log("known.csv");
    let [compared] = &insights(&log, &[&option(ACCESSED, &known("known.json"))])[..] else {
        panic!("one comparison")
    };
    let times = [&compared["from_ms"], &compared["until_ms"]].map(|ms| ms.as_u64());
    assert_eq!(times, [Some(BEGIN_MS), Some(BEGIN_MS + 120_000)]);
    assert_eq!((&compared["rule"], &compared["tables"]), (&json!(ACCESSED), &json!(["events"])));
    let contributors: Vec<_> = compared["contributors"].as_array().expect("a list").iter().collect();
    let row = |pk: &str, insights: f64, log: f64, writes: u64, reads: u64, in_log: bool, hot: bool| {
        json!({"pk": pk, "insights": insights, "log": log, "difference": insights - log, "writes": writes, "reads": reads,
               "in_log": in_log, "hot": hot})
    };
    let expected = [
        row("sale", 3_500.0, 3_600.0, 1_200, 0, true, false),
        row("pop", 2_500.0, 2_500.0, 0, 2_500, true, true),
        row("gone", 40.0, 0.0, 0, 0, false, false),
        row("cold", 3.0, 2.0, 0, 2, true, false),
    ];
    assert_eq!(contributors, expected.iter().collect::<Vec<_>>());
    let job =
        json!({"table": "events", "pk": "job", "log": 2_100.0, "writes": 700, "reads": 0, "throttles": 0});
    assert_eq!((&compared["not_listed"], &compared["not_listed_more"]), (&json!([job]), &json!(0)));
}

#[test]
fn a_person_reads_the_difference() {
    let text = text(&log("read.csv"), &[&option(ACCESSED, &known("read.json"))]);
    let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        &format!(
            "Contributor Insights: {ACCESSED}, keys accessed, 2026-03-02 10:04:00 to 2026-03-02 10:06:00 UTC"
        ),
        "pk Insights log difference writes reads in the log",
        "sale 3,500 3,600 −100 1,200 0 not hot",
        "pop 2,500 2,500 0 0 2,500 hot",
        "gone 40 0 40 0 0 nothing",
        "7,000 in total, of about 4 keys, by Insights' own count",
        "Listed, but not hot in the log: 3 of 4 (1 of them is not in the log at all).",
        "Hot in the log and not listed by Insights: events / job: 2,100, of 700 writes and 0 reads",
        "three times those of writes",
        "--units counts the units that the log has",
        "Insights' values are approximate",
    ] {
        assert!(unwrapped.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.ends_with(" counted\n"), "the last line accounts for every record:\n{text}");
    assert!(!unwrapped.contains("does not cover"), "{text}");
}

/// The fixture names no rule, and says more than the log has.
#[test]
fn the_fixture_is_held_against_a_recording() {
    let file = format!("--compare-with={}", fixture("insights.json").display());
    let [compared] = &insights(&fixture("recording.jsonl"), &[&file, "--units"])[..] else {
        panic!("one comparison")
    };
    let first = &compared["contributors"][0];
    // Writes of 3 units and 1, and a read of half a unit.
    let members =
        ["pk", "insights", "log", "difference", "writes", "reads", "hot"].map(|name| first[name].clone());
    assert_eq!(json!(members), json!(["EVENTS", 900.0, 12.5, 887.5, 4, 0.5, true]));
    assert_eq!((&compared["rule"], &compared["contributors"][1]["in_log"]), (&Value::Null, &json!(false)));
    let remarks = compared["remarks"].to_string();
    assert!(
        remarks.contains("No rule is named") && remarks.contains("does not cover that time"),
        "{remarks}"
    );
}

#[test]
fn throttles_are_counted_for_whatever_reason() {
    let file = report(
        "throttled.json",
        9.0,
        &[(&["EVENTS"], &[4.0]), (&["***(Redacted)"], &[5.0]), (&[""], &[1.0])],
    );
    let [compared] = &insights(&fixture("recording.jsonl"), &[&option(THROTTLED, &file)])[..] else {
        panic!("one comparison")
    };
    assert_eq!(compared["counts"], "throttled");
    let told: Vec<_> = compared["contributors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|of| (&of["log"], &of["throttles"]))
        .collect();
    assert_eq!(told, [(&json!(1.0), &json!(1)), (&json!(0.0), &json!(0)), (&json!(0.0), &json!(0))]);
    // CloudTrail does not tell the reason.
    let rule = "DynamoDBContributorInsights-SKT-Orders-1772000000000";
    let file = report("items.json", 3.0, &[(&["c1", "o1"], &[1.0]), (&["c1", "o2"], &[2.0])]);
    let args = [&*option(rule, &file), "--key", "Orders=customer", "--lateness", "900"];
    let [compared] = &insights(&fixture("cloudtrail.json"), &args)[..] else { panic!("one comparison") };
    let [of] = &compared["contributors"].as_array().expect("a list")[..] else {
        panic!("one key: {compared}")
    };
    assert_eq!((&of["insights"], &of["log"], &of["hot"]), (&json!(3.0), &json!(1.0), &json!(false)));
    assert!(compared["remarks"].to_string().contains("sum of its items that are listed"), "{compared}");
}

#[test]
fn indexes_and_other_tables_are_told_apart() {
    let lines =
        format!("{BEGIN_MS},write,a-b,k,7\n{BEGIN_MS},write,a-b/index/c,k,2\n{BEGIN_MS},write,a,k,5\n");
    let log = written("indexes.csv", &lines);
    let file = report("indexes.json", 9.0, &[(&["k"], &[6.0])]);
    let of = |resource: &str| {
        let rule = format!("DynamoDBContributorInsights-PKC-{resource}-1772000000000");
        let [compared] = &insights(&log, &[&option(&rule, &file)])[..] else { panic!("one comparison") };
        (compared["tables"].clone(), compared["contributors"][0]["writes"].clone())
    };
    assert_eq!(of("a-b-c"), (json!(["a-b/index/c"]), json!(2)));
    assert_eq!(of("a-b"), (json!(["a-b"]), json!(7)));
    assert_eq!(of("nowhere"), (json!([]), json!(0)));
}

#[test]
fn a_log_of_another_time_is_not_said_to_be_listed() {
    let option = option(ACCESSED, &known("elsewhere.json"));
    let later = format!("{},write,events,a,900\n", BEGIN_MS + 3_600_000);
    let said = text(&written("later.csv", &later), &[&option]);
    assert!(
        said.contains("\n The log has nothing in the time of this report, so nothing was compared.\n"),
        "{said}"
    );
    assert!(!said.contains("All that was hot in the log is listed"), "{said}");
    let said = text(&written("same.csv", &format!("{BEGIN_MS},write,events,sale,900\n")), &[&option]);
    assert!(said.contains("\n All that was hot in the log is listed.\n"), "{said}");
    let said = text(&written("beside.csv", &format!("{BEGIN_MS},write,other,sale,900\n")), &[&option]);
    assert!(!said.contains("is listed.") && !said.contains("nothing was compared"), "{said}");
    assert!(said.contains("The log has nothing of the rule's table in that time."), "{said}");
}

#[test]
fn a_report_may_be_empty_and_a_log_too() {
    let empty = written(
        "empty.json",
        r#"{"Contributors": []}{"KeyLabels":[],"Contributors":[{"Keys":[],"ApproximateAggregateValue":1}]}"#,
    );
    let option = option(ACCESSED, &empty);
    for log in [log("empty.csv"), written("nothing.csv", ""), written("own.csv", "1000,write,events,a\n")] {
        let compared = insights(&log, &[&option]);
        assert_eq!(compared.len(), 2);
        assert!(compared.iter().all(|of| of["contributors"] == json!([]) && of["from_ms"].is_null()));
        assert!(text(&log, &[&option]).ends_with(" counted\n"));
    }
    assert_eq!(insights(&log("none.csv"), &[]), Vec::<Value>::new());
}

#[test]
fn within_memory_the_log_has_at_least_so_much() {
    let log = log("bounded.csv");
    let [compared] = &insights(&log, &[&option(ACCESSED, &known("bounded.json")), "--memory", "1MiB"])[..]
    else {
        panic!("one comparison")
    };
    let values: Vec<_> = compared["contributors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|of| of["log"].as_f64().expect("a number"))
        .collect();
    for (value, exact) in values.iter().zip([3_600.0, 2_500.0, 0.0, 2.0]) {
        assert!(*value <= exact, "{compared}");
    }
    assert!(values[1] > 0.0 && compared["contributors"][1]["hot"] == true, "{compared}");
    assert_eq!(compared["not_listed"][0]["pk"], "job", "{compared}");
}

/// Nothing panics, or takes long, whatever a report's bytes are.
#[test]
fn what_is_no_report_is_refused_by_name() {
    let log = written("refused.csv", "");
    let contributor = |time: &str| {
        format!(
            r#"{{"Contributors":[{{"Keys":["a"],"ApproximateAggregateValue":1,"Datapoints":[{{"Timestamp":{time},"ApproximateValue":1}}]}}]}}"#
        )
    };
    let texts = [
        String::new(),
        "{}".into(),
        "[]".into(),
        r#"{"Contributors":7}"#.into(),
        contributor("1e300"),
        contributor("1772445840000"),
        contributor("-1"),
        contributor("\"soon\""),
        r#"{"Contributors":["#.into(),
    ];
    for (i, text) in texts.iter().enumerate() {
        let file = written(&format!("refused-{i}.json"), text);
        let mut command = Command::new(env!("CARGO_BIN_EXE_hotpart"));
        let output = command
            .args(["report", "--quiet", &option(ACCESSED, &file)])
            .arg(&log)
            .output()
            .expect("the command runs");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{text}: {error}");
        assert!(error.contains(&format!("refused-{i}.json")), "{text}: {error}");
    }
    for time in ["0", "4294967295", "\"9999-12-31T23:59:59Z\""] {
        let file = written("far.json", &contributor(time));
        assert!(text(&log, &[&option(ACCESSED, &file)]).ends_with(" counted\n"));
    }
}
