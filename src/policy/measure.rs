//! The measure: operations, or capacity in half units, so that a read of 0.5 units is exact.
//!
//! An example: in capacity mode, shared among four processes, 80 % of a partition's writes in 5
//! seconds are 1,000 units · 2 halves · 5 s · 0.8 / 4 = 2,000.

use crate::argument::Argument;
use crate::error::Error;
use crate::operation::Operation;
use crate::partition::amount::Amount;
use crate::policy::rule::LIMITS;

/// The unit of a detector's counts, and DynamoDB's limits in that unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    one: One,
    /// The number of processes among which the limits are divided.
    processes: u32,
}

/// The count of one operation or one unit: a number that a compiler knows to be small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum One {
    Operation = 1,
    TwoHalves = 2,
}

impl Measure {
    #[cfg(test)]
    pub(crate) const OPERATIONS: Self = Self { one: One::Operation, processes: 1 };

    pub(crate) fn try_new(capacity: bool, processes: u32) -> Result<Self, Error> {
        if processes == 0 {
            Err(Error::Invalid(Argument::Processes))
        } else {
            Ok(Self { one: if capacity { One::TwoHalves } else { One::Operation }, processes })
        }
    }

    /// Returns the amount of a record that says none: one operation, or one unit, which is two
    /// halves.
    #[inline(always)]
    pub(crate) fn one(self) -> Amount {
        Amount::small(self.one as u32)
    }

    /// Returns whether counts are of half units, and not of operations.
    #[inline(always)]
    pub(crate) fn is_capacity(self) -> bool {
        self.one == One::TwoHalves
    }

    /// Returns the least count that is `permille` thousandths of a partition's limit in `seconds`,
    /// as far as this process may take it. Rounded up, so that a threshold is never under the share
    /// that it stands for.
    pub(crate) fn share(self, operation: Operation, permille: u32, seconds: u32) -> u64 {
        let whole = LIMITS[operation.index()] * u64::from(self.one()) * u64::from(seconds);
        (whole * u64::from(permille)).div_ceil(1_000 * u64::from(self.processes))
    }

    /// Returns how many thousandths of that limit a count in `seconds` is, rounded down.
    pub(crate) fn permille(self, operation: Operation, count: u64, seconds: u32) -> u32 {
        let whole = LIMITS[operation.index()] * u64::from(self.one()) * u64::from(seconds.max(1));
        let permille = u128::from(count) * 1_000 * u128::from(self.processes) / u128::from(whole);
        u32::try_from(permille).unwrap_or(u32::MAX)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn processes_share_the_limits() {
        let limits = |capacity, processes| {
            let measure = Measure::try_new(capacity, processes).unwrap();
            Operation::ALL.map(|operation| measure.share(operation, 1_000, 1))
        };
        assert_eq!(limits(false, 1), [1_000, 3_000]);
        assert_eq!(limits(true, 1), [2_000, 6_000]);
        assert_eq!(limits(true, 8), [250, 750]);
        assert_eq!(limits(true, 3), [667, 2_000], "666 would be under the limit");
        assert_eq!(limits(true, u32::MAX), [1, 1]);
        assert_eq!(Measure::try_new(true, 0), Err(Error::Invalid(Argument::Processes)));
        let four = Measure::try_new(true, 4).unwrap();
        assert_eq!(four.share(Operation::Write, 800, 5), 2_000, "halves: 0.8 of 5,000 units for four");
    }

    #[test]
    fn utilisation_is_of_the_limit_and_not_of_what_it_was_rounded_to() {
        let permille = |capacity, processes, count, seconds| {
            Measure::try_new(capacity, processes).unwrap().permille(Operation::Write, count, seconds)
        };
        assert_eq!(permille(false, 1, 1_000, 1), 1_000);
        assert_eq!(permille(false, 1, 4_000, 5), 800);
        assert_eq!(permille(false, 1, 999, 1), 999);
        assert_eq!(permille(true, 667, 2, 1), 667, "a unit, of 1.5 for each process");
        assert_eq!(permille(true, 3_000, 1, 1), 1_500);
        assert_eq!(permille(false, 1, u64::MAX, 0), u32::MAX);
    }

    /// A warning that says it is of the limit is of the limit at least, however that is divided.
    #[test]
    fn no_rounding_warns_under_the_limit() {
        for (processes, permille) in (1..5_000).flat_map(|n| [(n, 1_000), (n, 800), (n, 1)]) {
            let measure = Measure::try_new(true, processes).unwrap();
            for (operation, seconds) in Operation::ALL.into_iter().flat_map(|each| [(each, 1), (each, 5)]) {
                let least = measure.share(operation, permille, seconds);
                assert!(measure.permille(operation, least, seconds) >= permille);
                assert!(least == 1 || measure.permille(operation, least - 1, seconds) < permille);
            }
        }
    }
}
