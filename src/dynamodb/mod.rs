//! What a request to DynamoDB and its response tell of the partitions they touched.

#[cfg(not(loom))]
pub(crate) mod action;
#[cfg(not(loom))]
pub(crate) mod attribute;
#[cfg(not(loom))]
pub(crate) mod attribution;
#[cfg(not(loom))]
pub(crate) mod charge;
#[cfg(not(loom))]
pub(crate) mod error;
pub(crate) mod json;
#[cfg(not(loom))]
pub(crate) mod key_condition;
#[cfg(not(loom))]
pub(crate) mod number;
#[cfg(not(loom))]
pub(crate) mod partiql;
#[cfg(not(loom))]
pub(crate) mod query;
#[cfg(not(loom))]
pub(crate) mod request;
#[cfg(not(loom))]
pub(crate) mod response;
pub(crate) mod schema;
#[cfg(not(loom))]
pub(crate) mod target;
#[cfg(not(loom))]
pub(crate) mod throttle;
#[cfg(not(loom))]
pub(crate) mod unprocessed;
