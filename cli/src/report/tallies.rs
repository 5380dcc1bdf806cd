//! Tallies: those of all partitions, or of as many as bounded memory has room for.
//!
//! Partitions are ordered by their fullest second; those that DynamoDB throttled come before all
//! others. Where memory is bounded and full, the half that comes last is dropped. A dropped
//! partition that comes again begins anew. If it is among the first in the end, its fullest second
//! since then puts it there, and that is its fullest of all: before, it had less than those that
//! were kept.

use crate::columns::rows::Had;
use crate::columns::{Column, Unknown};
use crate::report::name::{Name, NameRef};
use crate::report::partitions::{AT_ONCE, Partitions};
use crate::report::tally::Tally;
use anyhow::Result;
use hotpart::{Detector, Operation};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// The bytes of a name, where they are not known yet.
const NAME: usize = 64;

/// Returns the bytes that tallies need if `top` partitions of each operation are listed, so that a
/// drop leaves as many. Names are taken for short ones.
pub fn least_bytes(top: usize) -> u64 {
    (2 * top * (Partitions::EACH + NAME)) as u64
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
            // Where memory is bounded, there must be room for each that is new.
            let at_once = if self.rules.memory.is_some() { 1 } else { AT_ONCE };
            let mut some = Vec::with_capacity(at_once);
            column.each(operation, |had| {
                if is_of(had.table) {
                    some.push(had);
                }
                if some.len() == at_once { self.add_some(i, detector, column, &mut some) } else { Ok(()) }
            })?;
            self.add_some(i, detector, column, &mut some)?;
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

    /// Adds what some partitions had, and empties the list.
    fn add_some(
        &mut self,
        i: usize,
        detector: &Detector,
        column: &Column,
        some: &mut Vec<Had<'_>>,
    ) -> Result<()> {
        self.make_room(column);
        let (told, limit) = (self.told[i], self.rules.hot[i]);
        let mut names = [NameRef { table: b"", pk: b"" }; AT_ONCE];
        for (name, had) in names.iter_mut().zip(some.iter()) {
            *name = had.into();
        }
        let (text, mut added) = (&mut self.text, Ok(()));
        self.by_operation[i].each(&names[..some.len()], |n, tally, is_new| {
            let had = &some[n];
            *text += if is_new { had.table.len() + had.pk.len() } else { 0 };
            if added.is_ok() {
                added = tally.add(detector, column, had, told, limit);
            }
        });
        some.clear();
        added
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
        let (tally, is_new) = self.by_operation[operation].tally(NameRef { table, pk });
        self.text += if is_new { table.len() + pk.len() } else { 0 };
        tally
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
        (places * Partitions::EACH + self.text) as u64
    }

    fn drop_half(&mut self) {
        let before = self.len();
        for (tallies, hot) in self.by_operation.iter_mut().zip(self.rules.hot) {
            let half = (tallies.number() / 2).max(self.rules.top);
            let mut order: Vec<_> = tallies.tallies().map(order).collect();
            if half >= order.len() {
                continue;
            }
            let (first, &mut last, _) = order.select_nth_unstable_by(half, |a, b| b.cmp(a));
            // Of those in the same place, as many stay as there is room for.
            let mut room = half - first.iter().filter(|&&order| order > last).count();
            tallies.retain(|tally| match self::order(tally).cmp(&last) {
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
        }
        let names = self.by_operation.iter().flat_map(Partitions::names);
        self.text = names.map(Name::size).sum();
        self.dropped += (before - self.len()) as u64;
    }

    fn len(&self) -> usize {
        self.by_operation.iter().map(Partitions::number).sum()
    }

    /// Raises tallies to the most, by operation, that a partition may have had where it was not
    /// counted by itself.
    pub fn allow_for(&mut self, unknown: [Unknown; 2]) {
        for (tallies, Unknown { second, column }) in self.by_operation.iter_mut().zip(unknown) {
            for tally in tallies.tallies_mut() {
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
            .map(|(name, tally)| (name.pk()[0], tally.fullest_second.at()))
            .collect();
        let seven = Some(7);
        let expected =
            [(8, seven), (7, seven), (6, seven), (5, seven), (4, None), (3, None), (2, None), (1, None)];
        assert_eq!(told, expected);
    }
}
