//! A warning, as a test keeps it.

use crate::oracle::Spot;
use hotpart::{Rule, Warning};

/// A copy of a warning, however it came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub spot: Spot,
    pub operation: usize,
    pub rule: Rule,
    pub seconds: u32,
    pub count: u64,
    pub threshold: u64,
    pub carried: u64,
    pub peak: u64,
}

impl Heard {
    pub fn new(warning: &Warning<'_>) -> Self {
        Self {
            spot: Spot::read(warning.table, warning.pk),
            operation: warning.operation as usize,
            rule: warning.rule,
            seconds: warning.window_seconds,
            count: warning.count,
            threshold: warning.threshold,
            carried: warning.carried,
            peak: warning.peak,
        }
    }
}
