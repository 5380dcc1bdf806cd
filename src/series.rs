//! What one operation on one partition did lately: the slot of its current second, the *head*,
//! and the [`Past`] before it.
//!
//! **Every add is one `fetch_add` on the head.** It never moves and never grows, so no add can be
//! lost to growth. When a record finds the head's second over it *turns* the head:
//!
//! 1. put the head, as it was seen, into the past;
//! 2. replace the head, if it still is what was put, by the new second's first amount.
//!
//! Should others add between 1 and 2, step 2 fails and both are tried again with the larger count;
//! the past keeps the largest. So when 2 succeeds, the past holds that second's final count, and
//! whoever sees the new head sees it there. An add by a thread whose clock reading has been
//! overtaken lands in the newer second, which began while its call was under way.
//!
//! **Reading.** While the head's second stays `h`, the past's slots in `[h − window, h − 1]` do not change: an
//! entry is taken again only for a second that comes more than a window later, and a second is put only
//! once the head reached it. So a sum of them is exact if the head's second is `h` before and after it
//! was taken.

use crate::memory::OutOfMemory;
use crate::past::Past;
use crate::slot::{AtomicSlot, Slot};
use crossbeam_epoch::Guard;

pub(crate) struct Series {
    head: AtomicSlot,
    past: Past,
}

impl Series {
    pub(crate) fn new(first: Slot) -> Self {
        Self { head: AtomicSlot::new(first), past: Past::new() }
    }

    /// Adds `amount` at `second` and returns the window's count with it. Just before, `prepare` is told
    /// what that will be, unless others add at the same time.
    ///
    /// Fails only when the past has to grow and can't, or `prepare` fails; then nothing was added.
    pub(crate) fn add(
        &self,
        amount: u32,
        second: u32,
        window: u32,
        prepare: impl Fn(u64) -> Result<(), OutOfMemory>,
        guard: &Guard,
    ) -> Result<u64, OutOfMemory> {
        let mut seen = self.head.load();
        loop {
            let outcome = if seen.second >= second {
                let past = self.past.sum(seen.second, window, guard);
                prepare(past + u64::from(seen.plus(amount).count))?;
                let before = self.head.add(seen, amount);
                before.map(|before| self.counted(before, amount, seen, past, window, guard))
            } else {
                self.turn(seen, Slot::new(second, amount), window, &prepare, guard)?
            };
            match outcome {
                Ok(count) => return Ok(count),
                Err(actual) => seen = actual,
            }
        }
    }

    /// The count right after an add to the head, which was `before`; `past` was summed for `seen`.
    fn counted(&self, before: Slot, amount: u32, seen: Slot, past: u64, window: u32, guard: &Guard) -> u64 {
        let own = u64::from(before.plus(amount).count);
        if before.second == seen.second {
            return past + own;
        }
        // The head turned under our hands: `past` is another second's. A count of a moment since
        // then will do. Only a thread that stood still for a whole window within these lines
        // can find its own second gone from it.
        self.count(before.second, window, guard).max(own)
    }

    /// Turns the head from `seen` to `new`, an amount in a later second. `Ok(Err(slot))`: it is `slot`
    /// by now.
    fn turn(
        &self,
        seen: Slot,
        new: Slot,
        window: u32,
        prepare: impl Fn(u64) -> Result<(), OutOfMemory>,
        guard: &Guard,
    ) -> Result<Result<u64, Slot>, OutOfMemory> {
        if !seen.is_empty() && !seen.expired(new.second, window) {
            self.past.put(seen, window, guard)?;
        }
        let past = self.past.sum_after(seen, new.second, window, guard);
        let count = past + u64::from(new.count);
        prepare(count)?;
        Ok(self.head.replace(seen, new).map(|()| {
            self.past.remember(new.second, past, guard);
            count
        }))
    }

    /// The window's count at `second`, or at a later second that the head has reached.
    pub(crate) fn count(&self, second: u32, window: u32, guard: &Guard) -> u64 {
        self.steady(second, |head, now| {
            let first = now.saturating_sub(window);
            let past = if head.second == now {
                self.past.sum(now, window, guard)
            } else {
                self.past.sum_between(first, head.second, guard)
            };
            move |head: Slot| past + if head.second >= first { u64::from(head.count) } else { 0 }
        })
    }

    /// The fullest slot in the window at `second`, or at a later second that the head has reached.
    pub(crate) fn peak(&self, second: u32, window: u32, guard: &Guard) -> u64 {
        self.steady(second, |head, now| {
            let first = now.saturating_sub(window);
            let past = self.past.peak_between(first, head.second, guard);
            move |head: Slot| u64::from(if head.second >= first { past.max(head.count) } else { past })
        })
    }

    /// Runs `look` until the head's second was the same before and after, then hands what it made
    /// the head's last value. A retry means that a second has passed and another thread gone on.
    fn steady<F: FnOnce(Slot) -> u64>(&self, second: u32, look: impl Fn(Slot, u32) -> F) -> u64 {
        let mut head = self.head.load();
        loop {
            let finish = look(head, second.max(head.second));
            let after = self.head.load();
            if after.second == head.second {
                return finish(after);
            }
            head = after;
        }
    }

    /// Whether the window is empty at `second`.
    pub(crate) fn idle(&self, second: u32, window: u32) -> bool {
        let head = self.head.load();
        head.is_empty() || head.expired(second, window)
    }

    /// The same, ordered among the adds: see "Reclaim" in DESIGN.md.
    pub(crate) fn idle_in_order(&self, second: u32, window: u32) -> bool {
        let head = self.head.load_in_order();
        head.is_empty() || head.expired(second, window)
    }

    #[cfg(test)]
    pub(crate) fn bytes(&self, window: u32) -> usize {
        self.past.bytes(window)
    }
}
