//! What is counted beside the partitions' operations: throttles by partition and reason, and what no partition can be
//! charged with, by table. Each is a partition like any other, so it has a window, is reclaimed when idle and forgotten
//! by a clear; its table's name is empty, which no caller's is, and its key says what it is:
//!
//! ```text
//! | kind | table's length | table | pk |
//!    1          2
//! ```

use crate::key::{Key, NAME_MAX, PK_MAX};
use crate::reason::{Reason, Unattributed};

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
const LONG: usize = HEAD + NAME_MAX + PK_MAX;

/// What `then` makes of the key of an aside to a key that has been checked. It is on the stack, as a throttle is to
/// allocate no more than a record.
pub(crate) fn with_aside<T>(kind: Kind, key: Key<'_>, then: impl FnOnce(Key<'_>) -> T) -> T {
    if HEAD + key.table.len() + key.pk.len() <= SHORT {
        then(write(kind, key, &mut [0; SHORT]))
    } else {
        with_long(kind, key, then)
    }
}

/// Apart, so that only long keys pay for their room.
#[cold]
#[inline(never)]
fn with_long<T>(kind: Kind, key: Key<'_>, then: impl FnOnce(Key<'_>) -> T) -> T {
    then(write(kind, key, &mut [0; LONG]))
}

fn write<'t>(kind: Kind, Key { table, pk }: Key<'_>, text: &'t mut [u8]) -> Key<'t> {
    let [low, high] = (table.len() as u16).to_le_bytes();
    let len = HEAD + table.len() + pk.len();
    text[..HEAD].copy_from_slice(&[kind.code(), low, high]);
    text[HEAD..][..table.len()].copy_from_slice(table);
    text[HEAD + table.len()..len].copy_from_slice(pk);
    Key { table: &[], pk: &text[..len] }
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

    #[test]
    fn the_key_of_an_aside_gives_back_what_it_was_made_of() {
        for (table, pk) in [(1, 0), (1, 124), (1, 125), (100, 25), (NAME_MAX, PK_MAX)] {
            let (table, pk) = (vec![b't'; table], vec![0xFF; pk]);
            let key = Key { table: &table, pk: &pk };
            with_aside(Kind::Throttle(Reason::KeyRange), key, |aside| {
                assert_eq!(throttled(aside), Some(key));
                assert!(is_aside(aside) && !is_aside(key));
            });
            for kind in [Kind::Throttle(Reason::Unknown), Kind::Unattributed(Unattributed::Scans)] {
                with_aside(kind, key, |aside| assert_eq!(throttled(aside), None));
            }
        }
    }
}
