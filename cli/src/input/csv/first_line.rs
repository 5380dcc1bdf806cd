//! The first line: how errors show it.

use crate::report::text::shortened;
use csv::ByteRecord;

/// Returns a first line as an error shows it.
pub fn joined(first: &ByteRecord) -> String {
    let line = first.iter().collect::<Vec<_>>().join(&b',');
    shortened(&String::from_utf8_lossy(&line), 80)
}

/// Returns the error of a name that no column has.
pub fn unnamed(name: &str, first: &ByteRecord) -> String {
    format!("no column is named {name:?} in the first line, \"{}\"", joined(first))
}
