//! When a partition is hot, and in what it is counted.
//!
//! | module | says |
//! |---|---|
//! | [`thresholds`] | the count from which a partition is hot: the model's, else the table's, else the detector's |
//! | [`rule`] | the spans that have a threshold: the window, one second, five seconds; and the throttle |
//! | [`measure`] | the unit: operations, or capacity in half units |
//!
//! The policy only compares numbers that it is given. What the numbers are is the partition's matter;
//! who is told is the detector's.
//!
//! ```text
//! model's override --+
//! table's override --+-- the first that says one --> threshold of the window --+
//! detector's own   --+                                                         +-- breached? --> rule
//!                        thresholds of one second and of five seconds ---------+
//! ```
//!
//! **Invariants.** A model's or table's threshold that says nothing inherits, for writes and reads apart.
//! An override is replaced whole: a reader sees the old one or the new one.
//!
//! **Proof.** `tests/warnings.rs`, `tests/rates.rs`, the thresholds in `tests/properties`, and the loom
//! models of an override's lifetime (`src/models/lifetimes.rs`).
//!
//! **To add a kind of threshold**: its [`rule::Rule`]; its place in the settings and in the builder; the span
//! that `Series::recent` adds up for it; then `hpd_options`, whose layout grows at its end.

pub(crate) mod measure;
pub(crate) mod rule;
pub(crate) mod thresholds;
