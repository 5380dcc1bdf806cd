//! Times as people read and write them: UTC, or from the beginning of a log whose clock is its own;
//! and spans between them.

use crate::input::timestamp;

/// The years 2000 to 2099, in milliseconds since 1970. Times of a log that begins earlier or later
/// are its own.
const THIS_CENTURY: std::ops::Range<u64> = 946_684_800_000..4_102_444_800_000;
const DAY: u64 = 86_400;

/// Writes the times of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The beginning of a log whose times are its own; `None` if they are since 1970.
    begin_ms: Option<u64>,
}

impl Clock {
    /// Returns the clock of a log that begins at this time.
    pub fn of_log(begin_ms: u64) -> Self {
        Self { begin_ms: (!THIS_CENTURY.contains(&begin_ms)).then_some(begin_ms) }
    }

    pub fn is_utc(self) -> bool {
        self.begin_ms.is_none()
    }

    /// Returns in words what the times are.
    pub fn name(self) -> &'static str {
        if self.is_utc() { "UTC" } else { "from the log's beginning" }
    }

    /// Returns the second that is written as 0.
    pub fn origin(self) -> u64 {
        self.begin_ms.unwrap_or(0) / 1_000
    }

    /// Returns a time to the second: `2026-03-01 02:14:07`, or `0:14:07` from the log's beginning.
    pub fn second(self, time_ms: u64) -> String {
        let time = self.time(time_ms);
        if self.is_utc() { format!("{} {time}", date(time_ms / 1_000 / DAY)) } else { time }
    }

    /// Returns the same without the date: `02:14:07` or `0:14:07`.
    pub fn time(self, time_ms: u64) -> String {
        let second = (time_ms / 1_000).saturating_sub(self.origin());
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        if self.is_utc() {
            format!("{:02}:{minute:02}:{second:02}", hour % 24)
        } else {
            format!("{hour}:{minute:02}:{second:02}")
        }
    }

    /// Returns a time to the millisecond: `2026-03-01 02:14:07.250`, or `+0:14:07.250` from the
    /// log's beginning, with a sign as no line above says from when.
    pub fn millisecond(self, time_ms: u64) -> String {
        match self.begin_ms {
            None => format!("{}.{:03}", self.second(time_ms), time_ms % 1_000),
            Some(begin_ms) => {
                let since = time_ms.saturating_sub(begin_ms);
                let from_zero = Self { begin_ms: Some(0) };
                format!("+{}.{:03}", from_zero.time(since), since % 1_000)
            }
        }
    }
}

/// Returns a span for a sentence, in the largest unit that tells it well: `45 seconds`, `12
/// minutes`, `3.5 hours`.
pub fn duration(seconds: u64) -> String {
    let tenths = |unit: u64, name: &str| {
        let tenths = (seconds * 10 + unit / 2) / unit;
        match tenths % 10 {
            0 => format!("{} {name}", tenths / 10),
            tenth => format!("{}.{tenth} {name}", tenths / 10),
        }
    };
    match seconds {
        1 => "1 second".into(),
        0..120 => format!("{seconds} seconds"),
        120..7_200 => tenths(60, "minutes"),
        7_200..172_800 => tenths(3_600, "hours"),
        _ => tenths(DAY, "days"),
    }
}

/// Returns a span in short, by its two largest units: `350 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`,
/// `6 min`.
pub fn span(ms: u64) -> String {
    let s = ms / 1_000;
    let two = |large: u64, large_name: &str, small: u64, small_name: &str| match small {
        0 => format!("{large} {large_name}"),
        _ => format!("{large} {large_name} {small} {small_name}"),
    };
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 if ms % 1_000 < 100 => format!("{s} s"),
        1_000..60_000 => format!("{s}.{} s", ms % 1_000 / 100),
        60_000..3_600_000 => two(s / 60, "min", s % 60, "s"),
        3_600_000..86_400_000 => two(s / 3_600, "h", s / 60 % 60, "min"),
        _ => two(s / DAY, "d", s / 3_600 % 24, "h"),
    }
}

/// Reads a time: milliseconds as a log has them, or UTC as `2026-03-01`, `2026-03-01T02:14` or
/// `2026-03-01 02:14:07Z`, or one with an offset as logs write it.
pub fn parse(text: &str) -> Result<u64, String> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    let bare = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    // Hours and minutes, or seconds alone, may be left out.
    let rest = match bare.len() {
        10 => "T00:00:00",
        16 => ":00",
        _ => "",
    };
    let ms = timestamp::parse(format!("{bare}{rest}").as_bytes());
    ms.ok_or_else(|| {
        format!("{text:?} is neither a number of milliseconds nor a time such as 2026-03-01T02:14:07Z")
    })
}

/// Returns the date so many days after the first of January 1970, in the Gregorian calendar.
fn date(days: u64) -> String {
    // Years from March on have their leap day at the end; 400 of them have 146,097 days.
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
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
    fn times_are_written_and_read() {
        for (ms, text) in [
            (951_782_400_000, "2000-02-29 00:00:00"),
            (951_868_799_000, "2000-02-29 23:59:59"),
            (1_709_168_461_000, "2024-02-29 01:01:01"),
            (1_735_689_599_000, "2024-12-31 23:59:59"),
            (1_772_331_247_000, "2026-03-01 02:14:07"),
            (1_798_761_599_000, "2026-12-31 23:59:59"),
            (4_102_444_799_000, "2099-12-31 23:59:59"),
        ] {
            assert_eq!(Clock::of_log(ms).second(ms), text);
            assert_eq!(Clock::of_log(ms).time(ms), text[11..]);
            assert_eq!(Clock::of_log(ms).millisecond(ms + 67), format!("{text}.067"));
            assert_eq!(parse(text), Ok(ms));
        }
        assert_eq!(parse("2026-03-01T02:14Z"), Ok(1_772_331_240_000));
        assert_eq!(parse("2026-03-01"), Ok(1_772_323_200_000));
        assert_eq!(parse("2026-03-01T03:14:07+01:00"), Ok(1_772_331_247_000));
        assert_eq!(parse("17"), Ok(17));
        for text in
            ["", "2026-02-29", "2026-13-01", "2026-03-01T24:00", "2026-03-01T02", "noon", "2026-03-01ZZ"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut before = String::new();
        for day in 0..146_097 {
            let date = date(day);
            assert!(before < date, "{before} {date}");
            assert_eq!(parse(&date), Ok(day * DAY * 1_000));
            before = date;
        }
    }

    #[test]
    fn a_clock_of_its_own_begins_with_the_log() {
        let clock = Clock::of_log(5_500);
        assert_eq!((clock.is_utc(), clock.origin(), clock.name()), (false, 5, "from the log's beginning"));
        assert_eq!((clock.second(5_500), clock.second(3_605_999)), ("0:00:00".into(), "1:00:00".into()));
        assert_eq!(Clock::of_log(7_000).time(7_000 + 90_061_000), "25:01:01");
        assert_eq!(Clock::of_log(5_000).millisecond(5_000 + 36_610_007), "+10:10:10.007");
        assert_eq!(Clock::of_log(0).millisecond(0), "+0:00:00.000");
        for ms in [THIS_CENTURY.start, THIS_CENTURY.end] {
            assert_eq!(Clock::of_log(ms - 1).is_utc(), ms == THIS_CENTURY.end);
        }
    }

    #[test]
    fn a_duration_has_the_unit_that_tells_it() {
        let texts = [1, 90, 600, 750, 12_600, 259_200].map(duration);
        assert_eq!(texts, ["1 second", "90 seconds", "10 minutes", "12.5 minutes", "3.5 hours", "3 days"]);
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let texts = [0, 999, 4_250, 5_000, 80_000, 360_000, 7_500_000, 180_000_000].map(span);
        assert_eq!(texts, ["0 ms", "999 ms", "4.2 s", "5 s", "1 min 20 s", "6 min", "2 h 5 min", "2 d 2 h"]);
    }
}
