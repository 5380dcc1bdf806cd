//! An amount: what one record adds. It is never 0, because a count of 0 marks a slot as vacant.

use crate::partition::slot::MOST;
use std::num::NonZeroU32;

/// A number of operations, or of half capacity units, in `1..=2³⁰ − 1`. A slot saturates at the
/// highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Amount(NonZeroU32);

impl Amount {
    /// The amount of one operation.
    pub(crate) const ONE: Self = Self(NonZeroU32::MIN);

    /// Makes an amount of `n`, cut to what a slot holds. `None` for 0, which changes nothing.
    pub(crate) fn new(n: u64) -> Option<Self> {
        (n > 0).then(|| Self::clamped(n))
    }

    /// Does the same for an `n` that was checked not to be 0.
    #[inline(always)]
    pub(crate) fn clamped(n: u64) -> Self {
        debug_assert!(n > 0, "an amount of 0");
        Self(NonZeroU32::new(n.min(MOST.into()) as u32).unwrap_or(NonZeroU32::MIN))
    }

    /// Makes an amount of `n`, which is neither 0 nor more than a slot holds.
    #[inline(always)]
    pub(crate) fn small(n: u32) -> Self {
        debug_assert!((1..=MOST).contains(&n), "{n} is no amount");
        Self(NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN))
    }

    #[inline(always)]
    pub(crate) fn get(self) -> u32 {
        self.0.get()
    }
}

impl From<Amount> for u64 {
    #[inline(always)]
    fn from(amount: Amount) -> Self {
        amount.get().into()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn no_amount_is_nothing_or_more_than_a_slot_holds() {
        assert_eq!(Amount::new(0), None);
        assert_eq!((Amount::new(1), Amount::new(2)), (Some(Amount::ONE), Some(Amount::small(2))));
        for n in [MOST.into(), 1 << 30, 1 << 32, u64::MAX] {
            assert_eq!(Amount::new(n).map(Amount::get), Some(MOST));
        }
    }
}
