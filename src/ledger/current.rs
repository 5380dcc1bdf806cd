//! The current ledger, and how the next one takes its place.
//!
//! `clear` makes an empty ledger, and swaps it in. Then it clears the old one's map and overrides,
//! and retires it. A call that took the old ledger before the swap is turned away from whatever has
//! been cleared by then, and starts again with the new one.
//!
//! Where memory is bounded `clear` does more. Right after the swap it begins the new ledger's
//! generation of cells, which is the moment of the clear ([`crate::ledger::cold`]). Of each old
//! entry it takes off the marks and gives back the bytes. Last, it moves all cells on.
//!
//! The old ledger is freed once all calls that were under way have ended. Where memory is bounded
//! the next clear may come before that, and find no bytes for a ledger ([`crate::sys::budget`]).
//! Then it is refused. `Detector::clear` waits for a while, and asks once more.

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

    /// Returns the ledger, whose generation of cells has begun.
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

    /// Runs `f` with the current ledger. If that is cleared meanwhile, runs it again with the next
    /// one.
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

    /// Finishes in `ledger` a record that the fast path has not. If that ledger is cleared
    /// meanwhile, makes the record in the next one. Returns the ledger that has the record, and the
    /// record.
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

    /// Puts an empty ledger in place of the current one, and clears the old one. `pin` is called
    /// for each step, so that memory is freed on the way.
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

    /// Puts a new ledger in place of the current one, with the next number. Returns the old one.
    fn swap(&self, mut new: Box<Ledger>, guard: &Guard) -> Replaced<Ledger> {
        loop {
            // `get` has begun its generation, so that generations begin one after the other.
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
