//! The truth: what was recorded in which second of each partition and operation, which thresholds
//! were in force when, and when warnings were given.

use crate::terms::Terms;
use std::collections::HashMap;

pub const TABLES: usize = 3;
pub const MODELS: usize = 2;
/// Tables and models by number. One of each have the same name.
pub const TABLE_NAMES: [&str; TABLES] = ["a", "b", "a/index/I"];
pub const MODEL_NAMES: [&str; MODELS] = ["a", "m"];

/// Where a slot saturates.
pub const SLOT_MOST: u64 = (1 << 30) - 1;
/// A lane of a cell is full at the next number, or later.
const LANE_MOST: u64 = 32_767;
/// The most that all lanes of a cell tell.
pub const FULL_MOST: u64 = 3 * LANE_MOST;

/// A partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spot {
    pub table: u8,
    pub key: u32,
}

impl Spot {
    pub fn table_name(self) -> &'static str {
        TABLE_NAMES[self.table as usize]
    }

    /// The key: its number, and then some bytes, seldom many.
    pub fn pk(self) -> Vec<u8> {
        let mut pk = vec![b'-'; if self.key % 16 == 5 { 200 } else { 4 + self.key as usize % 20 }];
        pk[..4].copy_from_slice(&self.key.to_le_bytes());
        pk
    }

    pub fn read(table: &[u8], pk: &[u8]) -> Self {
        let table = TABLE_NAMES.iter().position(|name| name.as_bytes() == table).unwrap();
        Self { table: table as u8, key: u32::from_le_bytes(pk[..4].try_into().unwrap()) }
    }
}

/// Thresholds of tables and of models: of writes and of reads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overrides {
    pub tables: [[Option<u64>; 2]; TABLES],
    pub models: [[Option<u64>; 2]; MODELS],
}

/// The history of one operation of a partition.
#[derive(Default)]
struct Series {
    /// Seconds and what they had, in order.
    slots: Vec<(u32, u64)>,
    warned_ms: Option<u64>,
    /// When it was last recorded, and the count that was returned.
    returned: Option<(u64, u64)>,
}

pub struct Oracle {
    pub terms: Terms,
    pub now_ms: u64,
    /// The overrides, and from which second on they were in force. The last are in force.
    history: Vec<(u32, Overrides)>,
    series: HashMap<(Spot, usize), Series>,
    throttles: HashMap<(Spot, usize), Series>,
}

impl Oracle {
    pub fn new(terms: &Terms) -> Self {
        Self {
            terms: terms.clone(),
            now_ms: 0,
            history: vec![(0, Overrides::default())],
            series: HashMap::new(),
            throttles: HashMap::new(),
        }
    }

    pub fn second(&self) -> u32 {
        (self.now_ms / 1_000) as u32
    }

    pub fn set_time(&mut self, ms: u64) {
        self.now_ms = ms;
        let (oldest, interval) = (self.second().saturating_sub(self.terms.window), self.terms.interval_ms());
        if self.series.len() > 1_000 {
            self.series.retain(|_, series| {
                series.slots.last().is_some_and(|&(second, _)| second >= oldest)
                    || series.warned_ms.is_some_and(|warned| ms - warned < interval)
            });
        }
    }

    pub fn clear(&mut self) {
        self.series.clear();
        self.throttles.clear();
        self.history = vec![(self.second(), Overrides::default())];
    }

    pub fn overrides(&self) -> Overrides {
        self.history.last().unwrap().1
    }

    pub fn set(&mut self, overrides: Overrides) {
        self.history.push((self.second(), overrides));
    }

    /// Returns the count that a record must reach to be hot by the window's rule.
    pub fn threshold(&self, spot: Spot, operation: usize, model: Option<usize>) -> u64 {
        let overrides = self.overrides();
        let model = model.and_then(|model| overrides.models[model][operation]);
        let table = || overrides.tables[spot.table as usize][operation];
        model.or_else(table).unwrap_or(self.terms.thresholds[operation])
    }

    /// The least that can make a partition of this table hot, by these overrides.
    fn least(&self, overrides: &Overrides, table: u8, operation: usize) -> u64 {
        let own = overrides.tables[table as usize][operation].unwrap_or(self.terms.thresholds[operation]);
        let models = overrides.models.iter().filter_map(|model| model[operation]);
        let rates = [self.terms.second[operation], self.terms.sustained[operation]];
        models.chain(rates.into_iter().flatten()).fold(own, u64::min)
    }

    /// More than what a count may be carried by, while nothing is kept out: the greatest share of
    /// a threshold that was in force when it may have been carried, or in one and a half windows
    /// before that.
    pub fn share(&self, table: u8, operation: usize) -> u64 {
        let carried_at = self.second().saturating_sub(self.terms.window);
        let since = carried_at.saturating_sub(3 * self.terms.sub_window());
        let ends = self.history.iter().skip(1).map(|&(begin, _)| begin).chain([u32::MAX]);
        let in_force = self.history.iter().zip(ends).filter(|&(_, end)| end >= since);
        let share = |overrides| self.terms.share(self.least(overrides, table, operation));
        in_force.map(|((_, overrides), _)| share(overrides)).max().unwrap()
    }

    /// Returns the amounts of a partition in this second and so many before it.
    pub fn exact(&self, spot: Spot, operation: usize, seconds_before: u32) -> u64 {
        let oldest = self.second().saturating_sub(seconds_before);
        let Some(series) = self.series.get(&(spot, operation)) else { return 0 };
        let within = series.slots.iter().rev().take_while(|&&(second, _)| second >= oldest);
        within.map(|&(_, amount)| amount).sum()
    }

    /// The count of the window must be so much at least. What is carried over stands in a slot, which
    /// saturates. A lane of a cell that is full reads as the least threshold: so far are counts known
    /// of keys that are kept out.
    pub fn floor(&self, exact: u64, table: u8, operation: usize, kept_out: impl FnOnce() -> bool) -> u64 {
        let full = LANE_MOST.max(self.least(&self.overrides(), table, operation));
        let most = if exact > LANE_MOST && kept_out() { full.min(SLOT_MOST) } else { SLOT_MOST };
        if self.terms.memory > 0 { exact.min(most) } else { exact }
    }

    fn entry(&mut self, spot: Spot, operation: usize, of_throttles: bool) -> &mut Series {
        let all = if of_throttles { &mut self.throttles } else { &mut self.series };
        all.entry((spot, operation)).or_default()
    }

    fn add(&mut self, spot: Spot, operation: usize, amount: u64, of_throttles: bool) {
        let second = self.second();
        let slots = &mut self.entry(spot, operation, of_throttles).slots;
        match slots.last_mut() {
            Some((last, sum)) if *last == second => *sum = SLOT_MOST.min(sum.saturating_add(amount)),
            _ => slots.push((second, amount.min(SLOT_MOST))),
        }
    }

    pub fn record(&mut self, spot: Spot, operation: usize, amount: u64) {
        self.add(spot, operation, amount, false);
    }

    /// Adds a throttle, and returns how many there are in the window.
    pub fn throttle(&mut self, spot: Spot, operation: usize) -> u64 {
        self.add(spot, operation, 1, true);
        self.throttled(spot, operation)
    }

    /// Returns how many throttles there are in the window.
    pub fn throttled(&self, spot: Spot, operation: usize) -> u64 {
        let oldest = self.second().saturating_sub(self.terms.window);
        let slots = self.throttles.get(&(spot, operation)).map_or(&[][..], |series| &series.slots);
        slots.iter().filter(|&&(second, _)| second >= oldest).map(|&(_, amount)| amount).sum()
    }

    /// The count that the last record of the series returned, if it was at this very moment.
    pub fn returned_now(&self, spot: Spot, operation: usize) -> u64 {
        let returned = self.series.get(&(spot, operation)).and_then(|series| series.returned);
        returned.filter(|&(ms, _)| ms == self.now_ms).map_or(0, |(_, count)| count)
    }

    pub fn returns(&mut self, spot: Spot, operation: usize, count: u64) {
        self.entry(spot, operation, false).returned = Some((self.now_ms, count));
    }

    /// Whether a warning of it, or of its throttles, was given less than an interval ago.
    pub fn was_warned(&self, spot: Spot, operation: usize, of_throttles: bool) -> bool {
        let all = if of_throttles { &self.throttles } else { &self.series };
        let warned = all.get(&(spot, operation)).and_then(|series| series.warned_ms);
        warned.is_some_and(|ms| self.now_ms - ms < self.terms.interval_ms())
    }

    pub fn warn(&mut self, spot: Spot, operation: usize, of_throttles: bool) {
        self.entry(spot, operation, of_throttles).warned_ms = Some(self.now_ms);
    }
}
