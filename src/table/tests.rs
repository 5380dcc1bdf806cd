//! The table against a map, one thread at a time; `models` has what threads do to each other.

use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

struct Number {
    place: u32,
    key: u64,
    value: u32,
}

// SAFETY: `place` never changes; entries are boxes.
unsafe impl Entry for Number {
    fn place(&self) -> u32 {
        self.place
    }

    unsafe fn free(this: NonNull<Self>) {
        // SAFETY: made by `entry`.
        drop(unsafe { Box::from_raw(this.as_ptr()) });
    }
}

fn entry(key: u64, value: u32, hash: Hash) -> NonNull<Number> {
    NonNull::from(Box::leak(Box::new(Number { place: hash.place, key, value })))
}

fn is(key: u64) -> impl Fn(NonNull<Number>) -> bool {
    // SAFETY: the table shows entries that live.
    move |this| unsafe { this.as_ref() }.key == key
}

/// A hash as good as any: odd multiples mix the high bits, the swap brings them down.
fn mixed(key: u64) -> Hash {
    Hash::new(key.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15).swap_bytes())
}

fn insert(table: &Table<Number>, key: u64, value: u32, hash: Hash) -> bool {
    let guard = crossbeam_epoch::pin();
    let new = entry(key, value, hash);
    let inserted = table.insert(hash, new, is(key), &guard).is_ok();
    if inserted {
        table.len.increment();
    } else {
        // SAFETY: it did not get in.
        unsafe { Number::free(new) };
    }
    inserted
}

fn find(table: &Table<Number>, key: u64, hash: Hash) -> Option<u32> {
    table.find(hash, is(key), &crossbeam_epoch::pin()).unwrap().map(|entry| entry.value)
}

fn keys_walked(table: &Table<Number>) -> Vec<u64> {
    let mut keys = Vec::new();
    for step in 0..table.steps() {
        let walked = table.walk(step, &crossbeam_epoch::pin(), |entry| keys.push(entry.key));
        assert!(walked.is_ok());
    }
    keys.sort_unstable();
    keys
}

#[test]
fn no_operation_moves_more_entries_than_a_segment_has_words() {
    let table = Table::try_new().unwrap();
    let keys = 300_000;
    for key in 0..keys {
        assert!(insert(&table, key, 1, mixed(key)));
    }
    assert!((0..keys).all(|key| find(&table, key, mixed(key)) == Some(1)));
    let moved = table.moved_most.load(Relaxed);
    assert!(moved > 0 && moved <= ORDINARY, "{moved}");
    println!("{keys} entries inserted, {moved} moved at most by one of them");
}

#[test]
fn a_walk_meets_every_entry_once() {
    let table = Table::try_new().unwrap();
    for key in 0..5_000 {
        insert(&table, key, 1, mixed(key));
    }
    assert_eq!(keys_walked(&table), (0..5_000).collect::<Vec<_>>());
}

/// No stranger can do this to random seeds; it must not hang or lose a key all the same.
#[test]
fn keys_that_all_collide_are_kept() {
    let table = Table::try_new().unwrap();
    let hash = Hash { place: 7, tag: 7 };
    for key in 0..3_000 {
        assert!(insert(&table, key, 1, hash));
        assert!(!insert(&table, key, 2, hash));
    }
    assert!((0..3_000).all(|key| find(&table, key, hash) == Some(1)));
    assert!(table.steps() <= (STEPS as u64) << 6, "segments were split in vain");
}

#[test]
fn words_of_removed_entries_are_used_again() {
    let table = Table::try_new().unwrap();
    let guard = || crossbeam_epoch::pin();
    for key in 0..100_000 {
        insert(&table, key, 1, mixed(key));
        let guard = guard();
        table.remove(table.find(mixed(key), is(key), &guard).unwrap().unwrap(), &guard);
        table.len.decrement();
    }
    assert_eq!((table.len.get(), keys_walked(&table).len()), (0, 0));
    assert_eq!(table.steps(), STEPS as u64, "one entry at a time needs one segment");
}

#[test]
fn a_closed_table_takes_nobody_in() {
    let table = Table::try_new().unwrap();
    for key in 0..1_000 {
        insert(&table, key, 1, mixed(key));
    }
    assert_eq!(table.close(crossbeam_epoch::pin), 1_000);
    let guard = crossbeam_epoch::pin();
    let new = entry(1, 1, mixed(1));
    assert!(matches!(table.find(mixed(1), is(1), &guard), Err(Closed)));
    assert!(matches!(table.insert(mixed(1), new, is(1), &guard), Err(InsertError::Closed)));
    assert!(matches!(table.update(mixed(1), &Update::Remove, is(1), &guard), Err(InsertError::Closed)));
    assert!((0..table.steps()).all(|step| table.walk(step, &guard, |_| ()).is_err()));
    // SAFETY: it did not get in.
    unsafe { Number::free(new) };
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64, u32),
    Remove(u64),
    Put(u64, u32),
    Clear(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..600_u64;
    let step = prop_oneof![
        6 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
        3 => key.clone().prop_map(Step::Remove),
        1 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Step::Put(key, value)),
        1 => key.prop_map(Step::Clear),
    ];
    proptest::collection::vec(step, 1..2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_table_is_a_map(steps in steps(), poor in any::<bool>()) {
        // Poor hashes put all keys into four lines with one tag.
        let hash = |key: u64| if poor { Hash { place: key as u32 & 3, tag: 0 } } else { mixed(key) };
        let table = Table::try_new().unwrap();
        let mut map = HashMap::new();
        for step in steps {
            let guard = &crossbeam_epoch::pin();
            match step {
                Step::Insert(key, value) => {
                    prop_assert_eq!(insert(&table, key, value, hash(key)), !map.contains_key(&key));
                    map.entry(key).or_insert(value);
                }
                Step::Remove(key) => {
                    let found = table.find(hash(key), is(key), guard).unwrap();
                    prop_assert_eq!(found.map(|entry| entry.value), map.remove(&key));
                    if let Some(entry) = found {
                        table.remove(entry, guard);
                        table.len.decrement();
                    }
                }
                Step::Put(key, value) => {
                    let put = Update::Put(entry(key, value, hash(key)));
                    prop_assert!(table.update(hash(key), &put, is(key), guard).is_ok());
                    map.insert(key, value);
                }
                Step::Clear(key) => {
                    prop_assert!(table.update(hash(key), &Update::Remove, is(key), guard).is_ok());
                    map.remove(&key);
                }
            }
        }
        for key in 0..600 {
            prop_assert_eq!(find(&table, key, hash(key)), map.get(&key).copied());
        }
        prop_assert_eq!(table.len.get(), map.len() as u64);
        prop_assert_eq!(keys_walked(&table).len(), map.len());
    }
}
