//! A Query, or a search of a vector index: the equalities in its condition.
//!
//! Only equalities matter here. DynamoDB demands one on the partition key, and no other comparison
//! there. What is compared with the sort key, such as `BETWEEN`, narrows the items of one
//! partition.

use crate::dynamodb::action::{Action, Cost, Subject, consistency, read};
use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::key_condition;
use crate::dynamodb::values::Value;
use crate::units::Consistency;
use std::borrow::Cow;

/// DynamoDB's limit of a key condition, in bytes.
const CONDITION_MAX: usize = 4_096;
/// The most equalities of a key condition: a key has at most four attributes to hash and four to
/// sort.
const EQUALITIES_MAX: usize = 8;
/// The most equalities of a search: more filters than a vector index has, and its key.
const FILTERS_MAX: usize = 100;

/// Reads a Query: its `KeyConditionExpression`, or the older `KeyConditions`.
pub(crate) fn query(request: &str) -> Result<Action<'_>, Malformed> {
    let [table, index, consistent, expression, names, values, legacy] = json::members(
        request,
        [
            "TableName",
            "IndexName",
            "ConsistentRead",
            "KeyConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
            "KeyConditions",
        ],
    )?;
    let conditions = match (expression, legacy) {
        (Some(expression), _) => equalities(&json::text(expression)?, names, values, EQUALITIES_MAX)?,
        (None, Some(legacy)) => legacy_conditions(legacy)?,
        (None, None) => return Err(Malformed),
    };
    let index = index.map(json::text).transpose()?;
    Ok(Action { index, ..read(table, Subject::Conditions(conditions), consistency(consistent)?)? })
}

/// Reads a SearchVectors. Its condition knows nothing but equalities.
pub(crate) fn search(request: &str) -> Result<Action<'_>, Malformed> {
    let [table, index, expression, names, values] = json::members(
        request,
        [
            "TableName",
            "IndexName",
            "SearchConditionExpression",
            "ExpressionAttributeNames",
            "ExpressionAttributeValues",
        ],
    )?;
    let conditions = match expression {
        Some(expression) => equalities(&json::text(expression)?, names, values, FILTERS_MAX)?,
        None => Vec::new(),
    };
    let index = Some(json::text(index.ok_or(Malformed)?)?);
    let read = read(table, Subject::Search(conditions), Consistency::Eventual)?;
    Ok(Action { index, cost: Cost::Search, ..read })
}

/// Attributes' names, and the values that they are to equal.
type Conditions<'a> = Vec<(Cow<'a, str>, Value<'a>)>;

/// Returns the equalities of `expression`, with attributes' names in place of `#placeholders` and
/// values in place of `:placeholders`. `#p = :v`, with `names` `{"#p": "id"}` and `values` `{":v":
/// {"S": "7"}}`, is `id`, `{"S": "7"}`.
///
/// # Errors
/// [`Malformed`] if there are more than `most`, if a placeholder is not defined, or if the
/// expression can't be read or is longer than DynamoDB allows.
fn equalities<'a>(
    expression: &str,
    names: Option<&'a str>,
    values: Option<&'a str>,
    most: usize,
) -> Result<Conditions<'a>, Malformed> {
    let member = |all: Option<&'a str>, name: &str| {
        let [found] = json::members(all.unwrap_or("{}"), [name])?;
        found.ok_or(Malformed)
    };
    if expression.len() > CONDITION_MAX {
        return Err(Malformed);
    }
    // Each placeholder is looked for in one walk over all of them, so their number is bounded
    // first.
    let equalities = key_condition::equalities(expression).ok_or(Malformed)?;
    if equalities.len() > most {
        return Err(Malformed);
    }
    let condition = |(name, value): (&str, &str)| {
        let name = match name.starts_with('#') {
            true => json::text(member(names, name)?)?,
            false => Cow::Owned(name.to_owned()),
        };
        Ok((name, Value::Json(member(values, value)?)))
    };
    equalities.into_iter().map(condition).collect()
}

/// Returns the equalities of the older form, `{"id": {"ComparisonOperator": "EQ",
/// "AttributeValueList": [...]}}`. Other operators are passed over.
fn legacy_conditions(conditions: &str) -> Result<Conditions<'_>, Malformed> {
    let mut all = Vec::new();
    json::each(conditions, |name, condition| {
        let [operator, values] = json::members(condition, ["ComparisonOperator", "AttributeValueList"])?;
        if json::text(operator.ok_or(Malformed)?)? == "EQ" {
            let [value] = json::array(values.ok_or(Malformed)?)?[..] else { return Err(Malformed) };
            all.push((name, Value::Json(value)));
        }
        Ok(())
    })?;
    Ok(all)
}
