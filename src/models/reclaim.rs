//! (g) Models of what the table retires: nobody who is pinned loses what he found.
//!
//! Entries here are not freed but marked, in a cell that loom watches: a read that no unpinning orders
//! before the mark is what a use after free would be.

use super::{Stage, Thread, explore};
use crate::key::Hash;
use crate::table::{Entry, Table};
use loom::cell::UnsafeCell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How often an entry was freed before its execution was over; a model in which that never happens
/// proves nothing.
static FREED: AtomicUsize = AtomicUsize::new(0);

const HASH: Hash = Hash { place: 0, tag: 0 };

struct Tracked {
    freed: UnsafeCell<bool>,
}

// SAFETY: the cell's accesses are what the model checks.
unsafe impl Sync for Tracked {}

// SAFETY: `place` is constant; `free` marks instead of freeing.
unsafe impl Entry for Tracked {
    fn place(&self) -> u32 {
        HASH.place
    }

    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: the entry is leaked; loom checks that nobody else is in the cell.
        unsafe { this.as_ref().freed.with_mut(|freed| *freed = true) };
        FREED.fetch_add(1, Relaxed);
    }
}

/// A table of one entry.
fn table() -> Stage<Table<Tracked>> {
    let stage = Stage::new(Table::try_new().unwrap());
    stage.then(|table, thread| {
        let entry = NonNull::from(Box::leak(Box::new(Tracked { freed: UnsafeCell::new(false) })));
        assert!(table.insert(HASH, entry, |_| true, &thread.pin()).is_ok());
    });
    stage
}

/// Removes the entry, and lets the epochs pass that free it if nobody is pinned.
fn reclaim(table: &Table<Tracked>, thread: &Thread) {
    let guard = thread.pin();
    let entry = table.find(HASH, |_| true, &guard).unwrap().expect("only this thread removes it");
    table.remove(entry, &guard);
    drop(guard);
    for _ in 0..3 {
        thread.pin().flush();
    }
}

fn read(entry: &Tracked) {
    // SAFETY: loom checks that nobody writes meanwhile.
    let freed = unsafe { entry.freed.with(|freed| *freed) };
    assert!(!freed, "the entry was freed while it could be found");
}

#[test]
fn g_a_pinned_reader_against_reclaim() {
    explore("g: a pinned reader against reclaim", 2, || {
        table().race(reclaim, |table, thread| {
            let guard = thread.pin();
            if let Some(entry) = table.find(HASH, |_| true, &guard).unwrap() {
                read(entry);
            }
        });
    });
    assert!(FREED.load(Relaxed) > 0, "nothing was ever freed: the model is vacuous");
}

/// The twin that must fail: its reader unpins before it reads.
#[test]
#[should_panic(expected = "Causality violation")]
fn g_a_reader_that_unpins_early_is_caught() {
    explore("g: a reader that unpins early", 2, || {
        table().race(reclaim, |table, thread| {
            let guard = thread.pin();
            let found = table.find(HASH, |_| true, &guard).unwrap().map(NonNull::from);
            drop(guard);
            if let Some(entry) = found {
                // SAFETY: none; entries are leaked, so that loom and not the allocator sees the mistake.
                read(unsafe { entry.as_ref() });
            }
        });
    });
}
