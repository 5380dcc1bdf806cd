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
use crate::map::segment::{CELL_UNITS, CELLS, FrozenHeads, Segment, Shape, UNIT, units_for};
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
        let (least, most) = CELL_UNITS.into_inner();
        let units = units_for(Partition::size(text_len)).clamp(least, most);
        let cells = self.cells_most.load(Relaxed).max(cells_bytes(units));
        let copy = self.copy_most.load(Relaxed).max(cells + retired) + text_room(text_len);
        // The halves have the cells of two copies, and the texts of one.
        copy + cells + copy
    }

    /// Returns the bytes of a map's first segment.
    pub(crate) fn first_bytes() -> u64 {
        cells_bytes(*CELL_UNITS.start())
    }

    /// Counts a segment and its chain, which have been put into the directory.
    pub(crate) fn segment_made(&self, segment: Segment<'_>) {
        if let Some(budget) = &self.budget {
            budget.take(chain_bytes(segment));
            self.copy_most.fetch_max(copy_bytes(segment), Relaxed);
            let cells = segment.chain().map(|segment| copied_bytes(segment).0).sum();
            self.cells_most.fetch_max(cells, Relaxed);
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

/// Returns the most bytes that a text takes that is in no cell. It gets room for others of its kind:
/// see `Successor::make_room`.
fn text_room(text_len: usize) -> u64 {
    8 * text_len as u64
}

/// Returns the most bytes that a copy of a segment and its chain takes until the old ones are freed.
fn copy_bytes(segment: Segment<'_>) -> u64 {
    let copied = segment.chain().map(copied_bytes).map(|(cells, texts)| cells + texts);
    copied.sum::<u64>() + retired_bytes(segment) + BAG_BYTES
}

/// Returns the most bytes that a copy of this segment takes, or a half: for header and cells, and for
/// the texts that are in no cell. (Both halves share those.)
fn copied_bytes(segment: Segment<'_>) -> (u64, u64) {
    let ((least, most), (cell, texts)) = (CELL_UNITS.into_inner(), segment.units());
    // Of all sizes of cells the one is chosen that takes the least for the entries alone. With a
    // smaller one more texts are elsewhere, where they have a third to spare.
    let smaller = least + ((cell - least) * 4).div_ceil(3);
    // A larger one takes in what was elsewhere. There are under three cells for each entry.
    let larger = (cell + (3 * texts).div_ceil(CELLS)).min(most);
    (cells_bytes(smaller.max(larger)), ((texts * 4).div_ceil(3) * UNIT) as u64)
}

/// Returns the bytes of a segment of [`CELLS`] cells of so many units.
fn cells_bytes(units: usize) -> u64 {
    Shape::new(CELLS, units, 0).layout().size() as u64
}

/// Returns the bytes of a segment and its chain.
fn chain_bytes(segment: Segment<'_>) -> u64 {
    segment.chain().map(|segment| segment.bytes() as u64).sum()
}

/// Returns the bytes that a segment and its chain take besides, from when they are retired.
fn retired_bytes(segment: Segment<'_>) -> u64 {
    (segment.chain().count() * size_of::<FrozenHeads>()) as u64 + DEFERRED
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::map::successor::Load;
    use proptest::prelude::*;

    fn load(text_lens: impl IntoIterator<Item = usize>) -> Load {
        let mut load = Load::default();
        text_lens.into_iter().for_each(|len| load.add(len));
        load
    }

    /// Makes a segment for a load and a text to come, and returns its bytes, and those that a copy
    /// of it may take.
    fn made(load: Load, to_come: usize) -> (u64, (u64, u64), usize) {
        let segment = load.create(to_come, 0).unwrap().first;
        let made = (segment.bytes() as u64, copied_bytes(segment), segment.units().0);
        // SAFETY: no other thread has seen it.
        unsafe { segment.free() };
        made
    }

    /// Lengths of all kinds, or of two kinds.
    fn lens() -> impl Strategy<Value = Vec<usize>> {
        let one = prop_oneof![0..40_usize, 0..300_usize, 0..2_100_usize];
        let two = (0..300_usize, prop::collection::vec(any::<bool>(), 1..48));
        let two =
            two.prop_map(|(long, are_long)| are_long.iter().map(|&is| if is { long } else { 8 }).collect());
        prop_oneof![prop::collection::vec(one, 1..48), two]
    }

    proptest! {
        #[test]
        fn no_copy_and_no_halves_take_more_than_was_asked_for(
            lens in lens(),
            near in prop::collection::vec(0.0..1.0, 0..16),
            to_come in prop_oneof![1..40_usize, 1..2_100_usize],
            (from, until) in (0..300_usize, 0..2_100_usize),
        ) {
            let (_, (cells, texts), units) = made(load(lens.iter().copied()), 1);
            // Others were inserted since, whose texts fit into a cell.
            let fits = units * UNIT - Partition::size(0);
            let all: Vec<_> = lens.into_iter().chain(near.into_iter().map(|share| (share * fits as f64) as usize)).collect();
            // The short ones go to one half, and the long ones to the other, or away.
            let is_long = |len: usize| len >= from && len <= from.max(until);
            let half = |half| load(all.iter().copied().filter(|&len| is_long(len) == half));
            let copy = made(half(true), 0).0.max(made(half(false), 0).0);
            prop_assert!(copy <= cells + texts, "{copy} of {cells} and {texts}");
            for upper in [false, true] {
                let text = |half| if half == upper { to_come } else { 1 };
                let halves = made(half(false), text(false)).0 + made(half(true), text(true)).0;
                let units = units_for(Partition::size(to_come)).clamp(*CELL_UNITS.start(), *CELL_UNITS.end());
                let room = 2 * cells.max(cells_bytes(units)) + texts + text_room(to_come);
                prop_assert!(halves <= room, "{halves} of {room}");
            }
        }
    }
}
