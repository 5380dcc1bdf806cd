//! Promise 10: bounded counting, against an oracle of all that was ever recorded: nothing is missed
//! and nothing late, no count is under the truth, and what a count is over it by is told.
//!
//! `watched` follows random calls from one thread, `crossing` has threads record keys across their
//! promotion, `leaping` makes partitions be demoted and promoted again under them, `told` looks at
//! what is said of them, `throttled` fills memory under throttles, and `cells` has what a prototype
//! got wrong. What all of it allocates is in `tests/bounded_memory.rs`.

mod cells;
#[path = "../common/mod.rs"]
mod common;
mod crossing;
mod heard;
#[allow(dead_code)] // A part is for other targets.
#[path = "../../fuzz/fuzz_targets/input.rs"]
mod input;
mod leaping;
mod oracle;
#[allow(dead_code)] // Only its verdict is of use here.
#[path = "../sliding/oracle.rs"]
mod spans;
mod steps;
mod terms;
mod throttled;
mod told;
mod watched;

use common::stress;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Follows random steps with each window.
fn check(cases: usize, longest: usize, memory: Option<u64>) {
    for window in terms::WINDOWS {
        let config = Config {
            cases: stress(cases) as u32,
            failure_persistence: None,
            max_shrink_time: 60_000,
            ..Config::default()
        };
        let some = (any::<[u8; terms::BYTES]>(), vec(any::<[u8; steps::BYTES]>(), 1..longest));
        let tried = TestRunner::new(config).run(&some, |(terms, steps)| {
            let mut terms = terms::Terms::new(&terms);
            terms.set_window(window);
            terms.memory = memory.unwrap_or(terms.memory);
            watched::follow(&terms, steps.iter().map(|bytes| steps::Step::new(bytes)), usize::MAX)
                .map_err(TestCaseError::fail)
        });
        tried.unwrap_or_else(|failed| panic!("window of {window} s: {failed}"));
    }
}

#[test]
fn nothing_is_missed_and_no_count_is_under_the_truth() {
    check(40, 60, None);
}

/// With as little memory as there may be, cells are crowded and most keys kept out.
#[test]
fn with_the_least_memory_the_same_holds() {
    check(20, 60, Some(terms::LEAST_MEMORY));
}

/// Without memory for it nothing of bounded counting is there.
#[test]
fn without_a_bound_every_count_is_exact() {
    check(5, 40, Some(0));
}
