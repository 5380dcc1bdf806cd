//! Models of lifetimes (g): memory that a pinned thread has found stays, whatever another retires.
//!
//! In each model one thread pins and reads, as a call of the library does. The other replaces what
//! is read, retires it, and lets the epochs pass that free it. All memory is watched
//! ([`crate::sys::watch`]). Each model has two twins that must fail: in one the reader is not
//! pinned, in the other memory is freed at once. A twin watches only the kind of memory that its
//! model is about.

use super::series::{Series, TIMING, WINDOW, series_of, with_extension};
use super::subject::{Subject, TABLE};
use super::{Stage, explore};
use crate::ledger::Posting;
use crate::ledger::settings::Settings;
use crate::operation::Operation::{Read, Write};
use crate::partition::Partition;
use crate::partition::amount::Amount;
use crate::policy::thresholds::{Scope, Thresholds};
use crate::sys::clock::Moment;
use crate::sys::watch::{self, Kind};
use crossbeam_epoch::{Guard, unprotected};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// A reader, and a thread that retires what it reads.
struct Model<T> {
    name: &'static str,
    /// The kind of memory that is retired.
    kind: Kind,
    preemptions: usize,
    stage: fn() -> Stage<T>,
    /// Reads it under this guard.
    read: fn(&T, &Guard),
    /// Retires it with guards that this closure makes.
    retire: fn(&T, &dyn Fn() -> Guard),
}

/// Returns a guard that protects nothing, and frees at once what is deferred with it.
fn unprotecting() -> Guard {
    // SAFETY: only twins that must fail use it: they keep all memory, so that loom and not the
    // allocator sees the mistake. No thread's pinning has it, so dropping the copy unpins none.
    unsafe { std::ptr::read(unprotected()) }
}

impl<T: Send + Sync + 'static> Model<T> {
    /// Proves that the reader never uses freed memory, and that memory of the kind is freed.
    fn holds(self) {
        watch::keep(None);
        self.explore(false, false);
    }

    /// Fails because the reader is not pinned.
    fn with_an_unpinned_reader(self) {
        watch::keep(Some(self.kind));
        self.explore(true, false);
    }

    /// Fails because memory is freed at once instead of being retired.
    fn with_an_immediate_free(self) {
        watch::keep(Some(self.kind));
        self.explore(false, true);
    }

    fn explore(self, unpinned: bool, at_once: bool) {
        let Self { name, kind, preemptions, stage, read, retire } = self;
        let freed = Arc::new(AtomicBool::new(false));
        let freed_once = freed.clone();
        explore(&format!("g: {name}"), preemptions, move || {
            let (freed, ()) = stage().race(
                move |subject, thread| {
                    let before = watch::freed(kind);
                    retire(subject, &|| if at_once { unprotecting() } else { thread.pin() });
                    for _ in 0..3 {
                        thread.pin().flush();
                    }
                    watch::freed(kind) > before
                },
                move |subject, thread| read(subject, &if unpinned { unprotecting() } else { thread.pin() }),
            );
            freed_once.fetch_or(freed, Relaxed);
        });
        assert!(freed.load(Relaxed), "nothing is freed while a reader may be about: the model is vacuous");
    }
}

/// Writes the tests of one model: that it holds, and that its twins fail.
macro_rules! tests {
    ($model:ident: $holds:ident, $unpinned:ident, $at_once:ident) => {
        #[test]
        fn $holds() {
            $model().holds();
        }

        #[test]
        #[should_panic(expected = "Causality violation")]
        fn $unpinned() {
            $model().with_an_unpinned_reader();
        }

        #[test]
        #[should_panic(expected = "Causality violation")]
        fn $at_once() {
            $model().with_an_immediate_free();
        }
    };
}

/// Adds 1 to a series, and turns it if its second is over.
fn add(series: &Series, second: u32, guard: &Guard) -> u64 {
    let now = Moment::from_ms(u64::from(second) * 1000);
    series.partition().add(Write, Amount::ONE, now, TIMING, u64::MAX, guard).unwrap()
}

fn count(series: &Series, second: u32, guard: &Guard) -> u64 {
    series.partition().series(Write, WINDOW, guard).count(second).unwrap()
}

/// A count is read from a history while an add replaces that by a larger one.
fn history() -> Model<Series> {
    Model {
        name: "a history against growth",
        kind: Kind::History,
        preemptions: 1,
        stage: || series_of(2),
        read: |series, guard| assert!([3, 4].contains(&count(series, 1, guard))),
        retire: |series, pin| assert_eq!(add(series, 2, &pin()), 4),
    }
}

tests!(history:
    g_a_history_against_growth,
    g_an_unpinned_reader_of_a_history_is_caught,
    g_a_history_freed_at_once_is_caught
);

/// Two adds put slots into a history, and either may replace it by a larger one.
fn history_put() -> Model<Series> {
    Model {
        name: "a put against growth of its history",
        kind: Kind::History,
        preemptions: 1,
        stage: || series_of(2),
        read: |series, guard| assert!([4, 5].contains(&add(series, 2, guard))),
        retire: |series, pin| assert!([4, 5].contains(&add(series, 2, &pin()))),
    }
}

tests!(history_put:
    g_a_put_against_growth_of_its_history,
    g_an_unpinned_put_is_caught,
    g_a_history_freed_under_a_put_is_caught
);

/// A count is read through an extension while an add replaces that by an extension with a wheel.
fn extension() -> Model<Series> {
    Model {
        name: "an extension against promotion",
        kind: Kind::Extension,
        preemptions: 1,
        stage: || {
            let stage = series_of(3);
            stage.then(|series, thread| assert!(series.partition().alarm(&thread.pin()).is_ok()));
            stage
        },
        read: |series, guard| assert!([7, 2 + 4 + 1].contains(&count(series, 2, guard))),
        retire: |series, pin| assert_eq!(add(series, 3, &pin()), 2 + 4 + 1),
    }
}

tests!(extension:
    g_an_extension_against_promotion,
    g_an_unpinned_reader_of_an_extension_is_caught,
    g_an_extension_freed_at_once_is_caught
);

/// A count is read through an extension while a hot record replaces it by one with an alarm.
fn extension_armed() -> Model<Series> {
    Model {
        name: "an extension against the first alarm",
        kind: Kind::Extension,
        preemptions: 2,
        stage: with_extension,
        read: |series, guard| assert_eq!(count(series, 3, guard), 2 + 4 + 8),
        retire: |series, pin| assert!(series.partition().alarm(&pin()).is_ok()),
    }
}

tests!(extension_armed:
    g_an_extension_against_the_first_alarm,
    g_an_unpinned_reader_at_the_first_alarm_is_caught,
    g_an_extension_freed_at_the_first_alarm_is_caught
);

/// A count is read from a wheel while a new partition makes the wheel's partition go, at the bound.
fn wheel() -> Model<Subject> {
    Model {
        name: "a wheel against removal",
        kind: Kind::Wheel,
        preemptions: 1,
        stage: || {
            let stage = Subject::of(Settings { timing: TIMING, max_partitions: 1, ..Subject::settings() });
            stage.then(|subject, thread| {
                (0..4).for_each(|second| _ = subject.record(0, Write, second, thread));
            });
            stage
        },
        read: |subject, guard| {
            let pk = 0_u32.to_ne_bytes();
            let Posting { key, hash, .. } = Subject::posting(0, &pk, Write);
            let count = |found: Partition<'_>| found.series(Write, WINDOW, guard).count(3);
            let count = subject.current.get(guard).look(key, hash, subject.visit(3, guard), count);
            assert!([None, Some(3)].contains(&count.unwrap()));
        },
        retire: |subject, pin| assert_eq!(subject.record_in(1, Write, Amount::ONE, 3, &pin()), 1),
    }
}

tests!(wheel:
    g_a_wheel_against_removal,
    g_an_unpinned_reader_of_a_wheel_is_caught,
    g_a_wheel_freed_at_once_is_caught
);

/// Makes a subject whose partition 0 has warned in second 0.
fn armed() -> Stage<Subject> {
    let stage = Subject::stage(&[0]);
    stage.then(|subject, thread| assert_eq!(ring(subject, &thread.pin()), Some(0)));
    stage
}

/// Rings the alarm of partition 0 in second 0. `None`: it has warned, or the partition is gone.
fn ring(subject: &Subject, guard: &Guard) -> Option<u64> {
    let pk = 0_u32.to_ne_bytes();
    let Posting { key, hash, .. } = Subject::posting(0, &pk, Write);
    let visit = subject.visit(0, guard);
    let alarm = |found: Partition<'_>| Some(found.alarm(guard).ok()?.ring(Write, visit.now.ms(), 1000));
    let rung = subject.current.with(guard, |ledger| ledger.look(key, hash, visit, alarm));
    rung.unwrap().flatten()
}

/// An alarm is rung while its partition is reclaimed.
fn alarm() -> Model<Subject> {
    Model {
        name: "an alarm against reclaim",
        kind: Kind::Alarm,
        preemptions: 1,
        stage: armed,
        read: |subject, guard| assert_eq!(ring(subject, guard), None),
        retire: |subject, pin| {
            let guard = pin();
            let context = subject.visit(5, &guard).replace_context();
            subject.current.get(&guard).partitions.replace_at(0, context, &guard).unwrap();
        },
    }
}

tests!(alarm:
    g_an_alarm_against_reclaim,
    g_an_unpinned_ring_at_reclaim_is_caught,
    g_an_alarm_freed_at_reclaim_is_caught
);

fn clear(subject: &Subject, pin: &dyn Fn() -> Guard) {
    subject.current.clear(&subject.settings, &subject.counters, &subject.clock, pin).unwrap();
}

/// An alarm is rung while its ledger is cleared.
fn alarm_cleared() -> Model<Subject> {
    Model {
        name: "an alarm against clear",
        kind: Kind::Alarm,
        preemptions: 1,
        stage: armed,
        read: |subject, guard| assert_eq!(ring(subject, guard), None),
        retire: clear,
    }
}

tests!(alarm_cleared:
    g_an_alarm_against_clear,
    g_an_unpinned_ring_at_clear_is_caught,
    g_an_alarm_freed_at_clear_is_caught
);

/// A record is made on a ledger that is cleared.
fn ledger() -> Model<Subject> {
    Model {
        name: "a ledger against clear",
        kind: Kind::Ledger,
        preemptions: 1,
        stage: || Subject::stage(&[0]),
        read: |subject, guard| {
            let ledger = subject.current.get(guard);
            assert!([1, 2].contains(&subject.record_in(0, Write, Amount::ONE, 0, guard)));
            ledger.watch.touch();
        },
        retire: clear,
    }
}

tests!(ledger:
    g_a_ledger_against_clear,
    g_an_unpinned_record_at_clear_is_caught,
    g_a_ledger_freed_at_once_is_caught
);

/// Sets the thresholds for writes of a table.
fn set(subject: &Subject, writes: u64, guard: &Guard) {
    let thresholds = Thresholds { writes: Some(writes), reads: None };
    let overrides = &subject.current.get(guard).overrides;
    overrides
        .set(Scope::Table, TABLE, thresholds, subject.setting(), &subject.settings.hashing, guard)
        .unwrap();
}

/// Makes a subject whose table has a threshold of 5.
fn overridden() -> Stage<Subject> {
    let stage = Subject::stage(&[]);
    stage.then(|subject, thread| set(subject, 5, &thread.pin()));
    stage
}

/// Returns the threshold that a count of 7 has reached.
fn reached(subject: &Subject, guard: &Guard) -> Option<u64> {
    let pk = 0_u32.to_ne_bytes();
    let posting = Subject::posting(0, &pk, Write);
    let reached =
        subject.current.with(guard, |ledger| Ok(ledger.reached(7, &posting, subject.visit(0, guard))?));
    reached.unwrap()
}

/// A table's threshold is looked up while another is set.
fn overrides() -> Model<Subject> {
    Model {
        name: "an override against another",
        kind: Kind::Override,
        preemptions: 1,
        stage: overridden,
        read: |subject, guard| assert!([Some(5), Some(6)].contains(&reached(subject, guard))),
        retire: |subject, pin| set(subject, 6, &pin()),
    }
}

tests!(overrides:
    g_an_override_against_another,
    g_an_unpinned_lookup_of_an_override_is_caught,
    g_an_override_freed_at_once_is_caught
);

/// A table's threshold is looked up while its ledger is cleared.
fn overrides_cleared() -> Model<Subject> {
    Model {
        name: "an override against clear",
        kind: Kind::Override,
        preemptions: 1,
        stage: overridden,
        read: |subject, guard| assert!([Some(5), None].contains(&reached(subject, guard))),
        retire: clear,
    }
}

tests!(overrides_cleared:
    g_an_override_against_clear,
    g_an_unpinned_lookup_at_clear_is_caught,
    g_an_override_freed_at_clear_is_caught
);

#[cfg(feature = "dynamodb")]
mod schemas {
    use super::*;
    use crate::dynamodb::schema::Schemas;

    fn declare(schemas: &Schemas, hash: &str, guard: &Guard) {
        schemas.declare("t", None, &[hash.to_owned()], guard).unwrap();
    }

    /// A table's schema is looked up while another is declared.
    fn schema() -> Model<Schemas> {
        Model {
            name: "a schema against another",
            kind: Kind::Schema,
            preemptions: 2,
            stage: || {
                let stage = Stage::new(Schemas::try_new().unwrap());
                stage.then(|schemas, thread| declare(schemas, "a", &thread.pin()));
                stage
            },
            read: |schemas, guard| {
                let hash = schemas.get("t", guard).unwrap().hash.as_deref();
                assert!([Some("a"), Some("b")].contains(&hash));
            },
            retire: |schemas, pin| declare(schemas, "b", &pin()),
        }
    }

    tests!(schema:
        g_a_schema_against_another,
        g_an_unpinned_lookup_of_a_schema_is_caught,
        g_a_schema_freed_at_once_is_caught
    );
}
