//! `observe`: has `dynamodb` work out what a request and its response come to, then records that: charges, tallies,
//! throttles. Which operations are understood, and how a body is read, is in `dynamodb`. A request that is refused has
//! changed nothing.

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::delivery::Listener;
use crate::detector::record::Record;
use crate::detector::warning::Warning;
use crate::dynamodb::attribution::{Attribution, attribute_request};
use crate::dynamodb::charge::{self, Charge, Of, UnkeyedIndexUnits};
use crate::dynamodb::description::described;
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::json::Malformed;
use crate::dynamodb::request::{self, ApiOperation};
use crate::dynamodb::response::{self, Outcome, Response};
use crate::dynamodb::schema::split_arn;
use crate::dynamodb::throttle::Throttled;
use crate::dynamodb::unprocessed::Part;
use crate::error::{Error, OutOfMemory};
use crate::key::{Key, check_name};
use crate::ledger::counters::Counters;
use crate::reason::Unattributed;
use crate::sys::epoch;
use crate::sys::memory::try_text;
use crate::units::Units;

/// One attempt at a request, and its response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exchange<'a> {
    /// "PutItem", or the header `X-Amz-Target`: "DynamoDB_20120810.PutItem".
    pub operation: &'a [u8],
    /// The request's body, as it was sent.
    pub request: &'a [u8],
    /// The response's body: all of it, or cut down to the members that are used; `None` where there is none.
    pub response: Option<&'a [u8]>,
    /// The model that the records are made for.
    pub model: Option<&'a [u8]>,
    /// The response's HTTP status; 0 if none came.
    pub http_status: u16,
}

impl Detector {
    /// Records what a request to DynamoDB did, as far as the request and its response tell, and returns how many
    /// item-level actions that were. Operations that are not known are tallied in [`Statistics`](crate::Statistics), and
    /// scans by table. An item that is written is a write on each global index too that is known
    /// and whose key it has, on `TABLE/index/INDEX`: that is no action of its own.
    ///
    /// ```
    /// use hotpart::{Detector, Exchange};
    /// let detector = Detector::new(500, 1_500, 60)?;
    /// detector.set_key_schema("events", None, &["id"])?;
    /// let recorded = detector.observe(&Exchange {
    ///     operation: b"PutItem",
    ///     request: br#"{"Item":{"id":{"S":"EVENTS"},"n":{"N":"1"}},"TableName":"events"}"#,
    ///     response: Some(b"{}"),
    ///     http_status: 200,
    ///     ..Exchange::default()
    /// })?;
    /// assert_eq!((recorded, detector.write_count("events", "EVENTS")?), (1, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ObserveError`]. If memory runs out on the way a part may have been recorded.
    pub fn observe(&self, exchange: &Exchange<'_>) -> Result<u64, ObserveError> {
        self.observe_for(exchange, &mut Listener::Callback)
    }

    /// Does the same, but `hear` is called with each due warning in place of the callback; it may use the detector.
    ///
    /// # Errors
    /// As [`Detector::observe`]. Warnings may have been given before memory ran out.
    pub fn observe_and_warn(
        &self,
        exchange: &Exchange<'_>,
        mut hear: impl FnMut(&Warning<'_>),
    ) -> Result<u64, ObserveError> {
        self.observe_for(exchange, &mut Listener::Caller(&mut hear))
    }

    fn observe_for(&self, exchange: &Exchange<'_>, listener: &mut Listener<'_>) -> Result<u64, ObserveError> {
        exchange.model.map_or(Ok(()), |model| check_name(Argument::Model, model))?;
        let Some(api) = ApiOperation::named(exchange.operation) else {
            Counters::add(&self.counters.unknown_operations, 1);
            return Ok(0);
        };
        let outcome = response::outcome(i32::from(exchange.http_status), exchange.response)?;
        // What was refused was nothing, whatever was asked.
        if outcome == Outcome::Refused {
            return Ok(0);
        }
        let actions = request::actions(api, text(exchange.request)?)?;
        let attribution = {
            let guard = &epoch::pin();
            match outcome {
                Outcome::Success(Response { description, .. }) if api == ApiOperation::Describe => {
                    if let Some((table, schema)) = description.map(described).transpose()?.flatten() {
                        self.schemas.describe(&table, &schema, guard).map_err(Error::from)?;
                    }
                    return Ok(0);
                }
                outcome => attribute_request(
                    api,
                    &actions,
                    outcome,
                    &self.schemas,
                    self.settings.measure.is_capacity(),
                    guard,
                )?,
            }
        };
        self.apply(attribution, exchange.model, listener)
    }

    /// Declares the names of the attributes that make up the partition key of a table (one) or of an index (one to
    /// four). An index with the table's own key is taken for a local one. Clearing does not forget them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names not of 1 to 1,024 bytes or not UTF-8, or too many or too few attributes;
    /// [`Error::Memory`].
    pub fn set_key_schema(
        &self,
        table: impl AsRef<[u8]>,
        index: Option<&[u8]>,
        attributes: &[impl AsRef<[u8]>],
    ) -> Result<(), Error> {
        fn name(argument: Argument, name: &[u8]) -> Result<&str, Error> {
            check_name(argument, name)?;
            std::str::from_utf8(name).map_err(|_| Error::Invalid(argument))
        }
        let table = name(Argument::KeyTable, table.as_ref())?;
        let index = index.map(|index| name(Argument::KeyIndex, index)).transpose()?;
        let most = if index.is_some() { 4 } else { 1 };
        if !(1..=most).contains(&attributes.len()) {
            return Err(Error::Invalid(Argument::KeyAttributes));
        }
        let mut hash = Vec::new();
        hash.try_reserve_exact(attributes.len()).map_err(OutOfMemory::from)?;
        for attribute in attributes {
            hash.push(try_text([name(Argument::KeyAttribute, attribute.as_ref())?])?);
        }
        Ok(self.schemas.declare(split_arn(table).0, index, &hash, &epoch::pin())?)
    }

    fn apply(
        &self,
        found: Attribution<'_>,
        model: Option<&[u8]>,
        listener: &mut Listener<'_>,
    ) -> Result<u64, ObserveError> {
        let capacity = self.settings.measure.is_capacity();
        let amount = |charge: &Charge<'_>| if capacity { charge.units.halves() } else { charge.actions };
        let charges = charge::merge(found.charges);
        let records = charges.iter().filter_map(|charge| {
            let key = charge.key.as_ref().filter(|_| amount(charge) > 0)?;
            let record =
                Record::new(charge.resource.as_bytes(), key, charge.operation).amount(amount(charge));
            Some(model.map_or(record, |model| record.model(model)))
        });
        // Nearly always there is one: no memory for it.
        if charges.len() == 1 {
            for record in records {
                if let (_, Some(warning)) = self.record_checked(&record, listener.delivery())? {
                    listener.hear(self, &warning);
                }
            }
        } else {
            let records: Vec<_> = records.collect();
            let (check, nth) = (|i: usize| records[i].check(), |i: usize| records[i]);
            if self.record_each(records.len(), check, nth, listener)? < records.len() {
                return Err(Error::Memory.into());
            }
        }
        // What a written item brings to its indexes is no action of the request's.
        let own = charges.iter().filter(|charge| charge.key.is_some() && charge.of != Of::Index);
        let actions = own.map(|charge| charge.actions).sum();
        if capacity && found.estimated > Units::default() {
            Counters::add(&self.counters.estimated_half_units, found.estimated.halves());
        }
        for charge in charges.iter().filter(|charge| charge.key.is_none()) {
            let table = charge.resource.as_bytes();
            self.tally(table, charge.operation, Unattributed::Scans, charge.actions)?;
            if capacity {
                self.tally(table, charge.operation, Unattributed::ScanUnits, charge.units.halves())?;
            }
        }
        for UnkeyedIndexUnits { resource, operation, units } in
            found.unkeyed_index_units.iter().filter(|_| capacity)
        {
            self.tally(resource.as_bytes(), *operation, Unattributed::IndexUnits, units.halves())?;
        }
        self.tally_parts(&found.unprocessed, Unattributed::Unprocessed)?;
        self.tally_parts(&found.unread, Unattributed::Unread)?;
        for Throttled { resource, key, operation, reason } in &found.throttles.all {
            match key {
                Some(key) => {
                    let key = Key { table: resource.as_bytes(), pk: key };
                    if let (_, Some(warning)) =
                        self.record_throttle_to(key, *operation, *reason, listener.delivery())?
                    {
                        listener.hear(self, &warning);
                    }
                }
                None => self.tally(resource.as_bytes(), *operation, Unattributed::Throttles, 1)?,
            }
        }
        Ok(actions)
    }

    /// Tallies parts of a request, one by one: by their tables or, where those are not known, in
    /// the statistics alone.
    fn tally_parts(&self, parts: &[Part<'_>], what: Unattributed) -> Result<(), Error> {
        for (table, operation) in parts {
            if table.is_empty() {
                Counters::add(&self.counters.unattributed[what as usize], 1);
            } else {
                self.tally(table.as_bytes(), *operation, what, 1)?;
            }
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}
