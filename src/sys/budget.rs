//! A budget of bytes, from which many threads take.
//!
//! A call that may be refused takes its bytes, or room for them, before it allocates. Bytes are
//! given back once their memory is freed, not once it is retired. So the budget bounds what is
//! allocated, even while threads stand still.
//!
//! | call | takes |
//! |---|---|
//! | [`try_take`](Budget::try_take) | bytes, if that many are free |
//! | [`take`](Budget::take) | bytes, even over the limit, where a change that has begun must go on |
//! | [`room`](Budget::room) | bytes for as long as the room lives, so that no two calls count on the same ones |
//! | [`room_for_ledger`](Budget::room_for_ledger) | the same, also from the bytes that are kept for a ledger |
//! | [`try_take_ledger`](Budget::try_take_ledger) | a ledger's bytes, once there is room, unless there are too many ledgers |
//!
//! A clear makes a ledger while the one before is still there, perhaps in a memory that is full. So
//! the bytes for one ledger are *kept*: only a ledger gets them. There are at most [`LEDGERS_MOST`]
//! ledgers at once, so that the cells tell their generations apart.
//!
//! The collector's own memory counts too. A thread gathers what it retires in a *bag* of 64, and
//! hands it over when it is full. While a thread stands still inside a call such bags pile up, so
//! what is retired counts its places in them: [`DEFERRED_BYTES`]. Where memory is bounded a thread
//! cannot wait for a bag to be full, so it hands over what it has. Such a bag takes 2 KB too,
//! however little is in it. So only one of them is under way at a time.
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

/// The most ledgers at once, most of which wait for threads that stand still inside calls. A thread
/// in the oldest of them does not take the newest one's cells for old: they are three sub-windows
/// ahead for each ledger, of the 511 that a cell can be ahead.
const LEDGERS_MOST: u64 = 64;
/// The bits that count them.
const LEDGERS_BITS: u32 = 16;

/// The bytes that there may be, and those that are taken.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: u64,
    /// The part of the limit that is kept for a ledger.
    kept: u64,
    /// The process that made it, by [`process`].
    made_in: u64,
    taken: AtomicU64,
    /// The number of ledgers that have taken bytes and not given them back. The bits above it tell
    /// the process that counted them.
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
    /// Makes a budget of `limit` bytes, of which `kept` are for ledgers alone.
    pub(crate) fn new(limit: u64, kept: u64) -> Self {
        let [taken, ledgers, handed_over] = [0; 3].map(AtomicU64::new);
        Self { limit, kept, made_in: process(), taken, ledgers, handed_over }
    }

    /// Returns the bytes that there may be.
    pub(crate) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes `bytes`, if they are free. Returns `false` if they are not; then it takes none.
    pub(crate) fn try_take(&self, bytes: u64) -> bool {
        self.try_take_of(self.limit.saturating_sub(self.kept), bytes)
    }

    fn try_take_of(&self, limit: u64, bytes: u64) -> bool {
        let take = |taken: u64| {
            let all = taken.saturating_add(bytes);
            (all <= limit).then_some(all)
        };
        self.taken.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// Keeps `bytes` free for as long as the room lives, if they are free now.
    pub(crate) fn room(&self, bytes: u64) -> Option<Room<'_>> {
        self.try_take(bytes).then(|| Room { budget: self, bytes })
    }

    /// Keeps `bytes` free for a ledger and its first segment, if they are free now. In a forked
    /// child the bytes that are kept for a ledger may never be free: what its parent had not freed
    /// counts there for good. So there are as many again for each fork.
    pub(crate) fn room_for_ledger(&self, bytes: u64) -> Option<Room<'_>> {
        let again = self.kept * (process() - self.made_in);
        self.try_take_of(self.limit + again, bytes).then(|| Room { budget: self, bytes })
    }

    /// Takes `bytes`, even over the limit, for what must go on.
    pub(crate) fn take(&self, bytes: u64) {
        self.taken.fetch_add(bytes, Relaxed);
    }

    /// Takes a ledger's `bytes`, for which there is room, unless there are too many ledgers.
    /// Returns `false` if there are; then it takes none.
    pub(crate) fn try_take_ledger(&self, bytes: u64) -> bool {
        let process = process();
        let counted = |ledgers: u64| {
            let n = match ledgers >> LEDGERS_BITS {
                0 => 0,
                of if of == process => ledgers % (1 << LEDGERS_BITS),
                // What a forked child's parent has not freed is never freed in the child, where one
                // ledger is left.
                _ => 1,
            };
            (n < LEDGERS_MOST).then_some((process << LEDGERS_BITS) + n + 1)
        };
        let is_counted = self.ledgers.fetch_update(Relaxed, Relaxed, counted).is_ok();
        if is_counted {
            self.take(bytes);
        }
        is_counted
    }

    /// Gives back a ledger's bytes.
    pub(crate) fn give_back_ledger(&self, bytes: u64) {
        let counted = |ledgers: u64| (ledgers >> LEDGERS_BITS == process()).then(|| ledgers - 1);
        let _ = self.ledgers.fetch_update(Relaxed, Relaxed, counted);
        self.give_back(bytes);
    }

    /// Waits until a ledger of `bytes` can be made, up to a quarter of a second. Threads that are
    /// inside calls may stand in its way. Where there are more threads than processors, the system
    /// may have halted one there.
    #[cfg(not(loom))]
    pub(crate) fn wait_for_room(&self, bytes: u64) {
        for turn in 0..12 {
            flush();
            let is_one_more = self.ledgers.load(Relaxed) % (1 << LEDGERS_BITS) < LEDGERS_MOST;
            if is_one_more && self.room_for_ledger(bytes).is_some() {
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
