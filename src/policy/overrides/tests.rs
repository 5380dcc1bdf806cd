//! Thresholds in force, and what is remembered of them.

use super::*;
use crate::operation::Operation::Write;

/// Overrides of a detector whose own threshold is 500, and whose filter remembers 90 seconds.
struct Set(Overrides, Hashing);

impl Set {
    fn new() -> Self {
        Self(Overrides::new([500; 2]), Hashing::seeded([1, 2]))
    }

    fn setting(now: u32) -> Setting {
        Setting { now, oldest: Some(now.saturating_sub(90)), own: [500; 2] }
    }

    fn at(&self, now: u32, scope: Scope, name: &[u8], writes: Option<u64>) {
        let (guard, setting) = (&crossbeam_epoch::pin(), Self::setting(now));
        let thresholds = Thresholds { writes, reads: None };
        assert!(self.0.set(scope, name, thresholds, setting, &self.1, guard).is_ok());
        assert!(self.0.finish(scope, name, setting, &self.1, guard).is_ok());
    }

    fn greatest(&self, now: u32, table: &[u8]) -> u64 {
        let guard = &crossbeam_epoch::pin();
        self.0.greatest(table, Write, Self::setting(now), &self.1, guard).unwrap_or(0)
    }

    fn least(&self, table: &[u8]) -> u64 {
        self.0.least(table, Write, 500, &self.1, &crossbeam_epoch::pin()).unwrap_or(0)
    }
}

/// Each call prolonged what was remembered: the greatest stayed for ever.
#[test]
fn an_override_that_is_set_again_and_again_is_forgotten_in_time() {
    let set = Set::new();
    for now in (0..600).step_by(60) {
        set.at(now, Scope::Table, b"t", Some(100));
        assert_eq!(set.greatest(now, b"t"), if now <= 90 { 500 } else { 100 });
    }
    // Those of the last 90 seconds, and the one that was in force as these began.
    for (now, threshold, greatest) in [(600, 90, 100), (660, 80, 100), (720, 70, 90)] {
        set.at(now, Scope::Table, b"t", Some(threshold));
        assert_eq!(set.greatest(now, b"t"), greatest);
    }
}

/// A model's threshold that was removed held the least of all tables down until the detector was
/// cleared.
#[test]
fn what_is_removed_holds_nothing_down() {
    let set = Set::new();
    set.at(0, Scope::Model, b"m", Some(4));
    assert_eq!((set.0.floor(Write), set.least(b"t")), (4, 4));
    set.at(1, Scope::Model, b"n", Some(9));
    set.at(2, Scope::Model, b"m", None);
    assert_eq!((set.0.floor(Write), set.least(b"t"), set.greatest(2, b"t")), (9, 9, 500));
    set.at(3, Scope::Model, b"n", None);
    set.at(3, Scope::Table, b"u", Some(7));
    assert_eq!((set.0.floor(Write), set.least(b"t"), set.least(b"u")), (7, 500, 7));
    set.at(4, Scope::Table, b"u", Some(700));
    assert_eq!((set.0.floor(Write), set.greatest(4, b"u"), set.greatest(4, b"t")), (500, 700, 500));
}

/// They counted together, though the table's came when the model's was there already.
#[test]
fn what_was_never_in_force_together_is_not_remembered_together() {
    let set = Set::new();
    set.at(0, Scope::Model, b"m", Some(106));
    set.at(0, Scope::Table, b"t", Some(1));
    set.at(95, Scope::Table, b"t", Some(238));
    assert_eq!([95, 185, 186].map(|now| set.greatest(now, b"t")), [106, 106, 106]);
    set.at(200, Scope::Model, b"m", None);
    assert_eq!([200, 400].map(|now| set.greatest(now, b"t")), [238, 238]);
}
