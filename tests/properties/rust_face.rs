//! A detector as a Rust program sees it.

use crate::call::{Call, Entry, Face, OPEN, Outcome, Scope, Spot, Terms, Text, Warned};
use hotpart::ffi::{HPD_ERR_INVALID, HPD_ERR_MEMORY, HPD_ERR_NULL, HPD_ERR_UNSUPPORTED, HPD_INTERVAL_WINDOW};
use hotpart::{Detector, Error, Operation, Record, TableHandle, Thresholds, Warning};
use std::sync::{Arc, Mutex};

/// What the callback was given.
pub type CalledBack = Arc<Mutex<Vec<Warned>>>;

pub struct RustFace<'d> {
    detector: &'d Detector,
    called_back: CalledBack,
    open: [Option<TableHandle<'d>>; OPEN],
}

fn copy_of(warning: &Warning<'_>) -> Warned {
    Warned {
        spot: Spot { table: Text(warning.table.to_vec()), pk: Text(warning.pk.to_vec()) },
        operation: Operation::ALL.iter().position(|&operation| operation == warning.operation).unwrap(),
        window: warning.window_seconds,
        count: warning.count,
        threshold: warning.threshold,
        suppressed: warning.suppressed,
        peak: warning.peak,
    }
}

/// The C ABI's number for a result.
fn code(result: Result<u64, Error>) -> i64 {
    result.map_or_else(
        |error| {
            i64::from(match error {
                Error::Invalid => HPD_ERR_INVALID,
                Error::Unsupported => HPD_ERR_UNSUPPORTED,
                Error::Memory => HPD_ERR_MEMORY,
                other => unreachable!("{other:?}"),
            })
        },
        |count| i64::try_from(count).unwrap(),
    )
}

fn status(result: Result<(), Error>) -> Outcome {
    Outcome::of(code(result.map(|()| 0)))
}

fn record_of(entry: &Entry) -> Record<'_> {
    let record = Record::new(&entry.spot.table.0, &entry.spot.pk.0, Operation::ALL[entry.operation]);
    let record = record.amount(entry.amount);
    entry.model.as_ref().map_or(record, |model| record.model(&model.0))
}

fn read_back(result: Result<Thresholds, Error>) -> Outcome {
    let inherit = |threshold: Option<u64>| threshold.map_or(-1, |n| n as i64);
    let both = result.ok().map(|Thresholds { writes, reads }| [writes, reads].map(inherit));
    Outcome { thresholds: both, ..status(result.map(drop)) }
}

/// The detector that a face is for, and what its callback will be given.
pub fn detector(terms: &Terms) -> (Detector, CalledBack) {
    let called_back = CalledBack::default();
    let [writes, reads] = terms.thresholds;
    let mut builder = Detector::builder(writes, reads, terms.window)
        .max_partitions(terms.max_partitions)
        .hash_seed([3, 14])
        .manual_clock();
    if terms.interval != HPD_INTERVAL_WINDOW {
        builder = builder.warning_interval_seconds(terms.interval);
    }
    if terms.calls_back {
        let called_back = called_back.clone();
        builder = builder.on_warning(move |warning| called_back.lock().unwrap().push(copy_of(warning)));
    }
    (builder.build().unwrap(), called_back)
}

impl<'d> RustFace<'d> {
    pub fn new((detector, called_back): &'d (Detector, CalledBack)) -> Self {
        Self { detector, called_back: called_back.clone(), open: [const { None }; OPEN] }
    }

    fn full(&self, entry: &Entry, takes_warning: bool) -> Outcome {
        if !takes_warning {
            return Outcome::of(code(self.detector.record(&record_of(entry))));
        }
        let recorded = self.detector.record_and_warn(&record_of(entry));
        let taken = recorded.as_ref().ok().and_then(|(_, warning)| warning.as_ref().map(copy_of));
        Outcome { taken, ..Outcome::of(code(recorded.map(|(count, _)| count))) }
    }

    fn open(&mut self, at: usize, table: &Text) -> Outcome {
        let opened = self.detector.table(&table.0);
        let result = opened.as_ref().map(drop).map_err(|&error| error);
        self.open[at] = opened.ok();
        status(result)
    }

    fn prepared(&self, at: usize, pk: &Text, operation: usize, ends_in_nul: bool) -> i64 {
        let Some(table) = &self.open[at] else { return HPD_ERR_NULL.into() };
        let pk = if ends_in_nul { pk.until_nul() } else { pk.clone() };
        code(if operation == 0 { table.record_write(&pk.0) } else { table.record_read(&pk.0) })
    }

    fn set(&self, scope: Scope, name: &Text, both: [i64; 2]) -> Outcome {
        // As u64 a negative number is one past the highest threshold.
        let [writes, reads] = both.map(|n| (n != -1).then_some(n as u64));
        let thresholds = Thresholds { writes, reads };
        status(match scope {
            Scope::Table => self.detector.set_table_thresholds(&name.0, thresholds),
            Scope::Model => self.detector.set_model_thresholds(&name.0, thresholds),
        })
    }
}

impl Face for RustFace<'_> {
    fn call(&mut self, call: &Call) -> Outcome {
        let detector = self.detector;
        let outcome = match call {
            Call::Record(Spot { table, pk }, 0) => Outcome::of(code(detector.record_write(&table.0, &pk.0))),
            Call::Record(Spot { table, pk }, _) => Outcome::of(code(detector.record_read(&table.0, &pk.0))),
            Call::Full(entry, takes_warning) => self.full(entry, *takes_warning),
            Call::Open(at, table) => self.open(*at, table),
            Call::Close(at) => {
                self.open[*at] = None;
                Outcome::default()
            }
            Call::Prepared(at, pk, operation, z) => Outcome::of(self.prepared(*at, pk, *operation, *z)),
            Call::Get(Spot { table, pk }, 0) => Outcome::of(code(detector.write_count(&table.0, &pk.0))),
            Call::Get(Spot { table, pk }, _) => Outcome::of(code(detector.read_count(&table.0, &pk.0))),
            Call::Set(scope, name, both) => self.set(*scope, name, *both),
            Call::Thresholds(Scope::Table, name) => read_back(detector.table_thresholds(&name.0)),
            Call::Thresholds(Scope::Model, name) => read_back(detector.model_thresholds(&name.0)),
            Call::OwnThresholds => read_back(Ok(detector.thresholds())),
            Call::Clear => status(detector.clear()),
            Call::SetTime(ms) => status(detector.set_time_ms(*ms)),
            Call::Batch(..) | Call::Flawed(_) => unreachable!("for C callers only"),
            Call::Forward(_) | Call::Backward(_) => unreachable!("calls are by absolute times"),
        };
        Outcome { called_back: std::mem::take(&mut self.called_back.lock().unwrap()), ..outcome }
    }
}
