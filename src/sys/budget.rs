//! A budget of bytes, from which many threads take.

#[cfg(not(loom))]
use crate::sys::epoch::{forks, pin_again};
use crate::sys::sync::{AtomicU64, Relaxed};
use crossbeam_epoch::Guard;
use std::sync::Arc;

/// The bytes that crossbeam allocates where a thread hands over what it has retired: room for 64
/// deferred functions, however few there are.
pub(crate) const BAG_BYTES: u64 = 2_072;

/// How many bytes there may be, and how many are taken.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    taken: AtomicU64,
    /// Which process has handed over a bag that is not emptied yet; 0: none.
    handed_over: AtomicU64,
}

/// Bytes that nobody else takes as long as this lives.
pub(crate) struct Room<'b> {
    budget: &'b Budget,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        Self { limit, taken: AtomicU64::new(0), handed_over: AtomicU64::new(0) }
    }

    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes so many bytes, if they are free. `false`: it takes none.
    pub(crate) fn try_take(&self, bytes: u64) -> bool {
        let take = |taken: u64| {
            let all = taken.saturating_add(bytes);
            (all <= self.limit).then_some(all)
        };
        self.taken.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// Keeps so many bytes free for what is made meanwhile, if they are.
    pub(crate) fn room(&self, bytes: u64) -> Option<Room<'_>> {
        self.try_take(bytes).then(|| Room { budget: self, bytes })
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

    /// Hands over what this thread has retired, to be freed as soon as may be, unless a bag is
    /// under way: while a thread stands still inside a call they would only pile up. The bag
    /// counts until it is freed.
    #[cfg(not(loom))]
    pub(crate) fn hand_over(self: &Arc<Self>, guard: &Guard) {
        // What was under way in a forked child's parent never arrives in the child.
        let process = forks() + 1;
        if self.handed_over.load(Relaxed) == process || self.handed_over.swap(process, Relaxed) == process {
            return;
        }
        self.take(BAG_BYTES);
        let budget = Arc::clone(self);
        guard.defer(move || budget.emptied());
        guard.flush();
    }

    #[cfg(loom)]
    pub(crate) fn hand_over(&self, guard: &Guard) {
        guard.flush();
    }

    /// A bag has been emptied. crossbeam retires it now in its turn, with what this thread retires.
    #[cfg(not(loom))]
    fn emptied(self: &Arc<Self>) {
        self.handed_over.store(0, Relaxed);
        match pin_again() {
            Some(guard) => self.give_back_later(BAG_BYTES, &guard),
            None => self.give_back(BAG_BYTES),
        }
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}
