//! Giving back what is idle: a walk over the table in small steps, each done by a record that
//! happens to come when one is due, and the choice of a partition to replace at the bound.

use crate::key::Key;
use crate::key::synthetic::is_synthetic;
use crate::ledger::Terms;
use crate::map::scan::Scan;
use crate::map::{Closed, Refusal, Table};
use crate::operation::Operation;
use crate::partition::Partition;
use crate::statistics::Tally;
use crate::sys::clock::Moment;
use crate::sys::sync::{AtomicU64, Relaxed};
use crossbeam_epoch::Guard;

/// Walks over the whole table in one window. Two, so that an idle partition outlives its window by half
/// of one.
const WALKS: u64 = 2;
/// Partitions that are compared when one must go.
const SAMPLES: usize = 5;
/// Steps of the walk that looks for them: a table that is over its bound is never so empty as to need
/// more than a few.
const STEPS_FOR_ONE: u64 = 1024;
/// Walks that find none, or none that there is memory to remove, before there is taken to be none.
const TRIES: u32 = 64;

#[derive(Debug)]
pub(crate) struct Sweep {
    /// The stamp of when the next step is due. A table of a million partitions takes one about every 0.2 ms at
    /// 60 s, whatever the traffic; after a lull, every record takes one until a walk is made up for.
    due: AtomicU64,
    step: AtomicU64,
    sampled: AtomicU64,
    /// Segments that were looked at to find who must go.
    #[cfg(test)]
    looked_at: std::sync::atomic::AtomicU64,
}

impl Sweep {
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            due: AtomicU64::new(now.stamp()),
            step: AtomicU64::new(0),
            sampled: AtomicU64::new(0),
            #[cfg(test)]
            looked_at: 0.into(),
        }
    }

    /// Whether a step is due.
    #[inline(always)]
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        now.stamp() >= self.due.load(Relaxed)
    }

    /// Takes the next step, if one is due and no other thread takes it.
    pub(crate) fn step(&self, partitions: &Table, now: Moment, terms: &Terms, guard: &Guard) {
        let due = self.due.load(Relaxed);
        if now.stamp() >= due {
            self.step_due(due, partitions, now, terms, guard);
        }
    }

    fn step_due(&self, due: u64, partitions: &Table, now: Moment, terms: &Terms, guard: &Guard) {
        let walk_us = u64::from(terms.rules.window) * 1_000_000 / WALKS;
        let behind = Moment::of_stamp(due).us().max(now.us().saturating_sub(walk_us));
        let next = Moment::from_us(behind + (walk_us / partitions.steps()).max(1));
        if self.due.compare_exchange(due, next.stamp(), Relaxed, Relaxed).is_err() {
            return;
        }
        // Closed: what was cleared needs no sweeping.
        let Ok(Some((i, segment))) = partitions.walk(self.step.fetch_add(1, Relaxed), guard) else { return };
        let entries = || segment.chain().flat_map(|segment| segment.entries());
        if entries().any(|(_, _, partition)| partition.idle(now, terms.rules, guard)) {
            // Without memory they are left for a later walk.
            let _ = partitions.replace(i, segment, terms.renewal(now), guard);
            guard.flush();
        }
    }

    /// Makes a partition go that is not that of `new` for each that is over the bound: an idle one, or else
    /// the quietest of a few. Synthetic keys have as many places, apart: a throttle takes none of a partition.
    pub(crate) fn trim(&self, partitions: &Table, new: Key<'_>, now: Moment, terms: &Terms, guard: &Guard) {
        // Counted out first, so that two threads don't both make one go for the same excess.
        'excess: while partitions.len(new).decrement_over(terms.max_partitions) {
            // A thread that counts one out over a bound of 1 or more leaves another in besides its own. A walk misses it
            // only where others insert behind it and make go before it. If all walks do, there is none: a thread that a
            // fork left behind had not counted it out.
            let mut tries = 0;
            while tries < TRIES {
                let found = match self.quietest(partitions, new, now, terms, guard) {
                    Ok(found) => found,
                    Err(Closed) => return,
                };
                match found.map(|partition| self.replace(partitions, partition, now, terms, guard)) {
                    Some(Ok(true)) => continue 'excess,
                    // It has moved, or another thread has counted it out as well. So there may be no excess any more.
                    Some(Ok(false)) => {
                        partitions.len(new).increment();
                        continue 'excess;
                    }
                    Some(Err(Refusal::Closed)) => return,
                    Some(Err(Refusal::Memory)) | None => tries += 1,
                }
            }
            // It is still there, and goes with the next that is inserted.
            partitions.len(new).increment();
            return;
        }
    }

    /// Makes a partition go that has been counted out already, and tallies it by what it had when it went: it may have been
    /// recorded since it was chosen for being idle. `false`: another thread did, or it has moved.
    #[cold]
    fn replace(
        &self,
        partitions: &Table,
        partition: Partition<'_>,
        now: Moment,
        terms: &Terms,
        guard: &Guard,
    ) -> Result<bool, Refusal> {
        let Some(stopped) = partitions.remove(partition, terms.renewal(now), guard)? else {
            return Ok(false);
        };
        if !is_synthetic(partition.key()) {
            let idle = stopped.was_idle(now, terms.rules, guard);
            Tally::count(if idle { &terms.tally.reclaimed } else { &terms.tally.replaced }, 1);
        }
        Ok(true)
    }

    /// The quietest partition of the first few that a walk from somewhere meets; an idle one at once.
    fn quietest<'g>(
        &self,
        partitions: &Table,
        new: Key<'_>,
        now: Moment,
        terms: &Terms,
        guard: &'g Guard,
    ) -> Result<Option<Partition<'g>>, Closed> {
        // Multiples of the golden ratio visit all parts of the table evenly, in no order that a caller
        // could play. Each segment is begun with as often as keys fall into it, so none runs empty while others split.
        let start = self.sampled.fetch_add(1, Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let mut scan = Scan::from(start as u32);
        let mut quietest: Option<(u64, Partition<'_>)> = None;
        let mut samples = 0;
        for _ in 0..=partitions.steps().min(STEPS_FOR_ONE) {
            let Some(segment) = scan.next(partitions, guard)? else {
                scan = Scan::default();
                continue;
            };
            #[cfg(test)]
            self.looked_at.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            for (_, _, partition) in segment.chain().flat_map(|segment| segment.entries()) {
                if partition.key() == new || is_synthetic(partition.key()) != is_synthetic(new) {
                    continue;
                }
                if partition.idle(now, terms.rules, guard) {
                    return Ok(Some(partition));
                }
                // One that has moved meanwhile is no worse than the others.
                let count = |operation| {
                    partition.series(operation, terms.rules.window, guard).count(now.second).unwrap_or(0)
                };
                let count = Operation::ALL.map(count).iter().sum::<u64>().max(1);
                if quietest.is_none_or(|(least, _)| count < least) {
                    quietest = Some((count, partition));
                }
                samples += 1;
                if samples == SAMPLES {
                    break;
                }
            }
            if samples >= SAMPLES {
                break;
            }
        }
        Ok(quietest.map(|(_, partition)| partition))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::Hashing;
    use crate::partition::amount::Amount;
    use crate::partition::{Content, Rules};
    use crate::policy::measure::Measure;
    use crate::policy::rule::Rates;

    fn terms(max_partitions: u64) -> Terms {
        Terms {
            hashing: Hashing::seeded([1, 2]),
            rules: Rules { window: 60, interval_ms: 60_000 },
            max_partitions,
            thresholds: [100, 100],
            rates: Rates::NONE,
            measure: Measure::OPERATIONS,
            warn_of_throttles: false,
            redaction: None,
            tally: Tally::default(),
            ledgers: AtomicU64::new(0),
        }
    }

    /// Walks once began close to each other, and emptied one segment after another: then each new partition had to look at a
    /// hundred of them, and keys that met the full ones split those further.
    #[test]
    fn at_the_bound_a_new_partition_looks_at_few_segments() {
        const BOUND: u64 = 2_000;
        let (terms, now) = (terms(BOUND), Moment::from_ms(0));
        let (partitions, sweep) = (Table::try_new().unwrap(), Sweep::new(now));
        for n in 0..40 * BOUND {
            let guard = &crossbeam_epoch::pin();
            let pk = n.to_le_bytes();
            let key = Key { table: b"t", pk: &pk };
            let hash = terms.hashing.key(key);
            let content = Content::first(key, hash, Operation::Write, Amount::ONE, 0, u64::MAX).unwrap();
            assert!(partitions.insert(hash, &content, terms.renewal(now), guard).is_ok());
            sweep.trim(&partitions, key, now, &terms, guard);
        }
        let replaced = Tally::of(&terms.tally.replaced);
        let looked_at = sweep.looked_at.load(Relaxed);
        println!("{looked_at} segments were looked at to replace {replaced} partitions");
        assert_eq!(replaced, 39 * BOUND);
        assert!(looked_at < 2 * replaced);
    }

    /// A record may be about to make room in a table that is cleared under it: there is nothing to find.
    #[test]
    fn a_cleared_table_is_searched_once() {
        let (terms, now) = (terms(1), Moment::from_ms(0));
        let (partitions, sweep) = (Table::try_new().unwrap(), Sweep::new(now));
        let key = Key { table: b"t", pk: b"k" };
        (0..2).for_each(|_| partitions.len(key).increment());
        partitions.close(crossbeam_epoch::pin);
        sweep.trim(&partitions, key, now, &terms, &crossbeam_epoch::pin());
        assert_eq!(sweep.sampled.load(Relaxed), 1);
    }

    /// It was counted out all the same, so that the table stayed one over its bound for ever.
    #[test]
    fn where_none_can_go_none_is_counted_out() {
        let (terms, now) = (terms(1), Moment::from_ms(0));
        let (partitions, sweep) = (Table::try_new().unwrap(), Sweep::new(now));
        let key = Key { table: b"t", pk: b"k" };
        (0..2).for_each(|_| partitions.len(key).increment());
        sweep.trim(&partitions, key, now, &terms, &crossbeam_epoch::pin());
        assert_eq!((sweep.sampled.load(Relaxed), partitions.len(key).get()), (TRIES.into(), 2));
    }
}
