//! Recording throttles and tallies where there is a filter: in the map, as long as there is room.

use crate::error::Refusal;
use crate::filter::word::MOST;
use crate::ledger::counters::Counters;
use crate::ledger::filtering::{CARRIED_MOST, Filtering};
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting, Recorded};
use crate::map::InsertOutcome;
use crate::partition::amount::Amount;

impl Ledger {
    /// Records under a synthetic key: in the map, or, where there is no room for it, in the cells.
    pub(crate) fn record_synthetic<'g>(
        &self,
        filtering: &Filtering,
        posting: &Posting<'_>,
        visit: Visit<'g>,
    ) -> Result<Recorded<'g>, Refusal> {
        let Posting { key, hash, operation, amount, .. } = *posting;
        let pair = filtering.filter.pair(hash, operation);
        let mut at = filtering.at(visit.now);
        loop {
            if let Some(found) = self.partitions.find(hash, key, visit.guard)? {
                match self.add_to(found, posting, visit) {
                    Ok(count) => {
                        return Ok(Recorded { partition: Some(found), count, lacking: 0, is_full: false });
                    }
                    Err(refused) => self.finish_move(refused, hash, visit)?,
                }
                continue;
            }
            let Some(_room) = filtering.try_take_entry(key) else {
                let bound = self.add_to_cells(filtering, pair, amount, &mut at, visit);
                filtering.keep_out(visit.now);
                Counters::add(&visit.counters.kept_out, 1);
                return Ok(Recorded {
                    partition: None,
                    count: bound.into(),
                    lacking: 0,
                    is_full: bound == MOST,
                });
            };
            // What was kept out before is in the cells.
            let before = if filtering.has_kept_out(visit.now) {
                pair.bound(at, filtering.now(visit)).min(CARRIED_MOST)
            } else {
                0
            };
            let amount = Amount::clamped(u64::from(amount) + u64::from(before));
            let admitted = self.admit(&Posting { amount, ..*posting }, visit);
            if !matches!(admitted, Ok(InsertOutcome::Done(_))) {
                filtering.budget.give_back(filtering.entry_bytes(key));
            }
            if let InsertOutcome::Done(new) = admitted? {
                return Ok(Recorded {
                    partition: Some(new),
                    count: amount.into(),
                    lacking: 0,
                    is_full: false,
                });
            }
        }
    }
}
