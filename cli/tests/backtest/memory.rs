//! Bounded counting: nothing is missed, and what an exact count would not give says what it
//! carried.

use crate::oracle::{Of, Rule, Terms, Truth, telling, truth, window};
use crate::trace::{self, Line};
use crate::{File, backtest, printed, real};
use serde_json::Value;
use std::collections::BTreeMap;

/// Warnings, those that an exact count would not give, and hot records.
struct Numbers(usize, usize, usize);

fn check(lines: &[Line], seconds: u64, memory: &str) -> Numbers {
    let rules = window(seconds);
    let counted = truth(lines, &Terms { rules, threshold: &|_, _| u64::MAX, interval_ms: 0 });
    let [writes, reads] = ["write", "read"].map(|operation| telling(&counted, operation));
    let threshold = |_: &Rule, line: &Line| if line.operation == "write" { writes } else { reads };
    let truth =
        truth(lines, &Terms { rules: window(seconds), threshold: &threshold, interval_ms: seconds * 1_000 });
    let arguments = format!("--writes {writes} --reads {reads} --window {seconds} --memory {memory}");
    let outcome = backtest(&File::new(lines), &arguments);
    assert_eq!((&outcome["records"], &outcome["partitions"]), (&lines.len().into(), &Value::Null));

    let mut times: BTreeMap<Of<'_>, Vec<u64>> = BTreeMap::new();
    let mut not_exact = 0;
    for warning in outcome["warnings"].as_array().unwrap() {
        let carried = warning.get("carried").map_or(0, |carried| carried.as_u64().unwrap());
        assert_ne!(warning.get("carried"), Some(&Value::from(0)), "left out where 0");
        let hot = printed(warning, false);
        times.entry(hot.of).or_default().push(hot.time_ms);
        let counts = exact_counts(&truth, hot.of, hot.time_ms);
        let is_bounded = |exact: u64| hot.count - carried <= exact && exact <= hot.count;
        assert!(
            counts.iter().any(|&exact| is_bounded(exact)),
            "{arguments}: {warning}, but exactly {counts:?}"
        );
        assert!(hot.count >= hot.threshold, "{warning}");
        if counts.iter().all(|&exact| exact < hot.threshold) {
            assert!(carried > 0, "{arguments}: {warning}, but exactly {counts:?}");
            not_exact += 1;
        }
    }
    // Of each hot record there was a warning within the interval.
    for hot in &truth.hot {
        let last = times.get(&hot.of).and_then(|times| times.iter().rfind(|&&time| time <= hot.time_ms));
        let is_told = last.is_some_and(|last| hot.time_ms - last < seconds * 1_000);
        assert!(is_told, "{arguments}: missed {hot:?}");
    }
    Numbers(times.values().map(Vec::len).sum(), not_exact, truth.hot.len())
}

/// The counts of a partition's records of this millisecond.
fn exact_counts(truth: &Truth<'_>, of: Of<'_>, time_ms: u64) -> Vec<u64> {
    let counts = truth.counts[&of].iter().filter(|&&(time, _)| time == time_ms);
    counts.map(|&(_, count)| count).collect()
}

fn check_windows(name: &str, lines: &[Line], memory: &str) -> usize {
    let mut not_exact = 0;
    for seconds in [1, 10, 60] {
        let Numbers(warnings, not_exact_now, hot) = check(lines, seconds, memory);
        assert!(hot > 10);
        not_exact += not_exact_now;
        println!(
            "{name}, {memory}, {seconds} s: {warnings} warnings, {not_exact_now} not exact; {hot} hot records"
        );
    }
    not_exact
}

#[test]
fn a_bounded_memory_misses_nothing_and_says_what_it_carried() {
    let lines = trace::made_up(8, 20_000);
    check_windows("made up", &lines, "1MiB");
    assert!(check_windows("made up", &lines, "64KiB") > 0, "the memory is too large to show anything");
}

#[test]
fn a_bounded_memory_misses_nothing_of_the_acceptance_trace() {
    if let Some(lines) = real() {
        check_windows("acceptance", &lines, "1MiB");
    }
}
