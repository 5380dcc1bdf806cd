//! Warns before a DynamoDB partition key is throttled.
//!
//! DynamoDB throttles a partition key that gets more than about 1,000 write units or 3,000 read
//! units a second. This library sits inside the program that talks to DynamoDB. It counts reads and
//! writes of each (table, partition key) over a sliding window, and warns when a count reaches its
//! threshold. A record takes no lock, and the library starts no thread.
//!
//! ```
//! use hotpart::{Detector, Warning};
//!
//! let detector = Detector::builder(500, 1_500, 60) // writes, reads, seconds
//!     .on_warning(|warning: &Warning<'_>| eprintln!("{warning}"))
//!     .build()?;
//!
//! detector.record_write("events", "EVENTS")?; // beside every put, update and delete
//! detector.record_read("events", "EVENTS")?; // beside every get and query
//! assert_eq!(detector.write_count("events", "EVENTS")?, 1);
//! # Ok::<(), hotpart::Error>(())
//! ```
//!
//! A [`Detector`] may be shared among threads: every function takes `&self`. A count covers the
//! last `window` to `window + 1` seconds: here the write counts for 60 to 61 seconds. Amounts are
//! operations or, in capacity mode, half units ([`units`]).
//!
//! [`Detector::observe`] reads the requests of a DynamoDB client and their answers, in place of
//! records that a program makes itself. [`Detector::for_dynamodb`] counts capacity and warns by
//! DynamoDB's own limits. `docs/RUST.md` shows both.
//!
//! `DESIGN.md` explains the layers, the way of a record, and why nothing is lost. `docs/design` has
//! a page for each structure, and for memory orderings.

#![cfg_attr(loom, allow(dead_code, unused_imports))] // Models use a part.

mod argument;
mod error;
mod filter; // cells that all partitions share, for those that are far from hot
mod fleet;
mod key; // a partition's name and its hash
mod ledger; // the way of a record to its count; all that a clear forgets; reclaim
mod map; // the lock-free hash table of partitions
mod operation;
mod partition; // one entry: heads, past, alarm
mod policy; // when a partition is hot
mod reason;
mod statistics;
mod sys; // atomics, allocation, epochs, the clock
pub mod units;

#[cfg(feature = "dynamodb")]
mod dynamodb; // a request and its response in, the partitions they touch out

#[cfg(not(loom))]
mod detector; // what a program holds, and can ask

#[cfg(not(loom))]
pub mod ffi; // the C ABI

#[cfg(all(test, loom))]
mod models;

pub use argument::Argument;
pub use error::Error;
pub use fleet::fleet_least;
pub use operation::Operation;
pub use policy::rule::Rule;
pub use policy::thresholds::Thresholds;
pub use reason::{Reason, Unattributed};
pub use statistics::Statistics;
#[cfg(not(loom))]
pub use {
    detector::Bounds, detector::Detector, detector::builder::Builder, detector::closed_counts::ClosedCounts,
    detector::closed_span::ClosedSpan, detector::hot_partition::HotPartition, detector::metrics::Metrics,
    detector::notice::Notice, detector::record::Record, detector::table_handle::TableHandle,
    detector::warning::Warning,
};

#[cfg(all(feature = "dynamodb", not(loom)))]
pub use {
    detector::observe::Exchange, detector::recorder::Recorder, dynamodb::ask::ask_capacity,
    dynamodb::error::ObserveError, dynamodb::number::number_key,
};

/// Runs the README's Rust as a test.
#[cfg(all(doctest, feature = "dynamodb"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// Runs the Rust page's.
#[cfg(all(doctest, feature = "dynamodb"))]
#[doc = include_str!("../docs/RUST.md")]
struct RustPage;
