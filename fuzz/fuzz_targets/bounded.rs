//! Steps under the manual clock, with memory for bounded counting. The detector must show what the
//! oracle of tests/bounded allows: nothing is missed, nothing late, no count under the truth.
#![no_main]

#[path = "../../tests/bounded/heard.rs"]
mod heard;
#[allow(dead_code)] // It takes bytes and choices alone.
mod input;
#[path = "../../tests/bounded/oracle.rs"]
mod oracle;
#[path = "../../tests/bounded/steps.rs"]
mod steps;
#[path = "../../tests/bounded/terms.rs"]
mod terms;
#[path = "../../tests/bounded/watched.rs"]
mod watched;

use libfuzzer_sys::fuzz_target;
use steps::Step;
use terms::Terms;

/// Records at most: a flood is soon made.
const RECORDS: usize = 12_000;
const STEPS: usize = 60;

fuzz_target!(|bytes: &[u8]| {
    let (terms, steps) = bytes.split_at(bytes.len().min(terms::BYTES));
    let steps = steps.chunks(steps::BYTES).take(STEPS).map(Step::new);
    watched::follow(&Terms::new(terms), steps, RECORDS).unwrap_or_else(|said| panic!("{said}"));
});
