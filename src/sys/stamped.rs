//! A second and a value in one atomic's word: the form of a head, a wheel's slot and a moment.
//!
//! ```text
//!  63            32 31             0
//! +----------------+----------------+
//! |     second     |     value      |
//! +----------------+----------------+
//! ```
//!
//! The second is in the high half. So words compare as numbers the way they compare in time,
//! whatever the value, and `fetch_max` keeps the later of two.

/// A second, and a value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamped {
    pub(crate) second: u32,
    pub(crate) value: u32,
}

impl Stamped {
    /// Makes the word.
    #[inline(always)]
    pub(crate) fn pack(self) -> u64 {
        u64::from(self.second) << 32 | u64::from(self.value)
    }

    /// Takes a word apart.
    #[inline(always)]
    pub(crate) fn unpack(word: u64) -> Self {
        Self { second: (word >> 32) as u32, value: word as u32 }
    }
}
