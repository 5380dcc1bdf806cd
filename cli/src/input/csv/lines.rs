//! The records of a text of comma-separated values (RFC 4180), one after another.
//!
//! Most have no quotes and lie in the reader's buffer from end to end: their fields are slices of it, and nothing is copied. The
//! others are put together first, and unquoted in place.

use std::io::BufRead;
use std::ops::Range;

/// Fields of a record that are kept: columns after these are not looked at.
pub const FIELDS: usize = 64;

/// Reads records.
pub struct Lines<R> {
    reader: R,
    /// The record that was read, if it had to be put together.
    record: Vec<u8>,
    fields: Fields,
    /// The line, from 1, that comes next.
    next_line: u64,
    last: Last,
    /// The last record is the next one too.
    is_unread: bool,
}

/// The record that was read last.
#[derive(Clone, Copy, Default)]
struct Last {
    /// Bytes that it takes in the reader's buffer, the end of its line included; 0 of one that had to be put together.
    used: usize,
    len: usize,
    line: u64,
}

/// Where in a field a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    Bare,
    Quoted,
    /// After a quote that ends the field, or is the first of two that stand for one.
    Closed,
}

impl Place {
    /// Returns where the reader is after a byte, and whether the byte is the field's.
    fn after(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (Self::Start, b'"') => (Self::Quoted, false),
            (Self::Quoted, b'"') => (Self::Closed, false),
            (Self::Closed, b'"') | (Self::Quoted, _) => (Self::Quoted, true),
            (_, b',') => (Self::Start, false),
            _ => (Self::Bare, true),
        }
    }
}

/// Where the fields of a record are in its text.
struct Fields {
    ranges: [Range<usize>; FIELDS],
    len: usize,
}

/// One record.
pub struct Record<'a> {
    text: &'a [u8],
    fields: &'a [Range<usize>],
    /// The line, from 1, that it begins on.
    pub line: u64,
}

impl<'a> Record<'a> {
    pub fn get(&self, field: usize) -> Option<&'a [u8]> {
        Some(&self.text[self.fields.get(field)?.clone()])
    }

    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        self.fields.iter().map(|field| &self.text[field.clone()])
    }
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        let fields = Fields { ranges: [const { 0..0 }; FIELDS], len: 0 };
        Self { reader, record: Vec::new(), fields, next_line: 1, last: Last::default(), is_unread: false }
    }

    /// Returns the next record; empty lines are none. `None`: there are no more.
    #[inline]
    pub fn next_record(&mut self) -> std::io::Result<Option<Record<'_>>> {
        if std::mem::take(&mut self.is_unread) || self.advance()? { self.last().map(Some) } else { Ok(None) }
    }

    /// The next record is to be the last one again.
    pub fn unread(&mut self) {
        self.is_unread = true;
    }

    fn advance(&mut self) -> std::io::Result<bool> {
        loop {
            self.reader.consume(std::mem::take(&mut self.last.used));
            let line = self.next_line;
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(false);
            }
            let begin = if line == 1 && buffer.starts_with(BOM) { BOM.len() } else { 0 };
            match memchr::memchr2(b'\n', b'"', buffer) {
                Some(end) if buffer[end] == b'\n' => {
                    let len = without_return(&buffer[..end]);
                    self.fields.split(&buffer[..len], begin);
                    self.next_line += 1;
                    self.last = Last { used: end + 1, len, line };
                    if len > begin {
                        return Ok(true);
                    }
                }
                _ => {
                    self.collect()?;
                    self.fields.unquote(&mut self.record);
                    self.last = Last { used: 0, len: self.record.len(), line };
                    if !self.record.is_empty() {
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn last(&mut self) -> std::io::Result<Record<'_>> {
        let Last { used, len, line } = self.last;
        let text = if used > 0 { &self.reader.fill_buf()?[..len] } else { &self.record[..] };
        Ok(Record { text, fields: &self.fields.ranges[..self.fields.len], line })
    }

    /// Reads one record, whose quotes may have lines in them, into a buffer of its own.
    fn collect(&mut self) -> std::io::Result<()> {
        self.record.clear();
        let (mut seen, mut place) = (0, Place::Start);
        while self.reader.read_until(b'\n', &mut self.record)? > 0 {
            self.next_line += 1;
            place = self.record[seen..].iter().fold(place, |place, &byte| place.after(byte).0);
            seen = self.record.len();
            if place != Place::Quoted {
                break;
            }
        }
        let len = self.record.strip_suffix(b"\n").map_or(self.record.len(), without_return);
        self.record.truncate(len);
        if self.record.starts_with(BOM) {
            self.record.drain(..BOM.len());
        }
        Ok(())
    }
}

/// The mark that some programs begin a text with.
const BOM: &[u8] = b"\xef\xbb\xbf";

fn without_return(line: &[u8]) -> usize {
    line.len() - usize::from(line.last() == Some(&b'\r'))
}

/// Returns a word that has the highest bit of each byte that is a comma in the other.
fn commas(word: u64) -> u64 {
    const LOW: u64 = u64::MAX / 255 * 0x7f;
    // A comma is the one byte that becomes 0: of that, neither it nor its sum with 127 has the highest bit.
    let word = word ^ (u64::MAX / 255 * b',' as u64);
    !(((word & LOW) + LOW) | word | LOW)
}

impl Fields {
    fn push(&mut self, field: Range<usize>) {
        if let Some(place) = self.ranges.get_mut(self.len) {
            *place = field;
            self.len += 1;
        }
    }

    /// Finds the fields of a record without quotes.
    fn split(&mut self, text: &[u8], mut begin: usize) {
        self.len = 0;
        let from = begin;
        let mut end = |i: usize| {
            self.push(begin..i);
            begin = i + 1;
        };
        let (words, rest) = text[from..].as_chunks::<8>();
        for (i, word) in words.iter().enumerate() {
            let mut commas = commas(u64::from_le_bytes(*word));
            while commas != 0 {
                end(from + i * 8 + commas.trailing_zeros() as usize / 8);
                commas &= commas - 1;
            }
        }
        let tail = text.len() - rest.len();
        rest.iter().enumerate().filter(|&(_, &byte)| byte == b',').for_each(|(i, _)| end(tail + i));
        self.push(begin..text.len());
    }

    /// Finds those of a record with quotes, and takes these away: what is left of a field is never longer, so it is written where it was.
    fn unquote(&mut self, text: &mut [u8]) {
        self.len = 0;
        let (mut begin, mut end, mut place) = (0, 0, Place::Start);
        for i in 0..text.len() {
            let (after, is_own) = place.after(text[i]);
            place = after;
            if is_own {
                text[end] = text[i];
                end += 1;
            } else if place == Place::Start {
                self.push(begin..end);
                (begin, end) = (i + 1, i + 1);
            }
        }
        self.push(begin..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use csv::ReaderBuilder;
    use std::io::BufReader;

    type Records = Vec<(u64, Vec<Vec<u8>>)>;

    fn ours(text: &[u8], buffer: usize) -> Records {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, text));
        let mut records = Vec::new();
        while let Some(record) = lines.next_record().expect("no error") {
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
            b"a,b\"c\",d\n,,\n\"x",
            b",,,,,,,,,,,,,,,,,,,,\n-,-,,-,---,,,,-\xac,\xac\x2c\x80,\x00,+\n",
            b"a,b\"c\n\"d\"e\"f,\"\"\"\",\"\"x\ng\n",
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
}
