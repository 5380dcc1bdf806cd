//! A request: which of DynamoDB's operations it is, and the item-level actions in its body.
//!
//! Two kinds of damage are told apart. A body that is no JSON object of its operation is
//! [`Malformed`], and the request is refused. A part that can't be read, in a request of several,
//! is an action that is `Subject::Unread`: the other parts are still recorded.

use crate::dynamodb::action::{Action, Cost, Subject, consistency, read, table_of, unread, write};
use crate::dynamodb::attribute;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::query::{query, search};
use crate::dynamodb::sets::Sets;
use crate::dynamodb::statement::statement;
use crate::key::NAME_MAX;
use crate::operation::Operation;
use crate::units::Consistency;
use std::borrow::Cow;

/// DynamoDB's own operations, as far as they are understood. (An [`Operation`] is a write or a
/// read.)
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
    /// Returns the operation that has this name, or that this header `X-Amz-Target` names.
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

    /// Returns whether a request has the parameter ReturnConsumedCapacity, so that its response can
    /// tell units. The response of a search tells bytes.
    pub(crate) fn tells_capacity(self) -> bool {
        !matches!(self, Self::Describe | Self::SearchVectors)
    }

    /// Returns whether a request is made of parts. Each part of a batch succeeds or fails by
    /// itself; those of a transaction do so together. In both a part that can't be read costs only
    /// itself.
    pub(crate) fn has_parts(self) -> bool {
        matches!(
            self,
            Self::BatchGetItem
                | Self::BatchWriteItem
                | Self::TransactGetItems
                | Self::TransactWriteItems
                | Self::BatchExecuteStatement
                | Self::ExecuteTransaction
        )
    }

    /// Returns whether the request is one statement. One that can't be read is tallied, not
    /// refused.
    pub(crate) fn is_statement(self) -> bool {
        self == Self::ExecuteStatement
    }

    /// Returns whether all parts succeed together, or none, at twice the price.
    fn is_transaction(self) -> bool {
        matches!(self, Self::TransactGetItems | Self::TransactWriteItems | Self::ExecuteTransaction)
    }
}

/// The most actions of a request. DynamoDB takes 100. An emulator that takes more is not worth
/// serving: to match unprocessed items with those asked for takes the square of the number.
const ACTIONS_MAX: usize = 1_000;

/// Adds an action, unless there would be more than [`ACTIONS_MAX`].
fn push<'a>(actions: &mut Vec<Action<'a>>, action: Action<'a>) -> Result<(), Malformed> {
    actions.push(action);
    if actions.len() > ACTIONS_MAX { Err(Malformed) } else { Ok(()) }
}

/// Returns the actions of a request, in its order; the parts of a transaction's response, or of a
/// batch of statements', are in the same. A part that can't be read is an action that is
/// [`Subject::Unread`].
///
/// # Errors
/// [`Malformed`] if the body is no JSON object, lacks a member that the operation requires, or has
/// more than [`ACTIONS_MAX`] actions.
pub(crate) fn actions(api: ApiOperation, request: &str) -> Result<Vec<Action<'_>>, Malformed> {
    match api {
        ApiOperation::GetItem => Ok(vec![get(request, false)?]),
        ApiOperation::PutItem => Ok(vec![put(request, false)?]),
        ApiOperation::UpdateItem => Ok(vec![update(request, false)?]),
        ApiOperation::DeleteItem => Ok(vec![write_by_key(request, false)?]),
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
        ApiOperation::ExecuteStatement => Ok(vec![statement(request, false, ACTIONS_MAX)?]),
        ApiOperation::BatchExecuteStatement => statements(request, "Statements", api),
        ApiOperation::ExecuteTransaction => statements(request, "TransactStatements", api),
        ApiOperation::Describe => {
            json::members(request, ["TableName"])?;
            Ok(Vec::new())
        }
    }
}

/// Reads a GetItem, or a transaction's Get. A read in a transaction is always consistent.
fn get(request: &str, transactional: bool) -> Result<Action<'_>, Malformed> {
    let [table, key, consistent] = json::members(request, ["TableName", "Key", "ConsistentRead"])?;
    let consistency = if transactional { Consistency::Transactional } else { consistency(consistent)? };
    read(table, Subject::Key(key.ok_or(Malformed)?), consistency)
}

/// Reads a PutItem, or a transaction's Put.
fn put(request: &str, transactional: bool) -> Result<Action<'_>, Malformed> {
    let [table, item] = json::members(request, ["TableName", "Item"])?;
    write(table, Subject::Item(item.ok_or(Malformed)?), transactional)
}

/// Reads a write that names its item by a `Key`: a delete, or a check, which is charged as a write.
fn write_by_key(request: &str, transactional: bool) -> Result<Action<'_>, Malformed> {
    let [table, key] = json::members(request, ["TableName", "Key"])?;
    write(table, Subject::Key(key.ok_or(Malformed)?), transactional)
}

/// Reads an UpdateItem, or a transaction's Update. The attributes that it sets are only noted here,
/// and read when an index asks for them.
fn update(request: &str, transactional: bool) -> Result<Action<'_>, Malformed> {
    let [table, key, told @ ..] = json::members(
        request,
        [
            "TableName",
            "Key",
            "UpdateExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "AttributeUpdates",
            "ReturnValues",
        ],
    )?;
    let written = write(table, Subject::Key(key.ok_or(Malformed)?), transactional)?;
    Ok(Action { sets: Sets::of_update(told), ..written })
}

/// Calls `see` with each table of `RequestItems`, and with the value beside it: what is asked of
/// that table.
fn each_table<'a>(
    request: &'a str,
    mut see: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let [tables] = json::members(request, ["RequestItems"])?;
    json::each(tables.ok_or(Malformed)?, |table, asked| {
        let table = table_of(table);
        // The name is copied for each of the table's items. One that no table can have is not worth
        // that.
        see(if table.len() > NAME_MAX { Cow::Borrowed("") } else { table }, asked)
    })
}

/// Reads a BatchGetItem: an action for each key. Where a table's entry has no list of keys it is
/// one unread part.
fn batch_get(request: &str) -> Result<Vec<Action<'_>>, Malformed> {
    let mut all = Vec::new();
    each_table(request, |table, asked| {
        let Ok((keys, cost)) = keys_and_cost(asked) else {
            return push(&mut all, unread(table, Operation::Read, false));
        };
        json::elements(keys, |key| {
            let (table, cost) = (table.clone(), cost.clone());
            let action = match is_object(key) {
                Some(key) => {
                    let subject = Subject::Key(key);
                    Action {
                        table,
                        index: None,
                        operation: Operation::Read,
                        subject,
                        cost,
                        sets: Sets::Nothing,
                    }
                }
                None => unread(table, Operation::Read, false),
            };
            push(&mut all, action)
        })
    })?;
    Ok(all)
}

/// Returns the list of keys that a batch reads of one table, and what each takes at least.
fn keys_and_cost(asked: &str) -> Result<(&str, Cost<'_>), Malformed> {
    let [keys, consistent] = json::members(asked, ["Keys", "ConsistentRead"])?;
    let keys = keys.filter(|keys| is_list(keys)).ok_or(Malformed)?;
    Ok((keys, Cost::Read(consistency(consistent)?)))
}

/// Reads a BatchWriteItem: an action for each put and delete.
fn batch_write(request: &str) -> Result<Vec<Action<'_>>, Malformed> {
    let mut all = Vec::new();
    each_table(request, |table, asked| {
        if !is_list(asked) {
            return push(&mut all, unread(table, Operation::Write, false));
        }
        json::elements(asked, |write| {
            let table = table.clone();
            let action = match batch_write_subject(write) {
                Ok((subject, item)) => {
                    let cost = Cost::Write { item, transactional: false };
                    Action {
                        table,
                        index: None,
                        operation: Operation::Write,
                        subject,
                        cost,
                        sets: Sets::Nothing,
                    }
                }
                Err(Malformed) => unread(table, Operation::Write, false),
            };
            push(&mut all, action)
        })
    })?;
    Ok(all)
}

/// Returns the subject of one of a batch's writes, and the item that it puts. A write is either a
/// `PutRequest` or a `DeleteRequest`: with both it can't be read.
pub(crate) fn batch_write_subject(write: &str) -> Result<(Subject<'_>, Option<&str>), Malformed> {
    let [put, delete] = json::members(write, ["PutRequest", "DeleteRequest"])?;
    match (put, delete) {
        (Some(put), None) => {
            let [item] = json::members(put, ["Item"])?;
            let item = item.and_then(is_object).ok_or(Malformed)?;
            Ok((Subject::Item(item), Some(item)))
        }
        (None, Some(delete)) => {
            let [key] = json::members(delete, ["Key"])?;
            Ok((Subject::Key(key.and_then(is_object).ok_or(Malformed)?), None))
        }
        _ => Err(Malformed),
    }
}

/// Returns whether `value` is a list. Its JSON was checked before, so the first byte tells.
fn is_list(value: &str) -> bool {
    value.starts_with('[')
}

/// Returns `value` if it is an object. Its JSON was checked before, so the first byte tells.
fn is_object(value: &str) -> Option<&str> {
    value.starts_with('{').then_some(value)
}

/// Reads a TransactGetItems or a TransactWriteItems, whose parts may have these `verbs`. A part is
/// an object with one member, whose name is the verb.
fn transaction<'a>(request: &'a str, verbs: &[&str]) -> Result<Vec<Action<'a>>, Malformed> {
    let [items] = json::members(request, ["TransactItems"])?;
    let operation = if verbs == ["Get"] { Operation::Read } else { Operation::Write };
    let mut all = Vec::new();
    json::elements(items.ok_or(Malformed)?, |item| {
        let only = attribute::only(item).ok().flatten();
        let action = match &only {
            Some((verb, action)) if verbs.contains(&&**verb) => match &**verb {
                "Get" => get(action, true),
                "Put" => put(action, true),
                "Update" => update(action, true),
                "ConditionCheck" => {
                    write_by_key(action, true).map(|action| Action { cost: Cost::Check, ..action })
                }
                _ => write_by_key(action, true),
            },
            _ => Err(Malformed),
        };
        push(
            &mut all,
            action.unwrap_or_else(|Malformed| {
                let table = only.and_then(|(_, action)| table_name(action)).unwrap_or_default();
                unread(table, operation, true)
            }),
        )
    })?;
    Ok(all)
}

/// Returns the table that an item of a transaction names, whatever else is in it.
fn table_name(action: &str) -> Option<Cow<'_, str>> {
    let [table] = json::members(action, ["TableName"]).ok()?;
    Some(table_of(json::text(table?).ok()?))
}

fn statements<'a>(request: &'a str, member: &str, api: ApiOperation) -> Result<Vec<Action<'a>>, Malformed> {
    let [all] = json::members(request, [member])?;
    let transactional = api.is_transaction();
    // A statement is on as many keys as it names.
    let (mut actions, mut keys_left) = (Vec::new(), ACTIONS_MAX);
    json::elements(all.ok_or(Malformed)?, |part| {
        let action = statement(part, transactional, keys_left)
            .unwrap_or_else(|Malformed| unread(Cow::Borrowed(""), Operation::Write, transactional));
        keys_left = keys_left.saturating_sub(action.keys_at_most());
        push(&mut actions, action)
    })?;
    Ok(actions)
}
