//! A budget of bytes, from which many threads take.
//!
//! A call that may be refused takes its bytes, or room for them, before it allocates. Bytes are
//! given back once their memory is freed, not once it is retired. So the budget bounds what is
//! allocated, even while threads stand still.
//!
//! | call | takes |
//! |---|---|
//! | [`try_take`](Budget::try_take) | if that many are free |
//! | [`take`](Budget::take) | even over the limit, where a change that has begun must go on |
//! | [`room`](Budget::room) | for as long as the room lives, so that no two calls count on the same bytes |
//! | [`try_take_ledger`](Budget::try_take_ledger) | if that many are free, or else beside the limit, once |
//!
//! A ledger takes the place of another that is still there, perhaps in a memory that is full. So
//! there is room for one ledger *beside* the limit. If the new one takes that, there is room again
//! when the old one is freed. A ledger that comes sooner must find free bytes. So no more than one
//! ledger is ever over the limit, however often a detector is cleared while a thread stands still
//! inside a call.
//!
//! The collector's own memory counts too. A thread gathers what it retires in a *bag* of 64, and
//! hands it over when it is full. While a thread stands still inside a call such bags pile up, so
//! what is retired counts its places in them: [`DEFERRED_BYTES`]. Where memory is bounded a thread
//! cannot wait for a bag to be full, so it hands over what it has. That bag takes 2 KB, so only one
//! is under way at a time: while a thread stands still inside a call they would pile up.
//!
//! **Proof.** `tests/{bounded_memory,clears,fork}.rs` and `src/models/filtering.rs`.

#[cfg(not(loom))]
use crate::sys::epoch::{flush, forks, pin_again};
use crate::sys::sync::{AtomicU64, Relaxed};
use crossbeam_epoch::Guard;
use std::sync::Arc;
#[cfg(not(loom))]
use std::time::Duration;

/// The bytes that crossbeam allocates when a thread hands over what it has retired: room for 64
/// deferred functions, however few there are.
pub(crate) const BAG_BYTES: u64 = 2_072;

/// The bytes of a full bag that one deferred function takes: its place in it.
pub(crate) const DEFERRED_BYTES: u64 = BAG_BYTES.div_ceil(64);

/// The bytes that there may be, and those that are taken.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    taken: AtomicU64,
    /// The process that has taken the room beside the limit, by [`process`]; 0: none.
    beside: AtomicU64,
    /// The ledgers that have taken bytes.
    ledgers: AtomicU64,
    /// The process that has handed over a bag which is not emptied yet, by [`process`]; 0: none.
    handed_over: AtomicU64,
}

/// Bytes that no other call takes as long as this lives.
pub(crate) struct Room<'b> {
    budget: &'b Budget,
    bytes: u64,
}

impl Budget {
    pub(crate) fn new(limit: u64) -> Self {
        let [taken, beside, ledgers, handed_over] = [0; 4].map(AtomicU64::new);
        Self { limit, taken, beside, ledgers, handed_over }
    }

    /// Returns the bytes that there may be.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes `bytes`, if they are free. Returns `false` if they are not; then it takes none.
    pub(crate) fn try_take(&self, bytes: u64) -> bool {
        let take = |taken: u64| {
            let all = taken.saturating_add(bytes);
            (all <= self.limit).then_some(all)
        };
        self.taken.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// Keeps `bytes` free for as long as the room lives, if they are free now.
    pub(crate) fn room(&self, bytes: u64) -> Option<Room<'_>> {
        self.try_take(bytes).then(|| Room { budget: self, bytes })
    }

    /// Takes `bytes`, even over the limit, for what must go on.
    pub(crate) fn take(&self, bytes: u64) {
        self.taken.fetch_add(bytes, Relaxed);
    }

    /// Takes a ledger's `bytes`, if they are free, or else the room beside the limit. Returns
    /// `false` if that is taken; then it takes none.
    pub(crate) fn try_take_ledger(&self, bytes: u64) -> bool {
        // What a forked child's parent had put beside is never freed in the child.
        let process = process();
        let taken = self.try_take(bytes) || self.beside.swap(process, Relaxed) != process;
        self.ledgers.fetch_add(u64::from(taken), Relaxed);
        taken
    }

    /// Gives back the room beside the limit, if it is taken, or else `bytes`. It does not matter
    /// which ledger took which, as all take as many.
    pub(crate) fn give_back_ledger(&self, bytes: u64) {
        self.ledgers.fetch_sub(1, Relaxed);
        if self.beside.swap(0, Relaxed) != process() {
            self.give_back(bytes);
        }
    }

    /// Waits until there is one ledger, up to a quarter of a second: for threads that are inside
    /// calls. Where there are more threads than processors, the system may have halted one there.
    #[cfg(not(loom))]
    pub(crate) fn wait_for_ledgers(&self) {
        for turn in 0..12 {
            flush();
            if self.ledgers.load(Relaxed) <= 1 {
                return;
            }
            std::thread::sleep(Duration::from_micros(64 << turn));
        }
        flush();
    }

    /// Gives back bytes that were taken.
    pub(crate) fn give_back(&self, bytes: u64) {
        let before = self.taken.fetch_sub(bytes, Relaxed);
        debug_assert!(before >= bytes, "{bytes} are given back of {before}");
    }

    /// Gives back the bytes of memory that is freed once all threads that are pinned now have
    /// unpinned.
    pub(crate) fn give_back_later(self: &Arc<Self>, bytes: u64, guard: &Guard) {
        let budget = Arc::clone(self);
        guard.defer(move || budget.give_back(bytes));
    }

    /// Hands over what this thread has retired, to be freed as soon as may be, unless a bag is
    /// under way. The bag counts until it is freed.
    #[cfg(not(loom))]
    pub(crate) fn hand_over(self: &Arc<Self>, guard: &Guard) {
        // A bag that was under way in a forked child's parent never arrives in the child.
        let process = process();
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

    /// Notes that a bag has been emptied. crossbeam frees the bag itself later, with what this
    /// thread retires now.
    #[cfg(not(loom))]
    fn emptied(self: &Arc<Self>) {
        self.handed_over.store(0, Relaxed);
        match pin_again() {
            Some(guard) => self.give_back_later(BAG_BYTES, &guard),
            None => self.give_back(BAG_BYTES),
        }
    }
}

/// Returns a number of this process that is not its parent's, nor 0.
fn process() -> u64 {
    #[cfg(loom)] // No model forks.
    return 1;
    #[cfg(not(loom))]
    return forks() + 1;
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}
