//! The outcome of a record so far: made, or what is left to do.

use crate::partition::Partition;
use crate::partition::amount::Amount;
use crate::partition::head::Head;

/// The part of a record that the fast path leaves to do: see `Ledger::record_fast`.
pub(crate) enum Unfinished<'g> {
    /// Recorded. The count is near a threshold, or a step of reclaim is due.
    NeedsFollowUp(Partition<'g>, u64),
    /// Recorded, in a head that other threads had changed just before: see `Ledger::overtaken`.
    Overtaken(Partition<'g>, Head),
    /// Not recorded. The partition is found.
    NotAdded(Partition<'g>),
    /// Not recorded. The partition was not found.
    Missing,
    /// Recorded in the filter, with this bound. The bound is at the level, or a step of reclaim is
    /// due.
    Bounded(u32),
}

/// A record that was made.
pub(crate) struct Recorded<'g> {
    /// The partition that counts it; `None`: the filter does.
    pub(crate) partition: Option<Partition<'g>>,
    /// The count, with this record.
    pub(crate) count: u64,
    /// The part of the count that the partition's entry does not have: it may be other partitions',
    /// or older.
    pub(crate) lacking: u64,
    /// Tells that a lane of the filter is full, so that the count may be any number more.
    pub(crate) is_full: bool,
}

impl Recorded<'_> {
    /// Raises the count to the record's own amount, if it is less. Other threads may have moved the
    /// clock so far meanwhile that the record has left the window.
    pub(crate) fn with_own(self, amount: Amount) -> Self {
        Self { count: self.count.max(amount.into()), ..self }
    }
}
