//! What DynamoDB answered: whether it did what was asked, what that took, and what it refused for want of throughput.

use crate::aside::Reason;
use crate::json::{self, Malformed};
use crate::operation::Operation;
use crate::request::reduce;
use crate::schema::reduced;
use crate::units::Units;
use std::borrow::Cow;

/// What became of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome<'a> {
    Done(Answer<'a>),
    /// No answer, or a fault of the server's: it may have run.
    Unknown,
    /// A condition did not hold; the item that it was about, if that was asked for.
    ConditionFailed(Option<&'a str>),
    /// A transaction was cancelled, for each item by one of these reasons.
    Canceled(Vec<Cow<'a, str>>),
    Throttled(Vec<Throttle<'a>>),
    /// Nothing was done, and nothing counts.
    Refused,
}

/// The members of an answer that say what was done.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Answer<'a> {
    pub(crate) capacity: Vec<Capacity<'a>>,
    pub(crate) item: Option<&'a str>,
    pub(crate) items: Option<&'a str>,
    pub(crate) responses: Option<&'a str>,
    pub(crate) unprocessed: Option<&'a str>,
    pub(crate) description: Option<&'a str>,
}

/// What a request took of one table and its indexes.
#[derive(Debug, PartialEq)]
pub(crate) struct Capacity<'a> {
    pub(crate) table: Cow<'a, str>,
    /// Of the table and its local indexes; of a bare total all.
    pub(crate) units: Units,
    /// Of global indexes, if the answer has details.
    pub(crate) indexes: Vec<(Cow<'a, str>, Units)>,
    /// Whether local indexes are named.
    pub(crate) local: bool,
    pub(crate) detailed: bool,
    /// Whether a write took read units: it was a replay.
    pub(crate) replayed: bool,
}

impl Capacity<'_> {
    /// One without a name is of the only table that there is.
    pub(crate) fn is_of(&self, table: &str) -> bool {
        self.table == table || self.table.is_empty()
    }
}

/// One of the reasons that a throttled request names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Throttle<'a> {
    pub(crate) table: Option<Cow<'a, str>>,
    pub(crate) index: Option<String>,
    /// Whether it is an index's though that is not named.
    pub(crate) of_index: bool,
    pub(crate) operation: Option<Operation>,
    pub(crate) reason: Reason,
}

/// Reads an answer. `status` 0: there was none.
pub(crate) fn outcome(status: i32, body: Option<&str>) -> Result<Outcome<'_>, Malformed> {
    match status {
        200..=299 => body.map_or(Ok(Answer::default()), answer).map(Outcome::Done),
        0 | 500.. => Ok(Outcome::Unknown),
        _ => body.map_or(Ok(Outcome::Refused), refusal),
    }
}

fn answer(body: &str) -> Result<Answer<'_>, Malformed> {
    let [capacity, item, items, responses, write, read, table, description] = json::members(
        body,
        [
            "ConsumedCapacity",
            "Item",
            "Items",
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
            json::array(all)?.into_iter().map(consumed).collect::<Result<_, _>>()?
        }
        Some(one) => vec![consumed(one)?],
    };
    let (unprocessed, description) = (write.or(read), description.or(table));
    Ok(Answer { capacity, item, items, responses, unprocessed, description })
}

fn consumed(capacity: &str) -> Result<Capacity<'_>, Malformed> {
    let [name, total, reads, writes, table, local, global] = json::members(
        capacity,
        [
            "TableName",
            "CapacityUnits",
            "ReadCapacityUnits",
            "WriteCapacityUnits",
            "Table",
            "LocalSecondaryIndexes",
            "GlobalSecondaryIndexes",
        ],
    )?;
    let units = |number: Option<&str>| number.map_or(Ok(Units::default()), halves);
    let mut own = Units::default();
    if let Some(table) = table {
        own += units(json::members(table, ["CapacityUnits"])?[0])?;
    }
    let mut indexes = Vec::new();
    for (all, is_local) in [(local, true), (global, false)] {
        json::each(all.unwrap_or("{}"), |index, took| {
            let took = units(json::members(took, ["CapacityUnits"])?[0])?;
            if is_local {
                own += took;
            } else {
                indexes.push((index, took));
            }
            Ok::<(), Malformed>(())
        })?;
    }
    let detailed = table.is_some() || local.is_some() || global.is_some();
    let name = match name {
        Some(name) => json::text(name)?,
        None => Cow::Borrowed(""),
    };
    Ok(Capacity {
        table: reduce(name),
        units: if detailed { own } else { units(total)? },
        indexes,
        local: local.is_some_and(|all| all.len() > 2),
        detailed,
        replayed: units(reads)? > Units::default() && units(writes)? == Units::default(),
    })
}

/// Units as half units; DynamoDB gives no others, and what it might is rounded up.
fn halves(number: &str) -> Result<Units, Malformed> {
    // As DynamoDB writes them; there is nothing to round then.
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if let (Ok(whole), "0" | "5") = (whole.parse::<u32>(), fraction) {
        return Ok(Units::from_halves(u64::from(whole) * 2 + u64::from(fraction == "5")));
    }
    // A float becomes the nearest integer that there is.
    Ok(Units::from_halves((json::number(number)? * 2.0).ceil() as u64))
}

fn refusal(body: &str) -> Result<Outcome<'_>, Malformed> {
    let [kind, item, reasons, throttling, message, other] = json::members(
        body,
        ["__type", "Item", "CancellationReasons", "ThrottlingReasons", "message", "Message"],
    )?;
    let kind = kind.map_or(Ok(Cow::Borrowed("")), json::text)?;
    let name = kind.rsplit('#').next().unwrap_or_default();
    Ok(match name {
        "ConditionalCheckFailedException" => Outcome::ConditionFailed(item),
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
                Ok(Throttle::named(&reason, resource))
            };
            let all = json::array(throttling.unwrap_or("[]"))?;
            Outcome::Throttled(all.into_iter().map(throttle).collect::<Result<_, _>>()?)
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

/// Whether a code, or an exception's name without its ending, says that there was too much of something.
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
            let (name, of) = reduced(&resource);
            // Not only ARNs: `TABLE/index/INDEX` too.
            let (name, local) = name.split_once("/index/").map_or((name, None), |(name, i)| (name, Some(i)));
            index = of.or(local).map(str::to_owned);
            table = Some(Cow::Owned(name.to_owned()));
        }
        Self { table, of_index: of_index || index.is_some(), index, operation, reason }
    }
}
