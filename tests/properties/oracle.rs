//! What a detector must show: worked out from a list of everything that was ever recorded.

use crate::call::{Call, Entry, Face, LAST_MS, OPEN, Outcome, SLOT_MOST, Scope, Spot, Terms, Text, Warned};
use hotpart::ffi::{HPD_ERR_INVALID, HPD_ERR_NULL, HPD_INTERVAL_WINDOW, HPD_OK};
use std::collections::{BTreeMap, HashMap};

pub struct Oracle {
    terms: Terms,
    now_ms: u64,
    partitions: HashMap<Spot, [Side; 2]>,
    overrides: [HashMap<Text, [i64; 2]>; 2],
    open: [Option<Text>; OPEN],
}

/// One partition's writes or reads.
#[derive(Default)]
struct Side {
    /// When, and how much.
    records: Vec<(u64, u64)>,
    warned_ms: Option<u64>,
    suppressed: u64,
}

impl Side {
    /// What each second added up to, of what was recorded at `from_ms` or later.
    fn slots(&self, from_ms: u64) -> impl Iterator<Item = u64> {
        let mut slots = BTreeMap::new();
        for (ms, amount) in self.records.iter().filter(|(ms, _)| *ms >= from_ms) {
            let slot = slots.entry(ms / 1000).or_insert(0_u64);
            *slot = slot.saturating_add(*amount).min(SLOT_MOST);
        }
        slots.into_values()
    }

    fn may_warn(&self, now_ms: u64, interval: u32) -> bool {
        self.warned_ms.is_none_or(|warned_ms| now_ms - warned_ms >= u64::from(interval) * 1000)
    }
}

fn is_name(name: &Text) -> bool {
    (1..=1_024).contains(&name.0.len())
}

fn is_valid(entry: &Entry) -> bool {
    is_name(&entry.spot.table)
        && entry.spot.pk.0.len() <= 16_384
        && entry.model.as_ref().is_none_or(is_name)
        && entry.amount > 0
}

fn plain(spot: &Spot, operation: usize) -> Entry {
    Entry { spot: spot.clone(), operation, model: None, amount: 1 }
}

impl Oracle {
    pub fn new(terms: &Terms) -> Self {
        let mut terms = terms.clone();
        if terms.interval == HPD_INTERVAL_WINDOW {
            terms.interval = terms.window;
        }
        Self {
            terms,
            now_ms: 0,
            partitions: HashMap::new(),
            overrides: [HashMap::new(), HashMap::new()],
            open: [const { None }; OPEN],
        }
    }

    /// The first moment of the oldest second that counts.
    fn window_begins_ms(&self) -> u64 {
        (self.now_ms / 1000).saturating_sub(self.terms.window.into()) * 1000
    }

    fn count(&self, spot: &Spot, operation: usize) -> u64 {
        let Some(sides) = self.partitions.get(spot) else { return 0 };
        let since = |ms| sides[operation].slots(ms).sum::<u64>();
        let count = since(self.window_begins_ms());
        // Promise 2: exact(t - W, t] <= count <= exact(t - W - 1 s, t]. An open end is a whole ms later.
        let back = |seconds: u32| (self.now_ms + 1).saturating_sub(u64::from(seconds) * 1000);
        assert!(since(back(self.terms.window)) <= count && count <= since(back(self.terms.window + 1)));
        count
    }

    fn threshold(&self, entry: &Entry) -> u64 {
        let model = entry.model.as_ref().and_then(|model| self.overrides[Scope::Model as usize].get(model));
        let table = self.overrides[Scope::Table as usize].get(&entry.spot.table);
        let set = [model, table].into_iter().flatten().map(|both| both[entry.operation]).find(|&n| n != -1);
        set.map_or(self.terms.thresholds[entry.operation], |n| n as u64)
    }

    /// Records, and returns the count and a warning that is due to someone who is `heard`.
    fn record(&mut self, entry: &Entry, heard: bool) -> (u64, Option<Warned>) {
        let Entry { spot, operation, amount, .. } = entry;
        let (now_ms, begins_ms, interval) = (self.now_ms, self.window_begins_ms(), self.terms.interval);
        let partition = self.partitions.entry(spot.clone()).or_default();
        if partition.iter().all(|side| side.slots(begins_ms).count() == 0 && side.may_warn(now_ms, interval))
        {
            *partition = Default::default();
        }
        partition[*operation].records.push((now_ms, *amount));
        let (count, threshold) = (self.count(spot, *operation), self.threshold(entry));
        if count < threshold {
            return (count, None);
        }
        let side = &mut self.partitions.get_mut(spot).unwrap()[*operation];
        if !heard || !side.may_warn(now_ms, interval) {
            side.suppressed += 1;
            return (count, None);
        }
        side.warned_ms = Some(now_ms);
        let warned = Warned {
            spot: spot.clone(),
            operation: *operation,
            window: self.terms.window,
            count,
            threshold,
            suppressed: std::mem::take(&mut side.suppressed),
            peak: side.slots(begins_ms).max().unwrap(),
        };
        (count, Some(warned))
    }

    /// Records all or, if one is not valid, nothing; returns the last count.
    fn record_all(&mut self, entries: &[Entry]) -> Outcome {
        if !entries.iter().all(is_valid) {
            return Outcome::of(HPD_ERR_INVALID);
        }
        let mut outcome = Outcome::default();
        for entry in entries {
            let (count, warned) = self.record(entry, self.terms.calls_back);
            outcome.result = count as i64;
            outcome.called_back.extend(warned);
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
        self.now_ms = self.now_ms.max(ms);
        HPD_OK
    }
}

impl Face for Oracle {
    fn call(&mut self, call: &Call) -> Outcome {
        match call {
            Call::Record(spot, operation) => self.record_all(&[plain(spot, *operation)]),
            Call::Full(entry, false) => self.record_all(std::slice::from_ref(entry)),
            Call::Full(entry, true) if is_valid(entry) => {
                let (count, taken) = self.record(entry, true);
                Outcome { taken, ..Outcome::of(count as i64) }
            }
            Call::Full(_, true) => Outcome::of(HPD_ERR_INVALID),
            Call::Batch(entries, _) => match self.record_all(entries) {
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
            Call::Prepared(at, pk, operation, ends_in_nul) => {
                let Some(table) = self.open[*at].clone() else { return Outcome::of(HPD_ERR_NULL) };
                let pk = if *ends_in_nul { pk.until_nul() } else { pk.clone() };
                self.record_all(&[plain(&Spot { table, pk }, *operation)])
            }
            Call::Get(spot, operation) if is_valid(&plain(spot, *operation)) => {
                Outcome::of(self.count(spot, *operation) as i64)
            }
            Call::Get(..) => Outcome::of(HPD_ERR_INVALID),
            Call::Set(scope, name, both) => Outcome::of(self.set(*scope, name, *both)),
            Call::Thresholds(scope, name) => self.thresholds(*scope, name),
            Call::OwnThresholds => {
                Outcome { thresholds: Some(self.terms.thresholds.map(|n| n as i64)), ..Outcome::default() }
            }
            Call::Clear => {
                self.partitions.clear();
                self.overrides.iter_mut().for_each(HashMap::clear);
                Outcome::default()
            }
            Call::SetTime(ms) => Outcome::of(self.set_time(*ms)),
            Call::Flawed(flaw) => Outcome::of(flaw.code()),
            Call::Forward(_) | Call::Backward(_) => unreachable!("calls are by absolute times"),
        }
    }
}
