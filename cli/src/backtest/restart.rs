//! A restart: a second detector, which begins anew with the period.
//!
//! The library tells of a partition's first throttle, and then of the first in each interval. So a
//! detector that has seen a throttle before the period may be silent about the first one in it. A
//! restart forgets everything when the period begins, but for the keys of tables, which it has
//! learnt from the exchanges before. It tells the period's throttles, and what became of its
//! records. Accesses that were done say nothing of either, and are not recorded here.

use crate::args::Inputs;
use crate::backtest::trial::{Shared, listening};
use crate::entry::{Access, Entry, Event};
use crate::feed::Feed;
use crate::thresholds::When;
use anyhow::Result;
use hotpart::{Detector, Rule, Statistics};
use std::sync::Arc;

pub struct Restart {
    detector: Detector,
    feed: Feed,
    from_ms: u64,
    /// The statistics when the period began; `None` before.
    begun: Option<Statistics>,
}

impl Restart {
    pub fn new(when: &When, inputs: &Inputs, from_ms: u64, shared: &Arc<Shared>) -> Result<Self> {
        let builder = when.builder()?.warn_of_throttles(true);
        let detector = listening(builder, when, inputs, shared, |rule| rule == Rule::Throttle)?;
        Ok(Self { detector, feed: Feed::new(when.measure()), from_ms, begun: None })
    }

    /// Returns what feeds it. Its numbers are of the period alone, once that has begun.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Notes an entry.
    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<()> {
        if entry.time_ms() >= self.from_ms {
            self.begin()?;
        }
        if let Entry::Access(Access { event: Event::Done, .. }) = entry {
            return Ok(());
        }
        self.feed.timed(&self.detector, entry).map(drop)
    }

    /// Forgets everything but the keys of tables, once.
    fn begin(&mut self) -> Result<Statistics> {
        if let Some(begun) = self.begun {
            return Ok(begun);
        }
        self.detector.clear()?;
        self.feed.begin_anew();
        Ok(*self.begun.insert(self.detector.statistics()))
    }

    /// Returns the feed, and statistics of which throttles and unread operations are of the period
    /// alone.
    pub fn finish(mut self) -> Result<(Feed, Statistics)> {
        let begun = self.begin()?;
        // Without memory for it, the output says that some operations wait, but not how many.
        let _ = self.feed.finish(&self.detector);
        let mut statistics = self.detector.statistics();
        statistics.throttles.iter_mut().zip(begun.throttles).for_each(|(n, before)| *n -= before);
        statistics.unread -= begun.unread;
        self.feed.unread_operations = self.feed.unread_operations.map(|n| n - begun.unread);
        Ok((self.feed, statistics))
    }
}
