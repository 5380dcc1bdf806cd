//! The notice that a filter is too small.
//!
//! A filter that is too small misses nothing, but warns of partitions that are not hot. Two numbers
//! show it: the filter's load, and records of partitions that had no room for a counter of their
//! own.

use crate::detector::Detector;
use crate::ledger::counters::Counters;
use crate::sys::epoch;
use crate::sys::sync::Relaxed;
use std::fmt;

/// The load, in thousandths, over which a filter is too small: other partitions alone then take
/// many cells to the level from which a partition is counted exactly.
pub(crate) const LOAD_MOST: u64 = 400;
/// The least time between two looks, in milliseconds.
const LOOK_MS: u64 = 1_000;

/// Says that a filter is too small for what it counts, so that warnings may be false. Displays as a
/// line for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Notice {
    /// How full the filter is, in thousandths: see
    /// [`Statistics::filter_load_permille`](crate::Statistics::filter_load_permille).
    pub filter_load_permille: u64,
    /// Records since the last notice whose partitions had no room to be counted exactly.
    pub kept_out: u64,
    /// The memory that there is, in bytes: see [`Builder::memory`](crate::Builder::memory).
    pub memory: u64,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filter_load_permille: load, kept_out, memory } = self;
        write!(
            f,
            "Hot partition memory is too small - {memory} bytes, load {}.{:03}",
            load / 1_000,
            load % 1_000
        )?;
        write!(f, " (at most 0.{LOAD_MOST}), {kept_out} records kept out")
    }
}

impl Detector {
    /// Returns a notice if the filter is too small, and none was returned within a warning
    /// interval. A program asks for it, and logs it, after it had a warning, and where it asks for
    /// statistics or metrics: a filter may be too full before it warns. Takes time in proportion to
    /// [`Builder::memory`](crate::Builder::memory), at most once a second.
    pub fn take_notice(&self) -> Option<Notice> {
        let filter = self.settings.filter.as_ref()?;
        let guard = &epoch::pin();
        let visit = self.visit(self.clock.now(), guard);
        let (due, now) = (self.counters.notice_due.load(Relaxed), visit.now.ms());
        if now < due {
            return None;
        }
        // One thread looks, once a second: to look costs as much as a notice.
        self.counters.notice_due.compare_exchange(due, now + LOOK_MS, Relaxed, Relaxed).ok()?;
        // The records that were kept out since the last look; the counter itself is never reset.
        let all = Counters::get(&self.counters.kept_out);
        let kept_out = all.saturating_sub(self.counters.noticed_kept_out.swap(all, Relaxed));
        let filter_load_permille = self.current.get(guard).filter_load_permille(visit);
        let memory = filter.budget.limit();
        let is_small = filter_load_permille > LOAD_MOST || kept_out > 0;
        if is_small {
            let interval = self.settings.timing.interval_ms.max(LOOK_MS);
            self.counters.notice_due.store(now + interval, Relaxed);
        }
        is_small.then_some(Notice { filter_load_permille, kept_out, memory })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_too_small_is_noticed_once_an_interval() {
        let detector = Detector::builder(100, 100, 60).memory(1 << 16).manual_clock().build().unwrap();
        assert_eq!(detector.take_notice(), None);
        detector.set_time_ms(60_000).unwrap();
        (0..100_000).for_each(|n: u32| _ = detector.record_write("t", n.to_string()).unwrap());
        let notice = detector.take_notice().unwrap();
        assert!(notice.filter_load_permille > LOAD_MOST && notice.memory == 1 << 16);
        assert_eq!(notice.kept_out, detector.statistics().kept_out);
        let line = "Hot partition memory is too small - 65536 bytes, load 1.5";
        assert!(Notice { filter_load_permille: 1_500, kept_out: 7, ..notice }.to_string().starts_with(line));
        assert_eq!(detector.take_notice(), None);
        detector.set_time_ms(240_000).unwrap();
        assert_eq!(detector.take_notice(), None, "all is over by then");
        // A look that finds nothing takes no notice's place.
        detector.set_time_ms(241_000).unwrap();
        (0..100_000).for_each(|n: u32| _ = detector.record_write("t", n.to_string()).unwrap());
        assert!(detector.take_notice().is_some());
    }

    #[test]
    fn without_a_filter_there_is_nothing_to_notice() {
        assert_eq!(Detector::new(1, 1, 60).unwrap().take_notice(), None);
    }
}
