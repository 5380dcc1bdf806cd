//! Promise 1 for observed requests: threads that learn of tables, and change what is known of them,
//! lose no request that others observe meanwhile.
#![cfg(feature = "dynamodb")]

#[path = "common/allocator.rs"]
mod allocator;
mod common;

use allocator::{TestAllocator, allocations, while_inside};
use common::{THREADS, never_hot, race, stress};
use hotpart::{Detector, Exchange, ObserveError};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

fn observe(detector: &Detector, operation: &str, request: &str, response: &str) -> Result<u64, ObserveError> {
    detector.observe(&Exchange {
        operation: operation.as_bytes(),
        request: request.as_bytes(),
        response: (!response.is_empty()).then_some(response.as_bytes()),
        http_status: 200,
        ..Exchange::default()
    })
}

fn put(detector: &Detector, table: &str) -> Result<u64, ObserveError> {
    observe(detector, "PutItem", &format!(r#"{{"TableName":"{table}","Item":{{"id":{{"S":"k"}}}}}}"#), "")
}

/// A put on a table that may be unknown: who is asked describes it, as a client would.
fn put_new(detector: &Detector, table: &str, index: usize) {
    match put(detector, table) {
        Err(ObserveError::MissingSchema(missing)) => assert_eq!(missing, [table]),
        observed => return assert_eq!(observed, Ok(1)),
    }
    describe(detector, table, index);
}

fn describe(detector: &Detector, table: &str, index: usize) {
    let keys = |name| format!(r#""KeySchema":[{{"AttributeName":"{name}","KeyType":"HASH"}}]"#);
    let (own, other) = (keys("id"), keys("other"));
    let description = format!(
        r#"{{"Table":{{"TableName":"{table}",{own},"GlobalSecondaryIndexes":[{{"IndexName":"i{index}",{other}}}]}}}}"#
    );
    let asked = format!(r#"{{"TableName":"{table}"}}"#);
    assert_eq!(observe(detector, "DescribeTable", &asked, &description), Ok(0));
}

/// A table that gets known while a request finds that it is not: the request waits for nobody.
#[test]
fn a_key_that_is_declared_while_a_part_begins_to_wait_releases_it() {
    let new = || never_hot(60).build().unwrap();
    let in_all = {
        let detector = new();
        detector.write_count("t", "k").unwrap();
        allocations(|| assert!(put(&detector, "t").is_err()))
    };
    assert!(in_all > 3, "nothing was kept");
    for nth in 1..=in_all {
        let detector = new();
        std::thread::scope(|scope| {
            let declares = while_inside(
                || assert_eq!(detector.write_count("t", "k"), Ok(0)),
                nth,
                || drop(put(&detector, "t")),
                || {
                    let declares = scope.spawn(|| detector.set_key_schema("t", None, &["id"]).unwrap());
                    // It may have to wait for the other.
                    let begin = Instant::now();
                    while !declares.is_finished() && begin.elapsed() < Duration::from_millis(100) {
                        std::thread::yield_now();
                    }
                    declares
                },
            );
            // Not let go as it ends: how std orders that, ThreadSanitizer does not see.
            declares.join().unwrap();
        });
        assert_eq!(detector.write_count("t", "k"), Ok(1), "in allocation {nth} of {in_all}");
    }
}

/// Half of the threads observe by one table's schema, which the others change, as they learn of new
/// tables.
#[test]
fn requests_are_counted_while_schemas_change() {
    const TURNS: usize = 10;
    let detector = never_hot(60).build().unwrap();
    put_new(&detector, "busy", 0);
    let tables = stress(40);
    assert_eq!(detector.write_count("busy", "k"), Ok(1));
    race(|thread| {
        for n in 0..tables * TURNS {
            if thread % 2 == 0 {
                (0..5).for_each(|_| assert_eq!(put(&detector, "busy"), Ok(1)));
                continue;
            }
            let table = format!("t{}", n / TURNS);
            if n % TURNS == 0 {
                put_new(&detector, &table, n);
            } else {
                assert_eq!(put(&detector, &table), Ok(1), "what was learnt of {table} is known for good");
            }
            if n % 2 == 0 {
                describe(&detector, "busy", n);
            } else {
                detector.set_key_schema("busy", Some(b"i"), &["a", "b"][..1 + n / 2 % 2]).unwrap();
            }
        }
    });
    let count = |table: &str| detector.write_count(table, "k");
    assert_eq!(count("busy"), Ok((1 + THREADS / 2 * tables * TURNS * 5) as u64));
    for n in 0..tables {
        assert_eq!(count(&format!("t{n}")), Ok((THREADS / 2 * TURNS) as u64));
    }
}
