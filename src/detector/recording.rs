//! Recording: the path that nearly all records take, and the steps that few of them need.
//!
//! ```text
//! check the arguments, hash the key, read the clock, pin
//!   Ledger::record_fast    find the entry and add to its head; nearly all records are done then
//!   else finish            record_rest: insert, or add with care, until it is in
//!                          reclaim_step; breach: is it hot?  warning: is it the one to warn?
//! unpin, count the record, call back
//! ```
//!
//! Promise 4: a callback runs once the record is visible and nothing is pinned. Where memory is
//! bounded (`FILTERED`), `Cold::record` comes before the pin, and most records are done with it.

use crate::detector::Detector;
use crate::detector::delivery::Delivery;
use crate::detector::record::Record;
use crate::detector::warning::Warning;
use crate::error::{Error, Refusal};
use crate::key::Key;
use crate::key::hash::{Hash, Prefix};
use crate::ledger::cold::NotCold;
use crate::ledger::counters::Counters;
use crate::ledger::recorded::{Recorded, Unfinished};
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::alarm::Alarm;
use crate::partition::past::GrowError;
use crate::partition::slot::COUNT_MOST;
use crate::policy::rule::{Breach, Rule};
use crate::sys::clock::Moment;
use crate::sys::epoch;
use crossbeam_epoch::Guard;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    /// Whether this thread is inside a callback. Records that it makes there call back no further.
    static CALLING: Cell<bool> = const { Cell::new(false) };
}

impl Detector {
    /// Records one write and returns the partition's count of writes with it. In capacity mode it
    /// is a write of one unit.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a table not of `1..=1024` bytes or a key over 16,384 bytes;
    /// [`Error::Memory`].
    pub fn record_write(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        let key = Key { table: table.as_ref(), pk: pk.as_ref() };
        key.check()?;
        self.record_key(key, Operation::Write)
    }

    /// Records one read and returns the partition's count of reads with it. In capacity mode it is
    /// a read of one unit.
    ///
    /// # Errors
    /// As [`Detector::record_write`].
    pub fn record_read(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        let key = Key { table: table.as_ref(), pk: pk.as_ref() };
        key.check()?;
        self.record_key(key, Operation::Read)
    }

    /// Records what `record` says and returns the count with it.
    ///
    /// # Errors
    /// As [`Detector::record_write`]; [`Error::Invalid`] too for an amount of 0 or a model not of
    /// `1..=1024` bytes.
    pub fn record(&self, record: &Record<'_>) -> Result<u64, Error> {
        let (count, _) = self.record_checked(record, Delivery::Callback)?;
        Ok(count)
    }

    /// Does the same, but returns a due warning beside the count instead of calling back.
    ///
    /// # Errors
    /// As [`Detector::record`].
    pub fn record_and_warn<'a>(&self, record: &Record<'a>) -> Result<(u64, Option<Warning<'a>>), Error> {
        self.record_checked(record, Delivery::Caller)
    }

    /// Checks a record, and records it at this moment.
    pub(crate) fn record_checked<'a>(
        &self,
        record: &Record<'a>,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        self.record_as_of(record, None, delivery)
    }

    /// Checks a record, and records it at this moment or, with `then`, as of an earlier one. It is
    /// then as if the thread had read the clock at that moment and stood still until now: it lands
    /// in the second of that moment or, if its partition has been recorded later than that, in the
    /// partition's newest second.
    #[inline(always)]
    pub(crate) fn record_as_of<'a>(
        &self,
        record: &Record<'a>,
        then: Option<Moment>,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        record.check()?;
        let hash = self.settings.hashing.key(record.key());
        let posting = record.posting(hash, self.settings.measure);
        let now = then.unwrap_or_else(|| self.clock.now());
        if self.is_filtered() {
            if then.is_some() {
                return self.record_late(posting, now, delivery);
            }
            return self.record_cold(posting, now, delivery);
        }
        self.record_posting(posting, None, now, delivery, epoch::pin())
    }

    /// Records one operation on a key that has been checked.
    #[inline(always)]
    pub(crate) fn record_key(&self, key: Key<'_>, operation: Operation) -> Result<u64, Error> {
        if self.is_filtered() {
            return self.record_key_filtered(key.table, key.pk, operation);
        }
        self.record_key_in::<false>(key, operation)
    }

    /// Records one operation on a key that has been checked; by a filter, where there is one.
    #[inline(always)]
    pub(crate) fn record_key_in<const FILTERED: bool>(
        &self,
        key: Key<'_>,
        operation: Operation,
    ) -> Result<u64, Error> {
        // The key is hashed before the pin, whose fence holds up what comes after it. That leaves
        // little time between the first look at an entry and the add, in which another thread may
        // take its line away.
        let posting = self.posting(key, self.settings.hashing.key(key), operation);
        let now = self.clock.now();
        if FILTERED {
            return Ok(self.record_cold(posting, now, Delivery::Callback)?.0);
        }
        Ok(self.record_posting(posting, None, now, Delivery::Callback, epoch::pin())?.0)
    }

    /// Records one operation on a key that has been checked, and whose table is hashed already in
    /// `prefix`; by a filter, where there is one.
    #[inline(always)]
    pub(crate) fn record_with_prefix<'a, const FILTERED: bool>(
        &self,
        prefix: &Prefix,
        key: Key<'a>,
        operation: Operation,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        let posting = self.posting(key, prefix.key(key.pk), operation);
        let now = self.clock.now();
        if FILTERED {
            return self.record_cold(posting, now, delivery);
        }
        self.record_posting(posting, None, now, delivery, epoch::pin())
    }

    /// Makes a posting of one operation, or one unit.
    #[inline(always)]
    fn posting<'a>(&self, key: Key<'a>, hash: Hash, operation: Operation) -> Posting<'a> {
        Posting { key, hash, operation, model: None, amount: self.settings.measure.one() }
    }

    /// Returns what a visit of the ledger brings along: the settings, the counters, the moment and
    /// the pin.
    #[inline(always)]
    pub(crate) fn visit<'g>(&'g self, now: Moment, guard: &'g Guard) -> Visit<'g> {
        Visit { settings: &self.settings, counters: &self.counters, clock: &self.clock, now, guard }
    }

    /// Records, and delivers the warning if one is due. The module's head has the steps.
    /// `not_cold`: what has come of it in the cells, where there is a filter.
    #[inline(always)]
    pub(crate) fn record_posting<'a>(
        &self,
        posting: Posting<'a>,
        not_cold: Option<NotCold>,
        now: Moment,
        delivery: Delivery,
        guard: Guard,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        let visit = self.visit(now, &guard);
        let (ledger, recorded) = match not_cold {
            None => {
                let ledger = self.current.get_unfiltered(&guard);
                (ledger, ledger.record_fast(posting, visit))
            }
            Some(not_cold) => {
                let ledger = self.current.get(&guard);
                (ledger, ledger.record_not_cold_fast(not_cold, posting, visit))
            }
        };
        let unfinished = match recorded {
            Ok(count) => {
                self.records.add(epoch::block(), 1);
                return Ok((count, None));
            }
            Err(unfinished) => unfinished,
        };
        let finished = self.finish(ledger, unfinished, &{ posting }, self.visit(now, &guard), delivery);
        drop(guard);
        let (count, warning) = finished?;
        self.records.add(epoch::block(), 1);
        // With nothing pinned any more.
        match warning {
            Some(warning) if delivery == Delivery::Callback => {
                self.call_back(&warning);
                Ok((count, None))
            }
            warning => Ok((count, warning)),
        }
    }

    /// Does the work that few records need: inserts, records in the next ledger if this one was
    /// cleared, takes a step of reclaim, and sees to a warning.
    #[cold]
    #[inline(never)]
    pub(crate) fn finish<'a, 'g>(
        &'g self,
        ledger: &'g Ledger,
        unfinished: Unfinished<'g>,
        posting: &Posting<'a>,
        visit: Visit<'g>,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        let (ledger, recorded) = self.current.record_rest(ledger, unfinished, posting, visit)?;
        ledger.reclaim_step(visit);
        let Recorded { partition, count, lacking, is_full } = recorded;
        // The partition has no entry of its own: the filter bounds its count.
        let Some(partition) = partition else {
            // A full lane may stand for any number more, so it is hot by whatever rule this record
            // meets.
            let bound = if is_full { COUNT_MOST } else { count };
            let breach = Self::breach_of_bound(ledger, bound, posting, visit).map(|breach| Breach {
                count: if is_full { count.max(breach.threshold) } else { breach.count },
                ..breach
            });
            let count = breach.map_or(count, |breach| count.max(breach.count));
            let warn = |breach| self.warn_of_bound(ledger, breach, posting, visit, delivery);
            return Ok((count, breach.and_then(warn)));
        };
        let warning = match ledger.breach(partition, count, lacking, posting, visit) {
            Ok(Some(breach)) => self.warning(ledger, partition, posting, breach, lacking, visit, delivery),
            Ok(None) => None,
            // Cleared meanwhile: this record came before that, and what is cleared needs no
            // warning.
            Err(Refusal::Cleared) => None,
            Err(Refusal::Memory) => self.withhold(partition, posting.operation, visit.guard),
        };
        Ok((count, warning))
    }

    /// Counts a record among the suppressed, and gives no warning. It can't be told whether it is
    /// hot: its partition has moved, and there is no memory to follow it.
    #[cold]
    fn withhold<'a>(
        &self,
        partition: Partition<'_>,
        operation: Operation,
        guard: &Guard,
    ) -> Option<Warning<'a>> {
        // The alarm was made well before the count was near a threshold, so this asks for no
        // memory.
        if let Ok(alarm) = partition.alarm(guard) {
            alarm.hold(operation);
        }
        Counters::add(&self.counters.suppressed, 1);
        None
    }

    /// Returns the warning that a hot record gives, if it is the one to give it.
    ///
    /// 1. Finds the partition's alarm, which may have moved with the partition.
    /// 2. Rings it: of the hot records in an interval one wins.
    /// 3. Reads the fullest second, and how much of the count may be others'.
    #[cold]
    #[inline(never)]
    #[expect(clippy::too_many_arguments)] // A record, and what came of it.
    pub(crate) fn warning<'a, 'g>(
        &self,
        ledger: &Ledger,
        partition: Partition<'g>,
        posting: &Posting<'a>,
        breach: Breach,
        lacking: u64,
        visit: Visit<'g>,
        delivery: Delivery,
    ) -> Option<Warning<'a>> {
        let Posting { key, hash, operation, .. } = *posting;
        let Visit { counters, now, guard, .. } = visit;
        let alarm = match partition.alarm(guard) {
            Ok(alarm) => Some(alarm),
            // The alarm was not made when the record looked, and the partition has moved since: its
            // copy has one.
            Err(GrowError::Frozen) => {
                let alarm = |found: Partition<'g>| match found.alarm(guard) {
                    Ok(alarm) => Some(Some(alarm)),
                    Err(GrowError::Frozen) => None,
                    Err(GrowError::Memory) => Some(None),
                };
                match ledger.look(key, hash, visit, alarm) {
                    Ok(alarm) => alarm.flatten(),
                    // As in `finish`.
                    Err(Refusal::Cleared) => return None,
                    Err(Refusal::Memory) => None,
                }
            }
            Err(GrowError::Memory) => None,
        };
        let suppressed = self.ring(alarm, operation, now, delivery)?;
        let peak = |found: Partition<'g>| found.series(operation, visit.window(), guard).peak(now.second());
        let peak = ledger.look(key, hash, visit, peak).ok().flatten();
        Counters::add(&counters.warnings, 1);
        // A count of the window is a sum of `window + 1` slots.
        let span = if breach.rule == Rule::Window { breach.seconds + 1 } else { breach.seconds };
        let carried = alarm
            .filter(|_| self.is_filtered())
            .map_or(Some(0), |alarm| alarm.carried(operation, now.second(), span));
        let carried = carried.map_or(breach.count, |carried| breach.count.min(lacking + u64::from(carried)));
        let numbers = [suppressed, peak.unwrap_or(breach.count), carried];
        Some(self.made_warning(key, operation, breach, numbers))
    }

    /// Returns whether amounts in a rule's warnings are in half units.
    pub(crate) fn in_half_units(&self, rule: Rule) -> bool {
        self.settings.measure.is_capacity() && rule != Rule::Throttle
    }

    /// Returns how many records were suppressed since the last warning, if this hot record is the
    /// one to warn; otherwise counts it among the suppressed.
    ///
    /// One that can't be delivered, for want of a callback or inside one, is suppressed. A record
    /// without an alarm always warns: either its partition has been replaced at the bound since,
    /// and its warning state went with it, or there is no memory to make an alarm.
    pub(crate) fn ring(
        &self,
        alarm: Option<&Alarm>,
        operation: Operation,
        now: Moment,
        delivery: Delivery,
    ) -> Option<u64> {
        let heard = match delivery {
            Delivery::Caller => true,
            Delivery::Callback => self.callback.is_some() && !CALLING.get(),
        };
        let rung = match alarm {
            Some(alarm) if heard => alarm.ring(operation, now.ms(), self.settings.timing.interval_ms),
            Some(alarm) => {
                alarm.hold(operation);
                None
            }
            None => heard.then_some(0),
        };
        if rung.is_none() {
            Counters::add(&self.counters.suppressed, 1);
        }
        rung
    }

    /// Calls the callback with a warning. A panic in it is caught, and counted.
    #[cold]
    pub(crate) fn call_back(&self, warning: &Warning<'_>) {
        let Some(callback) = &self.callback else { return };
        CALLING.set(true);
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| callback(warning))) {
            Counters::add(&self.counters.callback_panics, 1);
            // To drop what was thrown may throw once more. That is then left alone.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
        }
        CALLING.set(false);
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
