//! gzip: its members, one after another, and what may follow the last of them.
//!
//! Tapes, and programs that write whole blocks, leave zeros behind it, which mean nothing. Anything
//! else may be a part of the log.

use flate2::bufread::GzDecoder;
use std::io::{BufRead, Error, ErrorKind, Read};

/// The first byte of a member.
const MAGIC: u8 = 0x1f;

/// Reads what the members have.
pub struct Gzip<R> {
    /// `None`: they are over, or an error has been told.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Gzip<R> {
    pub fn new(reader: R) -> Self {
        Self { member: Some(GzDecoder::new(reader)) }
    }
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while let Some(member) = &mut self.member {
            let n = member.read(into).map_err(cut_off)?;
            if n > 0 || into.is_empty() {
                return Ok(n);
            }
            self.member =
                self.member.take().and_then(|over| next(over.into_inner()).transpose()).transpose()?;
        }
        Ok(0)
    }
}

/// Says in plain words that a compressed file ends before its content does.
pub fn cut_off(error: Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof => {
            Error::new(ErrorKind::UnexpectedEof, "the compressed file ends early: it may be cut off")
        }
        _ => error,
    }
}

/// Returns the next member, if there is one.
fn next<R: BufRead>(mut reader: R) -> std::io::Result<Option<GzDecoder<R>>> {
    loop {
        let bytes = reader.fill_buf()?;
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        match bytes.get(zeros) {
            Some(&MAGIC) => {
                reader.consume(zeros);
                return Ok(Some(GzDecoder::new(reader)));
            }
            Some(_) => {
                let text = "something that is not compressed by gzip follows what is";
                return Err(Error::new(ErrorKind::InvalidData, text));
            }
            None if zeros == 0 => return Ok(None),
            None => reader.consume(zeros),
        }
    }
}
