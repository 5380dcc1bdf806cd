//! The bytes of a map, where those are bounded: what its segments take of the budget.

use crate::error::OutOfMemory;
use crate::map::PartitionMap;
use crate::map::segment::{CELL_UNITS, CELLS, FrozenHeads, Segment, Shape, units_for};
use crate::partition::Partition;
use crate::sys::budget::{BAG_BYTES, Room};
use crate::sys::sync::Relaxed;
use crossbeam_epoch::Guard;

impl PartitionMap {
    /// Keeps room for a copy of a segment, which waits to be freed then, and for its bag. `Err`: there is none.
    pub(crate) fn room_to_copy(&self, segment: Segment<'_>) -> Result<Option<Room<'_>>, OutOfMemory> {
        let Some(budget) = &self.budget else { return Ok(None) };
        budget.room(copy_bytes(segment)).map(Some).ok_or(OutOfMemory)
    }

    /// Returns the bytes that must be free before an entry with so much text is inserted: what its insert may take, and what a copy
    /// of the largest segment takes then. Else memory that is full could never be reclaimed, as that takes a copy.
    pub(crate) fn insert_bytes(&self, text_len: usize) -> u64 {
        let grown = half_bytes(text_len) + size_of::<FrozenHeads>() as u64 + BAG_BYTES;
        growth_bytes(text_len) + self.copy_most.load(Relaxed).max(grown)
    }

    /// A segment, and those that follow it, have been put into the directory.
    pub(crate) fn segment_made(&self, segment: Segment<'_>) {
        if let Some(budget) = &self.budget {
            budget.take(chain_bytes(segment));
            self.copy_most.fetch_max(copy_bytes(segment), Relaxed);
        }
    }

    /// A segment, and those that follow it, are freed once all who are pinned now are gone.
    pub(crate) fn segment_retired(&self, segment: Segment<'_>, guard: &Guard) {
        if let Some(budget) = &self.budget {
            let frozen = frozen_bytes(segment);
            budget.take(frozen);
            budget.give_back_later(chain_bytes(segment) + frozen, guard);
        }
    }

    /// Has what this thread has retired freed as soon as may be.
    pub(crate) fn hand_over(&self, guard: &Guard) {
        match &self.budget {
            Some(budget) => budget.hand_over(guard),
            None => guard.flush(),
        }
    }
}

/// The bytes that an insert of so much text may add to the map's, at most: of the two halves of a segment, of what that has
/// until it is freed, and of a bag.
fn growth_bytes(text_len: usize) -> u64 {
    2 * half_bytes(text_len) + size_of::<FrozenHeads>() as u64 + BAG_BYTES
}

/// The bytes of a segment for such texts.
fn half_bytes(text_len: usize) -> u64 {
    let (least, most) = CELL_UNITS.into_inner();
    let units = units_for(Partition::size(text_len)).clamp(least, most);
    // A text that is in no cell gets room for others of its kind: see `Successor::make_room`.
    (Shape::new(CELLS, units, 0).layout().size() + 8 * text_len) as u64
}

/// The bytes that a copy of a segment, and of those that follow it, takes until the old ones are freed.
fn copy_bytes(segment: Segment<'_>) -> u64 {
    chain_bytes(segment) + frozen_bytes(segment) + BAG_BYTES
}

/// Bytes of a segment and of those that follow it.
fn chain_bytes(segment: Segment<'_>) -> u64 {
    segment.chain().map(|segment| segment.bytes() as u64).sum()
}

/// The bytes that these come to have besides as they are replaced.
fn frozen_bytes(segment: Segment<'_>) -> u64 {
    (segment.chain().count() * size_of::<FrozenHeads>()) as u64
}
