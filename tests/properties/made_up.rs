//! Terms and calls that proptest makes up and shrinks.

use crate::call::*;
use crate::exchange::{Attempt, Did, KEYS, NUMBERS, Said, TABLES, Told};
use hotpart::ffi::HPD_INTERVAL_WINDOW;
use proptest::prelude::*;
use proptest::sample::select;

/// How many reasons of throttles there are, and kinds of tallies.
const REASONS: usize = 5;
const KINDS: usize = 6;

fn text(bytes: &[u8]) -> Text {
    Text(bytes.to_vec())
}

/// Names of tables and of models: the same, since they must not be mixed up.
fn name() -> impl Strategy<Value = Text> {
    let names: [&[u8]; 5] = [b"a:b", b"a", b"T", b"T/index/I", b"\xff\0"];
    let edges = [0, 1_024, 1_025].map(|len| Text(vec![b'n'; len]));
    prop_oneof![20 => select(names.map(text).to_vec()), 1 => select(edges.to_vec())]
}

fn pk() -> impl Strategy<Value = Text> {
    let keys: [&[u8]; 7] = [b"c", b"b:c", b"", b"\0", b"\0\0", b"\xff\xfe", b"k"];
    let edges = [16_384, 16_385].map(|len| Text(vec![b'k'; len]));
    prop_oneof![40 => select(keys.map(text).to_vec()), 1 => select(edges.to_vec())]
}

/// Few of them, so that they get hot.
fn spot() -> impl Strategy<Value = Spot> {
    let favourites: [(&[u8], &[u8]); 3] = [(b"a:b", b"c"), (b"a", b"b:c"), (b"T", b"")];
    let favourites = favourites.map(|(table, pk)| Spot { table: text(table), pk: text(pk) });
    prop_oneof![4 => select(favourites.to_vec()), 1 => (name(), pk()).prop_map(|(table, pk)| Spot { table, pk })]
}

fn amount() -> impl Strategy<Value = u64> {
    let edges =
        [128, 129, 1 << 29, SLOT_MOST - 1, SLOT_MOST, 1 << 30, 1 << 31, u32::MAX.into(), 1 << 32, u64::MAX];
    prop_oneof![10 => Just(1), 4 => 0..6_u64, 1 => select(edges.to_vec())]
}

fn entry() -> impl Strategy<Value = Entry> {
    let model = prop_oneof![2 => Just(None), 1 => name().prop_map(Some)];
    (spot(), 0..2_usize, model, amount()).prop_map(|(spot, operation, model, amount)| Entry {
        spot,
        operation,
        model,
        amount,
    })
}

fn threshold() -> impl Strategy<Value = i64> {
    let edges = [SLOT_MOST as i64, 1 << 31, 1 << 33, i64::MAX, 0, -2, i64::MIN];
    prop_oneof![8 => 1..9_i64, 4 => Just(-1), 1 => select(edges.to_vec())]
}

/// Steps that stay in a second, reach the next ones, or end near the edge of a window.
fn forward(window: u32) -> impl Strategy<Value = u64> {
    let edge = (1..4_u64, 0..3_003_u64)
        .prop_map(move |(n, ms)| (n * u64::from(window) * 1000 + ms).saturating_sub(1_001));
    prop_oneof![4 => 0..1000_u64, 4 => (1..4_u64).prop_map(|s| s * 1000), 3 => edge, 1 => 0..1_u64 << 33]
}

fn set_time() -> impl Strategy<Value = u64> {
    select(vec![LAST_MS - 61_000, LAST_MS - 1, LAST_MS, LAST_MS + 1, u64::MAX])
}

fn flaw() -> impl Strategy<Value = Flaw> {
    use Flaw::*;
    let all =
        [NullDetector, NullText, NullOut, NullRecords, UnknownOperation, Reserved, ShortRecord, ShortWarning];
    select([&all[..], &[UnknownTail]].concat())
}

fn hearer() -> impl Strategy<Value = Hearer> {
    select(vec![Hearer::Callback, Hearer::Callback, Hearer::Caller, Hearer::Thread])
}

fn form() -> impl Strategy<Value = Form> {
    select(vec![Form::WithLength, Form::UntilNul, Form::Due])
}

/// Numbers that answers tell: 0 often.
fn told() -> impl Strategy<Value = Told> {
    let number: Vec<_> = (0..NUMBERS.len()).chain([0; 6]).collect();
    (0..9_u8, select(number.clone()), select(number)).prop_map(|(how, table, index)| match how {
        0 => Told::Nothing,
        1 => Told::Name,
        2..5 => Told::Total(table),
        _ => Told::Apart(table, index),
    })
}

// From one tuple of numbers: alternatives within alternatives take most of a run's time.
fn did() -> impl Strategy<Value = Did> {
    let numbers = (0..22_u8, 0..KEYS.len(), 0..2_usize, 0..REASONS, 1..5_usize, any::<u32>());
    (numbers, told()).prop_map(|((how, key, operation, reason, n, bits), told)| match how {
        0..6 => Did::One { key, operation, told },
        6..12 => Did::Scan(told, operation == 1),
        12..15 => {
            let put = |i: usize| (bits as usize >> (2 * i)) % KEYS.len();
            let comes_back = |i: usize| bits >> (16 + 2 * i) & 3 == 0;
            Did::Batch((0..n).map(|i| (put(i), comes_back(i))).collect(), told)
        }
        15..18 => Did::Throttled { key: (n < 4).then_some(key), reason, by_index: operation == 1 },
        18..21 => {
            let said = |i: usize| match bits as usize >> (5 * i) {
                part if part & 1 == 0 => Said::Either(part / 2 % KEYS.len(), part / 8 % KEYS.len()),
                part if part & 2 == 0 => Said::Unreadable,
                _ => Said::Nonsense,
            };
            Did::Statements((0..n).map(said).collect())
        }
        _ => Did::Unknown,
    })
}

fn attempt() -> impl Strategy<Value = Attempt> {
    (0..TABLES.len(), did()).prop_map(|(table, did)| Attempt { table, did })
}

fn single(window: u32) -> impl Strategy<Value = Call> {
    use Call::*;
    let scope = || select(vec![Scope::Table, Scope::Model]);
    prop_oneof![
        12 => (spot(), 0..2_usize).prop_map(|(spot, operation)| Record(spot, operation)),
        12 => (entry(), hearer()).prop_map(|(entry, hearer)| Full(entry, hearer)),
        4 => (prop::collection::vec(entry(), 0..5), select(vec![0, 8, 40])).prop_map(|(all, gap)| Batch(all, gap)),
        3 => (0..OPEN, name()).prop_map(|(at, table)| Open(at, table)),
        1 => (0..OPEN).prop_map(Close),
        6 => (0..OPEN, pk(), 0..2_usize, form()).prop_map(|(at, pk, op, form)| Prepared(at, pk, op, form)),
        16 => looked_at(),
        10 => (attempt(), hearer()).prop_map(|(attempt, hearer)| Observe(attempt, hearer)),
        6 => (spot(), 0..2_usize, 0..REASONS, hearer())
            .prop_map(|(spot, operation, reason, hearer)| Throttle(spot, operation, reason, hearer)),
        4 => (scope(), name(), [threshold(), threshold()]).prop_map(|(scope, name, both)| Set(scope, name, both)),
        2 => (scope(), name()).prop_map(|(scope, name)| Thresholds(scope, name)),
        1 => Just(OwnThresholds),
        1 => Just(Clear),
        12 => forward(window).prop_map(Forward),
        1 => (0..200_000_u64).prop_map(Backward),
        1 => prop_oneof![9 => Just(LAST_MS + 1), 1 => set_time()].prop_map(SetTime),
        2 => flaw().prop_map(Flawed),
    ]
}

/// Calls that change nothing.
fn looked_at() -> impl Strategy<Value = Call> {
    let resources: [&[u8]; 6] = [b"T", b"a", b"T/index/G", b"a/index/G", b"a:b", b""];
    let some = select(vec![0, 1, 2, 3, usize::MAX]);
    let place = 0..REASONS.max(KINDS);
    let all = (0..21_u8, spot(), select(resources.map(text).to_vec()), 0..2_usize, place, some);
    all.prop_map(|(what, spot, table, operation, place, n)| match what {
        0..6 => Call::Get(spot, operation),
        6..9 => Call::Throttles(spot, operation, place % REASONS),
        9..15 => Call::Unattributed(table, operation, place),
        15..18 => Call::Hottest(operation, n),
        18..20 => Call::Statistics,
        _ => Call::Metrics(n),
    })
}

/// One partition, recorded at each beat: so that its past takes on all its forms.
fn beats() -> impl Strategy<Value = Vec<Call>> {
    let step = select(vec![500, 1000, 1000, 1000, 2001]);
    (spot(), 0..2_usize, 1..70_usize, step).prop_map(|(spot, operation, beats, step)| {
        let beat = [Call::Record(spot, operation), Call::Forward(step)];
        beat.iter().cycle().take(2 * beats).cloned().collect()
    })
}

/// One tally after the other, of this and that and often of 0, with lulls up to the length of a
/// window: so that seconds leave a history one by one, and their entries are taken again.
fn tallies(window: u32) -> impl Strategy<Value = Vec<Call>> {
    use Call::{Forward, Observe, Unattributed};
    let steps = [1, 1, 1, 2, window.div_ceil(4), window.div_ceil(2), window - 1, window, window + 1];
    let beat = (told(), select(steps.to_vec()));
    (0..TABLES.len(), 0..3_usize, prop::collection::vec(beat, 3..20)).prop_map(|(table, how, beats)| {
        let resource =
            [text(TABLES[table].as_bytes()), text(&[TABLES[table].as_bytes(), b"/index/G"].concat())];
        let did = |told| match how {
            0 => Did::Scan(told, false),
            operation => Did::One { key: 0, operation: operation - 1, told },
        };
        let looks = (0..4).map(|i| Unattributed(resource[i / 2].clone(), i % 2, [1, 3][i / 2]));
        let looks: Vec<_> = looks.collect();
        let beat = |(told, seconds)| {
            let call = Observe(Attempt { table, did: did(told) }, Hearer::Callback);
            [call, Forward(u64::from(seconds) * 1000)].into_iter().chain(looks.clone())
        };
        beats.into_iter().flat_map(beat).collect()
    })
}

/// A sequence of calls, by absolute times.
pub fn calls(window: u32) -> impl Strategy<Value = Vec<Call>> {
    let some =
        prop_oneof![30 => single(window).prop_map(|call| vec![call]), 1 => beats(), 3 => tallies(window)];
    prop::collection::vec(some, 1..80).prop_map(|some| {
        let mut now = 0_u64;
        let absolute = |call| match call {
            Call::Forward(ms) => {
                now = (now + ms).min(LAST_MS);
                Call::SetTime(now)
            }
            Call::Backward(ms) => Call::SetTime(now.saturating_sub(ms)),
            Call::SetTime(ms) => {
                now = if ms > LAST_MS { now } else { now.max(ms) };
                Call::SetTime(ms)
            }
            other => other,
        };
        some.into_iter().flatten().map(absolute).collect()
    })
}

/// The terms of a detector of this window: any interval, with and without a callback, low
/// thresholds, in either mode.
pub fn terms(window: u32) -> impl Strategy<Value = Terms> {
    let threshold = || prop_oneof![6 => 1..9_u64, 1 => select(vec![SLOT_MOST + 1, i64::MAX as u64])];
    let interval = prop_oneof![2 => Just(HPD_INTERVAL_WINDOW), 1 => Just(0), 2 => 1..2 * window + 3];
    ([threshold(), threshold()], interval, any::<[bool; 3]>()).prop_map(
        move |(thresholds, interval, [calls_back, capacity, warns_of_throttles])| Terms {
            window,
            thresholds,
            interval,
            calls_back,
            max_partitions: 0,
            capacity,
            warns_of_throttles,
        },
    )
}
