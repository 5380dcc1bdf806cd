//! Why a call, or a step of one, was refused.

use crate::argument::Argument;
use std::collections::TryReserveError;

/// Why a call was refused. A refused call has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// This argument is out of its range, which [`Argument::range`] tells.
    Invalid(Argument),
    /// Not with this detector: setting the time of a clock that runs by itself, or a closed minute of a window that does not hold it.
    Unsupported,
    /// The allocator refused.
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

/// The allocator refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OutOfMemory;

impl From<TryReserveError> for OutOfMemory {
    fn from(_: TryReserveError) -> Self {
        Self
    }
}

/// The map, or the list of overrides, has been cleared: it lives on for those who were in it, and takes in nobody else.
#[derive(Debug)]
pub(crate) struct Cleared;

/// Why something was not done.
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
