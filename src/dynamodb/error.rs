//! The reasons for which a request is not observed.

use crate::argument::Argument;
use crate::dynamodb::json::Malformed;
use crate::dynamodb::target::NoTarget;
use crate::error::Error;

/// The reason for which a request was not observed, or not all of it yet. Nothing of it was
/// recorded, except with [`MissingSchema`](Self::MissingSchema), and where memory ran out
/// ([`Error::Memory`]): then a part may have been.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// The names of these tables' partition keys are needed and unknown. Observe the response of a
    /// DescribeTable for each, or set the schema, or [forget](crate::Detector::forget_table) the
    /// table. The parts of the request on these tables wait for that, and everything else is
    /// recorded. So don't observe this request again.
    MissingSchema(Vec<String>),
    /// The request, or its response, is no JSON object of that operation. (A statement or a part
    /// that can't be read is no error: it is tallied.)
    Json,
    /// It can't be recorded, for this reason.
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
            // A table that can be asked for waits, so this one has a name that no table has.
            NoTarget::Schema(_) => Self::Refused(Error::Invalid(Argument::Table)),
        }
    }
}
