//! Asking, in a request, for the capacity that it takes. This file works before a request is sent;
//! all others here work after it was answered.

use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::request::ApiOperation;
use crate::error::Error;
use crate::sys::memory::try_text;

/// Returns the request in the form that asks for the capacity it takes, of the table and of its
/// indexes. `None`: send it as it is, because it asks already, its operation has no such parameter,
/// or it is not a JSON object.
///
/// `operation` and `request` are as in an [`Exchange`](crate::Exchange). A request for `"NONE"`
/// counts as not asking, one for `"TOTAL"` as asking. Everything but this parameter stays as it is
/// written.
///
/// ```
/// let asking = hotpart::ask_capacity("PutItem", r#"{"TableName":"events"}"#)?;
/// assert_eq!(asking.as_deref(), Some(r#"{"ReturnConsumedCapacity":"INDEXES","TableName":"events"}"#));
/// # Ok::<(), hotpart::Error>(())
/// ```
///
/// # Errors
/// [`Error::Memory`] if there is no memory for the new request.
pub fn ask_capacity(operation: impl AsRef<[u8]>, request: impl AsRef<[u8]>) -> Result<Option<String>, Error> {
    let tells = ApiOperation::named(operation.as_ref()).is_some_and(ApiOperation::tells_capacity);
    let Some(request) = std::str::from_utf8(request.as_ref()).ok().filter(|_| tells) else { return Ok(None) };
    let Ok((members, asked)) = look(request) else { return Ok(None) };
    let asking = match asked {
        None => {
            // It is an object, and nothing but space can come before the brace.
            let (opening, rest) = request.split_at(request.find('{').map_or(0, |at| at + 1));
            let comma = if members == 0 { "" } else { "," };
            try_text([opening, r#""ReturnConsumedCapacity":"INDEXES""#, comma, rest])?
        }
        Some(value) if value == "null" || json::text(value).is_ok_and(|value| value == "NONE") => {
            // The value is a piece of the request, so its address tells its place.
            let at = value.as_ptr() as usize - request.as_ptr() as usize;
            try_text([&request[..at], r#""INDEXES""#, &request[at + value.len()..]])?
        }
        Some(_) => return Ok(None),
    };
    Ok(Some(asking))
}

/// Returns how many members a request has, and the value of `ReturnConsumedCapacity` as it is
/// written. If there are several, the last holds.
fn look(request: &str) -> Result<(usize, Option<&str>), Malformed> {
    let (mut members, mut asked) = (0, None);
    json::each(request, |name, value| {
        members += 1;
        asked = if name == "ReturnConsumedCapacity" { Some(value) } else { asked };
        Ok::<(), Malformed>(())
    })?;
    Ok((members, asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(request: &str) -> Option<String> {
        ask_capacity("DynamoDB_20120810.PutItem", request).unwrap()
    }

    #[test]
    fn a_request_asks_once_and_is_else_as_it_was() {
        for (request, expected) in [
            ("{}", r#"{"ReturnConsumedCapacity":"INDEXES"}"#),
            (" { } ", r#" {"ReturnConsumedCapacity":"INDEXES" } "#),
            (r#"{"a":1}"#, r#"{"ReturnConsumedCapacity":"INDEXES","a":1}"#),
            ("\n{ \"a\" : {} }", "\n{\"ReturnConsumedCapacity\":\"INDEXES\", \"a\" : {} }"),
            (r#"{"ReturnConsumedCapacity":"NONE"}"#, r#"{"ReturnConsumedCapacity":"INDEXES"}"#),
            (
                r#"{"ReturnConsumedCapacity" : null, "a":1}"#,
                r#"{"ReturnConsumedCapacity" : "INDEXES", "a":1}"#,
            ),
            (
                r#"{"Return\u0043onsumedCapacity":"N\u004fNE"}"#,
                r#"{"Return\u0043onsumedCapacity":"INDEXES"}"#,
            ),
            (
                r#"{"ReturnConsumedCapacity":"TOTAL","a":1,"ReturnConsumedCapacity":"NONE"}"#,
                r#"{"ReturnConsumedCapacity":"TOTAL","a":1,"ReturnConsumedCapacity":"INDEXES"}"#,
            ),
            (
                r#"{"Item":{"ReturnConsumedCapacity":{"S":"TOTAL"},"x":{"S":"\"ReturnConsumedCapacity\": \"TOTAL\""}}}"#,
                r#"{"ReturnConsumedCapacity":"INDEXES","Item":{"ReturnConsumedCapacity":{"S":"TOTAL"},"x":{"S":"\"ReturnConsumedCapacity\": \"TOTAL\""}}}"#,
            ),
        ] {
            assert_eq!(asking(request).as_deref(), Some(expected), "{request}");
            assert_eq!(asking(expected), None, "it asks now");
        }
    }

    #[test]
    fn what_asks_or_is_no_request_is_left_alone() {
        for request in [
            r#"{"ReturnConsumedCapacity":"TOTAL"}"#,
            r#"{"a":1, "ReturnConsumedCapacity" : "INDEXES"}"#,
            r#"{"ReturnConsumedCapacity":7}"#,
            r#"{"ReturnConsumedCapacity":"none"}"#,
            "",
            "null",
            "[]",
            "{",
            r#"{"a":1"#,
            "{}{}",
            r#""{}""#,
        ] {
            assert_eq!(asking(request), None, "{request}");
        }
        assert_eq!(ask_capacity("PutItem", b"{\"a\":\"\xFF\"}"), Ok(None));
        for operation in
            ["", "ListTables", "DescribeTable", "CreateTable", "UpdateTable", "SearchVectors", "putItem"]
        {
            assert_eq!(ask_capacity(operation, "{}"), Ok(None), "{operation}");
        }
    }
}
