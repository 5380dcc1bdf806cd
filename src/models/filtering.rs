//! Models of a ledger with a filter: promotion, demotion, what is kept out, clearing. All keys have the same two cells.

use super::explore;
use super::subject::Subject;
use crate::operation::Operation::Write;
use crate::sys::clock::Moment;

const ENOUGH: u64 = 1 << 20;

/// (n) Two records of one key come to its level at once: each returns a count with what was there before, one returns all, and
/// all are in the count afterwards. Leaves out a third thread.
#[test]
fn n_two_records_promote() {
    explore("n: two records promote", 1, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.then(|s, t| s.record(0, Write, 0, t));
        let (other, this) = stage.race(|s, t| s.record(0, Write, 0, t), |s, t| s.record(0, Write, 0, t));
        assert!(other.max(this) >= 3 && other.min(this) >= 2, "{other} and {this}");
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 3 && s.partitions(t) == 1));
    });
}

/// (n) The level falls while records are under way, which judge by either: none of them is lost, each returns a count with those
/// that had returned before it, and one returns all.
#[test]
fn n_the_level_falls() {
    explore("n: the level falls", 1, || {
        let stage = Subject::filtered(9, ENOUGH);
        let (counts, this) = stage.race(
            |s, t| {
                let before = s.record_amount(0, Write, 2, 0, t);
                s.set_level(1, 0, t);
                [before, s.record(0, Write, 0, t)]
            },
            |s, t| s.record(0, Write, 0, t),
        );
        assert!(counts[0] >= 2 && counts[1] >= 3, "{counts:?}");
        assert!(counts[1].max(this) >= 4, "{counts:?} and {this}");
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 4));
    });
}

/// (n) The same, and a look at the count: what had returned before it is in it.
#[test]
fn n_the_level_falls_before_a_look() {
    explore("n: the level falls before a look", 2, || {
        let stage = Subject::filtered(9, ENOUGH);
        let (most, _) = stage.race(
            |s, t| {
                s.record_amount(0, Write, 2, 0, t);
                s.set_level(1, 0, t);
                s.most(0, Write, 0, t)
            },
            |s, t| s.record(0, Write, 0, t),
        );
        assert!(most >= 2, "{most}");
    });
}

/// (n) Two threads set the level of one table, and record. What one record was judged by may be in force for a moment only.
#[test]
fn n_the_level_is_set_by_two() {
    explore("n: the level is set by two", 1, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.race(
            |s, t| {
                s.set_level(9, 0, t);
                s.record_amount(0, Write, 5, 0, t)
            },
            |s, t| {
                s.set_level(1, 0, t);
                s.record(0, Write, 0, t)
            },
        );
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 6));
    });
}

/// A key that is promoted, and wanted in the cells again at second 2, when it has 1.
fn quiet() -> super::Stage<Subject> {
    let stage = Subject::filtered(4, ENOUGH);
    stage.then(|s, t| {
        s.record_amount(0, Write, 4, 0, t);
        s.reach(2);
        assert_eq!(s.record(0, Write, 1, t), 5);
    });
    stage
}

/// (n) A partition goes back into the cells, and is recorded as it goes: nothing is lost.
#[test]
fn n_a_record_against_demotion() {
    explore("n: a record against demotion", 1, || {
        let stage = quiet();
        let (_, count) = stage.race(|s, t| s.replace(0, 2, t), |s, t| s.record(0, Write, 2, t));
        assert!(count >= 2, "{count}");
        stage.then(|s, t| assert!(s.most(0, Write, 2, t) >= 2));
    });
}

/// (n) A partition goes back into the cells, and is looked at meanwhile.
#[test]
fn n_a_look_against_demotion() {
    explore("n: a look against demotion", 1, || {
        let stage = quiet();
        let (_, most) = stage.race(|s, t| s.replace(0, 2, t), |s, t| s.most(0, Write, 2, t));
        assert!(most >= 1, "{most}");
    });
}

/// (n) Two threads replace the segment of a partition that goes back into the cells: it goes once, and nothing is lost.
#[test]
fn n_two_demotions() {
    explore("n: two demotions", 1, || {
        let stage = quiet();
        stage.race(|s, t| s.replace(0, 2, t), |s, t| s.replace(0, 2, t));
        stage.then(|s, t| {
            assert!(s.most(0, Write, 2, t) >= 1 && s.partitions(t) == 0);
            assert_eq!(s.counters.demoted.load(crate::sys::sync::Relaxed), 1);
        });
    });
}

/// (n) There is no room for an entry: both are kept out, and what they return has what was there.
#[test]
fn n_two_are_kept_out() {
    explore("n: two are kept out", 3, || {
        let stage = Subject::filtered(1, 0);
        let (other, this) = stage.race(|s, t| s.record(0, Write, 0, t), |s, t| s.record(0, Write, 0, t));
        assert!(other.max(this) >= 2);
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 2 && s.partitions(t) == 0));
    });
}

/// (n) A record is kept out just before there is room, and another record promotes the key: both are in the count.
#[test]
fn n_kept_out_as_another_promotes() {
    explore("n: kept out as another promotes", 1, || {
        let stage = Subject::filtered(1, ENOUGH);
        let budget = |s: &Subject| s.settings.filter.as_ref().unwrap().budget.clone();
        stage.then(|s, _| budget(s).take(ENOUGH));
        let (other, this) = stage.race(
            |s, t| s.record(0, Write, 0, t),
            move |s, t| {
                budget(s).give_back(ENOUGH);
                s.record(0, Write, 0, t)
            },
        );
        assert!(other.max(this) >= 2, "{other} and {this}");
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 2));
    });
}

/// (n) A clear comes while a key is promoted: the record is wholly before it or wholly after.
#[test]
fn n_clear_against_promotion() {
    explore("n: clear against promotion", 2, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.then(|s, t| s.record(0, Write, 0, t));
        let clear = |s: &Subject, t: &super::Thread| {
            s.current.clear(&s.settings, &s.counters, Moment::from_ms(0), || t.pin()).unwrap();
        };
        let (_, count) = stage.race(clear, |s, t| s.record(0, Write, 0, t));
        let left = stage.then(|s, t| s.most(0, Write, 0, t));
        assert!((count, left) == (2, 0) || (count, left) == (1, 1), "{count} returned, {left} left");
    });
}

/// (n) A thread has read the clock, and stands still until the cells hold nothing of that time any more: what others have
/// added since is in the count, also if it is the one that promotes.
#[test]
fn n_a_record_that_stands_still() {
    for stall in [1, 2, 3, 4] {
        explore("n: a record that stands still", 2, move || {
            let stage = Subject::filtered(2, ENOUGH);
            let (_, count) = stage.race(
                move |s, t| {
                    s.reach(stall);
                    s.record(0, Write, stall, t)
                },
                |s, t| s.record(0, Write, 0, t),
            );
            assert!(count >= 1);
            let left = stage.then(|s, t| s.most(0, Write, stall + 1, t));
            assert!(left >= 1, "{left}");
        });
    }
}

/// (n) The same of a thread that looks.
#[test]
fn n_a_look_that_stands_still() {
    explore("n: a look that stands still", 1, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.then(|s, t| s.record(0, Write, 0, t));
        let (_, most) = stage.race(
            |s, t| [1, 3].map(|second| (s.reach(second), s.record(0, Write, second, t))),
            |s, t| s.most(0, Write, 0, t),
        );
        assert!(most >= 1, "{most}");
    });
}

/// (n) A new entry goes for being idle before the thread that inserted it has gone on: the mark of another key stays.
#[test]
fn n_a_new_entry_goes_at_once() {
    explore("n: a new entry goes at once", 1, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.then(|s, t| {
            s.record_amount(0, Write, 2, 5, t);
            assert_eq!(s.partitions(t), 1);
        });
        let (count, _) = stage.race(
            |s, t| {
                s.reach(5);
                s.replace(0, 5, t);
                s.record(0, Write, 5, t)
            },
            |s, t| s.record_amount(1, Write, 2, 0, t),
        );
        assert_eq!(count, 3);
        stage.then(|s, t| assert!(s.most(0, Write, 5, t) >= 3));
    });
}
