//! Attempts that never left are not counted; those that may have run are.

use crate::client::{config, detector, s, told_of, watched};
use crate::server::{Answer, Fake, ok};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use hotpart::Detector;
use hotpart_recipe_aws_sdk_dynamodb::Watch;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::time::timeout;

/// Counts operations, and knows the table's key.
fn knowing() -> Arc<Detector> {
    let detector = detector(false);
    detector.set_key_schema("events", None, &["id"]).unwrap();
    detector
}

async fn put(client: &Client) {
    client.put_item().table_name("events").item("id", s("k")).send().await.unwrap_err();
}

fn writes(detector: &Detector) -> u64 {
    detector.write_count("events", "k").unwrap()
}

/// The address of a server that takes no connection any more, while what comes with it lives.
fn full() -> (String, impl Drop) {
    struct Full(#[expect(dead_code, reason = "open until it is dropped")] Vec<TcpStream>, mpsc::Sender<()>);
    impl Drop for Full {
        fn drop(&mut self) {
            let _ = self.1.send(());
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = mpsc::channel();
    let waits = Duration::from_millis(50);
    let waiting = std::iter::from_fn(|| TcpStream::connect_timeout(&address, waits).ok()).collect();
    std::thread::spawn(move || {
        let _ = ended.recv();
        drop(listener);
    });
    (format!("http://{address}"), Full(waiting, end))
}

#[tokio::test]
async fn five_hundred_refused_connections_are_no_writes() {
    let warned = Arc::new(AtomicU32::new(0));
    let warnings = Arc::clone(&warned);
    let detector = Detector::builder(500, 500, 60).on_warning(move |_| {
        warnings.fetch_add(1, Relaxed);
    });
    let detector = Arc::new(detector.build().unwrap());
    detector.set_key_schema("events", None, &["id"]).unwrap();
    // Retries would take the tokens that all clients of a region share, from the other tests' too.
    let config = config("http://127.0.0.1:1").retry_config(RetryConfig::disabled());
    let client = told_of(&detector, config);
    for _ in 0..500 {
        put(&client).await;
    }
    assert_eq!((writes(&detector), detector.statistics().records, warned.load(Relaxed)), (0, 0, 0));
}

#[tokio::test]
async fn a_name_that_is_not_resolved_is_no_write() {
    let detector = knowing();
    put(&watched("http://nobody.invalid:8000", &Watch::new(Arc::clone(&detector)))).await;
    assert_eq!(writes(&detector), 0);
}

#[tokio::test]
async fn what_is_given_up_before_it_is_connected_is_no_write() {
    let (detector, (endpoint, _full)) = (knowing(), full());
    let watch = Watch::new(Arc::clone(&detector));
    let client = watched(&endpoint, &watch);
    timeout(Duration::from_millis(200), put(&client)).await.unwrap_err();
    assert_eq!(writes(&detector), 0, "its future was dropped");
    let timeouts = [
        TimeoutConfig::builder().connect_timeout(Duration::from_millis(100)).build(),
        TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(100)).build(),
        TimeoutConfig::builder().operation_timeout(Duration::from_millis(100)).build(),
    ];
    for timeouts in timeouts {
        let config = config(&endpoint).timeout_config(timeouts).build();
        put(&Client::from_conf(watch.config(&config))).await;
        assert_eq!(writes(&detector), 0);
    }
}

#[tokio::test]
async fn what_is_lost_after_it_was_connected_may_have_run() {
    let (server, detector) = (Fake::new(), knowing());
    server.answer((0..3).map(|_| Answer::Dropped));
    put(&watched(&server.endpoint, &Watch::new(Arc::clone(&detector)))).await;
    assert_eq!(writes(&detector), 3);
}

/// Refuses every request before it is sent.
#[derive(Debug)]
struct Refuses;

impl Intercept for Refuses {
    fn name(&self) -> &'static str {
        "Refuses"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Err("refused".into())
    }
}

#[tokio::test]
async fn what_another_interceptor_refuses_is_no_write() {
    let (server, detector) = (Fake::new(), knowing());
    let config = config(&server.endpoint).interceptor(Refuses);
    put(&told_of(&detector, config)).await;
    assert_eq!(writes(&detector), 0);
}

/// An HTTP client of one's own, which does not say whether it had a connection.
#[derive(Debug)]
struct Own(io::ErrorKind);

impl HttpConnector for Own {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::io(io::Error::from(self.0).into())))
    }
}

#[tokio::test]
async fn an_http_client_that_does_not_tell_may_have_sent_but_for_what_its_error_says() {
    for (kind, expected) in [(io::ErrorKind::ConnectionRefused, 0), (io::ErrorKind::ConnectionReset, 3)] {
        let detector = knowing();
        let own = http_client_fn(move |_, _| SharedHttpConnector::new(Own(kind)));
        let config = config("http://127.0.0.1:1").http_client(own);
        put(&told_of(&detector, config)).await;
        assert_eq!(writes(&detector), expected, "{kind}");
    }
}

/// Speaks another protocol, as far as the header tells.
#[derive(Debug)]
struct Speaks;

impl Intercept for Speaks {
    fn name(&self) -> &'static str {
        "Speaks"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().remove("x-amz-target");
        Ok(())
    }
}

#[tokio::test]
async fn a_request_that_is_not_in_dynamodb_s_json_is_a_failure() {
    let (server, watch) = (Fake::new(), Watch::new(detector(false)));
    server.answer([ok("{}")]);
    let config = config(&server.endpoint).interceptor(Speaks);
    let client = Client::from_conf(watch.config(&config.build()));
    client.list_tables().send().await.unwrap();
    assert_eq!(watch.failures(), 1);
}
