//! The directory of the map: a growing array of entries, one for each segment.
//!
//! It grows by levels, each as long as all before it together. So it never moves: a thread that has
//! found an entry may keep its address, and growing copies nothing. The entries of the first few
//! segments are at hand, in the *root*, so that in small maps an entry is found one step sooner.
//!
//! ```text
//! root       segments 0 to 63
//! level 7    segments 64 to 127
//! level 8    segments 128 to 255         level k: segments 2^(k-1) to 2^k - 1
//! ```
//!
//! | entry | means |
//! |---|---|
//! | null | vacant: the segment was not split off yet; the one without the highest bit has its keys |
//! | a segment | its address, with its depth and shape in the bits that an address has free |
//! | 63 | the map is cleared |
//!
//! An example: position ...0110 in a directory of depth 3. Entry 110 (6) is vacant, and so is entry
//! 10 (2). Entry 0 is a segment of depth 1: keys that end in 0. That is the one.
//!
//! **Invariants.** An entry goes from null to a segment, to its successors, to cleared; it is never
//! null again. A level is published before the depth that needs it, and a depth before a segment
//! that is so deep.

use crate::error::OutOfMemory;
use crate::sys::memory::Tailed;
use crate::sys::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, Relaxed};
use std::ptr::{NonNull, null_mut};

/// The greatest depth of a segment. Beyond 2²⁶ segments they grow instead of splitting.
pub(crate) const DEPTH_MAX: u32 = 26;

/// The depth of the segments whose entries are in the root.
#[cfg(not(loom))]
const ROOT_DEPTH: u32 = 6;
#[cfg(loom)]
const ROOT_DEPTH: u32 = 0;
const ROOT: usize = 1 << ROOT_DEPTH;

/// The directory.
pub(crate) struct Directory {
    /// The low bits that the deepest segment's keys share, all set.
    mask: AtomicU32,
    /// The entries of segments 0 to `ROOT - 1`.
    root: [AtomicPtr<()>; ROOT],
    /// The levels beyond the root, each as the place where segment 0 would be in it, so that `i`
    /// needs no subtraction; null where there is none.
    levels: [AtomicPtr<()>; DEPTH_MAX as usize + 1],
}

/// Returns the low `depth` bits.
pub(crate) fn low(bits: u32, depth: u32) -> u32 {
    bits & ((1 << depth) - 1)
}

/// The entry of a map that is cleared: no segment's address.
const CLEARED: usize = 63;

/// Returns that entry.
pub(crate) fn cleared() -> *mut () {
    std::ptr::without_provenance_mut(CLEARED)
}

pub(crate) fn is_cleared(entry: *mut ()) -> bool {
    entry.addr() == CLEARED
}

/// Returns whether an entry is no segment's: null, or cleared.
#[inline(always)]
pub(crate) fn is_vacant(entry: *mut ()) -> bool {
    entry.addr() <= CLEARED
}

impl Directory {
    pub(crate) fn new() -> Self {
        Self {
            mask: AtomicU32::new(0),
            root: std::array::from_fn(|_| AtomicPtr::new(null_mut())),
            levels: std::array::from_fn(|_| AtomicPtr::new(null_mut())),
        }
    }

    /// Returns the depth that no segment exceeds.
    pub(crate) fn depth(&self) -> u32 {
        self.mask().count_ones()
    }

    /// Returns the mask of the low bits that the deepest segment's keys share.
    #[inline(always)]
    pub(crate) fn mask(&self) -> u32 {
        self.mask.load(Acquire)
    }

    /// Returns the layout of a level.
    fn level(depth: u32) -> Tailed<(), AtomicPtr<()>> {
        Tailed::new(Self::before(depth))
    }

    /// Returns how many segments come before those of a level beyond the root. The level has as
    /// many.
    fn before(depth: u32) -> usize {
        1 << (depth - 1)
    }

    /// Returns where segment 0 would be in a level that begins at `first`.
    fn origin(depth: u32, first: NonNull<()>) -> *mut () {
        first.as_ptr().cast::<AtomicPtr<()>>().wrapping_sub(Self::before(depth)).cast()
    }

    /// Makes sure that segments of this depth have their entries.
    pub(crate) fn deepen(&self, depth: u32) -> Result<(), OutOfMemory> {
        let level = &self.levels[depth as usize];
        if depth > ROOT_DEPTH && level.load(Acquire).is_null() {
            #[cfg(loom)]
            let new = Self::level(depth).create((), || AtomicPtr::new(null_mut()))?;
            #[cfg(not(loom))]
            // SAFETY: zeros are null pointers.
            let new = unsafe { Self::level(depth).create_zeroed()? };
            if level.compare_exchange(null_mut(), Self::origin(depth, new), AcqRel, Acquire).is_err() {
                // SAFETY: no other thread has seen `new`.
                unsafe { Self::level(depth).destroy(new) };
            }
        }
        // Last: a thread that sees the depth finds the level.
        self.mask.fetch_max((1 << depth) - 1, AcqRel);
        Ok(())
    }

    /// Returns the entries where keys of this position belong if their segment has split as often
    /// as any, and if it has split once less. Nearly always one of them is the segment's.
    #[inline(always)]
    pub(crate) fn load_both(&self, position: u32) -> [*mut (); 2] {
        let mask = self.mask();
        let both = [position & mask, position & mask >> 1];
        // One comparison for both in most maps.
        if (mask as usize) < ROOT {
            return both.map(|i| self.root[i as usize & (ROOT - 1)].load(Acquire));
        }
        both.map(|i| self.entry(i).load(Acquire))
    }

    /// Returns the entry of segment `i`, whose level is there.
    #[inline(always)]
    pub(crate) fn entry(&self, i: u32) -> &AtomicPtr<()> {
        if let Some(entry) = self.root.get(i as usize) {
            return entry;
        }
        // The number of bits that `i` has: no more than the directory is deep.
        let level = u32::BITS - i.leading_zeros();
        let origin = self.levels[level as usize].load(Acquire).cast::<AtomicPtr<()>>();
        assert!(!origin.is_null(), "levels come before their segments");
        // SAFETY: a level has an entry for each of its segments, and lives as long as the
        // directory.
        unsafe { &*origin.wrapping_add(i as usize) }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        for (depth, level) in self.levels.iter().enumerate() {
            let origin = level.load(Relaxed).cast::<AtomicPtr<()>>();
            if !origin.is_null() {
                let first = origin.wrapping_add(Self::before(depth as u32));
                // SAFETY: the thread that drops the directory is the last to use it.
                unsafe { Self::level(depth as u32).destroy(NonNull::new_unchecked(first.cast())) };
            }
        }
    }
}
