//! Requests: what an event's parameters say of tables and keys, as a request in DynamoDB's JSON.

use crate::input::json::{Members, list, object, quoted, text};
use crate::input::plain::{Plain, attributes};
use std::borrow::Cow;

/// The operations on items.
pub const OPERATIONS: [&str; 13] = [
    "GetItem",
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "Query",
    "Scan",
    "BatchGetItem",
    "BatchWriteItem",
    "TransactGetItems",
    "TransactWriteItems",
    "ExecuteStatement",
    "BatchExecuteStatement",
    "ExecuteTransaction",
];

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRequest {
    /// The log does not show the key.
    Hidden,
    Malformed(&'static str),
}

impl From<Plain> for NoRequest {
    fn from(why: Plain) -> Self {
        match why {
            Plain::Hidden => Self::Hidden,
            Plain::Malformed => Self::Malformed("a key is no object of attributes"),
        }
    }
}

const NO_TABLE: NoRequest = NoRequest::Malformed("there is no tableName");
const NO_KEY: NoRequest = NoRequest::Malformed("there is no key");
const NO_ITEMS: NoRequest = NoRequest::Malformed("there are no requestItems or transactItems");

/// Returns the request of an operation with these parameters, and the operation that it is handed
/// on as.
pub fn of(operation: &str, parameters: &Members<'_>) -> Result<(&'static str, String), NoRequest> {
    Ok(match operation {
        "GetItem" => ("GetItem", by_key(parameters)?),
        "PutItem" | "UpdateItem" => ("UpdateItem", by_key(parameters)?),
        "DeleteItem" => ("DeleteItem", by_key(parameters)?),
        "Query" => ("Query", query(parameters)?),
        "Scan" => {
            let (table, index) = (table(parameters, None)?, parameters.any_case("indexName"));
            ("Scan", object(&[("TableName", Some(&table)), ("IndexName", index)]))
        }
        "BatchGetItem" => ("BatchGetItem", batch(parameters, true)?),
        "BatchWriteItem" => ("BatchWriteItem", batch(parameters, false)?),
        "TransactGetItems" => ("TransactGetItems", transaction(parameters, true)?),
        "TransactWriteItems" => ("TransactWriteItems", transaction(parameters, false)?),
        "ExecuteStatement" => ("ExecuteStatement", statement(parameters)?),
        "BatchExecuteStatement" => ("BatchExecuteStatement", statements(parameters, "Statements")?),
        _ => ("ExecuteTransaction", statements(parameters, "TransactStatements")?),
    })
}

/// Returns the table's name, as JSON: what is named here or, if nothing is, around.
fn table(part: &Members<'_>, around: Option<&str>) -> Result<String, NoRequest> {
    let own = part.any_case("tableName").filter(|name| name.starts_with('"')).map(Into::into);
    own.or_else(|| around.map(quoted)).ok_or(NO_TABLE)
}

/// Returns the key in DynamoDB's JSON.
fn key(part: &Members<'_>) -> Result<String, NoRequest> {
    Ok(attributes(part.any_case("key").ok_or(NO_KEY)?)?)
}

fn by_key(part: &Members<'_>) -> Result<String, NoRequest> {
    let (table, key) = (table(part, None)?, key(part)?);
    Ok(object(&[("TableName", Some(&table)), ("Key", Some(&key)), ("ConsistentRead", consistent(part))]))
}

fn consistent<'a>(part: &Members<'a>) -> Option<&'a str> {
    part.any_case("consistentRead").filter(|value| matches!(*value, "true" | "false"))
}

fn query(part: &Members<'_>) -> Result<String, NoRequest> {
    let table = table(part, None)?;
    let mut members = vec![
        ("TableName", Some(&*table)),
        ("IndexName", part.any_case("indexName")),
        ("ConsistentRead", consistent(part)),
    ];
    if let Some(expression) = part.any_case("keyConditionExpression") {
        let values = part.any_case("expressionAttributeValues").filter(|values| values.starts_with('{'));
        let values = attributes(values.ok_or(NoRequest::Hidden)?)?;
        let shown = Members::of(values.as_bytes()).ok_or(NoRequest::Hidden)?;
        let compared = text(expression).ok_or(NoRequest::Malformed("keyConditionExpression is no text"))?;
        if placeholders(&compared).any(|name| shown.get(name).is_none()) {
            return Err(NoRequest::Hidden);
        }
        members.extend([
            ("KeyConditionExpression", Some(expression)),
            ("ExpressionAttributeNames", part.any_case("expressionAttributeNames")),
            ("ExpressionAttributeValues", Some(&values)),
        ]);
        return Ok(object(&members));
    }
    let conditions: Result<Vec<(String, String)>, NoRequest> = match part.object("keyConditions") {
        Some(conditions) => conditions.iter().map(|(name, condition)| legacy(name, condition)).collect(),
        // Some events name the key instead.
        None => {
            let key = key(part)?;
            let key = Members::of(key.as_bytes()).ok_or(NO_KEY)?;
            let equal = |(name, value): (&str, &str)| Ok((name.to_owned(), equality(value)));
            key.iter().map(equal).collect()
        }
    };
    let conditions = conditions?;
    let conditions: Vec<_> = conditions.iter().map(|(name, value)| (&**name, Some(&**value))).collect();
    let conditions = object(&conditions);
    members.push(("KeyConditions", Some(&conditions)));
    Ok(object(&members))
}

/// A condition that an attribute has this value.
fn equality(value: &str) -> String {
    format!(r#"{{"ComparisonOperator":"EQ","AttributeValueList":[{value}]}}"#)
}

/// Returns a condition of the old form, by its attribute.
fn legacy(name: &str, condition: &str) -> Result<(String, String), NoRequest> {
    let condition = Members::of(condition.as_bytes()).ok_or(NO_KEY)?;
    let operator = condition.any_case("comparisonOperator").ok_or(NO_KEY)?;
    let values = list(condition.any_case("attributeValueList").ok_or(NoRequest::Hidden)?).ok_or(NO_KEY)?;
    let value = |value: &&str| -> Result<String, NoRequest> {
        let written = attributes(&object(&[("v", Some(value))]))?;
        Members::of(written.as_bytes()).and_then(|all| all.get("v").map(Into::into)).ok_or(NO_KEY)
    };
    let values = values.iter().map(value).collect::<Result<Vec<_>, _>>()?.join(",");
    let condition = format!(r#"{{"ComparisonOperator":{operator},"AttributeValueList":[{values}]}}"#);
    Ok((name.to_owned(), condition))
}

/// Returns the names `:value` in an expression.
fn placeholders(expression: &str) -> impl Iterator<Item = &str> {
    expression.match_indices(':').map(|(at, _)| {
        let name = &expression[at + 1..];
        let end = name.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
        &expression[at..end.map_or(expression.len(), |end| at + 1 + end)]
    })
}

/// One of a batch's keys, or of a transaction's.
struct Part {
    /// As JSON.
    table: String,
    /// Of a put whose key is not told apart, the item.
    key: Result<String, String>,
    is_check: bool,
}

/// Finds the parts of a request, however deep they are: each has a key, a list of keys, or an item.
fn parts(
    value: &str,
    around: Option<&str>,
    is_check: bool,
    found: &mut Vec<Part>,
    depth: u32,
) -> Result<(), NoRequest> {
    if depth > 5 {
        return Err(NO_ITEMS);
    }
    if value.starts_with('[') {
        let elements = list(value).ok_or(NO_ITEMS)?;
        return elements
            .into_iter()
            .try_for_each(|element| parts(element, around, is_check, found, depth + 1));
    }
    let part = Members::of(value.as_bytes()).ok_or(NO_ITEMS)?;
    let is_check = is_check || part.text("operation").is_some_and(|operation| operation == "ConditionCheck");
    let mut add = |key| -> Result<(), NoRequest> {
        found.push(Part { table: table(&part, around)?, key, is_check });
        Ok(())
    };
    if let Some(key) = part.any_case("key").filter(|key| key.starts_with('{')) {
        return add(Ok(attributes(key)?));
    }
    if let Some(keys) = part.any_case("keys").filter(|keys| keys.starts_with('[')) {
        return list(keys).ok_or(NO_KEY)?.into_iter().try_for_each(|key| add(Ok(attributes(key)?)));
    }
    if let Some(item) = part.any_case("item").filter(|item| item.starts_with('{')) {
        return add(Err(attributes(item)?));
    }
    for (name, inner) in part.iter().filter(|(_, inner)| inner.starts_with(['{', '['])) {
        let is_check = is_check || name.eq_ignore_ascii_case("conditionCheck");
        parts(inner, around, is_check, found, depth + 1)?;
    }
    Ok(())
}

/// Returns all parts of a request, which are in a list, or by table.
fn all_parts(parameters: &Members<'_>) -> Result<Vec<Part>, NoRequest> {
    let items = parameters.any_case("requestItems").or_else(|| parameters.any_case("transactItems"));
    let items = items.ok_or(NO_ITEMS)?;
    let mut found = Vec::new();
    if items.starts_with('[') {
        parts(items, None, false, &mut found, 0)?;
    } else {
        let tables = Members::of(items.as_bytes()).ok_or(NO_ITEMS)?;
        for (table, asked) in tables.iter() {
            parts(asked, Some(table), false, &mut found, 0)?;
        }
    }
    if found.is_empty() { Err(NO_KEY) } else { Ok(found) }
}

fn batch(parameters: &Members<'_>, is_read: bool) -> Result<String, NoRequest> {
    let parts = all_parts(parameters)?;
    let mut tables: Vec<&str> = parts.iter().map(|part| &*part.table).collect();
    tables.sort_unstable();
    tables.dedup();
    let asked = tables.into_iter().map(|table| {
        let of_table = parts.iter().filter(|part| part.table == table);
        let each = of_table.map(|part| match (&part.key, is_read) {
            (Ok(key), true) => Ok(key.clone()),
            (Ok(key), false) => Ok(format!(r#"{{"DeleteRequest":{{"Key":{key}}}}}"#)),
            (Err(_), true) => Err(NO_KEY),
            (Err(item), false) => Ok(format!(r#"{{"PutRequest":{{"Item":{item}}}}}"#)),
        });
        let each = each.collect::<Result<Vec<_>, _>>()?.join(",");
        Ok(if is_read { format!(r#"{table}:{{"Keys":[{each}]}}"#) } else { format!("{table}:[{each}]") })
    });
    let asked = asked.collect::<Result<Vec<_>, NoRequest>>()?.join(",");
    Ok(format!(r#"{{"RequestItems":{{{asked}}}}}"#))
}

fn transaction(parameters: &Members<'_>, is_read: bool) -> Result<String, NoRequest> {
    let parts = all_parts(parameters)?;
    let items = parts.iter().map(|part| {
        let (verb, name, key) = match &part.key {
            Ok(key) if is_read => ("Get", "Key", key),
            Ok(key) if part.is_check => ("ConditionCheck", "Key", key),
            Ok(key) => ("Update", "Key", key),
            Err(item) => ("Put", "Item", item),
        };
        object(&[(verb, Some(&object(&[("TableName", Some(&part.table)), (name, Some(key))])))])
    });
    Ok(format!(r#"{{"TransactItems":[{}]}}"#, items.collect::<Vec<_>>().join(",")))
}

fn statement(part: &Members<'_>) -> Result<String, NoRequest> {
    let text = part.any_case("statement").filter(|text| text.starts_with('"'));
    let text = text.ok_or(NoRequest::Malformed("there is no statement"))?;
    Ok(object(&[("Statement", Some(text)), ("ConsistentRead", consistent(part))]))
}

fn statements(parameters: &Members<'_>, name: &str) -> Result<String, NoRequest> {
    let names = ["requestItems", "statements", "transactStatements", "transactItems"];
    let all: Option<Cow<'_, str>> = names.iter().find_map(|name| parameters.any_case(name)).map(Into::into);
    let all = all.as_deref().and_then(list).ok_or(NO_ITEMS)?;
    let each = all.into_iter().map(|part| statement(&Members::of(part.as_bytes()).ok_or(NO_ITEMS)?));
    let each = each.collect::<Result<Vec<_>, _>>()?.join(",");
    Ok(format!(r#"{{"{name}":[{each}]}}"#))
}
