//! Blindness: random fleets, judged by the rules' arithmetic. Both bounds hold. While the fleet is
//! not blind, nothing hot goes unseen. Where it says that it is blind, it is.
//!
//! **Could be hot.** By what a scrape of all processes told, a partition that no process lists
//! could be hot if there is a fleet of the same processes in which
//! - each process tells the same of its partitions: the same list, the same demands and the same of
//!   them carried, and for each operation the same `hotpart_partition_unlisted_most`; and
//! - some partition that no process lists has, in all processes together, the threshold in force
//!   for its table.
//!
//! The scraped fleet may itself be such a one. `HotPartitionFleetBlind` must fire for a threshold
//! exactly then, which has two directions:
//!
//! *Not blind: there is no such fleet.* In each process that is made up, no unlisted partition has
//! more than the process's number. So in no fleet that tells the same has an unlisted partition
//! more than all numbers together, and these are under the threshold.
//!
//! *Blind: there is such a fleet.* The test builds it, a twin with detectors of its own. In the
//! twin a stranger, a partition that the scraped fleet does not have, has in each process what the
//! number says:
//! - Without a filter some unlisted partition of the process has exactly that much. The twin's
//!   process records the stranger in its place, and nothing else differs.
//! - With a filter the number may be the most that the cells can hold of one partition, and no
//!   partition need have it. The twin's process records the stranger besides, with that much.
//!
//! Two kinds of fleets have only the bounds and the first direction checked. In one a filter was
//! full: its number is the bound that the fullest cells give, which is true and not always reached.
//! In the other a list was cut between two partitions of the same demand: their names decide which
//! of them is in the list, so the stranger's name would decide too.

use crate::common::stress;
use crate::made_up::{Plan, TABLES, plans};
use crate::process::Process;
use crate::rules::{Recorded, Thresholds};
use crate::told::{Partition, Told};
use hotpart::Operation;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeMap;

/// The names that a stranger may have in a twin: with a filter, one whose cells are others' too
/// would be counted with those.
const NAMES: usize = 8;
/// The most partitions that a process lists of an operation.
const LISTED_MOST: usize = 990;

/// The cases that were tried, by what they had: so that none is missing unnoticed.
#[derive(Debug, Default)]
struct Seen {
    fleets: u32,
    filters: u32,
    full_filters: u32,
    cut_lists: u32,
    blind: u32,
    not_blind: u32,
    twins: u32,
    found: u32,
}

/// A fleet at its scrape: what it told, what the rules make of that, and the truth.
struct Fleet<'a> {
    plan: &'a Plan,
    processes: Vec<Process>,
    told: Vec<Told>,
    recorded: Recorded,
    truth: BTreeMap<Partition, u64>,
}

impl<'a> Fleet<'a> {
    fn run(plan: &'a Plan) -> Self {
        let processes = (0..plan.processes.len()).map(|number| Process::run(plan, number, None));
        Self::of(plan, processes.collect())
    }

    fn of(plan: &'a Plan, processes: Vec<Process>) -> Self {
        let told: Vec<_> = processes.iter().map(Process::told).collect();
        let mut truth: BTreeMap<_, u64> = BTreeMap::new();
        for (partition, demand) in processes.iter().flat_map(Process::truth) {
            *truth.entry(partition).or_default() += demand;
        }
        let recorded = Recorded::of(&told);
        Self { plan, processes, told, recorded, truth }
    }

    fn is_listed(&self, partition: &Partition) -> bool {
        self.told.iter().any(|told| told.demand.contains_key(partition))
    }

    fn has_full_filter(&self) -> bool {
        self.processes.iter().any(Process::has_kept_out)
    }

    /// The same fleet, but for a stranger that has in each process what an unlisted partition of
    /// its operation can have at most.
    fn twin(&self, stranger: &Partition) -> Self {
        let operation = stranger.operation;
        let twin = |number: usize| {
            let (process, told) = (&self.processes[number], &self.told[number]);
            let most = told.unlisted_most[&operation];
            if process.has_filter() || most == 0 {
                let mut twin = Process::run(self.plan, number, None);
                twin.record(stranger, most);
                return twin;
            }
            let truth = process.truth();
            let has_most = |&(partition, &demand): &(&Partition, &u64)| {
                partition.operation == operation && demand == most && !told.demand.contains_key(partition)
            };
            let (one, _) = truth.iter().find(has_most).expect("an unlisted partition with what is told");
            Process::run(self.plan, number, Some((one, stranger)))
        };
        Self::of(self.plan, (0..self.processes.len()).map(twin).collect())
    }
}

/// Checks each process against its own account.
fn check_processes(fleet: &Fleet<'_>, seen: &mut Seen) -> Result<(), TestCaseError> {
    for (process, told) in fleet.processes.iter().zip(&fleet.told) {
        let least = process.least();
        prop_assert!(told.demand.values().all(|&demand| demand >= least));
        for (partition, &truth) in &process.truth() {
            let most = told.unlisted_most[&partition.operation];
            match told.demand.get(partition) {
                Some(&demand) => {
                    let carried = told.carried.get(partition).unwrap_or(&0);
                    let is_between = demand - carried <= truth && truth <= demand;
                    prop_assert!(is_between, "{:?}: {} of {}, {}", partition, truth, demand, carried);
                    prop_assert!(process.has_filter() || demand == truth);
                }
                None => prop_assert!(truth <= most, "{:?}: {} of {}", partition, truth, most),
            }
        }
        for operation in Operation::ALL {
            let is_of = |partition: &&Partition| partition.operation == operation;
            let is_cut = told.demand.keys().filter(is_of).count() == LISTED_MOST;
            seen.cut_lists += u32::from(is_cut);
            // What has the least is in the list, as long as there is room.
            prop_assert!(is_cut || process.has_kept_out() || told.unlisted_most[&operation] < least);
        }
        seen.filters += u32::from(process.has_filter());
    }
    Ok(())
}

/// Thresholds near all that matters: what was made up, what unlisted partitions can have, what the
/// greatest has.
fn thresholds(fleet: &Fleet<'_>) -> Vec<Thresholds> {
    let (of_all, of_table) = fleet.plan.thresholds;
    let both = |of_all: u64, of_table: Option<u64>| Thresholds {
        of_all: of_all.max(1),
        of_table: of_table.map(|threshold| (TABLES[1], threshold.max(1))),
    };
    let greatest = fleet.truth.values().max().copied().unwrap_or(1);
    let mut all = vec![both(of_all, of_table), both(greatest, None), both(of_all, Some(greatest))];
    for most in fleet.recorded.unlisted_most.values() {
        all.extend([both(*most, Some(most + 1)), both(most + 1, Some(*most))]);
    }
    all
}

fn check(plan: &Plan, seen: &mut Seen) -> Result<(), TestCaseError> {
    let fleet = Fleet::run(plan);
    check_processes(&fleet, seen)?;
    let recorded = &fleet.recorded;

    // Both bounds hold.
    for (partition, &truth) in &fleet.truth {
        let (sum, most) = (recorded.sum.get(partition).copied().unwrap_or(0), recorded.most_of(partition));
        prop_assert!(sum <= truth && truth <= most, "{:?}: {} <= {} <= {}", partition, sum, truth, most);
    }

    // Where the fleet is not blind, whatever is hot is in a list, and the alert on it fires.
    let all = thresholds(&fleet);
    for thresholds in &all {
        for (partition, &truth) in &fleet.truth {
            let is_hot = truth >= thresholds.of(&partition.table);
            if is_hot && !recorded.is_blind(partition.operation, &partition.table, thresholds) {
                prop_assert!(fleet.is_listed(partition), "{:?} has {}", partition, truth);
                prop_assert!(recorded.is_found(partition, thresholds), "{:?} has {}", partition, truth);
                seen.found += 1;
            }
        }
    }

    // Where it is blind, a partition that no process lists could be hot, and only there.
    seen.fleets += 1;
    if fleet.has_full_filter() {
        seen.full_filters += 1;
        return Ok(());
    }
    for (operation, table) in Operation::ALL.into_iter().flat_map(|each| TABLES.map(|table| (each, table))) {
        let Some(could) = most_of_a_stranger(&fleet, operation, table)? else { continue };
        seen.twins += 1;
        for thresholds in &all {
            let is_blind = recorded.is_blind(operation, table, thresholds);
            prop_assert_eq!(
                is_blind,
                could >= thresholds.of(table),
                "{:?} {} {:?}",
                operation,
                table,
                thresholds
            );
            *if is_blind { &mut seen.blind } else { &mut seen.not_blind } += 1;
        }
    }
    Ok(())
}

/// Builds a fleet that tells the same, and returns what a partition has in it that no process
/// lists. `None` where a filter was full, or names decide what is in a list.
fn most_of_a_stranger(
    fleet: &Fleet<'_>,
    operation: Operation,
    table: &str,
) -> Result<Option<u64>, TestCaseError> {
    let is_tied = |told: &Told| {
        let mut listed = told.demand.iter().filter(|(partition, _)| partition.operation == operation);
        listed.any(|(_, demand)| *demand == told.unlisted_most[&operation])
    };
    if fleet.told.iter().any(is_tied) {
        return Ok(None);
    }
    let mut others = Vec::new();
    for name in 0..NAMES {
        let stranger = Partition { operation, table: table.into(), pk: format!("stranger {name}") };
        let twin = fleet.twin(&stranger);
        if twin.has_full_filter() {
            return Ok(None);
        }
        if twin.told == fleet.told {
            prop_assert!(!twin.is_listed(&stranger));
            return Ok(Some(twin.truth.get(&stranger).copied().unwrap_or(0)));
        }
        others.push(twin.told);
        if !fleet.processes.iter().any(Process::has_filter) {
            break;
        }
    }
    Err(TestCaseError::fail(format!("no fleet tells the same\n{:?}\n{:?}", fleet.told, others[0])))
}

#[test]
fn a_fleet_is_blind_exactly_when_a_partition_that_nobody_lists_could_be_hot() {
    let mut seen = std::cell::RefCell::new(Seen::default());
    let config = Config { cases: stress(60) as u32, failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&plans(), |plan| check(&plan, &mut seen.borrow_mut()));
    tried.unwrap_or_else(|failed| panic!("{failed}"));
    println!("{:?}", seen.get_mut());
    let Seen { filters, full_filters, cut_lists, blind, not_blind, twins, found, .. } = seen.into_inner();
    let all = [filters, full_filters, cut_lists, blind, not_blind, twins, found];
    assert!(all.into_iter().all(|times| times > 0), "something was never tried: {all:?}");
}
