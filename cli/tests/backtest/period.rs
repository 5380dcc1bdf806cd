//! `--from` and `--until`: all that is told is of the period, and each warning is the one that the
//! whole log gives.

use crate::oracle::{Rule, Terms, truth, window};
use crate::trace::{self, Line};
use crate::{File, backtest, printed};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

/// Whole seconds that cut a trace where it is busy.
fn cuts(lines: &[Line]) -> [u64; 3] {
    [1, 2, 3].map(|quarter| lines[lines.len() * quarter / 4].time_ms / 1_000 * 1_000)
}

fn within(lines: &[Line], from: u64, until: u64) -> Vec<&Line> {
    lines.iter().filter(|line| (from..until).contains(&line.time_ms)).collect()
}

#[test]
fn warnings_of_a_period_are_those_of_the_whole_log() {
    let lines = trace::made_up(9, 12_000);
    let file = File::new(&lines);
    let [one, two, three] = cuts(&lines);
    for (seconds, interval) in [(20, 20), (60, 7), (5, 0), (10, 900)] {
        let threshold = |_: &Rule, line: &Line| if line.operation == "write" { 40 } else { 20 };
        let terms = Terms { rules: window(seconds), threshold: &threshold, interval_ms: interval * 1_000 };
        let truth = truth(&lines, &terms);
        let warns: Vec<_> = truth.hot.iter().filter(|hot| hot.warns).collect();
        let mut told = 0;
        for (from, until) in [(one, u64::MAX), (0, two), (one, three), (two, two + 30_000)] {
            let mut arguments = format!("--writes 40 --reads 20 --window {seconds} --interval {interval}");
            if from > 0 {
                arguments += &format!(" --from {from}");
            }
            if until < u64::MAX {
                arguments += &format!(" --until {until}");
            }
            let outcome = backtest(&file, &arguments);
            let warnings: Vec<_> = outcome["warnings"]
                .as_array()
                .unwrap()
                .iter()
                .map(|warning| printed(warning, false))
                .collect();
            let expected: Vec<_> =
                warns.iter().filter(|hot| (from..until).contains(&hot.time_ms)).copied().cloned().collect();
            assert_eq!(warnings, expected, "{arguments}");
            told += warnings.len();
            let inside = within(&lines, from, until);
            let partitions: BTreeSet<_> = inside.iter().map(|line| (&line.table, &line.pk)).collect();
            assert_eq!(outcome["partitions"], partitions.len(), "{arguments}");
            let account = &outcome["account"];
            assert_eq!(
                (&outcome["records"], &account["entries"]),
                (&lines.len().into(), &inside.len().into())
            );
            let outside = &account["without_entries"]["outside of --from and --until"];
            assert_eq!(outside, lines.len() - inside.len(), "{arguments}");
            // Of those that warned before, some are silent.
            let before =
                warns.iter().filter(|hot| hot.time_ms < from && hot.time_ms + terms.interval_ms > from);
            let standing: BTreeSet<_> = before.map(|hot| (hot.of.1, hot.of.2)).collect();
            assert_eq!(outcome["period"]["standing"], standing.len(), "{arguments}");
        }
        assert!(told > 5, "{seconds} s tell nothing");
    }
}

#[test]
fn a_sweep_is_of_the_period() {
    let lines = trace::made_up(10, 6_000);
    let file = File::new(&lines);
    let [from, _, until] = cuts(&lines);
    let arguments = |writes: u64, reads: u64| {
        format!("--writes {writes} --reads {reads} --window 20 --from {from} --until {until}")
    };
    let outcome = backtest(&file, &(arguments(20, 10) + " --sweep=10,20,40"));
    for (step, (writes, reads)) in
        outcome["sweep"].as_array().unwrap().iter().zip([(10, 5), (20, 10), (40, 20)])
    {
        let alone = backtest(&file, &arguments(writes, reads));
        let n = alone["warnings"].as_array().unwrap().len();
        assert!(n > 2, "{writes} tells nothing");
        assert_eq!(step["warnings"], n);
    }
}

/// Runs the command on a log of these lines, and returns what it printed.
fn said(name: &str, lines: &str, arguments: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, lines).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    let output =
        command.args(["backtest", "--quiet"]).arg(&path).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// An hour with a warning in every ten minutes, and two in the last ten.
#[test]
fn warnings_an_hour_are_by_the_length_of_the_period() {
    let lines = [0, 10, 20, 30, 40, 50, 55, 60]
        .map(|minute| format!("{},write,t,key {minute},100\n", 1_772_445_600_000_u64 + minute * 60_000));
    let an_hour = |period: &str| {
        let said =
            said(&format!("hour{}.csv", period.len()), &lines.concat(), &format!("--sweep=50,90 {period}"));
        let row = said.lines().find(|line| line.contains(" 50 writes")).unwrap().to_owned();
        row.split_whitespace().rev().take(3).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(an_hour("--limit 50"), ["8", "8.0", "8"]);
    assert_eq!(an_hour("--from 2026-03-02T10:45"), ["3", "12.0", "3"]);
    // It is the log that begins later.
    assert_eq!(an_hour("--from 2026-03-01 --until 2026-03-02T10:30"), ["3", "6.0", "3"]);
    assert_eq!(an_hour("--from 2026-03-02T10:25 --until 2026-03-02T10:45"), ["2", "6.0", "2"]);
}

#[test]
fn an_empty_period_is_said_to_be_one() {
    let log = "1772445600000,write,t,a\n1772445660000,write,t,a\n";
    let expected = "The log has no records between --from and --until, so nothing can be said.\n\n\
                    The log is from 2026-03-02 10:00:00 to 2026-03-02 10:01:00 UTC.\n\
                    2 records: 0 counted; 2 outside of --from and --until\n";
    for (i, arguments) in [
        "--from 2026-03-03",
        "--until 2026-03-02",
        "--from 2026-03-02T10:00:30 --until 2026-03-02T10:00:40 --sweep",
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(said(&format!("empty{i}.csv"), log, arguments), expected, "{arguments}");
    }
    let json: Value = serde_json::from_str(&said("empty.csv", log, "--json --from 2026-03-03")).unwrap();
    let period = json!({"from_ms": 1_772_496_000_000_u64, "until_ms": null, "log_first_ms": 1_772_445_600_000_u64,
                        "log_last_ms": 1_772_445_660_000_u64, "standing": 0});
    assert_eq!((&json["period"], &json["warnings"], &json["partitions"]), (&period, &json!([]), &json!(0)));
}

/// A recording in which only what comes before the period tells a table's key, and nothing tells
/// the other's.
#[test]
fn keys_that_were_told_before_are_known_and_records_are_those_of_the_period() {
    let line = |second: u64, operation: &str, request: Value, response: Value| {
        json!({"time_ms": 1_772_445_600_000_u64 + second * 1_000, "operation": operation, "request": request,
               "response": response, "http_status": 200})
        .to_string()
            + "\n"
    };
    let table =
        json!({"Table": {"TableName": "orders", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}});
    let put = |second: u64, table: &str| {
        line(
            second,
            "PutItem",
            json!({"TableName": table, "Item": {"id": {"S": "a"}, "n": {"S": "b"}}}),
            json!({}),
        )
    };
    let list = |second: u64| line(second, "ListTables", json!({}), json!({}));
    let mut log = line(0, "DescribeTable", json!({"TableName": "orders"}), table);
    let unreadable = |second: u64| line(second, "ExecuteStatement", json!({"Statement": "SELEC"}), json!({}));
    // Before: three statements that can't be read, three puts, a list of tables, and two puts into a
    // table whose key nothing tells. Then the same with one statement, and one more put.
    for (second, statements) in [(1, 3), (10, 1)] {
        log += &unreadable(second).repeat(statements);
        log += &[put(second, "orders"), put(second, "orders"), put(second, "orders"), list(second)].concat();
        log += &[put(second, "other"), put(second, "other")].concat();
    }
    log += &put(11, "orders");
    let arguments = "--writes 7 --reads 7 --json --from 2026-03-02T10:00:10";
    let json: Value = serde_json::from_str(&said("keys.jsonl", &log, arguments)).unwrap();
    let warning = &json["warnings"][0];
    assert_eq!((&warning["count"], &warning["pk"]), (&json!(7), &json!("a")), "{json}");
    assert_eq!(json["partitions"], 1);
    let account = &json["account"];
    assert_eq!((&account["entries"], &account["unread_operations"]), (&json!(7), &json!(3)), "{account}");
    assert_eq!(account["without_entries"]["outside of --from and --until"], 10, "{account}");
    assert_eq!(account["without_entries"]["of other operations"], 1, "{account}");
    let text = said("keys-text.jsonl", &log, "--writes 7 --reads 7 --from 2026-03-02T10:00:10");
    assert!(text.contains("other: a partition key is unknown"), "{text}");
}
