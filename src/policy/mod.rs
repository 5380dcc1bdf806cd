//! When a partition is hot: thresholds, the rules they make, and what is measured against them.

pub(crate) mod measure;
pub(crate) mod rule;
pub(crate) mod thresholds;
