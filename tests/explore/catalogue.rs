//! The scenarios.

use crate::scenario::{
    Call, Kind, LONG, NEVER, OTHER, Rules, SUBJECT, Scenario, Step, seconds, split, turns, write,
};

/// Writes of the second that is about to leave the window: so many that no other sum looks like it.
const BURST: u64 = 1_000;
/// A sum that a head does not keep.
const HEAVY: u64 = 1 << 29;

/// What the subject has had when the call begins.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    window: u32,
    /// In how many seconds, one after another, up to the one before the call's.
    seen: u32,
    /// Reads, too.
    both: bool,
    /// What the oldest second in the window has besides.
    burst: u64,
}

const fn shape(name: &'static str, window: u32, seen: u32) -> Shape {
    Shape { name, window, seen, both: false, burst: BURST }
}

/// Windows of 2, 3, 10 and 60; histories that are full, so that the turn of the call makes them grow, to a
/// larger one or to a wheel; wheels; and a partition that is heavy.
const SHAPES: &[Shape] = &[
    shape("window 2, a history", 2, 2),
    Shape { both: true, ..shape("window 2, wheels", 2, 4) },
    shape("window 3, 3 slots full", 3, 3),
    shape("window 3, a wheel", 3, 6),
    shape("window 10, 3 slots full", 10, 3),
    shape("window 10, 7 slots full", 10, 7),
    shape("window 10, a wheel", 10, 9),
    shape("window 60, 3 slots full", 60, 3),
    shape("window 60, 7 slots full", 60, 7),
    shape("window 60, 15 slots full", 60, 15),
    shape("window 60, 31 slots full", 60, 31),
    shape("window 60, a wheel", 60, 40),
    Shape { burst: HEAVY, ..shape("window 3, heavy", 3, 3) },
];

impl Shape {
    /// All that is recorded before the call, up to its second.
    fn before(self) -> Vec<Step> {
        let now = self.seen.max(self.window) + 1;
        let mut steps = Vec::new();
        for second in 0..now {
            if second == now - self.window {
                steps.push(Step::Record(SUBJECT, Kind::Write, self.burst));
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

fn then(parts: impl IntoIterator<Item = Vec<Step>>) -> Vec<Step> {
    parts.into_iter().flatten().collect()
}

/// What another thread does that may hurt a call on the subject.
fn others(window: u32) -> Vec<(&'static str, Vec<Step>)> {
    let burst = || vec![Step::Record(SUBJECT, Kind::Write, BURST / 2)];
    let gone = |seconds: u32| vec![Step::Wait(u64::from(seconds) * 1_000)];
    vec![
        ("split", split()),
        ("split, a turn", then([split(), turns(1)])),
        ("split, 2 turns", then([split(), turns(2)])),
        ("split, 3 turns", then([split(), turns(3)])),
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

/// The shapes that meet all that others do; the rest meet what hurt most.
const MET_BY_ALL: [&str; 4] =
    ["window 3, a wheel", "window 10, 7 slots full", "window 10, a wheel", "window 60, 15 slots full"];

/// Calls on a partition that has a past.
fn pasts() -> Vec<Scenario> {
    let mut all = Vec::new();
    for &shape in SHAPES {
        for (name, others) in others(shape.window) {
            if name != "split, 2 turns" && !MET_BY_ALL.contains(&shape.name) {
                continue;
            }
            for caller in callers() {
                let mut before = shape.before();
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
fn faces() -> Vec<Scenario> {
    let shape = SHAPES[3];
    let batch = vec![(SUBJECT, Kind::Write, 1), (OTHER, Kind::Write, 2), (2, Kind::Read, 1)];
    let throttles = |steps: Vec<Step>| {
        steps.into_iter().map(|step| match step {
            Step::Record(key, _, _) => Step::Record(key, Kind::Throttle, 1),
            step => step,
        })
    };
    let others = || then([split(), turns(2)]);
    let with = |steps: Vec<Step>| then([shape.before(), steps]);
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
            throttles(shape.before()).collect(),
            Call::Throttle(SUBJECT),
            throttles(others()).collect(),
        ),
        new("first throttle / split", with(vec![]), Call::Throttle(SUBJECT), split()),
    ]
}

/// Steps after which the one segment has few cells: many partitions came, went and were reclaimed.
fn small(window: u32) -> Vec<Step> {
    let mut steps = vec![Step::Insert(40)];
    // Two walks a window.
    for _ in 0..3 {
        steps.push(seconds(window));
        steps.push(Step::Record(OTHER, Kind::Write, 1));
    }
    steps
}

/// First touches, replacements and reclaims that the call makes itself.
fn places_in_the_table() -> Vec<Scenario> {
    let rules = Rules::window(3);
    let long = |n: u32| (LONG..LONG + n).map(|key| Step::Record(key, Kind::Write, 1));
    let first = |steps: Vec<Step>| then([vec![write()], steps]);
    let full = || then([small(3), (2..5).map(|key| Step::Record(key, Kind::Write, 1)).collect()]);
    // Idle from the next second on, and a step of the walk is due then.
    let idle = |n: u32| {
        let old = (10..10 + n).map(|key| Step::Record(key, Kind::Write, BURST));
        then([old.collect(), turns(3), vec![seconds(1)]])
    };
    let again = |n: u32| (10..10 + n).map(|key| Step::Record(key, Kind::Write, 1)).collect::<Vec<_>>();
    let new = |name: &str, before: Vec<Step>, call, others: Vec<Step>| {
        Scenario::new(format!("window 3, {name}"), rules, before, call, others)
    };
    vec![
        new("first touch / of the same", vec![], Call::Write(SUBJECT), first(vec![])),
        new("first touch / of the same, 2 turns", vec![], Call::Write(SUBJECT), first(turns(2))),
        new("first touch / split", vec![], Call::Write(SUBJECT), split()),
        new(
            "first touch / split, of the same, 2 turns",
            vec![],
            Call::Write(SUBJECT),
            then([split(), first(turns(2))]),
        ),
        new("first touch / a window gone by", vec![], Call::Write(SUBJECT), vec![seconds(5), write()]),
        new("first touch / clear", vec![], Call::Write(SUBJECT), vec![Step::Clear]),
        new("first touch / of the same, clear", vec![], Call::Write(SUBJECT), first(vec![Step::Clear])),
        new("get of none / first touch, split", vec![], Call::WriteCount(SUBJECT), first(split())),
        new("full segment, first touch / turns", full(), Call::Write(SUBJECT), then([turns(2)])),
        new(
            "full segment, first touch / of others, 2 turns",
            full(),
            Call::Write(SUBJECT),
            then([vec![Step::Insert(3)], turns(2)]),
        ),
        new(
            "full segment, first touch / adds to all",
            full(),
            Call::Write(SUBJECT),
            (1..5).map(|key| Step::Record(key, Kind::Write, 7)).collect(),
        ),
        new("full segment, first touch / clear", full(), Call::Write(SUBJECT), vec![Step::Clear, write()]),
        new(
            "splitting first touch / adds to all",
            long(9).collect(),
            Call::Write(LONG + 9),
            long(9).collect(),
        ),
        new(
            "splitting first touch / of the same, adds to all",
            long(9).collect(),
            Call::Write(LONG + 9),
            long(12).collect(),
        ),
        new("reclaiming / adds to the idle", idle(4), Call::Write(SUBJECT), again(4)),
        new(
            "reclaiming / adds to the idle, turns",
            idle(2),
            Call::Write(OTHER),
            then([again(2), vec![seconds(1)], again(2), turns(1)]),
        ),
        new("reclaiming / split, adds", idle(2), Call::Write(OTHER), then([split(), again(2)])),
        new("turn / reclaim, 2 turns", then([idle(3)]), Call::Write(SUBJECT), then([turns(2), again(3)])),
        new("clear / adds", first(vec![]), Call::Clear, vec![write(), write()]),
        new("clear / 2 turns", first(turns(2)), Call::Clear, then([turns(2)])),
        new(
            "clear / gets and adds",
            first(vec![Step::Record(OTHER, Kind::Write, 5)]),
            Call::Clear,
            vec![
                Step::Get(SUBJECT, Kind::Write),
                Step::Get(OTHER, Kind::Write),
                write(),
                Step::Record(OTHER, Kind::Write, 5),
            ],
        ),
        new("clear / split", first(vec![]), Call::Clear, then([split(), vec![write()]])),
        new("clear / clear", first(vec![]), Call::Clear, vec![write(), Step::Clear, write()]),
    ]
}

/// Records that warn.
fn alarms() -> Vec<Scenario> {
    let rules = Rules { threshold: 4, ..Rules::window(3) };
    let warm = || vec![write(), write(), write()];
    let hot = || vec![write(); 5];
    let idle = || then([hot(), vec![seconds(4)]]);
    let gone = || vec![seconds(3)];
    let new = |name: &str, before: Vec<Step>, call, others: Vec<Step>| {
        Scenario::new(format!("threshold 4, {name}"), rules, before, call, others)
    };
    let forgets = |scenario| Scenario { forgets: true, ..scenario };
    vec![
        new("first hot / hot too", warm(), Call::Write(SUBJECT), hot()),
        new("first hot, taken / hot too", warm(), Call::Full(SUBJECT, 1), hot()),
        new("first hot / split, hot too", warm(), Call::Write(SUBJECT), then([split(), hot()])),
        new("first hot, taken / split", warm(), Call::Full(SUBJECT, 1), split()),
        new("first hot / split, 2 turns", warm(), Call::Write(SUBJECT), then([split(), turns(2)])),
        new("hot from nothing / split, hot", vec![], Call::Full(SUBJECT, 9), then([split(), hot()])),
        new("hot turn / turns", then([warm(), vec![seconds(1)]]), Call::Write(SUBJECT), turns(3)),
        new(
            "hot turn / split, turns",
            then([warm(), vec![seconds(1)]]),
            Call::Write(SUBJECT),
            then([split(), turns(3)]),
        ),
        new("suppressed / hot too", hot(), Call::Write(SUBJECT), hot()),
        new(
            "warned again / hot too",
            then([hot(), turns(3)]),
            Call::Write(SUBJECT),
            then([hot(), split(), hot()]),
        ),
        new("warned again / an interval later", hot(), Call::Write(SUBJECT), then([gone(), hot()])),
        new("warm / split, hot", vec![write()], Call::Write(SUBJECT), then([split(), hot()])),
        new("warm turn / hot, a turn", then([warm(), vec![seconds(1)]]), Call::Full(SUBJECT, 1), {
            then([hot(), turns(1)])
        }),
        new("first hot / threshold of 2", warm(), Call::Write(SUBJECT), vec![Step::Threshold(2), write()]),
        new("first hot / threshold of 9", warm(), Call::Write(SUBJECT), vec![Step::Threshold(9), write()]),
        forgets(new("begins anew / the same", idle(), Call::Write(SUBJECT), vec![write()])),
        forgets(new("begins anew / hot", idle(), Call::Full(SUBJECT, 4), then([split(), hot()]))),
        forgets(new(
            "first hot / clear, hot",
            warm(),
            Call::Write(SUBJECT),
            then([vec![Step::Clear], hot()]),
        )),
        forgets(new("get / begins anew", hot(), Call::WriteCount(SUBJECT), then([vec![seconds(4)], hot()]))),
        forgets(new(
            "first hot / a window gone by, hot",
            warm(),
            Call::Write(SUBJECT),
            then([vec![seconds(5)], hot()]),
        )),
    ]
}

/// A table at its bound.
fn bounds() -> Vec<Scenario> {
    let rules = Rules { max_partitions: 3, threshold: NEVER, ..Rules::window(3) };
    let three = || (0..3).map(|key| Step::Record(key, Kind::Write, 5)).collect::<Vec<_>>();
    // Idle from the next second on, and no step of the walk is due then.
    let idle = || {
        let others = (1..3).map(|key| Step::Record(key, Kind::Write, 5)).collect();
        then([vec![write(), seconds(60)], others, vec![seconds(1)]])
    };
    let adds = |amount| (0..3).map(|key| Step::Record(key, Kind::Write, amount)).collect::<Vec<_>>();
    let new = |name: &str, before: Vec<Step>, call, others: Vec<Step>| {
        Scenario::new(format!("bound of 3, {name}"), rules, before, call, others)
    };
    let long = |name: &str, others: Vec<Step>| {
        let rules = Rules { window: 60, ..rules };
        Scenario::new(format!("bound of 3, window 60, {name}"), rules, idle(), Call::Write(9), others)
    };
    vec![
        new("evicts / adds to all", three(), Call::Write(9), adds(1)),
        new("evicts / adds to all, split", three(), Call::Write(9), then([adds(1), split()])),
        new("evicts / evicts", three(), Call::Write(9), vec![Step::Record(8, Kind::Write, 1)]),
        new("evicts / the same", three(), Call::Write(9), vec![Step::Record(9, Kind::Write, 1)]),
        new("evicts / 2 turns", three(), Call::Write(9), turns(2)),
        long("evicts an idle one / that is written to", vec![write()]),
        long("evicts an idle one / that is written to, turns", then([vec![write()], turns(2)])),
        long("evicts an idle one / that is written to, split", then([vec![write()], split()])),
        long("evicts an idle one / evicts", vec![Step::Record(8, Kind::Write, 1)]),
        new("add / is evicted", three(), Call::Write(SUBJECT), vec![Step::Insert(6)]),
        new(
            "turn / is evicted",
            then([three(), vec![seconds(1)]]),
            Call::Write(SUBJECT),
            vec![Step::Insert(6)],
        ),
        new(
            "turn / is evicted, comes again",
            then([three(), vec![seconds(1)]]),
            Call::Write(SUBJECT),
            then([vec![Step::Insert(6), write()], turns(2)]),
        ),
        new("get / is evicted, comes again", three(), Call::WriteCount(SUBJECT), {
            then([vec![Step::Insert(6), write()], turns(2)])
        }),
    ]
}

pub fn all() -> Vec<Scenario> {
    then_all([pasts(), faces(), places_in_the_table(), alarms(), bounds()])
}

fn then_all(parts: impl IntoIterator<Item = Vec<Scenario>>) -> Vec<Scenario> {
    parts.into_iter().flatten().collect()
}
