//! The hash table: a *spine* of [`Segment`]s, which are only ever replaced whole.
//!
//! Segment `i` of depth `d` holds the partitions whose place ends in the `d` bits of `i`. Where the spine has
//! no segment yet, the one with the highest bit of `i` cleared still holds them. A segment that is full, or in
//! which something is idle, or has outgrown its history, is replaced by a copy that has what is alive and
//! the room it needs, or by two halves of depth `d + 1`. Nothing else moves or is freed, so no operation
//! moves more partitions than a segment has.
//!
//! **Replacing** never waits: any thread can freeze the segment and its entries, copy them in private and
//! publish the copy by one compare-and-swap of the spine's word; the others' copies are thrown away. What a
//! head held when it froze is agreed on, so all copies are of the same counts; an add that meets a frozen head
//! counts for nothing, and is made again in the successor. A half carries the spine's word of its sibling, so
//! both halves appear at once; the sibling's own place in the spine is filled in next, by whoever gets there,
//! and at the latest before that half is itself replaced.

use crate::clock::Moment;
use crate::form::Form;
use crate::key::{Hash, Key};
use crate::len::Len;
use crate::memory::OutOfMemory;
use crate::partition::{Content, Partition, Rules};
use crate::segment::{Inserted, Segment};
use crate::spine::{DEPTH_MAX, Spine, closed, is_closed, low};
use crate::statistics::Tally;
use crate::successor::{Load, Successor};
use crate::sync::{AcqRel, Acquire, AtomicU64, Relaxed};
use crossbeam_epoch::Guard;
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

/// What a segment is replaced for, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct Renewal<'a> {
    pub(crate) now: Moment,
    pub(crate) rules: Rules,
    /// Where partitions are tallied that were idle, and so are not in the successor.
    pub(crate) reclaimed: &'a AtomicU64,
    /// Bytes of an entry that is to be inserted next.
    pub(crate) to_come: usize,
}

pub(crate) struct Table {
    spine: Spine,
    /// Partitions inserted and not yet gone.
    pub(crate) len: Len,
    /// Partitions that the costliest replacement so far moved.
    #[cfg(test)]
    pub(crate) moved_most: std::sync::atomic::AtomicUsize,
}

/// Units in a table's first segment: an empty detector is small.
const FIRST_UNITS: usize = 32;

impl Table {
    pub(crate) fn try_new() -> Result<Self, OutOfMemory> {
        let table = Self {
            spine: Spine::try_new()?,
            len: Len::new(),
            #[cfg(test)]
            moved_most: 0.into(),
        };
        let first = Segment::create(FIRST_UNITS, crate::segment::shift_for(0), 0)?;
        table.spine.word(0).store(first.word(), Relaxed);
        Ok(table)
    }

    /// The segment where keys of this place belong, and its index.
    #[inline]
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
    fn settle(&self, i: u32, segment: Segment<'_>) {
        let sibling = segment.sibling();
        if !sibling.is_null() {
            let other = i | 1 << (segment.depth() - 1);
            // Fails where this was done before: a word never becomes null again.
            let _ = self.spine.word(other).compare_exchange(null_mut(), sibling, AcqRel, Acquire);
        }
    }

    fn is_published(&self, i: u32, segment: Segment<'_>) -> bool {
        std::ptr::eq(self.spine.word(i).load(Acquire), segment.word())
    }

    #[inline]
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
        let renewal = Renewal { to_come: content.size(), ..renewal };
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
                    self.len.increment();
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

    /// Takes a partition out of the table, unless another thread has or the table is closed. `true`: this call
    /// did.
    pub(crate) fn remove(
        &self,
        partition: Partition<'_>,
        renewal: Renewal<'_>,
        guard: &Guard,
    ) -> Result<bool, Refusal> {
        loop {
            let (i, segment) = self.locate(partition.place(), guard)?;
            let here = |entry: &Partition<'_>| entry.address() == partition.address();
            let found = segment
                .chain()
                .flat_map(|segment| segment.entries())
                .find_map(|(_, lane, entry)| here(&entry).then_some(lane));
            match found {
                None => return Ok(false),
                Some(lane) if lane.vacate() => {
                    // SAFETY: it can't be found, and `vacate` succeeds once for an entry.
                    unsafe { partition.stop().retire(guard) };
                    return Ok(true);
                }
                Some(lane) if lane.is_frozen() => {
                    self.replace(i, segment, renewal, guard)?;
                    return Ok(false);
                }
                Some(_) => {}
            }
        }
    }

    /// Replaces a segment by a copy of what is alive in it, or finds that it has been replaced.
    ///
    /// Without memory the segment stays frozen, but its entries don't: what is tracked is recorded as before,
    /// and the next change tries again.
    pub(crate) fn replace(
        &self,
        i: u32,
        segment: Segment<'_>,
        renewal: Renewal<'_>,
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        if !self.is_published(i, segment) {
            return Ok(());
        }
        self.settle(i, segment);
        segment.freeze();
        let depth = segment.depth();
        let loads = self.loads(segment, renewal, guard);
        let entries = loads[0].entries + loads[1].entries;
        // One that has far more than its share is not relieved by splitting: its keys were made to collide.
        let crowded = depth >= DEPTH_MAX || entries as u64 > 8 * (self.len.get() >> depth) + 16;
        let split = loads[2].is_much() && !crowded;
        let mut halves: [Option<Successor<'_>>; 2] = [None, None];
        let copied = self.copy(segment, renewal, split, &loads, &mut halves, guard);
        let published = copied.as_ref().is_ok_and(|_| {
            let [lower, upper] = &mut halves;
            let lower = lower.as_mut().expect("made by `copy`");
            if let Some(upper) = upper {
                lower.first.set_sibling(upper.first.word());
            }
            let (old, new) = (segment.word(), lower.first);
            let published = self.spine.word(i).compare_exchange(old, new.word(), AcqRel, Acquire).is_ok();
            if published {
                self.settle(i, new);
            }
            published
        });
        if !published {
            // SAFETY: nobody has seen them.
            halves.iter().flatten().for_each(|half| unsafe { half.first.free() });
            return copied.map(drop);
        }
        let Copied { idle, pasts } = copied?;
        let old = segment.word();
        // SAFETY: the old segment has left the spine, and this thread took it out; the idle partitions are
        // in no other.
        unsafe {
            pasts.into_iter().for_each(|past| past.retire(guard));
            guard.defer_unchecked(move || Segment::view(old).free());
        }
        self.len.decrement_by(idle);
        Tally::count(renewal.reclaimed, idle);
        Ok(())
    }

    /// What the lower half, the upper half and all of a segment would have to hold.
    fn loads(&self, segment: Segment<'_>, renewal: Renewal<'_>, guard: &Guard) -> [Load; 3] {
        let mut loads = [Load::default(); 3];
        for (_, _, entry) in segment.chain().flat_map(|segment| segment.entries()) {
            if !entry.idle(renewal.now, renewal.rules, guard) {
                loads[half(entry, segment.depth())].add(entry.size());
                loads[2].add(entry.size());
            }
        }
        loads
    }

    /// Freezes the entries of a frozen segment, once there is memory for that, and copies those that are
    /// alive.
    fn copy<'g>(
        &self,
        segment: Segment<'g>,
        renewal: Renewal<'_>,
        split: bool,
        loads: &[Load; 3],
        halves: &mut [Option<Successor<'g>>; 2],
        guard: &Guard,
    ) -> Result<Copied, OutOfMemory> {
        let (Renewal { now, rules, to_come, .. }, depth) = (renewal, segment.depth());
        if split {
            self.spine.deepen(depth + 1)?;
            for (half, load) in halves.iter_mut().zip(loads) {
                *half = Some(load.create(to_come, depth + 1)?);
            }
        } else {
            halves[0] = Some(loads[2].create(to_come, depth)?);
        }
        for segment in segment.chain() {
            segment.lasts()?;
        }
        let (mut copied, mut live) = (Copied::default(), 0);
        for segment in segment.chain() {
            let lasts = segment.lasts()?;
            for (at, lane, entry) in segment.entries() {
                let content = entry.freeze(&lasts[at], now, rules);
                if !content.idle(now, rules, guard) {
                    let to = if split { half(entry, depth) } else { 0 };
                    let half = halves[to].as_mut().expect("made above");
                    half.adopt(lane.tag(), &content)?;
                    live += 1;
                    continue;
                }
                copied.idle += 1;
                if content.past != Form::NOTHING {
                    copied.pasts.try_reserve(1).map_err(|_| OutOfMemory)?;
                    copied.pasts.push(content.past);
                }
            }
        }
        #[cfg(test)]
        self.moved_most.fetch_max(live, Relaxed);
        let _ = live;
        halves.iter_mut().flatten().try_for_each(|half| half.make_room(to_come))?;
        Ok(copied)
    }

    /// How many steps a walk over the whole table takes now.
    pub(crate) fn steps(&self) -> u64 {
        1 << self.spine.depth()
    }

    /// The segment of one step of a walk, and its index; steps count on for ever.
    pub(crate) fn walk<'g>(&self, step: u64, _guard: &'g Guard) -> Result<Option<(u32, Segment<'g>)>, Closed> {
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
    /// Returns how many partitions there were.
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
                // SAFETY: its lane is frozen, in a segment that only this thread took out.
                unsafe { entry.seal().retire(guard) };
                partitions += 1;
            }
            // SAFETY: as above.
            unsafe { guard.defer_unchecked(move || Segment::view(word).free()) };
            guard.flush();
        }
        partitions
    }
}

/// What became of a segment's partitions.
#[derive(Default)]
struct Copied {
    /// How many were idle, and were not copied.
    idle: u64,
    /// What hangs on those.
    pasts: Vec<Form>,
}

/// Which half of a segment an entry belongs to.
fn half(entry: Partition<'_>, depth: u32) -> usize {
    (entry.place() >> depth & 1) as usize
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
                segment.chain().flat_map(|segment| segment.entries()).for_each(|(_, _, entry)| entry.seal().free());
                segment.free();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
