//! CSV: units of time, names of columns, and bytes that no text has.

use crate::read::{Read, options, read_bytes, try_read_bytes};
use hotpart_cli::input::format::Options;

fn read(text: &str) -> Read {
    read_bytes(text.as_bytes(), &options(&[], &[]))
}

/// A file without a year has its own clock, which begins anywhere else.
#[test]
fn times_in_seconds_are_taken_for_that_and_told() {
    let text =
        "time_ms,operation,table,pk\n1772445600,write,t,a\n1772445601,write,t,a\n1772445602500,write,t,a\n";
    let seconds = read(text);
    assert_eq!(seconds.times, [1_772_445_600_000, 1_772_445_601_000, 1_772_445_602_500]);
    assert_eq!(seconds.line, "3 records: 3 counted");
    let [note] = &seconds.notes[..] else { panic!("{:?}", seconds.notes) };
    assert!(note.starts_with('/') && note.contains(": its times are taken for seconds since 1970"), "{note}");
    // The first record may be bad: the first time is what counts.
    assert_eq!(read("x,write,t,a\n1772445600,write,t,a\n").times, [1_772_445_600_000]);
    for first in [0, 1, 999, 1_000_000_000, 1_325_375_999, 4_102_444_800, 1_772_445_600_000] {
        let times = [first, first + 1_000, first + 50_000];
        let own = read(&times.map(|time| format!("{time},write,t,a\n")).concat());
        assert_eq!((&own.times[..], own.notes.len()), (&times[..], 0));
    }
    // A clock of its own may get there.
    let own = read("0,write,t,a\n1772445600,write,t,a\n1772445601,write,t,a\n");
    assert_eq!((own.times, own.notes.len()), (vec![0, 1_772_445_600, 1_772_445_601], 0));
}

#[test]
fn a_name_of_several_columns_is_refused() {
    let refused = |text: &str, columns: &[(&str, &str)]| {
        try_read_bytes(text.as_bytes(), &options(&[], columns)).map(|read| read.line)
    };
    let text = "time_ms,operation,table,pk,PK,note,note,Table\n1,write,t,a,b,c,d,e\n";
    let error = refused(text, &[]).unwrap_err();
    let says = ": the first line has several columns named \"table\", \"pk\"; --column table=NUMBER says which it is";
    assert!(error.ends_with(says), "{error}");
    // What is told by its number, or is not looked for, may have any name.
    let read = refused(text, &[("table", "3"), ("pk", "5")]);
    assert_eq!(read.as_deref(), Ok("1 record: 1 counted"));
    let error = refused(text, &[("table", "3"), ("pk", "NOTE")]).unwrap_err();
    assert!(error.contains("several columns named \"NOTE\"; --column pk=NUMBER"), "{error}");
    let error = refused("1,write,t,t\n", &[("pk", "t")]).unwrap_err();
    assert!(error.contains("several columns named \"t\""), "{error}");
}

#[test]
fn another_encoding_is_named() {
    let text = "1000,write,t,a\n";
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let wide: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect();
        let error = try_read_bytes(&wide, &options(&[], &[])).unwrap_err();
        assert!(
            error.contains(": is in UTF-16: convert it first, with `iconv -f UTF-16 -t UTF-8`"),
            "{error}"
        );
    }
}

/// At the beginning of a file, where its format is told, it makes it no text.
#[test]
fn a_nul_makes_a_record_bad() {
    let good = "1000,write,t,a,1,m\n".repeat(10_000);
    let text = format!("{good}1000,write,t,a\0b\n1000,write,\0,a\n1000,write,t,a,1,\0\n{good}");
    let nul = read(&text);
    assert_eq!(
        (&*nul.line, &nul.counts[..]),
        ("20,003 records: 20,000 counted; 3 bad", &["write t a 20000".into()][..])
    );
    assert!(nul.bad[0].ends_with(":10001: there is a NUL in it, which no text has"), "{:?}", nul.bad);
    let stop = Options { keep_going: false, ..options(&[], &[]) };
    assert!(try_read_bytes(text.as_bytes(), &stop).unwrap_err().contains(":10001: there is a NUL"));
}
