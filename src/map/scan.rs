//! A walk over the whole map while other threads go on in it. Every partition that is there from
//! its beginning to its end is met, and met once.
//!
//! A segment of depth `d` holds the keys whose position ends in certain `d` bits. The walk goes
//! through positions in the order of their *reversed* bits, in which the keys of one segment are
//! neighbours:
//!
//! ```text
//! reversed   000..         010..         100..         110..
//!           +-------------+-------------+---------------------------+
//!            segment 00    segment 10    segment 1, depth 1
//!           +-------------+-------------+-------------+-------------+
//!                                        segment 01    segment 11     after a split
//! ```
//!
//! A split cuts a run in two and moves nothing over the walk's position. So the same keys lie
//! ahead of the walk as before the split.

use crate::error::Cleared;
use crate::map::PartitionMap;
use crate::map::segment::Segment;
use crossbeam_epoch::Guard;

/// The place of a walk: a position with its bits reversed, or past the last.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scan(u64);

/// The place behind the last position.
const END: u64 = 1 << 32;

impl Scan {
    /// Begins a walk at any place, which goes on to the end. The more positions a segment has, the
    /// more places a walk begins at in it.
    pub(crate) fn from(position: u32) -> Self {
        Self(position.into())
    }

    /// Returns the next segment; `None` after the last.
    pub(crate) fn next<'g>(
        &mut self,
        map: &PartitionMap,
        guard: &'g Guard,
    ) -> Result<Option<Segment<'g>>, Cleared> {
        if self.0 >= END {
            return Ok(None);
        }
        let position = (self.0 as u32).reverse_bits();
        let (_, segment) = map.locate(position, guard)?;
        // All positions that end in the same bits come one after another: 2^(32 - depth) of them.
        let run = END >> segment.depth();
        self.0 = (self.0 & !(run - 1)) + run;
        Ok(Some(segment))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::Key;
    use crate::key::hash::Hash;
    use crate::map::ReplaceContext;
    use crate::operation::Operation;
    use crate::partition::amount::Amount;
    use crate::partition::content::{Content, Timing};
    use crate::sys::clock::Moment;
    use crate::sys::sync::AtomicU64;
    use std::collections::HashSet;

    fn insert(map: &PartitionMap, n: u32, guard: &Guard) {
        let pk = n.to_le_bytes();
        let key = Key { table: b"t", pk: &pk };
        // An even spread of positions.
        let hash = Hash::new(u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(32));
        let content = Content::first(key, hash, Operation::Write, Amount::ONE, 0, u64::MAX).unwrap();
        let timing = Timing { window: 60, interval_ms: 0 };
        let context = ReplaceContext {
            now: Moment::from_ms(0),
            timing,
            reclaimed: &AtomicU64::new(0),
            to_come: 0,
            outside: None,
        };
        assert!(map.insert(hash, &content, context, guard).is_ok());
    }

    #[test]
    fn what_is_there_throughout_is_met_however_the_map_grows() {
        let guard = &crossbeam_epoch::pin();
        for (first, between) in [(10, 1_000), (1_000, 50), (1, 3), (5_000, 0)] {
            let map = PartitionMap::try_new(None).unwrap();
            (0..first).for_each(|n| insert(&map, n, guard));
            let (mut met, mut more) = (HashSet::new(), first..);
            let mut scan = Scan::default();
            while let Some(segment) = scan.next(&map, guard).unwrap() {
                let keys =
                    segment.chain().flat_map(|segment| segment.entries()).map(|(_, _, entry)| entry.key());
                met.extend(keys.map(|key| u32::from_le_bytes(key.pk.try_into().unwrap())));
                more.by_ref().take(between).for_each(|n| insert(&map, n, guard));
                if more.start > 50_000 {
                    break;
                }
            }
            while let Some(segment) = scan.next(&map, guard).unwrap() {
                let keys =
                    segment.chain().flat_map(|segment| segment.entries()).map(|(_, _, entry)| entry.key());
                met.extend(keys.map(|key| u32::from_le_bytes(key.pk.try_into().unwrap())));
            }
            assert!((0..first).all(|n| met.contains(&n)), "{first} and {between} for each segment");
        }
    }
}
