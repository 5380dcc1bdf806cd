//! Models of a partition that moves and *turns on*: a thread is inside the old entry while the
//! copy, which shares the past, takes slots of the window for later seconds. The sum that the
//! thread has added up by then must not pass for a count. Amounts are powers of two, so a count
//! tells which records it has.

use super::ledger::ring;
use super::oracle::{held, sum};
use super::subject::Subject;
use super::{Stage, Thread, explore, explore_within};
use crate::ledger::settings::Settings;
use crate::operation::Operation::Write;
use crate::partition::content::Timing;
use crate::partition::head::BASE_LIMIT;
use std::collections::HashSet;
use std::time::Duration;

/// Where the slots of a partition are that was written in its `seconds`: 1 in the first, 2 in the
/// next...
#[derive(Clone, Copy)]
enum Storage {
    History,
    /// One that is full, so that the next second makes it grow.
    FullHistory,
    Wheel,
}

impl Storage {
    fn seconds(self) -> &'static [u32] {
        match self {
            // Seconds 0 and 1 are in it; 3 takes the place of 0, so that 4 takes that of 1.
            Storage::History => &[0, 1, 3],
            Storage::FullHistory => &[0, 1],
            Storage::Wheel => &[0, 1, 2, 3, 4],
        }
    }

    /// The second of the head.
    fn last(self) -> u32 {
        *self.seconds().last().unwrap()
    }

    /// When partition 0 was written, and how much.
    fn records(self) -> Vec<(u32, u64)> {
        self.seconds().iter().enumerate().map(|(i, &second)| (second, 1 << i)).collect()
    }

    /// The records that others make while it moves.
    fn others(self) -> [(u32, u64); 2] {
        [(self.last() + 1, NEXT), (self.last() + 2, AFTER)]
    }

    /// All counts that there are for a thread whose clock says `clock`; see [`held`].
    fn held(self, clock: u32, own: Option<u64>) -> HashSet<u64> {
        held(&self.records(), &self.others(), clock, own)
    }

    fn name(self) -> &'static str {
        match self {
            Storage::History => "history",
            Storage::FullHistory => "full history",
            Storage::Wheel => "wheel",
        }
    }

    /// Makes a ledger with a window of two seconds, in which partition 0 has this storage.
    fn stage(self, threshold: u64) -> Stage<Subject> {
        let timing = Timing { window: 2, interval_ms: 1000 };
        let stage = Subject::of(Settings { timing, thresholds: [threshold; 2], ..Subject::settings() });
        stage.then(|s, t| {
            for (second, amount) in self.records() {
                s.record_amount(0, Write, amount, second, t);
            }
        });
        stage
    }
}

const NEVER: u64 = 1 << 40;
/// The time after which the models end that have the most executions.
const MOST: Option<Duration> = Some(Duration::from_secs(180));

/// The mover's records, in the two seconds after the head's, and the one made inside the old entry.
const NEXT: u64 = 1 << 6;
const AFTER: u64 = 1 << 7;
const OWN: u64 = 1 << 8;

/// Moves partition 0, and turns it twice in its new place.
fn move_and_turn(storage: Storage) -> impl FnOnce(&Subject, &Thread) {
    move |subject, thread| {
        // Pinned once: what crossbeam does at each pin would be explored as well.
        let _pinned = thread.pin();
        subject.replace(0, storage.last() + 1, thread);
        for (second, amount) in storage.others() {
            subject.record_amount(0, Write, amount, second, thread);
        }
    }
}

/// Checks that once all is over each second has the records of its window, and that `OWN`, recorded
/// by a clock that said `clock`, is in one second of its call.
fn ends_right(stage: &Stage<Subject>, storage: Storage, clock: u32) {
    let last = storage.last();
    let counts = stage.then(|s, t| [2, 3, 4, 5].map(|after| s.count(0, Write, last + after, t)));
    let would = |second: u32| {
        let mut records = storage.records();
        records.extend(storage.others());
        records.push((second, OWN));
        [2, 3, 4, 5].map(|after| sum(&records, last + after))
    };
    assert!((clock..=last + 2).any(|second| counts == would(second)), "{counts:?}");
}

/// Makes a record while the partition moves and turns twice, by a clock that says the head's second
/// (0) or the next (1).
fn a_record_inside(name: &str, storage: Storage, threshold: u64, clock: u32) {
    let clock = storage.last() + clock;
    let held = storage.held(clock, Some(OWN));
    explore_within(MOST, &format!("l: {name}, {}", storage.name()), 1, move || {
        let stage = storage.stage(threshold);
        let (_, count) =
            stage.race(move_and_turn(storage), move |s, t| s.record_amount(0, Write, OWN, clock, t));
        assert!(held.contains(&count), "{count} of {held:?}");
        ends_right(&stage, storage, clock);
    });
}

fn a_turn(storage: Storage) {
    a_record_inside("a turn, and two of the copy", storage, NEVER, 1);
}

/// (l) A record that turns the second is inside the old entry while the copy turns twice.
#[test]
fn l_a_turn_inside_a_copied_history() {
    a_turn(Storage::History);
}

/// (l) The same with a wheel, whose open slot would carry a mistake on.
#[test]
fn l_a_turn_inside_a_copied_wheel() {
    a_turn(Storage::Wheel);
}

/// (l) A turn that makes its partition warm, and so goes the slow way.
fn a_warm_turn(storage: Storage) {
    a_record_inside("a warm turn, and two of the copy", storage, 2 * OWN, 1);
}

#[test]
fn l_a_warm_turn_inside_a_copied_history() {
    a_warm_turn(Storage::History);
}

/// (l) The same with a wheel.
#[test]
fn l_a_warm_turn_inside_a_copied_wheel() {
    a_warm_turn(Storage::Wheel);
}

/// (l) A turn where the history is full: the thread in the old entry finds no place, and the copy
/// grows.
#[test]
fn l_a_turn_inside_a_growing_history() {
    a_turn(Storage::FullHistory);
}

fn an_add(storage: Storage) {
    a_record_inside("an add, and two turns of the copy", storage, NEVER, 0);
}

/// (l) A plain add to the head's second, whose total is the count.
#[test]
fn l_an_add_inside_a_copied_history() {
    an_add(Storage::History);
}

/// (l) The same with a wheel.
#[test]
fn l_an_add_inside_a_copied_wheel() {
    an_add(Storage::Wheel);
}

fn a_warm_add(storage: Storage) {
    a_record_inside("a warm add, and two turns of the copy", storage, 2 * OWN, 0);
}

/// (l) An add that looks at the past: it makes its partition warm, and the alarm is yet to be made.
#[test]
fn l_a_warm_add_inside_a_copied_history() {
    a_warm_add(Storage::History);
}

/// (l) The same with a wheel.
#[test]
fn l_a_warm_add_inside_a_copied_wheel() {
    a_warm_add(Storage::Wheel);
}

fn a_read(storage: Storage) {
    // A second after the head's, so that something has left the window.
    let clock = storage.last() + 1;
    let held = storage.held(clock, None);
    explore(&format!("l: a read, and two turns of the copy, {}", storage.name()), 1, move || {
        let stage = storage.stage(NEVER);
        let (_, count) = stage.race(move_and_turn(storage), move |s, t| s.count(0, Write, clock, t));
        assert!(held.contains(&count), "{count} of {held:?}");
    });
}

/// (l) A read inside the old entry returns a count that was held.
#[test]
fn l_a_read_inside_a_copied_history() {
    a_read(Storage::History);
}

/// (l) The same with a wheel.
#[test]
fn l_a_read_inside_a_copied_wheel() {
    a_read(Storage::Wheel);
}

fn a_peak(storage: Storage) {
    // A second after the head's, so that something has left the window.
    let clock = storage.last() + 1;
    let held = storage.held(clock, None);
    explore(&format!("l: a peak, and two turns of the copy, {}", storage.name()), 1, move || {
        let stage = storage.stage(NEVER);
        let (_, (count, peak)) = stage.race(move_and_turn(storage), move |s, t| {
            s.look(0, Write, clock, t, |series| series.count_and_peak(clock)).unwrap()
        });
        assert!(held.contains(&count) && peak == 1 << count.ilog2(), "{peak} in {count} of {held:?}");
    });
}

/// (l) A warning's peak and the count beside it are of one moment: each amount is in its own
/// second.
#[test]
fn l_a_peak_inside_a_copied_history() {
    a_peak(Storage::History);
}

/// (l) The same with a wheel.
#[test]
fn l_a_peak_inside_a_copied_wheel() {
    a_peak(Storage::Wheel);
}

fn a_rate(storage: Storage) {
    let clock = storage.last();
    let held = storage.held(clock, None);
    explore(&format!("l: a rate, and two turns of the copy, {}", storage.name()), 1, move || {
        let stage = storage.stage(NEVER);
        let (_, recent) = stage.race(move_and_turn(storage), move |s, t| {
            s.look(0, Write, clock, t, |series| series.recent(clock)).unwrap()
        });
        assert!(held.contains(&recent.sustained), "{recent:?} of {held:?}");
        assert_eq!(recent.second, 1 << recent.sustained.ilog2());
    });
}

/// (l) A rate's second and five seconds are of one moment. A window of two has all that five have.
#[test]
fn l_a_rate_inside_a_copied_history() {
    a_rate(Storage::History);
}

/// (l) The same with a wheel.
#[test]
fn l_a_rate_inside_a_copied_wheel() {
    a_rate(Storage::Wheel);
}

/// (l) A hot record asks to warn from inside the old entry, and one in the copy after its turns:
/// one of them warns, and the next warning tells of the other.
#[test]
fn l_a_ring_inside_a_copied_history() {
    let storage = Storage::History;
    explore("l: a ring, and two turns of the copy", 1, move || {
        let stage = storage.stage(NEVER);
        let last = storage.last();
        let (other, this) = stage.race(
            move |s, t| {
                move_and_turn(storage)(s, t);
                ring(s, last, t)
            },
            move |s, t| ring(s, last, t),
        );
        assert!(other.is_some() != this.is_some());
        assert_eq!(stage.then(|s, t| ring(s, last + 1, t)), Some(1 - other.or(this).unwrap()));
    });
}

/// (l) Two threads replace the segment while a third adds: all agree on what the head held.
#[test]
fn l_two_movers_and_an_adder() {
    explore_within(MOST, "l: two movers and an adder", 2, || {
        let stage = Storage::History.stage(NEVER);
        let replace = |s: &Subject, t: &Thread| s.replace(0, 3, t);
        let (_, _, count) = stage.race_three((replace, replace), |s, t| s.record_amount(0, Write, OWN, 3, t));
        assert_eq!(count, 2 + 4 + OWN);
        stage.then(|s, t| {
            assert_eq!([3, 4, 6].map(|second| s.count(0, Write, second, t)), [count, 4 + OWN, 0])
        });
    });
}

const MUCH: u64 = BASE_LIMIT;

/// Makes a ledger, whose window is two seconds, in which partition 0 has as much as makes the head
/// of the next second heavy.
fn nearly_heavy() -> Stage<Subject> {
    let stage = Subject::of(Settings {
        timing: Timing { window: 2, interval_ms: 1000 },
        thresholds: [NEVER; 2],
        ..Subject::settings()
    });
    stage.then(|s, t| s.record_amount(0, Write, MUCH, 0, t));
    stage
}

/// Makes a record that looked at a light head, while another thread makes `others` in turn. The
/// first of these makes the head heavy; the partition moves before the one of this number.
fn an_overtaken_add(name: &str, others: &'static [(u32, u64)], moves_before: usize) {
    let held = held(&[(0, MUCH)], others, 0, Some(4));
    explore(&format!("l: an add overtaken by {name}"), 1, move || {
        let stage = nearly_heavy();
        let (_, count) = stage.race(
            move |s, t| {
                let _pinned = t.pin();
                for (i, &(second, amount)) in others.iter().enumerate() {
                    if i == moves_before {
                        s.replace(0, second, t);
                    }
                    s.record_amount(0, Write, amount, second, t);
                }
            },
            |s, t| s.record_amount(0, Write, 4, 0, t),
        );
        assert!(held.contains(&count), "{count} of {held:?}");
        let &(last, _) = others.last().unwrap();
        let all = [&[(0, MUCH)], others].concat();
        let left = |second| sum(&[&all[..], &[(second, 4)]].concat(), last + 1);
        let count = stage.then(|s, t| s.count(0, Write, last + 1, t));
        assert!((0..=last).any(|second| count == left(second)), "{count}");
    });
}

/// (l) A record that looked at a light head meets a heavy one, or a frozen one: others have turned
/// and moved it.
#[test]
fn l_an_add_overtaken_by_a_heavy_turn_and_a_move() {
    an_overtaken_add("a heavy turn, a move and a turn", &[(1, 2), (2, 8)], 1);
}

/// (l) The same where the partition was moved first, and turned in its new place.
#[test]
fn l_an_add_overtaken_by_a_move_and_a_heavy_turn() {
    an_overtaken_add("a move and a heavy turn", &[(1, 2)], 0);
}

/// (l) A heavy partition moves and turns on, so that `MUCH` leaves the window, while a record is
/// added.
fn a_heavy_add(name: &str, before: &'static [(u32, u64)]) {
    explore_within(MOST, &format!("l: a heavy add, and two turns of the copy, {name}"), 1, move || {
        let stage = nearly_heavy();
        stage.then(|s, t| before.iter().for_each(|&(second, n)| _ = s.record_amount(0, Write, n, second, t)));
        let &(last, _) = before.last().unwrap();
        let (_, count) = stage.race(
            move |s, t| {
                let _pinned = t.pin();
                s.replace(0, last, t);
                s.record_amount(0, Write, 2, last + 1, t);
                s.record_amount(0, Write, 4, last + 2, t);
            },
            move |s, t| s.record_amount(0, Write, 8, last, t),
        );
        // The own record may be in any of these seconds; the count is of any moment since then.
        let records = [&[(0, MUCH)], before].concat();
        let held =
            [(0, 0), (1, 2), (2, 2 + 4)].map(|(after, others)| sum(&records, last + after) + others + 8);
        assert!(held.contains(&count), "{count} of {held:?}");
        stage.then(|s, t| {
            assert_eq!(s.count(0, Write, last + 2, t), held[2]);
            assert!([6, 14].contains(&s.count(0, Write, last + 3, t)));
        });
    });
}

/// (l) With a history.
#[test]
fn l_a_heavy_add_inside_a_copied_history() {
    a_heavy_add("history", &[(1, 1)]);
}

/// (l) With a wheel.
#[test]
fn l_a_heavy_add_inside_a_copied_wheel() {
    a_heavy_add("wheel", &[(1, 16), (2, 32), (3, MUCH), (4, 64)]);
}
