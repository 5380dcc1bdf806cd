//! Thresholds: the detector's own, and what tables and models put over them.

use crate::argument::Argument;
use crate::error::Error;
use crate::key::check_name;
use crate::operation::Operation;

/// The highest threshold: 2⁶³ − 1, what a C caller can read back as `int64_t`.
pub(crate) const THRESHOLD_MAX: u64 = i64::MAX as u64;

/// The counts from which a partition is hot, for a table or for a model.
///
/// `None` inherits: a record is judged by its model's threshold, else by its table's, else by the
/// detector's own. Writes and reads inherit apart.
///
/// ```
/// use hotpart::{Detector, Thresholds};
///
/// let detector = Detector::builder(500, 1_500, 60).build()?;
/// detector.set_table_thresholds("orders", Thresholds { writes: Some(200), reads: None })?;
/// # Ok::<(), hotpart::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Thresholds {
    /// The count of writes, in `1..=2⁶³ - 1`.
    pub writes: Option<u64>,
    /// The count of reads, in `1..=2⁶³ - 1`.
    pub reads: Option<u64>,
}

impl Thresholds {
    /// Returns the threshold of an operation, if there is one.
    pub(crate) fn of(&self, operation: Operation) -> Option<u64> {
        match operation {
            Operation::Write => self.writes,
            Operation::Read => self.reads,
        }
    }

    /// Checks both. `names` are the arguments by which the caller calls them.
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
