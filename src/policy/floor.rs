//! A floor: a number that no threshold in force is under. Below it no partition is hot, and the
//! overrides need not be looked at. The fast path compares a count with this one word.
//!
//! A thread that sets an override lowers the floor to it, before and after. A thread that has taken
//! one away raises the floor to the least that is left. A raise must not undo what another thread
//! lowers meanwhile. So the word counts how often it was set:
//!
//! ```text
//!  63                             20 19        0
//! +---------------------------------+-----------+
//! |              floor              | times set |
//! +---------------------------------+-----------+
//! ```
//!
//! A raise goes through only if no thread has set the floor since it began to look for the least. A
//! thread that sets an override lowers the floor once its override is there. So there are three
//! cases: the raise has seen the override; or the raise fails and looks again; or the floor is
//! lowered after it.
//!
//! ```text
//! A removes 7:   reads (7, n) | the least is 9 |               | swap fails; least 8: (8, n+2)
//! B sets 8:                                    | lowers (7, n+1) |
//! ```
//!
//! **Invariant.** The floor is never above a threshold in force. It may be below for a while, which
//! costs a look.
//!
//! **Proof.** The tests below; `src/models/ledger.rs` (k).

use crate::sys::sync::{AcqRel, Acquire, AtomicU64};

/// The highest floor: more than any count can be, as 3,601 seconds of 2³⁰ each are under 2⁴².
pub(crate) const FLOOR_MOST: u64 = (1 << (64 - TIMES_BITS)) - 1;
/// The bits that count how often the floor was set. They must not come round while a thread looks
/// for the least.
const TIMES_BITS: u32 = 20;

/// A floor, which threads share.
pub(crate) struct Floor(AtomicU64);

impl Floor {
    pub(crate) fn new(floor: u64) -> Self {
        Self(AtomicU64::new(word(floor, 0)))
    }

    #[inline(always)]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Acquire) >> TIMES_BITS
    }

    /// Lowers the floor to a threshold, unless it is lower already. The times are counted in any
    /// case.
    pub(crate) fn lower(&self, to: u64) {
        let lowered = |seen: u64| Some(word((seen >> TIMES_BITS).min(to), seen + 1));
        let _ = self.0.fetch_update(AcqRel, Acquire, lowered);
    }

    /// Raises the floor to the least threshold in force, which `least` looks for, if that is
    /// higher.
    pub(crate) fn raise(&self, least: impl Fn() -> u64) {
        loop {
            let seen = self.0.load(Acquire);
            let raised = least().min(FLOOR_MOST);
            if raised <= seen >> TIMES_BITS
                || self.0.compare_exchange(seen, word(raised, seen + 1), AcqRel, Acquire).is_ok()
            {
                return;
            }
        }
    }
}

/// Makes the word of a floor.
fn word(floor: u64, times: u64) -> u64 {
    (floor.min(FLOOR_MOST) << TIMES_BITS) | (times % (1 << TIMES_BITS))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_floor_is_lowered_at_once_and_raised_to_the_least_that_is_left() {
        let floor = Floor::new(u64::MAX);
        assert_eq!(floor.get(), FLOOR_MOST);
        floor.lower(7);
        floor.lower(9);
        assert_eq!(floor.get(), 7);
        floor.raise(|| 9);
        assert_eq!(floor.get(), 9);
        floor.raise(|| 3);
        assert_eq!(floor.get(), 9, "what is lower is lowered by who sets it");
    }

    #[test]
    fn a_raise_does_not_undo_what_was_lowered_meanwhile() {
        let floor = Floor::new(7);
        let looks = std::cell::Cell::new(0);
        // Another thread lowers it to what it is, between this one's look at the overrides and its
        // raise.
        floor.raise(|| {
            looks.set(looks.get() + 1);
            if looks.get() == 1 {
                floor.lower(7);
                100
            } else {
                7
            }
        });
        assert_eq!((floor.get(), looks.get()), (7, 2));
    }

    #[test]
    fn the_times_set_do_not_reach_the_floor() {
        let floor = Floor::new(7);
        (0..(1 << TIMES_BITS) + 5).for_each(|_| floor.lower(7));
        assert_eq!(floor.get(), 7);
    }
}
