//! A session: the inputs of one run, with its progress on a terminal.

use crate::args;
use crate::batch::Batch;
use crate::feed::Feed;
use crate::input::Inputs;
use crate::input::account::{Account, grouped};
use crate::input::format::Options;
use crate::input::parse::BadRecord;
use crate::input::schema;
use crate::input::source::Progress;
use crate::readable::shown;
use crate::replay::replay;
use anyhow::{Context, Result};
use hotpart::Detector;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// Reads all inputs, and calls `see` with the entries of each second. Shows how far it is, and the
/// time left.
pub fn read(args: &args::Inputs, see: impl FnMut(&Batch) -> Result<()>) -> Result<Account> {
    read_as(args, args.options(), see)
}

/// Does the same for readers of whole seconds: accesses of one partition in one second come as one.
pub fn read_seconds(args: &args::Inputs, see: impl FnMut(&Batch) -> Result<()>) -> Result<Account> {
    read_as(args, Options { whole_seconds: true, ..args.options() }, see)
}

fn read_as(
    args: &args::Inputs,
    mut options: Options,
    mut see: impl FnMut(&Batch) -> Result<()>,
) -> Result<Account> {
    args.check_names()?;
    let progress = Progress::default();
    for path in &args.schema {
        options.keys.extend(schema::keys(path)?);
    }
    let inputs = Inputs::new(&args.files, options, progress.clone())?;
    let bar = bar(args);
    let account = replay(inputs, |batch| {
        bar.set_position(progress.bytes());
        see(batch)
    });
    bar.finish_and_clear();
    account
}

fn bar(args: &args::Inputs) -> ProgressBar {
    if args.quiet {
        return ProgressBar::hidden();
    }
    let sizes = args.files.iter().map(|file| std::fs::metadata(file).map(|about| about.len()));
    // The size of standard input is not known.
    let bar = match sizes.sum::<Result<u64, _>>() {
        Ok(bytes) => ProgressBar::new(bytes),
        Err(_) => ProgressBar::new_spinner(),
    };
    let style =
        ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {binary_bytes_per_sec}, {eta} left");
    bar.set_style(style.expect("a template that is valid"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Tells a detector the partition keys that the command line names.
pub fn describe(args: &args::Inputs, detector: &Detector) -> Result<()> {
    for (name, attributes) in &args.keys {
        let (table, index) = match name.split_once("/index/") {
            Some((table, index)) => (table, Some(index.as_bytes())),
            None => (name.as_str(), None),
        };
        detector.set_key_schema(table, index, attributes).with_context(|| format!("--key {name}"))?;
    }
    for path in &args.schema {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        for answer in serde_json::Deserializer::from_slice(&text).into_iter::<&serde_json::value::RawValue>()
        {
            let answer =
                answer.context(schema::NO_DESCRIPTION).with_context(|| path.display().to_string())?;
            let answer = answer.get().as_bytes();
            let exchange = hotpart::Exchange {
                operation: b"DescribeTable",
                request: b"{}",
                response: Some(answer),
                http_status: 200,
                ..hotpart::Exchange::default()
            };
            let observed = detector.observe(&exchange).context(schema::NO_DESCRIPTION);
            observed.with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

/// Stops at an exchange that the library has refused, as at a record that can't be read, unless the
/// user wants to keep going.
pub fn check(args: &args::Inputs, feed: &Feed) -> Result<()> {
    match feed.first_refused.first() {
        Some(first) if !args.keep_going => Err(BadRecord(first.told(&args.files)).into()),
        _ => Ok(()),
    }
}

/// Says how to name the key of a table, or of one of its indexes: the library tells the table
/// alone.
fn unknown_key(args: &args::Inputs, table: &str) -> String {
    if args.keys.iter().any(|(name, _)| name == table) {
        return format!(
            "{table}: the partition key of one of its indexes is unknown, or became known too late. Name it: \
             --key {table}/index/INDEX=ATTRIBUTE"
        );
    }
    format!(
        "{table}: a partition key is unknown, or became known too late. Name it: --key {table}=ATTRIBUTE, \
         and --key {table}/index/INDEX=ATTRIBUTE for an index"
    )
}

/// Returns the lines that end an output: the account of every record, and what became of it.
pub fn remarks(args: &args::Inputs, account: &Account, feed: &Feed) -> Vec<String> {
    let account = account.told(feed, &args.files);
    let mut lines = Vec::new();
    lines.extend(account.first_bad.iter().map(|bad| format!("bad: {bad}")));
    let more = account.bad.saturating_sub(account.first_bad.len() as u64);
    if !account.first_bad.is_empty() && more > 0 {
        lines.push(format!("bad: and {} more", grouped(more)));
    }
    lines.extend(account.notes.iter().chain(&account.ahead).cloned());
    // If nothing is unread, the keys that were missing at first got known, and all that waited was
    // counted.
    for table in feed.missing.iter().filter(|_| feed.unread_operations != Some(0)) {
        lines.push(unknown_key(args, table));
    }
    lines.extend(account.many_late());
    lines.push(account.line());
    // Names of tables and of files are in them.
    lines.iter().map(|line| shown(line.as_bytes())).collect()
}
