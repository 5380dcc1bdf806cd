//! Clients that are watched, and their detectors.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Config, Credentials, Region, retry::RetryConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use hotpart::Detector;
use hotpart_recipe_aws_sdk_dynamodb::{Watch, capacity::AskCapacity};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

pub type Item = HashMap<String, AttributeValue>;

/// Counts operations or units; its clock stands still.
pub fn detector(capacity: bool) -> Arc<Detector> {
    let builder = Detector::builder(1 << 60, 1 << 60, 60).manual_clock();
    Arc::new(if capacity { builder.capacity_mode() } else { builder }.build().unwrap())
}

/// A client of `endpoint` without TLS, which gives up after its third attempt and hardly waits
/// before it tries again.
pub fn config(endpoint: &str) -> Builder {
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1));
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(retries)
}

/// A client by this configuration, of which this detector is told.
pub fn told_of(detector: &Arc<Detector>, config: Builder) -> Client {
    Client::from_conf(Watch::new(Arc::clone(detector)).config(&config.build()))
}

pub fn watched(endpoint: &str, watch: &Watch) -> Client {
    Client::from_conf(watch.config(&config(endpoint).build()))
}

pub fn asking(endpoint: &str, watch: &Watch) -> Client {
    Client::from_conf(watch.config(&config(endpoint).interceptor(AskCapacity).build()))
}

pub fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub fn n(number: u32) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub fn item<const N: usize>(members: [(&str, AttributeValue); N]) -> Item {
    members.map(|(name, value)| (name.to_owned(), value)).into()
}
