//! Promises 1, 2 and 3 under stress: the window slides while segments are replaced, split and given
//! back, and threads stand still at random places. Every count that any call returns is held
//! against an exact oracle.
//!
//! A thread that stands still inside a partition that moves meanwhile, and whose copy goes on to
//! later seconds, must not believe what it has seen there. Each test makes that common for another
//! form of the past.

#[path = "../common/mod.rs"]
mod common;
mod oracle;
mod phase;
mod stall;
mod warnings;
mod watch;

use common::stress;
use oracle::check;
use phase::{Churn, Outcome, Phase};
use std::time::Instant;

/// Runs phases of each kind in turn, and checks every count, and what else `check_outcome` does.
fn slides(rounds: usize, kinds: &[Phase], check_outcome: impl Fn(&Phase, &Outcome)) {
    let (mut checked, mut exact, mut stalls, mut replaced, mut reclaimed) = (0, 0, 0, 0, 0);
    let begin = Instant::now();
    for round in 0..rounds {
        for (kind, phase) in kinds.iter().enumerate() {
            let outcome = phase.run((round * kinds.len() + kind) as u64);
            check_outcome(phase, &outcome);
            let mut verdict = check(phase.window, &outcome.seconds, &outcome.calls);
            if phase.churn == Churn::Bound {
                // Others lose what they had when they are replaced. They are never counted too
                // high, though.
                verdict.low.retain(|violation| (violation.call.series as usize) < 2 * phase.hot);
            }
            checked += verdict.checked;
            exact += verdict.exact;
            stalls += outcome.stalls;
            replaced += outcome.statistics.replaced;
            reclaimed += outcome.statistics.reclaimed;
            let first: Vec<_> = verdict.low.iter().chain(&verdict.high).take(4).collect();
            assert!(
                first.is_empty(),
                "{} counts are too low and {} too high, after {checked} counts in {:?}: round {round}, \
                 {phase:?}, {first:#?}",
                verdict.low.len(),
                verdict.high.len(),
                begin.elapsed(),
            );
        }
    }
    let elapsed = begin.elapsed();
    println!(
        "{checked} counts checked in {elapsed:?}, {exact} of them against the only value they may have;"
    );
    println!("{stalls} stalls; {replaced} partitions replaced and {reclaimed} reclaimed");
}

/// At a bound, which replaces segments all the time whatever the window.
const BOUND: Phase = Phase {
    window: 60,
    step: 1,
    leaps: false,
    hot: 1,
    churn: Churn::Bound,
    amounts: [10..=128, 129..=3_000],
    warns: None,
    tick_us: 0,
    stalls_us: 2..=200,
    ticks: 500,
};

#[test]
fn counts_are_in_their_spans_while_idle_partitions_begin_anew() {
    let plain = Phase { leaps: true, hot: 2, churn: Churn::Anew, amounts: [1..=128, 129..=3_000], ..BOUND };
    let kind = |(window, tick_us)| Phase { window, tick_us, ..plain.clone() };
    slides(stress(2), &[(2, 40), (3, 30), (10, 10)].map(kind), |_, _| {});
}

#[test]
fn counts_are_in_their_spans_while_segments_split_and_shrink() {
    let plain = Phase { leaps: true, hot: 3, churn: Churn::Splits, amounts: [1..=128, 129..=3_000], ..BOUND };
    let kind = |(window, tick_us)| Phase { window, tick_us, ..plain.clone() };
    slides(stress(2), &[(2, 20), (10, 10), (60, 0)].map(kind), |_, outcome| {
        assert!(outcome.statistics.reclaimed > 0);
    });
}

#[test]
fn counts_are_in_their_spans_at_a_bound() {
    let kind = |(window, tick_us)| Phase { window, tick_us, ..BOUND };
    slides(stress(2), &[(10, 10), (60, 0)].map(kind), |_, _| {});
}

/// A dozen seconds of each operation are in the window: they never earn a wheel.
#[test]
fn counts_are_in_their_spans_while_pasts_are_histories() {
    let kind = |(window, step, tick_us)| Phase { window, step, tick_us, ..BOUND };
    slides(stress(2), &[(59, 5, 20), (3_599, 300, 20), (3_599, 300, 5)].map(kind), |_, _| {});
}

/// Long windows, of which a turn looks at all slots, as more of them leave it than are looked up
/// one by one.
#[test]
fn counts_are_in_their_spans_while_wheels_are_long() {
    let kind = |(window, step)| Phase { window, step, ..BOUND };
    slides(stress(2), &[(599, 6), (3_599, 6)].map(kind), |_, _| {});
}

/// Sums that no head has room for.
#[test]
fn counts_are_in_their_spans_while_partitions_are_heavy() {
    let kind = |(window, step)| Phase { window, step, amounts: [10..=1 << 22, 1 << 22..=1 << 23], ..BOUND };
    slides(stress(2), &[(599, 6), (3_599, 6)].map(kind), |_, _| {});
}

#[test]
fn hot_records_are_warned_about_or_suppressed() {
    let kind = |(window, interval)| Phase { window, warns: Some((1_000, interval)), tick_us: 5, ..BOUND };
    slides(stress(2), &[(10, 1), (10, 4), (60, 20)].map(kind), warnings::check);
}
