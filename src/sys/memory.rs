//! Allocation that reports failure instead of aborting the process.
//!
//! A record must be able to say that there is no memory, as the program around it may go on without
//! its count. So what the core allocates goes through here, or through `try_reserve`.
//! (`docs/design/limits.md`, "Without memory", has the exceptions.) [`Tailed`] lays out the types
//! that end in a tail: histories, wheels and the directory's levels.
//!
//! **Proof.** `tests/refusals.rs`.

use crate::error::OutOfMemory;
#[cfg(not(loom))]
use std::alloc::alloc_zeroed;
use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;

/// Allocates memory of this layout, whose size is not zero.
pub(crate) fn allocate(layout: Layout) -> Result<NonNull<u8>, OutOfMemory> {
    assert!(layout.size() > 0);
    #[cfg(test)]
    if REFUSING.get() {
        return Err(OutOfMemory);
    }
    // SAFETY: the layout's size is not zero.
    NonNull::new(unsafe { alloc(layout) }).ok_or(OutOfMemory)
}

#[cfg(test)]
thread_local! {
    /// The choice to refuse this thread's allocations, for tests of a refusal in the middle of a
    /// call.
    pub(crate) static REFUSING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// The bytes in a cache line of most processors.
pub(crate) const LINE: usize = 64;

/// Asks for the cache line of an address, where the processor can be asked. Nothing waits for it.
#[inline(always)]
pub(crate) fn prefetch<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    hint::<{ std::arch::x86_64::_MM_HINT_T0 }, T>(address);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Does the same for a line that will be written to, so that it need not be asked for again. Built
/// with `-C target-feature=+prfchw`, the processor is told; otherwise it is as `prefetch`.
#[inline(always)]
pub(crate) fn prefetch_to_write<T>(address: *const T) {
    #[cfg(target_arch = "x86_64")]
    hint::<{ std::arch::x86_64::_MM_HINT_ET0 }, T>(address);
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn hint<const HINT: i32, T>(address: *const T) {
    // SAFETY: a hint, which any address is good for; every x86-64 processor has it.
    unsafe { std::arch::x86_64::_mm_prefetch::<HINT>(address.cast()) }
}

/// Boxes `value`, or drops it if there is no memory.
pub(crate) fn try_box<T>(value: T) -> Result<Box<T>, OutOfMemory> {
    if size_of::<T>() == 0 {
        return Ok(Box::new(value));
    }
    let memory = allocate(Layout::new::<T>())?.cast::<T>();
    // SAFETY: `memory` is fresh, and laid out as `Box<T>` expects of the global allocator.
    unsafe {
        memory.write(value);
        Ok(Box::from_raw(memory.as_ptr()))
    }
}

/// Copies bytes, one text after the other.
pub(crate) fn try_bytes<const N: usize>(texts: [&[u8]; N]) -> Result<Vec<u8>, OutOfMemory> {
    let mut own = Vec::new();
    own.try_reserve_exact(texts.iter().map(|text| text.len()).sum())?;
    texts.into_iter().for_each(|text| own.extend_from_slice(text));
    Ok(own)
}

/// Copies texts, one after the other.
#[cfg(feature = "dynamodb")]
pub(crate) fn try_text<const N: usize>(texts: [&str; N]) -> Result<String, OutOfMemory> {
    let mut own = String::new();
    own.try_reserve_exact(texts.iter().map(|text| text.len()).sum())?;
    texts.into_iter().for_each(|text| own.push_str(text));
    Ok(own)
}

/// A text that can be written to until the allocator refuses.
#[derive(Default)]
pub(crate) struct TryString(pub(crate) String);

impl std::fmt::Write for TryString {
    fn write_str(&mut self, more: &str) -> std::fmt::Result {
        self.0.try_reserve(more.len()).map_err(|_| std::fmt::Error)?;
        self.0.push_str(more);
        Ok(())
    }
}

/// The layout of a header followed by `count` items in one allocation.
pub(crate) struct Tailed<H, T> {
    layout: Layout,
    count: usize,
    _of: std::marker::PhantomData<(H, T)>,
}

impl<H, T> Tailed<H, T> {
    /// The distance of the tail from the header, in bytes.
    pub(crate) const OFFSET: usize = size_of::<H>().next_multiple_of(align_of::<T>());

    pub(crate) fn new(count: usize) -> Self {
        let tail = Layout::array::<T>(count).expect("tails are bounded by u32");
        let (layout, offset) = Layout::new::<H>().extend(tail).expect("tails are bounded by u32");
        debug_assert_eq!(offset, Self::OFFSET);
        Self { layout, count, _of: std::marker::PhantomData }
    }

    /// Returns how many bytes header and tail take.
    pub(crate) fn size(&self) -> usize {
        self.layout.size()
    }

    /// Allocates, and writes the header and every item of the tail.
    pub(crate) fn create(&self, header: H, item: impl FnMut() -> T) -> Result<NonNull<H>, OutOfMemory> {
        let memory = self.allocate()?;
        // SAFETY: just allocated with this layout.
        unsafe { self.write(memory, header, item) };
        Ok(memory)
    }

    /// Allocates, and writes nothing yet.
    pub(crate) fn allocate(&self) -> Result<NonNull<H>, OutOfMemory> {
        Ok(allocate(self.layout)?.cast())
    }

    /// Writes the header and every item of the tail.
    ///
    /// # Safety
    /// `memory` came from `allocate` of an equal layout.
    pub(crate) unsafe fn write(&self, memory: NonNull<H>, header: H, mut item: impl FnMut() -> T) {
        // SAFETY: the allocation holds a header and, from `OFFSET`, `count` items.
        unsafe {
            memory.write(header);
            for i in 0..self.count {
                Self::tail(memory).add(i).write(item());
            }
        }
    }

    /// Does as `create`, for a header and items that are valid as zeros. Large tails then come as
    /// fresh pages from the system, which costs the same however long they are.
    ///
    /// # Safety
    /// All zeros are a valid `H` and a valid `T`.
    #[cfg(not(loom))]
    pub(crate) unsafe fn create_zeroed(&self) -> Result<NonNull<H>, OutOfMemory> {
        assert!(self.layout.size() > 0);
        // SAFETY: the layout's size is not zero.
        NonNull::new(unsafe { alloc_zeroed(self.layout) }.cast::<H>()).ok_or(OutOfMemory)
    }

    /// Returns the tail's first item.
    ///
    /// # Safety
    /// `header` came from `create` and has not been destroyed.
    #[inline(always)]
    pub(crate) unsafe fn tail(header: NonNull<H>) -> NonNull<T> {
        // SAFETY: it lies within the allocation, however long the tail is.
        unsafe { header.byte_add(Self::OFFSET).cast() }
    }

    /// Drops header and tail and frees them.
    ///
    /// # Safety
    /// As for [`Tailed::tail`]; no thread uses the memory any more.
    pub(crate) unsafe fn destroy(&self, header: NonNull<H>) {
        // SAFETY: the caller gives up an allocation of this layout.
        unsafe {
            std::ptr::slice_from_raw_parts_mut(Self::tail(header).as_ptr(), self.count).drop_in_place();
            header.drop_in_place();
            dealloc(header.as_ptr().cast(), self.layout);
        }
    }
}
