//! A successor: a segment under construction, which takes over entries of one that is being replaced.

use crate::error::OutOfMemory;
use crate::map::segment::{CELL_UNITS, CELLS, Segment, Shape, UNIT, units_for};
use crate::partition::Partition;
use crate::partition::content::Content;

/// The load that a successor has to hold.
#[derive(Clone, Copy, Default)]
pub(crate) struct Load {
    pub(crate) entries: usize,
    /// How many entries take so many units, texts and all.
    sizes: [u32; *CELL_UNITS.end() + 1],
    /// Units of the texts of those that are too large for any cell.
    far: usize,
}

/// Fewer entries than this are not worth a split.
#[cfg(not(loom))]
const SPLIT_ENTRIES: usize = 8;
#[cfg(loom)]
const SPLIT_ENTRIES: usize = 2;

/// More units than this should be split.
const SPLIT_UNITS: usize = 8 * CELLS;

impl Load {
    pub(crate) fn add(&mut self, text_len: usize) {
        self.entries += 1;
        let units = units_for(Partition::size(text_len));
        match self.sizes.get_mut(units) {
            Some(entries) => *entries += 1,
            None => self.far += units_for(text_len),
        }
    }

    /// Whether this is more than one segment should have.
    pub(crate) fn overfills_a_segment(&self) -> bool {
        let (cell_units, texts) = self.cell_units();
        self.entries >= SPLIT_ENTRIES
            && (self.entries > CELLS * 3 / 4 || self.entries * cell_units + texts > SPLIT_UNITS)
    }

    /// Which size of cells takes the least memory, if each entry too large for it has its texts elsewhere; and
    /// how much memory is needed there. Both in units.
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

    /// Makes a segment for this and an entry more, with room to spare, so that it lasts a while.
    pub(crate) fn create<'g>(&self, to_come: usize, depth: u32) -> Result<Successor<'g>, OutOfMemory> {
        let mut all = *self;
        all.add(to_come);
        let (cell_units, texts) = all.cell_units();
        let first = Segment::create(Shape::new(all.entries * 3 / 2, cell_units, texts * 4 / 3), depth)?;
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
        self.make_room(content.text_len())?;
        let adopted = self.last.adopt(tag, content);
        assert!(adopted, "there is room");
        Ok(())
    }

    /// Makes sure that there is room for an entry with texts of so many bytes.
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
