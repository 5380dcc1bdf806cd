//! How an entry is found in a segment, and put there.

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
    /// Not inserted: the segment is full, or is being replaced. Replace it and try again.
    MustReplace,
}

/// How deep the segments are of maps that a core's own cache holds, but for the least. There the way to an entry by
/// the group is the better one: a processor can predict it. Deeper, an entry is looked for in its home first: that
/// misses the cache once, and the way by the group twice. A lone segment's few entries mostly are at home.
const GROUP_FIRST_DEPTHS: Range<u32> = 1..10;

#[cfg(loom)]
thread_local! {
    /// Whether a model has entries found by the group. All threads of a model run on that of its test.
    pub(crate) static BY_GROUP: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

impl<'g> Segment<'g> {
    /// The cell where the entry of this hash and label is, unless it is not where nearly all are; and whether that is
    /// sure, or only the tag of one there.
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

    /// Whether an entry is looked for by the group, and not in its home first.
    #[inline(always)]
    fn is_by_group(&self) -> bool {
        #[cfg(loom)]
        return BY_GROUP.get();
        #[cfg(not(loom))]
        GROUP_FIRST_DEPTHS.contains(&self.depth())
    }

    /// Finds the entry of this key.
    #[inline(always)]
    pub(crate) fn find_fast(&self, hash: Hash, key: Key<'_>) -> Option<Partition<'g>> {
        let label = Label::new(hash.position, key);
        if let Some((cell, is_live)) = self.probable_cell(hash, label) {
            // SAFETY: as in `probable_cell`; cells live as long as the segment. If the label is live, all of an entry is
            // there, with texts of the lengths that the label has in common with the key's.
            unsafe {
                if (is_live || Partition::is_live(cell, label)) && Partition::has_near(cell, key) {
                    return Some(Partition::view(cell));
                }
            }
        }
        self.find_all(hash, key.table, key.pk)
    }

    /// Does as `find`. A `Key` would be handed over in memory, and written there before it is needed.
    #[cold]
    #[inline(never)]
    fn find_all(&self, hash: Hash, table: &[u8], pk: &[u8]) -> Option<Partition<'g>> {
        self.find(hash, Key { table, pk })
    }

    /// Asks for the memory that says where the entry of this hash is, and where it mostly is.
    #[inline(always)]
    pub(crate) fn prefetch_home(&self, hash: Hash) {
        prefetch(self.home_group(hash.position));
        prefetch_to_write(self.home_cell(hash.position).as_ptr());
    }

    /// Asks for the memory of the entry that is probably this one. Returns it, and whether it is there already, as it is in
    /// its home.
    #[inline(always)]
    pub(crate) fn prefetch_entry(&self, hash: Hash, label: Label) -> Option<(Partition<'g>, bool)> {
        let (cell, is_live) = self.probable_cell(hash, label)?;
        if !is_live {
            prefetch_to_write(cell.as_ptr());
        }
        // SAFETY: its label is live, or a lane has its tag: either way an entry was written there.
        Some((unsafe { Partition::view(cell) }, is_live))
    }

    /// Finds the entry of this key here, or in those that follow.
    pub(crate) fn find(&self, hash: Hash, key: Key<'_>) -> Option<Partition<'g>> {
        let label = Label::new(hash.position, key);
        self.chain().find_map(|segment| segment.find_here(hash, label, key))
    }

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
            if group.vacant().is_some() {
                break;
            }
        }
        None
    }

    /// Inserts an entry that is not in any segment before this one, the last of its chain.
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
                // A full group: on to the next. In one that is not, the key would be, or can go.
                let Some(lane) = group.vacant() else { continue };
                if group.is_frozen() {
                    return ProbeOutcome::MustReplace;
                }
                // The entry is written before its lane says where it is; once, however often the probe begins again.
                let cell = match written {
                    Some(cell) => cell,
                    None => match self.write(content) {
                        Some(cell) => *written.insert(cell),
                        None => return ProbeOutcome::MustReplace,
                    },
                };
                if at.change(group, group.with(lane, hash.tag(), cell)) {
                    // SAFETY: just written there.
                    let entry = unsafe { self.entry(cell) };
                    entry.mark_live();
                    return ProbeOutcome::Done(entry);
                }
                // Another thread has changed the group, perhaps by this key: begin again.
                continue 'probe;
            }
            return ProbeOutcome::MustReplace;
        }
    }

    /// Before the segment is published: takes in an entry, for which there is room.
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
