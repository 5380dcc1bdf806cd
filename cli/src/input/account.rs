//! An account of all records: what came of each.

use serde::Serialize;
use std::collections::BTreeMap;

/// Bad lines that are shown.
const SHOWN: usize = 5;

/// How many records there were, and what came of them.
#[derive(Debug, Default, Serialize)]
pub struct Account {
    /// Records in the files: lines, or events.
    pub records: u64,
    /// Those that gave no entry, by the reason.
    pub without_entries: BTreeMap<&'static str, u64>,
    /// Those that could not be read.
    pub bad: u64,
    /// The first of those.
    pub first_bad: Vec<String>,
    /// Entries of the others that were counted: a record may be of several partitions.
    pub entries: u64,
    /// Entries that came too late to be put in order.
    pub late: u64,
}

impl Account {
    pub fn add_bad(&mut self, text: String) {
        self.bad += 1;
        if self.first_bad.len() < SHOWN {
            self.first_bad.push(text);
        }
    }

    /// Returns one line that accounts for every record.
    pub fn line(&self) -> String {
        let records = match self.records {
            1 => "1 record".into(),
            n => format!("{} records", grouped(n)),
        };
        let mut parts = vec![format!("{} counted", grouped(self.entries))];
        let mut part = |n: u64, what: &str| {
            if n > 0 {
                parts.push(format!("{} {what}", grouped(n)));
            }
        };
        part(self.late, "too late to be put in order (see --lateness)");
        for (reason, &n) in &self.without_entries {
            part(n, reason);
        }
        part(self.bad, "bad");
        format!("{records}: {}", parts.join(", "))
    }
}

/// Returns a number with its thousands apart.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        let numbers = [0, 999, 1_000, 113_872, 1_234_567].map(grouped);
        assert_eq!(numbers, ["0", "999", "1,000", "113,872", "1,234,567"]);
    }
}
