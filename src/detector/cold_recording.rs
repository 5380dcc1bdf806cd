//! Recording where memory is bounded: in the cells first, without a pin. Most records are done
//! then. The others go on with a pin, by [`crate::detector::recording`].

use crate::detector::Detector;
use crate::detector::delivery::Delivery;
use crate::detector::warning::Warning;
use crate::error::Error;
use crate::key::Key;
use crate::key::hash::Hash;
use crate::ledger::Posting;
use crate::ledger::cold::NotCold;
use crate::ledger::recorded::Unfinished;
use crate::operation::Operation;
use crate::partition::amount::Amount;
use crate::sys::clock::Moment;
use crate::sys::epoch;

impl Detector {
    /// Returns whether most partitions are counted in a filter. Callers ask it first, so that a
    /// detector without a filter pays for nothing else of it.
    #[inline(always)]
    pub(crate) fn is_filtered(&self) -> bool {
        self.settings.filter.is_some()
    }

    /// Does the work of `record_key` where there is a filter. It takes the two parts of a key, as a
    /// `Key` would be handed over in memory and not in registers.
    #[inline(never)]
    pub(crate) fn record_key_filtered(
        &self,
        table: &[u8],
        pk: &[u8],
        operation: Operation,
    ) -> Result<u64, Error> {
        self.record_key_in::<true>(Key { table, pk }, operation)
    }

    /// Records by the filter, and delivers the warning if one is due. A record of a cold key pins
    /// nothing.
    #[inline(always)]
    pub(crate) fn record_cold<'a>(
        &self,
        posting: Posting<'a>,
        now: Moment,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        match self.record_in_cells(posting.hash, posting.operation, posting.amount, now) {
            Ok(count) => {
                self.records.add(epoch::block_or_claim(), 1);
                Ok((count, None))
            }
            Err(not_cold) => self.record_not_cold(not_cold, &{ posting }, now, delivery),
        }
    }

    /// Records in the cells, and returns the count if nothing is left to do.
    #[inline(always)]
    pub(crate) fn record_in_cells(
        &self,
        hash: Hash,
        operation: Operation,
        amount: Amount,
        now: Moment,
    ) -> Result<u64, NotCold> {
        let Some(filter) = &self.settings.filter else { return Err(NotCold::NotAdded) };
        filter.cold.record(hash, operation, amount, now)
    }

    /// Goes on with a record that was not done by its cells alone. It is a function of its own, so
    /// that records of cold keys, which most are, have the processor's registers to themselves.
    #[inline(never)]
    fn record_not_cold<'a>(
        &self,
        not_cold: NotCold,
        posting: &Posting<'a>,
        now: Moment,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        self.record_posting(*posting, Some(not_cold), now, delivery, epoch::pin())
    }

    /// Records as of `then`, an earlier moment, by a filter. It does not take the fast path. That
    /// may put the amount into a later second than its own, and would not tell.
    #[cold]
    pub(crate) fn record_late<'a>(
        &self,
        posting: Posting<'a>,
        then: Moment,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        let guard = epoch::pin();
        let (ledger, visit) = (self.current.get(&guard), self.visit(then, &guard));
        let (count, warning) = self.finish(ledger, Unfinished::Missing, &posting, visit, delivery)?;
        drop(guard);
        self.records.add(epoch::block(), 1);
        if let Some(warning) = warning.filter(|_| delivery == Delivery::Callback) {
            self.call_back(&warning);
        }
        Ok((count, if delivery == Delivery::Callback { None } else { warning }))
    }
}
