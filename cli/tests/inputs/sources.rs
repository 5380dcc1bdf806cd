//! Sources: files as they are or compressed, several merged by time, and what comes out of order.

use crate::read::{fixture, options, read_bytes, temporary, try_read, try_read_bytes};
use flate2::Compression;
use flate2::write::GzEncoder;
use hotpart_cli::input::format::Options;
use std::io::Write;
use std::path::PathBuf;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lines(times: impl IntoIterator<Item = u64>, pk: &str) -> Vec<u8> {
    times.into_iter().map(|time| format!("{time},write,events,{pk}\n")).collect::<String>().into_bytes()
}

#[test]
fn content_may_be_compressed() {
    let options = options(&[("Orders", "customer")], &[]);
    let plain = std::fs::read(fixture("cloudtrail.json")).unwrap();
    let expected = read_bytes(&plain, &options);
    assert!(!expected.counts.is_empty());
    let (begin, end) = plain.split_at(plain.len() / 2);
    let members = [gzip(begin), gzip(end)].concat();
    let frames = [zstd::encode_all(begin, 3).unwrap(), zstd::encode_all(end, 3).unwrap()].concat();
    for compressed in [gzip(&plain), members, zstd::encode_all(&plain[..], 3).unwrap(), frames] {
        let read = read_bytes(&compressed, &options);
        assert_eq!((read.counts, read.line), (expected.counts.clone(), expected.line.clone()));
    }
}

#[test]
fn what_is_cut_is_an_error() {
    let whole = gzip(&lines(0..100_000, "a"));
    let error = try_read_bytes(&whole[..whole.len() / 2], &options(&[], &[])).unwrap_err();
    assert!(error.contains("hotpart-input-"), "the file is named: {error}");
}

/// Zeros may follow the content, as of a tape's last block, after gzip; else it may be a
/// part of the log, and is not left out.
#[test]
fn what_follows_is_told() {
    let options = options(&[], &[]);
    let (a, b) = (lines([0, 1_000], "a"), lines([2_000], "b"));
    let zeros = [0_u8; 700];
    for follows in [&zeros[..1], &zeros, &[&zeros[..], &gzip(&b)].concat(), &[gzip(b""), gzip(b"")].concat()]
    {
        let read = read_bytes(&[&gzip(&a)[..], follows].concat(), &options);
        let n = if follows.len() > zeros.len() { 3 } else { 2 };
        assert_eq!(read.line, format!("{n} records: {n} counted"), "{follows:?}");
    }
    for follows in [&b[..], b"x", b"\0x", &[&zeros[..], b"tail"].concat()] {
        let gzip = [&gzip(&a)[..], follows].concat();
        let zstd = [&zstd::encode_all(&a[..], 3).unwrap(), follows].concat();
        for (kind, bytes) in [("gzip", gzip), ("zstd", zstd)] {
            let error = try_read_bytes(&bytes, &options).unwrap_err();
            let says = format!("something that is not compressed by {kind} follows what is");
            assert!(error.contains("hotpart-input-") && error.ends_with(&says), "{follows:?}: {error}");
        }
    }
    let cut = try_read_bytes(&[&gzip(&a)[..], &gzip(&b)[..8]].concat(), &options).unwrap_err();
    assert!(cut.contains("hotpart-input-"), "{cut}");
    // Of zstd, frames may be skipped, the first too.
    let skipped = [b"\x50\x2a\x4d\x18\x03\0\0\0abc", &zstd::encode_all(&a[..], 3).unwrap()[..]].concat();
    assert_eq!(read_bytes(&skipped, &options).line, "2 records: 2 counted");
}

#[test]
fn files_are_merged_by_time() {
    let seconds = |from: u64| (from..from + 5).map(|second| second * 1_000);
    let texts = [lines(seconds(200), "late"), lines(seconds(0), "early"), gzip(&lines(seconds(2), "amid"))];
    let files: Vec<PathBuf> = texts.iter().map(|text| temporary(text)).collect();
    let mut options = options(&[], &[]);
    options.lateness_ms = 0;
    let read = try_read(&files, &options).unwrap();
    assert_eq!(read.line, "15 records: 15 counted");
    assert!(read.times.is_sorted());
    files.iter().for_each(|file| std::fs::remove_file(file).unwrap());
}

#[test]
fn formats_are_merged_by_time() {
    let files = ["cloudtrail.json", "kinesis.json", "recording.jsonl", "sdk-js.jsonl"].map(fixture);
    let read = try_read(&files, &options(&[("Orders", "customer"), ("events", "id")], &[])).unwrap();
    assert_eq!(read.line.split(" records: ").next(), Some("37"));
    assert!(read.line.contains(": 28 counted; "), "{}", read.line);
    assert!(read.times.is_sorted());
}

#[test]
fn order_is_mended_within_the_lateness() {
    let times = [10_000, 70_000, 10_000, 9_999, 200_000, 139_999, 140_000];
    let read = read_bytes(&lines(times, "a"), &options(&[], &[]));
    assert_eq!(read.times, [10_000, 10_000, 70_000, 140_000, 200_000]);
    assert_eq!(read.line, "7 records: 5 counted; 2 too late to be put in order (see --lateness)");
    let mut all = options(&[], &[]);
    all.lateness_ms = 1_000_000;
    assert_eq!(read_bytes(&lines(times, "a"), &all).line, "7 records: 7 counted");
}

/// One wrong clock makes all that comes later too late.
#[test]
fn a_record_that_is_ahead_of_most_is_named() {
    let good = |n: u64| (0..n).map(|i| 1_772_445_841_000 + i * 10);
    let of = |times: Vec<u64>, lateness_ms: u64| {
        let read = read_bytes(&lines(times, "a"), &Options { lateness_ms, ..options(&[], &[]) });
        (read.line, read.ahead)
    };
    let wrong_ms = 1_772_445_841_000 + 3_600_000;
    let (line, ahead) = of([1_772_445_841_000, wrong_ms].into_iter().chain(good(500)).collect(), 60_000);
    assert_eq!(line, "502 records: 2 counted; 500 too late to be put in order (see --lateness)");
    let [ahead] = &ahead[..] else { panic!("{ahead:?}") };
    let said = ":2: the time of this record, 2026-03-02 11:04:01 UTC, is far ahead of the others. So 500 of 502 records came too late \
                after it, and were left out. Remove this record, or use --lateness 3600, to count them";
    assert!(ahead.ends_with(said), "{ahead}");
    // What it says helps.
    let (line, ahead) = of([1_772_445_841_000, wrong_ms].into_iter().chain(good(500)).collect(), 3_600_000);
    assert_eq!((&*line, ahead.len()), ("502 records: 502 counted", 0));
    // The one that did the most is named, though the log gets past it; a log's own clock has
    // milliseconds.
    let times = [0, 70_001, 0, 200_000, 0, 0, 0, 0, 200_001].to_vec();
    let (_, ahead) = of(times, 60_000);
    assert!(
        ahead[0].contains(":4: the time of this record, 200000 ms, ") && ahead[0].contains("--lateness 200,"),
        "{ahead:?}"
    );
    // Half of them is not most.
    assert!(of([70_001, 0, 0, 70_001].to_vec(), 60_000).1.is_empty());
}
