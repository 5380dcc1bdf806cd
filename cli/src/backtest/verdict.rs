//! A verdict: how warnings and throttles go together.
//!
//! Of each partition and operation, the first warning in the log is set against the first throttle.
//! So a log of one bad night says most: in one of weeks a warning may be of another day than the
//! throttle, unless a period of it is judged. A warning that stood when the period began is the
//! first one: the thresholds did warn in time of a throttle that comes just after.

use crate::backtest::heard::{Heard, Series};

/// The number of partitions and operations, each pair counted by itself, that were throttled, and
/// whether a warning came before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Those that were warned of before their first throttle.
    pub caught: u64,
    /// Those that were throttled and not warned of before.
    pub missed: u64,
    /// Those that were warned of and never throttled.
    pub in_vain: u64,
    /// The time from the first warning to the first throttle: the median of those that were caught,
    /// and of two in the middle the lesser.
    pub median_lead_ms: Option<u64>,
}

impl Series {
    /// Returns the time from the first warning to the first throttle, if it came before.
    pub fn lead_ms(&self) -> Option<u64> {
        let throttle = self.first_throttle_ms.filter(|_| self.was_warned_of)?;
        Some(throttle - self.earliest_ms()?)
    }

    /// Returns the time of the first warning, the one that stood included.
    pub fn earliest_ms(&self) -> Option<u64> {
        self.standing_ms.or(self.first_warning_ms)
    }
}

impl Verdict {
    pub fn of(heard: &Heard) -> Self {
        let mut verdict = Self::default();
        let mut leads = Vec::new();
        for series in heard.series.values() {
            match (series.first_throttle_ms, series.lead_ms()) {
                (Some(_), Some(lead)) => leads.push(lead),
                (Some(_), None) => verdict.missed += 1,
                (None, _) => verdict.in_vain += u64::from(series.warnings > 0),
            }
        }
        leads.sort_unstable();
        verdict.caught = leads.len() as u64;
        verdict.median_lead_ms = leads.get(leads.len().saturating_sub(1) / 2).copied();
        verdict
    }

    pub fn throttled(&self) -> u64 {
        self.caught + self.missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtest::heard::Beginning;
    use hotpart::{Detector, Operation, Reason, Record};

    /// Partitions by name; `!` is a throttle, another letter a write. A write is warned of at once;
    /// each step takes a second.
    fn verdict(steps: &[&str]) -> Verdict {
        let detector = Detector::builder(1, 1, 60).warn_of_throttles(true).manual_clock().build().unwrap();
        let mut heard = Heard::new(false, Beginning::default());
        for (second, step) in (0..).zip(steps) {
            detector.set_time_ms(second * 1_000).unwrap();
            let (pk, is_throttle) = (step.trim_end_matches('!').as_bytes(), step.ends_with('!'));
            let warning = if is_throttle {
                detector.record_throttle_and_warn(b"t", pk, Operation::Write, Reason::KeyRange).unwrap().1
            } else {
                detector.record_and_warn(&Record::new("t", pk, Operation::Write)).unwrap().1
            };
            warning.iter().for_each(|warning| heard.hear(second * 1_000, warning));
        }
        Verdict::of(&heard)
    }

    #[test]
    fn a_throttle_is_caught_if_a_warning_came_before() {
        let verdict = verdict(&["a", "b", "a!", "c!", "c", "d", "b!", "a!"]);
        let expected = Verdict { caught: 2, missed: 1, in_vain: 1, median_lead_ms: Some(2_000) };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn without_throttles_all_is_in_vain() {
        assert_eq!(verdict(&["a", "b"]), Verdict { in_vain: 2, ..Verdict::default() });
        assert_eq!(verdict(&[]), Verdict::default());
    }
}
