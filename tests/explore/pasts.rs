//! Scenarios of calls on a partition that has a past.

use crate::scenario::*;

/// A sum that a head does not keep.
const HEAVY: u64 = 1 << 29;

/// The subject's past when the call begins.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    window: u32,
    /// In how many seconds, one after another, up to the one before the call's.
    seen: u32,
    /// Reads, too.
    both: bool,
    /// An additional amount of the oldest second in the window.
    burst: u64,
}

const fn shape(name: &'static str, window: u32, seen: u32) -> Shape {
    Shape { name, window, seen, both: false, burst: BURST }
}

/// Windows of 2 to 60; histories with room, or with slots that are taken again; others that are
/// full, so that the turn of the call makes them grow, to a larger one or to a wheel; wheels; and a
/// partition that is heavy.
const SHAPES: &[Shape] = &[
    shape("window 2, a wheel", 2, 2),
    Shape { both: true, ..shape("window 2, wheels", 2, 4) },
    shape("window 3, a new wheel", 3, 3),
    shape("window 3, a wheel", 3, 6),
    shape("window 5, a history", 5, 8),
    shape("window 10, a history", 10, 3),
    shape("window 10, 7 slots full", 10, 7),
    shape("window 10, a wheel", 10, 9),
    Shape { both: true, ..shape("window 10, reads too", 10, 4) },
    shape("window 60, a history", 60, 3),
    shape("window 60, 7 slots full", 60, 7),
    shape("window 60, 15 slots full", 60, 15),
    shape("window 60, 31 slots full", 60, 31),
    shape("window 60, a wheel", 60, 40),
    Shape { burst: HEAVY, ..shape("window 3, heavy", 3, 3) },
];

impl Shape {
    /// All that is recorded before the call, up to its second. So many neighbours are idle from the
    /// next one on.
    fn before(self, neighbours: u32) -> Vec<Step> {
        let now = self.seen.max(self.window) + 1;
        let mut steps = Vec::new();
        for second in 0..now {
            if second == now - self.window {
                steps.push(Step::Record(SUBJECT, Kind::Write, self.burst));
                steps.extend((10..10 + neighbours).map(|key| Step::Record(key, Kind::Write, 1)));
            }
            if second >= now - self.seen {
                steps.push(write());
                if self.both {
                    steps.push(Step::Record(SUBJECT, Kind::Read, 1));
                }
            }
            steps.push(seconds(1));
        }
        steps
    }

    /// Whether this meets such others.
    fn meets(self, others: &str) -> bool {
        let few = || MET_BY_FEW.contains(&self.name);
        others == HURTS || MET_BY_ALL.contains(&self.name) || MET_BY_MOST.contains(&others) && !few()
    }

    fn rules(self) -> Rules {
        Rules::window(self.window)
    }
}

/// A call, by what it finds.
struct Caller {
    name: &'static str,
    call: Call,
    /// The subject has been written to in the call's second already.
    same_second: bool,
}

fn callers() -> Vec<Caller> {
    vec![
        Caller { name: "turn", call: Call::Write(SUBJECT), same_second: false },
        Caller { name: "add", call: Call::Write(SUBJECT), same_second: true },
        Caller { name: "get", call: Call::WriteCount(SUBJECT), same_second: false },
        Caller { name: "get of this second", call: Call::WriteCount(SUBJECT), same_second: true },
    ]
}

/// Where idle neighbours are needed.
const RECLAIM: &str = "reclaim of neighbours, 2 turns";

/// An act of another thread that may hurt a call on the subject.
fn others(window: u32) -> Vec<(&'static str, Vec<Step>)> {
    let burst = || vec![Step::Record(SUBJECT, Kind::Write, BURST / 2)];
    let gone = |seconds: u32| vec![Step::Wait(u64::from(seconds) * 1_000)];
    vec![
        ("split", split()),
        ("split, a turn", then([split(), turns(1)])),
        (HURTS, then([split(), turns(2)])),
        ("split, 3 turns", then([split(), turns(3)])),
        // The walk takes its next step within half a window.
        (RECLAIM, then([vec![seconds(window / 2 + 1), Step::Record(OTHER, Kind::Write, 1)], turns(2)])),
        ("2 turns", turns(2)),
        ("2 turns, split", then([turns(2), split()])),
        ("a burst", then([burst(), turns(1), burst()])),
        ("split, a burst, a turn", then([split(), burst(), turns(1), burst()])),
        ("split, a window gone by", then([split(), gone(window + 1), vec![write()]])),
        ("2 windows gone by", then([gone(2 * window + 2), vec![write()], turns(1)])),
        ("clear", vec![Step::Get(SUBJECT, Kind::Write), Step::Clear]),
        ("clear, 2 turns", then([vec![Step::Clear, write()], turns(2)])),
    ]
}

/// The number of places that these and the rest meet, at the least.
const MET_BY_MOST: [&str; 5] = [HURTS, RECLAIM, "a burst", "clear", "split, a window gone by"];

/// The act that hurt most.
const HURTS: &str = "split, 2 turns";

/// The shapes that meet only that: others like them meet more.
const MET_BY_FEW: [&str; 6] = [
    "window 3, a new wheel",
    "window 10, a history",
    "window 10, reads too",
    "window 60, a history",
    "window 60, 7 slots full",
    "window 60, 31 slots full",
];

/// The shapes that meet all that others do.
const MET_BY_ALL: [&str; 5] = [
    "window 3, a wheel",
    "window 5, a history",
    "window 10, 7 slots full",
    "window 10, a wheel",
    "window 60, 15 slots full",
];

/// Calls on a partition that has a past.
pub fn pasts() -> Vec<Scenario> {
    let mut all = Vec::new();
    for &shape in SHAPES {
        for (name, others) in others(shape.window) {
            if !shape.meets(name) {
                continue;
            }
            for caller in callers() {
                let mut before = shape.before(if name.starts_with(RECLAIM) { 4 } else { 0 });
                if caller.same_second {
                    before.push(write());
                }
                let name = format!("{}, {} / {name}", shape.name, caller.name);
                all.push(Scenario::new(name, shape.rules(), before, caller.call, others.clone()));
            }
        }
    }
    all
}

/// Other calls than a write and a get, on partitions that have a past.
pub fn faces() -> Vec<Scenario> {
    let shape = SHAPES[3];
    let batch = vec![(SUBJECT, Kind::Write, 1), (OTHER, Kind::Write, 2), (2, Kind::Read, 1)];
    let throttles = |steps: Vec<Step>| {
        steps.into_iter().map(|step| match step {
            Step::Record(key, _, _) => Step::Record(key, Kind::Throttle, 1),
            step => step,
        })
    };
    let others = || then([split(), turns(2)]);
    let first_call = |scenario| Scenario { first_call: true, ..scenario };
    let with = |steps: Vec<Step>| then([shape.before(0), steps]);
    let new = |name: &str, before, call, others| {
        Scenario::new(format!("{}, {name}", shape.name), shape.rules(), before, call, others)
    };
    vec![
        new("handle / split, 2 turns", with(vec![]), Call::Handle(SUBJECT), others()),
        new("handle, an add / split, 2 turns", with(vec![write()]), Call::Handle(SUBJECT), others()),
        new("batch / split, 2 turns", with(vec![]), Call::Batch(batch.clone()), others()),
        new("batch / clear", with(vec![]), Call::Batch(batch.clone()), vec![Step::Clear]),
        new("batch / 2 turns", with(vec![write()]), Call::Batch(batch), turns(2)),
        new("first read / split, 2 turns", with(vec![]), Call::Read(SUBJECT), others()),
        new("hottest / split, 2 turns", with(vec![]), Call::Hottest, others()),
        new("hottest / 3 turns", with(vec![write()]), Call::Hottest, turns(3)),
        new(
            "throttle / split, 2 turns of throttles",
            throttles(shape.before(0)).collect(),
            Call::Throttle(SUBJECT),
            throttles(others()).collect(),
        ),
        first_call(new(
            "a thread's first call, turn / split, 2 turns",
            with(vec![]),
            Call::Write(SUBJECT),
            others(),
        )),
        first_call(new(
            "a thread's first call, add / clear",
            with(vec![write()]),
            Call::Write(SUBJECT),
            vec![Step::Clear],
        )),
        first_call(new(
            "a thread's first call, get / 2 turns",
            with(vec![]),
            Call::WriteCount(SUBJECT),
            turns(2),
        )),
        new("first throttle / split", with(vec![]), Call::Throttle(SUBJECT), split()),
    ]
}
