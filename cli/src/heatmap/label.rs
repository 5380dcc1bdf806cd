//! Labels: keys, amounts and times as a person reads them.

use crate::feed::Measure;
use crate::input::account::grouped;
use crate::readable::Readable;

/// The longest key that is shown whole, in characters.
const LONGEST: usize = 200;
/// 2000-01-01, in seconds. An earlier time is not of a clock, but counted from a log's begin.
const THIS_CENTURY: u64 = 946_684_800;

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

/// Returns a share: thousandths as per cent.
pub fn percent(permille: u32) -> String {
    match permille {
        0 => "0 %".into(),
        1..=99 => format!("{}.{} %", permille / 10, permille % 10),
        _ => format!("{} %", grouped(u64::from(permille / 10))),
    }
}

/// How seconds of a log are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    Utc,
    /// From this second on.
    From(u64),
}

impl Clock {
    /// That of a log whose first second this is.
    pub fn of(first: u64) -> Self {
        if first < THIS_CENTURY { Self::From(first) } else { Self::Utc }
    }

    /// Returns the second that is shown as 0.
    pub fn origin(self) -> u64 {
        match self {
            Self::Utc => 0,
            Self::From(first) => first,
        }
    }

    /// Returns hours, minutes and seconds.
    pub fn time(self, second: u64) -> String {
        let second = second.saturating_sub(self.origin());
        let hour = if self == Self::Utc { second / 3_600 % 24 } else { second / 3_600 };
        format!("{hour:02}:{:02}:{:02}", second / 60 % 60, second % 60)
    }

    /// Returns the date too, where there is one.
    pub fn date_time(self, second: u64) -> String {
        let time = self.time(second);
        if self == Self::Utc { format!("{} {time}", date(second / 86_400)) } else { time }
    }

    /// Says what the times are.
    pub fn name(self) -> &'static str {
        if self == Self::Utc { "UTC" } else { "from the log's begin" }
    }
}

/// Returns the date of a day since 1970, in the Gregorian calendar.
fn date(day: u64) -> String {
    // Years from March on have their leap day at the end; 400 of them have 146,097 days.
    let day = day + 719_468;
    let (era, of_era) = (day / 146_097, day % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + u64::from(month <= 2))
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
        assert_eq!([0, 5, 99, 1_000, 12_345].map(percent), ["0 %", "0.5 %", "9.9 %", "100 %", "1,234 %"]);
    }

    #[test]
    fn times_are_of_a_clock_or_from_the_begin() {
        let clock = Clock::of(1_709_164_800);
        assert_eq!(clock.date_time(1_709_164_800 + 3_661), "2024-02-29 01:01:01");
        assert_eq!(clock.date_time(1_709_251_200), "2024-03-01 00:00:00");
        assert_eq!(clock.date_time(4_107_542_400), "2100-03-01 00:00:00");
        assert_eq!(Clock::of(946_684_799), Clock::From(946_684_799));
        assert_eq!(Clock::of(7).date_time(7 + 90_061), "25:01:01");
    }
}
