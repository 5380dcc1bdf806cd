//! The most demand that a partition can have which is not in a list. With it, what a list lacks is
//! bounded.
//!
//! A reader who adds up the lists of many processes knows a partition's demand in all of them to
//! lie between two numbers: the sum over those that list it, and that sum with this number added
//! for each that does not. (This is Fagin's threshold algorithm, with a threshold of each process's
//! own.)
//!
//! An example: three processes list all partitions with 100 or more. A key is at 120 and 130 in two
//! of them, and not listed in the third, whose most is 99. Its demand is between 250 and 349.

use crate::detector::Detector;
use crate::error::Error;
use crate::operation::Operation;
use crate::sys::epoch;

impl Detector {
    /// Returns the most demand that any partition can have which is not listed. `met` is the most
    /// of those that the walk has met and not listed. `None` where partitions are replaced at a
    /// bound: the demand of those that went is not known.
    pub(crate) fn unlisted_most(&self, operation: Operation, met: u64) -> Result<Option<u64>, Error> {
        if self.settings.max_partitions != 0 {
            return Ok(None);
        }
        if !self.is_filtered() {
            return Ok(Some(met));
        }
        let guard = epoch::pin();
        let visit = self.visit(self.clock.now(), &guard);
        let hidden = self.current.with(&guard, |ledger| Ok(ledger.hidden_most(operation, visit)?))?;
        // Throttles of a partition that was kept out are kept out too, and count as much again.
        let throttles = if self.has_throttles() { hidden.kept_out } else { 0 };
        let kept_out = hidden.kept_out + throttles * u64::from(self.settings.measure.one());
        Ok(Some(met.max(hidden.cold).max(kept_out)))
    }

    /// Returns the greatest level from which a partition of any table is counted exactly; 0 without
    /// a filter.
    pub(crate) fn greatest_level(&self, operation: Operation) -> Result<u64, Error> {
        let guard = epoch::pin();
        let visit = self.visit(self.clock.now(), &guard);
        let level =
            self.current.with(&guard, |ledger| Ok(ledger.greatest_level_of_all(operation, visit)?))?;
        Ok(level.into())
    }
}
