//! DynamoDB's numbers: decimal texts of up to 38 digits, of which many mean the same.
//!
//! `1`, `1.0`, `10e-1` and `+01` are one partition key. So a number is counted by its canonical
//! text: the plain decimal without an exponent, leading zeros or zeros at the end. Its digits are
//! never converted, so none is lost. Whether a number is in range is known before it is written
//! out: `1e999999999` costs no memory.

use crate::argument::Argument;
use crate::error::Error;

/// The most significant digits that a number has.
const DIGITS_MAX: usize = 38;
/// The exponents that a number's first digit may have: 1E-130 to 9.99…E+125.
const EXPONENTS: std::ops::RangeInclusive<i64> = -130..=125;
/// The most bytes of a canonical text: "-0.", 129 zeros and all digits.
pub(crate) const KEY_MAX: usize = "-0.".len() + 129 + DIGITS_MAX;

/// A number's text, taken apart: of `-12.50e3` the sign, `12`, `50` and 3.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Parts<'a> {
    /// Takes a text apart; `None` if it is no number.
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

    /// Returns all digits in their order, before the point and after it.
    fn digits(&self) -> impl DoubleEndedIterator<Item = u8> + Clone {
        self.whole.bytes().chain(self.fraction.bytes())
    }

    /// Returns how many zeros come first, and how many significant digits after those: of `0012.50`
    /// it is 2 and 3. Zero is all zeros, and has no significant digit.
    fn significant(&self) -> (usize, usize) {
        let all = self.whole.len() + self.fraction.len();
        let before = zeros(self.digits());
        if before == all { (all, 0) } else { (before, all - before - zeros(self.digits().rev())) }
    }
}

/// Returns with how many zeros the digits begin.
fn zeros(digits: impl Iterator<Item = u8>) -> usize {
    digits.take_while(|&digit| digit == b'0').count()
}

/// Returns an exponent. One with more digits than any number could have is taken for one far out of
/// range, on the same side.
fn exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let far = if text.starts_with('-') { i64::MIN / 4 } else { i64::MAX / 4 };
    Some(text.parse().unwrap_or(far).clamp(i64::MIN / 4, i64::MAX / 4))
}

/// Returns the text by which a DynamoDB number is counted as a partition key: its one plain
/// decimal. `1`, `1.0` and `1E0` are `1`, and `-0` is `0`.
///
/// ```
/// assert_eq!(hotpart::number_key("1.50E2")?, "150");
/// # Ok::<(), hotpart::Error>(())
/// ```
///
/// # Errors
/// [`Error::Invalid`] if `number` is not a number, has more than 38 significant digits, or has a
/// magnitude that is neither 0 nor within `1E-130..=9.99…E+125`.
pub fn number_key(number: impl AsRef<[u8]>) -> Result<String, Error> {
    let text = std::str::from_utf8(number.as_ref()).ok();
    text.and_then(canonical).ok_or(Error::Invalid(Argument::Number))
}

/// Returns a number's canonical text; see [`plain`].
pub(crate) fn canonical(text: &str) -> Option<String> {
    Some(plain(text)?.map(char::from).collect())
}

/// Returns the characters of a number's plain decimal, all of them ASCII and at most [`KEY_MAX`].
/// `None`: it is not a number, or has more digits or another magnitude than DynamoDB's numbers
/// have.
///
/// Of `12.50e3` the significant digits are `125`, and the first of them has the exponent 4, so it
/// is `12500`. Of `12e-4` they are `12` and -3: `0.0012`.
pub(crate) fn plain(text: &str) -> Option<impl Iterator<Item = u8>> {
    let parts = Parts::parse(text)?;
    let (before, len) = parts.significant();
    // The exponent of the first significant digit. Zero is written as 1 is, by a digit that is not
    // significant.
    let exponent = if len == 0 { 0 } else { parts.whole.len() as i64 - 1 - before as i64 + parts.exponent };
    if len > DIGITS_MAX || !EXPONENTS.contains(&exponent) {
        return None;
    }
    let sign = if parts.negative && len > 0 { "-" } else { "" };
    let (leading, zeros) = if exponent < 0 { ("0.", -exponent - 1) } else { ("", 0) };
    // The significant digits, with the point behind the one that stands for units.
    let digits = parts.whole.bytes().chain(parts.fraction.bytes()).skip(before).take(len);
    let digits = digits.enumerate().flat_map(move |(i, digit)| {
        let point = (i > 0 && i as i64 == exponent + 1).then_some(b'.');
        point.into_iter().chain([digit])
    });
    let zero = |n: i64| std::iter::repeat_n(b'0', usize::try_from(n).unwrap_or(0));
    // In this order: the sign, the zeros before, the digits, and the zeros up to the point.
    Some(
        sign.bytes()
            .chain(leading.bytes())
            .chain(zero(zeros))
            .chain(digits)
            .chain(zero(exponent + 1 - len as i64)),
    )
}

/// Returns the bytes that a number takes in an item. There is one, and a byte for two significant
/// digits before the point and for two after it, each rounded up, and another one if it is
/// negative: `-12.5` takes 1 + 1 + 1 + 1. So it was measured on the service. The developer guide's
/// approximation, which does not look at the point, is too low. A text that is not a number is
/// taken by its length.
pub(crate) fn size(text: &str) -> u64 {
    let Some(parts) = Parts::parse(text) else { return text.len().div_ceil(2) as u64 + 1 };
    let (before, len) = parts.significant();
    // How many digits, of which the first is significant, come before the point.
    let whole = (parts.whole.len() as i64 - before as i64).saturating_add(parts.exponent);
    let whole = usize::try_from(whole).unwrap_or(0).min(len);
    let digits = whole.div_ceil(2) + (len - whole).div_ceil(2);
    1 + digits as u64 + u64::from(parts.negative && len > 0)
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
        let longest = canonical(&format!("-{most}e-167")).unwrap();
        assert_eq!(longest, format!("-0.{}{most}", "0".repeat(129)));
        assert_eq!(longest.len(), KEY_MAX);
        assert_eq!(canonical(&format!("-{most}e-168")), None);
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
        assert_eq!(number_key("1e0").as_deref(), Ok("1"));
        assert_eq!(number_key(&long), Err(Error::Invalid(Argument::Number)));
        assert_eq!(number_key(b"1\xFF"), Err(Error::Invalid(Argument::Number)));
    }

    /// Each but the last was measured on the service, by the item that is just not too large with
    /// it.
    #[test]
    fn a_number_takes_a_byte_for_two_digits_on_each_side_of_the_point() {
        let most = "1234567890".repeat(3) + "12345678";
        let sizes = [
            ("0", 1),
            ("-0", 1),
            ("1", 2),
            ("12", 2),
            ("123", 3),
            ("1234", 3),
            ("123456", 4),
            (&most, 20),
            ("0042", 2),
            ("100", 2),
            ("1010", 3),
            ("0.0000001", 2),
            ("1E125", 2),
            ("1E-100", 2),
            ("15", 2),
            ("0.15", 2),
            ("1.5", 3),
            ("1.2", 3),
            ("1.200", 3),
            ("1.234", 4),
            ("3.14159", 5),
            ("100.5", 4),
            ("-42", 3),
            ("x", 2),
        ];
        sizes.iter().for_each(|&(text, bytes)| assert_eq!(size(text), bytes, "{text}"));
    }

    #[test]
    fn numbers_at_their_edges_have_sizes_and_keys() {
        let most = "9".repeat(38);
        let tiny = format!("0.{}1", "0".repeat(129));
        let padded = format!("{}1.50{}", "0".repeat(500), "0".repeat(500));
        let (nines, zeros) = (format!("-{most}E-167"), "0".repeat(129));
        let cases = [
            ("1E-130", 2, tiny.clone()),
            ("-1e-130", 3, format!("-{tiny}")),
            (&tiny, 2, tiny.clone()),
            ("9.99E+125", 3, format!("999{}", "0".repeat(123))),
            (&nines, 21, format!("-0.{zeros}{most}")),
            ("-0.0", 1, "0".to_owned()),
            ("-0e-999", 1, "0".to_owned()),
            ("+.0", 1, "0".to_owned()),
            ("-00.50", 3, "-0.5".to_owned()),
            (&padded, 3, "1.5".to_owned()),
            ("1000000000000000000000000000000000000.1e1", 20, format!("1{}1", "0".repeat(36))),
            ("1.05", 3, "1.05".to_owned()),
            ("1000.0001", 5, "1000.0001".to_owned()),
        ];
        for (text, bytes, key) in cases {
            assert_eq!((size(text), canonical(text)), (bytes, Some(key)), "{text}");
        }
    }

    #[test]
    fn a_number_s_size_is_that_of_its_canonical_text() {
        for text in
            ["15e-1", "1.5E3", "0.00120", "-12.50", "10.01e2", "+7", ".5", "0e99", "1e-130", "123.45e-4"]
        {
            assert_eq!(size(text), size(&canonical(text).unwrap()), "{text}");
        }
        assert_eq!(size("1e999999999999999999"), 2);
        assert_eq!(size("1e-999999999999999999"), 2);
    }
}
