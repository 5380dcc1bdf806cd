//! Attribution: what a request comes to, by its response. It says which partitions are charged, which were throttled, and
//! what can be charged to none.

use crate::argument::Argument;
use crate::dynamodb::action::{Action, Cost, one_table};
use crate::dynamodb::attribute;
use crate::dynamodb::charge::{self, Charge, Of, UnkeyedIndexUnits};
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::index_write::index_writes;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::request::ApiOperation;
use crate::dynamodb::response::{self, Capacity, Outcome, Response};
use crate::dynamodb::schema::Schemas;
use crate::dynamodb::target::{Finder, NoTarget, Target};
use crate::dynamodb::throttle::Throttles;
use crate::dynamodb::unprocessed::{Part, remove_unprocessed};
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
    pub(crate) unprocessed: Vec<Part<'a>>,
    /// Parts that could not be read.
    pub(crate) unread: Vec<Part<'a>>,
}

/// Works out what a request comes to. In `capacity` mode units are counted, so items are measured where the response
/// does not tell what they took.
pub(crate) fn attribute_request<'a>(
    api: ApiOperation,
    actions: &[Action<'a>],
    outcome: Outcome<'a>,
    schemas: &Schemas,
    capacity: bool,
    guard: &Guard,
) -> Result<Attribution<'a>, ObserveError> {
    let inferred = RefCell::default();
    let mut finder = Finder { schemas, response_indexes: Vec::new(), accepted: false, inferred, guard };
    let mut found = Attribution::default();
    match outcome {
        Outcome::Success(response) => {
            finder.accepted = true;
            finder.response_indexes = indexes_of(actions, &response);
            attribute_success(api, actions, response, capacity, &finder, &mut found)?;
        }
        Outcome::Unknown => {
            for (i, action) in actions.iter().enumerate() {
                match place(api, action, &finder)? {
                    Some(target) => found.add(i, action, target, finder.estimate(action, None)),
                    None => found.add_unread(i, action, Units::default()),
                }
            }
            let mut writes = index_writes(&found.charges, actions, &finder);
            found.charges.append(&mut writes);
            found.estimate();
        }
        Outcome::ConditionFailed(item) => {
            finder.accepted = true;
            for (i, action) in actions.iter().enumerate() {
                let Some(target) = place(api, action, &finder)? else {
                    found.add_unread(i, action, Units::default());
                    continue;
                };
                let units = failed_write_units(action, item, &finder);
                found.add_unchanged(i, action, target, units);
            }
            found.estimate();
        }
        Outcome::Canceled(codes) => {
            for (i, action) in actions.iter().enumerate() {
                let Some(target) = place(api, action, &finder)? else {
                    found.add_unread(i, action, Units::default());
                    continue;
                };
                if codes.get(i).is_some_and(|code| response::is_throttle(code)) {
                    found.throttles.add(action, target, &[], &finder);
                } else {
                    found.add_unchanged(i, action, target, finder.estimate(action, None));
                }
            }
            found.estimate();
        }
        Outcome::Throttled(reasons) => {
            for (i, action) in actions.iter().enumerate() {
                match place(api, action, &finder)? {
                    Some(target) => found.throttles.add(action, target, &reasons, &finder),
                    None => found.add_unread(i, action, Units::default()),
                }
            }
            if found.throttles.is_empty() {
                // The reasons are of nothing that was asked for. It was throttled all the same.
                for action in actions {
                    if let Some(target) = place(api, action, &finder)? {
                        found.throttles.add(action, target, &[], &finder);
                    }
                }
            }
            found.throttles.join();
        }
        Outcome::Refused => {}
    }
    found.set_unread_apart();
    found.check()?;
    let inferred = finder.inferred.into_inner();
    if !inferred.is_empty() {
        schemas.add_inferred(&inferred, guard).map_err(Error::from)?;
    }
    Ok(found)
}

/// Returns where an action belongs; `None` if it is a part that can't be read, or is none that a
/// table can have. Where there are no parts, what can't be read is the request.
fn place<'a>(
    api: ApiOperation,
    action: &Action<'a>,
    finder: &Finder<'_, '_>,
) -> Result<Option<Target<'a>>, ObserveError> {
    if api.has_parts() && check_name(Argument::Table, action.table.as_bytes()).is_err() {
        return Ok(None);
    }
    match finder.target(action) {
        Err(NoTarget::Malformed) if api.has_parts() || api.is_statement() => Ok(None),
        Ok(target) if api.has_parts() && !target.is_valid() => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// Works out what a request comes to that DynamoDB has carried out, as a whole or in part.
fn attribute_success<'a>(
    api: ApiOperation,
    actions: &[Action<'a>],
    response: Response<'a>,
    capacity: bool,
    finder: &Finder<'_, '_>,
    found: &mut Attribution<'a>,
) -> Result<(), ObserveError> {
    let is_only = one_table(actions);
    let by_table = Capacity::by_table(&response.capacity)?;
    let has_index_writes = |action: &Action<'_>| {
        let bare = by_table.iter().any(|took| took.is_of(&action.table, is_only) && !took.detailed);
        bare && action.is_change() && !finder.global_indexes(&action.table).is_empty()
    };
    let has_capacity = |action: &Action<'_>| by_table.iter().any(|took| took.is_of(&action.table, is_only));
    let responses = match response.responses {
        Some(all) if all.starts_with('[') => json::array(all)?,
        _ => Vec::new(),
    };
    // Each action is charged with what it takes at least, or was throttled, or did nothing.
    for (i, action) in actions.iter().enumerate() {
        let target = place(api, action, finder)?;
        let [error, item] = match responses.get(i) {
            Some(&"null") => [None, None],
            Some(response) => json::members(response, ["Error", "Item"])?,
            None => [None, response.item],
        };
        let Some(target) = target else {
            // It takes its share of what is told. If it was refused, it is nothing.
            if error.is_none_or(was_carried_out) {
                let units = if capacity { finder.estimate(action, None) } else { Units::default() };
                found.add_unread(i, action, units);
            }
            continue;
        };
        let Some(error) = error else {
            // To measure an item is only of use where the response has no capacity, or that of
            // several together: of items, or of a table and its indexes.
            let several = || actions.len().max(target.keys.len()) > 1 || has_index_writes(action);
            let measured = capacity && (several() || !has_capacity(action));
            match response.items {
                _ if !measured => found.add(i, action, target, Units::default()),
                Some(items) => found.add_page(i, action, target, page_units(action, items)?),
                None => found.add(i, action, target, finder.estimate(action, item)),
            }
            continue;
        };
        let [code, item] = json::members(error, ["Code", "Item"])?;
        match &*code.map_or(Ok(Cow::Borrowed("")), json::text)? {
            "ConditionalCheckFailed" | "DuplicateItem" => {
                let units = failed_write_units(action, item, finder);
                found.add_unchanged(i, action, target, units);
            }
            "InternalServerError" => found.add(i, action, target, finder.estimate(action, None)),
            code if response::is_throttle(code) => found.throttles.add(action, target, &[], finder),
            _ => {}
        }
    }
    // A batch's unprocessed items were not carried out.
    if let Some(unprocessed) = response.unprocessed {
        found.unprocessed = remove_unprocessed(&mut found.charges, api, actions, unprocessed, finder)?;
    }
    // A transaction that was made before reads what it would have written.
    let transactional = matches!(api, ApiOperation::TransactWriteItems | ApiOperation::ExecuteTransaction);
    for took in by_table.iter().filter(|took| transactional && took.is_replayed()) {
        let on_table = |charge: &&mut Charge<'_>| took.is_of(&actions[charge.action].table, is_only);
        for charge in found.charges.iter_mut().filter(on_table) {
            charge.operation = Operation::Read;
            // A part that can't be read stays one.
            if charge.of == Of::Change {
                charge.of = Of::Look;
            }
        }
    }
    let mut index_writes = index_writes(&found.charges, actions, finder);
    // The capacity that the response tells is shared out: action by action where it is told so, else table by table.
    let in_order = response.capacity.len() > 1
        && response.capacity.len() == actions.len()
        && actions.iter().zip(&response.capacity).all(|(action, took)| took.is_of(&action.table, false));
    if in_order && found.unprocessed.is_empty() {
        for (i, took) in response.capacity.iter().enumerate() {
            let is_own = |charge: &mut Charge<'_>| charge.action == i;
            let mut own: Vec<_> = found.charges.extract_if(.., is_own).collect();
            let writes = index_writes.extract_if(.., is_own).collect();
            let took = std::slice::from_ref(took);
            let (_, unkeyed) = charge::share_capacity(&mut own, writes, actions, took, finder);
            found.charges.append(&mut own);
            found.unkeyed_index_units.extend(unkeyed);
        }
    } else {
        (found.estimated, found.unkeyed_index_units) =
            charge::share_capacity(&mut found.charges, index_writes, actions, &by_table, finder);
    }
    Ok(())
}

/// Returns whether a statement was carried out, or throttled, that has this error.
fn was_carried_out(error: &str) -> bool {
    let code =
        json::members(error, ["Code"]).and_then(|[code]| code.map_or(Ok(Cow::Borrowed("")), json::text));
    code.is_ok_and(|code| {
        matches!(&*code, "ConditionalCheckFailed" | "DuplicateItem" | "InternalServerError")
            || response::is_throttle(&code)
    })
}

/// Returns what a write takes whose condition failed: by the item that is there, if the response has it.
fn failed_write_units(action: &Action<'_>, item: Option<&str>, finder: &Finder<'_, '_>) -> Units {
    let size = |item| attribute::written_size(item, &finder.vectors(&action.table)).ok();
    write_units(item.and_then(size).unwrap_or(0), false)
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
        Cost::Write { .. } | Cost::Check | Cost::Search => action.cost.estimate(None, &[]),
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
    /// Charges each key of `target`, or its table if it has none, with one action of `units`.
    fn add(&mut self, i: usize, action: &Action<'a>, target: Target<'a>, units: Units) {
        let Target { resource, keys } = target;
        let of = if action.is_change() { Of::Change } else { Of::Look };
        let charge = |key| {
            let (resource, operation) = (resource.clone(), action.operation);
            Charge { action: i, resource, key, operation, actions: 1, units, of }
        };
        if keys.is_empty() {
            self.charges.push(charge(None));
        }
        self.charges.extend(keys.into_iter().map(|key| charge(Some(key))));
    }

    /// Does the same where nothing was changed, as a condition failed.
    fn add_unchanged(&mut self, i: usize, action: &Action<'a>, target: Target<'a>, units: Units) {
        let before = self.charges.len();
        self.add(i, action, target, units);
        self.charges[before..].iter_mut().for_each(|charge| charge.of = Of::Look);
    }

    /// Does the same as `add` where `units` are of all keys together.
    fn add_page(&mut self, i: usize, action: &Action<'a>, target: Target<'a>, units: Units) {
        let before = self.charges.len();
        self.add(i, action, target, units);
        let added = &mut self.charges[before..];
        if added.len() > 1 {
            let shares = charge::shares(units, &vec![Units::whole(1); added.len()]);
            added.iter_mut().zip(shares).for_each(|(charge, share)| charge.units = share);
        }
    }

    /// Does the same for a part that can't be read: its charge is one until what is told has been
    /// shared.
    fn add_unread(&mut self, i: usize, action: &Action<'a>, units: Units) {
        let named = check_name(Argument::Table, action.table.as_bytes()).is_ok();
        let resource = if named { action.table.clone() } else { Cow::Borrowed("") };
        let operation = action.operation;
        self.charges.push(Charge {
            action: i,
            resource,
            key: None,
            operation,
            actions: 1,
            units,
            of: Of::Unread,
        });
    }

    /// Sets the parts apart that could not be read.
    fn set_unread_apart(&mut self) {
        let unread = self.charges.extract_if(.., |charge| charge.of == Of::Unread);
        self.unread.extend(unread.map(|charge| (charge.resource, charge.operation)));
    }

    /// Marks all charges as estimated: only the request itself tells them.
    fn estimate(&mut self) {
        self.estimated = self.charges.iter().map(|charge| charge.units).sum();
    }

    /// Checks that all of it can be recorded: what is not a part of its own, such as an index, is
    /// as valid as a part is.
    fn check(&self) -> Result<(), Error> {
        let check = |resource: &str, key: &Option<Cow<'_, [u8]>>| {
            Key { table: resource.as_bytes(), pk: key.as_deref().unwrap_or_default() }.check()
        };
        self.charges.iter().try_for_each(|charge| check(&charge.resource, &charge.key))?;
        self.throttles.all.iter().try_for_each(|throttled| check(&throttled.resource, &throttled.key))?;
        let check = |resource: &str| check_name(Argument::Table, resource.as_bytes());
        self.unkeyed_index_units.iter().try_for_each(|unkeyed| check(&unkeyed.resource))
    }
}
