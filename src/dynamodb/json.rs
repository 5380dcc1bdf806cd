//! JSON, read member by member: what is not asked for is passed over unread.
//!
//! Nothing is built of it but where a value's text begins and ends. So a request of 16 MB costs a
//! walk over it and no memory, and no depth of nesting costs a stack.

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The error that a text is not the JSON it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

impl From<serde_json::Error> for Malformed {
    fn from(_: serde_json::Error) -> Self {
        Malformed
    }
}

/// Returns the members of an object that have these names, as they are written; of several of one
/// name the last. A member that is `null` counts as absent.
pub(crate) fn members<'a, const N: usize>(
    object: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], Malformed> {
    let mut json = serde_json::Deserializer::from_str(object);
    let found = json.deserialize_map(Members(names))?;
    json.end()?;
    Ok(found)
}

/// Returns the first members of these names in an object that has been read before: whatever comes
/// after them is not looked at.
pub(crate) fn first_members<'a, const N: usize>(
    object: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], Malformed> {
    if let [name] = names[..]
        && let Some(value) = leading(object, name)
    {
        return Ok([Some(value); N]);
    }
    let mut json = serde_json::Deserializer::from_str(object);
    let mut found = [None; N];
    let read = json.deserialize_map(FirstMembers(&names, &mut found));
    // To leave off before the end is an error to the parser.
    if found.iter().all(Option::is_some) {
        return Ok(found);
    }
    read?;
    Ok(found)
}

/// Returns the value of an object's first member, if that has this name without escapes: of an item
/// often the key.
fn leading<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    let member = object.strip_prefix('{')?.trim_ascii_start().strip_prefix('"')?;
    let value = member.strip_prefix(name)?.strip_prefix('"')?.trim_ascii_start().strip_prefix(':')?;
    Some(<&RawValue>::deserialize(&mut serde_json::Deserializer::from_str(value)).ok()?.get())
}

/// Calls `see` with each member of an object: its name, and its value as it is written.
pub(crate) fn each<'a, E: From<Malformed>>(
    object: &'a str,
    see: impl FnMut(Cow<'a, str>, &'a str) -> Result<(), E>,
) -> Result<(), E> {
    let mut json = serde_json::Deserializer::from_str(object);
    let seen = json.deserialize_map(Each(see)).map_err(|error| E::from(error.into()))?;
    seen?;
    json.end().map_err(|error| E::from(error.into()))
}

/// Calls `see` with each element of an array as it is written.
pub(crate) fn elements<'a, E: From<Malformed>>(
    array: &'a str,
    see: impl FnMut(&'a str) -> Result<(), E>,
) -> Result<(), E> {
    let mut json = serde_json::Deserializer::from_str(array);
    let seen = json.deserialize_seq(Elements(see)).map_err(|error| E::from(error.into()))?;
    seen?;
    json.end().map_err(|error| E::from(error.into()))
}

/// Returns the elements of an array as they are written.
pub(crate) fn array(array: &str) -> Result<Vec<&str>, Malformed> {
    let mut all = Vec::new();
    elements(array, |element| {
        all.push(element);
        Ok::<(), Malformed>(())
    })?;
    Ok(all)
}

/// Returns the text of a string that has been read before: a slice of it if nothing in it is
/// escaped.
pub(crate) fn text(string: &str) -> Result<Cow<'_, str>, Malformed> {
    if let Some(plain) = string.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && plain.bytes().all(|byte| byte != b'\\' && byte != b'"')
    {
        return Ok(Cow::Borrowed(plain));
    }
    let mut json = serde_json::Deserializer::from_str(string);
    let text = json.deserialize_str(Text)?;
    json.end()?;
    Ok(text)
}

/// Returns the bytes of a string that has been read before: those of its text. A lone surrogate,
/// such as `"\ud800"`, is JSON but no text; it has the three bytes that WTF-8 gives it, which no
/// text has.
pub(crate) fn bytes(string: &str) -> Result<Cow<'_, [u8]>, Malformed> {
    if let Ok(text) = text(string) {
        return Ok(match text {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        });
    }
    let mut json = serde_json::Deserializer::from_str(string);
    let bytes = json.deserialize_bytes(Bytes)?;
    json.end()?;
    Ok(bytes)
}

/// Returns the text of a string, with U+FFFD for each lone surrogate.
pub(crate) fn lossy_text(string: &str) -> Result<Cow<'_, str>, Malformed> {
    text(string).or_else(|_| Ok(lossy(bytes(string)?)))
}

/// Returns the text of a string's [`bytes`], with U+FFFD for each lone surrogate.
fn lossy(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    if let Cow::Borrowed(bytes) = bytes
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Cow::Borrowed(text);
    }
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        // A surrogate's first byte; each of its three is a chunk.
        if chunk.invalid().first() == Some(&0xED) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Owned(text)
}

/// Writes bytes as a JSON string. Bytes in them that are not UTF-8 stay as they are.
pub(crate) fn write_string(json: &mut Vec<u8>, bytes: &[u8]) -> Result<(), Malformed> {
    json.push(b'"');
    for chunk in bytes.utf8_chunks() {
        let quoted = serde_json::to_string(chunk.valid())?;
        json.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
        json.extend_from_slice(chunk.invalid());
    }
    json.push(b'"');
    Ok(())
}

/// Reads a number that is not negative.
pub(crate) fn number(number: &str) -> Result<f64, Malformed> {
    let number: f64 = serde_json::from_str(number)?;
    if number.is_finite() && number >= 0.0 { Ok(number) } else { Err(Malformed) }
}

pub(crate) fn boolean(boolean: &str) -> Result<bool, Malformed> {
    Ok(serde_json::from_str(boolean)?)
}

/// Reads an object, for [`members`].
struct Members<'n, const N: usize>([&'n str; N]);

impl<'a, const N: usize> Visitor<'a> for Members<'_, N> {
    type Value = [Option<&'a str>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(wanted) = map.next_key_seed(Which(&self.0))? {
            match wanted {
                Some(i) => {
                    let value = map.next_value::<&RawValue>()?.get();
                    found[i] = (value != "null").then_some(value);
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// Reads the beginning of an object, for [`first_members`].
struct FirstMembers<'n, 'f, 'a, const N: usize>(&'n [&'n str; N], &'f mut [Option<&'a str>; N]);

impl<'a, const N: usize> Visitor<'a> for FirstMembers<'_, '_, 'a, N> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(names, found) = self;
        while let Some(wanted) = map.next_key_seed(Which(names))? {
            if let Some(i) = wanted {
                found[i] = found[i].or(Some(map.next_value::<&RawValue>()?.get()));
                if found.iter().all(Option::is_some) {
                    break;
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Reads a member's name: the place of it among some names.
struct Which<'n>(&'n [&'n str]);

impl<'a> DeserializeSeed<'a> for Which<'_> {
    type Value = Option<usize>;

    /// As bytes, since a name may have a lone surrogate: then it is none that is wanted.
    fn deserialize<D: Deserializer<'a>>(self, name: D) -> Result<Self::Value, D::Error> {
        name.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Which<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| wanted.as_bytes() == name))
    }
}

struct Each<F>(F);

impl<'a, E, F: FnMut(Cow<'a, str>, &'a str) -> Result<(), E>> Visitor<'a> for Each<F> {
    type Value = Result<(), E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seen = Ok(());
        // To the end: what comes after a refusal must be JSON too.
        while let Some(name) = map.next_key_seed(Bytes)? {
            let value = map.next_value::<&RawValue>()?.get();
            if seen.is_ok() {
                seen = self.0(lossy(name), value);
            }
        }
        Ok(seen)
    }
}

struct Elements<F>(F);

impl<'a, E, F: FnMut(&'a str) -> Result<(), E>> Visitor<'a> for Elements<F> {
    type Value = Result<(), E>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'a>>(mut self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut seen = Ok(());
        while let Some(value) = seq.next_element::<&RawValue>()? {
            if seen.is_ok() {
                seen = self.0(value.get());
            }
        }
        Ok(seen)
    }
}

struct Bytes;

impl<'a> DeserializeSeed<'a> for Bytes {
    type Value = Cow<'a, [u8]>;

    fn deserialize<D: Deserializer<'a>>(self, string: D) -> Result<Self::Value, D::Error> {
        string.deserialize_bytes(self)
    }
}

impl<'a> Visitor<'a> for Bytes {
    type Value = Cow<'a, [u8]>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_bytes<E>(self, bytes: &'a [u8]) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(bytes))
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        let mut own = Vec::new();
        own.try_reserve_exact(bytes.len()).map_err(|_| E::custom("out of memory"))?;
        own.extend_from_slice(bytes);
        Ok(Cow::Owned(own))
    }
}

struct Text;

impl<'a> Visitor<'a> for Text {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'a str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        let mut own = String::new();
        own.try_reserve_exact(text.len()).map_err(|_| E::custom("out of memory"))?;
        own.push_str(text);
        Ok(Cow::Owned(own))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_in_any_order_and_others_passed_over() {
        let json = r#" { "a" : {"b":[1,{"c":"}"}]}, "\u0062":"x", "n":null, "deep":DEEP, "a" : 2 } "#;
        let json = json.replace("DEEP", &("[".repeat(100_000) + &"]".repeat(100_000)));
        assert_eq!(members(&json, ["b", "a", "n", "z"]), Ok([Some("\"x\""), Some("2"), None, None]));
        assert_eq!(members::<1>("{}", ["a"]), Ok([None]));
        assert_eq!(members(r#"{"\ud800":1,"\udc00":"\ud800","a":2}"#, ["a"]), Ok([Some("2")]));
        for bad in ["", "{", "[]", "1", "{\"a\":1,}", "{\"a\":}", "{} x", "{\"a\":1 \"b\":2}", "{\"b\":tru}"]
        {
            assert_eq!(members(bad, ["a"]), Err(Malformed), "{bad}");
        }
    }

    #[test]
    fn the_first_members_are_found_without_a_look_at_the_rest() {
        assert_eq!(first_members(r#"{"x":0,"b":1,"a":[2],"c":"#, ["a", "b"]), Ok([Some("[2]"), Some("1")]));
        assert_eq!(first_members(r#"{ "a" : {"b":[2]} ,"c":"#, ["a"]), Ok([Some(r#"{"b":[2]}"#)]));
        assert_eq!(first_members(r#"{"ab":1,"a":2}"#, ["a"]), Ok([Some("2")]));
        assert_eq!(first_members(r#"{"x":0,"a":1}"#, ["a", "b"]), Ok([Some("1"), None]));
        assert_eq!(first_members(r#"{"x":0,"a":1"#, ["a", "b"]), Err(Malformed));
    }

    #[test]
    fn every_member_and_element_is_handed_over() {
        let mut seen = Vec::new();
        let see = |name: Cow<'_, str>, value: &str| {
            seen.push(format!("{name}={value}"));
            Ok::<(), Malformed>(())
        };
        each(r#"{"a":[1, 2],"\n":"x"}"#, see).unwrap();
        assert_eq!(seen, ["a=[1, 2]", "\n=\"x\""]);
        assert_eq!(array("[1, {\"a\":2} ,[]]").unwrap(), ["1", "{\"a\":2}", "[]"]);
        assert_eq!(array("[1,"), Err(Malformed));
        assert_eq!(array("{}"), Err(Malformed));
        assert_eq!(elements("[1,2]", |_| Err(Malformed)), Err(Malformed));
    }

    #[test]
    fn a_text_is_borrowed_unless_it_is_escaped() {
        assert!(matches!(text("\"plain é\""), Ok(Cow::Borrowed("plain é"))));
        assert!(matches!(text(r#""a\"A""#), Ok(Cow::Owned(text)) if text == "a\"A"));
        assert!(["1", "\"", "\"\\ud800\"", "\"a\"b"].iter().all(|bad| text(bad) == Err(Malformed)));
        assert_eq!(bytes(r#""a\ud800""#).as_deref(), Ok(&b"a\xED\xA0\x80"[..]));
        assert_eq!(lossy_text(r#""a\"\udfff""#).as_deref(), Ok("a\"\u{FFFD}"));
        assert!(["1", "\"", "\"a\"b"].iter().all(|bad| bytes(bad) == Err(Malformed)));
        let mut string = Vec::new();
        write_string(&mut string, b"a\"\xED\xA0\x80b").unwrap();
        assert_eq!(string, b"\"a\\\"\xED\xA0\x80b\"");
        assert_eq!(
            (number("12.5"), number("-1"), number("1e999")),
            (Ok(12.5), Err(Malformed), Err(Malformed))
        );
        assert_eq!((boolean("true"), boolean("0")), (Ok(true), Err(Malformed)));
    }
}
