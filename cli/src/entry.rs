//! An entry: what one record of a log tells of one partition, or of one exchange with DynamoDB.

use hotpart::{Operation, Reason};

/// The outcome of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// DynamoDB did it.
    Done,
    /// DynamoDB throttled it, for this reason.
    Throttled(Reason),
}

/// One access to one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access<'a> {
    /// Milliseconds since 1970, or since whatever the log begins at.
    pub time_ms: u64,
    pub operation: Operation,
    /// The table, or `TABLE/index/INDEX`.
    pub table: &'a [u8],
    pub pk: &'a [u8],
    pub model: Option<&'a [u8]>,
    /// The number of operations for which it stands, at least 1.
    pub operations: u64,
    /// The capacity that it took, in half units, where the log tells it or lets it be estimated.
    pub half_units: Option<u64>,
    pub event: Event,
}

impl<'a> Access<'a> {
    /// Returns an access of one operation, for no model, whose capacity is not known.
    pub fn new(time_ms: u64, operation: Operation, table: &'a [u8], pk: &'a [u8]) -> Self {
        Self {
            time_ms,
            operation,
            table,
            pk,
            model: None,
            operations: 1,
            half_units: None,
            event: Event::Done,
        }
    }
}

/// The place of a record in the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file: how many are before it on the command line.
    pub file: u32,
    /// The line, from 1, on which it begins.
    pub line: u64,
}

/// One attempt at a request, and its response, as [`hotpart::Exchange`] has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// Its record, to name it where the library refuses it.
    pub from: Origin,
    /// As for [`Access::time_ms`].
    pub time_ms: u64,
    pub operation: &'a [u8],
    pub request: &'a [u8],
    pub response: Option<&'a [u8]>,
    pub model: Option<&'a [u8]>,
    /// The status of the response; 0 if none came.
    pub http_status: u16,
}

/// An access or an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry<'a> {
    Access(Access<'a>),
    Exchange(Exchange<'a>),
}

impl Entry<'_> {
    pub fn time_ms(&self) -> u64 {
        match self {
            Entry::Access(access) => access.time_ms,
            Entry::Exchange(exchange) => exchange.time_ms,
        }
    }
}
