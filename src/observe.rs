//! Reading what a DynamoDB client sent and got: which partitions that touched, what it took of each, and what was
//! throttled. All of it is worked out first, then recorded; so a request that is refused has changed nothing.

use crate::answer::{self, Answer, Outcome, Throttle};
use crate::aside::{Reason, Unattributed};
use crate::attribute;
use crate::charge::{self, Charge, Stray};
use crate::detector::Detector;
use crate::epoch;
use crate::error::Error;
use crate::json::{self, Malformed};
use crate::key::{Key, check_name};
use crate::operation::Operation;
use crate::record::Record;
use crate::request::{self, Action, Api, Cost, Subject};
use crate::statistics::Tally;
use crate::target::{Finder, NoTarget, Target, index_resource};
use crate::units::{Consistency, Units, write_units};
use crossbeam_epoch::Guard;
use std::borrow::Cow;

/// One attempt at a request, and its answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exchange<'a> {
    /// "PutItem", or the header `X-Amz-Target`: "DynamoDB_20120810.PutItem".
    pub operation: &'a [u8],
    /// The request's body, as it was sent.
    pub request: &'a [u8],
    /// The answer's body: all of it, or cut down to the members that are used; `None` where there is none.
    pub response: Option<&'a [u8]>,
    /// The model that the records are made for.
    pub model: Option<&'a [u8]>,
    /// The answer's HTTP status; 0 if none came.
    pub http_status: u16,
}

/// Why a request was not observed. Nothing of it was recorded then.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// The name of this table's partition key is needed and unknown: observe the answer of a DescribeTable, or set the
    /// schema, then observe this again.
    MissingSchema(String),
    /// It is not the JSON of that operation.
    Json,
    /// It can't be recorded.
    Refused(Error),
}

impl std::fmt::Display for ObserveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MissingSchema(table) => write!(f, "the key schema of table {table:?} is not known"),
            Self::Json => f.write_str("not the JSON of that operation"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ObserveError {}

impl From<Error> for ObserveError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<Malformed> for ObserveError {
    fn from(_: Malformed) -> Self {
        Self::Json
    }
}

impl From<NoTarget> for ObserveError {
    fn from(why: NoTarget) -> Self {
        match why {
            NoTarget::Malformed => Self::Json,
            NoTarget::Schema(table) => Self::MissingSchema(table),
        }
    }
}

/// What a request comes to.
#[derive(Default)]
struct Findings<'a> {
    charges: Vec<Charge<'a>>,
    estimated: Units,
    strays: Vec<Stray>,
    throttles: Vec<Throttled<'a>>,
    /// Items that came back unprocessed.
    unprocessed: Vec<(Cow<'a, str>, Operation)>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Throttled<'a> {
    resource: Cow<'a, str>,
    key: Option<Cow<'a, [u8]>>,
    operation: Operation,
    reason: Reason,
}

impl Detector {
    /// Records what a request to DynamoDB did, as far as its attempt and its answer tell, and returns how many
    /// item-level actions that were. Operations that are not known are tallied in [`Statistics`](crate::Statistics), and
    /// scans by table.
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
        exchange.model.map_or(Ok(()), check_name)?;
        let Some(api) = Api::named(exchange.operation) else {
            Tally::count(&self.terms.tally.unknown_operations, 1);
            return Ok(0);
        };
        let request = text(exchange.request)?;
        let actions = request::actions(api, request)?;
        let status = i32::from(exchange.http_status);
        let outcome = answer::outcome(status, exchange.response.map(text).transpose()?)?;
        let findings = {
            let guard = &epoch::pin();
            match outcome {
                Outcome::Refused => return Ok(0),
                Outcome::Done(Answer { description, .. }) if api == Api::Describe => {
                    description.map_or(Ok(()), |description| self.schemas.describe(description, guard))?;
                    return Ok(0);
                }
                outcome => self.findings(api, &actions, outcome, guard)?,
            }
        };
        self.apply(findings, exchange.model)
    }

    /// Declares the names of the attributes that make up the partition key of a table (one) or of an index (one to
    /// four). An index with the table's own key is taken for a local one. Clearing does not forget them.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names not of 1 to 1,024 bytes or not UTF-8, or too many or too few attributes.
    pub fn set_key_schema(
        &self,
        table: impl AsRef<[u8]>,
        index: Option<&[u8]>,
        attributes: &[impl AsRef<[u8]>],
    ) -> Result<(), Error> {
        let name = |name: &[u8]| -> Result<String, Error> {
            check_name(name)?;
            Ok(std::str::from_utf8(name).map_err(|_| Error::Invalid)?.to_owned())
        };
        let (table, index) = (name(table.as_ref())?, index.map(name).transpose()?);
        let most = if index.is_some() { 4 } else { 1 };
        if !(1..=most).contains(&attributes.len()) {
            return Err(Error::Invalid);
        }
        let hash =
            attributes.iter().map(|attribute| name(attribute.as_ref())).collect::<Result<Vec<_>, _>>()?;
        self.schemas.declare(crate::schema::reduced(&table).0, index.as_deref(), &hash, &epoch::pin());
        Ok(())
    }

    fn findings<'a>(
        &self,
        api: Api,
        actions: &[Action<'a>],
        outcome: Outcome<'a>,
        guard: &Guard,
    ) -> Result<Findings<'a>, ObserveError> {
        let mut finder = Finder { schemas: &self.schemas, local: None, accepted: false, guard };
        let mut found = Findings::default();
        match outcome {
            Outcome::Done(answer) => {
                finder.accepted = true;
                finder.local = shown_local(actions, &answer);
                self.done(api, actions, answer, &finder, &mut found)?;
            }
            Outcome::Unknown => {
                for (i, action) in actions.iter().enumerate() {
                    found.add(i, action, finder.target(action)?, action.cost.estimate(None));
                }
                found.estimate();
            }
            Outcome::ConditionFailed(item) => {
                finder.accepted = true;
                for (i, action) in actions.iter().enumerate() {
                    found.add(i, action, finder.target(action)?, failed(item));
                }
                found.estimate();
            }
            Outcome::Canceled(codes) => {
                for (i, action) in actions.iter().enumerate() {
                    let target = finder.target(action)?;
                    if codes.get(i).is_some_and(|code| answer::is_throttle(code)) {
                        found.throttle(action, target, &[], &finder);
                    } else {
                        found.add(i, action, target, action.cost.estimate(None));
                    }
                }
                found.estimate();
            }
            Outcome::Throttled(reasons) => {
                for action in actions {
                    found.throttle(action, finder.target(action)?, &reasons, &finder);
                }
                // Items on one key were throttled in one attempt.
                found.throttles.sort_unstable();
                found.throttles.dedup();
            }
            Outcome::Refused => {}
        }
        found.check()?;
        Ok(found)
    }

    fn done<'a>(
        &self,
        api: Api,
        actions: &[Action<'a>],
        answer: Answer<'a>,
        finder: &Finder<'_, '_>,
        found: &mut Findings<'a>,
    ) -> Result<(), ObserveError> {
        // Sizes are only of use where capacity counts and the answer does not tell it.
        let measures = self.terms.measure.is_capacity() && answer.capacity.is_empty();
        let responses = match answer.responses {
            Some(all) if all.starts_with('[') => json::array(all)?,
            _ => Vec::new(),
        };
        for (i, action) in actions.iter().enumerate() {
            let target = finder.target(action)?;
            let [error, item] = match responses.get(i) {
                Some(response) => json::members(response, ["Error", "Item"])?,
                None => [None, answer.item],
            };
            let Some(error) = error else {
                let units = match (measures, answer.items) {
                    (true, Some(items)) => page(action, items)?,
                    (true, None) => action.cost.estimate(item),
                    (false, _) => action.cost.estimate(None),
                };
                found.add(i, action, target, units);
                continue;
            };
            let [code, item] = json::members(error, ["Code", "Item"])?;
            match &*code.map_or(Ok(Cow::Borrowed("")), json::text)? {
                "ConditionalCheckFailed" => found.add(i, action, target, failed(item)),
                "InternalServerError" => found.add(i, action, target, action.cost.estimate(None)),
                code if answer::is_throttle(code) => found.throttle(action, target, &[], finder),
                _ => {}
            }
        }
        if let Some(unprocessed) = answer.unprocessed {
            found.take_back(api, actions, unprocessed, finder)?;
        }
        let transactional = matches!(api, Api::TransactWriteItems | Api::ExecuteTransaction);
        if transactional && answer.capacity.iter().any(|took| took.replayed) {
            found.charges.iter_mut().for_each(|charge| charge.operation = Operation::Read);
        }
        (found.estimated, found.strays) =
            charge::settle(&mut found.charges, actions, &answer.capacity, finder);
        Ok(())
    }

    fn apply(&self, found: Findings<'_>, model: Option<&[u8]>) -> Result<u64, ObserveError> {
        let capacity = self.terms.measure.is_capacity();
        let amount = |charge: &Charge<'_>| if capacity { charge.units.halves() } else { charge.actions };
        let charges = charge::merge(found.charges);
        let mut records = Vec::with_capacity(charges.len());
        let mut actions = 0;
        for charge in &charges {
            let Some(key) = &charge.key else { continue };
            actions += charge.actions;
            if amount(charge) > 0 {
                let mut record = Record::new(charge.resource.as_bytes(), key, charge.operation);
                record = record.amount(amount(charge));
                records.push(model.map_or(record, |model| record.model(model)));
            }
        }
        if self.record_batch(&records)? < records.len() {
            return Err(Error::Memory.into());
        }
        if capacity {
            Tally::count(&self.terms.tally.estimated_half_units, found.estimated.halves());
        }
        for charge in charges.iter().filter(|charge| charge.key.is_none()) {
            let table = charge.resource.as_bytes();
            self.tally(table, charge.operation, Unattributed::Scans, charge.actions)?;
            if capacity {
                self.tally(table, charge.operation, Unattributed::ScanUnits, charge.units.halves())?;
            }
        }
        for Stray { resource, units } in found.strays.iter().filter(|_| capacity) {
            self.tally(resource.as_bytes(), Operation::Write, Unattributed::IndexUnits, units.halves())?;
        }
        for (table, operation) in &found.unprocessed {
            self.tally(table.as_bytes(), *operation, Unattributed::Unprocessed, 1)?;
        }
        for Throttled { resource, key, operation, reason } in &found.throttles {
            match key {
                Some(key) => {
                    self.record_throttle(resource.as_bytes(), key, *operation, *reason)?;
                }
                None => self.tally(resource.as_bytes(), *operation, Unattributed::Throttles, 1)?,
            }
        }
        Ok(actions)
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// What a write takes whose condition failed: by the item that is there, if the answer has it.
fn failed(item: Option<&str>) -> Units {
    write_units(item.and_then(|item| attribute::item_size(item).ok()).unwrap_or(0), false)
}

/// What a page of items takes: the sum of their sizes, rounded up once.
fn page(action: &Action<'_>, items: &str) -> Result<Units, Malformed> {
    let mut size = 0;
    json::elements(items, |item| {
        size += attribute::item_size(item).unwrap_or(0);
        Ok::<(), Malformed>(())
    })?;
    Ok(match action.cost {
        Cost::Read(consistency) => crate::units::read_units(size, consistency),
        Cost::Write { .. } => action.cost.estimate(None),
    })
}

/// Whether the index that was queried is local, if the answer names it.
fn shown_local(actions: &[Action<'_>], answer: &Answer<'_>) -> Option<bool> {
    let index = actions.first()?.index.as_deref()?;
    let global = answer.capacity.iter().flat_map(|took| &took.indexes).any(|(name, _)| name == index);
    let local = answer.capacity.iter().any(|took| took.local);
    (global || local).then_some(!global)
}

impl<'a> Findings<'a> {
    fn add(&mut self, i: usize, action: &Action<'a>, target: Target<'a>, units: Units) {
        let Target { resource, keys } = target;
        let charge = |key| {
            let (resource, operation) = (resource.clone(), action.operation);
            Charge { action: i, resource, key, operation, actions: 1, units }
        };
        if keys.is_empty() {
            self.charges.push(charge(None));
        }
        self.charges.extend(keys.into_iter().map(|key| charge(Some(key))));
    }

    /// All that is charged is what the request itself tells.
    fn estimate(&mut self) {
        self.estimated = self.charges.iter().map(|charge| charge.units).sum();
    }

    /// Takes the items back that a batch's answer returns, and tallies them.
    fn take_back(
        &mut self,
        api: Api,
        actions: &[Action<'a>],
        unprocessed: &'a str,
        finder: &Finder<'_, '_>,
    ) -> Result<(), ObserveError> {
        json::each(unprocessed, |table, returned| {
            let table: Cow<'a, str> = Cow::Owned(crate::schema::reduced(&table).0.to_owned());
            let writes = api == Api::BatchWriteItem;
            let all = if writes {
                json::array(returned)?
            } else {
                let [keys] = json::members(returned, ["Keys"])?;
                json::array(keys.ok_or(Malformed)?)?
            };
            for one in all {
                let subject = if writes { request::written(one)?.0 } else { Subject::Key(one) };
                let operation = if writes { Operation::Write } else { Operation::Read };
                let cost = Cost::Read(Consistency::Eventual);
                let action = Action { table: table.clone(), index: None, operation, subject, cost };
                let target = finder.target(&action)?;
                let key = target.keys.into_iter().next();
                let same = |charge: &Charge<'_>| {
                    let asked = &actions[charge.action];
                    // Puts are returned as puts, and deletes as deletes.
                    let alike =
                        std::mem::discriminant(&asked.subject) == std::mem::discriminant(&action.subject);
                    alike && charge.key == key && asked.table == table
                };
                // What is returned was asked for.
                let at = self.charges.iter().rposition(same).ok_or(Malformed)?;
                self.charges.remove(at);
                self.unprocessed.push((table.clone(), operation));
            }
            Ok(())
        })
    }

    /// A throttled action counts once for each resource and reason that is named.
    fn throttle(
        &mut self,
        action: &Action<'a>,
        target: Target<'a>,
        reasons: &[Throttle<'a>],
        finder: &Finder<'_, '_>,
    ) {
        let Target { resource, keys } = target;
        let own = |reason, operation| {
            let all = keys.iter().map(|key| Some(key.clone())).chain(keys.is_empty().then_some(None));
            all.map(|key| Throttled { resource: resource.clone(), key, operation, reason })
                .collect::<Vec<_>>()
        };
        let mut all = Vec::new();
        if reasons.is_empty() {
            all = own(Reason::Unknown, action.operation);
        }
        for Throttle { table, index, of_index, operation, reason } in reasons {
            let operation = operation.unwrap_or(action.operation);
            if table.as_ref().is_some_and(|table| *table != action.table) {
                continue;
            }
            let on_index = resource != action.table;
            let queried = index.is_none() || index.as_deref() == action.index.as_deref();
            if *of_index == on_index && (!on_index || queried) {
                all.extend(own(*reason, operation));
                continue;
            }
            let (resource, key) = match index {
                Some(index) => {
                    let key = finder.index_key(action, index).map(Cow::Owned);
                    (Cow::Owned(index_resource(&action.table, index)), key)
                }
                None => (action.table.clone(), None),
            };
            all.push(Throttled { resource, key, operation, reason: *reason });
        }
        self.throttles.append(&mut all);
    }

    /// Nothing is recorded if anything can't be.
    fn check(&self) -> Result<(), Error> {
        let check = |resource: &str, key: &Option<Cow<'_, [u8]>>| {
            Key { table: resource.as_bytes(), pk: key.as_deref().unwrap_or_default() }.check()
        };
        self.charges.iter().try_for_each(|charge| check(&charge.resource, &charge.key))?;
        self.throttles.iter().try_for_each(|throttled| check(&throttled.resource, &throttled.key))?;
        self.strays.iter().try_for_each(|stray| check_name(stray.resource.as_bytes()))
    }
}
