//! Readable: a name as it is shown, in one line of which a terminal obeys and hides nothing; and
//! how many there are of what.
//!
//! The library's log line shows a name so too, but for characters that give a line another order,
//! or are not seen.

use crate::input::account::grouped;
use std::fmt;

/// Displays a name. `"`, `\`, control characters, those that [are not seen](is_obeyed) and bytes
/// that are not UTF-8 appear as `\xNN`, byte by byte.
#[derive(Clone, Copy, Debug)]
pub struct Readable<'a>(pub &'a [u8]);

impl fmt::Display for Readable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(f, self.0, |c| matches!(c, '"' | '\\') || is_obeyed(c))
    }
}

/// Returns text that may have names in it, and has been put together already: `"` and `\` stay as
/// they are.
pub fn shown(text: &[u8]) -> String {
    let mut shown = String::with_capacity(text.len());
    write(&mut shown, text, is_obeyed).expect("a string takes all");
    shown
}

/// Writes text; these characters, and bytes that are not UTF-8, as `\xNN`.
fn write(to: &mut impl fmt::Write, text: &[u8], is_escaped: impl Fn(char) -> bool) -> fmt::Result {
    let hex =
        |to: &mut dyn fmt::Write, bytes: &[u8]| bytes.iter().try_for_each(|byte| write!(to, "\\x{byte:02X}"));
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            if is_escaped(c) {
                hex(to, c.encode_utf8(&mut [0; 4]).as_bytes())?;
            } else {
                to.write_char(c)?;
            }
        }
        hex(to, chunk.invalid())?;
    }
    Ok(())
}

/// Whether a terminal does something else with a character than to show it: it obeys control
/// characters; others order a line anew, end one, or take no room, so that a name looks as another.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Marks of the direction in which text is written.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // The ends of lines and paragraphs.
            | '\u{2028}' | '\u{2029}'
            // What is not seen: hyphens, joiners, fillers, annotations, tags.
            | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
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
    #[test]
    fn what_gives_a_line_another_order_or_is_not_seen_is_escaped() {
        let name = "user\u{202e}gpj.\u{2066}a\u{200b}b\u{2028}c\u{ad}\u{e0041}\u{feff}";
        let escaped = "user\\xE2\\x80\\xAEgpj.\\xE2\\x81\\xA6a\\xE2\\x80\\x8Bb\\xE2\\x80\\xA8c\\xC2\\xAD\\xF3\\xA0\\x81\\x81\\xEF\\xBB\\xBF";
        assert_eq!(Readable(name.as_bytes()).to_string(), escaped);
        assert_eq!(shown(name.as_bytes()), escaped);
        // What is written from the right by itself stays, as do pictures.
        let name = "שלום ❤\u{fe0f} €🔥 e\u{301}";
        assert_eq!(
            (Readable(name.as_bytes()).to_string(), shown(name.as_bytes())),
            (name.into(), name.into())
        );
        assert_eq!(shown(b"\"a\\b\"\x1b[2J\xff\t"), "\"a\\b\"\\x1B[2J\\xFF\\x09");
    }
}
