//! Throttles: the resources and keys for which a throttled action counts, by the reasons that the
//! response names.
//!
//! A reason is about a table or an index, and the two have partitions of their own. A put into
//! `orders` that was throttled for `IndexWriteKeyRangeThroughputExceeded` of `by-user` says nothing
//! of the table's key. It counts for the item's user on `orders/index/by-user`, and for no
//! partition if the request does not tell the user.

use crate::dynamodb::action::Action;
use crate::dynamodb::response::Throttle;
use crate::dynamodb::target::{Finder, Target, index_resource};
use crate::operation::Operation;
use crate::reason::Reason;
use std::borrow::Cow;
use std::collections::HashSet;

/// One throttle of a resource, and of a key of it if that is known.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Throttled<'a> {
    pub(crate) resource: Cow<'a, str>,
    pub(crate) key: Option<Cow<'a, [u8]>>,
    pub(crate) operation: Operation,
    pub(crate) reason: Reason,
}

/// The throttles of one attempt.
#[derive(Default)]
pub(crate) struct Throttles<'a> {
    pub(crate) all: Vec<Throttled<'a>>,
    /// Throttles of indexes that the item at hand is known not to be in: [`join`](Self::join) says
    /// which count.
    unkeyed: Vec<Throttled<'a>>,
}

impl<'a> Throttles<'a> {
    /// Adds a throttled action: once for each resource and reason that is named, and for each key
    /// of its target. Without a reason it counts for its target, for reasons unknown.
    pub(crate) fn add(
        &mut self,
        action: &Action<'a>,
        target: Target<'a>,
        reasons: &[Throttle<'a>],
        finder: &Finder<'_, '_>,
    ) {
        let Target { resource, keys } = target;
        let own = |reason, operation| {
            let all = keys.iter().map(|key| Some(key.clone())).chain(keys.is_empty().then_some(None));
            all.map(|key| Throttled { resource: resource.clone(), key, operation, reason })
                .collect::<Vec<_>>()
        };
        if reasons.is_empty() {
            self.all.extend(own(Reason::Unknown, action.operation));
        }
        for throttle in reasons.iter().filter(|throttle| throttle.is_of(action)) {
            let Throttle { index, of_index, operation, reason, .. } = throttle;
            let operation = operation.unwrap_or(action.operation);
            // The action is on an index if it queried one. A reason is of its target if both are of
            // an index or both of a table, and no other index is named.
            let on_index = resource != action.table;
            let queried = index.is_none() || index.as_deref() == action.index.as_deref();
            if *of_index == on_index && (!on_index || queried) {
                self.all.extend(own(*reason, operation));
                continue;
            }
            let reason = *reason;
            let (resource, key) = match index {
                // The table's item was throttled for one of its indexes: the item may tell the key
                // there.
                Some(index) => {
                    let resource = Cow::Owned(index_resource(&action.table, index));
                    if finder.is_outside(action, index) {
                        self.unkeyed.push(Throttled { resource, key: None, operation, reason });
                        continue;
                    }
                    (resource, finder.named_index_key(action, index).map(|key| key.value))
                }
                // An index that is not named, or the table of an index that was queried: no key is
                // known.
                None => (action.table.clone(), None),
            };
            self.all.push(Throttled { resource, key, operation, reason });
        }
    }

    /// Returns the same, after [`join`](Self::join), with texts of its own.
    pub(crate) fn into_owned(self) -> Throttles<'static> {
        let owned = |Throttled { resource, key, operation, reason }: Throttled<'a>| Throttled {
            resource: Cow::Owned(resource.into_owned()),
            key: key.map(|key| Cow::Owned(key.into_owned())),
            operation,
            reason,
        };
        Throttles { all: self.all.into_iter().map(owned).collect(), unkeyed: Vec::new() }
    }

    /// Joins the throttles of one attempt. Items on one key were throttled once. An index's
    /// throttle is not that of items outside of it, if other items of the attempt are in it; if
    /// none is, it has no key.
    pub(crate) fn join(&mut self) {
        if !self.unkeyed.is_empty() {
            let named_by = |one: &Throttled<'a>| (one.resource.clone(), one.operation, one.reason);
            let named: HashSet<_> = self.all.iter().map(named_by).collect();
            self.unkeyed.retain(|one| !named.contains(&named_by(one)));
            self.all.append(&mut self.unkeyed);
        }
        self.all.sort_unstable();
        self.all.dedup();
    }
}
