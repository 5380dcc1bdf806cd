//! The queue of what waits: parts of requests on tables whose key is not known yet, until it is.
//!
//! The idea: an attempt is kept as it came, with the names of the tables that it waits for. When a
//! table's key gets known, its parts are worked out by the same function that works out a request
//! (`attribution`), so they come to what they would have come to at once. An attempt on several
//! tables is kept until the last of them is known.
//!
//! ```text
//!   oldest                                   newest
//!  +-----------+-----------+------+-----------+        tables
//!  | then 3.2  | then 3.4  |      | then 9.0  |        T  2 parts, asked for at 3.2
//!  | T, U      | T         | (let | U         |        U  2 parts, asked for at 9.0
//!  | text      | text      |  go) | text      |        V  forgotten
//!  +-----------+-----------+------+-----------+
//! ```
//!
//! Invariants:
//! - A request whose keys are known does not come here, so it takes no lock.
//! - Nothing is called under the lock that could come back here: no callback.
//! - What waits is bounded, by parts and by bytes. The oldest are tallied before they go.
//! - A forked child starts with nothing. Its parent's queue may be half changed, under the lock of
//!   a thread that the child does not have: the child leaves it alone.
//!
//! Proof: `tests/waits`, against an oracle, and the fuzz target `waits`.

use crate::dynamodb::attempt::{Attempt, Given, Waits};
use crate::error::OutOfMemory;
use crate::key::hash::random_word;
use crate::sys::clock::{Clock, Moment};
use crate::sys::epoch;
use crate::sys::lock::{Lock, Locked};
use crate::sys::memory::{try_box, try_text};
use crate::sys::sync::{AcqRel, Acquire, AtomicBool, AtomicPtr, Release};
use ahash::RandomState;
use std::collections::{HashMap, VecDeque};

/// The most parts that wait.
const PARTS_MAX: u64 = 10_000;
/// The most bytes that they take: the texts of requests and responses, and names of tables.
const BYTES_MAX: usize = 32 << 20;
/// The least time between two times that a table is asked for, in milliseconds.
const ASK_MS: u64 = 60_000;
/// The empty places that are tolerated in the queue, besides one for each attempt in it.
const GONE_MAX: usize = 1_000;
/// The number of known tables at which those go that were only asked for once. If most are waited
/// for or forgotten, twice the number of these.
const TABLES_MAX: usize = 10_000;

/// The state of a table that is waited for, or was.
#[derive(Default)]
struct Table {
    /// How many parts wait for it.
    parts: u64,
    /// When it was asked for last.
    asked_ms: Option<u64>,
    /// Whether a caller said that its key will not be known.
    forgotten: bool,
}

/// The queue, and the tables that it is about.
struct State {
    /// In the order of their moments. Each has a number, which stays the same while others go.
    /// `None` is the empty place of one that went from the midst.
    attempts: VecDeque<(u64, Option<Attempt>)>,
    /// How many attempts are in their places.
    live: usize,
    /// The number of the next attempt.
    next: u64,
    parts: u64,
    bytes: usize,
    tables: HashMap<String, Table, RandomState>,
    /// The number of tables at which those that need not be kept go: at least [`TABLES_MAX`].
    tables_max: usize,
}

/// The state of one process, of a family that `fork` made.
struct Books {
    /// The process whose state it is, as [`epoch::forks`] tells it.
    forks: u64,
    state: Lock<State>,
}

/// All that waits in a detector.
pub(crate) struct Waiting {
    /// Never null. A child of `fork` puts its own in place of its parent's.
    books: AtomicPtr<Books>,
    /// Whether there may be anything to drop. So a clear takes no lock where nothing has waited,
    /// and no thread that stands still can stop it.
    in_use: AtomicBool,
}

/// Tallies parts of a table that will not be read: how many writes, and how many reads.
pub(crate) type Tally<'t, E> = &'t mut dyn FnMut(&str, [u64; 2]) -> Result<(), E>;

impl Waiting {
    pub(crate) fn try_new() -> Result<Self, OutOfMemory> {
        let books = AtomicPtr::new(Box::into_raw(Books::try_new()?));
        Ok(Self { books, in_use: AtomicBool::new(false) })
    }

    /// Locks this process's state, which a child of `fork` makes first.
    fn lock(&self) -> Result<Locked<'_, State>, OutOfMemory> {
        loop {
            let seen = self.books.load(Acquire);
            // SAFETY: it came from a box, which is freed with the detector, or never if it is the
            // parent's.
            let books = unsafe { &*seen };
            if books.forks == epoch::forks() {
                // A panic while the lock was held has left nothing half changed that matters.
                return Ok(books.state.lock());
            }
            let new = Box::into_raw(Books::try_new()?);
            if self.books.compare_exchange(seen, new, AcqRel, Acquire).is_err() {
                // SAFETY: it came from a box, and no other thread has seen it.
                drop(unsafe { Box::from_raw(new) });
            }
        }
    }

    /// Makes parts of an attempt wait, as of this moment. Where there is no room, the oldest are
    /// tallied and go. Parts of forgotten tables are tallied at once. Returns how many actions
    /// wait.
    pub(crate) fn push<E: From<OutOfMemory>>(
        &self,
        given: Given<'_>,
        mut waits: Vec<Waits>,
        clock: &Clock,
        tally: Tally<'_, E>,
    ) -> Result<u64, E> {
        let mut state = self.lock()?;
        let is_forgotten = |one: &Waits| state.tables.get(&one.table).is_some_and(|table| table.forgotten);
        waits.iter().filter(|one| is_forgotten(one)).try_for_each(|one| tally(&one.table, one.parts))?;
        // A response may return items of a table that was not asked for: nothing of that waits.
        waits.retain(|one| one.total() > 0 && !is_forgotten(one));
        let actions = waits.iter().map(|one| one.actions).sum();
        // The clock is read under the lock, so that the attempts are in order.
        let attempt = Attempt::try_new(given, waits, clock.now())?;
        let (parts, bytes) = (attempt.parts(), attempt.bytes());
        // An attempt that would not fit into the empty queue pushes nothing out.
        if parts > PARTS_MAX || bytes > BYTES_MAX {
            attempt.waits.iter().try_for_each(|one| tally(&one.table, one.parts))?;
            return Ok(0);
        }
        if parts > 0 {
            // Before there is anything, so that a clear that follows will look.
            self.in_use.store(true, Release);
            while state.parts + parts > PARTS_MAX || state.bytes + bytes > BYTES_MAX {
                state.let_oldest_go(tally)?;
            }
            state.put(attempt)?;
        }
        Ok(actions)
    }

    /// Returns which of these tables to ask for now: parts wait for them, and they were not asked
    /// for in the last minute. They count as asked for from now on.
    pub(crate) fn ask(&self, mut tables: Vec<String>, now_ms: u64) -> Result<Vec<String>, OutOfMemory> {
        let mut state = self.lock()?;
        tables.retain(|name| {
            let Some(table) = state.tables.get_mut(name) else { return false };
            let asks = table.parts > 0
                && table.asked_ms.is_none_or(|before| now_ms.saturating_sub(before) >= ASK_MS);
            if asks {
                table.asked_ms = Some(now_ms);
            }
            asks
        });
        Ok(tables)
    }

    /// Takes out the oldest parts of a table of which `read` makes something, and returns that. The
    /// search begins with the attempt of number `from`, which moves behind the one taken: the next
    /// call goes on there. Nothing that `read` calls may come back here.
    pub(crate) fn take<T, E: From<OutOfMemory>>(
        &self,
        table: &str,
        from: &mut u64,
        mut read: impl FnMut(Given<'_>, Moment, &Waits) -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let mut state = self.lock()?;
        while let Some(at) = state.find(table, from) {
            let Some(attempt) = &state.attempts[at.0].1 else { continue };
            if let Some(taken) = read(attempt.given(), attempt.then, &attempt.waits[at.1])? {
                state.remove(at);
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// Notes that as much of a table's key is known as will be: the table is not forgotten any
    /// more. If `told_all`, it is asked for at once when parts wait again; if not, that would be in
    /// vain.
    pub(crate) fn settle(&self, table: &str, told_all: bool) -> Result<(), OutOfMemory> {
        let mut state = self.lock()?;
        if let Some(known) = state.tables.get_mut(table) {
            known.forgotten = false;
            if known.parts == 0 && told_all {
                state.tables.remove(table);
            }
        }
        Ok(())
    }

    /// Tallies the parts that wait for a table, and notes that later ones are to be tallied too.
    pub(crate) fn forget<E: From<OutOfMemory>>(&self, table: &str, tally: Tally<'_, E>) -> Result<(), E> {
        let mut state = self.lock()?;
        state.make(table)?.forgotten = true;
        let mut from = 0;
        while let Some(at) = state.find(table, &mut from) {
            if let Some(attempt) = &state.attempts[at.0].1 {
                tally(table, attempt.waits[at.1].parts)?;
                state.remove(at);
            }
        }
        Ok(())
    }

    /// Drops all that waits. An attempt that begins to wait meanwhile comes after that, and stays.
    pub(crate) fn clear(&self) -> Result<(), OutOfMemory> {
        if !self.in_use.load(Acquire) {
            return Ok(());
        }
        let mut state = self.lock()?;
        self.in_use.store(false, Release);
        // The texts are freed after the lock: there may be 32 MiB of them.
        let dropped = std::mem::take(&mut state.attempts);
        (state.live, state.parts, state.bytes) = (0, 0, 0);
        state.tables.retain(|_, table| {
            *table = Table { forgotten: table.forgotten, ..Table::default() };
            table.forgotten
        });
        drop(state);
        drop(dropped);
        Ok(())
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let books = self.books.load(Acquire);
        // SAFETY: it came from a box. A child leaves its parent's alone.
        unsafe {
            if (*books).forks == epoch::forks() {
                drop(Box::from_raw(books));
            }
        }
    }
}

impl Books {
    fn try_new() -> Result<Box<Self>, OutOfMemory> {
        // From `std`'s own randomness: names of tables may come from strangers.
        let hasher = RandomState::with_seeds(random_word(), random_word(), random_word(), random_word());
        let tables = HashMap::with_hasher(hasher);
        let state = State {
            attempts: VecDeque::new(),
            live: 0,
            next: 0,
            parts: 0,
            bytes: 0,
            tables,
            tables_max: TABLES_MAX,
        };
        try_box(Self { forks: epoch::forks(), state: Lock::new(state) })
    }
}

impl State {
    /// Returns the state of a table, made if there is none.
    fn make(&mut self, name: &str) -> Result<&mut Table, OutOfMemory> {
        if !self.tables.contains_key(name) {
            self.tables.try_reserve(1)?;
            self.tables.insert(try_text([name])?, Table::default());
        }
        self.tables.get_mut(name).ok_or(OutOfMemory)
    }

    /// Adds an attempt. Everything that may want memory comes first, so that it is added whole or
    /// not.
    fn put(&mut self, attempt: Attempt) -> Result<(), OutOfMemory> {
        self.attempts.try_reserve(1)?;
        if self.tables.len() >= self.tables_max {
            self.tables.retain(|_, table| table.parts > 0 || table.forgotten);
            // If most of them stay, they are not looked at again each time.
            self.tables_max = TABLES_MAX.max(2 * self.tables.len());
        }
        for waits in &attempt.waits {
            self.make(&waits.table)?;
        }
        for waits in &attempt.waits {
            if let Some(table) = self.tables.get_mut(&waits.table) {
                table.parts += waits.total();
            }
        }
        self.parts += attempt.parts();
        self.bytes += attempt.bytes();
        self.attempts.push_back((self.next, Some(attempt)));
        self.live += 1;
        self.next += 1;
        Ok(())
    }

    /// Finds the next attempt that waits for a table, from the number `from` on, and moves `from`
    /// behind it. Returns the attempt's place, and in it the table's.
    fn find(&self, table: &str, from: &mut u64) -> Option<(usize, usize)> {
        if self.tables.get(table)?.parts == 0 {
            return None;
        }
        let start = self.attempts.partition_point(|(number, _)| number < from);
        let of =
            |attempt: &Option<Attempt>| attempt.as_ref()?.waits.iter().position(|waits| waits.table == table);
        let mut attempts = self.attempts.iter().enumerate().skip(start);
        let (at, of, number) =
            attempts.find_map(|(at, (number, attempt))| Some((at, of(attempt)?, number)))?;
        *from = number + 1;
        Some((at, of))
    }

    /// Removes the parts of one table from an attempt, and the attempt with its last parts.
    fn remove(&mut self, (at, of): (usize, usize)) {
        let Some(attempt) = &mut self.attempts[at].1 else { return };
        let before = attempt.bytes();
        let waits = attempt.waits.swap_remove(of);
        let left = if attempt.waits.is_empty() { 0 } else { attempt.bytes() };
        if left == 0 {
            self.attempts[at].1 = None;
            self.live -= 1;
        }
        self.bytes -= before - left;
        self.parts -= waits.total();
        if let Some(table) = self.tables.get_mut(&waits.table) {
            table.parts -= waits.total();
        }
        while let Some((_, None)) = self.attempts.front() {
            self.attempts.pop_front();
        }
        // One old attempt that is never released would keep the places of all that came after it.
        if self.attempts.len() > 2 * self.live + GONE_MAX {
            self.attempts.retain(|(_, attempt)| attempt.is_some());
        }
    }

    /// Tallies the parts of the oldest attempt, table by table, and lets it go.
    fn let_oldest_go<E>(&mut self, tally: Tally<'_, E>) -> Result<(), E> {
        loop {
            let Some((_, Some(oldest))) = self.attempts.front() else { return Ok(()) };
            let of = oldest.waits.len() - 1;
            tally(&oldest.waits[of].table, oldest.waits[of].parts)?;
            self.remove((0, of));
            if of == 0 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(waiting: &Waiting, table: &str, clock: &Clock) {
        let given =
            Given { operation: b"PutItem", request: b"{}", response: None, model: None, http_status: 0 };
        let waits = |table: &str, parts| Waits { table: table.to_owned(), parts: [parts, 0], actions: parts };
        // Of the latter nothing was asked.
        let waits = vec![waits(table, 1), waits("returned", 0)];
        let tally: Tally<'_, OutOfMemory> = &mut |_, _| Ok(());
        assert_eq!(waiting.push(given, waits, clock, tally), Ok(1));
    }

    /// Others kept their places, and each search went past all of them.
    #[test]
    fn one_that_stays_keeps_no_places_of_others() {
        let (waiting, clock) = (Waiting::try_new().unwrap(), Clock::manual());
        push(&waiting, "stays", &clock);
        for _ in 0..10 * GONE_MAX {
            push(&waiting, "goes", &clock);
            let taken = waiting.take("goes", &mut 0, |_, _, _| Ok::<_, OutOfMemory>(Some(())));
            assert_eq!(taken, Ok(Some(())));
        }
        assert!(waiting.lock().unwrap().attempts.len() <= GONE_MAX + 2);
        let taken = waiting.take("stays", &mut 0, |_, _, _| Ok::<_, OutOfMemory>(Some(())));
        assert_eq!(taken, Ok(Some(())));
        let state = waiting.lock().unwrap();
        assert_eq!((state.attempts.len(), state.live, state.parts, state.bytes), (0, 0, 0, 0));
    }
}
