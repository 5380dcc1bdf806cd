//! Sequences of calls under the manual clock: the C ABI must show exactly what the oracle of tests/properties works out from a list
//! of timestamps, which checks the contract's bounds as it does; and a snapshot of the hottest must agree with both.
#![no_main]

#[path = "../../tests/properties/c_face.rs"]
mod c_face;
#[allow(dead_code)] // Times are absolute here.
#[path = "../../tests/properties/call.rs"]
mod call;
mod input;
#[path = "../../tests/properties/oracle.rs"]
mod oracle;

use c_face::CFace;
use call::*;
use hotpart::ffi::*;
use input::Input;
use libfuzzer_sys::fuzz_target;
use oracle::Oracle;
use std::collections::HashSet;

/// Calls at most: the oracle adds up all records at each.
const CALLS: usize = 300;

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let terms = terms(&mut input);
    let (mut oracle, mut c) = (Oracle::new(&terms), CFace::new(&terms));
    let mut calls = Calls { input, window: terms.window, now_ms: 0 };
    let mut spots = HashSet::new();
    for _ in 0..CALLS {
        if calls.input.is_over() {
            break;
        }
        let call = calls.next();
        match &call {
            Call::Record(spot, _) => _ = spots.insert(spot.clone()),
            Call::Full(entry, _) => _ = spots.insert(entry.spot.clone()),
            Call::Batch(entries, _) => spots.extend(entries.iter().map(|entry| entry.spot.clone())),
            _ => {}
        }
        assert_eq!(c.call(&call), oracle.call(&call), "{call:?}");
    }
    (0..2).for_each(|operation| agrees(&c, &mut oracle, &spots, operation));
});

fn terms(input: &mut Input) -> Terms {
    let window = input.one(&[1, 2, 5, 10, 60, 3600]);
    Terms {
        window,
        thresholds: [(); 2].map(|()| input.number().clamp(1, i64::MAX as u64)),
        interval: if input.flag() { HPD_INTERVAL_WINDOW } else { input.number() as u32 % (3 * window) },
        calls_back: input.flag(),
        max_partitions: 0,
    }
}

struct Calls<'a> {
    input: Input<'a>,
    window: u32,
    now_ms: u64,
}

impl Calls<'_> {
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
        let window_ms = u64::from(self.window) * 1000;
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

    fn next(&mut self) -> Call {
        match self.input.below(24) {
            0..6 => Call::Record(self.spot(), self.input.below(2)),
            6..10 => Call::Full(self.entry(), self.input.flag()),
            10 => {
                let n = self.input.below(6);
                Call::Batch((0..n).map(|_| self.entry()).collect(), self.input.one(&[0, 8, 40]))
            }
            11 => Call::Open(self.input.below(OPEN), self.name()),
            12 => Call::Close(self.input.below(OPEN)),
            13..15 => {
                let (at, pk) = (self.input.below(OPEN), self.pk());
                Call::Prepared(at, pk, self.input.below(2), self.input.flag())
            }
            15 => Call::Get(self.spot(), self.input.below(2)),
            16 => Call::Set(self.scope(), self.name(), [self.threshold(), self.threshold()]),
            17 => Call::Thresholds(self.scope(), self.name()),
            18 => Call::OwnThresholds,
            19 if self.input.below(8) == 0 => Call::Clear,
            20 => Call::Flawed(self.flaw()),
            _ => Call::SetTime(self.time()),
        }
    }

    fn scope(&mut self) -> Scope {
        self.input.one(&[Scope::Table, Scope::Model])
    }
}

/// Whether a snapshot has every partition that the oracle has a count of, once, with that count, the highest first.
fn agrees(c: &CFace, oracle: &mut Oracle, spots: &HashSet<Spot>, operation: usize) {
    let mut hottest = std::ptr::null_mut();
    let mut seen = Vec::new();
    // SAFETY: the detector lives; the snapshot is read before it is freed.
    unsafe {
        let code = [HPD_WRITE, HPD_READ][operation];
        assert_eq!(hpd_hottest_take(c.detector, code, usize::MAX, &mut hottest), HPD_OK);
        for i in 0..hpd_hottest_len(hottest) as usize {
            let mut hot: hpd_hot_partition = std::mem::zeroed();
            hot.struct_size = size_of::<hpd_hot_partition>();
            assert_eq!(hpd_hottest_get(hottest, i, &mut hot), HPD_OK);
            let text =
                |text: *const _, len| Text(std::slice::from_raw_parts(text as *const u8, len).to_vec());
            let spot = Spot { table: text(hot.table, hot.table_len), pk: text(hot.pk, hot.pk_len) };
            seen.push((spot, hot.count));
        }
        hpd_hottest_free(hottest);
    }
    assert!(seen.is_sorted_by(|(_, more), (_, less)| more >= less));
    let distinct: HashSet<_> = seen.iter().map(|(spot, _)| spot).collect();
    assert_eq!(distinct.len(), seen.len());
    let mut count = |spot: &Spot| oracle.call(&Call::Get(spot.clone(), operation)).result;
    for (spot, hot) in &seen {
        assert_eq!(count(spot), *hot as i64, "{spot:?}");
    }
    for spot in spots.iter().filter(|spot| !distinct.contains(spot)) {
        assert!(count(spot) <= 0, "{spot:?}");
    }
}
