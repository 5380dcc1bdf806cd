//! The lives of partitions at a bound: each begins with a record that finds nothing, and ends when
//! another partition takes its place.
//!
//! A partition keeps all of its counts or loses them all. So each number that was seen of it is
//! what its life had, or else the life was over before: a count of 0, or a record that finds
//! nothing but itself. So it is known which lives ended and had counts, and `replaced` must be
//! their number.

use crate::oracle::{Log, Moment, Seen};
use crate::scenario::{Key, Kind};
use std::collections::{BTreeMap, BTreeSet};

/// One that is seen in a partition's counts.
#[derive(Clone, Copy, Debug)]
struct Sight {
    at: Moment,
    kind: Kind,
    number: u64,
    /// Second and amount, if it is a record's.
    record: Option<(u64, u64)>,
    own: bool,
}

/// A life that one partition may have had.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// Lives that ended and had counts.
    pub ends: u64,
    /// Lives that began: so many at the least, and at the most.
    begun: (u64, u64),
    /// The life of each record, by its first moment.
    lives: BTreeMap<Moment, u64>,
    /// Whether the life that the stepped call's record was in may have ended before the call did.
    pub replaced: bool,
    /// Kind, second and amount of each record of the present life.
    records: Vec<(Kind, u64, u64)>,
    /// Whether there is a present life, unless it has been reclaimed.
    alive: bool,
    life: u64,
}

/// All partitions, each with what may have become of it.
#[derive(Debug, Default)]
pub struct Lives {
    by_key: BTreeMap<Key, Vec<Course>>,
    wrong: Vec<String>,
}

impl Course {
    /// The life of the record that began at this moment.
    pub fn life(&self, at: Moment) -> u64 {
        self.lives.get(&at).copied().unwrap_or(0)
    }

    fn sum(&self, log: &Log, at: Moment, kind: Option<Kind>) -> u64 {
        let now = log.second(at);
        let there = |&&(of, second, _): &&(Kind, u64, u64)| {
            kind.is_none_or(|kind| kind == of) && second + log.window >= now
        };
        self.records.iter().filter(there).map(|&(_, _, amount)| amount).sum()
    }

    fn end(&mut self) {
        self.ends += 1;
        self.records.clear();
        self.alive = false;
    }

    /// Puts a record into the present life, or into a new one. `first`: its first moment.
    fn put(&mut self, log: &Log, sight: Sight, first: Moment) {
        let Some((second, amount)) = sight.record else { return };
        if !self.alive {
            self.begun = (self.begun.0 + 1, self.begun.1 + 1);
            self.life += 1;
        } else if self.sum(log, sight.at, None) == 0 {
            // Perhaps it was reclaimed; nobody can tell.
            self.begun.1 += 1;
        }
        self.alive = true;
        self.lives.insert(first, self.life);
        self.records.push((sight.kind, second, amount));
    }

    /// Goes on by what was seen. `None`: that cannot be.
    fn see(&mut self, log: &Log, sight: Sight) -> Option<()> {
        let sum = self.sum(log, sight.at, Some(sight.kind));
        let amount = sight.record.map_or(0, |(_, amount)| amount);
        if sight.number != sum + amount {
            if sight.number != amount || sum == 0 {
                return None;
            }
            self.end();
        }
        self.put(log, sight, if sight.own { log.begun } else { sight.at });
        Some(())
    }

    /// Follows a partition through all that was seen of it. `own`: the stepped call's record, and
    /// what that returned.
    fn follow(log: &Log, sights: &[Sight], own: Option<Sight>) -> Option<Self> {
        let mut course = Self::default();
        let mut own = own;
        // What the record may return that the others could see, if its count is looked at later.
        let mut returns = BTreeSet::new();
        let early = own.filter(|own| own.at == log.begun);
        let mut watched = None;
        for &sight in sights {
            if let Some(own) = own.take_if(|own| own.at < sight.at) {
                if early.is_some() {
                    course.put(log, own, log.begun);
                    returns.insert(course.sum(log, own.at, Some(own.kind)));
                    watched = Some(course.life);
                } else {
                    course.see(log, own)?;
                }
            }
            course.see(log, sight)?;
            if sight.at <= log.ended && sight.record.is_some() {
                returns.insert(course.sum(log, sight.at, Some(sight.kind)));
            }
            if sight.at > log.ended
                && let Some(life) = watched.take()
            {
                course.replaced = !course.alive || course.life != life;
            }
        }
        early.is_none_or(|own| returns.contains(&own.number)).then_some(course)
    }
}

impl Lives {
    /// Follows all partitions where they may lose their counts to others.
    pub fn of(log: &Log) -> Self {
        let mut lives = Self::default();
        if !log.lossy || !log.clears.is_empty() {
            return lives;
        }
        let seen = log.seen.iter().filter(|(_, kind, _)| *kind != Kind::Throttle);
        let keys: BTreeSet<Key> = seen.map(|&(key, _, _)| key).collect();
        for key in keys {
            let sights = sights(log, key);
            let courses: Vec<_> =
                owns(log, key).into_iter().filter_map(|own| Course::follow(log, &sights, own)).collect();
            if courses.is_empty() {
                let numbers: Vec<_> = sights.iter().map(|sight| (sight.at, sight.number)).collect();
                lives.wrong.push(format!("{key}: neither kept nor lost whole: {numbers:?}"));
            }
            lives.by_key.insert(key, courses);
        }
        lives
    }

    /// Lives that a partition may have had.
    pub fn courses(&self, key: Key) -> Vec<Course> {
        self.by_key.get(&key).cloned().unwrap_or_else(|| vec![Course::default()])
    }

    /// Says what is wrong with them, or with their statistics; empty if nothing is.
    pub fn judge(mut self, replaced: u64, reclaimed: u64, partitions: u64) -> Vec<String> {
        if self.by_key.is_empty() || !self.wrong.is_empty() {
            return std::mem::take(&mut self.wrong);
        }
        // Ends, and beginnings at the least and the most. Only the call's own partition has
        // several.
        let mut sums = vec![(0, (0, 0))];
        for courses in self.by_key.values() {
            let with = |&(ends, (least, most)): &(u64, (u64, u64))| {
                let add = move |of: &Course| (ends + of.ends, (least + of.begun.0, most + of.begun.1));
                courses.iter().map(add).collect::<Vec<_>>()
            };
            sums = sums.iter().flat_map(with).collect();
        }
        let begun = partitions + replaced + reclaimed;
        let right =
            |&(ends, (least, most)): &(u64, (u64, u64))| ends == replaced && (least..=most).contains(&begun);
        if sums.iter().any(right) {
            return Vec::new();
        }
        vec![format!(
            "{replaced} replaced, {reclaimed} reclaimed and {partitions} there by the statistics; lives that \
             ended with counts, and that began: {sums:?}"
        )]
    }
}

/// All that is known to be seen of a partition, in its order.
fn sights(log: &Log, key: Key) -> Vec<Sight> {
    let mut sights: Vec<_> = log
        .seen
        .iter()
        .filter_map(|&(of, kind, seen)| {
            let Seen::Count(at, number) = seen else { return None };
            let record = log.records.iter().find(|record| record.at == at);
            let record = record.map(|record| (record.second, record.amount));
            (of == key && kind != Kind::Throttle).then_some(Sight { at, kind, number, record, own: false })
        })
        .collect();
    sights.sort_by_key(|sight| sight.at);
    sights
}

/// The stepped call's record of a partition, as it may have been made; see [`crate::oracle`].
fn owns(log: &Log, key: Key) -> Vec<Option<Sight>> {
    let Some(own) = log.own.iter().find(|own| own.key == key) else { return vec![None] };
    let number = log.seen.iter().find_map(|&(of, _, seen)| match seen {
        Seen::Recorded(number) if of == key => Some(number),
        _ => None,
    });
    let (first, last) = (log.second(log.begun), log.second(log.ended));
    let made = |at, second| {
        let record = Some((second, own.amount));
        Some(Sight { at, kind: own.kind, number: number.unwrap_or(0), record, own: true })
    };
    let late = (first..=last).map(|second| made(log.ended, second));
    std::iter::once(made(log.begun, first)).chain(late).collect()
}
