//! The simulation of two fleets: what the lists of fifty processes, and of five hundred, added up,
//! find of the partitions that are hot in all of them together; and how many partitions one process
//! names in an hour. Whole windows of a manual clock, fixed seeds, the real detector and its
//! metrics as text.
//!
//! ```text
//! cargo bench --bench fleet              # all of it, a minute
//! cargo bench --bench fleet -- --quick   # smaller, seconds
//! ```
//!
//! Prints three tables, and fails where a list that was made for the threshold misses a partition,
//! is blind, or is longer than it may be.

mod churn;
#[path = "../../tests/fleet/list.rs"]
mod list;
#[path = "../report/markdown.rs"]
#[allow(dead_code)] // A part is for other targets.
mod markdown;
#[path = "../report/random.rs"]
#[allow(dead_code)] // A part is for other targets.
mod random;
mod sums;
mod traffic;

use std::process::ExitCode;
use traffic::Fleet;

/// How much is simulated.
struct Scale {
    /// Operations of one of fifty processes in a window, and partitions that they are spread over.
    operations: u64,
    partitions: u64,
    /// Minutes of churn.
    minutes: u64,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    // `cargo test --all-targets` runs this too, and does not mean to measure.
    if !args.iter().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    let scale = if args.iter().any(|arg| arg == "--quick") {
        Scale { operations: 210_000, partitions: 100_000, minutes: 5 }
    } else {
        Scale { operations: 330_000, partitions: 10_000_000, minutes: 60 }
    };
    let mut faults = Vec::new();
    sums::run(&Fleet::fifty(scale.operations, scale.partitions), &mut faults);
    sums::run(&Fleet::five_hundred(scale.partitions), &mut faults);
    churn::run(&scale, &mut faults);
    faults.iter().for_each(|fault| eprintln!("failed: {fault}"));
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
