//! Refusals of the command: each says what to write in place of what was wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder with a log in it.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("refusals");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("log.csv"), "1772445600000,write,t,a\n1772445601000,read,t,a\n").unwrap();
    std::fs::copy(folder.join("log.csv"), folder.join("log.svg")).unwrap();
    folder
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
        ("backtest --sweep=5 --preset dynamodb log.csv", "shares of its limits, from 0.001 to 1; 5 is none"),
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
            "heatmap -o h.html --from 2026-03-03 log.csv",
            "the log is from 2026-03-02 10:00:00 to 2026-03-02 10:00:01 UTC",
        ),
        ("report --from 5000 --until 4000 log.csv", "nothing is between --from and --until"),
        (
            "report --from 1500 log.csv",
            "--from is within a second, and counts are of whole seconds: 1000 or 2000",
        ),
        ("heatmap -o h.html --until 1500 log.csv", "--until is within a second"),
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
        ("report --memory 64KiB log.csv", "it has no room for what is listed: 512KiB or more has"),
        ("report --memory 1MiB --top 10000 log.csv", "it has no room for what is listed: "),
        ("heatmap -o h.html --memory 64KiB log.csv", "512KiB or more has"),
        ("man nothing", "nothing is none of the commands: report, backtest"),
        ("top --every inf http://127.0.0.1:9/metrics", "seconds are a number from 0.1 to 3600"),
    ] {
        let error = refused(line);
        assert!(error.contains(says), "{line} does not say {says:?}: {error}");
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
