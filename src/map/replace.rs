//! Replacing a segment of the map: the one way in which partitions move, and in which most idle
//! ones go.
//!
//! Growing, splitting, shrinking and giving back are all this: a copy of what is alive, published
//! by one compare-and-swap. No thread ever waits for another. Any thread can do all the steps,
//! several threads can do them at once, and one of them wins step 6.
//!
//! ```text
//! directory's entry --> old segment                                   other threads meanwhile
//!
//! 1  link        the sibling of the last split is in the directory
//! 2  freeze      the lanes: no insert, no removal from here on        records and reads go on
//! 3  allocate    all that the steps below need: one copy, or halves   records and reads go on
//!                no memory? stop here: only lanes are frozen
//! 4  freeze      each entry: both heads, then the past                records of it come here
//! 5  copy        it, if it is alive, into successors in private       and help
//!                wanted outside? its amounts are counted there
//! 6  publish     the directory's entry: old => new, by one swap       find the copy
//!                lost? free the copies, not the pasts
//!                split? link the upper half
//! 7  retire      the old segment, and the pasts of what was not copied; count that out
//! ```
//!
//! Steps 4 and 5 are done for one entry after the other. (*Outside* is the filter, where memory is
//! bounded: see [`Outside`].)
//!
//! | segment | lanes | entries | in the directory |
//! |---|---|---|---|
//! | under construction | set by one thread | copies | no |
//! | published | taken, and marked gone | in use | yes |
//! | after step 2 | frozen | in use | yes |
//! | after step 4 | frozen | frozen | yes |
//! | replaced | frozen | frozen | no; freed once threads pinned by then have unpinned |
//!
//! **Why all copies are the same.** Adds race with the freeze. The threads agree on what each head
//! held by way of `frozen_heads` (see `AtomicHead::freeze_agreed`). An add that came before the
//! freeze is in what they agree on. An add that comes later finds F in what its `fetch_add`
//! returns, counts for nothing, and is made again by `Ledger::record` in the successor.
//!
//! **Why a loser frees its copy only.** All copies of a partition share its past. Once one is
//! published, that past belongs to it. The winner retires the pasts of partitions that *it* did not
//! copy. Threads whose clocks differ may not agree on which were idle.
//!
//! **Splits.** The lower half takes the old segment's entry in the directory, and carries the upper
//! half's address. So both appear at once. The upper half's own entry is filled in next, by the
//! winner or by a thread that looks for a key there, and at the latest before the lower half is
//! itself replaced.
//!
//! **Proof.** `src/models/{map,moves,lifetimes}.rs`; `docs/design/map.md`, "Why it is
//! correct".

use crate::error::OutOfMemory;
use crate::key::Key;
use crate::key::synthetic::is_synthetic;
use crate::map::directory::DEPTH_MAX;
use crate::map::len::Len;
use crate::map::segment::Segment;
use crate::map::successor::{Load, Successor};
use crate::map::{Outside, PartitionMap, ReplaceContext};
use crate::partition::Partition;
use crate::partition::past_ptr::PastPtr;
use crate::sys::sync::{AcqRel, Acquire, Relaxed};
use crossbeam_epoch::Guard;

impl PartitionMap {
    /// Replaces a segment by a copy of what is alive in it, or finds that it has been replaced.
    ///
    /// Without memory for the successors it returns with the lanes frozen and no entry frozen. What
    /// is tracked is recorded as before, new keys of the segment are refused, and the next change
    /// tries again. Only where a chain has to grow once entries are frozen, their records are
    /// refused until there is memory. (`docs/design/limits.md`, "Without memory".)
    pub(crate) fn replace(
        &self,
        i: u32,
        segment: Segment<'_>,
        context: ReplaceContext<'_>,
        guard: &Guard,
    ) -> Result<(), OutOfMemory> {
        if !self.is_published(i, segment) {
            return Ok(());
        }
        // 1: the split that made this segment is finished before another one can begin.
        self.link_sibling(i, segment);
        // 2: from here on no entry is inserted here or removed. Records and reads go on.
        segment.freeze();
        // The successors are chosen by what is alive now: one copy, or two halves.
        let depth = segment.depth();
        let loads = self.loads(segment, context, guard);
        // Where memory is bounded only an insert has room for halves.
        let has_room = self.budget.is_none() || context.to_come > 0;
        let split =
            has_room && loads.whole.overfills_a_segment() && self.may_split(loads.whole.entries, depth);
        // 3 to 6. Other threads may be making copies of their own, of the same counts.
        let mut halves: [Option<Successor<'_>>; 2] = [None, None];
        let copied = self.copy(segment, context, split, &loads, &mut halves, guard);
        if copied.is_err() || !self.publish(i, segment, &mut halves) {
            // SAFETY: no other thread has seen them.
            halves.iter().flatten().for_each(|half| unsafe { half.first.free() });
            return copied.map(drop);
        }
        // 7: this thread has replaced the segment. It retires the old one, and the pasts that no
        // copy has.
        let Copied { idle, pasts, gone } = copied?;
        self.segment_retired(segment, guard);
        // SAFETY: the old segment has left the directory, and this thread took it out; the idle
        // partitions are in no other.
        unsafe {
            if self.budget.is_some() && !pasts.is_empty() {
                // As one, so that they fill no bags, which take more than a list does.
                guard.defer_unchecked(move || pasts.into_iter().for_each(|past| past.free()));
            } else {
                pasts.into_iter().for_each(|past| past.retire(guard));
            }
            // Not by its directory entry, in which no leak checker would see the address.
            guard.defer_unchecked(move || segment.free());
        }
        // Counted out by the winner alone, so once for each partition that went.
        for (len, idle) in self.lens.iter().zip(idle).filter(|&(_, idle)| idle > 0) {
            len.decrement_by(idle);
        }
        let taken = gone.iter().filter(|(_, was_taken)| *was_taken).count() as u64;
        if idle[0] > taken {
            context.reclaimed.fetch_add(idle[0] - taken, Relaxed);
        }
        if let Some(outside) = context.outside {
            gone.into_iter().for_each(|(key, was_taken)| outside.gone(key, was_taken));
            if idle != [0; 2] {
                outside.all_gone(idle);
            }
        }
        Ok(())
    }

    /// Puts the successors in place of a segment, both halves by one compare-and-swap. Returns
    /// `false` if another thread has put its own.
    fn publish(&self, i: u32, old: Segment<'_>, halves: &mut [Option<Successor<'_>>; 2]) -> bool {
        let [lower, upper] = halves;
        let lower = lower.as_mut().expect("made by `copy`");
        if let Some(upper) = upper {
            lower.first.set_sibling(upper.first.directory_entry());
        }
        let (old, new) = (old.directory_entry(), lower.first);
        let published =
            self.directory.entry(i).compare_exchange(old, new.directory_entry(), AcqRel, Acquire).is_ok();
        if published {
            self.segment_made(new);
            upper.iter().for_each(|upper| self.segment_made(upper.first));
            self.link_sibling(i, new);
        }
        published
    }

    /// Returns whether splitting is what relieves a segment of this depth that holds `entries`.
    ///
    /// It is not where keys were made to collide. There a segment has far more than its share of
    /// the map, or is deeper than the map has entries to fill segments of that depth. So the
    /// directory is never over twice as long as the map has had entries, however few.
    ///
    /// An example: a map of 1,000 entries and a segment of depth 4. Its share is 62. With up to 512
    /// entries (eight shares and 16 more) it may split; with more it gets a chain.
    fn may_split(&self, entries: usize, depth: u32) -> bool {
        let share = self.lens.iter().map(Len::get).sum::<u64>() >> depth;
        depth < DEPTH_MAX && share > 0 && entries as u64 <= 8 * share + 16
    }

    /// Returns the loads of what is alive in a segment.
    fn loads(&self, segment: Segment<'_>, context: ReplaceContext<'_>, guard: &Guard) -> Loads {
        let mut loads = Loads::default();
        for (_, _, entry) in segment.chain().flat_map(|segment| segment.entries()) {
            let wanted = |outside: &dyn Outside| {
                let standing = entry.standing(context.now, context.timing, guard);
                standing.is_some_and(|standing| outside.wants(entry.key(), &standing))
            };
            let is_wanted = || context.outside.is_some_and(wanted);
            if !entry.idle(context.now, context.timing, guard) && !is_wanted() {
                loads.halves[half(entry, segment.depth())].add(entry.text_len());
                loads.whole.add(entry.text_len());
            }
        }
        loads
    }

    /// Freezes the entries of a segment whose lanes are frozen, once there is memory for that, and
    /// copies those that are alive.
    fn copy<'g>(
        &self,
        segment: Segment<'g>,
        context: ReplaceContext<'_>,
        split: bool,
        loads: &Loads,
        halves: &mut [Option<Successor<'g>>; 2],
        guard: &Guard,
    ) -> Result<Copied<'g>, OutOfMemory> {
        let (ReplaceContext { now, timing, to_come, .. }, depth) = (context, segment.depth());
        // 3: all memory that can be asked for now is. Once an entry is frozen, its records need
        // this to succeed.
        if split {
            self.directory.deepen(depth + 1)?;
            for (half, load) in halves.iter_mut().zip(&loads.halves) {
                *half = Some(load.create(to_come, depth + 1)?);
            }
        } else {
            halves[0] = Some(loads.whole.create(to_come, depth)?);
        }
        let (mut copied, mut live) = (Copied::default(), 0);
        let mut entries = 0;
        for segment in segment.chain() {
            segment.frozen_heads()?;
            entries += segment.entries().count();
        }
        // No more entries go than are idle by now: an entry that is alive at the moment `now` stays
        // alive at it. (An entry that is wanted outside is so by thresholds, which may change.) So
        // the list takes no more than each entry has lent for its place, where memory is bounded.
        let going = entries - loads.whole.entries;
        copied.pasts.try_reserve_exact(going).map_err(|_| OutOfMemory)?;
        copied
            .gone
            .try_reserve(if context.outside.is_some() { entries } else { 0 })
            .map_err(|_| OutOfMemory)?;
        // 4 and 5: each entry is frozen, and copied unless it is idle or wanted outside. All
        // threads agree on what its heads held.
        for segment in segment.chain() {
            let frozen_heads = segment.frozen_heads()?;
            for (at, lane, entry) in segment.entries() {
                let content = entry.freeze_agreed(&frozen_heads[at]);
                let is_idle = content.idle(now, timing, guard);
                let wanted = |outside: &&dyn Outside| {
                    !is_idle && outside.wants(content.key, &content.standing(now, timing, guard))
                };
                let taker = context.outside.filter(wanted);
                if !is_idle && taker.is_none() {
                    let to = if split { half(entry, depth) } else { 0 };
                    let half = halves[to].as_mut().expect("made above");
                    half.adopt(lane.tag(), &content)?;
                    live += 1;
                    continue;
                }
                // It goes. If it is wanted outside, its counts in the window are added there before
                // the copy without it is published.
                copied.idle[usize::from(is_synthetic(content.key))] += 1;
                taker.into_iter().for_each(|outside| outside.take(&content));
                if context.outside.is_some() {
                    copied.gone.push((content.key, taker.is_some()));
                }
                if content.past != PastPtr::NOTHING {
                    copied.pasts.try_reserve_exact(1).map_err(|_| OutOfMemory)?;
                    copied.pasts.push(content.past);
                }
            }
        }
        #[cfg(test)]
        self.moved_most.fetch_max(live, std::sync::atomic::Ordering::Relaxed);
        let _ = live;
        // The entry that is to be inserted next finds room, in whichever half it belongs.
        halves.iter_mut().flatten().try_for_each(|half| half.make_room(to_come))?;
        Ok(copied)
    }
}

/// The loads that the successors of a segment would have to hold.
#[derive(Default)]
struct Loads {
    /// The lower half, and the upper.
    halves: [Load; 2],
    /// The load of both.
    whole: Load,
}

/// The partitions that a copy of a segment has not, for the thread that publishes it.
#[derive(Default)]
struct Copied<'g> {
    /// The numbers that were idle, or taken, and were not copied: partitions, and entries with
    /// synthetic keys.
    idle: [u64; 2],
    /// The pasts of those.
    pasts: Vec<PastPtr>,
    /// Their keys, and whether they were taken, where the filter is to be told.
    gone: Vec<(Key<'g>, bool)>,
}

/// Returns which half of a segment an entry belongs to.
fn half(entry: Partition<'_>, depth: u32) -> usize {
    (entry.position() >> depth & 1) as usize
}
