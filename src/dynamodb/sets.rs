//! Sets: the attributes of an item that an update sets to values which are known.
//!
//! They tell which key of a global index the item has from then on. Which key it had before is not
//! in the request. If the response returns the item as it is now, that is better still.
//!
//! `SET #u = :u, n = n + :one`, for instance, sets the attribute behind `#u` to a known value. The
//! new value of `n` is not known.

use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::update_expression::assignments;
use crate::dynamodb::values::Value;
use crate::dynamodb::wanted::Wanted;
use std::borrow::Cow;
use std::cell::OnceCell;

/// DynamoDB's limit of an expression, in bytes.
const EXPRESSION_MAX: usize = 4_096;

/// The attributes that an action sets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Sets<'a> {
    /// None: the action is no update.
    #[default]
    Nothing,
    /// The SET clauses of a statement.
    Statement(Vec<(Cow<'a, str>, Value<'a>)>),
    /// The members of an UpdateItem, or of a transaction's Update.
    Update(Update<'a>),
}

/// The members of an update that say what it sets, as they are written. They are read when an index
/// asks for it, once: most tables have no index that is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Update<'a> {
    expression: Option<&'a str>,
    names: Option<&'a str>,
    values: Option<&'a str>,
    /// `AttributeUpdates`, which an update has in place of an expression.
    legacy: Option<&'a str>,
    /// `ReturnValues`: which attributes the response has.
    returns: Option<&'a str>,
    /// The assignments in the expression, once it is read.
    read: OnceCell<Vec<(Cow<'a, str>, &'a str)>>,
    /// The attributes in the response, if they are as they are now.
    returned: Option<&'a str>,
}

impl<'a> Sets<'a> {
    /// Returns the sets of an update, by its members UpdateExpression, ExpressionAttributeNames,
    /// ExpressionAttributeValues, AttributeUpdates and ReturnValues.
    pub(crate) fn of_update([expression, names, values, legacy, returns]: [Option<&'a str>; 5]) -> Self {
        Self::Update(Update { expression, names, values, legacy, returns, ..Update::default() })
    }

    /// Keeps the attributes of a response, if they are of the item as it is now. With `ALL_OLD`
    /// they are of the item as it was.
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

    /// Returns the attributes of the response that are of the item as it is now. They tell more
    /// than the request.
    pub(crate) fn returned(&self) -> Option<&'a str> {
        if let Self::Update(update) = self { update.returned } else { None }
    }

    /// Returns the value that the request sets an attribute to. `None`: that is not known, as when
    /// it is the outcome of a function, or it stays what it was.
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
    /// Returns whether the update asked for `what` as its `ReturnValues`.
    fn returns(&self, what: &str) -> bool {
        self.returns.is_some_and(|returns| json::text(returns).is_ok_and(|returns| returns == what))
    }

    /// Returns the value that an attribute is set to, as it is written in the request.
    fn value_of(&self, name: &str) -> Option<&'a str> {
        if self.expression.is_some() {
            let sets = self.read.get_or_init(|| self.read().unwrap_or_default());
            return sets.iter().find(|(attribute, _)| attribute == name).map(|&(_, value)| value);
        }
        let [action, value] = json::members(member(self.legacy?, name)?, ["Action", "Value"]).ok()?;
        // Without an action it puts. The others, `ADD` and `DELETE`, leave a value that is not
        // known.
        let puts = action.is_none_or(|action| json::text(action).is_ok_and(|action| action == "PUT"));
        value.filter(|_| puts)
    }

    /// Reads the expression. One that can't be read says nothing. That is no error: the update is
    /// on its item all the same.
    fn read(&self) -> Result<Vec<(Cow<'a, str>, &'a str)>, Malformed> {
        let expression = json::text(self.expression.ok_or(Malformed)?)?;
        if expression.len() > EXPRESSION_MAX {
            return Err(Malformed);
        }
        let assignments = assignments(&expression).ok_or(Malformed)?;
        let is_placeholder = |name: &&str| name.starts_with('#');
        let names = assignments.iter().map(|(name, _)| *name).filter(is_placeholder);
        let names = Wanted::new(names).find_in(self.names.unwrap_or("{}"))?;
        let values = Wanted::new(assignments.iter().map(|(_, value)| *value));
        let values = values.find_in(self.values.unwrap_or("{}"))?;
        let set = |(name, value): (&str, &str)| {
            let attribute = match is_placeholder(&name) {
                true => json::text(names.get(name)?).ok()?,
                false => Cow::Owned(name.to_owned()),
            };
            Some((attribute, values.get(value)?))
        };
        Ok(assignments.into_iter().filter_map(set).collect())
    }
}

/// Returns a member of an object. One that is null, or can't be read, is absent.
fn member<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let [value] = json::first_members(object, [name]).ok()?;
    value.filter(|value| *value != "null")
}
