//! Promises 1, 2 and 9: random sequences of every call, under the manual clock, against a list of
//! timestamps.
#![cfg(feature = "dynamodb")]

mod c_face;
mod c_snapshots;
mod c_warnings;
mod call;
#[path = "../common/mod.rs"]
mod common;
mod exchange;
mod made_up;
mod observed;
mod oracle;
mod rust_face;
mod samples;
mod store;
mod worlds;

use c_face::CFace;
use call::{Call, Face, Form, Terms};
use common::stress;
use made_up::{calls, terms};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use rust_face::RustFace;
use worlds::Worlds;

const WINDOWS: [u32; 5] = [1, 2, 10, 60, 3600];

/// Tries `property` on random terms and calls for each window, with one of these bounds.
fn check(cases: usize, bounds: &[u64], property: impl Fn(Terms, Vec<Call>) -> Result<(), String>) {
    for window in WINDOWS {
        let config = Config { cases: stress(cases) as u32, failure_persistence: None, ..Config::default() };
        let some = (terms(window), select(bounds.to_vec()), calls(window));
        let tried = TestRunner::new(config).run(&some, |(terms, max_partitions, calls)| {
            property(Terms { max_partitions, ..terms }, calls).map_err(TestCaseError::fail)
        });
        tried.unwrap_or_else(|failed| panic!("window of {window} s: {failed}"));
        println!("window of {window} s: {} cases", stress(cases));
    }
}

const UNBOUNDED: &[u64] = &[0];
const BOUNDS: &[u64] = &[1, 2, 3, 5];

/// Whether a Rust program can make this call.
fn is_rust(call: &Call) -> bool {
    !matches!(call, Call::Flawed(_) | Call::Prepared(_, _, _, Form::Due))
}

#[test]
fn the_c_abi_shows_what_the_oracle_predicts() {
    check(200, UNBOUNDED, |terms, calls| {
        let (mut worlds, mut c) = (Worlds::new(&terms), CFace::new(&terms));
        calls.iter().try_for_each(|call| worlds.follow(call, &c.call(call)))
    });
}

#[test]
fn the_rust_api_shows_what_the_oracle_predicts() {
    check(50, UNBOUNDED, |terms, calls| {
        let detector = rust_face::detector(&terms);
        let (mut worlds, mut rust) = (Worlds::new(&terms), RustFace::new(&detector));
        calls.iter().filter(|call| is_rust(call)).try_for_each(|call| worlds.follow(call, &rust.call(call)))
    });
}

/// At the bound, which partition goes is the detector's affair. But each count is exact since its
/// partition was last inserted, or 0 after it went; each that goes is told of; and no warning comes
/// of one that went.
#[test]
fn at_the_bound_the_c_abi_shows_what_the_oracle_predicts() {
    check(40, BOUNDS, |terms, calls| {
        let (mut worlds, mut c) = (Worlds::new(&terms), CFace::new(&terms));
        calls.iter().try_for_each(|call| worlds.watch(call, &mut c).map(drop))
    });
}

/// The same of the other face, and equal seeds choose alike through either.
#[test]
fn equal_seeds_choose_alike_at_the_bound() {
    check(30, BOUNDS, |terms, calls| {
        let detector = rust_face::detector(&terms);
        let (mut worlds, mut c, mut rust) =
            (Worlds::new(&terms), CFace::new(&terms), RustFace::new(&detector));
        calls.iter().filter(|call| is_rust(call)).try_for_each(|call| {
            let (seen, other) = (worlds.watch(call, &mut rust)?, c.call(call));
            if seen == other {
                Ok(())
            } else {
                Err(format!("{call:?}\n   shows {seen:?}\nand in C {other:?}"))
            }
        })
    });
}
