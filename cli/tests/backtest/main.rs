//! `hotpart backtest --json` against an oracle that is nothing but lists of times: on a made-up
//! trace always, on a real one where `HOTPART_TRACE` names it.

mod memory;
mod oracle;
mod period;
mod throttles;
mod trace;

use oracle::{Hot, Rule, Terms, truth, window};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use trace::Line;

/// A file that is there for as long as a test runs.
struct File(PathBuf);

impl File {
    fn new(lines: &[Line]) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
        static N: AtomicU32 = AtomicU32::new(0);
        let name = format!("trace-{}-{}.csv", std::process::id(), N.fetch_add(1, Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, trace::csv(lines)).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The JSON that the command printed.
fn backtest(file: &File, arguments: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_hotpart"))
        .args(["backtest", "--json", "--quiet"])
        .arg(&file.0)
        .args(arguments.split_whitespace())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments}: {error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A warning as it was printed, in the oracle's words. In units where `halves` says that the oracle
/// counts halves of them.
fn printed(warning: &Value, halves: bool) -> Hot<'_> {
    let text = |name: &str| warning[name].as_str().unwrap();
    let amount = |name: &str| {
        let n = warning[name].as_f64().unwrap() * if halves { 2.0 } else { 1.0 };
        assert_eq!(n.fract(), 0.0, "{warning}");
        n as u64
    };
    Hot {
        time_ms: warning["time_ms"].as_u64().unwrap(),
        of: (text("operation"), text("table"), text("pk")),
        count: amount("count"),
        threshold: amount("threshold"),
        rule: ["window", "second", "sustained"].into_iter().find(|&rule| rule == text("rule")).unwrap(),
        window_seconds: warning["window_seconds"].as_u64().unwrap(),
        warns: true,
    }
}

/// Checks each warning and the numbers before them. Returns how many warnings there were.
fn check(lines: &[Line], terms: &Terms<'_>, arguments: &str, halves: bool) -> usize {
    let truth = truth(lines, terms);
    let printed_by = backtest(&File::new(lines), arguments);
    assert_eq!(printed_by["records"], lines.len(), "{arguments}");
    let mut partitions: Vec<_> = lines.iter().map(|line| (&line.table, &line.pk)).collect();
    partitions.sort_unstable();
    partitions.dedup();
    assert_eq!(printed_by["partitions"], partitions.len(), "{arguments}");
    let warnings: Vec<_> =
        printed_by["warnings"].as_array().unwrap().iter().map(|w| printed(w, halves)).collect();
    let expected: Vec<_> = truth.hot.into_iter().filter(|hot| hot.warns).collect();
    for (i, (warning, expected)) in warnings.iter().zip(&expected).enumerate() {
        assert_eq!(warning, expected, "warning {i} of {arguments}");
    }
    assert_eq!(warnings.len(), expected.len(), "{arguments}");
    warnings.len()
}

/// Three windows, in order and out of order.
fn check_windows(name: &str, lines: &[Line]) {
    for seconds in [1, 10, 60] {
        let rules = window(seconds);
        let counted = truth(lines, &Terms { rules, threshold: &|_, _| u64::MAX, interval_ms: 0 });
        let [writes, reads] = ["write", "read"].map(|operation| oracle::telling(&counted, operation));
        let threshold = |_: &Rule, line: &Line| if line.operation == "write" { writes } else { reads };
        let terms = Terms { rules: window(seconds), threshold: &threshold, interval_ms: seconds * 1_000 };
        let arguments = format!("--writes {writes} --reads {reads} --window {seconds}");
        let n = check(lines, &terms, &arguments, false);
        assert!(n > 10, "{arguments} tells nothing: {n} warnings");
        let late = trace::shuffled(lines, 45_000);
        assert_ne!(late, lines);
        let n_late = check(&late, &terms, &format!("{arguments} --lateness 45"), false);
        println!("{name}: {arguments}: {n} warnings in order, {n_late} out of order");
    }
}

/// The trace that `HOTPART_TRACE` names.
fn real() -> Option<Vec<Line>> {
    let Some(path) = std::env::var_os("HOTPART_TRACE") else {
        eprintln!("skipped: HOTPART_TRACE names no trace");
        return None;
    };
    Some(trace::parse(&std::fs::read_to_string(path).unwrap()))
}

#[test]
fn every_warning_of_a_made_up_trace_is_the_oracles() {
    check_windows("made up", &trace::made_up(1, 20_000));
}

#[test]
fn every_warning_of_the_acceptance_trace_is_the_oracles() {
    if let Some(lines) = real() {
        check_windows("acceptance", &lines);
    }
}

#[test]
fn thresholds_of_models_win_over_those_of_tables() {
    let lines = trace::made_up(2, 8_000);
    let threshold = |_: &Rule, line: &Line| match (line.model.as_str(), line.table.as_str(), line.operation) {
        ("m", _, "write") => 45,
        (_, "t1", "write") => 25,
        (_, "t1", _) => 15,
        (_, _, "write") => 35,
        _ => 20,
    };
    let terms = Terms { rules: window(20), threshold: &threshold, interval_ms: 20_000 };
    let arguments = "--writes 35 --reads 20 --window 20 --table t1=25,15 --model m=45,";
    assert!(check(&lines, &terms, arguments, false) > 10);
}

#[test]
fn the_interval_is_what_was_asked_for() {
    let lines = trace::made_up(3, 8_000);
    for interval in [0, 1, 7] {
        let terms = Terms { rules: window(20), threshold: &|_, _| 25, interval_ms: interval * 1_000 };
        let arguments =
            format!("--preset conservative --writes 25 --reads 25 --window 20 --interval {interval}");
        assert!(check(&lines, &terms, &arguments, false) > 20);
    }
}

#[test]
fn a_preset_has_its_numbers() {
    let lines: Vec<_> =
        trace::made_up(4, 6_000).into_iter().map(|line| Line { amount: 40, ..line }).collect();
    let presets = [("conservative", 500, 1_500), ("moderate", 800, 2_500), ("high-traffic", 2_000, 5_000)];
    for (name, writes, reads) in presets {
        let threshold = |_: &Rule, line: &Line| if line.operation == "write" { writes } else { reads };
        let terms = Terms { rules: window(60), threshold: &threshold, interval_ms: 60_000 };
        assert!(check(&lines, &terms, &format!("--preset {name}"), false) > 10);
    }
    let default = backtest(&File::new(&lines), "");
    assert_eq!(default["warnings"], backtest(&File::new(&lines), "--preset moderate")["warnings"]);
}

#[test]
fn dynamodbs_limits_are_counted_in_units_by_the_second_and_by_five() {
    // An amount is a number of units; the oracle counts halves.
    let lines: Vec<_> =
        trace::made_up(5, 8_000).into_iter().map(|line| Line { amount: 150 * line.amount, ..line }).collect();
    let halves: Vec<_> = lines.iter().map(|line| Line { amount: 2 * line.amount, ..line.clone() }).collect();
    let rules = vec![
        Rule { name: "second", slots: 1, window_seconds: 1 },
        Rule { name: "sustained", slots: 5, window_seconds: 5 },
    ];
    let threshold = |rule: &Rule, line: &Line| {
        let limit = if line.operation == "write" { 2_000 } else { 6_000 };
        if rule.slots == 1 { limit } else { 5 * limit * 3 / 10 }
    };
    let terms = Terms { rules, threshold: &threshold, interval_ms: 60_000 };
    let truth = truth(&halves, &terms);
    let expected: Vec<_> = truth.hot.into_iter().filter(|hot| hot.warns).collect();
    let outcome = backtest(&File::new(&lines), "--preset dynamodb --share 0.3");
    let warnings: Vec<_> = outcome["warnings"].as_array().unwrap().iter().map(|w| printed(w, true)).collect();
    assert_eq!(warnings, expected);
    let by = |rule: &str| warnings.iter().filter(|warning| warning.rule == rule).count();
    assert!(by("second") > 3 && by("sustained") > 3, "{} and {}", by("second"), by("sustained"));
}

#[test]
fn each_step_of_a_sweep_is_what_its_thresholds_give_alone() {
    let lines = trace::made_up(6, 6_000);
    let file = File::new(&lines);
    let outcome = backtest(&file, "--writes 40 --reads 20 --window 20 --sweep=20,40,80");
    let alone = |writes, reads| backtest(&file, &format!("--writes {writes} --reads {reads} --window 20"));
    assert_eq!(outcome["warnings"], alone(40, 20)["warnings"]);
    for (step, (writes, reads)) in
        outcome["sweep"].as_array().unwrap().iter().zip([(20, 10), (40, 20), (80, 40)])
    {
        assert_eq!((&step["writes"], &step["reads"]), (&Value::from(writes), &Value::from(reads)));
        let warnings = alone(writes, reads)["warnings"].as_array().unwrap().clone();
        let mut warned: Vec<_> =
            warnings.iter().map(|w| (w["table"].to_string(), w["pk"].to_string())).collect();
        warned.sort_unstable();
        warned.dedup();
        assert!(warnings.len() > 5);
        assert_eq!((&step["warnings"], &step["partitions"]), (&warnings.len().into(), &warned.len().into()));
    }
    assert!(outcome["recommended"]["reason"].is_string());
}
