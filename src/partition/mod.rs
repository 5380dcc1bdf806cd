//! One partition: its key, its counts of writes and of reads, and its alarm.
//!
//! A partition is an *entry* in a cell of a segment of the [map](crate::map). It has two series,
//! one of writes and one of reads. A series is a *head*, one atomic word with the current second's
//! total and the window's, and a *past* with the seconds before. The past is a few slots in a
//! history at first. It becomes a time wheel (others say: a ring of buckets; one atomic slot a
//! second) once the partition has earned one. A record is one atomic addition to the head. Once a
//! second the first record *turns* the head: it puts the second that is over into the past.
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
//! Texts that are too long for the cell are in the segment's text area. The cell then holds their
//! distance from the entry in their place.
//!
//! An example: writes of one partition, with a window of 60 seconds, each record of amount 1.
//!
//! | clock | head before | a record does | head after | it returns |
//! |---|---|---|---|---|
//! | 100 | none | inserts the entry | (100, 1) | 1 |
//! | 100 | (100, 1) | adds | (100, 2) | 2 |
//! | 103 | (100, 2) | puts the slot (100, 2) into a history, turns to a base of 2 | (103, 3) | 3 |
//! | 161 | (103, 3) | puts (103, 1); second 100 has left the window; turns to a base of 1 | (161, 2) | 2 |
//!
//! An entry goes through these states:
//!
//! | state | label | heads, past | threads that find it |
//! |---|---|---|---|
//! | written | *new* | in use | the one that inserts it |
//! | live | no mark | in use | all |
//! | moved | no mark | frozen | those that found it before; they look again, and find the copy |
//! | removed | *gone* | frozen | those that found it before; they look again, and find none |
//!
//! **Invariants.**
//! 1. An entry is written before any other thread can find it. From then on its heads, its past and
//!    the marks of its label change in place. Its key never does.
//! 2. To have other neighbours an entry *moves*: it is frozen, copied, and found in the copy. A
//!    frozen head takes no addition, so none is lost. The copy shares the past.
//! 3. A head's second never runs back. The past holds the final count of every second before it
//!    that is in the window.
//!
//! **Proof.** `src/models/{series,moves,lifetimes}.rs`. `tests/sliding` compares every count with
//! the counts that are possible. `tests/explore` stops a call after each instruction.
//!
//! **What may go in**: what belongs to one partition. It knows neither its neighbours nor any
//! threshold, only how long the spans are that rules look at.

pub(crate) mod alarm;
pub(crate) mod amount;
pub(crate) mod content;
pub(crate) mod head;
pub(crate) mod history;
pub(crate) mod label;
pub(crate) mod past;
pub(crate) mod past_ptr;
pub(crate) mod reserve;
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

/// The outcome of [`Partition::add_fast`].
pub(crate) enum FastAdd {
    /// The amount was added. This is the window's count with it.
    Counted(u64),
    /// The amount was added to this head, which other threads had changed since it was read.
    /// [`Series::counted`] tells the count.
    Overtaken(Head),
    /// Nothing was added, or only to a frozen head, where the amount counts for nothing.
    NotAdded,
}

/// A view of one partition's entry.
#[derive(Clone, Copy)]
pub(crate) struct Partition<'g> {
    core: NonNull<Core>,
    _lives: PhantomData<&'g Core>,
}

impl<'g> Partition<'g> {
    /// Returns the bytes of an entry with `text_len` bytes of table and key in its cell.
    pub(crate) const fn size(text_len: usize) -> usize {
        size_of::<Core>() + text_len
    }

    /// Writes the label of an unused cell, so that a thread may look for an entry there at any
    /// time.
    ///
    /// # Safety
    /// There is room for an entry without texts at `cell`, aligned for one, and no other thread
    /// sees it.
    pub(crate) unsafe fn prepare(cell: NonNull<u8>) {
        let core: *mut Core = cell.cast().as_ptr();
        // SAFETY: as the caller promises.
        unsafe { (&raw mut (*core).label).write(AtomicLabel::new()) }
    }

    /// Views the entry in a cell.
    ///
    /// # Safety
    /// `cell` is where `Content::write` wrote an entry, which lives through `'g`.
    #[inline(always)]
    pub(crate) unsafe fn view(cell: NonNull<u8>) -> Self {
        Self { core: cell.cast(), _lives: PhantomData }
    }

    /// Returns whether a cell has an entry that is in the map (or was, when its segment was
    /// replaced), has this label, and has its texts in the cell. The label of a key carries no
    /// mark, so one comparison tells all three.
    ///
    /// # Safety
    /// `cell` is one that `prepare` made ready, and lives.
    #[inline(always)]
    pub(crate) unsafe fn is_live(cell: NonNull<u8>, label: Label) -> bool {
        let core: *const Core = cell.cast().as_ptr();
        // SAFETY: a cell's label is there whether an entry is or not.
        unsafe { (*core).label.load() == label }
    }

    /// Returns whether the texts in a cell are those of this key.
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

    /// Returns the 32 bits of the hash that say where in the map the entry belongs.
    pub(crate) fn position(&self) -> u32 {
        self.core().label.load().position()
    }

    /// Asks for the memory in which a turn at `second` finds the slots of closed seconds.
    pub(crate) fn prefetch_past(&self, second: u32, window: u32) {
        self.core().past.load().prefetch(second, window);
    }

    /// Returns where the entry lies. Two entries of one key, an old one and its copy, differ in
    /// this alone.
    pub(crate) fn address(&self) -> NonNull<u8> {
        self.core.cast()
    }

    /// Returns whether this is the entry of `key`, whose label `label` is.
    pub(crate) fn is_of(&self, label: Label, key: Key<'_>) -> bool {
        self.core().label.load().unmarked() == label && self.key() == key
    }

    /// Returns the key, which is read where it was written: in the cell, or as far from it as the
    /// cell says.
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

    /// Marks the entry as found in the map. Called after its lane was taken.
    pub(crate) fn mark_live(&self) {
        self.core().label.mark_live();
    }

    /// Marks the entry as about to leave the map. Called before its lane is given up, so that a
    /// thread that sees the lane gone does not find the entry in its home cell. From now on only
    /// the lane leads to it.
    pub(crate) fn mark_gone(&self) {
        self.core().label.mark_gone();
    }

    /// Views the writes or the reads of the partition.
    pub(crate) fn series(&self, operation: Operation, window: u32, guard: &'g Guard) -> Series<'g> {
        let Core { heads, past, .. } = self.core();
        Series { head: &heads[operation.index()], past, operation, window, guard }
    }

    /// Returns the newest second in which an operation was recorded.
    pub(crate) fn newest_second(&self, operation: Operation) -> u32 {
        self.core().heads[operation.index()].load().second()
    }

    /// Adds in the one way that nearly all adds take, and touches nothing but the head and the
    /// past's pointer.
    ///
    /// That way is open if the head is in the clock's second and has room for a small amount, the
    /// window's total is in the head, and the alarm is made or far from needed. `floor` is a count
    /// that no threshold is under.
    #[inline(always)]
    pub(crate) fn add_fast(&self, operation: Operation, amount: Amount, now: Moment, floor: u64) -> FastAdd {
        let core = self.core();
        let head = &core.heads[operation.index()];
        // The head is read first. A partition is marked heavy before its head turns to a base of 0,
        // so a thread that sees such a head sees the mark.
        let (seen, past) = (head.load(), core.past.load());
        if !seen.takes(amount.get(), now.second()) || !past.is_light() {
            return FastAdd::NotAdded;
        }
        // From half of the floor on an alarm must be there before the addition, as `add` makes it.
        if 2 * (u64::from(seen.total()) + u64::from(amount)) >= floor {
            cold_path();
            if !past.is_armed() {
                return FastAdd::NotAdded;
            }
        }
        // The head that the addition came upon decides. A little more than was seen is fine; F is
        // not.
        let before = head.add(amount.get());
        if before.is_near(seen) {
            FastAdd::Counted(u64::from(before.total()) + u64::from(amount))
        } else if before.is_frozen() {
            FastAdd::NotAdded
        } else {
            FastAdd::Overtaken(before)
        }
    }

    /// Adds in any way that the state of the head asks for, and returns the count with `amount`.
    /// Nothing was added if this fails.
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
        // The alarm is made while a partition warms up, so that a hot record finds it made: a
        // record that gets no memory for it is refused before it has added anything.
        let prepare = |count| if count < floor / 2 { Ok(()) } else { Ok(past.alarm(guard).map(drop)?) };
        self.series(operation, timing.window, guard).add(amount, now.second(), prepare)
    }

    /// Returns how many bytes hang on the entry.
    pub(crate) fn past_bytes(&self, window: u32, guard: &Guard) -> usize {
        self.core().past.parts(guard).bytes(window)
    }

    /// Returns whether the partition has just been promoted, and the cells' additions are not all
    /// in it yet: see [`Content::promoted`].
    pub(crate) fn is_fresh(&self) -> bool {
        self.core().past.load().is_fresh()
    }

    /// Ends the freshness of a promoted partition. Returns `false` if the entry has moved: its copy
    /// is fresh as well, and is to be settled instead.
    pub(crate) fn settle(&self) -> bool {
        self.core().past.settle()
    }

    /// Returns the alarm, if there is one.
    pub(crate) fn alarm_if_any(&self, guard: &'g Guard) -> Option<&'g Alarm> {
        self.core().past.alarm_if_any(guard)
    }

    /// Returns the alarm, which is made if it is not there yet.
    pub(crate) fn alarm(&self, guard: &'g Guard) -> Result<&'g Alarm, GrowError> {
        self.core().past.alarm(guard)
    }

    /// Returns whether the partition is as if never seen: see [`idle`].
    pub(crate) fn idle(&self, now: Moment, timing: Timing, guard: &Guard) -> bool {
        let core = self.core();
        idle(core.heads.each_ref().map(AtomicHead::load), core.past.load(), now, timing, guard)
    }

    /// Returns how the partition stands at `now`. `None`: it has moved.
    pub(crate) fn standing(&self, now: Moment, timing: Timing, guard: &'g Guard) -> Option<Standing> {
        let past = self.core().past.load();
        let mut counts = [0; 2];
        for operation in Operation::ALL {
            counts[operation.index()] = self.series(operation, timing.window, guard).count(now.second())?;
        }
        Some(Standing::new(counts, past, now, timing, guard))
    }

    /// Returns whether the partition is as if never seen but for an old alarm.
    pub(crate) fn is_idle_with_alarm(&self, now: Moment, timing: Timing, guard: &Guard) -> bool {
        self.core().past.load().is_armed() && self.idle(now, timing, guard)
    }

    /// Freezes the entry, so that every later add counts for nothing, and returns what its copy is
    /// made of.
    ///
    /// Any number of threads may do this at once. They agree on what the heads held by way of
    /// `frozen_heads`. An expired head is copied as it is: a thread that read the clock earlier may
    /// still be closing its second, and needs its base for that.
    pub(crate) fn freeze_agreed(&self, frozen_heads: &[AtomicU64; 2]) -> Content<'g> {
        let core = self.core();
        // The heads first, then the past. A turn marks the past as heavy before it turns the head,
        // so a turn that came before the head's freeze has its mark in the pointer that is read
        // next.
        let heads = [0, 1].map(|i| core.heads[i].freeze_agreed(&frozen_heads[i]));
        Content { key: self.key(), position: self.position(), heads, past: core.past.freeze_past().thawed() }
    }

    /// Freezes an entry that no other thread can find any more, and returns what it had. Nothing is
    /// added to that afterwards. Called once for an entry.
    pub(crate) fn freeze_alone(&self) -> Removed {
        let [writes, reads] = &self.core().heads;
        // The heads first, as in `freeze_agreed`.
        let heads = [writes.freeze_alone(), reads.freeze_alone()];
        Removed { heads, past: self.freeze_past() }
    }

    /// Freezes the past, so that nothing is hung on this entry from now on, and returns what hangs
    /// there.
    pub(crate) fn freeze_past(&self) -> PastPtr {
        self.core().past.freeze_past()
    }

    /// Returns the bytes of table and key together.
    pub(crate) fn text_len(&self) -> usize {
        let (table, pk) = self.core().label.load().lens();
        table + pk
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
