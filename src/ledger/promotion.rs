//! Recording where there is a filter, and promotion: the way of a partition from the cells into the
//! map. [`crate::ledger::filtering`] has the idea. The steps:
//!
//! 1. Look at the first cell. If it has marks, look in the map, and add to the entry if it is
//!    there. If the entry is fresh, add to both cells too.
//! 2. Else add to both cells, which tells the bound. If the first cell had marks, any change since
//!    the look leads back to 1, as the key may have been promoted. If it had none, only a new mark
//!    does.
//! 3. If the bound is at the level, take the entry's bytes, and work out what is carried. Mark the
//!    first cells of both operations. Insert an entry with the carry and the record's own amount.
//!    Disturb the first cells. Meet the threads that keep the key out. Read both cells again, and
//!    carry what they have got since, up to the most. End the entry's freshness.
//! 4. If another thread has inserted an entry meanwhile, step 3 ends at its insert: take the marks
//!    off, give the bytes back, and add to that entry.
//! 5. If there is no room for the entry, or no memory, *keep out* the key. The record stays in the
//!    cells, and is added to an entry too if another thread has inserted one.
//!
//! An example, with a level of 125. Thread A writes 1 to a key whose cells of writes have 146 and
//! 124, and whose cells of reads have 20 each. Thread B reads the key 5 times at once:
//!
//! ```text
//! A adds 1         writes 147, 125: the bound is at the level. A carries 124 writes and 20 reads
//!    <- 1: B adds 5 to the cells of reads: 25, under the level, so B is done
//! A marks          records of the key look in the map from now on
//!    <- 2: B finds the mark, but no entry, and does as at 1
//! A inserts        the entry has 125 writes and 20 reads, and is fresh
//!    <- 3: B finds a fresh entry, and adds 5 to the cells and to the entry
//! A disturbs       the first cells are no longer as at any look that came before
//!    <- 4: like 3
//! A settles        the cells have 25 reads, 5 more than were carried: A adds 5 to the entry
//!    <- 5: B finds an entry that is not fresh, and adds to it alone
//! ```
//!
//! At 1 and 2 the 5 are in the entry once. At 3 and 4 they are in it twice, as A cannot know whose
//! they are. A notes what it adds as carried, so `least` leaves it out.
//!
//! If B writes in place of reading, its own bound at 1 or 2 is at the level too. So B also goes on
//! to promote, finds A's entry, and adds to that.
//!
//! The disturbance is for a thread that saw the mark, found no entry yet, and adds only after A has
//! settled. Its compare-and-swap fails, as the cell has changed. So it looks again, and finds the
//! entry.

use crate::error::{Cleared, Refusal};
use crate::filter::word::{MOST, SubWindow};
use crate::filter::{self, Added, Pair};
use crate::key::synthetic::is_synthetic;
use crate::ledger::cold::NotCold;
use crate::ledger::counters::Counters;
use crate::ledger::filtering::Filtering;
use crate::ledger::recorded::{Recorded, Unfinished};
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::map::InsertOutcome;
use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::amount::Amount;
use crate::partition::content::Content;
use crate::partition::slot;

/// The cells of one operation of a key, and the numbers by which a promotion judges them.
#[derive(Clone, Copy)]
pub(crate) struct Side<'f> {
    pub(crate) pair: Pair<'f>,
    level: u32,
    /// The most that is carried over.
    most: u32,
}

impl Side<'_> {
    /// Returns the part of a bound that is carried over: without `own`, the record's own amount.
    pub(crate) fn carried(&self, bound: u32, own: u32) -> u32 {
        // A full lane does not tell how much was there before.
        if bound == MOST { self.most } else { bound.saturating_sub(own).min(self.most) }
    }
}

impl Ledger {
    /// Goes on with a record that was not done by its cells alone: adds to the entry, if there is
    /// one and the cells did not take the record.
    #[inline(always)]
    pub(crate) fn record_not_cold_fast<'g>(
        &self,
        not_cold: NotCold,
        posting: Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<u64, Unfinished<'g>> {
        let Some(filtering) = &self.filtering else { return Err(Unfinished::Missing) };
        let Posting { key, hash, operation, .. } = posting;
        match not_cold {
            NotCold::Bounded { bound, generation } if generation == filtering.generation => {
                Err(Unfinished::Bounded(bound))
            }
            NotCold::NotAdded if filtering.pair(hash, operation).look().has_marks() => {
                match self.partitions.find_fast(hash, key, visit.guard) {
                    Some(found) => self.add_fast(found, posting, visit),
                    None => Err(Unfinished::Missing),
                }
            }
            // Cleared meanwhile, or there is no entry.
            _ => Err(Unfinished::Missing),
        }
    }

    /// Records in the entry or in the cells. `bound`: the cells have the record already.
    pub(crate) fn record_filtered<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        mut bound: Option<u32>,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        let Posting { key, hash, operation, amount, .. } = *posting;
        if is_synthetic(key) {
            return self.record_synthetic(filtering, posting, visit);
        }
        let pair = filtering.pair(hash, operation);
        let (mut at, mut in_second) = (filtering.at(visit.now), false);
        // A record that the cells have already needs no look: there was no mark as it was added.
        let mut is_looking = bound.is_none();
        while is_looking {
            let seen = pair.look();
            if seen.has_marks()
                && let Some(found) = self.partitions.find(hash, key, visit.guard)?
            {
                if found.is_fresh() && bound.is_none() {
                    bound = Some(self.add_to_cells(filtering, pair, amount, &mut at, visit)?);
                }
                match self.add_to(found, posting, visit) {
                    Ok(count) => {
                        return self.in_entry(filtering, found, count, bound, posting, visit);
                    }
                    Err(refused) => self.finish_move(refused, hash, visit)?,
                }
                continue;
            }
            if bound.is_none() {
                match pair.add(seen, at, amount.get(), in_second) {
                    Added::Bounded(added) => bound = Some(added),
                    Added::Changed => {
                        in_second = true;
                        continue;
                    }
                    Added::Ahead => {
                        (at, in_second) = (self.restart(filtering, pair, visit)?, false);
                        continue;
                    }
                }
            }
            is_looking = false;
        }
        self.judge(filtering, posting, bound.unwrap_or(MOST), visit)
    }

    /// Adds to both cells, whatever their marks, and returns the bound.
    pub(crate) fn add_to_cells(
        &self,
        filtering: &Filtering,
        pair: Pair<'_>,
        amount: Amount,
        at: &mut SubWindow,
        visit: Visit<'_>,
    ) -> Result<u32, Cleared> {
        let mut in_second = false;
        loop {
            match pair.add(pair.look(), *at, amount.get(), in_second) {
                Added::Bounded(bound) => return Ok(bound),
                Added::Changed => in_second = true,
                Added::Ahead => (*at, in_second) = (self.restart(filtering, pair, visit)?, false),
            }
        }
    }

    /// Begins cells anew that are of long ago, and returns the present sub-window. Once the ledger
    /// is cleared, cells may be ahead because they are of the next generation. Then the record
    /// belongs in the next ledger.
    #[cold]
    fn restart(&self, filtering: &Filtering, pair: Pair<'_>, visit: Visit<'_>) -> Result<SubWindow, Cleared> {
        pair.restart(filtering.now(visit.clock));
        if filtering.is_over() { Err(Cleared) } else { Ok(filtering.at(visit.clock.now())) }
    }

    /// Promotes a partition that the cells have recorded, if its bound is at its level.
    fn judge<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        bound: u32,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        let Posting { key, operation, .. } = *posting;
        if bound < filtering.level(self.overrides.floor(operation)) {
            return self.in_cells(bound, posting, visit);
        }
        let sides = self.sides(filtering, posting, visit)?;
        let side = sides[operation.index()];
        if bound >= side.level
            && let Some(_room) = filtering.try_take_entry(&self.partitions, key)
        {
            if let Some(promoted) = self.promote(filtering, posting, bound, &sides, visit)? {
                return Ok(promoted);
            }
            filtering.budget.give_back(filtering.entry_bytes);
        }
        if bound >= side.level {
            filtering.keep_out(key, visit.renewed().now);
            Counters::add(&visit.counters.kept_out, 1);
            // Another thread may have promoted the key without knowing of this, and have carried
            // over too little. Then the count is the cells' bound. Later counts may be lower by
            // what was other keys', never by the key's own.
            if side.pair.look().has_marks()
                && let Some(found) = self.partitions.find(posting.hash, key, visit.guard)?
            {
                return self.join(filtering, found, posting, bound, visit);
            }
        }
        self.in_cells(bound, posting, visit)
    }

    fn in_cells<'g>(
        &self,
        bound: u32,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        let is_full = bound == MOST;
        let full = if is_full { self.full_count(posting.key, posting.operation, visit)? } else { 0 };
        Ok(Recorded { partition: None, count: filter::count(bound, full), lacking: 0, is_full })
    }

    pub(crate) fn sides<'f>(
        &self,
        filtering: &'f Filtering,
        posting: &Posting<'_>,
        visit: Visit<'_>,
    ) -> Result<[Side<'f>; 2], Cleared> {
        let Posting { key, hash, .. } = *posting;
        let [writes, reads] = Operation::ALL.map(|operation| {
            let threshold = self.least_threshold(key, operation, visit)?;
            let level = filtering.level(threshold);
            let most = filtering
                .most_carried(self.greatest_level(filtering, key, operation, level, visit)?, visit.now);
            Ok(Side { pair: filtering.pair(hash, operation), level, most })
        });
        Ok([writes?, reads?])
    }

    /// Inserts the entry of a partition that the cells have, with lent bytes. `None`: no memory.
    fn promote<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        bound: u32,
        sides: &[Side<'_>; 2],
        visit: Visit<'g>,
    ) -> Result<Option<Recorded<'g>>, Refusal> {
        let Posting { key, hash, operation, amount, .. } = *posting;
        let at = filtering.at(visit.now);
        let carried = Operation::ALL.map(|each| {
            let side = sides[each.index()];
            if each == operation {
                side.carried(bound, amount.get())
            } else {
                side.carried(side.pair.bound(at, filtering.now(visit.clock)), 0)
            }
        });
        // The thread may have stood still. So what it read goes into a second that is read
        // afterwards, and leaves the window no earlier than what it stands for.
        let (own, then) = (operation.index(), visit.now.second());
        let visit = visit.renewed();
        let mut amounts = carried;
        amounts[own] = carried[own].saturating_add(amount.get()).min(slot::MOST);
        // The record's own amount, too, may be older than its second.
        let older = if visit.now.second() > then { amounts } else { carried };
        let Ok(content) = Content::promoted(key, hash, visit.now.second(), amounts, older) else {
            return Ok(None);
        };
        // The mark first: it is there when the entry is, even if that goes at once. A record that
        // found no entry and adds after the disturbance finds its cell changed. An addition before
        // the disturbance is read below.
        sides.iter().for_each(|side| side.pair.mark());
        let inserted =
            self.with_context(visit, |context| self.partitions.insert(hash, &content, context, visit.guard));
        if let Ok(InsertOutcome::Done(new)) = inserted {
            sides.iter().for_each(|side| side.pair.disturb());
            Counters::add(&visit.counters.promoted, 1);
            let own = amounts[operation.index()].into();
            return self.settle(filtering, posting, new, own, carried, at, visit).map(Some);
        }
        sides.iter().for_each(|side| side.pair.unmark(filtering.now(visit.clock)));
        // SAFETY: it did not get into the map.
        unsafe { content.past.free() };
        match inserted {
            Ok(InsertOutcome::Exists(found)) => {
                filtering.budget.give_back(filtering.entry_bytes);
                Ok(Some(self.join(filtering, found, posting, bound, visit)?))
            }
            Err(Refusal::Cleared) => {
                filtering.budget.give_back(filtering.entry_bytes);
                Err(Refusal::Cleared)
            }
            // The cells have the record.
            _ => Ok(None),
        }
    }

    /// Returns a record that was added to an entry. `bound`: the cells have it as well. Then the
    /// entry may lack what other threads added to the cells alone. That is no more than the bound
    /// says, and no more than a promotion carries over.
    pub(crate) fn in_entry<'g>(
        &self,
        filtering: &Filtering,
        found: Partition<'g>,
        count: u64,
        bound: Option<u32>,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        // In a later second than its own the amount stays for longer.
        let newest = found.newest_second(posting.operation);
        if newest > visit.now.second()
            && let Some(alarm) = found.alarm_if_any(visit.guard)
        {
            alarm.carry(posting.operation, posting.amount.get(), newest, visit.window() + 1);
        }
        let above =
            bound.filter(|&bound| bound != MOST).map_or(0, |bound| u64::from(bound).saturating_sub(count));
        let mut lacking = 0;
        if above > 0 {
            let operation = posting.operation;
            let side = self.sides(filtering, posting, visit)?[operation.index()];
            let alarm = found.alarm_if_any(visit.guard);
            // What is not known may be nothing.
            let carried =
                alarm.and_then(|alarm| alarm.carried(operation, visit.now.second(), visit.window() + 1));
            let carried = carried.unwrap_or(0);
            lacking = above.min(side.most.saturating_sub(carried).into());
        }
        Ok(Recorded { partition: Some(found), count: count + lacking, lacking, is_full: false })
    }

    /// Adds to the entry of a partition that another thread has promoted meanwhile.
    fn join<'g>(
        &self,
        filtering: &Filtering,
        mut found: Partition<'g>,
        posting: &Posting<'_>,
        bound: u32,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        loop {
            match self.add_to(found, posting, visit) {
                Ok(count) => return self.in_entry(filtering, found, count, Some(bound), posting, visit),
                Err(refused) => self.finish_move(refused, posting.hash, visit)?,
            }
            match self.partitions.find(posting.hash, posting.key, visit.guard)? {
                Some(moved) => found = moved,
                // It went back into the cells, which have this record.
                None => return self.in_cells(bound, posting, visit),
            }
        }
    }
}
