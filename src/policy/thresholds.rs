//! Thresholds: the detector's own, and what tables and models put over them.

use crate::argument::Argument;
use crate::error::Error;
use crate::key::check_name;
use crate::operation::Operation;

/// The highest threshold: 2⁶³ − 1, what a C caller can read back as `int64_t`.
pub(crate) const THRESHOLD_MAX: u64 = i64::MAX as u64;

/// The counts from which a partition is hot. `None`: the next level decides (a model's threshold wins
/// over its table's, and that over the detector's own).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Thresholds {
    /// For writes, 1 to 2⁶³ − 1.
    pub writes: Option<u64>,
    /// For reads, 1 to 2⁶³ − 1.
    pub reads: Option<u64>,
}

impl Thresholds {
    pub(crate) fn of(&self, operation: Operation) -> Option<u64> {
        match operation {
            Operation::Write => self.writes,
            Operation::Read => self.reads,
        }
    }

    /// Checks both; `names` says what the caller calls them.
    pub(crate) fn check(&self, names: [Argument; 2]) -> Result<(), Error> {
        for (threshold, name) in [self.writes, self.reads].into_iter().zip(names) {
            if threshold.is_some_and(|n| !(1..=THRESHOLD_MAX).contains(&n)) {
                return Err(Error::Invalid(name));
            }
        }
        Ok(())
    }
}

/// The kind of thing that an override is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Table,
    Model,
}

impl Scope {
    /// Returns the argument that names it.
    pub(crate) fn argument(self) -> Argument {
        match self {
            Scope::Table => Argument::Table,
            Scope::Model => Argument::Model,
        }
    }
}

/// Checks a name and the thresholds to set for it.
pub(crate) fn check(scope: Scope, name: &[u8], thresholds: Thresholds) -> Result<(), Error> {
    check_name(scope.argument(), name)?;
    thresholds.check([Argument::Writes, Argument::Reads])
}
