//! Attribution: which partitions a request is charged to, which were throttled, what can be charged
//! to none, and what waits.

use crate::argument::Argument;
use crate::dynamodb::action::{Action, Subject};
use crate::dynamodb::attempt::Waits;
use crate::dynamodb::charge::{self, Charge, Of, UnkeyedIndexUnits};
use crate::dynamodb::placed::Placed;
use crate::dynamodb::response::Throttle;
use crate::dynamodb::target::{Finder, Target};
use crate::dynamodb::throttle::Throttles;
use crate::dynamodb::unprocessed::Part;
use crate::error::Error;
use crate::key::{Key, check_name};
use crate::units::Units;
use std::borrow::Cow;

/// The charges, throttles and tallies that a request comes to.
#[derive(Default)]
pub(crate) struct Attribution<'a> {
    pub(crate) charges: Vec<Charge<'a>>,
    /// The part of the charges that no response confirms.
    pub(crate) estimated: Units,
    pub(crate) unkeyed_index_units: Vec<UnkeyedIndexUnits>,
    pub(crate) throttles: Throttles<'a>,
    /// Items that came back unprocessed.
    pub(crate) unprocessed: Vec<Part<'a>>,
    /// Parts that could not be read.
    pub(crate) unread: Vec<Part<'a>>,
    /// The tables whose parts are not in any of this, because their key is not known. In the order
    /// of their names.
    pub(crate) waiting: Vec<Waits>,
    /// The tables whose key this request has told.
    pub(crate) learnt: Vec<String>,
}

impl<'a> Attribution<'a> {
    /// Charges each key of an action's target, or its table if it has none, with one action of
    /// `units`. A part that can't be read is one charge, until what is told has been shared.
    pub(crate) fn add(&mut self, i: usize, action: &Action<'a>, placed: Placed<'a>, units: Units) {
        let Target { resource, keys } = match placed {
            Placed::At(target) => target,
            Placed::Unread => return self.charges.push(Charge::unread(i, action, units)),
            Placed::LeftOut => return self.count_waiting(action),
        };
        let of = if action.is_change() { Of::Change } else { Of::Look };
        let charge = |key| {
            let (resource, operation) = (resource.clone(), action.operation);
            Charge { action: i, resource, key, operation, actions: 1, units, of }
        };
        if keys.is_empty() {
            self.charges.push(charge(None));
        }
        self.charges.extend(keys.into_iter().map(|key| charge(Some(key))));
    }

    /// Does the same where nothing was changed, as a condition failed.
    pub(crate) fn add_unchanged(&mut self, i: usize, action: &Action<'a>, placed: Placed<'a>, units: Units) {
        let before = self.charges.len();
        self.add(i, action, placed, units);
        let read = self.charges[before..].iter_mut().filter(|charge| charge.of != Of::Unread);
        read.for_each(|charge| charge.of = Of::Look);
    }

    /// Does the same as `add` where `units` are of all keys together.
    pub(crate) fn add_page(&mut self, i: usize, action: &Action<'a>, placed: Placed<'a>, units: Units) {
        let before = self.charges.len();
        self.add(i, action, placed, units);
        let added = &mut self.charges[before..];
        if added.len() > 1 {
            let shares = charge::shares(units, &vec![Units::whole(1); added.len()]);
            added.iter_mut().zip(shares).for_each(|(charge, share)| charge.units = share);
        }
    }

    /// Adds a throttled action. It is no operation, so nothing of it is counted among what waits.
    pub(crate) fn throttle(
        &mut self,
        i: usize,
        action: &Action<'a>,
        placed: Placed<'a>,
        reasons: &[Throttle<'a>],
        finder: &Finder<'_, '_>,
    ) {
        match placed {
            Placed::At(target) => self.throttles.add(action, target, reasons, finder),
            Placed::Unread => self.charges.push(Charge::unread(i, action, Units::default())),
            Placed::LeftOut => {}
        }
    }

    /// A part that can't be read is none of what waits, though its share does.
    fn count_waiting(&mut self, action: &Action<'_>) {
        if action.subject != Subject::Unread
            && let Some(waits) = Waits::of(&mut self.waiting, &action.table)
        {
            waits.actions += 1;
        }
    }

    /// Sets the parts apart that could not be read.
    pub(crate) fn set_unread_apart(&mut self) {
        let unread = self.charges.extract_if(.., |charge| charge.of == Of::Unread);
        self.unread.extend(unread.map(|charge| (charge.resource, charge.operation)));
    }

    /// Returns the same with texts of its own.
    pub(crate) fn into_owned(self) -> Attribution<'static> {
        fn owned<T: ToOwned + ?Sized>(text: Cow<'_, T>) -> Cow<'static, T> {
            Cow::Owned(text.into_owned())
        }
        let parts =
            |parts: Vec<Part<'a>>| parts.into_iter().map(|(table, what)| (owned(table), what)).collect();
        let charge = |charge: Charge<'a>| Charge {
            resource: owned(charge.resource),
            key: charge.key.map(owned),
            ..charge
        };
        Attribution {
            charges: self.charges.into_iter().map(charge).collect(),
            estimated: self.estimated,
            unkeyed_index_units: self.unkeyed_index_units,
            throttles: self.throttles.into_owned(),
            unprocessed: parts(self.unprocessed),
            unread: parts(self.unread),
            waiting: self.waiting,
            learnt: self.learnt,
        }
    }

    /// Marks all charges as estimated: only the request itself tells them.
    pub(crate) fn estimate(&mut self) {
        let read = self.charges.iter().filter(|charge| charge.of != Of::Unread);
        self.estimated = read.map(|charge| charge.units).sum();
    }

    /// Checks that all of it can be recorded: what is not a part of its own, such as an index, is
    /// as valid as a part is.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let check = |resource: &str, key: &Option<Cow<'_, [u8]>>| {
            Key { table: resource.as_bytes(), pk: key.as_deref().unwrap_or_default() }.check()
        };
        self.charges.iter().try_for_each(|charge| check(&charge.resource, &charge.key))?;
        self.throttles.all.iter().try_for_each(|throttled| check(&throttled.resource, &throttled.key))?;
        let check = |resource: &str| check_name(Argument::Table, resource.as_bytes());
        self.unkeyed_index_units.iter().try_for_each(|unkeyed| check(&unkeyed.resource))
    }
}
