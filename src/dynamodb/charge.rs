//! Charges: how many actions a partition is charged with, and its share of the capacity that a
//! request took.
//!
//! A response tells capacity by table, and by index where it was asked to; this file divides it
//! among the items. Each charge begins with an estimate, which is its weight. The answered units
//! are divided in proportion to the weights, in half units, so that the shares add up to the answer
//! exactly.
//!
//! An example: a batch puts two items on the key `a` and one on `b`, estimated as 2, 1 and 1 units.
//! The response tells 5 units. In halves, 10 are divided by the weights 4, 2 and 2: rounded down
//! that gives 5, 2 and 2. The half that is left goes to the largest, so the charges are 3, 1 and 1
//! units. [`merge`] then adds up the charges of each partition: 2 actions and 4 units for `a`, 1
//! and 1 for `b`.
//!
//! A bare total does not say how much of it indexes took. Then the table's own charges keep their
//! estimate first, and index writes get what is left, but no more than their own estimate.

use crate::argument::Argument;
use crate::dynamodb::action::{Action, one_table};
use crate::dynamodb::response::Capacity;
use crate::dynamodb::target::{Finder, index_resource};
use crate::key::check_name;
use crate::operation::Operation;
use crate::units::Units;
use std::borrow::Cow;
use std::collections::HashMap;

/// The amount that one action, or one of the keys that it names, adds to a partition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Charge<'a> {
    /// The action's place in its request.
    pub(crate) action: usize,
    /// A table, or `TABLE/index/INDEX`.
    pub(crate) resource: Cow<'a, str>,
    /// The partition key's value; `None` if the charge is on no partition that is known, as of a
    /// scan.
    pub(crate) key: Option<Cow<'a, [u8]>>,
    pub(crate) operation: Operation,
    /// How many actions it stands for: 0 for what an index alone took.
    pub(crate) actions: u64,
    /// First the least that it takes; after [`share_capacity`] its share of what was taken.
    pub(crate) units: Units,
    pub(crate) of: Of,
}

/// The part of an action that a charge is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// The action itself, which may have changed its item.
    Change,
    /// The action itself, which changed nothing: a read, or a write whose condition failed.
    Look,
    /// A write that a changed item brought to a global index that it is in.
    Index,
    /// A part that can't be read. It takes its share, so that the other charges don't get that, and
    /// is dropped afterwards.
    Unread,
}

impl<'a> Charge<'a> {
    /// Returns the charge of a part that can't be read.
    pub(crate) fn unread(action: usize, part: &Action<'a>, units: Units) -> Self {
        let named = check_name(Argument::Table, part.table.as_bytes()).is_ok();
        let resource = if named { part.table.clone() } else { Cow::Borrowed("") };
        let operation = part.operation;
        Self { action, resource, key: None, operation, actions: 1, units, of: Of::Unread }
    }
}

/// Capacity that an index took and that can be charged to no partition of it: no item at hand tells
/// the index's key.
#[derive(Debug, PartialEq)]
pub(crate) struct UnkeyedIndexUnits {
    pub(crate) resource: String,
    pub(crate) operation: Operation,
    pub(crate) units: Units,
}

/// Gives every charge, and every index write that belongs to one, its share of the capacity that
/// the response tells for its table. Afterwards the index writes are among the charges. Returns the
/// units that remain estimated, as the response has nothing of their table, and those that have no
/// partition.
///
/// For each table:
///
/// 1. Its charges' estimates become their weights.
/// 2. Of a bare total, index writes get what the estimates leave of it.
/// 3. The table's own capacity is divided among the charges on the table.
/// 4. The capacity of each index that is named is divided among the charges that queried that
///    index; else among those whose item has a key of the index; else it has no partition.
pub(crate) fn share_capacity<'a>(
    charges: &mut Vec<Charge<'a>>,
    mut index_writes: Vec<Charge<'a>>,
    actions: &[Action<'a>],
    capacity: &[Capacity<'a>],
    finder: &Finder<'_, '_>,
) -> (Units, Vec<UnkeyedIndexUnits>) {
    let is_only = one_table(actions);
    // Nearly always there is one charge, and nothing to share.
    if let ([charge], [], [took]) = (&mut charges[..], &index_writes[..], capacity)
        && took.indexes.is_empty()
        && took.is_of(&actions[charge.action].table, is_only)
    {
        charge.units = took.units;
        return (Units::default(), Vec::new());
    }
    let (mut estimated, mut unkeyed, mut added) = (Units::default(), Vec::new(), Vec::new());
    let mut tables: Vec<_> = charges.iter().map(|charge| &actions[charge.action].table).collect();
    tables.sort_unstable();
    tables.dedup();
    for table in tables {
        let is_mine = |charge: &Charge<'_>| actions[charge.action].table == *table;
        let mine: Vec<_> = (0..charges.len()).filter(|&i| is_mine(&charges[i])).collect();
        let mut my_writes: Vec<_> = index_writes.iter_mut().filter(|write| is_mine(write)).collect();
        // The response tells nothing of this table: its estimates stay.
        let Some(took) = capacity.iter().find(|took| took.is_of(table, is_only)) else {
            let read = mine.iter().filter(|&&i| charges[i].of != Of::Unread);
            estimated += read.map(|&i| charges[i].units).sum();
            estimated += my_writes.iter().map(|write| write.units).sum();
            continue;
        };
        // The estimates become weights, and each charge starts from nothing.
        let weights: Vec<_> = mine.iter().map(|&i| charges[i].units).collect();
        let weight = |i: usize| weights[mine.iter().position(|&j| j == i).unwrap_or_default()];
        mine.iter().for_each(|&i| charges[i].units = Units::default());
        let share_out = |charges: &mut Vec<Charge<'_>>, units, among: &[usize]| {
            let weights: Vec<_> = among.iter().map(|&i| weight(i)).collect();
            among.iter().zip(shares(units, &weights)).for_each(|(&i, share)| charges[i].units += share);
        };
        let on = |resource: &str| -> Vec<_> {
            mine.iter().copied().filter(|&i| charges[i].resource == *resource).collect()
        };
        // A bare total is of everything that was touched. So is the table's own capacity, if no
        // charge is on the table itself: the request queried an index.
        let own = on(table);
        let own = if took.detailed && !own.is_empty() { own } else { mine.clone() };
        // Which charges are on which index, before the shares are added.
        let on_indexes: Vec<_> = took
            .indexes
            .iter()
            .map(|(index, units)| (index, *units, on(&index_resource(table, index))))
            .collect();
        // What index writes get of a bare total is not the table's any more.
        let written = share_with_indexes(took, weights.iter().copied().sum(), &mut my_writes);
        share_out(charges, Units::from_halves(took.units.halves() - written.halves()), &own);
        for (index, units, asked) in on_indexes {
            // The charges that queried this index took its capacity.
            if !asked.is_empty() {
                share_out(charges, units, &asked);
                continue;
            }
            // Else the charges whose item is in the index. A write whose condition failed changed
            // no index; a replayed transaction reads them.
            let may = |&&i: &&usize| charges[i].of == Of::Change || charges[i].operation == Operation::Read;
            let key = |&i: &usize| Some((i, finder.named_index_key(&actions[charges[i].action], index)?));
            let holders: Vec<_> = mine.iter().filter(may).filter_map(key).collect();
            let resource = index_resource(table, index);
            if holders.is_empty() {
                let operation = charges[mine[0]].operation;
                unkeyed.push(UnkeyedIndexUnits { resource, operation, units });
                continue;
            }
            // All of it is charged to the item's key of now. Where an item has moved from another
            // key of the index, that key took a part; but the request does not tell which key that
            // was.
            let weights: Vec<_> = holders.iter().map(|&(i, _)| weight(i)).collect();
            let places = my_writes.iter().enumerate().filter(|(_, write)| write.resource == resource);
            let written: HashMap<_, _> = places.map(|(place, write)| (write.action, place)).collect();
            for ((i, key), units) in holders.into_iter().zip(shares(units, &weights)) {
                let (action, operation) = (charges[i].action, charges[i].operation);
                // The index write of this item is among the charges to be: it gets the units.
                if let Some(&place) = written.get(&action) {
                    my_writes[place].units += units;
                    continue;
                }
                // There is none, as the item is not known to be in the index whole, or nothing was
                // changed. Only the units are charged, and no action.
                let (resource, key) = (Cow::Owned(resource.clone()), Some(key.value));
                added.push(Charge { action, resource, key, operation, actions: 0, units, of: Of::Index });
            }
        }
    }
    charges.append(&mut index_writes);
    charges.append(&mut added);
    (estimated, unkeyed)
}

/// Gives index writes their share of a bare total, and returns the sum of that. They get what
/// `own`, the estimates of the table's charges, leaves of it, and none more than its estimate: an
/// index whose part of an item did not change costs nothing. With 3 units in all, 1 of the table's
/// own, and two index writes of an estimated 1 each, both get 1. Of a total of 1 they get nothing.
///
/// Where the response has details they get nothing here, as it names each index that took
/// something.
fn share_with_indexes(took: &Capacity<'_>, own: Units, writes: &mut [&mut Charge<'_>]) -> Units {
    let weights: Vec<_> = writes.iter().map(|write| write.units).collect();
    let left = if took.detailed { 0 } else { took.units.halves().saturating_sub(own.halves()) };
    let most = weights.iter().copied().sum::<Units>().halves();
    let given = Units::from_halves(left.min(most));
    writes.iter_mut().zip(shares(given, &weights)).for_each(|(write, share)| write.units = share);
    if writes.is_empty() { Units::default() } else { given }
}

/// Divides `total` in proportion to `weights`, in half units, rounded down. The remainder goes to
/// the first of the largest, so that the sum is exact. If all weights are 0, that one gets
/// everything.
pub(crate) fn shares(total: Units, weights: &[Units]) -> Vec<Units> {
    let sum: u128 = weights.iter().map(|weight| u128::from(weight.halves())).sum();
    let share = |weight: &Units| {
        let share = u128::from(total.halves()) * u128::from(weight.halves()) / sum.max(1);
        u64::try_from(share).unwrap_or(u64::MAX)
    };
    let mut all: Vec<_> = weights.iter().map(share).collect();
    let remainder = total.halves() - all.iter().sum::<u64>();
    // Of several that are equal `max_by_key` takes the last, so the order is turned round.
    let largest = (0..all.len()).rev().max_by_key(|&i| weights[i]);
    if let Some(largest) = largest {
        all[largest] += remainder;
    }
    all.into_iter().map(Units::from_halves).collect()
}

/// Merges the charges of each partition and operation into one, so that it becomes one record,
/// which warns at most once.
pub(crate) fn merge(charges: Vec<Charge<'_>>) -> Vec<Charge<'_>> {
    if charges.len() <= 1 {
        return charges;
    }
    let mut merged: Vec<Charge<'_>> = Vec::with_capacity(charges.len());
    let mut places = HashMap::new();
    for charge in charges {
        let partition = (charge.resource.clone(), charge.key.clone(), charge.operation);
        match places.get(&partition) {
            Some(&place) => {
                let same: &mut Charge<'_> = &mut merged[place];
                same.actions += charge.actions;
                same.units += charge.units;
            }
            None => {
                places.insert(partition, merged.len());
                merged.push(charge);
            }
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_to_the_half_unit() {
        let shares = |total, weights: &[u64]| {
            let weights: Vec<_> = weights.iter().map(|&halves| Units::from_halves(halves)).collect();
            shares(Units::from_halves(total), &weights).iter().map(|units| units.halves()).collect::<Vec<_>>()
        };
        assert_eq!(shares(8, &[6, 2]), [6, 2]);
        assert_eq!(shares(7, &[2, 2]), [4, 3], "the rest goes to the first of the largest");
        assert_eq!(shares(7, &[2, 4, 2]), [1, 5, 1]);
        assert_eq!(shares(0, &[2, 4]), [0, 0]);
        assert_eq!(shares(5, &[0, 0]), [5, 0]);
        assert_eq!(shares(u64::MAX, &[1, u64::MAX]).iter().sum::<u64>(), u64::MAX);
        assert!(shares(5, &[]).is_empty());
    }
}
