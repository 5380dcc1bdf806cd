//! A segment of the hash table: a small open-addressed array of tagged pointers.
//!
//! A word is *vacant*, *gone* (held an entry once), or an entry's address with 16 bits of its hash above
//! it. Words are only ever taken in the order of the probe, and never become vacant again, so
//! two threads that insert one key meet at the same word. A full segment is *frozen*: a bit in every
//! word makes every later change fail, and what it holds is copied to its successors.

use crate::key::Hash;
use crate::memory::{OutOfMemory, Tailed};
use crate::sync::{AcqRel, Acquire, AtomicPtr, AtomicU32, Relaxed};
use std::marker::PhantomData;
use std::ptr::{NonNull, null_mut};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("words hold a 48-bit address and a 16-bit tag: 64-bit targets only");

/// Words in an ordinary segment, and in the line that a probe begins with: a cache line's worth.
#[cfg(not(loom))]
const SIZES: (usize, usize) = (256, 8);
/// In models two inserts fill a segment.
#[cfg(loom)]
const SIZES: (usize, usize) = (2, 1);
pub(crate) const ORDINARY: usize = SIZES.0;
const LINE: usize = SIZES.1;

/// Steps in which a walk looks at a segment; it looks at 16 words in one step of an ordinary one.
#[cfg(not(loom))]
pub(crate) const STEPS: usize = ORDINARY / 16;
/// In models one step walks a segment.
#[cfg(loom)]
pub(crate) const STEPS: usize = 1;

const TAG_SHIFT: u32 = 48;
const ADDRESS: usize = (1 << TAG_SHIFT) - 1;
const FROZEN: usize = 1;
const GONE: usize = 2;

/// What the table keeps.
///
/// # Safety
/// `place` is the same at every call, and `free` gives back what the entry was made of.
pub(crate) unsafe trait Entry: Sized {
    /// The place of the key's [`crate::key::Hash`].
    fn place(&self) -> u32;

    /// # Safety
    /// Nobody uses `this` any more.
    unsafe fn free(this: NonNull<Self>);
}

/// What a word holds.
enum Word<E> {
    Vacant,
    Gone,
    Entry(NonNull<E>),
}

fn read<E>(word: *mut ()) -> Word<E> {
    match NonNull::new(word.map_addr(|addr| addr & ADDRESS & !FROZEN)) {
        None => Word::Vacant,
        Some(gone) if gone.addr().get() == GONE => Word::Gone,
        Some(entry) => Word::Entry(entry.cast()),
    }
}

pub(crate) fn is_frozen(word: *mut ()) -> bool {
    word.addr() & FROZEN != 0
}

fn tag(word: *mut ()) -> u16 {
    (word.addr() >> TAG_SHIFT) as u16
}

/// The word for `entry`; none if its address has over 48 bits, which no allocator hands out unasked.
pub(crate) fn word<E>(entry: NonNull<E>, hash: Hash) -> Result<*mut (), OutOfMemory> {
    let address = entry.as_ptr().cast::<()>();
    if address.addr() & !ADDRESS != 0 {
        return Err(OutOfMemory);
    }
    Ok(address.map_addr(|addr| addr | usize::from(hash.tag) << TAG_SHIFT))
}

/// The head of a segment; aligned so that lines of words are cache lines, and that the low six
/// bits of its address are free.
#[repr(align(64))]
pub(crate) struct Header {
    capacity: usize,
    /// How many low bits of their places all entries share.
    pub(crate) depth: u32,
    /// How many words have been taken, roughly: counted after the fact.
    used: AtomicU32,
    /// The other half of the split that this segment came from, as a spine's word; null if it has none.
    pub(crate) sibling: *mut (),
}

/// A view of one segment.
pub(crate) struct Segment<'g, E> {
    header: NonNull<Header>,
    _lives: PhantomData<(&'g Header, *const E)>,
}

impl<E> Clone for Segment<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<E> Copy for Segment<'_, E> {}

/// Where a probe ended.
pub(crate) enum Probe<'g, E> {
    Found {
        word: &'g AtomicPtr<()>,
        value: *mut (),
        entry: NonNull<E>,
    },
    /// No such entry; this word would take it.
    Vacant(&'g AtomicPtr<()>),
    /// No such entry, and no word to take: frozen, or full.
    Closed,
}

impl<'g, E: Entry> Segment<'g, E> {
    fn layout(capacity: usize) -> Tailed<Header, AtomicPtr<()>> {
        Tailed::new(capacity)
    }

    pub(crate) fn create(capacity: usize, depth: u32) -> Result<Self, OutOfMemory> {
        let header = Header { capacity, depth, used: AtomicU32::new(0), sibling: null_mut() };
        let header = Self::layout(capacity).create(header, || AtomicPtr::new(null_mut()))?;
        Ok(Self { header, _lives: PhantomData })
    }

    /// The spine's word for this segment: its address, and in the low bits its depth.
    pub(crate) fn spine_word(&self) -> *mut () {
        self.header.as_ptr().cast::<()>().map_addr(|addr| addr | self.header().depth as usize)
    }

    /// # Safety
    /// `word` came from `spine_word` of a segment that lives through `'g`.
    pub(crate) unsafe fn view(word: *mut ()) -> Self {
        let header = word.map_addr(|addr| addr & !63).cast();
        // SAFETY: a segment's address is not null.
        Self { header: unsafe { NonNull::new_unchecked(header) }, _lives: PhantomData }
    }

    /// The depth in a spine's word.
    pub(crate) fn depth_of(word: *mut ()) -> u32 {
        (word.addr() & 63) as u32
    }

    /// # Safety
    /// Nobody uses the segment any more. Its entries are not touched.
    pub(crate) unsafe fn free(self) {
        // SAFETY: as the caller promises; the header says how large the allocation is.
        unsafe { Self::layout(self.header().capacity).destroy(self.header) }
    }

    pub(crate) fn header(&self) -> &'g Header {
        // SAFETY: the segment lives through 'g.
        unsafe { self.header.as_ref() }
    }

    /// Before the segment is published: what it was split from gave rise to `sibling` too.
    pub(crate) fn set_sibling(&mut self, sibling: *mut ()) {
        // SAFETY: nobody else has seen the segment yet.
        unsafe { self.header.as_mut().sibling = sibling }
    }

    fn words(&self) -> &'g [AtomicPtr<()>] {
        let capacity = self.header().capacity;
        // SAFETY: that many words follow the header, and live as long.
        unsafe { std::slice::from_raw_parts(Self::layout(capacity).tail(self.header).as_ptr(), capacity) }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.header().capacity
    }

    /// All words, in the order in which a key of this place looks at them.
    fn probe_order(&self, place: u32) -> impl Iterator<Item = &'g AtomicPtr<()>> + use<'g, E> {
        let words = self.words();
        let line = (place as usize * (words.len() / LINE)) >> 32;
        let (before, from) = words.split_at(line * LINE);
        from.iter().chain(before)
    }

    /// Looks for the entry of this hash that `matches`.
    pub(crate) fn probe(&self, hash: Hash, matches: impl Fn(NonNull<E>) -> bool) -> Probe<'g, E> {
        for word in self.probe_order(hash.place) {
            let value = word.load(Acquire);
            match read(value) {
                Word::Vacant if is_frozen(value) => return Probe::Closed,
                Word::Vacant => return Probe::Vacant(word),
                Word::Entry(entry) if tag(value) == hash.tag && matches(entry) => {
                    return Probe::Found { word, value, entry };
                }
                Word::Entry(_) | Word::Gone => {}
            }
        }
        Probe::Closed
    }

    /// Looks for this very entry.
    pub(crate) fn word_of(&self, entry: &E) -> Option<(&'g AtomicPtr<()>, *mut (), NonNull<E>)> {
        for word in self.probe_order(entry.place()) {
            let value = word.load(Acquire);
            match read::<E>(value) {
                Word::Vacant => return None,
                Word::Entry(at) if std::ptr::eq(at.as_ptr(), entry) => return Some((word, value, at)),
                Word::Entry(_) | Word::Gone => {}
            }
        }
        None
    }

    /// Counts a word that was taken. `true`: the segment is as full as it should get.
    pub(crate) fn count_taken(&self) -> bool {
        let used = self.header().used.fetch_add(1, Relaxed) as usize + 1;
        used > self.capacity() * 7 / 8
    }

    /// Makes every later change of a word fail.
    pub(crate) fn freeze(&self) {
        for word in self.words() {
            let mut value = word.load(Acquire);
            while !is_frozen(value) {
                let frozen = value.map_addr(|addr| addr | FROZEN);
                match word.compare_exchange(value, frozen, AcqRel, Acquire) {
                    Ok(_) => break,
                    Err(actual) => value = actual,
                }
            }
        }
    }

    /// Every entry, with its word as it was before any freezing.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (*mut (), NonNull<E>)> + use<'g, E> {
        self.entries_within(0, 1)
    }

    /// The entries in the `part`-th of `parts` equal stretches.
    pub(crate) fn entries_within(
        &self,
        part: usize,
        parts: usize,
    ) -> impl Iterator<Item = (*mut (), NonNull<E>)> + use<'g, E> {
        let stretch = self.capacity() / parts;
        self.words()[part * stretch..][..stretch].iter().filter_map(|word| {
            let value = word.load(Acquire);
            match read(value) {
                Word::Entry(entry) => Some((value.map_addr(|addr| addr & !FROZEN), entry)),
                Word::Vacant | Word::Gone => None,
            }
        })
    }

    /// Before the segment is published: takes over an entry's word.
    pub(crate) fn adopt(&self, value: *mut (), place: u32) {
        let vacant = self.probe_order(place).find(|word| word.load(Relaxed).is_null());
        vacant.expect("a successor is never smaller than what it takes over").store(value, Relaxed);
        self.header().used.fetch_add(1, Relaxed);
    }
}

/// The capacity of a segment that gets `entries`: at most five eighths full, so that it lasts a while.
pub(crate) fn roomy(entries: usize) -> usize {
    (entries * 8).div_ceil(5).next_power_of_two().max(ORDINARY)
}

/// What stands in the word of an entry that was removed.
pub(crate) fn gone() -> *mut () {
    std::ptr::without_provenance_mut(GONE)
}

/// A change to a word that was seen as `value`; fails if it is frozen or has changed.
pub(crate) fn change(word: &AtomicPtr<()>, value: *mut (), new: *mut ()) -> bool {
    !is_frozen(value) && word.compare_exchange(value, new, AcqRel, Acquire).is_ok()
}
