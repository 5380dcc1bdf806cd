//! The detector: the one object that a program holds, and all that it can be asked.
//!
//! The idea: recording must cost a program next to nothing. So a detector is a frame of few parts
//! that do not change, around one ledger that many threads write at once. The frame says what time
//! it is, what the settings are, and where a warning goes. The ledger holds all that
//! [`Detector::clear`] forgets, and a clear replaces it whole.
//!
//! ```text
//! Detector
//!   +-- clock       the time of every record: the system's, or one that the program moves
//!   +-- settings    the options it was built with; they never change
//!   +-- counters    the numbers of `Statistics`, as they run
//!   +-- callback    called with a warning that is due, if the caller did not ask for it
//!   +-- current --> Ledger         all that `clear` forgets
//!   |                 +-- partitions   the map: an entry for a partition, and for a synthetic key
//!   |                 +-- overrides    thresholds of tables and models
//!   +-- records     the number of records, in a block for each thread
//!   +-- id          tells warnings that wait for their thread which detector gave them
//!   +-- schemas     key schemas of tables, for `observe`; `clear` keeps them
//!   +-- waiting     parts of requests on tables without a key schema; `clear` drops them
//! ```
//!
//! `impl Detector` stands in fifteen files, one for each thing that a program asks, so that each is
//! read with its own types and tests beside it:
//!
//! | file | holds | why there |
//! |---|---|---|
//! | `mod` | counts, thresholds, `clear`, clock, statistics | they read or set parts of the frame |
//! | `builder` | `new`, `builder`, `for_dynamodb` | beside [`Builder`](builder::Builder) |
//! | `recording` | `record*`, and the end of a record | one path from the call to the warning |
//! | `batch` | `record_batch` | many records under one pin |
//! | `table_handle` | `table` | beside [`TableHandle`](table_handle::TableHandle) |
//! | `throttle` | `record_throttle`, throttle counts, tallies | all that is under synthetic keys |
//! | `hottest` | `hottest`, and the walk over the map | a clear makes the walk begin anew |
//! | `closed_span` | `hottest_closed`, `fullest_second` | a span that is over does not change |
//! | `closed_counts` | `fold_closed_in` | beside [`ClosedCounts`](closed_counts::ClosedCounts) |
//! | `unlisted` | the most that no list has | why it bounds anything is said there |
//! | `bound_warning` | warnings of partitions without an entry | `recording` is long enough |
//! | `notice` | `take_notice` | beside [`Notice`](notice::Notice) |
//! | `metrics` | `metrics` | the statistics and the hottest partitions as text |
//! | `observe` | `observe` | records what `dynamodb` works out |
//! | `waiting` | `set_key_schema`, `forget_table` | they record, or tally, what waits for a key |
//!
//! `record` (one record in full), `warning` (a warning's contents), `delivery` (where it goes),
//! `exposition` (text for Prometheus), `hot_partition` and `top` (which partitions are listed) hold
//! the types that these files share. `recorder` writes what is observed as lines for the command
//! `hotpart`, redacted by the detector's secret.
//!
//! Invariants:
//! - A call that is refused has changed nothing, except where memory runs out in the middle of a
//!   batch or a request.
//! - A record is made in one ledger: in the next one, if the thread finds its ledger cleared.
//! - A callback runs with nothing pinned or locked, and never inside another one of its thread.
//! - Only `ffi` imports this folder, and `lib.rs` re-exports its public types (`ci/layers.sh`).
//!
//! Proof: `tests/properties` compares every call with an oracle, in Rust and in C;
//! `tests/warnings.rs`, `tests/hottest.rs`, `tests/batch.rs` and `tests/rates.rs` tell the
//! contract; `recording/tests.rs` refuses memory in the middle of a record; the fuzz targets
//! `calls`, `counting` and `oracle` make calls up.
//!
//! A new question that a program may ask goes into a file of its own here. Nothing that the ledger
//! or `dynamodb` could do without a detector belongs here.

pub(crate) mod batch;
pub(crate) mod bound_warning;
pub(crate) mod builder;
pub(crate) mod closed_counts;
pub(crate) mod closed_span;
pub(crate) mod cold_recording;
pub(crate) mod delivery;
pub(crate) mod exposition;
pub(crate) mod hot_partition;
pub(crate) mod hottest;
pub(crate) mod metrics;
pub(crate) mod notice;
#[cfg(feature = "dynamodb")]
pub(crate) mod observe;
pub(crate) mod record;
#[cfg(feature = "dynamodb")]
pub(crate) mod recorder;
pub(crate) mod recording;
pub(crate) mod table_handle;
pub(crate) mod throttle;
pub(crate) mod top;
pub(crate) mod unlisted;
#[cfg(feature = "dynamodb")]
pub(crate) mod waiting;
pub(crate) mod warning;

use crate::detector::warning::Callback;
#[cfg(feature = "dynamodb")]
use crate::dynamodb::{schema::Schemas, waiting::Waiting};
use crate::error::Error;
use crate::key::redaction::Redacted;
use crate::key::{Key, check_name};
use crate::ledger::Ledger;
use crate::ledger::counters::Counters;
use crate::ledger::current::Current;
use crate::ledger::settings::Settings;
use crate::map::segment::Segment;
use crate::operation::Operation;
use crate::partition::Partition;
use crate::policy::thresholds::{self, Scope, Thresholds};
use crate::statistics::Statistics;
use crate::sys::clock::Clock;
use crate::sys::epoch;
use crate::sys::record_counter::RecordCounter;
use crate::sys::sync::{AtomicU64, Relaxed};

/// The least and the most that a partition's count can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// The part of the count that is known to be the partition's own, and in the window; it may be
    /// 0.
    pub least: u64,
    /// The count that `write_count` or `read_count` returns.
    pub most: u64,
}

/// The id of the next detector. Ids tell detectors apart, even where one has the address of another
/// that was freed. They never wrap.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Counts reads and writes per (table, partition key) over a sliding window, and warns when a count
/// reaches its threshold.
///
/// Every method may be called from any number of threads at once. Recording and getting take no
/// lock. Tables, partition keys and models are bytes; text is fine.
///
/// A count covers the last `window` to `window + 1` seconds. It never misses a record younger than
/// the window, and never includes one more than a second older.
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
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    pub(crate) counters: Counters,
    pub(crate) callback: Option<Callback>,
    pub(crate) current: Current,
    pub(crate) records: RecordCounter,
    /// No other detector has it, nor will.
    pub(crate) id: u64,
    #[cfg(feature = "dynamodb")]
    pub(crate) schemas: Schemas,
    #[cfg(feature = "dynamodb")]
    pub(crate) waiting: Waiting,
}

impl Detector {
    pub(crate) fn from_parts(
        clock: Clock,
        settings: Settings,
        callback: Option<Callback>,
    ) -> Result<Self, Error> {
        let current = Current::try_new(&settings, clock.now())?;
        Ok(Self {
            clock,
            settings,
            counters: Counters::default(),
            callback,
            current,
            records: RecordCounter::new(),
            id: NEXT_ID.fetch_add(1, Relaxed),
            #[cfg(feature = "dynamodb")]
            schemas: Schemas::try_new()?,
            #[cfg(feature = "dynamodb")]
            waiting: Waiting::try_new()?,
        })
    }

    /// Returns the partition's count of writes; 0 if it is not tracked. With
    /// [`Builder::memory`](crate::Builder::memory) it is the most that the count can be: see
    /// [`Detector::bounds`]. Asking neither starts to track a partition nor keeps it alive.
    ///
    /// # Errors
    /// [`Error::Invalid`], as for [`Detector::record_write`]; [`Error::Memory`] if the partition is
    /// being moved and there is no memory to help with that.
    pub fn write_count(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        let key = Key { table: table.as_ref(), pk: pk.as_ref() };
        key.check()?;
        self.count(key, Operation::Write)
    }

    /// Returns the partition's count of reads; otherwise as [`Detector::write_count`].
    ///
    /// # Errors
    /// As [`Detector::write_count`].
    pub fn read_count(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        let key = Key { table: table.as_ref(), pk: pk.as_ref() };
        key.check()?;
        self.count(key, Operation::Read)
    }

    /// Returns the least and the most that the partition has of an operation. Both are its count,
    /// except in a detector with [`Builder::memory`](crate::Builder::memory).
    ///
    /// # Errors
    /// As [`Detector::write_count`].
    pub fn bounds(
        &self,
        table: impl AsRef<[u8]>,
        pk: impl AsRef<[u8]>,
        operation: Operation,
    ) -> Result<Bounds, Error> {
        let key = Key { table: table.as_ref(), pk: pk.as_ref() };
        key.check()?;
        self.bounds_of(key, operation)
    }

    /// Sets the thresholds of one table, whose name must match to the byte: an override on `T`
    /// covers neither `T/index/I` nor `T`'s ARN. `None` for one operation leaves it to the
    /// detector's own threshold, `None` for both removes the override.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of `1..=1024` bytes or a threshold not in `1..=2⁶³ − 1`;
    /// [`Error::Memory`].
    pub fn set_table_thresholds(&self, table: impl AsRef<[u8]>, thresholds: Thresholds) -> Result<(), Error> {
        self.set_override(Scope::Table, table.as_ref(), thresholds)
    }

    /// Sets the thresholds of one model, for the records that name it. They win over those of the
    /// table. `None` for both removes them.
    ///
    /// # Errors
    /// As [`Detector::set_table_thresholds`].
    pub fn set_model_thresholds(&self, model: impl AsRef<[u8]>, thresholds: Thresholds) -> Result<(), Error> {
        self.set_override(Scope::Model, model.as_ref(), thresholds)
    }

    /// Returns the override set for a table; both `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of `1..=1024` bytes.
    pub fn table_thresholds(&self, table: impl AsRef<[u8]>) -> Result<Thresholds, Error> {
        self.get_override(Scope::Table, table.as_ref())
    }

    /// Returns the override set for a model; both `None` if there is none.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of `1..=1024` bytes.
    pub fn model_thresholds(&self, model: impl AsRef<[u8]>) -> Result<Thresholds, Error> {
        self.get_override(Scope::Model, model.as_ref())
    }

    /// Returns the detector's own thresholds; neither is `None`.
    pub fn thresholds(&self) -> Thresholds {
        let [writes, reads] = self.settings.thresholds.map(Some);
        Thresholds { writes, reads }
    }

    /// Returns the window, in seconds.
    pub fn window_seconds(&self) -> u32 {
        self.settings.timing.window
    }

    /// Returns the text that the library writes in place of this partition's key; `None` if the
    /// detector does not redact keys. It is 32 hexadecimal digits: SipHash-2-4, of 128 bits, of the
    /// table and the key, each after its length in eight bytes, low ones first. See
    /// [`Builder::redact_keys`](crate::Builder::redact_keys).
    pub fn redacted(&self, table: impl AsRef<[u8]>, pk: impl AsRef<[u8]>) -> Option<String> {
        let digits = self.redact(Key { table: table.as_ref(), pk: pk.as_ref() })?;
        Some(digits.map(char::from).iter().collect())
    }

    pub(crate) fn redact(&self, key: Key<'_>) -> Option<Redacted> {
        self.settings.redaction.as_ref().map(|redaction| redaction.redact(key))
    }

    /// Forgets all counts, warning states and overrides, at one moment for all threads, and drops
    /// what waits for a key schema. The clock, the statistics, key schemas and table handles stay.
    /// Takes time in proportion to what it forgets. With [memory](crate::Builder::memory) it also
    /// takes time in proportion to that, and may wait up to a quarter of a second for other calls.
    ///
    /// # Errors
    /// [`Error::Memory`]; then nothing is forgotten.
    pub fn clear(&self) -> Result<(), Error> {
        let clear = || self.current.clear(&self.settings, &self.counters, &self.clock, epoch::pin);
        if clear().is_err() {
            // Where memory is bounded, there may be room once the ledgers before this one are freed.
            self.settings.filter.iter().for_each(|filter| filter.budget.wait_for_room(Ledger::bytes()));
            clear()?;
        }
        // Without memory there are no books of this process, in which anything could wait.
        #[cfg(feature = "dynamodb")]
        let _ = self.waiting.clear();
        // The old ledger does not wait for others to be retired.
        epoch::flush();
        Ok(())
    }

    /// Moves a manual clock forward to `now_ms`, in milliseconds. An earlier time changes nothing.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the clock runs by itself; [`Error::Invalid`] past
    /// 4,294,967,295,999 ms.
    pub fn set_time_ms(&self, now_ms: u64) -> Result<(), Error> {
        self.clock.set_ms(now_ms)
    }

    /// Returns numbers about the detector itself. Takes time in proportion to the partitions
    /// tracked and to [`Builder::memory`](crate::Builder::memory).
    pub fn statistics(&self) -> Statistics {
        // The bytes are added up in a walk over the map, which begins anew if the detector is
        // cleared.
        let fixed = size_of::<Self>() + size_of::<Ledger>();
        let mut statistics = self.counters.read(self.records.get());
        let mut bytes = 0;
        let begin = |bytes: &mut usize| *bytes = fixed;
        let enter = |bytes: &mut usize, segment: Segment<'_>| *bytes += segment.bytes();
        let scanned = self.scan(&mut bytes, begin, enter, |bytes, _, visit, found| {
            *bytes += found.past_bytes(visit.window(), visit.guard);
            Ok(())
        });
        scanned.expect("nothing here asks for memory");
        let guard = &epoch::pin();
        let ledger = self.current.get(guard);
        statistics.partitions = ledger.partitions.lens[0].get();
        statistics.bytes = (bytes + ledger.overrides.bytes(guard)) as u64;
        if let Some(filtering) = &ledger.filtering {
            statistics.bytes += filtering.cold.bytes();
            statistics.filter_load_permille =
                ledger.filter_load_permille(self.visit(self.clock.now(), guard));
        }
        statistics
    }

    #[inline(always)]
    pub(crate) fn count(&self, key: Key<'_>, operation: Operation) -> Result<u64, Error> {
        if self.is_filtered() { self.most(&key, operation) } else { self.count_in_map(&key, operation) }
    }

    /// Returns the count where there is no filter.
    #[inline(never)]
    fn count_in_map(&self, key: &Key<'_>, operation: Operation) -> Result<u64, Error> {
        // In the order of `record_key_in`.
        let hash = self.settings.hashing.key(*key);
        let (now, guard) = (self.clock.now(), epoch::pin());
        let visit = self.visit(now, &guard);
        let count =
            |found: Partition<'_>| found.series(operation, visit.window(), &guard).count(visit.now.second());
        let found = self.current.get_unfiltered(&guard).partitions.find_fast(hash, *key, &guard);
        if let Some(count) = found.and_then(count) {
            return Ok(count);
        }
        Ok(self.current.with(&guard, |ledger| Ok(ledger.look(*key, hash, visit, count)?.unwrap_or(0)))?)
    }

    /// Returns the count where there is a filter.
    #[inline(never)]
    fn most(&self, key: &Key<'_>, operation: Operation) -> Result<u64, Error> {
        Ok(self.bounds_of(*key, operation)?.most)
    }

    fn bounds_of(&self, key: Key<'_>, operation: Operation) -> Result<Bounds, Error> {
        let guard = epoch::pin();
        let visit = self.visit(self.clock.now(), &guard);
        Ok(self.current.with(&guard, |ledger| {
            let (least, most) = ledger.bounds(key, operation, visit)?;
            Ok(Bounds { least, most })
        })?)
    }

    fn set_override(&self, scope: Scope, name: &[u8], thresholds: Thresholds) -> Result<(), Error> {
        thresholds::check(scope, name, thresholds)?;
        let guard = epoch::pin();
        let visit = self.visit(self.clock.now(), &guard);
        Ok(self.current.with(&guard, |ledger| ledger.set_override(scope, name, thresholds, visit))?)
    }

    fn get_override(&self, scope: Scope, name: &[u8]) -> Result<Thresholds, Error> {
        check_name(scope.argument(), name)?;
        let guard = epoch::pin();
        Ok(self.current.with(&guard, |ledger| {
            Ok(ledger.overrides.get(scope, name, &self.settings.hashing, &guard)?)
        })?)
    }
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Detector")
            .field("clock", &self.clock)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Drop for Detector {
    fn drop(&mut self) {
        // Memory that this detector has let go lately should be freed with it.
        epoch::flush();
    }
}
