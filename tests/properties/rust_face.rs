//! A detector as a Rust program sees it.

use crate::call::*;
use crate::exchange::{Exchanged, TABLES};
use crate::samples::samples;
use hotpart::ffi::{HPD_ERR_INVALID, HPD_ERR_MEMORY, HPD_ERR_NULL, HPD_ERR_UNSUPPORTED, HPD_INTERVAL_WINDOW};
use hotpart::{
    Detector, Error, Exchange, Metrics, ObserveError, Operation, Reason, Record, Rule, Statistics,
    TableHandle, Thresholds, Unattributed, Warning,
};
use std::sync::{Arc, Mutex};

/// The warnings that the callback was given.
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
        of_throttle: warning.rule == Rule::Throttle,
    }
}

/// The C ABI's number for a result.
fn code(result: Result<u64, Error>) -> i64 {
    result.map_or_else(
        |error| {
            i64::from(match error {
                Error::Invalid(_) => HPD_ERR_INVALID,
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
        .warn_of_throttles(terms.warns_of_throttles)
        .manual_clock();
    if terms.capacity {
        builder = builder.capacity_mode();
    }
    if terms.interval != HPD_INTERVAL_WINDOW {
        builder = builder.warning_interval_seconds(terms.interval);
    }
    if terms.calls_back {
        let called_back = called_back.clone();
        builder = builder.on_warning(move |warning| called_back.lock().unwrap().push(copy_of(warning)));
    }
    let detector = builder.build().unwrap();
    for table in TABLES {
        detector.set_key_schema(table, None, &["p"]).unwrap();
    }
    (detector, called_back)
}

impl<'d> RustFace<'d> {
    pub fn new((detector, called_back): &'d (Detector, CalledBack)) -> Self {
        Self { detector, called_back: called_back.clone(), open: [const { None }; OPEN] }
    }

    /// The outcome of a call that returned its warning.
    fn taking(result: Result<(u64, Option<Warning<'_>>), Error>) -> Outcome {
        let taken = result.as_ref().ok().and_then(|(_, warning)| warning.as_ref().map(copy_of));
        Outcome { taken: taken.into_iter().collect(), ..Outcome::of(code(result.map(|(count, _)| count))) }
    }

    fn full(&self, entry: &Entry, hearer: Hearer) -> Outcome {
        if hearer == Hearer::Callback {
            return Outcome::of(code(self.detector.record(&record_of(entry))));
        }
        Self::taking(self.detector.record_and_warn(&record_of(entry)))
    }

    fn batch(&self, entries: &[Entry]) -> Outcome {
        let records: Vec<_> = entries.iter().map(record_of).collect();
        Outcome::of(code(self.detector.record_batch(&records).map(|n| n as u64)))
    }

    fn throttle(&self, spot: &Spot, operation: usize, reason: usize, hearer: Hearer) -> Outcome {
        let (Spot { table, pk }, operation, reason) = (spot, Operation::ALL[operation], Reason::ALL[reason]);
        if hearer == Hearer::Callback {
            return Outcome::of(code(self.detector.record_throttle(&table.0, &pk.0, operation, reason)));
        }
        Self::taking(self.detector.record_throttle_and_warn(&table.0, &pk.0, operation, reason))
    }

    fn observe(&self, exchanged: &Exchanged, hearer: Hearer) -> Outcome {
        let exchange = Exchange {
            operation: exchanged.operation.as_bytes(),
            request: exchanged.request.as_bytes(),
            response: Some(exchanged.response.as_bytes()),
            model: None,
            http_status: exchanged.status,
        };
        let mut taken = Vec::new();
        let observed = match hearer {
            Hearer::Callback => self.detector.observe(&exchange),
            _ => self.detector.observe_and_warn(&exchange, |warning| taken.push(copy_of(warning))),
        };
        let observed = observed.map_err(|refused| match refused {
            ObserveError::Refused(error) => error,
            other => unreachable!("{other}"),
        });
        Outcome { taken, ..Outcome::of(code(observed)) }
    }

    fn hottest(&self, operation: usize, n: usize) -> Outcome {
        let hottest = self.detector.hottest(Operation::ALL[operation], n).unwrap();
        let all = hottest.into_iter().map(|hot| Hot {
            spot: Spot { table: Text(hot.table), pk: Text(hot.pk) },
            operation,
            count: hot.count,
            throttles: hot.throttles,
            demand: hot.demand,
            peak: hot.peak,
            permille: hot.utilisation_permille,
        });
        Outcome { hottest: all.collect(), ..Outcome::default() }
    }

    fn statistics(&self) -> Outcome {
        let numbers = self.detector.statistics();
        let Statistics { partitions, reclaimed, cleared, .. } = numbers;
        Outcome {
            numbers: Some(Numbers {
                records: numbers.records,
                replaced: numbers.replaced,
                warnings: numbers.warnings,
                suppressed: numbers.suppressed,
                throttles: numbers.throttles,
                unattributed: numbers.unattributed,
                estimated_half_units: numbers.estimated_half_units,
                unknown_operations: numbers.unknown_operations,
                unread: numbers.unread,
            }),
            books: Some(Books { partitions, reclaimed, cleared }),
            ..Outcome::default()
        }
    }

    fn open(&mut self, at: usize, table: &Text) -> Outcome {
        let opened = self.detector.table(&table.0);
        let result = opened.as_ref().map(drop).map_err(|&error| error);
        self.open[at] = opened.ok();
        status(result)
    }

    fn prepared(&self, at: usize, pk: &Text, operation: usize, form: Form) -> i64 {
        let Some(table) = &self.open[at] else { return HPD_ERR_NULL.into() };
        let pk = form.key(pk);
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
            Call::Full(entry, hearer) => self.full(entry, *hearer),
            Call::Batch(entries, _) => self.batch(entries),
            Call::Open(at, table) => self.open(*at, table),
            Call::Close(at) => {
                self.open[*at] = None;
                Outcome::default()
            }
            Call::Prepared(_, _, _, Form::Due) => unreachable!("for C callers only"),
            Call::Prepared(at, pk, operation, form) => Outcome::of(self.prepared(*at, pk, *operation, *form)),
            Call::Throttle(spot, operation, reason, hearer) => {
                self.throttle(spot, *operation, *reason, *hearer)
            }
            Call::Throttles(Spot { table, pk }, operation, reason) => {
                let (operation, reason) = (Operation::ALL[*operation], Reason::ALL[*reason]);
                Outcome::of(code(detector.throttle_count(&table.0, &pk.0, operation, reason)))
            }
            Call::Unattributed(table, operation, what) => {
                let (operation, what) = (Operation::ALL[*operation], Unattributed::ALL[*what]);
                Outcome::of(code(detector.unattributed_count(&table.0, operation, what)))
            }
            Call::Observe(attempt, hearer) => self.observe(&attempt.exchanged(), *hearer),
            Call::Hottest(operation, n) => self.hottest(*operation, *n),
            Call::Statistics => self.statistics(),
            Call::Metrics(n) => {
                let text = detector.metrics(&Metrics::default().hottest(*n)).unwrap();
                Outcome { samples: samples(&text), ..Outcome::default() }
            }
            Call::Get(Spot { table, pk }, 0) => Outcome::of(code(detector.write_count(&table.0, &pk.0))),
            Call::Get(Spot { table, pk }, _) => Outcome::of(code(detector.read_count(&table.0, &pk.0))),
            Call::Set(scope, name, both) => self.set(*scope, name, *both),
            Call::Thresholds(Scope::Table, name) => read_back(detector.table_thresholds(&name.0)),
            Call::Thresholds(Scope::Model, name) => read_back(detector.model_thresholds(&name.0)),
            Call::OwnThresholds => read_back(Ok(detector.thresholds())),
            Call::Clear => status(detector.clear()),
            Call::SetTime(ms) => status(detector.set_time_ms(*ms)),
            Call::Flawed(_) => unreachable!("for C callers only"),
            Call::Forward(_) | Call::Backward(_) => unreachable!("calls are by absolute times"),
        };
        Outcome { called_back: std::mem::take(&mut self.called_back.lock().unwrap()), ..outcome }
    }
}
