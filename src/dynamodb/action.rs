//! One item-level action of a request: the table it is on, what it says of the key, and what it takes at least.

use crate::dynamodb::attribute;
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::schema::split_arn;
use crate::dynamodb::sets::Sets;
use crate::dynamodb::values::{Value, Values};
use crate::key::NAME_MAX;
use crate::operation::Operation;
use crate::units::{Consistency, Units, read_units, write_units};
use std::borrow::Cow;

/// One item-level action.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Action<'a> {
    /// A table's name; of an ARN the table's name in it. Empty if an unread part does not tell it.
    pub(crate) table: Cow<'a, str>,
    /// The index that is queried.
    pub(crate) index: Option<Cow<'a, str>>,
    pub(crate) operation: Operation,
    pub(crate) subject: Subject<'a>,
    pub(crate) cost: Cost<'a>,
    pub(crate) sets: Sets<'a>,
}

/// The key of an action, as far as the request says it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Subject<'a> {
    /// A `Key`, with the key's attributes and no others.
    Key(&'a str),
    /// An `Item`, with all attributes.
    Item(&'a str),
    /// The values that a query's attributes are to equal: those of its key.
    Conditions(Vec<(Cow<'a, str>, Value<'a>)>),
    /// The values that a statement's attributes are to equal, one of some values each. They may be any attributes.
    Pins(Vec<Pinned<'a>>),
    /// The values that a statement inserts: all attributes of an item.
    Inserted(Vec<Pinned<'a>>),
    /// The values that a search of a vector index filters by. One of them may be the index's key.
    Search(Vec<(Cow<'a, str>, Value<'a>)>),
    /// Nothing of it.
    Scan,
    /// A part that can't be read.
    Unread,
}

/// An attribute, and the values that it may have.
pub(crate) type Pinned<'a> = (Cow<'a, str>, Values<Value<'a>>);

/// The units that an action takes at least, if the response does not say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cost<'a> {
    /// To write an item, if all of it is known.
    Write {
        item: Option<&'a str>,
        transactional: bool,
    },
    /// To look at an item in a transaction: what a write takes, though nothing is changed.
    Check,
    Read(Consistency),
    /// To search a vector index: one unit. Its response tells bytes of a measure of their own, and
    /// no units.
    Search,
}

impl Action<'_> {
    pub(crate) fn is_strong(&self) -> bool {
        self.cost == Cost::Read(Consistency::Strong)
    }

    /// Returns whether it may change an item, and so the indexes that the item is in.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self.cost, Cost::Write { .. })
    }

    pub(crate) fn keys_at_most(&self) -> usize {
        match &self.subject {
            Subject::Pins(pins) => pins.iter().map(|(_, values)| values.len()).max().unwrap_or(1).max(1),
            Subject::Unread => 0,
            _ => 1,
        }
    }
}

impl Cost<'_> {
    /// Estimates the units by what the request says, and by an item that the response has.
    /// `vectors` are the attributes that vector indexes of the table read.
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

/// Returns whether all actions are on one table, as far as it is known of them.
pub(crate) fn one_table(actions: &[Action<'_>]) -> bool {
    let mut known = actions.iter().map(|action| &action.table).filter(|table| !table.is_empty());
    let Some(first) = known.next() else { return true };
    known.all(|table| table == first)
}

fn table_name(name: Option<&str>) -> Result<Cow<'_, str>, Malformed> {
    Ok(table_of(json::text(name.ok_or(Malformed)?)?))
}

/// Returns the name of the table that a name or an ARN is of.
pub(crate) fn table_of(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(split_arn(name).0),
        Cow::Owned(name) => Cow::Owned(split_arn(&name).0.to_owned()),
    }
}

pub(crate) fn consistency(consistent: Option<&str>) -> Result<Consistency, Malformed> {
    let strong = consistent.map_or(Ok(false), json::boolean)?;
    Ok(if strong { Consistency::Strong } else { Consistency::Eventual })
}

pub(crate) fn read<'a>(
    table: Option<&'a str>,
    subject: Subject<'a>,
    consistency: Consistency,
) -> Result<Action<'a>, Malformed> {
    let (table, cost) = (table_name(table)?, Cost::Read(consistency));
    Ok(Action { table, index: None, operation: Operation::Read, subject, cost, sets: Sets::Nothing })
}

pub(crate) fn write<'a>(
    table: Option<&'a str>,
    subject: Subject<'a>,
    transactional: bool,
) -> Result<Action<'a>, Malformed> {
    let item = if let Subject::Item(item) = subject { Some(item) } else { None };
    let (table, cost) = (table_name(table)?, Cost::Write { item, transactional });
    Ok(Action { table, index: None, operation: Operation::Write, subject, cost, sets: Sets::Nothing })
}

/// Returns the action of a part that can't be read. A name that no table has is none.
pub(crate) fn unread(table: Cow<'_, str>, operation: Operation, transactional: bool) -> Action<'_> {
    let cost = match (operation, transactional) {
        (Operation::Write, _) => Cost::Write { item: None, transactional },
        (Operation::Read, true) => Cost::Read(Consistency::Transactional),
        (Operation::Read, false) => Cost::Read(Consistency::Eventual),
    };
    let table = if table.len() > NAME_MAX { Cow::Borrowed("") } else { table };
    Action { table, index: None, operation, subject: Subject::Unread, cost, sets: Sets::Nothing }
}
