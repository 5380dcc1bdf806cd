//! The detector's statistics and its hottest partitions as text for Prometheus, or for who reads OpenMetrics.

use crate::detector::Detector;
use crate::detector::hottest::HotPartition;
use crate::error::Error;
use crate::key::Key;
use crate::key::readable::Readable;
use crate::operation::Operation;
use crate::reason::{Reason, Unattributed};
use crate::statistics::Statistics;
use crate::sys::memory::TryString;
use crate::units::Units;
use std::fmt::{self, Display, Write};

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
    open_metrics: bool,
}

/// The most partitions that are written for an operation: each is a series of its own.
const HOTTEST_MAX: usize = 100;

impl Default for Metrics {
    /// The ten hottest partitions by writes and by reads, in Prometheus's text format 0.0.4.
    fn default() -> Self {
        Self { hottest: 10, open_metrics: false }
    }
}

impl Metrics {
    /// Sets how many of the hottest partitions are written for each operation: 100 at most, whatever is asked for.
    pub fn hottest(mut self, n: usize) -> Self {
        self.hottest = n.min(HOTTEST_MAX);
        self
    }

    /// In OpenMetrics 1.0, whose content type is `application/openmetrics-text; version=1.0.0; charset=utf-8`.
    pub fn open_metrics(mut self) -> Self {
        self.open_metrics = true;
        self
    }
}

/// Families under construction. Writing fails when there is no memory.
struct Text {
    out: TryString,
    open_metrics: bool,
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.out.write_str(more)
    }
}

impl Text {
    /// Begins a family. A counter's samples end in `_total`, which OpenMetrics has no part of the family's name.
    fn family(&mut self, name: &str, kind: &str, help: impl Display) -> fmt::Result {
        let total = if kind == "counter" && !self.open_metrics { "_total" } else { "" };
        write!(self, "# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n")
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) -> fmt::Result {
        self.family(name, "counter", help)?;
        writeln!(self, "{name}_total {value}")
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.family(name, "gauge", help)?;
        writeln!(self, "{name} {value}")
    }

    /// A counter for each value of a label.
    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        mut values: impl Iterator<Item = (&'static str, impl Display)>,
    ) -> fmt::Result {
        self.family(name, "counter", help)?;
        values.try_for_each(|(label_value, value)| {
            writeln!(self, "{name}_total{{{label}=\"{label_value}\"}} {value}")
        })
    }

    /// Writes a label's value: readable as in the log line, but with quotes and newlines as Prometheus has them. No two
    /// keys have one value: Prometheus takes no series twice.
    fn value(&mut self, text: &[u8]) -> fmt::Result {
        write!(Label(self), "{}", Readable::new(text).keeping(&['"', '\n']))
    }
}

/// Writes into a label's quotes, with the three escapes that Prometheus has there.
struct Label<'a>(&'a mut Text);

impl Write for Label<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        more.chars().try_for_each(|c| match c {
            '"' => self.0.write_str("\\\""),
            '\n' => self.0.write_str("\\n"),
            '\\' => self.0.write_str("\\\\"),
            c => self.0.write_char(c),
        })
    }
}

/// A number of a partition's, as it is written.
enum Number {
    Whole(u64),
    Units(Units),
    Permille(u32),
}

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(n) => n.fmt(f),
            Self::Units(units) => units.fmt(f),
            Self::Permille(permille) => (f64::from(*permille) / 1_000.0).fmt(f),
        }
    }
}

impl Detector {
    /// The statistics, and the hottest partitions, as text that Prometheus scrapes. Partition keys are hashed if the
    /// detector [redacts](crate::Builder::redact_keys) them. Takes time in proportion to the partitions tracked.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn metrics(&self, metrics: &Metrics) -> Result<String, Error> {
        let mut text = Text { out: TryString::default(), open_metrics: metrics.open_metrics };
        let writes = self.hottest(Operation::Write, metrics.hottest)?;
        let reads = self.hottest(Operation::Read, metrics.hottest)?;
        let written = self
            .write_statistics(&mut text)
            .and_then(|()| self.write_hottest(&mut text, [&writes, &reads]))
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

    /// Writes the numbers of bounded counting.
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

    fn write_hottest(&self, text: &mut Text, hottest: [&[HotPartition]; 2]) -> fmt::Result {
        let capacity = self.settings.measure.is_capacity();
        let amount = |n| if capacity { Number::Units(Units::from_halves(n)) } else { Number::Whole(n) };
        let unit = if capacity { "in units" } else { "in operations" };
        let mut family = |name: &str, help: fmt::Arguments<'_>, value: &dyn Fn(&HotPartition) -> Number| {
            let window = self.window_seconds();
            text.family(
                name,
                "gauge",
                format_args!("{help} of the hottest partitions in the last {window} seconds."),
            )?;
            for hot in hottest.into_iter().flatten() {
                let redacted = self.redact(Key { table: &hot.table, pk: &hot.pk });
                write!(text, "{name}{{table=\"")?;
                text.value(&hot.table)?;
                text.write_str("\",pk=\"")?;
                text.value(redacted.as_ref().map_or(&hot.pk, |digits| &digits[..]))?;
                let operation = if hot.operation == Operation::Write { "write" } else { "read" };
                writeln!(text, "\",operation=\"{operation}\"}} {}", value(hot))?;
            }
            Ok(())
        };
        let name = if capacity { "hotpart_partition_units" } else { "hotpart_partition_operations" };
        family(name, format_args!("Counts"), &|hot| amount(hot.count))?;
        family("hotpart_partition_demand", format_args!("Counts and throttles, {unit},"), &|hot| {
            amount(hot.demand)
        })?;
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
    fn hostile_names_stay_in_their_quotes() {
        let mut text = Text { out: TryString::default(), open_metrics: false };
        text.value(b"a\"b\\c\n\x1b\xff\xc3\xa9\xc2\x9b").unwrap();
        assert_eq!(text.out.0, r#"a\"b\\x5Cc\n\\x1B\\xFFé\\xC2\\x9B"#);
    }

    #[test]
    fn a_byte_and_the_text_that_stands_for_it_have_labels_of_their_own() {
        let label = |key: &[u8]| {
            let mut text = Text { out: TryString::default(), open_metrics: false };
            text.value(key).unwrap();
            text.out.0
        };
        assert_ne!(label(b"\x01"), label(br"\x01"));
        assert_ne!(label(b"\n"), label(br"\n"));
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
