//! A warning: its fields, and the line as which it is displayed.

use crate::key::Key;
use crate::key::readable::Readable;
use crate::key::redaction::Redacted;
use crate::operation::Operation;
use crate::policy::rule::{Breach, Rule};
use crate::units::Units;
use std::fmt;

/// A partition is hot: its count has reached its threshold.
///
/// Displays as the line that every binding of the library logs (see
/// [`Builder::redact_keys`](crate::Builder::redact_keys) for one that does not show the key):
///
/// ```
/// # use hotpart::{Detector, Warning};
/// let detector = Detector::builder(2, 1_500, 60)
///     .on_warning(|warning: &Warning<'_>| {
///         let line = r#"Hot partition detected - table="events" pk="EVENTS" had 2 writes in 60s"#;
///         assert_eq!(warning.to_string(), line);
///     })
///     .build()?;
/// detector.record_write("events", "EVENTS")?;
/// detector.record_write("events", "EVENTS")?;
/// # Ok::<(), hotpart::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warning<'a> {
    /// The table, as it was recorded.
    pub table: &'a [u8],
    /// The partition-key value, as it was recorded.
    pub pk: &'a [u8],
    /// The operation that there was too much of.
    pub operation: Operation,
    /// The span of `count`, in seconds: 1 for [`Rule::Second`], 5 for [`Rule::Sustained`], and the
    /// detector's window for the other rules.
    pub window_seconds: u32,
    /// The count that reached the threshold. In capacity mode this, like all amounts here, is in
    /// half units. For [`Rule::Throttle`] it is the number of throttled attempts in the window.
    pub count: u64,
    /// The threshold that it reached; 1 for [`Rule::Throttle`].
    pub threshold: u64,
    /// The hot records since the last warning that gave no warning.
    pub suppressed: u64,
    /// The fullest second in the window.
    pub peak: u64,
    /// The most of `count` that may belong to other partitions, or be older than the window; 0 if
    /// it is exact, which it always is without [`Builder::memory`](crate::Builder::memory).
    pub carried: u64,
    /// The rule that is met.
    pub rule: Rule,
    /// `count` divided by its seconds, as a share of DynamoDB's limit a second for one partition,
    /// in thousandths. Without capacity mode an operation is taken for one unit. For a throttle it
    /// is 1,000, as DynamoDB says so.
    pub utilisation_permille: u32,
    /// Whether amounts are in half units. Throttles are a number of attempts.
    pub in_half_units: bool,
    /// The text that is displayed in place of the key, if it is not to be read.
    pub(crate) redacted: Option<Redacted>,
}

/// The function that is called with a warning.
pub(crate) type Callback = Box<dyn Fn(&Warning<'_>) + Send + Sync>;

impl<'a> Warning<'a> {
    /// Returns a warning that says which rule a key has met. Other fields have their least values:
    /// no record was suppressed, and the peak is 0.
    pub(crate) fn new(key: Key<'a>, operation: Operation, breach: Breach) -> Self {
        let Breach { rule, count, threshold, seconds } = breach;
        Self {
            table: key.table,
            pk: key.pk,
            operation,
            window_seconds: seconds,
            count,
            threshold,
            suppressed: 0,
            peak: 0,
            carried: 0,
            rule,
            utilisation_permille: 0,
            in_half_units: false,
            redacted: None,
        }
    }
}

impl Warning<'_> {
    /// Returns this warning about another key. `redacted` is displayed in place of that key, if
    /// given.
    pub(crate) fn with_key<'a>(&self, key: Key<'a>, redacted: Option<Redacted>) -> Warning<'a> {
        let Self { rule, count, threshold, window_seconds: seconds, .. } = *self;
        let Self { suppressed, peak, carried, utilisation_permille, in_half_units, .. } = *self;
        let same = Warning::new(key, self.operation, Breach { rule, count, threshold, seconds });
        Warning { suppressed, peak, carried, utilisation_permille, in_half_units, redacted, ..same }
    }
}

/// An amount as it is displayed: half units as units.
struct Amount {
    n: u64,
    is_units: bool,
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_units { Units::from_halves(self.n).fmt(f) } else { self.n.fmt(f) }
    }
}

impl fmt::Display for Warning<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.redacted.as_ref().map_or(self.pk, |digits| digits);
        let (table, pk) = (Readable::new(self.table), Readable::new(shown));
        write!(f, "Hot partition detected - table=\"{table}\" pk=\"{pk}\" had ")?;
        let (operation, seconds) = (self.operation, self.window_seconds);
        let throttled = if self.rule == Rule::Throttle { "throttled " } else { "" };
        let is_units = self.in_half_units && self.rule != Rule::Throttle;
        let amount = |n| Amount { n, is_units };
        if self.carried > 0 {
            write!(f, "at least {} of ", amount(self.count.saturating_sub(self.carried)))?;
        }
        write!(f, "{} {throttled}{operation} in {seconds}s", amount(self.count))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn warning<'a>(table: &'a [u8], pk: &'a [u8]) -> Warning<'a> {
        let breach = Breach { rule: Rule::Window, count: 7, threshold: 7, seconds: 10 };
        Warning { peak: 7, ..Warning::new(Key { table, pk }, Operation::Read, breach) }
    }

    #[test]
    fn the_log_line_escapes_what_could_break_a_log() {
        let warning = warning(b"a\"b\\c", b"\x1b[31m\n\xff\xc3\xa9\xc2\x9b\0\x7f");
        assert_eq!(
            warning.to_string(),
            "Hot partition detected - table=\"a\\x22b\\x5Cc\" \
             pk=\"\\x1B[31m\\x0A\\xFFé\\xC2\\x9B\\x00\\x7F\" had 7 reads in 10s"
        );
        let throttled = Warning { rule: Rule::Throttle, ..warning };
        assert!(throttled.to_string().ends_with(" had 7 throttled reads in 10s"));
        let halves = Warning { in_half_units: true, ..warning };
        assert!(halves.to_string().ends_with(" had 3.5 reads in 10s"));
    }

    #[test]
    fn the_log_line_says_what_a_count_is_at_least_where_it_is_not_exact() {
        let carried = Warning { carried: 3, ..warning(b"t", b"k") };
        assert!(carried.to_string().ends_with(" had at least 4 of 7 reads in 10s"));
        let halves = Warning { in_half_units: true, ..carried };
        assert!(halves.to_string().ends_with(" had at least 2 of 3.5 reads in 10s"));
    }

    /// Any two bytes, and any character of the first plane: one line, in its quotes, that no
    /// terminal obeys.
    #[test]
    fn no_key_breaks_a_line_or_leaves_its_quotes() {
        let keeps_to_its_line = |key: &[u8]| {
            let line = warning(key, key).to_string();
            let (quotes, controls) =
                (line.matches('"').count(), line.chars().filter(|c| c.is_control()).count());
            assert_eq!((quotes, controls), (4, 0), "{key:?}");
        };
        (0..=u16::MAX).for_each(|two| keeps_to_its_line(&two.to_le_bytes()));
        let characters = (0..=0xFFFF).filter_map(char::from_u32);
        characters.for_each(|c| keeps_to_its_line(c.encode_utf8(&mut [0; 4]).as_bytes()));
    }
}
