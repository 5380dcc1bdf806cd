//! The map against a `HashMap`, one thread at a time; `models` has what threads do to each other.

use super::*;
use crate::key::hash::Hashing;
use crate::map::segment::CELLS;
use crate::operation::Operation::Write;
use crate::partition::FastAdd;
use crate::partition::amount::Amount;
use proptest::prelude::*;
use std::collections::HashMap;

const TIMING: Timing = Timing { window: 60, interval_ms: 0 };

struct Subject {
    map: PartitionMap,
    reclaimed: AtomicU64,
}

/// A hash as good as any: odd multiples mix the high bits, the swap brings them down.
fn mixed(key: u64) -> Hash {
    Hash::new(key.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15).swap_bytes())
}

impl Subject {
    fn new() -> Self {
        Self { map: PartitionMap::try_new(None).unwrap(), reclaimed: AtomicU64::new(0) }
    }

    fn replace_context(&self, second: u64) -> ReplaceContext<'_> {
        let now = Moment::from_ms(second * 1000);
        ReplaceContext { now, timing: TIMING, reclaimed: &self.reclaimed, to_come: 0, outside: None }
    }

    /// Inserts a key of `len` bytes, at least 8, that adds 1 in `second`. `true`: it was not there.
    fn insert(&self, key: u64, len: usize, hash: Hash, second: u32) -> bool {
        let guard = crossbeam_epoch::pin();
        let pk = pk(key, len);
        let content =
            Content::first(Key { table: b"t", pk: &pk }, hash, Write, Amount::ONE, second, u64::MAX).unwrap();
        let inserted = self.map.insert(hash, &content, self.replace_context(second.into()), &guard);
        matches!(inserted.unwrap(), InsertOutcome::Done(_))
    }

    fn with<T>(
        &self,
        key: u64,
        len: usize,
        hash: Hash,
        f: impl FnOnce(Partition<'_>, &Guard) -> T,
    ) -> Option<T> {
        let guard = crossbeam_epoch::pin();
        let pk = pk(key, len);
        let key = Key { table: b"t", pk: &pk };
        let found = self.map.find(hash, key, &guard).unwrap();
        if let Some(fast) = self.map.find_fast(hash, key, &guard) {
            assert!(found.is_some_and(|found| found.address() == fast.address()));
        }
        found.map(|found| f(found, &guard))
    }

    fn count(&self, key: u64, len: usize, hash: Hash) -> Option<u64> {
        self.with(key, len, hash, |found, guard| found.series(Write, 60, guard).count(0).unwrap())
    }

    fn remove(&self, key: u64, len: usize, hash: Hash) -> bool {
        let removed = self.with(key, len, hash, |found, guard| {
            self.map.remove(found, self.replace_context(0), guard).unwrap()
        });
        removed.is_some_and(|removed| {
            assert!(removed.is_some());
            self.map.lens[0].decrement_by(1);
            true
        })
    }

    /// The length of the chain that a key is in, and how many groups are looked at until it is
    /// found.
    fn effort(&self, hash: Hash, key: Key<'_>) -> (usize, usize) {
        let guard = &crossbeam_epoch::pin();
        let (_, first) = self.map.locate(hash.position, guard).unwrap();
        let mut looked_at = 0;
        for segment in first.chain() {
            for group in segment.probe_order(hash.position) {
                looked_at += 1;
                let group = group.load();
                // SAFETY: a lane with a tag says where an entry was written.
                let is_it = |lane| unsafe { segment.entry(group.cell(lane)) }.key() == key;
                if group.matches(hash.tag()).any(is_it) {
                    return (first.chain().count(), looked_at);
                }
                if group.vacant().is_some() {
                    break;
                }
            }
        }
        panic!("it was not found");
    }

    fn keys_walked(&self) -> Vec<u64> {
        let guard = &crossbeam_epoch::pin();
        let mut keys = Vec::new();
        for step in 0..self.map.steps() {
            if let Some((_, segment)) = self.map.walk(step, guard).unwrap() {
                let entries = segment.chain().flat_map(|segment| segment.entries());
                keys.extend(
                    entries
                        .map(|(_, _, found)| u64::from_ne_bytes(*found.key().pk.first_chunk::<8>().unwrap())),
                );
            }
        }
        keys.sort_unstable();
        keys
    }
}

fn pk(key: u64, len: usize) -> Vec<u8> {
    let mut pk = key.to_ne_bytes().to_vec();
    pk.resize(len, b'.');
    pk
}

#[test]
fn no_operation_moves_more_partitions_than_a_segment_has() {
    let subject = Subject::new();
    let keys = 300_000;
    assert!((0..keys).all(|key| subject.insert(key, 20, mixed(key), 0)));
    assert!((0..keys).all(|key| subject.count(key, 20, mixed(key)) == Some(1)));
    let moved = subject.map.moved_most.load(Relaxed);
    println!("{keys} partitions inserted, {moved} moved at most by one of them");
    assert!(moved > 0 && moved <= CELLS, "{moved}");
}

/// The share of entries at home, which the fast way in large maps is for, and which random
/// positions must reach.
#[test]
fn most_entries_are_in_their_home() {
    let (subject, hashing) = (Subject::new(), Hashing::seeded([1, 2]));
    let keys = 20_000;
    for key in 0..keys {
        let hash = hashing.key(Key { table: b"t", pk: &pk(key, 20) });
        assert!(subject.insert(key, 20, hash, 0));
    }
    let guard = &crossbeam_epoch::pin();
    let segments = (0..subject.map.steps()).filter_map(|step| subject.map.walk(step, guard).unwrap());
    let at_home = segments.map(|(_, segment)| {
        let entries = segment.entries().map(|(_, _, entry)| entry);
        entries.filter(|entry| entry.address() == segment.home_cell(entry.position())).count()
    });
    let share = at_home.sum::<usize>() as f64 / keys as f64;
    println!("{share:.3} of {keys} are in their home");
    assert!(share > 0.55);
}

#[test]
fn a_walk_meets_every_partition_once() {
    let subject = Subject::new();
    assert!((0..5_000).all(|key| subject.insert(key, 20, mixed(key), 0)));
    assert_eq!(subject.keys_walked(), (0..5_000).collect::<Vec<_>>());
}

/// No stranger can do this to random seeds; it must not hang or lose a key all the same.
#[test]
fn keys_that_all_collide_are_kept() {
    let subject = Subject::new();
    let hash = Hash::of(7, 7);
    for key in 0..1_000 {
        assert!(subject.insert(key, 20, hash, 0));
        assert!(!subject.insert(key, 20, hash, 0));
    }
    assert!((0..1_000).all(|key| subject.count(key, 20, hash) == Some(1)));
    assert!((0..1_000).all(|key| subject.remove(key, 20, hash)));
    assert!(subject.map.steps() <= 1 << 6, "segments were split in vain");
}

/// Inserts keys, and returns the longest chain, the most groups that are looked at for a key, and
/// how many for all.
fn effort_of(keys: &[u64], hashing: &Hashing) -> (usize, usize, usize) {
    let subject = Subject::new();
    let hash = |key| hashing.key(Key { table: b"t", pk: &pk(key, 20) });
    assert!(keys.iter().all(|&key| subject.insert(key, 20, hash(key), 0)));
    let efforts = keys.iter().map(|&key| subject.effort(hash(key), Key { table: b"t", pk: &pk(key, 20) }));
    efforts.fold((0, 0, 0), |(chain, most, all), (length, looked_at)| {
        (chain.max(length), most.max(looked_at), all + looked_at)
    })
}

/// A caller that knows the seed can choose keys whose positions are as good as one. With any other
/// seed they are keys like any.
#[test]
fn keys_that_collide_under_one_seed_spread_under_others() {
    const KEYS: usize = 300;
    let known = Hashing::seeded([1, 2]);
    let collides = |key: &u64| {
        let Hash { position, .. } = known.key(Key { table: b"t", pk: &pk(*key, 20) });
        // One segment, however often it is split, and in it one group to begin with.
        position.trailing_zeros() >= 9 && position.leading_zeros() >= 5
    };
    let keys: Vec<_> = (0..).filter(collides).take(KEYS).collect();
    let (chain, most, all) = effort_of(&keys, &known);
    println!("the known seed: a chain of {chain}, {most} groups for a key, {} on average", all / KEYS);
    assert!(chain >= 5 && most >= 50 && all >= 20 * KEYS);
    let others = [Hashing::seeded([1, 3]), Hashing::seeded([2, 1])];
    for other in others.into_iter().chain((0..20).map(|_| Hashing::random())) {
        let (chain, most, all) = effort_of(&keys, &other);
        println!(
            "another: a chain of {chain}, {most} groups at most, {:.2} on average",
            all as f64 / KEYS as f64
        );
        assert!(chain == 1 && most <= 12 && all <= 2 * KEYS);
    }
    let positions = |hashing: Hashing| {
        keys.iter()
            .map(|key| hashing.key(Key { table: b"t", pk: &pk(*key, 20) }).position)
            .collect::<Vec<_>>()
    };
    assert_ne!(positions(Hashing::random()), positions(Hashing::random()), "nobody knows a random seed");
}

#[test]
fn lanes_of_removed_partitions_are_used_again() {
    let subject = Subject::new();
    for key in 0..100_000 {
        assert!(subject.insert(key, 20, mixed(key), 0) && subject.remove(key, 20, mixed(key)));
    }
    assert_eq!((subject.map.lens[0].get(), subject.keys_walked().len()), (0, 0));
    assert_eq!(subject.map.steps(), 1, "one partition at a time needs one segment");
}

#[test]
fn long_keys_and_short_ones_share_segments() {
    let subject = Subject::new();
    let len = |key: u64| [8, 20, 100, 2_000, 16_384][key as usize % 5];
    assert!((0..2_000).all(|key| subject.insert(key, len(key), mixed(key), 0)));
    assert!((0..2_000).all(|key| subject.count(key, len(key), mixed(key)) == Some(1)));
}

/// Few keys with long texts are much, so they were split however deep the map was: where their
/// positions have 26 bits in common, 15 of them made a directory of 2²⁶ entries.
#[test]
fn a_few_long_keys_that_collide_leave_the_map_shallow() {
    for keys in 9..24_u64 {
        let subject = Subject::new();
        let hash = |key: u64| Hash::new(key << 26 | key << 48);
        for round in 0..30 {
            let second = round * 50;
            // One comes and goes; the others stay.
            for key in (1..keys).chain([keys + u64::from(round % 2)]) {
                let now = Moment::from_ms(u64::from(second) * 1000);
                let again = |found: Partition<'_>, guard: &Guard| {
                    found.add(Write, Amount::ONE, now, TIMING, u64::MAX, guard).unwrap()
                };
                if !subject.insert(key, 1_100, hash(key), second) {
                    assert!(subject.with(key, 1_100, hash(key), again).is_some());
                }
            }
            let guard = &crossbeam_epoch::pin();
            subject.map.replace_at(0, subject.replace_context(second.into()), guard).unwrap();
            assert!(subject.map.steps() <= 2 * (keys + 1), "{} for {keys} keys", subject.map.steps());
        }
        assert_eq!(subject.map.clear(crossbeam_epoch::pin, |_| ())[0], subject.map.lens[0].get());
    }
}

#[test]
fn what_is_idle_does_not_move_and_is_tallied() {
    let subject = Subject::new();
    for key in 0..3_000 {
        assert!(subject.insert(key, 20, mixed(key), (key % 2 * 100) as u32));
    }
    let guard = &crossbeam_epoch::pin();
    for position in 0..subject.map.steps() as u32 {
        subject.map.replace_at(position, subject.replace_context(100), guard).unwrap();
    }
    assert_eq!(subject.keys_walked(), (1..3_000).step_by(2).collect::<Vec<_>>());
    assert_eq!((subject.map.lens[0].get(), subject.reclaimed.load(Relaxed)), (1_500, 1_500));
}

/// It was made as two halves, and room was asked for one.
#[test]
fn a_copy_of_a_full_segment_is_one_where_memory_is_bounded() {
    for budget in [None, Some(Arc::new(Budget::new(1 << 20, 0)))] {
        let segments = if budget.is_some() { 1 } else { 2 };
        let subject = Subject { map: PartitionMap::try_new(budget).unwrap(), reclaimed: AtomicU64::new(0) };
        let mut keys = 0;
        while subject.map.len(Key { table: b"t", pk: b"" }).get() < CELLS as u64 * 7 / 8 {
            assert!(subject.insert(keys, 8, mixed(keys), 0) && subject.map.steps() == 1);
            keys += 1;
        }
        let guard = &crossbeam_epoch::pin();
        assert!(matches!(subject.map.replace_at(0, subject.replace_context(0), guard), Ok(true)));
        assert_eq!((subject.map.steps(), subject.keys_walked().len() as u64), (segments, keys));
    }
}

#[test]
fn a_partition_that_moves_keeps_its_past() {
    let subject = Subject::new();
    let hash = mixed(1);
    subject.insert(1, 20, hash, 0);
    for second in 0..100_u32 {
        let now = Moment::from_ms(u64::from(second) * 1000);
        let count = subject.with(1, 20, hash, |found, guard| {
            match found.add_fast(Write, Amount::ONE, now, u64::MAX) {
                FastAdd::Counted(count) => count,
                FastAdd::Overtaken(before) => panic!("nobody else adds: {before:?}"),
                FastAdd::NotAdded => found.add(Write, Amount::ONE, now, TIMING, u64::MAX, guard).unwrap(),
            }
        });
        // The first was there already.
        let seconds = u64::from(second.min(60) + 1);
        assert_eq!(count, Some(seconds + u64::from(second <= 60)));
        let guard = crossbeam_epoch::pin();
        subject.map.replace_at(hash.position, subject.replace_context(second.into()), &guard).unwrap();
    }
}

#[test]
fn a_cleared_map_takes_nobody_in() {
    let subject = Subject::new();
    assert!((0..1_000).all(|key| subject.insert(key, 20, mixed(key), 0)));
    assert_eq!(subject.map.clear(crossbeam_epoch::pin, |_| ()), [1_000, 0]);
    let guard = crossbeam_epoch::pin();
    let pk = pk(1, 20);
    let key = Key { table: b"t", pk: &pk };
    let content = Content::first(key, mixed(1), Write, Amount::ONE, 0, u64::MAX).unwrap();
    assert!(matches!(subject.map.find(mixed(1), key, &guard), Err(Cleared)));
    assert!(subject.map.find_fast(mixed(1), key, &guard).is_none());
    let inserted = subject.map.insert(mixed(1), &content, subject.replace_context(0), &guard);
    assert!(matches!(inserted, Err(Refusal::Cleared)));
    assert!((0..subject.map.steps()).all(|step| subject.map.walk(step, &guard).is_err()));
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    Remove(u64),
    Replace(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..600_u64;
    let step = prop_oneof![
        6 => key.clone().prop_map(Step::Insert),
        3 => key.clone().prop_map(Step::Remove),
        1 => key.prop_map(Step::Replace),
    ];
    proptest::collection::vec(step, 1..2_000)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_partition_map_is_a_map(steps in steps(), poor in any::<bool>(), len in 8..2_000_usize) {
        // Poor hashes put all keys into four positions with one tag.
        let hash = |key: u64| if poor { Hash::of(key as u32 & 3, 1) } else { mixed(key) };
        let subject = Subject::new();
        let (mut map, mut most) = (HashMap::new(), 1);
        for step in steps {
            match step {
                Step::Insert(key) => {
                    let new = map.insert(key, ()).is_none();
                    prop_assert_eq!(subject.insert(key, len, hash(key), 0), new);
                }
                Step::Remove(key) => {
                    prop_assert_eq!(subject.remove(key, len, hash(key)), map.remove(&key).is_some());
                }
                Step::Replace(key) => {
                    let guard = crossbeam_epoch::pin();
                    let replaced = subject.map.replace_at(hash(key).position, subject.replace_context(0), &guard);
                    prop_assert!(replaced.is_ok());
                }
            }
            most = most.max(map.len() as u64);
            prop_assert!(subject.map.steps() <= 2 * most, "a directory in step with the entries");
        }
        for key in 0..600 {
            prop_assert_eq!(subject.count(key, len, hash(key)).is_some(), map.contains_key(&key));
        }
        prop_assert_eq!(subject.map.lens[0].get(), map.len() as u64);
        prop_assert_eq!(subject.keys_walked().len(), map.len());
    }
}
