//! Scenarios of partitions that come, move and go: first touch, replacement of segments, reclaim,
//! clear, the bound.

use crate::scenario::*;

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
pub fn places() -> Vec<Scenario> {
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

/// A table at its bound.
pub fn bounds() -> Vec<Scenario> {
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
