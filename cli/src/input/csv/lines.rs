//! The records of a text of comma-separated values (RFC 4180), one after another.
//!
//! Most have no quotes and lie in the reader's buffer from end to end: their fields are slices of it, and nothing is copied. The
//! others are put together first, and unquoted in place.

use std::io::BufRead;

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
    /// Where the first begins.
    begin: u32,
    /// Where each ends. The next one begins after the comma there.
    ends: [u32; FIELDS],
    len: usize,
}

/// One record.
pub struct Record<'a> {
    text: &'a [u8],
    begin: u32,
    ends: &'a [u32],
    /// The line, from 1, that it begins on.
    pub line: u64,
}

impl<'a> Record<'a> {
    #[inline]
    pub fn get(&self, field: usize) -> Option<&'a [u8]> {
        let end = *self.ends.get(field)?;
        let begin = if field == 0 { self.begin } else { self.ends[field - 1] + 1 };
        self.text.get(begin as usize..end as usize)
    }

    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.ends.len()).filter_map(|field| self.get(field))
    }
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        let fields = Fields { begin: 0, ends: [0; FIELDS], len: 0 };
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
                    if u32::try_from(self.record.len()).is_err() {
                        return Err(std::io::Error::other(format!("line {line}: a record of over 4 GiB")));
                    }
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
        let Fields { begin, ref ends, len } = self.fields;
        Ok(Record { text, begin, ends: &ends[..len], line })
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
    fn start(&mut self, begin: usize) {
        (self.begin, self.len) = (begin as u32, 0);
    }

    #[inline(always)]
    fn push(&mut self, end: usize) {
        if let Some(place) = self.ends.get_mut(self.len) {
            *place = end as u32;
            self.len += 1;
        }
    }

    /// Pushes an end for each comma that a word has; `from` is where its first byte is.
    #[inline(always)]
    fn push_commas(&mut self, mut commas: u64, from: usize) {
        while commas != 0 {
            self.push(from + commas.trailing_zeros() as usize / 8);
            commas &= commas - 1;
        }
    }

    /// Finds the fields of a record without quotes.
    #[inline(always)]
    fn split(&mut self, text: &[u8], begin: usize) {
        self.start(begin);
        let (words, rest) = text[begin..].as_chunks::<8>();
        let mut from = begin;
        for word in words {
            self.push_commas(commas(u64::from_le_bytes(*word)), from);
            from += 8;
        }
        match text.last_chunk::<8>() {
            // Of the last eight bytes, those that the words had not.
            Some(last) if from >= 8 && !rest.is_empty() => {
                let seen = 8 - rest.len();
                let commas = commas(u64::from_le_bytes(*last)) >> (8 * seen);
                self.push_commas(commas, from);
            }
            _ => rest
                .iter()
                .enumerate()
                .filter(|&(_, &byte)| byte == b',')
                .for_each(|(i, _)| self.push(from + i)),
        }
        self.push(text.len());
    }

    /// Finds those of a record with quotes, and takes these away: what is left is never longer, so it is written where it was, each field
    /// with the comma after it.
    fn unquote(&mut self, text: &mut [u8]) {
        self.start(0);
        let (mut end, mut place) = (0, Place::Start);
        for i in 0..text.len() {
            let (after, is_own) = place.after(text[i]);
            let ends = !is_own && after == Place::Start;
            place = after;
            if ends {
                self.push(end);
            }
            if is_own || ends {
                text[end] = text[i];
                end += 1;
            }
        }
        self.push(end);
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
