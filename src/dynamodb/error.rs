//! The reasons for which a request is not observed.

use crate::argument::Argument;
use crate::dynamodb::json::Malformed;
use crate::dynamodb::target::NoTarget;
use crate::error::Error;

/// The reason for which a request was not observed, or not all of it yet. But for
/// [`MissingSchema`](Self::MissingSchema) nothing of it was recorded then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// The names of these tables' partition keys are needed and unknown: observe the response of a DescribeTable for each,
    /// or set the schema, or [forget](crate::Detector::forget_table) the table. What the request did on them waits for
    /// that; all else is recorded. So don't observe this one again.
    MissingSchema(Vec<String>),
    /// It is no JSON object of that operation. (A statement in it, or a part, that can't be read is
    /// no error, but tallied.)
    Json,
    /// It can't be recorded.
    Refused(Error),
}

impl std::fmt::Display for ObserveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MissingSchema(tables) => {
                f.write_str("not known is the key schema of")?;
                tables
                    .iter()
                    .enumerate()
                    .try_for_each(|(i, table)| write!(f, "{} table {table:?}", if i == 0 { "" } else { "," }))
            }
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
            // What can be asked for is, and waits; this table has a name that none has.
            NoTarget::Schema(_) => Self::Refused(Error::Invalid(Argument::Table)),
        }
    }
}
