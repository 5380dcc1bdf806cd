//! Who is measured beside whom, on one thread.

use crate::Scale;
use crate::abi::{CCaller, CRecords, Library};
use crate::keys::TABLE;
use crate::peers::{Dashmap, Floor, Governor, Papaya};
use crate::recorder::{Hotpart, Map, Recorder};
use crate::rounds::{Lane, Rounds};
use crate::workload::Workload;

pub const HOTPART: &str = "hotpart";
pub const FLOOR: &str = "floor";
pub const DASHMAP: &str = "dashmap";
pub const PAPAYA: &str = "papaya";
pub const GOVERNOR: &str = "governor";
pub const RUST: &str = "Rust record";
pub const RUST_HANDLE: &str = "Rust handle";
pub const C: &str = "C record";
pub const C_HANDLE: &str = "C handle";
/// Batches through the C ABI, and how many records each has.
pub const C_BATCHES: [(&str, usize); 3] =
    [("C batch of 16", 16), ("C batch of 64", 64), ("C batch of 256", 256)];

fn lane<'a>(name: &'static str, recorder: &'a impl Recorder, workload: &'a Workload) -> Lane<'a> {
    Lane::new(name, || workload.time(|pk| recorder.record(pk)))
}

/// Single records from Rust, beside the peers.
pub fn peers(scale: &Scale, partitions: usize) -> Rounds {
    let workload = Workload::new(partitions, scale.records, 1);
    let floor = Floor::default();
    let dashmap = Dashmap::holding(&workload);
    let papaya = Papaya::holding(&workload);
    let governor = Governor::holding(&workload);
    let hotpart = Hotpart::holding(&workload);
    let lanes = vec![
        lane(FLOOR, &floor, &workload),
        lane(DASHMAP, &dashmap, &workload),
        lane(PAPAYA, &papaya, &workload),
        lane(GOVERNOR, &governor, &workload),
        lane(HOTPART, &hotpart, &workload),
    ];
    Rounds::run(lanes, scale.rounds)
}

/// All the ways to record, from Rust and from C, each in a detector of its own, beside dashmap.
pub fn calls(scale: &Scale, partitions: usize, library: &Library) -> Rounds {
    let workload = Workload::new(partitions, scale.records, 1);
    let dashmap = Dashmap::holding(&workload);
    let plain = Hotpart::holding(&workload);
    let prepared = Hotpart::holding(&workload);
    let handle = prepared.detector.table(TABLE).unwrap();
    let c_plain = CCaller::holding(library, &workload);
    let c_handle = CCaller::holding(library, &workload);
    let records = CRecords::of(library, &workload);
    let c_batches = C_BATCHES.map(|_| CCaller::holding(library, &workload));
    let mut lanes = vec![
        lane(DASHMAP, &dashmap, &workload),
        lane(RUST, &plain, &workload),
        lane(RUST_HANDLE, &handle, &workload),
        Lane::new(C, || workload.time_sums(|pks| c_plain.record(pks))),
        Lane::new(C_HANDLE, || workload.time_sums(|pks| c_handle.record_by_handle(pks))),
    ];
    for ((name, batch), caller) in C_BATCHES.into_iter().zip(&c_batches) {
        let (records, workload) = (&records, &workload);
        lanes.push(Lane::new(name, move || workload.time_passes(|| caller.record_batches(records, batch))));
    }
    Rounds::run(lanes, scale.rounds)
}
