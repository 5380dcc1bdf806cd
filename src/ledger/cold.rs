//! Cold counting: the filter, and all else that a record of a cold key needs. It outlives every
//! clear. So such a record uses nothing that could be freed: it pins nothing, and saves a pin's
//! cost.
//!
//! A clear empties all cells at one moment, by one word. It begins a new *generation*, in which
//! sub-windows have numbers that are three higher. Three lanes are all that a cell has, so whatever
//! was added before is over at once, as if three sub-windows had passed.
//!
//! ```text
//! second         0 - 29 | 30 - 59 | 60 - 89 | 90 - 119     sub-windows of 30 seconds
//! generation 0      0   |    1    |    2    |
//! generation 1          |         |  2 + 3  |  3 + 3       cleared in second 75
//! ```
//!
//! The generation and the levels are one word, so that a clear changes both at once. A level is the
//! bound from which a partition may get an entry ([`crate::ledger::filtering`]):
//!
//! ```text
//!  63            32 31             16 15            0
//! +----------------+-----------------+---------------+
//! |   generation   | level of writes | level of reads|
//! +----------------+-----------------+---------------+
//! ```
//!
//! A clear puts a new ledger in place of the old one, and then begins the new one's generation. In
//! between another thread may find the new ledger. It begins the generation itself before it does
//! anything else. So the word's change is the moment of the clear, for cells and map alike.
//!
//! ```text
//! clear     swaps in ledger 1 |                         | generation is 1 already
//! record                      | finds ledger 1, begins generation 1
//! ```
//!
//! **Why a record needs no pin.** It reads the generation, adds to both cells, and reads the level.
//!
//! | meanwhile | then |
//! |---|---|
//! | nothing | it is done, if its bound is under the level |
//! | a clear | its additions are over, so it comes before the clear |
//! | a clear, and a cell has moved on | it records again, with a pin |
//! | thresholds were set | it judges by the new level |
//! | its key was promoted | the first cell had a mark at the addition: it records with a pin |
//!
//! **Invariants.**
//! 1. No call uses a ledger before its generation has begun.
//! 2. The level is no higher than that of any threshold in force.
//! 3. No cell has a sub-window of a generation that has not begun.
//!
//! **Proof.** `src/models/filtering.rs` (n), `src/models/cleared.rs` (p); `tests/bounded`.

use crate::error::OutOfMemory;
use crate::filter::word::SubWindow;
use crate::filter::{Filter, held_seconds};
use crate::key::hash::Hash;
use crate::ledger::recent_warnings::RecentWarnings;
use crate::operation::Operation;
use crate::partition::amount::Amount;
use crate::sys::clock::Moment;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64, Relaxed};
use std::fmt;

/// The highest level. Every bound up to it can be told: a lane that is full says more.
const LEVEL_MAX: u64 = 1 << 15;
/// The largest threshold that is multiplied, so that the product fits. Its level is the highest.
const THRESHOLD_MOST: u64 = 1 << 40;

/// The filter of a detector, and the numbers that a record of a cold key goes by.
pub(crate) struct Cold {
    pub(crate) filter: Filter,
    /// The generation and the levels, a [`State`].
    state: AtomicU64,
    /// The levels that the detector's own thresholds give.
    own_levels: [u32; 2],
    /// The stamp of the time from which records of cold keys look whether a step of reclaim is due.
    due: AtomicU64,
    permille: u32,
    window: u32,
    /// The last warnings about partitions that were kept out.
    pub(crate) recent_warnings: RecentWarnings,
}

/// A generation and its levels, in one word.
#[derive(Clone, Copy)]
struct State(u64);

/// A record that was not done by looking at its cells alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCold {
    /// Not recorded: the cells did not take it at once.
    NotAdded,
    /// Recorded in the cells, in this generation. The bound is at the level, or a step of reclaim
    /// is due.
    Bounded { bound: u32, generation: u32 },
}

impl State {
    fn new(generation: u32, levels: [u32; 2]) -> Self {
        Self(u64::from(generation) << 32 | u64::from(levels[0]) << 16 | u64::from(levels[1]))
    }

    #[inline(always)]
    fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    fn level(self, operation: Operation) -> u32 {
        (self.0 >> (16 * (1 - operation.index()))) as u32 & 0xFFFF
    }

    fn levels(self) -> [u32; 2] {
        Operation::ALL.map(|operation| self.level(operation))
    }
}

impl Cold {
    /// Makes a filter of two rows of `row` cells. `floors`: the numbers of writes and reads that no
    /// threshold of the detector's own is under.
    pub(crate) fn try_new(
        row: u32,
        permille: u32,
        window: u32,
        floors: [u64; 2],
    ) -> Result<Self, OutOfMemory> {
        let own_levels = floors.map(|floor| level(floor, permille));
        Ok(Self {
            filter: Filter::try_new(row, window)?,
            state: AtomicU64::new(State::new(0, own_levels).0),
            own_levels,
            due: AtomicU64::new(0),
            permille,
            window,
            recent_warnings: RecentWarnings::new(),
        })
    }

    /// Returns how many bytes it takes, with its cells.
    pub(crate) fn bytes(&self) -> u64 {
        size_of::<Self>() as u64 + self.filter.size()
    }

    /// Records an amount in the cells, and returns the bound if nothing is left to do.
    #[inline(always)]
    pub(crate) fn record(
        &self,
        hash: Hash,
        operation: Operation,
        amount: Amount,
        now: Moment,
    ) -> Result<u64, NotCold> {
        let generation = self.state().generation();
        let at = self.filter.sub_window(now.second(), generation);
        let Some(bound) = self.filter.pair(hash, operation).add_fast(at, amount.get()) else {
            return Err(NotCold::NotAdded);
        };
        let is_done = bound < self.state().level(operation) && now.stamp() < self.due.load(Relaxed);
        if is_done { Ok(bound.into()) } else { Err(NotCold::Bounded { bound, generation }) }
    }

    #[inline(always)]
    fn state(&self) -> State {
        State(self.state.load(Acquire))
    }

    /// Returns the generation.
    #[inline(always)]
    pub(crate) fn generation(&self) -> u32 {
        self.state().generation()
    }

    /// Returns the sub-window of a moment in the present generation.
    #[inline(always)]
    pub(crate) fn at(&self, now: Moment) -> SubWindow {
        self.filter.sub_window(now.second(), self.generation())
    }

    /// Begins a generation, unless it has begun.
    #[inline]
    pub(crate) fn begin(&self, generation: u32) {
        let new = State::new(generation, self.own_levels);
        let begun = |state| (is_later(generation, State(state).generation())).then_some(new.0);
        // Read first: nearly always it has.
        if begun(self.state.load(Acquire)).is_some()
            && self.state.fetch_update(AcqRel, Acquire, begun).is_ok()
        {
            // The new ledger says when its first step is due.
            self.due.store(0, Relaxed);
        }
    }

    /// Sets the levels of a generation, unless that is over. `only_lower`: no level rises, as other
    /// threads may be lowering it.
    pub(crate) fn set_levels(&self, generation: u32, levels: [u32; 2], only_lower: bool) {
        let set = |state| {
            let (state, mut levels) = (State(state), levels);
            if only_lower {
                levels = [0, 1].map(|i| levels[i].min(state.levels()[i]));
            }
            (state.generation() == generation).then_some(State::new(generation, levels).0)
        };
        let _ = self.state.fetch_update(AcqRel, Acquire, set);
    }

    /// Notes when a step of reclaim is due.
    pub(crate) fn note_due(&self, due: u64) {
        if self.due.load(Relaxed) != due {
            self.due.store(due, Relaxed);
        }
    }

    /// Returns the level of a partition with this threshold: under it, no rule calls it hot.
    pub(crate) fn level(&self, threshold: u64) -> u32 {
        level(threshold, self.permille)
    }

    /// Returns for how many seconds at most the cells hold what is added now.
    pub(crate) fn held_seconds(&self) -> u32 {
        held_seconds(self.window)
    }
}

impl fmt::Debug for Cold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cold").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

/// Returns a share of a threshold, in thousandths, as a level.
fn level(threshold: u64, permille: u32) -> u32 {
    let share = threshold.min(THRESHOLD_MOST) * u64::from(permille) / 1_000;
    share.clamp(1, LEVEL_MAX) as u32
}

/// Returns whether a generation comes after another. Their numbers come round.
fn is_later(generation: u32, other: u32) -> bool {
    (generation.wrapping_sub(other) as i32) > 0
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::filter::Added;

    fn cold() -> Cold {
        Cold::try_new(1, 250, 60, [500, 1 << 40]).unwrap()
    }

    /// Records 4 at second 75, with care where the fast way does not.
    fn record(cold: &Cold) -> Result<u64, NotCold> {
        let (now, amount) = (Moment::from_ms(75_000), Amount::clamped(4));
        let pair = cold.filter.pair(Hash::new(7), Operation::Write);
        cold.note_due(u64::MAX);
        cold.record(Hash::new(7), Operation::Write, amount, now).or_else(|not_cold| match not_cold {
            NotCold::NotAdded => match pair.add(pair.look(), cold.at(now), 4, false) {
                Added::Bounded(bound) => Ok(bound.into()),
                other => panic!("{other:?}"),
            },
            bounded => Err(bounded),
        })
    }

    /// Fills the cells: after each clear all that was there is over, however often it is cleared.
    #[test]
    fn a_generation_finds_nothing_of_those_before() {
        let cold = cold();
        for generation in 1..3_000 {
            assert_eq!((record(&cold), record(&cold)), (Ok(4), Ok(8)));
            cold.begin(generation);
        }
    }

    /// Cells that no thread touches would come round after 341 clears, and their counts with them.
    #[test]
    fn what_is_cleared_never_comes_round() {
        let cold = cold();
        let at = || cold.at(Moment::from_ms(75_000));
        assert_eq!(record(&cold), Ok(4));
        for generation in 1..3_000 {
            cold.begin(generation);
            cold.filter.refresh(at);
            assert_eq!(cold.filter.most(at), 0, "{generation}");
        }
    }

    #[test]
    fn levels_are_those_of_the_generation() {
        let cold = cold();
        assert_eq!(cold.state().levels(), [125, 1 << 15]);
        cold.set_levels(0, [10, 20], false);
        cold.set_levels(0, [15, 15], true);
        assert_eq!(cold.state().levels(), [10, 15]);
        cold.begin(1);
        cold.set_levels(0, [1, 1], false);
        cold.begin(1);
        cold.begin(0);
        assert_eq!((cold.generation(), cold.state().levels()), (1, [125, 1 << 15]));
    }

    #[test]
    fn the_generation_after_the_last_is_0() {
        let cold = cold();
        for generation in [(1 << 30) + 1, (2 << 30) + 2, (3 << 30) + 3, u32::MAX, 0] {
            cold.begin(generation);
            cold.filter.refresh(|| cold.at(Moment::from_ms(75_000)));
            assert_eq!((cold.generation(), record(&cold)), (generation, Ok(4)));
        }
    }

    #[test]
    fn a_record_at_its_level_or_when_a_step_is_due_is_not_done() {
        let cold = cold();
        cold.set_levels(0, [5, 5], false);
        assert_eq!(record(&cold), Ok(4));
        assert_eq!(record(&cold), Err(NotCold::Bounded { bound: 8, generation: 0 }));
        cold.begin(1);
        assert_eq!(record(&cold), Ok(4));
        let now = Moment::from_ms(75_000);
        cold.note_due(now.stamp());
        let bounded = Err(NotCold::Bounded { bound: 5, generation: 1 });
        assert_eq!(cold.record(Hash::new(7), Operation::Write, Amount::ONE, now), bounded);
    }
}
