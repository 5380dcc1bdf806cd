//! Demotion: the way of a partition that has become quiet from the map back into the cells.
//!
//! It is a part of a segment's replacement, whose entries are frozen by then:
//!
//! 1. A step of reclaim, or any other replacement, finds a partition whose counts are each under
//!    half of their operation's level, and whose warning intervals are over. It is half the level,
//!    so that a partition that hovers about the level does not come and go. Fresh and heavy
//!    partitions and synthetic keys stay.
//! 2. Each thread that copies the segment adds the partition's slots that are in the window to both
//!    cells, each slot to the lane of its sub-window. It does so *before* the copy without the
//!    partition is published, so that there is no moment in which its records are nowhere. If
//!    several threads do so, the cells have too much for about a window.
//! 3. The thread whose copy is published takes the marks off, also those of idle partitions. That
//!    disturbs the cells: a record that stood still between its look and its addition never finds
//!    the word that it saw, even if a mark of its own key has taken the place of this one.
//! 4. The same thread gives the entries' bytes back, once no thread can use the entries any more.
//!
//! An example: a level of 125, and a partition with 40 writes in second 70 and 9 in second 95 of a
//! window of 60. Its 49 are less than half of 125. Sub-windows have 30 seconds, so 40 go into the
//! lane of sub-window 2, and 9 into the lane of sub-window 3, of both cells.
//!
//! **Proof.** `src/models/filtering.rs` (n: against a record, a look, another demotion).

use crate::key::Key;
use crate::key::synthetic::is_synthetic;
use crate::ledger::Ledger;
use crate::ledger::counters::Counters;
use crate::ledger::filtering::Filtering;
use crate::ledger::visit::Visit;
use crate::map::{Outside, ReplaceContext};
use crate::operation::Operation;
use crate::partition::content::{Content, Standing};

/// A ledger and its cells, to which partitions go back in a replacement at one moment.
struct Cells<'a> {
    ledger: &'a Ledger,
    filtering: &'a Filtering,
    visit: Visit<'a>,
}

impl Ledger {
    /// Calls `f` with the context in which a segment is replaced at this moment.
    pub(crate) fn with_context<T>(&self, visit: Visit<'_>, f: impl FnOnce(ReplaceContext<'_>) -> T) -> T {
        let context = visit.replace_context();
        match &self.filtering {
            None => f(context),
            Some(filtering) => {
                f(ReplaceContext { outside: Some(&Cells { ledger: self, filtering, visit }), ..context })
            }
        }
    }
}

impl Outside for Cells<'_> {
    fn wants(&self, key: Key<'_>, standing: &Standing) -> bool {
        let is_low = |operation: Operation| {
            // A cleared ledger demotes nothing.
            let threshold = self.ledger.least_threshold(key, operation, self.visit).unwrap_or(0);
            2 * standing.counts[operation.index()] < self.filtering.level(threshold).into()
        };
        standing.is_settled
            && standing.is_quiet
            && !is_synthetic(key)
            && Operation::ALL.into_iter().all(is_low)
    }

    fn take(&self, content: &Content<'_>) {
        let hash = self.visit.settings.hashing.key(content.key);
        for operation in Operation::ALL {
            let pair = self.filtering.pair(hash, operation);
            // Second by second, each into its own lane. Slots that have left the window stay out.
            content.each_slot(operation, self.visit.window(), self.visit.guard, |slot| {
                if slot.expired(self.visit.now.second(), self.visit.window()) {
                    return;
                }
                let (at, now) =
                    (self.filtering.sub_window(slot.second), self.filtering.now(self.visit.clock));
                pair.give_back(at, slot.count, now);
            });
        }
    }

    fn gone(&self, key: Key<'_>, was_taken: bool) {
        let Self { filtering, visit, .. } = self;
        if was_taken {
            Counters::add(&visit.counters.demoted, 1);
        }
        filtering.unmark(key, &visit.settings.hashing, filtering.now(visit.clock));
    }

    fn all_gone(&self, entries: [u64; 2]) {
        self.filtering.give_back_later(entries, self.visit.guard);
    }
}
