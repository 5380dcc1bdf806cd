//! Bytes as text, and numbers as people read them.

use crate::heatmap::label;
use crate::readable::shown;
use crate::report::model::Amount;

/// Returns bytes as text. Those that are not UTF-8 appear as `\xNN`; and what a terminal would obey
/// or hide, if they are for one.
pub fn readable(bytes: &[u8], for_terminal: bool) -> String {
    if for_terminal {
        return shown(bytes);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02X}")));
    }
    text
}

/// Returns text of no more than so many characters: its beginning and, as keys often differ there,
/// its end.
pub fn shortened(text: &str, most: usize) -> String {
    let len = text.chars().count();
    if len <= most {
        return text.into();
    }
    let end = most / 3;
    let begin: String = text.chars().take(most - 1 - end).collect();
    let end: String = text.chars().skip(len - end).collect();
    format!("{begin}…{end}")
}

/// Returns a share as percent, as a heat map has it: `0.4 %`, `62 %`.
pub fn percent(share: f64) -> String {
    // What is a whole number of thousandths may be a little less than that in a float.
    let permille = (share * 1_000.0 + 1e-6).floor() as u32;
    if share > 0.0 && permille == 0 { "<0.1 %".into() } else { label::percent(permille) }
}

/// Returns the ending that a noun has after this number.
pub fn many(n: Amount) -> &'static str {
    if n.value() == 1.0 { "" } else { "s" }
}

/// Returns a number of bytes: `640 KiB`, `1.2 GiB`.
pub fn bytes(n: u64) -> String {
    let unit = |shift: u32, name: &str| {
        let n = n as f64 / (1_u64 << shift) as f64;
        if n < 10.0 { format!("{n:.1} {name}") } else { format!("{n:.0} {name}") }
    };
    match n {
        0..1_024 => format!("{n} bytes"),
        1_024..1_048_576 => unit(10, "KiB"),
        1_048_576..1_073_741_824 => unit(20, "MiB"),
        _ => unit(30, "GiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_that_a_terminal_can_take() {
        assert_eq!(readable(b"caf\xc3\xa9\x1b[2J\xff", true), "café\\x1B[2J\\xFF");
        assert_eq!(readable(b"a\tb\xff\"", false), "a\tb\\xFF\"");
    }

    #[test]
    fn long_text_keeps_both_ends() {
        assert_eq!(shortened("customer#1234567", 16), "customer#1234567");
        assert_eq!(shortened("customer#12345678", 16), "customer#1…45678");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [0.0, 0.000_1, 0.034, 0.29, 0.5, 0.999_9, 1.539].map(percent),
            ["0 %", "<0.1 %", "3.4 %", "29 %", "50 %", "99.9 %", "154 %"]
        );
        assert_eq!([12, 1_536, 20 << 20, 3 << 30].map(bytes), ["12 bytes", "1.5 KiB", "20 MiB", "3.0 GiB"]);
    }
}
