//! Attribution: what a request comes to, by its response. It says which partitions are charged, which were throttled, and
//! what can be charged to none.

use crate::argument::Argument;
use crate::dynamodb::action::{Action, Cost, one_table};
use crate::dynamodb::attempt::Waits;
use crate::dynamodb::attribute;
use crate::dynamodb::charge::{self, Charge, UnkeyedIndexUnits};
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::request::ApiOperation;
use crate::dynamodb::response::{self, Capacity, Outcome, Response};
use crate::dynamodb::schema::Schemas;
use crate::dynamodb::target::{Finder, Target};
use crate::dynamodb::throttle::Throttles;
use crate::dynamodb::unprocessed::{Unprocessed, remove_unprocessed};
use crate::error::Error;
use crate::key::{Key, check_name};
use crate::operation::Operation;
use crate::units::{Units, read_units, write_units};
use crossbeam_epoch::Guard;
use std::borrow::Cow;
use std::cell::RefCell;

/// The charges, throttles and tallies that a request comes to.
#[derive(Default)]
pub(crate) struct Attribution<'a> {
    pub(crate) charges: Vec<Charge<'a>>,
    /// The part of the charges that no response confirms.
    pub(crate) estimated: Units,
    pub(crate) unkeyed_index_units: Vec<UnkeyedIndexUnits>,
    pub(crate) throttles: Throttles<'a>,
    /// Items that came back unprocessed.
    pub(crate) unprocessed: Vec<Unprocessed<'a>>,
    /// The tables whose parts are not in any of this, because their key is not known. In their order.
    pub(crate) waiting: Vec<Waits>,
    /// The tables whose key this request has told.
    pub(crate) learnt: Vec<String>,
}

/// Works out what a request comes to, or its parts on the table `only`. In `capacity` mode units are counted, so items
/// are measured where the response does not tell what they took. The parts of tables whose key is not known are left out.
pub(crate) fn attribute_request<'a>(
    api: ApiOperation,
    actions: &[Action<'a>],
    outcome: &Outcome<'a>,
    only: Option<&str>,
    schemas: &Schemas,
    capacity: bool,
    guard: &Guard,
) -> Result<Attribution<'a>, ObserveError> {
    let mut finder = Finder {
        schemas,
        response_indexes: Vec::new(),
        accepted: false,
        inferred: RefCell::default(),
        missing: RefCell::default(),
        only,
        left_out: Vec::new(),
        guard,
    };
    // Parts share in what the response tells, so without those that are missing it is worked out anew. Others may change
    // what is known meanwhile: until nothing more is missing.
    let found = loop {
        let found = attribute(api, actions, outcome, capacity, &mut finder)?;
        let missing = finder.missing.take();
        if missing.is_empty() {
            break found;
        }
        finder.leave_out(missing);
    };
    // Only a request that is good in all its parts teaches anything.
    found.check()?;
    let inferred = finder.inferred.into_inner();
    if inferred.is_empty() {
        return Ok(found);
    }
    schemas.add_inferred(&inferred, guard).map_err(Error::from)?;
    Ok(Attribution { learnt: inferred.into_iter().map(|(table, _)| table.into_owned()).collect(), ..found })
}

/// Works it out without the parts that the finder leaves out, or finds out that more of them have to be.
fn attribute<'a>(
    api: ApiOperation,
    actions: &[Action<'a>],
    outcome: &Outcome<'a>,
    capacity: bool,
    finder: &mut Finder<'_, '_>,
) -> Result<Attribution<'a>, ObserveError> {
    let waiting = finder.left_out.iter().map(|table| Waits::new(table, actions)).collect();
    let mut found = Attribution { waiting, ..Attribution::default() };
    match outcome {
        Outcome::Success(response) => {
            finder.accepted = true;
            finder.response_indexes = indexes_of(actions, response);
            attribute_success(api, actions, response, capacity, finder, &mut found)?;
        }
        Outcome::Unknown => {
            for (i, action) in actions.iter().enumerate() {
                found.add(i, action, finder.part(action)?, action.cost.estimate(None));
            }
            found.estimate();
        }
        Outcome::ConditionFailed(item) => {
            finder.accepted = true;
            for (i, action) in actions.iter().enumerate() {
                found.add(i, action, finder.part(action)?, failed_write_units(*item));
            }
            found.estimate();
        }
        Outcome::Canceled(codes) => {
            for (i, action) in actions.iter().enumerate() {
                let target = finder.part(action)?;
                if codes.get(i).is_some_and(|code| response::is_throttle(code)) {
                    found.throttles.add(action, target, &[], finder);
                } else {
                    found.add(i, action, target, action.cost.estimate(None));
                }
            }
            found.estimate();
        }
        Outcome::Throttled(reasons) => {
            // Where the reasons are of nothing that was asked for, it was throttled all the same.
            let named = actions.iter().any(|action| reasons.iter().any(|reason| reason.is_of(action)));
            let reasons = if named { &reasons[..] } else { &[] };
            for action in actions {
                found.throttles.add(action, finder.part(action)?, reasons, finder);
            }
            found.throttles.join();
        }
        Outcome::Refused => {}
    }
    Ok(found)
}

/// Works out what a request comes to that DynamoDB has carried out, as a whole or in part.
fn attribute_success<'a>(
    api: ApiOperation,
    actions: &[Action<'a>],
    response: &Response<'a>,
    capacity: bool,
    finder: &Finder<'_, '_>,
    found: &mut Attribution<'a>,
) -> Result<(), ObserveError> {
    let is_only = one_table(actions);
    let by_table = Capacity::by_table(&response.capacity)?;
    let has_capacity = |action: &Action<'_>| by_table.iter().any(|took| took.is_of(&action.table, is_only));
    let responses = match response.responses {
        Some(all) if all.starts_with('[') => json::array(all)?,
        _ => Vec::new(),
    };
    // Each action is charged with what it takes at least, or was throttled, or did nothing.
    for (i, action) in actions.iter().enumerate() {
        let target = finder.part(action)?;
        let [error, item] = match responses.get(i) {
            Some(&"null") => [None, None],
            Some(response) => json::members(response, ["Error", "Item"])?,
            None => [None, response.item],
        };
        let Some(error) = error else {
            // To measure an item is only of use where the response has no capacity, or that of several together.
            let keys = target.as_ref().map_or(0, |target| target.keys.len());
            let measured = capacity && (actions.len().max(keys) > 1 || !has_capacity(action));
            match response.items {
                _ if !measured => found.add(i, action, target, Units::default()),
                Some(items) => found.add_page(i, action, target, page_units(action, items)?),
                None => found.add(i, action, target, action.cost.estimate(item)),
            }
            continue;
        };
        let [code, item] = json::members(error, ["Code", "Item"])?;
        match &*code.map_or(Ok(Cow::Borrowed("")), json::text)? {
            "ConditionalCheckFailed" | "DuplicateItem" => {
                found.add(i, action, target, failed_write_units(item));
            }
            "InternalServerError" => found.add(i, action, target, action.cost.estimate(None)),
            code if response::is_throttle(code) => found.throttles.add(action, target, &[], finder),
            _ => {}
        }
    }
    // A batch's unprocessed items were not carried out.
    if let Some(unprocessed) = response.unprocessed {
        let Attribution { charges, waiting, .. } = found;
        found.unprocessed = remove_unprocessed(charges, waiting, api, actions, unprocessed, finder)?;
    }
    // A transaction that was made before reads what it would have written.
    let transactional = matches!(api, ApiOperation::TransactWriteItems | ApiOperation::ExecuteTransaction);
    for took in by_table.iter().filter(|took| transactional && took.is_replayed()) {
        let on_table = |charge: &&mut Charge<'_>| took.is_of(&actions[charge.action].table, is_only);
        found.charges.iter_mut().filter(on_table).for_each(|charge| charge.operation = Operation::Read);
    }
    // The capacity that the response tells is shared out: action by action where it is told so, else table by table.
    let in_order = response.capacity.len() > 1
        && response.capacity.len() == actions.len()
        && actions.iter().zip(&response.capacity).all(|(action, took)| took.is_of(&action.table, false));
    if in_order && found.unprocessed.is_empty() {
        for (i, took) in response.capacity.iter().enumerate() {
            let mut own: Vec<_> =
                found.charges.extract_if(.., |charge| charge.action == i && charge.actions > 0).collect();
            let (_, unkeyed) = charge::share_capacity(&mut own, actions, std::slice::from_ref(took), finder);
            found.charges.append(&mut own);
            found.unkeyed_index_units.extend(unkeyed);
        }
    } else {
        (found.estimated, found.unkeyed_index_units) =
            charge::share_capacity(&mut found.charges, actions, &by_table, finder);
    }
    Ok(())
}

/// Returns what a write takes whose condition failed: by the item that is there, if the response has it.
fn failed_write_units(item: Option<&str>) -> Units {
    write_units(item.and_then(|item| attribute::item_size(item).ok()).unwrap_or(0), false)
}

/// Returns what a page of items takes: the sum of their sizes, rounded up once.
fn page_units(action: &Action<'_>, items: &str) -> Result<Units, Malformed> {
    let mut size = 0;
    json::elements(items, |item| {
        size += attribute::item_size(item).unwrap_or(0);
        Ok::<(), Malformed>(())
    })?;
    Ok(match action.cost {
        Cost::Read(consistency) => read_units(size, consistency),
        Cost::Write { .. } => action.cost.estimate(None),
    })
}

/// Returns the indexes that the response names, and whether they are local, if any was asked.
fn indexes_of(actions: &[Action<'_>], response: &Response<'_>) -> Vec<(String, bool)> {
    if actions.iter().all(|action| action.index.is_none()) {
        return Vec::new();
    }
    let all = response.capacity.iter();
    let global = all.clone().flat_map(|took| &took.indexes).map(|(name, _)| (name.to_string(), false));
    let local = all.flat_map(|took| &took.local).map(|name| (name.to_string(), true));
    global.chain(local).collect()
}

impl<'a> Attribution<'a> {
    /// Charges each key of `target`, or its table if it has none, with one action of `units`. Without a target it waits.
    fn add(&mut self, i: usize, action: &Action<'a>, target: Option<Target<'a>>, units: Units) {
        let Some(Target { resource, keys }) = target else {
            if let Some(waits) = Waits::of(&mut self.waiting, &action.table) {
                waits.actions += 1;
            }
            return;
        };
        let charge = |key| {
            let (resource, operation) = (resource.clone(), action.operation);
            Charge { action: i, resource, key, operation, actions: 1, units }
        };
        if keys.is_empty() {
            self.charges.push(charge(None));
        }
        self.charges.extend(keys.into_iter().map(|key| charge(Some(key))));
    }

    /// Does the same where `units` are of all keys together.
    fn add_page(&mut self, i: usize, action: &Action<'a>, target: Option<Target<'a>>, units: Units) {
        let before = self.charges.len();
        self.add(i, action, target, units);
        let added = &mut self.charges[before..];
        if added.len() > 1 {
            let shares = charge::shares(units, &vec![Units::whole(1); added.len()]);
            added.iter_mut().zip(shares).for_each(|(charge, share)| charge.units = share);
        }
    }

    /// Returns the same with texts of its own.
    pub(crate) fn into_owned(self) -> Attribution<'static> {
        fn owned<T: ToOwned + ?Sized>(text: Cow<'_, T>) -> Cow<'static, T> {
            Cow::Owned(text.into_owned())
        }
        let charge = |Charge { action, resource, key, operation, actions, units }: Charge<'a>| {
            let (resource, key) = (owned(resource), key.map(owned));
            Charge { action, resource, key, operation, actions, units }
        };
        Attribution {
            charges: self.charges.into_iter().map(charge).collect(),
            estimated: self.estimated,
            unkeyed_index_units: self.unkeyed_index_units,
            throttles: self.throttles.into_owned(),
            unprocessed: self.unprocessed.into_iter().map(|(table, what)| (owned(table), what)).collect(),
            waiting: self.waiting,
            learnt: self.learnt,
        }
    }

    /// Marks all charges as estimated: only the request itself tells them.
    fn estimate(&mut self) {
        self.estimated = self.charges.iter().map(|charge| charge.units).sum();
    }

    /// Checks that all of it can be recorded. Nothing is recorded if a part can't be.
    fn check(&self) -> Result<(), Error> {
        let check = |resource: &str, key: &Option<Cow<'_, [u8]>>| {
            Key { table: resource.as_bytes(), pk: key.as_deref().unwrap_or_default() }.check()
        };
        self.charges.iter().try_for_each(|charge| check(&charge.resource, &charge.key))?;
        self.throttles.all.iter().try_for_each(|throttled| check(&throttled.resource, &throttled.key))?;
        let check = |resource: &str| check_name(Argument::Table, resource.as_bytes());
        self.unkeyed_index_units.iter().try_for_each(|unkeyed| check(&unkeyed.resource))?;
        self.unprocessed.iter().try_for_each(|(table, _)| check(table))
    }
}
