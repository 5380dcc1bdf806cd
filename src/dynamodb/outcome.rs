//! Outcomes: what a request comes to, by how it ended.
//!
//! | outcome | each action is |
//! |---|---|
//! | success | charged, or throttled, as its own part of the response tells |
//! | no answer, or a fault of the server | charged with its estimate: it may have run |
//! | a condition failed | charged, but has changed no index |
//! | a transaction was cancelled | charged, or throttled, by its own reason |
//! | throttled | a throttle |
//! | refused | nothing |

use crate::dynamodb::action::Action;
use crate::dynamodb::attempt::Waits;
use crate::dynamodb::attribution::Attribution;
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::index_write::index_writes;
use crate::dynamodb::request::ApiOperation;
use crate::dynamodb::response::{self, Outcome, Response};
use crate::dynamodb::schema::Schemas;
use crate::dynamodb::success;
use crate::dynamodb::target::Finder;
use crate::error::Error;
use crossbeam_epoch::Guard;
use std::cell::RefCell;

/// Works out what a request comes to, or its parts on the table `only`. In `capacity` mode units
/// are counted, so items are measured where the response does not tell what they took. Parts of
/// tables whose key is not known are left out.
pub(crate) fn attribute_request<'a>(
    api: ApiOperation,
    actions: &mut [Action<'a>],
    outcome: &Outcome<'a>,
    only: Option<&str>,
    schemas: &Schemas,
    capacity: bool,
    guard: &Guard,
) -> Result<Attribution<'a>, ObserveError> {
    // An update may have asked for the item as it is now, which tells its size and its indexes'
    // keys.
    if let (Outcome::Success(Response { attributes: Some(attributes), .. }), [action]) =
        (outcome, &mut *actions)
    {
        action.sets.see(attributes);
    }
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
    // The parts share in what the response tells. So if some turn out to be missing a key, it is
    // all worked out anew without those. Other threads may change what is known meanwhile, so that
    // another table goes missing: the loop ends when none does. Each round leaves out one table
    // more at least.
    let found = loop {
        let found = attribute(api, actions, outcome, capacity, &mut finder)?;
        let missing = finder.missing.take();
        if missing.is_empty() {
            break found;
        }
        finder.leave_out(missing);
    };
    // A request that can't be recorded teaches nothing, so it is checked before its keys are kept.
    found.check()?;
    let inferred = finder.inferred.into_inner();
    if inferred.is_empty() {
        return Ok(found);
    }
    schemas.add_inferred(&inferred, guard).map_err(Error::from)?;
    Ok(Attribution { learnt: inferred.into_iter().map(|(table, _)| table.into_owned()).collect(), ..found })
}

/// Works the request out without the parts that the finder leaves out. Where it returns, the finder
/// may have found that more of them have to be.
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
            // Before any action is placed: it says whether a queried index is local.
            finder.response_indexes = success::indexes_of(actions, response);
            success::attribute(api, actions, response, capacity, finder, &mut found)?;
        }
        Outcome::Unknown => {
            for (i, action) in actions.iter().enumerate() {
                let placed = finder.place(api, action)?;
                found.add(i, action, placed, finder.estimate(action, None));
            }
            // If the request ran, its items' indexes were written too.
            let mut writes = index_writes(&found.charges, actions, finder);
            found.charges.append(&mut writes);
            found.estimate();
        }
        Outcome::ConditionFailed(item) => {
            finder.accepted = true;
            for (i, action) in actions.iter().enumerate() {
                let placed = finder.place(api, action)?;
                let units = success::failed_write_units(action, *item, finder);
                found.add_unchanged(i, action, placed, units);
            }
            found.estimate();
        }
        Outcome::Canceled(codes) => {
            for (i, action) in actions.iter().enumerate() {
                let placed = finder.place(api, action)?;
                if codes.get(i).is_some_and(|code| response::is_throttle(code)) {
                    found.throttle(i, action, placed, &[], finder);
                } else {
                    found.add_unchanged(i, action, placed, finder.estimate(action, None));
                }
            }
            found.estimate();
        }
        Outcome::Throttled(reasons) => {
            // If the reasons are of no table that was asked for, it was throttled all the same: for
            // reasons unknown.
            let named = actions.iter().any(|action| reasons.iter().any(|reason| reason.is_of(action)));
            let reasons = if named { &reasons[..] } else { &[] };
            for (i, action) in actions.iter().enumerate() {
                let placed = finder.place(api, action)?;
                found.throttle(i, action, placed, reasons, finder);
            }
            // Items on one key were throttled once.
            found.throttles.join();
        }
        Outcome::Refused => {}
    }
    found.set_unread_apart();
    Ok(found)
}
