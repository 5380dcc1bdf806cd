//! Models of the map: replacement loses nothing and brings nothing back (e), and a pinned thread
//! loses nothing that it found (g).
//!
//! A replacement copies a segment's entries into a new one while other threads insert into and
//! remove from the old one. A lane of the old segment is frozen before it is copied; these models
//! look for an entry that slips through in either direction.

use super::{Stage, Thread, explore};
use crate::error::Refusal;
use crate::key::Key;
use crate::key::hash::Hash;
use crate::map::{InsertOutcome, PartitionMap, ReplaceContext};
use crate::operation::Operation::Write;
use crate::partition::Partition;
use crate::partition::amount::Amount;
use crate::partition::content::{Content, Timing};
use crate::sys::clock::Moment;
use crate::sys::sync::AtomicU64;
use crate::sys::watch::{self, Kind};
use crossbeam_epoch::Guard;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A map, and the counter of what was reclaimed in it.
struct Subject {
    map: PartitionMap,
    reclaimed: AtomicU64,
}

impl Subject {
    /// Makes a map of these keys, each its own position, written once in second 0.
    fn stage(keys: &[u32]) -> Stage<Self> {
        let stage =
            Stage::new(Self { map: PartitionMap::try_new(None).unwrap(), reclaimed: AtomicU64::new(0) });
        stage.then(|s, t| keys.iter().for_each(|&key| assert!(s.insert(key, t).unwrap())));
        stage
    }

    /// Returns what a replacement at this second goes by: a window of one second, and no bound.
    fn replace_context(&self, second: u64) -> ReplaceContext<'_> {
        let timing = Timing { window: 1, interval_ms: 1000 };
        ReplaceContext {
            now: Moment::from_ms(second * 1000),
            timing,
            reclaimed: &self.reclaimed,
            to_come: 0,
            outside: None,
        }
    }

    /// Inserts a key. Returns whether it was not there.
    fn insert(&self, key: u32, thread: &Thread) -> Result<bool, Refusal> {
        let (pk, hash) = (key.to_ne_bytes(), hash(key));
        let content = Content::first(key_of(&pk), hash, Write, Amount::ONE, 0, u64::MAX).unwrap();
        let guard = thread.pin();
        let inserted = self.map.insert(hash, &content, self.replace_context(0), &guard)?;
        Ok(matches!(inserted, InsertOutcome::Done(_)))
    }

    fn find<'g>(&self, key: u32, guard: &'g Guard) -> Option<Partition<'g>> {
        self.map.find(hash(key), key_of(&key.to_ne_bytes()), guard).unwrap()
    }

    fn holds(&self, key: u32, thread: &Thread) -> bool {
        self.find(key, &thread.pin()).is_some()
    }

    /// Removes a key.
    fn remove(&self, key: u32, thread: &Thread) {
        let guard = thread.pin();
        // Like the thread that makes an entry go at the bound, it tries again if that has moved.
        while let Some(found) = self.find(key, &guard) {
            if self.map.remove(found, self.replace_context(0), &guard).unwrap().is_some() {
                self.map.lens[0].decrement_by(1);
                return;
            }
        }
        panic!("only this thread removes it");
    }

    /// Replaces the segment of a key at some second: later than 1, what was written in 0 is idle.
    fn replace(&self, key: u32, second: u64, thread: &Thread) {
        self.map.replace_at(key, self.replace_context(second), &thread.pin()).unwrap();
    }
}

fn hash(key: u32) -> Hash {
    Hash::new(key.into())
}

fn key_of(pk: &[u8]) -> Key<'_> {
    Key { table: b"t", pk }
}

/// (e) Two inserts into a segment that has room for one: it splits, and nothing is lost.
#[test]
fn e_two_inserts_against_growth() {
    explore("e: two inserts against growth", 1, || {
        let stage = Subject::stage(&[0]);
        let (other, this) = stage.race(|s, t| s.insert(1, t).unwrap(), |s, t| s.insert(2, t).unwrap());
        assert!(other && this);
        stage.then(|s, t| assert!((0..3).all(|key| s.holds(key, t))));
    });
}

/// (e) Two inserts of one key: one goes in.
#[test]
fn e_one_key_inserted_twice() {
    explore("e: one key inserted twice", 1, || {
        let stage = Subject::stage(&[0]);
        let (other, this) = stage.race(|s, t| s.insert(2, t).unwrap(), |s, t| s.insert(2, t).unwrap());
        // One found the key there.
        assert!(other != this);
        assert_eq!(stage.then(|s, _| s.map.lens[0].get()), 2);
    });
}

/// (e) An insert into a segment that is being replaced while it has room.
#[test]
fn e_an_insert_against_replacement() {
    explore("e: an insert against replacement", 1, || {
        let stage = Subject::stage(&[0]);
        stage.race(|s, t| s.replace(0, 0, t), |s, t| assert!(s.insert(1, t).unwrap()));
        stage.then(|s, t| assert!(s.holds(0, t) && s.holds(1, t)));
    });
}

/// (e) A removal from a segment that is being replaced: the copy does not bring the entry back.
#[test]
fn e_a_removal_against_replacement() {
    explore("e: a removal against replacement", 1, || {
        let stage = Subject::stage(&[0]);
        stage.race(|s, t| s.replace(0, 0, t), |s, t| s.remove(0, t));
        stage.then(|s, t| assert!(!s.holds(0, t) && s.map.lens[0].get() == 0));
    });
}

/// (e) A key is inserted again as soon as its lane is vacated. From then on the new entry is found,
/// and not the old one in its home.
#[test]
fn e_a_removal_against_insert_and_find() {
    explore("e: a removal against insert and find", 3, || {
        let stage = Subject::stage(&[0]);
        stage.race(
            |s, t| s.remove(0, t),
            |s, t| {
                let (pk, guard) = (0_u32.to_ne_bytes(), t.pin());
                let content = Content::first(key_of(&pk), hash(0), Write, Amount::ONE, 0, u64::MAX).unwrap();
                let inserted = s.map.insert(hash(0), &content, s.replace_context(0), &guard);
                if let Ok(InsertOutcome::Done(new)) = inserted {
                    let found = s.map.find_fast(hash(0), key_of(&pk), &guard).unwrap();
                    assert_eq!(found.address(), new.address());
                }
            },
        );
    });
}

/// (f) Two threads replace a segment in which a partition is idle: it goes once, and is tallied
/// once.
#[test]
fn f_two_reclaims() {
    explore("f: two reclaims at once", 1, || {
        let stage = Subject::stage(&[0]);
        stage.race(|s, t| s.replace(0, 5, t), |s, t| s.replace(0, 6, t));
        stage.then(|s, t| {
            assert!(!s.holds(0, t) && s.map.lens[0].get() == 0);
            assert_eq!(s.reclaimed.load(Relaxed), 1);
        });
    });
}

/// Reclaims what is idle, and lets the epochs pass that free it if no thread is pinned. Returns
/// whether it was freed.
fn reclaim(subject: &Subject, thread: &Thread) -> bool {
    let before = watch::freed(Kind::Segment);
    subject.replace(0, 5, thread);
    for _ in 0..3 {
        thread.pin().flush();
    }
    watch::freed(Kind::Segment) > before
}

/// (g) A reader that is pinned walks a segment while another thread replaces it, and lets epochs
/// pass: the segment and its entries stay. Some execution must free a segment, or this proves
/// nothing.
#[test]
fn g_a_pinned_reader_against_reclaim() {
    watch::keep(None);
    let freed = Arc::new(AtomicBool::new(false));
    let freed_once = freed.clone();
    explore("g: a pinned reader against reclaim", 2, move || {
        let (reclaimed, ()) = Subject::stage(&[0]).race(reclaim, |s, t| {
            let guard = t.pin();
            let (_, segment) = s.map.locate(0, &guard).unwrap();
            segment.touch();
            segment.entries().for_each(|(_, _, partition)| assert_eq!(partition.key().pk, [0; 4]));
            segment.touch();
        });
        freed_once.fetch_or(reclaimed, Relaxed);
    });
    assert!(freed.load(Relaxed), "nothing is freed while a reader may be about: the model is vacuous");
}

/// The twin that must fail: its reader unpins before it reads.
#[test]
#[should_panic(expected = "Causality violation")]
fn g_a_reader_that_unpins_early_is_caught() {
    watch::keep(None);
    explore("g: a reader that unpins early", 2, || {
        Subject::stage(&[0]).race(reclaim, |s, t| {
            let guard = t.pin();
            let (_, segment) = s.map.locate(0, &guard).unwrap();
            let entry = segment.directory_entry();
            drop(guard);
            // SAFETY: none; segments are kept, so that loom and not the allocator sees the mistake.
            unsafe { crate::map::segment::Segment::view(entry) }.touch();
        });
    });
}

/// (i) A map is cleared while an insert splits its segment: the entry is in and goes with the
/// others, or the insert is turned away.
#[test]
fn i_clear_against_growth() {
    explore("i: clear against growth", 2, || {
        let stage = Subject::stage(&[0, 1]);
        let (cleared, inserted) = stage.race(
            |s, t| s.map.clear(|| t.pin(), |_| ()),
            |s, t| match s.insert(2, t) {
                Ok(inserted) => inserted,
                Err(Refusal::Cleared) => false,
                Err(Refusal::Memory) => unreachable!("there is memory"),
            },
        );
        // The clear has counted every entry that it took along.
        assert_eq!(cleared[0], 2 + u64::from(inserted));
    });
}
