//! A trial: one detector under thresholds, to which a log is replayed.

use crate::args::Inputs;
use crate::backtest::heard::Heard;
use crate::entry::Entry;
use crate::feed::Feed;
use crate::session;
use crate::thresholds::When;
use anyhow::Result;
use hotpart::{Detector, Notice, Statistics};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// The part of a trial that the callback sees.
struct Shared {
    /// The time of the entry that is being recorded.
    time_ms: AtomicU64,
    heard: Mutex<Heard>,
}

/// A detector and its listener.
pub struct Trial {
    pub detector: Detector,
    feed: Feed,
    shared: Arc<Shared>,
}

/// The result of a trial.
pub struct Tried {
    pub heard: Heard,
    pub feed: Feed,
    pub statistics: Statistics,
    /// The notice that memory is too small, if it is.
    pub notice: Option<Notice>,
}

impl Trial {
    /// Makes a trial. If `keeps_warnings`, every warning is kept; else only their numbers are.
    pub fn new(when: &When, inputs: &Inputs, keeps_warnings: bool) -> Result<Self> {
        let heard = Mutex::new(Heard::new(keeps_warnings));
        let shared = Arc::new(Shared { time_ms: AtomicU64::new(0), heard });
        let listener = Arc::clone(&shared);
        let mut builder = when.builder()?.warn_of_throttles(true).on_warning(move |warning| {
            let mut heard = listener.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.hear(listener.time_ms.load(Relaxed), warning);
        });
        if let Some(memory) = inputs.memory {
            builder = builder.memory(memory);
        }
        let detector = builder.build()?;
        session::describe(inputs, &detector)?;
        when.set(&detector)?;
        Ok(Self { detector, feed: Feed::new(when.measure()), shared })
    }

    /// Returns what feeds it.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Records an entry, and returns its count as [`Feed::timed`] does.
    pub fn entry(&mut self, entry: &Entry<'_>) -> Result<Option<u64>> {
        self.shared.time_ms.store(entry.time_ms(), Relaxed);
        self.feed.timed(&self.detector, entry)
    }

    pub fn finish(self) -> Tried {
        let Self { detector, mut feed, shared } = self;
        // Without memory for it, the output says that some operations wait, but not how many.
        let _ = feed.finish(&detector);
        let (statistics, notice) = (detector.statistics(), detector.take_notice());
        drop(detector);
        let shared = Arc::into_inner(shared).expect("the detector had the other one");
        let heard = shared.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        Tried { heard, feed, statistics, notice }
    }
}
