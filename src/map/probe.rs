//! Finding an entry in a segment, and inserting one.
//!
//! ```text
//!  position                         tag
//!  +------------+------------+     +-----+      home cell:  the high bits, as many as name a cell
//!  | high bits  |  low bits  |     | 1.. |      home group: the high bits, as many as name a group
//!  +------------+------------+     | 127 |      the low bits have led to this segment
//!                                  +-----+
//! ```
//!
//! **Finding, the way that is always right.** From the home group on, round all groups: compare the
//! tag with four lanes at once; where it matches, compare label and key; stop at a group with a
//! vacant lane, as an insert would have taken that. Then do the same in the next segment of the
//! chain, if there is one.
//!
//! **Two shortcuts** answer nearly all lookups; after a miss the way above is taken.
//!
//! - *By the home.* An entry is put into its home cell if that is free. So the cell is compared
//!   before any lane: one cache miss instead of two. For two entries in five that fails, which no
//!   processor predicts.
//! - *By the group.* The first lane of the home group with the tag is taken. Nearly always it is
//!   the right one. In maps that the cache holds this is faster, as it can be predicted.
//!
//! **Inserting.** A lane is taken by a compare-and-swap of its whole group, which has been searched
//! for the key. Lanes are taken in the probe's order and never become vacant again. So two threads
//! that insert one key come to the same group, and one of them finds the other's entry, in its
//! search or after its swap has failed.
//!
//! An example: groups 5 and 6, a key whose home is group 5, which has four entries. Threads A and B
//! both find no match in 5, and a vacant lane in 6. A's swap of group 6 succeeds. B's fails; B
//! begins again, and finds A's entry in group 6.
//!
//! **Proof.** `src/models/map.rs` (e), and `src/map/tests.rs`.

use crate::key::Key;
use crate::key::hash::Hash;
use crate::map::segment::Segment;
use crate::partition::Partition;
use crate::partition::content::Content;
use crate::partition::label::Label;
use crate::sys::memory::{prefetch, prefetch_to_write};
use std::ops::Range;
use std::ptr::NonNull;

/// The outcome of an insert into one segment.
pub(crate) enum ProbeOutcome<'g> {
    Done(Partition<'g>),
    Exists(Partition<'g>),
    /// Not inserted, as the segment is full or is being replaced. The caller replaces it and tries
    /// again.
    MustReplace,
}

/// The depths of segments in maps that a core's own caches hold, or much of. There an entry is
/// looked for by the group, which a processor can predict. In deeper ones it is looked for in its
/// home first, which misses the cache once, where the way by the group misses it twice. A lone
/// segment is no such: its few entries mostly are at home.
const GROUP_FIRST_DEPTHS: Range<u32> = 1..10;

#[cfg(loom)]
thread_local! {
    /// The choice of a model to have entries found by the group. All threads of a model run on that
    /// of its test.
    pub(crate) static BY_GROUP: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl<'g> Segment<'g> {
    /// Returns the cell in which the entry of this hash and label is, if it is where nearly all
    /// are. The flag says that it is there for sure; else only its tag was found in a lane.
    #[inline(always)]
    fn probable_cell(&self, hash: Hash, label: Label) -> Option<(NonNull<u8>, bool)> {
        let (group, home) = (self.home_group(hash.position), self.home_cell(hash.position));
        if self.is_by_group() {
            prefetch_to_write(home.as_ptr());
        } else {
            prefetch(group);
            // SAFETY: cells were made ready with the segment, which lives.
            if unsafe { Partition::is_live(home, label) } {
                return Some((home, true));
            }
        }
        let group = group.load();
        let lane = group.matches(hash.tag()).next()?;
        Some((self.cell(group.cell(lane)), false))
    }

    /// Returns whether an entry is looked for by the group, and not in its home first.
    #[inline(always)]
    fn is_by_group(&self) -> bool {
        #[cfg(loom)]
        return BY_GROUP.get();
        #[cfg(not(loom))]
        GROUP_FIRST_DEPTHS.contains(&self.depth())
    }

    /// Finds the entry of this key, by a shortcut if that leads to it.
    #[inline(always)]
    pub(crate) fn find_fast(&self, hash: Hash, key: Key<'_>) -> Option<Partition<'g>> {
        let label = Label::new(hash.position, key);
        if let Some((cell, is_live)) = self.probable_cell(hash, label) {
            // SAFETY: as in `probable_cell`; cells live as long as the segment. If the label is
            // live, all of an entry is there, with texts of the lengths that the label has in
            // common with the key's.
            unsafe {
                if (is_live || Partition::is_live(cell, label)) && Partition::has_near(cell, key) {
                    return Some(Partition::view(cell));
                }
            }
        }
        self.find_all(hash, key.table, key.pk)
    }

    /// Does as [`Segment::find`]. The texts are two arguments: a `Key` would be handed over in
    /// memory, and written there before it is needed.
    #[cold]
    #[inline(never)]
    fn find_all(&self, hash: Hash, table: &[u8], pk: &[u8]) -> Option<Partition<'g>> {
        self.find(hash, Key { table, pk })
    }

    /// Asks for the memory that says where the entry of this hash is, and for its home.
    #[inline(always)]
    pub(crate) fn prefetch_home(&self, hash: Hash) {
        prefetch(self.home_group(hash.position));
        prefetch_to_write(self.home_cell(hash.position).as_ptr());
    }

    /// Asks for the memory of the entry that is probably this one. Returns it, and whether it was
    /// found in its home, so that its memory is there already.
    #[inline(always)]
    pub(crate) fn prefetch_entry(&self, hash: Hash, label: Label) -> Option<(Partition<'g>, bool)> {
        let (cell, is_live) = self.probable_cell(hash, label)?;
        if !is_live {
            prefetch_to_write(cell.as_ptr());
        }
        // SAFETY: its label is live, or a lane has its tag: either way an entry was written there.
        Some((unsafe { Partition::view(cell) }, is_live))
    }

    /// Finds the entry of this key here, or in the segments of the chain.
    pub(crate) fn find(&self, hash: Hash, key: Key<'_>) -> Option<Partition<'g>> {
        let label = Label::new(hash.position, key);
        self.chain().find_map(|segment| segment.find_here(hash, label, key))
    }

    /// Finds the entry of this key in this segment alone.
    fn find_here(&self, hash: Hash, label: Label, key: Key<'_>) -> Option<Partition<'g>> {
        for group in self.probe_order(hash.position) {
            let group = group.load();
            for lane in group.matches(hash.tag()) {
                // SAFETY: a lane with a tag says where an entry was written.
                let entry = unsafe { self.entry(group.cell(lane)) };
                if entry.is_of(label, key) {
                    return Some(entry);
                }
            }
            // An insert of the key would have taken this lane: it is not further on.
            if group.vacant().is_some() {
                break;
            }
        }
        None
    }

    /// Inserts an entry into the last segment of a chain, where no segment before has its key.
    pub(crate) fn insert(&self, hash: Hash, content: &Content<'_>) -> ProbeOutcome<'g> {
        let label = Label::new(hash.position, content.key);
        let mut written = None;
        'probe: loop {
            for at in self.probe_order(hash.position) {
                // One look at the group, which the swap below proves to be unchanged.
                let group = at.load();
                for lane in group.matches(hash.tag()) {
                    // SAFETY: a lane with a tag says where an entry was written.
                    let entry = unsafe { self.entry(group.cell(lane)) };
                    if entry.is_of(label, content.key) {
                        return ProbeOutcome::Exists(entry);
                    }
                }
                // A full group: on to the next. A vacant lane ends the search: no group after this
                // one has the key, which can go here.
                let Some(lane) = group.vacant() else { continue };
                if group.is_frozen() {
                    return ProbeOutcome::MustReplace;
                }
                // The entry is written before its lane says where it is; once, however often the
                // probe begins again.
                let cell = match written {
                    Some(cell) => cell,
                    None => match self.write(content) {
                        Some(cell) => *written.insert(cell),
                        None => return ProbeOutcome::MustReplace,
                    },
                };
                // From here on the entry is found by its lane. By its home it is found once it is
                // marked live.
                if at.change(group, group.with(lane, hash.tag(), cell)) {
                    // SAFETY: just written there.
                    let entry = unsafe { self.entry(cell) };
                    entry.mark_live();
                    return ProbeOutcome::Done(entry);
                }
                // Another thread has changed the group, perhaps by this very key: begin again.
                continue 'probe;
            }
            return ProbeOutcome::MustReplace;
        }
    }

    /// Takes an entry into a segment that is not published yet. Returns `false` if there is no
    /// room.
    pub(crate) fn adopt(&self, tag: u8, content: &Content<'_>) -> bool {
        let mut groups = self.probe_order(content.position);
        let vacant = groups.find_map(|group| Some((group, group.load(), group.load().vacant()?)));
        let Some((cell, (group, seen, lane))) = self.write(content).zip(vacant) else { return false };
        group.set(seen.with(lane, tag, cell));
        // SAFETY: just written there.
        unsafe { self.entry(cell) }.mark_live();
        true
    }
}
