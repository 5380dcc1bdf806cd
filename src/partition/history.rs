//! A history: an array of the closed slots of one partition, of both operations, in no order. Most
//! partitions are seen in few seconds, and pay for these only.
//!
//! ```text
//!  63  62            31 30  29              0
//! +---+----------------+---+-----------------+
//! | R |     second     | F |      count      |     R: reads; F: frozen
//! +---+----------------+---+-----------------+
//! ```
//!
//! R is above the second. So one comparison tells whether an element of the array is of one
//! operation and in a span of seconds: any other makes a larger difference from the first that is
//! wanted.
//!
//! **Putting.** A slot is put here when its second closes. All threads that close one second of one
//! operation must pick the same element, or the second would be counted twice. They pick the first
//! that
//!
//! - holds this second already, or
//! - is vacant, or
//! - holds a second of the same operation that left the window before this one began.
//!
//! The choice is the same for all of them because elements only ever become newer: an element that
//! could not be taken for this second never can be again. Counts only rise, so the final count of
//! the last closer stands. A closer that comes late with an old count, or whose second has long
//! left the window, changes nothing that is still read.
//!
//! An example, with a window of 60 and three elements: writes of 5, reads of 5, writes of 30.
//! Writes of second 66 take the first element, as 5 + 60 < 66. Writes of second 65 would find no
//! place: second 5 is still in the window that ends in 65.
//!
//! **Growth.** When there is no element to take, the array is frozen element by element, copied,
//! and replaced by the copy. No put succeeds on a frozen element. Any thread may do that; one copy
//! is published. Freezing is needed because the clock may leap: an array that is full for the
//! second that closes now is not full for one that closes a window later, and that one's slot must
//! not be put where the copy has already been made.
//!
//! **Invariants.** No vacant element is before a taken one. A taken element never becomes vacant.
//!
//! **Proof.** The test below compares a survey with a look at each slot. `src/models/series.rs` (a,
//! j).

use crate::error::OutOfMemory;
use crate::operation::Operation;
use crate::partition::slot::{MOST, Slot};
use crate::sys::memory::Tailed;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};
#[cfg(loom)]
use crate::sys::watch::{Kind, Watch};
use std::ptr::NonNull;

/// The bit R.
const READ: u64 = 1 << 63;
/// The lowest bit of the second.
const SECOND_AT: u32 = 31;
/// The bit F.
const FROZEN: u64 = 1 << 30;
const COUNT: u64 = MOST as u64;

/// The reason for which a slot was not put.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PutError {
    Full,
    Frozen,
}

/// The header before the elements in memory. Only in models it is not empty.
struct Header {
    #[cfg(loom)]
    watch: Watch,
}

/// A view of one array.
#[derive(Clone, Copy)]
pub(crate) struct History<'g> {
    entries: &'g [AtomicU64],
    #[cfg(loom)]
    watch: &'g Watch,
}

/// A window whose last second is closing: its first second, the first that stays in the window of
/// the second that begins, and the one that closes.
#[derive(Clone, Copy)]
pub(crate) struct Closing {
    pub(crate) first: u32,
    pub(crate) kept: u32,
    pub(crate) closing: u32,
}

/// The result of [`History::survey`].
pub(crate) struct Survey<'g> {
    /// The sum of the window's slots before the second that closes.
    pub(crate) sum: u64,
    /// The part of `sum` that leaves the window.
    pub(crate) gone: u64,
    /// The element for the slot that closes; `None`: the array is full.
    pub(crate) place: Option<Place<'g>>,
}

impl Survey<'_> {
    /// The survey of no history.
    pub(crate) const NOTHING: Self = Survey { sum: 0, gone: 0, place: None };
}

/// An element that a slot can be put in, as it was seen.
pub(crate) struct Place<'g> {
    entry: &'g AtomicU64,
    bits: u64,
    #[cfg(loom)]
    watch: &'g Watch,
}

impl Place<'_> {
    /// Puts a slot there, or finds that the element holds as much already. Returns `false` if the
    /// element has changed or is frozen.
    pub(crate) fn put(&self, operation: Operation, slot: Slot) -> bool {
        #[cfg(loom)]
        self.watch.touch();
        let (held, new) = (unpack(self.bits), pack(operation, slot));
        let enough = held.second == slot.second && held.count >= slot.count;
        self.bits & FROZEN == 0
            && (enough || self.entry.compare_exchange(self.bits, new, AcqRel, Acquire).is_ok())
    }
}

fn operation_of(bits: u64) -> Operation {
    if bits & READ == 0 { Operation::Write } else { Operation::Read }
}

/// Makes the word of a slot.
fn pack(operation: Operation, slot: Slot) -> u64 {
    let read = if operation == Operation::Read { READ } else { 0 };
    read | u64::from(slot.second) << SECOND_AT | u64::from(slot.count)
}

fn unpack(bits: u64) -> Slot {
    Slot { second: (bits >> SECOND_AT) as u32, count: (bits & COUNT) as u32 }
}

impl<'g> History<'g> {
    fn layout(capacity: usize) -> Tailed<Header, AtomicU64> {
        Tailed::new(capacity)
    }

    /// Creates an array of `capacity` elements that holds `slots`, of which there are no more.
    /// Calls `ready` once there is memory, and before it asks for the first slot: a history that is
    /// copied is frozen in between.
    pub(crate) fn create(
        capacity: usize,
        ready: impl FnOnce(),
        mut slots: impl Iterator<Item = (Operation, Slot)>,
    ) -> Result<NonNull<()>, OutOfMemory> {
        let mut next = || {
            let Some((operation, slot)) = slots.next() else { return 0 };
            debug_assert!(!slot.is_empty(), "an entry behind a vacant one is not found");
            pack(operation, slot)
        };
        let header = Header {
            #[cfg(loom)]
            watch: Watch::new(Kind::History),
        };
        let layout = Self::layout(capacity);
        let memory = layout.allocate()?;
        ready();
        // SAFETY: just allocated with this layout.
        unsafe { layout.write(memory, header, || AtomicU64::new(next())) };
        Ok(memory.cast())
    }

    /// Views an array.
    ///
    /// # Safety
    /// `array` came from `create(capacity, ..)` and lives through `'g`.
    pub(crate) unsafe fn view(array: NonNull<()>, capacity: usize) -> Self {
        let array = array.cast::<Header>();
        let view = Self {
            // SAFETY: by the caller's promise there are `capacity` elements.
            entries: unsafe {
                std::slice::from_raw_parts(Tailed::<Header, AtomicU64>::tail(array).as_ptr(), capacity)
            },
            // SAFETY: by the caller's promise the header is there.
            #[cfg(loom)]
            watch: unsafe { &array.as_ref().watch },
        };
        view.entries();
        view
    }

    /// Frees an array.
    ///
    /// # Safety
    /// `array` came from `create(capacity, ..)`, and no thread uses it any more.
    pub(crate) unsafe fn destroy(array: NonNull<()>, capacity: usize) {
        let array = array.cast::<Header>();
        #[cfg(loom)]
        // SAFETY: as the caller promises, the header is there still.
        if unsafe { array.as_ref() }.watch.free() {
            return;
        }
        // SAFETY: as the caller promises.
        unsafe { Self::layout(capacity).destroy(array) }
    }

    #[inline(always)]
    fn entries(&self) -> &'g [AtomicU64] {
        #[cfg(loom)]
        self.watch.touch();
        self.entries
    }

    /// Walks once over the array for all that a turn needs: the sum of an operation's slots in the
    /// window before the closing second, the part of it that is not kept, and the element where the
    /// slot of that second belongs.
    #[inline(always)]
    pub(crate) fn survey(&self, operation: Operation, span: Closing) -> Survey<'g> {
        let Closing { first, kept, closing } = span;
        debug_assert!(self.is_in_order() && first <= kept && kept <= closing);
        // The commonest case first: a slot that stays in the window. Not from second 0, as a vacant
        // element looks like one of that.
        let from = kept.max(1);
        let span = u64::from(closing.saturating_sub(from)) << SECOND_AT;
        let from = pack(operation, Slot { second: from, count: 0 });
        let mut survey = Survey::NOTHING;
        for entry in self.entries() {
            let bits = entry.load(Acquire);
            // Earlier seconds and the other operation wrap around to larger numbers.
            if bits.wrapping_sub(from) < span {
                survey.sum += bits & COUNT;
                continue;
            }
            let held = unpack(bits);
            if !held.is_empty() && operation_of(bits) != operation {
                continue;
            }
            // An element of this operation that does not stay, or a vacant one. It is in the window
            // still, or its place can be taken.
            if !held.is_empty() && (first..closing).contains(&held.second) {
                survey.sum += u64::from(held.count);
                if held.second < kept {
                    survey.gone += u64::from(held.count);
                }
            } else if held.is_empty() || held.second <= closing {
                survey.place.get_or_insert(Place {
                    entry,
                    bits,
                    #[cfg(loom)]
                    watch: self.watch,
                });
                if held.is_empty() {
                    // Elements are taken in their order, so none behind this one holds a slot.
                    break;
                }
            }
        }
        survey
    }

    /// Returns whether no vacant element is before a taken one, so that a walk may end at the first
    /// vacant one.
    fn is_in_order(&self) -> bool {
        // From behind: an element was taken after all those before it were.
        let mut taken = self.entries().iter().rev().map(|entry| !unpack(entry.load(Acquire)).is_empty());
        taken.by_ref().find(|&taken| taken);
        taken.all(|taken| taken)
    }

    /// Puts a slot whose second is closing in a window of `window` seconds.
    pub(crate) fn put(&self, operation: Operation, slot: Slot, window: u32) -> Result<(), PutError> {
        debug_assert!(!slot.is_empty() && self.is_in_order());
        'entries: loop {
            for entry in self.entries() {
                let bits = entry.load(Acquire);
                if bits & FROZEN != 0 {
                    return Err(PutError::Frozen);
                }
                let held = unpack(bits);
                // The other operation's elements are never taken, however old: each operation picks
                // by its own seconds.
                if !held.is_empty() && operation_of(bits) != operation {
                    continue;
                }
                let same = !held.is_empty() && held.second == slot.second;
                if same && held.count >= slot.count {
                    return Ok(());
                }
                if same || held.is_empty() || held.expired(slot.second, window) {
                    match entry.compare_exchange(bits, pack(operation, slot), AcqRel, Acquire) {
                        Ok(_) => return Ok(()),
                        // Another thread took it, perhaps for this second: the choice is made anew
                        // from the first element.
                        Err(_) => continue 'entries,
                    }
                }
            }
            return Err(PutError::Full);
        }
    }

    /// Makes every later put fail.
    pub(crate) fn freeze(&self) {
        for entry in self.entries() {
            entry.fetch_or(FROZEN, AcqRel);
        }
    }

    /// Returns all slots, of both operations.
    pub(crate) fn all(&self) -> impl Iterator<Item = (Operation, Slot)> + use<'g> {
        let all = self.entries().iter().map(|entry| entry.load(Acquire));
        all.map(|bits| (operation_of(bits), unpack(bits))).filter(|(_, slot)| !slot.is_empty())
    }

    /// Returns the count of an operation's slot of this second; 0: there is no such slot.
    pub(crate) fn count_in(&self, operation: Operation, second: u32) -> u32 {
        let wanted = pack(operation, Slot { second, count: 0 });
        let held = self.entries().iter().map(|entry| entry.load(Acquire) & !FROZEN);
        let counts = held.filter(|bits| bits & !COUNT == wanted).map(|bits| (bits & COUNT) as u32);
        counts.max().unwrap_or(0)
    }

    /// Returns the slots of one operation, in no order.
    pub(crate) fn slots(&self, operation: Operation) -> impl Iterator<Item = Slot> + use<'g> {
        self.entries()
            .iter()
            .map(|entry| entry.load(Acquire))
            .filter(move |&bits| operation_of(bits) == operation)
            .map(unpack)
            .filter(|slot| !slot.is_empty())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn check(history: History<'_>, held: &[(Operation, Slot)], operation: Operation, span: Closing) {
        let Closing { first, kept, closing } = span;
        let survey = history.survey(operation, span);
        let sum = |within: std::ops::Range<u32>| -> u64 {
            let own =
                held.iter().filter(|(whose, slot)| *whose == operation && within.contains(&slot.second));
            own.map(|(_, slot)| u64::from(slot.count)).sum()
        };
        assert_eq!((survey.sum, survey.gone), (sum(first..closing), sum(first..kept)), "{held:?}");
        let is_free = |&(whose, slot): &(Operation, Slot)| {
            whose == operation && (slot.second < first || slot.second == closing)
        };
        let free = held.iter().position(is_free).unwrap_or(held.len());
        assert!(std::ptr::eq(survey.place.unwrap().entry, &history.entries()[free]), "{held:?}");
    }

    /// Every history of three slots of these seconds, in every window that closes at one of them.
    #[test]
    fn a_survey_is_what_a_look_at_each_slot_finds() {
        let seconds = [0, 1, 2, 5, 9, u32::MAX - 2, u32::MAX - 1, u32::MAX];
        let slots = || {
            let all = Operation::ALL.into_iter().flat_map(move |operation| {
                seconds.map(|second| (operation, Slot::new(second, second % 7 + 1)))
            });
            all.map(Some).chain([None])
        };
        for (a, b, c) in slots().flat_map(|a| slots().flat_map(move |b| slots().map(move |c| (a, b, c)))) {
            let held: Vec<_> = [a, b, c].into_iter().flatten().collect();
            let array = History::create(4, || {}, held.iter().copied()).unwrap();
            // SAFETY: just made, and destroyed below.
            let history = unsafe { History::view(array, 4) };
            let windows = seconds.iter().flat_map(|&closing| [1, 2, 7].map(|window| (closing, window)));
            for (closing, window) in windows {
                let first = closing.saturating_sub(window);
                for kept in [first, first.saturating_add(1).min(closing), closing] {
                    for operation in Operation::ALL {
                        check(history, &held, operation, Closing { first, kept, closing });
                    }
                }
            }
            // SAFETY: no thread uses it any more.
            unsafe { History::destroy(array, 4) };
        }
    }
}
