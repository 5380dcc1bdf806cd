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
use std::collections::BTreeMap;

/// The page about the formats, for users.
pub const HELP: &str = include_str!("formats.md");

/// Objects that are looked at, at most.
const OBJECTS: usize = 1_000;

/// The options by which files are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A bad record is counted, and the next one read.
    pub keep_going: bool,
    /// How late an entry may be, against the latest of its file, and still be put in order.
    pub lateness_ms: u64,
    /// Nobody looks at less than a whole second: accesses of one partition in one second may come as one.
    pub whole_seconds: bool,
    /// By the field: the header, or the number from 1, of its column in CSV.
    pub columns: BTreeMap<csv::Field, String>,
    /// By the table, or `TABLE/index/INDEX`: the attributes of its partition key.
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
        if head.trim_ascii().is_empty() || is_text && csv::is(head, options) {
            return Ok(Self::Csv);
        }
        if !is_text {
            bail!("is neither text nor compressed by gzip or zstd");
        }
        if let Some(format) = Self::of_json(head)? {
            return Ok(format);
        }
        if Botocore::is(head) {
            return Ok(Self::Botocore);
        }
        if memmem::find(head, b"commandName: ").is_some() {
            bail!(
                "is what console.log prints of the SDK's logger, which cuts values short and has no times: let the logger print \
                 JSON.stringify({{ time: Date.now(), ...entry }})"
            );
        }
        // Its lines then say what they lack.
        if head.split(|&byte| byte == b'\n').next().is_some_and(|line| line.contains(&b',')) {
            return Ok(Self::Csv);
        }
        bail!("is in no format that is known: `hotpart inputs` tells which are")
    }

    /// Tells the format by the JSON objects that a file begins with.
    fn of_json(head: &[u8]) -> Result<Option<Self>> {
        let mut pieces = Pieces::new(head);
        let mut left = OBJECTS;
        while let Some(piece) = pieces.next()?.filter(|_| left > 0) {
            left -= 1;
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
                    "is a report of Contributor Insights, which has no single accesses: compare it with what this command reports of a log"
                );
            }
            if members.object("Table").is_some_and(|table| table.get("KeySchema").is_some()) {
                bail!("is the description of a table: --schema takes it");
            }
        }
        Ok(Self::of_members(head))
    }

    /// Tells the format by names of members, where not even the first object is whole.
    fn of_members(head: &[u8]) -> Option<Self> {
        let has = |name: &str| memmem::find(head, format!("\"{name}\"").as_bytes()).is_some();
        let is_object =
            head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start().starts_with(b"{");
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
