//! Why a call was refused.

use crate::sys::memory::OutOfMemory;

/// Why a call was refused. A refused call has changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Error {
    /// An argument is out of its range: a table or model name not of 1 to 1,024 bytes, a partition
    /// key over 16,384 bytes, a threshold not of 1 to 2⁶³ − 1, a window not of 1 to 3,600 seconds,
    /// an amount of 0, a time past 4,294,967,295,999 ms.
    Invalid,
    /// Not with this detector: setting the time of a clock that runs by itself.
    Unsupported,
    /// The allocator refused.
    Memory,
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Error::Invalid => "an argument is out of its range",
            Error::Unsupported => "not supported by this detector",
            Error::Memory => "out of memory",
        })
    }
}

impl std::error::Error for Error {}

impl From<OutOfMemory> for Error {
    fn from(_: OutOfMemory) -> Self {
        Error::Memory
    }
}
