//! Thresholds: the detector's own, and what tables and models put over them.

use crate::argument::Argument;
use crate::error::{Cleared, Error, OutOfMemory, Refusal};
use crate::key::hash::Hashing;
use crate::key::{Key, check_name};
use crate::operation::Operation;
use crate::sys::memory::{try_box, try_bytes};
use crate::sys::sync::{AcqRel, Acquire, AtomicPtr, AtomicU64};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use crossbeam_epoch::Guard;
use std::ptr::null_mut;

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

/// What an override is for.
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

/// One override, in a list of those whose names hash alike. Replaced with all of its list, never changed, so
/// that its two sides are always read as they were set.
struct Override {
    scope: Scope,
    name: Vec<u8>,
    thresholds: Thresholds,
    next: *mut Override,
    #[cfg(loom)]
    watch: Watch,
}

impl Override {
    fn create(
        scope: Scope,
        name: &[u8],
        thresholds: Thresholds,
        next: *mut Override,
    ) -> Result<*mut Self, OutOfMemory> {
        Ok(Box::into_raw(try_box(Self {
            scope,
            name: try_bytes([name])?,
            thresholds,
            next,
            #[cfg(loom)]
            watch: Watch::new(Kind::Override),
        })?))
    }

    fn is(&self, scope: Scope, name: &[u8]) -> bool {
        self.scope == scope && self.name == name
    }
}

/// # Safety
/// The list that `first` begins lives through `'g`.
unsafe fn list<'g>(first: *mut Override) -> impl Iterator<Item = &'g Override> {
    // SAFETY: as the caller promises; lists end in null.
    let all = std::iter::successors(unsafe { first.as_ref() }, |each| unsafe { each.next.as_ref() });
    #[cfg(loom)]
    let all = all.inspect(|each| each.watch.touch());
    all
}

/// # Safety
/// Nobody uses the list any more.
unsafe fn free(first: *mut Override) {
    let mut next = first;
    while !next.is_null() {
        #[cfg(loom)]
        // SAFETY: as the caller promises, it is there still.
        if unsafe { &*next }.watch.free() {
            // SAFETY: as above.
            next = unsafe { &*next }.next;
            continue;
        }
        // SAFETY: each came from a box, and the caller gives them up.
        next = unsafe { Box::from_raw(next) }.next;
    }
}

/// What begins the lists of a detector that was cleared.
fn cleared() -> *mut Override {
    std::ptr::without_provenance_mut(align_of::<Override>())
}

/// Lists: with some hundred tables of their own thresholds, each is of one or two.
#[cfg(not(loom))]
const LISTS: usize = 256;
#[cfg(loom)]
const LISTS: usize = 2;

/// All overrides, read without a lock.
pub(crate) struct Overrides {
    lists: [AtomicPtr<Override>; LISTS],
    /// How often one was set: where this is 0 there is none.
    set: AtomicU64,
    /// For each operation a number that no threshold in force is under: below it nobody is hot,
    /// and the overrides need not be looked at.
    floors: [AtomicU64; 2],
}

impl Overrides {
    /// Without overrides nobody is hot below `floors`.
    pub(crate) fn new(floors: [u64; 2]) -> Self {
        Self {
            lists: std::array::from_fn(|_| AtomicPtr::new(null_mut())),
            set: AtomicU64::new(0),
            floors: floors.map(AtomicU64::new),
        }
    }

    #[inline(always)]
    pub(crate) fn floor(&self, operation: Operation) -> u64 {
        self.floors[operation.index()].load(Acquire)
    }

    fn list(&self, scope: Scope, name: &[u8], hashing: &Hashing) -> &AtomicPtr<Override> {
        let scope: &[u8] = match scope {
            Scope::Table => b"table",
            Scope::Model => b"model",
        };
        &self.lists[hashing.key(Key { table: scope, pk: name }).position as usize % LISTS]
    }

    /// Sets both sides of an override; `None` for both removes it.
    pub(crate) fn set(
        &self,
        scope: Scope,
        name: &[u8],
        thresholds: Thresholds,
        hashing: &Hashing,
        guard: &Guard,
    ) -> Result<(), Refusal> {
        for operation in Operation::ALL {
            let floor = thresholds.of(operation).unwrap_or(u64::MAX);
            self.floors[operation.index()].fetch_min(floor, AcqRel);
        }
        self.set.fetch_add(1, AcqRel);
        let place = self.list(scope, name, hashing);
        loop {
            let old = place.load(Acquire);
            if old == cleared() {
                return Err(Refusal::Cleared);
            }
            let mut new = null_mut();
            // SAFETY: a list is retired after it was replaced: it lives while the guard does.
            let others = unsafe { list(old) }
                .filter(|each| !each.is(scope, name))
                .map(|each| (each.scope, each.name.as_slice(), each.thresholds));
            let own = (thresholds != Thresholds::default()).then_some((scope, name, thresholds));
            for (scope, name, thresholds) in others.chain(own) {
                match Override::create(scope, name, thresholds, new) {
                    Ok(longer) => new = longer,
                    Err(OutOfMemory) => {
                        // SAFETY: nobody has seen it.
                        unsafe { free(new) };
                        return Err(Refusal::Memory);
                    }
                }
            }
            if place.compare_exchange(old, new, AcqRel, Acquire).is_ok() {
                // SAFETY: this thread took it out.
                unsafe { guard.defer_unchecked(move || free(old)) };
                return Ok(());
            }
            // SAFETY: nobody has seen it.
            unsafe { free(new) };
        }
    }

    pub(crate) fn get(
        &self,
        scope: Scope,
        name: &[u8],
        hashing: &Hashing,
        _guard: &Guard,
    ) -> Result<Thresholds, Cleared> {
        if self.set.load(Acquire) == 0 {
            return Ok(Thresholds::default());
        }
        let first = self.list(scope, name, hashing).load(Acquire);
        if first == cleared() {
            return Err(Cleared);
        }
        // SAFETY: as in `set`.
        let found = unsafe { list(first) }.find(|each| each.is(scope, name));
        Ok(found.map(|found| found.thresholds).unwrap_or_default())
    }

    /// Bytes that the overrides take.
    pub(crate) fn bytes(&self, _guard: &Guard) -> usize {
        let firsts = self.lists.iter().map(|place| place.load(Acquire)).filter(|&first| first != cleared());
        // SAFETY: as in `set`.
        let all = firsts.flat_map(|first| unsafe { list(first) });
        all.map(|each| size_of::<Override>() + each.name.capacity()).sum()
    }

    pub(crate) fn clear(&self, guard: &Guard) {
        for place in &self.lists {
            let old = place.swap(cleared(), AcqRel);
            if !old.is_null() && old != cleared() {
                // SAFETY: this thread took it out.
                unsafe { guard.defer_unchecked(move || free(old)) };
            }
        }
    }
}

impl Drop for Overrides {
    fn drop(&mut self) {
        for place in &self.lists {
            let first = place.load(Acquire);
            if first != cleared() {
                // SAFETY: whoever drops the overrides is the last to use them.
                unsafe { free(first) };
            }
        }
    }
}

/// Checks a name and the thresholds to set for it.
pub(crate) fn check(scope: Scope, name: &[u8], thresholds: Thresholds) -> Result<(), Error> {
    check_name(scope.argument(), name)?;
    thresholds.check([Argument::Writes, Argument::Reads])
}
