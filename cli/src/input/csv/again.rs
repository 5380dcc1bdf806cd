//! A reader to which bytes can be given back, to be read again.

use std::io::{BufRead, Read};

/// Reads what was put back, and then on.
pub struct Again<R> {
    inner: R,
    back: Vec<u8>,
    /// The number of these bytes that have been read.
    at: usize,
}

impl<R: BufRead> Again<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, back: Vec::new(), at: 0 }
    }

    /// Puts a text before everything that is still to be read.
    pub fn put_back(&mut self, text: &[u8]) {
        self.back.drain(..std::mem::take(&mut self.at));
        self.back.splice(..0, text.iter().copied());
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
        if self.at < self.back.len() { Ok(&self.back[self.at..]) } else { self.inner.fill_buf() }
    }

    #[inline]
    fn consume(&mut self, n: usize) {
        if self.at < self.back.len() { self.at += n } else { self.inner.consume(n) }
    }
}
