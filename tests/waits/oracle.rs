//! The oracle: what a detector must show of attempts on tables whose key gets known, or does not.
//! It keeps every part that was sent, where it is, and the second it is of.

use std::collections::{BTreeMap, HashMap, VecDeque};

pub const TABLES: usize = 12;
pub const KEYS: [&str; 2] = ["k", "l"];
pub const WINDOW: u32 = 5;

const PARTS_MAX: usize = 10_000;
const ASK_MS: u64 = 60_000;

/// The name of a table, by its place; in the order of places.
pub fn name(table: usize) -> String {
    format!("t{table:02}")
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was answered, and what came back unprocessed is said.
    Done,
    /// There was no answer.
    Lost,
    Throttled,
    Refused,
}

/// The write of one item. With `back` it came back unprocessed.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    pub table: usize,
    pub key: usize,
    pub back: bool,
}

/// The kind that a part is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum As {
    Write(usize),
    Throttle(usize),
    Unprocessed,
    Unread,
}

impl As {
    pub const ALL: [Self; 6] = [
        Self::Write(0),
        Self::Write(1),
        Self::Throttle(0),
        Self::Throttle(1),
        Self::Unprocessed,
        Self::Unread,
    ];
}

#[derive(Clone, Copy, Default)]
struct Table {
    known: bool,
    forgotten: bool,
    asked_ms: Option<u64>,
}

struct Attempt {
    second: u32,
    ended: Ended,
    parts: Vec<Part>,
}

/// The parts that were ever sent, by what has become of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    pub sent: u64,
    pub recorded: u64,
    pub unread: u64,
    pub cleared: u64,
}

#[derive(Default)]
pub struct Oracle {
    now_ms: u64,
    tables: [Table; TABLES],
    waiting: VecDeque<Attempt>,
    /// The amounts that are counted of a table, by their seconds.
    counted: HashMap<(usize, As), BTreeMap<u32, u64>>,
    pub sums: Sums,
}

impl Oracle {
    fn second(&self) -> u32 {
        (self.now_ms / 1_000) as u32
    }

    pub fn waiting(&self) -> usize {
        self.waiting.iter().map(|attempt| attempt.parts.len()).sum()
    }

    /// The count that is shown of a table: the sum of the window's seconds, and of the one that is
    /// going.
    pub fn count(&self, table: usize, what: As) -> u64 {
        let since = self.second().saturating_sub(WINDOW);
        self.counted.get(&(table, what)).map_or(0, |seconds| seconds.range(since..).map(|(_, n)| n).sum())
    }

    /// Counts one. A partition's newest second never runs back.
    fn add(&mut self, table: usize, what: As, second: u32) {
        let seconds = self.counted.entry((table, what)).or_default();
        let newest = seconds.last_key_value().map_or(0, |(&newest, _)| newest);
        *seconds.entry(second.max(newest)).or_default() += 1;
    }

    fn read(&mut self, part: Part, ended: Ended, second: u32) {
        let what = match ended {
            Ended::Done if part.back => As::Unprocessed,
            Ended::Throttled => As::Throttle(part.key),
            _ => As::Write(part.key),
        };
        self.add(part.table, what, second);
        self.sums.recorded += 1;
    }

    fn leave_unread(&mut self, part: Part) {
        self.add(part.table, As::Unread, self.second());
        self.sums.unread += 1;
    }

    /// Observes an attempt. Returns its actions, or the tables that are asked for.
    pub fn observe(&mut self, parts: &[Part], ended: Ended) -> Result<u64, Vec<String>> {
        if ended == Ended::Refused {
            return Ok(0);
        }
        self.sums.sent += parts.len() as u64;
        let second = self.second();
        let (mut actions, mut waits) = (0, Vec::new());
        for &part in parts {
            let table = self.tables[part.table];
            if table.known {
                self.read(part, ended, second);
            } else if table.forgotten {
                self.leave_unread(part);
                continue;
            } else {
                waits.push(part);
            }
            actions += u64::from(ended != Ended::Throttled && !(ended == Ended::Done && part.back));
        }
        if waits.is_empty() {
            return Ok(actions);
        }
        while self.waiting() + waits.len() > PARTS_MAX {
            let oldest = self.waiting.pop_front().unwrap();
            oldest.parts.into_iter().for_each(|part| self.leave_unread(part));
        }
        let mut asks: Vec<_> = waits.iter().map(|part| part.table).collect();
        asks.sort_unstable();
        asks.dedup();
        self.waiting.push_back(Attempt { second, ended, parts: waits });
        let now_ms = self.now_ms;
        asks.retain(|&table| {
            let asked = &mut self.tables[table].asked_ms;
            let asks = asked.is_none_or(|before| now_ms - before >= ASK_MS);
            if asks {
                *asked = Some(now_ms);
            }
            asks
        });
        if asks.is_empty() { Ok(actions) } else { Err(asks.into_iter().map(name).collect()) }
    }

    /// Observes a delete by a key of one attribute, which is the table's. Others know so too if it
    /// was accepted.
    pub fn observe_key(&mut self, part: Part, accepted: bool) -> Result<u64, Vec<String>> {
        if accepted {
            self.know(part.table);
        }
        self.sums.sent += 1;
        self.read(part, Ended::Done, self.second());
        Ok(1)
    }

    /// Takes the parts of one table from what waits.
    fn take(&mut self, table: usize) -> Vec<(u32, Ended, Part)> {
        let mut taken = Vec::new();
        for Attempt { second, ended, parts } in &mut self.waiting {
            let of_it = parts.extract_if(.., |part| part.table == table);
            taken.extend(of_it.map(|part| (*second, *ended, part)));
        }
        self.waiting.retain(|attempt| !attempt.parts.is_empty());
        taken
    }

    /// The key gets known. What has waited for longer than a window is unread.
    pub fn know(&mut self, table: usize) {
        self.tables[table] = Table { known: true, ..Table::default() };
        for (second, ended, part) in self.take(table) {
            if second + WINDOW < self.second() {
                self.leave_unread(part);
            } else {
                self.read(part, ended, second);
            }
        }
    }

    pub fn forget(&mut self, table: usize) {
        self.tables[table].forgotten = true;
        self.take(table).into_iter().for_each(|(.., part)| self.leave_unread(part));
    }

    pub fn clear(&mut self) {
        self.sums.cleared += self.waiting() as u64;
        self.waiting.clear();
        self.counted.clear();
        self.tables.iter_mut().for_each(|table| table.asked_ms = None);
    }

    pub fn pass(&mut self, ms: u64) -> u64 {
        self.now_ms += ms;
        self.now_ms
    }
}
