//! Moments: the times of a log, and the spans between them, as a person reads them.

/// Milliseconds from 1970 to the years 2000 and 2100: times between them are dates.
const CENTURY: std::ops::Range<u64> = 946_684_800_000..4_102_444_800_000;

/// Shows the times of one log.
#[derive(Clone, Copy, Debug)]
pub struct Moments {
    begin_ms: u64,
}

impl Moments {
    /// `begin_ms` is the log's first time.
    pub fn new(begin_ms: u64) -> Self {
        Self { begin_ms }
    }

    /// Returns the date and time, UTC: `2026-01-02 03:04:05.678`. Of a log whose times are none of this century, the time since it
    /// began: `+0:04:05.678`.
    pub fn show(self, time_ms: u64) -> String {
        let ms = time_ms % 1_000;
        if CENTURY.contains(&self.begin_ms) {
            let (year, month, day) = date(time_ms / 86_400_000);
            let [h, m, s] = clock(time_ms / 1_000 % 86_400);
            return format!("{year:04}-{month:02}-{day:02} {h:02}:{m:02}:{s:02}.{ms:03}");
        }
        let since = time_ms.saturating_sub(self.begin_ms);
        let [h, m, s] = clock(since / 1_000);
        format!("+{h}:{m:02}:{s:02}.{:03}", since % 1_000)
    }
}

/// Hours, minutes and seconds.
fn clock(seconds: u64) -> [u64; 3] {
    [seconds / 3_600, seconds / 60 % 60, seconds % 60]
}

/// The year, month and day, both from 1, so many days after the first of January 1970.
fn date(days: u64) -> (u64, u64, u64) {
    let is_leap = |year: u64| year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
    let (mut year, mut left) = (1970, days);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if left < length {
            break;
        }
        (year, left) = (year + 1, left - length);
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < length {
            break;
        }
        (month, left) = (month + 1, left - length);
    }
    (year, month, left + 1)
}

/// Returns a span of time by its two largest units: `350 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`.
pub fn span(ms: u64) -> String {
    let s = ms / 1_000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{s}.{} s", ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", s / 60, s % 60),
        3_600_000..86_400_000 => format!("{} h {} min", s / 3_600, s / 60 % 60),
        _ => format!("{} d {} h", s / 86_400, s / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_this_century_are_dates() {
        let shown = |ms| Moments::new(1_767_323_045_678).show(ms);
        assert_eq!(shown(1_767_323_045_678), "2026-01-02 03:04:05.678");
        assert_eq!(shown(951_782_400_000), "2000-02-29 00:00:00.000");
        assert_eq!(shown(951_868_799_999), "2000-02-29 23:59:59.999");
        assert_eq!(shown(1_735_689_599_001), "2024-12-31 23:59:59.001");
        assert_eq!(shown(4_102_444_799_999), "2099-12-31 23:59:59.999");
    }

    #[test]
    fn other_times_are_since_the_log_began() {
        assert_eq!(Moments::new(5_000).show(5_000 + 36_610_007), "+10:10:10.007");
        assert_eq!(Moments::new(0).show(0), "+0:00:00.000");
    }

    #[test]
    fn spans_have_two_units() {
        let shown = [0, 999, 4_250, 200_000, 7_500_000, 180_000_000].map(span);
        assert_eq!(shown, ["0 ms", "999 ms", "4.2 s", "3 min 20 s", "2 h 5 min", "2 d 2 h"]);
    }
}
