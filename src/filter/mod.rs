//! The filter: two rows of cells that all partitions share. Partitions that are far from any
//! threshold are counted here, and take no memory of their own.
//!
//! The idea is that of the Cold Filter (Zhou and others, SIGMOD 2018): most keys are never hot, so
//! something small and shared suffices to say of nearly all of them that they are not. The filter
//! is a count-min sketch (Cormode and Muthukrishnan) with plain additions, whose cells have a
//! window:
//!
//! ```text
//!  row 1   +---+---+---+---+- - -+---+     a key and an operation have one cell in each row; the
//!          |   | x |   |   |     |   |     count of the key is no more than the lesser of the two,
//!          +---+---+---+---+- - -+---+     lane by lane
//!  row 2   |   |   |   | x |     |   |
//!          +---+---+---+---+- - -+---+     a cell is one word: see [`word`]
//! ```
//!
//! A *sub-window* is half a window of seconds, rounded up. Three of them, the current one included,
//! always hold the seconds of a window, so the bound is never under the count. An example: with a
//! window of 60 a sub-window has 30 seconds. In second 95 the window begins in second 35.
//! Sub-windows 1 (seconds 30 to 59), 2 and 3 hold all of it, and at most 30 seconds more.
//!
//! A key whose bound gets near its threshold is *promoted*: it gets an entry in the map
//! ([`crate::ledger::filtering`]). A first cell has a *mark* for each of its keys that has an
//! entry.
//!
//! **Why no addition is lost.** A call adds to the second cell, then to the first, both times in
//! the lane of the same sub-window. (If a cell has moved on so far that it has that lane no more,
//! the call adds again, in the present sub-window.) Then it reads the second cell again. So of two calls that add the same key, the one
//! that comes later to the first cell sees both additions in both cells. (An increment of the
//! lesser cell alone, a *conservative update*, would not be sound, with a window or with threads.)
//!
//! ```text
//! call A   second += 1               first += 1: 1              reads second: 2      bound 1
//! call B                second += 1               first += 1: 2   reads second: 2    bound 2
//! ```
//!
//! **Invariants.**
//! 1. Both additions of a call are in lanes of one sub-window, or the call adds again. Nothing is
//!    subtracted.
//! 2. A first cell has as many marks as its keys have entries, or more: a mark is put there before
//!    an entry is inserted, and taken off after the entry went. (A cell that has the most marks
//!    that fit keeps them.)
//! 3. Take a call that finds no entry, and then adds to a first cell that has not changed since the
//!    look. Either its key still has no entry at that addition, or the thread that has inserted one
//!    sees the addition: it disturbs the cell after the insert, and then reads both cells.
//! 4. A word that was seen in a first cell never comes back while a call may compare with it: a
//!    thread that disturbs the cell, or takes a mark off, adds 1 to it.
//!
//! **Proof.** `src/models/{filter,filtering}.rs`; `tests/bounded`; the simulator `benches/bounded`.
//!
//! **What may go in**: what holds of cells. It knows no map, and no threshold.

pub(crate) mod word;

use crate::error::OutOfMemory;
use crate::filter::word::{LANES, MOST, SubWindow, Word};
use crate::key::hash::Hash;
use crate::operation::Operation;
use crate::sys::memory::prefetch_to_write;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};
use std::num::NonZeroU32;

/// Returns the seconds in a sub-window.
pub(crate) fn sub_window_seconds(window: u32) -> u32 {
    window.div_ceil(2)
}

/// Returns the most seconds for which the filter holds what is added now.
pub(crate) fn held_seconds(window: u32) -> u32 {
    LANES * sub_window_seconds(window)
}

/// A filter for one window.
pub(crate) struct Filter {
    /// Both rows, one after the other.
    cells: Box<[AtomicU64]>,
    /// The number of a row's cells, which is a power of two, less one.
    mask: u32,
    seconds: NonZeroU32,
}

/// The two cells of a key and an operation.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'f> {
    first: &'f AtomicU64,
    second: &'f AtomicU64,
}

/// The outcome of an addition.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// Both cells have the amount. This is the bound: the most that the key has, with this amount.
    Bounded(u32),
    /// The first cell has other marks or, if it has any, has changed at all. So the key may have
    /// been promoted. Only the second cell has the amount.
    Changed,
    /// A cell is ahead of the sub-window. It is not sure that either has the amount in the right
    /// lane.
    Ahead,
}

impl Filter {
    /// Makes a filter of two rows of `row` cells, a power of two, for a window of `window` seconds.
    pub(crate) fn try_new(row: u32, window: u32) -> Result<Self, OutOfMemory> {
        debug_assert!(row.is_power_of_two());
        let seconds = NonZeroU32::new(sub_window_seconds(window)).expect("a window has a second at least");
        let n = 2 * row as usize;
        let mut cells = Vec::new();
        cells.try_reserve_exact(n)?;
        cells.resize_with(n, || AtomicU64::new(0));
        Ok(Self { cells: cells.into_boxed_slice(), mask: row - 1, seconds })
    }

    /// Returns how many bytes the cells of such a filter take.
    pub(crate) fn bytes(row: u32) -> u64 {
        2 * u64::from(row) * size_of::<u64>() as u64
    }

    /// Returns the sub-window of a second in a generation. Each generation numbers sub-windows
    /// [`LANES`] higher than the one before, so that cells hold nothing of that one.
    #[inline(always)]
    pub(crate) fn sub_window(&self, second: u32, generation: u32) -> SubWindow {
        SubWindow::new((second / self.seconds).wrapping_add(generation.wrapping_mul(LANES)))
    }

    /// Returns the cells of a key and an operation.
    #[inline(always)]
    pub(crate) fn pair(&self, hash: Hash, operation: Operation) -> Pair<'_> {
        let [first, second] = hash.cells(operation);
        // The masks keep both within the rows.
        let (first, second) = (first & self.mask, (second & self.mask) + self.mask + 1);
        Pair { first: &self.cells[first as usize], second: &self.cells[second as usize] }
    }

    /// Returns how many bytes this filter's cells take.
    pub(crate) fn size(&self) -> u64 {
        Self::bytes(self.mask + 1)
    }

    /// Moves each cell that holds anything on to the present sub-window, so that no count that is
    /// over comes round to look new. `now` reads the clock.
    pub(crate) fn refresh(&self, now: impl Fn() -> SubWindow) {
        for cell in &self.cells {
            if !Word(cell.load(Acquire)).is_empty() {
                // The clock is read after each cell. By an older reading, of a thread that stood
                // still, a cell of the present could look old.
                change(cell, |word| Some(word.refreshed(now())));
            }
        }
    }

    /// Returns the most that any key can have in a window that ends during the call; [`MOST`] if a
    /// lane is full in both rows. `now` reads the clock. It is asked again if a cell has moved on.
    pub(crate) fn most(&self, now: impl Fn() -> SubWindow) -> u32 {
        let mut at = now();
        let mut row = |cells: &[AtomicU64]| {
            let mut most = 0;
            for cell in cells {
                let word = look(cell, &mut at, &now).refreshed(at);
                most = most.max(Word::bound_of_same(word, word));
            }
            most
        };
        let (first, second) = self.cells.split_at(self.cells.len() / 2);
        row(first).min(row(second))
    }

    /// Returns the mean count of all cells. `now` reads the clock.
    pub(crate) fn mean(&self, now: impl Fn() -> SubWindow) -> f64 {
        let (mut at, mut sum) = (now(), 0);
        self.cells.iter().for_each(|cell| sum += look(cell, &mut at, &now).sum(at));
        sum as f64 / self.cells.len() as f64
    }
}

impl Pair<'_> {
    /// Asks for the memory of both cells.
    #[inline(always)]
    pub(crate) fn prefetch(self) {
        prefetch_to_write(self.first);
        prefetch_to_write(self.second);
    }

    /// Reads the first cell. The word is handed to `add` once the map has been looked at.
    #[inline(always)]
    pub(crate) fn look(self) -> Word {
        Word(self.first.load(Acquire))
    }

    /// Adds in the way that nearly all additions take, and returns the bound. `None`: it is not
    /// sure that both cells have the amount, so the caller adds it again. That may cost a bound
    /// that is too high for a window.
    #[inline(always)]
    pub(crate) fn add_fast(self, at: SubWindow, amount: u32) -> Option<u32> {
        let (first, second) = (self.look(), Word(self.second.load(Acquire)));
        if !Word::take_blindly(first, second, at, amount) {
            return None;
        }
        // Second, then first: a call that finds an addition in the first cell finds it in the
        // second too.
        let second = Word(self.second.fetch_add(amount.into(), AcqRel));
        let first = Word(self.first.fetch_add(amount.into(), AcqRel));
        // The words that both additions found tell whether either cell has moved on to another
        // sub-window since the look, and whether the key may have been promoted.
        if !Word::took_blindly(first, second, at) {
            return None;
        }
        let (first, second) = (Word(first.0 + u64::from(amount)), Word(self.second.load(Acquire)));
        // Its own amount is in the count, even where a cell has come all the way round since: see
        // `docs/design/limits.md`.
        if second.sub_window() == at {
            return Some(Word::bound_of_same(first, second).max(amount));
        }
        // It may have moved on so far that it holds this addition no more.
        (!second.is_far_ahead(at)).then(|| Word::bound(first, second, at).max(amount))
    }

    /// Adds at a sub-window, if the first cell still is `seen` as far as that matters: a cell
    /// without marks still has none, one with marks has not changed at all. `in_second`: the second
    /// cell has the amount already.
    pub(crate) fn add(self, seen: Word, at: SubWindow, amount: u32, in_second: bool) -> Added {
        if !in_second && !change(self.second, |word| word.added(at, amount)) {
            return Added::Ahead;
        }
        let mut word = seen;
        loop {
            let Some(new) = word.added(at, amount) else { return Added::Ahead };
            match self.first.compare_exchange(word.0, new.0, AcqRel, Acquire) {
                Ok(_) => {
                    let second = Word(self.second.load(Acquire));
                    // It may have moved on so far that it holds this addition no more.
                    let is_over = second.is_far_ahead(at);
                    return if is_over { Added::Ahead } else { Added::Bounded(Word::bound(new, second, at)) };
                }
                // With marks any change may be an insert of this key. Without, only a mark can be.
                Err(now) if seen.has_marks() || !Word(now).has_marks_of(seen) => return Added::Changed,
                Err(now) => word = Word(now),
            }
        }
    }

    /// Begins cells anew that are so old that they look as if they were ahead. `now` reads the
    /// clock, after the cell: a word that is ahead of that is of long ago.
    pub(crate) fn restart(self, now: impl Fn() -> SubWindow) {
        for cell in [self.second, self.first] {
            change(cell, |word| Some(word.refreshed(now())));
        }
    }

    /// Adds the amount that an entry had in a sub-window. `now` reads the clock.
    pub(crate) fn give_back(self, at: SubWindow, amount: u32, now: impl Fn() -> SubWindow) {
        if at.since(now()) > 0 {
            return; // So long ago that it looks yet to come. No cell may move on to it.
        }
        for cell in [self.second, self.first] {
            change(cell, |word| Some(word.refreshed(now()).with(at, amount)));
        }
    }

    /// Returns the most that the key can have in the window that ends in `at` or, if a cell has
    /// moved on since, in the present sub-window. `now` reads that from the clock. (One cell may
    /// have moved on between the looks at both. Then the bound at `at` would be that of no single
    /// moment.)
    pub(crate) fn bound(self, mut at: SubWindow, now: impl Fn() -> SubWindow) -> u32 {
        loop {
            let (first, second) = (self.look(), Word(self.second.load(Acquire)));
            if first.sub_window().since(at) <= 0 && second.sub_window().since(at) <= 0 {
                return Word::bound(first, second, at);
            }
            let now = now();
            if now == at {
                // What is ahead is of long ago.
                return Word::bound_of_same(first.refreshed(at), second.refreshed(at));
            }
            at = now;
        }
    }

    /// Marks the first cell, for a key that is about to be promoted.
    pub(crate) fn mark(self) {
        change(self.first, |word| Some(word.marked()));
    }

    /// Changes the first cell, so that all calls that have looked at it and not added to it yet
    /// look in the map again.
    pub(crate) fn disturb(self) {
        change(self.first, |word| Some(word.disturbed()));
    }

    /// Takes a mark off the first cell, for a key that has no entry any more, or has got none.
    /// `now` reads the clock.
    pub(crate) fn unmark(self, now: impl Fn() -> SubWindow) {
        change(self.first, |word| Some(word.refreshed(now()).unmarked()));
    }
}

/// Returns a cell's word. If it is ahead of `at`, reads the clock again: it may have moved on since.
fn look(cell: &AtomicU64, at: &mut SubWindow, now: impl Fn() -> SubWindow) -> Word {
    let word = Word(cell.load(Acquire));
    if word.sub_window().since(*at) > 0 {
        *at = now();
    }
    word
}

/// Puts the result of `new` in the place of a cell's word. Returns `false` if there is none. `new`
/// is called after the cell was read, and again if the cell has changed.
fn change(cell: &AtomicU64, new: impl Fn(Word) -> Option<Word>) -> bool {
    let mut word = cell.load(Acquire);
    loop {
        let Some(new) = new(Word(word)) else { return false };
        match cell.compare_exchange(word, new.0, AcqRel, Acquire) {
            Ok(_) => return true,
            Err(now) => word = now,
        }
    }
}

/// Returns a bound as a count. If a lane is full, its amount is not known. Then the count is `hot`,
/// or that of three full lanes if that is more.
pub(crate) fn count(bound: u32, hot: u64) -> u64 {
    if bound == MOST { hot.max(u64::from(LANES) << 15) } else { bound.into() }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// A thread stood still between two cells, while others cleared 171 times. It took the second
    /// cell, of the present, for an old one, and emptied it.
    #[test]
    fn a_refresh_that_stands_still_empties_no_cell_of_the_present() {
        let filter = Filter::try_new(1, 1).unwrap();
        let pair = filter.pair(Hash::new(0), Operation::Read);
        let at = SubWindow::new;
        assert_eq!(pair.add(pair.look(), at(0), 7, false), Added::Bounded(7));
        let has_stood = std::cell::Cell::new(false);
        filter.refresh(|| {
            if !has_stood.replace(true) {
                pair.restart(|| at(513));
                assert_eq!(pair.add(pair.look(), at(513), 5, false), Added::Bounded(5));
                return at(0);
            }
            at(513)
        });
        assert_eq!(pair.bound(at(513), || at(513)), 5);
    }

    /// A cell that moved on during the walk was taken for one of long ago, and for empty.
    #[test]
    fn the_most_has_cells_that_move_on_meanwhile() {
        let filter = Filter::try_new(1, 1).unwrap();
        let pair = filter.pair(Hash::new(0), Operation::Read);
        let at = SubWindow::new;
        let has_read = std::cell::Cell::new(false);
        let most = filter.most(|| {
            if has_read.replace(true) {
                return at(1);
            }
            assert_eq!(pair.add(pair.look(), at(1), 5, false), Added::Bounded(5));
            at(0)
        });
        assert_eq!(most, 5);
        has_read.set(false);
        let mean = filter.mean(|| at(has_read.replace(true).into()));
        assert_eq!(mean, 5.0, "of one cell in each row");
    }

    /// The cells moved on to it, and what others had was over.
    #[test]
    fn what_comes_back_of_long_ago_is_not_of_the_future() {
        let filter = Filter::try_new(1, 1).unwrap();
        let pair = filter.pair(Hash::new(0), Operation::Read);
        let at = SubWindow::new;
        pair.restart(|| at(600));
        assert_eq!(pair.add(pair.look(), at(600), 7, false), Added::Bounded(7));
        pair.give_back(at(0), 5, || at(600));
        assert_eq!(pair.bound(at(600), || at(600)), 7);
    }
}
