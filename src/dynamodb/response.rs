//! A response: whether DynamoDB did what was asked, what that took, and what it refused for want of throughput.

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
    Success(Response<'a>),
    /// No response, or a fault of the server's: it may have run.
    Unknown,
    /// A condition did not hold; the item that it was about, if that was asked for.
    ConditionFailed(Option<&'a str>),
    /// A transaction was cancelled, for each item by one of these reasons.
    Canceled(Vec<Cow<'a, str>>),
    Throttled(Vec<Throttle<'a>>),
    /// Nothing was done, and nothing counts.
    Refused,
}

/// The members of a response that say what was done.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Response<'a> {
    pub(crate) capacity: Vec<Capacity<'a>>,
    pub(crate) item: Option<&'a str>,
    pub(crate) items: Option<&'a str>,
    /// Those of an item before or after an update, as its request has asked.
    pub(crate) attributes: Option<&'a str>,
    pub(crate) responses: Option<&'a str>,
    pub(crate) unprocessed: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
}

/// The capacity that a request took of one table and its indexes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Capacity<'a> {
    pub(crate) table: Cow<'a, str>,
    /// Of the table and its local indexes; of a bare total all.
    pub(crate) units: Units,
    /// Of global indexes, if the response has details.
    pub(crate) indexes: Vec<(Cow<'a, str>, Units)>,
    /// The local indexes that are named.
    pub(crate) local: Vec<Cow<'a, str>>,
    pub(crate) detailed: bool,
    reads: Units,
    writes: Units,
}

impl<'a> Capacity<'a> {
    /// One without a name is of the only table that there is.
    pub(crate) fn is_of(&self, table: &str, is_only: bool) -> bool {
        self.table == table || (is_only && self.table.is_empty())
    }

    /// Returns whether writes took read units: they were a replay.
    pub(crate) fn is_replayed(&self) -> bool {
        self.reads > Units::default() && self.writes == Units::default()
    }

    /// Returns the capacity that each table took, summed where each statement has its own.
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

/// One of the reasons that a throttled request names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Throttle<'a> {
    pub(crate) table: Option<Cow<'a, str>>,
    pub(crate) index: Option<String>,
    /// Whether it is the throttle of an index, even if that is not named.
    pub(crate) of_index: bool,
    pub(crate) operation: Option<Operation>,
    pub(crate) reason: Reason,
}

impl Throttle<'_> {
    /// Returns whether it may be about this action's table.
    pub(crate) fn is_of(&self, action: &Action<'_>) -> bool {
        self.table.as_ref().is_none_or(|table| *table == action.table)
    }
}

/// Reads a response. `status` 0: there was none.
pub(crate) fn outcome(status: i32, body: Option<&[u8]>) -> Result<Outcome<'_>, Malformed> {
    match status {
        200..=299 => {
            let text = |body| std::str::from_utf8(body).map_err(|_| Malformed);
            body.map_or(Ok(Response::default()), |body| success(text(body)?)).map(Outcome::Success)
        }
        0 | 500.. => Ok(Outcome::Unknown),
        // What can't be read is from something on the way, such as a proxy's page.
        _ => Ok(body
            .and_then(|body| refusal(std::str::from_utf8(body).ok()?).ok())
            .unwrap_or(Outcome::Refused)),
    }
}

/// More tables and statements, or indexes of one, than any response tells of.
const CAPACITIES_MAX: usize = 1_000;
const INDEXES_MAX: usize = 100;
/// The most reasons of a throttle that are looked at.
const REASONS_MAX: usize = 100;
/// More units than a request can take; what is not a number of units is not from DynamoDB.
const UNITS_MAX: f64 = (1_u64 << 40) as f64;

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

/// Reads the capacity that was taken of a table; `None` of a search, of which only bytes are told.
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

/// Adds what an index took to what is known of it.
fn add<'a>(indexes: &mut Vec<(Cow<'a, str>, Units)>, index: Cow<'a, str>, took: Units) {
    match indexes.iter_mut().find(|(name, _)| *name == index) {
        Some((_, before)) => *before += took,
        None => indexes.push((index, took)),
    }
}

/// Units as half units; DynamoDB gives no others, and what it might is rounded up.
fn halves(number: &str) -> Result<Units, Malformed> {
    // As DynamoDB writes them; there is nothing to round then.
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

fn refusal(body: &str) -> Result<Outcome<'_>, Malformed> {
    // The exceptions do not agree on how to spell ThrottlingReasons.
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
    let kind = kind.map_or(Ok(Cow::Borrowed("")), json::text)?;
    let name = kind.rsplit('#').next().unwrap_or_default();
    Ok(match name {
        // The latter is PartiQL's, of an INSERT.
        "ConditionalCheckFailedException" | "DuplicateItemException" => Outcome::ConditionFailed(item),
        "TransactionCanceledException" => Outcome::Canceled(match reasons {
            Some(reasons) => {
                let code = |reason| {
                    let [code] = json::members(reason, ["Code"])?;
                    code.map_or(Ok(Cow::Borrowed("None")), json::text)
                };
                json::array(reasons)?.into_iter().map(code).collect::<Result<_, _>>()?
            }
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

/// The codes that a message ends in: "… reasons [None, ConditionalCheckFailed]".
fn listed(message: &str) -> Vec<Cow<'static, str>> {
    let list = message.rsplit_once('[').and_then(|(_, list)| list.split_once(']'));
    let codes = list.map_or("", |(list, _)| list).split(',').map(str::trim);
    codes.filter(|code| !code.is_empty()).map(|code| Cow::Owned(code.to_owned())).collect()
}

/// Returns whether a code, or an exception's name without its ending, says that there was too much of something.
pub(crate) fn is_throttle(code: &str) -> bool {
    matches!(
        code,
        "ProvisionedThroughputExceeded" | "ThrottlingError" | "Throttling" | "RequestLimitExceeded"
    )
}

impl<'a> Throttle<'a> {
    /// Of one of the 16 reasons, such as `TableWriteKeyRangeThroughputExceeded`.
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
            // Not only ARNs: `TABLE/index/INDEX` too.
            let (name, local) = name.split_once("/index/").map_or((name, None), |(name, i)| (name, Some(i)));
            index = arn_index.or(local).map(str::to_owned);
            table = Some(Cow::Owned(name.to_owned()));
        }
        Self { table, of_index: of_index || index.is_some(), index, operation, reason }
    }
}
