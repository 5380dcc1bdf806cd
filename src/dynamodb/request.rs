//! A request: which of DynamoDB's operations it is, the item-level actions in its body, and what each says of its key.

use crate::dynamodb::action::{Action, Cost, Subject, Value, consistency, read, table_of, write};
use crate::dynamodb::attribute;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::number;
use crate::dynamodb::partiql::{self, Pin, Term, Verb};
use crate::dynamodb::query::{query, search};
use crate::key::NAME_MAX;
use crate::operation::Operation;
use crate::units::Consistency;
use std::borrow::Cow;

/// DynamoDB's own operations, as far as they are understood. (An [`Operation`] is a write or a read.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ApiOperation {
    GetItem,
    PutItem,
    UpdateItem,
    DeleteItem,
    BatchGetItem,
    BatchWriteItem,
    TransactGetItems,
    TransactWriteItems,
    Query,
    Scan,
    SearchVectors,
    ExecuteStatement,
    BatchExecuteStatement,
    ExecuteTransaction,
    /// CreateTable, DescribeTable and UpdateTable: their responses describe a table.
    Describe,
}

impl ApiOperation {
    /// Returns the operation of this name, or of this header `X-Amz-Target`.
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        Some(match name.strip_prefix(b"DynamoDB_20120810.").unwrap_or(name) {
            b"GetItem" => Self::GetItem,
            b"PutItem" => Self::PutItem,
            b"UpdateItem" => Self::UpdateItem,
            b"DeleteItem" => Self::DeleteItem,
            b"BatchGetItem" => Self::BatchGetItem,
            b"BatchWriteItem" => Self::BatchWriteItem,
            b"TransactGetItems" => Self::TransactGetItems,
            b"TransactWriteItems" => Self::TransactWriteItems,
            b"Query" => Self::Query,
            b"Scan" => Self::Scan,
            b"SearchVectors" => Self::SearchVectors,
            b"ExecuteStatement" => Self::ExecuteStatement,
            b"BatchExecuteStatement" => Self::BatchExecuteStatement,
            b"ExecuteTransaction" => Self::ExecuteTransaction,
            b"CreateTable" | b"DescribeTable" | b"UpdateTable" => Self::Describe,
            _ => return None,
        })
    }

    /// Whether a request has the parameter ReturnConsumedCapacity, and its response then tells
    /// units. That of a search tells bytes.
    pub(crate) fn tells_capacity(self) -> bool {
        !matches!(self, Self::Describe | Self::SearchVectors)
    }

    fn is_transaction(self) -> bool {
        matches!(self, Self::TransactGetItems | Self::TransactWriteItems | Self::ExecuteTransaction)
    }
}

/// The most actions of a request. DynamoDB takes 100; what emulators might take more is of no use, and to work it out
/// takes the square of its number.
const ACTIONS_MAX: usize = 1_000;

/// DynamoDB's limit of a statement, in characters.
const STATEMENT_MAX: usize = 8_192;

fn push<'a>(actions: &mut Vec<Action<'a>>, action: Action<'a>) -> Result<(), Malformed> {
    actions.push(action);
    if actions.len() > ACTIONS_MAX { Err(Malformed) } else { Ok(()) }
}

/// Returns the actions of a request.
pub(crate) fn actions(api: ApiOperation, request: &str) -> Result<Vec<Action<'_>>, Malformed> {
    let actions = all_actions(api, request)?;
    // A statement is on as many keys as it names.
    let keys: usize = actions.iter().map(Action::keys_at_most).sum();
    if keys > ACTIONS_MAX { Err(Malformed) } else { Ok(actions) }
}

fn all_actions(api: ApiOperation, request: &str) -> Result<Vec<Action<'_>>, Malformed> {
    match api {
        ApiOperation::GetItem => Ok(vec![get(request, false)?]),
        ApiOperation::PutItem => Ok(vec![put(request, false)?]),
        ApiOperation::UpdateItem | ApiOperation::DeleteItem => Ok(vec![write_by_key(request, false)?]),
        ApiOperation::BatchGetItem => batch_get(request),
        ApiOperation::BatchWriteItem => batch_write(request),
        ApiOperation::TransactGetItems => transaction(request, &["Get"]),
        ApiOperation::TransactWriteItems => {
            transaction(request, &["Put", "Update", "Delete", "ConditionCheck"])
        }
        ApiOperation::Query => Ok(vec![query(request)?]),
        ApiOperation::Scan => {
            let [table, index, consistent] =
                json::members(request, ["TableName", "IndexName", "ConsistentRead"])?;
            let (index, consistency) = (index.map(json::text).transpose()?, consistency(consistent)?);
            Ok(vec![Action { index, ..read(table, Subject::Scan, consistency)? }])
        }
        ApiOperation::SearchVectors => Ok(vec![search(request)?]),
        ApiOperation::ExecuteStatement => Ok(vec![execute(request, api)?]),
        ApiOperation::BatchExecuteStatement => statements(request, "Statements", api),
        ApiOperation::ExecuteTransaction => statements(request, "TransactStatements", api),
        ApiOperation::Describe => {
            json::members(request, ["TableName"])?;
            Ok(Vec::new())
        }
    }
}

fn get(request: &str, transactional: bool) -> Result<Action<'_>, Malformed> {
    let [table, key, consistent] = json::members(request, ["TableName", "Key", "ConsistentRead"])?;
    let consistency = if transactional { Consistency::Transactional } else { consistency(consistent)? };
    read(table, Subject::Key(key.ok_or(Malformed)?), consistency)
}

fn put(request: &str, transactional: bool) -> Result<Action<'_>, Malformed> {
    let [table, item] = json::members(request, ["TableName", "Item"])?;
    write(table, Subject::Item(item.ok_or(Malformed)?), transactional)
}

/// A write that names its item by a Key: an update, a delete, and a check, which is charged as one.
fn write_by_key(request: &str, transactional: bool) -> Result<Action<'_>, Malformed> {
    let [table, key] = json::members(request, ["TableName", "Key"])?;
    write(table, Subject::Key(key.ok_or(Malformed)?), transactional)
}

/// Calls `see` with each table of `RequestItems`, and with what is asked of it.
fn each_table<'a>(
    request: &'a str,
    mut see: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let [tables] = json::members(request, ["RequestItems"])?;
    json::each(tables.ok_or(Malformed)?, |table, asked| {
        let table = table_of(table);
        // It is copied for each of its items.
        if table.len() > NAME_MAX { Err(Malformed) } else { see(table, asked) }
    })
}

fn batch_get(request: &str) -> Result<Vec<Action<'_>>, Malformed> {
    let mut all = Vec::new();
    each_table(request, |table, asked| {
        let [keys, consistent] = json::members(asked, ["Keys", "ConsistentRead"])?;
        let cost = Cost::Read(consistency(consistent)?);
        json::elements(keys.ok_or(Malformed)?, |key| {
            let (table, subject, cost) = (table.clone(), Subject::Key(key), cost.clone());
            push(&mut all, Action { table, index: None, operation: Operation::Read, subject, cost })
        })
    })?;
    Ok(all)
}

fn batch_write(request: &str) -> Result<Vec<Action<'_>>, Malformed> {
    let mut all = Vec::new();
    each_table(request, |table, asked| {
        json::elements(asked, |write| {
            let (subject, item) = batch_write_subject(write)?;
            let cost = Cost::Write { item, transactional: false };
            let table = table.clone();
            push(&mut all, Action { table, index: None, operation: Operation::Write, subject, cost })
        })
    })?;
    Ok(all)
}

/// Returns the key or item of one of a batch's writes, and the item that it puts.
pub(crate) fn batch_write_subject(write: &str) -> Result<(Subject<'_>, Option<&str>), Malformed> {
    let [put, delete] = json::members(write, ["PutRequest", "DeleteRequest"])?;
    match (put, delete) {
        (Some(put), None) => {
            let [item] = json::members(put, ["Item"])?;
            let item = item.ok_or(Malformed)?;
            Ok((Subject::Item(item), Some(item)))
        }
        (None, Some(delete)) => {
            let [key] = json::members(delete, ["Key"])?;
            Ok((Subject::Key(key.ok_or(Malformed)?), None))
        }
        _ => Err(Malformed),
    }
}

fn transaction<'a>(request: &'a str, verbs: &[&str]) -> Result<Vec<Action<'a>>, Malformed> {
    let [items] = json::members(request, ["TransactItems"])?;
    let mut all = Vec::new();
    json::elements(items.ok_or(Malformed)?, |item| {
        let (verb, action) = attribute::only(item)?.ok_or(Malformed)?;
        let action = match &*verb {
            _ if !verbs.contains(&&*verb) => return Err(Malformed),
            "Get" => get(action, true)?,
            "Put" => put(action, true)?,
            "ConditionCheck" => Action { cost: Cost::Check, ..write_by_key(action, true)? },
            _ => write_by_key(action, true)?,
        };
        push(&mut all, action)
    })?;
    Ok(all)
}

fn statements<'a>(request: &'a str, member: &str, api: ApiOperation) -> Result<Vec<Action<'a>>, Malformed> {
    let [all] = json::members(request, [member])?;
    let mut actions = Vec::new();
    json::elements(all.ok_or(Malformed)?, |statement| push(&mut actions, execute(statement, api)?))?;
    Ok(actions)
}

fn execute(request: &str, api: ApiOperation) -> Result<Action<'_>, Malformed> {
    let [text, parameters, consistent] =
        json::members(request, ["Statement", "Parameters", "ConsistentRead"])?;
    // A lone surrogate may be in it, in a text that is no key.
    let text = json::lossy_text(text.ok_or(Malformed)?)?;
    if text.len() > STATEMENT_MAX && text.chars().count() > STATEMENT_MAX {
        return Err(Malformed);
    }
    let parameters = json::array(parameters.unwrap_or("[]"))?;
    let statement = partiql::parse(&text).ok_or(Malformed)?;
    let value = |term: &Term<'_>| match term {
        Term::Parameter(n) => parameters.get(*n).map_or(Value::Other, |parameter| Value::Json(parameter)),
        Term::Text(text) => Value::Text(Cow::Owned(text.clone().into_owned())),
        Term::Number(number) => {
            number::canonical(number).map_or(Value::Other, |number| Value::Text(Cow::Owned(number)))
        }
        Term::Other => Value::Other,
    };
    let own = |text: &Cow<'_, str>| Cow::Owned(text.clone().into_owned());
    let pin = |pin: &Pin<'_>| (own(&pin.attribute), pin.values.iter().map(value).collect());
    let pins = statement.pins.iter().map(pin).collect();
    let table = table_of(own(&statement.table));
    let reads = statement.verb == Verb::Select;
    let transactional = api.is_transaction();
    let cost = match (reads, transactional) {
        (true, true) => Cost::Read(Consistency::Transactional),
        (true, false) => Cost::Read(consistency(consistent)?),
        // It is in transactions alone.
        (false, _) if statement.verb == Verb::Exists => Cost::Check,
        (false, _) => Cost::Write { item: None, transactional },
    };
    let operation = if reads { Operation::Read } else { Operation::Write };
    let index = statement.index.as_ref().map(own);
    let subject = if statement.verb == Verb::Insert { Subject::Inserted(pins) } else { Subject::Pins(pins) };
    Ok(Action { table, index, operation, subject, cost })
}
