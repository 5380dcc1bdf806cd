//! The oracle: a list of all that was recorded, with the second of each, and what counts may be by
//! it.
//!
//! One thread moves the clock, and it does everything but the stepped call, so the second of each
//! of its records is known. Of the stepped call's own records two things are not: whether the other
//! thread could see them while the call stood still, and which second they fell in, from that of
//! the call's beginning to that of its end. Each pair is a *guess*. Every observation strikes out
//! the guesses that it contradicts; where none is left, what was observed is wrong.
//!
//! By whole slots the count at second `t` is the sum over the records of seconds `t - window` to
//! `t`.

use crate::scenario::{Key, Kind};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::ops::RangeInclusive;

/// The place of a thing in the order of all that happened: an index of [`Log::moments`].
pub type Moment = usize;

#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub at: Moment,
    pub key: Key,
    pub kind: Kind,
    pub second: u64,
    pub amount: u64,
}

/// A record of the stepped call.
#[derive(Clone, Copy, Debug)]
pub struct Own {
    pub key: Key,
    pub kind: Kind,
    pub amount: u64,
}

/// When a record of the stepped call was made.
#[derive(Clone, Copy, Debug)]
struct Guess {
    /// From when on the other thread sees it.
    at: Moment,
    second: u64,
    /// Whether it came before a clear, although nobody saw it then.
    gone: bool,
}

/// A number that a call gave.
#[derive(Clone, Copy, Debug)]
pub enum Seen {
    /// A count at this moment.
    Count(Moment, u64),
    /// The stepped call's: a count of some moment between its beginning and its end, with its own
    /// record.
    Recorded(u64),
    /// The same of a call that records nothing.
    Got(u64),
    /// The fullest second of a moment of the stepped call, or the count beside it if that is less.
    Peak(u64, u64),
}

#[derive(Debug, Default)]
pub struct Log {
    pub window: u64,
    /// The clock, in milliseconds, at each moment.
    pub moments: Vec<u64>,
    /// The threshold of writes at each moment.
    pub thresholds: Vec<u64>,
    pub records: Vec<Record>,
    pub own: Vec<Own>,
    /// The moments before and after the stepped call.
    pub begun: Moment,
    pub ended: Moment,
    pub clears: Vec<Moment>,
    /// Whether the stepped call is a clear.
    pub own_clear: bool,
    /// Whether counts may be lost to other partitions.
    pub lossy: bool,
    pub seen: Vec<(Key, Kind, Seen)>,
}

/// One partition and kind, with all that was recorded of it.
struct Case<'a> {
    log: &'a Log,
    clears: &'a [Moment],
    records: Vec<Record>,
    own: Vec<u64>,
}

impl Log {
    pub fn second(&self, at: Moment) -> u64 {
        self.moments[at] / 1_000
    }

    pub fn span(&self) -> RangeInclusive<Moment> {
        self.begun..=self.ended
    }

    /// Says what is wrong with the observations; empty if nothing is.
    pub fn judge(&self) -> Vec<String> {
        if !self.own_clear {
            return self.judge_with(&self.clears);
        }
        // It was at one moment for all.
        let with = |own| {
            let mut clears = self.clears.clone();
            clears.push(own);
            self.judge_with(&clears)
        };
        let (early, late) = (with(self.begun + 1), with(self.ended));
        if early.len() <= late.len() { early } else { late }
    }

    fn judge_with(&self, clears: &[Moment]) -> Vec<String> {
        let mut by_case: BTreeMap<(Key, Kind), Vec<Seen>> = BTreeMap::new();
        for &(key, kind, seen) in &self.seen {
            by_case.entry((key, kind)).or_default().push(seen);
        }
        by_case
            .into_iter()
            .filter_map(|((key, kind), seen)| {
                let wrong = self.case(key, kind, clears).judge(&seen)?;
                Some(format!("{kind} of {key}: {wrong}"))
            })
            .collect()
    }

    fn case<'a>(&'a self, key: Key, kind: Kind, clears: &'a [Moment]) -> Case<'a> {
        Case {
            log: self,
            clears,
            records: self.records.iter().filter(|of| (of.key, of.kind) == (key, kind)).copied().collect(),
            own: self.own.iter().filter(|of| (of.key, of.kind) == (key, kind)).map(|of| of.amount).collect(),
        }
    }
}

impl Case<'_> {
    /// All that can be guessed of all the call's own records together.
    fn guesses(&self) -> Vec<Vec<Guess>> {
        let log = self.log;
        let (first, last) = (log.second(log.begun), log.second(log.ended));
        let mut each = vec![Guess { at: log.begun, second: first, gone: false }];
        each.extend((first..=last).map(|second| Guess { at: log.ended, second, gone: false }));
        if self.clears.iter().any(|at| log.span().contains(at)) {
            each.push(Guess { at: log.ended, second: first, gone: true });
        }
        self.own.iter().fold(vec![Vec::new()], |all, _| {
            let longer = |guesses: &Vec<Guess>| {
                let guesses = guesses.clone();
                each.iter().map(move |&guess| {
                    let mut guesses = guesses.clone();
                    guesses.push(guess);
                    guesses
                })
            };
            all.iter().flat_map(longer).collect()
        })
    }

    /// The clear after which nothing of `from` was left at `at`.
    fn cleared(&self, from: Moment, at: Moment) -> Option<Moment> {
        self.clears.iter().copied().find(|&clear| from < clear && clear <= at)
    }

    fn within(&self, second: u64, at: Moment) -> bool {
        let now = self.log.second(at);
        (now.saturating_sub(self.log.window)..=now).contains(&second)
    }

    /// The seconds that count at a moment, and what they have of the records that are known.
    fn known(&self, at: Moment) -> impl Iterator<Item = (u64, u64)> {
        self.records
            .iter()
            .filter(move |of| of.at <= at && self.within(of.second, at) && self.cleared(of.at, at).is_none())
            .map(|of| (of.second, of.amount))
    }

    /// The same with the call's own records that were seen by then.
    fn all(&self, at: Moment, guesses: &[Guess]) -> impl Iterator<Item = (u64, u64)> {
        let own = guesses.iter().zip(&self.own).filter(move |(guess, _)| {
            let there = !guess.gone && guess.at <= at && self.cleared(guess.at, at).is_none();
            there && self.within(guess.second, at)
        });
        self.known(at).chain(own.map(|(guess, &amount)| (guess.second, amount)))
    }

    fn count(&self, at: Moment, guesses: &[Guess]) -> u64 {
        self.all(at, guesses).map(|(_, amount)| amount).sum()
    }

    /// The counts that the call may return for its only record of this partition.
    fn recorded(&self, guesses: &[Guess]) -> BTreeSet<u64> {
        let (Some(&guess), Some(&amount)) = (guesses.first(), self.own.first()) else {
            return BTreeSet::new();
        };
        let mut counts = BTreeSet::new();
        let clear = self.clears.iter().copied().find(|at| self.log.span().contains(at));
        for at in self.log.span().filter(|&at| guess.second <= self.log.second(at)) {
            // It was recorded wholly before a clear or wholly after.
            let early = guess.gone || guess.at == self.log.begun;
            if clear.is_some_and(|clear| early != (at < clear)) {
                continue;
            }
            let known: u64 = self.known(at).map(|(_, amount)| amount).sum();
            if self.within(guess.second, at) {
                counts.insert(known + amount);
            } else {
                // It stood still until its own second had left the window.
                counts.extend([known, known.max(amount)]);
            }
        }
        counts
    }

    fn peak(&self, at: Moment, guesses: &[Guess]) -> u64 {
        let mut slots: BTreeMap<u64, u64> = BTreeMap::new();
        for (second, amount) in self.all(at, guesses) {
            *slots.entry(second).or_default() += amount;
        }
        slots.into_values().max().unwrap_or(0)
    }

    /// The numbers that may be seen.
    fn possible(&self, seen: Seen, guesses: &[Guess]) -> BTreeSet<u64> {
        match seen {
            Seen::Count(at, _) => BTreeSet::from([self.count(at, guesses)]),
            Seen::Recorded(_) => self.recorded(guesses),
            Seen::Got(_) => self.log.span().map(|at| self.count(at, guesses)).collect(),
            Seen::Peak(_, count) => {
                // A peak of the stepped call is of a moment when its own record was there.
                let there: Vec<_> =
                    guesses.iter().map(|&guess| Guess { at: self.log.begun, ..guess }).collect();
                self.log.span().map(|at| self.peak(at, &there).min(count)).collect()
            }
        }
    }

    /// Whether a number may be seen. Where there is a bound, others may have taken the partition's
    /// place, and some of its count or all may be lost.
    fn allows(&self, seen: Seen, guesses: &[Guess]) -> bool {
        let number = seen.number();
        match seen {
            Seen::Count(at, _) if !self.log.lossy => number == self.count(at, guesses),
            // Of a partition that has gone nothing is known but the count.
            Seen::Peak(peak, count) if self.log.lossy && peak == count => true,
            _ if !self.log.lossy => self.possible(seen, guesses).contains(&number),
            _ => self.possible(seen, guesses).last().is_some_and(|&most| number <= most),
        }
    }

    /// The first fault.
    fn judge(&self, all: &[Seen]) -> Option<String> {
        let mut left = self.guesses();
        for &seen in all {
            let fit: Vec<_> = left.iter().filter(|guesses| self.allows(seen, guesses)).cloned().collect();
            if fit.is_empty() {
                let possible = left.iter().flat_map(|guesses| self.possible(seen, guesses)).collect();
                return Some(format!("{}, possible {}", self.describe(seen), list(&possible)));
            }
            left = fit;
        }
        None
    }

    fn describe(&self, seen: Seen) -> String {
        let (first, last) = (self.log.second(self.log.begun), self.log.second(self.log.ended));
        let number = seen.number() as i64;
        match seen {
            Seen::Count(at, _) => {
                let second = self.log.second(at);
                let after = if at <= self.log.ended { "" } else { ", after the call" };
                format!("a count of {number} at second {second}{after} (the call: {first} to {last})")
            }
            Seen::Recorded(_) => format!("the call returned {number}, in seconds {first} to {last}"),
            Seen::Got(_) => format!("the call got {number}, in seconds {first} to {last}"),
            Seen::Peak(_, count) => format!("a peak of {number} beside a count of {count}"),
        }
    }
}

impl Seen {
    fn number(self) -> u64 {
        match self {
            Seen::Count(_, number) | Seen::Recorded(number) | Seen::Got(number) | Seen::Peak(number, _) => {
                number
            }
        }
    }
}

/// Numbers, and ranges of numbers.
fn list(numbers: &BTreeSet<u64>) -> String {
    let mut text = String::new();
    let mut numbers = numbers.iter().copied().peekable();
    while let Some(first) = numbers.next() {
        let mut last = first;
        while let Some(next) = numbers.next_if_eq(&(last + 1)) {
            last = next;
        }
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = if first == last {
            write!(text, "{comma}{first}")
        } else {
            write!(text, "{comma}{first} to {last}")
        };
    }
    if text.is_empty() { "nothing".into() } else { text }
}
