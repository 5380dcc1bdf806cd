//! The operations, which are counted apart: writes and reads.

/// A write or a read. Each partition has a count of writes and a count of reads, with thresholds
/// apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// An operation that consumes write capacity.
    Write,
    /// An operation that consumes read capacity.
    Read,
}

impl Operation {
    /// Both operations, in the order of the C constants.
    pub const ALL: [Operation; 2] = [Operation::Write, Operation::Read];

    pub(crate) fn other(self) -> Self {
        match self {
            Operation::Write => Operation::Read,
            Operation::Read => Operation::Write,
        }
    }

    /// Returns the operation as a metric's label names it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Operation::Write => "write",
            Operation::Read => "read",
        }
    }

    /// Returns the operation's place in arrays of two: 0 for writes, 1 for reads.
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// Displays "writes" or "reads", as the log line does.
impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Operation::Write => "writes",
            Operation::Read => "reads",
        })
    }
}
