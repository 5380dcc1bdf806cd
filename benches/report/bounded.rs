//! Records of cold keys in a detector with a filter: what one costs does not depend on how many
//! keys there are.

use crate::Scale;
use crate::abi::{CCaller, CRecords, Library};
use crate::lanes::{C, DASHMAP};
use crate::peers::Dashmap;
use crate::recorder::{Map, Recorder};
use crate::results::Series;
use crate::rounds::{Lane, Rounds};
use crate::threads::Pair;
use crate::workload::Workload;

/// The memory for bounded counting. At thresholds that nothing reaches, no key is counted exactly
/// before it has a bound of 32,768: cells that all records of a window share must be so many that
/// none gets there.
pub const FILTER_BYTES: u64 = 1 << 22;
/// So many times as many keys as are many.
pub const TIMES: usize = 10;

pub const C_BOUNDED: &str = "C bounded";
pub const C_BOUNDED_BATCH: &str = "C bounded, batch of 64";
/// The lanes that tell whether it matters how many keys there are.
pub const MANY: &str = "many";
pub const MOST: &str = "most";
const BATCH: usize = 64;

pub struct Bounded {
    /// Beside dashmap and an exact table, by partitions.
    pub records: Series,
    /// On many keys and on [`TIMES`] times as many.
    pub grown: Rounds,
    pub threads: Pair,
}

impl Bounded {
    pub fn run(scale: &Scale, library: &Library) -> Self {
        let records = [scale.few, scale.many].map(|n| (n, records(scale, n, library)));
        let threads = Pair::bounded(scale, scale.many, library);
        Self { records: records.into(), grown: grown(scale, library), threads }
    }
}

fn records(scale: &Scale, partitions: usize, library: &Library) -> Rounds {
    let workload = Workload::new(partitions, scale.records, 1);
    let dashmap = Dashmap::holding(&workload);
    let exact = CCaller::holding(library, &workload);
    let bounded = CCaller::bounded(library, &workload, FILTER_BYTES);
    let batches = CCaller::bounded(library, &workload, FILTER_BYTES);
    let records = CRecords::of(library, &workload);
    let lanes = vec![
        Lane::new(DASHMAP, || workload.time(|pk| dashmap.record(pk))),
        Lane::new(C, || workload.time_sums(|pks| exact.record(pks))),
        Lane::new(C_BOUNDED, || workload.time_sums(|pks| bounded.record(pks))),
        Lane::new(C_BOUNDED_BATCH, || workload.time_passes(|| batches.record_batches(&records, BATCH))),
    ];
    let rounds = Rounds::run(lanes, scale.rounds);
    [bounded, batches].iter().for_each(CCaller::assert_cold);
    rounds
}

fn grown(scale: &Scale, library: &Library) -> Rounds {
    let workloads = [1, TIMES].map(|times| Workload::new(times * scale.many, scale.records, 1));
    let callers = workloads.each_ref().map(|workload| CCaller::bounded(library, workload, FILTER_BYTES));
    let lanes = [MANY, MOST].into_iter().zip(workloads.iter().zip(&callers));
    let lanes = lanes.map(|(name, (workload, caller))| {
        Lane::new(name, move || workload.time_sums(|pks| caller.record(pks)))
    });
    let rounds = Rounds::run(lanes.collect(), scale.rounds);
    callers.iter().for_each(CCaller::assert_cold);
    rounds
}
