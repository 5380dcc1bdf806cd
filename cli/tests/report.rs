//! `hotpart report`, compared with an oracle that shares nothing with it.

#[path = "support/oracle.rs"]
mod oracle;
#[path = "support/schema.rs"]
mod schema;

use oracle::{Line, Oracle, Random, Truth, csv};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const LIMITS: [(&str, u64); 2] = [("write", 1_000), ("read", 3_000)];

/// A folder for one test's files.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}"));
    std::fs::create_dir_all(&folder).expect("a folder for files");
    folder
}

fn run(files: &[PathBuf], args: &[&str]) -> Output {
    let command = &mut Command::new(env!("CARGO_BIN_EXE_hotpart"));
    command.args(["report", "--quiet"]).args(args).args(files).output().expect("the command runs")
}

fn text(files: &[PathBuf], args: &[&str]) -> String {
    let output = run(files, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Returns the report as JSON, which fits its schema.
fn report(files: &[PathBuf], args: &[&str]) -> Value {
    let report: Value =
        serde_json::from_str(&text(files, &[args, &["--json"]].concat())).expect("it prints JSON");
    let schema: Value = serde_json::from_str(include_str!("../schema/report.json")).expect("a schema");
    assert_eq!(schema::misfits(&schema, &report), Vec::<String>::new());
    report
}

/// A log of some minutes, in order: many cold keys, one that is hot for long, one in bursts, one in
/// a single second, and an index's.
fn lines(seed: u64, keys: u64) -> Vec<Line> {
    let mut random = Random(seed);
    let mut lines = Vec::new();
    let begin = 1_772_331_247_000;
    for second in 0..200 {
        let mut line = |random: &mut Random, operation, table: &str, pk: String, amount| {
            let time_ms = begin + second * 1_000 + random.below(1_000);
            lines.push(Line { time_ms, operation, table: table.into(), pk, amount });
        };
        for _ in 0..60 {
            let operation = ["write", "read", "read"][random.below(3) as usize];
            let table = ["orders", "customers"][random.below(2) as usize];
            let pk = format!("customer#{}", random.below(keys).min(random.below(keys)));
            let amount = 1 + random.below(4);
            line(&mut random, operation, table, pk, amount);
        }
        for _ in 0..if (50..150).contains(&second) { 12 } else { 0 } {
            let amount = 30 + random.below(40);
            line(&mut random, "write", "orders", "customer#7".into(), amount);
        }
        for _ in 0..if second % 37 < 3 { 20 } else { 0 } {
            line(&mut random, "write", "orders/index/by-status", "OPEN".into(), 40);
        }
        for _ in 0..if second == 119 { 50 } else { 0 } {
            line(&mut random, "read", "posts", "post#1".into(), 50);
        }
    }
    lines.sort();
    lines
}

/// Puts lines out of order, each by up to so many milliseconds.
fn shuffled(lines: &[Line], by_ms: u64) -> Vec<Line> {
    let mut random = Random(11);
    let mut late: Vec<_> =
        lines.iter().map(|line| (line.time_ms + random.below(by_ms), line.clone())).collect();
    late.sort();
    late.into_iter().map(|(_, line)| line).collect()
}

fn write(folder: &Path, name: &str, lines: &[Line]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, csv(lines)).expect("a file is written");
    path
}

fn full_table(partition: &Value) -> String {
    let name = |member: &str| partition[member].as_str().map(str::to_owned);
    let table = name("table").expect("a table");
    name("index").map_or(table.clone(), |index| format!("{table}/index/{index}"))
}

/// Returns the number of whole ones.
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is a whole number"))
}

fn fullest(value: &Value) -> (u64, u64) {
    assert_eq!(value["count"], value["at_least"], "counts are exact");
    (number(&value["time_ms"]) / 1_000, number(&value["count"]))
}

/// Checks every number of a report that lists all partitions.
fn check_all(report: &Value, oracle: &Oracle) {
    assert_eq!(report["exact"], true);
    for (i, (operation, limit)) in LIMITS.into_iter().enumerate() {
        let of = &report["operations"][i];
        assert_eq!(of["operation"], operation);
        let all: Vec<_> = oracle.counts.iter().filter(|((of, ..), _)| *of == operation).collect();
        let hottest = of["hottest"].as_array().expect("a list");
        assert_eq!((hottest.len(), number(&of["partitions"])), (all.len(), all.len() as u64));
        assert_eq!((number(&of["total"]), number(&of["others"])), (oracle.total(operation), 0));
        let mut hot = 0;
        for partition in hottest {
            let pk = partition["pk"].as_str().expect("a key");
            let key = (operation, full_table(partition), pk.to_owned());
            let truth = Oracle::truth(&oracle.counts[&key], limit / 2);
            hot += u64::from(truth.hot_seconds > 0);
            let told = Truth {
                count: number(&partition["count"]),
                fullest_second: fullest(&partition["fullest_second"]),
                fullest_minute: fullest(&partition["fullest_minute"]),
                busy_minutes: number(&partition["busy_minutes"]),
                hot_seconds: number(&partition["hot_seconds"]),
                longest_run: number(&partition["longest_run"]),
            };
            assert_eq!(told, truth, "{key:?}");
            assert_eq!(partition["hot"], truth.hot_seconds > 0, "{key:?}");
            let shards = truth.fullest_second.1.div_ceil(limit / 2);
            let told = (truth.hot_seconds > 0).then(|| number(&partition["advice"]["shards"]));
            assert_eq!(told, (truth.hot_seconds > 0).then_some(shards), "{key:?}");
        }
        assert!(hottest.is_sorted_by_key(|of| std::cmp::Reverse(number(&of["fullest_second"]["count"]))));
        assert_eq!(number(&of["hot"]), hot);
    }
}

#[test]
fn all_numbers_are_the_oracles() {
    let folder = folder("exact");
    let lines = lines(1, 300);
    let oracle = Oracle::new(&lines);
    let late = shuffled(&lines, 50_000);
    assert!(!late.is_sorted());
    let (mut some, mut others) = (Vec::new(), Vec::new());
    for (i, line) in late.iter().enumerate() {
        if i % 3 == 0 { some.push(line.clone()) } else { others.push(line.clone()) }
    }
    let one = [write(&folder, "one.csv", &lines)];
    let late = [write(&folder, "late.csv", &late)];
    let several = [write(&folder, "some.csv", &some), write(&folder, "others.csv", &others)];
    for files in [&one[..], &late, &several] {
        for args in [&["--top", "10000"][..], &["--top", "10000", "--units"]] {
            let report = report(files, args);
            check_all(&report, &oracle);
            assert_eq!(number(&report["records"]["entries"]), lines.len() as u64);
            assert_eq!(number(&report["span"]["first_ms"]), lines[0].time_ms);
            assert_eq!(number(&report["span"]["last_ms"]), lines.last().expect("a line").time_ms);
            let tables = serde_json::json!(["customers", "orders", "orders/index/by-status", "posts"]);
            assert_eq!(report["tables"], tables);
        }
    }
}

#[test]
fn those_that_are_listed_and_all_others_add_up() {
    let folder = folder("sum");
    let lines = lines(2, 300);
    let oracle = Oracle::new(&lines);
    let file = [write(&folder, "log.csv", &lines)];
    let full = report(&file, &["--top", "10000"]);
    let report = report(&file, &["--top", "3"]);
    for (i, (operation, _)) in LIMITS.into_iter().enumerate() {
        let of = &report["operations"][i];
        let listed: u64 =
            of["hottest"].as_array().expect("a list").iter().map(|of| number(&of["count"])).sum();
        assert_eq!(listed + number(&of["others"]), oracle.total(operation));
        // The same three as the first of all, with all that is said of them.
        let first = &full["operations"][i]["hottest"].as_array().expect("a list")[..3];
        assert_eq!(of["hottest"].as_array().expect("a list"), first);
    }
}

#[test]
fn bounded_memory_misses_nothing_hot() {
    let folder = folder("bounded");
    for (seed, keys) in [(3, 300), (4, 30_000)] {
        let lines = lines(seed, keys);
        let oracle = Oracle::new(&lines);
        let file = [write(&folder, &format!("{seed}.csv"), &lines)];
        for memory in ["512KiB", "1MiB", "8MiB"] {
            let report = report(&file, &["--top", "200", "--memory", memory]);
            assert_eq!(report["exact"], false);
            for (i, (operation, limit)) in LIMITS.into_iter().enumerate() {
                let of = &report["operations"][i];
                let hottest = of["hottest"].as_array().expect("a list");
                let told = |table: &str, pk: &str| {
                    hottest.iter().find(|of| full_table(of) == table && of["pk"] == pk)
                };
                for ((_, table, pk), seconds) in oracle.counts.iter().filter(|((of, ..), _)| *of == operation)
                {
                    let truth = Oracle::truth(seconds, limit / 2);
                    let Some(told) = told(table, pk) else {
                        assert_eq!(truth.hot_seconds, 0, "{table} {pk} was hot, and within {memory} missed");
                        continue;
                    };
                    let [second, minute] = ["fullest_second", "fullest_minute"]
                        .map(|of| (number(&told[of]["at_least"]), number(&told[of]["count"])));
                    assert!(number(&told["count"]) <= truth.count, "{table} {pk} had at least so much");
                    assert!(second.0 <= truth.fullest_second.1 && minute.0 <= truth.fullest_minute.1);
                    assert!(second.1 >= truth.fullest_second.1, "{table} {pk} had at most so much");
                    assert!(
                        minute.1 >= truth.fullest_minute.1,
                        "{table} {pk} had at most so much in a minute"
                    );
                    assert!(
                        number(&told["hot_seconds"]) <= truth.hot_seconds,
                        "{table} {pk} was hot in as many"
                    );
                    if truth.hot_seconds > 0 {
                        assert_eq!(told["hot"], true);
                    }
                }
                let listed: u64 = hottest.iter().map(|of| number(&of["count"])).sum();
                assert_eq!(number(&of["total"]), oracle.total(operation));
                assert_eq!(listed + number(&of["others"]), oracle.total(operation));
            }
        }
    }
}

/// The last second of a minute is not over when bounded memory is asked for it; it is told by what
/// the others lack.
#[test]
fn bounded_memory_tells_the_last_second_of_a_minute() {
    let folder = folder("last");
    let begin = 1_772_331_240_000;
    let line = |second: u64, pk: &str, amount| Line {
        time_ms: begin + second * 1_000,
        operation: "write",
        table: "orders".into(),
        pk: pk.into(),
        amount,
    };
    let mut lines = Vec::new();
    for second in 0..60 {
        lines.extend((0..20).map(|_| line(second, "last", 10)));
        lines.extend((0..20).map(|_| line(second, "amid", if second == 30 { 40 } else { 10 })));
    }
    lines.extend((0..20).map(|_| line(59, "last", 40)));
    let file = [write(&folder, "log.csv", &lines)];
    let report = report(&file, &["--memory", "8MiB"]);
    let hottest = report["operations"][0]["hottest"].as_array().expect("a list");
    let told: Vec<_> = hottest
        .iter()
        .map(|of| (of["pk"].as_str().expect("a key"), number(&of["fullest_second"]["time_ms"]) - begin))
        .collect();
    assert_eq!(told, [("last", 59_000), ("amid", 30_000)]);
    assert_eq!(number(&hottest[0]["hot_seconds"]), 1);
}

#[test]
fn a_person_reads_what_was_hot_and_what_to_do() {
    let folder = folder("human");
    let file = [write(&folder, "log.csv", &lines(5, 300))];
    let text = text(&file, &["--top", "2"]);
    let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "2026-03-01 02:14:07 to 2026-03-01 02:17:26 UTC, 3.3 minutes",
        "4 tables",
        "Writes: 2 of ",
        "orders customer#7 ",
        "What to do writes of orders/index/by-status / OPEN Bursts: hot during 18 seconds in total, at most 3 in a row. The index is hot",
        "writes of orders / customer#7 Sustained: hot for 100 seconds without a break. Split the key into 2: ",
        "reads of posts / post#1 Hot in one second; it had 2,500 in its fullest minute. If this happens again, spread",
        "it is enough if a cache answers 40 % of these reads.",
        "All counts are exact. Memory used for counting: ",
    ] {
        assert!(unwrapped.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.ends_with(" counted\n"), "the last line accounts for every record:\n{text}");
}

#[test]
fn nothing_hot_is_said_in_a_sentence() {
    let folder = folder("cold");
    let line = |time_ms, pk: &str| Line {
        time_ms,
        operation: "write",
        table: "orders".into(),
        pk: pk.into(),
        amount: 25,
    };
    let file = [write(&folder, "log.csv", &[line(5_000, "a"), line(67_000, "b"), line(67_001, "b")])];
    let said = text(&file, &[]);
    let sentence = "\nNothing was hot (hot means over 50 % of the limit). The closest was orders / b with 50 writes in the second 0:01:02, 5.0 % of its limit.\n";
    assert!(said.contains(sentence), "{said}");
    let said = text(&file, &["--hot", "4%"]).split_whitespace().collect::<Vec<_>>().join(" ");
    let advice = "Split the key into 2: it had 50 writes in one second, and each part should stay within 40 (4.0 % of the limit).";
    assert!(said.contains(advice), "{said}");
    let empty = [write(&folder, "empty.csv", &[])];
    assert_eq!(
        text(&empty, &[]).lines().next(),
        Some("The log has no records that could be counted, so nothing can be said.")
    );
    assert_eq!(report(&empty, &[])["span"], Value::Null);
}

#[test]
fn a_part_of_the_time_is_looked_at() {
    let folder = folder("part");
    let lines = lines(6, 300);
    let file = [write(&folder, "log.csv", &lines)];
    let report =
        report(&file, &["--top", "10000", "--from", "2026-03-01T02:15", "--until", "2026-03-01T02:16:30Z"]);
    let within: Vec<_> = lines
        .iter()
        .filter(|line| (1_772_331_300_000..1_772_331_390_000).contains(&line.time_ms))
        .cloned()
        .collect();
    check_all(&report, &Oracle::new(&within));
    let outside = (lines.len() - within.len()) as u64;
    assert_eq!(number(&report["records"]["without_entries"]["outside of --from and --until"]), outside);
    assert_eq!(number(&report["records"]["entries"]), within.len() as u64);
}

#[test]
fn half_units_and_odd_keys_are_told() {
    let folder = folder("odd");
    let path = folder.join("log.csv");
    std::fs::write(&path, b"1,write,t,\xff\"x\n2,read,t,\x1b[31m\n").expect("a file is written");
    let said = text(std::slice::from_ref(&path), &[]);
    assert!(said.contains("\\xFF\"x") && said.contains("\\x1B[31m") && !said.contains('\x1b'), "{said}");
    let report = report(&[path], &[]);
    let [write, read] = [0, 1].map(|i| &report["operations"][i]["hottest"][0]);
    assert_eq!((write["pk"].as_str(), write["pk_hex"].as_str()), (Some("\\xFF\"x"), Some("ff2278")));
    assert_eq!((read["pk"].as_str(), read["pk_hex"].as_str()), (Some("\u{1b}[31m"), None));
}

#[test]
fn the_acceptance_trace_is_the_oracles() {
    let Some(trace) = std::env::var_os("HOTPART_TRACE") else {
        println!("skipped: HOTPART_TRACE does not name the trace");
        return;
    };
    let content = std::fs::read_to_string(&trace).expect("the trace");
    let line = |line: &str| {
        let fields: Vec<_> = line.split(',').collect();
        let operation = if fields[1] == "write" { "write" } else { "read" };
        let [table, pk] = [fields[2], fields[3]].map(str::to_owned);
        Line { time_ms: fields[0].parse().expect("a time"), operation, table, pk, amount: 1 }
    };
    let lines: Vec<_> = content.lines().skip(1).map(line).collect();
    let oracle = Oracle::new(&lines);
    let late = [write(&folder("trace"), "late.csv", &shuffled(&lines, 60_000))];
    for files in [&[PathBuf::from(trace)], &late] {
        check_all(&report(files, &["--top", "10000"]), &oracle);
    }
}

#[test]
fn one_is_not_several() {
    let path = folder("one").join("log.csv");
    std::fs::write(&path, "1,write,t,a\n").expect("a file is written");
    let said = text(&[path], &[]);
    for part in ["1 record, 1 table, 1 write, 0 reads", "with 1 write in the second"] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
}
