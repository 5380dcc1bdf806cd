//! `hotpart report --memory`: what it says of itself where memory is little.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const BEGIN_MS: u64 = 1_772_331_240_000;

fn written(name: &str, lines: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("bounded-{name}.csv"));
    std::fs::write(&path, lines).expect("a file is written");
    path
}

fn report(log: &Path, memory: &str, args: &[&str]) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_hotpart"))
        .args(["report", "--quiet", "--json", "--memory", memory])
        .args(args)
        .arg(log)
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn remarks(report: &Value) -> String {
    let lines = report["remarks"].as_array().expect("lines").iter();
    lines.map(|line| line.as_str().expect("a line")).collect::<Vec<_>>().join("\n")
}

/// Writes `amount` of each key in its second, in ten lines.
fn seconds(keys: impl IntoIterator<Item = (u64, String, u64)>) -> String {
    let mut lines = String::new();
    for (second, pk, amount) in keys {
        for _ in 0..10 {
            writeln!(lines, "{},write,t,{pk},{}", BEGIN_MS + second * 1_000, amount / 10)
                .expect("a string takes all");
        }
    }
    lines
}

/// Of 2,000 partitions each is hot in a second of its own, the later ones the more: the report has
/// no room for half of them.
#[test]
fn it_says_that_hot_ones_were_dropped() {
    let all = (0..2_000).map(|n| (3 * n, format!("key {n}"), 600 + n / 10 * 10));
    let log = written("dropped", &seconds(all));
    let told = report(&log, "512KiB", &["--top", "5"]);
    let (writes, remarks) = (&told["operations"][0], remarks(&told));
    let hot = writes["hot"].as_u64().expect("a number");
    assert!(hot < 2_000, "{hot} of 2,000 were hot");
    assert!(!remarks.contains("is missing"), "{remarks}");
    assert!(remarks.contains("So more partitions were hot than the report says"), "{remarks}");
    let dropped = remarks.split("A partition was dropped from the report ").nth(1).expect("a number");
    let dropped = dropped.split(" times: ").nth(1).expect("a number");
    let dropped: u64 = dropped.split(' ').next().expect("a word").replace(',', "").parse().expect("a number");
    assert_eq!(dropped + hot, 2_000, "{remarks}");
    // Those that came nearest are listed all the same.
    let first: Vec<_> = writes["hottest"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|of| of["pk"].as_str().expect("a key"))
        .collect();
    assert!(first.iter().all(|pk| pk.strip_prefix("key 199").is_some()), "{first:?}");
}

/// All that has room is there, and all that was dropped was cold.
#[test]
fn it_says_that_nothing_hot_is_missed_where_that_is_true() {
    let hot = (0..20).map(|n| (n * 30, format!("hot {n}"), 700));
    let log = written("room", &seconds(hot.clone()));
    let all = report(&log, "8MiB", &[]);
    assert_eq!(all["operations"][0]["hot"], 20);
    assert!(remarks(&all).contains(" No hot partition is missing.\n"), "{}", remarks(&all));
    assert!(!remarks(&all).contains("little memory for this log"), "{}", remarks(&all));
    let mut many: Vec<_> = hot.chain((0..4_000).map(|n| (2 * n, format!("warm {n}"), 200))).collect();
    many.sort();
    let told = report(&written("cold", &seconds(many)), "1536KiB", &["--top", "20"]);
    assert_eq!(told["operations"][0]["hot"], 20);
    assert!(remarks(&told).contains(": none was hot by then."), "{}", remarks(&told));
    assert!(remarks(&told).contains(" No hot partition is missing.\n"), "{}", remarks(&told));
}

/// So many are hot within one minute that the library has no room to count them by themselves: it
/// tells the most that they had.
#[test]
fn it_says_that_some_were_not_counted_by_themselves() {
    let keys = 0..3_000;
    let all = keys.clone().map(|n| (n % 50, format!("key {n}"), 600));
    let log = written("kept-out", &seconds(all));
    let told = report(&log, "512KiB", &["--top", "100"]);
    let remarks = remarks(&told);
    assert!(
        remarks.contains(" records were of partitions that needed a counter of their own and got none."),
        "{remarks}"
    );
    let [bytes, bound] = ["bytes", "bound"].map(|name| told["memory"][name].as_u64().expect("a number"));
    assert!(bytes <= bound, "{bytes} of {bound}");
    for of in told["operations"][0]["hottest"].as_array().expect("a list") {
        let [most, least] =
            ["count", "at_least"].map(|name| of["fullest_second"][name].as_u64().expect("a number"));
        assert!(most >= 600 && least <= 600, "{of}");
    }
}

/// A share that is lower than what the library looks at by itself.
#[test]
fn a_low_share_is_seen_in_bounded_memory() {
    let cold = (0..60).map(|second| (second, "cold".into(), 10));
    let mut all: Vec<_> = cold.chain([(7, "hot".into(), 40)]).collect();
    all.sort();
    let told = report(&written("share", &seconds(all)), "1MiB", &["--hot", "2%"]);
    let hottest = &told["operations"][0]["hottest"];
    assert_eq!((&hottest[0]["pk"], &hottest[0]["hot"]), (&"hot".into(), &true.into()), "{told}");
}

/// Most of it came while it was not counted by itself: in a second that did not get near a
/// threshold, and as the other operation.
#[test]
fn what_came_while_it_was_not_counted_by_itself_is_within_the_bounds() {
    let read = |time_ms: u64, amount: u64| format!("{time_ms},read,t,X,{amount}\n");
    let (first, later) = (BEGIN_MS, BEGIN_MS + 600_000);
    let mut lines = read(first, 1).repeat(370);
    lines += &format!("{later},write,t,X,1\n").repeat(300);
    lines += &read(later + 500, 1);
    let told = report(&written("uncounted", &lines), "64MiB", &[]);
    let reads = &told["operations"][1]["hottest"][0];
    let [most, least] = ["count", "at_least"].map(|name| reads["fullest_second"][name].as_u64());
    assert!(reads["pk"] == "X" && most >= Some(370) && least <= Some(370), "{reads}");
    assert!(reads["count"].as_u64() <= Some(371), "{reads}");
    assert!(reads["fullest_minute"]["count"].as_u64() >= Some(370), "{reads}");
    assert!(reads["share"].as_f64() >= Some(370.0 / 3_000.0), "{reads}");
    assert_eq!(reads["hot"], false);
    // Of those that come near a threshold all is known.
    let writes = &told["operations"][0]["hottest"][0]["fullest_second"];
    assert!(writes["count"].as_u64() >= Some(300) && writes["count"].as_u64() < Some(450), "{writes}");
}

/// Of partitions that were not counted by themselves a person reads bounds: no second, no seconds
/// that are sure, no exact advice.
#[test]
fn advice_by_upper_bounds_says_at_most() {
    let all = (0..3_000).map(|n| (n % 50, format!("key {n}"), 600));
    let log = written("at-most", &seconds(all));
    let output = Command::new(env!("CARGO_BIN_EXE_hotpart"))
        .args(["report", "--quiet", "--memory", "512KiB", "--top", "100"])
        .arg(log)
        .output()
        .expect("the command runs");
    let said = String::from_utf8(output.stdout).expect("text");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let row = said.split("t key ").find(|row| row.contains('≤')).expect(&said);
    // BEGIN_MS is the beginning of a minute.
    assert!(row.contains(" 2026-03-01 02:14 ") && !row.contains("02:14:00"), "{row}");
    for part in [
        "It may have been hot; it had at most ",
        ": it had at most ",
        " writes in one second, and each part should stay within 500 (50 % of the limit).",
    ] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
}
