//! Pieces: the JSON objects of a file, one at a time, however they are put together.
//!
//! A file may be one object that holds a list of records (`{"Records":[…]}`), a list, an object a
//! line, objects printed over many lines, or objects glued together. A collector of logs may have
//! put a time before each. All of these are read as a stream: no more than one record is in memory.
//!
//! ```text
//! between --{--> in an object --its last }--> a piece
//!    |               `--"Records": [--> between, in a list within an object
//!    `--[--> between, in a list
//! ```
//!
//! A piece that is broken costs nothing but itself where that can be seen: JSON has no line end
//! within a text, and no object where a member's name must be.

#[cfg(test)]
mod tests;

use anyhow::Result;
use memchr::memchr3;
use std::io::BufRead;

/// Members whose list holds the records.
const LISTS: [&[u8]; 4] = [b"\"Records\"", b"\"records\"", b"\"logEvents\"", b"\"events\""];
/// The most bytes of a piece.
const LEN_MAX: usize = 64 << 20;
/// The most levels of a piece.
const DEPTH_MAX: usize = 200;
/// The most lists and objects around a piece.
const AROUND_MAX: usize = 8;

/// One of a file's pieces.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece<'a> {
    /// An object, from its `{` to its `}`, and the line on which it begins, from 1. Its inside has
    /// not been looked at.
    Object { line: u64, text: &'a [u8] },
    /// Something else, or an object that is broken.
    Broken { line: u64, reason: &'static str },
}

/// Reads a file's pieces.
pub struct Pieces<R> {
    reader: R,
    scan: Scan,
}

impl<R: BufRead> Pieces<R> {
    pub fn new(reader: R) -> Self {
        Self { reader, scan: Scan::default() }
    }

    /// Returns the next piece; `None` if there are no more.
    pub fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if !self.scan.is_open() {
            self.scan.text.clear();
        }
        let found = loop {
            let bytes = self.reader.fill_buf()?;
            if bytes.is_empty() {
                match self.scan.finish() {
                    Some(found) => break found,
                    None => return Ok(None),
                }
            }
            let (used, found) = self.scan.read(bytes);
            self.reader.consume(used);
            if let Some(found) = found {
                break found;
            }
        };
        Ok(Some(match found {
            Found::Object(line) => Piece::Object { line, text: &self.scan.text },
            Found::Broken(line, reason) => Piece::Broken { line, reason },
        }))
    }
}

/// A piece that has been found, by its line. The text of an object is the scan's.
enum Found {
    Object(u64),
    Broken(u64, &'static str),
}

/// The surroundings of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Around {
    List,
    /// An object that holds the list. Whatever comes after the list is passed over.
    Object,
}

/// The state after the bytes that have been read.
#[derive(Default)]
struct Scan {
    /// The line that is being read, from 0.
    line: u64,
    around: Vec<Around>,
    /// The piece that is being read, and its line.
    text: Vec<u8>,
    begin: u64,
    /// The brackets that are open in it, or in what is passed over.
    open: Vec<u8>,
    in_text: bool,
    escaped: bool,
    /// Whether the piece is longer than it may be.
    is_long: bool,
    /// The last byte that is outside texts and no white space, and whether only white space came
    /// after it on this line.
    last: u8,
    at_margin: bool,
    /// The line of something that is no object.
    stray: Option<u64>,
}

impl Scan {
    /// Returns whether an object is being read.
    fn is_open(&self) -> bool {
        !self.open.is_empty() && !self.is_passing()
    }

    /// Returns whether the rest of an object is passed over, as its list is over.
    fn is_passing(&self) -> bool {
        self.around.last() == Some(&Around::Object)
    }

    /// Reads until something is found. Returns how many bytes that took.
    fn read(&mut self, bytes: &[u8]) -> (usize, Option<Found>) {
        let mut at = 0;
        // The bytes of the piece that are not yet copied begin here.
        let mut from = 0;
        while at < bytes.len() {
            if self.in_text {
                at += self.read_text(&bytes[at..]);
                if self.in_text && at < bytes.len() {
                    self.discard();
                    return (at, Some(Found::Broken(self.begin, "a text is not closed where its line ends")));
                }
                continue;
            }
            let byte = bytes[at];
            if byte == b'\n' {
                self.line += 1;
                self.at_margin = true;
                if let Some(line) = self.stray.take() {
                    return (at + 1, Some(Found::Broken(line, "there is no JSON object on this line")));
                }
            }
            if byte.is_ascii_whitespace() {
                at += 1;
                continue;
            }
            if !self.is_open() {
                self.between(byte);
                from = at;
                at += 1;
                continue;
            }
            if byte == b'{' && self.is_misplaced() {
                let begin = self.begin;
                self.discard();
                return (at, Some(Found::Broken(begin, "an object ends before it is whole")));
            }
            at += 1;
            match self.inside(byte, &bytes[from..at]) {
                Inside::More => {}
                Inside::List => {
                    self.text.clear();
                    from = at;
                }
                Inside::Over => {
                    self.copy(&bytes[from..at]);
                    let found = match self.is_long {
                        true => Found::Broken(self.begin, "an object is longer than 64 MiB"),
                        false => Found::Object(self.begin),
                    };
                    return (at, Some(found));
                }
                Inside::Broken(reason) => {
                    self.discard();
                    return (at, Some(Found::Broken(self.begin, reason)));
                }
            }
        }
        if self.is_open() {
            self.copy(&bytes[from..]);
        }
        (bytes.len(), None)
    }

    /// Reads a text as far as its end, or the line's. Returns how many bytes that took.
    fn read_text(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if self.escaped && !bytes.is_empty() && bytes[0] != b'\n' {
            self.escaped = false;
            at = 1;
        }
        while let Some(i) = memchr3(b'"', b'\\', b'\n', &bytes[at..]) {
            at += i;
            match bytes[at] {
                b'"' => {
                    self.in_text = false;
                    return at + 1;
                }
                b'\n' => return at,
                _ if at + 1 == bytes.len() || bytes[at + 1] == b'\n' => {
                    self.escaped = at + 1 == bytes.len();
                    return at + 1;
                }
                _ => at += 2,
            }
        }
        bytes.len()
    }

    /// Reads a byte that is in no object, and no white space.
    fn between(&mut self, byte: u8) {
        if self.is_passing() {
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.open.push(byte),
                b'}' if self.open.is_empty() => _ = self.around.pop(),
                b'}' | b']' => _ = self.open.pop(),
                _ => {}
            }
            return;
        }
        let in_list = self.around.last() == Some(&Around::List);
        let before = std::mem::replace(&mut self.last, byte);
        match byte {
            b'{' => {
                self.text.clear();
                (self.stray, self.begin) = (None, self.line + 1);
                (self.is_long, self.at_margin) = (false, false);
                self.open.push(byte);
            }
            b'[' if self.stray.is_none() && self.around.len() < AROUND_MAX => self.around.push(Around::List),
            b']' if in_list && self.stray.is_none() => _ = self.around.pop(),
            b',' if self.stray.is_none() => {}
            _ => {
                // The bracket began no list, but "[INFO]".
                if in_list && before == b'[' && self.stray.is_none() {
                    self.around.pop();
                }
                self.stray.get_or_insert(self.line + 1);
            }
        }
    }

    /// Returns whether an object that begins here, at a margin, can't be part of the one that is
    /// being read.
    fn is_misplaced(&self) -> bool {
        let in_object = self.open.last() == Some(&b'{');
        self.at_margin && !(self.last == b':' || self.last == b'[' || (self.last == b',' && !in_object))
    }

    /// Reads a byte of an object, outside its texts and no white space. `text` is the part of the
    /// object that has not been copied.
    fn inside(&mut self, byte: u8, text: &[u8]) -> Inside {
        let before = std::mem::replace(&mut self.last, byte);
        self.at_margin = false;
        match byte {
            b'"' => self.in_text = true,
            b'[' if before == b':' && self.open.len() == 1 && self.holds_list(text) => {
                self.open.clear();
                self.around.extend([Around::Object, Around::List]);
                return Inside::List;
            }
            b'{' | b'[' if self.open.len() == DEPTH_MAX => {
                return Inside::Broken("an object has more than 200 levels");
            }
            b'{' | b'[' => self.open.push(byte),
            b'}' | b']' => {
                let opened = if byte == b'}' { b'{' } else { b'[' };
                if self.open.pop() != Some(opened) {
                    return Inside::Broken("brackets do not match");
                }
                if self.open.is_empty() {
                    return Inside::Over;
                }
            }
            _ => {}
        }
        Inside::More
    }

    /// Returns whether the object so far ends in the name of a list of records.
    fn holds_list(&self, text: &[u8]) -> bool {
        if self.around.contains(&Around::Object) || self.around.len() + 2 > AROUND_MAX {
            return false;
        }
        // Enough for a name and some white space.
        let tail = |text: &[u8]| text[text.len().saturating_sub(100)..].to_vec();
        let both = [tail(&self.text), tail(text)].concat();
        let name = both.trim_ascii_end().strip_suffix(b"[").unwrap_or_default().trim_ascii_end();
        let name = name.strip_suffix(b":").unwrap_or_default().trim_ascii_end();
        LISTS.iter().any(|list| name.ends_with(list))
    }

    fn copy(&mut self, text: &[u8]) {
        if self.text.len() + text.len() > LEN_MAX {
            self.is_long = true;
        }
        if !self.is_long {
            self.text.extend_from_slice(text);
        }
    }

    /// Forgets the object that is being read. The next byte is between objects.
    fn discard(&mut self) {
        self.text.clear();
        self.open.clear();
        (self.in_text, self.escaped) = (false, false);
    }

    /// Returns what is left at the end of the file.
    fn finish(&mut self) -> Option<Found> {
        if self.is_open() {
            self.discard();
            return Some(Found::Broken(self.begin, "the file ends in the middle of an object"));
        }
        if let Some(line) = self.stray.take() {
            return Some(Found::Broken(line, "there is no JSON object on this line"));
        }
        let is_cut = !self.around.is_empty();
        self.around.clear();
        self.discard();
        is_cut.then_some(Found::Broken(self.line + 1, "the file ends in the middle of a list"))
    }
}

/// The meaning of a byte of an object.
enum Inside {
    More,
    /// The object holds a list of records, which begins here.
    List,
    Over,
    Broken(&'static str),
}
