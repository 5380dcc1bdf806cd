//! Damage: fixtures with bytes changed, cut out and put in. Nothing panics, and every record is
//! accounted for.

use crate::read::{fixture, options, read_bytes, temporary, try_read_bytes};
use hotpart::Detector;
use hotpart_cli::batch::Batch;
use hotpart_cli::feed::{Feed, Measure};
use hotpart_cli::input::Inputs;
use hotpart_cli::input::format::Options;
use hotpart_cli::input::source::Progress;

const FILES: [&str; 9] = [
    "access.csv",
    "botocore-boto3.log",
    "cloudtrail.json",
    "cloudtrail-lines.jsonl",
    "kinesis.json",
    "kinesis-lambda.json",
    "recording.jsonl",
    "sdk-js.jsonl",
    "stream-getrecords.json",
];
const ROUNDS: u64 = 100;
/// Bytes and pieces that matter to one format or another.
const PIECES: [&[u8]; 14] =
    [b"", b"\"", b"{", b"}", b"[", b"]", b"\\", b"\n", b",", b"\0", b"\xff", b"null", b"-1", b"{\"S\":1}"];

/// A random number below `n`, the next of a fixed sequence.
fn below(n: usize, state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state % n as u64) as usize
}

#[test]
fn no_damage_panics_or_loses_a_record() {
    let mut state = 0x9E37_79B9_7F4A_7C15;
    let mut readable = 0;
    for name in FILES {
        let whole = std::fs::read(fixture(name)).unwrap();
        for _ in 0..ROUNDS {
            let mut bytes = whole.clone();
            for _ in 0..=below(4, &mut state) {
                let at = below(bytes.len(), &mut state);
                let end = bytes.len().min(at + below(6, &mut state));
                let piece = PIECES[below(PIECES.len(), &mut state)];
                bytes.splice(at..end, piece.iter().copied());
            }
            readable += u32::from(accounted(&bytes));
        }
    }
    // Otherwise it would have tested nothing.
    assert!(readable > 700, "{readable} of {} had a format", FILES.len() as u64 * ROUNDS);
}

/// Reads a file, and checks its account. `false`: its format was not known.
fn accounted(bytes: &[u8]) -> bool {
    let file = temporary(bytes);
    let inputs =
        Inputs::new(std::slice::from_ref(&file), options(&[("events", "id")], &[]), Progress::default());
    let Ok(mut inputs) = inputs else {
        std::fs::remove_file(&file).unwrap();
        return false;
    };
    let detector = Detector::builder(500, 1_500, 60).manual_clock().build().unwrap();
    let mut feed = Feed::new(Measure::Operations);
    let (mut entries, mut last_ms) = (0, 0);
    let read = loop {
        match inputs.next(Batch::default()) {
            Ok(Some(batch)) => {
                for entry in batch.iter() {
                    assert!(entry.time_ms() >= last_ms);
                    (entries, last_ms) = (entries + 1, entry.time_ms());
                }
                // What it would refuse is bad, by its line.
                feed.second(&detector, &batch).unwrap();
            }
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    std::fs::remove_file(&file).unwrap();
    let account = &inputs.account;
    let without: u64 = account.without_entries.values().sum();
    let text = || String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(account.records, account.entries + account.late + without + account.bad, "{}", text());
    assert!(!read || entries == account.entries, "{}", text());
    read
}

/// A quote that is not closed would swallow what follows.
#[test]
fn a_quote_that_is_not_closed_is_one_bad_line() {
    let good: String = (0..900).map(|i| format!("{},write,t,b\n", 2_000 + i)).collect();
    let text = format!("1000,write,t,\"abc\n{good}1500,write,t,\"abc\"x\n2000,write,t,\"d\"\n");
    let read = read_bytes(text.as_bytes(), &options(&[], &[]));
    assert_eq!(read.line, "903 records: 901 counted; 2 bad");
    assert_eq!(read.counts, ["write t b 900", "write t d 1"]);
    let reasons: Vec<_> = read.bad.iter().map(|bad| bad.split_once(':').expect("a line").1).collect();
    let stray = "something follows a quote that closes a field";
    assert_eq!(reasons, [format!("1: {stray}"), format!("902: {stray}")]);
    let text = format!("time_ms,operation,table,pk\n1000,write,t,\"abc\n{good}");
    let read = read_bytes(text.as_bytes(), &options(&[], &[]));
    assert_eq!(read.line, "901 records: 900 counted; 1 bad");
    assert!(read.bad[0].ends_with(":2: a quote is not closed before the file ends"), "{:?}", read.bad);
    let error =
        try_read_bytes(text.as_bytes(), &Options { keep_going: false, ..options(&[], &[]) }).unwrap_err();
    assert!(error.contains(":2: a quote is not closed"), "{error}");
}
