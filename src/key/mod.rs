//! A partition's name: the pair (table, pk), its hash, and the text that replaces it where it must
//! not be read.
//!
//! A [`Key`] borrows its texts, so that a lookup copies nothing. A call checks the lengths once,
//! hashes the key once, and hands both on:
//!
//! ```text
//! table, pk --> Key --> hash (keyed by random seeds: strangers can't make keys collide)
//!                        |
//!                        +-- position, 32 bits: low bits: the segment; high bits: the group in it
//!                        +-- tag, 7 bits:       tells most other keys apart without reading them
//! ```
//!
//! A table's name is hashed first; a prepared table keeps the hasher at that point
//! ([`hash::Prefix`]). [`synthetic`] makes keys that no caller can: throttles and tallies are
//! counted under them. [`redaction`] makes the text that stands for a key that must not be read,
//! [`readable`] the text of one that may.
//!
//! **Invariants.** Two keys are equal if tables and pks are, each for itself: ("a:b", "c") is not
//! ("a", "b:c"). A tag is never 0.
//!
//! **Proof.** The tests below, `tests/properties`, and the keys made to collide in
//! `src/map/tests.rs`.
//!
//! **What may go in**: what is known of a partition without looking it up.

pub(crate) mod hash;
pub(crate) mod readable;
pub(crate) mod redaction;
pub(crate) mod synthetic;

use crate::argument::Argument;
use crate::error::Error;
use std::ptr::NonNull;

/// The longest table or model name, in bytes.
pub(crate) const NAME_MAX: usize = 1_024;
/// The longest partition-key value, in bytes.
pub(crate) const PK_MAX: usize = 16_384;

/// A checked key: borrowed, so that a lookup copies nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key<'a> {
    pub(crate) table: &'a [u8],
    pub(crate) pk: &'a [u8],
}

impl<'a> Key<'a> {
    /// Checks that table and pk are as long as they may be. (To return the key itself, in a
    /// `Result`, made compilers write it to memory in pieces and read it as a whole, which stalls.)
    #[inline(always)]
    pub(crate) fn check(self) -> Result<(), Error> {
        let is_name = is_name_len(self.table.len());
        if is_name & (self.pk.len() <= PK_MAX) { Ok(()) } else { Err(Self::refusal(is_name)) }
    }

    /// Returns which of the two was wrong, away from where both are right.
    #[cold]
    #[inline(never)]
    fn refusal(is_name: bool) -> Error {
        Error::Invalid(if is_name { Argument::Pk } else { Argument::Table })
    }

    /// Views the key whose table and pk lie one after the other at `text`.
    ///
    /// # Safety
    /// They do, and live through `'a`.
    #[inline(always)]
    pub(crate) unsafe fn read(text: NonNull<u8>, table_len: usize, pk_len: usize) -> Self {
        // SAFETY: as the caller promises.
        unsafe {
            Self {
                table: std::slice::from_raw_parts(text.as_ptr(), table_len),
                pk: std::slice::from_raw_parts(text.add(table_len).as_ptr(), pk_len),
            }
        }
    }
}

impl PartialEq for Key<'_> {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let (Key { table, pk }, Key { table: other_table, pk: other_pk }) = (*self, *other);
        same(pk, other_pk) && same(table, other_table)
    }
}

/// Returns whether two texts are the same. `==` would call the C library, which does not pay for
/// short texts.
///
/// Two texts of 11 bytes are compared by their first eight and their last eight: the five in the
/// middle twice, and no byte alone.
#[inline(always)]
fn same(a: &[u8], b: &[u8]) -> bool {
    let len = a.len();
    if len != b.len() {
        return false;
    }
    // Where the first and the last sixteen, eight or four bytes overlap they are compared twice.
    if len <= 16 {
        if len >= 8 {
            same_at::<8>(a, b, 0) & same_at::<8>(a, b, len - 8)
        } else if len >= 4 {
            same_at::<4>(a, b, 0) & same_at::<4>(a, b, len - 4)
        } else {
            a == b
        }
    } else if len <= 32 {
        same_at::<16>(a, b, 0) & same_at::<16>(a, b, len - 16)
    } else {
        same_long(a, b)
    }
}

/// Does the same for two texts of one length, of over 16 bytes.
fn same_long(a: &[u8], b: &[u8]) -> bool {
    let last = a.len() - 16;
    (0..last).step_by(16).all(|at| same_at::<16>(a, b, at)) && same_at::<16>(a, b, last)
}

/// Returns whether two texts have the same `N` bytes from `at` on. Both have as many.
#[inline(always)]
fn same_at<const N: usize>(a: &[u8], b: &[u8], at: usize) -> bool {
    chunk::<N>(a, at) == chunk::<N>(b, at)
}

/// Returns `N` bytes of `text`, which has as many from `at` on.
#[inline(always)]
fn chunk<const N: usize>(text: &[u8], at: usize) -> [u8; N] {
    debug_assert!(at + N <= text.len());
    // SAFETY: as the callers, just above, have made sure.
    unsafe { text.as_ptr().add(at).cast::<[u8; N]>().read() }
}

/// Returns whether a name may have `len` bytes.
#[inline(always)]
pub(crate) fn is_name_len(len: usize) -> bool {
    // One comparison: 0 wraps around.
    len.wrapping_sub(1) < NAME_MAX
}

/// Checks that a name, of a table for example, has 1 to 1,024 bytes.
#[inline(always)]
pub(crate) fn check_name(argument: Argument, name: &[u8]) -> Result<(), Error> {
    if is_name_len(name.len()) { Ok(()) } else { Err(Error::Invalid(argument)) }
}

/// Checks that a partition-key value has at most 16,384 bytes. DynamoDB allows 2,048 for each of up
/// to four attributes of an index's key.
#[inline(always)]
pub(crate) fn check_pk(pk: &[u8]) -> Result<(), Error> {
    if pk.len() > PK_MAX { Err(Error::Invalid(Argument::Pk)) } else { Ok(()) }
}
