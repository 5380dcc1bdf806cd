//! Readable: a name as it is shown, in one line that can't command a terminal, as in the library's
//! log line; and a number with its noun.

use crate::input::account::grouped;
use std::fmt;

/// Displays a name. `"`, `\`, control characters and bytes that are not UTF-8 appear as `\xNN`, byte by byte.
#[derive(Clone, Copy, Debug)]
pub struct Readable<'a>(pub &'a [u8]);

impl fmt::Display for Readable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| {
            bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02X}"))
        };
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if matches!(c, '"' | '\\') || c.is_control() {
                    hex(f, c.encode_utf8(&mut [0; 4]).as_bytes())?;
                } else {
                    fmt::Write::write_char(f, c)?;
                }
            }
            hex(f, chunk.invalid())?;
        }
        Ok(())
    }
}

/// Returns a number and a noun: "1 warning", "2 warnings".
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotpart::{Detector, Operation, Record};

    #[test]
    fn a_name_looks_as_it_does_in_the_log_line() {
        let names: [&[u8]; 5] =
            [b"a\"b\\c", b"\x1b[31m\n\xff\xc3\xa9", b"\xc2\x9b\0\x7f", b"\xed\xa0\x80", "€🔥".as_bytes()];
        let detector = Detector::new(1, 1, 60).unwrap();
        for name in names {
            let record = Record::new(name, name, Operation::Write);
            let line = detector.record_and_warn(&record).unwrap().1.unwrap().to_string();
            let quoted: Vec<_> = line.split('"').collect();
            let shown = Readable(name).to_string();
            assert_eq!((quoted[1], quoted[3]), (&*shown, &*shown));
        }
    }
}
