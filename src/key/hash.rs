//! The hash of a key, and the parts of it that the map and the filter go by.
//!
//! ```text
//! 63             32 31              0
//! +----------------+-----------------+
//! |     upper      |    position     |
//! +----------------+-----------------+
//!   tag: 7 bits      low bits: the segment; high bits: home group and home cell in it
//!   cells: both halves for writes; for reads the same bits, turned
//! ```
//!
//! An example: position 0xC000_0005 in a map of depth 2. The low bits 01 lead to segment 1. The
//! high bits 11000 name group 24 of its 32, and 110000 name cell 48 of its 64.
//!
//! Seeds are random, so that strangers can't make keys collide. A caller may fix them, so that runs
//! repeat.

use crate::key::Key;
use crate::operation::Operation;
use ahash::{AHasher, RandomState};
use std::hash::{BuildHasher, Hasher};

/// The highest tag. Tag 0 is no key's: with it the map's lanes say that they are vacant or gone.
pub(crate) const TAG_MAX: u8 = 127;

/// A hash cut up for the map. `position` finds the segment (low bits) and the group in it (high
/// bits). `tag` tells most strangers apart before their memory is touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hash {
    pub(crate) position: u32,
    /// The other half. The tag is made of it where it is needed: mostly it is not.
    upper: u32,
}

impl Hash {
    #[inline(always)]
    pub(crate) fn new(bits: u64) -> Self {
        Self { position: bits as u32, upper: (bits >> 32) as u32 }
    }

    #[cfg(test)]
    pub(crate) fn of(position: u32, tag_bits: u8) -> Self {
        Self { position, upper: u32::from(tag_bits) << 16 }
    }

    /// Returns the tag, in `1..=TAG_MAX`.
    #[inline(always)]
    pub(crate) fn tag(self) -> u8 {
        ((self.upper >> 16) as u8 & TAG_MAX).max(1)
    }

    /// Returns the numbers of the two cells of a filter that this key has for an operation. Their
    /// low bits say which cells.
    #[inline(always)]
    pub(crate) fn cells(self, operation: Operation) -> [u32; 2] {
        let Self { position, upper } = self;
        // The other operation's are the same bits, turned: other cells, with as many keys each.
        let turned = |bits: u32, from: u32| bits << 16 | from >> 16;
        match operation {
            Operation::Write => [position, upper],
            Operation::Read => [turned(position, upper), turned(upper, position)],
        }
    }
}

/// Returns a word of `std`'s own randomness, which the operating system provides.
pub(crate) fn random_word() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

/// A detector's hash function, keyed so that no stranger can make keys collide.
#[derive(Debug)]
pub(crate) struct Hashing(RandomState);

/// A hasher that has read a table's name, ready for any number of partition keys.
#[derive(Clone, Debug)]
pub(crate) struct Prefix(AHasher);

impl Hashing {
    /// Makes a function with random seeds.
    pub(crate) fn random() -> Self {
        Self(RandomState::with_seeds(random_word(), random_word(), random_word(), random_word()))
    }

    /// Makes a function with these seeds, for runs that are to be repeated.
    pub(crate) fn seeded(seed: [u64; 2]) -> Self {
        // The constants only make four different words of two; digits of pi, chosen for no reason.
        let [a, b] = seed;
        Self(RandomState::with_seeds(a, b, a ^ 0x243F_6A88_85A3_08D3, b ^ 0x1319_8A2E_0370_7344))
    }

    /// Reads a table's name, for any number of keys.
    #[inline(always)]
    pub(crate) fn prefix(&self, table: &[u8]) -> Prefix {
        let mut hasher = self.0.build_hasher();
        // One `write` each: the hasher takes in the length too, so ("a:b", "c") and ("a", "b:c")
        // differ.
        hasher.write(table);
        Prefix(hasher)
    }

    /// Hashes a key.
    #[inline(always)]
    pub(crate) fn key(&self, key: Key<'_>) -> Hash {
        self.prefix(key.table).key(key.pk)
    }
}

impl Prefix {
    #[inline(always)]
    pub(crate) fn key(&self, pk: &[u8]) -> Hash {
        let mut hasher = self.0.clone();
        hasher.write(pk);
        Hash::new(hasher.finish())
    }
}
