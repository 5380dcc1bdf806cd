//! A detector without its clock and its callback, for models to share.
//!
//! A model says the second of each call, as the clock is not what it is about. Calls go the way of
//! the detector's: `record_in` takes the fast path first, and the rest where that is not enough.

use super::{Stage, Thread};
use crate::key::Key;
use crate::key::hash::{Hash, Hashing};
use crate::key::synthetic::{Kind, with_synthetic_key};
use crate::ledger::cold::Cold;
use crate::ledger::counters::Counters;
use crate::ledger::current::Current;
use crate::ledger::recorded::Unfinished;
use crate::ledger::settings::{FilterSettings, Settings};
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::map::ReplaceContext;
use crate::operation::Operation::{self, Write};
use crate::partition::Partition;
use crate::partition::amount::Amount;
use crate::partition::content::Timing;
use crate::partition::series::Series;
use crate::policy::measure::Measure;
use crate::policy::override_list::Setting;
use crate::policy::rule::RateThresholds;
use crate::policy::thresholds::{Scope, Thresholds};
use crate::reason::Reason;
use crate::sys::budget::Budget;
use crate::sys::clock::{Clock, Moment};
use crossbeam_epoch::Guard;
use std::sync::Arc;

/// A detector without its clock and its callback.
pub(super) struct Subject {
    pub(super) settings: Settings,
    pub(super) counters: Counters,
    pub(super) current: Current,
    /// Read only where a cell looks old.
    pub(super) clock: Clock,
}

pub(super) const TABLE: &[u8] = b"t";

impl Subject {
    /// Returns the settings of most models: a window of one second, thresholds of 10, no bound.
    pub(super) fn settings() -> Settings {
        Settings {
            hashing: Hashing::seeded([1, 2]),
            timing: Timing { window: 1, interval_ms: 1000 },
            filter: None,
            max_partitions: 0,
            thresholds: [10, 10],
            rates: RateThresholds::NONE,
            measure: Measure::OPERATIONS,
            warn_of_throttles: false,
            redaction: None,
        }
    }

    /// Makes a ledger of these settings.
    pub(super) fn of(settings: Settings) -> Stage<Self> {
        let current = Current::try_new(&settings, Moment::from_ms(0)).unwrap();
        Stage::new(Self { settings, counters: Counters::default(), current, clock: Clock::manual() })
    }

    /// Makes a ledger in which `keys` were written once, in second 0.
    pub(super) fn stage(keys: &[u32]) -> Stage<Self> {
        Self::bounded(keys, 0)
    }

    /// Makes the same with a bound of partitions.
    pub(super) fn bounded(keys: &[u32], max_partitions: u64) -> Stage<Self> {
        let stage = Self::of(Settings { max_partitions, ..Self::settings() });
        stage.then(|s, t| keys.iter().for_each(|&key| _ = s.record(key, Write, 0, t)));
        stage
    }

    /// Makes a ledger with a filter of one cell in a row, which all keys have, and `bytes` for
    /// everything else. Partitions are promoted from `level` on.
    pub(super) fn filtered(level: u64, bytes: u64) -> Stage<Self> {
        let thresholds = [2 * level; 2];
        // The ledger and its first segment take the rest.
        let budget = Arc::new(Budget::new(bytes + Ledger::bytes(), 0));
        let cold = Arc::new(Cold::try_new(1, 500, 1, thresholds).unwrap());
        Self::of(Settings { filter: Some(FilterSettings { cold, budget }), thresholds, ..Self::settings() })
    }

    /// Returns a record of `key`, which is its position in the map too. So models say which keys
    /// share a segment.
    pub(super) fn posting<'a>(key: u32, pk: &'a [u8; 4], operation: Operation) -> Posting<'a> {
        Posting {
            key: Key { table: TABLE, pk },
            hash: Hash::new(key.into()),
            operation,
            model: None,
            amount: Amount::ONE,
        }
    }

    /// Returns the moment at which an override is set, with nothing remembered of what was before.
    pub(super) fn setting(&self) -> Setting {
        Setting { now: 0, oldest: None, own: self.settings.thresholds }
    }

    /// Returns a visit at this second.
    pub(super) fn visit<'g>(&'g self, second: u32, guard: &'g Guard) -> Visit<'g> {
        let now = Moment::from_ms(u64::from(second) * 1000);
        Visit { settings: &self.settings, counters: &self.counters, clock: &self.clock, now, guard }
    }

    /// Records 1 and returns the count.
    pub(super) fn record(&self, key: u32, operation: Operation, second: u32, thread: &Thread) -> u64 {
        self.record_amount(key, operation, 1, second, thread)
    }

    /// Records an amount and returns the count.
    pub(super) fn record_amount(
        &self,
        key: u32,
        operation: Operation,
        amount: u64,
        second: u32,
        thread: &Thread,
    ) -> u64 {
        let amount = Amount::clamped(amount);
        if self.settings.filter.is_some() {
            return self.record_filtered(key, operation, amount, second, thread);
        }
        self.record_in(key, operation, amount, second, &thread.pin())
    }

    /// Records an amount under a guard, as a detector does, and returns the count.
    pub(super) fn record_in(
        &self,
        key: u32,
        operation: Operation,
        amount: Amount,
        second: u32,
        guard: &Guard,
    ) -> u64 {
        let pk = key.to_ne_bytes();
        let posting = Posting { amount, ..Self::posting(key, &pk, operation) };
        let visit = self.visit(second, guard);
        let ledger = self.current.get(guard);
        self.rest(ledger, ledger.record_fast(posting, visit), &posting, visit)
    }

    /// Does the same by the filter: without a guard, if nothing is left to do then.
    fn record_filtered(
        &self,
        key: u32,
        operation: Operation,
        amount: Amount,
        second: u32,
        thread: &Thread,
    ) -> u64 {
        let pk = key.to_ne_bytes();
        let mut posting = Posting { amount, ..Self::posting(key, &pk, operation) };
        // An entry that goes back into the cells goes to those of its key's real hash.
        posting.hash = self.settings.hashing.key(posting.key);
        let cold = &self.settings.filter.as_ref().unwrap().cold;
        let now = Moment::from_ms(u64::from(second) * 1000);
        // No step of reclaim is due.
        cold.note_due(u64::MAX);
        cold.record(posting.hash, operation, amount, now).unwrap_or_else(|not_cold| {
            let guard = thread.pin();
            let (ledger, visit) = (self.current.get(&guard), self.visit(second, &guard));
            self.rest(ledger, ledger.record_not_cold_fast(not_cold, posting, visit), &posting, visit)
        })
    }

    /// Returns the count of a record, with what the fast path has left to do.
    fn rest<'g>(
        &'g self,
        ledger: &'g Ledger,
        recorded: Result<u64, Unfinished<'g>>,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> u64 {
        recorded.unwrap_or_else(|unfinished| {
            self.current.record_rest(ledger, unfinished, posting, visit).unwrap().1.count
        })
    }

    /// Records a throttle of the key, and returns how many there are with it.
    pub(super) fn throttle(&self, key: u32, operation: Operation, second: u32, thread: &Thread) -> u64 {
        let (guard, pk) = (thread.pin(), key.to_ne_bytes());
        let visit = self.visit(second, &guard);
        with_synthetic_key(Kind::Throttle(Reason::KeyRange), Key { table: TABLE, pk: &pk }, |key| {
            let hash = self.settings.hashing.key(key);
            let posting = Posting { key, hash, operation, model: None, amount: Amount::ONE };
            self.current.with(&guard, |ledger| Ok(ledger.record(&posting, visit)?.count)).unwrap()
        })
    }

    /// Returns the least and the most throttles that a key can have, where there is a filter.
    pub(super) fn throttles(
        &self,
        key: u32,
        operation: Operation,
        second: u32,
        thread: &Thread,
    ) -> (u64, u64) {
        let (guard, pk) = (thread.pin(), key.to_ne_bytes());
        let visit = self.visit(second, &guard);
        with_synthetic_key(Kind::Throttle(Reason::KeyRange), Key { table: TABLE, pk: &pk }, |key| {
            self.current.with(&guard, |ledger| ledger.bounds(key, operation, visit)).unwrap()
        })
    }

    /// Takes all memory that the filter was given for the map, or gives it back.
    pub(super) fn fill(&self, bytes: u64, is_full: bool) {
        let budget = &self.settings.filter.as_ref().unwrap().budget;
        if is_full { budget.take(bytes) } else { budget.give_back(bytes) }
    }

    /// Returns the most that a key can have, where there is a filter.
    pub(super) fn most(&self, key: u32, operation: Operation, second: u32, thread: &Thread) -> u64 {
        let (guard, pk) = (thread.pin(), key.to_ne_bytes());
        let (key, visit) = (Key { table: TABLE, pk: &pk }, self.visit(second, &guard));
        self.current.with(&guard, |ledger| ledger.bounds(key, operation, visit)).unwrap().1
    }

    /// Makes partitions of the table be promoted from `level` on.
    pub(super) fn set_level(&self, level: u64, second: u32, thread: &Thread) {
        self.set_level_of(Scope::Table, TABLE, Some(level), second, thread);
    }

    /// Sets the level of a table or a model, or takes it away.
    pub(super) fn set_level_of(
        &self,
        scope: Scope,
        name: &[u8],
        level: Option<u64>,
        second: u32,
        thread: &Thread,
    ) {
        let guard = thread.pin();
        let thresholds = Thresholds { writes: level.map(|level| 2 * level), reads: None };
        let set = |ledger: &Ledger| ledger.set_override(scope, name, thresholds, self.visit(second, &guard));
        self.current.with(&guard, set).unwrap();
    }

    /// Clears.
    pub(super) fn clear(&self, thread: &Thread) {
        self.current.clear(&self.settings, &self.counters, &self.clock, || thread.pin()).unwrap();
    }

    /// Sets the clock. Threads that have read it before may act by what they read.
    pub(super) fn reach(&self, second: u32) {
        self.clock.set_ms(u64::from(second) * 1000).unwrap();
    }

    /// Returns the count of a key; 0 if there is no such partition.
    pub(super) fn count(&self, key: u32, operation: Operation, second: u32, thread: &Thread) -> u64 {
        self.look(key, operation, second, thread, |series| series.count(second)).unwrap_or(0)
    }

    /// Returns what `read` makes of the series of a key; `None` if there is no such partition.
    pub(super) fn look<T>(
        &self,
        key: u32,
        operation: Operation,
        second: u32,
        thread: &Thread,
        read: impl Fn(Series<'_>) -> Option<T>,
    ) -> Option<T> {
        let guard = thread.pin();
        let pk = key.to_ne_bytes();
        let Posting { key, hash, .. } = Self::posting(key, &pk, operation);
        let visit = self.visit(second, &guard);
        let read = |found: Partition<'_>| read(found.series(operation, visit.window(), &guard));
        self.current.with(&guard, |ledger| ledger.look(key, hash, visit, read)).unwrap()
    }

    /// Replaces the segment of a key, as of this second: partitions that are idle then do not move
    /// along.
    pub(super) fn replace(&self, key: u32, second: u32, thread: &Thread) {
        let guard = thread.pin();
        let ledger = self.current.get(&guard);
        let replace = |context: ReplaceContext<'_>| ledger.partitions.replace_at(key, context, &guard);
        assert!(ledger.with_context(self.visit(second, &guard), replace).unwrap(), "there is room");
    }

    /// Reclaims what is idle; in a model one step walks the whole map.
    pub(super) fn reclaim(&self, second: u32, thread: &Thread) {
        let guard = thread.pin();
        self.current.get(&guard).reclaim_step(self.visit(second, &guard));
    }

    /// Returns how many partitions there are.
    pub(super) fn partitions(&self, thread: &Thread) -> u64 {
        self.current.get(&thread.pin()).partitions.lens[0].get()
    }
}
