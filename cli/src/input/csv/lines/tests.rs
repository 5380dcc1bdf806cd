//! Records, well formed and not, by buffers of any size.

use super::*;
use csv::ReaderBuilder;
use std::io::BufReader;

type Records = Vec<(u64, Vec<Vec<u8>>)>;

fn ours(text: &[u8], buffer: usize) -> Records {
    let mut lines = Lines::new(BufReader::with_capacity(buffer, text));
    let mut records = Vec::new();
    while let Some(record) = lines.next_record().expect("no error") {
        assert_eq!(record.bad, None);
        assert!(record.iter().enumerate().all(|(i, field)| record.get(i) == Some(field)));
        records.push((record.line, record.iter().map(<[u8]>::to_vec).collect()));
    }
    records
}

/// By the crate that everybody uses.
fn theirs(text: &[u8]) -> Records {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let records = reader.byte_records().map(|record| record.expect("no error"));
    let lines = records.map(|record| {
        let line = record.position().expect("a place").line();
        (line, record.iter().map(<[u8]>::to_vec).collect())
    });
    lines.collect()
}

#[test]
fn records_are_those_of_the_crate_that_everybody_uses() {
    for text in [
        &b"1,write,t,a\n2,read,t,b\n"[..],
        b"1,write,t,a\r\n2,read,t,b",
        b"\xef\xbb\xbftime_ms,pk\n1,2\n",
        b"a,\"b,c\",d\n\"e\"\"f\",\"\",g\n",
        b"\"a\",\"b\"\r\n\"c\nd\",e\nf,g\n",
        b"a,b\"c\",d\n,,\nx",
        b",,,,,,,,,,,,,,,,,,,,\n-,-,,-,---,,,,-\xac,\xac\x2c\x80,\x00,+\n",
        b"a,b\"c\n\"d\"\"e\"\"f\",\"\"\"\",\"\"\ng\n",
        b"one\n\n\ntwo\n",
    ] {
        // What a buffer has no room for is put together.
        for buffer in [1, 3, 7, 4_096] {
            let [ours, theirs] = [ours(text, buffer), theirs(text)];
            let fields =
                |records: &Records| records.iter().map(|(_, fields)| fields.clone()).collect::<Vec<_>>();
            assert_eq!(fields(&ours), fields(&theirs), "{:?}", String::from_utf8_lossy(text));
            assert_eq!(ours.first(), theirs.first());
        }
    }
}

#[test]
fn a_record_begins_on_its_line() {
    let lines: Vec<_> = ours(b"a\n\n\"b\nc\"\nd\n", 5).into_iter().map(|(line, _)| line).collect();
    assert_eq!(lines, [1, 3, 5]);
}

/// The first field of each record, or a mark where it is none, with its line.
fn firsts(text: &[u8], buffer: usize) -> Vec<(u64, String)> {
    let mut lines = Lines::new(BufReader::with_capacity(buffer, text));
    let mut firsts = Vec::new();
    while let Some(record) = lines.next_record().expect("no error") {
        assert!(record.bad.is_none() || record.iter().next().is_none());
        let first = String::from_utf8_lossy(record.get(0).unwrap_or_default()).into_owned();
        firsts.push((record.line, record.bad.map_or(first, |bad| format!("! {bad}"))));
    }
    firsts
}

#[test]
fn a_quote_that_is_wrong_costs_its_line_alone() {
    let check = |text: &str, expected: &[(u64, &str)]| {
        let expected: Vec<_> = expected.iter().map(|&(line, text)| (line, text.to_owned())).collect();
        for buffer in [1, 7, 4_096] {
            assert_eq!(firsts(text.as_bytes(), buffer), expected, "{text:?}");
        }
    };
    let (open, stray) = (
        "! a quote is not closed: the file ends in its field",
        "! something follows a quote that closes a field",
    );
    check("a\nb,\"c\nd\ne\n", &[(1, "a"), (2, open), (3, "d"), (4, "e")]);
    check("\"a\"x\nb\n", &[(1, stray), (2, "b")]);
    check("\u{feff}\"a\" ,\"b\nc\n", &[(1, stray), (2, "c")]);
    check("\u{feff}\"a\",b\r\nc\n", &[(1, "a"), (2, "c")]);
    // The quote of the second closes that of the first.
    check("a,\"b\nc,\"d\ne,\"f\"\n\"g\nh\",i\n", &[(1, stray), (2, stray), (3, "e"), (4, "g\nh")]);
    check("\"a\n\n\"b\n", &[(1, stray), (3, open)]);
    check("\"", &[(1, open)]);
}

#[test]
fn a_quote_is_open_no_longer_than_a_record_can_be() {
    let lines = |n: usize, line: &str| format!("\"a{}\"\nb\n", line.repeat(n));
    assert_eq!(firsts(lines(999, "\n").as_bytes(), 100).len(), 2, "1,000 lines");
    let many = firsts(lines(1_000, "\nx").as_bytes(), 100);
    assert_eq!((many.len(), &*many[0].1), (1_002, "! a quote is not closed in 1,000 lines"));
    // The quote that was to close the field opens none, as it does not begin one.
    assert_eq!(many[1_000..], [(1_001, "x\"".into()), (1_002, "b".into())]);
    let long = "x".repeat(LEN_MAX / 4) + "\n";
    let long = firsts(format!("\"{}y\n", long.repeat(5)).as_bytes(), 4_096);
    assert_eq!((long.len(), &*long[0].1, &*long[5].1), (6, "! a quote is not closed in 1 MiB", "y"));
}
