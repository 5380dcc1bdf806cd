//! JSON: a file of objects, each of which is a record of some log.

use crate::input::parse::{Out, Parse, SOME};
use crate::input::pieces::{Piece, Pieces};
use crate::input::source::Source;
use anyhow::Result;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The most bytes that are read at a time, about.
const BYTES: usize = 4 << 20;

/// A log whose records are objects: it tells what each of them is.
pub trait Log: Send {
    /// Takes one object.
    ///
    /// # Errors
    /// As [`Out::bad`].
    fn take(&mut self, line: u64, object: &[u8], out: &mut Out<'_>) -> Result<()>;
}

/// Reads a file of JSON.
pub struct Json<L> {
    pieces: Pieces<Source>,
    log: L,
}

impl<L: Log> Json<L> {
    pub fn new(source: Source, log: L) -> Self {
        Self { pieces: Pieces::new(source), log }
    }
}

impl<L: Log> Parse for Json<L> {
    fn read(&mut self, out: &mut Out<'_>) -> Result<bool> {
        let mut bytes = 0;
        for _ in 0..SOME {
            match self.pieces.next()? {
                None => return Ok(false),
                Some(Piece::Broken { line, reason }) => out.bad(line, reason)?,
                Some(Piece::Object { line, text }) => {
                    bytes += text.len();
                    self.log.take(line, text, out)?;
                }
            }
            if bytes > BYTES {
                break;
            }
        }
        Ok(true)
    }
}

/// An object's members, each as it is written.
pub struct Members<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Members<'a> {
    /// Reads an object; `None` if the text is not one.
    pub fn of(object: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(object).ok().map(Self)
    }

    /// Returns a member that is not null.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).map(|value| value.get()).filter(|value| *value != "null")
    }

    /// Returns whether there is a member, even if it is null.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns a member whose name may begin with a small or a capital letter: `tableName`,
    /// `TableName`.
    pub fn any_case(&self, name: &str) -> Option<&'a str> {
        let other = || {
            let (first, rest) = name.split_at_checked(1)?;
            let swapped = if first.as_bytes()[0].is_ascii_lowercase() {
                first.to_ascii_uppercase()
            } else {
                first.to_ascii_lowercase()
            };
            self.get(&(swapped + rest))
        };
        self.get(name).or_else(other)
    }

    /// Returns a member that is an object.
    pub fn object(&self, name: &str) -> Option<Members<'a>> {
        self.any_case(name).and_then(|value| Members::of(value.as_bytes()))
    }

    /// Returns a member that is a text.
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.any_case(name).and_then(text)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> {
        self.0.iter().map(|(name, value)| (&**name, value.get()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns a value that is a text.
pub fn text(value: &str) -> Option<Cow<'_, str>> {
    #[derive(serde::Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    serde_json::from_str::<Text<'_>>(value).ok().map(|text| text.0)
}

/// Returns the elements of a value that is a list.
pub fn list(value: &str) -> Option<Vec<&str>> {
    let all: Vec<&RawValue> = serde_json::from_str(value).ok()?;
    Some(all.into_iter().map(RawValue::get).collect())
}

/// Writes a text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Writes an object of members that are JSON already. A member that is `None` is left out.
pub fn object(members: &[(&str, Option<&str>)]) -> String {
    let written = members.iter().filter_map(|(name, value)| Some(format!("{}:{}", quoted(name), (*value)?)));
    format!("{{{}}}", written.collect::<Vec<_>>().join(","))
}
