//! The detector: what a program holds.

use crate::alarm::Alarm;
use crate::builder::{Builder, Callback};
use crate::clock::{Clock, Moment};
use crate::epoch;
use crate::error::Error;
use crate::handle::TableHandle;
use crate::key::{Hash, Key, check_name};
use crate::ledger::{Current, Ledger, Posting, Terms};
use crate::operation::Operation;
use crate::partition::Partition;
use crate::past::GrowError;
use crate::record::Record;
use crate::slot::MOST;
use crate::statistics::{Statistics, Tally};
use crate::thresholds::{self, Scope, Thresholds};
use crate::warning::Warning;
use crossbeam_epoch::Guard;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Counts reads and writes per (table, partition key) over a sliding window, and warns when a count
/// reaches its threshold.
///
/// Every method may be called from any number of threads at once. Recording and getting take no
/// lock. Tables, partition keys and models are bytes; text is fine.
///
/// A count covers the whole seconds from `now − window` to `now`: nothing that is younger than the
/// window is missing, nothing that is more than a second older is in it.
///
/// ```
/// let detector = hotpart::Detector::builder(500, 1_500, 60)
///     .on_warning(|warning: &hotpart::Warning<'_>| eprintln!("{warning}"))
///     .build()?;
/// let count = detector.record_write("events", "EVENTS")?;
/// assert_eq!(count, 1);
/// # Ok::<(), hotpart::Error>(())
/// ```
pub struct Detector {
    clock: Clock,
    terms: Terms,
    callback: Option<Callback>,
    current: Current,
}

thread_local! {
    /// Whether this thread is inside a callback.
    static CALLING: Cell<bool> = const { Cell::new(false) };
}

/// What a record's warning does, if one is due.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    /// Goes to the callback.
    Callback,
    /// Goes back to the caller.
    Caller,
}

impl Detector {
    /// A detector that only counts: no callback, the system's clock, no bound.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new(writes_threshold: u64, reads_threshold: u64, window_seconds: u32) -> Result<Self, Error> {
        Self::builder(writes_threshold, reads_threshold, window_seconds).build()
    }

    /// A builder, from the three numbers that have no defaults: the counts from which a partition
    /// is hot (1 to 2⁶³ − 1), and the window (1 to 3,600 seconds).
    pub fn builder(writes_threshold: u64, reads_threshold: u64, window_seconds: u32) -> Builder {
        Builder::new(writes_threshold, reads_threshold, window_seconds)
    }

    pub(crate) fn from_parts(clock: Clock, terms: Terms, callback: Option<Callback>) -> Result<Self, Error> {
        let current = Current::try_new(&terms, clock.now())?;
        Ok(Self { clock, terms, callback, current })
    }

    /// Records one write and returns the partition's count of writes with it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a table not of 1 to 1,024 bytes or a key over 16,384 bytes;
    /// [`Error::Memory`].
    pub fn record_write(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        self.record_one(Key::new(table.as_ref(), pk.as_ref())?, Operation::Write)
    }

    /// Records one read and returns the partition's count of reads with it.
    ///
    /// # Errors
    /// As [`Detector::record_write`].
    pub fn record_read(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        self.record_one(Key::new(table.as_ref(), pk.as_ref())?, Operation::Read)
    }

    /// Records what `record` says and returns the count with it.
    ///
    /// # Errors
    /// As [`Detector::record_write`]; [`Error::Invalid`] too for an amount of 0 or a model not of 1 to
    /// 1,024 bytes.
    pub fn record(&self, record: &Record<'_>) -> Result<u64, Error> {
        let (count, _) = self.post_checked(record, Delivery::Callback)?;
        Ok(count)
    }

    /// Records what `record` says, and returns the count and a due warning instead of calling back with
    /// it.
    ///
    /// # Errors
    /// As [`Detector::record`].
    pub fn record_and_warn<'a>(&self, record: &Record<'a>) -> Result<(u64, Option<Warning<'a>>), Error> {
        self.post_checked(record, Delivery::Caller)
    }

    /// The partition's count of writes. Asking neither starts to track a partition nor keeps it.
    ///
    /// # Errors
    /// [`Error::Invalid`], as for [`Detector::record_write`].
    pub fn write_count(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        self.count(Key::new(table.as_ref(), pk.as_ref())?, Operation::Write)
    }

    /// The partition's count of reads. Asking neither starts to track a partition nor keeps it.
    ///
    /// # Errors
    /// [`Error::Invalid`], as for [`Detector::record_write`].
    pub fn read_count(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        self.count(Key::new(table.as_ref(), pk.as_ref())?, Operation::Read)
    }

    /// Prepares a table's name once, for callers that record to it often.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of 1 to 1,024 bytes; [`Error::Memory`].
    pub fn table(&self, table: impl AsRef<[u8]>) -> Result<TableHandle<'_>, Error> {
        let name = table.as_ref();
        check_name(name)?;
        Ok(TableHandle::try_new(self, name, self.terms.hashing.prefix(name))?)
    }

    /// Sets the thresholds of one table, whose name must match to the byte: an override on `T` covers
    /// neither `T/index/I` nor `T`'s ARN. `None` for both removes the override.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad name or a threshold not of 1 to 2⁶³ − 1; [`Error::Memory`].
    pub fn set_table_thresholds(&self, table: impl AsRef<[u8]>, thresholds: Thresholds) -> Result<(), Error> {
        self.set_override(Scope::Table, table.as_ref(), thresholds)
    }

    /// Sets the thresholds of one model, for the records that name it. `None` for both removes them.
    ///
    /// # Errors
    /// As [`Detector::set_table_thresholds`].
    pub fn set_model_thresholds(&self, model: impl AsRef<[u8]>, thresholds: Thresholds) -> Result<(), Error> {
        self.set_override(Scope::Model, model.as_ref(), thresholds)
    }

    /// The override set for a table; both `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of 1 to 1,024 bytes.
    pub fn table_thresholds(&self, table: impl AsRef<[u8]>) -> Result<Thresholds, Error> {
        self.get_override(Scope::Table, table.as_ref())
    }

    /// The override set for a model; both `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of 1 to 1,024 bytes.
    pub fn model_thresholds(&self, model: impl AsRef<[u8]>) -> Result<Thresholds, Error> {
        self.get_override(Scope::Model, model.as_ref())
    }

    /// The detector's own thresholds; neither is `None`.
    pub fn thresholds(&self) -> Thresholds {
        let [writes, reads] = self.terms.thresholds.map(Some);
        Thresholds { writes, reads }
    }

    /// The window, in seconds.
    pub fn window_seconds(&self) -> u32 {
        self.terms.rules.window
    }

    /// Forgets all counts, warning states and overrides, at one moment for all threads. The
    /// clock, the statistics and table handles stay. Takes time in proportion to what it forgets.
    ///
    /// # Errors
    /// [`Error::Memory`]; then nothing is forgotten.
    pub fn clear(&self) -> Result<(), Error> {
        Ok(self.current.clear(&self.terms, self.clock.now(), epoch::pin)?)
    }

    /// Moves a manual clock forward to `now_ms`. An earlier time changes nothing.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the clock runs by itself; [`Error::Invalid`] past 4,294,967,295,999 ms.
    pub fn set_time_ms(&self, now_ms: u64) -> Result<(), Error> {
        self.clock.set_ms(now_ms)
    }

    /// Numbers about the detector itself.
    pub fn statistics(&self) -> Statistics {
        let guard = epoch::pin();
        self.terms.tally.read(self.current.get(&guard).partitions.len.get())
    }

    /// Checks a record, and records it at this moment.
    fn post_checked<'a>(
        &self,
        record: &Record<'a>,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        let key = record.check()?;
        let amount = u32::try_from(record.amount).unwrap_or(MOST);
        let hash = self.terms.hashing.key(key);
        let Record { operation, model, .. } = *record;
        self.post(Posting { key, hash, operation, model, amount, now: self.clock.now() }, delivery)
    }

    pub(crate) fn record_one(&self, key: Key<'_>, operation: Operation) -> Result<u64, Error> {
        self.record_hashed(key, self.terms.hashing.key(key), operation)
    }

    pub(crate) fn record_hashed(&self, key: Key<'_>, hash: Hash, operation: Operation) -> Result<u64, Error> {
        let posting = Posting { key, hash, operation, model: None, amount: 1, now: self.clock.now() };
        let (count, _) = self.post(posting, Delivery::Callback)?;
        Ok(count)
    }

    /// Records, and delivers the warning if one is due.
    fn post<'a>(
        &self,
        posting: Posting<'a>,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        let guard = epoch::pin();
        let (count, warning) = self.current.with(&guard, |ledger| {
            let (partition, count) = ledger.post(&posting, &self.terms, &guard)?;
            ledger.sweep(posting.now, &self.terms, &guard);
            // Closed: cleared meanwhile. This record came before that, and what is cleared needs no
            // warning.
            let Ok(Some(threshold)) = ledger.reached(count, &posting, &self.terms, &guard) else {
                return Ok((count, None));
            };
            Ok((count, self.warning(ledger, partition, &posting, count, threshold, delivery, &guard)))
        })?;
        drop(guard);
        match (delivery, warning) {
            (Delivery::Callback, Some(warning)) => {
                self.call_back(&warning);
                Ok((count, None))
            }
            _ => Ok((count, warning)),
        }
    }

    /// The warning that a hot record gives, if it is the one to.
    #[cold]
    #[inline(never)]
    #[expect(clippy::too_many_arguments)]
    fn warning<'a, 'g>(
        &self,
        ledger: &Ledger,
        partition: Partition<'g>,
        posting: &Posting<'a>,
        count: u64,
        threshold: u64,
        delivery: Delivery,
        guard: &'g Guard,
    ) -> Option<Warning<'a>> {
        let Posting { key, hash, operation, now, .. } = *posting;
        let (terms, window) = (&self.terms, self.terms.rules.window);
        let alarm = match partition.alarm(guard) {
            Ok(alarm) => Some(alarm),
            // The alarm was not made when the record looked, and the partition has moved since.
            Err(GrowError::Frozen) => {
                let alarm = |found: Partition<'g>| match found.alarm(guard) {
                    Ok(alarm) => Some(Some(alarm)),
                    Err(GrowError::Frozen) => None,
                    Err(GrowError::Memory) => Some(None),
                };
                ledger.look(key, hash, now, terms, guard, alarm).ok()??
            }
            Err(GrowError::Memory) => None,
        };
        // Without memory for its warning state a hot record is counted and gives no warning.
        let suppressed = self.ring(alarm?, operation, now, delivery)?;
        let peak = |found: Partition<'g>| found.series(operation, window, guard).peak(now.second);
        let peak = ledger.look(key, hash, now, terms, guard, peak).ok().flatten();
        Some(Warning {
            table: key.table,
            pk: key.pk,
            operation,
            window_seconds: window,
            count,
            threshold,
            suppressed,
            // Others have added since `count` was; the fullest second of that moment had no more than `count`.
            peak: peak.unwrap_or(count).min(count),
        })
    }

    /// Whether a hot record is the one to warn; if so, how many were not since the last.
    fn ring(&self, alarm: &Alarm, operation: Operation, now: Moment, delivery: Delivery) -> Option<u64> {
        let heard = match delivery {
            Delivery::Caller => true,
            Delivery::Callback => self.callback.is_some() && !CALLING.get(),
        };
        if heard {
            alarm.ring(operation, now.ms, self.terms.rules.interval_ms)
        } else {
            alarm.hold(operation);
            None
        }
    }

    #[cold]
    fn call_back(&self, warning: &Warning<'_>) {
        let Some(callback) = &self.callback else { return };
        CALLING.set(true);
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| callback(warning))) {
            Tally::count(&self.terms.tally.callback_panics, 1);
            // Dropping what was thrown may throw once more; that is then left alone.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(std::mem::forget);
        }
        CALLING.set(false);
    }

    fn count(&self, key: Key<'_>, operation: Operation) -> Result<u64, Error> {
        let guard = epoch::pin();
        let now = self.clock.now();
        let hash = self.terms.hashing.key(key);
        let window = self.terms.rules.window;
        Ok(self.current.with(&guard, |ledger| {
            let count = |found: Partition<'_>| found.series(operation, window, &guard).count(now.second);
            Ok(ledger.look(key, hash, now, &self.terms, &guard, count)?.unwrap_or(0))
        })?)
    }

    fn set_override(&self, scope: Scope, name: &[u8], thresholds: Thresholds) -> Result<(), Error> {
        thresholds::check(name, thresholds)?;
        let guard = epoch::pin();
        Ok(self.current.with(&guard, |ledger| {
            ledger.overrides.set(scope, name, thresholds, &self.terms.hashing, &guard)
        })?)
    }

    fn get_override(&self, scope: Scope, name: &[u8]) -> Result<Thresholds, Error> {
        check_name(name)?;
        let guard = epoch::pin();
        Ok(self
            .current
            .with(&guard, |ledger| Ok(ledger.overrides.get(scope, name, &self.terms.hashing, &guard)?))?)
    }
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detector")
            .field("clock", &self.clock)
            .field("terms", &self.terms)
            .finish_non_exhaustive()
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        // What this detector let go lately should go with it.
        epoch::flush();
    }
}
