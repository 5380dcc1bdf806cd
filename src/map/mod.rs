//! The map from keys to partitions: lock-free extendible hashing, in segments that are replaced
//! whole.
//!
//! The structure is that of Fagin, Nievergelt, Pippenger and Strong (*Extendible hashing*, 1979): a
//! directory of segments (their buckets), a depth for each, and a split in two of one that is full.
//! Inside a segment, words of tags say where a key can be, as the control bytes of SwissTable do.
//! Threads that meet a replacement under way help to end it, as in hash tables that are resized
//! together. (The literature's words for ours: pseudokey, position; bucket, segment; fingerprint,
//! tag; tombstone, gone; overflow bucket, chain; seal, freeze.)
//!
//! ```text
//!  directory           segment 0, depth 1: keys whose position ends in 0
//! +-----------+       +----------------------------+---------------------------+
//! | 0         | ----> | groups of lanes: tag, cell | cells: one partition each |
//! +-----------+       +----------------------------+---------------------------+
//! | 1  (01)   | ----> segment 1, depth 2: ends in 01
//! +-----------+
//! | 2  (10)   |       vacant: entry 0, the same position without its highest bit, has its keys
//! +-----------+
//! | 3  (11)   | ----> segment 3, depth 2: ends in 11
//! +-----------+
//! ```
//!
//! Two things differ from the literature. A directory entry may be vacant, so that a split writes
//! two entries however long the directory is, and the directory never moves. And nothing is ever
//! moved within a segment. A segment that is full, or has something idle, is replaced by a copy, or
//! by two halves ([`replace`] has the steps). So no replacement moves more partitions than a
//! segment and its chain have, and an insert replaces once at most, or rarely twice.
//!
//! | module | has |
//! |---|---|
//! | [`directory`] | the growing array of entries, each a segment's address or a mark |
//! | [`segment`], [`group`] | cells and lanes |
//! | [`probe`] | finding and inserting in one segment |
//! | [`replace`], [`successor`] | freezing, copying and publishing |
//! | [`clear`] | clearing, and dropping |
//! | [`scan`] | a walk over everything while others go on |
//! | [`len`] | how many entries there are |
//! | [`bytes`] | what segments take of a budget |
//!
//! **Invariants.**
//! 1. At most one segment that is published and not frozen has a key.
//! 2. Lanes are taken in the order of the probe and never become vacant again, so two threads that
//!    insert one key meet.
//! 3. Both halves of a split appear at once, by one compare-and-swap of the lower half's directory
//!    entry. The lower half has the upper half's address. The upper half's own directory entry is
//!    filled in afterwards, and before the lower half is replaced in its turn.
//!
//! **Proof.** `src/map/tests.rs` (against `HashMap`), `src/models/{map,moves,lifetimes}.rs` and
//! `tests/explore`. `docs/design/map.md`, "Why it is correct", argues why nothing is lost.
//!
//! **What may go in**: what holds for any map of counters. It knows no threshold, and no time but
//! the moment that a call brings.

pub(crate) mod bytes;
pub(crate) mod clear;
pub(crate) mod directory;
pub(crate) mod group;
pub(crate) mod len;
pub(crate) mod probe;
pub(crate) mod replace;
pub(crate) mod scan;
pub(crate) mod segment;
pub(crate) mod successor;

use crate::error::{Cleared, OutOfMemory, Refusal};
use crate::key::Key;
use crate::key::hash::Hash;
use crate::key::synthetic::is_synthetic;
use crate::map::directory::{Directory, is_cleared, is_vacant, low};
use crate::map::len::Len;
use crate::map::probe::ProbeOutcome;
use crate::map::segment::{CELL_UNITS, CELLS, Segment, Shape};
use crate::partition::Partition;
use crate::partition::content::{Content, Removed, Standing, Timing};
use crate::partition::label::Label;
use crate::sys::budget::Budget;
use crate::sys::clock::Moment;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64, Relaxed};
use crossbeam_epoch::Guard;
use std::hint::select_unpredictable;
use std::ptr::null_mut;
use std::sync::Arc;

/// The outcome of an insert into the map.
pub(crate) enum InsertOutcome<'g> {
    Done(Partition<'g>),
    Exists(Partition<'g>),
}

/// The circumstances in which a segment is replaced.
#[derive(Clone, Copy)]
pub(crate) struct ReplaceContext<'a> {
    pub(crate) now: Moment,
    pub(crate) timing: Timing,
    /// The tally of partitions that were idle, and so are not in the successor.
    pub(crate) reclaimed: &'a AtomicU64,
    /// The bytes in the texts of an entry that is to be inserted next.
    pub(crate) to_come: usize,
    /// The place where partitions without an entry are counted; `None`: there is none.
    pub(crate) outside: Option<&'a dyn Outside>,
}

/// The place where partitions without an entry are counted: the filter, which the map does not
/// know. An entry may go there though it is not idle.
pub(crate) trait Outside {
    /// Returns whether a partition is to be counted there from now on.
    fn wants(&self, key: Key<'_>, standing: &Standing) -> bool;

    /// Counts there the amounts of a partition that is wanted. Several threads may do so of one, as
    /// their replacements meet.
    fn take(&self, content: &Content<'_>);

    /// Called once for each partition that has no entry any more, with whether it was taken.
    fn gone(&self, key: Key<'_>, was_taken: bool);

    /// Called with the partitions, and the entries with synthetic keys, that went from a segment.
    fn all_gone(&self, entries: [u64; 2]);
}

/// The map.
pub(crate) struct PartitionMap {
    pub(crate) directory: Directory,
    /// The budget that segments take their bytes of, where memory is bounded.
    pub(crate) budget: Option<Arc<Budget>>,
    /// The bytes that a copy of the largest segment so far takes.
    pub(crate) copy_most: AtomicU64,
    /// The bytes of that which are for cells, in the segment that has the most of them.
    pub(crate) cells_most: AtomicU64,
    /// The entries inserted and not yet gone: partitions, and entries with synthetic keys.
    pub(crate) lens: [Len; 2],
    /// The partitions that the costliest replacement so far moved.
    #[cfg(test)]
    pub(crate) moved_most: std::sync::atomic::AtomicUsize,
}

/// The depth from which a map is large. One of 64 segments has about 3,000 partitions, in 256 KiB.
const LARGE_DEPTH: u32 = 6;

impl PartitionMap {
    /// Makes a map of one segment.
    pub(crate) fn try_new(budget: Option<Arc<Budget>>) -> Result<Self, OutOfMemory> {
        let map = Self {
            directory: Directory::new(),
            budget,
            copy_most: AtomicU64::new(0),
            cells_most: AtomicU64::new(0),
            lens: [Len::new(), Len::new()],
            #[cfg(test)]
            moved_most: 0.into(),
        };
        let first = Segment::create(Shape::new(CELLS, *CELL_UNITS.start(), 0), 0)?;
        map.directory.entry(0).store(first.directory_entry(), Relaxed);
        map.segment_made(first);
        Ok(map)
    }

    /// Returns the segment where keys of this position belong, and its index.
    pub(crate) fn locate<'g>(&self, position: u32, _guard: &'g Guard) -> Result<(u32, Segment<'g>), Cleared> {
        'again: loop {
            let mut i = low(position, self.directory.depth());
            loop {
                let entry = self.directory.entry(i).load(Acquire);
                if is_cleared(entry) {
                    return Err(Cleared);
                }
                if !entry.is_null() {
                    // SAFETY: a segment is retired after it left the directory: it lives while the
                    // guard does.
                    let segment = unsafe { Segment::view(entry) };
                    if low(position, segment.depth()) == i {
                        return Ok((i, segment));
                    }
                    // It has split since `i` was worked out; its other half may need its place.
                    self.link_sibling(i, segment);
                    continue 'again;
                }
                // Not split off yet: look where it would be split from.
                // The highest bit goes: 110 (6) is looked for in 10 (2), and then in 0.
                i = low(i, i.ilog2());
            }
        }
    }

    /// Fills in the directory's entry for the other half of the split that made this segment.
    pub(crate) fn link_sibling(&self, i: u32, segment: Segment<'_>) {
        let sibling = segment.sibling();
        if !sibling.is_null() {
            let other = i | 1 << (segment.depth() - 1);
            // Fails where this was done before: an entry never becomes null again.
            let _ = self.directory.entry(other).compare_exchange(null_mut(), sibling, AcqRel, Acquire);
        }
    }

    /// Returns whether entry `i` of the directory still is this segment.
    pub(crate) fn is_published(&self, i: u32, segment: Segment<'_>) -> bool {
        std::ptr::eq(self.directory.entry(i).load(Acquire), segment.directory_entry())
    }

    /// Returns the segment where keys of this position belong, by two entries of the directory and
    /// no loop. Returns another segment if the map grows meanwhile, or `None` although there is
    /// one. So a key that is not found this way is looked for again.
    #[inline(always)]
    fn locate_fast<'g>(&self, position: u32, _guard: &'g Guard) -> Option<Segment<'g>> {
        let [split, whole] = self.directory.load_both(position);
        // Many maps have segments of two depths, in no order that a processor could predict.
        let entry = select_unpredictable(split.is_null(), whole, split);
        // SAFETY: as in `locate`.
        (!is_vacant(entry)).then(|| unsafe { Segment::view(entry) })
    }

    /// Finds a partition by the straightest way. `None` may be returned although there is one.
    #[inline(always)]
    pub(crate) fn find_fast<'g>(&self, hash: Hash, key: Key<'_>, guard: &'g Guard) -> Option<Partition<'g>> {
        let segment = self.locate_fast(hash.position, guard)?;
        segment.find_fast(hash, key)
    }

    /// Returns whether the map has more than fits a core's first cache.
    pub(crate) fn is_large(&self) -> bool {
        self.directory.depth() >= LARGE_DEPTH
    }

    /// Asks for the memory that a lookup of this hash begins with: see [`Segment::prefetch_home`].
    #[inline(always)]
    pub(crate) fn prefetch_home(&self, hash: Hash, guard: &Guard) {
        if let Some(segment) = self.locate_fast(hash.position, guard) {
            segment.prefetch_home(hash);
        }
    }

    /// Asks for the memory of the entry that is probably this one: see [`Segment::prefetch_entry`].
    #[inline(always)]
    pub(crate) fn prefetch_entry<'g>(
        &self,
        hash: Hash,
        label: Label,
        guard: &'g Guard,
    ) -> Option<(Partition<'g>, bool)> {
        self.locate_fast(hash.position, guard)?.prefetch_entry(hash, label)
    }

    /// Finds a partition.
    pub(crate) fn find<'g>(
        &self,
        hash: Hash,
        key: Key<'_>,
        guard: &'g Guard,
    ) -> Result<Option<Partition<'g>>, Cleared> {
        let (_, segment) = self.locate(hash.position, guard)?;
        // A key that is not in this segment was not in the map at some moment while it was the
        // published one.
        Ok(segment.find(hash, key))
    }

    /// Inserts a partition unless there is one of its key.
    pub(crate) fn insert<'g>(
        &self,
        hash: Hash,
        content: &Content<'_>,
        context: ReplaceContext<'_>,
        guard: &'g Guard,
    ) -> Result<InsertOutcome<'g>, Refusal> {
        let context = ReplaceContext { to_come: content.text_len(), ..context };
        loop {
            let (i, segment) = self.locate(hash.position, guard)?;
            if let Some(found) = segment.find(hash, content.key) {
                return Ok(InsertOutcome::Exists(found));
            }
            // Only the last segment of a chain takes inserts, so two threads meet there.
            let last = segment.chain().last().unwrap_or(segment);
            match last.insert(hash, content) {
                // Full, or being replaced: the key's segment is another when this returns.
                ProbeOutcome::MustReplace => self.replace(i, segment, context, guard)?,
                ProbeOutcome::Exists(found) => return Ok(InsertOutcome::Exists(found)),
                ProbeOutcome::Done(new) => {
                    self.len(content.key).increment();
                    return Ok(InsertOutcome::Done(new));
                }
            }
        }
    }

    /// Replaces the segment where keys of this position belong. Returns `false` if memory is bounded
    /// and has no room for a copy.
    pub(crate) fn replace_at(
        &self,
        position: u32,
        context: ReplaceContext<'_>,
        guard: &Guard,
    ) -> Result<bool, Refusal> {
        let (i, segment) = self.locate(position, guard)?;
        let Ok(_room) = self.room_to_copy(segment) else { return Ok(false) };
        self.replace(i, segment, context, guard)?;
        Ok(true)
    }

    /// Finishes the replacement of the segment where keys of this position belong, if another
    /// thread has begun one.
    pub(crate) fn help_replace_at(
        &self,
        position: u32,
        context: ReplaceContext<'_>,
        guard: &Guard,
    ) -> Result<(), Refusal> {
        let (i, segment) = self.locate(position, guard)?;
        if segment.is_frozen() {
            self.replace(i, segment, context, guard)?;
        }
        Ok(())
    }

    /// Takes a partition out of the map. If this call did, returns what its heads held, and its
    /// past, which is retired and lives while the guard does. `None`: another thread took it out,
    /// it has moved, or its segment was just cleared.
    pub(crate) fn remove(
        &self,
        partition: Partition<'_>,
        context: ReplaceContext<'_>,
        guard: &Guard,
    ) -> Result<Option<Removed>, Refusal> {
        // Marked first: a thread that sees the lane gone then does not come upon the entry in its
        // home.
        partition.mark_gone();
        loop {
            let (i, segment) = self.locate(partition.position(), guard)?;
            // Its lane is looked for by the entry's address: it may have moved since it was found,
            // and its copy is not it.
            let here = |entry: &Partition<'_>| entry.address() == partition.address();
            let found = segment
                .chain()
                .flat_map(|segment| segment.entries())
                .find_map(|(_, lane, entry)| here(&entry).then_some(lane));
            match found {
                None => return Ok(None),
                // No other thread can find it now. Its counts are read once its heads take no more.
                Some(lane) if lane.mark_gone() => {
                    let removed = partition.freeze_alone();
                    // SAFETY: it can't be found, and `mark_gone` succeeds once for an entry.
                    unsafe { removed.past.retire(guard) };
                    return Ok(Some(removed));
                }
                // It is being moved: its copy stays, and this thread helps to end the replacement.
                Some(lane) if lane.is_frozen() => {
                    self.replace(i, segment, context, guard)?;
                    return Ok(None);
                }
                // Its group has changed since it was read: look again.
                Some(_) => {}
            }
        }
    }

    /// Returns the count of entries of a key's kind.
    pub(crate) fn len(&self, key: Key<'_>) -> &Len {
        &self.lens[usize::from(is_synthetic(key))]
    }

    /// Returns how many steps a walk over the whole map takes now.
    pub(crate) fn steps(&self) -> u64 {
        1 << self.directory.depth()
    }

    /// Returns the segment of one step of a walk, and its index. Steps count on for ever, and wrap
    /// around the directory. `None`: this segment has not been split off, and its keys come with
    /// another step.
    pub(crate) fn walk<'g>(
        &self,
        step: u64,
        _guard: &'g Guard,
    ) -> Result<Option<(u32, Segment<'g>)>, Cleared> {
        let i = low(step as u32, self.directory.depth());
        let entry = self.directory.entry(i).load(Acquire);
        if is_cleared(entry) {
            return Err(Cleared);
        }
        // SAFETY: as in `locate`.
        Ok((!entry.is_null()).then(|| (i, unsafe { Segment::view(entry) })))
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
