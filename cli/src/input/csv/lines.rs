//! The records of a text of comma-separated values (RFC 4180), one after another.
//!
//! Most have no quotes, and lie in the reader's buffer from end to end: their fields are slices of
//! it, and nothing is copied. The others are put together first, and unquoted in place.
//!
//! A quote that is never closed would take all that follows for its field. So a record with quotes
//! is bad if it is longer than such a record can be, and then, as where its quotes are wrong, the
//! next one begins on the line after that on which it began. Lines that were found to be in an
//! [open quote](Open) are not looked at again for the next one's, so that each line is at most
//! twice.

#[cfg(test)]
mod tests;

use crate::input::csv::again::Again;
use crate::input::csv::open::Open;
use std::io::BufRead;

/// The fields of a record that are kept. Columns after these are not looked at.
pub const FIELDS: usize = 64;
/// The most lines of a record, and bytes before its last line: the fields of a record have far
/// fewer.
const LINES_MAX: u64 = 1_000;
const LEN_MAX: usize = 1 << 20;

/// Reads records.
pub struct Lines<R> {
    reader: Again<R>,
    /// The record that was read, if it had to be put together.
    record: Vec<u8>,
    fields: Fields,
    /// The number of the line that comes next, from 1.
    next_line: u64,
    last: Last,
    /// Whether the last record is to be the next one too.
    is_unread: bool,
    open: Open,
}

/// The record that was read last.
#[derive(Clone, Copy, Default)]
struct Last {
    /// The bytes that it takes in the reader's buffer, with the end of its line; 0 if it had to be
    /// put together.
    used: usize,
    len: usize,
    line: u64,
    bad: Option<&'static str>,
}

/// The place in a field where a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    Bare,
    Quoted,
    /// After a quote that ends the field, or is the first of two that stand for one.
    Closed,
    /// After something that can't be part of a field whose quote is closed.
    Stray,
}

impl Place {
    /// Returns where the reader is after a byte, and whether the byte is the field's.
    fn after(self, byte: u8) -> (Self, bool) {
        match (self, byte) {
            (Self::Start, b'"') => (Self::Quoted, false),
            (Self::Quoted, b'"') => (Self::Closed, false),
            (Self::Closed, b'"') | (Self::Quoted, _) => (Self::Quoted, true),
            (Self::Stray, _) => (Self::Stray, false),
            (_, b',') => (Self::Start, false),
            (Self::Closed, _) => (Self::Stray, false),
            _ => (Self::Bare, true),
        }
    }
}

/// The places of a record's fields in its text.
struct Fields {
    /// The begin of the first.
    begin: u32,
    /// The end of each. The next one begins after the comma there.
    ends: [u32; FIELDS],
    len: usize,
}

/// One record.
pub struct Record<'a> {
    text: &'a [u8],
    begin: u32,
    ends: &'a [u32],
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The reason for which it is bad. It has no fields then.
    pub bad: Option<&'static str>,
}

impl<'a> Record<'a> {
    #[inline]
    pub fn get(&self, field: usize) -> Option<&'a [u8]> {
        let end = *self.ends.get(field)?;
        let begin = if field == 0 { self.begin } else { self.ends[field - 1] + 1 };
        self.text.get(begin as usize..end as usize)
    }

    #[inline]
    pub fn has_nul(&self) -> bool {
        memchr::memchr(0, self.text).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        (0..self.ends.len()).filter_map(|field| self.get(field))
    }
}

impl<R: BufRead> Lines<R> {
    pub fn new(reader: R) -> Self {
        let fields = Fields { begin: 0, ends: [0; FIELDS], len: 0 };
        Self {
            reader: Again::new(reader),
            record: Vec::new(),
            fields,
            next_line: 1,
            last: Last::default(),
            is_unread: false,
            open: Open::default(),
        }
    }

    /// Returns the next record; `None` if there are no more. An empty line is no record.
    #[inline]
    pub fn next_record(&mut self) -> std::io::Result<Option<Record<'_>>> {
        if std::mem::take(&mut self.is_unread) || self.advance()? { self.last().map(Some) } else { Ok(None) }
    }

    /// Whether any line has been read.
    pub fn has_begun(&self) -> bool {
        self.next_line > 1
    }

    /// Makes the last record the next one again.
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
                    self.last = Last { used: end + 1, len, line, bad: None };
                    if len > begin {
                        return Ok(true);
                    }
                }
                _ => {
                    let bad = self.collect()?;
                    if u32::try_from(self.record.len()).is_err() {
                        return Err(std::io::Error::other(format!("line {line}: a record of over 4 GiB")));
                    }
                    match bad {
                        Some(_) => self.fields.start(0),
                        None => self.fields.unquote(&mut self.record),
                    }
                    self.last = Last { used: 0, len: self.record.len(), line, bad };
                    if !self.record.is_empty() || bad.is_some() {
                        return Ok(true);
                    }
                }
            }
        }
    }

    fn last(&mut self) -> std::io::Result<Record<'_>> {
        let Last { used, len, line, bad } = self.last;
        let text = if used > 0 { &self.reader.fill_buf()?[..len] } else { &self.record[..] };
        let Fields { begin, ref ends, len } = self.fields;
        Ok(Record { text, begin, ends: &ends[..len], line, bad })
    }

    /// Reads one record, whose quotes may have lines in them, into a buffer of its own. Returns the
    /// reason for which it is bad: it is one line then.
    fn collect(&mut self) -> std::io::Result<Option<&'static str>> {
        self.record.clear();
        let (begin, first) = (self.reader.place(), self.next_line);
        let (mut seen, mut line, mut place) = (0, first, Place::Start);
        let mut first_len = 0;
        let bad = loop {
            let end = self.reader.line_end(seen)?;
            if end == seen {
                break (place == Place::Quoted).then_some("a quote is not closed before the file ends");
            }
            let text = &self.reader.ahead()[seen..end];
            let from = if seen == 0 && first == 1 && text.starts_with(BOM) { BOM.len() } else { 0 };
            let to = text.len() - line_end(text);
            place = text[from.min(to)..to].iter().fold(place, |place, &byte| place.after(byte).0);
            if seen == 0 {
                first_len = end;
            }
            (seen, line) = (end, line + 1);
            if place == Place::Quoted {
                self.open.see(begin + seen as u64, line);
                let last = self.open.last();
                (seen, line) = ((last.place - begin) as usize, last.line);
                if last.is_stray {
                    place = Place::Stray;
                }
            } else if place == Place::Stray && line > first + 1 {
                self.open.is_stray();
            }
            match place {
                Place::Stray => break Some("something follows a quote that closes a field"),
                Place::Quoted if line - first >= LINES_MAX => {
                    break Some("a quote is not closed in 1,000 lines");
                }
                Place::Quoted if seen > LEN_MAX => break Some("a quote is not closed in 1 MiB"),
                Place::Quoted => {}
                _ => break None,
            }
        };
        if bad.is_some() {
            self.reader.consume(first_len);
            self.next_line += 1;
            return Ok(bad);
        }
        let record = &self.reader.ahead()[..seen];
        let len = record.strip_suffix(b"\n").map_or(record.len(), without_return);
        let mark = if first == 1 && record.starts_with(BOM) { BOM.len() } else { 0 };
        self.record.extend_from_slice(&record[mark..len.max(mark)]);
        self.reader.consume(seen);
        self.next_line = line;
        Ok(None)
    }
}

/// The mark with which some programs begin a text.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Returns how many bytes end a line, which may be the last and have none.
fn line_end(line: &[u8]) -> usize {
    line.len() - line.strip_suffix(b"\n").map_or(line.len(), without_return)
}

fn without_return(line: &[u8]) -> usize {
    line.len() - usize::from(line.last() == Some(&b'\r'))
}

/// Returns a word that has the highest bit of each byte that is a comma in the other.
fn commas(word: u64) -> u64 {
    const LOW: u64 = u64::MAX / 255 * 0x7f;
    // A comma becomes 0, and no other byte does. Of 0 alone, neither it nor its sum with 127 has
    // the highest bit.
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

    /// Pushes an end for each comma in a word, whose first byte is at `from`.
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
            // Of the last eight bytes, those that the words did not have.
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

    /// Finds the fields of a record with quotes, and takes the quotes away. The text never gets
    /// longer, so it is written where it was, each field with the comma after it.
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
