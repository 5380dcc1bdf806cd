//! The detector's statistics and its hottest partitions as text, for Prometheus or a reader of
//! OpenMetrics.

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::exposition::{Number, Text};
use crate::detector::hot_partition::HotPartition;
use crate::detector::top::Choice;
use crate::error::Error;
use crate::key::Key;
use crate::operation::Operation;
use crate::reason::{Reason, Unattributed};
use crate::statistics::Statistics;
use crate::units::Units;
use std::fmt::{self, Write};

/// The choice of metrics that are written, and of their format.
///
/// ```
/// use hotpart::{Detector, Metrics};
/// let detector = Detector::new(500, 1_500, 60)?;
/// detector.record_write("events", "EVENTS")?;
/// let text = detector.metrics(&Metrics::default())?;
/// assert!(text.contains("hotpart_records_total 1\n"));
/// assert!(text.contains(r#"hotpart_partition_operations{table="events",pk="EVENTS",operation="write"} 1"#));
/// # Ok::<(), hotpart::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Metrics {
    hottest: usize,
    least: u64,
    demand_only: bool,
    open_metrics: bool,
}

/// The most partitions that are written for an operation, as each is a series of its own.
const HOTTEST_MAX: usize = 100;
/// The most that are written where they are chosen by their demand. OpenTelemetry's instruments
/// have at most 2,000 sets of attributes and lose the others; both operations are in one
/// instrument.
const LISTED_MAX: usize = 990;

impl Default for Metrics {
    /// Returns the default: the ten hottest partitions by writes and by reads, in Prometheus's text
    /// format 0.0.4.
    fn default() -> Self {
        Self { hottest: 10, least: 0, demand_only: false, open_metrics: false }
    }
}

impl Metrics {
    /// Sets how many of the hottest partitions are written for each operation. More than 100 are
    /// never written.
    pub fn hottest(mut self, n: usize) -> Self {
        self.hottest = n.min(HOTTEST_MAX);
        self
    }

    /// Writes all partitions whose demand is at least `least`, up to 990 for each operation, in
    /// place of the hottest. In capacity mode it is in half units. With 0, the default, the hottest
    /// are written. [`fleet_least`](crate::fleet_least) works it out for a fleet.
    pub fn least(mut self, least: u64) -> Self {
        self.least = least;
        self
    }

    /// Writes only the demand of a partition, and not its counts, throttles and peaks: a fifth of
    /// the series.
    pub fn demand_only(mut self) -> Self {
        self.demand_only = true;
        self
    }

    /// Returns which partitions are chosen.
    fn choice(&self) -> Choice {
        if self.least == 0 {
            Choice { n: self.hottest, least: 0 }
        } else {
            Choice { n: LISTED_MAX, least: self.least }
        }
    }

    /// Writes OpenMetrics 1.0, whose content type is `application/openmetrics-text; version=1.0.0;
    /// charset=utf-8`.
    pub fn open_metrics(mut self) -> Self {
        self.open_metrics = true;
        self
    }
}

/// The partitions of one operation that are written.
struct Listed {
    hottest: Vec<HotPartition>,
    /// The most demand that any other partition can have; `None` if that is not known.
    unlisted_most: Option<u64>,
}

impl Detector {
    /// Returns the statistics, and the hottest partitions, as text that Prometheus scrapes.
    /// Partition keys are hashed if the detector [redacts](crate::Builder::redact_keys) them. Takes
    /// time in proportion to the partitions tracked.
    ///
    /// # Errors
    /// [`Error::Invalid`] if memory is bounded and [`Metrics::least`] is not over the count from
    /// which partitions are counted exactly, as those with less are in no list; [`Error::Memory`].
    pub fn metrics(&self, metrics: &Metrics) -> Result<String, Error> {
        if metrics.least != 0 && self.is_filtered() {
            for operation in Operation::ALL {
                if metrics.least <= self.greatest_level(operation)? {
                    return Err(Error::Invalid(Argument::ListedLeast));
                }
            }
        }
        let mut text = Text::new(metrics.open_metrics);
        let listed = |operation| {
            let top = self.top(operation, metrics.choice())?;
            let unlisted_most = self.unlisted_most(operation, top.unlisted_most)?;
            Ok::<_, Error>(Listed { hottest: top.candidates, unlisted_most })
        };
        let listed = [listed(Operation::Write)?, listed(Operation::Read)?];
        let written = self
            .write_statistics(&mut text)
            .and_then(|()| self.write_listed(&mut text, &listed, metrics.demand_only))
            .and_then(|()| self.write_unlisted(&mut text, &listed))
            .and_then(|()| text.write_str(if metrics.open_metrics { "# EOF\n" } else { "" }));
        written.map_err(|_| Error::Memory)?;
        Ok(text.out.0)
    }

    fn write_statistics(&self, text: &mut Text) -> fmt::Result {
        let statistics = self.statistics();
        text.counter("hotpart_records", "Records made.", statistics.records)?;
        text.gauge("hotpart_partitions", "Partitions tracked.", statistics.partitions)?;
        text.gauge("hotpart_memory_bytes", "Memory held for them and for the detector.", statistics.bytes)?;
        let reclaimed = "Idle partitions whose memory was given back.";
        text.counter("hotpart_partitions_reclaimed", reclaimed, statistics.reclaimed)?;
        let replaced = "Partitions that lost their counts to a new one at the bound.";
        text.counter("hotpart_partitions_replaced", replaced, statistics.replaced)?;
        text.counter("hotpart_partitions_cleared", "Partitions that clearing forgot.", statistics.cleared)?;
        text.counter("hotpart_warnings", "Warnings given.", statistics.warnings)?;
        let suppressed = "Hot records that gave no warning.";
        text.counter("hotpart_warnings_suppressed", suppressed, statistics.suppressed)?;
        text.counter("hotpart_callback_panics", "Callbacks that panicked.", statistics.callback_panics)?;
        let reasons = Reason::ALL.map(Reason::label).into_iter().zip(statistics.throttles);
        text.counters("hotpart_throttles", "Throttled attempts, by reason.", "reason", reasons)?;
        let kinds = Unattributed::ALL.into_iter().zip(statistics.unattributed);
        let plain = kinds.clone().filter(|(kind, _)| !kind.is_units()).map(|(kind, n)| (kind.label(), n));
        let help = "What no partition could be charged with.";
        text.counters("hotpart_unattributed", help, "kind", plain)?;
        let units = kinds.filter(|(kind, _)| kind.is_units());
        let units = units.map(|(kind, halves)| (kind.label(), Units::from_halves(halves)));
        let help = "Capacity that no partition could be charged with.";
        text.counters("hotpart_unattributed_units", help, "kind", units)?;
        let estimated = Units::from_halves(statistics.estimated_half_units);
        let help = "Capacity that was estimated because no answer told it.";
        text.counter("hotpart_estimated_units", help, estimated)?;
        let unknown = "Observed requests of operations that are not known.";
        text.counter("hotpart_unknown_operations", unknown, statistics.unknown_operations)?;
        if self.is_filtered() {
            self.write_filter(text, &statistics)?;
        }
        let unread = "Statements, and parts of observed requests, that could not be read.";
        text.counter("hotpart_unread", unread, statistics.unread)
    }

    /// Writes the statistics of bounded counting.
    fn write_filter(&self, text: &mut Text, statistics: &Statistics) -> fmt::Result {
        let help = "The mean of the filter's cells, of the count from which a partition is counted exactly; over 0.4 it is too small.";
        text.family("hotpart_filter_load_ratio", "gauge", help)?;
        let load = Number::Permille(statistics.filter_load_permille.try_into().unwrap_or(u32::MAX));
        writeln!(text, "hotpart_filter_load_ratio {load}")?;
        let promoted = "Partitions that came to be counted exactly.";
        text.counter("hotpart_partitions_promoted", promoted, statistics.promoted)?;
        let demoted = "Partitions that ceased to be counted exactly, as they had become quiet.";
        text.counter("hotpart_partitions_demoted", demoted, statistics.demoted)?;
        let kept_out = "Records of partitions that there was no room to count exactly.";
        text.counter("hotpart_kept_out", kept_out, statistics.kept_out)
    }

    /// Returns how an amount is written, and its unit.
    fn written(&self) -> (impl Fn(u64) -> Number + use<>, &'static str) {
        let capacity = self.settings.measure.is_capacity();
        let amount = move |n| if capacity { Number::Units(Units::from_halves(n)) } else { Number::Whole(n) };
        (amount, if capacity { "in units" } else { "in operations" })
    }

    /// Writes the most demand of a partition that is not listed, where that is known.
    fn write_unlisted(&self, text: &mut Text, listed: &[Listed; 2]) -> fmt::Result {
        let (amount, unit) = self.written();
        let known = |(operation, listed): (Operation, &Listed)| Some((operation, listed.unlisted_most?));
        let mut known = Operation::ALL.into_iter().zip(listed).filter_map(known).peekable();
        if known.peek().is_none() {
            return Ok(());
        }
        let name = "hotpart_partition_unlisted_most";
        let help = "The most demand that a partition can have which is not listed";
        text.family(name, "gauge", format_args!("{help}, {unit}."))?;
        known.try_for_each(|(operation, most)| {
            writeln!(text, "{name}{{operation=\"{}\"}} {}", operation.label(), amount(most))
        })
    }

    /// Writes the partitions that are listed, family by family: a family's samples must be
    /// together.
    fn write_listed(&self, text: &mut Text, listed: &[Listed; 2], demand_only: bool) -> fmt::Result {
        let (amount, unit) = self.written();
        let mut family = |name: &str, help: fmt::Arguments<'_>, value: &dyn Fn(&HotPartition) -> Number| {
            let window = self.window_seconds();
            text.family(
                name,
                "gauge",
                format_args!("{help} of the hottest partitions in the last {window} seconds."),
            )?;
            for hot in listed.iter().flat_map(|listed| &listed.hottest) {
                let redacted = self.redact(Key { table: &hot.table, pk: &hot.pk });
                write!(text, "{name}{{table=\"")?;
                text.value(&hot.table)?;
                text.write_str("\",pk=\"")?;
                text.value(redacted.as_ref().map_or(&hot.pk, |digits| &digits[..]))?;
                writeln!(text, "\",operation=\"{}\"}} {}", hot.operation.label(), value(hot))?;
            }
            Ok(())
        };
        if !demand_only {
            let capacity = self.settings.measure.is_capacity();
            let name = if capacity { "hotpart_partition_units" } else { "hotpart_partition_operations" };
            family(name, format_args!("Counts"), &|hot| amount(hot.count))?;
        }
        family("hotpart_partition_demand", format_args!("Counts and throttles, {unit},"), &|hot| {
            amount(hot.demand)
        })?;
        if demand_only {
            return Ok(());
        }
        if self.is_filtered() {
            let carried = format_args!("What the counts may be too high by, {unit},");
            family("hotpart_partition_carried", carried, &|hot| amount(hot.carried))?;
        }
        let throttles = format_args!("Throttles for the key range");
        family("hotpart_partition_throttles", throttles, &|hot| Number::Whole(hot.throttles))?;
        family("hotpart_partition_peak", format_args!("The fullest second, {unit},"), &|hot| {
            amount(hot.peak)
        })?;
        let share = format_args!("The share of DynamoDB's limit that the fullest second had");
        family("hotpart_partition_utilisation_ratio", share, &|hot| {
            Number::Permille(hot.utilisation_permille)
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::detector::record::Record;

    fn detector() -> Detector {
        let detector = Detector::builder(1_000, 1_000, 60).manual_clock().capacity_mode();
        let detector = detector.redact_keys([1, 2]).build().unwrap();
        let record = Record::new("t", "k", Operation::Read).amount(25);
        detector.record(&record).unwrap();
        detector.record_throttle("t", "k", Operation::Read, Reason::KeyRange).unwrap();
        detector
    }

    #[test]
    fn units_are_written_as_units_and_keys_as_their_hashes() {
        let detector = detector();
        let (text, hash) =
            (detector.metrics(&Metrics::default()).unwrap(), detector.redacted("t", "k").unwrap());
        let line = |name: &str, value: &str| {
            format!("\n{name}{{table=\"t\",pk=\"{hash}\",operation=\"read\"}} {value}\n")
        };
        assert!(text.contains(&line("hotpart_partition_units", "12.5")), "{text}");
        assert!(text.contains(&line("hotpart_partition_demand", "13.5")));
        assert!(text.contains(&line("hotpart_partition_throttles", "1")));
        assert!(text.contains(&line("hotpart_partition_utilisation_ratio", "1")));
        assert!(text.contains("\nhotpart_throttles_total{reason=\"key_range\"} 1\n"));
        assert!(!text.contains("pk=\"k\"") && !text.contains("# EOF"));
    }

    #[test]
    fn open_metrics_names_counters_without_their_ending() {
        let text = detector().metrics(&Metrics::default().open_metrics()).unwrap();
        assert!(text.contains("# TYPE hotpart_records counter\nhotpart_records_total 1\n"), "{text}");
        assert!(text.ends_with("# EOF\n"));
        let text = detector().metrics(&Metrics::default()).unwrap();
        assert!(text.contains("# TYPE hotpart_records_total counter\nhotpart_records_total 1\n"));
    }

    #[test]
    fn there_are_no_more_series_than_are_allowed() {
        let detector = Detector::builder(1_000, 1_000, 60).manual_clock().build().unwrap();
        for n in 0..300_u32 {
            detector.record_write("t", n.to_string()).unwrap();
        }
        for (asked, written) in [(0, 0), (10, 10), (usize::MAX, HOTTEST_MAX)] {
            let text = detector.metrics(&Metrics::default().hottest(asked)).unwrap();
            assert_eq!(text.matches("\nhotpart_partition_operations{").count(), written);
        }
    }
}
