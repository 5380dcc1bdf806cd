//! A redacted recording: the command tells of it what it tells of the plain one, by other names.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const KEYS: [&str; 4] = ["events=id", "other=id", "third=id", "events/index/by_user=user"];

/// Writes the lines that every binding writes, a second apart, three times over; to a file of each
/// test's own.
fn recording(test: &str, of: &str) -> PathBuf {
    let vectors = include_str!("../../bindings/recording/vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).expect("JSON");
    let lines = vectors.iter().cycle().take(3 * vectors.len()).zip(0..).map(|(vector, second)| {
        let mut line = vector[of].clone();
        line["time_ms"] = json!(1_772_445_841_000_u64 + second * 1_000);
        format!("{line}\n")
    });
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("redacted-{test}-{of}.jsonl"));
    std::fs::write(&path, lines.collect::<String>()).expect("a file is written");
    path
}

fn run(command: &str, log: &Path, args: &[&str]) -> String {
    let mut run = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    run.args([command, "--quiet"]).args(args).arg(log);
    for key in KEYS {
        run.args(["--key", key]);
    }
    let output = run.output().expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// All numbers of a report, but for names, and memory.
fn numbers(report: &Value) -> Value {
    let of = |operation: &Value| {
        let hottest = operation["hottest"].as_array().expect("a list");
        let number = |of: &Value| {
            let members = [
                "table",
                "index",
                "count",
                "throttles",
                "fullest_second",
                "fullest_minute",
                "busy_minutes",
                "hot",
            ];
            json!(members.map(|name| of[name].clone())).to_string()
        };
        let mut hottest: Vec<_> = hottest.iter().map(number).collect();
        hottest.sort();
        json!([operation["partitions"], operation["hot"], operation["total"], hottest])
    };
    let operations: Vec<_> = report["operations"].as_array().expect("a list").iter().map(of).collect();
    json!([operations, report["records"], report["span"], report["tables"], report["throttles"]])
}

#[test]
fn it_has_the_partitions_and_counts_of_the_plain_one() {
    let logs = ["line", "redacted"].map(|of| recording("same", of));
    for args in [&["--json", "--top", "10000"][..], &["--json", "--top", "10000", "--memory", "32MiB"]] {
        let [plain, redacted] = logs
            .each_ref()
            .map(|log| serde_json::from_str::<Value>(&run("report", log, args)).expect("JSON"));
        assert_eq!(numbers(&redacted), numbers(&plain));
        let partitions = [0, 1].map(|i| plain["operations"][i]["partitions"].as_u64().expect("a number"));
        // Where memory is bounded, those that are counted by themselves.
        let least = if plain["exact"] == true { 4 } else { 1 };
        assert!(partitions.iter().all(|&n| n >= least), "{partitions:?}");
        assert!(plain["throttles"]["key_range"].as_u64() > Some(0), "{}", plain["throttles"]);
        let text = redacted.to_string();
        assert!(
            plain.to_string().contains("EVENTS") && !text.contains("EVENTS") && !text.contains("secret"),
            "{text}"
        );
    }
    let [plain, redacted] = logs.each_ref().map(|log| {
        let args = ["--json", "--writes", "5", "--reads", "5", "--sweep=2,5,20"];
        serde_json::from_str::<Value>(&run("backtest", log, &args)).expect("JSON")
    });
    for name in ["records", "partitions", "sweep", "account"] {
        assert_eq!(redacted[name], plain[name], "{name}");
    }
    let times = |of: &Value| -> Vec<_> {
        of["warnings"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|of| (of["time_ms"].clone(), of["count"].clone()))
            .collect()
    };
    assert!(times(&plain).len() > 1);
    assert_eq!(times(&redacted), times(&plain));
    let last = logs.each_ref().map(|log| run("report", log, &[]).lines().last().map(str::to_owned));
    assert_eq!(last[0], last[1]);
}

/// Insights has keys as they are: none of them is in a redacted log.
#[test]
fn it_has_none_of_the_keys_of_contributor_insights() {
    let insights = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/insights.json");
    let option =
        format!("--compare-with=DynamoDBContributorInsights-PKC-events-1772000000000={}", insights.display());
    let path = recording("insights", "redacted");
    let report: Value = serde_json::from_str(&run("report", &path, &["--json", &option])).expect("JSON");
    let compared = &report["insights"][0];
    assert!(
        compared["contributors"].as_array().expect("a list").iter().all(|of| of["in_log"] == false),
        "{compared}"
    );
}
