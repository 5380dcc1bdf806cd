//! All partitions of a span that is over, handed over one after another. It serves programs that
//! add up all of them, and need neither an order nor copies.

use crate::detector::Detector;
use crate::detector::closed_span::Seconds;
use crate::error::{Error, Refusal};
use crate::key::Key;
use crate::key::synthetic::{self, Kind, with_synthetic_key};
use crate::ledger::Ledger;
use crate::ledger::visit::Visit;
use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::series::Series;
use crate::reason::Reason;
use std::ops::Range;

/// One partition's counts in a span of seconds that is over. Arrays are by operation, in the order
/// of [`Operation::ALL`]. In capacity mode all numbers but throttles are in half units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClosedCounts<'a> {
    /// The table.
    pub table: &'a [u8],
    /// The partition-key value.
    pub pk: &'a [u8],
    /// The counts in the span.
    pub counts: [u64; 2],
    /// The fullest second of each operation in the span.
    pub peaks: [u64; 2],
    /// Throttles for the key range in the span.
    pub throttles: [u64; 2],
}

impl Detector {
    /// Calls `fold` with every partition that had anything in a span of the clock's seconds, which
    /// must be over and still in the window. They come in no order. Returns what `fold` has made of
    /// a value of `new`. If the detector is cleared meanwhile, it begins anew with another. Other
    /// threads may record; `fold` must not call the detector. Takes time in proportion to the
    /// partitions tracked.
    ///
    /// ```
    /// # use hotpart::Detector;
    /// let detector = Detector::builder(500, 1_500, 60).manual_clock().build()?;
    /// detector.record_write("events", "EVENTS")?;
    /// detector.record_read("events", "EVENTS")?;
    /// detector.set_time_ms(10_000)?;
    /// let sum = detector.fold_closed_in(0..10, || 0, |sum, of| *sum += of.counts[0] + of.counts[1])?;
    /// assert_eq!(sum, 2);
    /// # Ok::<(), hotpart::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Detector::hottest_closed_in`].
    pub fn fold_closed_in<T>(
        &self,
        seconds: Range<u64>,
        new: impl Fn() -> T,
        fold: impl Fn(&mut T, ClosedCounts<'_>),
    ) -> Result<T, Error> {
        if self.is_filtered() {
            return Err(Error::Unsupported);
        }
        let seconds = self.closed_seconds(&seconds)?;
        let throttled = self.has_throttles();
        let mut so_far = new();
        self.scan(
            &mut so_far,
            |so_far| *so_far = new(),
            |_, _| {},
            |so_far, ledger, visit, found| {
                if let Some(counts) = self.closed_counts(ledger, visit, found, seconds, throttled)? {
                    fold(so_far, counts);
                }
                Ok(())
            },
        )?;
        self.check_in_window(seconds)?;
        Ok(so_far)
    }

    /// Returns the counts of the partition to which an entry belongs, if it had any and this is the
    /// entry to tell them: its own or, if it has none, that of its throttles.
    fn closed_counts<'g>(
        &self,
        ledger: &Ledger,
        visit: Visit<'g>,
        found: Partition<'g>,
        seconds: Seconds,
        throttled: bool,
    ) -> Result<Option<ClosedCounts<'g>>, Refusal> {
        let span = |series: Series<'_>| series.span(seconds.first, seconds.last, visit.now.second());
        let is_own = !synthetic::is_synthetic(found.key());
        let key = if is_own { Some(found.key()) } else { synthetic::throttled_key(found.key()) };
        let Some(key) = key else { return Ok(None) };
        // A partition that has an entry of its own is told by that, with its throttles.
        let is_there = |key: Key<'_>| ledger.look(key, self.settings.hashing.key(key), visit, |_| Some(()));
        if !is_own && is_there(key)?.is_some() {
            return Ok(None);
        }
        let Key { table, pk } = key;
        let mut of = ClosedCounts { table, pk, counts: [0; 2], peaks: [0; 2], throttles: [0; 2] };
        for operation in Operation::ALL {
            let i = operation.index();
            if is_own {
                // An entry that has moved tells nothing any more: its copy does.
                (of.counts[i], of.peaks[i]) = match span(found.series(operation, visit.window(), visit.guard))
                {
                    Some(counted) => counted,
                    None => self.read(ledger, visit, key, operation, span)?,
                };
            }
            if throttled {
                (of.throttles[i], _) =
                    with_synthetic_key(Kind::Throttle(Reason::KeyRange), key, |synthetic| {
                        self.read(ledger, visit, synthetic, operation, span)
                    })?;
            }
        }
        Ok((of.counts != [0; 2] || of.throttles != [0; 2]).then_some(of))
    }
}
