//! Throttles, retries, faults and lost answers, by the real SDK against a server that is told what
//! to answer.

use crate::client::{config, detector, item, s, told_of, watched};
use crate::server::{Answer, Fake, description, error, ok, throttle};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Put, TransactWriteItem};
use aws_smithy_types::retry::RetrySpec;
use hotpart::{Detector, Operation, Reason, Unattributed};
use hotpart_recipe_aws_sdk_dynamodb::Watch;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

const ARN: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/events";

/// A client of a fake, and the detector that watches it, which has seen the table described.
struct Watched {
    server: Fake,
    client: Client,
    detector: Arc<Detector>,
    watch: Watch,
}

impl Watched {
    async fn new() -> Self {
        let (server, detector) = (Fake::new(), detector(false));
        let watch = Watch::new(Arc::clone(&detector));
        let client = watched(&server.endpoint, &watch);
        server.describe([description("events")]);
        client.describe_table().table_name("events").send().await.unwrap();
        Self { server, client, detector, watch }
    }

    /// Puts the item `k` of the index key `x`, and returns the error's code.
    async fn put(&self) -> Result<(), String> {
        let put =
            self.client.put_item().table_name("events").set_item(Some(item([("id", s("k")), ("g", s("x"))])));
        put.send().await.map(|_| ()).map_err(|error| error.code().unwrap_or("none").to_owned())
    }

    fn writes(&self) -> u64 {
        self.detector.write_count("events", "k").unwrap()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.server.all_were_asked_for());
            assert_eq!(self.watch.failures(), 0);
        }
    }
}

#[tokio::test]
async fn each_attempt_that_is_throttled_counts_by_its_reason() {
    let reasons = [
        ("KeyRangeThroughputExceeded", Reason::KeyRange),
        ("ProvisionedThroughputExceeded", Reason::Provisioned),
        ("AccountLimitExceeded", Reason::AccountLimit),
        ("MaxOnDemandThroughputExceeded", Reason::MaxOnDemand),
    ];
    for (name, reason) in reasons {
        let t = Watched::new().await;
        t.server.answer((0..3).map(|_| throttle(&format!("TableWrite{name}"), ARN)));
        assert_eq!(t.put().await, Err("ProvisionedThroughputExceededException".to_owned()));
        assert_eq!(t.detector.throttle_count("events", "k", Operation::Write, reason), Ok(3));

        t.server.answer((0..3).map(|_| throttle(&format!("IndexWrite{name}"), &format!("{ARN}/index/by_g"))));
        t.put().await.unwrap_err();
        assert_eq!(t.detector.throttle_count("events/index/by_g", "x", Operation::Write, reason), Ok(3));
        assert_eq!(t.detector.statistics().throttles.iter().sum::<u64>(), 6);
        assert_eq!(t.detector.statistics().partitions, 0);
    }
}

#[tokio::test]
async fn a_retry_that_succeeds_is_one_operation() {
    let t = Watched::new().await;
    t.server.answer([
        error("ProvisionedThroughputExceededException", ""),
        throttle("TableWriteKeyRangeThroughputExceeded", ARN),
        ok("{}"),
    ]);
    t.put().await.unwrap();
    assert_eq!(t.detector.throttle_count("events", "k", Operation::Write, Reason::Unknown), Ok(1));
    assert_eq!(t.detector.throttle_count("events", "k", Operation::Write, Reason::KeyRange), Ok(1));
    assert_eq!(t.writes(), 1);
}

/// The SDK's rules of 2026 are its retries' version 2.1. No crate in here reads
/// `AWS_NEW_RETRIES_2026`, so the client is given them.
#[tokio::test]
async fn three_throttles_and_an_answer_by_the_new_rules_of_retries_are_one_operation() {
    let (server, detector) = (Fake::new(), detector(false));
    detector.set_key_schema("events", None, &["id"]).unwrap();
    let retries = RetryConfig::standard().with_max_attempts(4).with_retry_spec(RetrySpec::v2_1());
    let config = config(&server.endpoint).retry_config(retries);
    let client = told_of(&detector, config);
    server.answer((0..3).map(|_| throttle("TableWriteKeyRangeThroughputExceeded", ARN)));
    server.answer([ok("{}")]);
    client.put_item().table_name("events").item("id", s("k")).send().await.unwrap();
    assert!(server.all_were_asked_for());
    assert_eq!(detector.throttle_count("events", "k", Operation::Write, Reason::KeyRange), Ok(3));
    assert_eq!(detector.write_count("events", "k"), Ok(1));
}

#[tokio::test]
async fn faults_and_lost_answers_may_have_run() {
    let t = Watched::new().await;
    let fault = |status, body: &str| Answer::Whole(status, body.to_owned());
    t.server.answer([
        fault(500, r#"{"__type":"InternalServerError"}"#),
        fault(503, "<html>"),
        Answer::Dropped,
    ]);
    t.put().await.unwrap_err();
    assert_eq!(t.writes(), 3);
}

#[tokio::test]
async fn an_answer_that_broke_off_has_a_status() {
    for (status, writes) in [(200, 3), (400, 0), (500, 3)] {
        let t = Watched::new().await;
        t.server.answer((0..3).map(|_| Answer::BrokenOff(status)));
        t.put().await.unwrap_err();
        assert_eq!(t.writes(), writes, "{status}");
    }
}

#[tokio::test]
async fn who_does_not_wait_for_the_answer_may_have_written() {
    let t = Watched::new().await;
    t.server.answer([Answer::Never]);
    timeout(Duration::from_millis(300), t.put()).await.unwrap_err();
    assert_eq!(t.writes(), 1);

    let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(300)).build();
    let client = t.watch.config(&config(&t.server.endpoint).timeout_config(timeouts).build());
    t.server.answer([Answer::Never]);
    let put = Client::from_conf(client).put_item().table_name("events").item("id", s("k"));
    put.send().await.unwrap_err();
    assert_eq!(t.writes(), 2);
}

#[tokio::test]
async fn a_cancelled_transaction() {
    let t = Watched::new().await;
    let put = Put::builder().table_name("events").item("id", s("k")).build().unwrap();
    let check =
        ConditionCheck::builder().table_name("events").key("id", s("l")).condition_expression("a = b");
    let reasons = r#","CancellationReasons":[{"Code":"ThrottlingError"},{"Code":"ConditionalCheckFailed"}]"#;
    t.server.answer([error("TransactionCanceledException", reasons)]);
    let write = t.client.transact_write_items();
    let write = write.transact_items(TransactWriteItem::builder().put(put).build());
    let write =
        write.transact_items(TransactWriteItem::builder().condition_check(check.build().unwrap()).build());
    let told = write.send().await.unwrap_err().into_service_error();
    assert!(told.is_transaction_canceled_exception());
    assert_eq!(t.detector.throttle_count("events", "k", Operation::Write, Reason::Unknown), Ok(1));
    assert_eq!((t.writes(), t.detector.write_count("events", "l")), (0, Ok(1)));
}

#[tokio::test]
async fn an_index_s_throttle_without_its_key_is_the_index_s() {
    let t = Watched::new().await;
    let index = format!("{ARN}/index/by_g");
    t.server.answer((0..3).map(|_| throttle("IndexWriteKeyRangeThroughputExceeded", &index)));
    t.client.delete_item().table_name("events").key("id", s("k")).send().await.unwrap_err();
    let tallied =
        t.detector.unattributed_count("events/index/by_g", Operation::Write, Unattributed::Throttles);
    assert_eq!(tallied, Ok(3));
}

#[tokio::test]
async fn the_body_of_a_large_request_is_seen_whole() {
    let t = Watched::new().await;
    t.server.answer([ok("{}")]);
    let large = AttributeValue::S("x".repeat(300_000));
    t.client.put_item().table_name("events").item("a", large).item("id", s("k")).send().await.unwrap();
    assert_eq!(t.writes(), 1);
}

#[tokio::test]
async fn two_detectors_watch_one_client() {
    let (server, detectors) = (Fake::new(), [detector(false), detector(false)]);
    let mut config = config(&server.endpoint).build();
    for detector in &detectors {
        detector.set_key_schema("events", None, &["id"]).unwrap();
        config = Watch::new(Arc::clone(detector)).config(&config);
    }
    server.answer([throttle("TableWriteKeyRangeThroughputExceeded", ARN), Answer::Dropped, ok("{}")]);
    let put = Client::from_conf(config).put_item().table_name("events").item("id", s("k"));
    put.send().await.unwrap();
    for detector in detectors {
        assert_eq!(detector.throttle_count("events", "k", Operation::Write, Reason::KeyRange), Ok(1));
        assert_eq!(detector.write_count("events", "k"), Ok(2));
    }
}

#[tokio::test]
async fn what_can_t_be_observed_changes_no_result() {
    let (server, detector) = (Fake::new(), detector(false));
    detector.set_key_schema("events", None, &["id"]).unwrap();
    let watch = Watch::new(Arc::clone(&detector));
    let client = watched(&server.endpoint, &watch);
    server.answer([ok("{}"), ok("{}"), ok(r#"{"TableNames":[]}"#)]);
    for _ in 0..2 {
        client.put_item().table_name("events").item("id", s(&"k".repeat(16_385))).send().await.unwrap();
    }
    assert_eq!(watch.failures(), 2);
    client.list_tables().send().await.unwrap();
    assert_eq!((watch.failures(), detector.statistics().unknown_operations), (2, 1));
}
