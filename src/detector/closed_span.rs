//! The hottest partitions of a minute, or another span, that is over: for logs whose lines are
//! added up.
//!
//! A count of the window slides, so two counts of it have records in common, and their sum has
//! these twice. A minute of the detector's clock does not slide. Its slots, one a second, are in no
//! other minute, and once it is over they do not change. So the lines of all minutes, with the sum
//! of all partitions that are not listed, add up to what was recorded.
//!
//! ```text
//! seconds  0         60        120       180
//!          | minute 0| minute 1| minute 2|
//!                              ^ 125: a window of 120 s has minute 1 whole, of minute 0 the end
//! ```

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::hot_partition::HotPartition;
use crate::detector::top::{Choice, Sample, Top};
use crate::error::{Error, Refusal};
use crate::key::Key;
use crate::key::synthetic::{self, Kind, with_synthetic_key};
use crate::operation::Operation;
use crate::partition::series::Series;
use crate::reason::Reason;
use crate::sys::epoch;
use std::ops::Range;

/// The seconds of a minute.
const MINUTE: u64 = 60;
/// The least window of which minutes are asked for. A minute is asked for once it is over; with
/// this window its first second stays in the window for another minute.
pub(crate) const CLOSED_WINDOW: u32 = 2 * MINUTE as u32;

/// The hottest partitions of a span of seconds that is over, and all others together. In capacity
/// mode all numbers are in half units.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosedSpan {
    /// The partitions with the most demand in the span, the most first.
    pub hottest: Vec<HotPartition>,
    /// The sum of the counts that all other partitions had in the span.
    pub rest: u64,
}

/// A span of seconds, of which both are a part.
#[derive(Clone, Copy)]
pub(crate) struct Seconds {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Seconds {
    /// Returns the seconds of a range; `None` if it has none, or the clock does not have all of
    /// them.
    fn of(range: &Range<u64>) -> Option<Self> {
        let [first, last] = [range.start, range.end.checked_sub(1)?].map(u32::try_from);
        let (first, last) = (first.ok()?, last.ok()?);
        (first <= last).then_some(Self { first, last })
    }
}

impl Detector {
    /// Returns the `n` partitions with the most demand in one minute of the detector's clock that
    /// is over, and the sum of all others. Minute 0 is the clock's first sixty seconds. Takes time
    /// in proportion to the partitions tracked.
    ///
    /// Ask for a minute some seconds after its end: a call that read the clock in the minute and
    /// has not returned yet may be in neither this minute nor the next. With a window of 120
    /// seconds, ask within a minute from its end: later, its first seconds have left the window.
    ///
    /// Operations that wait for a table's key count in the second in which they were observed. If
    /// its minute has been asked for by then, no answer has them. So declare keys, or observe the
    /// tables' descriptions, before traffic.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the window is shorter than 120 seconds, or memory is bounded by
    /// [`Builder::memory`](crate::Builder::memory); [`Error::Invalid`] for a minute that is not
    /// over yet, or began longer ago than the window; [`Error::Memory`].
    pub fn hottest_closed(&self, operation: Operation, minute: u64, n: usize) -> Result<ClosedSpan, Error> {
        if self.window_seconds() < CLOSED_WINDOW || self.is_filtered() {
            return Err(Error::Unsupported);
        }
        let first = minute.checked_mul(MINUTE).ok_or(Error::Invalid(Argument::Minute))?;
        self.hottest_closed_in(operation, first..first.saturating_add(MINUTE), n)
    }

    /// Returns the same for any span of the clock's seconds that is over and still in the window.
    /// ([`Error::Invalid`] says of it too that the minute is not valid.)
    ///
    /// ```
    /// # use hotpart::{Detector, Operation};
    /// let detector = Detector::builder(500, 1_500, 60).manual_clock().build()?;
    /// detector.record_write("events", "EVENTS")?;
    /// detector.set_time_ms(10_000)?;
    /// let closed = detector.hottest_closed_in(Operation::Write, 0..10, 5)?;
    /// assert_eq!((closed.hottest[0].count, closed.rest), (1, 0));
    /// # Ok::<(), hotpart::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unsupported`] if memory is bounded by [`Builder::memory`](crate::Builder::memory);
    /// [`Error::Invalid`] for a span that has no second, is not over yet, or began longer ago than
    /// the window; [`Error::Memory`].
    pub fn hottest_closed_in(
        &self,
        operation: Operation,
        seconds: Range<u64>,
        n: usize,
    ) -> Result<ClosedSpan, Error> {
        if self.is_filtered() {
            return Err(Error::Unsupported);
        }
        let seconds = self.closed_seconds(&seconds)?;
        let closed = self.closed(operation, seconds, n)?;
        self.check_in_window(seconds)?;
        Ok(closed)
    }

    /// Returns the fullest second of a partition in a span of the clock's seconds, and its count;
    /// the first of several that are equal. The span must be over and still in the window. `None`:
    /// the partition had nothing in it. Where memory is bounded, only what is counted exactly is
    /// looked at.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad table or key, or a bad span as for
    /// [`Detector::hottest_closed_in`]; [`Error::Memory`].
    pub fn fullest_second(
        &self,
        table: impl AsRef<[u8]>,
        pk: impl AsRef<[u8]>,
        operation: Operation,
        seconds: Range<u64>,
    ) -> Result<Option<(u64, u64)>, Error> {
        let key = Key { table: table.as_ref(), pk: pk.as_ref() };
        key.check()?;
        let seconds = self.closed_seconds(&seconds)?;
        let guard = epoch::pin();
        let visit = self.visit(self.clock.now(), &guard);
        let fullest = |series: Series<'_>| series.fullest_in(seconds.first, seconds.last, visit.now.second());
        let fullest =
            self.current.with(&guard, |ledger| self.read(ledger, visit, key, operation, fullest))?;
        self.check_in_window(seconds)?;
        Ok((fullest.1 > 0).then_some(fullest))
    }

    /// Returns the seconds of a range, which must be over.
    pub(crate) fn closed_seconds(&self, range: &Range<u64>) -> Result<Seconds, Error> {
        let seconds = Seconds::of(range).ok_or(Error::Invalid(Argument::Minute))?;
        if self.clock.now().second() <= seconds.last {
            return Err(Error::Invalid(Argument::Minute));
        }
        Ok(seconds)
    }

    /// Checks, after a span has been read, that it was in the window all the while. A slot that
    /// leaves the window is taken for another second, and may have been read as that.
    pub(crate) fn check_in_window(&self, seconds: Seconds) -> Result<(), Error> {
        if self.clock.now().second().saturating_sub(seconds.first) > self.window_seconds() {
            return Err(Error::Invalid(Argument::Minute));
        }
        Ok(())
    }

    /// Chooses partitions by their demand in some seconds, and adds the others up.
    fn closed(&self, operation: Operation, seconds: Seconds, n: usize) -> Result<ClosedSpan, Error> {
        let (measure, throttled) = (self.settings.measure, self.has_throttles());
        let new = || (Top::new(Choice { n, least: 0 }, measure), 0);
        let mut so_far: (Top, u64) = new();
        self.scan(
            &mut so_far,
            |so_far| *so_far = new(),
            |_, _| {},
            |(top, all), ledger, visit, found| {
                let count_and_peak = |key: Key<'_>| {
                    let Seconds { first, last } = seconds;
                    let span = |series: Series<'_>| series.span(first, last, visit.now.second());
                    self.read(ledger, visit, key, operation, span)
                };
                let is_own = !synthetic::is_synthetic(found.key());
                let key = if is_own { Some(found.key()) } else { synthetic::throttled_key(found.key()) };
                let Some(key) = key else { return Ok(()) };
                let (count, peak) = count_and_peak(key)?;
                // A partition has one entry of its own. One that was throttled is met by the entry
                // of its throttles too.
                *all += if is_own { count } else { 0 };
                let mut throttles = 0;
                if throttled {
                    let kind = Kind::Throttle(Reason::KeyRange);
                    (throttles, _) = with_synthetic_key(kind, key, count_and_peak)?;
                }
                let demand = count + throttles * u64::from(measure.one());
                let is_throttled = throttles > 0;
                let sample = Sample { key, count, throttles, is_throttled, demand, peak, carried: 0 };
                top.add(sample, operation).map_err(|_| Refusal::Memory)
            },
        )?;
        let (mut top, all) = so_far;
        top.truncate();
        let listed: u64 = top.candidates.iter().map(|hot| hot.count).sum();
        Ok(ClosedSpan { hottest: top.candidates, rest: all.saturating_sub(listed) })
    }
}
