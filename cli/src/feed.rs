//! Feed: hands entries to a detector, whose clock follows their times.

use crate::batch::Batch;
use crate::entry::{Access, Entry, Event, Exchange};
use anyhow::{Context, Result};
use hotpart::{Detector, ObserveError, Record};
use std::collections::BTreeSet;

/// What an access adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Its operations.
    Operations,
    /// The capacity that it took, in half units: one unit for each operation where the log does not tell.
    HalfUnits,
}

impl Measure {
    /// Returns what an access adds: 0 is nothing.
    pub fn amount(self, access: &Access<'_>) -> u64 {
        match self {
            Self::Operations => access.operations,
            Self::HalfUnits => access.half_units.unwrap_or(access.operations.saturating_mul(2)),
        }
    }
}

/// Feeds a detector.
#[derive(Debug)]
pub struct Feed {
    measure: Measure,
    /// Tables whose partition key is not known: what is asked of them waits.
    pub missing: BTreeSet<String>,
    /// Exchanges that are none of DynamoDB's, or cut short.
    pub unread: u64,
}

impl Feed {
    pub fn new(measure: Measure) -> Self {
        Self { measure, missing: BTreeSet::new(), unread: 0 }
    }

    /// Records entries of one second, all at its beginning: for counts alone, of whole seconds.
    pub fn second(&mut self, detector: &Detector, batch: &Batch) -> Result<()> {
        let mut records = Vec::with_capacity(batch.len());
        for entry in batch.iter() {
            if records.is_empty() {
                set_time(detector, entry.time_ms() / 1_000 * 1_000)?;
            }
            match entry {
                Entry::Access(access) if access.event == Event::Done => records.extend(self.record(access)),
                other => _ = self.entry(detector, &other)?,
            }
        }
        detector.record_batch(&records)?;
        Ok(())
    }

    /// Records one entry at its own time. Returns the count of its partition with it; `None` where nothing was added, or the
    /// library alone knows to which partitions.
    pub fn timed(&mut self, detector: &Detector, entry: &Entry<'_>) -> Result<Option<u64>> {
        set_time(detector, entry.time_ms())?;
        self.entry(detector, entry)
    }

    fn entry(&mut self, detector: &Detector, entry: &Entry<'_>) -> Result<Option<u64>> {
        match *entry {
            Entry::Access(access) => match access.event {
                Event::Done => {
                    let count = self.record(access).map(|record| detector.record(&record));
                    return Ok(count.transpose()?);
                }
                Event::Throttled(reason) => {
                    _ = detector.record_throttle(access.table, access.pk, access.operation, reason)?;
                }
            },
            Entry::Exchange(exchange) => self.observe(detector, &exchange)?,
        }
        Ok(None)
    }

    /// Returns nothing of an access that took no capacity, where that is what is counted: the library has no such record.
    fn record<'a>(&self, access: Access<'a>) -> Option<Record<'a>> {
        let amount = self.measure.amount(&access);
        let record = Record::new(access.table, access.pk, access.operation).amount(amount);
        (amount > 0).then_some(match access.model {
            Some(model) if !model.is_empty() => record.model(model),
            _ => record,
        })
    }

    fn observe(&mut self, detector: &Detector, exchange: &Exchange<'_>) -> Result<()> {
        let Exchange { operation, request, response, model, http_status, .. } = *exchange;
        let exchange = hotpart::Exchange { operation, request, response, model, http_status };
        match detector.observe(&exchange) {
            Ok(_) => {}
            Err(ObserveError::MissingSchema(tables)) => self.missing.extend(tables),
            Err(ObserveError::Json) => self.unread += 1,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn set_time(detector: &Detector, time_ms: u64) -> Result<()> {
    detector.set_time_ms(time_ms).with_context(|| format!("the time {time_ms} ms is past the year 2106"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotpart::Operation;

    #[test]
    fn an_access_that_took_no_capacity_adds_none() -> Result<()> {
        let detector = Detector::builder(1, 1, 60).capacity_mode().manual_clock().build()?;
        let mut feed = Feed::new(Measure::HalfUnits);
        let access = Access::new(1_000, Operation::Write, b"t", b"k");
        let [free, of_three] = [0, 3].map(|n| Entry::Access(Access { half_units: Some(n), ..access }));
        assert_eq!(feed.timed(&detector, &free)?, None);
        assert_eq!(feed.timed(&detector, &of_three)?, Some(3));
        let mut batch = Batch::default();
        [free, of_three].iter().for_each(|entry| batch.push(entry));
        feed.second(&detector, &batch)?;
        assert_eq!(detector.write_count("t", "k")?, 6);
        Ok(())
    }
}
