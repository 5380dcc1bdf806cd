//! Tables whose key is needed and unknown: they are described aside, and nothing stays uncounted.

use crate::client::{config, detector, s, watched};
use crate::server::{Answer, Fake, description, error, ok};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use hotpart::{Detector, Operation, Unattributed};
use hotpart_recipe_aws_sdk_dynamodb::Watch;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::time::{sleep, timeout};

struct Watched {
    server: Fake,
    client: Client,
    detector: Arc<Detector>,
    watch: Watch,
}

impl Watched {
    /// A client of a server that answers each request but DescribeTable.
    fn new() -> Self {
        Self::of(detector(false))
    }

    fn of(detector: Arc<Detector>) -> Self {
        let (server, watch) = (Fake::new(), Watch::new(Arc::clone(&detector)));
        let client = watched(&server.endpoint, &watch);
        server.answer((0..100).map(|_| ok("{}")));
        Self { server, client, detector, watch }
    }

    async fn put(&self, table: &str) {
        self.client.put_item().table_name(table).item("id", s("k")).send().await.unwrap();
    }

    fn writes(&self, table: &str) -> u64 {
        self.detector.write_count(table, "k").unwrap()
    }

    fn unread(&self) -> u64 {
        self.detector.unattributed_count("events", Operation::Write, Unattributed::Unread).unwrap()
    }
}

async fn until(what: impl Fn() -> bool) {
    let start = Instant::now();
    while !what() {
        assert!(start.elapsed() < Duration::from_secs(30), "it does not come");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn the_first_request_has_its_table_described_and_is_counted() {
    let t = Watched::new();
    t.server.describe([description("events")]);
    t.put("events").await;
    until(|| t.writes("events") == 1).await;
    t.put("events").await;
    assert_eq!((t.writes("events"), t.watch.failures()), (2, 0));
    assert_eq!(t.server.described(), [r#"{"TableName":"events"}"#]);
}

#[tokio::test]
async fn what_waited_warns() {
    let warned = Arc::new(AtomicU32::new(0));
    let warnings = Arc::clone(&warned);
    let detector = Detector::builder(1, 1, 60).on_warning(move |warning| {
        warnings.fetch_add(warning.count as u32, Relaxed);
    });
    let t = Watched::of(Arc::new(detector.build().unwrap()));
    t.server.describe([description("events")]);
    t.put("events").await;
    until(|| warned.load(Relaxed) == 1).await;
}

#[tokio::test]
async fn each_of_several_tables_is_described() {
    let t = Watched::new();
    t.server.describe([description("a"), description("b")]);
    let put = || {
        let put = PutRequest::builder().item("id", s("k")).build().unwrap();
        vec![WriteRequest::builder().put_request(put).build()]
    };
    t.client.batch_write_item().request_items("b", put()).request_items("a", put()).send().await.unwrap();
    // Which comes first is not told, and each answer names its own table.
    until(|| t.writes("a") + t.writes("b") == 2).await;
    assert_eq!((t.server.described().len(), t.watch.failures()), (2, 0));
}

#[tokio::test]
async fn a_table_of_another_account_is_described_by_its_arn() {
    let t = Watched::new();
    let arn = "arn:aws:dynamodb:us-east-1:210987654321:table/events";
    t.server.describe([description("events")]);
    t.put(arn).await;
    until(|| t.writes("events") == 1).await;
    assert_eq!(t.server.described(), [format!(r#"{{"TableName":"{arn}"}}"#)]);
}

#[tokio::test]
async fn a_table_that_may_not_be_described_is_tallied() {
    let t = Watched::new();
    t.server.describe([error("AccessDeniedException", "")]);
    t.put("events").await;
    until(|| t.unread() == 1).await;
    t.put("events").await;
    assert_eq!((t.writes("events"), t.unread(), t.watch.failures()), (0, 2, 1));
    assert_eq!(t.server.described().len(), 1);
    t.detector.set_key_schema("events", None, &["id"]).unwrap();
    t.put("events").await;
    assert_eq!((t.writes("events"), t.unread()), (1, 2));
}

#[tokio::test]
async fn a_table_that_could_not_be_described_is_asked_for_by_another_request() {
    let t = Watched::new();
    let start = Instant::now();
    let fault = || Answer::Whole(500, r#"{"__type":"InternalServerError"}"#.to_owned());
    t.server.describe([fault(), fault(), fault(), description("events"), description("other")]);
    t.put("events").await;
    until(|| t.watch.failures() == 1).await;
    // Not at once: another would fail as well.
    t.put("events").await;
    sleep(Duration::from_millis(200)).await;
    let described = t.server.described().len();
    assert!(described == 3 || start.elapsed() > Duration::from_secs(1), "{described}: 3 are one's attempts");
    sleep(Duration::from_secs(1)).await;
    t.put("other").await;
    until(|| t.writes("events") == 2 && t.writes("other") == 1).await;
    assert_eq!(t.watch.failures(), 1);
}

#[tokio::test]
async fn each_pause_is_longer_than_the_last() {
    let t = Watched::new();
    let fault = || Answer::Whole(500, r#"{"__type":"InternalServerError"}"#.to_owned());
    t.server.describe((0..6).map(|_| fault()).chain([description("events")]));
    t.put("events").await;
    until(|| t.watch.failures() == 1).await;
    sleep(Duration::from_millis(1_100)).await;
    t.client.list_tables().send().await.unwrap();
    until(|| t.watch.failures() == 2).await;
    let start = Instant::now();
    sleep(Duration::from_millis(1_100)).await;
    t.client.list_tables().send().await.unwrap();
    sleep(Duration::from_millis(200)).await;
    let described = t.server.described().len();
    assert!(described == 6 || start.elapsed() > Duration::from_secs(2), "{described}: 3 are one's attempts");
    sleep(Duration::from_secs(1)).await;
    t.client.list_tables().send().await.unwrap();
    until(|| t.writes("events") == 1).await;
}

/// The detector asks once a minute, and perhaps a client that is gone.
#[tokio::test]
async fn what_one_client_could_not_describe_another_does() {
    let t = Watched::new();
    t.server.describe((0..3).map(|_| Answer::Whole(500, r#"{"__type":"InternalServerError"}"#.to_owned())));
    t.put("events").await;
    until(|| t.watch.failures() == 1).await;
    let server = Fake::new();
    server.answer([ok("{}")]);
    server.describe([description("events")]);
    sleep(Duration::from_millis(1_100)).await;
    watched(&server.endpoint, &t.watch).list_tables().send().await.unwrap();
    until(|| t.writes("events") == 1).await;
}

#[tokio::test]
async fn a_table_is_described_by_one_request_at_a_time() {
    let t = Watched::new();
    t.server.describe([Answer::Never]);
    for _ in 0..20 {
        t.put("events").await;
    }
    until(|| t.server.described().len() == 1).await;
    t.put("events").await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(t.server.described().len(), 1);
}

/// Nobody's request has waited for the answer, so nobody gives it up.
#[tokio::test]
async fn who_gives_up_a_request_is_counted_too() {
    let t = Watched::new();
    let patience = TimeoutConfig::builder().operation_timeout(Duration::from_millis(300)).build();
    let server = Fake::new();
    let given_up = t.watch.config(&config(&server.endpoint).timeout_config(patience).build());
    server.answer([Answer::Never]);
    server.describe([description("events")]);
    let put = Client::from_conf(given_up).put_item().table_name("events").item("id", s("k"));
    put.send().await.unwrap_err();
    until(|| t.writes("events") == 1).await;
}

#[test]
fn a_description_that_ends_with_its_runtime_is_asked_for_by_another_request() {
    let t = Watched::new();
    t.server.describe([Answer::Never, description("events")]);
    let runtime = || Runtime::new().unwrap();
    let ends = runtime();
    ends.block_on(async {
        t.put("events").await;
        until(|| t.server.described().len() == 1).await;
    });
    drop(ends);
    runtime().block_on(async {
        t.put("events").await;
        until(|| t.writes("events") == 2).await;
    });
    assert_eq!(t.watch.failures(), 0);
}

#[test]
fn what_is_dropped_where_no_runtime_is_is_counted_by_another_request() {
    let (server, detector) = (Fake::new(), detector(false));
    let watch = Watch::new(Arc::clone(&detector));
    let client = watched(&server.endpoint, &watch);
    server.answer([Answer::Never, ok("{}")]);
    server.describe([description("events")]);
    let runtime = Runtime::new().unwrap();
    let put = || client.put_item().table_name("events").item("id", s("k")).send();
    let mut given_up = Box::pin(put());
    runtime.block_on(async { timeout(Duration::from_millis(300), &mut given_up).await.unwrap_err() });
    drop(given_up);
    assert_eq!((watch.failures(), server.described().len()), (1, 0));
    runtime.block_on(async {
        put().await.unwrap();
        until(|| detector.write_count("events", "k") == Ok(2)).await;
    });
    assert_eq!(watch.failures(), 1);
}
