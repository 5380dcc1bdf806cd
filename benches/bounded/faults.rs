//! The promises that must hold of a simulation, whatever its figures are.

use crate::contender::Contender;
use crate::design::{Design, promotion};
use crate::report;
use crate::scenario::Scenario;
use crate::simulation::Simulation;
use crate::traffic::Source;

/// A filter that fits promotes less than one in so many partitions, and has counts that are, on the
/// mean, by less than this share of the promotion's count too high.
const PROMOTED: u64 = 100;
pub const EXCESS: f64 = 0.4;
/// Faults of a kind that are told of each contender.
const TOLD: usize = 3;

/// All that does not hold, in words.
pub fn all(scenario: &Scenario, simulation: &Simulation) -> Vec<String> {
    let mut faults = Vec::new();
    for contender in &simulation.contenders {
        let found = match contender.design {
            Design::Bound(_) => continue,
            Design::Exact => exact(contender),
            Design::Filter { bytes, fits } => {
                let mut found = filter(scenario, contender, bytes);
                if fits {
                    found.extend(fitting(scenario, simulation, contender));
                }
                found
            }
        };
        let found = promised(contender).into_iter().chain(found);
        let who = format!("{}, {}", report::traffic(scenario), report::design(contender.design));
        faults.extend(found.map(|fault| format!("{who}: {fault}")));
    }
    faults
}

/// The promise that all but a bound keep.
fn promised(contender: &Contender) -> Vec<String> {
    let scores = &contender.scores;
    let mut faults = Vec::new();
    let mut none = |n: u64, what: &str| {
        if n > 0 {
            faults.push(format!("{n} {what}"));
        }
    };
    none(scores.missed() as u64, "hot partitions without a warning");
    none(scores.late() as u64, "late warnings");
    none(scores.under, "counts under the truth");
    faults.extend(scores.untrue.iter().take(TOLD).cloned());
    faults
}

fn exact(contender: &Contender) -> Vec<String> {
    let over = contender.scores.over;
    if over > 0 { vec![format!("{over} counts over the truth")] } else { Vec::new() }
}

fn filter(scenario: &Scenario, contender: &Contender, bytes: u64) -> Vec<String> {
    let (scores, promotion) = (&contender.scores, promotion(scenario.threshold));
    let mut faults = Vec::new();
    if scores.bytes > bytes {
        faults.push(format!("{} bytes of {bytes}", scores.bytes));
    }
    // A theorem, as long as no partition was kept out.
    if scores.last.kept_out == 0 {
        let earliest = scenario.threshold - promotion + 1;
        if let Some(least) = scores.least_truth.filter(|least| *least < earliest) {
            faults.push(format!("a warning at {least}, before {earliest}"));
        }
        if scores.carried >= promotion {
            faults.push(format!("{} carried, of at most {}", scores.carried, promotion - 1));
        }
    }
    faults
}

fn fitting(scenario: &Scenario, simulation: &Simulation, contender: &Contender) -> Vec<String> {
    let scores = &contender.scores;
    let mut faults = Vec::new();
    if scores.last.kept_out > 0 {
        faults.push(format!("{} records kept out", scores.last.kept_out));
    }
    // A recorded trace may have any share of partitions that are due.
    let made = matches!(scenario.source, Source::Made(_));
    if made && scores.last.promoted * PROMOTED >= simulation.seen as u64 {
        faults.push(format!("{} promoted of {}", scores.last.promoted, simulation.seen));
    }
    let excess = scores.mean_excess() / promotion(scenario.threshold) as f64;
    if excess >= EXCESS {
        faults.push(format!("a mean excess of {excess:.2} of what promotes"));
    }
    faults
}
