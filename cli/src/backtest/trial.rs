//! A trial: one detector under thresholds, to which a log is replayed.
//!
//! Where a period is judged, what comes before it is recorded as well. So counts and intervals are
//! those of the whole log; only what is heard begins with the period, and what is told of its
//! throttles and records, which a [restart] knows.
//!
//! [restart]: Restart

use crate::args::Inputs;
use crate::backtest::heard::{Beginning, Heard};
use crate::backtest::restart::Restart;
use crate::entry::Entry;
use crate::feed::Feed;
use crate::session;
use crate::thresholds::When;
use anyhow::Result;
use hotpart::{Builder, Detector, Notice, Rule, Statistics};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The part of a trial that the callback sees.
pub struct Shared {
    /// The time of the entry that is being recorded.
    time_ms: AtomicU64,
    heard: Mutex<Heard>,
}

/// Builds a detector whose warnings of some rules are heard.
pub fn listening(
    builder: Builder,
    when: &When,
    inputs: &Inputs,
    shared: &Arc<Shared>,
    is_heard: impl Fn(Rule) -> bool + Send + Sync + 'static,
) -> Result<Detector> {
    let listener = Arc::clone(shared);
    let mut builder = builder.on_warning(move |warning| {
        if is_heard(warning.rule) {
            let mut heard = listener.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.hear(listener.time_ms.load(Relaxed), warning);
        }
    });
    if let Some(memory) = inputs.memory {
        builder = builder.memory(memory);
    }
    let detector = builder.build()?;
    session::describe(inputs, &detector)?;
    when.set(&detector)?;
    Ok(detector)
}

/// A detector and its listener.
pub struct Trial {
    pub detector: Detector,
    feed: Feed,
    restart: Option<Restart>,
    shared: Arc<Shared>,
}

/// The result of a trial.
pub struct Tried {
    pub heard: Heard,
    /// The feed, with numbers of the period alone.
    pub feed: Feed,
    /// Numbers of which throttles and unread operations are of the period alone.
    pub statistics: Statistics,
    /// The notice that memory is too small, if it is.
    pub notice: Option<Notice>,
}

impl Trial {
    /// Makes a trial of the log from `from` on, if that is given. If `keeps_warnings`, every
    /// warning is kept; else only their numbers are.
    pub fn new(when: &When, inputs: &Inputs, from: Option<u64>, keeps_warnings: bool) -> Result<Self> {
        let builder = when.builder()?;
        let mut beginning = Beginning::default();
        if let Some(from_ms) = from {
            beginning = Beginning { from_ms, interval_ms: when.interval_ms() };
        }
        let heard = Mutex::new(Heard::new(keeps_warnings, beginning));
        let shared = Arc::new(Shared { time_ms: AtomicU64::new(0), heard });
        let builder = builder.warn_of_throttles(from.is_none());
        let detector = listening(builder, when, inputs, &shared, |_| true)?;
        let restart = from.map(|from_ms| Restart::new(when, inputs, from_ms, &shared)).transpose()?;
        Ok(Self { detector, feed: Feed::new(when.measure()), restart, shared })
    }

    /// Returns what feeds it with the entries of the period.
    pub fn feed(&self) -> &Feed {
        self.restart.as_ref().map_or(&self.feed, Restart::feed)
    }

    /// Records an entry, and returns its count as [`Feed::timed`] does.
    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<Option<u64>> {
        self.shared.time_ms.store(entry.time_ms(), Relaxed);
        let count = self.feed.timed(&self.detector, entry)?;
        if let Some(restart) = &mut self.restart {
            restart.entry(entry)?;
        }
        Ok(count)
    }

    pub fn finish(self) -> Result<Tried> {
        let Self { detector, mut feed, restart, shared } = self;
        let notice = detector.take_notice();
        let statistics = match restart {
            Some(restart) => {
                let statistics;
                (feed, statistics) = restart.finish()?;
                statistics
            }
            None => {
                // Without memory for it, the output says that some operations wait, but not how
                // many.
                let _ = feed.finish(&detector);
                detector.statistics()
            }
        };
        drop(detector);
        let shared = Arc::into_inner(shared).expect("the detectors had the other ones");
        let heard = shared.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Tried { heard, feed, statistics, notice })
    }
}
