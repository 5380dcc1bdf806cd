//! Recording throttles, and tallying what no partition can be charged with.
//!
//! Both are counted in the same map as partitions, each under a *synthetic key* that no caller can
//! make: a throttle under one of its reason and partition, a tally under one of its kind and table
//! (`key/synthetic.rs`). So they slide with the window and are reclaimed as any partition.

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::delivery::Delivery;
use crate::detector::warning::Warning;
use crate::error::Error;
use crate::key::synthetic::{Kind, with_synthetic_key};
use crate::key::{Key, check_name};
use crate::ledger::Posting;
use crate::ledger::counters::Counters;
use crate::ledger::recorded::Recorded;
use crate::operation::Operation;
use crate::partition::amount::Amount;
use crate::policy::rule::{Breach, Rule};
use crate::reason::{Reason, Unattributed};
use crate::sys::clock::Moment;
use crate::sys::epoch;

impl Detector {
    /// Records that DynamoDB throttled one attempt at an operation on a partition, and why. Returns
    /// the partition's throttles in the window for this operation and reason, with this one. They
    /// are no part of its count. One for the key range may warn: see
    /// [`Builder::warn_of_throttles`](crate::Builder::warn_of_throttles).
    ///
    /// # Errors
    /// As [`Detector::record_write`].
    pub fn record_throttle(
        &self,
        table: impl AsRef<[u8]>,
        pk: impl AsRef<[u8]>,
        operation: Operation,
        reason: Reason,
    ) -> Result<u64, Error> {
        let key = Key { table: table.as_ref(), pk: pk.as_ref() };
        let (throttles, warning) =
            self.record_throttle_to(key, operation, reason, None, Delivery::Callback)?;
        if let Some(warning) = warning {
            self.call_back(&warning);
        }
        Ok(throttles)
    }

    /// Does the same, but returns a due warning beside the count instead of calling back.
    ///
    /// # Errors
    /// As [`Detector::record_throttle`].
    pub fn record_throttle_and_warn<'a>(
        &self,
        table: &'a [u8],
        pk: &'a [u8],
        operation: Operation,
        reason: Reason,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        self.record_throttle_to(Key { table, pk }, operation, reason, None, Delivery::Caller)
    }

    /// Records a throttle at this moment, or as of the moment `then`. Returns a due warning,
    /// wherever it is to go.
    pub(crate) fn record_throttle_to<'a>(
        &self,
        key: Key<'a>,
        operation: Operation,
        reason: Reason,
        then: Option<Moment>,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        key.check()?;
        let warns = reason == Reason::KeyRange && self.settings.warn_of_throttles;
        let posted = self.record_synthetic(
            Kind::Throttle(reason),
            key,
            operation,
            Amount::ONE,
            then,
            warns,
            delivery,
        )?;
        Counters::add(&self.counters.throttles[reason as usize], 1);
        Ok(posted)
    }

    /// Returns the partition's throttles in the window for an operation and a reason.
    ///
    /// # Errors
    /// As [`Detector::write_count`].
    pub fn throttle_count(
        &self,
        table: impl AsRef<[u8]>,
        pk: impl AsRef<[u8]>,
        operation: Operation,
        reason: Reason,
    ) -> Result<u64, Error> {
        let key = Key { table: table.as_ref(), pk: pk.as_ref() };
        key.check()?;
        with_synthetic_key(Kind::Throttle(reason), key, |synthetic| self.count(synthetic, operation))
    }

    /// Returns the amount that was tallied in the window for a table, or for `TABLE/index/INDEX`,
    /// because no partition could be charged with it. Amounts of capacity are in half units.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of `1..=1024` bytes; [`Error::Memory`].
    pub fn unattributed_count(
        &self,
        table: impl AsRef<[u8]>,
        operation: Operation,
        what: Unattributed,
    ) -> Result<u64, Error> {
        check_name(Argument::Table, table.as_ref())?;
        let key = Key { table: table.as_ref(), pk: &[] };
        with_synthetic_key(Kind::Unattributed(what), key, |synthetic| self.count(synthetic, operation))
    }

    /// Tallies, for a table whose name has been checked, an amount that no partition can be charged
    /// with: at this moment, or as of the moment `then`. An `amount` of 0 changes nothing.
    #[cfg_attr(not(feature = "dynamodb"), expect(dead_code))]
    pub(crate) fn tally(
        &self,
        table: &[u8],
        operation: Operation,
        what: Unattributed,
        amount: u64,
        then: Option<Moment>,
    ) -> Result<(), Error> {
        let Some(added) = Amount::new(amount) else { return Ok(()) };
        let key = Key { table, pk: &[] };
        let kind = Kind::Unattributed(what);
        self.record_synthetic(kind, key, operation, added, then, false, Delivery::Caller)?;
        Counters::add(&self.counters.unattributed[what as usize], amount);
        Ok(())
    }

    /// Records an amount under the synthetic key of `kind` and `key`. Returns the count, and a
    /// warning if `warns` and one is due.
    #[expect(clippy::too_many_arguments)] // A posting's, but for its hash.
    fn record_synthetic<'a>(
        &self,
        kind: Kind,
        key: Key<'a>,
        operation: Operation,
        amount: Amount,
        then: Option<Moment>,
        warns: bool,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        debug_assert!(key.check().is_ok());
        with_synthetic_key(kind, key, |synthetic| {
            let guard = &epoch::pin();
            let visit = self.visit(then.unwrap_or_else(|| self.clock.now()), guard);
            let hash = self.settings.hashing.key(synthetic);
            let posting = Posting { key: synthetic, hash, operation, model: None, amount };
            let posted = self.current.with(guard, |ledger| {
                let recorded = ledger.record(&posting, visit)?;
                ledger.reclaim_step(visit);
                Ok((ledger, recorded))
            });
            let (ledger, Recorded { partition, count, lacking, .. }) = posted?;
            // The first throttle is enough.
            let breach = Breach { rule: Rule::Throttle, count, threshold: 1, seconds: self.window_seconds() };
            let warning = match partition {
                _ if !warns => None,
                Some(found) => self.warning(ledger, found, &posting, breach, lacking, visit, delivery),
                None => self.warn_of_bound(ledger, breach, &posting, visit, delivery),
            };
            // The warning is about the partition, not about its synthetic key.
            Ok((count, warning.map(|warning| warning.with_key(key, self.redact(key)))))
        })
    }
}
