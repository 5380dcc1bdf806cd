//! A response: whether DynamoDB did what was asked, the capacity that it took, and why it refused
//! for want of throughput.
//!
//! The status decides first. With 2xx the body is read as a success, with another client error as a
//! refusal. Without an answer, or with a fault of the server, the body tells nothing.

use crate::dynamodb::action::{Action, table_of};
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::schema::split_arn;
use crate::operation::Operation;
use crate::reason::Reason;
use crate::units::Units;
use std::borrow::Cow;

/// The outcome of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome<'a> {
    /// It was carried out, as a whole or in part.
    Success(Response<'a>),
    /// No response came, or a fault of the server's: the request may have run.
    Unknown,
    /// A condition did not hold. The item that it was about is here, if the request asked for it.
    ConditionFailed(Option<&'a str>),
    /// A transaction was cancelled. For each part stands its reason's code; `None` is that of a
    /// part that could have run.
    Canceled(Vec<Cow<'a, str>>),
    /// There was too much of something, for these reasons; none where the response names none.
    Throttled(Vec<Throttle<'a>>),
    /// Nothing was done, and nothing counts.
    Refused,
}

/// The members of a response that say what was done, as they are written.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Response<'a> {
    /// The capacity that was taken: an entry for each table or, of a batch of statements, for each
    /// statement.
    pub(crate) capacity: Vec<Capacity<'a>>,
    pub(crate) item: Option<&'a str>,
    pub(crate) items: Option<&'a str>,
    /// The attributes of an item before or after an update, whichever its request has asked for.
    pub(crate) attributes: Option<&'a str>,
    pub(crate) responses: Option<&'a str>,
    /// `UnprocessedItems` or `UnprocessedKeys`.
    pub(crate) unprocessed: Option<&'a str>,
    /// `Table` or `TableDescription`.
    pub(crate) description: Option<&'a str>,
}

/// The capacity that a request took of one table and its indexes.
///
/// A request may ask for it in two ways. `TOTAL` gives a bare total, which is of the table and all
/// its indexes together. `INDEXES` gives details as well:
///
/// ```text
/// {"TableName": "orders", "CapacityUnits": 5, "Table": {"CapacityUnits": 3},
///  "GlobalSecondaryIndexes": {"by-user": {"CapacityUnits": 2}}}
/// ```
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Capacity<'a> {
    /// The table's name; empty if the response does not tell it.
    pub(crate) table: Cow<'a, str>,
    /// The units of the table and its local indexes; of a bare total those of all together.
    pub(crate) units: Units,
    /// The units of each global index, if the response has details.
    pub(crate) indexes: Vec<(Cow<'a, str>, Units)>,
    /// The names of the local indexes in it.
    pub(crate) local: Vec<Cow<'a, str>>,
    /// Whether the response has details.
    pub(crate) detailed: bool,
    reads: Units,
    writes: Units,
}

impl<'a> Capacity<'a> {
    /// Returns whether it is the capacity of `table`. If that table is the request's only one, a
    /// capacity without a name is of it.
    pub(crate) fn is_of(&self, table: &str, is_only: bool) -> bool {
        self.table == table || (is_only && self.table.is_empty())
    }

    /// Returns whether read units were taken and no write units. Told of writes this means that
    /// they were a replay: the transaction had been made before.
    pub(crate) fn is_replayed(&self) -> bool {
        self.reads > Units::default() && self.writes == Units::default()
    }

    /// Returns the capacity that each table took: the sum, where each statement has an entry of its
    /// own.
    pub(crate) fn by_table(each: &[Self]) -> Result<Cow<'_, [Self]>, Malformed> {
        if each.len() <= 1 {
            return Ok(Cow::Borrowed(each));
        }
        let mut tables: Vec<Self> = Vec::new();
        for one in each {
            match tables.iter_mut().find(|before| before.table == one.table) {
                Some(before) => before.merge(one)?,
                None => tables.push(one.clone()),
            }
        }
        Ok(Cow::Owned(tables))
    }

    /// Adds another capacity of the same table.
    fn merge(&mut self, other: &Self) -> Result<(), Malformed> {
        self.units += other.units;
        self.reads += other.reads;
        self.writes += other.writes;
        self.detailed |= other.detailed;
        self.local.extend(
            other.local.iter().filter(|name| !self.local.contains(name)).cloned().collect::<Vec<_>>(),
        );
        other.indexes.iter().for_each(|(index, took)| add(&mut self.indexes, index.clone(), *took));
        if self.indexes.len() + self.local.len() > INDEXES_MAX { Err(Malformed) } else { Ok(()) }
    }
}

/// One of the reasons that a throttled request names, such as
/// `TableWriteKeyRangeThroughputExceeded`, and the resource that it names beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Throttle<'a> {
    pub(crate) table: Option<Cow<'a, str>>,
    /// The index that is named.
    pub(crate) index: Option<String>,
    /// Whether an index was throttled, even if that is not named.
    pub(crate) of_index: bool,
    /// Whether reads or writes were throttled, if the reason tells.
    pub(crate) operation: Option<Operation>,
    pub(crate) reason: Reason,
}

impl Throttle<'_> {
    /// Returns whether it may be about this action's table: one that names no table may.
    pub(crate) fn is_of(&self, action: &Action<'_>) -> bool {
        self.table.as_ref().is_none_or(|table| *table == action.table)
    }
}

/// Reads a response. `status` is 0 where none came.
///
/// # Errors
/// [`Malformed`] if a success can't be read. A refusal that can't be read is [`Outcome::Refused`].
pub(crate) fn outcome(status: i32, body: Option<&[u8]>) -> Result<Outcome<'_>, Malformed> {
    match status {
        200..=299 => {
            let text = |body| std::str::from_utf8(body).map_err(|_| Malformed);
            body.map_or(Ok(Response::default()), |body| success(text(body)?)).map(Outcome::Success)
        }
        0 | 500.. => Ok(Outcome::Unknown),
        // A refusal that can't be read is from something on the way, such as a proxy's page.
        _ => Ok(body
            .and_then(|body| refusal(std::str::from_utf8(body).ok()?).ok())
            .unwrap_or(Outcome::Refused)),
    }
}

/// The most capacities that are read: more tables and statements than any response tells of.
const CAPACITIES_MAX: usize = 1_000;
/// The most indexes of one table: more than a table has.
const INDEXES_MAX: usize = 100;
/// The most reasons of a throttle that are looked at.
const REASONS_MAX: usize = 100;
/// More units than a request can take. A larger number is not from DynamoDB.
const UNITS_MAX: f64 = (1_u64 << 40) as f64;

/// Reads the body of a success.
fn success(body: &str) -> Result<Response<'_>, Malformed> {
    let [capacity, item, items, attributes, responses, write, read, table, description] = json::members(
        body,
        [
            "ConsumedCapacity",
            "Item",
            "Items",
            "Attributes",
            "Responses",
            "UnprocessedItems",
            "UnprocessedKeys",
            "Table",
            "TableDescription",
        ],
    )?;
    let capacity = match capacity {
        None => Vec::new(),
        Some(all) if all.starts_with('[') => {
            let mut each: Vec<Capacity<'_>> = Vec::new();
            json::elements(all, |one| {
                each.extend(consumed(one)?);
                if each.len() > CAPACITIES_MAX { Err(Malformed) } else { Ok(()) }
            })?;
            each
        }
        Some(one) => consumed(one)?.into_iter().collect(),
    };
    let (unprocessed, description) = (write.or(read), description.or(table));
    Ok(Response { capacity, item, items, attributes, responses, unprocessed, description })
}

/// Reads the capacity that was taken of one table. Returns `None` for that of a search, which tells
/// only bytes.
fn consumed(capacity: &str) -> Result<Option<Capacity<'_>>, Malformed> {
    let [name, total, reads, writes, table, local, global, searched] = json::members(
        capacity,
        [
            "TableName",
            "CapacityUnits",
            "ReadCapacityUnits",
            "WriteCapacityUnits",
            "Table",
            "LocalSecondaryIndexes",
            "GlobalSecondaryIndexes",
            "VectorSearchRequestBytes",
        ],
    )?;
    if searched.is_some() && name.is_none() {
        return Ok(None);
    }
    let units = |number: Option<&str>| number.map_or(Ok(Units::default()), halves);
    // The table's own units and those of its local indexes are one sum: they are on the same
    // partitions.
    let mut own = Units::default();
    if let Some(table) = table {
        own += units(json::members(table, ["CapacityUnits"])?[0])?;
    }
    let (mut indexes, mut on_local, mut locals) = (Vec::new(), Units::default(), Vec::new());
    for (all, is_local) in [(local, true), (global, false)] {
        json::each(all.unwrap_or("{}"), |index, took| {
            let took = units(json::members(took, ["CapacityUnits"])?[0])?;
            if is_local {
                on_local += took;
                locals.push(index);
            } else {
                add(&mut indexes, index, took);
            }
            if indexes.len().max(locals.len()) > INDEXES_MAX { Err(Malformed) } else { Ok(()) }
        })?;
    }
    let detailed = table.is_some() || local.is_some() || global.is_some();
    own += on_local;
    // The entry of the table itself may be cut out. Then the total is the table's, less what global
    // indexes took.
    if table.is_none() {
        // Cut down: what is not of a global index is the table's.
        let global: Units = indexes.iter().map(|&(_, took)| took).sum();
        own = Units::from_halves(units(total)?.halves().saturating_sub(global.halves())).max(own);
    }
    let name = match name {
        Some(name) => json::text(name)?,
        None => Cow::Borrowed(""),
    };
    Ok(Some(Capacity {
        table: table_of(name),
        units: own,
        indexes,
        local: locals,
        detailed,
        reads: units(reads)?,
        writes: units(writes)?,
    }))
}

/// Adds the units that an index took to those that are known of it.
fn add<'a>(indexes: &mut Vec<(Cow<'a, str>, Units)>, index: Cow<'a, str>, took: Units) {
    match indexes.iter_mut().find(|(name, _)| *name == index) {
        Some((_, before)) => *before += took,
        None => indexes.push((index, took)),
    }
}

/// Reads a number of units. DynamoDB gives multiples of a half; any other is rounded up to one.
fn halves(number: &str) -> Result<Units, Malformed> {
    // The form in which DynamoDB writes them, `3.0` or `0.5`, needs no floating point.
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if let (Ok(whole), "0" | "5") = (whole.parse::<u32>(), fraction) {
        return Ok(Units::from_halves(u64::from(whole) * 2 + u64::from(fraction == "5")));
    }
    let units = json::number(number)?;
    if (0.0..=UNITS_MAX).contains(&units) {
        Ok(Units::from_halves((units * 2.0).ceil() as u64))
    } else {
        Err(Malformed)
    }
}

/// Reads the body of a refusal.
fn refusal(body: &str) -> Result<Outcome<'_>, Malformed> {
    // The exceptions do not agree on how to spell `ThrottlingReasons` and `Message`.
    let [kind, item, reasons, throttling, lower, message, other] = json::members(
        body,
        [
            "__type",
            "Item",
            "CancellationReasons",
            "ThrottlingReasons",
            "throttlingReasons",
            "message",
            "Message",
        ],
    )?;
    // The kind comes with a namespace:
    // `com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException`.
    let kind = kind.map_or(Ok(Cow::Borrowed("")), json::text)?;
    let name = kind.rsplit('#').next().unwrap_or_default();
    Ok(match name {
        // The latter is PartiQL's, of an INSERT on a key that exists.
        "ConditionalCheckFailedException" | "DuplicateItemException" => Outcome::ConditionFailed(item),
        "TransactionCanceledException" => Outcome::Canceled(match reasons {
            Some(reasons) => {
                let code = |reason| {
                    let [code] = json::members(reason, ["Code"])?;
                    code.map_or(Ok(Cow::Borrowed("None")), json::text)
                };
                json::array(reasons)?.into_iter().map(code).collect::<Result<_, _>>()?
            }
            // Without the list the message still has the codes.
            None => listed(&message.or(other).map_or(Ok(Cow::Borrowed("")), json::text)?),
        }),
        _ if is_throttle(name.strip_suffix("Exception").unwrap_or(name)) => {
            let throttle = |reason| -> Result<_, Malformed> {
                let [reason, resource, upper_reason, upper_resource] =
                    json::members(reason, ["reason", "resource", "Reason", "Resource"])?;
                let reason = reason.or(upper_reason).map_or(Ok(Cow::Borrowed("")), json::text)?;
                let resource = resource.or(upper_resource).map(json::text).transpose()?;
                Ok(Throttle::named(&reason, resource.filter(|name| !name.is_empty())))
            };
            let mut all = Vec::new();
            json::elements(throttling.or(lower).unwrap_or("[]"), |reason| {
                let reason = throttle(reason)?;
                if all.len() < REASONS_MAX && !all.contains(&reason) {
                    all.push(reason);
                }
                Ok::<(), Malformed>(())
            })?;
            Outcome::Throttled(all)
        }
        _ => Outcome::Refused,
    })
}

/// Returns the codes in which a message ends: "… reasons [None, ConditionalCheckFailed]".
fn listed(message: &str) -> Vec<Cow<'static, str>> {
    let list = message.rsplit_once('[').and_then(|(_, list)| list.split_once(']'));
    let codes = list.map_or("", |(list, _)| list).split(',').map(str::trim);
    codes.filter(|code| !code.is_empty()).map(|code| Cow::Owned(code.to_owned())).collect()
}

/// Returns whether `code`, which is a part's or an exception's name without its ending, says that
/// there was too much of something.
pub(crate) fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceeded" | "ThrottlingError" | "Throttling" | "RequestLimitExceeded"
    )
}

impl<'a> Throttle<'a> {
    /// Reads one of the 16 reasons, and the resource beside it. A reason is made of four pieces:
    /// `Table` or `Index`; `Read` or `Write`; `KeyRange`, `Provisioned`, `AccountLimit` or
    /// `MaxOnDemand`; and an ending.
    fn named(reason: &str, resource: Option<Cow<'a, str>>) -> Self {
        let (of_index, rest) = match reason.strip_prefix("Index") {
            Some(rest) => (true, rest),
            None => (false, reason.strip_prefix("Table").unwrap_or("")),
        };
        let (operation, rest) = match (rest.strip_prefix("Read"), rest.strip_prefix("Write")) {
            (Some(rest), _) => (Some(Operation::Read), rest),
            (_, Some(rest)) => (Some(Operation::Write), rest),
            _ => (None, ""),
        };
        let reason = match rest {
            "KeyRangeThroughputExceeded" => Reason::KeyRange,
            "ProvisionedThroughputExceeded" => Reason::Provisioned,
            "AccountLimitExceeded" => Reason::AccountLimit,
            "MaxOnDemandThroughputExceeded" => Reason::MaxOnDemand,
            _ => Reason::Unknown,
        };
        let (mut table, mut index) = (None, None);
        if let Some(resource) = resource {
            let (name, arn_index) = split_arn(&resource);
            // A resource is an ARN, or `TABLE/index/INDEX`.
            let (name, local) = name.split_once("/index/").map_or((name, None), |(name, i)| (name, Some(i)));
            index = arn_index.or(local).map(str::to_owned);
            table = Some(Cow::Owned(name.to_owned()));
        }
        Self { table, of_index: of_index || index.is_some(), index, operation, reason }
    }
}
