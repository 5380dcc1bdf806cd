//! Who hears of a request's warnings.

use hotpart::{Detector, Exchange, Operation, Reason};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

const WRITES: &[u8] = br#"{"RequestItems":{"t":[
    {"PutRequest":{"Item":{"id":{"S":"a"}}}}, {"DeleteRequest":{"Key":{"id":{"S":"b"}}}}]}}"#;
const THROTTLED: &[u8] =
    br#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "ThrottlingReasons":[{"reason":"TableWriteKeyRangeThroughputExceeded",
    "resource":"arn:aws:dynamodb:eu-west-1:123456789012:table/t"}]}"#;

fn exchange<'a>(operation: &'a str, request: &'a [u8], answer: &'a [u8], status: u16) -> Exchange<'a> {
    Exchange {
        operation: operation.as_bytes(),
        request,
        response: Some(answer),
        http_status: status,
        ..Exchange::default()
    }
}

#[test]
fn the_caller_hears_what_the_callback_would() {
    let told = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&told);
    let detector = Detector::builder(1, 1, 60)
        .manual_clock()
        .warn_of_throttles(true)
        .on_warning(move |_| {
            counter.fetch_add(1, Relaxed);
        })
        .build()
        .unwrap();
    detector.set_key_schema("t", None, &["id"]).unwrap();
    let put: &[u8] = br#"{"TableName":"t","Item":{"id":{"S":"one"}}}"#;
    let again: &[u8] = br#"{"TableName":"t","Item":{"id":{"S":"two"}}}"#;
    let exchanges = [
        exchange("PutItem", put, b"{}", 200),
        exchange("BatchWriteItem", WRITES, b"{}", 200),
        exchange("PutItem", again, THROTTLED, 400),
        // Within the interval.
        exchange("PutItem", put, b"{}", 200),
    ];
    let mut heard = Vec::new();
    for exchange in &exchanges {
        let hear = |warning: &hotpart::Warning<'_>| {
            assert_eq!(detector.read_count("t", "elsewhere"), Ok(0), "the detector may be used");
            heard.push(warning.to_string());
        };
        detector.observe_and_warn(exchange, hear).unwrap();
    }
    let line = |pk, what| format!("Hot partition detected - table=\"t\" pk=\"{pk}\" had {what} in 60s");
    let expected = [
        line("one", "1 writes"),
        line("a", "1 writes"),
        line("b", "1 writes"),
        line("two", "1 throttled writes"),
    ];
    assert_eq!(heard, expected);
    assert_eq!(told.load(Relaxed), 0, "nor the callback");
    let (throttles, warning) =
        detector.record_throttle_and_warn(b"t", b"three", Operation::Read, Reason::KeyRange).unwrap();
    assert_eq!((throttles, warning.map(|warning| warning.pk.to_vec())), (1, Some(b"three".to_vec())));
    detector.set_time_ms(60_000).unwrap();
    detector.observe(&exchanges[0]).unwrap();
    assert_eq!(told.load(Relaxed), 1, "the callback hears of what is observed without a caller");
}
