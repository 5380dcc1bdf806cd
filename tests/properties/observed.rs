//! The oracle of attempts at requests, by the contract's table of outcomes; and of
//! snapshots.

use crate::call::{Entry, Hearer, Hot, Outcome, Spot, Text};
use crate::exchange::{Attempt, Did, INDEX, KEYS, Said, Told};
use crate::oracle::{KEY_RANGE, Oracle, SyntheticKey};
use crate::worlds::Choices;
use std::collections::BTreeSet;

/// The places of kinds of tallies among all.
const SCANS: usize = 0;
const SCAN_UNITS: usize = 1;
const UNPROCESSED: usize = 2;
const INDEX_UNITS: usize = 3;
const THROTTLES: usize = 4;
const UNREAD: usize = 5;

const WRITE: usize = 0;
const READ: usize = 1;

/// Half units that a write of a small item takes at least, and a read that may be stale.
const ESTIMATES: [u64; 2] = [2, 1];

/// DynamoDB's limits for a partition in a second.
const LIMITS: [u64; 2] = [1_000, 3_000];

fn table(attempt: &Attempt) -> Text {
    Text(attempt.name().into())
}

fn index(attempt: &Attempt) -> Text {
    Text(format!("{}/index/{INDEX}", attempt.name()).into())
}

fn spot(attempt: &Attempt, key: usize) -> Spot {
    Spot { table: table(attempt), pk: Text(KEYS[key].into()) }
}

impl Oracle {
    /// Tallies what no partition can be charged with. An amount of 0 changes nothing anywhere.
    fn tally(&mut self, table: Text, operation: usize, what: usize, amount: u64, choices: &mut Choices) {
        if amount > 0 {
            *self.numbers.unattributed.get_mut(what).unwrap_or(&mut self.numbers.unread) += amount;
            self.synthetic.add(
                &SyntheticKey::Unattributed(table, what),
                operation,
                amount,
                self.clock,
                choices,
            );
        }
    }

    /// The half units of the table that an answer tells, or those that are estimated.
    fn units(&mut self, told: Told, estimate: u64) -> u64 {
        if let Some((units, _)) = told.halves() {
            return units;
        }
        if self.terms.capacity {
            self.numbers.estimated_half_units += estimate;
        }
        estimate
    }

    /// Tallies what an answer tells of the index.
    fn tally_index(&mut self, attempt: &Attempt, operation: usize, told: Told, choices: &mut Choices) {
        if let (true, Some((_, Some(units)))) = (self.terms.capacity, told.halves()) {
            self.tally(index(attempt), operation, INDEX_UNITS, units, choices);
        }
    }

    /// Records so many actions and half units, of which the mode takes one.
    fn charge(
        &mut self,
        spot: Spot,
        operation: usize,
        [actions, units]: [u64; 2],
        hearer: Hearer,
        choices: &mut Choices,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        let amount = if self.terms.capacity { units } else { actions };
        if amount > 0 {
            let (_, warned) = self.record(&Entry { spot, operation, model: None, amount }, hearer, choices);
            outcome.tell(hearer, warned);
        }
        outcome
    }

    pub fn observe(&mut self, attempt: &Attempt, hearer: Hearer, choices: &mut Choices) -> Outcome {
        match &attempt.did {
            Did::One { key, operation, told } => {
                let units = self.units(*told, ESTIMATES[*operation]);
                let outcome = self.charge(spot(attempt, *key), *operation, [1, units], hearer, choices);
                self.tally_index(attempt, *operation, *told, choices);
                Outcome { result: 1, ..outcome }
            }
            Did::Scan(told, _) => {
                let units = self.units(*told, ESTIMATES[READ]);
                self.tally(table(attempt), READ, SCANS, 1, choices);
                if self.terms.capacity {
                    self.tally(table(attempt), READ, SCAN_UNITS, units, choices);
                }
                self.tally_index(attempt, READ, *told, choices);
                Outcome::default()
            }
            Did::Batch(puts, told) => self.observe_batch(attempt, puts, *told, hearer, choices),
            Did::Throttled { key, reason, by_index } => {
                let operation = if key.is_some() { WRITE } else { READ };
                let mut outcome = Outcome::default();
                match key {
                    _ if *by_index && *reason > 0 => {
                        self.tally(index(attempt), operation, THROTTLES, 1, choices);
                    }
                    Some(key) => {
                        let spot = spot(attempt, *key);
                        let (_, warned) = self.throttle(&spot, operation, *reason, hearer, choices);
                        outcome.tell(hearer, warned);
                    }
                    None => self.tally(table(attempt), operation, THROTTLES, 1, choices),
                }
                outcome
            }
            Did::Statements(all) => self.observe_statements(attempt, all, hearer, choices),
            Did::Unknown => {
                self.numbers.unknown_operations += 1;
                Outcome::default()
            }
        }
    }

    /// One add for each key; the table's units are shared in halves, what remains goes to the
    /// first.
    fn observe_batch(
        &mut self,
        attempt: &Attempt,
        puts: &[(usize, bool)],
        told: Told,
        hearer: Hearer,
        choices: &mut Choices,
    ) -> Outcome {
        let done: Vec<usize> = puts.iter().filter(|(_, back)| !back).map(|(key, _)| *key).collect();
        let n = done.len() as u64;
        let units = if n > 0 { self.units(told, n * ESTIMATES[WRITE]) } else { 0 };
        let mut keys: Vec<(usize, [u64; 2])> = Vec::new();
        for (nth, key) in done.iter().enumerate() {
            let share = units / n + if nth == 0 { units % n } else { 0 };
            match keys.iter_mut().find(|(of, _)| of == key) {
                Some((_, sums)) => *sums = [sums[0] + 1, sums[1] + share],
                None => keys.push((*key, [1, share])),
            }
        }
        let mut outcome = Outcome { result: n as i64, ..Outcome::default() };
        for (key, amounts) in keys {
            let charged = self.charge(spot(attempt, key), WRITE, amounts, hearer, choices);
            outcome.taken.extend(charged.taken);
            outcome.called_back.extend(charged.called_back);
        }
        if n > 0 {
            self.tally_index(attempt, WRITE, told, choices);
        }
        for _ in puts.iter().filter(|(_, back)| *back) {
            self.tally(table(attempt), WRITE, UNPROCESSED, 1, choices);
        }
        outcome
    }

    /// One read of each key that a statement names, all of one key at once; what can't be read
    /// costs nothing else.
    fn observe_statements(
        &mut self,
        attempt: &Attempt,
        all: &[Said],
        hearer: Hearer,
        choices: &mut Choices,
    ) -> Outcome {
        let mut keys: Vec<(usize, u64)> = Vec::new();
        for said in all {
            let Said::Either(one, other) = *said else { continue };
            let mut named = vec![one, other];
            named.sort_by_key(|key| KEYS[*key]);
            named.dedup();
            for key in named {
                match keys.iter_mut().find(|(of, _)| *of == key) {
                    Some((_, n)) => *n += 1,
                    None => keys.push((key, 1)),
                }
            }
        }
        let mut outcome = Outcome { result: keys.iter().map(|(_, n)| *n as i64).sum(), ..Outcome::default() };
        for (key, n) in keys {
            let units = self.units(Told::Nothing, n * ESTIMATES[READ]);
            let charged = self.charge(spot(attempt, key), READ, [n, units], hearer, choices);
            outcome.taken.extend(charged.taken);
            outcome.called_back.extend(charged.called_back);
        }
        for said in all {
            match said {
                Said::Either(..) => {}
                Said::Unreadable => self.tally(table(attempt), READ, UNREAD, 1, choices),
                Said::Nonsense => self.numbers.unread += 1,
            }
        }
        outcome
    }

    /// The partitions with the most demand.
    pub fn hottest(&self, operation: usize, n: usize) -> Vec<Hot> {
        let throttled = self.synthetic.keys().filter_map(|key| match key {
            SyntheticKey::Throttles(spot, KEY_RANGE) => Some(spot),
            _ => None,
        });
        let spots: BTreeSet<_> = self.partitions.keys().chain(throttled).collect();
        let hot = |spot: &Spot| {
            let count = self.partitions.count(spot, operation, self.clock);
            let key = SyntheticKey::Throttles(spot.clone(), KEY_RANGE);
            let throttles = self.synthetic.count(&key, operation, self.clock);
            let peak = self.partitions.peak(spot, operation, self.clock);
            let share = u128::from(peak) * 1_000 / u128::from(LIMITS[operation] * self.one());
            let permille = u32::try_from(share).unwrap_or(u32::MAX);
            Hot {
                spot: spot.clone(),
                operation,
                count,
                throttles,
                demand: count + throttles * self.one(),
                peak,
                permille: if throttles > 0 { permille.max(1_000) } else { permille },
            }
        };
        let mut all: Vec<_> = spots.into_iter().map(hot).filter(|hot| hot.demand > 0).collect();
        // Equals stay in the order of their names.
        all.sort_by_key(|hot| std::cmp::Reverse((hot.demand, hot.count)));
        all.truncate(n);
        all
    }

    /// The hottest partitions, as metrics list them.
    pub fn samples(&self, n: usize) -> Vec<[u64; 5]> {
        let hottest = [WRITE, READ].into_iter().flat_map(|operation| self.hottest(operation, n.min(100)));
        hottest.map(|hot| [hot.count, hot.demand, hot.throttles, hot.peak, hot.permille.into()]).collect()
    }
}
