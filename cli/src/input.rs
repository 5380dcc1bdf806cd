//! Input: the files and their formats, merged into one stream of entries in the order of time.
//!
//! Each file has a [`Parse`]r, chosen by the bytes with which the file begins. Of the open files,
//! the one whose times are least far is read next. A file is opened when the others have come as
//! far as its first entry. So logs of many hosts need not be joined before, and few are open at
//! once.

pub mod account;
mod ahead;
pub mod botocore;
pub mod cloudtrail;
pub mod csv;
pub mod format;
mod gzip;
pub mod insights;
mod json;
pub mod parse;
mod pieces;
mod plain;
pub mod recording;
pub mod schema;
pub mod sdk_js;
pub mod source;
pub mod stream;
pub mod timestamp;
pub mod uncounted;

use crate::batch::Batch;
use crate::input::account::Account;
use crate::input::ahead::Ahead;
use crate::input::format::{Format, Options};
use crate::input::parse::{BadRecord, Out, Parse};
use crate::input::source::{Progress, Source};
use crate::reorder::Reorder;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file that is being read.
struct Open {
    name: String,
    /// How many are before it on the command line.
    number: u32,
    parser: Box<dyn Parse>,
    /// The latest time in it so far.
    latest_ms: u64,
    ahead: Ahead,
}

impl Open {
    fn new((number, path): (u32, &Path), options: &Options, progress: &Progress) -> Result<Self> {
        let name = source::name(path);
        let mut source = Source::open(path, progress).with_context(|| name.clone())?;
        let format = Format::of(source.head().with_context(|| name.clone())?, options)
            .with_context(|| name.clone())?;
        let parser = format.parser(source, options).with_context(|| name.clone())?;
        Ok(Self { name, number, parser, latest_ms: 0, ahead: Ahead::new(options.lateness_ms) })
    }

    /// Reads some more. `false`: there is no more.
    fn read(&mut self, batch: &mut Batch, account: &mut Account, keep_going: bool) -> Result<bool> {
        let file = (self.number, &*self.name);
        let read = self.parser.read(&mut Out::new(file, batch, account, &mut self.ahead, keep_going));
        read.map_err(|error| if error.is::<BadRecord>() { error } else { error.context(self.name.clone()) })
    }

    /// Reads as far as the first entry, and returns its time; `None` of a file without entries.
    fn first_ms(mut self, batch: &mut Batch) -> Result<Option<u64>> {
        let account = &mut Account::default();
        loop {
            batch.clear();
            let is_over = !self.read(batch, account, true)?;
            let first = batch.iter().map(|entry| entry.time_ms()).min();
            if first.is_some() || is_over {
                return Ok(first);
            }
        }
    }
}

/// Refuses a file that has several names here, such as one that two patterns of a shell match.
fn check_twice(paths: &[PathBuf]) -> Result<()> {
    let mut seen = BTreeMap::new();
    for path in paths.iter().filter(|path| path.is_file()) {
        let Ok(place) = std::fs::canonicalize(path) else { continue };
        if let Some(before) = seen.insert(place, path) {
            let also = if before == path { String::new() } else { format!(", as {} too", before.display()) };
            bail!("{}: it is named twice{also}, and would be counted twice", path.display());
        }
    }
    Ok(())
}

/// All files.
pub struct Inputs {
    options: Options,
    progress: Progress,
    /// The files to come, with the times of their first entries, and their numbers: the earliest
    /// last.
    to_come: Vec<(u64, u32, PathBuf)>,
    open: Vec<Open>,
    scratch: Batch,
    reorder: Reorder,
    pub account: Account,
}

impl Inputs {
    /// Looks at the beginning of each file. `-` is standard input.
    pub fn new(paths: &[PathBuf], options: Options, progress: Progress) -> Result<Self> {
        let mut scratch = Batch::default();
        let mut to_come = Vec::new();
        if paths.iter().filter(|path| **path == Path::new("-")).count() > 1 {
            bail!("standard input is named twice, and can be read once");
        }
        check_twice(paths)?;
        for (number, path) in (0..).zip(paths) {
            // Standard input and other pipes can't be read twice; and if there is one file, its
            // beginning does not matter.
            let first = if paths.len() == 1 || !path.is_file() {
                Some(0)
            } else {
                Open::new((number, path), &options, &Progress::default())?.first_ms(&mut scratch)?
            };
            to_come.push((first.unwrap_or(0), number, path.clone()));
        }
        to_come.sort_by_key(|&(first, ..)| std::cmp::Reverse(first));
        let reorder = Reorder::new(options.lateness_ms, options.whole_seconds);
        Ok(Self {
            options,
            progress,
            to_come,
            open: Vec::new(),
            scratch,
            reorder,
            account: Account::default(),
        })
    }

    /// Returns the entries of the next second, in the order of their times; `None` if there are no
    /// more. The memory of `spare` is taken for later entries.
    pub fn next(&mut self, spare: Batch) -> Result<Option<Batch>> {
        self.reorder.reuse(spare);
        loop {
            if let Some(batch) = self.reorder.pop() {
                return Ok(Some(batch));
            }
            if !self.read()? {
                return Ok(self.reorder.finish());
            }
        }
    }

    /// Reads on in the file that has come least far. `false`: all are over.
    fn read(&mut self) -> Result<bool> {
        let least = self.open.iter().map(|open| open.latest_ms).min();
        while let Some((_, number, path)) =
            self.to_come.pop_if(|(first, ..)| least.is_none_or(|least| *first <= least))
        {
            self.open.push(Open::new((number, &path), &self.options, &self.progress)?);
            if least.is_none() {
                break;
            }
        }
        let Some(i) = (0..self.open.len()).min_by_key(|&i| self.open[i].latest_ms) else { return Ok(false) };
        self.scratch.clear();
        let open = &mut self.open[i];
        let goes_on = open.read(&mut self.scratch, &mut self.account, self.options.keep_going)?;
        Self::take(&self.scratch, &mut open.latest_ms, &mut self.reorder, &mut self.account);
        if !goes_on {
            let over = self.open.swap_remove(i);
            if let Some(ahead) = over.ahead.told(&over.name) {
                self.account.add_ahead(ahead);
            }
        }
        // Only what is late can be before this time.
        let next = self.to_come.last().map(|&(first, ..)| first);
        if let Some(least) = self.open.iter().map(|open| open.latest_ms).chain(next).min() {
            self.reorder.advance(least);
        }
        Ok(true)
    }

    /// Hands entries on, at a time as many as are of one second.
    fn take(batch: &Batch, latest_ms: &mut u64, reorder: &mut Reorder, account: &mut Account) {
        let (mut begin, mut of) = (0, None);
        for (i, time_ms) in batch.each_time().enumerate() {
            *latest_ms = (*latest_ms).max(time_ms);
            let second = (!reorder.is_late(time_ms, *latest_ms)).then_some(time_ms / 1_000);
            if second == of && second.is_some() {
                continue;
            }
            if let Some(of) = of {
                reorder.push(batch, begin..i, of);
                account.entries += (i - begin) as u64;
            }
            account.late += u64::from(second.is_none());
            (begin, of) = (i, second);
        }
        if let Some(of) = of {
            reorder.push(batch, begin..batch.len(), of);
            account.entries += (batch.len() - begin) as u64;
        }
    }
}
