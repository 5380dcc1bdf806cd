//! Entries that are made up, throttles among them, and the text that is printed of them.

use crate::backtest::args::Backtest;
use crate::backtest::outcome::{Outcome, Pass};
use crate::backtest::print;
use crate::batch::Batch;
use crate::entry::{Access, Entry, Event, Exchange, Origin};
use crate::input::account::Account;
use clap::Parser;
use hotpart::{Operation, Reason};
use serde_json::{Value, json};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Backtest,
}

/// 2026-01-01.
const BEGIN_MS: u64 = 1_767_225_600_000;

/// Judges entries, which are in the order of time.
fn outcome_of(arguments: &str, entries: &[Entry<'_>]) -> (Backtest, Outcome) {
    outcome_by(1, arguments, entries)
}

/// The same, with so many threads for a sweep.
fn outcome_by(threads: usize, arguments: &str, entries: &[Entry<'_>]) -> (Backtest, Outcome) {
    let args = Line::parse_from(["test", "file"].into_iter().chain(arguments.split_whitespace())).args;
    let mut pass = Pass::new(&args).unwrap();
    pass.threads(threads);
    for second in entries.chunk_by(|a, b| a.time_ms() / 1_000 == b.time_ms() / 1_000) {
        let mut batch = Batch::default();
        second.iter().for_each(|entry| batch.push(entry));
        pass.second(&batch).unwrap();
    }
    let n = entries.len() as u64;
    let outcome = pass.finish(&Account { records: n, entries: n, ..Account::default() }, &[]).unwrap();
    (args, outcome)
}

fn printed(arguments: &str, entries: &[Entry<'_>]) -> String {
    let (args, outcome) = outcome_of(arguments, entries);
    let mut out = Vec::new();
    print(&mut out, &args, &outcome).unwrap();
    String::from_utf8(out).unwrap()
}

fn json_of(arguments: &str, entries: &[Entry<'_>]) -> Value {
    serde_json::from_str(&printed(&format!("{arguments} --json"), entries)).unwrap()
}

fn write(second: u64, pk: &'static [u8]) -> Access<'static> {
    Access::new(BEGIN_MS + second * 1_000, Operation::Write, b"orders", pk)
}

fn throttle(second: u64, pk: &'static [u8], reason: Reason) -> Entry<'static> {
    Entry::Access(Access { event: Event::Throttled(reason), ..write(second, pk) })
}

/// `hot` is written once a second from the beginning, and throttled at 8; `cold` is throttled at 9,
/// and warm is not.
fn throttled_night() -> Vec<Entry<'static>> {
    let hot = (0..12).map(|second| Entry::Access(write(second, b"hot")));
    let warm = (0..4).map(|second| Entry::Access(write(second, b"warm")));
    let throttles = [
        throttle(8, b"hot", Reason::KeyRange),
        throttle(9, b"cold", Reason::KeyRange),
        throttle(9, b"other", Reason::Provisioned),
        throttle(10, b"other", Reason::Unknown),
    ];
    let mut entries: Vec<_> = hot.chain(warm).chain(throttles).collect();
    entries.sort_by_key(Entry::time_ms);
    entries
}

#[test]
fn throttles_are_set_against_warnings() {
    let outcome = json_of("--writes 3 --reads 3", &throttled_night());
    let throttles = &outcome["throttles"];
    assert_eq!(
        throttles["series"],
        json!([
            {"table": "orders", "pk": "hot", "operation": "write", "first_throttle_ms": BEGIN_MS + 8_000,
             "first_warning_ms": BEGIN_MS + 2_000, "lead_ms": 6_000},
            {"table": "orders", "pk": "cold", "operation": "write", "first_throttle_ms": BEGIN_MS + 9_000,
             "first_warning_ms": null, "lead_ms": null},
        ])
    );
    let judged =
        ["caught", "missed", "in_vain", "median_lead_ms"].map(|name| throttles[name].as_u64().unwrap());
    assert_eq!(judged, [1, 1, 1, 6_000]);
    assert_eq!((&outcome["partitions"], outcome["warnings"].as_array().unwrap().len()), (&json!(4), 2));
}

#[test]
fn a_person_reads_the_same() {
    let text = printed("--writes 3 --reads 3 --limit 1", &throttled_night());
    for line in [
        "2026-01-01 00:00:02.000  orders  hot            writes         3          3    60 s",
        "... and 1 more (--limit shows more)",
        "2 warnings about 2 of the log's 4 partitions. A warning means: at least 3 writes or 3 reads in 60 s.",
        "2026-01-01 00:00:08.000  orders  hot            writes     2026-01-01 00:00:02.000   6 s",
        "2 partitions were throttled (reads and writes counted separately): 1 had a warning before (6 s ahead, median), 1 had none. 1 \
         partition had a warning but no throttle.",
        "2 throttles left out: 1 for a reason other than one partition's traffic, 1 for a reason that the log does not give\n",
        "20 records: 20 counted",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }
    assert!(text.trim_end().ends_with("20 records: 20 counted"), "the last line accounts for every record");
}

#[test]
fn a_sweep_recommends_by_throttles() {
    let night = throttled_night();
    let outcome = json_of("--writes 4 --reads 4 --sweep=2,4,8,16", &night);
    let missed: Vec<_> =
        outcome["sweep"].as_array().unwrap().iter().map(|step| step["missed"].clone()).collect();
    assert_eq!(missed, [1, 1, 1, 2]);
    assert_eq!(outcome["recommended"]["step"], 2, "the highest of those that miss fewest");
    let text = printed("--writes 4 --reads 4 --sweep=2,4,8,16", &night);
    assert!(
        text.contains("Recommended: 8 writes, 8 reads. These are the highest of those that missed fewest, 1 of the 2 throttled partitions."),
        "{text}"
    );
    assert!(text.contains(", 2 missed"), "{text}");
}

#[test]
fn a_sweep_is_the_same_with_any_number_of_threads() {
    // More than are gathered at a time, of keys that come to be hot at different thresholds.
    let keys: Vec<Vec<u8>> = (0..15).map(|key| format!("key-{key}").into_bytes()).collect();
    let mut entries = Vec::new();
    for second in 0..70 {
        for (i, pk) in keys.iter().enumerate() {
            let access = Access::new(BEGIN_MS + second * 1_000, Operation::Write, b"orders", pk);
            entries.extend(std::iter::repeat_n(Entry::Access(access), i / 2));
        }
        if second > 40 {
            entries.push(throttle(second, b"key-14", Reason::KeyRange));
        }
    }
    let printed = |threads| {
        ["", " --json"].map(|more| {
            let line = format!("--writes 200 --sweep=20,50,100,200,300,360,400{more}");
            let (args, outcome) = outcome_by(threads, &line, &entries);
            let mut out = Vec::new();
            print(&mut out, &args, &outcome).unwrap();
            String::from_utf8(out).unwrap()
        })
    };
    let by_one = printed(1);
    let json: Value = serde_json::from_str(&by_one[1]).unwrap();
    let warnings: std::collections::BTreeSet<_> =
        json["sweep"].as_array().unwrap().iter().map(|step| step["warnings"].as_u64()).collect();
    assert!(warnings.len() > 5, "the steps differ: {warnings:?}");
    // The chosen thresholds, which see each entry as it comes, are among the steps.
    let chosen = json["warnings"].as_array().unwrap().len();
    assert_eq!(json["sweep"][3]["warnings"], chosen);
    for threads in [2, 3, 7, 20] {
        assert!(printed(threads) == by_one, "{threads} threads");
    }
}

#[test]
fn exchanges_are_counted_and_throttled_as_the_library_reads_them() {
    let request = br#"{"TableName":"orders","Key":{"id":{"S":"hot"}}}"#;
    let refused = br#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException",
        "throttlingReasons":[{"reason":"TableReadKeyRangeThroughputExceeded","resource":"arn:aws:dynamodb:eu-west-1:1:table/orders"}]}"#;
    let exchange = |second: u64, response: &'static [u8], http_status| {
        let time_ms = BEGIN_MS + second * 1_000;
        let (operation, response) = (&b"GetItem"[..], Some(response));
        Entry::Exchange(Exchange {
            from: Origin::default(),
            time_ms,
            operation,
            request,
            response,
            model: None,
            http_status,
        })
    };
    let mut entries: Vec<_> = (0..5).map(|second| exchange(second, b"{}", 200)).collect();
    entries.push(exchange(7, refused, 400));
    let outcome = json_of("--writes 3 --reads 3 --key orders=id", &entries);
    let warning = &outcome["warnings"][0];
    assert_eq!((&warning["time_ms"], &warning["pk"]), (&json!(BEGIN_MS + 2_000), &json!("hot")));
    assert_eq!(
        (&outcome["throttles"]["caught"], &outcome["throttles"]["median_lead_ms"]),
        (&json!(1), &json!(5_000))
    );
    assert_eq!(outcome["partitions"], 1);
}

/// `hot` was throttled at 8 too, and warned of: the detector that counts is silent about both for a
/// minute.
#[test]
fn the_first_throttle_of_a_period_is_set_against_a_warning_that_stood() {
    let mut night = throttled_night();
    night.push(throttle(11, b"hot", Reason::KeyRange));
    let from = BEGIN_MS + 9_000;
    let judged = |line: &str| {
        let outcome = json_of(&format!("--writes 3 --reads 3 --from {from} {line}"), &night);
        let throttles = &outcome["throttles"];
        let mut series = throttles["series"].as_array().unwrap().clone();
        series.sort_by_key(|of| of["first_throttle_ms"].as_u64());
        let series: Vec<_> =
            series.iter().map(|of| json!([of["pk"], of["first_throttle_ms"], of["lead_ms"]])).collect();
        json!([series, throttles["in_vain"], outcome["period"]["standing"]])
    };
    let hot = |lead: u64| json!(["hot", BEGIN_MS + 11_000, lead]);
    let cold = json!(["cold", from, null]);
    assert_eq!(judged(""), json!([[cold, hot(9_000)], 0, 2]));
    // The warning at 2 s is over by 9 s, when another comes.
    assert_eq!(judged("--interval 7"), json!([[cold, hot(2_000)], 0, 0]));
    assert_eq!(judged("--until 1767225610000"), json!([[cold], 0, 2]));
}

#[test]
fn a_person_reads_what_a_period_leaves_out() {
    let line = format!("--writes 3 --reads 3 --from {}", BEGIN_MS + 9_000);
    let text = printed(&line, &throttled_night());
    for line in [
        "No warning. It takes at least 3 writes or 3 reads in 60 s.\n",
        "The highest count of writes: 12, of table=\"orders\" pk=\"hot\" at 2026-01-01 00:00:11.000.\n",
        "2 partitions were warned about shortly before --from: within an interval (--interval) there is no second warning.\n",
        "1 partition was throttled (reads and writes counted separately): 0 had a warning before, 1 had none. 0 partitions had",
        "2 throttles left out: 1 for a reason other than one partition's traffic, 1 for a reason that the log does not give\n",
        "20 records: 6 counted; 14 outside of --from and --until\n",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }
    let later = printed(&format!("--writes 3 --reads 3 --from {}", BEGIN_MS + 10_000), &throttled_night());
    assert!(
        later.contains("1 throttle left out: 0 for ")
            && later.contains(", 1 for a reason that the log does not give"),
        "{later}"
    );
    let text = printed(&format!("--writes 3 --reads 3 --until {}", BEGIN_MS + 9_000), &throttled_night());
    for line in [
        "2 warnings about 2 of the period's 2 partitions.",
        "1 had a warning before (6 s ahead, median), 0 had none. 1 partition had a warning but no throttle.\n",
        "20 records: 14 counted; 6 outside of --from and --until\n",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }
    assert!(!text.contains("throttles left out") && !text.contains("before --from:"), "{text}");
}

#[test]
fn names_that_are_not_text_are_given_as_bytes_too() {
    let entries = [Entry::Access(write(0, b"a\xFF")), Entry::Access(write(0, b"a\"\n"))];
    let outcome = json_of("--writes 1 --reads 1", &entries);
    let [bytes, text] = [0, 1].map(|i| &outcome["warnings"][i]);
    assert_eq!((&bytes["pk"], &bytes["pk_base64"]), (&json!("a\\xFF"), &json!("Yf8=")));
    assert_eq!((&text["pk"], text.get("pk_base64")), (&json!("a\"\n"), None));
    let shown = printed("--writes 1 --reads 1", &entries);
    assert!(shown.contains(r"a\xFF") && shown.contains(r"a\x22\x0A"), "{shown}");
}

#[test]
fn without_a_warning_the_highest_counts_are_told() {
    let entries = [Entry::Access(write(0, b"a")), Entry::Access(write(1, b"a"))];
    let text = printed("", &entries);
    assert!(text.contains("No warning: no partition reached 800 writes or 2,500 reads in 60 s."), "{text}");
    let highest = r#"The highest count of writes: 2, of table="orders" pk="a" at 2026-01-01 00:00:01.000."#;
    assert!(text.contains(highest) && !text.contains("count of reads"), "{text}");
    for arguments in ["", "--sweep"] {
        let empty = printed(arguments, &[]);
        assert!(
            empty.starts_with("The log has no records that could be counted, so nothing can be said.\n"),
            "{empty}"
        );
        assert!(empty.contains("0 records: 0 counted") && !empty.contains("arning"), "{empty}");
    }
}

#[test]
fn the_names_of_json_come_in_their_order() {
    let text = printed("--writes 1 --reads 1 --json", &[Entry::Access(write(0, b"a"))]);
    let begin = format!(
        r#"{{"records":1,"partitions":1,"warnings":[{{"time_ms":{BEGIN_MS},"table":"orders","pk":"a","operation":"write","count":1,"threshold":1,"rule":"window""#
    );
    assert!(text.starts_with(&begin), "{text}");
}

#[test]
fn a_plot_shows_each_step_and_what_it_missed() {
    let path = std::env::temp_dir().join(format!("hotpart-plot-{}.svg", std::process::id()));
    let arguments = format!("--writes 4 --reads 4 --sweep=2,16 --plot {}", path.display());
    let (args, outcome) = outcome_of(&arguments, &throttled_night());
    crate::backtest::plot(&args, &outcome).unwrap();
    let svg = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    for text in ["2 writes, 2 reads", "16 writes, 16 reads", "1 caught, recommended", "1 missed", "2 missed"]
    {
        assert!(svg.contains(text), "no {text:?} in {svg}");
    }
}
