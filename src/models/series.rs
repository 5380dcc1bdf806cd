//! Models of one operation's series: adds, reads and growth at a second's turn.
//!
//! Every amount is a power of two, so that a count tells which adds are in it.

use super::{Stage, Thread, explore};
use crate::key::Key;
use crate::key::hash::Hash;
use crate::operation::Operation::{Read, Write};
use crate::partition::amount::Amount;
use crate::partition::content::{Content, Timing};
use crate::partition::head::{AtomicHead, BASE_LIMIT, Head};
use crate::partition::slot::MOST;
use crate::partition::{FastAdd, Partition};
use crate::sys::clock::Moment;
use crate::sys::sync::AtomicU64;
use loom::thread;
use std::alloc::{Layout, alloc, dealloc};
use std::ptr::NonNull;
use std::sync::Arc;

/// In a window of 2 seconds a history holds second 0, then 0 and 1, and 0 to 2 need a wheel.
pub(super) const WINDOW: u32 = 2;
pub(super) const TIMING: Timing = Timing { window: WINDOW, interval_ms: 1000 };

/// A partition outside any map.
pub(super) struct Series(NonNull<u8>);

// SAFETY: an entry is shared between threads.
unsafe impl Send for Series {}
// SAFETY: as above.
unsafe impl Sync for Series {}

impl Series {
    const LAYOUT: Layout = Layout::new::<[u64; 64]>();

    /// Makes a series that got an amount of 1 in second 0.
    fn new() -> Self {
        let content =
            Content::first(Key { table: b"t", pk: b"k" }, Hash::new(0), Write, Amount::ONE, 0, u64::MAX)
                .unwrap();
        assert!(Partition::size(content.text_len()) <= Self::LAYOUT.size());
        // SAFETY: the layout has room for the entry.
        unsafe {
            let memory = NonNull::new(alloc(Self::LAYOUT)).unwrap();
            Partition::prepare(memory);
            content.write(memory, None);
            Self(memory)
        }
    }

    pub(super) fn partition(&self) -> Partition<'_> {
        // SAFETY: written in `new`, and freed when dropped.
        unsafe { Partition::view(self.0) }
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        // SAFETY: no thread uses it any more.
        unsafe {
            self.partition().freeze_past().free();
            dealloc(self.0.as_ptr(), Self::LAYOUT);
        }
    }
}

/// Adds to a partition that is in no map, and so does not move. (A ledger adds by
/// `Subject::record_in`.)
fn add(series: &Series, amount: u32, second: u32, thread: &Thread) -> u64 {
    add_to(series, Write, amount, second, thread)
}

fn add_to(series: &Series, operation: crate::Operation, amount: u32, second: u32, thread: &Thread) -> u64 {
    let (guard, now) = (&thread.pin(), Moment::from_ms(u64::from(second) * 1000));
    let (partition, amount) = (series.partition(), Amount::clamped(amount.into()));
    match partition.add_fast(operation, amount, now, u64::MAX) {
        FastAdd::Counted(count) => count,
        FastAdd::Overtaken(before) => {
            partition.series(operation, WINDOW, guard).counted(before, amount).unwrap()
        }
        FastAdd::NotAdded => {
            let turned = partition.turn_fast(operation, amount, second, WINDOW, u64::MAX, guard);
            let add = || partition.add(operation, amount, now, TIMING, u64::MAX, guard).unwrap();
            turned.unwrap_or_else(add)
        }
    }
}

fn count(series: &Series, second: u32, thread: &Thread) -> u64 {
    count_of(series, Write, second, thread)
}

fn count_of(series: &Series, operation: crate::Operation, second: u32, thread: &Thread) -> u64 {
    series.partition().series(operation, WINDOW, &thread.pin()).count(second).unwrap()
}

/// Makes a series that got 1 in second 0, 2 in second 1, 4 in second 2, and so on for `seconds`.
pub(super) fn series_of(seconds: u32) -> Stage<Series> {
    let stage = Stage::new(Series::new());
    stage.then(|series, thread| {
        for second in 1..seconds {
            add(series, 1 << second, second, thread);
        }
    });
    stage
}

/// Makes the same for 4 seconds, and so a wheel, beside a history of reads.
pub(super) fn with_extension() -> Stage<Series> {
    let stage = series_of(4);
    stage.then(|series, thread| [2, 3].map(|second| add_to(series, Read, 1, second, thread)));
    stage
}

/// (a) Two threads add as a second turns: both are counted, each returns a count with its own, and
/// the later of the two returns both.
#[test]
fn a_two_adds_at_a_turn() {
    explore("a: two adds at a turn", 2, || {
        let stage = series_of(1);
        let (other, this) = stage.race(|s, t| add(s, 2, 1, t), |s, t| add(s, 4, 1, t));
        assert!([1 + 2, 7].contains(&other) && [1 + 4, 7].contains(&this));
        assert!(other == 7 || this == 7);
        assert_eq!(stage.then(|s, t| count(s, 1, t)), 7);
    });
}

/// (a) A thread that found no history does not replace the one that another has hung there since.
#[test]
fn a_a_turn_that_was_overtaken_by_another() {
    explore("a: a turn that was overtaken by another", 2, || {
        let stage = series_of(1);
        let (before, _) = stage.race(
            |s, t| {
                let before = add(s, 2, 0, t);
                add(s, 4, 1, t);
                before
            },
            |s, t| add(s, 8, 1, t),
        );
        assert_eq!(stage.then(|s, t| count(s, 1, t)), 15);
        // If that found the head in second 0 still, it leaves the window with it.
        let late = if before == 1 + 2 { 0 } else { 2 };
        assert_eq!(stage.then(|s, t| count(s, 3, t)), 4 + 8 + late);
    });
}

/// (a) The same where one thread read the clock before the turn and adds after it, and with an
/// amount too large to be added blindly.
#[test]
fn a_a_late_add_at_a_turn() {
    explore("a: a late add at a turn", 2, || {
        let stage = series_of(1);
        let large = 1 << 20;
        let (other, this) = stage.race(move |s, t| add(s, large, 0, t), |s, t| add(s, 4, 1, t));
        let all = 1 + 4 + u64::from(large);
        assert!(other == all || this == all);
        assert_eq!(stage.then(|s, t| count(s, 1, t)), all);
        // In second 3 what was counted in second 0 is gone, and no more than that.
        let kept = stage.then(|s, t| count(s, 3, t));
        assert!(kept == 4 || kept == 4 + u64::from(large));
    });
}

/// (a) A thread stops as it closes a second; another adds to that second and closes it. The slot
/// that the first then puts into the past, compact or a wheel, does not undo that.
#[test]
fn a_a_stale_put() {
    for seconds in [2, 4] {
        explore(&format!("a: a stale put, {seconds} seconds"), if seconds == 2 { 2 } else { 1 }, move || {
            let stage = series_of(seconds);
            let last = seconds - 1;
            stage.race(
                move |s, t| add(s, 16, seconds, t),
                move |s, t| {
                    add(s, 32, last, t);
                    add(s, 64, seconds, t)
                },
            );
            let of_the_past: u64 = (0..seconds).map(|second| 1 << second).rev().take(2).sum();
            assert_eq!(stage.then(|s, t| count(s, seconds, t)), of_the_past + 16 + 32 + 64);
            let later = stage.then(|s, t| count(s, seconds + 1, t));
            assert_eq!(later, (1 << last) + 16 + 32 + 64, "as the slots have it, not the open one");
        });
    }
}

/// (a) A small add, which doesn't look again, meets one that saturates its slot: the slot stays
/// saturated, and in the past it is not taken for a frozen one.
#[test]
fn a_an_add_meets_saturation() {
    explore("a: an add meets saturation", 2, || {
        let stage = series_of(1);
        stage.race(|s, t| add(s, u32::MAX, 0, t), |s, t| add(s, 2, 0, t));
        stage.then(|s, t| {
            assert_eq!(count(s, 0, t), u64::from(MOST));
            assert_eq!(add(s, 4, 1, t), u64::from(MOST) + 4);
            assert_eq!(count(s, 1, t), u64::from(MOST) + 4);
        });
    });
}

/// (a) Two adds turn to a second before which the window has more than a head's total keeps: they
/// mark the partition as heavy, and both find the window's whole count.
#[test]
fn a_two_adds_at_a_heavy_turn() {
    explore("a: two adds at a heavy turn", 1, || {
        let stage = series_of(1);
        let much = BASE_LIMIT as u32;
        stage.then(|s, t| add(s, much, 0, t));
        let before = u64::from(much) + 1;
        let (other, this) = stage.race(|s, t| add(s, 2, 1, t), |s, t| add(s, 4, 1, t));
        assert!([before + 2, before + 6].contains(&other) && [before + 4, before + 6].contains(&this));
        assert!(other == before + 6 || this == before + 6);
        stage.then(|s, t| {
            assert_eq!(count(s, 1, t), before + 6);
            assert_eq!(count(s, 3, t), 6);
        });
    });
}

/// (a) Both operations turn at once, and share a history.
#[test]
fn a_both_operations_turn() {
    explore("a: both operations turn", 2, || {
        let stage = series_of(1);
        stage.then(|s, t| add_to(s, Read, 2, 0, t));
        stage.race(|s, t| add(s, 4, 1, t), |s, t| add_to(s, Read, 8, 1, t));
        stage.then(|s, t| {
            assert_eq!([count(s, 1, t), count_of(s, Read, 1, t)], [5, 10]);
            assert_eq!([count(s, 3, t), count_of(s, Read, 3, t)], [4, 8]);
        });
    });
}

/// (b) A read while an add turns the second: what had left the window by the end of the call may be
/// gone, what entered it before the call is there, and nothing is there that left before the call.
#[test]
fn b_a_read_at_a_turn() {
    explore("b: a read at a turn", 2, || {
        let stage = series_of(2);
        // Second 3 pushes second 0 out.
        let (_, (first, second)) =
            stage.race(|s, t| add(s, 8, 3, t), |s, t| (count(s, 2, t), count(s, 2, t)));
        assert!([1 + 2, 2 + 8].contains(&first), "at 2, or at 3 where the head has got: {first}");
        assert!(second == first || second == 2 + 8, "reads never run back: {first}, {second}");
        assert_eq!(stage.then(|s, t| count(s, 3, t)), 2 + 8);
    });
}

/// (b) The same for the fullest slot.
#[test]
fn b_a_peak_at_a_turn() {
    explore("b: a peak at a turn", 2, || {
        let stage = series_of(2);
        let (_, peak) = stage.race(
            |s, t| add(s, 8, 3, t),
            |s, t| s.partition().series(Write, WINDOW, &t.pin()).peak(2).unwrap(),
        );
        assert!([2, 8].contains(&peak));
    });
}

/// (b) The same for what the last seconds had.
#[test]
fn b_the_last_seconds_at_a_turn() {
    explore("b: the last seconds at a turn", 2, || {
        let stage = series_of(2);
        let (_, recent) = stage.race(
            |s, t| add(s, 8, 3, t),
            |s, t| s.partition().series(Write, WINDOW, &t.pin()).recent(2).unwrap(),
        );
        assert!([(0, 1 + 2), (8, 2 + 8)].contains(&(recent.second, recent.sustained)), "{recent:?}");
    });
}

/// (b) The thread that fills a second to its rate tells so, though another turns it meanwhile.
#[test]
fn b_a_full_second_at_a_turn() {
    explore("b: a full second at a turn", 3, || {
        let stage = series_of(1);
        let (_, recent) = stage.race(
            |s, t| add(s, 2, 1, t),
            |s, t| {
                add(s, 4, 0, t);
                s.partition().series(Write, WINDOW, &t.pin()).recent(0).unwrap()
            },
        );
        // The 4 is in second 0, with 1, or in second 1, with 2.
        assert!(recent.second >= 1 + 4, "{recent:?}");
        assert!(recent.sustained >= 1 + 4, "{recent:?}");
    });
}

/// (c) Two adds turn a wheel's second: the base is the same whichever does, and carried on after.
#[test]
fn c_the_base_in_a_wheel_at_a_turn() {
    explore("c: the base in a wheel at a turn", 3, || {
        let stage = series_of(4);
        let (other, this) = stage.race(|s, t| add(s, 16, 4, t), |s, t| add(s, 32, 4, t));
        assert!([4 + 8 + 16, 60].contains(&other) && [4 + 8 + 32, 60].contains(&this));
        assert!(other == 60 || this == 60);
        stage.then(|s, t| {
            assert_eq!(count(s, 4, t), 4 + 8 + 48);
            assert_eq!(add(s, 64, 5, t), 8 + 48 + 64);
            assert_eq!(count(s, 5, t), 8 + 48 + 64);
        });
    });
}

/// (c) The same where the two adds turn to different seconds.
#[test]
fn c_the_base_in_a_wheel_at_two_turns() {
    explore("c: the base in a wheel at two turns", 2, || {
        let stage = series_of(4);
        let (late, early) = stage.race(|s, t| add(s, 16, 5, t), |s, t| add(s, 32, 4, t));
        assert!([8 + 16, 8 + 16 + 32].contains(&late));
        assert!([4 + 8 + 32, 8 + 16 + 32].contains(&early));
        // In second 4, which leaves with all it had, or in second 5 if that had begun.
        let kept = if early == 4 + 8 + 32 { 0 } else { 32 };
        stage.then(|s, t| {
            assert_eq!(count(s, 5, t), 8 + 16 + 32);
            assert_eq!(add(s, 64, 6, t), 16 + 32 + 64);
            assert_eq!(add(s, 128, 7, t), kept + 16 + 64 + 128);
        });
    });
}

/// (j) The history grows under an add that comes late: both are counted, in a second of their call.
#[test]
fn j_growth_against_an_add() {
    explore("j: growth against an add", 3, || {
        let stage = series_of(2);
        stage.race(|s, t| add(s, 16, 2, t), |s, t| add(s, 32, 1, t));
        assert_eq!(stage.then(|s, t| count(s, 2, t)), 1 + 2 + 16 + 32);
    });
}

/// (j) The history grows while the clock leaps, which frees an entry of it: the slot that the other
/// thread puts there is in the copy, or is put into the copy.
#[test]
fn j_growth_against_a_leap() {
    explore("j: growth against a leap", 2, || {
        let stage = series_of(2);
        let (_, count) = stage.race(
            |s, t| add(s, 16, 2, t),
            |s, t| {
                add(s, 32, 9, t);
                add(s, 64, 10, t)
            },
        );
        assert!([96, 112].contains(&count), "{count}");
        assert!([96, 112].contains(&stage.then(|s, t| self::count(s, 10, t))));
    });
}

/// (j) The history becomes a wheel under an add that comes late.
#[test]
fn j_promotion_against_a_late_add() {
    explore("j: promotion against a late add", 2, || {
        let stage = series_of(3);
        stage.race(|s, t| add(s, 16, 3, t), |s, t| add(s, 32, 2, t));
        assert_eq!(stage.then(|s, t| count(s, 3, t)), 2 + 4 + 16 + 32);
    });
}

/// (j) Two adds promote at once.
#[test]
fn j_promotion_by_two_adds() {
    explore("j: promotion by two adds", 1, || {
        let stage = series_of(3);
        stage.race(|s, t| add(s, 16, 3, t), |s, t| add(s, 32, 3, t));
        assert_eq!(stage.then(|s, t| count(s, 3, t)), 2 + 4 + 16 + 32);
    });
}

/// (j) A read during promotion sees the past before it or after it, whole.
#[test]
fn j_promotion_against_a_read() {
    explore("j: promotion against a read", 2, || {
        let stage = series_of(3);
        let (_, read) = stage.race(|s, t| add(s, 16, 3, t), |s, t| count(s, 2, t));
        assert!([1 + 2 + 4, 2 + 4 + 16].contains(&read), "{read}");
    });
}

/// (l) Two threads freeze a head while a third adds: both have the same head, with the add or, if
/// that is told that it came too late, without.
#[test]
fn l_two_freezes_and_an_add() {
    explore("l: two freezes and an add", 3, || {
        let shared = Arc::new((AtomicHead::new(Head::new(7, 0, 1)), AtomicU64::new(0)));
        let freezing =
            [shared.clone(), shared.clone()].map(|s| thread::spawn(move || s.0.freeze_agreed(&s.1)));
        let before = shared.0.add(2);
        let [one, other] = freezing.map(|thread| thread.join().unwrap());
        assert_eq!(one, other);
        assert_eq!(one, Head::new(7, 0, if before.is_frozen() { 1 } else { 1 + 2 }));
    });
}
