//! The detector's statistics and its hottest partitions as text for Prometheus, or for who reads OpenMetrics.

use crate::aside::{Reason, Unattributed};
use crate::detector::Detector;
use crate::error::Error;
use crate::hottest::HotPartition;
use crate::key::Key;
use crate::operation::Operation;
use crate::units::Units;
use std::fmt::{Display, Write};

/// What is written, and how.
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
    /// How many of the hottest partitions are written for each operation: 100 at most, whatever is asked for.
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

/// Families under construction.
struct Text {
    out: String,
    open_metrics: bool,
}

impl Text {
    /// Begins a family. A counter's samples end in `_total`, which OpenMetrics has no part of the family's name.
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let total = if kind == "counter" && !self.open_metrics { "_total" } else { "" };
        let _ = write!(self.out, "# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n");
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help);
        let _ = writeln!(self.out, "{name}_total {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "gauge", help);
        let _ = writeln!(self.out, "{name} {value}");
    }

    /// A counter for each value of a label.
    fn counters(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'static str, u64)>,
    ) {
        self.family(name, "counter", help);
        for (of, value) in values {
            let _ = writeln!(self.out, "{name}_total{{{label}=\"{of}\"}} {value}");
        }
    }

    /// A label's value. `"` and newlines are escaped; `\`, control bytes and bytes that are not UTF-8 appear as `\xNN`, as in
    /// the log line. So no two keys have one label: Prometheus takes no series twice.
    fn value(&mut self, text: &[u8]) {
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '"' => self.out.push_str("\\\""),
                    '\n' => self.out.push_str("\\n"),
                    c if c == '\\' || c.is_control() => self.hex(c.encode_utf8(&mut [0; 4]).as_bytes()),
                    c => self.out.push(c),
                }
            }
            self.hex(chunk.invalid());
        }
    }

    fn hex(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let _ = write!(self.out, r"\\x{byte:02X}");
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
        let mut text = Text { out: String::new(), open_metrics: metrics.open_metrics };
        self.write_statistics(&mut text);
        let hottest = [
            self.hottest(Operation::Write, metrics.hottest)?,
            self.hottest(Operation::Read, metrics.hottest)?,
        ]
        .concat();
        self.write_hottest(&mut text, &hottest);
        if metrics.open_metrics {
            text.out.push_str("# EOF\n");
        }
        Ok(text.out)
    }

    fn write_statistics(&self, text: &mut Text) {
        let statistics = self.statistics();
        text.counter("hotpart_records", "Records made.", statistics.records);
        text.gauge("hotpart_partitions", "Partitions tracked.", statistics.partitions);
        text.gauge("hotpart_memory_bytes", "Memory held for them and for the detector.", statistics.bytes);
        let reclaimed = "Idle partitions whose memory was given back.";
        text.counter("hotpart_partitions_reclaimed", reclaimed, statistics.reclaimed);
        let replaced = "Partitions that lost their counts to a new one at the bound.";
        text.counter("hotpart_partitions_replaced", replaced, statistics.replaced);
        text.counter("hotpart_partitions_cleared", "Partitions that clearing forgot.", statistics.cleared);
        text.counter("hotpart_warnings", "Warnings given.", statistics.warnings);
        let suppressed = "Hot records that gave no warning.";
        text.counter("hotpart_warnings_suppressed", suppressed, statistics.suppressed);
        text.counter("hotpart_callback_panics", "Callbacks that panicked.", statistics.callback_panics);
        let reasons = Reason::ALL.map(Reason::label).into_iter().zip(statistics.throttles);
        text.counters("hotpart_throttles", "Throttled attempts, by reason.", "reason", reasons);
        let kinds = Unattributed::ALL.into_iter().zip(statistics.unattributed);
        let plain = kinds.clone().filter(|(kind, _)| !kind.is_units()).map(|(kind, n)| (kind.label(), n));
        let help = "What no partition could be charged with.";
        text.counters("hotpart_unattributed", help, "kind", plain);
        text.family(
            "hotpart_unattributed_units",
            "counter",
            "Capacity that no partition could be charged with.",
        );
        for (kind, halves) in kinds.filter(|(kind, _)| kind.is_units()) {
            let (kind, units) = (kind.label(), Units::from_halves(halves));
            let _ = writeln!(text.out, "hotpart_unattributed_units_total{{kind=\"{kind}\"}} {units}");
        }
        let estimated = Units::from_halves(statistics.estimated_half_units);
        let help = "Capacity that was estimated because no answer told it.";
        text.counter("hotpart_estimated_units", help, estimated);
        let unknown = "Observed requests of operations that are not known.";
        text.counter("hotpart_unknown_operations", unknown, statistics.unknown_operations);
    }

    fn write_hottest(&self, text: &mut Text, hottest: &[HotPartition]) {
        let capacity = self.terms.measure.is_capacity();
        let amount = |n: u64| if capacity { Units::from_halves(n).to_string() } else { n.to_string() };
        let of = if capacity { "in units" } else { "in operations" };
        let window = self.window_seconds();
        let mut family = |name: &str, help: String, value: &dyn Fn(&HotPartition) -> String| {
            text.family(name, "gauge", &help);
            for hot in hottest {
                let redacted = self.redact(Key { table: &hot.table, pk: &hot.pk });
                let _ = write!(text.out, "{name}{{table=\"");
                text.value(&hot.table);
                text.out.push_str("\",pk=\"");
                text.value(redacted.as_ref().map_or(&hot.pk, |digits| &digits[..]));
                let operation = if hot.operation == Operation::Write { "write" } else { "read" };
                let _ = writeln!(text.out, "\",operation=\"{operation}\"}} {}", value(hot));
            }
        };
        let last = format!("of the hottest partitions in the last {window} seconds");
        let name = if capacity { "hotpart_partition_units" } else { "hotpart_partition_operations" };
        family(name, format!("Counts {last}."), &|hot| amount(hot.count));
        let help = format!("Counts and throttles {last}, {of}.");
        family("hotpart_partition_demand", help, &|hot| amount(hot.demand));
        let help = format!("Throttles for the key range {last}.");
        family("hotpart_partition_throttles", help, &|hot| hot.throttles.to_string());
        let help = format!("The fullest second {last}, {of}.");
        family("hotpart_partition_peak", help, &|hot| amount(hot.peak));
        let help = format!("The share of DynamoDB's limit that the fullest second had, {last}.");
        let ratio = |hot: &HotPartition| (f64::from(hot.utilisation_permille) / 1_000.0).to_string();
        family("hotpart_partition_utilisation_ratio", help, &ratio);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::Record;

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
        let mut text = Text { out: String::new(), open_metrics: false };
        text.value(b"a\"b\\c\n\x1b\xff\xc3\xa9\xc2\x9b");
        assert_eq!(text.out, r#"a\"b\\x5Cc\n\\x1B\\xFFé\\xC2\\x9B"#);
    }

    #[test]
    fn a_byte_and_the_text_that_stands_for_it_have_labels_of_their_own() {
        let label = |key: &[u8]| {
            let mut text = Text { out: String::new(), open_metrics: false };
            text.value(key);
            text.out
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
        assert!(text.contains(&line("hotpart_partition_utilisation_ratio", "0.004")));
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
