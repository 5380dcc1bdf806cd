//! Models of throttles where there is a filter, and no room for an entry at times.
//!
//! Throttles are counted under synthetic keys, which get an entry at once if there is room. While
//! there is none they are kept out, in the cells. When there is room again, the entry must get what
//! is in the cells, of both operations. All keys have the same two cells.

use super::subject::Subject;
use super::{Stage, explore};
use crate::operation::Operation::{Read, Write};

/// Memory for more entries than a model makes.
const ENOUGH: u64 = 1 << 20;

/// Makes a ledger without room, in which `kept_out` throttles were kept out.
fn full(kept_out: u32) -> Stage<Subject> {
    let stage = Subject::filtered(9, ENOUGH);
    stage.then(|s, t| {
        s.fill(ENOUGH, true);
        (0..kept_out).for_each(|_| _ = s.throttle(0, Write, 0, t));
    });
    stage
}

/// (o) A throttle is kept out just before there is room, and another thread inserts the entry: both
/// are in the count.
#[test]
fn o_a_throttle_kept_out_as_another_has_room() {
    explore("o: a throttle kept out as another has room", 1, || {
        let stage = full(0);
        let (other, this) = stage.race(
            |s, t| {
                s.fill(ENOUGH, false);
                s.throttle(0, Write, 0, t)
            },
            |s, t| s.throttle(0, Write, 0, t),
        );
        assert!(other.max(this) >= 2, "{other} and {this}");
        stage.then(|s, t| {
            let (least, most) = s.throttles(0, Write, 0, t);
            assert!(least <= 2 && most >= 2, "{least} to {most}");
        });
    });
}

/// (o) Two throttles were kept out, and another makes the entry. A thread that finds the entry
/// before all of these are in it, to add to it or to look, counts them all the same. (The thread
/// that has room is the one that runs first, as in `filtering`.)
#[test]
fn o_a_throttle_finds_an_entry_that_is_new() {
    explore("o: a throttle finds an entry that is new", 1, || {
        let stage = full(2);
        let ((count, most), _) = stage.race(
            |s, t| (s.throttle(0, Write, 0, t), s.throttles(0, Write, 0, t).1),
            |s, t| {
                s.fill(ENOUGH, false);
                s.throttle(0, Write, 0, t)
            },
        );
        assert!(count >= 3 && most >= 3, "{count}, then {most}");
        stage.then(|s, t| assert!(s.throttles(0, Write, 0, t).1 >= 4));
    });
}

/// (o) Writes' throttles were kept out, and one of a read makes the entry: the writes' are in it
/// too, for a thread that looks meanwhile.
#[test]
fn o_a_throttle_is_inserted_as_one_looks_at_the_other_operation() {
    explore("o: a throttle of the other operation", 1, || {
        let stage = full(2);
        let (most, _) = stage.race(
            |s, t| s.throttles(0, Write, 0, t).1,
            |s, t| {
                s.fill(ENOUGH, false);
                s.throttle(0, Read, 0, t)
            },
        );
        assert!(most >= 2, "{most}");
        stage.then(|s, t| assert!(s.throttles(0, Write, 0, t).1 >= 2));
    });
}
