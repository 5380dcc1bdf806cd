//! The counts, each key as a list of timestamps, and what a bound makes of them.

use crate::call::SLOT_MOST;
use crate::worlds::Choices;
use std::collections::BTreeMap;

/// Now, and what is judged by it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clock {
    pub now_ms: u64,
    pub window: u32,
    pub interval: u32,
}

impl Clock {
    /// The first moment of the oldest second that counts.
    fn window_begins_ms(self) -> u64 {
        (self.now_ms / 1000).saturating_sub(self.window.into()) * 1000
    }
}

/// One key's writes or reads.
#[derive(Clone, Debug, Default, PartialEq)]
struct Side {
    /// When, and how much.
    records: Vec<(u64, u64)>,
    warned_ms: Option<u64>,
    suppressed: u64,
}

impl Side {
    /// The sum of each second, of what was recorded at `from_ms` or later. Records are in the
    /// order of their times.
    fn slots(&self, from_ms: u64) -> impl Iterator<Item = u64> {
        let first = self.records.partition_point(|(ms, _)| *ms < from_ms);
        let seconds = self.records[first..].chunk_by(|(one, _), (next, _)| one / 1000 == next / 1000);
        let sum =
            |second: &[(u64, u64)]| second.iter().fold(0_u64, |sum, (_, amount)| sum.saturating_add(*amount));
        seconds.map(move |second| sum(second).min(SLOT_MOST))
    }

    fn count(&self, clock: Clock) -> u64 {
        let since = |ms| self.slots(ms).sum::<u64>();
        let count = since(clock.window_begins_ms());
        // Promise 2: exact(t - W, t] <= count <= exact(t - W - 1 s, t]. An open end is a whole ms
        // later.
        let back = |seconds: u32| (clock.now_ms + 1).saturating_sub(u64::from(seconds) * 1000);
        assert!(since(back(clock.window)) <= count && count <= since(back(clock.window + 1)));
        count
    }

    fn may_warn(&self, clock: Clock) -> bool {
        let interval_ms = u64::from(clock.interval) * 1000;
        self.warned_ms.is_none_or(|warned_ms| clock.now_ms - warned_ms >= interval_ms)
    }

    fn is_idle(&self, clock: Clock) -> bool {
        self.slots(clock.window_begins_ms()).next().is_none() && self.may_warn(clock)
    }
}

/// Keys that are counted, those that are as if never seen left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Store<K> {
    /// 0: there is none.
    bound: u64,
    kept: BTreeMap<K, [Side; 2]>,
    /// Keys that were as if never seen when they were recorded.
    pub inserted: u64,
    /// Those that went to make room.
    pub replaced: u64,
}

impl<K: Clone + Ord> Store<K> {
    pub fn new(bound: u64) -> Self {
        Self { bound, kept: BTreeMap::new(), inserted: 0, replaced: 0 }
    }

    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.kept.keys()
    }

    /// Forgets what is as if never seen.
    pub fn forget_idle(&mut self, clock: Clock) {
        self.kept.retain(|_, sides| !sides.iter().all(|side| side.is_idle(clock)));
    }

    pub fn clear(&mut self) {
        self.kept.clear();
    }

    pub fn count(&self, key: &K, operation: usize, clock: Clock) -> u64 {
        self.kept.get(key).map_or(0, |sides| sides[operation].count(clock))
    }

    /// The fullest second.
    pub fn peak(&self, key: &K, operation: usize, clock: Clock) -> u64 {
        let sides = self.kept.get(key);
        sides.and_then(|sides| sides[operation].slots(clock.window_begins_ms()).max()).unwrap_or(0)
    }

    /// Records, and returns the count. A key that is new at the bound takes the place of another:
    /// of one that is as if never seen, or of the quietest of a few, which are all where the bound
    /// is as low as here.
    pub fn add(
        &mut self,
        key: &K,
        operation: usize,
        amount: u64,
        clock: Clock,
        choices: &mut Choices,
    ) -> u64 {
        assert!(amount > 0);
        self.forget_idle(clock);
        if !self.kept.contains_key(key) {
            self.inserted += 1;
            if self.bound > 0 && self.kept.len() as u64 >= self.bound {
                self.replace(clock, choices);
            }
        }
        let sides = self.kept.entry(key.clone()).or_default();
        sides[operation].records.push((clock.now_ms, amount));
        sides[operation].count(clock)
    }

    fn replace(&mut self, clock: Clock, choices: &mut Choices) {
        // One that is kept for its warnings alone is as quiet as one of 1.
        let count = |sides: &[Side; 2]| sides.iter().map(|side| side.count(clock)).sum::<u64>().max(1);
        let least = self.kept.values().map(count).min();
        let quiet: Vec<_> = self.kept.iter().filter(|(_, sides)| Some(count(sides)) == least).collect();
        let gone = quiet[choices.pick(quiet.len())].0.clone();
        self.kept.remove(&gone);
        self.replaced += 1;
    }

    /// Asks for a key that has just been recorded, and is hot, whether that warns someone who is
    /// `heard`; if so, how many did not since the last warning.
    pub fn ring(&mut self, key: &K, operation: usize, heard: bool, clock: Clock) -> Option<u64> {
        let side = &mut self.kept.get_mut(key)?[operation];
        if !heard || !side.may_warn(clock) {
            side.suppressed += 1;
            return None;
        }
        side.warned_ms = Some(clock.now_ms);
        Some(std::mem::take(&mut side.suppressed))
    }
}
