//! Timestamps: dates as logs write them, as milliseconds since 1970.

/// Reads a date and a time: `2026-03-02T10:04:07Z`. There may be a blank for the `T`; a fraction
/// after `.` or `,`; and `Z`, an offset such as `+01:00`, or nothing, which is taken for UTC. Dates
/// before 1970 and after 9999 are not read.
pub fn parse(text: &[u8]) -> Option<u64> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(date, b'-')?;
    let (mark, rest) = rest.split_first()?;
    if !matches!(mark, b'T' | b't' | b' ') {
        return None;
    }
    let (time, rest) = rest.split_at_checked(8)?;
    let [hour, minute, second] = numbers(time, b':')?;
    // A leap second is taken for the beginning of the next second.
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (millis, zone) = fraction(rest)?;
    let seconds =
        i64::from(days(year, month, day)?) * 86_400 + hour * 3_600 + minute * 60 + second - offset(zone)?;
    u64::try_from(seconds * 1_000 + millis).ok()
}

/// Returns the millisecond that is nearest to so many seconds. Most fractions have no exact binary
/// number.
pub fn of_seconds(seconds: f64) -> u64 {
    (seconds * 1e3).round() as u64
}

/// Reads three numbers with this mark between them, the last two of two digits.
fn numbers(text: &[u8], mark: u8) -> Option<[i64; 3]> {
    let mut parts = text.split(|&byte| byte == mark);
    let numbers = [number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?];
    parts.next().is_none().then_some(numbers)
}

fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() || digits.len() > 4 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |n, digit| n * 10 + i64::from(digit - b'0')))
}

/// Reads a fraction of a second as milliseconds, and returns what comes after it.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(digits) = text.strip_prefix(b".").or_else(|| text.strip_prefix(b",")) else {
        return Some((0, text));
    };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(len);
    let millis = (0..3).fold(0, |n, i| n * 10 + digits.get(i).map_or(0, |digit| i64::from(digit - b'0')));
    (len > 0).then_some((millis, rest))
}

/// Reads a zone's offset, in seconds.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone {
        [] | [b'Z' | b'z'] => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.len() {
        2 => (rest, &b"0"[..]),
        4 => rest.split_at(2),
        5 if rest[2] == b':' => (&rest[..2], &rest[3..]),
        _ => return None,
    };
    Some(sign * (number(hours)? * 3_600 + number(minutes)? * 60))
}

/// Returns the days from 1970 to a date of the Gregorian calendar. Years are counted from March, so
/// that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> Option<i32> {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1970..=9999).contains(&year) || !(1..=last).contains(&day) {
        return None;
    }
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    // 1970-01-01 is that many days after 0000-03-01.
    i32::try_from(days - 719_468).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_milliseconds_since_1970() {
        let cases = [
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:59Z", 951_868_799_000),
            ("2020-09-03T22:27:15Z", 1_599_172_035_000),
            ("2026-03-02 10:04:07,067", 1_772_445_847_067),
            ("2026-03-02T10:04:07.067891", 1_772_445_847_067),
            ("2026-03-02T11:34:07.0+01:30", 1_772_445_847_000),
            ("2026-03-02T09:04:07-0100", 1_772_445_847_000),
            ("2026-03-02T12:04:07.5+02", 1_772_445_847_500),
        ];
        for (text, ms) in cases {
            assert_eq!(parse(text.as_bytes()), Some(ms), "{text}");
        }
    }

    #[test]
    fn a_fraction_of_a_second_keeps_its_milliseconds() {
        for ms in
            (0..2_000).chain(1_772_445_841_000..1_772_445_843_000).chain(4_294_967_295_000..4_294_967_296_000)
        {
            let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
            assert_eq!(of_seconds(text.parse().expect("a number")), ms);
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        let cases = [
            "",
            "2026-03-02",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00X",
            "2026-01-01T00:00:00+1",
            "202-601-01T00:00:00Z",
            "20x6-01-01T00:00:00Z",
            "1970-01-01T00:00:00+01:00",
        ];
        for text in cases {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
