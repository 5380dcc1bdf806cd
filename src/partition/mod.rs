//! One partition: its key, what writes and reads of it came to, and its alarm.
//!
//! A partition is an *entry* in a cell of a segment of the [map](crate::map). It has two series, one of
//! writes and one of reads. A series is a *head*, one atomic word with the current second's total and the
//! window's, and a *past* with the seconds before: a few slots in a history at first, a time wheel (a ring of
//! buckets, one atomic slot a second) once it has earned one. A record is one atomic addition to the head.
//! Once a second the first record turns the head: it puts the second that is over into the past.
//!
//! ```text
//!  0        8        16      24      32
//! +--------+--------+-------+-------+-----------------+
//! | writes | reads  | past  | label | table, pk bytes |
//! +--------+--------+-------+-------+-----------------+
//!   heads             |       what the entry is, in one word
//!                     v
//!                   nothing, a history, a wheel, or an extension: history, wheels, alarm
//! ```
//!
//! Texts that are too long for the cell are in the segment's text area; in their place is then their
//! distance from it.
//!
//! **Invariants.**
//! 1. An entry is written before any other thread can find it. From then on its heads, its past and the
//!    marks of its label change in place; its key never does.
//! 2. To have other neighbours an entry *moves*: it is frozen, copied, and found in the copy. A frozen head
//!    takes no addition, so none is lost; the copy shares the past.
//! 3. A head's second never runs back, and the past holds the final count of every second before it that is in the window.
//!
//! **Proof.** `src/models/{series,moves,lifetimes}.rs`; `tests/sliding` compares every count with the
//! counts that are possible; `tests/explore` stops a call after each instruction.
//!
//! **What may go in**: what belongs to one partition. It knows neither its neighbours nor
//! any threshold; only how long the spans are that rules look at.

pub(crate) mod alarm;
pub(crate) mod amount;
pub(crate) mod content;
pub(crate) mod head;
pub(crate) mod history;
pub(crate) mod label;
pub(crate) mod past;
pub(crate) mod past_ptr;
pub(crate) mod series;
pub(crate) mod slot;
pub(crate) mod turn;
pub(crate) mod wheel;

use crate::key::Key;
use crate::operation::Operation;
use crate::partition::alarm::Alarm;
use crate::partition::amount::Amount;
use crate::partition::content::{Content, Core, Distance, Removed, Standing, Timing, idle};
use crate::partition::head::{AtomicHead, Head};
use crate::partition::label::{AtomicLabel, Label};
use crate::partition::past::GrowError;
use crate::partition::past_ptr::PastPtr;
use crate::partition::series::{AddError, Series};
use crate::sys::clock::Moment;
use crate::sys::sync::AtomicU64;
use crossbeam_epoch::Guard;
use std::hint::cold_path;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// The outcome of adding in the fast way.
pub(crate) enum FastAdd {
    /// Added; the count with it.
    Counted(u64),
    /// Added to this head, which other threads had changed since it was seen: see [`Series::counted`].
    Overtaken(Head),
    /// Nothing was added, or only to a frozen head, where it counts for nothing.
    NotAdded,
}

/// A view of one partition's entry.
#[derive(Clone, Copy)]
pub(crate) struct Partition<'g> {
    core: NonNull<Core>,
    _lives: PhantomData<&'g Core>,
}

impl<'g> Partition<'g> {
    /// Returns the bytes of an entry whose texts have so many bytes and are not far.
    pub(crate) const fn size(text_len: usize) -> usize {
        size_of::<Core>() + text_len
    }

    /// Makes a cell ready for an entry.
    ///
    /// # Safety
    /// There is room for an entry without texts at `cell`, aligned for one, and nobody else sees it.
    pub(crate) unsafe fn prepare(cell: NonNull<u8>) {
        let core: *mut Core = cell.cast().as_ptr();
        // SAFETY: as the caller promises.
        unsafe { (&raw mut (*core).label).write(AtomicLabel::new()) }
    }

    /// # Safety
    /// `cell` is where `Content::write` wrote an entry, which lives through `'g`.
    #[inline(always)]
    pub(crate) unsafe fn view(cell: NonNull<u8>) -> Self {
        Self { core: cell.cast(), _lives: PhantomData }
    }

    /// Whether a cell has an entry that is in the map, with this label, and texts that are near.
    ///
    /// # Safety
    /// `cell` is one that `prepare` made ready, and lives.
    #[inline(always)]
    pub(crate) unsafe fn is_live(cell: NonNull<u8>, label: Label) -> bool {
        let core: *const Core = cell.cast().as_ptr();
        // SAFETY: a cell's label is there whether an entry is or not.
        unsafe { (*core).label.load() == label }
    }

    /// Whether a cell's texts are those of this key.
    ///
    /// # Safety
    /// The cell has texts of its own, of the key's lengths, and lives.
    #[inline(always)]
    pub(crate) unsafe fn has_near(cell: NonNull<u8>, key: Key<'_>) -> bool {
        // SAFETY: as the caller promises.
        unsafe { Key::read(cell.add(size_of::<Core>()), key.table.len(), key.pk.len()) == key }
    }

    #[inline(always)]
    fn core(&self) -> &'g Core {
        // SAFETY: the entry lives through 'g.
        unsafe { self.core.as_ref() }
    }

    pub(crate) fn position(&self) -> u32 {
        self.core().label.load().position()
    }

    /// Asks for the memory where a turn at `second` finds the slots of closed seconds.
    pub(crate) fn prefetch_past(&self, second: u32, window: u32) {
        self.core().past.load().prefetch(second, window);
    }

    /// Where the entry lies.
    pub(crate) fn address(&self) -> NonNull<u8> {
        self.core.cast()
    }

    /// Whether this is the entry of a key, of which the label is.
    pub(crate) fn is_of(&self, label: Label, key: Key<'_>) -> bool {
        self.core().label.load().unmarked() == label && self.key() == key
    }

    pub(crate) fn key(&self) -> Key<'g> {
        let label = self.core().label.load();
        let (table_len, pk_len) = label.lens();
        // SAFETY: the texts are where they were written, as long as the label says.
        unsafe {
            let near = self.core.add(1).cast::<u8>();
            let far = || self.address().add(near.cast::<Distance>().read() as usize);
            Key::read(if label.is_far() { far() } else { near }, table_len, pk_len)
        }
    }

    /// The entry is in the map.
    pub(crate) fn mark_live(&self) {
        self.core().label.mark_live();
    }

    /// The entry is about to be taken out of the map: from now on only its lane leads to it.
    pub(crate) fn mark_gone(&self) {
        self.core().label.mark_gone();
    }

    pub(crate) fn series(&self, operation: Operation, window: u32, guard: &'g Guard) -> Series<'g> {
        let Core { heads, past, .. } = self.core();
        Series { head: &heads[operation.index()], past, operation, window, guard }
    }

    /// The newest second that an operation was recorded in.
    pub(crate) fn newest_second(&self, operation: Operation) -> u32 {
        self.core().heads[operation.index()].load().second()
    }

    /// Adds in the one way that nearly all adds take: the head's second is not over, the window's total is in
    /// it, and the alarm is made or far off.
    #[inline(always)]
    pub(crate) fn add_fast(&self, operation: Operation, amount: Amount, now: Moment, floor: u64) -> FastAdd {
        let core = self.core();
        let head = &core.heads[operation.index()];
        let (seen, past) = (head.load(), core.past.load());
        if !seen.takes(amount.get(), now.second()) || !past.is_light() {
            return FastAdd::NotAdded;
        }
        if 2 * (u64::from(seen.total()) + u64::from(amount)) >= floor {
            cold_path();
            if !past.is_armed() {
                return FastAdd::NotAdded;
            }
        }
        let before = head.add(amount.get());
        if before.is_near(seen) {
            FastAdd::Counted(u64::from(before.total()) + u64::from(amount))
        } else if before.is_frozen() {
            FastAdd::NotAdded
        } else {
            FastAdd::Overtaken(before)
        }
    }

    /// Adds, and returns the count with it.
    pub(crate) fn add(
        &self,
        operation: Operation,
        amount: Amount,
        now: Moment,
        timing: Timing,
        floor: u64,
        guard: &'g Guard,
    ) -> Result<u64, AddError> {
        let past = &self.core().past;
        // As if never seen, but for a warning state that must not show: begin anew.
        if past.load().is_armed() && self.idle(now, timing, guard) {
            return Err(AddError::Idle);
        }
        // The alarm is made while a partition warms up, so that a hot record finds it made: a record that
        // gets no memory for it is refused before it has added anything.
        let prepare = |count| if count < floor / 2 { Ok(()) } else { Ok(past.alarm(guard).map(drop)?) };
        self.series(operation, timing.window, guard).add(amount, now.second(), prepare)
    }

    /// How many bytes hang on the entry.
    pub(crate) fn past_bytes(&self, window: u32, guard: &Guard) -> usize {
        self.core().past.parts(guard).bytes(window)
    }

    /// Whether the partition has just been promoted: see [`Content::promoted`].
    pub(crate) fn is_fresh(&self) -> bool {
        self.core().past.load().is_fresh()
    }

    /// It is fresh no more. `false`: it has moved.
    pub(crate) fn settle(&self) -> bool {
        self.core().past.settle()
    }

    /// The alarm, if there is one.
    pub(crate) fn alarm_if_any(&self, guard: &'g Guard) -> Option<&'g Alarm> {
        self.core().past.alarm_if_any(guard)
    }

    /// The alarm, made if it is not there yet.
    pub(crate) fn alarm(&self, guard: &'g Guard) -> Result<&'g Alarm, GrowError> {
        self.core().past.alarm(guard)
    }

    /// Whether the partition is as if never seen; see [`idle`].
    pub(crate) fn idle(&self, now: Moment, timing: Timing, guard: &Guard) -> bool {
        let core = self.core();
        idle(core.heads.each_ref().map(AtomicHead::load), core.past.load(), now, timing, guard)
    }

    /// How the partition stands at this moment. `None`: it has moved.
    pub(crate) fn standing(&self, now: Moment, timing: Timing, guard: &'g Guard) -> Option<Standing> {
        let past = self.core().past.load();
        let mut counts = [0; 2];
        for operation in Operation::ALL {
            counts[operation.index()] = self.series(operation, timing.window, guard).count(now.second())?;
        }
        Some(Standing::new(counts, past, now, timing, guard))
    }

    /// Freezes the entry, so that every later add counts for nothing, and returns what a copy is made of.
    /// All threads that freeze it agree on what its heads held by way of `frozen_heads`. An expired head is copied as it is: one
    /// who read the clock before may be closing its second still, and then needs its base.
    pub(crate) fn freeze_agreed(&self, frozen_heads: &[AtomicU64; 2]) -> Content<'g> {
        let core = self.core();
        // The heads first: a thread that turns one has marked the past heavy before that.
        let heads = [0, 1].map(|i| core.heads[i].freeze_agreed(&frozen_heads[i]));
        Content { key: self.key(), position: self.position(), heads, past: core.past.freeze_past().thawed() }
    }

    /// Freezes an entry alone, one that can't be found any more, and returns what it had: nothing is added to that. Called once.
    pub(crate) fn freeze_alone(&self) -> Removed {
        let [writes, reads] = &self.core().heads;
        // The heads first, as in `freeze_agreed`.
        let heads = [writes.freeze_alone(), reads.freeze_alone()];
        Removed { heads, past: self.freeze_past() }
    }

    /// Makes sure that nothing is hung on the entry from now on, and returns what is.
    pub(crate) fn freeze_past(&self) -> PastPtr {
        self.core().past.freeze_past()
    }

    pub(crate) fn text_len(&self) -> usize {
        let (table, pk) = self.core().label.load().lens();
        table + pk
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
