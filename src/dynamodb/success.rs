//! Success: what a request comes to that DynamoDB has carried out, as a whole or in part.
//!
//! A status of 200 does not mean that every part succeeded: a batch of statements tells errors part
//! by part, and a batch of items returns those that it did not process.

use crate::dynamodb::action::{Action, Cost, one_table};
use crate::dynamodb::attribute;
use crate::dynamodb::attribution::Attribution;
use crate::dynamodb::charge::{self, Charge, Of};
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::index_write::index_writes;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::placed::Placed;
use crate::dynamodb::request::ApiOperation;
use crate::dynamodb::response::{self, Capacity, Response};
use crate::dynamodb::target::Finder;
use crate::dynamodb::unprocessed::remove_unprocessed;
use crate::operation::Operation;
use crate::units::{Units, read_units, write_units};
use std::borrow::Cow;

/// Works out what a request comes to that DynamoDB has carried out, as a whole or in part, and adds
/// it to `found`.
///
/// 1. Each action is charged with its least, or was throttled, or did nothing.
/// 2. The charges of a batch's unprocessed items are removed.
/// 3. The writes of a transaction that was only replayed become reads.
/// 4. Writes of global indexes are found, for the charges that are left.
/// 5. The capacity that the response tells is shared among all these.
///
/// The order matters: an unprocessed item must have no index write and no share.
pub(crate) fn attribute<'a>(
    api: ApiOperation,
    actions: &[Action<'a>],
    response: &Response<'a>,
    capacity: bool,
    finder: &Finder<'_, '_>,
    found: &mut Attribution<'a>,
) -> Result<(), ObserveError> {
    let is_only = one_table(actions);
    let by_table = Capacity::by_table(&response.capacity)?;
    // Whether a bare total of this action's table has to be shared with index writes.
    let has_index_writes = |action: &Action<'_>| {
        let bare = by_table.iter().any(|took| took.is_of(&action.table, is_only) && !took.detailed);
        bare && action.is_change() && !finder.global_indexes(&action.table).is_empty()
    };
    let has_capacity = |action: &Action<'_>| by_table.iter().any(|took| took.is_of(&action.table, is_only));
    // The parts' own responses, if there is one for each: a batch of reads has them by table
    // instead.
    let responses = match response.responses {
        Some(all) if all.starts_with('[') => json::array(all)?,
        _ => Vec::new(),
    };
    // Each action is charged with what it takes at least, or was throttled, or did nothing.
    for (i, action) in actions.iter().enumerate() {
        let [error, item] = match responses.get(i) {
            Some(&"null") => [None, None],
            Some(response) => json::members(response, ["Error", "Item"])?,
            None => [None, response.item.or(action.sets.item())],
        };
        // No error is told of this part: it was carried out.
        let Some(error) = error else {
            let placed = finder.place(api, action)?;
            // To measure an item is only of use where the response has no capacity, or has that of
            // several together: of items, or of a table and its indexes. What is not measured needs
            // no weight.
            let keys = if let Placed::At(target) = &placed { target.keys.len() } else { 0 };
            let several = || actions.len().max(keys) > 1 || has_index_writes(action);
            let measured = capacity && (several() || !has_capacity(action));
            match response.items {
                _ if !measured => found.add(i, action, placed, Units::default()),
                // A page of items is rounded up once, for all its items.
                Some(items) => found.add_page(i, action, placed, page_units(action, items)?),
                None => found.add(i, action, placed, finder.estimate(action, item)),
            }
            continue;
        };
        let [code, item] = json::members(error, ["Code", "Item"])?;
        match &*code.map_or(Ok(Cow::Borrowed("")), json::text)? {
            "ConditionalCheckFailed" | "DuplicateItem" => {
                let units = failed_write_units(action, item, finder);
                found.add_unchanged(i, action, finder.place(api, action)?, units);
            }
            "InternalServerError" => {
                found.add(i, action, finder.place(api, action)?, finder.estimate(action, None));
            }
            code if response::is_throttle(code) => {
                found.throttle(i, action, finder.place(api, action)?, &[], finder);
            }
            // A part that was refused did nothing, so nothing is charged and its table's key is not
            // asked for.
            _ => {}
        }
    }
    // 2. A batch's unprocessed items were not carried out.
    if let Some(unprocessed) = response.unprocessed {
        let Attribution { charges, waiting, .. } = found;
        found.unprocessed = remove_unprocessed(charges, waiting, api, actions, unprocessed, finder)?;
    }
    // 3. A transaction that had been made before, with the same token, reads what it would have
    //    written.
    let transactional = matches!(api, ApiOperation::TransactWriteItems | ApiOperation::ExecuteTransaction);
    for took in by_table.iter().filter(|took| transactional && took.is_replayed()) {
        let on_table = |charge: &&mut Charge<'_>| took.is_of(&actions[charge.action].table, is_only);
        for charge in found.charges.iter_mut().filter(on_table) {
            charge.operation = Operation::Read;
            // An unread part stays one.
            if charge.of == Of::Change {
                charge.of = Of::Look;
            }
        }
    }
    // 4. What the items that were changed bring to global indexes.
    let mut index_writes = index_writes(&found.charges, actions, finder);
    // 5. The capacity is shared out: action by action if the response has one entry for each, as
    //    for a batch of statements; else table by table.
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

/// Returns the units of a write whose condition failed: those of the item that is there, if the
/// response has it, else 1.
pub(crate) fn failed_write_units(action: &Action<'_>, item: Option<&str>, finder: &Finder<'_, '_>) -> Units {
    let size = |item| attribute::written_size(item, &finder.vectors(&action.table)).ok();
    write_units(item.and_then(size).unwrap_or(0), false)
}

/// Returns the units of a page of items: the sum of their sizes, rounded up once. Ten items of 1
/// KiB, read eventually consistently, are 1.5 units and not 5.
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

/// Returns the indexes that the response names, and whether each is local; none if no action is on
/// an index.
pub(crate) fn indexes_of(actions: &[Action<'_>], response: &Response<'_>) -> Vec<(String, bool)> {
    if actions.iter().all(|action| action.index.is_none()) {
        return Vec::new();
    }
    let all = response.capacity.iter();
    let global = all.clone().flat_map(|took| &took.indexes).map(|(name, _)| (name.to_string(), false));
    let local = all.flat_map(|took| &took.local).map(|name| (name.to_string(), true));
    global.chain(local).collect()
}
