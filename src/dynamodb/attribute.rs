//! Attribute values and items in DynamoDB's JSON: their keys, and their sizes.
//!
//! A value is an object of one member, whose name is its type: `{"S": "text"}`, `{"N": "7"}`,
//! `{"B": "AP8="}`, `{"L": [...]}`. An item is an object of attributes: `{"id": {"S": "7"}}`. A
//! partition key is of type `S`, `N` or `B`.

use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::number;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// Base64 in the standard alphabet, with its padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The depth to which the values of an item are measured. DynamoDB allows 32 levels.
const DEPTH_MAX: u32 = 40;

/// Returns the bytes by which a key's attribute value is counted: of `S` its text, of `N` its
/// canonical decimal, of `B` its bytes.
///
/// `JSON.stringify` and `json.dumps` send a lone surrogate as `"\ud800"`, and it is not documented
/// which bytes DynamoDB keeps of it. It is counted by what was sent: no key is lost, and two keys
/// that differ in a surrogate are not taken for each other.
pub(crate) fn key_value(value: &str) -> Result<Cow<'_, [u8]>, Malformed> {
    Ok(match scalar(value)? {
        Scalar::Text(text) => text,
        Scalar::Number(number) => Cow::Owned(number::canonical(&number).ok_or(Malformed)?.into_bytes()),
        Scalar::Binary(text) => Cow::Owned(binary(&text).ok_or(Malformed)?),
    })
}

/// Returns the text that stands for a key's attribute value among several: of `B` its base64,
/// otherwise as [`key_value`].
pub(crate) fn key_text(value: &str) -> Result<Cow<'_, [u8]>, Malformed> {
    Ok(match scalar(value)? {
        Scalar::Text(text) => text,
        Scalar::Binary(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
        Scalar::Binary(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        Scalar::Number(number) => Cow::Owned(number::canonical(&number).ok_or(Malformed)?.into_bytes()),
    })
}

/// Returns the bytes of a base64 text, with its padding or without.
pub(crate) fn binary(base64: &str) -> Option<Vec<u8>> {
    BASE64.decode(base64).ok()
}

/// A value of a type that a key may have.
enum Scalar<'a> {
    Text(Cow<'a, [u8]>),
    Number(Cow<'a, str>),
    Binary(Cow<'a, str>),
}

/// Reads a value of a type that a key may have.
fn scalar(value: &str) -> Result<Scalar<'_>, Malformed> {
    let (tag, value) = only(value)?.ok_or(Malformed)?;
    match &*tag {
        "S" => Ok(Scalar::Text(json::bytes(value)?)),
        "N" => Ok(Scalar::Number(json::text(value)?)),
        "B" => Ok(Scalar::Binary(json::text(value)?)),
        _ => Err(Malformed),
    }
}

/// Returns the only member of an object; `None` if it has none or several. A member that is null is
/// absent.
pub(crate) fn only(object: &str) -> Result<Option<(Cow<'_, str>, &str)>, Malformed> {
    let (mut found, mut members) = (None, 0);
    json::each(object, |name, value| {
        if value != "null" {
            members += 1;
            found = Some((name, value));
        }
        Ok::<(), Malformed>(())
    })?;
    Ok(found.filter(|_| members == 1))
}

/// Returns the bytes that an item takes in DynamoDB, and to read: the UTF-8 of its names, and its
/// values.
pub(crate) fn item_size(item: &str) -> Result<u64, Malformed> {
    attributes_size(item, 0, 0)
}

/// Returns the bytes that an item takes to write. An attribute among `vectors`, which a vector
/// index reads, takes four for each dimension, whatever its numbers are; that was measured on the
/// service.
pub(crate) fn written_size(item: &str, vectors: &[&str]) -> Result<u64, Malformed> {
    if vectors.is_empty() {
        return item_size(item);
    }
    let mut size = 0;
    json::each(item, |name, value| {
        let dimensions = if vectors.contains(&&*name) { dimensions(value)? } else { None };
        let value = dimensions.map_or_else(|| value_size(value, 0), |dimensions| Ok(4 * dimensions))?;
        size += name.len() as u64 + value;
        Ok::<(), Malformed>(())
    })?;
    Ok(size)
}

/// Returns how many numbers a value has, if it is a list of nothing else.
fn dimensions(value: &str) -> Result<Option<u64>, Malformed> {
    let Some((_, list)) = only(value)?.filter(|(tag, _)| tag == "L") else { return Ok(None) };
    let (mut dimensions, mut numbers) = (0, true);
    json::elements(list, |element| {
        dimensions += 1;
        numbers = numbers && only(element)?.is_some_and(|(tag, _)| tag == "N");
        Ok::<(), Malformed>(())
    })?;
    Ok(numbers.then_some(dimensions))
}

/// Returns the bytes of an object's names and values, and `each` more for every pair.
fn attributes_size(object: &str, each: u64, depth: u32) -> Result<u64, Malformed> {
    let mut size = 0;
    json::each(object, |name, value| {
        size += name.len() as u64 + value_size(value, depth)? + each;
        Ok::<(), Malformed>(())
    })?;
    Ok(size)
}

/// Returns the bytes of a value, as the developer guide has them. Recursive, so `depth` is bounded.
fn value_size(value: &str, depth: u32) -> Result<u64, Malformed> {
    if depth > DEPTH_MAX {
        return Err(Malformed);
    }
    let (tag, value) = only(value)?.ok_or(Malformed)?;
    let sum = |element_size: &dyn Fn(&str) -> Result<u64, Malformed>| {
        let mut size = 0;
        json::elements(value, |element| {
            size += element_size(element)?;
            Ok::<(), Malformed>(())
        })?;
        Ok(size)
    };
    let text = |value: &str| Ok(json::bytes(value)?.len() as u64);
    let number = |value: &str| Ok(number::size(&json::text(value)?));
    // Four characters of base64 are three bytes, less what the padding stood for.
    let binary = |value: &str| Ok(json::text(value)?.trim_end_matches('=').len() as u64 * 3 / 4);
    match &*tag {
        "S" => text(value),
        "N" => number(value),
        "B" => binary(value),
        "BOOL" | "NULL" => Ok(1),
        "SS" => sum(&text),
        "NS" => sum(&number),
        "BS" => sum(&binary),
        // Three bytes for the collection, and one for each element.
        "L" => Ok(3 + sum(&|element| Ok(value_size(element, depth + 1)? + 1))?),
        "M" => Ok(3 + attributes_size(value, 1, depth + 1)?),
        _ => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_text_its_number_or_its_bytes() {
        let cases: [(&str, &[u8]); 8] = [
            (r#"{"S":"x"}"#, b"x"),
            (r#" { "S" : "a\"\u00e9" } "#, "a\"é".as_bytes()),
            (r#"{"S":""}"#, b""),
            (r#"{"N":"1.0"}"#, b"1"),
            (r#"{"N":"-0"}"#, b"0"),
            (r#"{"B":"AP8="}"#, &[0, 255]),
            (r#"{"B":"AP8"}"#, &[0, 255]),
            (r#"{"B":""}"#, b""),
        ];
        for (value, bytes) in cases {
            assert_eq!(key_value(value).as_deref(), Ok(bytes), "{value}");
        }
        assert_eq!(key_text(r#"{"B":"AP8="}"#).as_deref(), Ok(&b"AP8="[..]));
        assert_eq!(key_text(r#"{"N":"10e-1"}"#).as_deref(), Ok(&b"1"[..]));
        let bad = [
            "",
            "{}",
            r#""x""#,
            r#"{"S":1}"#,
            r#"{"N":1}"#,
            r#"{"N":"x"}"#,
            r#"{"N":"1e200"}"#,
            r#"{"BOOL":true}"#,
            r#"{"S":"a","N":"1"}"#,
            r#"{"B":"*"}"#,
            r#"{"SS":["a"]}"#,
            r#"{"S":"x"}}"#,
            r#"{"s":"x"}"#,
        ];
        bad.iter().for_each(|value| assert_eq!(key_value(value), Err(Malformed), "{value}"));
    }

    #[test]
    fn a_lone_surrogate_is_a_key_of_its_own() {
        let key = |text: &str| key_value(&format!(r#"{{"S":"{text}"}}"#)).map(Cow::into_owned);
        assert_eq!(key(r"\ud800").as_deref(), Ok(&b"\xED\xA0\x80"[..]));
        assert_eq!(key(r"a\uDFFFé").as_deref(), Ok(&b"a\xED\xBF\xBF\xC3\xA9"[..]));
        // One that is not alone is half of a character.
        assert_eq!(key(r"\ud83d\ude00").as_deref(), Ok("😀".as_bytes()));
        assert_eq!(key(r"\ude00\ud83d").as_deref(), Ok(&b"\xED\xB8\x80\xED\xA0\xBD"[..]));
        assert_eq!(item_size(r#"{"\ud800":{"S":"\ud800"},"a":{"SS":["\udc00"]}}"#), Ok(3 + 3 + 1 + 3));
        assert_eq!(key_value(r#"{"N":"\ud800"}"#), Err(Malformed));
    }

    #[test]
    fn a_vector_takes_four_bytes_a_dimension_to_write() {
        let wide = format!(r#"{{"N":"{}"}}"#, "1234567890".repeat(3) + "12345678");
        let item = format!(r#"{{"p":{{"S":"k"}},"v":{{"L":[{wide},{wide},{wide}]}}}}"#);
        assert_eq!(written_size(&item, &["v"]), Ok(2 + 1 + 4 * 3));
        assert_eq!(written_size(&item, &["w"]), item_size(&item));
        assert_eq!(item_size(&item), Ok(2 + 1 + 3 + 3 * (1 + 20)));
        // What is no vector takes what it takes elsewhere.
        for value in [r#"{"L":[{"N":"1"},{"S":"x"}]}"#, r#"{"NS":["1"]}"#, r#"{"S":"x"}"#] {
            let item = format!(r#"{{"v":{value}}}"#);
            assert_eq!(written_size(&item, &["v"]), item_size(&item), "{value}");
        }
        assert_eq!(written_size(r#"{"v":{"L":1}}"#, &["v"]), Err(Malformed));
    }

    #[test]
    fn sizes_are_those_of_the_developer_guide() {
        let cases = [
            (r#"{}"#, 0),
            // "An attribute named 'shirt-color' with value 'R'": 11 + 1.
            (r#"{"shirt-color":{"S":"R"}}"#, 12),
            (r#"{"é":{"S":"é"}}"#, 4),
            (r#"{"n":{"N":"-27"},"b":{"B":"AP8="},"t":{"BOOL":true},"z":{"NULL":true}}"#, 4 + 3 + 2 + 1 + 1),
            (r#"{"s":{"SS":["ab","c"]},"m":{"NS":["1","22"]},"b":{"BS":["AA=="]}}"#, 3 + 3 + 4 + 1),
            (r#"{"l":{"L":[{"S":"ab"},{"NULL":true}]}}"#, 1 + 3 + (2 + 1) + (1 + 1)),
            (r#"{"m":{"M":{"ab":{"S":"c"}}}}"#, 1 + 3 + 2 + 1 + 1),
        ];
        cases.iter().for_each(|&(item, size)| assert_eq!(item_size(item), Ok(size), "{item}"));
        let deep = |n: usize| format!("{{\"a\":{}{{\"S\":\"\"}}{}}}", "{\"L\":[".repeat(n), "]}".repeat(n));
        assert_eq!(item_size(&deep(32)), Ok(1 + 4 * 32));
        assert_eq!(item_size(&deep(100_000)), Err(Malformed));
    }

    #[test]
    fn no_damage_to_a_value_panics() {
        let item = r#"{"k":{"S":"aé\u00e9"},"n":{"N":"-1.5e3"},"b":{"B":"AP8="},"m":{"M":{"l":{"L":[{"NULL":true}]}}}}"#;
        for (at, _) in item.char_indices() {
            let _ = item_size(&item[..at]);
            for byte in ["\"", "{", "}", "[", "\\", "0", ""] {
                let damaged =
                    format!("{}{byte}{}", &item[..at], &item[at..].chars().skip(1).collect::<String>());
                let _ = (item_size(&damaged), key_value(&damaged), only(&damaged));
            }
        }
    }
}
