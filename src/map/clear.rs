//! Clearing a map, and dropping it.
//!
//! Clearing goes through the directory in rising order. For each entry it
//!
//! 1. links the sibling of the segment there, if there is a segment;
//! 2. puts the mark *cleared* in the segment's place, or begins again with 1 if the entry has
//!    changed;
//! 3. freezes the segment's lanes;
//! 4. freezes the past of each partition in it;
//! 5. retires the segment with these pasts, and hands over what it has retired, so that memory is
//!    freed on the way.
//!
//! A sibling has a higher index, so it is linked before its turn.
//!
//! A thread that has found a partition adds to it and so comes before the clear. A thread that
//! meets the mark comes after: it starts again with the next map. A replacement under way loses its
//! swap to the mark, and frees its copy.

use crate::key::Key;
use crate::key::synthetic::is_synthetic;
use crate::map::PartitionMap;
use crate::map::directory::{cleared, is_cleared};
use crate::map::segment::Segment;
use crate::sys::sync::{AcqRel, Acquire, Relaxed};
use crossbeam_epoch::Guard;

impl PartitionMap {
    /// Takes every segment out of the map and retires all partitions. Returns how many partitions
    /// there were, and how many entries with synthetic keys. `gone` is called once for each of
    /// them.
    ///
    /// Threads that are in the map may go on with the partitions that they have found, and are
    /// turned away from everything else. `pin` is called for every segment, and memory is collected
    /// on the way, so that the caller pays for most of what it frees.
    pub(crate) fn clear(&self, pin: impl Fn() -> Guard, gone: impl Fn(Key<'_>)) -> [u64; 2] {
        let (mut i, mut entries) = (0, [0; 2]);
        while i < 1 << self.directory.depth() {
            let guard = &pin();
            let shared = self.directory.entry(i);
            let entry = shared.load(Acquire);
            if !entry.is_null() {
                // SAFETY: as in `locate`.
                self.link_sibling(i, unsafe { Segment::view(entry) });
            }
            // Replaced since it was read: the same entry again.
            if shared.compare_exchange(entry, cleared(), AcqRel, Acquire).is_err() {
                continue;
            }
            i += 1;
            if entry.is_null() {
                continue;
            }
            // SAFETY: as in `locate`.
            let segment = unsafe { Segment::view(entry) };
            // No lane changes from here on, so the entries are all that there will be.
            segment.freeze();
            for (_, _, partition) in segment.chain().flat_map(|segment| segment.entries()) {
                entries[usize::from(is_synthetic(partition.key()))] += 1;
                gone(partition.key());
                // Nothing is hung on it any more.
                partition.freeze_past();
            }
            self.segment_retired(segment, guard);
            // SAFETY: its lanes and pasts are frozen, in a segment that only this thread took out.
            // All as one: one by one, the pasts would fill bags. Not by its directory entry, in
            // which no leak checker would see the address.
            unsafe { guard.defer_unchecked(move || free(segment)) };
            self.hand_over(guard);
        }
        entries
    }
}

impl Drop for PartitionMap {
    fn drop(&mut self) {
        let segments = 1 << self.directory.depth();
        for i in 0..segments {
            let entry = self.directory.entry(i).load(Relaxed);
            if entry.is_null() || is_cleared(entry) {
                continue;
            }
            // SAFETY: the thread that drops the map is the last to use it and all that is in it. A
            // sibling without a place gets it before its turn, since its index is higher.
            unsafe {
                let segment = Segment::view(entry);
                self.link_sibling(i, segment);
                self.segment_freed(segment);
                free(segment);
            }
        }
    }
}

/// Frees a segment and its chain, with all that hangs on its partitions.
///
/// # Safety
/// No thread uses them any more.
unsafe fn free(segment: Segment<'_>) {
    let partitions = segment.chain().flat_map(|segment| segment.entries());
    // SAFETY: as the caller promises.
    partitions.for_each(|(_, _, partition)| unsafe { partition.freeze_past().free() });
    // SAFETY: as above.
    unsafe { segment.free() };
}
