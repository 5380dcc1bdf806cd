//! Watches `aws-sdk-dynamodb`: an interceptor that tells a [`Detector`] of every attempt at a
//! request, as it was sent and answered, and describes the tables whose key it needs. A recipe:
//! copy this file and `describe`, and [`capacity`] if you count units.

pub mod capacity;
mod describe;

use self::describe::{Describer, Wanted};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::config::{Config, ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::dns::ResolveDnsError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::{Storable, StoreAppend};
use hotpart::{Detector, Exchange, ObserveError};
use std::collections::HashSet;
use std::error::Error;
use std::fmt::Display;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// A watcher of clients. No request's result changes, and no error in here reaches the caller.
#[derive(Clone, Debug)]
pub struct Watch(Arc<Watcher>);

#[derive(Debug)]
struct Watcher {
    detector: Arc<Detector>,
    failures: AtomicU64,
    logged: Mutex<HashSet<String>>,
    wanted: Wanted,
}

impl Watch {
    /// Tells `detector` of the requests of every client whose configuration it makes.
    pub fn new(detector: Arc<Detector>) -> Self {
        let (failures, logged, wanted) = Default::default();
        Self(Arc::new(Watcher { detector, failures, logged, wanted }))
    }

    /// Returns the configuration of a client that is watched. Such a client calls DescribeTable by
    /// itself for each table whose key is needed and unknown, in a task of the tokio runtime that a
    /// request ran on.
    pub fn config(&self, config: &Config) -> Config {
        let watched = |describer| {
            let hook = Hook { watcher: Arc::clone(&self.0), describer };
            config.to_builder().interceptor(hook).build()
        };
        let client = Client::from_conf(watched(None));
        watched(Some(Arc::new(Describer::new(Arc::clone(&self.0), client))))
    }

    /// Returns how often something went wrong in here: an attempt was not observed, or a table not
    /// described.
    pub fn failures(&self) -> u64 {
        self.0.failures.load(Relaxed)
    }
}

impl Watcher {
    /// Counts what went wrong, and logs the first of each kind: the others would say the same.
    fn failed(&self, what: &dyn Display) {
        const LOGGED_MAX: usize = 100;
        self.failures.fetch_add(1, Relaxed);
        let what = what.to_string();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if logged.len() < LOGGED_MAX && logged.insert(what.clone()) {
            tracing::warn!("watching DynamoDB: {what}");
        }
    }

    fn undescribed(&self, table: &str, why: &str, so: &str) {
        self.failed(&format_args!(
            "the key schema of table {table:?} is needed and DescribeTable failed ({why}): its requests {so}; \
             declare it by set_key_schema"
        ));
    }
}

/// The interceptor of one configuration. That by which tables are described describes none.
#[derive(Clone, Debug)]
struct Hook {
    watcher: Arc<Watcher>,
    describer: Option<Arc<Describer>>,
}

/// An attempt that is sent. Once it has a connection it may have run, whatever becomes of it: one
/// that is dropped before it is told of, as its future was, had no answer.
#[derive(Debug)]
struct Sent {
    hook: Hook,
    target: String,
    body: SdkBody,
    connection: Option<CaptureSmithyConnection>,
    told: AtomicBool,
}

impl Storable for Sent {
    type Storer = StoreAppend<Self>;
}

impl Sent {
    /// Tells of it, once; of one that has no answer and never left, nothing.
    fn tell(&self, http_status: u16, response: Option<&[u8]>) {
        let connected = || self.connection.as_ref().is_none_or(|connection| connection.get().is_some());
        if self.told.swap(true, Relaxed) || http_status == 0 && !connected() {
            return;
        }
        let exchange = Exchange {
            operation: self.target.as_bytes(),
            request: self.body.bytes().unwrap_or_default(),
            response: response.filter(|body| !body.is_empty()),
            http_status,
            ..Exchange::default()
        };
        let Hook { watcher, describer } = &self.hook;
        match (watcher.detector.observe(&exchange), describer) {
            // What it did there waits in the detector.
            (Err(ObserveError::MissingSchema(tables)), Some(describer)) => {
                describer.want(tables, exchange.request);
            }
            (Err(error), _) => watcher.failed(&format_args!("an attempt was not observed: {error}")),
            (Ok(_), _) => {}
        }
        if let Some(describer) = describer {
            describer.describe_wanted();
        }
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.tell(0, None);
    }
}

/// Has `connection` say that there is one, until the HTTP client says what is so. A client that
/// says nothing, such as one of your own, may have sent a request that failed.
fn assume(connection: &CaptureSmithyConnection) {
    connection.set_connection_retriever(|| {
        Some(ConnectionMetadata::builder().proxied(false).poison_fn(|| {}).build())
    });
}

/// Whether an error says by itself that nothing was sent, whatever the HTTP client.
fn says_unsent(error: &(dyn Error + 'static)) -> bool {
    use io::ErrorKind::{AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkUnreachable};
    let mut error = Some(error);
    while let Some(each) = error {
        let io = each.downcast_ref().map(io::Error::kind);
        let refused =
            matches!(io, Some(AddrNotAvailable | ConnectionRefused | HostUnreachable | NetworkUnreachable));
        if refused || each.is::<ResolveDnsError>() {
            return true;
        }
        error = each.source();
    }
    false
}

impl Intercept for Hook {
    fn name(&self) -> &'static str {
        "hotpart::Watch"
    }

    /// Keeps what is sent: the transport takes it.
    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let Some(target) = request.headers().get("x-amz-target") else {
            self.watcher.failed(&"a request has no header X-Amz-Target, so it is not in DynamoDB's JSON");
            return Ok(());
        };
        if let Some(body) = request.body().try_clone() {
            let (hook, target) = (self.clone(), target.to_owned());
            let connection = cfg.load::<CaptureSmithyConnection>().cloned();
            connection.iter().for_each(assume);
            let told = AtomicBool::new(false);
            cfg.interceptor_state().store_append(Sent { hook, target, body, connection, told });
        }
        Ok(())
    }

    /// The answer has been read by now. This hook runs after timeouts too.
    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Of an answer that broke off the status is known.
        let answer = context.response();
        let status = answer.map_or(0, |answer| answer.status().as_u16());
        // Another interceptor's error comes before the request is sent, or after it was answered.
        let unsent = answer.is_none()
            && context.output_or_error().and_then(Result::err).is_some_and(|error| {
                error.is_interceptor_error()
                    || error.as_connector_error().is_some_and(|error| says_unsent(error))
            });
        // Earlier attempts have been told of. If others watch too, the first one's hook tells all
        // their detectors.
        for sent in cfg.load::<Sent>() {
            if unsent {
                sent.told.store(true, Relaxed);
            }
            sent.tell(status, answer.and_then(|answer| answer.body().bytes()));
        }
        Ok(())
    }
}

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
