//! The C ABI: every function checks its pointers, calls the Rust API, and catches what must not cross.
//!
//! # Safety
//! The functions trust what the header demands of pointers: texts and structs are valid for their
//! lengths, handles came from the function that makes them and have not been freed, `out` can be written
//! to.
//!
//! Conventions, for all functions: text is a pointer and a length, NULL only with length 0; what is
//! fallible returns 0 or more, or an `HPD_ERR_*` and then has changed nothing; all but `hpd_free` and
//! `hpd_table_close` may be called by any number of threads at once, and none from a signal handler.

#![allow(clippy::missing_safety_doc)] // It is the same for all of them: above.

mod status;

mod detector;

mod record;

mod table;

mod warning;

mod thresholds;

mod throttle;

mod hottest;

mod statistics;

mod metrics;

mod observe;

mod due;

mod boundary;

mod pending;

pub use detector::*;
pub use due::*;
pub use hottest::*;
pub use metrics::*;
pub use observe::*;
pub use record::*;
pub use statistics::*;
pub use status::*;
pub use table::*;
pub use thresholds::*;
pub use throttle::*;
pub use warning::*;
