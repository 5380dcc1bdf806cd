//! The turn of a head to a later second, in the ways that nearly all turns take.
//!
//! A record whose clock says a later second than the head
//!
//! 1. adds up the slots of the window before the head's second, looks whether the head still is in
//!    that second, and works out what the second itself had;
//! 2. puts that second's slot into the past;
//! 3. replaces the head, if it is still what was seen, by the new second with its base and the
//!    first amount;
//! 4. opens the new second's slot with that base, if the past is a wheel.
//!
//! Step 2 comes before step 3, so a thread that sees the new head finds the old second's slot.
//! Should another thread add between them, step 3 fails, and all are done again with the larger
//! count. The past keeps the larger of two counts, so it ends with the final one.
//!
//! ```text
//! time ->     second 7                     | second 8
//! thread A    head (7, 41) -> (7, 42)      |
//! thread B                                 | put (7, 42); head (7, 42) => (8, 42 + 1)
//! thread C    looks at (7, 42) ............|............ adds: head (8, 44)
//! ```
//!
//! Thread C read its clock in second 7 and adds in second 8. Its call was under way when second 8
//! began, so that is when its operation happened.
//!
//! The functions here handle three pasts: a history with a place for the slot, one wheel, and one
//! that is nothing yet and begins with the slot. [`Series::add`] does the rest: a past that must
//! grow, needs an alarm, or is an extension (has an alarm, or more than one part). The functions
//! here are called by the fast path and not inlined, so that they have the processor's registers to
//! themselves, and other records keep theirs.
//!
//! **Proof.** As for [`crate::partition::series`]. The tests there go both ways.

use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::amount::Amount;
use crate::partition::head::{BASE_LIMIT, Head};
use crate::partition::history::Survey;
use crate::partition::past_ptr::PastPtr;
use crate::partition::series::Series;
use crate::partition::slot::Slot;
use crate::partition::wheel::Wheel;
use crossbeam_epoch::Guard;

impl<'g> Partition<'g> {
    /// Adds the first record of a second, and returns the count. `None`: nothing was added. Then
    /// the record is not the first, another thread came before, or the turn is one for
    /// [`Series::add`]: the window is empty or its sum too large for a base, the past must grow or
    /// is an extension, the wheel lacks the base, or the count is near `floor`. So a count that is
    /// returned is under the floor, and the caller need not compare the two.
    #[cold]
    #[inline(never)] // It has the processor's registers to itself then.
    pub(crate) fn turn_fast(
        self,
        operation: Operation,
        amount: Amount,
        second: u32,
        window: u32,
        floor: u64,
        guard: &'g Guard,
    ) -> Option<u64> {
        let series = self.series(operation, window, guard);
        // The head first, then the past: what hangs there has all slots that were closed before the
        // head was seen.
        let seen = series.head.load();
        let past = series.past.load();
        if past.may_have_wheel() {
            return self.turn_wheel_fast(operation, amount, second, window, floor, guard);
        }
        series.turn_history(seen, past, amount, second, floor)
    }

    /// Does the same where a wheel may hang here, of this operation alone.
    #[inline(never)] // As above.
    fn turn_wheel_fast(
        self,
        operation: Operation,
        amount: Amount,
        second: u32,
        window: u32,
        floor: u64,
        guard: &'g Guard,
    ) -> Option<u64> {
        let series = self.series(operation, window, guard);
        let seen = series.head.load();
        let wheel = series.past.load().wheel(operation, window, guard)?;
        series.turn_wheel(seen, wheel, amount, second, floor)
    }
}

impl Series<'_> {
    /// Turns the head that was seen before this past, which is nothing yet or a history. The count
    /// must not be near `floor`, from which on a record needs more than this. `None`: nothing was
    /// added.
    #[inline(always)]
    fn turn_history(
        &self,
        seen: Head,
        past: PastPtr,
        amount: Amount,
        second: u32,
        floor: u64,
    ) -> Option<u64> {
        if !seen.is_over(second, self.window) {
            return None;
        }
        // One walk over the history tells the sum, the part of it that leaves the window, and the
        // slot's place.
        let survey = match past.history(self.guard) {
            Some(history) => history.survey(self.operation, self.closing(seen, second)),
            None => Survey::NOTHING,
        };
        // Without a place the history is full, or there is none. Only the latter is begun here.
        let put = |slot| match survey.place {
            Some(place) => place.put(self.operation, slot),
            None => past == PastPtr::NOTHING && self.past.begin(self.operation, slot, self.window),
        };
        let kept = self.turn_to(seen, [survey.sum, survey.gone], amount, second, floor, put)?;
        Some(kept + u64::from(amount))
    }

    /// Does the same where the past is a wheel, whose open slot has the base of the second that
    /// closes.
    #[inline(always)]
    fn turn_wheel(
        &self,
        seen: Head,
        wheel: Wheel<'_>,
        amount: Amount,
        second: u32,
        floor: u64,
    ) -> Option<u64> {
        if !seen.is_over(second, self.window) {
            return None;
        }
        let span = self.closing(seen, second);
        // The base is read instead of added up. Only a slot or two have left the window.
        let sums = [wheel.base(span.closing)?, wheel.sum_between(span.first, span.kept)];
        let put = |slot| {
            wheel.put(slot);
            true
        };
        let kept = self.turn_to(seen, sums, amount, second, floor, put)?;
        // Opened after the head has turned: the slot that was in its place has left the window by
        // then.
        wheel.open(second, kept);
        Some(kept + u64::from(amount))
    }

    /// Puts the slot of the head that was seen away, by `put`, and turns the head, if it is
    /// current. `sum` is the sum of the window's slots before that second, of which `gone` has left
    /// the window at `second`. Returns the sum that stays: the new head's base.
    #[inline(always)]
    fn turn_to(
        &self,
        seen: Head,
        [sum, gone]: [u64; 2],
        amount: Amount,
        second: u32,
        floor: u64,
        put: impl FnOnce(Slot) -> bool,
    ) -> Option<u64> {
        if sum >= BASE_LIMIT || !self.is_current(seen) {
            return None;
        }
        // The head is still in its second, so `sum` is its base, and the rest of its total is its
        // own second's.
        let kept = u64::from(seen.total()) - gone;
        // Near the floor the alarm must be there first, and at the limit the base is left out. Both
        // are left to `add`.
        if kept + u64::from(amount) >= (floor / 2).min(BASE_LIMIT) {
            return None;
        }
        let slot = Slot { second: seen.second(), count: seen.total() - sum as u32 };
        let turned = put(slot) && self.head.replace(seen, Head::new(second, kept as u32, amount.get()));
        turned.then_some(kept)
    }
}
