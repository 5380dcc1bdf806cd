//! The reasons for which a request is not observed.

use crate::argument::Argument;
use crate::dynamodb::json::Malformed;
use crate::dynamodb::target::NoTarget;
use crate::error::Error;
use crate::key::check_name;

/// The reason for which a request was not observed. Nothing of it was recorded then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// The name of this table's partition key is needed and unknown: observe the response of a DescribeTable, or set the
    /// schema, then observe this again.
    MissingSchema(String),
    /// It is no JSON object of that operation. (A statement in it, or a part, that can't be read is
    /// no error, but tallied.)
    Json,
    /// It can't be recorded.
    Refused(Error),
}

impl std::fmt::Display for ObserveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MissingSchema(table) => write!(f, "the key schema of table {table:?} is not known"),
            Self::Json => f.write_str("not the JSON of that operation"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ObserveError {}

impl From<Error> for ObserveError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<Malformed> for ObserveError {
    fn from(_: Malformed) -> Self {
        Self::Json
    }
}

impl From<NoTarget> for ObserveError {
    fn from(why: NoTarget) -> Self {
        match why {
            NoTarget::Malformed => Self::Json,
            NoTarget::Memory => Self::Refused(Error::Memory),
            // Nobody can describe a table of a name that none has.
            NoTarget::Schema(table) => match check_name(Argument::Table, table.as_bytes()) {
                Ok(()) => Self::MissingSchema(table),
                Err(invalid) => Self::Refused(invalid),
            },
        }
    }
}
