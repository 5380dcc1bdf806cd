//! The bytes of a map, where those are bounded: what its segments take of the budget.
//!
//! A segment counts from when it is put into the directory until it is freed. As it is replaced it
//! gets `FrozenHeads`, which count from when it is retired. So a replacement needs more bytes for a while than the map had before:
//!
//! ```text
//! old segment     |=============================|  freed once threads pinned by then have unpinned
//! frozen heads                |=================|
//! its copy                    |====================================>
//! ```
//!
//! Therefore an insert leaves room for a copy of the largest segment. Else memory that is full
//! could never be reclaimed, as that takes a copy.
//!
//! **Proof.** `memory_that_is_full` in `tests/bounded`.

use crate::error::OutOfMemory;
use crate::map::PartitionMap;
use crate::map::segment::{CELL_UNITS, CELLS, FrozenHeads, Segment, Shape, units_for};
use crate::partition::Partition;
use crate::sys::budget::{BAG_BYTES, DEFERRED_BYTES, Room};
use crate::sys::sync::Relaxed;
use crossbeam_epoch::Guard;

/// The bytes of the collector's bags that a segment and its chain take while they wait to be freed:
/// places for them, for the pasts that go with them, and for the bytes of both that are given back.
const DEFERRED: u64 = 4 * DEFERRED_BYTES;

impl PartitionMap {
    /// Keeps room for a copy of a segment, for what the segment takes besides while it waits to be
    /// freed, and for a bag. `Ok(None)`: memory is not bounded. `Err`: there is no room.
    pub(crate) fn room_to_copy(&self, segment: Segment<'_>) -> Result<Option<Room<'_>>, OutOfMemory> {
        let Some(budget) = &self.budget else { return Ok(None) };
        budget.room(copy_bytes(segment)).map(Some).ok_or(OutOfMemory)
    }

    /// Returns the bytes that must be free before an entry with `text_len` bytes of texts is
    /// inserted: for two halves of the largest segment, and for a copy of the largest after it.
    pub(crate) fn insert_bytes(&self, text_len: usize) -> u64 {
        let retired = size_of::<FrozenHeads>() as u64 + DEFERRED + BAG_BYTES;
        let copy = self.copy_most.load(Relaxed).max(half_bytes(text_len) + retired);
        2 * copy.saturating_sub(retired).max(half_bytes(text_len)) + retired + copy
    }

    /// Returns the bytes of a map's first segment.
    pub(crate) fn first_bytes() -> u64 {
        Shape::new(CELLS, *CELL_UNITS.start(), 0).layout().size() as u64
    }

    /// Counts a segment and its chain, which have been put into the directory.
    pub(crate) fn segment_made(&self, segment: Segment<'_>) {
        if let Some(budget) = &self.budget {
            budget.take(chain_bytes(segment));
            self.copy_most.fetch_max(copy_bytes(segment), Relaxed);
        }
    }

    /// Counts out a segment and its chain once they are freed.
    pub(crate) fn segment_retired(&self, segment: Segment<'_>, guard: &Guard) {
        if let Some(budget) = &self.budget {
            let retired = retired_bytes(segment);
            budget.take(retired);
            budget.give_back_later(chain_bytes(segment) + retired, guard);
        }
    }

    /// Counts out a segment and its chain, which are freed with the map.
    pub(crate) fn segment_freed(&self, segment: Segment<'_>) {
        if let Some(budget) = &self.budget {
            budget.give_back(chain_bytes(segment));
        }
    }

    /// Hands over what this thread has retired, so that it is freed as soon as may be.
    pub(crate) fn hand_over(&self, guard: &Guard) {
        match &self.budget {
            Some(budget) => budget.hand_over(guard),
            None => guard.flush(),
        }
    }
}

/// Returns the bytes of a segment of [`CELLS`] cells for entries with `text_len` bytes of texts.
fn half_bytes(text_len: usize) -> u64 {
    let (least, most) = CELL_UNITS.into_inner();
    let units = units_for(Partition::size(text_len)).clamp(least, most);
    // A text that is in no cell gets room for others of its kind: see `Successor::make_room`.
    (Shape::new(CELLS, units, 0).layout().size() + 8 * text_len) as u64
}

/// Returns the most bytes that a copy of a segment and its chain takes until the old ones are freed.
fn copy_bytes(segment: Segment<'_>) -> u64 {
    copied_bytes(segment) + retired_bytes(segment) + BAG_BYTES
}

/// Returns the most bytes of a copy, or of one half. It may have all cells that a segment can have.
/// Its cells may have another size, with less texts elsewhere or more. Of all sizes the one is
/// chosen that takes the least for the entries alone, and there are three cells at most for each.
fn copied_bytes(segment: Segment<'_>) -> u64 {
    segment.chain().map(|segment| segment.full_bytes(3) as u64).sum()
}

/// Returns the bytes of a segment and its chain.
fn chain_bytes(segment: Segment<'_>) -> u64 {
    segment.chain().map(|segment| segment.bytes() as u64).sum()
}

/// Returns the bytes that a segment and its chain take besides, from when they are retired.
fn retired_bytes(segment: Segment<'_>) -> u64 {
    (segment.chain().count() * size_of::<FrozenHeads>()) as u64 + DEFERRED
}
