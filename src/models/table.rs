//! Models of the table: growth loses nothing and brings nothing back (e), and nobody who is pinned loses
//! what it found (g).
//!
//! Entries here are not freed but marked, in a cell that loom watches: a read that no unpinning orders
//! before the mark is what a use after free would be.

use super::{Stage, Thread, explore};
use crate::key::Hash;
use crate::table::{Entry, InsertError, Table};
use loom::cell::UnsafeCell;
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

thread_local! {
    /// Entries freed so far. All threads of a model run on the one of its test.
    static FREED: Cell<usize> = const { Cell::new(0) };
}

struct Tracked {
    place: u32,
    freed: UnsafeCell<bool>,
}

// SAFETY: the cell's accesses are what the model checks.
unsafe impl Sync for Tracked {}

// SAFETY: `place` never changes; `free` marks instead of freeing.
unsafe impl Entry for Tracked {
    fn place(&self) -> u32 {
        self.place
    }

    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: the entry is leaked; loom checks that nobody else is in the cell.
        let again = unsafe { this.as_ref().freed.with_mut(|freed| std::mem::replace(&mut *freed, true)) };
        assert!(!again, "freed twice");
        FREED.set(FREED.get() + 1);
    }
}

type Tracks = Table<Tracked>;

fn hash(key: u32) -> Hash {
    Hash { place: key, tag: key as u16 }
}

fn is(key: u32) -> impl Fn(NonNull<Tracked>) -> bool {
    // SAFETY: the table shows entries that live.
    move |this| unsafe { this.as_ref() }.place == key
}

fn entry(key: u32) -> NonNull<Tracked> {
    NonNull::from(Box::leak(Box::new(Tracked { place: key, freed: UnsafeCell::new(false) })))
}

fn insert(table: &Tracks, key: u32, thread: &Thread) {
    assert!(table.insert(hash(key), entry(key), is(key), &thread.pin()).is_ok());
}

fn remove(table: &Tracks, key: u32, thread: &Thread) {
    let guard = thread.pin();
    let entry = table.find(hash(key), is(key), &guard).unwrap().expect("only this thread removes it");
    table.remove(entry, &guard);
}

fn holds(table: &Tracks, key: u32, thread: &Thread) -> bool {
    table.find(hash(key), is(key), &thread.pin()).unwrap().is_some()
}

/// Replaces the segment of a key while it has room left. (In models a segment is full when its turn comes.)
fn replace(table: &Tracks, key: u32, thread: &Thread) {
    let guard = thread.pin();
    let (i, segment) = table.locate(key, &guard).unwrap();
    table.replace(i, segment, &guard).unwrap();
}

/// A table of one entry.
fn table() -> Stage<Tracks> {
    let stage = Stage::new(Table::try_new().unwrap());
    stage.then(|table, thread| insert(table, 0, thread));
    stage
}

/// Removes the entry, and lets the epochs pass that free it if nobody is pinned. `true`: it was freed.
fn reclaim(table: &Tracks, thread: &Thread) -> bool {
    let before = FREED.get();
    remove(table, 0, thread);
    for _ in 0..3 {
        thread.pin().flush();
    }
    FREED.get() > before
}

fn read(entry: &Tracked) {
    // SAFETY: loom checks that nobody writes meanwhile.
    let freed = unsafe { entry.freed.with(|freed| *freed) };
    assert!(!freed, "the entry was freed while it could be found");
}

#[test]
fn g_a_pinned_reader_against_reclaim() {
    let freed = Arc::new(AtomicBool::new(false));
    let freed_once = freed.clone();
    explore("g: a pinned reader against reclaim", 2, move || {
        let (reclaimed, ()) = table().race(reclaim, |table, thread| {
            let guard = thread.pin();
            if let Some(entry) = table.find(hash(0), is(0), &guard).unwrap() {
                read(entry);
            }
        });
        freed_once.fetch_or(reclaimed, Relaxed);
    });
    assert!(freed.load(Relaxed), "nothing is freed while a reader may be about: the model is vacuous");
}

/// The twin that must fail: its reader unpins before it reads.
#[test]
#[should_panic(expected = "Causality violation")]
fn g_a_reader_that_unpins_early_is_caught() {
    explore("g: a reader that unpins early", 2, || {
        table().race(reclaim, |table, thread| {
            let guard = thread.pin();
            let found = table.find(hash(0), is(0), &guard).unwrap().map(NonNull::from);
            drop(guard);
            if let Some(entry) = found {
                // SAFETY: none; entries are leaked, so that loom and not the allocator sees the mistake.
                read(unsafe { entry.as_ref() });
            }
        });
    });
}

/// (e) Two inserts into a segment that has room for one: it splits, and nothing is lost.
#[test]
fn e_two_inserts_against_growth() {
    explore("e: two inserts against growth", 2, || {
        let stage = table();
        stage.race(|table, t| insert(table, 1, t), |table, t| insert(table, 2, t));
        stage.then(|table, t| assert!((0..3).all(|key| holds(table, key, t))));
    });
}

/// (e) An insert into a segment that is being replaced while it has room.
#[test]
fn e_an_insert_against_replacement() {
    explore("e: an insert against replacement", 2, || {
        let stage = table();
        stage.race(|table, t| replace(table, 0, t), |table, t| insert(table, 1, t));
        stage.then(|table, t| assert!(holds(table, 0, t) && holds(table, 1, t)));
    });
}

/// (e) A removal from a segment that is being replaced: the copy does not bring the entry back.
#[test]
fn e_a_removal_against_replacement() {
    explore("e: a removal against replacement", 2, || {
        let stage = table();
        stage.race(|table, t| replace(table, 0, t), |table, t| remove(table, 0, t));
        stage.then(|table, t| assert!(!holds(table, 0, t)));
    });
}

/// (i) A table is closed while an insert splits its segment: the entry is in and goes with the others, or
/// is turned away; each is freed once.
#[test]
fn i_closing_against_growth() {
    explore("i: closing against growth", 2, || {
        let before = FREED.get();
        let stage = table();
        let (closed, inserted) = stage.race(
            |table, t| table.close(|| t.pin()),
            |table, t| {
                let entry = entry(1);
                match table.insert(hash(1), entry, is(1), &t.pin()) {
                    Ok(()) => true,
                    Err(InsertError::Closed) => false,
                    Err(_) => unreachable!("there is memory, and no other such key"),
                }
            },
        );
        assert_eq!(closed, 1 + u64::from(inserted));
        drop(stage);
        assert_eq!((FREED.get() - before) as u64, closed);
    });
}
