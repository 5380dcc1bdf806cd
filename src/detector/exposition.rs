//! The format of metrics as text: Prometheus's text format 0.0.4, or OpenMetrics 1.0.

use crate::key::readable::Readable;
use crate::sys::memory::TryString;
use crate::units::Units;
use std::fmt::{self, Display, Write};

/// Families under construction. Writing fails if there is no memory.
pub(crate) struct Text {
    pub(crate) out: TryString,
    open_metrics: bool,
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.out.write_str(more)
    }
}

impl Text {
    pub(crate) fn new(open_metrics: bool) -> Self {
        Self { out: TryString::default(), open_metrics }
    }

    /// Begins a family. A counter's samples end in `_total`. In OpenMetrics the family's name has
    /// no such ending, in Prometheus's format it has.
    pub(crate) fn family(&mut self, name: &str, kind: &str, help: impl Display) -> fmt::Result {
        let total = if kind == "counter" && !self.open_metrics { "_total" } else { "" };
        write!(self, "# HELP {name}{total} {help}\n# TYPE {name}{total} {kind}\n")
    }

    /// Writes a family of one counter.
    pub(crate) fn counter(&mut self, name: &str, help: &str, value: impl Display) -> fmt::Result {
        self.family(name, "counter", help)?;
        writeln!(self, "{name}_total {value}")
    }

    /// Writes a family of one gauge.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.family(name, "gauge", help)?;
        writeln!(self, "{name} {value}")
    }

    /// Writes a family with a counter for each value of a label.
    pub(crate) fn counters(
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

    /// Writes a label's value: readable as in the log line, but with quotes and newlines as
    /// Prometheus has them. No two keys have the same value, as Prometheus takes no series twice.
    pub(crate) fn value(&mut self, text: &[u8]) -> fmt::Result {
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

/// A number as it is written: an amount, capacity, or thousandths as a fraction of 1.
pub(crate) enum Number {
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_in_their_quotes() {
        let mut text = Text::new(false);
        text.value(b"a\"b\\c\n\x1b\xff\xc3\xa9\xc2\x9b").unwrap();
        assert_eq!(text.out.0, r#"a\"b\\x5Cc\n\\x1B\\xFFé\\xC2\\x9B"#);
    }

    #[test]
    fn a_byte_and_the_text_that_stands_for_it_have_labels_of_their_own() {
        let label = |key: &[u8]| {
            let mut text = Text::new(false);
            text.value(key).unwrap();
            text.out.0
        };
        assert_ne!(label(b"\x01"), label(br"\x01"));
        assert_ne!(label(b"\n"), label(br"\n"));
    }
}
