//! Promise 3, for the warnings of a phase.

use crate::phase::{Outcome, Phase};

/// Checks that each warning is of its own call's count, that there is at most one in an interval,
/// and that each hot record is in a warning or in just one `suppressed`.
pub fn check(phase: &Phase, outcome: &Outcome) {
    let (threshold, interval) = phase.warns.expect("the phase warns");
    let mut warnings: Vec<_> = outcome.warnings.iter().collect();
    for warning in &warnings {
        assert_eq!((Some(warning.count), warning.threshold), (warning.call.count, threshold));
        assert!(warning.count >= threshold && (1..=warning.count).contains(&warning.peak));
    }
    let is_hot = |count| count >= Some(threshold);
    let hot = outcome.calls.iter().filter(|call| call.amount > 0 && is_hot(call.count)).count() as u64;
    let statistics = outcome.statistics;
    assert_eq!(statistics.warnings, warnings.len() as u64);
    assert_eq!(statistics.warnings + statistics.suppressed, hot, "a hot record is in neither, or in both");
    // The last warning of each series has told of all that was suppressed before it.
    let told = warnings.iter().map(|warning| warning.suppressed).sum::<u64>();
    assert_eq!(told, statistics.suppressed, "suppressed records are told of once");
    warnings.sort_unstable_by_key(|warning| (warning.call.series, warning.call.before));
    for pair in warnings.windows(2).filter(|pair| pair[0].call.series == pair[1].call.series) {
        let [first, second] = [pair[0].call, pair[1].call];
        // Which of the two came first is not known.
        let apart = (second.after - first.before).max(first.after.saturating_sub(second.before));
        assert!(apart >= interval, "two warnings in an interval: {first:?}, {second:?}");
    }
}
