//! Text as logs and metrics show it.
//!
//! A key may have any bytes. In a log line a newline would forge a second line, and a terminal
//! obeys control characters. So what could do harm is written as `\xNN`, byte by byte:
//!
//! | bytes | shown |
//! |---|---|
//! | `a"b\c` | `a\x22b\x5Cc` |
//! | a newline | `\x0A` |
//! | `é` in UTF-8 | `é` |
//! | FF, which is no UTF-8 | `\xFF` |

use std::fmt;

/// Displays text in one line that breaks no log.
///
/// `"`, `\`, control characters and bytes that are not UTF-8 appear as `\xNN`, byte by byte, but
/// for the characters in `keeps`. No two texts look the same, as a `\` is always escaped.
pub(crate) struct Readable<'a> {
    text: &'a [u8],
    keeps: &'static [char],
}

impl<'a> Readable<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, keeps: &[] }
    }

    /// Leaves these characters as they are: the caller escapes them in its own way.
    pub(crate) fn keeping(self, keeps: &'static [char]) -> Self {
        Self { keeps, ..self }
    }
}

impl fmt::Display for Readable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = |f: &mut fmt::Formatter<'_>, bytes: &[u8]| {
            bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02X}"))
        };
        let is_escaped = |c: char| is_special(c) && !self.keeps.contains(&c);
        for chunk in self.text.utf8_chunks() {
            for part in chunk.valid().split_inclusive(is_escaped) {
                let plain = part.trim_end_matches(is_escaped);
                f.write_str(plain)?;
                hex(f, &part.as_bytes()[plain.len()..])?;
            }
            hex(f, chunk.invalid())?;
        }
        Ok(())
    }
}

fn is_special(c: char) -> bool {
    // U+0080 to U+009F are control characters too: terminals obey them.
    matches!(c, '"' | '\\') || c.is_control()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Readable;

    #[test]
    fn what_could_break_a_log_is_escaped() {
        let readable = |text: &[u8]| Readable::new(text).to_string();
        assert_eq!(readable(b""), "");
        assert_eq!(readable(b"a\"b\\c"), r"a\x22b\x5Cc");
        assert_eq!(readable(b"\x1b[31m\n\xff\xc3\xa9"), r"\x1B[31m\x0A\xFFé");
        assert_eq!(readable(b"\xc2\x9b\0\x7f"), r"\xC2\x9B\x00\x7F");
        assert_eq!(readable(b"\n\n\xc3"), r"\x0A\x0A\xC3");
    }

    #[test]
    fn a_byte_and_the_text_that_stands_for_it_look_different() {
        for (byte, text) in [(b"\x01", br"\x01"), (b"\n", br"\x0A"), (b"\xff", br"\xFF")] {
            assert_ne!(Readable::new(byte).to_string(), Readable::new(text).to_string());
        }
    }
}
