//! A segment of the map: groups of lanes that say where entries lie, and cells that hold them.
//!
//! ```text
//! +----------------+--------+---------+---------+- - - - -+---------+- - - - - - - -+
//! | groups: lanes  | header | cell 0  | cell 1  |         | cell n  |  text area    |
//! +----------------+--------+---------+---------+- - - - -+---------+- - - - - - - -+
//! 0               256      320      2 to 64 cells, all of one size    mostly empty
//! ```
//!
//! [`crate::map::probe`] says how a lane and a cell are chosen. Cells and texts are given back with
//! the segment. To be replaced a segment is *frozen*: a bit in every lane makes every later change
//! fail.

use crate::error::OutOfMemory;
use crate::map::group::{AtomicGroup, LANES, Lane};
use crate::partition::Partition;
use crate::partition::content::Content;
use crate::sys::memory::{allocate, try_box};
use crate::sys::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, AtomicU64, Relaxed};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use std::alloc::{Layout, dealloc};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the directory's entries hold a 48-bit address: 64-bit targets only");

#[cfg(not(loom))]
mod sizes {
    /// Groups in a segment.
    pub(super) const GROUPS: usize = 32;
    /// The most cells in a segment, as a power of two.
    pub(super) const CELLS_SHIFT: u32 = 6;
    /// Bytes in a unit of memory.
    pub(crate) const UNIT: usize = 16;
    /// Units in the smallest cell, and in the largest.
    pub(crate) const CELL_UNITS: std::ops::RangeInclusive<usize> = 4..=16;
}
#[cfg(loom)] // In models two entries fill a segment.
mod sizes {
    pub(super) const GROUPS: usize = 1;
    pub(super) const CELLS_SHIFT: u32 = 1;
    pub(crate) const UNIT: usize = 256;
    pub(crate) const CELL_UNITS: std::ops::RangeInclusive<usize> = 4..=4;
}
pub(crate) use sizes::{CELL_UNITS, UNIT};
use sizes::{CELLS_SHIFT, GROUPS};

/// The most entries of a segment. There are more lanes, which keeps probes short.
pub(crate) const CELLS: usize = 1 << CELLS_SHIFT;

/// For each lane the values at which its entry's heads are frozen: see `AtomicHead::freeze_agreed`.
pub(crate) type FrozenHeads = [[AtomicU64; 2]; GROUPS * LANES];

/// The header of a segment. Its alignment fits groups to cache lines, and frees six address bits.
#[repr(C, align(64))]
struct Header {
    groups: [AtomicGroup; GROUPS],
    /// A bit for each cell that is taken.
    taken: AtomicU64,
    /// The units of the text area that are taken, or more if some calls did not get what they asked
    /// for.
    texts_taken: AtomicU32,
    texts: u32,
    /// The other half of the split that made this segment, as a directory's entry; null: none.
    sibling: *mut (),
    /// The next segment of the chain, as a directory's entry; null nearly always: see
    /// [`crate::map::successor::Successor`].
    next: *mut (),
    /// Null until a replacement begins.
    frozen_heads: AtomicPtr<FrozenHeads>,
    #[cfg(loom)]
    watch: Watch,
}

/// The way in which a segment's memory is cut up.
#[derive(Clone, Copy)]
pub(crate) struct Shape {
    /// The number of cells, as a power of two.
    cells_shift: u32,
    /// Bytes in each.
    cell_size: usize,
    /// Units in the text area.
    texts: u32,
}

const ADDRESS: usize = ((1 << 48) - 1) & !63;
const DEPTH: usize = 63;
const CELLS_SHIFT_AT: u32 = 48;
const CELL_UNITS_AT: u32 = 52;

/// A view of one segment.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'g> {
    header: NonNull<Header>,
    depth: u32,
    cells_shift: u32,
    cell_size: usize,
    _lives: PhantomData<&'g Header>,
}

/// Returns how many units `bytes` take.
pub(crate) fn units_for(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

impl Shape {
    /// Makes a shape for `entries` or more, in cells of `cell_units`, with `texts` units of text.
    pub(crate) fn new(entries: usize, cell_units: usize, texts: usize) -> Self {
        let cells = entries.clamp(2, CELLS).next_power_of_two();
        Self { cells_shift: cells.ilog2(), cell_size: cell_units * UNIT, texts: texts as u32 }
    }

    pub(crate) fn layout(self) -> Layout {
        let size = size_of::<Header>() + (self.cell_size << self.cells_shift) + self.texts as usize * UNIT;
        Layout::from_size_align(size, align_of::<Header>()).expect("segments are small")
    }
}

impl<'g> Segment<'g> {
    pub(crate) fn create(shape: Shape, depth: u32) -> Result<Self, OutOfMemory> {
        let memory = allocate(shape.layout())?;
        let header: NonNull<Header> = memory.cast();
        let Shape { cells_shift, cell_size, texts } = shape;
        let new = Self { header, depth, cells_shift, cell_size, _lives: PhantomData };
        if memory.addr().get() & !ADDRESS != 0 {
            // SAFETY: just allocated with this layout. No allocator hands out over 48 bits unasked.
            unsafe { dealloc(memory.as_ptr(), shape.layout()) };
            return Err(OutOfMemory);
        }
        // SAFETY: just allocated, for a header and the cells.
        unsafe {
            header.write(Header {
                groups: std::array::from_fn(|_| AtomicGroup::new()),
                taken: AtomicU64::new(0),
                texts_taken: AtomicU32::new(0),
                texts,
                sibling: null_mut(),
                next: null_mut(),
                frozen_heads: AtomicPtr::new(null_mut()),
                #[cfg(loom)]
                watch: Watch::new(Kind::Segment),
            });
            (0..new.cells()).for_each(|cell| Partition::prepare(new.cell(cell as u8)));
        }
        Ok(new)
    }

    /// Returns the directory's entry for this segment: its address, its depth in the low bits, and
    /// on top the parts of its shape that the way to an entry needs.
    pub(crate) fn directory_entry(&self) -> *mut () {
        let shape = (self.cells_shift as usize) << CELLS_SHIFT_AT | (self.cell_size / UNIT) << CELL_UNITS_AT;
        self.header.as_ptr().cast::<()>().map_addr(|addr| addr | shape | self.depth as usize)
    }

    /// # Safety
    /// `entry` came from `directory_entry` of a segment that lives through `'g`.
    #[inline(always)]
    pub(crate) unsafe fn view(entry: *mut ()) -> Self {
        let bits = entry.addr();
        let view = Self {
            // SAFETY: a segment's address is not null.
            header: unsafe { NonNull::new_unchecked(entry.map_addr(|addr| addr & ADDRESS).cast()) },
            depth: (bits & DEPTH) as u32,
            cells_shift: (bits >> CELLS_SHIFT_AT) as u32 & 15,
            cell_size: (bits >> CELL_UNITS_AT) * UNIT,
            _lives: PhantomData,
        };
        #[cfg(loom)]
        view.touch();
        view
    }

    fn shape(&self) -> Shape {
        Shape { cells_shift: self.cells_shift, cell_size: self.cell_size, texts: self.header().texts }
    }

    /// Returns the bytes of this segment, without those of the chain.
    pub(crate) fn bytes(&self) -> usize {
        self.shape().layout().size()
    }

    /// Returns the units of a cell, and those of the text area.
    pub(crate) fn units(&self) -> (usize, usize) {
        (self.cell_size / UNIT, self.header().texts as usize)
    }

    /// Returns how many low bits of their positions all entries share.
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Frees the chain.
    ///
    /// # Safety
    /// No thread uses its segments any more. What hangs on their entries is not touched.
    pub(crate) unsafe fn free(self) {
        for segment in self.chain() {
            let header = segment.header();
            let frozen_heads = header.frozen_heads.load(Acquire);
            let layout = segment.shape().layout();
            #[cfg(loom)]
            if header.watch.free() {
                continue;
            }
            // SAFETY: as the caller promises; `frozen_heads` came from a box.
            unsafe {
                if !frozen_heads.is_null() {
                    drop(Box::from_raw(frozen_heads));
                }
                dealloc(segment.header.as_ptr().cast(), layout);
            }
        }
    }

    /// Uses the segment, for models to see whether it may be.
    #[cfg(loom)]
    pub(crate) fn touch(&self) {
        // SAFETY: the segment lives through 'g.
        unsafe { self.header.as_ref() }.watch.touch();
    }

    fn header(&self) -> &'g Header {
        #[cfg(loom)]
        self.touch();
        // SAFETY: the segment lives through 'g.
        unsafe { self.header.as_ref() }
    }

    pub(crate) fn sibling(&self) -> *mut () {
        self.header().sibling
    }

    /// Notes, before the segment is published, the other half of the split that made it.
    pub(crate) fn set_sibling(&mut self, sibling: *mut ()) {
        // SAFETY: no other thread has seen the segment yet.
        unsafe { self.header.as_mut().sibling = sibling }
    }

    /// Puts, before the segment is published, another one behind it.
    pub(crate) fn set_next(&mut self, next: Segment<'g>) {
        // SAFETY: no other thread has seen the segment yet.
        unsafe { self.header.as_mut().next = next.directory_entry() }
    }

    /// Returns this segment and those behind it.
    pub(crate) fn chain(&self) -> impl Iterator<Item = Segment<'g>> + use<'g> {
        std::iter::successors(Some(*self), |segment| segment.next())
    }

    fn next(&self) -> Option<Self> {
        let next = self.header().next;
        // SAFETY: those that follow live as long as the first.
        (!next.is_null()).then(|| unsafe { Self::view(next) })
    }

    #[inline(always)]
    fn first_group(position: u32) -> usize {
        (position as usize * GROUPS) >> 32
    }

    /// Returns the group that the probe for this position begins with.
    #[inline(always)]
    pub(crate) fn home_group(&self, position: u32) -> &'g AtomicGroup {
        #[cfg(loom)]
        self.touch();
        let groups = self.header.cast::<AtomicGroup>();
        // SAFETY: the groups are the header's first part, and `first_group` is one of them. Taking
        // no reference to the whole header keeps its other lines out of the cache.
        unsafe { groups.add(Self::first_group(position)).as_ref() }
    }

    /// Returns the groups in the order in which a key of this position looks at them.
    pub(crate) fn probe_order(&self, position: u32) -> impl Iterator<Item = &'g AtomicGroup> + use<'g> {
        let groups = &self.header().groups;
        let (before, from) = groups.split_at(Self::first_group(position));
        from.iter().chain(before)
    }

    fn cells(&self) -> usize {
        1 << self.cells_shift
    }

    /// Returns the number of the cell for this position: its high bits.
    #[inline(always)]
    fn home(&self, position: u32) -> u8 {
        (u64::from(position) << self.cells_shift >> 32) as u8
    }

    #[inline(always)]
    pub(crate) fn cell(&self, cell: u8) -> NonNull<u8> {
        // SAFETY: the cells follow the header; callers name none that is not there.
        unsafe { self.header.add(1).cast::<u8>().add(usize::from(cell) * self.cell_size) }
    }

    #[inline(always)]
    pub(crate) fn home_cell(&self, position: u32) -> NonNull<u8> {
        self.cell(self.home(position))
    }

    /// Takes a cell: the home of this position, the one beside it, or the next that is free.
    fn take_cell(&self, position: u32) -> Option<u8> {
        let (taken, home) = (&self.header().taken, self.home(position));
        let mut seen = taken.load(Relaxed);
        loop {
            let free = !seen & u64::MAX >> (64 - self.cells());
            let first = |free: u64| (free != 0).then(|| free.trailing_zeros() as u8);
            let near = [home, home ^ 1].into_iter().find(|cell| free >> cell & 1 != 0);
            let cell = near.or_else(|| first(free >> home << home)).or_else(|| first(free))?;
            match taken.compare_exchange(seen, seen | 1 << cell, Relaxed, Relaxed) {
                Ok(_) => return Some(cell),
                Err(actual) => seen = actual,
            }
        }
    }

    /// Returns whether `text_len` bytes of texts do not fit into a cell.
    fn is_far(&self, text_len: usize) -> bool {
        Partition::size(text_len) > self.cell_size
    }

    /// Writes an entry where no thread can find it yet, and returns its cell; `None`: no room.
    pub(crate) fn write(&self, content: &Content<'_>) -> Option<u8> {
        let (header, text_len) = (self.header(), content.text_len());
        let far = if self.is_far(text_len) {
            let units = units_for(text_len);
            let unit = header.texts_taken.fetch_add(units as u32, Relaxed) as usize;
            if unit + units > header.texts as usize {
                return None;
            }
            // SAFETY: the text area follows the cells.
            Some(unsafe { self.cell(self.cells() as u8).add(unit * UNIT) })
        } else {
            None
        };
        let cell = self.take_cell(content.position)?;
        // SAFETY: the cell, and the units of the text area, are this call's alone.
        unsafe { content.write(self.cell(cell), far) };
        Some(cell)
    }

    /// Returns, before the segment is published, whether an entry with such texts has a place here.
    pub(crate) fn has_room(&self, text_len: usize) -> bool {
        let Header { taken, texts_taken, texts, .. } = self.header();
        let units = if self.is_far(text_len) { units_for(text_len) } else { 0 };
        (taken.load(Relaxed).count_ones() as usize) < self.cells()
            && texts_taken.load(Relaxed) as usize + units <= *texts as usize
    }

    /// # Safety
    /// An entry was written to this cell.
    #[inline(always)]
    pub(crate) unsafe fn entry(&self, cell: u8) -> Partition<'g> {
        // SAFETY: it lives as long as the segment.
        unsafe { Partition::view(self.cell(cell)) }
    }

    /// Returns whether the segment is being replaced.
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

    /// Returns every entry here, with its lane's number and its lane.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (usize, Lane<'g>, Partition<'g>)> + use<'g> {
        let segment = *self;
        self.groups().enumerate().flat_map(move |(i, group)| {
            let seen = group.load();
            seen.occupied().map(move |lane| {
                // SAFETY: a lane with a tag says where an entry was written.
                let entry = unsafe { segment.entry(seen.cell(lane)) };
                (i * LANES + lane as usize, Lane { group, seen, lane }, entry)
            })
        })
    }

    /// Returns the words by which the threads that freeze the entries agree on what the heads held.
    pub(crate) fn frozen_heads(&self) -> Result<&'g FrozenHeads, OutOfMemory> {
        let shared = &self.header().frozen_heads;
        let mut frozen_heads = shared.load(Acquire);
        if frozen_heads.is_null() {
            let zero = |_| std::array::from_fn(|_| AtomicU64::new(0));
            let new = Box::into_raw(try_box(std::array::from_fn(zero))?);
            frozen_heads = match shared.compare_exchange(null_mut(), new, AcqRel, Acquire) {
                Ok(_) => new,
                Err(other) => {
                    // SAFETY: no other thread has seen `new`, which came from a box.
                    drop(unsafe { Box::from_raw(new) });
                    other
                }
            };
        }
        // SAFETY: they live as long as the segment.
        Ok(unsafe { &*frozen_heads })
    }
}
