//! Models of a filter's cells alone: no addition is missing from a bound.
//!
//! An addition goes to a key's second cell, then to its first, and then reads the second again
//! (`filter/mod.rs` says why). These models put another thread between any two of these steps: one
//! that adds too, moves the cell on to a later sub-window, sets a mark, or gives back what an entry
//! had.
//!
//! The window is one second, and so is a sub-window. There is one cell in each row, so all keys
//! share both cells; in a real filter that is the worst case.

use super::{Stage, explore};
use crate::filter::word::SubWindow;
use crate::filter::{Added, Filter, Pair};
use crate::key::hash::Hash;
use crate::operation::Operation::Write;
use crate::sys::sync::{Acquire, AtomicBool, Release};
use loom::thread;
use std::sync::Arc;

/// Makes a filter of one cell in a row. The window has one second, and so has a sub-window.
fn cells() -> Stage<Filter> {
    Stage::new(Filter::try_new(1, 1).unwrap())
}

/// Returns the two cells that every key has.
fn pair(filter: &Filter) -> Pair<'_> {
    filter.pair(Hash::new(0), Write)
}

/// Returns the sub-window of a second: the second itself.
fn at(second: u32) -> SubWindow {
    SubWindow::new(second)
}

/// Adds 1 in the fast way or, where that does not add, with care. The thread has read its clock at
/// `second`, and it is at `now` by now. Returns the bound.
fn add(filter: &Filter, second: u32, now: u32) -> u32 {
    pair(filter).add_fast(at(second), 1).unwrap_or_else(|| add_with_care(filter, second, now))
}

/// Adds in the way that looks at marks, as if the map had no entry.
fn add_with_care(filter: &Filter, mut second: u32, now: u32) -> u32 {
    let mut in_second = false;
    loop {
        match pair(filter).add(pair(filter).look(), at(second), 1, in_second) {
            Added::Bounded(bound) => return bound,
            // The first cell has changed since the look: again, but the second cell has the
            // addition already.
            Added::Changed => in_second = true,
            Added::Ahead => {
                // The reading of the clock is so old that the cells can't hold it: again, by a new
                // one.
                pair(filter).restart(|| at(now));
                (second, in_second) = (now, false);
            }
        }
    }
}

/// Returns the most that a key can have at this second.
fn bound(filter: &Filter, second: u32) -> u32 {
    pair(filter).bound(at(second), || at(second))
}

/// (m) Two threads add the same key, each in either way: one of them gets a bound with both. Leaves
/// out a third thread.
///
/// So a threshold of 2 can't be passed unseen: if both returned 1, no thread would warn.
#[test]
fn m_two_additions() {
    let ways: [fn(&Filter, u32, u32) -> u32; 2] = [add, add_with_care];
    for [this, other] in [[0, 0], [0, 1], [1, 1]].map(|each| each.map(|way: usize| ways[way])) {
        explore("m: two additions", 3, move || {
            let stage = cells();
            let (other, this) = stage.race(move |f, _| other(f, 0, 0), |f, _| this(f, 0, 0));
            assert_eq!((other.max(this), other.min(this) >= 1), (2, true));
            assert!(stage.then(|f, _| bound(f, 0)) >= 2);
        });
    }
}

/// (m) The same of three threads, which add once each in the fast way: one gets a bound with all
/// three.
#[test]
fn m_three_additions() {
    explore("m: three additions", 2, || {
        // Without a stage, whose collector has steps of its own to explore.
        let filter = Arc::new(Filter::try_new(1, 1).unwrap());
        let once = |filter: Arc<Filter>| pair(&filter).add_fast(at(0), 1).unwrap();
        let others = [0, 1].map(|_| filter.clone()).map(|filter| thread::spawn(move || once(filter)));
        let this = once(filter);
        assert_eq!(others.into_iter().map(|other| other.join().unwrap()).max().unwrap().max(this), 3);
    });
}

/// (m) One thread has read the clock one or two sub-windows before the other. Whichever cell moves
/// on in between, both additions are in the bound, and one thread has seen both. Leaves out a stall
/// of three sub-windows, after which a cell holds nothing of that time:
/// `m_an_addition_that_stands_still`.
#[test]
fn m_an_addition_of_an_older_sub_window() {
    for age in [1, 2] {
        explore("m: an addition of an older sub-window", 3, move || {
            let stage = cells();
            let (other, this) = stage.race(move |f, _| add(f, 0, age), |f, _| add(f, age, age));
            let both = stage.then(|f, _| bound(f, age));
            assert!(both >= 2 && other.max(this) >= 2, "{other} and {this} were returned, {both} are left");
        });
    }
}

/// Takes the steps of a thread that inserts an entry, of which a flag says whether it is there:
/// mark, insert, disturb, read. Returns what the cells have then, which goes into the entry.
fn insert((f, entry): &(Filter, AtomicBool)) -> u32 {
    pair(f).mark();
    entry.store(true, Release);
    pair(f).disturb();
    bound(f, 0)
}

/// Takes the steps of a thread that adds while `insert` may be under way: look at the cell, look
/// for the entry if the cell has marks, add if the cell is still the same. `None`: it was turned
/// away, and would add to the entry.
fn add_unless_inserted((f, entry): &(Filter, AtomicBool)) -> Option<u32> {
    let seen = pair(f).look();
    if seen.has_marks() && entry.load(Acquire) {
        return None;
    }
    match pair(f).add(seen, at(0), 1, false) {
        Added::Bounded(bound) => Some(bound),
        Added::Changed => None,
        Added::Ahead => panic!("no cell is ahead here"),
    }
}

/// Makes a filter, and a flag for the entry, which is not there yet.
fn cells_and_entry() -> Stage<(Filter, AtomicBool)> {
    Stage::new((Filter::try_new(1, 1).unwrap(), AtomicBool::new(false)))
}

/// (m) An addition in the fast way against an insert: the inserting thread finds it in the cells
/// afterwards, or it was turned away. An addition that was neither would be in no count.
#[test]
fn m_a_fast_addition_against_an_insert() {
    explore("m: a fast addition against an insert", 3, || {
        let stage = cells_and_entry();
        let (added, seen) = stage.race(|(f, _), _| pair(f).add_fast(at(0), 1), |each, _| insert(each));
        assert!(added.is_none() || seen >= 1, "{added:?}, but {seen} was seen");
    });
}

/// (m) The same with care, where the first cell may have marks of other keys: none, some, and so
/// many that they are no longer counted.
#[test]
fn m_an_addition_against_an_insert() {
    for marks in [0, 1, 63] {
        explore("m: an addition against an insert", 3, move || {
            let stage = cells_and_entry();
            stage.then(|(f, _), _| (0..marks).for_each(|_| pair(f).mark()));
            let (added, seen) = stage.race(|each, _| add_unless_inserted(each), |each, _| insert(each));
            assert!(
                added.is_none() || seen >= 1,
                "{added:?}, but {seen} was seen, with {marks} marks before"
            );
        });
    }
}

/// (m) The mark of another key is taken off, and the key's own put there. The cell then has as many
/// marks as before, but is not the word that it was: otherwise the addition would take it for
/// unchanged.
#[test]
fn m_an_addition_against_another_mark_in_place_of_the_first() {
    explore("m: another mark in place of the first", 3, || {
        let stage = cells_and_entry();
        stage.then(|(f, _), _| pair(f).mark());
        let (added, seen) = stage.race(
            |each, _| add_unless_inserted(each),
            |each, _| {
                pair(&each.0).unmark(|| at(0));
                insert(each)
            },
        );
        assert!(added.is_none() || seen >= 1, "{added:?}, but {seen} was seen");
    });
}

/// (m) The counts of an entry go back into the cells, while another thread adds: nothing of either
/// is lost. The entry had 2 in each of seconds 0 and 1.
#[test]
fn m_an_addition_against_what_comes_back() {
    explore("m: an addition against what comes back", 3, || {
        let stage = cells();
        let (added, ()) = stage.race(
            |f, _| add(f, 2, 2),
            |f, _| [0, 1].into_iter().for_each(|second| pair(f).give_back(at(second), 2, || at(2))),
        );
        assert!((1..=5).contains(&added));
        // All 5 at second 2; at 3 without what came back to 0, and at 4 only the addition.
        assert_eq!(stage.then(|f, _| [2, 3, 4].map(|second| bound(f, second))), [5, 3, 1]);
    });
}

/// (m) A thread stands still between its additions for as long as a cell holds anything, and others
/// go on. It gets a bound with its own addition, or is told that its clock reading is too old. In
/// either way of adding.
#[test]
fn m_an_addition_that_stands_still() {
    let fast = |f: &Filter| pair(f).add_fast(at(0), 4).unwrap_or(4);
    let with_care = |f: &Filter| match pair(f).add(pair(f).look(), at(0), 4, false) {
        Added::Bounded(bound) => bound,
        Added::Changed | Added::Ahead => 4,
    };
    let ways: [fn(&Filter) -> u32; 2] = [fast, with_care];
    for way in ways {
        explore("m: an addition that stands still", 2, move || {
            let stage = cells();
            stage.then(|f, _| add(f, 0, 0));
            let (_, bounded) = stage.race(|f, _| add(f, 3, 3), |f, _| way(f));
            assert!(bounded >= 4, "its own is not in it");
            assert!(stage.then(|f, _| bound(f, 3)) >= 1);
        });
    }
}
