//! A budget of bytes, from which many threads take.

use crate::sys::sync::{AtomicU64, Relaxed};
use crossbeam_epoch::Guard;
use std::sync::Arc;

/// How many bytes there may be, and how many are taken.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    taken: AtomicU64,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, taken: AtomicU64::new(0) }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes so many bytes, if `spare` more stay free. `false`: it takes none.
    pub(crate) fn try_take(&self, bytes: u64, spare: u64) -> bool {
        let take = |taken: u64| {
            let all = taken.saturating_add(bytes);
            (all.saturating_add(spare) <= self.limit).then_some(all)
        };
        self.taken.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// Takes so many, even over the limit: of what must go on.
    pub(crate) fn take(&self, bytes: u64) {
        self.taken.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn give_back(&self, bytes: u64) {
        let before = self.taken.fetch_sub(bytes, Relaxed);
        debug_assert!(before >= bytes, "{bytes} are given back of {before}");
    }

    /// Gives back what is freed once all who are pinned now are gone.
    pub(crate) fn give_back_later(self: &Arc<Self>, bytes: u64, guard: &Guard) {
        let budget = Arc::clone(self);
        guard.defer(move || budget.give_back(bytes));
    }

    /// Whether so many bytes are free.
    pub(crate) fn has(&self, bytes: u64) -> bool {
        self.taken.load(Relaxed).saturating_add(bytes) <= self.limit
    }
}
