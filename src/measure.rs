//! What is counted: operations, or capacity in half units.

use crate::error::Error;
use crate::operation::Operation;
use crate::rule::LIMITS;

/// How a detector's counts are measured, and what DynamoDB's limits are in that measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    /// What a record adds whose amount is not said: one operation, or one unit, which is two halves.
    pub(crate) one: u32,
    /// Among how many processes the limits are divided.
    processes: u32,
}

impl Measure {
    #[cfg(test)]
    pub(crate) const OPERATIONS: Self = Self { one: 1, processes: 1 };

    pub(crate) fn try_new(capacity: bool, processes: u32) -> Result<Self, Error> {
        if processes == 0 {
            Err(Error::Invalid)
        } else {
            Ok(Self { one: if capacity { 2 } else { 1 }, processes })
        }
    }

    /// Whether counts are of half units, and not of operations.
    pub(crate) fn is_capacity(self) -> bool {
        self.one == 2
    }

    /// What DynamoDB gives a partition in a second, as far as this process may take it; at least 1.
    pub(crate) fn limit(self, operation: Operation) -> u64 {
        (LIMITS[operation.index()] * u64::from(self.one) / u64::from(self.processes)).max(1)
    }

    /// So many thousandths of what DynamoDB gives in so many seconds, as far as this process may take it.
    pub(crate) fn share(self, operation: Operation, permille: u32, seconds: u32) -> u64 {
        let whole = LIMITS[operation.index()] * u64::from(self.one) * u64::from(seconds);
        (whole * u64::from(permille) / 1_000 / u64::from(self.processes)).max(1)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn processes_share_the_limits() {
        let limits = |capacity, processes| {
            Operation::ALL.map(|operation| Measure::try_new(capacity, processes).unwrap().limit(operation))
        };
        assert_eq!(limits(false, 1), [1_000, 3_000]);
        assert_eq!(limits(true, 1), [2_000, 6_000]);
        assert_eq!(limits(true, 8), [250, 750]);
        assert_eq!(limits(true, u32::MAX), [1, 1]);
        assert_eq!(Measure::try_new(true, 0), Err(Error::Invalid));
        let four = Measure::try_new(true, 4).unwrap();
        assert_eq!(four.share(Operation::Write, 800, 5), 2_000, "halves: 0.8 of 5,000 units for four");
    }
}
