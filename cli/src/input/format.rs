//! The formats, told apart by what a file begins with.

use crate::input::csv;
use crate::input::parse::Parse;
use crate::input::source::Source;
use anyhow::{Result, bail};
use std::collections::BTreeMap;

/// The options by which files are read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A bad record is counted, and the next one read.
    pub keep_going: bool,
    /// How late an entry may be, against the latest of its file, and still be put in order.
    pub lateness_ms: u64,
    /// By the field: the header, or the number from 1, of its column in CSV.
    pub columns: BTreeMap<csv::Field, String>,
    /// By the table, or `TABLE/index/INDEX`: the attributes of its partition key.
    pub keys: BTreeMap<String, Vec<String>>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
}

impl Format {
    /// Tells the format by a file's first bytes.
    pub fn of(head: &[u8], _options: &Options) -> Result<Self> {
        let is_text = !head.contains(&0);
        if head.is_empty()
            || is_text && head.split(|&byte| byte == b'\n').next().is_some_and(|line| line.contains(&b','))
        {
            return Ok(Self::Csv);
        }
        bail!("is in no format that is known: see `hotpart help inputs`")
    }

    /// Makes the parser of a file in this format.
    pub fn parser(self, source: Source, options: &Options) -> Result<Box<dyn Parse>> {
        Ok(match self {
            Self::Csv => Box::new(csv::Csv::new(source, options)?),
        })
    }
}
