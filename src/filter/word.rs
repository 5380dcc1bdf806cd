//! A cell's word: a count of three sub-windows, the number of promoted keys that have the cell, and
//! the sub-window it is of.
//!
//! ```text
//!  63     54 53   48 47    32 31    16 15     0
//! +---------+-------+--------+--------+--------+
//! |   tag   | marks | lane 2 | lane 1 | lane 0 |
//! +---------+-------+--------+--------+--------+
//! ```
//!
//! The tag is the number of the newest sub-window, modulo 1,024. Lane 0 is the count of that
//! sub-window, lane 1 of the one before, lane 2 of the one before that. So a word expires by
//! itself: one whose tag is older is shifted when it is looked at. No thread sweeps.
//!
//! An example: a word of sub-window 7 with lanes 5, 3 and 2.
//!
//! | looked at in | lanes | bound |
//! |---|---|---|
//! | 7 | 5, 3, 2 | 10 |
//! | 8 | 0, 5, 3 | 8 |
//! | 9 | 0, 0, 5 | 5 |
//! | 10 | 0, 0, 0 | 0 |
//!
//! A lane counts to 2¹⁵ and is *full* then: its key may have any number. The bit above is room, as
//! blind additions, and marks that are taken off, may go a little further. They carry into nothing
//! as long as no more than 8,192 threads at once stand between their look at a cell and their blind
//! addition.
//!
//! A tag comes round after 1,024 sub-windows. A word that was untouched for half of that looks as
//! if it were ahead. The clock, read after the word, tells the two apart: no thread writes a
//! sub-window that is yet to come.

/// The number of a sub-window, modulo 1,024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SubWindow(u32);

/// The value of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(pub(crate) u64);

/// The lanes of a word, lane 0 lowest.
#[derive(Clone, Copy)]
pub(crate) struct Lanes(u64);

/// The lanes of a word.
pub(crate) const LANES: u32 = 3;
/// The bits of a lane.
const LANE: u32 = 16;
const LANE_BITS: u64 = 0xFFFF;
/// The count at which a lane is full.
const FULL: u64 = 1 << 15;
const LANES_BITS: u64 = (1 << (LANE * LANES)) - 1;
/// One mark.
const MARK: u64 = 1 << 48;
/// The bits of the marks, all set: the most that fit.
const MARKS: u64 = 63 * MARK;
/// The lowest bit of the tag.
const TAG: u32 = 54;
/// The numbers that a tag has.
const TAGS: u32 = 1 << 10;

/// The bound of a key with a full lane: more than any key has that is not promoted, unless there is
/// no room for it.
pub(crate) const MOST: u32 = u32::MAX;

/// The largest amount that is added blindly.
const BLIND: u32 = 4;

impl SubWindow {
    #[inline(always)]
    pub(crate) fn new(number: u32) -> Self {
        Self(number % TAGS)
    }

    /// Returns how many sub-windows later this one is. Negative: it is earlier. Half a circle
    /// counts as earlier.
    #[inline(always)]
    pub(crate) fn since(self, other: Self) -> i32 {
        let later = self.0.wrapping_sub(other.0) % TAGS;
        if later < TAGS / 2 { later as i32 } else { later as i32 - TAGS as i32 }
    }

    /// Returns the later of both.
    fn later(self, other: Self) -> Self {
        if other.since(self) > 0 { other } else { self }
    }
}

impl Word {
    /// Returns the sub-window that the word is of.
    #[inline(always)]
    pub(crate) fn sub_window(self) -> SubWindow {
        SubWindow((self.0 >> TAG) as u32)
    }

    /// Returns whether no lane has anything.
    pub(crate) fn is_empty(self) -> bool {
        self.0 & LANES_BITS == 0
    }

    /// Returns whether a promoted key has this as its first cell.
    #[inline(always)]
    pub(crate) fn has_marks(self) -> bool {
        self.0 & MARKS != 0
    }

    /// Returns whether both words have the same marks.
    pub(crate) fn has_marks_of(self, other: Self) -> bool {
        (self.0 ^ other.0) & MARKS == 0
    }

    /// Returns whether a small amount may be added blindly to both words of a pair at this
    /// sub-window: both are of it, neither has a full lane, and the first has no marks.
    #[inline(always)]
    pub(crate) fn take_blindly(first: Self, second: Self, at: SubWindow, amount: u32) -> bool {
        let head = u64::from(at.0) << TAG;
        // One comparison each: tag and marks of the first; its tag, of the second; the lanes; the
        // amount.
        ((first.0 ^ head) >> 48 == 0)
            & ((second.0 ^ head) >> TAG == 0)
            & ((first.0 | second.0) & FULL == 0)
            & (amount <= BLIND)
    }

    /// Returns whether amounts that were added to these words are in the lanes of this sub-window,
    /// and the key was not promoted before.
    #[inline(always)]
    pub(crate) fn took_blindly(first: Self, second: Self, at: SubWindow) -> bool {
        let head = u64::from(at.0) << TAG;
        ((first.0 ^ head) >> 48 == 0) & ((second.0 ^ head) >> TAG == 0)
    }

    /// Returns the lanes as a look at this sub-window finds them, without those that are over by
    /// then. The lanes of a word that is ahead are those of its own sub-window.
    #[inline(always)]
    fn lanes(self, at: SubWindow) -> Lanes {
        let lanes = self.0 & LANES_BITS;
        match at.since(self.sub_window()) {
            behind if behind <= 0 => Lanes(lanes),
            behind if behind < LANES as i32 => Lanes(lanes << (behind as u32 * LANE) & LANES_BITS),
            _ => Lanes(0),
        }
    }

    /// Returns whether this word is three sub-windows ahead or more: then either `at` is over for
    /// the word, or the word is of long ago.
    #[inline(always)]
    pub(crate) fn is_far_ahead(self, at: SubWindow) -> bool {
        at.since(self.sub_window()) <= -(LANES as i32)
    }

    /// Returns the word with `amount` more in the lane of a sub-window, and without the lanes that
    /// are over. A full lane stays so.
    pub(crate) fn with(self, at: SubWindow, amount: u32) -> Self {
        let ahead = self.sub_window().since(at);
        let (tag, lanes, lane) = if ahead <= 0 {
            (at, self.lanes(at), 0)
        } else {
            (self.sub_window(), self.lanes(self.sub_window()), ahead as u32)
        };
        if lane >= LANES {
            return self; // Over, when even the word's oldest lane is not.
        }
        let own = lanes.lane(lane);
        let more = if own >= FULL { own } else { (own + u64::from(amount)).min(FULL) };
        let rest = lanes.0 & !(LANE_BITS << (lane * LANE));
        Self(u64::from(tag.0) << TAG | self.0 & MARKS | rest | more << (lane * LANE))
    }

    /// Returns whether this word is ahead of a sub-window. Then that is over, or the word is of
    /// long ago.
    pub(crate) fn is_ahead(self, at: SubWindow) -> bool {
        at.since(self.sub_window()) < 0
    }

    /// Returns the word with `amount` more at a sub-window. `None`: the word is ahead of it.
    pub(crate) fn added(self, at: SubWindow, amount: u32) -> Option<Self> {
        (!self.is_ahead(at)).then(|| self.with(at, amount))
    }

    /// Returns the word as a look at this moment finds it, without the lanes that are over. A word
    /// that is ahead of the moment is of long ago, and all of it is over.
    pub(crate) fn refreshed(self, now: SubWindow) -> Self {
        if self.is_ahead(now) { Self(u64::from(now.0) << TAG | self.0 & MARKS) } else { self.with(now, 0) }
    }

    /// Returns the word with a mark more, unless it has the most.
    pub(crate) fn marked(self) -> Self {
        if self.0 & MARKS == MARKS { self } else { Self(self.0 + MARK) }
    }

    /// Returns the word, disturbed, with a mark less. It keeps the most that fit, as their number
    /// is not known then.
    pub(crate) fn unmarked(self) -> Self {
        let marks = self.0 & MARKS;
        let less = if marks == MARKS || marks == 0 { 0 } else { MARK };
        Self(self.0 - less).disturbed()
    }

    /// Returns the word with 1 more in lane 0, so that no later word is the one from before.
    pub(crate) fn disturbed(self) -> Self {
        Self(self.0 + u64::from(self.0 & LANE_BITS < LANE_BITS))
    }

    /// Returns the most that a key of these two cells can have in the window that ends in this
    /// sub-window: lane by lane the lesser. [`MOST`] if such a lane is full.
    #[inline(always)]
    pub(crate) fn bound(first: Self, second: Self, at: SubWindow) -> u32 {
        // Both words are looked at as of the newest sub-window that either has reached.
        let newest = |word: Self, at: SubWindow| {
            if word.is_far_ahead(at) { at } else { at.later(word.sub_window()) }
        };
        let at = newest(second, newest(first, at));
        let lanes = |word: Self| if word.is_far_ahead(at) { Lanes(0) } else { word.lanes(at) };
        lanes(first).least(lanes(second))
    }

    /// Does the same for two words of one sub-window.
    #[inline(always)]
    pub(crate) fn bound_of_same(first: Self, second: Self) -> u32 {
        Lanes(first.0 & LANES_BITS).least(Lanes(second.0 & LANES_BITS))
    }

    /// Returns the sum of all keys of this cell in the window. A word that is ahead of this moment
    /// is of long ago.
    pub(crate) fn sum(self, now: SubWindow) -> u64 {
        let lanes = if self.is_ahead(now) { Lanes(0) } else { self.lanes(now) };
        (0..LANES).map(|i| lanes.lane(i)).sum()
    }
}

impl Lanes {
    #[inline(always)]
    fn lane(self, i: u32) -> u64 {
        self.0 >> (i * LANE) & LANE_BITS
    }

    /// Returns the sum of the lesser of each two lanes.
    #[inline(always)]
    fn least(self, other: Self) -> u32 {
        let lane = |i| self.lane(i).min(other.lane(i)) as u32;
        let lanes = [lane(0), lane(1), lane(2)];
        let is_full = (lanes[0] | lanes[1] | lanes[2]) & FULL as u32 != 0;
        if is_full { MOST } else { lanes[0] + lanes[1] + lanes[2] }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn at(number: u32) -> SubWindow {
        SubWindow::new(number)
    }

    fn of(number: u32, amount: u32) -> Word {
        Word(0).refreshed(at(number)).with(at(number), amount)
    }

    /// A cell of long ago, whose tag has come round to just ahead, made the load that of the time
    /// when it was filled.
    #[test]
    fn a_cell_that_is_ahead_is_no_load() {
        let word = of(10, 7);
        assert_eq!([7, 8, 9, 10, 11, 12, 13].map(|now| word.sum(at(now))), [0, 0, 0, 7, 7, 7, 0]);
    }

    #[test]
    fn a_lane_is_over_when_three_sub_windows_have_passed() {
        let word = of(1_023, 5).added(at(1_024), 7).unwrap();
        let sums = [1_024, 1_025, 1_026, 1_027].map(|now| word.sum(at(now)));
        assert_eq!(sums, [12, 12, 7, 0]);
    }

    #[test]
    fn an_addition_of_an_earlier_sub_window_is_in_its_own_lane() {
        let word = of(7, 5).with(at(5), 3);
        assert_eq!((word.sum(at(7)), word.sum(at(8))), (8, 5));
        assert_eq!(of(7, 5).added(at(6), 3), None);
    }

    /// It was taken for one from the future, and the addition dropped.
    #[test]
    fn a_word_untouched_for_512_sub_windows_is_old_and_takes_an_addition() {
        for age in 3..1_022 {
            let word = of(3, 100).marked().refreshed(at(3 + age)).with(at(3 + age), 2);
            assert_eq!((word.sum(at(3 + age)), word.has_marks()), (2, true), "{age}");
        }
    }

    /// They overflowed into the tag.
    #[test]
    fn marks_stay_at_their_most() {
        let mut word = of(7, 5);
        (0..100).for_each(|_| word = word.marked());
        assert_eq!((word.sub_window(), word.sum(at(7))), (at(7), 5));
        (0..100).for_each(|_| word = word.unmarked());
        assert!(word.has_marks());
        let one = of(7, 5).marked().unmarked();
        assert_eq!((one.has_marks(), one.sum(at(7))), (false, 6));
    }

    #[test]
    fn a_full_lane_stays_full_and_says_the_most() {
        let full = of(7, 1 << 20);
        assert_eq!(full.with(at(7), 1 << 20), full);
        assert_eq!(Word::bound(full, full, at(8)), MOST);
        assert_eq!(Word::bound(full, of(7, 3), at(8)), 3);
        assert!(!Word::take_blindly(full, of(7, 3), at(7), 1));
        let mut bumped = full.marked();
        (0..1 << 17).for_each(|_| bumped = bumped.unmarked());
        assert_eq!((bumped.sub_window(), bumped.sum(at(7))), (at(7), LANE_BITS));
    }

    #[test]
    fn a_bound_is_of_one_sub_window_whatever_the_words_are_of() {
        // A key had 3 in sub-window 6 and 4 in 7; the second word has not been touched since, or is
        // one ahead.
        let first = of(6, 3).with(at(7), 4);
        assert_eq!(Word::bound(first, of(6, 9).with(at(7), 9), at(7)), 7);
        assert_eq!(Word::bound(first, of(6, 9), at(7)), 3);
        assert_eq!(Word::bound(first, of(6, 9).with(at(8), 9), at(7)), 3);
        assert_eq!(Word::bound(first, first, at(9)), 4);
    }
}
