//! Reasons: of a throttle, and of an amount that is charged to no partition.

/// The reason for which DynamoDB throttled a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The response named none.
    Unknown,
    /// The partition's own limit: the one reason that is evidence of a hot partition.
    KeyRange,
    /// The provisioned throughput of the table or index.
    Provisioned,
    /// The account's limit.
    AccountLimit,
    /// The most that an on-demand table or index was set to.
    MaxOnDemand,
}

impl Reason {
    /// All of them, in the order of the C constants.
    pub const ALL: [Self; 5] =
        [Self::Unknown, Self::KeyRange, Self::Provisioned, Self::AccountLimit, Self::MaxOnDemand];
}

impl Reason {
    /// Returns the name that metrics have for it.
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

/// The kind of an amount that is tallied by table, or index, because no partition can be charged with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Unattributed {
    /// Scans, and statements that pin no key.
    Scans,
    /// The capacity that those took, in half units.
    ScanUnits,
    /// Items of batches that DynamoDB returned unprocessed.
    Unprocessed,
    /// Capacity of an index whose key value is not known, in half units.
    IndexUnits,
    /// Throttles of requests, or of indexes, of which no key is known.
    Throttles,
    /// Parts of requests that could not be read, or whose table's key never got known.
    Unread,
}

impl Unattributed {
    /// All of them, in the order of the C constants.
    pub const ALL: [Self; 6] =
        [Self::Scans, Self::ScanUnits, Self::Unprocessed, Self::IndexUnits, Self::Throttles, Self::Unread];
}

impl Unattributed {
    /// Returns the name that metrics have for it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Scans | Self::ScanUnits => "scan",
            Self::Unprocessed => "unprocessed",
            Self::IndexUnits => "index",
            Self::Throttles => "throttle",
            Self::Unread => "unread",
        }
    }

    /// Returns whether it is capacity, in half units.
    pub(crate) fn is_units(self) -> bool {
        matches!(self, Self::ScanUnits | Self::IndexUnits)
    }
}
