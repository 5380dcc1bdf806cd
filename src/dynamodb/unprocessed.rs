//! Unprocessed items: those of a batch that DynamoDB did not carry out and returned.
//!
//! They are tallied, not charged, and not counted as throttles: the response does not say why they
//! were left. The caller sends them again, and then they count.

use crate::argument::Argument;
use crate::dynamodb::action::{Action, Cost, Subject};
use crate::dynamodb::attempt::Waits;
use crate::dynamodb::charge::{Charge, Of};
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::placed::Placed;
use crate::dynamodb::request::{self, ApiOperation};
use crate::dynamodb::schema::split_arn;
use crate::dynamodb::sets::Sets;
use crate::dynamodb::target::Finder;
use crate::key::check_name;
use crate::operation::Operation;
use crate::units::Consistency;
use serde_json::Value as Json;
use std::borrow::Cow;
use std::collections::HashMap;

/// One part of a request: its table, empty if that is not known, and what was to be done there.
pub(crate) type Part<'a> = (Cow<'a, str>, Operation);

/// Removes the charges of the items that a batch's response returns unprocessed, and returns those
/// items as parts. Those of a table that waits are counted out of its waiting actions.
///
/// An item is matched with the charge of the action that asked for it. Several items may be on one
/// partition key, so the key alone does not tell which it is. Of the charges on the same key and of
/// the same kind (a put or a delete) it takes, from the last:
///
/// 1. the one whose item has the same text;
/// 2. the one whose item is the same JSON, in another order or spacing;
/// 3. any;
/// 4. else, of the same table, a part that could not be read.
///
/// If there is none the response can't be read: it returns an item that was not asked for.
pub(crate) fn remove_unprocessed<'a>(
    charges: &mut Vec<Charge<'a>>,
    waiting: &mut [Waits],
    api: ApiOperation,
    actions: &[Action<'a>],
    unprocessed: &'a str,
    finder: &Finder<'_, '_>,
) -> Result<Vec<Part<'a>>, ObserveError> {
    let mut all_unprocessed = Vec::new();
    // The items that were asked for, as JSON. They are built only where texts differ, and once
    // each.
    let mut asked_values: HashMap<usize, Option<Json>> = HashMap::new();
    json::each(unprocessed, |table, returned| {
        let table: Cow<'a, str> = Cow::Owned(split_arn(&table).0.to_owned());
        let writes = api == ApiOperation::BatchWriteItem;
        let all = if writes {
            json::array(returned)?
        } else {
            let [keys] = json::members(returned, ["Keys"])?;
            json::array(keys.ok_or(Malformed)?)?
        };
        // A name that no table has is none, as it was in the request.
        let operation = if writes { Operation::Write } else { Operation::Read };
        let known = check_name(Argument::Table, table.as_bytes()).is_ok();
        let table = if known { table } else { Cow::Borrowed("") };
        for one in all {
            let subject = if writes {
                request::batch_write_subject(one).map(|(subject, _)| subject)
            } else {
                Ok(Subject::Key(one))
            };
            // The cost does not matter: the action serves to find the key.
            let cost = Cost::Read(Consistency::Eventual);
            let subject = subject.unwrap_or(Subject::Unread);
            let action =
                Action { table: table.clone(), index: None, operation, subject, cost, sets: Sets::Nothing };
            let key = match finder.place(api, &action)? {
                Placed::At(target) => target.keys.into_iter().next(),
                // It could not be read in the request either.
                Placed::Unread => None,
                Placed::LeftOut => {
                    if action.subject != Subject::Unread
                        && let Some(waits) = Waits::of(waiting, &table)
                    {
                        waits.actions = waits.actions.saturating_sub(1);
                    }
                    continue;
                }
            };
            let same = |charge: &Charge<'_>| {
                let asked = &actions[charge.action];
                // Puts are returned as puts, and deletes as deletes.
                let alike = std::mem::discriminant(&asked.subject) == std::mem::discriminant(&action.subject);
                charge.of != Of::Unread && alike && charge.key == key && asked.table == table
            };
            let exactly = |charge: &Charge<'_>| {
                same(charge) && text(&actions[charge.action].subject) == text(&action.subject)
            };
            // 1 and 2.
            let at = charges.iter().rposition(exactly).or_else(|| {
                let value = json_of(text(&action.subject));
                charges.iter().rposition(|charge| {
                    let i = charge.action;
                    let asked = || json_of(text(&actions[i].subject));
                    same(charge) && *asked_values.entry(i).or_insert_with(asked) == value
                })
            });
            // 3.
            let at = at.or_else(|| charges.iter().rposition(same));
            // 4.
            let unread = |charge: &Charge<'_>| charge.of == Of::Unread && charge.resource == table;
            let at = at.or_else(|| charges.iter().rposition(unread)).ok_or(Malformed)?;
            charges.remove(at);
            all_unprocessed.push((table.clone(), operation));
        }
        Ok::<(), ObserveError>(())
    })?;
    Ok(all_unprocessed)
}

/// Returns the text of an action's item or key.
fn text<'a>(subject: &Subject<'a>) -> &'a str {
    match subject {
        Subject::Item(text) | Subject::Key(text) => text,
        _ => "",
    }
}

/// Returns a text as JSON, which compares without the order of members; `None` if it is nested too
/// deep.
fn json_of(text: &str) -> Option<Json> {
    serde_json::from_str(text).ok()
}
