//! The turn of a second in the ways that nearly all take: the steps of [`Series::add`] where the past is a history or a wheel
//! that takes the slot, or begins with it. The fast path calls them, as functions of their own: so they have the processor's
//! registers to themselves.

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
    /// Adds as the first of a second, where that is so, and returns the count. `None`: nothing was added, as it is not so, or
    /// as another thread came before.
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
        // First the head: what hangs on the past after that has all that was closed before.
        let seen = series.head.load();
        let past = series.past.load();
        if past.may_have_wheel() {
            return self.turn_wheel_fast(operation, amount, second, window, floor, guard);
        }
        series.turn_history(seen, past, amount, second, floor)
    }

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
    /// Turns the head that was seen before this past: nothing yet, or a history that has a place. The count must not be near
    /// `floor`, from which on a record needs more. `None`: nothing was added.
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
        let survey = match past.history(self.guard) {
            Some(history) => history.survey(self.operation, self.closing(seen, second)),
            None => Survey::NOTHING,
        };
        let put = |slot| match survey.place {
            Some(place) => place.put(self.operation, slot),
            None => past == PastPtr::NOTHING && self.past.begin(self.operation, slot, self.window),
        };
        let kept = self.turn_to(seen, [survey.sum, survey.gone], amount, second, floor, put)?;
        Some(kept + u64::from(amount))
    }

    /// Does the same where the past is a wheel, which has the base of the second that closes.
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
        let sums = [wheel.base(span.closing)?, wheel.sum_between(span.first, span.kept)];
        let put = |slot| {
            wheel.put(slot);
            true
        };
        let kept = self.turn_to(seen, sums, amount, second, floor, put)?;
        wheel.open(second, kept);
        Some(kept + u64::from(amount))
    }

    /// Has the slot of the head that was seen `put` away, and turns the head, if it is current. `sum` is what the window's
    /// slots before that add up to, of which `gone` is in it no more. Returns what of all that is.
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
        // That sum is the head's base then, so the rest of its total is its own second's.
        let kept = u64::from(seen.total()) - gone;
        if kept + u64::from(amount) >= (floor / 2).min(BASE_LIMIT) {
            return None;
        }
        let slot = Slot { second: seen.second(), count: seen.total() - sum as u32 };
        let turned = put(slot) && self.head.replace(seen, Head::new(second, kept as u32, amount.get()));
        turned.then_some(kept)
    }
}
