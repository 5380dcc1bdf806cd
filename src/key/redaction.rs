//! Redaction: the text that the library writes in place of a partition key that must not be read.
//!
//! It is a keyed hash. Equal partitions look equal, so that a metric can still be followed; without
//! the secret nothing else can be told, and no list of likely keys can be tried. Processes that
//! share a secret write the same text.

use crate::key::Key;
use crate::key::hash::random_word;
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;

/// A redacted key: 32 hexadecimal digits, in ASCII.
pub(crate) type Redacted = [u8; 32];

/// A secret, and the texts that it makes.
#[derive(Clone)]
pub(crate) struct Redaction {
    secret: [u64; 2],
}

impl Redaction {
    /// Makes a redaction with this secret or, in place of two zeros, a random one.
    pub(crate) fn new(secret: [u64; 2]) -> Self {
        Self { secret: if secret == [0, 0] { [random_word(), random_word()] } else { secret } }
    }

    /// Returns the text that stands for this partition's key.
    ///
    /// It is SipHash-2-4 of 128 bits, over the table and then the key, each after its length in
    /// eight bytes, low ones first. So ("a:b", "c") and ("a", "b:c") differ.
    pub(crate) fn redact(&self, key: Key<'_>) -> Redacted {
        let [low, high] = self.secret;
        let mut hasher = SipHasher24::new_with_keys(low, high);
        for text in [key.table, key.pk] {
            hasher.write(&(text.len() as u64).to_le_bytes());
            hasher.write(text);
        }
        let bytes = hasher.finish128().as_bytes();
        let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
        std::array::from_fn(|i| digit(if i % 2 == 0 { bytes[i / 2] >> 4 } else { bytes[i / 2] & 15 }))
    }
}

/// Displays nothing of the secret.
impl std::fmt::Debug for Redaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redaction").finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn redacted(secret: [u64; 2], table: &str, pk: &str) -> String {
        let key = Key { table: table.as_bytes(), pk: pk.as_bytes() };
        String::from_utf8(Redaction::new(secret).redact(key).to_vec()).unwrap()
    }

    #[test]
    fn it_is_siphash_of_both_with_their_lengths() {
        // openssl mac -macopt hexkey:08070605040302010f0e0d0c0b0a0908 -macopt size:16 -in FILE
        // SIPHASH
        let secret = [0x0102_0304_0506_0708, 0x0809_0A0B_0C0D_0E0F];
        assert_eq!(redacted(secret, "events", "EVENTS"), "e32e4793ea44dc1e509fc74b14ea246c");
        assert_eq!(redacted(secret, "t", ""), "72d53c35e5ece7057e8e5e9f5872ec63");
        assert_ne!(redacted(secret, "a:b", "c"), redacted(secret, "a", "b:c"));
        assert_ne!(redacted(secret, "ab", ""), redacted(secret, "a", "b"));
        assert_ne!(redacted([1, 2], "t", "k"), redacted([2, 1], "t", "k"));
    }

    #[test]
    fn two_zeros_are_no_secret() {
        assert_ne!(redacted([0, 0], "t", "k"), redacted([0, 0], "t", "k"));
        assert_eq!(format!("{:?}", Redaction::new([12_345, 0])), "Redaction { .. }");
    }
}
