//! The directory of the map: a growing array of entries, one for each segment.
//!
//! It grows by levels, each as long as all before it together, so that it never moves. The entries of the first
//! few segments are at hand, so that in small maps an entry is found one step sooner.

use crate::error::OutOfMemory;
use crate::sys::memory::Tailed;
use crate::sys::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, Relaxed};
use std::ptr::{NonNull, null_mut};

/// The deepest a segment gets; beyond 2²⁶ segments they grow instead of splitting.
pub(crate) const DEPTH_MAX: u32 = 26;

/// How deep the segments are whose entries are in the root.
#[cfg(not(loom))]
const ROOT_DEPTH: u32 = 6;
#[cfg(loom)]
const ROOT_DEPTH: u32 = 0;
const ROOT: usize = 1 << ROOT_DEPTH;

pub(crate) struct Directory {
    /// As many low bits as the deepest segment is deep.
    mask: AtomicU32,
    /// The entries of segments 0 to `ROOT - 1`.
    root: [AtomicPtr<()>; ROOT],
    /// Level `k`, beyond the root, is segments `2^(k-1)` to `2^k - 1`. What is kept is where segment 0 would be
    /// in a level; null where there is none.
    levels: [AtomicPtr<()>; DEPTH_MAX as usize + 1],
}

/// The low `depth` bits.
pub(crate) fn low(bits: u32, depth: u32) -> u32 {
    bits & ((1 << depth) - 1)
}

/// The mark in an entry once the map is cleared: no segment's address.
const CLEARED: usize = 63;

pub(crate) fn cleared() -> *mut () {
    std::ptr::without_provenance_mut(CLEARED)
}

pub(crate) fn is_cleared(entry: *mut ()) -> bool {
    entry.addr() == CLEARED
}

/// Whether an entry is no segment's: null, or cleared.
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

    /// No segment is deeper.
    pub(crate) fn depth(&self) -> u32 {
        self.mask().count_ones()
    }

    /// As many low bits as that.
    #[inline(always)]
    pub(crate) fn mask(&self) -> u32 {
        self.mask.load(Acquire)
    }

    fn level(depth: u32) -> Tailed<(), AtomicPtr<()>> {
        Tailed::new(Self::before(depth))
    }

    /// How many segments come before those of a level beyond the root; it has as many.
    fn before(depth: u32) -> usize {
        1 << (depth - 1)
    }

    /// Where segment 0 would be in a level that begins at `first`.
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
                // SAFETY: nobody has seen `new`.
                unsafe { Self::level(depth).destroy(new) };
            }
        }
        self.mask.fetch_max((1 << depth) - 1, AcqRel);
        Ok(())
    }

    /// Where keys of this position belong if their segment has split as often as any, and if it has split once less.
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

    /// The entry of segment `i`, whose level is there.
    #[inline(always)]
    pub(crate) fn entry(&self, i: u32) -> &AtomicPtr<()> {
        if let Some(entry) = self.root.get(i as usize) {
            return entry;
        }
        // How many bits `i` has: they are no more than the directory is deep.
        let level = u32::BITS - i.leading_zeros();
        let origin = self.levels[level as usize].load(Acquire).cast::<AtomicPtr<()>>();
        assert!(!origin.is_null(), "levels come before their segments");
        // SAFETY: a level has a entry for each of its segments, and lives as long as the directory.
        unsafe { &*origin.wrapping_add(i as usize) }
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        for (depth, level) in self.levels.iter().enumerate() {
            let origin = level.load(Relaxed).cast::<AtomicPtr<()>>();
            if !origin.is_null() {
                let first = origin.wrapping_add(Self::before(depth as u32));
                // SAFETY: whoever drops the directory is the last to use it.
                unsafe { Self::level(depth as u32).destroy(NonNull::new_unchecked(first.cast())) };
            }
        }
    }
}
