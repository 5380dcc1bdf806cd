//! A segment of the hash table: groups of lanes that say where entries lie, and an arena that holds them.
//!
//! ```text
//! +--------+--------------------------+---------+---------+------------+- - - - -+
//! | header | groups: lanes            | entry   | entry   | entry      |  free   |
//! +--------+--------------------------+---------+---------+------------+- - - - -+
//! 0       64                         320   arena: up to 256 units of 16 bytes or more
//! ```
//!
//! Lanes are only ever taken in the order of the probe, and never become vacant again, so two threads that
//! insert one key meet at the same group. An entry's memory is taken by counting on, and given back with the
//! segment. A segment that is full is *frozen*: a bit in every lane makes every later change fail; then its
//! entries are frozen too, and copied to its successors.

use crate::group::{AtomicGroup, Group, LANES};
use crate::memory::OutOfMemory;
use crate::partition::{Content, Partition};
use crate::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, AtomicU64, Relaxed};
use std::alloc::{Layout, alloc, dealloc};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the spine's words hold a 48-bit address: 64-bit targets only");

/// Groups in a segment, units in the largest arena, the shift that makes bytes of the smallest unit, and
/// units in the largest entry.
#[cfg(not(loom))]
const SIZES: (usize, usize, u32, usize) = (32, 256, 4, 32);
/// In models two entries fill a segment.
#[cfg(loom)]
const SIZES: (usize, usize, u32, usize) = (1, 2, 10, 1);
const GROUPS: usize = SIZES.0;
pub(crate) const UNITS: usize = SIZES.1;
const SHIFT_MIN: u32 = SIZES.2;
const ENTRY_UNITS: usize = SIZES.3;

/// Lanes that are taken before a segment is full: the rest keeps probes short.
#[cfg(not(loom))]
pub(crate) const LANES_MAX: usize = GROUPS * LANES * 7 / 8;
#[cfg(loom)]
pub(crate) const LANES_MAX: usize = GROUPS * LANES;

/// For each lane what its entry's heads held when they were frozen.
type Lasts = [[AtomicU64; 2]; GROUPS * LANES];

/// The head of a segment; aligned so that groups are in step with cache lines, and that the low six bits of
/// its address are free.
#[repr(C, align(64))]
struct Header {
    groups: [AtomicGroup; GROUPS],
    /// In units.
    capacity: u32,
    shift: u32,
    /// Units taken, or more if some did not get what they asked for.
    used: AtomicU32,
    /// Lanes taken, roughly: counted after the fact.
    taken: AtomicU32,
    /// The other half of the split that this segment came from, as a spine's word; null if it has none.
    sibling: *mut (),
    /// Where the entries are that had no place here, as a spine's word; null nearly always: see
    /// [`crate::successor::Successor`].
    next: *mut (),
    /// Null until the segment is replaced.
    lasts: AtomicPtr<Lasts>,
    #[cfg(loom)]
    watch: crate::sync::watch::Watch,
}

const ADDRESS: usize = ((1 << 48) - 1) & !63;
const DEPTH: usize = 63;
const SHIFT_SHIFT: u32 = 48;

/// A view of one segment.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'g> {
    header: NonNull<Header>,
    depth: u32,
    shift: u32,
    _lives: PhantomData<&'g Header>,
}

/// An entry's lane.
#[derive(Clone, Copy)]
pub(crate) struct Lane<'g> {
    group: &'g AtomicGroup,
    seen: Group,
    lane: u32,
}

impl Lane<'_> {
    /// Takes the entry out of the table. `false`: its group is frozen, or has changed.
    pub(crate) fn vacate(&self) -> bool {
        self.group.change(self.seen, self.seen.without(self.lane))
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.seen.is_frozen()
    }

    pub(crate) fn tag(&self) -> u8 {
        self.seen.tag(self.lane)
    }
}

/// The smallest shift for entries of up to so many bytes.
pub(crate) fn shift_for(bytes: usize) -> u32 {
    let unit = bytes.div_ceil(ENTRY_UNITS).next_power_of_two();
    unit.trailing_zeros().max(SHIFT_MIN)
}

/// How many units so many bytes take.
pub(crate) fn units_for(bytes: usize, shift: u32) -> usize {
    bytes.div_ceil(1 << shift)
}

impl<'g> Segment<'g> {
    fn layout(capacity: usize, shift: u32) -> Layout {
        let size = size_of::<Header>() + (capacity << shift);
        Layout::from_size_align(size, align_of::<Header>()).expect("arenas are small")
    }

    pub(crate) fn create(units: usize, shift: u32, depth: u32) -> Result<Self, OutOfMemory> {
        let capacity = units.min(UNITS);
        // SAFETY: the layout holds at least the header.
        let memory = NonNull::new(unsafe { alloc(Self::layout(capacity, shift)) }).ok_or(OutOfMemory)?;
        let header: NonNull<Header> = memory.cast();
        let new = Self { header, depth, shift, _lives: PhantomData };
        if memory.addr().get() & !ADDRESS != 0 {
            // SAFETY: just allocated with this layout. No allocator hands out over 48 bits unasked.
            unsafe { dealloc(memory.as_ptr(), Self::layout(capacity, shift)) };
            return Err(OutOfMemory);
        }
        // SAFETY: just allocated, for a header and the arena.
        unsafe {
            header.write(Header {
                groups: std::array::from_fn(|_| AtomicGroup::new()),
                capacity: capacity as u32,
                shift,
                used: AtomicU32::new(0),
                taken: AtomicU32::new(0),
                sibling: null_mut(),
                next: null_mut(),
                lasts: AtomicPtr::new(null_mut()),
                #[cfg(loom)]
                watch: crate::sync::watch::Watch::default(),
            });
        }
        Ok(new)
    }

    /// The spine's word for this segment: its address, in the low bits its depth, on top its shift.
    pub(crate) fn word(&self) -> *mut () {
        let marks = self.depth as usize | (self.shift as usize) << SHIFT_SHIFT;
        self.header.as_ptr().cast::<()>().map_addr(|addr| addr | marks)
    }

    /// # Safety
    /// `word` came from `word` of a segment that lives through `'g`.
    #[inline(always)]
    pub(crate) unsafe fn view(word: *mut ()) -> Self {
        let header = word.map_addr(|addr| addr & ADDRESS).cast();
        let (depth, shift) = ((word.addr() & DEPTH) as u32, (word.addr() >> SHIFT_SHIFT) as u32);
        // SAFETY: a segment's address is not null.
        Self { header: unsafe { NonNull::new_unchecked(header) }, depth, shift, _lives: PhantomData }
    }

    /// The depth in a segment's word.
    #[inline(always)]
    pub(crate) fn depth_of(word: *mut ()) -> u32 {
        (word.addr() & DEPTH) as u32
    }

    /// How many low bits of their places all entries share.
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// # Safety
    /// Nobody uses the segment, nor any after it, any more. What hangs on its entries is not touched.
    pub(crate) unsafe fn free(self) {
        for segment in self.chain() {
            let (header, lasts) = (segment.header(), segment.header().lasts.load(Acquire));
            #[cfg(loom)]
            if header.watch.free() {
                continue;
            }
            let layout = Self::layout(header.capacity as usize, header.shift);
            // SAFETY: as the caller promises; `lasts` came from a box.
            unsafe {
                if !lasts.is_null() {
                    drop(Box::from_raw(lasts));
                }
                dealloc(segment.header.as_ptr().cast(), layout);
            }
        }
    }

    /// Uses the segment, for models to see whether it may be.
    #[cfg(loom)]
    pub(crate) fn watch(&self) {
        self.header().watch.touch();
    }

    fn header(&self) -> &'g Header {
        // SAFETY: the segment lives through 'g.
        unsafe { self.header.as_ref() }
    }

    pub(crate) fn sibling(&self) -> *mut () {
        self.header().sibling
    }

    /// Before the segment is published: what it was split from gave rise to `sibling` too.
    pub(crate) fn set_sibling(&mut self, sibling: *mut ()) {
        // SAFETY: nobody else has seen the segment yet.
        unsafe { self.header.as_mut().sibling = sibling }
    }

    /// Before the segment is published: what has no place here is there.
    pub(crate) fn set_next(&mut self, next: Segment<'g>) {
        // SAFETY: nobody else has seen the segment yet.
        unsafe { self.header.as_mut().next = next.word() }
    }

    /// This segment and those that follow it.
    pub(crate) fn chain(&self) -> impl Iterator<Item = Segment<'g>> + use<'g> {
        std::iter::successors(Some(*self), |segment| segment.next())
    }

    fn next(&self) -> Option<Self> {
        let next = self.header().next;
        // SAFETY: those that follow live as long as the first.
        (!next.is_null()).then(|| unsafe { Self::view(next) })
    }

    /// The index of the group that the probe for this place begins with.
    #[inline(always)]
    fn first_group(place: u32) -> usize {
        (place as usize * GROUPS) >> 32
    }

    /// The group that the probe for this place begins with.
    #[inline(always)]
    pub(crate) fn home(&self, place: u32) -> &'g AtomicGroup {
        let groups = self.header.cast::<AtomicGroup>();
        // SAFETY: the groups are the header's first part, and there are so many. Taking no reference to all of
        // it keeps its other lines out of the cache.
        unsafe { groups.add(Self::first_group(place)).as_ref() }
    }

    /// The groups, in the order in which a key of this place looks at them.
    pub(crate) fn probe_order(&self, place: u32) -> impl Iterator<Item = &'g AtomicGroup> + use<'g> {
        let groups = &self.header().groups;
        let (before, from) = groups.split_at(Self::first_group(place));
        from.iter().chain(before)
    }

    /// How many lanes have been taken, roughly.
    pub(crate) fn taken(&self) -> usize {
        self.header().taken.load(Relaxed) as usize
    }

    /// Counts a lane that was taken.
    pub(crate) fn count_taken(&self) {
        self.header().taken.fetch_add(1, Relaxed);
    }

    /// Writes an entry where nobody can find it yet.
    pub(crate) fn write(&self, content: &Content<'_>) -> Option<u8> {
        let header = self.header();
        let units = units_for(content.size(), self.shift);
        let unit = header.used.fetch_add(units as u32, Relaxed) as usize;
        if unit + units > header.capacity as usize {
            return None;
        }
        // SAFETY: the count gave these units to this call alone.
        unsafe { content.write(self.arena().add(unit << self.shift)) };
        Some(unit as u8)
    }

    /// Before the segment is published: whether an entry of so many bytes has a place here.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let Header { capacity, used, .. } = self.header();
        self.taken() < LANES_MAX
            && used.load(Relaxed) as usize + units_for(bytes, self.shift) <= *capacity as usize
    }

    /// # Safety
    /// `unit` is where an entry was written.
    #[inline(always)]
    pub(crate) unsafe fn entry(&self, unit: u8) -> Partition<'g> {
        // SAFETY: it lies in the arena, and lives as long as the segment.
        unsafe { Partition::view(self.arena().add(usize::from(unit) << self.shift)) }
    }

    #[inline(always)]
    fn arena(&self) -> NonNull<u8> {
        // SAFETY: the arena follows the header.
        unsafe { self.header.add(1).cast() }
    }

    /// Whether the segment is being replaced.
    pub(crate) fn is_frozen(&self) -> bool {
        self.groups().next().is_some_and(|group| group.load().is_frozen())
    }

    fn groups(&self) -> impl Iterator<Item = &'g AtomicGroup> + use<'g> {
        self.probe_order(0)
    }

    /// Makes every later change of a lane fail.
    pub(crate) fn freeze(&self) {
        self.chain().flat_map(|segment| segment.groups()).for_each(AtomicGroup::freeze);
    }

    /// Every entry here, with its lane's number, its lane and its tag.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, Lane<'g>, Partition<'g>)> + use<'g> {
        let segment = *self;
        self.groups().enumerate().flat_map(move |(i, group)| {
            let seen = group.load();
            seen.live().map(move |lane| {
                // SAFETY: a lane with a tag says where an entry was written.
                let entry = unsafe { segment.entry(seen.unit(lane)) };
                (i * LANES + lane as usize, Lane { group, seen, lane }, entry)
            })
        })
    }

    /// Where those who freeze the entries agree on what their heads held.
    pub(crate) fn lasts(&self) -> Result<&'g Lasts, OutOfMemory> {
        let place = &self.header().lasts;
        let mut lasts = place.load(Acquire);
        if lasts.is_null() {
            let zero = |_| std::array::from_fn(|_| AtomicU64::new(0));
            let new = Box::into_raw(crate::memory::try_box(std::array::from_fn(zero))?);
            lasts = match place.compare_exchange(null_mut(), new, AcqRel, Acquire) {
                Ok(_) => new,
                Err(other) => {
                    // SAFETY: nobody has seen `new`, which came from a box.
                    drop(unsafe { Box::from_raw(new) });
                    other
                }
            };
        }
        // SAFETY: they live as long as the segment.
        Ok(unsafe { &*lasts })
    }
}
