//! The reasons for which a call, or a step of one, was refused.

use crate::argument::Argument;
use std::collections::TryReserveError;

/// The reason for which a call was refused. A refused call has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// This argument is out of its range, which [`Argument::range`] tells.
    Invalid(Argument),
    /// The detector does not support the operation: its clock runs by itself and cannot be set, or
    /// its window does not hold the closed minute that was asked for.
    Unsupported,
    /// The allocator had no memory.
    Memory,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Invalid(argument) => argument.fmt(f),
            Error::Unsupported => f.write_str("not supported by this detector"),
            Error::Memory => f.write_str("out of memory"),
        }
    }
}

impl std::error::Error for Error {}

impl From<OutOfMemory> for Error {
    fn from(_: OutOfMemory) -> Self {
        Error::Memory
    }
}

/// The allocator had no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

impl From<TryReserveError> for OutOfMemory {
    fn from(_: TryReserveError) -> Self {
        Self
    }
}

/// The map, or the list of overrides, has been cleared. It lives on for the calls that are in it,
/// and takes in nothing more. The call starts again with the next ledger.
#[derive(Debug)]
pub(crate) struct Cleared;

/// The reason for which a step was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    Cleared,
    Memory,
}

impl From<Cleared> for Refusal {
    fn from(_: Cleared) -> Self {
        Refusal::Cleared
    }
}

impl From<OutOfMemory> for Refusal {
    fn from(_: OutOfMemory) -> Self {
        Refusal::Memory
    }
}
