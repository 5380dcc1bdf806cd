//! Settling: the end of a promotion. The amounts that the cells have got since the thread read them
//! are added to the new entry, and the entry is no longer fresh.
//!
//! Both operations are settled, whichever had its bound at the level. For that one the carry mostly
//! is the most that it can be already. For the other one the cells may have got more. An example,
//! where a write promotes a key that others read meanwhile:
//!
//! ```text
//!             cells of writes   cells of reads   the entry
//! promoted    125               30               125 writes (124 carried), 30 reads (30 carried)
//! meanwhile   125               37
//! settled     125               37               125 writes (124 carried), 37 reads (37 carried)
//! ```
//!
//! The addition goes into a second that is read after the cells were. So it leaves the window no
//! earlier than what it stands for.
//!
//! An entry that can't be settled, as there is no memory, stays fresh: records go on in both
//! places, and a look takes the cells' bound if that is more.

use crate::error::Refusal;
use crate::filter::word::SubWindow;
use crate::ledger::filtering::Filtering;
use crate::ledger::recorded::Recorded;
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::amount::Amount;

impl Ledger {
    /// Settles a new entry, which has the record and by it `count`. Returns the record.
    #[expect(clippy::too_many_arguments)] // The steps of one promotion.
    pub(crate) fn settle<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        new: Partition<'g>,
        mut count: u64,
        carried: [u32; 2],
        at: SubWindow,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        match self.try_settle(filtering, posting, new, &mut count, carried, at, visit) {
            Ok(()) => Ok(Recorded { partition: Some(new), count, lacking: 0, is_full: false }),
            // The record is made. The entry stays fresh, so that no look misses what it lacks.
            Err(Refusal::Memory) => {
                let pair = filtering.pair(posting.hash, posting.operation);
                let bound = pair.bound(at, filtering.now(visit.clock));
                self.in_entry(filtering, new, count, Some(bound), posting, visit)
            }
            Err(Refusal::Cleared) => Err(Refusal::Cleared),
        }
    }

    /// Adds to a new entry what the cells have got since, which raises `count`, and ends its
    /// freshness.
    #[expect(clippy::too_many_arguments)] // The steps of one promotion.
    fn try_settle<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        new: Partition<'g>,
        count: &mut u64,
        carried: [u32; 2],
        at: SubWindow,
        visit: Visit<'g>,
    ) -> Result<(), Refusal> {
        let Posting { key, operation, amount, .. } = *posting;
        // A key that is kept out from now on finds the entry.
        filtering.meet_kept_out(key);
        let sides = self.sides(filtering, posting, visit)?;
        for each in Operation::ALL {
            let (side, carried) = (sides[each.index()], carried[each.index()]);
            let own = if each == operation { amount.get() } else { 0 };
            let others = side.carried(side.pair.bound(at, filtering.now(visit.clock)), own);
            let Some(more) = Amount::new(others.saturating_sub(carried).into()) else { continue };
            let more = Posting { operation: each, amount: more, model: None, ..*posting };
            let added = self.carry_over(new, &more, visit.renewed())?;
            if each == operation {
                *count = (*count).max(added.unwrap_or(0));
            }
        }
        self.end_freshness(new, posting, visit)
    }

    /// Adds to a new entry what the cells have, and returns the count. `None`: the entry is gone.
    pub(crate) fn carry_over<'g>(
        &self,
        new: Partition<'g>,
        more: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Option<u64>, Refusal> {
        let mut found = Some(new);
        while let Some(entry) = found {
            if let Some(alarm) = entry.alarm_if_any(visit.guard) {
                alarm.carry(more.operation, more.amount.get(), visit.now.second(), visit.window() + 1);
            }
            match self.add_to(entry, more, visit) {
                Ok(count) => {
                    // Where others have recorded in a later second, it is in that one.
                    if let Some(alarm) = entry.alarm_if_any(visit.guard) {
                        alarm.carry_until(more.operation, entry.newest_second(more.operation));
                    }
                    return Ok(Some(count));
                }
                Err(refused) => self.finish_move(refused, more.hash, visit)?,
            }
            found = self.partitions.find(more.hash, more.key, visit.guard)?;
        }
        Ok(None)
    }

    /// Ends the freshness of a new entry, wherever it has moved.
    pub(crate) fn end_freshness<'g>(
        &self,
        new: Partition<'g>,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<(), Refusal> {
        let Posting { key, hash, .. } = *posting;
        let mut found = Some(new);
        while let Some(entry) = found
            && !entry.settle()
        {
            self.with_context(visit, |context| {
                self.partitions.help_replace_at(hash.position, context, visit.guard)
            })?;
            found = self.partitions.find(hash, key, visit.guard)?.filter(Partition::is_fresh);
        }
        Ok(())
    }
}
