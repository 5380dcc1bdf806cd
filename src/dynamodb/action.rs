//! An action: one item-level step of a request. It has a table, what it says of the key, and what
//! it takes at least.
//!
//! A request is a list of actions. A GetItem has one, a batch or a transaction one an item, a
//! PartiQL statement one. An action says only what the request says: which partition that is,
//! `target` finds by the schema; what it took, the response tells, else [`Cost::estimate`].

use crate::dynamodb::attribute;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::schema::split_arn;
use crate::dynamodb::sets::Sets;
use crate::dynamodb::values::{Value, Values};
use crate::key::NAME_MAX;
use crate::operation::Operation;
use crate::units::{Consistency, Units, read_units, write_units};
use std::borrow::Cow;

/// One item-level action. A GetItem of `{"id": {"S": "7"}}` in `events`, say, is a read on `events`
/// with the subject `Key` and the cost of an eventually consistent read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Action<'a> {
    /// The table's name; of an ARN the table's name in it. Empty if an unread part does not tell
    /// it.
    pub(crate) table: Cow<'a, str>,
    /// The index that is queried, scanned or searched; none for an item.
    pub(crate) index: Option<Cow<'a, str>>,
    pub(crate) operation: Operation,
    pub(crate) subject: Subject<'a>,
    pub(crate) cost: Cost<'a>,
    /// The attributes that an update sets, which may be keys of global indexes.
    pub(crate) sets: Sets<'a>,
}

/// The key of an action, as far as the request says it. Which of the values is the partition key's
/// is not known here: that takes the schema.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Subject<'a> {
    /// A `Key`, with the key's attributes and no others.
    Key(&'a str),
    /// An `Item`, with all attributes.
    Item(&'a str),
    /// The equalities of a Query's key condition. They are on key attributes only, so a lone one is
    /// on the partition key.
    Conditions(Vec<(Cow<'a, str>, Value<'a>)>),
    /// The values to which a statement's WHERE clause pins attributes, each to one of a few. The
    /// attributes may be any.
    Pins(Vec<Pinned<'a>>),
    /// The values that a statement's INSERT gives: all attributes of an item.
    Inserted(Vec<Pinned<'a>>),
    /// The values by which a search of a vector index filters. One of them may be the index's key.
    Search(Vec<(Cow<'a, str>, Value<'a>)>),
    /// No key at all.
    Scan,
    /// A part that can't be read.
    Unread,
}

/// An attribute, and the values that it may have.
pub(crate) type Pinned<'a> = (Cow<'a, str>, Values<Value<'a>>);

/// The kind of an action's cost, by which its units are estimated if the response does not tell
/// them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cost<'a> {
    /// To write an item.
    Write {
        /// The item, if the request has all of it.
        item: Option<&'a str>,
        /// Whether it is part of a transaction, at twice the price.
        transactional: bool,
    },
    /// To check an item in a transaction: the price of a write, though nothing is changed.
    Check,
    /// To read an item, which only the response may have.
    Read(Consistency),
    /// To search a vector index: one unit. Its response tells bytes of a measure of their own, and
    /// no units.
    Search,
}

impl Action<'_> {
    /// Returns whether the action is a strongly consistent read. No global index allows one.
    pub(crate) fn is_strong(&self) -> bool {
        self.cost == Cost::Read(Consistency::Strong)
    }

    /// Returns whether the action may change an item, and so the indexes that the item is in.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self.cost, Cost::Write { .. })
    }

    /// Returns the most keys on which the action may be: of a statement the longest list of values
    /// of any attribute, as the schema may name each of them the key; of any other action 1; of an
    /// unread part 0.
    pub(crate) fn keys_at_most(&self) -> usize {
        match &self.subject {
            Subject::Pins(pins) => pins.iter().map(|(_, values)| values.len()).max().unwrap_or(1).max(1),
            Subject::Unread => 0,
            _ => 1,
        }
    }
}

impl Cost<'_> {
    /// Estimates the units, by the item in the request and the item `returned` in the response.
    /// `vectors` are the attributes that vector indexes of the table read; their size is another
    /// when written.
    ///
    /// A write goes by the larger of the two items, as DynamoDB charges by the item before or after
    /// it. Without any item a write is 1 unit and an eventually consistent read 0.5: the least
    /// there is.
    pub(crate) fn estimate(&self, returned: Option<&str>, vectors: &[&str]) -> Units {
        // An item that can't be measured was not accepted either.
        let size = |item: &str| attribute::item_size(item).unwrap_or(0);
        let written = |item: &str| attribute::written_size(item, vectors).unwrap_or(0);
        match *self {
            Cost::Write { item, transactional } => {
                write_units(item.map_or(0, written).max(returned.map_or(0, written)), transactional)
            }
            Cost::Check => write_units(returned.map_or(0, written), true),
            Cost::Read(consistency) => read_units(returned.map_or(0, size), consistency),
            Cost::Search => Units::whole(1),
        }
    }
}

/// Returns whether all actions whose table is known are on the same one. Capacity that a response
/// tells without a name then belongs to that table.
pub(crate) fn one_table(actions: &[Action<'_>]) -> bool {
    let mut known = actions.iter().map(|action| &action.table).filter(|table| !table.is_empty());
    let Some(first) = known.next() else { return true };
    known.all(|table| table == first)
}

/// Returns the table that a required member `TableName` names.
fn table_name(name: Option<&str>) -> Result<Cow<'_, str>, Malformed> {
    Ok(table_of(json::text(name.ok_or(Malformed)?)?))
}

/// Returns the table's name in `name`, which is that name already or an ARN.
pub(crate) fn table_of(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(split_arn(name).0),
        Cow::Owned(name) => Cow::Owned(split_arn(&name).0.to_owned()),
    }
}

/// Returns the consistency that a member `ConsistentRead` asks for. Absent it means eventual.
pub(crate) fn consistency(consistent: Option<&str>) -> Result<Consistency, Malformed> {
    let strong = consistent.map_or(Ok(false), json::boolean)?;
    Ok(if strong { Consistency::Strong } else { Consistency::Eventual })
}

/// Returns the read of `subject` in the table that a member `TableName` names.
pub(crate) fn read<'a>(
    table: Option<&'a str>,
    subject: Subject<'a>,
    consistency: Consistency,
) -> Result<Action<'a>, Malformed> {
    let (table, cost) = (table_name(table)?, Cost::Read(consistency));
    Ok(Action { table, index: None, operation: Operation::Read, subject, cost, sets: Sets::Nothing })
}

/// Returns the write of `subject` in the table that a member `TableName` names. Of an `Item` its
/// cost is known; by a `Key` the least is assumed.
pub(crate) fn write<'a>(
    table: Option<&'a str>,
    subject: Subject<'a>,
    transactional: bool,
) -> Result<Action<'a>, Malformed> {
    let item = if let Subject::Item(item) = subject { Some(item) } else { None };
    let (table, cost) = (table_name(table)?, Cost::Write { item, transactional });
    Ok(Action { table, index: None, operation: Operation::Write, subject, cost, sets: Sets::Nothing })
}

/// Returns the action of a part that can't be read. A name too long for a table counts as none. It
/// has a cost all the same, so that it takes its share of what the response tells.
pub(crate) fn unread(table: Cow<'_, str>, operation: Operation, transactional: bool) -> Action<'_> {
    let cost = match (operation, transactional) {
        (Operation::Write, _) => Cost::Write { item: None, transactional },
        (Operation::Read, true) => Cost::Read(Consistency::Transactional),
        (Operation::Read, false) => Cost::Read(Consistency::Eventual),
    };
    let table = if table.len() > NAME_MAX { Cow::Borrowed("") } else { table };
    Action { table, index: None, operation, subject: Subject::Unread, cost, sets: Sets::Nothing }
}
