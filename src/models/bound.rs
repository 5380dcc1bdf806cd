//! Models of the bound: which partition goes, and whether that is told of.
//!
//! At `max_partitions` a new partition makes another one go. A partition that was not idle has lost
//! counts, so it must be tallied as `replaced`. The danger is a record that arrives in between:
//! after the partition was judged idle, and before it is gone.

use super::explore;
use super::subject::Subject;
use crate::ledger::settings::Settings;
use crate::operation::Operation::{Read, Write};
use crate::partition::amount::Amount;

/// (f) A partition that is idle goes at the bound, and is recorded as it goes: the record is
/// counted, or its partition is tallied as one that was not idle.
///
/// Whichever comes first, one entry is left, and of the two records each is either in a count or in
/// `replaced`.
#[test]
fn f_an_idle_partition_recorded_as_it_goes_at_the_bound() {
    explore("f: recorded as it goes at the bound", 2, || {
        let stage = Subject::bounded(&[0], 1);
        stage.race(|s, t| s.record(1, Write, 5, t), |s, t| s.record(0, Read, 5, t));
        stage.then(|s, t| {
            let counts = s.count(0, Read, 5, t) + s.count(1, Write, 5, t);
            let replaced = s.counters.read(0).replaced;
            assert_eq!((s.partitions(t), counts + replaced), (1, 2), "{replaced} replaced");
        });
    });
}

/// (f) An idle partition is chosen to go, and another thread reclaims it, and its neighbour: there
/// is no excess any more, and no partition that is alive goes in its place.
#[test]
fn f_an_idle_partition_reclaimed_as_it_goes_at_the_bound() {
    explore("f: reclaimed as it goes at the bound", 1, || {
        let stage = Subject::of(Settings { max_partitions: 3, ..Subject::settings() });
        stage.then(|s, t| {
            // Two segments. In that of keys 0 and 2 all is idle in second 5; that of key 1 has
            // room.
            for (key, second) in [(0, 0), (2, 0), (1, 1), (1, 5)] {
                s.record(key, Write, second, t);
            }
        });
        stage.race(|s, t| s.replace(0, 5, t), |s, t| s.record_in(3, Write, Amount::ONE, 5, &t.pin()));
        stage.then(|s, t| {
            assert_eq!([1, 3].map(|key| s.count(key, Write, 5, t)), [1, 1]);
            assert_eq!(s.counters.read(0).replaced, 0);
        });
    });
}
