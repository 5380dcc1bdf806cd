//! The last warnings about partitions that were kept out for want of room. They have no entry, and
//! so no alarm.
//!
//! There are 128 places. Each is for one partition and operation: the last that was warned about of
//! those that share it. Two that share a place take turns, and each may warn more often than once
//! an interval. None is silenced by another. The places outlive a clear. As a name has the
//! generation in it, no partition has the name that it had before.
//!
//! A place is two words that are not written at once. A writer puts the time 0, then the name, then
//! the time. So a reader that sees a name and a time, and the same name again, has the time of that
//! name or of a later warning of it.

use crate::key::hash::Hash;
use crate::operation::Operation;
use crate::sys::sync::{Acquire, AtomicU64, Release};

/// The number of places, as a power of two.
const PLACES_SHIFT: u32 = 7;

/// The last warning of one partition and operation.
struct Place {
    /// The partition and the operation, by all bits of their cells' numbers, and the generation.
    of: AtomicU64,
    /// The time of the warning, in ms, plus one; 0: none.
    warned: AtomicU64,
}

/// The places of all.
pub(crate) struct RecentWarnings([Place; 1 << PLACES_SHIFT]);

impl RecentWarnings {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Place { of: AtomicU64::new(0), warned: AtomicU64::new(0) }))
    }

    /// Returns whether a hot record is the one to warn. Of two at once both may be.
    pub(crate) fn ring(
        &self,
        hash: Hash,
        operation: Operation,
        generation: u32,
        now_ms: u64,
        interval_ms: u64,
    ) -> bool {
        let [first, second] = hash.cells(operation);
        let of = u64::from(first) << 32 | u64::from(second ^ generation);
        let place = &self.0[(of >> (u64::BITS - PLACES_SHIFT)) as usize];
        let is_of = || place.of.load(Acquire) == of;
        let is_recent = || {
            let warned = place.warned.load(Acquire);
            warned != 0 && now_ms.saturating_sub(warned - 1) < interval_ms
        };
        // The name is read before and after the time, so that the time is not another's.
        if is_of() && is_recent() && is_of() {
            return false;
        }
        place.warned.store(0, Release);
        place.of.store(of, Release);
        place.warned.store(now_ms + 1, Release);
        true
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::operation::Operation::{Read, Write};

    /// Each hot record of a partition that was kept out gave a warning: 66,137 of 150,000 did.
    #[test]
    fn a_partition_without_an_entry_warns_once_an_interval_unless_another_takes_its_place() {
        let warnings = RecentWarnings::new();
        let hash = Hash::new(0x0123_4567_89AB_CDEF);
        let ring = |hash, operation, now| warnings.ring(hash, operation, 0, now, 1_000);
        assert!(ring(hash, Write, 0) && !ring(hash, Write, 999) && ring(hash, Write, 1_000));
        assert!(ring(hash, Read, 1_000) && !ring(hash, Read, 1_999));
        // The same place, as the highest bits of the first cell's number are the same.
        let other = Hash::new(0x0123_4567_89AB_CDEF ^ 1 << 40);
        assert!(ring(other, Write, 1_500) && ring(hash, Write, 1_600) && !ring(hash, Write, 1_700));
        assert!(warnings.ring(hash, Write, 0, 1_700, 0));
    }
}
