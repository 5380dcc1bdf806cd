//! Thresholds: the detector's own, and what tables and models put over them.

use crate::argument::Argument;
use crate::error::{Cleared, Error, OutOfMemory, Refusal};
use crate::key::hash::Hashing;
use crate::key::{Key, check_name};
use crate::operation::Operation;
use crate::sys::memory::{try_box, try_bytes};
use crate::sys::rcu::{RcuOption, Watched};
use crate::sys::sync::{AcqRel, Acquire, AtomicBool, AtomicU64, Release};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use crossbeam_epoch::Guard;

/// The highest threshold: 2⁶³ − 1, what a C caller can read back as `int64_t`.
pub(crate) const THRESHOLD_MAX: u64 = i64::MAX as u64;

/// The counts from which a partition is hot. `None`: the next level decides (a model's threshold wins
/// over its table's, and that over the detector's own).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Thresholds {
    /// For writes, 1 to 2⁶³ − 1.
    pub writes: Option<u64>,
    /// For reads, 1 to 2⁶³ − 1.
    pub reads: Option<u64>,
}

impl Thresholds {
    pub(crate) fn of(&self, operation: Operation) -> Option<u64> {
        match operation {
            Operation::Write => self.writes,
            Operation::Read => self.reads,
        }
    }

    /// Checks both; `names` says what the caller calls them.
    pub(crate) fn check(&self, names: [Argument; 2]) -> Result<(), Error> {
        for (threshold, name) in [self.writes, self.reads].into_iter().zip(names) {
            if threshold.is_some_and(|n| !(1..=THRESHOLD_MAX).contains(&n)) {
                return Err(Error::Invalid(name));
            }
        }
        Ok(())
    }
}

/// The kind of thing that an override is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Table,
    Model,
}

impl Scope {
    /// Returns the argument that names it.
    pub(crate) fn argument(self) -> Argument {
        match self {
            Scope::Table => Argument::Table,
            Scope::Model => Argument::Model,
        }
    }
}

/// The thresholds of one table or model.
struct Override {
    scope: Scope,
    name: Vec<u8>,
    thresholds: Thresholds,
    before: Before,
}

/// The thresholds that were in force before an override was set: the greatest of each operation, and until which second that is
/// remembered.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    greatest: [u64; 2],
    until: u32,
}

/// When an override is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) now: u32,
    /// Until when what was in force before is remembered; 0: it is not.
    pub(crate) until: u32,
    /// The detector's own thresholds.
    pub(crate) own: [u64; 2],
}

impl Setting {
    /// Returns the thresholds that were in force before `old` is replaced, or where there is none.
    fn before(&self, old: Option<&Override>) -> Before {
        let (held, thresholds) = old.map_or_else(Default::default, |old| (old.before, old.thresholds));
        let greatest = Operation::ALL.map(|operation| {
            let i = operation.index();
            let remembered = if held.until >= self.now { held.greatest[i] } else { 0 };
            thresholds.of(operation).unwrap_or(self.own[i]).max(remembered)
        });
        Before { greatest, until: self.until }
    }
}

impl Override {
    fn is(&self, scope: Scope, name: &[u8]) -> bool {
        self.scope == scope && self.name == name
    }
}

/// The overrides whose names hash alike. Replaced whole, never changed, so that the two sides of an override are
/// always read as they were set.
struct List {
    overrides: Vec<Override>,
    #[cfg(loom)]
    watch: Watch,
}

impl Watched for List {
    #[cfg(loom)]
    fn watch(&self) -> &Watch {
        &self.watch
    }
}

impl List {
    /// Makes a list of these overrides, or none if there are none.
    fn try_new<'a>(
        overrides: impl Iterator<Item = (Scope, &'a [u8], Thresholds, Before)>,
    ) -> Result<Option<Box<Self>>, OutOfMemory> {
        let mut list = Self {
            overrides: Vec::new(),
            #[cfg(loom)]
            watch: Watch::new(Kind::Override),
        };
        for (scope, name, thresholds, before) in overrides {
            list.overrides.try_reserve_exact(1)?;
            list.overrides.push(Override { scope, name: try_bytes([name])?, thresholds, before });
        }
        if list.overrides.is_empty() { Ok(None) } else { Ok(Some(try_box(list)?)) }
    }

    fn bytes(&self) -> usize {
        let each = |each: &Override| size_of::<Override>() + each.name.capacity();
        size_of::<Self>() + self.overrides.iter().map(each).sum::<usize>()
    }
}

/// Lists: with some hundred tables of their own thresholds, each is of one or two.
#[cfg(not(loom))]
const LISTS: usize = 256;
#[cfg(loom)]
const LISTS: usize = 2;

/// All overrides, read without a lock.
pub(crate) struct Overrides {
    lists: [RcuOption<List>; LISTS],
    /// How often one was set: where this is 0 there is none.
    set: AtomicU64,
    /// For each operation a number that no threshold in force is under: below it no partition is hot,
    /// and the overrides need not be looked at.
    floors: [AtomicU64; 2],
    /// The same of models alone.
    model_floors: [AtomicU64; 2],
    /// Whether the detector was cleared: these overrides are in force no more.
    cleared: AtomicBool,
}

impl Overrides {
    /// Without overrides no partition is hot below `floors`.
    pub(crate) fn new(floors: [u64; 2]) -> Self {
        Self {
            lists: std::array::from_fn(|_| RcuOption::empty()),
            set: AtomicU64::new(0),
            floors: floors.map(AtomicU64::new),
            model_floors: [u64::MAX, u64::MAX].map(AtomicU64::new),
            cleared: AtomicBool::new(false),
        }
    }

    #[inline(always)]
    pub(crate) fn floor(&self, operation: Operation) -> u64 {
        self.floors[operation.index()].load(Acquire)
    }

    fn list(&self, scope: Scope, name: &[u8], hashing: &Hashing) -> &RcuOption<List> {
        let scope: &[u8] = match scope {
            Scope::Table => b"table",
            Scope::Model => b"model",
        };
        &self.lists[hashing.key(Key { table: scope, pk: name }).position as usize % LISTS]
    }

    /// Sets both sides of an override; `None` for both removes it. Once these are cleared it must be set in the next
    /// ledger's.
    pub(crate) fn set(
        &self,
        scope: Scope,
        name: &[u8],
        thresholds: Thresholds,
        setting: Setting,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<(), Refusal> {
        for operation in Operation::ALL {
            let floor = thresholds.of(operation).unwrap_or(u64::MAX);
            self.floors[operation.index()].fetch_min(floor, AcqRel);
            if scope == Scope::Model {
                self.model_floors[operation.index()].fetch_min(floor, AcqRel);
            }
        }
        self.set.fetch_add(1, AcqRel);
        let shared = self.list(scope, name, hashing);
        loop {
            let old = shared.get(guard);
            let all = || old.into_iter().flat_map(|list| &list.overrides);
            let before = setting.before(all().find(|each| each.is(scope, name)));
            // One that was removed stays as long as it is remembered what it said.
            let is_kept = |thresholds: Thresholds, until: u32| {
                thresholds != Thresholds::default() || until > setting.now
            };
            let others = all()
                .filter(|each| !each.is(scope, name) && is_kept(each.thresholds, each.before.until))
                .map(|each| (each.scope, each.name.as_slice(), each.thresholds, each.before));
            let own = is_kept(thresholds, setting.until).then_some((scope, name, thresholds, before));
            if shared.replace(old, List::try_new(others.chain(own))?, guard) {
                // `clear` says so before it empties a list. One that comes after this look empties this list too.
                return if self.cleared.load(Acquire) { Err(Refusal::Cleared) } else { Ok(()) };
            }
        }
    }

    pub(crate) fn get(
        &self,
        scope: Scope,
        name: &[u8],
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<Thresholds, Cleared> {
        if self.set.load(Acquire) == 0 {
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

    /// A number that no threshold which a table's records may have is under: that of the table, or `own`, and those of all models.
    pub(crate) fn least(
        &self,
        table: &[u8],
        operation: Operation,
        own: u64,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<u64, Cleared> {
        let of_table = self.get(Scope::Table, table, hashing, guard)?.of(operation).unwrap_or(own);
        Ok(of_table.min(self.model_floor(operation)))
    }

    /// The greatest threshold that a table's records may have had in the time that is remembered, but for those of models.
    pub(crate) fn greatest(
        &self,
        table: &[u8],
        operation: Operation,
        setting: Setting,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<u64, Cleared> {
        let own = setting.own[operation.index()];
        if self.set.load(Acquire) == 0 {
            return Ok(own);
        }
        let list = self.list(Scope::Table, table, hashing).get(guard);
        let found = list.and_then(|list| list.overrides.iter().find(|each| each.is(Scope::Table, table)));
        let greatest = found.map_or(own, |found| setting.before(Some(found)).greatest[operation.index()]);
        if self.cleared.load(Acquire) { Err(Cleared) } else { Ok(greatest) }
    }

    /// The greatest threshold that the records of any table may have had in the time that is remembered, but for those of models.
    pub(crate) fn greatest_of_all(
        &self,
        operation: Operation,
        setting: Setting,
        guard: &Guard,
    ) -> Result<u64, Cleared> {
        let all = self.lists.iter().filter_map(|list| list.get(guard)).flat_map(|list| &list.overrides);
        let of_tables = all.filter(|each| each.scope == Scope::Table);
        let greatest = of_tables.map(|each| setting.before(Some(each)).greatest[operation.index()]);
        let greatest = greatest.fold(setting.own[operation.index()], u64::max);
        if self.cleared.load(Acquire) { Err(Cleared) } else { Ok(greatest) }
    }

    /// A number that no model's threshold is under.
    pub(crate) fn model_floor(&self, operation: Operation) -> u64 {
        self.model_floors[operation.index()].load(Acquire)
    }

    /// Bytes that the overrides take.
    pub(crate) fn bytes(&self, guard: &Guard) -> usize {
        self.lists.iter().filter_map(|list| list.get(guard)).map(List::bytes).sum()
    }

    /// Forgets all of them. A call that is in them meanwhile is turned away, or has come before this one.
    pub(crate) fn clear(&self, guard: &Guard) {
        self.cleared.store(true, Release);
        for list in &self.lists {
            if let Some(old) = list.swap(None) {
                old.retire(guard);
            }
        }
    }
}

/// Checks a name and the thresholds to set for it.
pub(crate) fn check(scope: Scope, name: &[u8], thresholds: Thresholds) -> Result<(), Error> {
    check_name(scope.argument(), name)?;
    thresholds.check([Argument::Writes, Argument::Reads])
}
