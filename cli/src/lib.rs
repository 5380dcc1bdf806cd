//! The command `hotpart`: finds hot partitions in logs.
//!
//! ```text
//! files --> input: formats --> entries --> reorder: the order of time --> replay: a detector
//!                                                                             |
//!                                   report, backtest, heatmap <---------------+
//! /metrics, Prometheus --> top
//! ```
//!
//! The library does all counting, by its manual clock. [`input`] reads what a log says, [`reorder`]
//! puts it in the order of its times, [`replay`] hands it to a detector, and each subcommand has a
//! folder of its own for what it makes of that.

pub mod args;
pub mod backtest;
pub mod batch;
pub mod columns;
pub mod entry;
pub mod feed;
pub mod heatmap;
pub mod input;
pub mod output;
pub mod period;
pub mod readable;
pub mod reorder;
pub mod replay;
pub mod report;
pub mod session;
pub mod thresholds;
pub mod time;
pub mod top;
