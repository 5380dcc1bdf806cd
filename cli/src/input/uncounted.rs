//! Exchanges of which nothing is counted, and why.

use crate::entry::Exchange;
use crate::input::account::TABLE_DESCRIPTIONS;
use crate::input::json::Members;

/// The operations that touch items.
const ON_ITEMS: [&[u8]; 14] = [
    b"GetItem",
    b"PutItem",
    b"UpdateItem",
    b"DeleteItem",
    b"Query",
    b"Scan",
    b"SearchVectors",
    b"BatchGetItem",
    b"BatchWriteItem",
    b"TransactGetItems",
    b"TransactWriteItems",
    b"ExecuteStatement",
    b"BatchExecuteStatement",
    b"ExecuteTransaction",
];
/// The operations whose response describes a table.
const DESCRIPTIONS: [&[u8]; 3] = [b"DescribeTable", b"CreateTable", b"UpdateTable"];

/// Returns the reason for which nothing of an exchange is counted, in words that read well after a
/// number. The library must have had no action of it to record. `None`: what it did is counted
/// otherwise, or waits.
pub fn reason(exchange: &Exchange<'_>) -> Option<&'static str> {
    let name = exchange.operation.strip_prefix(b"DynamoDB_20120810.").unwrap_or(exchange.operation);
    let is_description = DESCRIPTIONS.contains(&name);
    if !is_description && !ON_ITEMS.contains(&name) {
        return Some("of other operations");
    }
    if is_refused(exchange) {
        return Some("refused by DynamoDB");
    }
    is_description.then_some(TABLE_DESCRIPTIONS)
}

/// Returns whether DynamoDB did nothing, and not for want of throughput.
fn is_refused(exchange: &Exchange<'_>) -> bool {
    if matches!(exchange.http_status, 0 | 200..=299 | 500..) {
        return false;
    }
    // A response that can't be read is from something on the way, such as a proxy's page.
    let kind = exchange.response.and_then(Members::of).and_then(|members| members.text("__type"));
    kind.is_none_or(|kind| !counts(kind.rsplit('#').next().unwrap_or_default()))
}

/// Returns whether a request that ended in this error counts for something: its partition did the
/// work, or was throttled.
pub fn counts(code: &str) -> bool {
    matches!(
        code.strip_suffix("Exception").unwrap_or(code),
        "ConditionalCheckFailed"
            | "DuplicateItem"
            | "TransactionCanceled"
            | "ProvisionedThroughputExceeded"
            | "Throttling"
            | "ThrottlingError"
            | "RequestLimitExceeded"
    )
}
