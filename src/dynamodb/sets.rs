//! Sets: the attributes of an item that an update sets to values which are known.
//!
//! They tell which key of a global index the item has from then on. Which it had before is not in
//! the request.

use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::update_expression::assignments;
use crate::dynamodb::values::Value;
use std::borrow::Cow;
use std::cell::OnceCell;

/// DynamoDB's limit of an expression, in bytes.
const EXPRESSION_MAX: usize = 4_096;

/// The attributes that an action sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Sets<'a> {
    #[default]
    Nothing,
    /// Those of a statement.
    Statement(Vec<(Cow<'a, str>, Value<'a>)>),
    /// Those of an UpdateItem, or of a transaction's Update.
    Update(Update<'a>),
}

/// The members of an update that say what it sets, as they are written. They are read when an index
/// asks for it, once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Update<'a> {
    expression: Option<&'a str>,
    names: Option<&'a str>,
    values: Option<&'a str>,
    /// What an update without an expression has.
    legacy: Option<&'a str>,
    returns: Option<&'a str>,
    read: OnceCell<Vec<(Cow<'a, str>, &'a str)>>,
    /// The attributes that the response has, as they are now.
    returned: Option<&'a str>,
}

impl<'a> Sets<'a> {
    /// Returns those of an update, by its members UpdateExpression, ExpressionAttributeNames,
    /// ExpressionAttributeValues, AttributeUpdates and ReturnValues.
    pub(crate) fn of_update([expression, names, values, legacy, returns]: [Option<&'a str>; 5]) -> Self {
        Self::Update(Update { expression, names, values, legacy, returns, ..Update::default() })
    }

    /// Takes the attributes of a response, where those are of the item as it is now.
    pub(crate) fn see(&mut self, attributes: &'a str) {
        if let Self::Update(update) = self
            && (update.returns("ALL_NEW") || update.returns("UPDATED_NEW"))
        {
            update.returned = Some(attributes);
        }
    }

    /// Returns the whole item as it is now, if the response has it.
    pub(crate) fn item(&self) -> Option<&'a str> {
        match self {
            Self::Update(update) if update.returns("ALL_NEW") => update.returned,
            _ => None,
        }
    }

    /// Returns the value that an attribute has from now on. `None`: that is not known, as when it
    /// is the outcome of a function, or stays what it was.
    pub(crate) fn value_of(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Self::Nothing => None,
            Self::Statement(sets) => {
                sets.iter().find(|(attribute, _)| attribute == name).map(|(_, value)| value.clone())
            }
            Self::Update(update) => update.value_of(name).map(Value::Json),
        }
    }
}

impl<'a> Update<'a> {
    fn returns(&self, what: &str) -> bool {
        self.returns.is_some_and(|returns| json::text(returns).is_ok_and(|returns| returns == what))
    }

    fn value_of(&self, name: &str) -> Option<&'a str> {
        if let Some(returned) = self.returned.and_then(|returned| member(returned, name)) {
            return Some(returned);
        }
        if self.expression.is_some() {
            let sets = self.read.get_or_init(|| self.read().unwrap_or_default());
            return sets.iter().find(|(attribute, _)| attribute == name).map(|&(_, value)| value);
        }
        let [action, value] = json::members(member(self.legacy?, name)?, ["Action", "Value"]).ok()?;
        // It puts where it does not say what it does.
        let puts = action.is_none_or(|action| json::text(action).is_ok_and(|action| action == "PUT"));
        value.filter(|_| puts)
    }

    /// Reads the expression. One that can't be read says nothing: that is no error, as what is
    /// updated is known without.
    fn read(&self) -> Result<Vec<(Cow<'a, str>, &'a str)>, Malformed> {
        let expression = json::text(self.expression.ok_or(Malformed)?)?;
        if expression.len() > EXPRESSION_MAX {
            return Err(Malformed);
        }
        let assignments = assignments(&expression).ok_or(Malformed)?;
        let is_placeholder = |name: &&str| name.starts_with('#');
        let names = wanted(self.names, assignments.iter().map(|(name, _)| *name).filter(is_placeholder))?;
        let values = wanted(self.values, assignments.iter().map(|(_, value)| *value))?;
        let set = |(name, value): (&str, &str)| {
            let attribute = match is_placeholder(&name) {
                true => json::text(found(&names, name)?).ok()?,
                false => Cow::Owned(name.to_owned()),
            };
            Some((attribute, found(&values, value)?))
        };
        Ok(assignments.into_iter().filter_map(set).collect())
    }
}

/// Members by their names, sorted by those; the value of one is its text, if it is there.
type Wanted<'e, 'a> = Vec<(&'e str, Option<&'a str>)>;

/// Returns the members of an object that have these names. Each member is looked at once, however
/// many are wanted.
fn wanted<'e, 'a>(
    object: Option<&'a str>,
    names: impl Iterator<Item = &'e str>,
) -> Result<Wanted<'e, 'a>, Malformed> {
    let mut wanted: Wanted<'_, '_> = names.map(|name| (name, None)).collect();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    wanted.sort_unstable();
    wanted.dedup();
    json::each(object.unwrap_or("{}"), |name, value| {
        if let Ok(at) = wanted.binary_search_by_key(&&*name, |&(name, _)| name) {
            wanted[at].1 = Some(value);
        }
        Ok::<(), Malformed>(())
    })?;
    Ok(wanted)
}

fn found<'a>(all: &Wanted<'_, 'a>, name: &str) -> Option<&'a str> {
    all[all.binary_search_by_key(&name, |&(name, _)| name).ok()?].1
}

/// A member of an object; one that is null, or can't be read, is absent.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let [value] = json::first_members(object, [name]).ok()?;
    value.filter(|value| *value != "null")
}
