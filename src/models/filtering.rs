//! Models of a ledger with a filter: promotion, demotion, keys that are kept out, clearing.
//!
//! A key is counted in two places while it moves between the cells and an entry of its own. Each
//! model sends a record, a look or another move into that time, and demands that the count never
//! falls short of what was recorded. It may be too high: the bound may have a part twice.
//!
//! | a key is | its count is |
//! |---|---|
//! | cold | the bound that its cells give |
//! | fresh: promoted, its entry not settled | the entry's and the cells' together |
//! | promoted | the entry's |
//! | kept out, for want of memory | the cells', as if it were cold |
//!
//! All keys have the same two cells, and a window has one second.

use super::subject::{Subject, TABLE};
use super::{Stage, Thread, explore, explore_within};
use crate::key::Key;
use crate::ledger::Ledger;
use crate::ledger::visit::Visit;
use crate::map::ReplaceContext;
use crate::operation::Operation::Write;
use crate::partition::amount::Amount;
use crate::partition::content::Content;
use crate::policy::thresholds::Scope;
use crate::sys::clock::Moment;
use std::time::Duration;

/// Memory for more entries than a model makes.
pub(super) const ENOUGH: u64 = 1 << 20;
/// The time after which models end that have too many executions to wait for.
const MOST: Option<Duration> = Some(Duration::from_secs(60));

/// (n) Two records of one key come to its level, 2, at once. Each returns a count with the record
/// that was there before, one returns all three, and all are in the count afterwards. Leaves out a
/// third thread.
#[test]
fn n_two_records_promote() {
    explore("n: two records promote", 1, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.then(|s, t| s.record(0, Write, 0, t));
        let (other, this) = stage.race(|s, t| s.record(0, Write, 0, t), |s, t| s.record(0, Write, 0, t));
        // The record before is in both counts, and the later of the two has the other as well.
        assert!(other.max(this) >= 3 && other.min(this) >= 2, "{other} and {this}");
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 3 && s.partitions(t) == 1));
    });
}

/// (n) The level falls from 9 to 1 while a record is under way that judged by the old one: it stays
/// in the cells, and the other promotes. Both are in the count. (The record is on the other thread:
/// within its bound on preemptions loom would not come to what this is about.)
#[test]
fn n_the_level_falls() {
    explore("n: the level falls", 2, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.race(
            |s, t| s.record(0, Write, 0, t),
            |s, t| {
                s.record_amount(0, Write, 2, 0, t);
                s.set_level(1, 0, t);
            },
        );
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 3));
    });
}

/// Makes a key whose first write has just been promoted, when the cells have got two more: its
/// entry has 1, the cells 3. Promotion has one step left, [`settle`].
fn fresh() -> Stage<Subject> {
    let stage = Subject::filtered(9, ENOUGH);
    stage.then(|s, t| {
        s.record_amount(0, Write, 3, 0, t);
        with_entry(s, t, |ledger, key, visit| {
            let hash = s.settings.hashing.key(key);
            let filtering = ledger.filtering.as_ref().unwrap();
            filtering.pair(hash, Write).mark();
            let content = Content::promoted(key, hash, 0, [1, 0], [0, 0]).unwrap();
            let insert =
                |context: ReplaceContext<'_>| ledger.partitions.insert(hash, &content, context, visit.guard);
            assert!(ledger.with_context(visit, insert).is_ok());
        });
    });
    stage
}

/// Takes the last step of that promotion: adds the two that the entry lacks, and says that it lacks
/// nothing.
fn settle(subject: &Subject, thread: &Thread) {
    with_entry(subject, thread, |ledger, key, visit| {
        let Visit { settings, now, guard, .. } = visit;
        let found = ledger.partitions.find(settings.hashing.key(key), key, guard).unwrap().unwrap();
        let two = Amount::new(2).unwrap();
        assert!(found.add(Write, two, now, settings.timing, u64::MAX, guard).is_ok());
        assert!(found.settle());
    });
}

/// Calls `f` with what it takes to handle the entry of key 0.
fn with_entry(s: &Subject, thread: &Thread, f: impl FnOnce(&Ledger, Key<'_>, Visit<'_>)) {
    let (guard, pk) = (thread.pin(), 0u32.to_ne_bytes());
    f(s.current.get(&guard), Key { table: TABLE, pk: &pk }, s.visit(0, &guard));
}

/// (n) A record finds an entry that is fresh, or just no longer: its count has the three that were
/// in the cells, and its own.
#[test]
fn n_a_record_of_a_fresh_entry() {
    explore("n: a record of a fresh entry", 2, || {
        let stage = fresh();
        let (_, count) = stage.race(settle, |s, t| s.record(0, Write, 0, t));
        assert!(count >= 4, "{count}");
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 4));
    });
}

/// (n) A look finds such an entry: it sees all three.
#[test]
fn n_a_look_at_a_fresh_entry() {
    explore("n: a look at a fresh entry", 2, || {
        let stage = fresh();
        let (_, most) = stage.race(settle, |s, t| s.most(0, Write, 0, t));
        assert!(most >= 3, "{most}");
    });
}

/// (n) Two threads set the level of one table, to 9 and to 1. A record of 5 between them may be
/// judged by a level that is in force for a moment only. If it was 9 the record stayed in the
/// cells, and the next one, by level 1, must find it there.
#[test]
fn n_the_level_is_set_by_two() {
    explore("n: the level is set by two", 1, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.race(
            |s, t| {
                s.set_level(9, 0, t);
                s.record_amount(0, Write, 5, 0, t)
            },
            |s, t| s.set_level(1, 0, t),
        );
        stage.then(|s, t| {
            s.record(0, Write, 0, t);
            assert!(s.most(0, Write, 0, t) >= 6);
        });
    });
}

/// (n) Two threads set models, one after the other's own: the levels that were in force between
/// them are remembered. A record judged by one of these is in the count afterwards.
#[test]
fn n_models_are_set_by_two() {
    explore("n: models are set by two", 1, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.then(|s, t| {
            s.set_level(9, 0, t);
            s.set_level_of(Scope::Model, b"a", Some(2), 0, t);
            s.set_level_of(Scope::Model, b"b", Some(9), 0, t);
            // What was set so far is remembered no more.
            s.reach(9);
        });
        stage.race(
            |s, t| {
                s.set_level_of(Scope::Model, b"a", None, 9, t);
                s.record_amount(0, Write, 5, 9, t)
            },
            |s, t| s.set_level_of(Scope::Model, b"b", Some(1), 9, t),
        );
        stage.then(|s, t| {
            s.record(0, Write, 9, t);
            assert!(s.most(0, Write, 9, t) >= 6);
        });
    });
}

/// (n) A thread reads the thresholds of a table and of models while the level 2 goes from the table
/// to a model. It finds a level that was in force: at no moment was it 9. (The model below has a
/// whole record in place of the reading. It does not come to this in its time.)
#[test]
fn n_thresholds_are_read_as_the_level_goes() {
    explore("n: thresholds are read as the level goes from table to model", 1, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.then(|s, t| s.set_level(2, 0, t));
        let (_, least) = stage.race(
            |s, t| {
                s.set_level_of(Scope::Model, b"a", Some(2), 0, t);
                s.set_level_of(Scope::Table, TABLE, None, 0, t);
            },
            |s, t| {
                let (guard, pk) = (t.pin(), 0u32.to_ne_bytes());
                let visit = s.visit(0, &guard);
                s.current.get(&guard).least_threshold(Key { table: TABLE, pk: &pk }, Write, visit).ok()
            },
        );
        assert_eq!(least, Some(4), "of which the level 2 is half");
    });
}

/// (n) A record looks at models and its table while the level 2 goes from the table to a model. It
/// judges by a level that was in force: at no moment was it 9, so the record of 5 is promoted.
#[test]
fn n_a_record_as_the_level_goes_from_table_to_model() {
    explore_within(MOST, "n: a record as the level goes from table to model", 1, || {
        let stage = Subject::filtered(9, ENOUGH);
        stage.then(|s, t| s.set_level(2, 0, t));
        stage.then(|s, _| s.reach(9));
        stage.race(
            |s, t| s.record_amount(0, Write, 5, 9, t),
            |s, t| {
                s.set_level_of(Scope::Model, b"a", Some(2), 9, t);
                s.set_level_of(Scope::Table, TABLE, None, 9, t);
            },
        );
        stage.then(|s, t| {
            s.record(0, Write, 9, t);
            assert!(s.most(0, Write, 9, t) >= 6);
        });
    });
}

/// Makes a key that is promoted, and due to go back into the cells at second 3. Then it has 1, in
/// its window's last second, and the cells have nothing any more.
pub(super) fn quiet() -> Stage<Subject> {
    let stage = Subject::filtered(4, ENOUGH);
    stage.then(|s, t| {
        s.record_amount(0, Write, 4, 0, t);
        // It is promoted at second 0, with 4. A window of two slots then has 5 and, when second 0
        // has left, 2.
        assert_eq!([1, 2].map(|second| s.record(0, Write, second, t)), [5, 2]);
        s.reach(3);
    });
    stage
}

/// (n) A partition goes back into the cells, and is recorded as it goes: the record is in the entry
/// that is moved, or in the cells.
#[test]
fn n_a_record_against_demotion() {
    explore("n: a record against demotion", 1, || {
        let stage = quiet();
        let (_, count) = stage.race(|s, t| s.replace(0, 3, t), |s, t| s.record(0, Write, 3, t));
        assert!(count >= 2, "{count}");
        stage.then(|s, t| assert!(s.most(0, Write, 3, t) >= 2));
    });
}

/// (n) A partition goes back into the cells, and is looked at meanwhile.
#[test]
fn n_a_look_against_demotion() {
    explore("n: a look against demotion", 1, || {
        let stage = quiet();
        let (_, most) = stage.race(|s, t| s.replace(0, 3, t), |s, t| s.most(0, Write, 3, t));
        assert!(most >= 1, "{most}");
    });
}

/// (n) Two threads replace the segment of a partition that goes back into the cells: it goes once,
/// and nothing is lost.
#[test]
fn n_two_demotions() {
    explore("n: two demotions", 1, || {
        let stage = quiet();
        stage.race(|s, t| s.replace(0, 3, t), |s, t| s.replace(0, 3, t));
        stage.then(|s, t| {
            assert!(s.most(0, Write, 3, t) >= 1 && s.partitions(t) == 0);
            // Both threads replaced, and one of them gave the partition back.
            assert_eq!(s.counters.demoted.load(crate::sys::sync::Relaxed), 1);
        });
    });
}

/// (n) There is no room for an entry: both are kept out, and the counts that they return have all
/// of it.
#[test]
fn n_two_are_kept_out() {
    explore("n: two are kept out", 3, || {
        let stage = Subject::filtered(1, 0);
        let (other, this) = stage.race(|s, t| s.record(0, Write, 0, t), |s, t| s.record(0, Write, 0, t));
        assert!(other.max(this) >= 2);
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 2 && s.partitions(t) == 0));
    });
}

/// (n) A record is kept out just before there is room, and another record promotes the key: both
/// are in the count. The one that was kept out must look for an entry again after it added.
#[test]
fn n_kept_out_as_another_promotes() {
    explore("n: kept out as another promotes", 1, || {
        let stage = Subject::filtered(1, ENOUGH);
        let budget = |s: &Subject| s.settings.filter.as_ref().unwrap().budget.clone();
        stage.then(|s, _| budget(s).take(ENOUGH));
        let (other, this) = stage.race(
            move |s, t| {
                budget(s).give_back(ENOUGH);
                s.record(0, Write, 0, t)
            },
            |s, t| s.record(0, Write, 0, t),
        );
        assert!(other.max(this) >= 2, "{other} and {this}");
        stage.then(|s, t| assert!(s.most(0, Write, 0, t) >= 2));
    });
}

/// (n) A clear comes while a key is promoted: the record is wholly before the clear (2 returned, 0
/// left) or wholly after it (1 and 1). What it had added blindly before it saw the clear may be
/// there besides (2 and 2).
#[test]
fn n_clear_against_promotion() {
    explore("n: clear against promotion", 2, || {
        let stage = Subject::filtered(2, ENOUGH);
        stage.then(|s, t| s.record(0, Write, 0, t));
        let (_, count) = stage.race(|s, t| s.clear(t), |s, t| s.record(0, Write, 0, t));
        let left = stage.then(|s, t| s.most(0, Write, 0, t));
        assert!([(2, 0), (1, 1), (2, 2)].contains(&(count, left)), "{count} returned, {left} left");
    });
}

/// (n) A thread has read the clock, and stands still until the cells hold nothing of that time any
/// more. The records that another thread has made since are in the count, also if the late one
/// promotes.
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

/// (n) A new entry goes, for being idle by another thread's clock, before the thread that inserted
/// it has gone on. That thread must not take off the mark of another key, which shares the cell.
#[test]
fn n_a_new_entry_goes_at_once() {
    explore_within(MOST, "n: a new entry goes at once", 1, || {
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
        // The key's own two, and the record that came after.
        assert_eq!(count, 3);
        stage.then(|s, t| assert!(s.most(0, Write, 5, t) >= 3));
    });
}
