//! The hash table: a *spine* of [`Segment`]s, which are only ever replaced whole.
//!
//! Segment `i` of depth `d` holds the partitions whose place ends in the `d` bits of `i`. Where the spine has
//! no segment yet, the one with the highest bit of `i` cleared still holds them. A segment that is full, or in
//! which something is idle, or has outgrown its history, is replaced by a copy that has what is alive and
//! the room it needs, or by two halves of depth `d + 1`. Nothing else moves or is freed, so no operation
//! moves more partitions than a segment has.

pub(crate) mod directory;
pub(crate) mod group;
pub(crate) mod len;
pub(crate) mod probe;
pub(crate) mod replace;
pub(crate) mod scan;
pub(crate) mod segment;
pub(crate) mod successor;

use crate::key::synthetic::is_synthetic;
use crate::key::{Hash, Key};
use crate::map::directory::{Spine, closed, is_closed, is_vacant, low};
use crate::map::len::Len;
use crate::map::probe::Inserted;
use crate::map::replace::Renewal;
use crate::map::segment::{CELL_UNITS, CELLS, Segment, Shape};
use crate::partition::label::Label;
use crate::partition::{Content, Partition, Stopped};
use crate::sys::memory::OutOfMemory;
use crate::sys::sync::{AcqRel, Acquire, Relaxed};
use crossbeam_epoch::Guard;
use std::hint::select_unpredictable;
use std::ptr::null_mut;

/// The table has been closed: it lives on for those who were in it, and takes in nobody else.
#[derive(Debug)]
pub(crate) struct Closed;

/// What came of an insert.
pub(crate) enum Insert<'g> {
    Done(Partition<'g>),
    Exists(Partition<'g>),
}

/// Why something was not done.
#[derive(Debug)]
pub(crate) enum Refusal {
    Closed,
    Memory,
}

impl From<Closed> for Refusal {
    fn from(_: Closed) -> Self {
        Refusal::Closed
    }
}

impl From<OutOfMemory> for Refusal {
    fn from(_: OutOfMemory) -> Self {
        Refusal::Memory
    }
}

pub(crate) struct Table {
    pub(crate) spine: Spine,
    /// Entries inserted and not yet gone: partitions, and entries with synthetic keys.
    pub(crate) lens: [Len; 2],
    /// Partitions that the costliest replacement so far moved.
    #[cfg(test)]
    pub(crate) moved_most: std::sync::atomic::AtomicUsize,
}

/// A table of 64 segments has about 3,000 partitions, in 256 KiB.
const LARGE_DEPTH: u32 = 6;

impl Table {
    pub(crate) fn try_new() -> Result<Self, OutOfMemory> {
        let table = Self {
            spine: Spine::new(),
            lens: [Len::new(), Len::new()],
            #[cfg(test)]
            moved_most: 0.into(),
        };
        let first = Segment::create(Shape::new(CELLS, *CELL_UNITS.start(), 0), 0)?;
        table.spine.word(0).store(first.word(), Relaxed);
        Ok(table)
    }

    /// The segment where keys of this place belong, and its index.
    pub(crate) fn locate<'g>(&self, place: u32, _guard: &'g Guard) -> Result<(u32, Segment<'g>), Closed> {
        'again: loop {
            let mut i = low(place, self.spine.depth());
            loop {
                let word = self.spine.word(i).load(Acquire);
                if is_closed(word) {
                    return Err(Closed);
                }
                if !word.is_null() {
                    // SAFETY: a segment is retired after it left the spine: it lives while the guard
                    // does.
                    let segment = unsafe { Segment::view(word) };
                    if low(place, segment.depth()) == i {
                        return Ok((i, segment));
                    }
                    // It has split since `i` was worked out; its other half may need its place.
                    self.settle(i, segment);
                    continue 'again;
                }
                // Not split off yet: look where it would be split from.
                i = low(i, i.ilog2());
            }
        }
    }

    /// Fills in the spine's word for the other half of the split that made this segment.
    pub(crate) fn settle(&self, i: u32, segment: Segment<'_>) {
        let sibling = segment.sibling();
        if !sibling.is_null() {
            let other = i | 1 << (segment.depth() - 1);
            // Fails where this was done before: a word never becomes null again.
            let _ = self.spine.word(other).compare_exchange(null_mut(), sibling, AcqRel, Acquire);
        }
    }

    pub(crate) fn is_published(&self, i: u32, segment: Segment<'_>) -> bool {
        std::ptr::eq(self.spine.word(i).load(Acquire), segment.word())
    }

    /// The segment where keys of this place belong, by the straightest way; it may be another if the table grows
    /// meanwhile. `None` may mean that there is one.
    #[inline(always)]
    fn locate_quickly<'g>(&self, place: u32, _guard: &'g Guard) -> Option<Segment<'g>> {
        let mask = self.spine.mask();
        let split = self.spine.word(place & mask).load(Acquire);
        let whole = self.spine.word(place & mask >> 1).load(Acquire);
        // Many tables have segments of two depths, in no order that a processor could predict.
        let word = select_unpredictable(split.is_null(), whole, split);
        // SAFETY: as in `locate`.
        (!is_vacant(word)).then(|| unsafe { Segment::view(word) })
    }

    /// Finds a partition by the straightest way; `None` may mean that there is one.
    #[inline(always)]
    pub(crate) fn find_quickly<'g>(
        &self,
        hash: Hash,
        key: Key<'_>,
        guard: &'g Guard,
    ) -> Option<Partition<'g>> {
        let segment = self.locate_quickly(hash.place, guard)?;
        segment.find_quickly(hash, key)
    }

    /// Whether the table has more than fits a core's own cache.
    pub(crate) fn is_large(&self) -> bool {
        self.spine.depth() >= LARGE_DEPTH
    }

    /// See [`Segment::fetch_home`].
    #[inline(always)]
    pub(crate) fn fetch_home(&self, hash: Hash, guard: &Guard) {
        if let Some(segment) = self.locate_quickly(hash.place, guard) {
            segment.fetch_home(hash);
        }
    }

    /// See [`Segment::fetch_entry`].
    #[inline(always)]
    pub(crate) fn fetch_entry(&self, hash: Hash, label: Label, guard: &Guard) {
        if let Some(segment) = self.locate_quickly(hash.place, guard) {
            segment.fetch_entry(hash, label);
        }
    }

    pub(crate) fn find<'g>(
        &self,
        hash: Hash,
        key: Key<'_>,
        guard: &'g Guard,
    ) -> Result<Option<Partition<'g>>, Closed> {
        let (_, segment) = self.locate(hash.place, guard)?;
        // One that is not here was not in the table at the moment that this was published.
        Ok(segment.find(hash, key))
    }

    /// Inserts a partition unless there is one of its key.
    pub(crate) fn insert<'g>(
        &self,
        hash: Hash,
        content: &Content<'_>,
        renewal: Renewal<'_>,
        guard: &'g Guard,
    ) -> Result<Insert<'g>, Refusal> {
        let renewal = Renewal { to_come: content.text_len(), ..renewal };
        loop {
            let (i, segment) = self.locate(hash.place, guard)?;
            if let Some(found) = segment.find(hash, content.key) {
                return Ok(Insert::Exists(found));
            }
            let last = segment.chain().last().unwrap_or(segment);
            match last.insert(hash, content) {
                Inserted::Closed => self.replace(i, segment, renewal, guard)?,
                Inserted::Exists(found) => return Ok(Insert::Exists(found)),
                Inserted::Done(new) => {
                    self.len(content.key).increment();
                    return Ok(Insert::Done(new));
                }
            }
        }
    }

    /// Replaces the segment where keys of this place belong; or, if it is to be only once it is frozen, finishes
    /// what another thread has begun.
    pub(crate) fn renew(
        &self,
        place: u32,
        once_frozen: bool,
        renewal: Renewal<'_>,
        guard: &Guard,
    ) -> Result<(), Refusal> {
        let (i, segment) = self.locate(place, guard)?;
        if !once_frozen || segment.is_frozen() {
            self.replace(i, segment, renewal, guard)?;
        }
        Ok(())
    }

    /// Takes a partition out of the table, unless another thread has or the table is closed. Returns what it had, if this
    /// call did: it is retired, and lives while the guard does.
    pub(crate) fn remove(
        &self,
        partition: Partition<'_>,
        renewal: Renewal<'_>,
        guard: &Guard,
    ) -> Result<Option<Stopped>, Refusal> {
        // First, so that who sees the lane vacated does not come upon the entry in its home.
        partition.hide();
        loop {
            let (i, segment) = self.locate(partition.place(), guard)?;
            let here = |entry: &Partition<'_>| entry.address() == partition.address();
            let found = segment
                .chain()
                .flat_map(|segment| segment.entries())
                .find_map(|(_, lane, entry)| here(&entry).then_some(lane));
            match found {
                None => return Ok(None),
                Some(lane) if lane.vacate() => {
                    let stopped = partition.stop();
                    // SAFETY: it can't be found, and `vacate` succeeds once for an entry.
                    unsafe { stopped.past.retire(guard) };
                    return Ok(Some(stopped));
                }
                Some(lane) if lane.is_frozen() => {
                    self.replace(i, segment, renewal, guard)?;
                    return Ok(None);
                }
                Some(_) => {}
            }
        }
    }

    /// How many entries there are of a key's kind.
    pub(crate) fn len(&self, key: Key<'_>) -> &Len {
        &self.lens[usize::from(is_synthetic(key))]
    }

    /// How many steps a walk over the whole table takes now.
    pub(crate) fn steps(&self) -> u64 {
        1 << self.spine.depth()
    }

    /// The segment of one step of a walk, and its index; steps count on for ever.
    pub(crate) fn walk<'g>(
        &self,
        step: u64,
        _guard: &'g Guard,
    ) -> Result<Option<(u32, Segment<'g>)>, Closed> {
        let i = low(step as u32, self.spine.depth());
        let word = self.spine.word(i).load(Acquire);
        if is_closed(word) {
            return Err(Closed);
        }
        // SAFETY: as in `locate`.
        Ok((!word.is_null()).then(|| (i, unsafe { Segment::view(word) })))
    }

    /// Closes the table: takes every segment out of it and retires all partitions. Threads that are in it
    /// may go on with those that they have found, and are turned away from everything else. Pins anew
    /// for every segment and collects as it goes, so that the caller pays for most of what it frees.
    /// Returns how many partitions there were, entries with synthetic keys not counted.
    pub(crate) fn close(&self, pin: impl Fn() -> Guard) -> u64 {
        let (mut i, mut partitions) = (0, 0);
        while i < 1 << self.spine.depth() {
            let guard = &pin();
            let spine = self.spine.word(i);
            let word = spine.load(Acquire);
            if !word.is_null() {
                // SAFETY: as in `locate`.
                self.settle(i, unsafe { Segment::view(word) });
            }
            if spine.compare_exchange(word, closed(), AcqRel, Acquire).is_err() {
                continue;
            }
            i += 1;
            if word.is_null() {
                continue;
            }
            // SAFETY: as in `locate`.
            let segment = unsafe { Segment::view(word) };
            segment.freeze();
            for (_, _, entry) in segment.chain().flat_map(|segment| segment.entries()) {
                partitions += u64::from(!is_synthetic(entry.key()));
                // SAFETY: its lane is frozen, in a segment that only this thread took out.
                unsafe { entry.seal().retire(guard) };
            }
            // SAFETY: as above. Not by its word, in which no leak checker would see the address.
            unsafe { guard.defer_unchecked(move || segment.free()) };
            guard.flush();
        }
        partitions
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        let segments = 1 << self.spine.depth();
        for i in 0..segments {
            let word = self.spine.word(i).load(Relaxed);
            if word.is_null() || is_closed(word) {
                continue;
            }
            // SAFETY: whoever drops the table is the last to use it and all that is in it. A sibling
            // without a place gets it before its turn, since its index is higher.
            unsafe {
                let segment = Segment::view(word);
                self.settle(i, segment);
                segment
                    .chain()
                    .flat_map(|segment| segment.entries())
                    .for_each(|(_, _, entry)| entry.seal().free());
                segment.free();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
