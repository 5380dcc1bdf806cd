//! Overrides: the thresholds of single tables and models, set and removed while other threads
//! record.
//!
//! ```text
//! scope, name --hash--> one of 128 lists --> the override, or none
//! floors                a number that no threshold is under: all that most records compare with
//! models_past           the least thresholds of all models before, where there is a filter
//! ```
//!
//! Setting an override goes like this, so that no record misses it:
//!
//! 1. remember what was in force, where there is a filter;
//! 2. lower the floors to the new thresholds;
//! 3. swap in the list with the override;
//! 4. lower the floors again, as a raise may have come in between;
//! 5. raise them, if the thresholds that went may have been the least;
//! 6. look whether a clear has come: then the override goes into the next ledger.
//!
//! A thread that sees the override has seen the floor lowered, so it never stops at a floor that is
//! too high.

use crate::error::{Cleared, OutOfMemory, Refusal};
use crate::key::Key;
use crate::key::hash::Hashing;
use crate::operation::Operation;
use crate::policy::floor::{FLOOR_MOST, Floor};
use crate::policy::override_list::{List, Override, Setting};
use crate::policy::thresholds::{Scope, Thresholds};
use crate::policy::timeline::{self, Span, Timeline};
use crate::sys::memory::try_box;
use crate::sys::rcu::{RcuOption, Watched};
use crate::sys::sync::{AcqRel, Acquire, AtomicBool, AtomicU64, Release};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use crossbeam_epoch::Guard;

/// The change since which the least thresholds of all models are what they are, and what they were
/// before.
struct ModelsPast {
    since: u64,
    past: Timeline,
    #[cfg(loom)]
    watch: Watch,
}

impl Watched for ModelsPast {
    #[cfg(loom)]
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

/// The lists. With some hundred tables of their own thresholds, each has a few.
#[cfg(not(loom))]
const LISTS: usize = 128;
#[cfg(loom)]
const LISTS: usize = 2;

/// All overrides, which are read without a lock.
pub(crate) struct Overrides {
    lists: [RcuOption<List>; LISTS],
    /// The past of the models' least thresholds, where there is a filter.
    models_past: RcuOption<ModelsPast>,
    /// The number of changes that began or ended. While this is 0 there is no override.
    changes: AtomicU64,
    /// The floor of each operation.
    floors: [Floor; 2],
    /// The floors of models alone.
    model_floors: [Floor; 2],
    /// The floors where there is no override.
    own_floors: [u64; 2],
    /// Whether the detector was cleared: these overrides are in force no more.
    cleared: AtomicBool,
}

impl Overrides {
    /// Makes no overrides. No partition is hot below `floors` then.
    pub(crate) fn new(floors: [u64; 2]) -> Self {
        Self {
            lists: std::array::from_fn(|_| RcuOption::empty()),
            models_past: RcuOption::empty(),
            changes: AtomicU64::new(0),
            floors: floors.map(Floor::new),
            model_floors: [u64::MAX; 2].map(Floor::new),
            own_floors: floors,
            cleared: AtomicBool::new(false),
        }
    }

    /// Returns a number that no threshold of an operation is under.
    #[inline(always)]
    pub(crate) fn floor(&self, operation: Operation) -> u64 {
        self.floors[operation.index()].get()
    }

    /// Returns the list in which an override of this name is.
    fn list(&self, scope: Scope, name: &[u8], hashing: &Hashing) -> &RcuOption<List> {
        let scope: &[u8] = match scope {
            Scope::Table => b"table",
            Scope::Model => b"model",
        };
        &self.lists[hashing.key(Key { table: scope, pk: name }).position as usize % LISTS]
    }

    /// Returns all overrides, or those of one scope.
    fn all<'g>(&'g self, scope: Option<Scope>, guard: &'g Guard) -> impl Iterator<Item = &'g Override> {
        let all = self.lists.iter().filter_map(|list| list.get(guard)).flat_map(|list| &list.overrides);
        all.filter(move |each| scope.is_none_or(|scope| each.scope == scope))
    }

    /// Returns the least threshold of these overrides, and no more than `most`.
    fn least_of<'g>(all: impl Iterator<Item = &'g Override>, operation: Operation, most: u64) -> u64 {
        all.filter_map(|each| each.thresholds.of(operation)).fold(most, u64::min)
    }

    /// Sets both sides of an override; `None` for both removes it. Fails with [`Refusal::Cleared`]
    /// once these overrides are cleared: it must be set in the next ledger's. Until
    /// [`Overrides::finish`] is called the thresholds before count as being in force still.
    pub(crate) fn set(
        &self,
        scope: Scope,
        name: &[u8],
        thresholds: Thresholds,
        setting: Setting,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<(), Refusal> {
        let change = self.changes.fetch_add(1, AcqRel) + 1;
        let shared = self.list(scope, name, hashing);
        // Until the list is replaced, a failure for want of memory has changed nothing that a
        // thread sees.
        if scope == Scope::Model && setting.oldest.is_some() {
            self.remember_models(change, setting, guard)?;
        }
        self.lower_floors(scope, thresholds);
        let replaced = loop {
            let old = shared.get(guard);
            let all = || old.into_iter().flat_map(|list| &list.overrides);
            let mine = all().find(|each| each.is(scope, name));
            let before = mine.map_or(Thresholds::default(), |mine| mine.thresholds);
            let mine = Override::replaced(mine, (scope, name), thresholds, change, setting);
            let others = all().filter(|each| !each.is(scope, name)).map(|each| each.copy(setting.oldest()));
            match List::try_new(others.chain([mine]), setting.oldest()) {
                Ok(list) => {
                    if shared.replace(old, list, guard) {
                        break Ok(before);
                    }
                }
                Err(refused) => break Err(refused),
            }
        };
        if replaced.is_ok() {
            self.lower_floors(scope, thresholds);
        }
        // A change that failed has lowered them in vain.
        self.raise_floors(scope, *replaced.as_ref().unwrap_or(&thresholds), guard);
        replaced?;
        // `clear` says so before it empties a list. A clear that comes after this look empties this
        // list too.
        if self.cleared.load(Acquire) { Err(Refusal::Cleared) } else { Ok(()) }
    }

    /// Lowers the floors to thresholds that are about to be put, or have been.
    fn lower_floors(&self, scope: Scope, thresholds: Thresholds) {
        for operation in Operation::ALL {
            if let Some(threshold) = thresholds.of(operation) {
                self.floors[operation.index()].lower(threshold);
                if scope == Scope::Model {
                    self.model_floors[operation.index()].lower(threshold);
                }
            }
        }
    }

    /// Raises the floors to the least thresholds that there are, if `gone` may have been the least.
    /// To look for the least at each call would make many calls slow.
    fn raise_floors(&self, scope: Scope, gone: Thresholds, guard: &Guard) {
        for operation in Operation::ALL {
            let i = operation.index();
            let Some(gone) = gone.of(operation) else { continue };
            if gone <= self.floors[i].get() {
                self.floors[i].raise(|| Self::least_of(self.all(None, guard), operation, self.own_floors[i]));
            }
            if scope == Scope::Model && gone <= self.model_floors[i].get() {
                let models = || self.all(Some(Scope::Model), guard);
                self.model_floors[i].raise(|| Self::least_of(models(), operation, u64::MAX));
            }
        }
    }

    /// Returns a number that no model's threshold is under.
    fn model_floor(&self, operation: Operation) -> u64 {
        let floor = self.model_floors[operation.index()].get();
        if floor == FLOOR_MOST { u64::MAX } else { floor }
    }

    /// Remembers the floors of all models, which a change is about to set.
    fn remember_models(&self, change: u64, setting: Setting, guard: &Guard) -> Result<(), OutOfMemory> {
        loop {
            let old = self.models_past.get(guard);
            let nothing = Timeline::default();
            let (past, since) = old.map_or((&nothing, 0), |old| (&old.past, old.since));
            let present = Span::since(since, Operation::ALL.map(|operation| self.model_floor(operation)));
            let models = ModelsPast {
                since: change,
                past: past.with(Some(present), setting.oldest())?,
                #[cfg(loom)]
                watch: Watch::new(Kind::Override),
            };
            if self.models_past.replace(old, Some(try_box(models)?), guard) {
                return Ok(());
            }
        }
    }

    /// Ends, at `setting.now`, the thresholds that were in force before an override was set.
    /// Without memory they count as being in force still.
    pub(crate) fn finish(
        &self,
        scope: Scope,
        name: &[u8],
        setting: Setting,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        let (change, oldest) = (self.changes.fetch_add(1, AcqRel) + 1, setting.oldest());
        let shared = self.list(scope, name, hashing);
        loop {
            let old = shared.get(guard);
            let all = || old.into_iter().flat_map(|list| &list.overrides);
            let is_mine = |each: &Override| each.is(scope, name) && each.past.is_going();
            if !all().any(is_mine) {
                break;
            }
            let finished = |each: &Override| {
                if is_mine(each) { each.finished(change, setting) } else { each.copy(oldest) }
            };
            if shared.replace(old, List::try_new(all().map(finished), oldest)?, guard) {
                break;
            }
        }
        while let Some(old) = self.models_past.get(guard).filter(|models| models.past.is_going()) {
            let models = ModelsPast {
                past: old.past.over(change, setting.now, oldest)?,
                #[cfg(loom)]
                watch: Watch::new(Kind::Override),
                ..*old
            };
            if self.models_past.replace(Some(old), Some(try_box(models)?), guard) {
                break;
            }
        }
        Ok(())
    }

    /// Returns an override; without one, thresholds that say nothing.
    pub(crate) fn get(
        &self,
        scope: Scope,
        name: &[u8],
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<Thresholds, Cleared> {
        if self.changes.load(Acquire) == 0 {
            return Ok(Thresholds::default());
        }
        let list = self.list(scope, name, hashing).get(guard);
        let found = list.and_then(|list| list.overrides.iter().find(|each| each.is(scope, name)));
        // A list may be empty because it was cleared, which `clear` says before it empties one.
        if self.cleared.load(Acquire) {
            return Err(Cleared);
        }
        Ok(found.map(|found| found.thresholds).unwrap_or_default())
    }

    /// Returns a number that no threshold is under by which a table's records may be judged: the
    /// table's, or `own`, and those of all models.
    pub(crate) fn least(
        &self,
        table: &[u8],
        operation: Operation,
        own: u64,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<u64, Cleared> {
        if self.changes.load(Acquire) == 0 {
            return Ok(own);
        }
        self.at_one_moment(|| {
            let of_models = self.model_floor(operation);
            let of_table = self.get(Scope::Table, table, hashing, guard)?.of(operation).unwrap_or(own);
            Ok(of_table.min(of_models))
        })
    }

    /// Returns the result of `read`, during which no change began. So the thresholds of tables and
    /// models that it found were in force together. (A change that is under way changes only one of
    /// the two.)
    fn at_one_moment<T>(&self, read: impl Fn() -> Result<T, Cleared>) -> Result<T, Cleared> {
        loop {
            let before = self.changes.load(Acquire);
            let found = read()?;
            if self.changes.load(Acquire) == before {
                return Ok(found);
            }
        }
    }

    /// Returns the greatest such number at any moment that is remembered.
    pub(crate) fn greatest(
        &self,
        table: &[u8],
        operation: Operation,
        setting: Setting,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<u64, Cleared> {
        if self.changes.load(Acquire) == 0 {
            return Ok(setting.own[operation.index()]);
        }
        self.at_one_moment(|| {
            let list = self.list(Scope::Table, table, hashing).get(guard);
            let found = list.and_then(|list| list.overrides.iter().find(|each| each.is(Scope::Table, table)));
            let greatest = self.greatest_of(found, operation, setting, guard);
            if self.cleared.load(Acquire) { Err(Cleared) } else { Ok(greatest) }
        })
    }

    /// Returns the same of any table.
    pub(crate) fn greatest_of_all(
        &self,
        operation: Operation,
        setting: Setting,
        guard: &Guard,
    ) -> Result<u64, Cleared> {
        self.at_one_moment(|| {
            let all = self.all(Some(Scope::Table), guard).map(Some).chain([None]);
            let greatest = all.map(|each| self.greatest_of(each, operation, setting, guard)).max();
            if self.cleared.load(Acquire) { Err(Cleared) } else { Ok(greatest.unwrap_or(0)) }
        })
    }

    /// Returns the greatest number that a table and all models allowed together; `None`: a table
    /// without an override.
    fn greatest_of(
        &self,
        table: Option<&Override>,
        operation: Operation,
        setting: Setting,
        guard: &Guard,
    ) -> u64 {
        // Read before their past. A change that sets another after this look has remembered this
        // one before.
        let present = Operation::ALL.map(|operation| self.model_floor(operation));
        let (models, nothing) = (self.models_past.get(guard), Timeline::default());
        let own = Span::since(0, setting.own);
        let of_table = table.map_or((&nothing, own), |table| (&table.past, table.present(setting)));
        let present = Span::since(models.map_or(0, |models| models.since), present);
        let of_models = (models.map_or(&nothing, |models| &models.past), present);
        timeline::greatest(of_table, of_models, operation, setting.oldest())
    }

    /// Returns the bytes that the overrides take.
    pub(crate) fn bytes(&self, guard: &Guard) -> usize {
        let models = |models: &ModelsPast| size_of::<ModelsPast>() + models.past.bytes();
        let lists = self.lists.iter().filter_map(|list| list.get(guard)).map(List::bytes);
        lists.sum::<usize>() + self.models_past.get(guard).map_or(0, models)
    }

    /// Forgets all overrides. A call that is in them meanwhile is turned away, or has come before
    /// this one.
    pub(crate) fn clear(&self, guard: &Guard) {
        self.cleared.store(true, Release);
        for list in &self.lists {
            if let Some(old) = list.swap(None) {
                old.retire(guard);
            }
        }
        if let Some(old) = self.models_past.swap(None) {
            old.retire(guard);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
