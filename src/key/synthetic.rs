//! Synthetic keys: the keys of the entries that count throttles and what no partition can be
//! charged with.
//!
//! The idea: the map of partitions counts these too. So each has a window, is reclaimed when idle
//! and is forgotten by a clear, without a structure of its own. Throttles are counted by partition
//! and reason. Amounts that belong to no partition are counted by table and kind. A synthetic key's
//! table is empty, which no caller's may be, and its partition key says what is counted:
//!
//! ```text
//! | kind | table's length | table | pk |
//!    1          2
//! ```
//!
//! An example: throttles of table `t`, key `k`, for their key range. The kind is 1, the length 1,
//! so the key is `01 01 00 74 6B`.
//!
//! A key stands on the stack while it is used, so that recording a throttle allocates no more than
//! a record does.

use crate::key::{Key, NAME_MAX, PK_MAX};
use crate::reason::{Reason, Unattributed};

/// The kind of amount that an entry with a synthetic key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Throttle(Reason),
    Unattributed(Unattributed),
}

impl Kind {
    /// Returns the first byte of a key of this kind. There are fewer than 16 reasons.
    fn code(self) -> u8 {
        match self {
            Kind::Throttle(reason) => reason as u8,
            Kind::Unattributed(what) => 16 + what as u8,
        }
    }
}

/// The bytes before the table's name.
const HEAD: usize = 3;
/// The room on the stack for most keys.
const SHORT: usize = 128;
/// The room for the longest key.
const LONG: usize = HEAD + NAME_MAX + PK_MAX;

/// Calls `then` with the synthetic key of a partition, whose own key has been checked, and returns
/// what it returns.
pub(crate) fn with_synthetic_key<T>(kind: Kind, key: Key<'_>, then: impl FnOnce(Key<'_>) -> T) -> T {
    if HEAD + key.table.len() + key.pk.len() <= SHORT {
        then(write(kind, key, &mut [0; SHORT]))
    } else {
        with_long_key(kind, key, then)
    }
}

/// Does so apart, so that only long keys pay for their room.
#[cold]
#[inline(never)]
fn with_long_key<T>(kind: Kind, key: Key<'_>, then: impl FnOnce(Key<'_>) -> T) -> T {
    then(write(kind, key, &mut [0; LONG]))
}

/// Writes a synthetic key into `text`, which has room for it.
fn write<'t>(kind: Kind, Key { table, pk }: Key<'_>, text: &'t mut [u8]) -> Key<'t> {
    let [low, high] = (table.len() as u16).to_le_bytes();
    let len = HEAD + table.len() + pk.len();
    text[..HEAD].copy_from_slice(&[kind.code(), low, high]);
    text[HEAD..][..table.len()].copy_from_slice(table);
    text[HEAD + table.len()..len].copy_from_slice(pk);
    Key { table: &[], pk: &text[..len] }
}

/// Returns whether a key is synthetic.
pub(crate) fn is_synthetic(key: Key<'_>) -> bool {
    key.table.is_empty()
}

/// Returns the partition whose throttles for its key range a synthetic key counts; `None` for any
/// other key.
pub(crate) fn throttled_key(key: Key<'_>) -> Option<Key<'_>> {
    let (head, texts) = key.pk.split_at_checked(HEAD)?;
    if !is_synthetic(key) || head[0] != Kind::Throttle(Reason::KeyRange).code() {
        return None;
    }
    let (table, pk) = texts.split_at_checked(u16::from_le_bytes([head[1], head[2]]).into())?;
    Some(Key { table, pk })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_synthetic_key_gives_back_the_key_it_was_made_of() {
        for (table, pk) in [(1, 0), (1, 124), (1, 125), (100, 25), (NAME_MAX, PK_MAX)] {
            let (table, pk) = (vec![b't'; table], vec![0xFF; pk]);
            let key = Key { table: &table, pk: &pk };
            with_synthetic_key(Kind::Throttle(Reason::KeyRange), key, |synthetic| {
                assert_eq!(throttled_key(synthetic), Some(key));
                assert!(is_synthetic(synthetic) && !is_synthetic(key));
            });
            for kind in [Kind::Throttle(Reason::Unknown), Kind::Unattributed(Unattributed::Scans)] {
                with_synthetic_key(kind, key, |synthetic| assert_eq!(throttled_key(synthetic), None));
            }
        }
    }
}
