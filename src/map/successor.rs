//! A successor: a segment under construction, which takes over entries of one that is being
//! replaced.
//!
//! Its size decides how soon it is replaced again. So it gets room for half as many entries again,
//! and cells of the size that takes the least memory. Texts that do not fit into a cell go to the
//! text area, which has room for a third more of them.
//!
//! An example: 40 entries that need 4 units (64 bytes) and 8 that need 6. Cells of 4 units take 48
//! · 4 + 8 · 4 = 224 units, as the texts of the 8 are put elsewhere. Cells of 6 take 288. So cells
//! have 4 units. With the entry to come there are 49. Half as many again is more than 64, the most
//! that a segment has, so there are 64 cells.

use crate::error::OutOfMemory;
use crate::map::segment::{CELL_UNITS, CELLS, Segment, Shape, UNIT, units_for};
use crate::partition::Partition;
use crate::partition::content::Content;

/// The load that a successor has to hold.
#[derive(Clone, Copy, Default)]
pub(crate) struct Load {
    pub(crate) entries: usize,
    /// The number of entries by the units that each takes, texts and all.
    sizes: [u32; *CELL_UNITS.end() + 1],
    /// The units of the texts of those that are too large for any cell.
    far: usize,
}

/// The number of entries from which a split is worth it.
#[cfg(not(loom))]
const SPLIT_ENTRIES: usize = 8;
#[cfg(loom)]
const SPLIT_ENTRIES: usize = 2;

/// The number of units over which a segment is split.
const SPLIT_UNITS: usize = 8 * CELLS;

impl Load {
    /// Adds an entry with `text_len` bytes of texts.
    pub(crate) fn add(&mut self, text_len: usize) {
        self.entries += 1;
        let units = units_for(Partition::size(text_len));
        match self.sizes.get_mut(units) {
            Some(entries) => *entries += 1,
            None => self.far += units_for(text_len),
        }
    }

    /// Returns whether this is more than one segment should have.
    pub(crate) fn overfills_a_segment(&self) -> bool {
        let (cell_units, texts) = self.cell_units();
        self.entries >= SPLIT_ENTRIES
            && (self.entries > CELLS * 3 / 4 || self.entries * cell_units + texts > SPLIT_UNITS)
    }

    /// Returns the size of cells that takes the least memory, if each entry too large for it has
    /// its texts elsewhere, and the memory that is needed there. Both in units.
    fn cell_units(&self) -> (usize, usize) {
        let texts = |cell: usize| {
            let far = (cell + 1..self.sizes.len())
                .map(|units| self.sizes[units] as usize * (units - Partition::size(0) / UNIT));
            self.far + far.sum::<usize>()
        };
        CELL_UNITS
            .rev()
            .map(|cell| (cell, texts(cell)))
            .min_by_key(|&(cell, texts)| self.entries * cell + texts)
            .expect("there are sizes")
    }

    /// Makes a segment for this load and an entry more, with room to spare, so that it lasts a
    /// while.
    pub(crate) fn create<'g>(&self, to_come: usize, depth: u32) -> Result<Successor<'g>, OutOfMemory> {
        let mut all = *self;
        all.add(to_come);
        let (cell_units, texts) = all.cell_units();
        let first = Segment::create(Shape::new(all.entries * 3 / 2, cell_units, texts * 4 / 3), depth)?;
        Ok(Successor { first, last: first })
    }
}

/// A segment that no other thread has seen, and those behind it: its *chain*.
///
/// Two kinds of entries end up behind the first: those whose hashes share too many bits to be told
/// apart by splitting, and those that were idle when the load was measured and are not any more.
pub(crate) struct Successor<'g> {
    pub(crate) first: Segment<'g>,
    last: Segment<'g>,
}

impl Successor<'_> {
    /// Takes in an entry.
    pub(crate) fn adopt(&mut self, tag: u8, content: &Content<'_>) -> Result<(), OutOfMemory> {
        self.make_room(content.text_len())?;
        let adopted = self.last.adopt(tag, content);
        assert!(adopted, "there is room");
        Ok(())
    }

    /// Makes sure that there is room for an entry with `text_len` bytes of texts.
    pub(crate) fn make_room(&mut self, text_len: usize) -> Result<(), OutOfMemory> {
        if !self.last.has_room(text_len) {
            let units = units_for(Partition::size(text_len));
            let (least, most) = CELL_UNITS.into_inner();
            let texts = if units > most { 8 * units_for(text_len) } else { 0 };
            let shape = Shape::new(CELLS, units.clamp(least, most), texts);
            let next = Segment::create(shape, self.first.depth())?;
            self.last.set_next(next);
            self.last = next;
        }
        Ok(())
    }
}
