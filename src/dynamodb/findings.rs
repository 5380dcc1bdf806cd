//! What a request comes to, by its answer: which partitions are charged, which were throttled, and what can't be charged
//! to any.

use crate::dynamodb::action::{Action, Cost, Subject, one_table};
use crate::dynamodb::attribute;
use crate::dynamodb::charge::{self, Charge, Stray};
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::request::{self, Api};
use crate::dynamodb::response::{self, Answer, Capacity, Outcome, Throttle};
use crate::dynamodb::schema::{Schemas, reduced};
use crate::dynamodb::target::{Finder, Target, index_resource};
use crate::error::Error;
use crate::key::{Key, check_name};
use crate::operation::Operation;
use crate::reason::Reason;
use crate::units::{Consistency, Units, read_units, write_units};
use crossbeam_epoch::Guard;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// What a request comes to.
#[derive(Default)]
pub(crate) struct Findings<'a> {
    pub(crate) charges: Vec<Charge<'a>>,
    pub(crate) estimated: Units,
    pub(crate) strays: Vec<Stray>,
    pub(crate) throttles: Vec<Throttled<'a>>,
    /// Those of indexes that the items at hand are known not to be in.
    outside: Vec<Throttled<'a>>,
    /// Items that came back unprocessed.
    pub(crate) unprocessed: Vec<(Cow<'a, str>, Operation)>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Throttled<'a> {
    pub(crate) resource: Cow<'a, str>,
    pub(crate) key: Option<Cow<'a, [u8]>>,
    pub(crate) operation: Operation,
    pub(crate) reason: Reason,
}

/// Works out what a request comes to. `capacity`: it is counted in units, so items are measured where the answer does
/// not tell.
pub(crate) fn findings<'a>(
    api: Api,
    actions: &[Action<'a>],
    outcome: Outcome<'a>,
    schemas: &Schemas,
    capacity: bool,
    guard: &Guard,
) -> Result<Findings<'a>, ObserveError> {
    let learnt = RefCell::default();
    let mut finder = Finder { schemas, shown: Vec::new(), accepted: false, learnt, guard };
    let mut found = Findings::default();
    match outcome {
        Outcome::Done(answer) => {
            finder.accepted = true;
            finder.shown = shown_indexes(actions, &answer);
            done(api, actions, answer, capacity, &finder, &mut found)?;
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
                if codes.get(i).is_some_and(|code| response::is_throttle(code)) {
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
            if found.throttles.is_empty() && found.outside.is_empty() {
                // The reasons are of nothing that was asked for. It was throttled all the same.
                for action in actions {
                    found.throttle(action, finder.target(action)?, &[], &finder);
                }
            }
            found.join_throttles();
        }
        Outcome::Refused => {}
    }
    found.check()?;
    let learnt = finder.learnt.into_inner();
    if !learnt.is_empty() {
        schemas.learn(&learnt, guard).map_err(Error::from)?;
    }
    Ok(found)
}

fn done<'a>(
    api: Api,
    actions: &[Action<'a>],
    answer: Answer<'a>,
    capacity: bool,
    finder: &Finder<'_, '_>,
    found: &mut Findings<'a>,
) -> Result<(), ObserveError> {
    let is_only = one_table(actions);
    let capacity_told = Capacity::by_table(&answer.capacity)?;
    let answered = |action: &Action<'_>| capacity_told.iter().any(|took| took.is_of(&action.table, is_only));
    let responses = match answer.responses {
        Some(all) if all.starts_with('[') => json::array(all)?,
        _ => Vec::new(),
    };
    for (i, action) in actions.iter().enumerate() {
        let target = finder.target(action)?;
        let [error, item] = match responses.get(i) {
            Some(&"null") => [None, None],
            Some(response) => json::members(response, ["Error", "Item"])?,
            None => [None, answer.item],
        };
        let Some(error) = error else {
            // To measure an item is only of use where the answer does not tell, or tells of several together.
            let measured = capacity && (actions.len().max(target.keys.len()) > 1 || !answered(action));
            match answer.items {
                _ if !measured => found.add(i, action, target, Units::default()),
                Some(items) => found.add_page(i, action, target, page(action, items)?),
                None => found.add(i, action, target, action.cost.estimate(item)),
            }
            continue;
        };
        let [code, item] = json::members(error, ["Code", "Item"])?;
        match &*code.map_or(Ok(Cow::Borrowed("")), json::text)? {
            "ConditionalCheckFailed" | "DuplicateItem" => found.add(i, action, target, failed(item)),
            "InternalServerError" => found.add(i, action, target, action.cost.estimate(None)),
            code if response::is_throttle(code) => found.throttle(action, target, &[], finder),
            _ => {}
        }
    }
    if let Some(unprocessed) = answer.unprocessed {
        found.take_back(api, actions, unprocessed, finder)?;
    }
    let transactional = matches!(api, Api::TransactWriteItems | Api::ExecuteTransaction);
    for took in capacity_told.iter().filter(|took| transactional && took.is_replayed()) {
        let of = |charge: &&mut Charge<'_>| took.is_of(&actions[charge.action].table, is_only);
        found.charges.iter_mut().filter(of).for_each(|charge| charge.operation = Operation::Read);
    }
    let in_order = answer.capacity.len() > 1
        && answer.capacity.len() == actions.len()
        && actions.iter().zip(&answer.capacity).all(|(action, took)| took.is_of(&action.table, false));
    if in_order && found.unprocessed.is_empty() {
        for (i, took) in answer.capacity.iter().enumerate() {
            let mut own: Vec<_> =
                found.charges.extract_if(.., |charge| charge.action == i && charge.actions > 0).collect();
            let (_, strays) = charge::settle(&mut own, actions, std::slice::from_ref(took), finder);
            found.charges.append(&mut own);
            found.strays.extend(strays);
        }
    } else {
        (found.estimated, found.strays) = charge::settle(&mut found.charges, actions, &capacity_told, finder);
    }
    Ok(())
}

/// The item, or the key, of an action.
fn text<'a>(subject: &Subject<'a>) -> &'a str {
    match subject {
        Subject::Item(text) | Subject::Key(text) => text,
        _ => "",
    }
}

/// A text as JSON, in which the order of members is none; `None` if it is too deep.
fn json_of(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
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
        Cost::Read(consistency) => read_units(size, consistency),
        Cost::Write { .. } => action.cost.estimate(None),
    })
}

/// The indexes that the answer names, and whether they are local, if any was asked.
fn shown_indexes(actions: &[Action<'_>], answer: &Answer<'_>) -> Vec<(String, bool)> {
    if actions.iter().all(|action| action.index.is_none()) {
        return Vec::new();
    }
    let all = answer.capacity.iter();
    let global = all.clone().flat_map(|took| &took.indexes).map(|(name, _)| (name.to_string(), false));
    let local = all.flat_map(|took| &took.local).map(|name| (name.to_string(), true));
    global.chain(local).collect()
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

    /// The same where `units` are of all keys together.
    fn add_page(&mut self, i: usize, action: &Action<'a>, target: Target<'a>, units: Units) {
        let before = self.charges.len();
        self.add(i, action, target, units);
        let added = &mut self.charges[before..];
        if added.len() > 1 {
            let shares = charge::shares(units, &vec![Units::whole(1); added.len()]);
            added.iter_mut().zip(shares).for_each(|(charge, share)| charge.units = share);
        }
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
        // What the items that were asked for are as JSON, once that is needed.
        let mut asked_values: HashMap<usize, Option<Json>> = HashMap::new();
        json::each(unprocessed, |table, returned| {
            let table: Cow<'a, str> = Cow::Owned(reduced(&table).0.to_owned());
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
                let exactly = |charge: &Charge<'_>| {
                    same(charge) && text(&actions[charge.action].subject) == text(&action.subject)
                };
                // What is returned was asked for. Of several on one key it is the one that says the same.
                let charges = &self.charges;
                let at = charges.iter().rposition(exactly).or_else(|| {
                    let value = json_of(text(&action.subject));
                    charges.iter().rposition(|charge| {
                        let of = charge.action;
                        let asked = || json_of(text(&actions[of].subject));
                        same(charge) && *asked_values.entry(of).or_insert_with(asked) == value
                    })
                });
                let at = at.or_else(|| charges.iter().rposition(same)).ok_or(Malformed)?;
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
            let reason = *reason;
            let (resource, key) = match index {
                Some(index) => {
                    let resource = Cow::Owned(index_resource(&action.table, index));
                    if finder.is_outside(action, index) {
                        self.outside.push(Throttled { resource, key: None, operation, reason });
                        continue;
                    }
                    (resource, finder.index_key(action, index).map(Cow::Owned))
                }
                None => (action.table.clone(), None),
            };
            all.push(Throttled { resource, key, operation, reason });
        }
        self.throttles.append(&mut all);
    }

    /// Items on one key were throttled in one attempt. An index's throttle is not that of items outside of it, if there
    /// are others.
    fn join_throttles(&mut self) {
        if !self.outside.is_empty() {
            let of = |one: &Throttled<'a>| (one.resource.clone(), one.operation, one.reason);
            let told: HashSet<_> = self.throttles.iter().map(of).collect();
            self.outside.retain(|one| !told.contains(&of(one)));
            self.throttles.append(&mut self.outside);
        }
        self.throttles.sort_unstable();
        self.throttles.dedup();
    }

    /// Nothing is recorded if anything can't be.
    fn check(&self) -> Result<(), Error> {
        let check = |resource: &str, key: &Option<Cow<'_, [u8]>>| {
            Key { table: resource.as_bytes(), pk: key.as_deref().unwrap_or_default() }.check()
        };
        self.charges.iter().try_for_each(|charge| check(&charge.resource, &charge.key))?;
        self.throttles.iter().try_for_each(|throttled| check(&throttled.resource, &throttled.key))?;
        self.strays.iter().try_for_each(|stray| check_name(stray.resource.as_bytes()))?;
        self.unprocessed.iter().try_for_each(|(table, _)| check_name(table.as_bytes()))
    }
}
