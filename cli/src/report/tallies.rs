//! Tallies: those of all partitions, or of as many as bounded memory has room for.
//!
//! Partitions are ordered by their fullest second; those that DynamoDB throttled come before all
//! others. Where memory is bounded and full, the half that comes last is dropped. A dropped
//! partition that comes again begins anew. If it is among the first in the end, its fullest second
//! since then puts it there, and that is its fullest of all: before, it had less than those that
//! were kept.

use crate::columns::{Column, Unknown};
use crate::report::tally::Tally;
use anyhow::Result;
use hashbrown::DefaultHashBuilder;
use hotpart::{Detector, Operation};
use indexmap::{Equivalent, IndexMap};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::hash::{Hash, Hasher};

/// The bytes that a partition takes besides its name: the tally, the name's pointer and length with
/// their hash, and their place in the map.
const EACH: usize = size_of::<(Name, Tally, u64)>() + (size_of::<usize>() + 1) * 8 / 7 + 16;
/// The bytes of a name, where they are not known yet.
const NAME: usize = 64;

/// Returns the bytes that tallies need if `top` partitions of each operation are listed, so that a
/// drop leaves as many. Names are taken for short ones.
pub fn least_bytes(top: usize) -> u64 {
    (2 * top * (EACH + NAME)) as u64
}

/// The way in which partitions are tallied.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The number of partitions of each operation that are listed.
    pub top: usize,
    /// By operation, the amount above which a second is hot.
    pub hot: [u64; 2],
    /// The bytes within which to stay.
    pub memory: Option<u64>,
}

/// A partition's table and key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    table_len: u16,
    text: Box<[u8]>,
}

/// A name that is borrowed.
#[derive(Clone, Copy)]
struct NameRef<'a> {
    table: &'a [u8],
    pk: &'a [u8],
}

impl Name {
    fn new(table: &[u8], pk: &[u8]) -> Self {
        // No table's name has more than 1,024 bytes.
        Self { table_len: table.len() as u16, text: [table, pk].concat().into() }
    }

    pub fn table(&self) -> &[u8] {
        &self.text[..self.table_len.into()]
    }

    pub fn pk(&self) -> &[u8] {
        &self.text[self.table_len.into()..]
    }

    fn borrowed(&self) -> NameRef<'_> {
        NameRef { table: self.table(), pk: self.pk() }
    }
}

impl Equivalent<Name> for NameRef<'_> {
    fn equivalent(&self, name: &Name) -> bool {
        (self.table, self.pk) == (name.table(), name.pk())
    }
}

impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.table, self.pk).hash(state);
    }
}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.borrowed().hash(state);
    }
}

/// Tallies in the order in which they came. A detector tells the partitions of all columns in about
/// one order, so that tallies of one column lie one after another.
type Partitions = IndexMap<Name, Tally, DefaultHashBuilder>;

pub struct Tallies {
    rules: Rules,
    by_operation: [Partitions; 2],
    /// By operation, an amount that enough partitions have in a second to fill the list: those with
    /// less are not listed.
    told: [u64; 2],
    /// The bytes of the names.
    text: usize,
    /// How many partitions were dropped, those that came again included.
    pub dropped: u64,
    /// How many of these were hot, as far as was known.
    pub dropped_hot: u64,
    /// Warnings of partitions that have no tally, for want of room.
    pub left_out: u64,
    /// The most bytes that the tallies and the detector took.
    pub most_bytes: u64,
}

impl Tallies {
    pub fn new(rules: Rules) -> Self {
        let by_operation = [Partitions::default(), Partitions::default()];
        Self {
            rules,
            by_operation,
            told: [0; 2],
            text: 0,
            dropped: 0,
            dropped_hot: 0,
            left_out: 0,
            most_bytes: 0,
        }
    }

    /// Adds a column that is over.
    pub fn add(&mut self, detector: &Detector, column: &Column) -> Result<()> {
        self.add_of(detector, column, |_| true)
    }

    /// Adds those partitions of a column that are of some tables.
    pub fn add_of(
        &mut self,
        detector: &Detector,
        column: &Column,
        is_of: impl Fn(&[u8]) -> bool,
    ) -> Result<()> {
        for (i, operation) in Operation::ALL.into_iter().enumerate() {
            self.tell(column, operation, &is_of)?;
            let (told, limit) = (self.told[i], self.rules.hot[i]);
            column.each(operation, |had| {
                if !is_of(had.table) {
                    return Ok(());
                }
                self.make_room(column);
                self.tally(i, had.table, had.pk).add(detector, column, &had, told, limit)
            })?;
        }
        for kept_out in column.kept_out.iter().filter(|kept_out| is_of(&kept_out.table)) {
            self.make_room(column);
            let tally = self.tally(kept_out.operation as usize, &kept_out.table, &kept_out.pk);
            tally.add_kept_out(column.first, kept_out.most);
        }
        self.left_out += column.left_out;
        self.see_bytes(column);
        self.make_room(column);
        Ok(())
    }

    fn see_bytes(&mut self, column: &Column) {
        self.most_bytes = self.most_bytes.max(self.bytes() + column.bytes() + column.library_bytes);
    }

    /// Drops some if the tallies take more than their memory.
    fn make_room(&mut self, column: &Column) {
        if self.rules.memory.is_some_and(|memory| self.bytes() > memory) {
            self.see_bytes(column);
            self.drop_half();
        }
    }

    fn tally(&mut self, operation: usize, table: &[u8], pk: &[u8]) -> &mut Tally {
        let known = &mut self.by_operation[operation];
        let place = known.get_index_of(&NameRef { table, pk }).unwrap_or_else(|| {
            self.text += table.len() + pk.len();
            known.insert_full(Name::new(table, pk), Tally::default()).0
        });
        &mut known[place]
    }

    /// Raises `told` by a column: the partitions that are listed in the end have no less than the
    /// last of the first `top` of any column.
    fn tell(&mut self, column: &Column, operation: Operation, is_of: impl Fn(&[u8]) -> bool) -> Result<()> {
        let told = &mut self.told[operation as usize];
        // The first `top` that have more than is known already, the least of them in front.
        let mut first = BinaryHeap::with_capacity(self.rules.top + 1);
        column.each(operation, |had| {
            if had.peak > *told && is_of(had.table) {
                first.push(Reverse(had.peak));
                if first.len() > self.rules.top {
                    first.pop();
                }
            }
            Ok(())
        })?;
        if let Some(&Reverse(least)) = first.peek().filter(|_| first.len() == self.rules.top) {
            *told = least;
        }
        Ok(())
    }

    /// Returns about how many bytes the tallies take.
    pub fn bytes(&self) -> u64 {
        let places: usize = self.by_operation.iter().map(Partitions::capacity).sum();
        (places * EACH + self.text) as u64
    }

    fn drop_half(&mut self) {
        let before = self.len();
        for (tallies, hot) in self.by_operation.iter_mut().zip(self.rules.hot) {
            let half = (tallies.len() / 2).max(self.rules.top);
            let mut order: Vec<_> = tallies.values().map(order).collect();
            if half >= order.len() {
                continue;
            }
            let (first, &mut last, _) = order.select_nth_unstable_by(half, |a, b| b.cmp(a));
            // Of those in the same place, as many stay as there is room for.
            let mut room = half - first.iter().filter(|&&order| order > last).count();
            tallies.retain(|_, tally| match self::order(tally).cmp(&last) {
                Ordering::Greater => true,
                Ordering::Equal if room > 0 => {
                    room -= 1;
                    true
                }
                _ => {
                    self.dropped_hot += u64::from(tally.throttles > 0 || tally.fullest_second.count > hot);
                    false
                }
            });
            tallies.shrink_to_fit();
        }
        let names = self.by_operation.iter().flat_map(Partitions::keys);
        self.text = names.map(|name| name.text.len()).sum();
        self.dropped += (before - self.len()) as u64;
    }

    fn len(&self) -> usize {
        self.by_operation.iter().map(Partitions::len).sum()
    }

    /// Raises tallies to the most, by operation, that a partition may have had where it was not
    /// counted by itself.
    pub fn allow_for(&mut self, unknown: [Unknown; 2]) {
        for (tallies, Unknown { second, column }) in self.by_operation.iter_mut().zip(unknown) {
            for tally in tallies.values_mut() {
                tally.fullest_second.allow_for(second);
                tally.fullest_column.allow_for(column);
            }
        }
    }

    pub fn of(&self, operation: Operation) -> &Partitions {
        &self.by_operation[operation as usize]
    }

    /// Returns the `n` partitions of an operation that come first.
    pub fn first(&self, operation: Operation, n: usize) -> Vec<(&Name, &Tally)> {
        let mut all: Vec<_> = self.of(operation).iter().collect();
        let place = |&(name, tally): &(&Name, &Tally)| (Reverse(order(tally)), name.clone());
        let compare =
            |a: &(&Name, &Tally), b: &(&Name, &Tally)| order(b.1).cmp(&order(a.1)).then_with(|| a.0.cmp(b.0));
        if n < all.len() {
            all.select_nth_unstable_by(n, compare);
            all.truncate(n);
        }
        all.sort_by_cached_key(place);
        all
    }
}

/// Returns the order of a tally: the greater comes first.
fn order(tally: &Tally) -> (bool, u64, u64) {
    (tally.throttles > 0, tally.fullest_second.count, tally.count + tally.throttles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::Batch;
    use crate::columns::{Columns, Shape};
    use crate::entry::{Access, Entry};
    use crate::feed::Measure;

    /// Of eight partitions four are listed. So it is asked of four when they were fullest, and of
    /// no other: looking for that is dear.
    #[test]
    fn the_fullest_second_of_those_that_are_listed_is_looked_for() {
        let mut tallies = Tallies::new(Rules { top: 4, hot: [500, 1_500], memory: None });
        let shape = Shape { seconds: 60, measure: Measure::Operations, memory: None };
        let mut columns = Columns::new(shape, |_| Ok(())).expect("columns").unlisted();
        let mut batch = Batch::default();
        for n in 1..=8_u8 {
            let operations = u64::from(n);
            let access = Access::new(7_000, Operation::Write, b"t", std::slice::from_ref(&n));
            batch.push(&Entry::Access(Access { operations, ..access }));
        }
        columns.second(&batch, |_, _| unreachable!("it is the first column")).expect("counted");
        columns.finish(|detector, column| tallies.add(detector, column)).expect("counted");
        let told: Vec<_> = tallies
            .first(Operation::Write, 8)
            .into_iter()
            .map(|(name, tally)| (name.pk()[0], tally.fullest_second.at))
            .collect();
        let seven = Some(7);
        let expected =
            [(8, seven), (7, seven), (6, seven), (5, seven), (4, None), (3, None), (2, None), (1, None)];
        assert_eq!(told, expected);
    }
}
