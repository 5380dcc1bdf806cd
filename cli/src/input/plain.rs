//! Plain values: attributes as CloudTrail and JavaScript's document client write them, turned into
//! DynamoDB's own JSON.

use crate::input::json::{Members, list, object, quoted, text};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Texts that stand for values which are not shown.
const HIDDEN: [&str; 3] = ["***(Redacted)", "HIDDEN_DUE_TO_SECURITY_REASONS", "***"];
/// The types of values.
const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];
/// The most levels: DynamoDB has 32.
const DEPTH_MAX: u32 = 40;

/// The reason for which attributes can't be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// The log does not show a value.
    Hidden,
    /// They are no attributes.
    Malformed,
}

/// Returns an object of attributes in DynamoDB's JSON. A text becomes an `S`, a number an `N`, and
/// so on. A value that is in DynamoDB's JSON already stays as it is.
pub fn attributes(attributes: &str) -> Result<String, Plain> {
    members(attributes, 0)
}

fn members(attributes: &str, depth: u32) -> Result<String, Plain> {
    let all = Members::of(attributes.as_bytes()).ok_or(Plain::Malformed)?;
    let is_typed = !all.is_empty() && all.iter().all(|(_, value)| typed(value).is_some());
    let value = |value| if is_typed { typed(value).ok_or(Plain::Malformed) } else { plain(value, depth) };
    let written = all.iter().map(|(name, of)| Ok((name, value(of)?))).collect::<Result<Vec<_>, _>>()?;
    let written: Vec<_> = written.iter().map(|(name, value)| (*name, Some(&**value))).collect();
    Ok(object(&written))
}

/// Returns a value that is in DynamoDB's JSON: `{"S":"x"}`. Its bytes may be as JavaScript writes
/// them.
fn typed(value: &str) -> Option<String> {
    let all = Members::of(value.as_bytes())?;
    let (name, value) = all.iter().next().filter(|(name, _)| all.len() == 1 && TYPES.contains(name))?;
    let fits = match name {
        "S" | "N" => value.starts_with('"'),
        "B" if value.starts_with('{') => {
            return Some(object(&[("B", Some(&quoted(&STANDARD.encode(bytes(value)?))))]));
        }
        "B" => value.starts_with('"'),
        "BOOL" | "NULL" => matches!(value, "true" | "false"),
        "M" => value.starts_with('{'),
        _ => value.starts_with('['),
    };
    fits.then(|| object(&[(name, Some(value))]))
}

/// Returns the bytes that JavaScript writes as `{"0":1,"1":2}` or `{"type":"Buffer","data":[1,2]}`.
fn bytes(value: &str) -> Option<Vec<u8>> {
    let all = Members::of(value.as_bytes())?;
    if let Some(data) = all.get("data") {
        return serde_json::from_str(data).ok();
    }
    (0..all.len()).map(|i| all.get(&i.to_string())?.parse().ok()).collect()
}

fn plain(value: &str, depth: u32) -> Result<String, Plain> {
    if depth > DEPTH_MAX {
        return Err(Plain::Malformed);
    }
    let (tag, value) = match value.as_bytes().first() {
        Some(b'"') => {
            let text = text(value).ok_or(Plain::Malformed)?;
            if HIDDEN.contains(&&*text) {
                return Err(Plain::Hidden);
            }
            ("S", value.to_owned())
        }
        Some(b'{') => match bytes(value).filter(|bytes| !bytes.is_empty()) {
            Some(bytes) => ("B", quoted(&STANDARD.encode(bytes))),
            None => ("M", members(value, depth + 1)?),
        },
        Some(b'[') => {
            let elements = list(value).ok_or(Plain::Malformed)?;
            let elements: Vec<_> =
                elements.into_iter().map(|element| plain(element, depth + 1)).collect::<Result<_, _>>()?;
            ("L", format!("[{}]", elements.join(",")))
        }
        Some(b't' | b'f') => ("BOOL", value.to_owned()),
        Some(b'n') => ("NULL", "true".into()),
        _ => ("N", quoted(value)),
    };
    Ok(object(&[(tag, Some(&value))]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_get_their_types() {
        let cases = [
            (r#"{"id":"a\"b"}"#, r#"{"id":{"S":"a\"b"}}"#),
            (
                r#"{"n":-1.50e3,"t":true,"z":null}"#,
                r#"{"n":{"N":"-1.50e3"},"t":{"BOOL":true},"z":{"NULL":true}}"#,
            ),
            (
                r#"{"l":[1,"x"],"m":{"a":{}}}"#,
                r#"{"l":{"L":[{"N":"1"},{"S":"x"}]},"m":{"M":{"a":{"M":{}}}}}"#,
            ),
            (r#"{"b":{"0":0,"1":255}}"#, r#"{"b":{"B":"AP8="}}"#),
            (r#"{"b":{"type":"Buffer","data":[0,255]}}"#, r#"{"b":{"B":"AP8="}}"#),
            ("{}", "{}"),
            // In DynamoDB's JSON already.
            (
                r#"{"a":{"S":"x"},"b":{"B":{"0":0,"1":255}},"n":{"N":"1"}}"#,
                r#"{"a":{"S":"x"},"b":{"B":"AP8="},"n":{"N":"1"}}"#,
            ),
            // A map that looks like it, beside what does not.
            (r#"{"a":{"S":"x"},"b":1}"#, r#"{"a":{"M":{"S":{"S":"x"}}},"b":{"N":"1"}}"#),
        ];
        for (plain, expected) in cases {
            assert_eq!(attributes(plain).as_deref(), Ok(expected), "{plain}");
        }
    }

    #[test]
    fn what_is_hidden_is_no_value() {
        assert_eq!(attributes(r#"{"id":"***(Redacted)"}"#), Err(Plain::Hidden));
        assert_eq!(attributes("[]"), Err(Plain::Malformed));
        assert_eq!(
            attributes(&format!("{{\"a\":{}{}}}", "[".repeat(60), "]".repeat(60))),
            Err(Plain::Malformed)
        );
    }
}
