//! A successor: a segment under construction, which takes over entries of one that is being replaced.

use crate::memory::OutOfMemory;
use crate::partition::Content;
use crate::segment::{LANES_MAX, Segment, UNITS, shift_for, units_for};

/// What a successor has to hold.
#[derive(Clone, Copy, Default)]
pub(crate) struct Load {
    pub(crate) entries: usize,
    bytes_most: usize,
    /// In units of the smallest size.
    units: usize,
}

/// Fewer entries than this are not worth a split.
#[cfg(not(loom))]
const SPLIT_ENTRIES: usize = 8;
#[cfg(loom)]
const SPLIT_ENTRIES: usize = 2;

impl Load {
    pub(crate) fn add(&mut self, bytes: usize) {
        self.entries += 1;
        self.bytes_most = self.bytes_most.max(bytes);
        self.units += units_for(bytes, shift_for(0));
    }

    /// Whether this is so much that two segments should have it.
    pub(crate) fn is_much(&self) -> bool {
        self.entries >= SPLIT_ENTRIES && (self.units > UNITS * 3 / 4 || self.entries > LANES_MAX * 3 / 4)
    }

    /// Makes a segment for this, a third larger than it must be, so that it lasts a while.
    pub(crate) fn create<'g>(&self, to_come: usize, depth: u32) -> Result<Successor<'g>, OutOfMemory> {
        let shift = shift_for(self.bytes_most.max(to_come));
        // In larger units this is no more than before.
        let units = self.units.div_ceil(1 << (shift - shift_for(0))) + self.entries;
        let units = if shift == shift_for(0) { self.units } else { units };
        let units = (units * 4 / 3).max(units + units_for(to_come, shift));
        let first = Segment::create(units, shift, depth)?;
        Ok(Successor { first, last: first })
    }
}

/// A segment that nobody else has seen, and those that follow it: there end up hashes that share too many
/// bits to be told apart by splitting, and entries that woke up since the load was measured.
pub(crate) struct Successor<'g> {
    pub(crate) first: Segment<'g>,
    last: Segment<'g>,
}

impl Successor<'_> {
    /// Takes in an entry.
    pub(crate) fn adopt(&mut self, tag: u8, content: &Content<'_>) -> Result<(), OutOfMemory> {
        self.make_room(content.size())?;
        let adopted = self.last.adopt(tag, content);
        assert!(adopted, "there is room");
        Ok(())
    }

    /// Makes sure that there is room for an entry of so many bytes.
    pub(crate) fn make_room(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        if !self.last.has_room(bytes) {
            let next = Segment::create(UNITS, shift_for(bytes), self.first.depth())?;
            self.last.set_next(next);
            self.last = next;
        }
        Ok(())
    }
}
