//! Recording throttles and tallies where there is a filter: in the map, as long as there is room.
//!
//! A throttle's count should be exact, and there are few. So a synthetic key has no place in the
//! cells unless there is no room for its entry. Then it is *kept out*: its records are in the
//! cells, and in an entry only if another thread inserts one meanwhile. So it has no more than its
//! entry and its cells have together.
//!
//! ```text
//! A, kept out: adds to cells | raises kept_out_until | looks in the map again, adds to an entry
//! B, has room: inserts, fresh | meets kept_out_until  | adds to the entry what the cells have
//! ```
//!
//! One of the two comes to `kept_out_until` later, and sees what the other has done before: A finds
//! the entry, or B finds A's addition in the cells. While an entry is fresh, a thread that looks at
//! it adds its bound.
//!
//! **Proof.** `src/models/synthetic.rs` (o); `tests/bounded`.

use crate::error::Refusal;
use crate::filter::word::MOST;
use crate::ledger::counters::Counters;
use crate::ledger::filtering::{CARRIED_MOST, Filtering};
use crate::ledger::recorded::Recorded;
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::map::InsertOutcome;
use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::amount::Amount;
use crate::partition::content::Content;

impl Ledger {
    /// Records under a synthetic key: in the map or, where there is no room for it, in the cells.
    pub(crate) fn record_synthetic<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        loop {
            if let Some(recorded) = self.record_in_entry(posting, visit)? {
                return Ok(recorded);
            }
            let Some(_room) = filtering.try_take_entry(&self.partitions, posting.key) else {
                return self.keep_synthetic_out(filtering, posting, visit);
            };
            if let Some(recorded) = self.insert_synthetic(filtering, posting, visit)? {
                return Ok(recorded);
            }
        }
    }

    /// Records in the entry of a synthetic key. `None`: there is none.
    fn record_in_entry<'g>(
        &self,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Option<Recorded<'g>>, Refusal> {
        let Posting { key, hash, operation, .. } = *posting;
        while let Some(found) = self.partitions.find(hash, key, visit.guard)? {
            // Asked before the addition, as it may be settled meanwhile.
            let is_fresh = found.is_fresh();
            match self.add_to(found, posting, visit) {
                Ok(count) => {
                    let lacking = if is_fresh { self.bound(key, hash, operation, visit)? } else { 0 };
                    let count = count.saturating_add(lacking);
                    return Ok(Some(Recorded { partition: Some(found), count, lacking, is_full: false }));
                }
                Err(refused) => self.finish_move(refused, hash, visit)?,
            }
        }
        Ok(None)
    }

    /// Records in the cells, as there was no room for an entry.
    fn keep_synthetic_out<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        let Posting { key, hash, operation, amount, .. } = *posting;
        let mut at = filtering.at(visit.now);
        let bound = self.add_to_cells(filtering, filtering.pair(hash, operation), amount, &mut at, visit)?;
        filtering.keep_out(key, visit.renewed().now);
        Counters::add(&visit.counters.kept_out, 1);
        // Another thread may have had room since, and have read the cells before.
        if let Some(recorded) = self.record_in_entry(posting, visit)? {
            return Ok(recorded);
        }
        Ok(Recorded { partition: None, count: bound.into(), lacking: 0, is_full: bound == MOST })
    }

    /// Inserts the entry of a synthetic key, with bytes that the budget has lent. `None`: there is
    /// one already.
    fn insert_synthetic<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Option<Recorded<'g>>, Refusal> {
        let Posting { key, hash, operation, amount, .. } = *posting;
        let mut amounts = [0; 2];
        amounts[operation.index()] = amount.get();
        let insert = || {
            let content = Content::promoted(key, hash, visit.now.second(), amounts, [0; 2])?;
            let inserted = self
                .with_context(visit, |context| self.partitions.insert(hash, &content, context, visit.guard));
            if !matches!(inserted, Ok(InsertOutcome::Done(_))) {
                // SAFETY: it did not get into the map.
                unsafe { content.past.free() };
            }
            inserted
        };
        let inserted = insert();
        if !matches!(inserted, Ok(InsertOutcome::Done(_))) {
            filtering.budget.give_back(filtering.entry_bytes);
        }
        let InsertOutcome::Done(new) = inserted? else { return Ok(None) };
        let (count, lacking) = match self.settle_synthetic(filtering, posting, new, visit) {
            Ok(count) => (count, 0),
            // The record is made. The entry stays fresh, so that no look misses what it lacks.
            Err(Refusal::Memory) => {
                let lacking = self.bound(key, hash, operation, visit)?;
                (lacking.saturating_add(amount.into()), lacking)
            }
            Err(Refusal::Cleared) => return Err(Refusal::Cleared),
        };
        Ok(Some(Recorded { partition: Some(new), count, lacking, is_full: false }))
    }

    /// Adds to a new entry what was kept out before, of both operations, and ends its freshness.
    /// Returns the count.
    fn settle_synthetic<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        new: Partition<'g>,
        visit: Visit<'g>,
    ) -> Result<u64, Refusal> {
        let Posting { key, hash, operation, amount, .. } = *posting;
        let mut count = u64::from(amount);
        // A call that is kept out from now on finds the entry.
        filtering.meet_kept_out(key);
        if filtering.has_kept_out(true, visit.now) {
            for each in Operation::ALL {
                let pair = filtering.pair(hash, each);
                let bound = pair.bound(filtering.at(visit.now), filtering.now(visit.clock)).min(CARRIED_MOST);
                let Some(kept_out) = Amount::new(bound.into()) else { continue };
                let more = Posting { operation: each, amount: kept_out, ..*posting };
                let added = self.carry_over(new, &more, visit.renewed())?;
                if each == operation {
                    count = added.map_or(count, |added| count.max(added));
                }
            }
        }
        self.end_freshness(new, posting, visit)?;
        Ok(count)
    }
}
