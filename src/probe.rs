//! How an entry is found in a segment, and put there.

use crate::key::{Hash, Key};
use crate::memory::fetch;
use crate::partition::{Content, Partition};
use crate::segment::{LANES_MAX, Segment};

/// What came of an insert.
pub(crate) enum Inserted<'g> {
    Done(Partition<'g>),
    Exists(Partition<'g>),
    /// There is no room, or the segment is being replaced.
    Closed,
}

impl<'g> Segment<'g> {
    /// The first entry of its home group that has this hash's tag.
    #[inline(always)]
    fn likely(&self, hash: Hash) -> Option<Partition<'g>> {
        let group = self.home(hash.place).load();
        let lane = group.matches(hash.tag).next()?;
        // SAFETY: a lane with a tag says where an entry was written.
        Some(unsafe { self.entry(group.unit(lane)) })
    }

    /// Finds the entry of this key where nearly all are.
    #[inline(always)]
    pub(crate) fn find_quickly(&self, hash: Hash, key: Key<'_>) -> Option<Partition<'g>> {
        self.likely(hash).filter(|entry| entry.key() == key)
    }

    pub(crate) fn fetch_group(&self, hash: Hash) {
        fetch(std::ptr::from_ref(self.home(hash.place)).cast());
    }

    pub(crate) fn fetch_entry(&self, hash: Hash) {
        if let Some(entry) = self.likely(hash) {
            fetch(entry.address().as_ptr());
        }
    }

    /// Finds the entry of this key here, or in those that follow.
    #[inline(never)]
    pub(crate) fn find(&self, hash: Hash, key: Key<'_>) -> Option<Partition<'g>> {
        self.chain().find_map(|segment| segment.find_here(hash, key))
    }

    fn find_here(&self, hash: Hash, key: Key<'_>) -> Option<Partition<'g>> {
        for group in self.probe_order(hash.place) {
            let group = group.load();
            for lane in group.matches(hash.tag) {
                // SAFETY: a lane with a tag says where an entry was written.
                let entry = unsafe { self.entry(group.unit(lane)) };
                if entry.key() == key {
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
    pub(crate) fn insert(&self, hash: Hash, content: &Content<'_>) -> Inserted<'g> {
        if self.taken() >= LANES_MAX {
            return Inserted::Closed;
        }
        let mut written = None;
        'probe: loop {
            for at in self.probe_order(hash.place) {
                let group = at.load();
                for lane in group.matches(hash.tag) {
                    // SAFETY: a lane with a tag says where an entry was written.
                    let entry = unsafe { self.entry(group.unit(lane)) };
                    if entry.key() == content.key {
                        return Inserted::Exists(entry);
                    }
                }
                let Some(lane) = group.vacant() else { continue };
                if group.is_frozen() {
                    return Inserted::Closed;
                }
                let unit = match written {
                    Some(unit) => unit,
                    None => match self.write(content) {
                        Some(unit) => *written.insert(unit),
                        None => return Inserted::Closed,
                    },
                };
                if at.change(group, group.with(lane, hash.tag, unit)) {
                    self.count_taken();
                    // SAFETY: just written there.
                    return Inserted::Done(unsafe { self.entry(unit) });
                }
                continue 'probe;
            }
            return Inserted::Closed;
        }
    }

    /// Before the segment is published: takes in an entry, for which there is room.
    pub(crate) fn adopt(&self, tag: u8, content: &Content<'_>) -> bool {
        let mut groups = self.probe_order(content.place);
        let vacant = groups.find_map(|group| Some((group, group.load(), group.load().vacant()?)));
        let Some((unit, (group, seen, lane))) = self.write(content).zip(vacant) else { return false };
        group.set(seen.with(lane, tag, unit));
        self.count_taken();
        true
    }
}
