//! Many records in one call: one look at the clock and one pin for several, and no record waits for memory that
//! the one before it could have asked for.

use crate::detector::Detector;
use crate::epoch;
use crate::error::Error;
use crate::ledger::{Posting, Quick};
use crate::record::Record;
use crate::recording::Delivery;
use crate::warning::Warning;

/// Records that are under way at once. More would not fit the loads that a core has in flight.
const CHUNK: usize = 16;

impl Detector {
    /// Records all of `records`, or none if one of them is not valid. Warnings go to the callback. Returns how
    /// many were recorded: fewer than there are if memory ran out on the way.
    ///
    /// # Errors
    /// As [`Detector::record`]; [`Error::Memory`] if it ran out at the first.
    pub fn record_batch(&self, records: &[Record<'_>]) -> Result<usize, Error> {
        self.record_each(records.len(), |i| Ok(records[i]))
    }

    /// The same, for records that `nth` yields, or refuses as not valid.
    pub(crate) fn record_each<'a, E: From<Error>>(
        &self,
        n: usize,
        nth: impl Fn(usize) -> Result<Record<'a>, E>,
    ) -> Result<usize, E> {
        for i in 0..n {
            nth(i)?.check()?;
        }
        let mut done = 0;
        while done < n {
            let len = CHUNK.min(n - done);
            let now = self.clock.now();
            let mut postings = [self.posting(&nth(done)?, now)?; CHUNK];
            for (i, posting) in postings[..len].iter_mut().enumerate().skip(1) {
                *posting = self.posting(&nth(done + i)?, now)?;
            }
            match self.post_all(&postings[..len]) {
                Ok(()) => done += len,
                Err((posted, refused)) => {
                    done += posted;
                    return if done > 0 { Ok(done) } else { Err(refused.into()) };
                }
            }
        }
        Ok(n)
    }

    /// Records all of these, or as many as it says with the error.
    fn post_all(&self, postings: &[Posting<'_>]) -> Result<(), (usize, Error)> {
        let mut done = 0;
        while done < postings.len() {
            let (posted, warning) = self.post_until_warning(&postings[done..]);
            done += posted;
            // Nothing is pinned while the callback runs.
            if let Some(warning) = warning.map_err(|refused| (done, refused))? {
                self.call_back(&warning);
            }
        }
        Ok(())
    }

    /// Records until one warns, or is refused. Returns how many were recorded.
    fn post_until_warning<'a>(
        &self,
        postings: &[Posting<'a>],
    ) -> (usize, Result<Option<Warning<'a>>, Error>) {
        let guard = epoch::pin();
        let ledger = self.current.get(&guard);
        ledger.fetch(postings, &guard);
        for (i, posting) in postings.iter().enumerate() {
            let posted = match ledger.post_quickly(*posting, &self.terms, &guard) {
                Quick::Done(_) => continue,
                Quick::Counted(partition, count) => Some((partition, count)),
                Quick::Not => None,
            };
            match self.finish(ledger, posted, posting, Delivery::Callback, &guard) {
                Ok((_, None)) => {}
                Ok((_, warning)) => return (i + 1, Ok(warning)),
                Err(refused) => return (i, Err(refused)),
            }
        }
        (postings.len(), Ok(None))
    }
}
