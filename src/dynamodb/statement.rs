//! A PartiQL statement as an action: the table that it is on, and the values to which it pins
//! attributes.
//!
//! `partiql` reads the text; here its `?` get their parameters, and its verb becomes an operation
//! and a cost. A statement that can't be read is an action too. If its verb and table could be
//! read, it is tallied by those.

use crate::dynamodb::action::{Action, Cost, Subject, consistency, table_of, unread};
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::number;
use crate::dynamodb::partiql::{self, Pin, Term, Verb};
use crate::dynamodb::sets::Sets;
use crate::dynamodb::values::Value;
use crate::operation::Operation;
use crate::units::Consistency;
use std::borrow::Cow;

/// The longest statement that DynamoDB takes, in characters.
const STATEMENT_MAX: usize = 8_192;

/// Returns the action of a statement, which is a request or a part of one. With more than
/// `keys_max` keys it is unread.
///
/// # Errors
/// [`Malformed`] if there is no statement in it.
pub(crate) fn statement(part: &str, transactional: bool, keys_max: usize) -> Result<Action<'_>, Malformed> {
    let [text, parameters, consistent] = json::members(part, ["Statement", "Parameters", "ConsistentRead"])?;
    // A lone surrogate may be in it, within a text that is no key.
    let Ok(text) = json::lossy_text(text.filter(|text| text.starts_with('"')).ok_or(Malformed)?) else {
        return Ok(unread(Cow::Borrowed(""), Operation::Write, transactional));
    };
    // The beginning of a statement that is too long may still tell the table.
    let cut = match text.len() {
        ..=STATEMENT_MAX => text.len(),
        len => text.char_indices().nth(STATEMENT_MAX).map_or(len, |(cut, _)| cut),
    };
    let parsed = partiql::parse(&text[..cut]);
    // It is read if the whole of it was parsed and its other members can be read.
    let read = match &parsed {
        Ok(statement) if cut == text.len() => action(statement, parameters, consistent, transactional).ok(),
        _ => None,
    };
    // Even of a statement that can't be read the verb and the table may be known.
    let (verb, table) = match parsed {
        Ok(statement) => (Some(statement.verb), Some(statement.table)),
        Err(so_far) => (so_far.verb, so_far.table),
    };
    Ok(read.filter(|action| action.keys_at_most() <= keys_max).unwrap_or_else(|| {
        let table = table_of(own(&table.unwrap_or_default()));
        unread(table, verb.map_or(Operation::Write, operation), transactional)
    }))
}

/// Makes an action of a parsed statement.
fn action<'a>(
    statement: &partiql::Statement<'_>,
    parameters: Option<&'a str>,
    consistent: Option<&str>,
    transactional: bool,
) -> Result<Action<'a>, Malformed> {
    let parameters = json::array(parameters.unwrap_or("[]"))?;
    // A `?` stands for a parameter, in DynamoDB's JSON. A number is canonical at once, as a key has
    // it.
    let value = |term: &Term<'_>| match term {
        Term::Parameter(n) => parameters.get(*n).map_or(Value::Other, |parameter| Value::Json(parameter)),
        Term::Text(text) => Value::Text(own(text)),
        Term::Number(number) => {
            number::canonical(number).map_or(Value::Other, |number| Value::Text(Cow::Owned(number)))
        }
        Term::Other => Value::Other,
    };
    let pin = |pin: &Pin<'_>| (own(&pin.attribute), pin.values.map(&value));
    let pins = statement.pins.iter().map(pin).collect();
    let operation = operation(statement.verb);
    let cost = match (operation, transactional) {
        (Operation::Read, true) => Cost::Read(Consistency::Transactional),
        (Operation::Read, false) => Cost::Read(consistency(consistent)?),
        // `EXISTS` is allowed in transactions alone: it is a check.
        (Operation::Write, _) if statement.verb == Verb::Exists => Cost::Check,
        (Operation::Write, _) => Cost::Write { item: None, transactional },
    };
    let (table, index) = (table_of(own(&statement.table)), statement.index.as_deref().map(own));
    let subject = if statement.verb == Verb::Insert { Subject::Inserted(pins) } else { Subject::Pins(pins) };
    let set = |(attribute, term): &(Cow<'_, str>, Term<'_>)| (own(attribute), value(term));
    let known = |(_, value): &(_, Value<'_>)| *value != Value::Other;
    let sets = Sets::Statement(statement.sets.iter().map(set).filter(known).collect());
    Ok(Action { table, index, operation, subject, cost, sets })
}

/// Returns whether a verb reads or writes. `EXISTS` is charged as a write.
fn operation(verb: Verb) -> Operation {
    if verb == Verb::Select { Operation::Read } else { Operation::Write }
}

/// Copies a text, as the action outlives the text that was decoded for it.
fn own(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}
