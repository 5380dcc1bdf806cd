//! `observe`: has `dynamodb` work out what a request and its response come to, and records that as
//! charges, tallies and throttles.
//!
//! Which operations are understood, and how a body is read, is in `dynamodb`. A request that is
//! refused has changed nothing, unless memory runs out on the way.

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::delivery::Listener;
use crate::detector::record::Record;
use crate::detector::warning::Warning;
use crate::dynamodb::attribution::Attribution;
use crate::dynamodb::charge::{self, Charge, Of, UnkeyedIndexUnits};
use crate::dynamodb::description::described;
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::json::Malformed;
use crate::dynamodb::outcome::attribute_request;
use crate::dynamodb::request::{self, ApiOperation};
use crate::dynamodb::response::{self, Outcome, Response};
use crate::dynamodb::throttle::Throttled;
use crate::dynamodb::unprocessed::Part;
use crate::error::Error;
use crate::key::{Key, check_name};
use crate::ledger::counters::Counters;
use crate::reason::Unattributed;
use crate::sys::clock::Moment;
use crate::sys::epoch;
use crate::units::Units;

/// One attempt at a request, and its response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exchange<'a> {
    /// "PutItem", or the header `X-Amz-Target`: "DynamoDB_20120810.PutItem".
    pub operation: &'a [u8],
    /// The request's body, as it was sent.
    pub request: &'a [u8],
    /// The response's body: all of it, or cut down to the members that are used. `None` if there is
    /// none.
    pub response: Option<&'a [u8]>,
    /// The model for which the records are made; `1..=1024` bytes.
    pub model: Option<&'a [u8]>,
    /// The response's HTTP status; 0 if none came.
    pub http_status: u16,
}

impl Detector {
    /// Records what a request to DynamoDB did, as far as the request and its response tell, and
    /// returns how many item-level actions that were. Operations that are not known are tallied in
    /// [`Statistics`](crate::Statistics), and scans by table.
    ///
    /// A written item is also a write on each global index that is known and whose key the item
    /// has, under `TABLE/index/INDEX`. That is no action of its own. Of an item that is updated or
    /// deleted only its `Key` is known, and the attributes that are set to a value which is spelled
    /// out.
    ///
    /// Parts on a table whose partition key is not known wait. They are recorded when the key
    /// becomes known: by the response of a DescribeTable that is observed, by
    /// [`Detector::set_key_schema`], or by another request that shows it. They then count as of the
    /// moment at which they were observed. What is returned counts them. At the first of a table,
    /// and then once a minute while more come, the call returns [`ObserveError::MissingSchema`] in
    /// place of the number, to ask for the table. At most 10,000 parts, and 32 MiB of them, wait:
    /// then the oldest are tallied as [`Unattributed::Unread`]. So are parts that have waited for
    /// longer than a window.
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
    /// [`ObserveError`]. If memory runs out on the way a part may have been recorded. After
    /// [`ObserveError::MissingSchema`] all of it is recorded or waits: don't observe it again.
    pub fn observe(&self, exchange: &Exchange<'_>) -> Result<u64, ObserveError> {
        self.observe_for(exchange, &mut Listener::Callback)
    }

    /// Does the same, but calls `hear` with each due warning in place of the callback; `hear` may
    /// use the detector. Warnings of what waited until this request are among them.
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

    /// Observes an exchange:
    ///
    /// 1. The response's status comes first: a request that was refused is not read.
    /// 2. The request is read into actions. A table's description is taken over, and releases what
    ///    waits.
    /// 3. `dynamodb` works out the charges, with what waits and what was learnt beside them.
    /// 4. Parts that wait are queued, before anything is recorded: if there is no memory to keep
    ///    them, the request is refused whole.
    /// 5. What waited for a key that this request shows is recorded, then the request itself.
    /// 6. Tables whose key is missing are asked for.
    fn observe_for(&self, exchange: &Exchange<'_>, listener: &mut Listener<'_>) -> Result<u64, ObserveError> {
        exchange.model.map_or(Ok(()), |model| check_name(Argument::Model, model))?;
        let Some(api) = ApiOperation::named(exchange.operation) else {
            Counters::add(&self.counters.unknown_operations, 1);
            return Ok(0);
        };
        // 1. The outcome.
        let outcome = response::outcome(i32::from(exchange.http_status), exchange.response)?;
        // A request that was refused did nothing, whatever it asked for.
        if outcome == Outcome::Refused {
            return Ok(0);
        }
        // 2. The actions.
        let mut actions = request::actions(api, text(exchange.request)?)?;
        // Read before anything is looked up: `wait` finds out by it whether a key became known
        // since.
        let known = self.schemas.changes();
        let mut found = match &outcome {
            Outcome::Success(Response { description, .. }) if api == ApiOperation::Describe => {
                if let Some((table, schema)) = description.map(described).transpose()?.flatten() {
                    self.schemas.describe(&table, &schema, &epoch::pin()).map_err(Error::from)?;
                    self.release(&table, schema.hash.is_some(), listener)?;
                }
                return Ok(0);
            }
            // 3. The charges.
            outcome => {
                let capacity = self.settings.measure.is_capacity();
                attribute_request(api, &mut actions, outcome, None, &self.schemas, capacity, &epoch::pin())?
            }
        };
        let (waiting, learnt) = (std::mem::take(&mut found.waiting), std::mem::take(&mut found.learnt));
        // 4. Before anything is recorded, so that no part is recorded without the others being
        //    kept.
        let waits =
            if waiting.is_empty() { None } else { Some(self.wait(exchange, waiting, known, listener)?) };
        // 5. What waited was observed before this request, so it is recorded before.
        learnt.iter().try_for_each(|table| self.release(table, false, listener))?;
        let actions = self.apply(found, exchange.model, None, listener)?;
        // 6. After everything is recorded, as asking ends the call with an error.
        match waits {
            None => Ok(actions),
            Some(waits) => Ok(actions + self.ask(waits)?),
        }
    }

    /// Records what a request came to: at this moment, or as of the moment `then` at which it was
    /// observed. Returns its actions.
    pub(crate) fn apply(
        &self,
        found: Attribution<'_>,
        model: Option<&[u8]>,
        then: Option<Moment>,
        listener: &mut Listener<'_>,
    ) -> Result<u64, Error> {
        let capacity = self.settings.measure.is_capacity();
        let amount = |charge: &Charge<'_>| if capacity { charge.units.halves() } else { charge.actions };
        let charges = charge::merge(found.charges);
        // A charge without a key is a scan, and an amount of 0 changes nothing: neither is a
        // record.
        let records = charges.iter().filter_map(|charge| {
            let key = charge.key.as_ref().filter(|_| amount(charge) > 0)?;
            let record =
                Record::new(charge.resource.as_bytes(), key, charge.operation).amount(amount(charge));
            Some(model.map_or(record, |model| record.model(model)))
        });
        // Nearly always there is one record, which needs no memory for a list. What waited is
        // recorded one by one, as a batch has no moment of its own.
        if charges.len() == 1 || then.is_some() {
            for record in records {
                if let (_, Some(warning)) = self.record_as_of(&record, then, listener.delivery())? {
                    listener.hear(self, &warning);
                }
            }
        } else {
            let records: Vec<_> = records.collect();
            let (check, nth) = (|i: usize| records[i].check(), |i: usize| records[i]);
            // Fewer than all were recorded only if memory ran out.
            if self.record_each(records.len(), check, nth, listener)? < records.len() {
                return Err(Error::Memory);
            }
        }
        // A write that an item brings to its indexes is no action of the request's.
        let own = charges.iter().filter(|charge| charge.key.is_some() && charge.of != Of::Index);
        let actions = own.map(|charge| charge.actions).sum();
        if capacity && found.estimated > Units::default() {
            Counters::add(&self.counters.estimated_half_units, found.estimated.halves());
        }
        // Charges without a key are scans.
        for charge in charges.iter().filter(|charge| charge.key.is_none()) {
            let table = charge.resource.as_bytes();
            self.tally(table, charge.operation, Unattributed::Scans, charge.actions, then)?;
            if capacity {
                self.tally(table, charge.operation, Unattributed::ScanUnits, charge.units.halves(), then)?;
            }
        }
        for UnkeyedIndexUnits { resource, operation, units } in
            found.unkeyed_index_units.iter().filter(|_| capacity)
        {
            self.tally(resource.as_bytes(), *operation, Unattributed::IndexUnits, units.halves(), then)?;
        }
        self.tally_parts(&found.unprocessed, Unattributed::Unprocessed, then)?;
        self.tally_parts(&found.unread, Unattributed::Unread, then)?;
        for Throttled { resource, key, operation, reason } in &found.throttles.all {
            match key {
                Some(key) => {
                    let key = Key { table: resource.as_bytes(), pk: key };
                    if let (_, Some(warning)) =
                        self.record_throttle_to(key, *operation, *reason, then, listener.delivery())?
                    {
                        listener.hear(self, &warning);
                    }
                }
                None => self.tally(resource.as_bytes(), *operation, Unattributed::Throttles, 1, then)?,
            }
        }
        Ok(actions)
    }

    /// Tallies parts of a request, one by one: by their tables or, where those are not known, in
    /// the statistics alone.
    fn tally_parts(&self, parts: &[Part<'_>], what: Unattributed, then: Option<Moment>) -> Result<(), Error> {
        for (table, operation) in parts {
            if table.is_empty() {
                Counters::add(&self.counters.unattributed[what as usize], 1);
            } else {
                self.tally(table.as_bytes(), *operation, what, 1, then)?;
            }
        }
        Ok(())
    }
}

/// Returns bytes as text, which JSON must be.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}
