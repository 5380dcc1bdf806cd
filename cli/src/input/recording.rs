//! Recordings: exchanges with DynamoDB as the library's bindings write them (`record_to=`), one
//! JSON object a line.
//!
//! `{"time_ms": 0, "operation": "PutItem", "request": {…}, "response": {…}, "http_status": 200,
//! "model": "Order"}`. Request and response are JSON, or texts that hold it. A response that did
//! not come is null, and the status then 0. The model is optional. A request is null where a
//! redacted recording leaves out a body that was no JSON.

use crate::entry::Exchange;
use crate::input::json::{Log, Members, text};
use crate::input::parse::Out;
use anyhow::Result;
use std::borrow::Cow;

/// A recording.
pub struct Recording;

impl Recording {
    pub fn is(members: &Members<'_>) -> bool {
        members.get("time_ms").is_some() && members.get("operation").is_some()
    }
}

impl Log for Recording {
    fn take(&mut self, line: u64, object: &[u8], out: &mut Out<'_>) -> Result<()> {
        let Some(members) = Members::of(object) else { return out.bad(line, "this is not JSON") };
        let Some(time_ms) = members.get("time_ms").and_then(|time| time.parse().ok()) else {
            return out.bad(line, "time_ms is not a number of milliseconds");
        };
        let Some(operation) = members.text("operation") else {
            return out.bad(line, "there is no operation");
        };
        let request = match members.get("request") {
            Some(request) => body(request),
            // A redacted recording has left it out, as it was no JSON.
            None if members.has("request") => {
                out.without_entries("without their request");
                return Ok(());
            }
            None => None,
        };
        let Some(request) = request else {
            return out.bad(line, "the request is neither an object nor a text");
        };
        let response = match members.get("response").map(body) {
            Some(None) => return out.bad(line, "the response is neither an object nor a text"),
            response => response.flatten(),
        };
        let http_status = match members.get("http_status").map(str::parse) {
            Some(Ok(status)) => status,
            Some(Err(_)) => return out.bad(line, "http_status is no status"),
            None if response.is_some() => 200,
            None => 0,
        };
        let model = members.text("model").filter(|model| !model.is_empty());
        if model.as_ref().is_some_and(|model| model.len() > 1_024) {
            return out.bad(line, "the model has more than 1,024 bytes");
        }
        let from = out.at(line);
        out.exchange(&Exchange {
            from,
            time_ms,
            operation: operation.as_bytes(),
            request: request.as_bytes(),
            response: response.as_deref().map(str::as_bytes),
            model: model.as_deref().map(str::as_bytes),
            http_status,
        })
    }
}

/// Returns a body, which is JSON or a text that holds it.
fn body(value: &str) -> Option<Cow<'_, str>> {
    match value.as_bytes().first() {
        Some(b'{') => Some(value.into()),
        _ => text(value),
    }
}
