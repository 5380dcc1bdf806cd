//! What is counted beside the partitions' operations: throttles by partition and reason, and what no partition can be
//! charged with, by table. Each is a partition like any other, so it has a window, is reclaimed when idle and forgotten
//! by a clear; its table's name is empty, which no caller's is, and its key says what it is:
//!
//! ```text
//! | kind | table's length | table | pk |
//!    1          2
//! ```

use crate::key::Key;
use crate::memory::OutOfMemory;

/// Why DynamoDB throttled a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Reason {
    /// The answer named none.
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
    /// As metrics call it.
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

/// What is tallied by table, or index, because no partition can be charged with it.
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
}

impl Unattributed {
    /// All of them, in the order of the C constants.
    pub const ALL: [Self; 5] =
        [Self::Scans, Self::ScanUnits, Self::Unprocessed, Self::IndexUnits, Self::Throttles];
}

impl Unattributed {
    /// As metrics call it.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Scans | Self::ScanUnits => "scan",
            Self::Unprocessed => "unprocessed",
            Self::IndexUnits => "index",
            Self::Throttles => "throttle",
        }
    }

    /// Whether it is capacity, in half units.
    pub(crate) fn is_units(self) -> bool {
        matches!(self, Self::ScanUnits | Self::IndexUnits)
    }
}

/// What an aside counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Throttle(Reason),
    Unattributed(Unattributed),
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Kind::Throttle(reason) => reason as u8,
            Kind::Unattributed(what) => 16 + what as u8,
        }
    }
}

/// Bytes before the table's name.
const HEAD: usize = 3;
/// What most keys fit in.
const SHORT: usize = 128;

/// The key of an aside, in memory of its own.
pub(crate) enum AsideKey {
    Short([u8; SHORT], usize),
    Long(Vec<u8>),
}

impl AsideKey {
    /// For a key that has been checked.
    pub(crate) fn try_new(kind: Kind, key: Key<'_>) -> Result<Self, OutOfMemory> {
        let Key { table, pk } = key;
        let [low, high] = (table.len() as u16).to_le_bytes();
        let head = [kind.code(), low, high];
        let len = HEAD + table.len() + pk.len();
        if len <= SHORT {
            let mut text = [0; SHORT];
            text[..HEAD].copy_from_slice(&head);
            text[HEAD..][..table.len()].copy_from_slice(table);
            text[HEAD + table.len()..][..pk.len()].copy_from_slice(pk);
            return Ok(Self::Short(text, len));
        }
        let mut text = Vec::new();
        text.try_reserve_exact(len).map_err(|_| OutOfMemory)?;
        [&head[..], table, pk].into_iter().for_each(|part| text.extend_from_slice(part));
        Ok(Self::Long(text))
    }

    pub(crate) fn key(&self) -> Key<'_> {
        let pk = match self {
            Self::Short(text, len) => &text[..*len],
            Self::Long(text) => text,
        };
        Key { table: &[], pk }
    }
}

/// Whether a key is an aside's.
pub(crate) fn is_aside(key: Key<'_>) -> bool {
    key.table.is_empty()
}

/// The partition of which an aside's key says that it was throttled for its key range.
pub(crate) fn throttled(key: Key<'_>) -> Option<Key<'_>> {
    let (head, texts) = key.pk.split_at_checked(HEAD)?;
    if !is_aside(key) || head[0] != Kind::Throttle(Reason::KeyRange).code() {
        return None;
    }
    let (table, pk) = texts.split_at_checked(u16::from_le_bytes([head[1], head[2]]).into())?;
    Some(Key { table, pk })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::{NAME_MAX, PK_MAX};

    #[test]
    fn the_key_of_an_aside_gives_back_what_it_was_made_of() {
        for (table, pk) in [(1, 0), (1, 124), (1, 125), (100, 25), (NAME_MAX, PK_MAX)] {
            let (table, pk) = (vec![b't'; table], vec![0xFF; pk]);
            let key = Key { table: &table, pk: &pk };
            let aside = AsideKey::try_new(Kind::Throttle(Reason::KeyRange), key).unwrap();
            assert_eq!(throttled(aside.key()), Some(key));
            assert!(is_aside(aside.key()) && !is_aside(key));
            for kind in [Kind::Throttle(Reason::Unknown), Kind::Unattributed(Unattributed::Scans)] {
                assert_eq!(throttled(AsideKey::try_new(kind, key).unwrap().key()), None);
            }
        }
    }
}
