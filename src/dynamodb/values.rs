//! Values: that of an attribute; and those that a statement lets one have, as its AND, OR and IN
//! say them.

use crate::dynamodb::json::Malformed;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// In DynamoDB's JSON.
    Json(&'a str),
    /// As a key has it.
    Text(Cow<'a, str>),
    /// Not one that a key may have.
    Other,
}

/// The values that an attribute may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Values<T> {
    /// One of these.
    Listed(Vec<T>),
    /// The values that one of the branches of an OR allows. A branch allows those that each of its parts does.
    Any(Vec<Vec<Values<T>>>),
}

/// The most values of a list: DynamoDB takes 50 for a key, and 100 else.
const LISTED_MAX: usize = 100;

impl<T> Values<T> {
    /// Returns the only value, if no other is named.
    pub(crate) fn only(&self) -> Option<&T> {
        match self {
            Self::Listed(values) => match &values[..] {
                [one] => Some(one),
                _ => None,
            },
            Self::Any(_) => None,
        }
    }

    /// Returns how many are named.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Listed(values) => values.len(),
            Self::Any(branches) => branches.iter().flatten().map(Self::len).sum(),
        }
    }

    /// Makes other values of them.
    pub(crate) fn map<U>(&self, to: &impl Fn(&T) -> U) -> Values<U> {
        match self {
            Self::Listed(values) => Values::Listed(values.iter().map(to).collect()),
            Self::Any(branches) => {
                let branch = |branch: &Vec<Self>| branch.iter().map(|values| values.map(to)).collect();
                Values::Any(branches.iter().map(branch).collect())
            }
        }
    }

    /// Returns those that are allowed, by their keys; `None` if one of them has no key, so that
    /// nobody knows which.
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

/// Returns the values that each of several allows, by their keys, in the order of those. Values of
/// which one has no key restrict nothing; `None` if nothing does. No list of more than 100 is
/// taken.
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
