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
    let (open, stray) =
        ("! a quote is not closed before the file ends", "! something follows a quote that closes a field");
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

/// Each of these lines opens a quote, in whatever it begins: were each looked at as far as a record
/// can be, that would be a thousand times the text, and more by its copies.
#[test]
fn lines_that_each_open_a_quote_are_looked_at_twice() {
    /// Returns how many records a text has, and how many of them are bad.
    fn read(text: &[u8]) -> (usize, usize) {
        let mut lines = Lines::new(text);
        let (mut records, mut bad) = (0, 0);
        while let Some(record) = lines.next_record().expect("no error") {
            (records, bad) = (records + 1, bad + usize::from(record.bad.is_some()));
        }
        (records, bad)
    }
    let long = format!("x\",\",{}\n", "y".repeat(1_000));
    let stray = format!("{}\"z{}\n", "x\",\",\n".repeat(900), "z".repeat(1_000_000));
    for (text, records) in
        [("x\",\",\n".repeat(200_000), 200_000), (long.repeat(5_000), 5_000), (stray.repeat(2), 1_802)]
    {
        let begin = std::time::Instant::now();
        let (all, bad) = read(text.as_bytes());
        assert!(all == records && bad >= records - 2, "{all} {bad}");
        // In a debug build on a slow machine it takes less than two; else it took minutes.
        assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
    }
}

/// By looking at each line anew for each record.
fn plainly(text: &str) -> Vec<(u64, bool)> {
    let all: Vec<_> = text.split_inclusive('\n').collect();
    let (mut at, mut records) = (0, Vec::new());
    while at < all.len() {
        let (mut place, mut end) = (Place::Start, at);
        loop {
            let line = all[end].trim_end_matches('\n');
            place = line.bytes().fold(place, |place, byte| place.after(byte).0);
            end += 1;
            if place != Place::Quoted || end == all.len() || end - at >= LINES_MAX as usize {
                break;
            }
        }
        let is_bad = matches!(place, Place::Quoted | Place::Stray);
        if is_bad || all[at].len() > 1 {
            records.push((at as u64 + 1, is_bad));
        }
        at = if is_bad { at + 1 } else { end };
    }
    records
}

#[test]
fn what_is_known_of_an_open_quote_changes_no_record() {
    let parts = ["x\",\",", "\"", "a", ",", "\"\"", "\",\""];
    let mut state = 1_u64;
    let mut below = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % n
    };
    for round in 0..300 {
        // Some have lines enough for a quote to be open too long.
        let n = if round % 30 == 0 { 3_000 } else { 1 + below(40) };
        let line =
            |_| (0..1 + below(3)).map(|_| parts[if n > 40 { 0 } else { below(parts.len()) }]).collect();
        let mut lines: Vec<String> = (0..n).map(line).collect();
        if n > 40 {
            lines[2_000 + round] = ["\"", "\"a"][round / 30 % 2].into();
        }
        let text = lines.join("\n") + "\n";
        let ours: Vec<_> = firsts(text.as_bytes(), 100)
            .into_iter()
            .map(|(line, text)| (line, text.starts_with("! ")))
            .collect();
        assert_eq!(ours, plainly(&text), "{text:?}");
    }
}
