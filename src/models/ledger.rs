//! Models of partitions in their map: first touch, growth, reclaim, clearing, warning.
//!
//! A segment has room for two entries here, so that a third key makes it split. Keys are their own
//! position: keys 0 and 2 share a segment once it has split, 1 is in the other. The window is one
//! second and what was written in second 0 is idle from second 2 on.

use super::subject::{Subject, TABLE};
use super::{Stage, Thread, explore};
use crate::ledger::Posting;
use crate::map::probe::BY_GROUP;
use crate::operation::Operation::{self, Read, Write};
use crate::partition::Partition;
use crate::partition::alarm::Alarm;
use crate::policy::thresholds::{Scope, Thresholds};
use crate::sys::clock::Moment;

/// (d) Two threads touch one partition first: there is one partition, and both records are in it.
#[test]
fn d_first_touch() {
    explore("d: first touch by two threads", 2, || {
        let stage = Subject::stage(&[]);
        let (other, this) = stage.race(|s, t| s.record(1, Write, 0, t), |s, t| s.record(1, Write, 0, t));
        assert!(other.max(this) == 2 && other.min(this) >= 1);
        stage.then(|s, t| {
            assert_eq!(s.count(1, Write, 0, t), 2);
            assert_eq!(s.partitions(t), 1);
        });
    });
}

/// (e) A record of a partition that moves: it is counted once, before the move or after it.
#[test]
fn e_a_record_against_replacement() {
    explore("e: a record against replacement", 2, || {
        let stage = Subject::stage(&[0]);
        let (_, count) = stage.race(|s, t| s.replace(0, 0, t), |s, t| s.record(0, Write, 0, t));
        assert_eq!(count, 2);
        assert_eq!(stage.then(|s, t| s.count(0, Write, 0, t)), 2);
    });
}

/// (e) A record turns the second of a partition that moves: the copy has both seconds, and each
/// leaves the window in its time.
#[test]
fn e_a_turn_against_replacement() {
    explore("e: a turn against replacement", 1, || {
        let stage = Subject::stage(&[0]);
        let (_, count) = stage.race(|s, t| s.replace(0, 1, t), |s, t| s.record(0, Write, 1, t));
        assert_eq!(count, 2);
        // At second 1 both seconds are in the window; at 2 only the turned one.
        stage.then(|s, t| assert_eq!([1, 2].map(|second| s.count(0, Write, second, t)), [2, 1]));
    });
}

/// (e) A read of a partition that moves: what was counted before is there, once.
#[test]
fn e_a_read_against_replacement() {
    explore("e: a read against replacement", 2, || {
        let stage = Subject::stage(&[0]);
        let (_, read) = stage.race(|s, t| s.replace(0, 0, t), |s, t| s.count(0, Write, 0, t));
        assert_eq!(read, 1);
    });
}

/// (e) A record comes while the segment splits because another key is inserted.
#[test]
fn e_a_record_against_growth() {
    explore("e: a record against growth", 1, || {
        let stage = Subject::stage(&[0, 1]);
        let (_, count) = stage.race(|s, t| s.record(2, Write, 0, t), |s, t| s.record(0, Write, 0, t));
        assert_eq!(count, 2);
        stage.then(|s, t| {
            assert_eq!([0, 1, 2].map(|key| s.count(key, Write, 0, t)), [2, 1, 1]);
            assert_eq!(s.partitions(t), 3);
        });
    });
}

/// (f) A record comes while its partition is being reclaimed: it calls the reclaim off, or is
/// counted in the partition's successor.
#[test]
fn f_record_against_reclaim() {
    explore("f: record against reclaim", 1, || {
        let stage = Subject::stage(&[0]);
        let (_, count) = stage.race(|s, t| s.reclaim(5, t), |s, t| s.record(0, Read, 5, t));
        assert_eq!(count, 1);
        stage.then(|s, t| {
            assert_eq!([s.count(0, Write, 5, t), s.count(0, Read, 5, t)], [0, 1]);
            assert_eq!(s.partitions(t), 1);
        });
    });
}

/// (f) Two reclaims of one partition, of which the second comes with a record: neither finishes the
/// work that the other began.
#[test]
fn f_record_against_two_reclaims() {
    explore("f: record against two reclaims", 1, || {
        let stage = Subject::stage(&[0]);
        let (_, count) = stage.race(
            |s, t| s.reclaim(5, t),
            |s, t| {
                let count = s.record(0, Write, 5, t);
                s.reclaim(6, t);
                count
            },
        );
        assert_eq!(count, 1);
        stage.then(|s, t| assert_eq!(s.count(0, Write, 6, t), 1));
    });
}

/// (f) A record comes while its partition is replaced at the bound. It is counted in the partition,
/// and goes with it, or it is counted in a successor. Either way the bound holds, and replaced
/// partitions are tallied.
#[test]
fn f_record_against_replacement() {
    explore("f: record against replacement", 1, || {
        let stage = Subject::bounded(&[0], 1);
        stage.race(|s, t| s.record(1, Write, 0, t), |s, t| s.record(0, Write, 0, t));
        stage.then(|s, t| {
            let counts = [s.count(0, Write, 0, t), s.count(1, Write, 0, t)];
            let replaced = s.counters.read(0).replaced;
            assert!(s.partitions(t) == 1 && (1..=2).contains(&replaced));
            assert!(counts.iter().filter(|&&count| count > 0).count() == 1);
            // Of three records in all, a replaced partition has two at most.
            assert!(counts.iter().sum::<u64>() + 2 * replaced >= 3, "{counts:?} {replaced}");
        });
    });
}

/// (e) A partition moves when one of its heads has left the window, while two threads that read the
/// clock before that turn it: its base stays what it was, and neither record is lost.
#[test]
fn e_an_expired_head_against_late_turns() {
    explore("e: an expired head against late turns", 1, || {
        let stage = Subject::stage(&[0]);
        stage.then(|s, t| {
            for second in [1, 2, 4] {
                s.record(0, Write, second, t);
            }
            s.record(0, Read, 5, t);
        });
        stage.race(
            |s, t| {
                s.replace(0, 6, t);
                s.record(0, Write, 5, t)
            },
            |s, t| s.record(0, Write, 5, t),
        );
        assert_eq!(stage.then(|s, t| s.count(0, Write, 6, t)), 2);
    });
}

/// (h) Two hot records at once: one warns, and the other is among the suppressed of the next
/// warning.
#[test]
fn h_one_warning_one_winner() {
    explore("h: one warning, one winner", 3, || {
        let stage = Stage::new(Alarm::new());
        let ring = |alarm: &Alarm| alarm.ring(Write, 500, 1000);
        let (other, this) = stage.race(move |alarm, _| ring(alarm), |alarm, _| ring(alarm));
        assert!(other.is_some() != this.is_some());
        let told = other.or(this).unwrap();
        let next = stage.then(|alarm, _| alarm.ring(Write, 1500, 1000)).expect("the interval is over");
        assert_eq!(told + next, 1);
    });
}

/// (h) The same where an interval ends. There are two winners only if the second's moment is a
/// whole interval later, and every hot record is told of once.
#[test]
fn h_suppressed_adds_up_over_an_interval() {
    explore("h: suppressed adds up over an interval", 3, || {
        let stage = Stage::new(Alarm::new());
        assert_eq!(stage.then(|alarm, _| alarm.ring(Write, 0, 1000)), Some(0));
        let rings = |alarm: &Alarm, ms: [u64; 2]| ms.map(|ms| alarm.ring(Write, ms, 1000));
        let (other, this) =
            stage.race(move |alarm, _| rings(alarm, [999, 1000]), |alarm, _| rings(alarm, [1000, 1001]));
        let told: Vec<u64> = other.into_iter().chain(this).flatten().collect();
        assert_eq!(told.len(), 1, "one warning in the second interval");
        let next = stage.then(|alarm, _| alarm.ring(Write, 2001, 1000)).expect("the interval is over");
        assert_eq!(told[0] + next, 3);
    });
}

/// Has a hot record of partition 0 ask to warn. `Some(n)`: it warns, and tells of `n` that did not.
pub(super) fn ring(subject: &Subject, second: u32, thread: &Thread) -> Option<u64> {
    let guard = thread.pin();
    let pk = 0u32.to_ne_bytes();
    let Posting { key, hash, .. } = Subject::posting(0, &pk, Write);
    let visit = subject.visit(second, &guard);
    let alarm =
        |found: Partition<'_>| found.alarm(&guard).ok().map(|alarm| alarm.ring(Write, visit.now.ms(), 1000));
    subject.current.get(&guard).look(key, hash, visit, alarm).unwrap().unwrap()
}

/// (h) Two hot records make the alarm of their partition at once: there is one, and one of them
/// warns.
#[test]
fn h_the_first_alarm_of_a_partition() {
    explore("h: the first alarm of a partition", 3, || {
        let stage = Subject::stage(&[0]);
        let (other, this) = stage.race(|s, t| ring(s, 0, t), |s, t| ring(s, 0, t));
        assert!(other.is_some() != this.is_some());
    });
}

/// (h) A hot record makes the alarm of a partition that moves: the copy has it too. So a second
/// record within the interval does not warn.
#[test]
fn h_the_first_alarm_against_replacement() {
    explore("h: the first alarm against replacement", 2, || {
        let stage = Subject::stage(&[0]);
        let (_, first) = stage.race(|s, t| s.replace(0, 0, t), |s, t| ring(s, 0, t));
        assert_eq!(first, Some(0));
        assert_eq!(stage.then(|s, t| ring(s, 0, t)), None, "within the interval");
        assert_eq!(stage.then(|s, t| ring(s, 1, t)), Some(1));
    });
}

/// (i) A clear comes while a partition is recorded. The record is wholly before it, and returns
/// what was counted until then (2, and 0 are left), or wholly after it (1, which is left).
#[test]
fn i_clear_against_record() {
    explore("i: clear against record", 2, || {
        let stage = Subject::stage(&[0]);
        let (_, count) = stage.race(clear, |s, t| s.record(0, Write, 0, t));
        let left = stage.then(|s, t| s.count(0, Write, 0, t));
        // Both in the old ledger, which is gone; or the record alone in the new one.
        assert!((count, left) == (2, 0) || (count, left) == (1, 1), "{count} returned, {left} left");
    });
}

/// (i) A clear comes while a partition is first touched.
#[test]
fn i_clear_against_first_touch() {
    explore("i: clear against first touch", 2, || {
        let stage = Subject::stage(&[]);
        let (_, count) = stage.race(clear, |s, t| s.record(0, Write, 0, t));
        let (left, partitions) = stage.then(|s, t| (s.count(0, Write, 0, t), s.partitions(t)));
        // The record was the first wherever it was made, and what is left of it has its partition.
        assert!(count == 1 && left <= 1 && left == partitions);
    });
}

/// Clears the ledger.
fn clear(subject: &Subject, thread: &Thread) {
    subject.current.clear(&subject.settings, &subject.counters, &subject.clock, || thread.pin()).unwrap();
}

/// Sets the thresholds of the table.
fn change(subject: &Subject, thread: &Thread, writes: u64, reads: u64) {
    let guard = thread.pin();
    let thresholds = Thresholds { writes: Some(writes), reads: Some(reads) };
    let overrides = &subject.current.get(&guard).overrides;
    overrides
        .set(Scope::Table, TABLE, thresholds, subject.setting(), &subject.settings.hashing, &guard)
        .unwrap();
}

/// Returns the threshold that a count of 7 has reached.
fn reached(subject: &Subject, thread: &Thread, operation: Operation) -> Option<u64> {
    let guard = thread.pin();
    let pk = 0u32.to_ne_bytes();
    let posting = Subject::posting(0, &pk, operation);
    subject.current.get(&guard).reached(7, &posting, subject.visit(0, &guard)).unwrap()
}

/// Looks three times, for writes, reads and writes. A change in between may be seen from any look
/// on, but for both operations at once.
fn reached_in_turn(subject: &Subject, thread: &Thread) -> [Option<u64>; 3] {
    [Write, Read, Write].map(|operation| reached(subject, thread, operation))
}

/// (k) The thresholds of a table are set while its records look at them: both operations' appear at
/// once, and stay.
#[test]
fn k_first_thresholds_against_record() {
    explore("k: first thresholds against record", 2, || {
        let stage = Subject::stage(&[]);
        let (_, seen) = stage.race(|s, t| change(s, t, 5, 6), reached_in_turn);
        let after = [Some(5), Some(6), Some(5)];
        // There is a look from which on all see the change, and before which none does.
        let switched = (0..=3).any(|n| (0..3).all(|i| seen[i] == if i < n { None } else { after[i] }));
        assert!(switched, "{seen:?}");
        stage.then(|s, t| assert_eq!(reached_in_turn(s, t), after));
    });
}

/// (k) Two threads set one table's thresholds: once either has, one of the two is in force.
#[test]
fn k_thresholds_set_by_two() {
    explore("k: thresholds set by two threads", 2, || {
        let stage = Subject::stage(&[]);
        let set_and_look = |s: &Subject, t: &Thread, writes| {
            change(s, t, writes, 9);
            reached(s, t, Write)
        };
        let (other, this) = stage.race(move |s, t| set_and_look(s, t, 5), |s, t| set_and_look(s, t, 6));
        assert!([other, this].iter().all(|seen| [Some(5), Some(6)].contains(seen)), "{other:?} {this:?}");
    });
}

/// (k) The same for thresholds that replace others.
#[test]
fn k_thresholds_change_against_record() {
    explore("k: thresholds change against record", 2, || {
        let stage = Subject::stage(&[]);
        stage.then(|s, t| change(s, t, 5, 6));
        let (_, seen) = stage.race(|s, t| change(s, t, 3, 8), reached_in_turn);
        let (before, after) = ([Some(5), Some(6), Some(5)], [Some(3), None, Some(3)]);
        let switched = (0..=3).any(|n| (0..3).all(|i| seen[i] == if i < n { before[i] } else { after[i] }));
        assert!(switched, "{seen:?}");
        stage.then(|s, t| assert_eq!(reached_in_turn(s, t), after));
    });
}

/// (e) Entries are found by the group, as they are in maps that a core's cache holds: a partition
/// moves under the look.
#[test]
fn e_found_by_the_group_against_replacement() {
    BY_GROUP.set(true);
    explore("e: found by the group, against replacement", 1, || {
        let stage = Subject::stage(&[0, 1]);
        let (_, count) = stage.race(|s, t| s.replace(0, 0, t), |s, t| s.record(0, Write, 0, t));
        assert_eq!(count, 2);
        assert_eq!(stage.then(|s, t| [0, 1].map(|key| s.count(key, Write, 0, t))), [2, 1]);
    });
    BY_GROUP.set(false);
}

/// (e) The same while the partition goes at the bound and comes again.
#[test]
fn e_found_by_the_group_against_removal() {
    BY_GROUP.set(true);
    explore("e: found by the group, against removal", 1, || {
        let stage = Subject::bounded(&[0], 1);
        let (_, count) = stage.race(
            |s, t| s.record(1, Write, 0, t),
            |s, t| [s.record(0, Write, 0, t), s.record(0, Write, 0, t)],
        );
        // The partition, of which 1 was recorded, goes after both records, before both, between
        // them, or both before and between.
        assert!([[2, 3], [1, 2], [2, 1], [1, 1]].contains(&count), "{count:?}");
        stage.then(|s, t| assert_eq!(s.partitions(t), 1));
    });
    BY_GROUP.set(false);
}
