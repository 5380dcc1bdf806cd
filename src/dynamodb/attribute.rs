//! Attribute values and items in DynamoDB's JSON.

use crate::dynamodb::json::{self, Malformed};
use crate::dynamodb::number;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;

/// Takes padded and unpadded texts.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The depth to which the values of an item are measured: DynamoDB allows 32 levels.
const DEPTH_MAX: u32 = 40;

/// The bytes that a key's attribute value stands for: of `S` its text, of `N` its canonical decimal, of `B` its bytes.
pub(crate) fn key_value(value: &str) -> Result<Cow<'_, [u8]>, Malformed> {
    Ok(match scalar(value)? {
        Scalar::Text(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
        Scalar::Text(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        Scalar::Number(number) => Cow::Owned(number::canonical(&number).ok_or(Malformed)?.into_bytes()),
        Scalar::Binary(binary) => Cow::Owned(BASE64.decode(binary.as_bytes()).map_err(|_| Malformed)?),
    })
}

/// The text that stands for it beside others: of `B` its base64.
pub(crate) fn key_text(value: &str) -> Result<Cow<'_, str>, Malformed> {
    Ok(match scalar(value)? {
        Scalar::Text(text) | Scalar::Binary(text) => text,
        Scalar::Number(number) => Cow::Owned(number::canonical(&number).ok_or(Malformed)?),
    })
}

enum Scalar<'a> {
    Text(Cow<'a, str>),
    Number(Cow<'a, str>),
    Binary(Cow<'a, str>),
}

fn scalar(value: &str) -> Result<Scalar<'_>, Malformed> {
    let (tag, value) = only(value)?.ok_or(Malformed)?;
    let text = json::text(value)?;
    match &*tag {
        "S" => Ok(Scalar::Text(text)),
        "N" => Ok(Scalar::Number(text)),
        "B" => Ok(Scalar::Binary(text)),
        _ => Err(Malformed),
    }
}

/// The only member of an object, if it has just one. One that is null is absent.
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

/// Returns the bytes that an item takes in DynamoDB, by the developer guide: the UTF-8 of its names, and its values.
pub(crate) fn item_size(item: &str) -> Result<u64, Malformed> {
    attributes_size(item, 0, 0)
}

/// Names and values, and `each` more for every one of them.
fn attributes_size(object: &str, each: u64, depth: u32) -> Result<u64, Malformed> {
    let mut size = 0;
    json::each(object, |name, value| {
        size += name.len() as u64 + value_size(value, depth)? + each;
        Ok::<(), Malformed>(())
    })?;
    Ok(size)
}

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
    let text = |value: &str| Ok(json::text(value)?.len() as u64);
    let number = |value: &str| Ok(number::size(&json::text(value)?));
    let binary = |value: &str| Ok(json::text(value)?.trim_end_matches('=').len() as u64 * 3 / 4);
    match &*tag {
        "S" => text(value),
        "N" => number(value),
        "B" => binary(value),
        "BOOL" | "NULL" => Ok(1),
        "SS" => sum(&text),
        "NS" => sum(&number),
        "BS" => sum(&binary),
        // Three bytes for the collection and one for each element.
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
        assert_eq!(key_text(r#"{"B":"AP8="}"#).as_deref(), Ok("AP8="));
        assert_eq!(key_text(r#"{"N":"10e-1"}"#).as_deref(), Ok("1"));
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
