//! DynamoDB's numbers: decimal texts of up to 38 digits, of which many mean the same.

/// The most significant digits that a number has.
const DIGITS_MAX: usize = 38;
/// The exponents that a number's first digit may have: 1E-130 to 9.99…E+125.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;

/// A number's text, taken apart.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let some = !whole.is_empty() || !fraction.is_empty();
        (some && digits(whole) && digits(fraction)).then_some(Self { negative, whole, fraction, exponent })
    }

    /// Returns all digits in their order.
    fn digits(&self) -> impl DoubleEndedIterator<Item = u8> + Clone {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    /// Returns how many zeros come first, and how many significant digits after those.
    fn significant(&self) -> (usize, usize) {
        let all = self.whole.len() + self.fraction.len();
        let before = zeros(self.digits());
        if before == all { (all, 0) } else { (before, all - before - zeros(self.digits().rev())) }
    }
}

/// Returns how many zeros digits begin with.
fn zeros(digits: impl Iterator<Item = u8>) -> usize {
    digits.take_while(|&digit| digit == b'0').count()
}

/// An exponent, which may have more digits than any number could.
fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let far = if text.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    Some(text.parse().unwrap_or(far).clamp(i64::MIN / 4, i64::MAX / 4))
}

/// The one plain decimal that a number is written as: `1`, `1.0` and `1e0` are `1`, and `-0` is `0`. `None`: it is not a
/// number, or has more digits or another magnitude than DynamoDB's have, which is known before it is written out.
pub(crate) fn canonical(text: &str) -> Option<String> {
    let parts = Parts::parse(text)?;
    let (before, len) = parts.significant();
    if len == 0 {
        return Some("0".to_owned());
    }
    // Of the first significant digit.
    let exponent = parts.whole.len() as i64 - 1 - before as i64 + parts.exponent;
    if len > DIGITS_MAX || !EXPONENTS.contains(&exponent) {
        return None;
    }
    let mut out = String::from(if parts.negative { "-" } else { "" });
    if exponent < 0 {
        out.push_str("0.");
        out.extend((exponent..-1).map(|_| '0'));
    }
    for (i, digit) in parts.digits().skip(before).take(len).enumerate() {
        if i > 0 && i as i64 == exponent + 1 {
            out.push('.');
        }
        out.push(char::from(digit));
    }
    out.extend((len as i64..=exponent).map(|_| '0'));
    Some(out)
}

/// Returns the bytes that a number takes in an item, by the developer guide's approximation: a byte for two significant digits and one
/// more, and another one if it is negative. What is not a number is taken by its length.
pub(crate) fn size(text: &str) -> u64 {
    let (digits, negative) =
        Parts::parse(text).map_or((text.len(), false), |parts| (parts.significant().1, parts.negative));
    digits.div_ceil(2) as u64 + 1 + u64::from(negative && digits > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_canonical_text() {
        let most = "9".repeat(38);
        let cases = [
            ("1", "1"),
            ("1.0", "1"),
            ("1e0", "1"),
            ("+1", "1"),
            ("01", "1"),
            ("10e-1", "1"),
            ("-0", "0"),
            ("0.00", "0"),
            ("0e999999999999999999999999", "0"),
            ("1.50e2", "150"),
            ("15e1", "150"),
            ("1e-3", "0.001"),
            ("-12.50", "-12.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("0.00120", "0.0012"),
            ("100", "100"),
            ("1E+2", "100"),
            (&most, &most),
        ];
        for (text, canon) in cases {
            assert_eq!(canonical(text).as_deref(), Some(canon), "{text}");
            assert_eq!(canonical(canon).as_deref(), Some(canon), "it is its own");
        }
        assert_eq!(canonical("1e125").unwrap().len(), 126);
        assert_eq!(canonical("1e-130").unwrap(), format!("0.{}1", "0".repeat(129)));
        assert_eq!(canonical(&format!("{most}e88")).unwrap().len(), 126);
    }

    #[test]
    fn what_is_no_number_of_dynamodb_is_refused_before_it_is_written_out() {
        let long = "1".repeat(39);
        let bad = [
            "",
            "-",
            "+",
            ".",
            "e5",
            "1e",
            "1e+",
            "abc",
            "1 ",
            " 1",
            "1_0",
            "0x1",
            "NaN",
            "Infinity",
            "--1",
            "1.2.3",
            "1e5.0",
            "１",
            "1e126",
            "1e-131",
            "1e999999999999999999999",
            "1e-999999999999999999999",
            &long,
            "1000000000000000000000000000000000000001.5",
            "9e9223372036854775807",
        ];
        bad.iter().for_each(|text| assert_eq!(canonical(text), None, "{text}"));
    }

    #[test]
    fn a_number_takes_a_byte_for_two_digits_and_one() {
        let sizes = [("0", 1), ("7", 2), ("27", 2), ("-27", 3), ("1000", 2), ("123.45", 4), ("x", 2)];
        sizes.iter().for_each(|&(text, bytes)| assert_eq!(size(text), bytes, "{text}"));
    }
}
