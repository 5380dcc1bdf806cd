//! Labels: keys and amounts as a person reads them.

use crate::feed::Measure;
use crate::input::account::grouped;
use crate::readable::Readable;

/// The longest key that is shown whole, in characters.
const LONGEST: usize = 200;

/// Returns a key as the library shows it, cut where it is too long.
pub fn name(text: &[u8]) -> String {
    let name = Readable(text).to_string();
    match name.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}… ({} bytes)", &name[..at], grouped(text.len() as u64)),
        None => name,
    }
}

/// Returns an amount with its thousands apart, in units where half units are counted.
pub fn amount(n: u64, measure: Measure) -> String {
    match measure {
        Measure::Operations => grouped(n),
        Measure::HalfUnits if n % 2 == 1 => format!("{}.5", grouped(n / 2)),
        Measure::HalfUnits => grouped(n / 2),
    }
}

/// Returns a share: thousandths as per cent. Only what reaches 100 % is shown as that.
pub fn percent(permille: u32) -> String {
    match permille {
        0 => "0 %".into(),
        1..=99 | 990..=999 => format!("{}.{} %", permille / 10, permille % 10),
        _ => format!("{} %", grouped((u64::from(permille) + 5) / 10)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_break_nothing() {
        assert_eq!(name(b"\x1b\xff\xc3\xa9"), r"\x1B\xFFé");
        assert_eq!(name(&[b'k'; 300]), format!("{}… (300 bytes)", "k".repeat(200)));
    }

    #[test]
    fn amounts_and_shares_are_said_as_people_do() {
        assert_eq!(amount(2_001, Measure::HalfUnits), "1,000.5");
        assert_eq!(amount(2_001, Measure::Operations), "2,001");
        assert_eq!([0, 5, 99, 1_000, 12_345].map(percent), ["0 %", "0.5 %", "9.9 %", "100 %", "1,235 %"]);
        assert_eq!([104, 105, 989, 999].map(percent), ["10 %", "11 %", "99 %", "99.9 %"]);
    }
}
