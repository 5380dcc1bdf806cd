//! Terms and calls that proptest makes up and shrinks.

use crate::call::{Call, Entry, Flaw, LAST_MS, OPEN, SLOT_MOST, Scope, Spot, Terms, Text};
use hotpart::ffi::HPD_INTERVAL_WINDOW;
use proptest::prelude::*;
use proptest::sample::select;

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

fn single(window: u32) -> impl Strategy<Value = Call> {
    use Call::*;
    let scope = || select(vec![Scope::Table, Scope::Model]);
    prop_oneof![
        12 => (spot(), 0..2_usize).prop_map(|(spot, operation)| Record(spot, operation)),
        12 => (entry(), any::<bool>()).prop_map(|(entry, takes)| Full(entry, takes)),
        4 => (prop::collection::vec(entry(), 0..5), select(vec![0, 8, 40])).prop_map(|(all, gap)| Batch(all, gap)),
        3 => (0..OPEN, name()).prop_map(|(at, table)| Open(at, table)),
        1 => (0..OPEN).prop_map(Close),
        6 => (0..OPEN, pk(), 0..2_usize, any::<bool>()).prop_map(|(at, pk, op, z)| Prepared(at, pk, op, z)),
        8 => (spot(), 0..2_usize).prop_map(|(spot, operation)| Get(spot, operation)),
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

/// One partition, recorded at each beat: so that its past takes on all its forms.
fn beats() -> impl Strategy<Value = Vec<Call>> {
    let step = select(vec![500, 1000, 1000, 1000, 2001]);
    (spot(), 0..2_usize, 1..70_usize, step).prop_map(|(spot, operation, beats, step)| {
        let beat = [Call::Record(spot, operation), Call::Forward(step)];
        beat.iter().cycle().take(2 * beats).cloned().collect()
    })
}

/// A sequence of calls, by absolute times.
pub fn calls(window: u32) -> impl Strategy<Value = Vec<Call>> {
    let some = prop_oneof![30 => single(window).prop_map(|call| vec![call]), 1 => beats()];
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

/// The terms of a detector of this window: any interval, with and without a callback, low thresholds.
pub fn terms(window: u32) -> impl Strategy<Value = Terms> {
    let threshold = || prop_oneof![6 => 1..9_u64, 1 => select(vec![SLOT_MOST + 1, i64::MAX as u64])];
    let interval = prop_oneof![2 => Just(HPD_INTERVAL_WINDOW), 1 => Just(0), 2 => 1..2 * window + 3];
    ([threshold(), threshold()], interval, any::<bool>()).prop_map(
        move |(thresholds, interval, calls_back)| Terms {
            window,
            thresholds,
            interval,
            calls_back,
            max_partitions: 0,
        },
    )
}
