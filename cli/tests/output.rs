//! Output that can't be written: what fails says so and ends with another code than 0; and nobody
//! who has seen enough is told anything.

use std::io::pipe;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

const LINES: [&str; 11] = [
    "--version",
    "--help",
    "help",
    "backtest --help",
    "completions bash",
    "man",
    "inputs",
    "report --quiet log.csv",
    "report --quiet --json log.csv",
    "backtest --quiet --json log.csv",
    "heatmap --quiet -o map.svg log.csv",
];

/// A folder with a log in it.
fn folder() -> PathBuf {
    static WRITTEN: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("output");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("log.csv"), "1772445600000,write,t,a\n1772445601000,read,t,a\n")
            .expect("a file");
        folder
    });
    // Written once: tests run side by side.
    WRITTEN.clone()
}

fn run(line: &str, out: impl Into<Stdio>, err: impl Into<Stdio>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hotpart"));
    command
        .current_dir(folder())
        .args(line.split(' '))
        .stdout(out)
        .stderr(err)
        .output()
        .expect("the command runs")
}

#[cfg(target_os = "linux")]
fn full() -> std::fs::File {
    std::fs::File::options().write(true).open("/dev/full").expect("a device")
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    for line in LINES {
        let output = run(line, full(), Stdio::piped());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), said.starts_with("hotpart: ")), (Some(1), true), "{line}: {said}");
        assert_eq!(said.lines().count(), 1, "{line}: {said}");
        // What can't be told of it is no panic either.
        assert_eq!(run(line, full(), full()).status.code(), Some(1), "{line}");
    }
    assert_eq!(run("report --nonsense", Stdio::piped(), full()).status.code(), Some(2));
    assert_eq!(run("report absent.csv", Stdio::piped(), full()).status.code(), Some(1));
}

#[test]
fn a_pipe_that_is_closed_is_enough() {
    for line in LINES {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        let output = run(line, writer, Stdio::piped());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{line}: {said}");
    }
}
