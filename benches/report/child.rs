//! Measures that need a process of their own, since what one leaves in the heap is there for the
//! next. This program starts itself once more, and the child prints a line for each result: a name,
//! and numbers.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::{Command, Stdio};

const CHILD: &str = "--child";

/// Numbers that a child measured, by name.
pub type Results = BTreeMap<String, Vec<i64>>;

/// Runs the measure of this name in a child.
pub fn run(measure: &str, quick: bool) -> Results {
    let program = std::env::current_exe().expect("this program's path");
    let mut command = Command::new(program);
    command.args(["--bench", CHILD, measure]).stderr(Stdio::inherit());
    if quick {
        command.arg("--quick");
    }
    let output = command.output().expect("this program again");
    assert!(output.status.success(), "{measure}: {}", output.status);
    String::from_utf8(output.stdout).expect("text").lines().map(parse).collect()
}

fn parse(line: &str) -> (String, Vec<i64>) {
    let (name, numbers) = line.split_once(' ').unwrap_or((line, ""));
    (name.into(), numbers.split_whitespace().map(|number| number.parse().expect("a number")).collect())
}

/// The measure that this process was started for, if it is a child.
pub fn measure(args: &[String]) -> Option<&str> {
    let at = args.iter().position(|arg| arg == CHILD)?;
    args.get(at + 1).map(String::as_str)
}

/// Tells the parent.
pub fn print(name: &str, numbers: &[i64]) {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    println!("{name} {}", numbers.join(" "));
}

/// Ends a child without freeing what it holds.
pub fn exit() -> ! {
    io::stdout().flush().expect("the parent reads");
    std::process::exit(0)
}
