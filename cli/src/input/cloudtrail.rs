//! CloudTrail: its data events of DynamoDB, as a trail's files have them, or CloudWatch and
//! EventBridge, one after another.
//!
//! An event tells which table and keys a request named, with plain values, but no other attribute
//! of an item. So it is handed on as the least request on these keys: a put as an update of its
//! key.
//!
//! The spellings of members differ between operations, and even within one event: `tableName` and
//! `TableName`, `key` and `Key`. A transaction's items are `requestItems`, each with its
//! `operation`, or `transactItems`, each in a member of that name.

mod request;

use crate::entry::Exchange;
use crate::input::json::{Log, Members, object, quoted};
use crate::input::parse::Out;
use crate::input::timestamp;
use crate::input::uncounted::counts;
use anyhow::Result;
use request::NoRequest;

/// The data events of a trail.
pub struct CloudTrail;

impl CloudTrail {
    /// Whether an object is an event, or has one in it.
    pub fn is(members: &Members<'_>) -> bool {
        let is_event = |members: &Members<'_>| {
            members.get("eventSource").is_some() && members.get("eventTime").is_some()
        };
        let is_in_text =
            |name| members.text(name).and_then(|text| Some(is_event(&Members::of(text.as_bytes())?)));
        is_event(members)
            || members.object("detail").is_some_and(|detail| is_event(&detail))
            || is_in_text("message").unwrap_or_default()
    }
}

impl Log for CloudTrail {
    fn take(&mut self, line: u64, object: &[u8], out: &mut Out<'_>) -> Result<()> {
        let Some(members) = Members::of(object) else { return out.bad(line, "this is not JSON") };
        if members.get("eventSource").is_some() {
            return event(line, &members, out);
        }
        if let Some(detail) = members.object("detail") {
            return event(line, &detail, out);
        }
        match members.text("message") {
            Some(message) => match Members::of(message.as_bytes()) {
                Some(members) => event(line, &members, out),
                None => out.bad(line, "the message is not JSON"),
            },
            None => out.bad(line, "this is no event of CloudTrail: there is no eventSource"),
        }
    }
}

fn event(line: u64, event: &Members<'_>, out: &mut Out<'_>) -> Result<()> {
    if event.text("eventSource").is_none_or(|source| source != "dynamodb.amazonaws.com") {
        out.without_entries("of other services");
        return Ok(());
    }
    let Some(name) = event.text("eventName") else { return out.bad(line, "there is no eventName") };
    if !request::OPERATIONS.contains(&&*name) {
        out.without_entries("of operations on no item");
        return Ok(());
    }
    let time = event.text("eventTime").unwrap_or_default();
    let Some(time_ms) = timestamp::parse(time.as_bytes()) else {
        return out.bad(line, format!("eventTime is no date: {time:?}"));
    };
    let code = event.text("errorCode");
    let Some(http_status) = status(code.as_deref()) else {
        out.without_entries("refused by DynamoDB");
        return Ok(());
    };
    let Some(parameters) = event.object("requestParameters") else {
        out.without_entries("without their request");
        return Ok(());
    };
    let (operation, request) = match request::of(&name, &parameters) {
        Ok(request) => request,
        Err(NoRequest::Hidden) => {
            out.without_entries("whose keys the log does not show");
            return Ok(());
        }
        Err(NoRequest::Malformed(what)) => return out.bad(line, what),
    };
    let error = code.map(|code| {
        let message = quoted(&event.text("errorMessage").unwrap_or_default());
        self::object(&[("__type", Some(&quoted(&code))), ("message", Some(&message))])
    });
    let from = out.at(line);
    out.exchange(&Exchange {
        from,
        time_ms,
        operation: operation.as_bytes(),
        request: request.as_bytes(),
        response: error.as_deref().map(str::as_bytes),
        model: None,
        http_status,
    })
}

/// Returns the status that a response with this error had, if it counts for anything.
fn status(code: Option<&str>) -> Option<u16> {
    Some(match code {
        None => 200,
        Some(
            "InternalServerError" | "InternalFailure" | "InternalServerErrorException" | "ServiceUnavailable",
        ) => 500,
        Some(code) => return counts(code).then_some(400),
    })
}
