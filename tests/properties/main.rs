//! Random sequences of every call, under the manual clock, against a list of timestamps.

mod c_face;
mod call;
#[path = "../common/mod.rs"]
mod common;
mod made_up;
mod oracle;
mod rust_face;

use c_face::CFace;
use call::{Call, Face, Outcome, Terms};
use common::stress;
use made_up::{calls, terms};
use oracle::Oracle;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rust_face::RustFace;

const WINDOWS: [u32; 5] = [1, 2, 10, 60, 3600];

/// Tries `property` on random terms and calls for each window.
fn check(cases: usize, property: impl Fn(Terms, Vec<Call>) -> Result<(), TestCaseError>) {
    for window in WINDOWS {
        let config = Config { cases: stress(cases) as u32, failure_persistence: None, ..Config::default() };
        let tried = TestRunner::new(config)
            .run(&(terms(window), calls(window)), |(terms, calls)| property(terms, calls));
        tried.unwrap_or_else(|failed| panic!("window of {window} s: {failed}"));
        println!("window of {window} s: {} cases", stress(cases));
    }
}

/// Whether a Rust program can make this call.
fn is_rust(call: &Call) -> bool {
    !matches!(call, Call::Batch(..) | Call::Flawed(_))
}

#[test]
fn the_c_abi_shows_what_the_oracle_predicts() {
    check(200, |terms, calls| {
        let (mut oracle, mut c) = (Oracle::new(&terms), CFace::new(&terms));
        for call in &calls {
            prop_assert_eq!(c.call(call), oracle.call(call), "{:?}", call);
        }
        Ok(())
    });
}

#[test]
fn the_rust_api_shows_what_the_oracle_predicts() {
    check(50, |terms, calls| {
        let detector = rust_face::detector(&terms);
        let (mut oracle, mut rust) = (Oracle::new(&terms), RustFace::new(&detector));
        for call in calls.iter().filter(|call| is_rust(call)) {
            prop_assert_eq!(rust.call(call), oracle.call(call), "{:?}", call);
        }
        Ok(())
    });
}

/// At the bound, which partition goes is the detector's affair. But equal seeds choose alike, through
/// either face, and what is counted never exceeds what was recorded.
#[test]
fn equal_seeds_choose_alike_at_the_bound() {
    check(50, |terms, calls| {
        let terms = Terms { max_partitions: 2, ..terms };
        let detector = rust_face::detector(&terms);
        let (mut oracle, mut c, mut rust) =
            (Oracle::new(&terms), CFace::new(&terms), RustFace::new(&detector));
        for call in calls.iter().filter(|call| is_rust(call)) {
            let (seen, unbounded) = (c.call(call), oracle.call(call));
            prop_assert_eq!(&seen, &rust.call(call), "{:?}", call);
            prop_assert!(seen.result <= unbounded.result, "{:?}", call);
            prop_assert_eq!(refusal(&seen), refusal(&unbounded), "{:?}", call);
            prop_assert!(detector.0.statistics().partitions <= terms.max_partitions);
        }
        Ok(())
    });
}

fn refusal(outcome: &Outcome) -> Option<i64> {
    Some(outcome.result).filter(|&result| result < 0)
}
