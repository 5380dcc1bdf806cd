//! The current ledger, and how the next one takes its place.
//!
//! `clear` makes an empty ledger, and swaps it in. Where memory is bounded it begins the ledger's
//! generation of cells, which is the moment of the clear ([`crate::ledger::cold`]). Then it clears
//! the old one's map, gives back the bytes of its entries and takes off their marks, clears its
//! overrides, and retires it. A call that took the old ledger before the swap is turned away from
//! whatever has been cleared by then, and starts again with the new one.
//!
//! The old ledger is freed once all calls that were under way have ended. Where memory is bounded
//! a clear that comes before may find no bytes for the next ledger ([`crate::sys::budget`]). It
//! waits for a while then, asks again, and may be refused.

use crate::error::{OutOfMemory, Refusal};
use crate::ledger::counters::Counters;
use crate::ledger::recorded::{Recorded, Unfinished};
use crate::ledger::settings::Settings;
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::sys::clock::{Clock, Moment};
use crate::sys::memory::try_box;
use crate::sys::rcu::{Rcu, Replaced};
use crossbeam_epoch::Guard;

/// The current ledger of a detector.
pub(crate) struct Current {
    ledger: Rcu<Ledger>,
}

impl Current {
    pub(crate) fn try_new(settings: &Settings, now: Moment) -> Result<Self, OutOfMemory> {
        Ok(Self { ledger: Rcu::try_new(Ledger::try_new(settings, now)?)? })
    }

    /// Returns the ledger.
    #[inline(always)]
    pub(crate) fn get<'g>(&self, guard: &'g Guard) -> &'g Ledger {
        let ledger = self.ledger.get(guard);
        ledger.begin();
        ledger
    }

    /// Does the same where there is no filter.
    #[inline(always)]
    pub(crate) fn get_unfiltered<'g>(&self, guard: &'g Guard) -> &'g Ledger {
        self.ledger.get(guard)
    }

    /// Runs `f` with the current ledger, and again with the next one if that was cleared meanwhile.
    pub(crate) fn with<'g, T>(
        &self,
        guard: &'g Guard,
        mut f: impl FnMut(&'g Ledger) -> Result<T, Refusal>,
    ) -> Result<T, OutOfMemory> {
        loop {
            match f(self.get(guard)) {
                Ok(value) => return Ok(value),
                Err(Refusal::Cleared) => {}
                Err(Refusal::Memory) => return Err(OutOfMemory),
            }
        }
    }

    /// Records what the fast path has not in `ledger` or, if that is cleared meanwhile, in the next
    /// one. Returns the ledger that has the record, and the record.
    pub(crate) fn record_rest<'g>(
        &self,
        mut ledger: &'g Ledger,
        mut unfinished: Unfinished<'g>,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<(&'g Ledger, Recorded<'g>), OutOfMemory>
    where
        Self: 'g,
    {
        loop {
            match ledger.record_rest(unfinished, posting, visit) {
                Ok(recorded) => return Ok((ledger, recorded)),
                Err(Refusal::Memory) => return Err(OutOfMemory),
                Err(Refusal::Cleared) => (ledger, unfinished) = (self.get(visit.guard), Unfinished::Missing),
            }
        }
    }

    /// Puts an empty ledger in place of the current one, and frees the contents of that. `pin` is
    /// called for each step, so that memory is freed on the way.
    pub(crate) fn clear(
        &self,
        settings: &Settings,
        counters: &Counters,
        clock: &Clock,
        pin: impl Fn() -> Guard,
    ) -> Result<(), OutOfMemory> {
        let old = self.swap(try_box(Ledger::try_new(settings, clock.now())?)?, &pin());
        let entries = old.partitions.clear(&pin, |key| {
            if let Some(filtering) = &old.filtering {
                filtering.unmark(key, &settings.hashing, filtering.now(clock));
            }
        });
        Counters::add(&counters.cleared, entries[0]);
        if let Some(filtering) = &old.filtering {
            filtering.give_back_later(entries, &pin());
            filtering.cold.filter.refresh(filtering.now(clock));
        }
        old.overrides.clear(&pin());
        // The old ledger has been empty and out of reach since it was cleared.
        old.retire(&pin());
        Ok(())
    }

    /// Puts a new ledger in place of the current one, with the next number, and returns that.
    fn swap(&self, mut new: Box<Ledger>, guard: &Guard) -> Replaced<Ledger> {
        loop {
            // Its generation has begun before the next one does.
            let seen = self.get(guard);
            new.renumber(seen.number + 1);
            match self.ledger.swap(seen, new) {
                Ok(old) => {
                    self.ledger.get(guard).begin();
                    return old;
                }
                Err(back) => new = back,
            }
        }
    }
}
