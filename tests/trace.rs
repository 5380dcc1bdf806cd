//! Acceptance over a trace: everything that the C program `replay` prints, against an oracle that
//! is nothing but lists of times.
//!
//! HOTPART_TRACE names the trace and HOTPART_REPLAY the program; `ci/trace.sh` sets both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Table, partition key.
type Partition = (String, String);

const OPERATIONS: [&str; 2] = ["write", "read"];

struct Record {
    time_ms: i64,
    operation: usize,
    partition: Partition,
}

/// For each operation and partition, one number for each of its records.
type Series<'t> = BTreeMap<(usize, &'t Partition), Vec<i64>>;

/// For each operation and partition, the highest of its numbers.
type Highest<'t> = BTreeMap<(usize, &'t Partition), i64>;

fn read_trace(path: &Path) -> Vec<Record> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("time_ms,operation,table,pk"));
    lines
        .map(|line| {
            let columns: Vec<&str> = line.split(',').collect();
            let [time_ms, operation, table, pk] = columns[..] else { panic!("not four columns: {line}") };
            // What the log line would escape, this test does not.
            assert!(!line.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')), "not plain: {line}");
            Record {
                time_ms: time_ms.parse().unwrap(),
                operation: OPERATIONS.iter().position(|&name| name == operation).unwrap(),
                partition: (table.to_owned(), pk.to_owned()),
            }
        })
        .collect()
}

/// How many of `times`, which end at `now`, lie in the `span` before it, as in (now - span, now].
fn exact(times: &[i64], now: i64, span: i64) -> i64 {
    (times.len() - times.partition_point(|&time| time <= now - span)) as i64
}

/// For each record the least and the most that its count may be.
fn bounds(trace: &[Record], window: i64) -> Vec<(i64, i64)> {
    let mut times = Series::new();
    trace
        .iter()
        .map(|record| {
            let times = times.entry((record.operation, &record.partition)).or_default();
            times.push(record.time_ms);
            let exact = |span_s: i64| exact(times, record.time_ms, span_s * 1000);
            (exact(window), exact(window + 1))
        })
        .collect()
}

/// The highest of each partition's numbers; `numbers` has one for each record.
fn highest(trace: &[Record], numbers: impl Iterator<Item = i64>) -> Highest<'_> {
    let mut highest = Highest::new();
    for (record, number) in trace.iter().zip(numbers) {
        let most = highest.entry((record.operation, &record.partition)).or_insert(number);
        *most = number.max(*most);
    }
    highest
}

/// A threshold that about one partition in twenty reaches.
fn threshold(highest: &Highest<'_>, operation: usize) -> i64 {
    let mut counts: Vec<i64> =
        highest.iter().filter(|((of, _), _)| *of == operation).map(|(_, &count)| count).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts[counts.len() / 20].max(2)
}

/// The output that `replay` must print, given what each record returned: it warns at most once a
/// window for each partition and operation.
fn expected_output<'t>(
    trace: &'t [Record],
    counts: &[i64],
    window: i64,
    threshold: impl Fn(&Record) -> i64,
) -> (String, Series<'t>) {
    let mut output = String::new();
    let mut warned = Series::new();
    for (record, &count) in trace.iter().zip(counts) {
        let Record { time_ms, operation, partition } = record;
        if count < threshold(record) {
            continue;
        }
        let warnings = warned.entry((*operation, partition)).or_default();
        if warnings.last().is_none_or(|last| time_ms - last >= window * 1000) {
            warnings.push(*time_ms);
            let (seconds, ms, name) = (time_ms / 1000, time_ms % 1000, OPERATIONS[*operation]);
            let (table, pk) = partition;
            let line = format!(
                "Hot partition detected - table=\"{table}\" pk=\"{pk}\" had {count} {name}s in {window}s"
            );
            writeln!(output, "{seconds}.{ms:03}s {line}").unwrap();
        }
    }
    let partitions: BTreeSet<_> = trace.iter().map(|record| &record.partition).collect();
    let warnings: usize = warned.values().map(Vec::len).sum();
    writeln!(output, "{} records, {} partitions, {warnings} warnings", trace.len(), partitions.len())
        .unwrap();
    let highest = highest(trace, counts.iter().copied());
    for (operation, name) in OPERATIONS.into_iter().enumerate() {
        writeln!(output, "highest counts of {name}s:").unwrap();
        let mut hottest: Vec<_> = highest.iter().filter(|((of, _), _)| *of == operation).collect();
        hottest.sort_by_key(|&((_, partition), &count)| (-count, *partition));
        for ((_, (table, pk)), count) in hottest.into_iter().take(10) {
            writeln!(output, "{count:8}  table=\"{table}\" pk=\"{pk}\"").unwrap();
        }
    }
    (output, warned)
}

struct Acceptance {
    path: PathBuf,
    replay: PathBuf,
    trace: Vec<Record>,
}

impl Acceptance {
    /// The output of `replay`, and the count that each record returned.
    fn replay(&self, arguments: &[String]) -> (String, Vec<i64>) {
        let counts = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("counts-{}", std::process::id()));
        let output = Command::new(&self.replay)
            .args(arguments)
            .arg("--counts")
            .arg(&counts)
            .stdin(File::open(&self.path).unwrap())
            .stderr(Stdio::inherit())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}: {}", self.replay.display(), output.status);
        let returned =
            fs::read_to_string(&counts).unwrap().lines().map(|line| line.parse().unwrap()).collect();
        fs::remove_file(&counts).unwrap();
        (String::from_utf8(output.stdout).unwrap(), returned)
    }

    /// One run. With `overridden`, one table's writes have their threshold from an override, and
    /// those of all others one that none can reach.
    fn check(&self, window: i64, overridden: Option<&str>) {
        let bounds = bounds(&self.trace, window);
        let least = highest(&self.trace, bounds.iter().map(|&(least, _)| least));
        let most = highest(&self.trace, bounds.iter().map(|&(_, most)| most));
        let [writes, reads] = [0, 1].map(|operation| threshold(&least, operation));
        let mut arguments = vec![format!("--window={window}"), format!("--reads={reads}")];
        let unreachable = self.trace.len() as i64 + 1;
        match overridden {
            None => arguments.push(format!("--writes={writes}")),
            Some(table) => {
                arguments.push(format!("--writes={unreachable}"));
                arguments.push(format!("--table-writes={table}={writes}"));
            }
        }
        let arguments: Vec<String> =
            arguments.iter().flat_map(|argument| argument.splitn(2, '=')).map(str::to_owned).collect();
        let threshold = |operation: usize, (table, _): &Partition| match (OPERATIONS[operation], overridden) {
            ("read", _) => reads,
            (_, Some(other)) if table != other => unreachable,
            _ => writes,
        };

        let (output, counts) = self.replay(&arguments);
        assert_eq!(counts.len(), self.trace.len(), "counts returned");
        for (i, (&count, (least, most))) in counts.iter().zip(&bounds).enumerate() {
            assert!((*least..=*most).contains(&count), "line {}: {count} is not of {least} to {most}", i + 2);
        }
        let (expected, warned) = expected_output(&self.trace, &counts, window, |record| {
            threshold(record.operation, &record.partition)
        });
        for (line, (printed, expected)) in output.lines().zip(expected.lines()).enumerate() {
            assert_eq!(printed, expected, "line {} of the output", line + 1);
        }
        assert_eq!(output.len(), expected.len(), "length of the output");

        // Who must be warned about, and who may be, by the times alone.
        let hot = |highest: &Highest<'_>, &(operation, partition): &(usize, &Partition)| {
            highest[&(operation, partition)] >= threshold(operation, partition)
        };
        let missed = least.keys().find(|of| hot(&least, of) && !warned.contains_key(of));
        assert_eq!(missed, None, "hot, and no warning");
        let invented = warned.keys().find(|of| !hot(&most, of));
        assert_eq!(invented, None, "a warning, and not hot");
        assert!((1..least.len() / 2).contains(&warned.len()), "the thresholds tell nobody apart");

        let warnings: usize = warned.values().map(Vec::len).sum();
        println!(
            "window {window} s, hot from {writes} writes{} or {reads} reads: {} counts are right; \
             {warnings} warnings about {} of {} (partition, operation) pairs",
            overridden.map_or(String::new(), |table| format!(" to {table} only")),
            counts.len(),
            warned.len(),
            least.len(),
        );
    }
}

#[test]
fn a_replayed_trace_agrees_with_the_oracle() {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let (Some(path), Some(replay)) = (variable("HOTPART_TRACE"), variable("HOTPART_REPLAY")) else {
        eprintln!("skipped: ci/trace.sh says which trace, and which program to replay it with");
        return;
    };
    let acceptance = Acceptance { trace: read_trace(&path), path, replay };
    for window in [1, 10, 60] {
        acceptance.check(window, None);
    }
    let (table, _) = acceptance.trace.iter().find(|record| record.operation == 0).unwrap().partition.clone();
    acceptance.check(10, Some(&table));
}
