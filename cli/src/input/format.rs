//! The formats, told apart by what a file begins with.

use crate::input::botocore::Botocore;
use crate::input::cloudtrail::CloudTrail;
use crate::input::csv::{self, Csv};
use crate::input::json::{Json, Members};
use crate::input::parse::Parse;
use crate::input::pieces::{Piece, Pieces};
use crate::input::recording::Recording;
use crate::input::sdk_js::SdkJs;
use crate::input::source::Source;
use crate::input::stream::Stream;
use anyhow::{Result, bail};
use memchr::memmem;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// The page about the formats, for users.
pub const HELP: &str = include_str!("formats.md");

/// The most objects that are looked at.
const OBJECTS: usize = 1_000;

/// The options by which files are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether a bad record is counted, and the next one read.
    pub keep_going: bool,
    /// The time by which an entry may be late, against the latest of its file, and still be put in
    /// order.
    pub lateness_ms: u64,
    /// Whether no reader looks at less than a whole second: accesses of one partition in one second
    /// may then come as one.
    pub whole_seconds: bool,
    /// For each field of CSV, the header of its column, or the column's number from 1.
    pub columns: BTreeMap<csv::Field, String>,
    /// For each table, or `TABLE/index/INDEX`, the attributes of its partition key.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    CloudTrail,
    Stream,
    Recording,
    Botocore,
    SdkJs,
}

impl Format {
    /// Tells the format by a file's first bytes.
    pub fn of(head: &[u8], options: &Options) -> Result<Self> {
        let is_text = !head.contains(&0);
        if without_mark(head).trim_ascii().is_empty() {
            return Ok(Self::Csv);
        }
        if is_text && csv::is(head, options) {
            return Self::csv(head);
        }
        if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
            bail!("is in UTF-16: convert it first, with `iconv -f UTF-16 -t UTF-8`");
        }
        if !is_text {
            bail!("is neither text nor compressed by gzip or zstd");
        }
        if let Some(format) = Self::of_json(head)? {
            return Ok(format);
        }
        if Botocore::is(head) {
            check_lines(head)?;
            return Ok(Self::Botocore);
        }
        if memmem::find(head, b"commandName: ").is_some() {
            bail!(
                "is what console.log prints of the SDK's logger, which cuts values short and has no times: let the logger print \
                 JSON.stringify({{ time: Date.now(), ...entry }})"
            );
        }
        // The errors of its lines then say what they lack.
        if head.split(|&byte| byte == b'\n').next().is_some_and(|line| line.contains(&b',')) {
            return Self::csv(head);
        }
        bail!("unknown format (see `hotpart inputs`). CSV fields must be separated by commas.")
    }

    fn csv(head: &[u8]) -> Result<Self> {
        check_lines(head)?;
        Ok(Self::Csv)
    }

    /// Tells the format by the JSON objects that a file begins with.
    fn of_json(head: &[u8]) -> Result<Option<Self>> {
        let mut pieces = Pieces::new(head);
        let mut left = OBJECTS;
        let mut is_empty = true;
        while let Some(piece) = pieces.next()?.filter(|_| left > 0) {
            (left, is_empty) = (left - 1, false);
            let Piece::Object { text, .. } = piece else { continue };
            let Some(members) = Members::of(text) else { continue };
            let found = [
                (Recording::is(&members), Self::Recording),
                (CloudTrail::is(&members), Self::CloudTrail),
                (Stream::is(&members), Self::Stream),
                (SdkJs::is(&members), Self::SdkJs),
            ];
            if let Some((_, format)) = found.into_iter().find(|(is, _)| *is) {
                return Ok(Some(format));
            }
            if members.get("Contributors").is_some() {
                bail!(
                    "is a report of Contributor Insights, which has no single accesses: `hotpart report --compare-with` compares it with a log"
                );
            }
            if members.object("Table").is_some_and(|table| table.get("KeySchema").is_some()) {
                bail!("is the description of a table: --schema takes it");
            }
        }
        // A list without records, of whatever kind they would have been.
        if is_empty && is_json(head) {
            return Ok(Some(Self::CloudTrail));
        }
        Ok(Self::of_members(head))
    }

    /// Tells the format by names of members, where not even the first object is whole.
    fn of_members(head: &[u8]) -> Option<Self> {
        let has = |name: &str| memmem::find(head, format!("\"{name}\"").as_bytes()).is_some();
        let is_object = without_mark(head).trim_ascii_start().starts_with(b"{");
        let found = [
            (has("time_ms") && has("operation"), Self::Recording),
            (has("eventSource") && has("eventTime"), Self::CloudTrail),
            (has("dynamodb") && has("ApproximateCreationDateTime"), Self::Stream),
            (has("clientName") && has("commandName"), Self::SdkJs),
        ];
        found.into_iter().find(|(is, _)| *is && is_object).map(|(_, format)| format)
    }

    /// Makes the parser of a file in this format.
    pub fn parser(self, source: Source, options: &Options) -> Result<Box<dyn Parse>> {
        Ok(match self {
            Self::Csv => Box::new(Csv::new(source, options)?),
            Self::CloudTrail => Box::new(Json::new(source, CloudTrail)),
            Self::Stream => Box::new(Json::new(source, Stream::new(options))),
            Self::Recording => Box::new(Json::new(source, Recording)),
            Self::SdkJs => Box::new(Json::new(source, SdkJs)),
            Self::Botocore => Box::new(Botocore::new(source)),
        })
    }
}

/// Returns a text without the mark that some programs begin one with.
fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text)
}

/// Whether a text is one value of JSON after another, and nothing else.
fn is_json(text: &[u8]) -> bool {
    serde_json::Deserializer::from_slice(without_mark(text))
        .into_iter::<IgnoredAny>()
        .all(|value| value.is_ok())
}

/// Refuses a text whose lines, but for those in quotes, end in CR alone: all of it would be one
/// line.
fn check_lines(head: &[u8]) -> Result<()> {
    let (mut is_quoted, mut has_return) = (false, false);
    for &byte in head {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => return Ok(()),
            b'\r' if !is_quoted => has_return = true,
            _ => {}
        }
    }
    if has_return {
        bail!("its lines end in CR alone, and not in LF or CRLF: convert it first, with `tr '\\r' '\\n'`");
    }
    Ok(())
}
