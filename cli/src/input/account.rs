//! An account of all records: what came of each.

use crate::feed::Feed;
use crate::readable::counted;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The bad lines that are shown, the files with a record that is ahead, and the notes.
pub const SHOWN: usize = 5;
/// The reason for which a response that describes a table is no entry.
pub const TABLE_DESCRIPTIONS: &str = "descriptions of tables";
/// The reason for which entries are not counted that a period leaves out.
pub const OUTSIDE: &str = "outside of --from and --until";

/// How many records there were, and what came of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Account {
    /// Records in the files: lines, or events.
    pub records: u64,
    /// Records that gave no entry, by the reason.
    pub without_entries: BTreeMap<&'static str, u64>,
    /// Records that could not be read.
    pub bad: u64,
    /// The first of these.
    pub first_bad: Vec<String>,
    /// Entries that were counted, of the other records: a record may be of several partitions.
    pub entries: u64,
    /// Entries that came too late to be put in order.
    pub late: u64,
    /// Operations in these entries that were not counted: they could not be read, or their table's
    /// partition key was not known in time.
    pub unread_operations: u64,
    /// For each file in which most records came too late, the record whose time was ahead of them.
    #[serde(skip)]
    pub ahead: Vec<String>,
    /// The way in which files were read, where it may be another than was meant.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// Whether the knowledge of a feed is in it.
    #[serde(skip)]
    pub is_told: bool,
}

impl Account {
    pub fn add_bad(&mut self, text: String) {
        self.bad += 1;
        if self.first_bad.len() < SHOWN {
            self.first_bad.push(text);
        }
    }

    pub fn add_ahead(&mut self, text: String) {
        if self.ahead.len() < SHOWN {
            self.ahead.push(text);
        }
    }

    pub fn add_note(&mut self, text: String) {
        if self.notes.len() < SHOWN {
            self.notes.push(text);
        }
    }

    /// Returns the account with the fate of the entries, once a feed is settled. Files are told by
    /// these names.
    #[must_use]
    pub fn told(&self, feed: &Feed, files: &[PathBuf]) -> Self {
        let mut told = self.clone();
        if std::mem::replace(&mut told.is_told, true) {
            return told;
        }
        for (&reason, &n) in &feed.uncounted {
            *told.without_entries.entry(reason).or_default() += n;
        }
        let not_counted = feed.refused + feed.uncounted.values().sum::<u64>();
        told.entries = told.entries.saturating_sub(not_counted);
        feed.first_refused.iter().for_each(|refused| told.add_bad(refused.told(files)));
        told.bad = self.bad + feed.refused;
        told.unread_operations = feed.unread_operations.unwrap_or_default();
        told
    }

    /// Returns a sentence in place of an output in which no key is.
    pub fn nothing(&self) -> &'static str {
        if self.entries > 0 {
            "The log has no operations that could be counted for a partition, so nothing can be said."
        } else if self.without_entries.contains_key(OUTSIDE) {
            "The log has no records between --from and --until, so nothing can be said."
        } else {
            "The log has no records that could be counted, so nothing can be said."
        }
    }

    /// Returns a line on records that came too late, where they are more than one in a hundred.
    pub fn many_late(&self) -> Option<String> {
        let (late, records) = (self.late, self.records);
        (late > records / 100).then(|| {
            let were = if late == 1 { "was" } else { "were" };
            format!(
                "{} of {} {were} left out: too late (--lateness)",
                grouped(late),
                counted(records, "record")
            )
        })
    }

    /// Returns one line that accounts for every record.
    pub fn line(&self) -> String {
        let records = match self.records {
            1 => "1 record".into(),
            n => format!("{} records", grouped(n)),
        };
        let mut parts = vec![format!("{} counted{}", grouped(self.entries), self.but_for())];
        let mut part = |n: u64, what: &str| {
            if n > 0 {
                parts.push(format!("{} {what}", grouped(n)));
            }
        };
        part(self.late, "too late to be put in order (see --lateness)");
        for (&reason, &n) in &self.without_entries {
            part(n, after(n, reason));
        }
        part(self.bad, "bad");
        format!("{records}: {}", parts.join("; "))
    }

    /// Returns words on the operations that were in counted entries and were not counted
    /// themselves.
    fn but_for(&self) -> String {
        let n = self.unread_operations;
        match n {
            0 => String::new(),
            _ => format!(
                " ({} in these left out: unreadable, or partition key unknown)",
                counted(n, "operation")
            ),
        }
    }
}

/// Returns a reason as it follows this number.
fn after(n: u64, reason: &'static str) -> &'static str {
    match (n, reason) {
        (1, TABLE_DESCRIPTIONS) => "table description",
        (_, TABLE_DESCRIPTIONS) => "table descriptions",
        (1, "deleted by their time to live, which costs nothing") => {
            "deleted by its time to live, which costs nothing"
        }
        (1, "without their request") => "without its request",
        _ => reason,
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
