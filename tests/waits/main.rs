//! Random sequences of attempts on tables whose key gets known, or does not, against an oracle
//! that keeps every part: what is recorded, unread and waits adds up to what was sent.
#![cfg(feature = "dynamodb")]

#[path = "../common/mod.rs"]
mod common;
#[allow(dead_code)]
#[path = "../../fuzz/fuzz_targets/input.rs"]
mod input;
mod oracle;
mod watched;

use common::stress;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[test]
fn what_is_recorded_unread_and_waits_is_what_was_sent() {
    let config = Config { cases: stress(100) as u32, failure_persistence: None, ..Config::default() };
    let bytes = proptest::collection::vec(any::<u8>(), 0..1_500);
    TestRunner::new(config)
        .run(&bytes, |bytes| {
            watched::follow(&bytes);
            Ok(())
        })
        .unwrap();
}

/// With as much as can wait, which chance seldom brings together.
#[test]
fn what_there_is_no_room_for_is_unread() {
    let fill = |table| [13, table, 0, 255];
    let bytes = [fill(0), fill(1), [14, 0, 4, 0], fill(0), [9, 0, 1, 9], [10, 1, 1, 14]].concat();
    watched::follow(&bytes);
}
