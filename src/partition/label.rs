//! A label: what a cell's entry is, in one atomic word that is compared in one step.
//!
//! ```text
//!  63   62   61   60  58 57       43 42        32 31              0
//! +----+----+----+------+-----------+------------+-----------------+
//! | N  | G  | F  |      | pk's len  | table's len| position        |
//! +----+----+----+------+-----------+------------+-----------------+
//!   new  gone far
//! ```
//!
//! A lookup needs three answers about a cell: is an entry there, may it be of the wanted key, and
//! is it in the map? The word has all three. A thread makes the label that the key would have and
//! compares.
//!
//! | label | says |
//! |---|---|
//! | 0 | no entry was written here yet: no key has this label, as a table's name has a byte at least |
//! | *new* | an entry is written, and not in the map yet |
//! | no mark | the entry is in the map, or was in it when its segment was replaced |
//! | *gone* | the entry is about to be removed, or was |
//! | *far* | its texts are not in the cell, but in the segment's text area |
//!
//! So a thread that finds the label of a key without any mark has found an entry that is in the
//! map, or was in a segment that has been replaced. The entry's key has those lengths, and its
//! texts begin in the cell. Only they are left to compare.
//!
//! *New* is taken off after the lane is taken. *Gone* is set before the lane is given up. So a
//! thread that has looked at no lane has found what the lanes would have led to.

use crate::key::Key;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64, Relaxed};

const NEW: u64 = 1 << 63;
const GONE: u64 = 1 << 62;
const FAR: u64 = 1 << 61;
const MARKS: u64 = NEW | GONE | FAR;
const TABLE_SHIFT: u32 = 32;
const PK_SHIFT: u32 = 43;

/// The value of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(u64);

impl Label {
    /// Makes the label of a key, without marks. The key is checked: its table has 1 to 1,024 bytes,
    /// its pk at most 16,384.
    #[inline(always)]
    pub(crate) fn new(position: u32, key: Key<'_>) -> Self {
        let (table, pk) = (key.table.len() as u64, key.pk.len() as u64);
        Self(u64::from(position) | table << TABLE_SHIFT | pk << PK_SHIFT)
    }

    /// Marks the texts as being in the text area.
    pub(crate) fn far(self) -> Self {
        Self(self.0 | FAR)
    }

    /// Marks the entry as not in the map yet.
    pub(crate) fn new_entry(self) -> Self {
        Self(self.0 | NEW)
    }

    pub(crate) fn is_far(self) -> bool {
        self.0 & FAR != 0
    }

    /// Takes off all marks: this is the label of the entry's key.
    #[inline(always)]
    pub(crate) fn unmarked(self) -> Self {
        Self(self.0 & !MARKS)
    }

    pub(crate) fn position(self) -> u32 {
        self.0 as u32
    }

    /// Returns the lengths of table and pk.
    pub(crate) fn lens(self) -> (usize, usize) {
        let bits = |from: u32, to: u32| (self.0 >> from & ((1 << (to - from)) - 1)) as usize;
        (bits(TABLE_SHIFT, PK_SHIFT), bits(PK_SHIFT, 58))
    }
}

/// A label that threads share.
pub(crate) struct AtomicLabel(AtomicU64);

impl AtomicLabel {
    /// Makes the label of a cell that is not in use.
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> Label {
        Label(self.0.load(Acquire))
    }

    /// Sets the label of an entry that no other thread can find yet.
    pub(crate) fn set(&self, label: Label) {
        self.0.store(label.0, Relaxed);
    }

    /// Takes off *new*: the entry is in the map.
    pub(crate) fn mark_live(&self) {
        self.0.fetch_and(!NEW, AcqRel);
    }

    /// Sets *gone*: the entry is about to be taken out of the map.
    pub(crate) fn mark_gone(&self) {
        self.0.fetch_or(GONE, AcqRel);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::{NAME_MAX, PK_MAX};

    #[test]
    fn the_longest_key_fits() {
        let (table, pk) = (vec![b't'; NAME_MAX], vec![b'k'; PK_MAX]);
        let label = Label::new(u32::MAX, Key { table: &table, pk: &pk });
        assert_eq!((label.position(), label.lens()), (u32::MAX, (NAME_MAX, PK_MAX)));
        assert_eq!(label.new_entry().far().unmarked(), label);
        assert_eq!(label.new_entry().far().lens(), label.lens());
    }
}
