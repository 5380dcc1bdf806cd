//! Giving back what is idle, and the choice of a partition to replace at the bound.
//!
//! **Reclaim.** A walk over the map in small steps. Each step looks at one segment, and replaces it
//! without the partitions that are *idle*: nothing is in their window, and they could warn at once.
//! No thread runs for that. A record that comes when a step is due
//!
//! 1. puts the time of the next step in place, unless another thread does, which then takes the
//!    step;
//! 2. looks at the next entry of the directory, and is done if it is vacant;
//! 3. keeps room for a copy of the segment, where memory is bounded, and goes on with 5 if there is
//!    none;
//! 4. replaces the segment if a partition in it is idle, or quiet enough for the cells
//!    ([`crate::ledger::demotion`]), and is done if none is;
//! 5. hands over what it has retired.
//!
//! An example: a window of 60 seconds and a directory of 64 entries. A walk takes half a window, so
//! a step is due every 30 s / 64 = 469 ms. After a lull of an hour the next 64 records take a step
//! each, which is one walk, and no more.
//!
//! **Eviction.** Where `max_partitions` is set, a new partition goes in first. Then, while the map
//! holds more entries than that, the inserting thread
//!
//! 1. counts one out, if the map still is over its bound;
//! 2. samples five other entries of the same kind (partitions, or synthetic keys), in a walk that
//!    begins somewhere, and takes the first idle one, or else the one with the least writes and
//!    reads together;
//! 3. removes it, and tallies it by what it had when it went: as reclaimed, or as replaced.
//!
//! Counting comes before removing, so that two threads never both make one go for the same excess.
//!
//! | the outcome | then |
//! |---|---|
//! | removed | look whether there is more excess |
//! | it has moved, or another thread removed it | count it in again, look again |
//! | no memory, or none was found in step 2 | sample again, up to [`TRIES`] times; then count it in again |
//! | the map is cleared | done |
//!
//! So each round removes an entry, follows an act of another thread, or is one of [`TRIES`].
//! `docs/design/map.md`, "The bound", has the argument.
//!
//! **Proof.** `src/models/bound.rs` and the models (f); `tests/{reclaim,bound}.rs`; the tests
//! below.

use crate::error::{Cleared, OutOfMemory, Refusal};
use crate::key::Key;
use crate::key::synthetic::is_synthetic;
use crate::ledger::counters::Counters;
use crate::ledger::visit::Visit;
use crate::map::scan::Scan;
use crate::map::{Outside, PartitionMap, ReplaceContext};
use crate::operation::Operation;
use crate::partition::Partition;
use crate::sys::clock::Moment;
use crate::sys::sync::{AtomicU64, Relaxed};

/// The walks over the whole map in one window. With two, an idle partition outlives its window by
/// half of one.
const WALKS: u64 = 2;
/// The partitions that are compared when one must go.
const SAMPLES: usize = 5;
/// The most segments that one walk for them visits: a map that is over its bound is never so empty
/// as to need more than a few.
const STEPS_FOR_ONE: u64 = 1024;
/// The walks that may fail before an eviction gives up. One fails if it finds no partition, or
/// there is no memory to remove the one that it found.
const TRIES: u32 = 64;

/// The state of reclaim and eviction.
#[derive(Debug)]
pub(crate) struct Reclaimer {
    /// The stamp of the moment when the next step is due. A map of a million partitions takes one
    /// about every millisecond at 60 s, whatever the traffic. After a lull every record takes one
    /// until a walk is made up for.
    due: AtomicU64,
    step: AtomicU64,
    sampled: AtomicU64,
    /// The segments that were looked at to find which partition must go.
    #[cfg(test)]
    looked_at: std::sync::atomic::AtomicU64,
}

impl Reclaimer {
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            due: AtomicU64::new(now.stamp()),
            step: AtomicU64::new(0),
            sampled: AtomicU64::new(0),
            #[cfg(test)]
            looked_at: 0.into(),
        }
    }

    /// Returns whether a step is due.
    #[inline(always)]
    pub(crate) fn is_due(&self, now: Moment) -> bool {
        now.stamp() >= self.due.load(Relaxed)
    }

    /// Returns the stamp of the moment when the next step is due.
    pub(crate) fn due(&self) -> u64 {
        self.due.load(Relaxed)
    }

    /// Takes the next step, if one is due and no other thread takes it.
    #[inline]
    pub(crate) fn step(&self, partitions: &PartitionMap, context: ReplaceContext<'_>, visit: Visit<'_>) {
        let due = self.due.load(Relaxed);
        if visit.now.stamp() >= due {
            self.take_step(due, partitions, context, visit);
        }
    }

    /// Takes the step that is due at `due`, unless another thread does.
    #[cold]
    fn take_step(&self, due: u64, partitions: &PartitionMap, context: ReplaceContext<'_>, visit: Visit<'_>) {
        let Visit { settings, now, guard, .. } = visit;
        let walk_us = u64::from(settings.timing.window) * 1_000_000 / WALKS;
        // No further behind than a walk: a lull is made up for by one walk.
        let behind = Moment::of_stamp(due).us().max(now.us().saturating_sub(walk_us));
        let next = Moment::from_us(behind + (walk_us / partitions.steps()).max(1));
        // The thread that puts the next time in place takes this step.
        if self.due.compare_exchange(due, next.stamp(), Relaxed, Relaxed).is_err() {
            return;
        }
        // A map that was cleared needs no reclaim, and a vacant entry has no segment.
        let Ok(Some((i, segment))) = partitions.walk(self.step.fetch_add(1, Relaxed), guard) else { return };
        let entries = || segment.chain().flat_map(|segment| segment.entries());
        let has_idle = || entries().any(|(_, _, partition)| partition.idle(now, settings.timing, guard));
        let has_wanted = |outside: &dyn Outside| {
            entries().any(|(_, _, partition)| {
                let standing = partition.standing(now, settings.timing, guard);
                standing.is_some_and(|standing| outside.wants(partition.key(), &standing))
            })
        };
        match partitions.room_to_copy(segment) {
            Ok(_room) if has_idle() || context.outside.is_some_and(has_wanted) => {
                // Without memory they are left for a later walk.
                let _ = partitions.replace(i, segment, context, guard);
            }
            Ok(_) => return,
            // There is no room for a copy. The memory that takes the room may only not have been
            // handed over.
            Err(OutOfMemory) => {}
        }
        partitions.hand_over(guard);
    }

    /// Makes partitions other than `new` go while the map is over its bound: see above. Synthetic
    /// keys have as many places, apart: a throttle takes none of a partition.
    pub(crate) fn evict(&self, partitions: &PartitionMap, new: Key<'_>, visit: Visit<'_>) {
        // 1: counted out first, so that two threads don't both make one go for the same excess.
        'excess: while partitions.len(new).decrement_over(visit.settings.max_partitions) {
            // Besides the entry of `new` another is counted, which no other thread is about to
            // remove. A walk misses that only if threads insert behind it and remove before it; or
            // the count is too high, as a thread has dropped idle entries and not counted them out
            // yet.
            let mut tries = 0;
            while tries < TRIES {
                let found = match self.quietest(partitions, new, visit) {
                    Ok(found) => found,
                    Err(Cleared) => return,
                };
                match found.map(|partition| self.evict_one(partitions, partition, visit)) {
                    Some(Ok(true)) => continue 'excess,
                    // It has moved, or another thread has counted it out as well. So there may be
                    // no excess any more.
                    Some(Ok(false)) => {
                        partitions.len(new).increment();
                        continue 'excess;
                    }
                    Some(Err(Refusal::Cleared)) => return,
                    Some(Err(Refusal::Memory)) | None => tries += 1,
                }
            }
            // It is still there, and goes with the next that is inserted.
            partitions.len(new).increment();
            return;
        }
    }

    /// Makes a partition go that has been counted out already. Returns `false` if another thread
    /// did, or it has moved.
    #[cold]
    fn evict_one(
        &self,
        partitions: &PartitionMap,
        partition: Partition<'_>,
        visit: Visit<'_>,
    ) -> Result<bool, Refusal> {
        let Visit { settings, counters, now, guard, .. } = visit;
        let Some(removed) = partitions.remove(partition, visit.replace_context(), guard)? else {
            return Ok(false);
        };
        // Judged by what its frozen heads held: it may have been recorded since it was chosen for
        // being idle.
        if !is_synthetic(partition.key()) {
            let idle = removed.was_idle(now, settings.timing, guard);
            Counters::add(if idle { &counters.reclaimed } else { &counters.replaced }, 1);
        }
        Ok(true)
    }

    /// Returns the first idle partition of a few that a walk from somewhere meets, or else the
    /// quietest of them.
    fn quietest<'g>(
        &self,
        partitions: &PartitionMap,
        new: Key<'_>,
        visit: Visit<'g>,
    ) -> Result<Option<Partition<'g>>, Cleared> {
        let Visit { settings, now, guard, .. } = visit;
        // Multiples of the golden ratio visit all parts of the map evenly, in no order that a
        // caller could play. Each segment is begun with as often as keys fall into it, so none runs
        // empty while others split.
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
                if partition.idle(now, settings.timing, guard) {
                    return Ok(Some(partition));
                }
                // A partition that has moved meanwhile is no worse than the others.
                let count = |operation| {
                    partition
                        .series(operation, settings.timing.window, guard)
                        .count(now.second())
                        .unwrap_or(0)
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
    use crate::key::hash::Hashing;
    use crate::ledger::settings::Settings;
    use crate::partition::amount::Amount;
    use crate::partition::content::{Content, Timing};
    use crate::policy::measure::Measure;
    use crate::policy::rule::RateThresholds;
    use crate::sys::clock::Clock;

    fn settings(max_partitions: u64) -> Settings {
        Settings {
            hashing: Hashing::seeded([1, 2]),
            timing: Timing { window: 60, interval_ms: 60_000 },
            filter: None,
            max_partitions,
            thresholds: [100, 100],
            rates: RateThresholds::NONE,
            measure: Measure::OPERATIONS,
            warn_of_throttles: false,
            redaction: None,
        }
    }

    /// Walks once began close to each other, and emptied one segment after another: then each new
    /// partition had to look at a hundred of them, and keys that met the full ones split those
    /// further.
    #[test]
    fn at_the_bound_a_new_partition_looks_at_few_segments() {
        const BOUND: u64 = 2_000;
        let (settings, counters, now) = (settings(BOUND), Counters::default(), Moment::from_ms(0));
        let (partitions, reclaimer) = (PartitionMap::try_new(None).unwrap(), Reclaimer::new(now));
        for n in 0..40 * BOUND {
            let guard = &crossbeam_epoch::pin();
            let visit =
                Visit { settings: &settings, counters: &counters, clock: &Clock::manual(), now, guard };
            let pk = n.to_le_bytes();
            let key = Key { table: b"t", pk: &pk };
            let hash = settings.hashing.key(key);
            let content = Content::first(key, hash, Operation::Write, Amount::ONE, 0, u64::MAX).unwrap();
            assert!(partitions.insert(hash, &content, visit.replace_context(), guard).is_ok());
            reclaimer.evict(&partitions, key, visit);
        }
        let replaced = Counters::get(&counters.replaced);
        let looked_at = reclaimer.looked_at.load(Relaxed);
        println!("{looked_at} segments were looked at to replace {replaced} partitions");
        assert_eq!(replaced, 39 * BOUND);
        assert!(looked_at < 2 * replaced);
    }

    /// A record may be about to make room in a map that is cleared under it: there is nothing to
    /// find.
    #[test]
    fn a_cleared_map_is_searched_once() {
        let (settings, counters, now) = (settings(1), Counters::default(), Moment::from_ms(0));
        let (partitions, reclaimer) = (PartitionMap::try_new(None).unwrap(), Reclaimer::new(now));
        let key = Key { table: b"t", pk: b"k" };
        (0..2).for_each(|_| partitions.len(key).increment());
        partitions.clear(crossbeam_epoch::pin, |_| ());
        let guard = &crossbeam_epoch::pin();
        let visit = Visit { settings: &settings, counters: &counters, clock: &Clock::manual(), now, guard };
        reclaimer.evict(&partitions, key, visit);
        assert_eq!(reclaimer.sampled.load(Relaxed), 1);
    }

    /// It was counted out all the same, so that the map stayed one over its bound for ever.
    #[test]
    fn where_none_can_go_none_is_counted_out() {
        let (settings, counters, now) = (settings(1), Counters::default(), Moment::from_ms(0));
        let (partitions, reclaimer) = (PartitionMap::try_new(None).unwrap(), Reclaimer::new(now));
        let key = Key { table: b"t", pk: b"k" };
        (0..2).for_each(|_| partitions.len(key).increment());
        let guard = &crossbeam_epoch::pin();
        let visit = Visit { settings: &settings, counters: &counters, clock: &Clock::manual(), now, guard };
        reclaimer.evict(&partitions, key, visit);
        assert_eq!((reclaimer.sampled.load(Relaxed), partitions.len(key).get()), (TRIES.into(), 2));
    }
}
