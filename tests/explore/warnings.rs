//! Scenarios of records that warn.

use crate::scenario::*;

/// Records that warn.
pub fn alarms() -> Vec<Scenario> {
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
            then([hot(), turns(2), vec![seconds(1)]]),
            Call::Write(SUBJECT),
            then([hot(), split(), hot()]),
        ),
        new("warned again / an interval later", hot(), Call::Write(SUBJECT), then([gone(), hot()])),
        new("warm / split, hot", vec![write()], Call::Write(SUBJECT), then([split(), hot()])),
        new("warm turn / hot, a turn", then([warm(), vec![seconds(1)]]), Call::Full(SUBJECT, 1), {
            then([hot(), turns(1)])
        }),
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

/// Records that warn while the threshold changes, and their partition moves.
pub fn thresholds() -> Vec<Scenario> {
    let rules = Rules { threshold: 4, ..Rules::window(3) };
    let warm = || vec![write()];
    let nearly = || vec![write(); 3];
    let hot = || vec![write(); 5];
    let turned = |steps: Vec<Step>| then([steps, vec![seconds(1)]]);
    let of = |threshold| vec![Step::Threshold(threshold)];
    let new = |name: &str, before: Vec<Step>, others: Vec<Step>| {
        Scenario::new(format!("threshold 4, {name}"), rules, before, Call::Write(SUBJECT), others)
    };
    let far = |name: &str, before: Vec<Step>, others: Vec<Step>| {
        let rules = Rules { threshold: 100, ..rules };
        Scenario::new(format!("threshold 100, {name}"), rules, before, Call::Write(SUBJECT), others)
    };
    vec![
        new("first hot / threshold of 2", nearly(), then([of(2), vec![write()]])),
        new("first hot / threshold of 9", nearly(), then([of(9), vec![write()]])),
        new("first hot / split, threshold of 2", nearly(), then([split(), of(2)])),
        new("first hot / threshold of 2, split, 2 turns", nearly(), then([of(2), split(), turns(2)])),
        new("first hot / threshold of 9, split, 2 turns", nearly(), then([of(9), split(), turns(2)])),
        new("hot turn / split, threshold of 9, hot", turned(nearly()), then([split(), of(9), hot()])),
        new("suppressed / threshold of 9, split, 2 turns", hot(), then([of(9), split(), turns(2)])),
        new("warm / split, threshold of 2", warm(), then([split(), of(2)])),
        new("warm / threshold of 2, split, 2 turns", warm(), then([of(2), split(), turns(2)])),
        new("warm / threshold of 9, split, 2 turns", warm(), then([of(9), split(), turns(2)])),
        new("warm turn / split, threshold of 2, hot", turned(warm()), then([split(), of(2), hot()])),
        new("warm turn / threshold of 2, split, turns", turned(warm()), then([of(2), split(), turns(2)])),
        // So far off that it has no alarm.
        far("warm / threshold of 2, split", nearly(), then([of(2), split()])),
        far("warm turn / split, threshold of 2", turned(nearly()), then([split(), of(2)])),
        far("warm turn / threshold of 2, split, hot", turned(nearly()), then([of(2), split(), hot()])),
    ]
}
