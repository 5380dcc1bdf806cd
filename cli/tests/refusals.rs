//! Refusals of the command: each says what to write in place of what was wrong.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// A folder with a log in it.
fn folder() -> PathBuf {
    static WRITTEN: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refusals");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("log.csv"), "1772445600000,write,t,a\n1772445601000,read,t,a\n").unwrap();
        std::fs::copy(folder.join("log.csv"), folder.join("log.svg")).unwrap();
        folder
    });
    // Written once: tests run side by side.
    WRITTEN.clone()
}

/// The error of a command line, whose words are none that have a blank in them.
fn refused(line: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    let output = command.current_dir(folder()).args(line.split(' ')).output().unwrap();
    assert!(!output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
    assert!(output.stdout.is_empty(), "{line}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_refusal_says_what_to_write() {
    for (line, says) in [
        ("backtest --sweep 100,200 log.csv", "100,200 is taken for a file: write --sweep=100,200"),
        ("backtest --sweep=a log.csv", "a threshold is a number, as in --sweep=100,200,400"),
        (
            "backtest --sweep=5 --preset dynamodb log.csv",
            "shares of its limits, from 0.001 to 1, as in 0.5: 5 is not",
        ),
        ("backtest --preset dynamodb --share 80 log.csv", "as in 80% or 0.8"),
        ("backtest --table t=, log.csv", "as in orders=2000,5000 or orders=2000 or orders=,5000"),
        ("backtest --memory 10 log.csv", "a size is from 64KiB to 1TiB, as in 64MiB"),
        ("report --memory lots log.csv", "a size is a number with KiB, MiB, GiB, KB, MB or GB, as in 64MiB"),
        ("report --column pk log.csv", "it has no '=' with something on both sides, as in pk=user_id"),
        (
            "report --column user=3 log.csv",
            "\"user\" is none of time_ms, operation, table, pk, amount, model",
        ),
        ("report --key orders log.csv", "as in orders=id"),
        (
            "report --key orders=a,b log.csv",
            "attributes must be one for a table, and up to four for an index",
        ),
        ("report --hot 50 log.csv", "as in 50% or 0.5"),
        (
            "heatmap -o h.html --from 2026-03-03 log.csv",
            "The log is from 2026-03-02 10:00:00 to 2026-03-02 10:00:01 UTC. 2 records: 0 counted",
        ),
        ("report --from 5000 --until 4000 log.csv", "nothing is between --from and --until"),
        (
            "report --from 1500 log.csv",
            "--from is within a second, and counts are of whole seconds: 1000 or 2000",
        ),
        ("heatmap -o h.html --until 1500 log.csv", "--until is within a second"),
        (
            "backtest --from 1500 log.csv",
            "--from is within a second, and counts are of whole seconds: 1000 or 2000",
        ),
        ("backtest --sweep --from 5000 --until 5000 log.csv", "nothing is between --from and --until"),
        (
            "report --from 1772445601 log.csv",
            "--from 1772445601: Is this in seconds? Give milliseconds, or 2026-03-02T10:00:01",
        ),
        ("heatmap -o log.svg log.svg", "log.svg: it is read, and would be overwritten"),
        ("backtest --sweep --plot log.svg log.svg", "log.svg: it is read, and would be overwritten"),
        (
            "backtest --sweep --plot ./log.svg log.csv --schema log.svg",
            "it is read, and would be overwritten",
        ),
        (
            "report log.csv ./log.csv",
            "./log.csv: it is named twice, as log.csv too, and would be counted twice",
        ),
        ("report log.csv log.svg log.csv", "log.csv: it is named twice, and would be counted twice"),
        (
            "report --column pk=4 --column pk=3 log.csv",
            "--column pk: it is named twice, and can have one value",
        ),
        ("heatmap -o h.html --key t=a --key u=a --key t=a log.csv", "--key t: it is named twice"),
        ("top http://127.0.0.1:9/metrics --once http://127.0.0.1:9/metrics", "is named twice"),
        (
            "report --memory 64KiB log.csv",
            "--memory is too small: this command needs 512KiB or more. Give that much, or leave out --memory",
        ),
        (
            "report --memory 1MiB --top 10000 log.csv",
            "KiB or more. Give that much, or a lower --top, or leave out --memory",
        ),
        (
            "report --schema log.csv log.svg",
            "log.csv: this is not the description of a table, as `aws dynamodb describe-table` prints it",
        ),
        ("heatmap -o h.html --memory 64KiB log.csv", "this command needs 512KiB or more"),
        ("man nothing", "nothing is none of the commands: report, backtest"),
        ("top --every inf http://127.0.0.1:9/metrics", "seconds are a number from 0.1 to 3600"),
    ] {
        let error = refused(line);
        assert!(error.contains(says), "{line} does not say {says:?}: {error}");
    }
}

/// Returns all output of a command line that succeeds on a log with these lines.
fn said(log: &str, lines: &str, line: &str) -> String {
    std::fs::write(folder().join(log), lines).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    let output = command.current_dir(folder()).args(line.split(' ')).arg(log).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_log_of_which_nothing_is_counted_is_said_to_be_one() {
    let empty = "The log has no records that could be counted, so nothing can be said.\n";
    for line in ["report --quiet", "backtest --quiet", "backtest --quiet --sweep"] {
        assert!(said("empty.csv", "time_ms,operation,table,pk\n", line).starts_with(empty), "{line}");
    }
    let outside = said("outside.csv", "1772445600000,write,t,a\n", "report --quiet --from 2026-03-03");
    let expected = "The log has no records between --from and --until, so nothing can be said.\n\n\
                    The log is from 2026-03-02 10:00:00 to 2026-03-02 10:00:00 UTC.\n";
    assert!(outside.starts_with(expected), "{outside}");
    let request = r#"{"time_ms":1772445600000,"operation":"Scan","request":{"TableName":"t"},"response":{},"http_status":200}"#;
    for line in ["report --quiet", "backtest --quiet"] {
        let scan = said("scan.jsonl", request, line);
        assert!(
            scan.contains("no operations that could be counted for a partition, so nothing can be said."),
            "{scan}"
        );
    }
}

#[test]
fn unknown_column_names_are_asked_about() {
    std::fs::write(folder().join("odd.csv"), "ts,op,tbl,user\n1772445600000,write,t,a\n").unwrap();
    let error = refused("report odd.csv");
    let says = "the first line, \"ts,op,tbl,user\", has none of the column names time_ms, operation, table and pk. Say which column is which, as in \
                --column time_ms=ts --column operation=op --column table=table --column pk=user";
    assert!(error.contains(says), "{error}");
    let error = refused("report --column pk=userid odd.csv");
    assert!(error.contains("no column is named \"userid\" in the first line, \"ts,op,tbl,user\""), "{error}");
    std::fs::write(folder().join("half.csv"), "ts,operation,table,pk\n1772445600000,write,t,a\n").unwrap();
    assert!(
        refused("report half.csv")
            .contains("has no column named time_ms. Say which one it is, as in --column time_ms=ts")
    );
    assert!(
        refused("report --column time_ms=ts odd.csv")
            .contains("no column named operation. Say which one it is: --column operation=HEADER")
    );
    let columns =
        "report --quiet --column time_ms=ts --column operation=op --column table=tbl --column pk=user";
    assert!(
        said("odd.csv", "ts,op,tbl,user\n1772445600000,write,t,a\n", columns)
            .ends_with("1 record: 1 counted\n")
    );
}

#[test]
fn many_records_that_are_too_late_have_a_remark() {
    let late = "1772445700000,write,t,a\n".to_owned() + &"1772445600000,write,t,a\n".repeat(3);
    let remark = "\n3 of 4 records were left out: too late (--lateness)\n";
    for line in ["report --quiet", "backtest --quiet"] {
        assert!(said("late.csv", &late, line).contains(remark), "{line}");
    }
    let few = "1772445700000,write,t,a\n".repeat(200) + "1772445600000,write,t,a\n";
    let few = said("few.csv", &few, "report --quiet");
    assert!(!few.contains("were left out") && !few.contains("was left out"), "{few}");
}

#[test]
fn lines_that_cannot_be_read_are_shown_as_far_as_a_few() {
    let bad = "x,write,t,a\n".repeat(20) + "1772445600000,write,t,a\n1772445600000,write,,a\n";
    let said = said("bad.csv", &bad, "report --quiet --keep-going");
    assert!(said.contains("\nbad: bad.csv:5: ") && said.contains("\nbad: and 16 more\n"), "{said}");
    assert!(!said.contains("bad.csv:6: "), "{said}");
    let one = self::said(
        "one.csv",
        "1772445600000,write,,a\n1772445600000,write,t,a\n",
        "report --quiet --keep-going",
    );
    assert!(one.contains("\nbad: one.csv:1: table is empty\n") && !one.contains(" more\n"), "{one}");
}

#[test]
fn what_is_no_log_is_refused_in_plain_words() {
    std::fs::write(folder().join("tabs.csv"), "1772445600000\twrite\tt\ta\n").unwrap();
    let says = "tabs.csv: unknown format (see `hotpart inputs`). CSV fields must be separated by commas.";
    assert!(refused("report tabs.csv").contains(says));
    let log: String = (0..9_000_u64)
        .map(|n| format!("{},write,t,{}\n", 1_772_445_600_000 + n, n.wrapping_mul(n * 77_773) % 99_991))
        .collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, log.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(log.as_bytes(), 3).unwrap();
    for (name, whole) in [("cut.csv.gz", gzip), ("cut.csv.zst", zstd)] {
        std::fs::write(folder().join(name), &whole[..whole.len() / 2]).unwrap();
        let error = refused(&format!("report --quiet {name}"));
        assert!(error.contains("the compressed file ends early: it may be cut off"), "{error}");
    }
}

#[test]
fn where_nothing_can_be_written_is_said_before_the_log_is_read() {
    // The log is none that is there: it would be the first that is missed.
    assert!(refused("heatmap -o none/h.html absent.csv").contains("none/h.html: its folder: No such file"));
    assert!(
        refused("backtest --sweep --plot none/p.svg absent.csv")
            .contains("none/p.svg: its folder: No such file")
    );
}

#[test]
fn each_command_has_a_manual_page_of_its_own() {
    let page = |line: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_hotpart")).args(line.split(' ')).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (top, sweep) = (page("man"), page("man backtest"));
    assert!(top.contains("Finds hot DynamoDB partitions") && !top.contains("an\\-hour"), "{top}");
    assert!(sweep.contains("an\\-hour") && sweep.contains(".TH hotpart-backtest 1"), "{sweep}");
    assert!(sweep.contains("\\fBhotpart backtest\\fR"), "{sweep}");
}

/// Five minutes with eleven warnings have 132 an hour.
#[test]
fn warnings_an_hour_are_by_the_true_length_of_a_short_log() {
    let lines = (0..=10).map(|n| format!("{},write,t,key {n},100\n", 1_772_445_600_000_u64 + n * 30_000));
    std::fs::write(folder().join("short.csv"), lines.collect::<String>()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    let words = "backtest --quiet --preset moderate --sweep=50,200 short.csv".split(' ');
    let output = command.current_dir(folder()).args(words).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("132.0"), "{said}");
    assert!(!said.contains("Recommended: 50"), "{said}");
}
