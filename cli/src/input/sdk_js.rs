//! aws-sdk-js-v3: the lines of a client's `logger`, as a logger of JSON writes them.
//!
//! The SDK hands its logger `{clientName, commandName, input, output, metadata}`, or `error` for
//! `output`, and no time: the logger adds that. `console.log` adds none, and cuts values short
//! (`[Object]`), so its lines can't be read.

use crate::entry::Exchange;
use crate::input::json::{Log, Members, list, object, quoted, text};
use crate::input::parse::Out;
use crate::input::plain::attributes;
use crate::input::timestamp;
use anyhow::Result;

/// The members that hold a line's time.
const TIMES: [&str; 7] = ["time_ms", "time", "timestamp", "@timestamp", "ts", "date", "datetime"];
/// The members of a line that may hold what the SDK logged.
const INNER: [&str; 5] = ["message", "msg", "data", "obj", "context"];
/// The members of a request, or of what is in it, that are attributes by their names.
const ATTRIBUTES: [&str; 5] = ["Key", "Item", "ExpressionAttributeValues", "Attributes", "LastEvaluatedKey"];
/// The members that are lists of such objects.
const LISTS: [&str; 2] = ["Keys", "Items"];
/// The members that are lists of values.
const VALUES: [&str; 2] = ["AttributeValueList", "Parameters"];
/// The most levels: DynamoDB has 32, and requests some more.
const DEPTH_MAX: u32 = 50;

/// The lines of a client's logger.
pub struct SdkJs;

impl SdkJs {
    pub fn is(members: &Members<'_>) -> bool {
        let is_command = |members: &Members<'_>| {
            members.get("commandName").is_some() && members.get("clientName").is_some()
        };
        is_command(members)
            || INNER.iter().any(|name| members.object(name).is_some_and(|inner| is_command(&inner)))
    }
}

impl Log for SdkJs {
    fn take(&mut self, line: u64, object: &[u8], out: &mut Out<'_>) -> Result<()> {
        let Some(outer) = Members::of(object) else { return out.bad(line, "this is not JSON") };
        let is_command = |members: &Members<'_>| members.get("commandName").is_some();
        let inner = INNER.iter().filter_map(|name| outer.object(name)).find(is_command);
        let logged = inner.as_ref().unwrap_or(&outer);
        let Some(command) = logged.text("commandName") else {
            out.without_entries("of something else");
            return Ok(());
        };
        if logged.text("clientName").is_none_or(|client| !client.starts_with("DynamoDB")) {
            out.without_entries("of other services");
            return Ok(());
        }
        let time = TIMES.iter().find_map(|name| time(outer.get(name).or_else(|| logged.get(name))?));
        let Some(time_ms) = time else {
            return out.bad(line, "there is no time: the logger has to add one, as \"time\"");
        };
        let Some(input) = logged.get("input") else { return out.bad(line, "there is no input") };
        let Some(request) = body(input, 0) else { return out.bad(line, "the input is no request") };
        let metadata = logged.object("metadata");
        let status = metadata.and_then(|metadata| metadata.get("httpStatusCode")?.parse().ok());
        let (response, http_status) = match (logged.get("output"), logged.object("error")) {
            (Some(output), _) => (body(output, 0), status.unwrap_or(200)),
            (None, Some(error)) => (Some(refusal(&error)), status.unwrap_or(0)),
            (None, None) => (None, status.unwrap_or(0)),
        };
        let operation = command.strip_suffix("Command").unwrap_or(&command);
        let from = out.at(line);
        out.exchange(&Exchange {
            from,
            time_ms,
            operation: operation.as_bytes(),
            request: request.as_bytes(),
            response: response.as_deref().map(str::as_bytes),
            model: None,
            http_status,
        })
    }
}

/// Returns the body from which the SDK made an error.
fn refusal(error: &Members<'_>) -> String {
    let kind = error.get("__type").or_else(|| error.get("name"));
    let reasons = error.get("CancellationReasons");
    let throttling = error.any_case("ThrottlingReasons");
    let members = [
        ("__type", kind),
        ("message", error.get("message")),
        ("CancellationReasons", reasons),
        ("ThrottlingReasons", throttling),
    ];
    let item = error.get("Item").and_then(|item| attributes(item).ok());
    object(&[&members[..], &[("Item", item.as_deref())]].concat())
}

/// Returns a request or a response in DynamoDB's JSON. A document client's has plain values, and in
/// either bytes are as JavaScript writes them.
fn body(value: &str, depth: u32) -> Option<String> {
    if depth > DEPTH_MAX {
        return None;
    }
    if value.starts_with('[') {
        return each(value, |part| body(part, depth + 1));
    }
    if !value.starts_with('{') {
        return Some(value.to_owned());
    }
    let mut written = Vec::new();
    for (name, value) in Members::of(value.as_bytes())?.iter() {
        let value = match value.as_bytes()[0] {
            b'{' if ATTRIBUTES.contains(&name) => attributes(value).ok()?,
            b'[' if LISTS.contains(&name) => each(value, |part| attributes(part).ok())?,
            b'[' if VALUES.contains(&name) => each(value, attribute)?,
            // Of a batch, by the table.
            b'{' if name == "Responses" => {
                let tables = Members::of(value.as_bytes())?;
                let items = |(table, items)| {
                    Some(format!("{}:{}", quoted(table), each(items, |item| attributes(item).ok())?))
                };
                format!("{{{}}}", tables.iter().map(items).collect::<Option<Vec<_>>>()?.join(","))
            }
            _ => body(value, depth + 1)?,
        };
        written.push(format!("{}:{value}", quoted(name)));
    }
    Some(format!("{{{}}}", written.join(",")))
}

/// Returns a list of the same length.
fn each(elements: &str, change: impl Fn(&str) -> Option<String>) -> Option<String> {
    let changed = list(elements)?.into_iter().map(change).collect::<Option<Vec<_>>>()?;
    Some(format!("[{}]", changed.join(",")))
}

/// Returns one value in DynamoDB's JSON.
fn attribute(value: &str) -> Option<String> {
    let written = attributes(&object(&[("v", Some(value))])).ok()?;
    Members::of(written.as_bytes())?.get("v").map(Into::into)
}

/// Reads a time: a date, or a number of seconds or milliseconds.
fn time(value: &str) -> Option<u64> {
    if value.starts_with('"') {
        let text = text(value)?;
        return timestamp::parse(text.as_bytes()).or_else(|| number(&text));
    }
    number(value)
}

fn number(text: &str) -> Option<u64> {
    let time: f64 = text.parse().ok().filter(|time| (0.0..1e14).contains(time))?;
    // Seconds reach this in the year 5138, milliseconds were there in 1973.
    Some(if time < 1e11 { timestamp::of_seconds(time) } else { time as u64 })
}
