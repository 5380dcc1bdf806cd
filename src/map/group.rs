//! A group: four lanes in one atomic word, each of which says where an entry lies and a little of
//! its hash.
//!
//! ```text
//!  15        9 8        1   0
//! +-----------+----------+---+
//! |    tag    |   cell   | F |      four of these; F: frozen
//! +-----------+----------+---+
//! ```
//!
//! | lane | tag | cell |
//! |---|---|---|
//! | vacant | 0 | 0 |
//! | taken | 1 to 127 | where the entry is |
//! | *gone*: its entry was removed | 0 | not 0 |
//!
//! A lane goes from vacant to taken to gone, and F is set at any time. One step sets F in all four
//! lanes. From then on a compare-and-swap from a word that was seen without F fails.
//!
//! One comparison finds the lanes that have a tag: each step works on all four lanes and carries
//! into none. An example, for tag 5:
//!
//! ```text
//! tags                  5    7    0    5
//! xor with the tag      0    2    5    0     0 where it is the same
//! plus 127            127  129  132  127     the bit of 128 is set where it is not
//! inverted, that bit  yes   no   no  yes     lanes 0 and 3
//! ```
//!
//! **Proof.** The tests below, of every tag.

use crate::key::hash::TAG_MAX;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64, Relaxed};

/// The lanes of a group.
pub(crate) const LANES: usize = 4;
/// A one in each lane.
const ONES: u64 = 0x0001_0001_0001_0001;
/// The bit F of each lane.
const FROZEN: u64 = ONES;
const TAG_SHIFT: u32 = 9;
/// The bits of a tag in each lane, from where `Group::tags` has shifted it.
const TAGS: u64 = TAG_MAX as u64 * ONES;
/// The bit above a tag in each lane.
const OVER: u64 = 0x80 * ONES;

/// The value of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group(u64);

/// Some of a group's lanes, lowest first. Each is a bit somewhere in its lane.
#[derive(Clone, Copy)]
pub(crate) struct Lanes(u64);

impl Iterator for Lanes {
    type Item = u32;

    #[inline(always)]
    fn next(&mut self) -> Option<u32> {
        (self.0 != 0).then(|| {
            let lane = self.0.trailing_zeros() / 16;
            self.0 &= self.0 - 1;
            lane
        })
    }
}

impl Group {
    /// Returns the tags, each at the low end of its lane.
    #[inline(always)]
    fn tags(self) -> u64 {
        self.0 >> TAG_SHIFT & TAGS
    }

    /// Returns the lanes with this tag.
    #[inline(always)]
    pub(crate) fn matches(self, tag: u8) -> Lanes {
        let differs = self.tags() ^ (u64::from(tag) * ONES);
        Lanes(!(differs + TAGS) & OVER)
    }

    /// Returns the lanes that have an entry.
    pub(crate) fn occupied(self) -> Lanes {
        Lanes((self.tags() + TAGS) & OVER)
    }

    /// Returns the first lane that an entry can be put into.
    pub(crate) fn vacant(self) -> Option<u32> {
        // F does not count, so it is shifted out. A lane that is not vacant then carries into its
        // top bit.
        let below_top = 0x7FFF * ONES;
        Lanes(!((self.0 >> 1 & below_top) + below_top) & (0x8000 * ONES)).next()
    }

    pub(crate) fn is_frozen(self) -> bool {
        self.0 & FROZEN != 0
    }

    #[inline(always)]
    pub(crate) fn cell(self, lane: u32) -> u8 {
        (self.0 >> (lane * 16 + 1)) as u8
    }

    pub(crate) fn tag(self, lane: u32) -> u8 {
        (self.tags() >> (lane * 16)) as u8
    }

    /// Returns the group with an entry in a lane that was vacant.
    pub(crate) fn with(self, lane: u32, tag: u8, cell: u8) -> Self {
        Self(self.0 | (u64::from(tag) << TAG_SHIFT | u64::from(cell) << 1) << (lane * 16))
    }

    /// Returns the group with an entry gone from its lane.
    pub(crate) fn without(self, lane: u32) -> Self {
        let tag = u64::from(TAG_MAX) << TAG_SHIFT;
        // Some cell must stay there: a cell of 0 would look vacant.
        Self(self.0 & !(tag << (lane * 16)) | 2 << (lane * 16))
    }
}

/// A group that threads share.
pub(crate) struct AtomicGroup(AtomicU64);

impl AtomicGroup {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    #[inline(always)]
    pub(crate) fn load(&self) -> Group {
        Group(self.0.load(Acquire))
    }

    /// Puts `new` where `seen` still is. Fails if the group is frozen or has changed.
    pub(crate) fn change(&self, seen: Group, new: Group) -> bool {
        !seen.is_frozen() && self.0.compare_exchange(seen.0, new.0, AcqRel, Acquire).is_ok()
    }

    /// Makes every later change fail.
    pub(crate) fn freeze(&self) {
        self.0.fetch_or(FROZEN, AcqRel);
    }

    /// Sets the value of a group that no other thread sees yet.
    pub(crate) fn set(&self, group: Group) {
        self.0.store(group.0, Relaxed);
    }
}

/// The lane of an entry.
#[derive(Clone, Copy)]
pub(crate) struct Lane<'g> {
    pub(crate) group: &'g AtomicGroup,
    /// The group as it was when the entry was found there.
    pub(crate) seen: Group,
    pub(crate) lane: u32,
}

impl Lane<'_> {
    /// Marks the lane as gone, so that its entry can't be found. Returns `false` if its group is
    /// frozen or has changed.
    pub(crate) fn mark_gone(&self) -> bool {
        self.group.change(self.seen, self.seen.without(self.lane))
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.seen.is_frozen()
    }

    pub(crate) fn tag(&self) -> u8 {
        self.seen.tag(self.lane)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_told_apart() {
        for frozen in [0, FROZEN] {
            let group = Group(frozen).with(0, 1, 0).with(1, TAG_MAX, 255).with(2, 1, 7).without(1);
            assert_eq!(group.is_frozen(), frozen != 0);
            assert_eq!(group.matches(1).collect::<Vec<_>>(), [0, 2]);
            assert_eq!(group.matches(TAG_MAX).count(), 0);
            assert_eq!(group.occupied().collect::<Vec<_>>(), [0, 2]);
            assert_eq!((group.vacant(), group.cell(0), group.cell(2)), (Some(3), 0, 7));
            assert_eq!(group.with(3, 2, 9).vacant(), None);
            assert_eq!(Group(frozen).vacant(), Some(0));
        }
    }

    #[test]
    fn every_tag_matches_itself_alone() {
        for tag in 1..=TAG_MAX {
            let group = Group(0).with(2, tag, 3);
            assert!((1..=TAG_MAX).all(|other| group.matches(other).count() == usize::from(other == tag)));
        }
    }
}
