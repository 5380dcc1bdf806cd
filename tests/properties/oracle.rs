//! The oracle, which says what a detector must show: worked out from a list of everything that was
//! ever recorded.

use crate::call::*;
use crate::store::{Clock, Store};
use crate::worlds::Choices;
use hotpart::ffi::{HPD_ERR_INVALID, HPD_ERR_NULL, HPD_INTERVAL_WINDOW, HPD_OK};
use std::collections::HashMap;

/// A synthetic partition, of which there may be as many as of others: by the places of reasons
/// and kinds among all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SyntheticKey {
    Throttles(Spot, usize),
    Unattributed(Text, usize),
}

impl SyntheticKey {
    /// The call that shows it.
    pub fn look(self, operation: usize) -> Call {
        match self {
            Self::Throttles(spot, reason) => Call::Throttles(spot, operation, reason),
            Self::Unattributed(table, what) => Call::Unattributed(table, operation, what),
        }
    }
}

/// The place of the only reason that is evidence of a hot partition.
pub const KEY_RANGE: usize = 1;

#[derive(Clone, PartialEq)]
pub struct Oracle {
    pub terms: Terms,
    pub clock: Clock,
    pub partitions: Store<Spot>,
    pub synthetic: Store<SyntheticKey>,
    pub numbers: Numbers,
    overrides: [HashMap<Text, [i64; 2]>; 2],
    open: [Option<Text>; OPEN],
}

fn is_name(name: &Text) -> bool {
    (1..=1_024).contains(&name.0.len())
}

fn is_valid(entry: &Entry) -> bool {
    is_spot(&entry.spot) && entry.model.as_ref().is_none_or(is_name) && entry.amount > 0
}

fn is_spot(spot: &Spot) -> bool {
    is_name(&spot.table) && spot.pk.0.len() <= 16_384
}

impl Oracle {
    pub fn new(terms: &Terms) -> Self {
        let interval = if terms.interval == HPD_INTERVAL_WINDOW { terms.window } else { terms.interval };
        Self {
            clock: Clock { now_ms: 0, window: terms.window, interval },
            partitions: Store::new(terms.max_partitions),
            synthetic: Store::new(terms.max_partitions),
            numbers: Numbers::default(),
            overrides: [HashMap::new(), HashMap::new()],
            open: [const { None }; OPEN],
            terms: terms.clone(),
        }
    }

    /// The amount that a record adds that names none.
    pub fn one(&self) -> u64 {
        if self.terms.capacity { 2 } else { 1 }
    }

    fn plain(&self, spot: &Spot, operation: usize) -> Entry {
        Entry { spot: spot.clone(), operation, model: None, amount: self.one() }
    }

    /// Partitions that are not as if never seen.
    pub fn tracked(&self) -> u64 {
        self.partitions.keys().count() as u64
    }

    pub fn inserted(&self) -> u64 {
        self.partitions.inserted
    }

    fn threshold(&self, entry: &Entry) -> u64 {
        let model = entry.model.as_ref().and_then(|model| self.overrides[Scope::Model as usize].get(model));
        let table = self.overrides[Scope::Table as usize].get(&entry.spot.table);
        let set = [model, table].into_iter().flatten().map(|both| both[entry.operation]).find(|&n| n != -1);
        set.map_or(self.terms.thresholds[entry.operation], |n| n as u64)
    }

    fn is_heard(&self, hearer: Hearer) -> bool {
        hearer != Hearer::Callback || self.terms.calls_back
    }

    /// Records, and returns the count and a warning that is due to its hearer.
    pub fn record(&mut self, entry: &Entry, hearer: Hearer, choices: &mut Choices) -> (u64, Option<Warned>) {
        let (Entry { spot, operation, amount, .. }, heard) = (entry, self.is_heard(hearer));
        self.numbers.records += 1;
        let count = self.partitions.add(spot, *operation, *amount, self.clock, choices);
        self.numbers.replaced = self.partitions.replaced;
        let threshold = self.threshold(entry);
        if count < threshold {
            return (count, None);
        }
        let rung = self.partitions.ring(spot, *operation, heard, self.clock);
        let peak = self.partitions.peak(spot, *operation, self.clock);
        (count, self.warned(spot, *operation, [count, threshold, peak], rung, false))
    }

    /// Records a throttle, which may warn as a record does.
    pub fn throttle(
        &mut self,
        spot: &Spot,
        operation: usize,
        reason: usize,
        hearer: Hearer,
        choices: &mut Choices,
    ) -> (u64, Option<Warned>) {
        let (key, heard) = (SyntheticKey::Throttles(spot.clone(), reason), self.is_heard(hearer));
        self.numbers.throttles[reason] += 1;
        let count = self.synthetic.add(&key, operation, 1, self.clock, choices);
        if reason != KEY_RANGE || !self.terms.warns_of_throttles {
            return (count, None);
        }
        let rung = self.synthetic.ring(&key, operation, heard, self.clock);
        let peak = self.synthetic.peak(&key, operation, self.clock);
        (count, self.warned(spot, operation, [count, 1, peak], rung, true))
    }

    fn warned(
        &mut self,
        spot: &Spot,
        operation: usize,
        [count, threshold, peak]: [u64; 3],
        rung: Option<u64>,
        of_throttle: bool,
    ) -> Option<Warned> {
        let Some(suppressed) = rung else {
            self.numbers.suppressed += 1;
            return None;
        };
        self.numbers.warnings += 1;
        let (spot, window) = (spot.clone(), self.terms.window);
        Some(Warned { spot, operation, window, count, threshold, suppressed, peak, of_throttle })
    }

    /// Records all or, if one is not valid, nothing; returns the last count.
    fn record_all(&mut self, entries: &[Entry], hearer: Hearer, choices: &mut Choices) -> Outcome {
        if !entries.iter().all(is_valid) {
            return Outcome::of(HPD_ERR_INVALID);
        }
        let mut outcome = Outcome::default();
        for entry in entries {
            let (count, warned) = self.record(entry, hearer, choices);
            outcome.result = count as i64;
            outcome.tell(hearer, warned);
        }
        outcome
    }

    fn set(&mut self, scope: Scope, name: &Text, both: [i64; 2]) -> i32 {
        if !is_name(name) || both.iter().any(|&n| n == 0 || n < -1) {
            return HPD_ERR_INVALID;
        }
        let overrides = &mut self.overrides[scope as usize];
        if both == [-1, -1] {
            overrides.remove(name);
        } else {
            overrides.insert(name.clone(), both);
        }
        HPD_OK
    }

    fn thresholds(&self, scope: Scope, name: &Text) -> Outcome {
        if !is_name(name) {
            return Outcome::of(HPD_ERR_INVALID);
        }
        let both = self.overrides[scope as usize].get(name).copied().unwrap_or([-1, -1]);
        Outcome { thresholds: Some(both), ..Outcome::default() }
    }

    fn set_time(&mut self, ms: u64) -> i32 {
        if ms > LAST_MS {
            return HPD_ERR_INVALID;
        }
        self.clock.now_ms = self.clock.now_ms.max(ms);
        self.partitions.forget_idle(self.clock);
        self.synthetic.forget_idle(self.clock);
        HPD_OK
    }

    /// The result that a call must have, if the detector's choices are these.
    pub fn call(&mut self, call: &Call, choices: &mut Choices) -> Outcome {
        let callback = Hearer::Callback;
        match call {
            Call::Record(spot, operation) => {
                self.record_all(&[self.plain(spot, *operation)], callback, choices)
            }
            Call::Full(entry, hearer) => self.record_all(std::slice::from_ref(entry), *hearer, choices),
            Call::Batch(entries, _) => match self.record_all(entries, callback, choices) {
                refused if refused.result < 0 => refused,
                recorded => Outcome { result: entries.len() as i64, ..recorded },
            },
            Call::Open(at, table) => {
                self.open[*at] = is_name(table).then(|| table.clone());
                Outcome::of(if is_name(table) { HPD_OK } else { HPD_ERR_INVALID })
            }
            Call::Close(at) => {
                self.open[*at] = None;
                Outcome::default()
            }
            Call::Prepared(at, pk, operation, form) => {
                let Some(table) = self.open[*at].clone() else { return Outcome::of(HPD_ERR_NULL) };
                let hearer = if *form == Form::Due { Hearer::Thread } else { callback };
                self.record_all(&[self.plain(&Spot { table, pk: form.key(pk) }, *operation)], hearer, choices)
            }
            Call::Get(spot, _) | Call::Throttle(spot, ..) | Call::Throttles(spot, ..) if !is_spot(spot) => {
                Outcome::of(HPD_ERR_INVALID)
            }
            Call::Get(spot, operation) => {
                Outcome::of(self.partitions.count(spot, *operation, self.clock) as i64)
            }
            Call::Throttle(spot, operation, reason, hearer) => {
                let (count, warned) = self.throttle(spot, *operation, *reason, *hearer, choices);
                let mut outcome = Outcome::of(count as i64);
                outcome.tell(*hearer, warned);
                outcome
            }
            Call::Throttles(spot, operation, reason) => {
                let key = SyntheticKey::Throttles(spot.clone(), *reason);
                Outcome::of(self.synthetic.count(&key, *operation, self.clock) as i64)
            }
            Call::Unattributed(table, ..) if !is_name(table) => Outcome::of(HPD_ERR_INVALID),
            Call::Unattributed(table, operation, what) => {
                let key = SyntheticKey::Unattributed(table.clone(), *what);
                Outcome::of(self.synthetic.count(&key, *operation, self.clock) as i64)
            }
            Call::Observe(attempt, hearer) => self.observe(attempt, *hearer, choices),
            Call::Hottest(operation, n) => {
                Outcome { hottest: self.hottest(*operation, *n), ..Outcome::default() }
            }
            Call::Statistics => Outcome { numbers: Some(self.numbers.clone()), ..Outcome::default() },
            Call::Metrics(n) => Outcome { samples: self.samples(*n), ..Outcome::default() },
            Call::Set(scope, name, both) => Outcome::of(self.set(*scope, name, *both)),
            Call::Thresholds(scope, name) => self.thresholds(*scope, name),
            Call::OwnThresholds => {
                Outcome { thresholds: Some(self.terms.thresholds.map(|n| n as i64)), ..Outcome::default() }
            }
            Call::Clear => {
                self.partitions.clear();
                self.synthetic.clear();
                self.overrides.iter_mut().for_each(HashMap::clear);
                Outcome::default()
            }
            Call::SetTime(ms) => Outcome::of(self.set_time(*ms)),
            Call::Flawed(flaw) => Outcome::of(flaw.code()),
            Call::Forward(_) | Call::Backward(_) => unreachable!("calls are by absolute times"),
        }
    }
}
