//! The benchmark report: the library beside its peers in one process and run, the targets that it
//! is to meet, and whether it does. `make bench` writes it to `BENCHMARKS.md`; with
//! `BENCH_FLAGS=--quick` all is small, and printed only.

mod abi;
mod bounded;
mod bounds;
mod child;
mod counts;
mod figures;
mod growth;
mod heap;
mod keys;
mod lanes;
mod lead;
mod machine;
mod markdown;
mod memory;
mod observe;
mod patience;
mod peers;
mod plots;
mod random;
mod recorder;
mod report;
mod results;
mod rounds;
mod targets;
mod threads;
mod turns;
mod window;
mod workload;

use results::Results;
use std::path::Path;
use std::time::Duration;

#[global_allocator]
static HEAP: heap::Heap = heap::Heap;

/// How much is measured.
pub struct Scale {
    quick: bool,
    rounds: usize,
    /// How long rounds of two threads are repeated, until so many are sound.
    patience: Duration,
    /// Records in a round.
    records: usize,
    /// How many partitions single records are measured on.
    partitions: Vec<usize>,
    /// Partitions that the first and second cache hold.
    few: usize,
    /// Partitions that no cache holds.
    many: usize,
    /// Partitions that the map grows to.
    most: usize,
}

impl Scale {
    fn full() -> Self {
        Self {
            quick: false,
            rounds: 15,
            patience: Duration::from_secs(120),
            records: 1_000_000,
            partitions: vec![1, 16, 256, 1_024, 16_384, 131_072, 1_000_000],
            few: 1_024,
            many: 1_000_000,
            most: growth::partitions(false),
        }
    }

    fn quick() -> Self {
        Self {
            quick: true,
            rounds: 3,
            patience: Duration::from_secs(5),
            records: 20_000,
            partitions: vec![1, 1_024, 20_000],
            few: 1_024,
            many: 20_000,
            most: growth::partitions(true),
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // `cargo test --all-targets` runs this too, and does not mean to measure.
    if !args.iter().any(|arg| arg == "--bench") {
        return;
    }
    let quick = args.iter().any(|arg| arg == "--quick");
    if let Some(measure) = child::measure(&args) {
        memory::run_in_child(measure, quick);
        growth::run_in_child(measure, quick);
        panic!("no measure {measure}");
    }
    let scale = if quick { Scale::quick() } else { Scale::full() };
    let results = Results::measure(&scale);
    let text = report::text(&scale, &results);
    let plots = report::plots(&results).map(|plot| (plot.file, plot.svg()));
    print!("{text}");
    if !quick {
        write(&text, &plots);
    }
}

fn write(text: &str, plots: &[(&str, String)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir_all(root.join(report::PLOTS)).expect("a directory for the plots");
    for (file, svg) in plots {
        std::fs::write(root.join(report::PLOTS).join(file), svg).expect("a plot written");
    }
    std::fs::write(root.join("BENCHMARKS.md"), text).expect("the report written");
}
