//! Reasons: of a throttle, and of an amount that is charged to no partition.

/// The reason for which DynamoDB throttled a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The response named no reason.
    Unknown,
    /// The limit of a key range: the only reason that is evidence of a hot partition.
    KeyRange,
    /// The provisioned throughput of the table or index was used up.
    Provisioned,
    /// The limit of the account was reached.
    AccountLimit,
    /// The maximum that was set for an on-demand table or index was reached.
    MaxOnDemand,
}

impl Reason {
    /// All reasons, in the order of the C constants.
    pub const ALL: [Self; 5] =
        [Self::Unknown, Self::KeyRange, Self::Provisioned, Self::AccountLimit, Self::MaxOnDemand];
}

impl Reason {
    /// Returns the reason as a metric's label names it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::KeyRange => "key_range",
            Self::Provisioned => "provisioned",
            Self::AccountLimit => "account_limit",
            Self::MaxOnDemand => "max_on_demand",
        }
    }
}

/// The kind of an amount that is tallied by table or index, because it can be charged to no
/// partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unattributed {
    /// Scans, and statements that fix no partition key.
    Scans,
    /// The capacity of scans and of such statements, in half units.
    ScanUnits,
    /// Items of batches that DynamoDB returned unprocessed.
    Unprocessed,
    /// The capacity of an index whose key value is not known, in half units.
    IndexUnits,
    /// Throttles of requests, or of indexes, with no known key.
    Throttles,
    /// Statements, and parts of requests, that could not be read.
    Unread,
}

impl Unattributed {
    /// All kinds, in the order of the C constants.
    pub const ALL: [Self; 6] =
        [Self::Scans, Self::ScanUnits, Self::Unprocessed, Self::IndexUnits, Self::Throttles, Self::Unread];
}

impl Unattributed {
    /// Returns the kind as a metric's label names it. Scans and their units are two metrics with
    /// one label.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Scans | Self::ScanUnits => "scan",
            Self::Unprocessed => "unprocessed",
            Self::IndexUnits => "index",
            Self::Throttles => "throttle",
            Self::Unread => "unread",
        }
    }

    /// Returns whether the kind is capacity, in half units.
    pub(crate) fn is_units(self) -> bool {
        matches!(self, Self::ScanUnits | Self::IndexUnits)
    }
}
