//! Scenarios of records that warn in a table at its bound.

use crate::scenario::*;

/// The neighbours' counts, so that the subject is the quietest.
const LOUD: u64 = 50;
/// The same, so that a neighbour is.
const QUIET: u64 = 1;

/// Makes two neighbours. Reads have no threshold.
fn neighbours(amount: u64) -> Vec<Step> {
    (1..3).map(|key| Step::Record(key, Kind::Read, amount)).collect()
}

/// Records that warn while their partition, or another, is replaced.
pub fn alarms() -> Vec<Scenario> {
    let rules = Rules { threshold: 4, max_partitions: 3, ..Rules::window(3) };
    let evicts = || vec![Step::Insert(1)];
    let warm = |amount| then([neighbours(amount), vec![write(); 3]]);
    let hot = || vec![write(); 5];
    let was_hot = |amount| then([neighbours(amount), hot()]);
    let turned = |steps: Vec<Step>| then([steps, vec![seconds(1)]]);
    let again = || then([was_hot(LOUD), turns(2), vec![seconds(1)]]);
    let evicts_and = |steps: Vec<Step>| then([evicts(), steps]);
    // Idle from the next second on, and no step of the walk is due then.
    let idle = || then([neighbours(QUIET), vec![seconds(60)], hot(), vec![seconds(1)]]);
    let new = |name: &str, before: Vec<Step>, call, others: Vec<Step>| {
        Scenario::new(format!("bound of 3, threshold 4, {name}"), rules, before, call, others)
    };
    let long = |name: &str, call, others: Vec<Step>| {
        let rules = Rules { window: 60, interval_seconds: 60, ..rules };
        let name = format!("bound of 3, threshold 4, window 60, {name}");
        Scenario::new(name, rules, idle(), call, others)
    };
    let one = || Call::Write(SUBJECT);
    // So far from its threshold that it has no alarm, until that falls.
    let far = |name: &str, before, others: Vec<Step>| {
        let (name, rules) = (format!("bound of 3, threshold 100, {name}"), Rules { threshold: 100, ..rules });
        let fall = vec![Step::Threshold(2)];
        let others = then([fall.clone(), others]);
        Scenario { control: Some(fall), ..Scenario::new(name, rules, before, one(), others) }
    };
    vec![
        new("first hot / is evicted", warm(LOUD), one(), evicts()),
        new("first hot / is evicted, hot again", warm(LOUD), one(), evicts_and(hot())),
        new(
            "first hot, taken / is evicted, hot again",
            warm(LOUD),
            Call::Full(SUBJECT, 1),
            evicts_and(hot()),
        ),
        new("first hot / hot too, is evicted", warm(LOUD), one(), then([hot(), evicts()])),
        new("first hot / is evicted, split, hot again", warm(LOUD), one(), then([evicts(), split(), hot()])),
        new("first hot / evicts a neighbour", warm(QUIET), one(), evicts_and(hot())),
        new("hot turn / is evicted, hot again", turned(warm(LOUD)), one(), evicts_and(hot())),
        new("hot turn / turns, is evicted", turned(warm(LOUD)), one(), then([turns(2), evicts(), hot()])),
        new(
            "hot turn / evicts a neighbour",
            turned(warm(QUIET)),
            Call::Full(SUBJECT, 1),
            then([evicts(), turns(1)]),
        ),
        new(
            "hot from nothing / is evicted",
            neighbours(LOUD),
            Call::Full(SUBJECT, 9),
            then([evicts(), vec![Step::Insert(2)]]),
        ),
        new(
            "hot from nothing / is evicted, hot again",
            neighbours(LOUD),
            Call::Full(SUBJECT, 9),
            then([vec![Step::Insert(3)], hot()]),
        ),
        new(
            "evicts, hot from nothing / is evicted, hot again",
            then([neighbours(LOUD), evicts()]),
            Call::Full(SUBJECT, 9),
            then([vec![Step::Insert(3)], hot()]),
        ),
        new(
            "evicts, hot from nothing / hot too",
            then([neighbours(LOUD), evicts()]),
            Call::Full(SUBJECT, 9),
            hot(),
        ),
        new("suppressed / is evicted", was_hot(LOUD), one(), evicts()),
        new("suppressed / is evicted, hot again", was_hot(LOUD), one(), evicts_and(hot())),
        new("suppressed / evicts a neighbour", was_hot(QUIET), one(), evicts_and(hot())),
        new("warned again / is evicted", again(), one(), evicts()),
        new("warned again / is evicted, hot again", again(), one(), evicts_and(hot())),
        new(
            "warm / is evicted, hot again",
            then([neighbours(LOUD), vec![write()]]),
            one(),
            evicts_and(hot()),
        ),
        new("evicts the hot / that is hot again", was_hot(LOUD), Call::Write(9), hot()),
        new("evicts the warm / that is hot", warm(LOUD), Call::Write(9), then([hot(), split()])),
        far("turn / threshold of 2, is evicted", turned(warm(LOUD)), evicts()),
        far("turn / threshold of 2, is evicted, hot again", turned(warm(LOUD)), evicts_and(hot())),
        far("turn / threshold of 2, is evicted, split", turned(warm(LOUD)), then([evicts(), split()])),
        long("hot / evicts idle neighbours", one(), then([vec![Step::Insert(2)], hot()])),
        long("evicts idle neighbours / hot", Call::Write(9), then([hot(), evicts(), hot()])),
    ]
}
