//! The current ledger, and how the next one takes its place.
//!
//! `clear` makes an empty ledger, and swaps it in. Then it clears the old one's map, gives back the
//! bytes of its entries where memory is bounded, clears its overrides, and retires it. A call that
//! took the old ledger before the swap is turned away from whatever has been cleared by then, and
//! starts again with the new one.
//!
//! The old ledger is freed once all calls that were under way have ended. Where memory is bounded
//! there is room beside the limit for one such ledger ([`crate::sys::budget`]). So a clear that
//! finds neither free bytes nor that room waits for a while, asks again, and may be refused.

use crate::error::{OutOfMemory, Refusal};
use crate::ledger::counters::Counters;
use crate::ledger::settings::Settings;
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting, Recorded, Unfinished};
use crate::sys::clock::Moment;
use crate::sys::rcu::Rcu;
use crate::sys::sync::{AtomicU64, Relaxed};
use crossbeam_epoch::Guard;

/// The current ledger of a detector.
pub(crate) struct Current {
    ledger: Rcu<Ledger>,
    /// The number of ledgers made so far.
    made: AtomicU64,
}

impl Current {
    pub(crate) fn try_new(settings: &Settings, now: Moment) -> Result<Self, OutOfMemory> {
        Ok(Self { ledger: Rcu::try_new(Ledger::try_new(0, settings, now)?)?, made: AtomicU64::new(1) })
    }

    #[inline(always)]
    pub(crate) fn get<'g>(&self, guard: &'g Guard) -> &'g Ledger {
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
        now: Moment,
        pin: impl Fn() -> Guard,
    ) -> Result<(), OutOfMemory> {
        let number = self.made.fetch_add(1, Relaxed);
        let old = self.ledger.swap(Ledger::try_new(number, settings, now)?)?;
        let entries = old.partitions.clear(&pin);
        Counters::add(&counters.cleared, entries[0]);
        if let Some(filtering) = &old.filtering {
            filtering.give_back_later(entries, &pin());
        }
        old.overrides.clear(&pin());
        // The old ledger has been empty and out of reach since it was cleared.
        old.retire(&pin());
        Ok(())
    }
}
