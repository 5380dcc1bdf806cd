//! What a request comes to, by its answer: which partitions are charged, which were throttled, and what can't be charged
//! to any.

use crate::answer::{self, Answer, Outcome, Throttle};
use crate::aside::Reason;
use crate::attribute;
use crate::charge::{self, Charge, Stray};
use crate::detector::Detector;
use crate::error::Error;
use crate::json::{self, Malformed};
use crate::key::{Key, check_name};
use crate::observe::ObserveError;
use crate::operation::Operation;
use crate::request::{self, Action, Api, Cost, Subject};
use crate::schema::reduced;
use crate::target::{Finder, Target, index_resource};
use crate::units::{Consistency, Units, read_units, write_units};
use crossbeam_epoch::Guard;
use std::borrow::Cow;

/// What a request comes to.
#[derive(Default)]
pub(crate) struct Findings<'a> {
    pub(crate) charges: Vec<Charge<'a>>,
    pub(crate) estimated: Units,
    pub(crate) strays: Vec<Stray>,
    pub(crate) throttles: Vec<Throttled<'a>>,
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

impl Detector {
    /// Works out what a request comes to.
    pub(crate) fn findings<'a>(
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
        let capacity = self.terms.measure.is_capacity();
        let answered = |action: &Action<'_>| answer.capacity.iter().any(|took| took.is_of(&action.table));
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
                // To measure an item is only of use where the answer does not tell, or tells of several together.
                let measured = capacity && (actions.len().max(target.keys.len()) > 1 || !answered(action));
                let units = match answer.items {
                    _ if !measured => Units::default(),
                    Some(items) => page(action, items)?,
                    None => action.cost.estimate(item),
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
