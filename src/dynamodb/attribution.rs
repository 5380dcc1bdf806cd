//! An attribution: what one request comes to. It has the charges of partitions, the throttles, what
//! can be charged to no partition, and what waits for a key.
//!
//! It is filled while the actions are looked at, one by one, and is recorded only when all of it is
//! found good (`check`). An unread part is a charge at first, so that it takes its share of the
//! capacity; at the end it is set apart.

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
    /// The part of the charges' units that no response confirms.
    pub(crate) estimated: Units,
    /// Capacity of indexes of which no key is known.
    pub(crate) unkeyed_index_units: Vec<UnkeyedIndexUnits>,
    pub(crate) throttles: Throttles<'a>,
    /// The items that came back unprocessed.
    pub(crate) unprocessed: Vec<Part<'a>>,
    /// The parts that could not be read.
    pub(crate) unread: Vec<Part<'a>>,
    /// The tables whose key is not known, sorted by name. Their parts are in nothing else here.
    pub(crate) waiting: Vec<Waits>,
    /// The tables whose key this request has shown. What waits for one of them can be recorded now.
    pub(crate) learnt: Vec<String>,
}

impl<'a> Attribution<'a> {
    /// Adds the action at place `i` of the request: a charge of one action and `units` for each key
    /// of its target, or a single one without a key if there are none. A statement on the keys `a`
    /// and `b` comes to two charges.
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

    /// Adds an action that changed nothing, as its condition failed. It is charged all the same,
    /// but its item's indexes were not written.
    pub(crate) fn add_unchanged(&mut self, i: usize, action: &Action<'a>, placed: Placed<'a>, units: Units) {
        let before = self.charges.len();
        self.add(i, action, placed, units);
        let read = self.charges[before..].iter_mut().filter(|charge| charge.of != Of::Unread);
        read.for_each(|charge| charge.of = Of::Look);
    }

    /// Adds an action whose `units` are of all its keys together. Nothing tells how many of a
    /// page's items have which key, so each key gets an equal share.
    pub(crate) fn add_page(&mut self, i: usize, action: &Action<'a>, placed: Placed<'a>, units: Units) {
        let before = self.charges.len();
        self.add(i, action, placed, units);
        let added = &mut self.charges[before..];
        if added.len() > 1 {
            let shares = charge::shares(units, &vec![Units::whole(1); added.len()]);
            added.iter_mut().zip(shares).for_each(|(charge, share)| charge.units = share);
        }
    }

    /// Adds a throttled action. It did nothing, so it is not counted among the actions that wait.
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

    /// Counts an action among those that wait for its table. A part that can't be read does not
    /// wait: its table's key would not help.
    fn count_waiting(&mut self, action: &Action<'_>) {
        if action.subject != Subject::Unread
            && let Some(waits) = Waits::of(&mut self.waiting, &action.table)
        {
            waits.actions += 1;
        }
    }

    /// Moves the parts that could not be read from the charges to `unread`.
    pub(crate) fn set_unread_apart(&mut self) {
        let unread = self.charges.extract_if(.., |charge| charge.of == Of::Unread);
        self.unread.extend(unread.map(|charge| (charge.resource, charge.operation)));
    }

    /// Returns the same with texts of its own, so that it outlives the attempt from which it was
    /// read.
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

    /// Marks all charges as estimated: only the request tells their units.
    pub(crate) fn estimate(&mut self) {
        let read = self.charges.iter().filter(|charge| charge.of != Of::Unread);
        self.estimated = read.map(|charge| charge.units).sum();
    }

    /// Checks that all of it can be recorded. Parts were checked where they were placed; this finds
    /// what is not a part of its own, such as a request of one item, or the name of an index.
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
