//! Reads inputs, and has the library count them.

use hotpart::{Detector, Operation, Reason};
use hotpart_cli::batch::Batch;
use hotpart_cli::entry::Entry;
use hotpart_cli::feed::{Feed, Measure};
use hotpart_cli::input::Inputs;
use hotpart_cli::input::csv::Field;
use hotpart_cli::input::format::Options;
use hotpart_cli::input::source::Progress;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The result of some files.
#[derive(Debug, Default)]
pub struct Read {
    /// By operation, table and key: how many operations.
    pub counts: Vec<String>,
    /// The same, in half units.
    pub units: Vec<String>,
    /// By table and key: how many throttles.
    pub throttles: Vec<String>,
    pub models: Vec<String>,
    /// Of all entries, as they came.
    pub times: Vec<u64>,
    /// The tables whose keys are asked about.
    pub missing: Vec<String>,
    pub bad: Vec<String>,
    /// Records whose times were far ahead.
    pub ahead: Vec<String>,
    /// The way in which files were read.
    pub notes: Vec<String>,
    /// The account's line.
    pub line: String,
}

pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Options of a user who wants to go on.
pub fn options(keys: &[(&str, &str)], columns: &[(&str, &str)]) -> Options {
    let field = |name| Field::ALL.into_iter().find(|field| field.name() == name).unwrap();
    Options {
        keep_going: true,
        lateness_ms: 60_000,
        whole_seconds: false,
        columns: columns.iter().map(|&(name, column)| (field(name), column.into())).collect(),
        keys: keys.iter().map(|&(table, key)| (table.into(), vec![key.into()])).collect(),
    }
}

pub fn read(files: &[&str], options: &Options) -> Read {
    let files: Vec<_> = files.iter().map(|file| fixture(file)).collect();
    try_read(&files, options).unwrap()
}

pub fn read_bytes(bytes: &[u8], options: &Options) -> Read {
    try_read_bytes(bytes, options).unwrap()
}

pub fn try_read_bytes(bytes: &[u8], options: &Options) -> Result<Read, String> {
    let file = temporary(bytes);
    let read = try_read(std::slice::from_ref(&file), options);
    std::fs::remove_file(file).unwrap();
    read
}

/// Writes a file that no other test has.
pub fn temporary(bytes: &[u8]) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    static N: AtomicU64 = AtomicU64::new(0);
    let name = format!("hotpart-input-{}-{}", std::process::id(), N.fetch_add(1, Relaxed));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Reads files, and counts what they tell in either measure.
pub fn try_read(files: &[PathBuf], options: &Options) -> Result<Read, String> {
    let shown = |error: anyhow::Error| format!("{error:#}");
    let mut inputs = Inputs::new(files, options.clone(), Progress::default()).map_err(shown)?;
    let (plain, capacity) = (detector(options, false), detector(options, true));
    let mut feeds = [Feed::new(Measure::Operations), Feed::new(Measure::HalfUnits)];
    let mut read = Read::default();
    let (mut throttled, mut models) = (BTreeSet::new(), BTreeSet::new());
    while let Some(batch) = inputs.next(Batch::default()).map_err(shown)? {
        for entry in batch.iter() {
            read.times.push(entry.time_ms());
            let model = match entry {
                Entry::Access(access) => access.model,
                Entry::Exchange(exchange) => exchange.model,
            };
            models.extend(model.map(text));
        }
        feeds[0].second(&plain, &batch).unwrap();
        feeds[1].second(&capacity, &batch).unwrap();
        assert_eq!(feeds[0].refused, 0);
    }
    for operation in Operation::ALL {
        let all = |detector: &Detector| {
            let mut all: Vec<_> = detector.hottest(operation, 10_000).unwrap();
            all.sort_by(|a, b| (&a.table, &a.pk).cmp(&(&b.table, &b.pk)));
            all
        };
        let verb = if operation == Operation::Write { "write" } else { "read" };
        let line = |hot: &hotpart::HotPartition| {
            format!("{verb} {} {} {}", text(&hot.table), text(&hot.pk), hot.count)
        };
        for hot in all(&plain) {
            let of = |reason| plain.throttle_count(&hot.table, &hot.pk, operation, reason).unwrap();
            let n: u64 = Reason::ALL.into_iter().map(of).sum();
            if n > 0 {
                throttled.insert(format!("{} {} {n}", text(&hot.table), text(&hot.pk)));
            }
            if hot.count > 0 {
                read.counts.push(line(&hot));
            }
        }
        read.units.extend(all(&capacity).iter().filter(|hot| hot.count > 0).map(line));
    }
    // Keys that were throttled and nothing else are in no list of counts.
    for pk in ["c1", "c2", "c5", "hot", "EVENTS"] {
        for table in ["Orders", "events"] {
            let of = |reason| plain.throttle_count(table, pk, Operation::Write, reason).unwrap();
            let n: u64 = Reason::ALL.into_iter().map(of).sum();
            if n > 0 {
                throttled.insert(format!("{table} {pk} {n}"));
            }
        }
    }
    read.throttles = throttled.into_iter().collect();
    read.models = models.into_iter().collect();
    read.missing = feeds[0].missing.iter().cloned().collect();
    read.bad.clone_from(&inputs.account.first_bad);
    read.ahead.clone_from(&inputs.account.ahead);
    read.notes.clone_from(&inputs.account.notes);
    read.line = inputs.account.line();
    Ok(read)
}

fn detector(options: &Options, capacity: bool) -> Detector {
    let mut builder = Detector::builder(u64::MAX >> 1, u64::MAX >> 1, 3_600).manual_clock();
    if capacity {
        builder = builder.capacity_mode();
    }
    let detector = builder.build().unwrap();
    for (name, attributes) in &options.keys {
        let (table, index) = name
            .split_once("/index/")
            .map_or((&**name, None), |(table, index)| (table, Some(index.as_bytes())));
        detector.set_key_schema(table, index, attributes).unwrap();
    }
    detector
}

/// A text, or what stands for one.
fn text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => text.into(),
        _ => bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect(),
    }
}
