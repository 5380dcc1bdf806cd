//! Feed: hands entries to a detector, whose clock follows their times.

use crate::batch::Batch;
use crate::entry::{Access, Entry, Event, Exchange, Origin};
use crate::input::account::SHOWN;
use crate::input::{source, uncounted};
use anyhow::{Context, Result};
use hotpart::{Detector, Error, ObserveError, Record};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The amount that an access adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Its operations.
    Operations,
    /// The capacity that it took, in half units; where the log does not tell, one unit for each
    /// operation.
    HalfUnits,
}

impl Measure {
    pub fn amount(self, access: &Access<'_>) -> u64 {
        match self {
            Self::Operations => access.operations,
            Self::HalfUnits => access.half_units.unwrap_or(access.operations.saturating_mul(2)),
        }
    }
}

/// An exchange that the library refuses, as it is none of DynamoDB's, or cut short, or of a table
/// or a key that is longer than any.
#[derive(Clone, Debug)]
pub struct Refused {
    from: Origin,
    reason: ObserveError,
}

impl Refused {
    /// Names the record, of one of these files, and says why.
    pub fn told(&self, files: &[PathBuf]) -> String {
        let Origin { file, line } = self.from;
        let name = files.get(file as usize).map_or_else(String::new, |path| source::name(path));
        match &self.reason {
            ObserveError::Json => format!("{name}:{line}: this is not the JSON of that operation"),
            reason => format!("{name}:{line}: {reason}"),
        }
    }
}

/// Feeds a detector.
#[derive(Debug)]
pub struct Feed {
    measure: Measure,
    /// By operation, the sum that accesses have added.
    pub recorded: [u64; 2],
    /// Whether anything has come but accesses that DynamoDB did.
    has_others: bool,
    /// Exchanges that it has observed.
    pub exchanges: u64,
    /// Tables whose partition key is not known: operations on them wait.
    pub missing: BTreeSet<String>,
    /// Exchanges that were refused.
    pub refused: u64,
    /// The first of those.
    pub first_refused: Vec<Refused>,
    /// Exchanges of which nothing is counted, by the reason.
    pub uncounted: BTreeMap<&'static str, u64>,
    /// Tables for which nothing waits any more.
    forgotten: BTreeSet<String>,
    /// Operations in exchanges that were not counted: they could not be read, or their table's key
    /// was not known in time. `None` until [`Feed::finish`].
    pub unread_operations: Option<u64>,
}

impl Feed {
    pub fn new(measure: Measure) -> Self {
        Self {
            measure,
            recorded: [0; 2],
            has_others: false,
            exchanges: 0,
            missing: BTreeSet::new(),
            refused: 0,
            first_refused: Vec::new(),
            uncounted: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            unread_operations: None,
        }
    }

    /// Forgets what has been counted so far. The tables whose keys are not known stay: the library
    /// tells of each but now and then.
    pub fn begin_anew(&mut self) {
        let Self { missing, forgotten, .. } = std::mem::replace(self, Self::new(self.measure));
        (self.missing, self.forgotten) = (missing, forgotten);
    }

    /// Records the entries of one second, all at its beginning. This suffices where counts are of
    /// whole seconds.
    pub fn second(&mut self, detector: &Detector, batch: &Batch) -> Result<()> {
        let mut records = Vec::with_capacity(batch.len());
        for entry in batch.iter() {
            if records.is_empty() {
                set_time(detector, entry.time_ms() / 1_000 * 1_000)?;
            }
            match entry {
                Entry::Access(access) if access.event == Event::Done => {
                    let amount = self.measure.amount(&access);
                    let recorded = &mut self.recorded[access.operation as usize];
                    *recorded = recorded.saturating_add(amount);
                    // An access that cost nothing changes nothing.
                    if amount > 0 {
                        records.push(record(&access, amount));
                    }
                }
                other => _ = self.entry(detector, &other)?,
            }
        }
        detector.record_batch(&records)?;
        Ok(())
    }

    /// Whether nothing has come but accesses that DynamoDB did. Then the detector has learnt no key,
    /// nothing waits in it, and its statistics tell of nothing but records.
    pub fn is_plain(&self) -> bool {
        !self.has_others
    }

    /// Records one entry at its own time. Returns its partition's count with it; `None` if nothing
    /// was added, or if only the library knows to which partitions.
    pub fn timed(&mut self, detector: &Detector, entry: &Entry<'_>) -> Result<Option<u64>> {
        set_time(detector, entry.time_ms())?;
        self.entry(detector, entry)
    }

    /// Ends the waiting for tables' keys, because operations that wait could not be counted any
    /// more. They are unread then, and so are later ones of these tables, until their keys are
    /// known after all.
    pub fn settle(&mut self, detector: &Detector) -> Result<()> {
        for table in self.missing.difference(&self.forgotten) {
            detector.forget_table(table)?;
        }
        self.forgotten.clone_from(&self.missing);
        Ok(())
    }

    /// Ends the waiting for good, and asks how many operations are unread. Where memory is bounded,
    /// that takes time in proportion to it.
    pub fn finish(&mut self, detector: &Detector) -> Result<()> {
        self.settle(detector)?;
        self.unread_operations = Some(detector.statistics().unread);
        Ok(())
    }

    fn entry(&mut self, detector: &Detector, entry: &Entry<'_>) -> Result<Option<u64>> {
        match *entry {
            Entry::Access(access) => match access.event {
                // An access that cost nothing changes nothing.
                Event::Done => match self.measure.amount(&access) {
                    0 => {}
                    amount => return Ok(Some(detector.record(&record(&access, amount))?)),
                },
                Event::Throttled(reason) => {
                    self.has_others = true;
                    _ = detector.record_throttle(access.table, access.pk, access.operation, reason)?;
                }
            },
            Entry::Exchange(exchange) => self.observe(detector, &exchange)?,
        }
        Ok(None)
    }

    fn observe(&mut self, detector: &Detector, exchange: &Exchange<'_>) -> Result<()> {
        self.has_others = true;
        self.exchanges += 1;
        let Exchange { from, operation, request, response, model, http_status, .. } = *exchange;
        match detector.observe(&hotpart::Exchange { operation, request, response, model, http_status }) {
            Ok(0) => {
                if let Some(reason) = uncounted::reason(exchange) {
                    *self.uncounted.entry(reason).or_default() += 1;
                }
            }
            Ok(_) => {}
            Err(ObserveError::MissingSchema(tables)) => self.missing.extend(tables),
            Err(reason @ (ObserveError::Json | ObserveError::Refused(Error::Invalid(_)))) => {
                self.refused += 1;
                if self.first_refused.len() < SHOWN {
                    self.first_refused.push(Refused { from, reason });
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn record<'a>(access: &Access<'a>, amount: u64) -> Record<'a> {
    let record = Record::new(access.table, access.pk, access.operation).amount(amount);
    match access.model {
        Some(model) if !model.is_empty() => record.model(model),
        _ => record,
    }
}

fn set_time(detector: &Detector, time_ms: u64) -> Result<()> {
    detector.set_time_ms(time_ms).with_context(|| format!("the time {time_ms} ms is past the year 2106"))
}
