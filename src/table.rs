//! The hash table: a *spine* of [`Segment`]s that split one by one.
//!
//! Segment `i` of depth `d` holds the keys whose place ends in the `d` bits of `i`. Where the spine has
//! no segment yet, the one with the highest bit of `i` cleared still holds those keys. A segment that
//! fills up is replaced by a clean copy of itself, or by two halves of depth `d + 1`. Nothing else
//! moves, so no operation moves more entries than a segment has words.
//!
//! **Replacing** never waits: any thread can freeze the segment, copy it in private and publish the copy by
//! one compare-and-swap of the spine's word; the others' copies are thrown away. A half carries the
//! spine's word of its sibling, so both halves appear at once; the sibling's own place in the spine is
//! filled in next, by whoever gets there, and at the latest before that half is itself replaced.
//!
//! **Removing** is a compare-and-swap of an unfrozen word, and who wins it retires the entry. So an entry is
//! retired once, and only when no published segment, and no copy that could still be, holds it.

use crate::key::Hash;
use crate::len::Len;
use crate::memory::OutOfMemory;
pub(crate) use crate::segment::Entry;
use crate::segment::{ORDINARY, Probe, STEPS, Segment, change, gone, is_frozen, roomy, word};
use crate::spine::{DEPTH_MAX, Spine, closed, is_closed, low};
use crate::sync::{AcqRel, Acquire, Relaxed};
use crossbeam_epoch::Guard;
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

/// The table has been closed: it lives on for those who were in it, and takes in nobody else.
#[derive(Debug)]
pub(crate) struct Closed;

/// Why an entry was not inserted.
#[derive(Debug)]
pub(crate) enum InsertError<'g, E> {
    Exists(&'g E),
    Closed,
    Memory,
}

/// What an update leaves at a key.
pub(crate) enum Update<E> {
    Put(NonNull<E>),
    Remove,
}

pub(crate) struct Table<E: Entry> {
    spine: Spine,
    /// Kept by whoever inserts and removes; by the table for what it updates.
    pub(crate) len: Len,
    /// Entries that the costliest replacement so far moved.
    #[cfg(test)]
    pub(crate) moved_most: std::sync::atomic::AtomicUsize,
    _owns: PhantomData<E>,
}

// SAFETY: entries are shared and retired between threads; all else is atomics.
unsafe impl<E: Entry + Send + Sync> Send for Table<E> {}
// SAFETY: as above.
unsafe impl<E: Entry + Send + Sync> Sync for Table<E> {}

impl<E: Entry> Table<E> {
    pub(crate) fn try_new() -> Result<Self, OutOfMemory> {
        let table = Self {
            spine: Spine::try_new()?,
            len: Len::new(),
            #[cfg(test)]
            moved_most: 0.into(),
            _owns: PhantomData,
        };
        let first = Segment::<E>::create(ORDINARY, 0)?;
        table.spine.word(0).store(first.spine_word(), Relaxed);
        Ok(table)
    }

    /// The segment where keys of this place belong, and its index.
    pub(crate) fn locate<'g>(&self, place: u32, _guard: &'g Guard) -> Result<(u32, Segment<'g, E>), Closed> {
        'again: loop {
            let mut i = low(place, self.spine.depth());
            loop {
                let word = self.spine.word(i).load(Acquire);
                if is_closed(word) {
                    return Err(Closed);
                }
                if !word.is_null() {
                    let depth = Segment::<E>::depth_of(word);
                    // SAFETY: a segment is retired after it left the spine: it lives while the guard
                    // does.
                    let segment = unsafe { Segment::view(word) };
                    if low(place, depth) == i {
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
    fn settle(&self, i: u32, segment: Segment<'_, E>) {
        let header = segment.header();
        if !header.sibling.is_null() {
            let other = i | 1 << (header.depth - 1);
            // Fails where this was done before: a word never becomes null again.
            let _ = self.spine.word(other).compare_exchange(null_mut(), header.sibling, AcqRel, Acquire);
        }
    }

    fn is_published(&self, i: u32, segment: Segment<'_, E>) -> bool {
        std::ptr::eq(self.spine.word(i).load(Acquire), segment.spine_word())
    }

    /// Finds the entry of this hash that `matches`.
    pub(crate) fn find<'g>(
        &self,
        hash: Hash,
        matches: impl Fn(NonNull<E>) -> bool,
        guard: &'g Guard,
    ) -> Result<Option<&'g E>, Closed> {
        loop {
            let (i, segment) = self.locate(hash.place, guard)?;
            match segment.probe(hash, &matches) {
                // SAFETY: an entry is retired after its word is gone: it lives while the guard does.
                Probe::Found { entry, .. } => return Ok(Some(unsafe { entry.as_ref() })),
                Probe::Vacant(_) => return Ok(None),
                // An entry that is not here can only have been put into a successor.
                Probe::Closed if self.is_published(i, segment) => return Ok(None),
                Probe::Closed => {}
            }
        }
    }

    /// Inserts an entry unless one `matches` already. On failure the entry is still the caller's.
    pub(crate) fn insert<'g>(
        &self,
        hash: Hash,
        entry: NonNull<E>,
        matches: impl Fn(NonNull<E>) -> bool,
        guard: &'g Guard,
    ) -> Result<(), InsertError<'g, E>> {
        let value = word(entry, hash).map_err(|OutOfMemory| InsertError::Memory)?;
        loop {
            let (i, segment) = self.locate(hash.place, guard).map_err(|Closed| InsertError::Closed)?;
            match segment.probe(hash, &matches) {
                // SAFETY: as in `find`.
                Probe::Found { entry, .. } => return Err(InsertError::Exists(unsafe { entry.as_ref() })),
                Probe::Vacant(vacant) => {
                    if change(vacant, null_mut(), value) {
                        if segment.count_taken() {
                            // The entry is in. If there is no memory to replace the segment, the
                            // next insert will try again.
                            let _ = self.replace(i, segment, guard);
                        }
                        return Ok(());
                    }
                }
                Probe::Closed => {
                    self.replace(i, segment, guard).map_err(|OutOfMemory| InsertError::Memory)?
                }
            }
        }
    }

    /// Removes this entry and retires it, unless another thread has or the table is closed. Without
    /// memory to help replace a frozen segment it is left for a later walk.
    pub(crate) fn remove(&self, entry: &E, guard: &Guard) {
        while let Ok((i, segment)) = self.locate(entry.place(), guard) {
            match segment.word_of(entry) {
                Some((word, value, at)) => {
                    if change(word, value, gone()) {
                        // SAFETY: `change` succeeds once for an entry, and it can't be found from now
                        // on.
                        unsafe { Self::retire(at, guard) };
                        return;
                    }
                    if is_frozen(value) && self.replace(i, segment, guard).is_err() {
                        return;
                    }
                }
                None if self.is_published(i, segment) => return,
                None => {}
            }
        }
    }

    /// Puts, replaces or removes the entry of this hash that `matches`, in one step. On failure the
    /// entry to put is still the caller's.
    pub(crate) fn update<'g>(
        &self,
        hash: Hash,
        update: &Update<E>,
        matches: impl Fn(NonNull<E>) -> bool,
        guard: &'g Guard,
    ) -> Result<(), InsertError<'g, E>> {
        let value = match update {
            Update::Put(entry) => word(*entry, hash).map_err(|OutOfMemory| InsertError::Memory)?,
            Update::Remove => gone(),
        };
        loop {
            let (i, segment) = self.locate(hash.place, guard).map_err(|Closed| InsertError::Closed)?;
            match segment.probe(hash, &matches) {
                Probe::Found { word, value: old, entry } if change(word, old, value) => {
                    if matches!(update, Update::Remove) {
                        self.len.decrement();
                    }
                    // SAFETY: the change that took it out of the table succeeded here.
                    unsafe { Self::retire(entry, guard) };
                    return Ok(());
                }
                Probe::Found { value: old, .. } if is_frozen(old) => {
                    self.replace(i, segment, guard).map_err(|OutOfMemory| InsertError::Memory)?;
                }
                Probe::Found { .. } => {}
                Probe::Vacant(_) | Probe::Closed => match update {
                    Update::Remove => return Ok(()),
                    // Counted first: where `len` is 0 there is no entry.
                    Update::Put(entry) => {
                        self.len.increment();
                        match self.insert(hash, *entry, &matches, guard) {
                            Ok(()) => return Ok(()),
                            Err(refused) => {
                                self.len.decrement();
                                if !matches!(refused, InsertError::Exists(_)) {
                                    return Err(refused);
                                }
                            }
                        }
                    }
                },
            }
        }
    }

    /// # Safety
    /// The entry can no longer be found, and this is the only call for it.
    unsafe fn retire(entry: NonNull<E>, guard: &Guard) {
        // SAFETY: what can't be found is unused once all who are pinned now are gone.
        unsafe { guard.defer_unchecked(move || E::free(entry)) }
    }

    /// Replaces a segment that is full or frozen, or finds that it has been replaced.
    pub(crate) fn replace(&self, i: u32, segment: Segment<'_, E>, guard: &Guard) -> Result<(), OutOfMemory> {
        self.settle(i, segment);
        let old = segment.spine_word();
        let depth = segment.header().depth;
        // Without memory for its successors the segment stays frozen: what it holds is found as before,
        // and the next change tries again.
        let half = |entry: NonNull<E>| {
            // SAFETY: an entry lives while the guard does.
            let place = unsafe { entry.as_ref() }.place();
            (place, (place >> depth & 1) as usize)
        };
        segment.freeze();
        let mut counts = [0; 2];
        segment.entries().for_each(|(_, entry)| counts[half(entry).1] += 1);
        let live = counts[0] + counts[1];
        #[cfg(test)]
        self.moved_most.fetch_max(live, Relaxed);
        // A segment that random hashes would not have filled this deep is being filled by design, and
        // splitting would not relieve it.
        let crowded = depth >= DEPTH_MAX || (ORDINARY as u64 / 16) << depth > self.len.get();
        let split = roomy(live) > segment.capacity() && !crowded;
        let mut new = Segment::create(roomy(if split { counts[0] } else { live }), depth + u32::from(split))?;
        let mut other = None;
        if split {
            let made =
                self.spine.deepen(depth + 1).and_then(|()| Segment::<E>::create(roomy(counts[1]), depth + 1));
            match made {
                Ok(made) => other = Some(made),
                Err(refused) => {
                    // SAFETY: nobody has seen `new`.
                    unsafe { new.free() };
                    return Err(refused);
                }
            }
        }
        for (value, entry) in segment.entries() {
            let (place, upper) = half(entry);
            match other {
                Some(other) if upper == 1 => other.adopt(value, place),
                _ => new.adopt(value, place),
            }
        }
        if let Some(other) = other {
            new.set_sibling(other.spine_word());
        }
        if self.spine.word(i).compare_exchange(old, new.spine_word(), AcqRel, Acquire).is_ok() {
            self.settle(i, new);
            // SAFETY: the old segment has left the spine, and this thread took it out.
            unsafe { guard.defer_unchecked(move || Segment::<E>::view(old).free()) };
        } else {
            // SAFETY: nobody has seen either.
            unsafe {
                new.free();
                if let Some(other) = other {
                    other.free();
                }
            }
        }
        Ok(())
    }

    /// How many steps a walk over the whole table takes now.
    pub(crate) fn steps(&self) -> u64 {
        (STEPS as u64) << self.spine.depth()
    }

    /// Shows `f` the entries of one step of a walk; steps count on for ever.
    pub(crate) fn walk<'g>(
        &self,
        step: u64,
        _guard: &'g Guard,
        mut f: impl FnMut(&'g E),
    ) -> Result<(), Closed>
    where
        E: 'g,
    {
        let i = low((step / STEPS as u64) as u32, self.spine.depth());
        let word = self.spine.word(i).load(Acquire);
        if is_closed(word) {
            return Err(Closed);
        }
        if word.is_null() {
            return Ok(());
        }
        // SAFETY: as in `locate`.
        let segment = unsafe { Segment::<'g, E>::view(word) };
        for (_, entry) in segment.entries_within((step % STEPS as u64) as usize, STEPS) {
            // SAFETY: as in `find`.
            f(unsafe { entry.as_ref() });
        }
        Ok(())
    }

    /// Closes the table: takes every segment out of it and retires all entries. Threads that are in it
    /// may go on with the entries they have found, and are turned away from everything else. Pins anew
    /// for every segment and collects as it goes, so that the caller pays for most of what it frees.
    /// Returns how many entries there were.
    pub(crate) fn close(&self, pin: impl Fn() -> Guard) -> u64 {
        let (mut i, mut entries) = (0, 0);
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
            let segment = unsafe { Segment::<E>::view(word) };
            segment.freeze();
            for (_, entry) in segment.entries() {
                // SAFETY: its word is frozen in a segment that only this thread took out.
                unsafe { Self::retire(entry, guard) };
                entries += 1;
            }
            // SAFETY: as above.
            unsafe { guard.defer_unchecked(move || Segment::<E>::view(word).free()) };
            guard.flush();
        }
        entries
    }
}

impl<E: Entry> Drop for Table<E> {
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
                let segment = Segment::<E>::view(word);
                self.settle(i, segment);
                segment.entries().for_each(|(_, entry)| E::free(entry));
                segment.free();
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
