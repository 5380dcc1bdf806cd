//! The spine of the hash table: a growing array of words, one for each segment.
//!
//! It grows by levels, each as long as all before it together, so that it never moves.

use crate::memory::{OutOfMemory, Tailed};
use crate::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, Relaxed};
use std::ptr::{NonNull, null_mut};

/// The deepest a segment gets; beyond 2²⁶ segments they grow instead of splitting.
pub(crate) const DEPTH_MAX: u32 = 26;

pub(crate) struct Spine {
    /// Level 0 is segment 0, level `k` the segments `2^(k-1)` to `2^k - 1`.
    levels: [AtomicPtr<()>; DEPTH_MAX as usize + 1],
    /// No segment is deeper.
    depth: AtomicU32,
}

/// The low `depth` bits.
pub(crate) fn low(bits: u32, depth: u32) -> u32 {
    bits & ((1 << depth) - 1)
}

/// What stands in a word once the table is closed.
pub(crate) fn closed() -> *mut () {
    std::ptr::without_provenance_mut(1)
}

pub(crate) fn is_closed(word: *mut ()) -> bool {
    word.addr() == 1
}

impl Spine {
    /// A spine of one word, `first`, for a segment of depth 0.
    pub(crate) fn try_new() -> Result<Self, OutOfMemory> {
        let spine =
            Self { levels: std::array::from_fn(|_| AtomicPtr::new(null_mut())), depth: AtomicU32::new(0) };
        spine.deepen(0)?;
        Ok(spine)
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth.load(Acquire)
    }

    fn level(depth: u32) -> Tailed<(), AtomicPtr<()>> {
        Tailed::new(1 << depth.saturating_sub(1))
    }

    /// Makes sure that segments of this depth have their words.
    pub(crate) fn deepen(&self, depth: u32) -> Result<(), OutOfMemory> {
        let level = &self.levels[depth as usize];
        if level.load(Acquire).is_null() {
            #[cfg(loom)]
            let new = Self::level(depth).create((), || AtomicPtr::new(null_mut()))?;
            #[cfg(not(loom))]
            // SAFETY: zeros are null pointers.
            let new = unsafe { Self::level(depth).create_zeroed()? };
            if level.compare_exchange(null_mut(), new.as_ptr(), AcqRel, Acquire).is_err() {
                // SAFETY: nobody has seen `new`.
                unsafe { Self::level(depth).destroy(new) };
            }
        }
        self.depth.fetch_max(depth, AcqRel);
        Ok(())
    }

    /// The word of segment `i`, whose level is there.
    pub(crate) fn word(&self, i: u32) -> &AtomicPtr<()> {
        let level = u32::BITS - i.leading_zeros();
        let array = NonNull::new(self.levels[level as usize].load(Acquire));
        let array = array.expect("levels come before their segments");
        let offset = if level == 0 { 0 } else { i - (1 << (level - 1)) };
        // SAFETY: a level has a word for each of its segments, and lives as long as the spine.
        unsafe { Self::level(level).tail(array).add(offset as usize).as_ref() }
    }
}

impl Drop for Spine {
    fn drop(&mut self) {
        for (depth, level) in self.levels.iter().enumerate() {
            if let Some(level) = NonNull::new(level.load(Relaxed)) {
                // SAFETY: whoever drops the spine is the last to use it.
                unsafe { Self::level(depth as u32).destroy(level) };
            }
        }
    }
}
