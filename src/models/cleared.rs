//! Models of clears where there is a filter. Cells outlive a clear: it begins a new generation, in
//! which what they hold is over ([`crate::ledger::cold`]).
//!
//! A record of a cold key pins nothing, and knows of a clear by the generation alone. A record of
//! another key finds the old ledger or the new one. Each model demands that it is wholly before the
//! clear or wholly after it, and that the cells are fit for the new ledger: no count of before, no
//! count missing, and a mark for each entry.
//!
//! All keys have the same two cells, and a window has one second.

use super::filtering::{ENOUGH, quiet};
use super::subject::{Subject, TABLE};
use super::{Thread, explore};
use crate::key::Key;
use crate::operation::Operation::Write;
use crate::policy::thresholds::Scope;
use crate::sys::clock::Moment;

/// Asserts that the first cell of all keys has marks if there is an entry, and only then; and that
/// the ledger's generation is the cells'.
fn assert_fit(s: &Subject, t: &Thread) {
    let guard = t.pin();
    let ledger = s.current.get(&guard);
    let filtering = ledger.filtering.as_ref().unwrap();
    let pair = filtering.pair(s.settings.hashing.key(Key { table: TABLE, pk: &[0; 4] }), Write);
    assert_eq!(pair.look().has_marks(), s.partitions(t) > 0, "marks");
    assert!(!filtering.is_over());
}

/// (p) A clear comes while a cold key is recorded: the record is wholly before it (2 returned, 0
/// left) or wholly after it (1 and 1). What it had added blindly before it saw the clear may be
/// there besides (2 and 2).
#[test]
fn p_a_cold_record_against_clear() {
    explore("p: a cold record against clear", 2, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.then(|s, t| s.record(0, Write, 0, t));
        let (_, count) = stage.race(|s, t| s.clear(t), |s, t| s.record(0, Write, 0, t));
        let left = stage.then(|s, t| s.most(0, Write, 0, t));
        assert!([(2, 0), (1, 1), (2, 2)].contains(&(count, left)), "{count} returned, {left} left");
        stage.then(assert_fit);
    });
}

/// (p) A thread records after its clear, while another records the same key, whose cell has a mark:
/// so that one looks in the map, of the old ledger or the new one. What comes after the clear stays.
#[test]
fn p_a_record_in_the_old_ledger() {
    explore("p: a record in the old ledger", 1, || {
        let stage = Subject::filtered(3, ENOUGH);
        stage.then(|s, t| s.record_amount(1, Write, 3, 0, t));
        let (own, other) = stage.race(
            |s, t| {
                s.clear(t);
                s.record(0, Write, 0, t)
            },
            |s, t| s.record(0, Write, 0, t),
        );
        let left = stage.then(|s, t| s.most(0, Write, 0, t));
        assert!([1, 2].contains(&left), "{left} left");
        assert!(own <= left && (left == 1 || own.max(other) == 2), "{own} and {other}, {left} left");
        stage.then(assert_fit);
    });
}

/// (p) A clear takes off the mark of a key's entry, while another key of the same cell is promoted:
/// if that is after the clear, its mark stays.
#[test]
fn p_a_promotion_against_the_end_of_another() {
    explore("p: a promotion against the end of another", 1, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.then(|s, t| s.record_amount(0, Write, 2, 0, t));
        stage.race(|s, t| s.clear(t), |s, t| s.record_amount(1, Write, 2, 0, t));
        stage.then(|s, t| {
            assert_fit(s, t);
            assert_eq!(s.partitions(t) * 2, s.most(1, Write, 0, t), "promoted after the clear, or gone");
        });
    });
}

/// (p) A clear comes as a partition goes back into the cells: nothing of it is there afterwards.
#[test]
fn p_demotion_against_clear() {
    explore("p: demotion against clear", 1, || {
        let stage = quiet();
        let (_, count) = stage.race(
            |s, t| s.replace(0, 3, t),
            |s, t| {
                s.clear(t);
                s.record(0, Write, 3, t)
            },
        );
        assert_eq!((count, stage.then(|s, t| s.most(0, Write, 3, t))), (1, 1));
        stage.then(assert_fit);
    });
}

/// (p) Two threads clear, and one records then: the record is all that there is, or was cleared by
/// the other.
#[test]
fn p_two_clears() {
    explore("p: two clears", 1, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.then(|s, t| s.record(0, Write, 0, t));
        let (_, count) = stage.race(
            |s, t| s.clear(t),
            |s, t| {
                s.clear(t);
                s.record(0, Write, 0, t)
            },
        );
        assert_eq!(count, 1);
        stage.then(|s, t| {
            assert!(s.most(0, Write, 0, t) <= 1);
            assert_fit(s, t);
        });
    });
}

/// (p) The level of a table is set to 1 as the detector is cleared. If it is in force afterwards
/// the next record is judged by it, and else by the detector's own, 9.
#[test]
fn p_the_level_is_set_against_clear() {
    explore("p: the level is set against clear", 2, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.race(|s, t| s.clear(t), |s, t| s.set_level(1, 0, t));
        stage.then(|s, t| {
            let set = judge(1, s, t);
            assert_eq!(s.partitions(t) > 0, set.is_some(), "{set:?}");
        });
    });
}

/// (p) One thread sets the level in the old ledger to 5, another clears and sets it to 1 in the new
/// one. The next record is judged by the level that is in force.
#[test]
fn p_levels_are_set_in_two_ledgers() {
    explore("p: levels are set in two ledgers", 1, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.race(
            |s, t| {
                s.clear(t);
                s.set_level(1, 0, t);
            },
            |s, t| s.set_level(5, 0, t),
        );
        stage.then(|s, t| {
            let set = judge(1, s, t);
            assert_eq!(s.partitions(t) > 0, set == Some(2), "{set:?}");
        });
    });
}

/// Records an amount, for which nothing but the level is in the way of the fast path, and returns
/// the threshold that is set.
fn judge(amount: u64, s: &Subject, t: &Thread) -> Option<u64> {
    // Others have used the cells since the clear.
    let cold = &s.settings.filter.as_ref().unwrap().cold;
    let pair = cold.filter.pair(s.settings.hashing.key(Key { table: TABLE, pk: &[0; 4] }), Write);
    pair.restart(|| cold.at(Moment::from_ms(0)));
    s.record_amount(0, Write, amount, 0, t);
    let guard = t.pin();
    let overrides = &s.current.get(&guard).overrides;
    overrides.get(Scope::Table, TABLE, &s.settings.hashing, &guard).ok().unwrap().writes
}

/// (p) A record looks at the level as that is set to 1: it is judged by the new one, or the level
/// is set after it, and the next record finds it in the cells.
#[test]
fn p_a_cold_record_against_a_level() {
    explore("p: a cold record against a level", 2, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.race(|s, t| s.set_level(2, 0, t), |s, t| s.record(0, Write, 0, t));
        stage.then(|s, t| assert_eq!((s.record(0, Write, 0, t), s.partitions(t)), (2, 1)));
    });
}
