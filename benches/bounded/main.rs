//! The simulation of bounded counting: detectors with a filter beside one with a bound and one with
//! an exact table, over traffic of which an oracle knows the exact count of every record. Whole
//! seconds of a manual clock, one thread, fixed seeds.
//!
//! ```text
//! cargo bench --bench bounded                 # all of it, 3 minutes, 2 GB
//! cargo bench --bench bounded -- --quick      # small traffic, seconds
//! cargo bench --bench bounded -- --sizes      # filters of all sizes, to find the least that fits
//! cargo bench --bench bounded -- --only Zipf  # the scenarios with that in their names
//! ```
//!
//! Prints a table, and fails where one of them does not keep its promises.

mod contender;
mod design;
mod faults;
#[path = "../report/keys.rs"]
mod keys;
#[path = "../report/markdown.rs"]
mod markdown;
mod oracle;
mod planted;
#[path = "../report/random.rs"]
mod random;
mod report;
mod scenario;
mod scores;
mod simulation;
mod trace;
mod traffic;
mod zipf;

use design::Design;
use simulation::Simulation;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    // `cargo test --all-targets` runs this too, and does not mean to measure.
    if !args.iter().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    let given = |flag: &str| args.iter().any(|arg| arg == flag);
    let only = args.iter().position(|arg| arg == "--only").map_or("", |at| &args[at + 1]);
    let mut scenarios = if given("--quick") { scenario::quick() } else { scenario::full() };
    if !given("--quick") {
        scenarios.extend(trace::scenarios());
    }
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    for mut scenario in scenarios.into_iter().filter(|scenario| scenario.name.contains(only)) {
        if given("--sizes") {
            scenario.designs = Design::sizes();
        }
        let start = Instant::now();
        eprint!("{}: ", scenario.name);
        let simulation = Simulation::run(&scenario);
        eprintln!("{:.0} s", start.elapsed().as_secs_f64());
        rows.extend(report::rows(&scenario, &simulation));
        faults.extend(faults::all(&scenario, &simulation));
    }
    print!("{}", report::text(&rows));
    if faults.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("\n{} promises were not kept:", faults.len());
    faults.iter().for_each(|fault| println!("- {fault}"));
    ExitCode::FAILURE
}
