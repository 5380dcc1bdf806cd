//! Times as people read and write them: UTC, or from the beginning of a log whose clock is its own.

/// The years 2000 to 2099, in milliseconds since 1970.
const THIS_CENTURY: std::ops::Range<u64> = 946_684_800_000..4_102_444_800_000;
const DAY: u64 = 86_400;

/// Writes the times of one log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// `None`: the log's times are since 1970.
    begin_ms: Option<u64>,
}

impl Clock {
    /// The clock of a log that begins at this time.
    pub fn of_log(begin_ms: u64) -> Self {
        Self { begin_ms: (!THIS_CENTURY.contains(&begin_ms)).then_some(begin_ms) }
    }

    pub fn is_utc(self) -> bool {
        self.begin_ms.is_none()
    }

    /// `2026-03-01 02:14:07`, or `0:14:07` from the log's beginning.
    pub fn second(self, time_ms: u64) -> String {
        let Some(begin_ms) = self.begin_ms else {
            let (year, month, day) = date(time_ms / 1_000 / DAY);
            let second = time_ms / 1_000 % DAY;
            return format!("{year:04}-{month:02}-{day:02} {}", clock(second, 2));
        };
        clock((time_ms / 1_000).saturating_sub(begin_ms / 1_000), 1)
    }
}

fn clock(second: u64, width: usize) -> String {
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{hour:0width$}:{minute:02}:{second:02}")
}

/// A span of seconds, in the largest unit that tells it well: `45 seconds`, `12 minutes`, `3.5 hours`.
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

/// Reads a time: milliseconds as a log has them, or UTC as `2026-03-01`, `2026-03-01T02:14` or `2026-03-01 02:14:07Z`.
pub fn parse(text: &str) -> Result<u64, String> {
    let wrong =
        || format!("{text:?} is neither a number of milliseconds nor a time such as 2026-03-01T02:14:07Z");
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    utc(text.trim_end_matches(['Z', 'z'])).ok_or_else(wrong)
}

fn utc(text: &str) -> Option<u64> {
    let (date, clock) = text.split_once(['T', 't', ' ']).unwrap_or((text, "0:0"));
    let mut date = date.split('-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut clock = clock.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next().unwrap_or(Some(0))?);
    let is_time = hour < 24 && minute < 60 && second < 60 && clock.next().is_none();
    if !(1970..=2106).contains(&year) || !is_time || date.next().is_some() {
        return None;
    }
    // Within a year and a leap day for every fourth.
    let days = (365 * (year - 1970)..).take(401).find(|&days| self::date(days) == (year, month, day))?;
    Some((days * DAY + hour * 3_600 + minute * 60 + second) * 1_000)
}

/// Returns year, month and day of a number of days since 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let (mut year, mut rest) = (1970, days);
    let is_leap =
        |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while rest >= 365 + u64::from(is_leap(year)) {
        rest -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + u64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    (year, month, rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read() {
        for (ms, text) in [
            (951_782_400_000, "2000-02-29 00:00:00"),
            (1_772_331_247_000, "2026-03-01 02:14:07"),
            (1_798_761_599_000, "2026-12-31 23:59:59"),
        ] {
            assert_eq!(Clock::of_log(ms).second(ms), text);
            assert_eq!(parse(text), Ok(ms));
        }
        assert_eq!(parse("2026-03-01T02:14Z"), Ok(1_772_331_240_000));
        assert_eq!(parse("2026-03-01"), Ok(1_772_323_200_000));
        assert_eq!(parse("17"), Ok(17));
        for text in ["", "2026-02-29", "2026-13-01", "2026-03-01T24:00", "noon", "2026-03-01T02:14:07+01:00"]
        {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_clock_of_its_own_begins_with_the_log() {
        let clock = Clock::of_log(5_500);
        assert!(!clock.is_utc());
        assert_eq!((clock.second(5_500), clock.second(3_605_999)), ("0:00:00".into(), "1:00:00".into()));
    }

    #[test]
    fn a_duration_has_the_unit_that_tells_it() {
        let texts = [1, 90, 600, 750, 12_600, 259_200].map(duration);
        assert_eq!(texts, ["1 second", "90 seconds", "10 minutes", "12.5 minutes", "3.5 hours", "3 days"]);
    }
}
