//! Promise 1: nothing is lost, whatever threads do at once.

mod common;

use common::{Random, THREADS, manual, never_hot, race, stress};
use hotpart::{Builder, Detector, Operation, Record};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

const HOT_KEYS: usize = 64;
const WINDOW: u32 = 60;

/// Which of the hot keys a thread records next.
type Choice = fn(&mut Random) -> usize;

fn uniform(random: &mut Random) -> usize {
    random.below(HOT_KEYS)
}

/// Half of the records on the first key, half of the others on the next, and so on.
fn skewed(random: &mut Random) -> usize {
    random.below(1 << 16).trailing_ones() as usize
}

/// Mostly 1, now and then more than the counters' fast path takes.
fn amount(random: &mut Random) -> u64 {
    [1, 1, 1, 1, 1, 1, 2, 1_000][random.below(8)]
}

/// One thread's view of a key.
#[derive(Clone, Copy, Default)]
struct Share {
    recorded: u64,
    highest_count: u64,
}

impl Share {
    /// Takes in a record and the count that it returned.
    fn add(&mut self, amount: u64, count: u64) {
        self.recorded += amount;
        assert!(
            count >= self.recorded,
            "a count of {count} is less than this thread's own {}",
            self.recorded
        );
        self.highest_count = self.highest_count.max(count);
    }
}

/// The view of all threads together.
fn total(shares: impl Iterator<Item = Share>) -> Share {
    shares.fold(Share::default(), |sum, share| Share {
        recorded: sum.recorded + share.recorded,
        highest_count: sum.highest_count.max(share.highest_count),
    })
}

/// Rounds of records to the same few keys and to many new ones. In each the clock crosses one
/// window, and before it all that the round before it recorded becomes idle: so it is reclaimed,
/// and the table grows, while this round's records arrive, some of them on the very partitions that
/// are being reclaimed.
fn conserves(choose: Choice) {
    const ROUNDS: usize = 6;
    let detector = never_hot(WINDOW).build().unwrap();
    let records = stress(20_000);
    let window_ms = u64::from(WINDOW) * 1000;
    let mut conserved = 0;
    for round in 0..ROUNDS {
        let begin_ms = round as u64 * 3 * window_ms;
        detector.set_time_ms(begin_ms).unwrap();
        let shares = race(|thread| {
            let mut random = Random((round * THREADS + thread) as u64);
            let mut shares = [Share::default(); HOT_KEYS];
            for i in 0..records {
                let (key, amount) = (choose(&mut random), amount(&mut random));
                let pk = key.to_le_bytes();
                let record = Record::new("hot", &pk, Operation::Write).amount(amount);
                shares[key].add(amount, detector.record(&record).unwrap());
                if i % 2 == 0 {
                    assert_eq!(detector.record_read("new", new_key(round, thread, i)), Ok(1));
                }
                detector.set_time_ms(begin_ms + window_ms * i as u64 / records as u64).unwrap();
            }
            shares
        });
        for key in 0..HOT_KEYS {
            let all = total(shares.iter().map(|shares| shares[key]));
            assert_eq!(detector.write_count("hot", key.to_le_bytes()), Ok(all.recorded));
            assert!(all.highest_count <= all.recorded);
            conserved += all.recorded;
        }
        for (thread, i) in (0..THREADS).flat_map(|thread| (0..records).step_by(2).map(move |i| (thread, i))) {
            assert_eq!(detector.read_count("new", new_key(round, thread, i)), Ok(1));
            conserved += 1;
        }
    }
    let reclaimed = detector.statistics().reclaimed;
    assert!(reclaimed as usize > records, "reclaim was under way");
    println!("conserved {conserved} while {reclaimed} partitions were reclaimed");
}

fn new_key(round: usize, thread: usize, i: usize) -> [u8; 24] {
    let mut key = [0; 24];
    for (part, number) in key.chunks_mut(8).zip([round, thread, i]) {
        part.copy_from_slice(&number.to_le_bytes());
    }
    key
}

#[test]
fn every_record_on_uniform_keys_is_counted() {
    conserves(uniform);
}

#[test]
fn every_record_on_skewed_keys_is_counted() {
    conserves(skewed);
}

/// A partition's first touches meet, over and over.
#[test]
fn first_touches_that_meet_are_all_counted() {
    let detector = never_hot(WINDOW).build().unwrap();
    let keys = stress(5_000) as u32;
    let highest = race(|_| (0..keys).map(|key| detector.record_write("t", key.to_le_bytes()).unwrap()).max());
    assert!(highest.into_iter().flatten().all(|count| count <= THREADS as u64));
    for key in 0..keys {
        assert_eq!(detector.write_count("t", key.to_le_bytes()), Ok(THREADS as u64));
    }
    assert_eq!(detector.statistics().partitions, u64::from(keys));
}

/// So many that some share all of their hashes that the table looks at before it compares keys.
#[test]
fn partitions_that_differ_in_table_or_key_alone_are_counted_apart() {
    let detector = never_hot(WINDOW).build().unwrap();
    for i in 0..100_000_u32 {
        assert_eq!(detector.record_write("t", i.to_le_bytes()), Ok(1));
        assert_eq!(detector.record_write(i.to_le_bytes(), "k"), Ok(1));
    }
}

/// Seconds turn every few records, so that one partition's past grows from nothing through all its
/// forms while all threads add to it.
#[test]
fn seconds_that_turn_lose_nothing() {
    let rounds = stress(40);
    for _ in 0..rounds {
        let detector = never_hot(3600).build().unwrap();
        let shares = race(|_| {
            let mut share = Share::default();
            for second in 0..40_u64 {
                for _ in 0..5 {
                    share.add(1, detector.record_write("t", "k").unwrap());
                }
                detector.set_time_ms(second * 1000).unwrap();
            }
            share
        });
        let all = total(shares.into_iter());
        assert_eq!(detector.write_count("t", "k"), Ok(all.recorded));
        assert_eq!(all.highest_count, all.recorded, "the last record to be counted saw all others");
    }
    println!("conserved {} over {} turns", rounds * THREADS * 200, rounds * 40);
}

/// Idle partitions' reclaims and their next records meet, over and over: a record is counted in its
/// partition or in the one that succeeds it.
fn meets_reclaim(builder: Builder) {
    const KEYS: u64 = 400;
    let detector = builder.build().unwrap();
    let meetings = stress(400) as u64;
    for meeting in 1..=meetings {
        detector.set_time_ms(meeting * 3_000).unwrap();
        race(|thread| {
            if thread % 2 == 0 {
                // Sweeps, as all records do.
                (0..100).for_each(|_| assert!(detector.record_write("t", "other").is_ok()));
            } else {
                let counts = (0..KEYS).map(|key| detector.record_write("t", key.to_le_bytes()));
                assert!(counts.map(Result::unwrap).all(|count| (1..=2).contains(&count)));
            }
        });
        assert!((0..KEYS).all(|key| detector.write_count("t", key.to_le_bytes()) == Ok(2)));
    }
    let reclaimed = detector.statistics().reclaimed;
    assert!(reclaimed > meetings * KEYS / 10);
    println!("conserved {} while {reclaimed} partitions were reclaimed", meetings * KEYS * 2);
}

#[test]
fn a_record_that_meets_a_reclaim_is_counted() {
    meets_reclaim(never_hot(1));
}

/// With a warning state, records themselves begin an idle partition anew.
#[test]
fn a_hot_record_that_meets_a_reclaim_is_counted() {
    meets_reclaim(manual(1, 1, 1));
}

/// A record is wholly before or wholly after a clear: in the end those are counted that began after
/// the last clear had ended, and none that ended before it began.
#[test]
fn clearing_keeps_a_record_or_forgets_it() {
    const CLEARS: usize = 40;
    let detector = never_hot(WINDOW).build().unwrap();
    let (begun, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let keys = 200;
    let bounds = race(|thread| {
        // For each key, how many records must be counted and how many may be.
        let mut bounds = HashMap::<usize, (u64, u64)>::new();
        if thread == 0 {
            for _ in 0..CLEARS {
                begun.fetch_add(1, SeqCst);
                detector.clear().unwrap();
                ended.fetch_add(1, SeqCst);
                std::thread::yield_now();
            }
            return bounds;
        }
        let mut random = Random(thread as u64);
        let mut after = stress(20_000);
        while after > 0 {
            let key = random.below(keys);
            let surely = ended.load(SeqCst) == CLEARS;
            detector.record_write("t", key.to_le_bytes()).unwrap();
            let perhaps = begun.load(SeqCst) == CLEARS;
            let (at_least, at_most) = bounds.entry(key).or_default();
            *at_least += u64::from(surely);
            *at_most += u64::from(perhaps);
            after -= usize::from(surely);
        }
        bounds
    });
    let mut conserved = 0;
    for key in 0..keys {
        let bound = |of: fn(&(u64, u64)) -> u64| {
            bounds.iter().filter_map(|bounds| bounds.get(&key)).map(of).sum::<u64>()
        };
        let count = detector.write_count("t", key.to_le_bytes()).unwrap();
        assert!((bound(|at_least| at_least.0)..=bound(|at_most| at_most.1)).contains(&count));
        conserved += count;
    }
    assert!(detector.statistics().cleared > 0);
    println!("conserved {conserved} after {CLEARS} clears");
}

/// Has all threads record to `keys` keys of a detector with this bound; returns the sum of all
/// counts in the end.
fn recorded_at_bound(detector: &Detector, bound: u64, keys: usize, records: usize) -> u64 {
    race(|thread| {
        let mut random = Random(thread as u64);
        for _ in 0..records {
            detector.record_write("t", random.below(keys).to_le_bytes()).unwrap();
            let partitions = detector.statistics().partitions;
            assert!(partitions <= bound + THREADS as u64, "{partitions} partitions at a bound of {bound}");
        }
    });
    assert!(detector.statistics().partitions <= bound);
    (0..keys).map(|key| detector.write_count("t", key.to_le_bytes()).unwrap()).sum()
}

#[test]
fn a_bound_that_is_not_reached_costs_nothing() {
    // Each call in flight counts as one partition more.
    let (keys, records) = (500, stress(20_000));
    let bound = (keys + THREADS) as u64;
    let detector = manual(1_000, 1_000, WINDOW).max_partitions(bound).build().unwrap();
    assert_eq!(recorded_at_bound(&detector, bound, keys, records), (THREADS * records) as u64);
    assert_eq!(detector.statistics().replaced, 0);
    println!("conserved {}", THREADS * records);
}

#[test]
fn the_bound_is_exceeded_by_calls_in_flight_only() {
    for bound in [1, 7, 300] {
        let detector = manual(1_000, 1_000, WINDOW).max_partitions(bound).build().unwrap();
        let records = stress(5_000);
        let conserved = recorded_at_bound(&detector, bound, 3 * bound as usize, records);
        let replaced = detector.statistics().replaced;
        assert!(conserved < (THREADS * records) as u64 && replaced > 0);
        assert!(conserved + replaced <= (THREADS * records) as u64, "each partition replaced had a count");
        println!("bound of {bound}: {conserved} left, {replaced} partitions replaced");
    }
}

/// First touches that meet in an empty detector: none sees another that it could replace before it
/// is in.
#[test]
fn the_bound_holds_when_all_calls_are_back() {
    let detectors: Vec<_> =
        (0..stress(2_000)).map(|_| never_hot(60).max_partitions(1).build().unwrap()).collect();
    race(|thread| {
        assert!(detectors.iter().all(|detector| detector.record_write("t", thread.to_le_bytes()) == Ok(1)));
    });
    assert!(detectors.iter().all(|detector| detector.statistics().partitions <= 1));
}
