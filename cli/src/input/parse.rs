//! A parser: reads the records of one file, and tells what each of them is.

use crate::batch::Batch;
use crate::entry::{Access, Entry, Exchange, Origin};
use crate::input::account::Account;
use crate::input::ahead::Ahead;
use anyhow::{Result, bail};
use std::fmt::{Display, Formatter};

/// The number of records that a parser reads at a time, about.
pub const SOME: usize = 1_024;

/// The last time that is taken. A detector's clock goes on for another hour: so the minute, or the
/// column of a heat map, in which a record is can be over before the clock ends.
const TIME_MAX_MS: u64 = (u32::MAX as u64 - 3_600) * 1_000 + 999;

/// Reads one file.
pub trait Parse: Send {
    /// Reads about [`SOME`] records more into `out`. Returns whether there may be more.
    ///
    /// # Errors
    /// The file can't be read, or a record is bad and [`Out::bad`] says to stop.
    fn read(&mut self, out: &mut Out<'_>) -> Result<bool>;
}

/// A record that is bad, by its file, line and reason.
#[derive(Debug)]
pub struct BadRecord(pub String);

impl Display for BadRecord {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (--keep-going counts bad lines and goes on)", self.0)
    }
}

impl std::error::Error for BadRecord {}

/// Takes what a parser reads.
pub struct Out<'a> {
    file: &'a str,
    /// How many files are before it on the command line.
    number: u32,
    batch: &'a mut Batch,
    account: &'a mut Account,
    ahead: &'a mut Ahead,
    keep_going: bool,
}

impl<'a> Out<'a> {
    pub fn new(
        (number, file): (u32, &'a str),
        batch: &'a mut Batch,
        account: &'a mut Account,
        ahead: &'a mut Ahead,
        keep_going: bool,
    ) -> Self {
        Self { file, number, batch, account, ahead, keep_going }
    }

    /// Takes the access that the record on this line is.
    ///
    /// # Errors
    /// As [`Out::bad`], if its time is none that a detector takes.
    #[inline]
    pub fn access(&mut self, line: u64, access: Access<'_>) -> Result<()> {
        if access.time_ms > TIME_MAX_MS {
            return self.too_late(line, access.time_ms);
        }
        self.account.records += 1;
        self.ahead.see(line, access.time_ms);
        self.batch.push_access(access);
        Ok(())
    }

    /// Returns the place of the record on this line.
    pub fn at(&self, line: u64) -> Origin {
        Origin { file: self.number, line }
    }

    /// Takes the exchange that a record is.
    ///
    /// # Errors
    /// As [`Out::access`].
    pub fn exchange(&mut self, exchange: &Exchange<'_>) -> Result<()> {
        let line = exchange.from.line;
        if exchange.time_ms > TIME_MAX_MS {
            return self.too_late(line, exchange.time_ms);
        }
        self.account.records += 1;
        self.ahead.see(line, exchange.time_ms);
        self.batch.push(&Entry::Exchange(*exchange));
        Ok(())
    }

    /// Tells the user of something about the file.
    pub fn note(&mut self, text: impl Display) {
        self.account.add_note(format!("{}: {text}", self.file));
    }

    #[cold]
    fn too_late(&mut self, line: u64, time_ms: u64) -> Result<()> {
        self.bad(line, format!("the time {time_ms}, if it is in milliseconds, is past 2106-02-07T05:28:15Z, the last that is counted"))
    }

    /// Notes that a record has no entry, for a reason that reads well after a number: "of other
    /// services".
    pub fn without_entries(&mut self, reason: &'static str) {
        self.account.records += 1;
        *self.account.without_entries.entry(reason).or_default() += 1;
    }

    /// Notes that the record which begins on this line, from 1, is bad.
    ///
    /// # Errors
    /// The bad record, unless the user wants to keep going.
    pub fn bad(&mut self, line: u64, reason: impl Display) -> Result<()> {
        let text = format!("{}:{line}: {reason}", self.file);
        if !self.keep_going {
            bail!(BadRecord(text));
        }
        self.account.records += 1;
        self.account.add_bad(text);
        Ok(())
    }
}
