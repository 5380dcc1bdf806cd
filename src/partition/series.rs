//! A series: one operation of a partition in the window. It has the [head](crate::partition::head),
//! and the closed slots before it, its *past*, in the partition's history or, once there are many,
//! in a wheel.
//!
//! **Adding.** Nearly every add is one `fetch_add` on the head (`Partition::add_fast`): what it
//! finds there plus its amount is the count. The first record of a second *turns* the head
//! ([`crate::partition::turn`] has the steps). [`Series::add`] is the way for all the others, and
//! adds by compare-and-swap.
//!
//! **The base.** While the head's second stays `h`, the past's slots in `[h − window, h − 1]` do
//! not change. A slot's place is taken again only for a second that comes more than a window later,
//! and a second is put only once the head has reached it. So their sum is a function of `h`, and
//! the base is that sum. (It is 0 if the sum is at its limit, for a partition marked heavy.)
//!
//! **The second look.** A sum of the past is the sum for `h` if, after it was added up, the head
//! still is one of `h` *and can still turn*: [`Series::is_current`]. A frozen head can't turn. Its
//! partition has moved, and the copy shares the past and turns on. The copy may have taken slots of
//! the window for later seconds, while the frozen head would say `h` for ever. So no look at a
//! frozen head proves anything, and its reader finds the partition again.
//!
//! **Proof.** `src/models/series.rs`, the models (l) in `src/models/moves.rs`, and `tests/sliding`.

use crate::operation::Operation;
use crate::partition::amount::Amount;
use crate::partition::head::{AtomicHead, BASE_LIMIT, Head};
use crate::partition::history::{Closing, Survey};
use crate::partition::past::{GrowError, Past, PastSlots};
use crate::partition::slot::{MOST, Slot};
use crossbeam_epoch::Guard;

/// The seconds that the sustained rule adds up: the current one and those before it.
pub(crate) const SUSTAINED: u32 = 5;

/// The reason for which an add did not count.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AddError {
    /// The partition has moved, or has been reclaimed or replaced: find it again.
    Moved,
    Memory,
}

/// The counts that rates are compared with: one operation's, in the spans that end with one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recent {
    /// The count in that second.
    pub(crate) second: u64,
    /// The count in the [`SUSTAINED`] seconds that end with it.
    pub(crate) sustained: u64,
}

/// A view of one operation of one partition.
pub(crate) struct Series<'g> {
    pub(crate) head: &'g AtomicHead,
    pub(crate) past: &'g Past,
    pub(crate) operation: Operation,
    pub(crate) window: u32,
    pub(crate) guard: &'g Guard,
}

/// Returns the part of a sum that a head's total holds: all of it, or none at the limit.
pub(crate) fn base(sum: u64) -> u32 {
    if sum < BASE_LIMIT { sum as u32 } else { 0 }
}

impl From<GrowError> for AddError {
    fn from(refused: GrowError) -> Self {
        match refused {
            GrowError::Frozen => AddError::Moved,
            GrowError::Memory => AddError::Memory,
        }
    }
}

impl Series<'_> {
    /// Adds `amount` at `second`, whatever the state of the head, and returns the window's count
    /// with it. Just before, `prepare` is told that count, which it may refuse. If this fails
    /// nothing was added.
    pub(crate) fn add(
        &self,
        amount: Amount,
        second: u32,
        prepare: impl Fn(u64) -> Result<(), AddError>,
    ) -> Result<u64, AddError> {
        loop {
            let seen = self.head.load();
            if seen.is_frozen() {
                return Err(AddError::Moved);
            }
            let added = if seen.second() < second {
                self.turn(seen, amount, second, &prepare)?
            } else {
                self.enlarge(seen, amount, &prepare)?
            };
            if let Some(count) = added {
                return Ok(count);
            }
        }
    }

    /// Adds to the second of the head that was seen. `None`: the head is another by now. By
    /// compare-and-swap, so that the count is known: this way is taken where the total does not
    /// tell it, or the alarm has yet to be made.
    fn enlarge(
        &self,
        seen: Head,
        amount: Amount,
        prepare: impl Fn(u64) -> Result<(), AddError>,
    ) -> Result<Option<u64>, AddError> {
        let Some(sum) = self.sum_before(seen) else { return Ok(None) };
        let base = base(sum);
        let own = enlarged(seen.own(base), amount);
        let count = sum + u64::from(own);
        prepare(count)?;
        Ok(self.head.replace(seen, Head::new(seen.second(), base, own)).then_some(count))
    }

    /// Returns the count with an `amount` that was added blindly to the head that was `before`,
    /// which was not frozen. `None`: the partition has moved since, and this entry can't tell any
    /// more.
    #[cold]
    pub(crate) fn counted(&self, before: Head, amount: Amount) -> Option<u64> {
        debug_assert!(!before.is_frozen(), "nothing was added");
        // The mark is read after the addition. A base is left out of a total only once the past is
        // marked, so without a mark a total that is not saturated is exact.
        let total = u64::from(before.total()) + u64::from(amount);
        if self.past.load().is_light() && total <= u64::from(MOST) {
            return Some(total);
        }
        match self.sum_before(before) {
            Some(sum) => Some(sum + u64::from(enlarged(before.own(base(sum)), amount))),
            // Other threads have turned the head. The amount is still in the window, unless this
            // thread stood still for all of it.
            None => self.count(before.second()),
        }
    }

    /// Turns the head from `seen` to an amount in a later second. `None`: it is another by now.
    fn turn(
        &self,
        seen: Head,
        amount: Amount,
        second: u32,
        prepare: impl Fn(u64) -> Result<(), AddError>,
    ) -> Result<Option<u64>, AddError> {
        // A slot that has left the window is of no use, and is not put.
        let mut sum = 0;
        if !seen.idle(second, self.window) {
            let Some(before) = self.close_second(seen, second)? else { return Ok(None) };
            sum = before;
        }
        let count = sum + u64::from(amount);
        prepare(count)?;
        // Marked before the head that needs the mark: a thread that sees the one sees the other.
        if sum >= BASE_LIMIT {
            self.past.set_heavy();
        }
        let turned = self.head.replace(seen, Head::new(second, base(sum), amount.get()));
        // The wheel may have come with this very put. The next turn finds the base in it.
        if turned
            && self.past.load().may_have_wheel()
            && let PastSlots::Wheel(wheel) = self.past_slots()
        {
            wheel.open(second, sum);
        }
        Ok(turned.then_some(count))
    }

    /// Puts the slot of the head that was seen into the past. Returns the sum, with that slot, that
    /// is still in the window at `second`. `None`: the head is another by now.
    fn close_second(&self, seen: Head, second: u32) -> Result<Option<u64>, AddError> {
        let span = self.closing(seen, second);
        let survey = match self.past_slots() {
            PastSlots::Nowhere => Survey::NOTHING,
            PastSlots::History(history) => history.survey(self.operation, span),
            PastSlots::Wheel(wheel) => {
                let gone = wheel.sum_between(span.first, span.kept);
                Survey { sum: wheel.sum_before(span.closing), gone, place: None }
            }
        };
        let Some(slot) = self.closed(seen, survey.sum) else { return Ok(None) };
        // The place of the survey first. `put` looks again, and grows the past if it must.
        if !survey.place.is_some_and(|place| place.put(self.operation, slot)) {
            self.past.put(self.operation, slot, self.window, self.guard)?;
        }
        Ok(Some(left(survey.sum + u64::from(slot.count), survey.gone)))
    }

    /// Returns the window that ends as the second of the head that was seen closes, and the part of
    /// it that stays when `second` begins.
    #[inline(always)]
    pub(crate) fn closing(&self, seen: Head, second: u32) -> Closing {
        let first = |second: u32| second.saturating_sub(self.window);
        let closing = seen.second();
        Closing { first: first(closing), kept: first(second), closing }
    }

    /// Returns the slot of the head that was seen, if `sum` was the sum of the window before it.
    /// `None`: the head is another by now.
    #[inline(always)]
    fn closed(&self, seen: Head, sum: u64) -> Option<Slot> {
        self.is_current(seen).then(|| Slot::new(seen.second(), seen.own(base(sum))))
    }

    /// Returns whether the head still is in the second in which it was seen, and can still turn.
    /// The sum of the past that was made in between is then that second's.
    pub(crate) fn is_current(&self, seen: Head) -> bool {
        debug_assert!(!seen.is_frozen(), "nothing can be told from a frozen head");
        self.head.load().is_live_at(seen.second())
    }

    fn past_slots(&self) -> PastSlots<'_> {
        self.past.slots(self.operation, self.window, self.guard)
    }

    /// Adds up the window's slots before the head that was seen. `None`: its second is over by now,
    /// or the partition has moved.
    fn sum_before(&self, seen: Head) -> Option<u64> {
        let second = seen.second();
        let sum = match self.past_slots() {
            PastSlots::Wheel(wheel) => wheel.sum_before(second),
            _ => self.sum_between(second.saturating_sub(self.window), second),
        };
        self.is_current(seen).then_some(sum)
    }

    /// Returns how much of that sum has left the window that ends at `second`.
    fn sum_gone(&self, seen: Head, second: u32) -> u64 {
        let first = |second: u32| second.saturating_sub(self.window);
        self.sum_between(first(seen.second()), first(second).min(seen.second()))
    }

    /// Adds up the slots of the seconds `first..end`.
    fn sum_between(&self, first: u32, end: u32) -> u64 {
        if first == end {
            return 0;
        }
        match self.past_slots() {
            PastSlots::Nowhere => 0,
            PastSlots::Wheel(wheel) => wheel.sum_between(first, end),
            PastSlots::History(history) => {
                let within = |slot: &Slot| (first..end).contains(&slot.second);
                history.slots(self.operation).filter(within).map(|slot| u64::from(slot.count)).sum()
            }
        }
    }

    /// Returns the window's count at `second`, or at a later second that the head has reached.
    /// `None`, here and in the functions below: the partition has moved or gone.
    pub(crate) fn count(&self, second: u32) -> Option<u64> {
        self.steady(second, 0, |head, now| {
            let sum = self.sum_before(head)?;
            Some(left(sum + u64::from(head.own(base(sum))), self.sum_gone(head, now)))
        })
    }

    /// Returns the count of the fullest slot in that window.
    pub(crate) fn peak(&self, second: u32) -> Option<u64> {
        self.count_and_peak(second).map(|(_, peak)| peak)
    }

    /// Returns count and peak of one moment.
    pub(crate) fn count_and_peak(&self, second: u32) -> Option<(u64, u64)> {
        self.steady(second, (0, 0), |head, now| {
            let sum = self.sum_before(head)?;
            let own = head.own(base(sum));
            let within = now.saturating_sub(self.window)..head.second();
            let past = match self.past_slots() {
                PastSlots::Nowhere => 0,
                PastSlots::Wheel(wheel) => fullest(wheel.slots(), within),
                PastSlots::History(history) => fullest(history.slots(self.operation), within),
            };
            Some((left(sum + u64::from(own), self.sum_gone(head, now)), past.max(own).into()))
        })
    }

    /// Returns the count of the seconds `first..=last` and of the fullest of them. All are in the
    /// window that ends at `second`.
    pub(crate) fn span(&self, first: u32, last: u32, second: u32) -> Option<(u64, u64)> {
        self.steady(second, (0, 0), |head, _| {
            let own = head.own(base(self.sum_before(head)?));
            let within = first..last.saturating_add(1).min(head.second());
            let add = |(sum, most): (u64, u32), slot: Slot| {
                let count = if within.contains(&slot.second) { slot.count } else { 0 };
                (sum + u64::from(count), most.max(count))
            };
            let (sum, most) = match self.past_slots() {
                PastSlots::Nowhere => (0, 0),
                PastSlots::Wheel(wheel) => wheel.slots().fold((0, 0), add),
                PastSlots::History(history) => history.slots(self.operation).fold((0, 0), add),
            };
            let own = if (first..=last).contains(&head.second()) { own } else { 0 };
            Some((sum + u64::from(own), most.max(own).into()))
        })
    }

    /// Returns the first of the fullest seconds in `first..=last`, and its count. All are in the
    /// window that ends at `second`.
    pub(crate) fn fullest_in(&self, first: u32, last: u32, second: u32) -> Option<(u64, u64)> {
        self.steady(second, (0, 0), |head, _| {
            let within = first..last.saturating_add(1).min(head.second());
            let fuller = |most: Slot, slot: Slot| {
                let is_fuller = (slot.count, most.second) > (most.count, slot.second);
                if within.contains(&slot.second) && is_fuller { slot } else { most }
            };
            let own = if (first..=last).contains(&head.second()) {
                head.own(base(self.sum_before(head)?))
            } else {
                0
            };
            let own = Slot { second: head.second(), count: own };
            let most = match self.past_slots() {
                PastSlots::Nowhere => own,
                PastSlots::Wheel(wheel) => wheel.slots().fold(own, fuller),
                PastSlots::History(history) => history.slots(self.operation).fold(own, fuller),
            };
            Some((most.second.into(), most.count.into()))
        })
    }

    /// Returns the counts of the spans that end with `second`, in which a record was added. If the
    /// head has turned since, the record is in `second` or in one of those after it, and no look
    /// tells in which. Then the largest counts of all of them are returned, so that no full second
    /// passes unseen.
    pub(crate) fn recent(&self, second: u32) -> Option<Recent> {
        let nothing = Recent { second: 0, sustained: 0 };
        self.steady(second, nothing, |head, now| {
            let own = u64::from(head.own(base(self.sum_before(head)?)));
            let sum = |first: u32, last: u32| {
                let past =
                    self.sum_between(first.min(head.second()), last.saturating_add(1).min(head.second()));
                past + if (first..=last).contains(&head.second()) { own } else { 0 }
            };
            // The past has `window + 1` seconds. No detector has a sustained threshold with a
            // shorter window (see `Builder::check`). There this number is of no use, but must not
            // count what is gone.
            let before = SUSTAINED.min(self.window + 1) - 1;
            let at = |last: u32| Recent {
                second: sum(last, last),
                sustained: sum(last.saturating_sub(before), last),
            };
            // Nearly always that is one second. Seconds that have left the window are not kept.
            let from = second.max(now.saturating_sub(self.window));
            (from..=now).map(at).reduce(|a, b| Recent {
                second: a.second.max(b.second),
                sustained: a.sustained.max(b.sustained),
            })
        })
    }

    /// Returns the result of `look` for a head that was current before and after it, or `idle` for
    /// a head that is idle. A retry means that another thread has turned the head.
    fn steady<T>(&self, second: u32, idle: T, look: impl Fn(Head, u32) -> Option<T>) -> Option<T> {
        loop {
            let head = self.head.load();
            if head.is_frozen() {
                return None;
            }
            let now = second.max(head.second());
            if head.idle(now, self.window) {
                return Some(idle);
            }
            if let Some(found) = look(head, now)
                && self.is_current(head)
            {
                return Some(found);
            }
        }
    }
}

/// Returns the amount of a second that gets `amount` more.
fn enlarged(own: u32, amount: Amount) -> u32 {
    own.saturating_add(amount.get()).min(MOST)
}

/// Returns the part of `all` that is in the window once `gone` has left. Slots that are taken while
/// they are added up make that less, never more.
fn left(all: u64, gone: u64) -> u64 {
    debug_assert!(gone <= all, "{gone} have left the window, of {all}");
    all.saturating_sub(gone)
}

/// Returns the highest count in the seconds `within`.
fn fullest(slots: impl Iterator<Item = Slot>, within: std::ops::Range<u32>) -> u32 {
    slots.filter(|slot| within.contains(&slot.second)).map(|slot| slot.count).max().unwrap_or(0)
}
