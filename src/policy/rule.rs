//! The rules by which a partition is hot.
//!
//! A *rate* is a rule that has a span of its own, whatever the window is: one second, or five
//! ([`RateThresholds`]). A rate tells a burst from a trickle: 1,000 writes in one second are at
//! DynamoDB's limit, 1,000 in a minute are far from it. Rates are the detector's own, for all
//! tables. The window's threshold is not here, as it can be overridden
//! ([`crate::policy::thresholds`]). The length of a span stands beside the code that adds it up
//! (`partition::series`), which is below this folder.

use crate::operation::Operation;
use crate::partition::series::{Recent, SUSTAINED};

/// The capacity of one physical partition of DynamoDB in a second: write units, read units. From
/// the AWS developer guide, "Best practices for designing and using partition keys effectively".
pub(crate) const LIMITS: [u64; 2] = [1_000, 3_000];

/// The rule that a warning comes of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The window's count has reached its threshold.
    Window,
    /// The current second has reached its threshold.
    Second,
    /// The last five seconds, the current one included, have reached theirs.
    Sustained,
    /// DynamoDB throttled the partition for its key range: the first time, or the first in an
    /// interval.
    Throttle,
}

/// The counts from which a second, or five, are too much; [`u64::MAX`] for a rule that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateThresholds {
    pub(crate) second: [u64; 2],
    pub(crate) sustained: [u64; 2],
}

/// A rule that is met: the count, the seconds in which it was counted, and the threshold that it
/// has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) rule: Rule,
    pub(crate) count: u64,
    pub(crate) threshold: u64,
    pub(crate) seconds: u32,
}

impl RateThresholds {
    #[cfg(test)]
    pub(crate) const NONE: Self = Self { second: [u64::MAX; 2], sustained: [u64::MAX; 2] };

    /// Returns a number that no rate's threshold for this operation is under.
    pub(crate) fn floor(&self, operation: Operation) -> u64 {
        self.second[operation.index()].min(self.sustained[operation.index()])
    }

    /// Returns for each operation a number that neither these thresholds nor any rate's are under.
    pub(crate) fn floors(&self, thresholds: [u64; 2]) -> [u64; 2] {
        Operation::ALL.map(|operation| thresholds[operation.index()].min(self.floor(operation)))
    }

    /// Returns the most urgent rate that is met.
    pub(crate) fn breach(&self, operation: Operation, recent: Recent) -> Option<Breach> {
        let breach = |rule, count, threshold, seconds| {
            (count >= threshold).then_some(Breach { rule, count, threshold, seconds })
        };
        breach(Rule::Second, recent.second, self.second[operation.index()], 1).or_else(|| {
            breach(Rule::Sustained, recent.sustained, self.sustained[operation.index()], SUSTAINED)
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn the_limit_in_one_second_is_more_urgent_than_a_share_of_it_in_five() {
        let rates = RateThresholds { second: [10, 30], sustained: [40, u64::MAX] };
        let breach = |operation, second, sustained| {
            rates
                .breach(operation, Recent { second, sustained })
                .map(|breach| (breach.rule, breach.count, breach.seconds))
        };
        assert_eq!(breach(Operation::Write, 9, 39), None);
        assert_eq!(breach(Operation::Write, 9, 40), Some((Rule::Sustained, 40, 5)));
        assert_eq!(breach(Operation::Write, 10, 40), Some((Rule::Second, 10, 1)));
        assert_eq!(breach(Operation::Read, 29, 1_000_000), None);
        assert_eq!(breach(Operation::Read, 30, 30), Some((Rule::Second, 30, 1)));
    }
}
