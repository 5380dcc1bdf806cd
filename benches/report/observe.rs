//! Observing one request and its answer, beside what serde_json needs to read the same bytes: into
//! a tree, and into nothing.

use crate::Scale;
use crate::recorder::{NEVER, WINDOW_SECONDS};
use crate::rounds::{Lane, Rounds};
use hotpart::{Detector, Exchange};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use std::hint::black_box;
use std::time::Instant;

pub const OBSERVE: &str = "observe";
pub const TREE: &str = "serde_json Value";
pub const NOTHING: &str = "serde_json IgnoredAny";

/// A PutItem as boto3 sends it.
const REQUEST: &[u8; 400] = br#"{"TableName": "orders", "Item": {"customer": {"S": "customer#0000000007"}, "order": {"S": "2026-11-24T12:59:37Z"}, "status": {"S": "placed"}, "total": {"N": "129.95"}, "lines": {"L": [{"M": {"sku": {"S": "A-1027"}, "n": {"N": "2"}}}, {"M": {"sku": {"S": "B-3301"}, "n": {"N": "1"}}}]}, "paid": {"BOOL": true}, "note": {"S": "leave it with the neighbours at numb"}}, "ReturnConsumedCapacity": "TOTAL"}"#;
const ANSWER: &[u8] = br#"{"ConsumedCapacity":{"TableName":"orders","CapacityUnits":1.0}}"#;

/// In operations mode, or in capacity mode.
pub fn run(scale: &Scale, capacity: bool) -> Rounds {
    let builder = Detector::builder(NEVER, NEVER, WINDOW_SECONDS);
    let builder = if capacity { builder.capacity_mode() } else { builder };
    let detector = builder.build().unwrap();
    detector.set_key_schema("orders", None, &["customer"]).unwrap();
    let n = scale.records / 10;
    let observe = || {
        let exchange = Exchange {
            operation: b"DynamoDB_20120810.PutItem",
            request: black_box(REQUEST),
            response: Some(black_box(ANSWER)),
            model: None,
            http_status: 200,
        };
        assert_eq!(detector.observe(&exchange), Ok(1));
    };
    let lanes = vec![
        Lane::new(OBSERVE, || time(n, observe)),
        Lane::new(TREE, || time(n, read::<Value>)),
        Lane::new(NOTHING, || time(n, read::<IgnoredAny>)),
    ];
    Rounds::run(lanes, scale.rounds)
}

fn read<T: DeserializeOwned>() {
    for body in [REQUEST.as_slice(), ANSWER] {
        black_box(serde_json::from_slice::<T>(black_box(body)).unwrap());
    }
}

/// Nanoseconds for each of n calls.
fn time(n: usize, call: impl Fn()) -> f64 {
    let start = Instant::now();
    (0..n).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / n as f64
}
