//! A label: what a cell's entry is, in one atomic word, to be compared in one step.
//!
//! ```text
//!  63   62   61   60  58 57       43 42        32 31              0
//! +----+----+----+------+-----------+------------+-----------------+
//! | N  | G  | F  |      | pk's len  | table's len| position        |
//! +----+----+----+------+-----------+------------+-----------------+
//!   new  gone far
//! ```
//!
//! A cell's label is 0 until an entry is written there, which no key's is. *New* is taken off once the entry is in the map,
//! *gone* set before it is taken out; *far* says that its texts are not in the cell. So whoever finds the label of a key
//! without any mark has found an entry that is in the map, or was in a segment that has been replaced, of a key of those
//! lengths whose texts begin in the cell.

use crate::key::Key;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64, Relaxed};

const NEW: u64 = 1 << 63;
const GONE: u64 = 1 << 62;
const FAR: u64 = 1 << 61;
const MARKS: u64 = NEW | GONE | FAR;
const TABLE_SHIFT: u32 = 32;
const PK_SHIFT: u32 = 43;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Label(u64);

impl Label {
    /// The label of a key, without marks. Keys are checked: tables have 1,024 bytes at most, pks 16,384.
    #[inline(always)]
    pub(crate) fn new(position: u32, key: Key<'_>) -> Self {
        let (table, pk) = (key.table.len() as u64, key.pk.len() as u64);
        Self(u64::from(position) | table << TABLE_SHIFT | pk << PK_SHIFT)
    }

    pub(crate) fn far(self) -> Self {
        Self(self.0 | FAR)
    }

    pub(crate) fn new_entry(self) -> Self {
        Self(self.0 | NEW)
    }

    pub(crate) fn is_far(self) -> bool {
        self.0 & FAR != 0
    }

    #[inline(always)]
    pub(crate) fn unmarked(self) -> Self {
        Self(self.0 & !MARKS)
    }

    pub(crate) fn position(self) -> u32 {
        self.0 as u32
    }

    /// The lengths of table and pk.
    pub(crate) fn lens(self) -> (usize, usize) {
        let bits = |from: u32, to: u32| (self.0 >> from & ((1 << (to - from)) - 1)) as usize;
        (bits(TABLE_SHIFT, PK_SHIFT), bits(PK_SHIFT, 58))
    }
}

/// A label that threads share.
pub(crate) struct AtomicLabel(AtomicU64);

impl AtomicLabel {
    /// The label of a cell that is not in use.
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> Label {
        Label(self.0.load(Acquire))
    }

    /// Before anybody else can find the entry.
    pub(crate) fn set(&self, label: Label) {
        self.0.store(label.0, Relaxed);
    }

    /// The entry is in the map.
    pub(crate) fn mark_live(&self) {
        self.0.fetch_and(!NEW, AcqRel);
    }

    /// The entry is about to be taken out.
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
