//! A reader whose lines can be looked at before they are read.

use memchr::memchr;
use std::io::{BufRead, Read};

/// Bytes that have been read and are thrown away together.
const SPENT: usize = 64 << 10;

/// Reads what was looked at, and then on.
pub struct Again<R> {
    inner: R,
    /// Whole lines; the last one may be that of the file.
    ahead: Vec<u8>,
    /// The number of these bytes that have been read.
    at: usize,
    /// The number of bytes that were read, and thrown away, before it.
    before: u64,
}

impl<R: BufRead> Again<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, ahead: Vec::new(), at: 0, before: 0 }
    }

    /// Returns all that was looked at and has not been read.
    pub fn ahead(&self) -> &[u8] {
        &self.ahead[self.at..]
    }

    /// Returns where that begins, among all that was ever looked at.
    pub fn place(&self) -> u64 {
        self.before + self.at as u64
    }

    /// Looks at the line that begins so far on, where one has ended. Returns where it ends: there,
    /// if there is none.
    pub fn line_end(&mut self, from: usize) -> std::io::Result<usize> {
        if from < self.ahead().len() {
            let rest = &self.ahead()[from..];
            return Ok(from + memchr(b'\n', rest).map_or(rest.len(), |end| end + 1));
        }
        if self.at > SPENT && self.at > self.ahead.len() / 2 {
            self.throw_away();
        }
        Ok(from + self.inner.read_until(b'\n', &mut self.ahead)?)
    }

    fn throw_away(&mut self) {
        self.ahead.drain(..self.at);
        self.before += std::mem::take(&mut self.at) as u64;
    }
}

impl<R: BufRead> Read for Again<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.fill_buf()?.read(into)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Again<R> {
    #[inline]
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.at < self.ahead.len() { Ok(&self.ahead[self.at..]) } else { self.inner.fill_buf() }
    }

    #[inline]
    fn consume(&mut self, n: usize) {
        if self.at == self.ahead.len() {
            return self.inner.consume(n);
        }
        self.at += n;
        if self.at == self.ahead.len() {
            self.throw_away();
        }
    }
}
