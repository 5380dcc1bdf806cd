//! Calls that an input's bytes stand for.

use crate::call::*;
use crate::exchange::{Attempt, Did, KEYS, NUMBERS, Said, TABLES, Told};
use crate::input::Input;
use hotpart::ffi::HPD_INTERVAL_WINDOW;

/// How many reasons of throttles there are, and kinds of tallies.
const REASONS: usize = 5;
const KINDS: usize = 6;

fn terms(input: &mut Input) -> Terms {
    let window = input.one(&[1, 2, 5, 10, 60, 3600]);
    Terms {
        window,
        thresholds: [(); 2].map(|()| input.number().clamp(1, i64::MAX as u64)),
        interval: if input.flag() { HPD_INTERVAL_WINDOW } else { input.number() as u32 % (3 * window) },
        calls_back: input.flag(),
        max_partitions: input.one(&[0, 0, 0, 0, 1, 2, 3, 5]),
        capacity: input.flag(),
        warns_of_throttles: input.flag(),
    }
}

/// Calls from the bytes of an input.
pub struct Calls<'a> {
    pub input: Input<'a>,
    terms: Terms,
    now_ms: u64,
}

impl<'a> Calls<'a> {
    pub fn new(mut input: Input<'a>) -> Self {
        let terms = terms(&mut input);
        Self { input, terms, now_ms: 0 }
    }

    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Tables and models have the same names, since they must not be mixed up.
    fn name(&mut self) -> Text {
        let long = |n| vec![b'n'; n];
        let names =
            [b"a:b".to_vec(), b"a".to_vec(), b"T".to_vec(), b"T/index/I".to_vec(), b"\xFF\0".to_vec()];
        match self.input.byte() {
            255 => Text(long(1_025)),
            254 => Text(long(1_024)),
            253 => Text(vec![]),
            n => Text(names[n as usize % names.len()].clone()),
        }
    }

    fn pk(&mut self) -> Text {
        Text(match self.input.byte() {
            255 => vec![b'k'; 16_385],
            254 => vec![b'k'; 16_384],
            // Many keys, so that the table grows.
            n @ 128.. => vec![n, self.input.byte()],
            n => [&b"c"[..], b"b:c", b"", b"\0", b"\0\0", b"\xFF\xFE"][n as usize % 6].to_vec(),
        })
    }

    fn spot(&mut self) -> Spot {
        Spot { table: self.name(), pk: self.pk() }
    }

    fn entry(&mut self) -> Entry {
        let (spot, operation) = (self.spot(), self.input.below(2));
        let model = self.input.flag().then(|| self.name());
        Entry { spot, operation, model, amount: self.input.number() }
    }

    fn threshold(&mut self) -> i64 {
        match self.input.byte() {
            n @ 0..128 => i64::from(n) - 2,
            _ => self.input.number() as i64,
        }
    }

    fn time(&mut self) -> u64 {
        let window_ms = u64::from(self.terms.window) * 1000;
        let n = self.input.number();
        let to = match self.input.below(8) {
            0..3 => self.now_ms.saturating_add(n),
            3..5 => self.now_ms.saturating_add(n.saturating_mul(1000)),
            5 => self.now_ms.saturating_add(n % 4 * window_ms).saturating_sub(1001).saturating_add(n % 3_000),
            6 => self.now_ms.saturating_sub(n),
            _ => n,
        };
        if to <= LAST_MS {
            self.now_ms = self.now_ms.max(to);
        }
        to
    }

    fn flaw(&mut self) -> Flaw {
        use Flaw::*;
        self.input.one(&[
            NullDetector,
            NullText,
            NullOut,
            NullRecords,
            UnknownOperation,
            Reserved,
            ShortRecord,
            ShortWarning,
            UnknownTail,
        ])
    }

    fn hearer(&mut self) -> Hearer {
        self.input.one(&[Hearer::Callback, Hearer::Caller, Hearer::Thread])
    }

    fn form(&mut self) -> Form {
        self.input.one(&[Form::WithLength, Form::UntilNul, Form::Due])
    }

    fn told(&mut self) -> Told {
        let how = self.input.below(8);
        let mut number = || self.input.below(2 * NUMBERS.len()).saturating_sub(NUMBERS.len());
        match how {
            0 => Told::Nothing,
            1 => Told::Name,
            2..5 => Told::Total(number()),
            _ => Told::Apart(number(), number()),
        }
    }

    fn attempt(&mut self) -> Attempt {
        let (table, key) = (self.input.below(TABLES.len()), self.input.below(KEYS.len()));
        let did = match self.input.below(11) {
            0..3 => Did::One { key, operation: self.input.below(2), told: self.told() },
            3..6 => Did::Scan(self.told(), self.input.flag()),
            6 | 7 => {
                let n = 1 + self.input.below(4);
                let put = |input: &mut Input| (input.below(KEYS.len()), input.below(4) == 0);
                Did::Batch((0..n).map(|_| put(&mut self.input)).collect(), self.told())
            }
            8 => Did::Throttled {
                key: self.input.flag().then_some(key),
                reason: self.input.below(REASONS),
                by_index: self.input.flag(),
            },
            9 => {
                let n = 1 + self.input.below(4);
                let said = |input: &mut Input| match input.below(4) {
                    0 => Said::Nonsense,
                    1 => Said::Unreadable,
                    _ => Said::Either(input.below(KEYS.len()), input.below(KEYS.len())),
                };
                Did::Statements((0..n).map(|_| said(&mut self.input)).collect())
            }
            _ => Did::Unknown,
        };
        Attempt { table, did }
    }

    /// A name that tallies are of, mostly.
    fn resource(&mut self) -> Text {
        let resources: [&[u8]; 4] = [b"T", b"a", b"T/index/G", b"a/index/G"];
        if self.input.below(8) == 0 { self.name() } else { Text(self.input.one(&resources).to_vec()) }
    }

    fn look(&mut self) -> Call {
        match self.input.below(8) {
            0 | 1 => Call::Get(self.spot(), self.input.below(2)),
            2 => Call::Throttles(self.spot(), self.input.below(2), self.input.below(REASONS)),
            3 | 4 => Call::Unattributed(self.resource(), self.input.below(2), self.input.below(KINDS)),
            5 => Call::Hottest(self.input.below(2), self.input.number() as usize),
            6 => Call::Statistics,
            _ => Call::Metrics(self.input.number() as usize),
        }
    }

    fn batch(&mut self) -> Call {
        // At the bound each may replace any other: few, as all combinations are tried.
        let n = self.input.below(if self.terms.max_partitions == 0 { 6 } else { 4 });
        Call::Batch((0..n).map(|_| self.entry()).collect(), self.input.one(&[0, 8, 40]))
    }

    pub fn next(&mut self) -> Call {
        match self.input.below(32) {
            0..6 => Call::Record(self.spot(), self.input.below(2)),
            6..10 => Call::Full(self.entry(), self.hearer()),
            10 => self.batch(),
            11 => Call::Open(self.input.below(OPEN), self.name()),
            12 => Call::Close(self.input.below(OPEN)),
            13..15 => {
                let (at, pk) = (self.input.below(OPEN), self.pk());
                Call::Prepared(at, pk, self.input.below(2), self.form())
            }
            15 | 21 => self.look(),
            16 => Call::Set(self.scope(), self.name(), [self.threshold(), self.threshold()]),
            17 => Call::Thresholds(self.scope(), self.name()),
            18 => Call::OwnThresholds,
            19 if self.input.below(8) == 0 => Call::Clear,
            20 => Call::Flawed(self.flaw()),
            24..28 => Call::Observe(self.attempt(), self.hearer()),
            28 | 29 => {
                let (spot, operation) = (self.spot(), self.input.below(2));
                Call::Throttle(spot, operation, self.input.below(REASONS), self.hearer())
            }
            _ => Call::SetTime(self.time()),
        }
    }

    fn scope(&mut self) -> Scope {
        self.input.one(&[Scope::Table, Scope::Model])
    }
}
