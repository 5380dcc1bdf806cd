//! Values: that of one attribute, and those that a statement lets an attribute have, as its AND, OR
//! and IN say them.
//!
//! `(id IN ['a', 'b'] OR id = 'c') AND id IN ['b', 'c', 'd']` pins `id` twice. The first pin is
//! [`Values::Any`] with two branches, the second is [`Values::Listed`]. [`common`] returns `b` and
//! `c`, which both allow: the partitions that the statement touches.

use crate::dynamodb::json::Malformed;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// In DynamoDB's JSON: `{"N": "7"}`.
    Json(&'a str),
    /// The text of a key, from a statement that spells it out.
    Text(Cow<'a, str>),
    /// A value that a key can't have, or one that is not known.
    Other,
}

/// The values that one pin allows an attribute to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values<T> {
    /// One of these: `=` and `IN`.
    Listed(Vec<T>),
    /// One of those that any branch of an OR allows. A branch is a list of pins, joined by AND: it
    /// allows the values that each of them allows.
    Any(Vec<Vec<Values<T>>>),
}

/// The most values of a list. DynamoDB takes 50 for a key, and 100 for other attributes.
const LISTED_MAX: usize = 100;

impl<T> Values<T> {
    /// Returns the value, if no other is named.
    pub(crate) fn only(&self) -> Option<&T> {
        match self {
            Self::Listed(values) => match &values[..] {
                [one] => Some(one),
                _ => None,
            },
            Self::Any(_) => None,
        }
    }

    /// Returns how many values are named, in all branches together: the most keys that may come of
    /// them.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Listed(values) => values.len(),
            Self::Any(branches) => branches.iter().flatten().map(Self::len).sum(),
        }
    }

    /// Returns the same with `to` of each value.
    pub(crate) fn map<U>(&self, to: &impl Fn(&T) -> U) -> Values<U> {
        match self {
            Self::Listed(values) => Values::Listed(values.iter().map(to).collect()),
            Self::Any(branches) => {
                let branch = |branch: &Vec<Self>| branch.iter().map(|values| values.map(to)).collect();
                Values::Any(branches.iter().map(branch).collect())
            }
        }
    }

    /// Returns the values that are allowed, sorted by their `key`, each once. `None` if a value has
    /// no key, so that it is not known which are allowed.
    fn allowed<K: Ord>(
        &self,
        key: &impl Fn(&T) -> Result<Option<K>, Malformed>,
    ) -> Result<Option<BTreeMap<K, &T>>, Malformed> {
        let mut all = BTreeMap::new();
        match self {
            Self::Listed(values) if values.len() > LISTED_MAX => return Err(Malformed),
            Self::Listed(values) => {
                for value in values {
                    let Some(key) = key(value)? else { return Ok(None) };
                    all.insert(key, value);
                }
            }
            Self::Any(branches) => {
                for branch in branches {
                    let Some(more) = common(branch, key)? else { return Ok(None) };
                    all.extend(more);
                }
            }
        }
        Ok(Some(all))
    }
}

/// Returns the values that all of `several` allow, sorted by their `key`. A pin that has a value
/// without a key restricts nothing; `None` if no other pin is there.
///
/// # Errors
/// [`Malformed`] for a list of more than 100 values, and where `key` fails.
pub(crate) fn common<'v, T, K: Ord>(
    several: impl IntoIterator<Item = &'v Values<T>>,
    key: &impl Fn(&T) -> Result<Option<K>, Malformed>,
) -> Result<Option<BTreeMap<K, &'v T>>, Malformed> {
    let mut left: Option<BTreeMap<K, &T>> = None;
    for values in several {
        let Some(allowed) = values.allowed(key)? else { continue };
        match &mut left {
            Some(left) => left.retain(|key, _| allowed.contains_key(key)),
            None => left = Some(allowed),
        }
    }
    Ok(left)
}
