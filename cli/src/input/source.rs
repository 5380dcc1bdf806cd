//! A source of bytes: a file or standard input, as it is or compressed.

use crate::input::gzip::{Gzip, cut_off};
use anyhow::{Result, bail};
use std::fs::File;
use std::io::{BufRead, BufReader, Chain, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The bytes by which a format is told.
const HEAD: u64 = 64 * 1024;
const BUFFER: usize = 256 * 1024;

/// The number of bytes of the files that have been read, as they are on disk.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    pub fn bytes(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Counts what is read through it.
struct Counted<R> {
    inner: R,
    progress: Progress,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(into)?;
        self.progress.0.fetch_add(n as u64, Relaxed);
        Ok(n)
    }
}

type Bytes = Box<dyn Read + Send>;

/// Reads what frames of zstd have.
struct Zstd<R: BufRead>(zstd::Decoder<'static, R>);

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(into).map_err(|error| match &*error.to_string() {
            // As the first begins well, so it says of what comes after one.
            "Unknown frame descriptor" => std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "something that is not compressed by zstd follows what is",
            ),
            _ => cut_off(error),
        })
    }
}

/// Returns the name by which a file is told.
pub fn name(path: &Path) -> String {
    if path == Path::new("-") { "standard input".into() } else { path.display().to_string() }
}

/// Reads a file's content, decompressed.
pub struct Source {
    reader: BufReader<Chain<Cursor<Vec<u8>>, Bytes>>,
}

impl Source {
    /// Opens a file; `-` is standard input.
    pub fn open(path: &Path, progress: &Progress) -> Result<Self> {
        let file: Bytes = match path.to_str() {
            Some("-") => Box::new(std::io::stdin()),
            _ if path.is_dir() => bail!("is a folder: name its files"),
            _ => Box::new(File::open(path)?),
        };
        Self::new(Box::new(Counted { inner: file, progress: progress.clone() }))
    }

    /// Reads bytes that may be compressed by gzip or zstd.
    pub fn new(mut bytes: Bytes) -> Result<Self> {
        let mut magic = Vec::new();
        bytes.by_ref().take(4).read_to_end(&mut magic)?;
        let all = Cursor::new(magic.clone()).chain(bytes);
        let content: Bytes = match magic[..] {
            [0x1f, 0x8b, ..] => Box::new(Gzip::new(BufReader::with_capacity(BUFFER, all))),
            // Its frames, the first of which some programs have skipped.
            [0x28, 0xb5, 0x2f, 0xfd] | [0x50..=0x5f, 0x2a, 0x4d, 0x18] => {
                Box::new(Zstd(zstd::Decoder::with_buffer(BufReader::with_capacity(BUFFER, all))?))
            }
            _ => Box::new(all),
        };
        Ok(Self { reader: BufReader::with_capacity(BUFFER, Cursor::new(Vec::new()).chain(content)) })
    }

    /// Returns the bytes with which the content begins: all of it, or enough to tell its format.
    /// Must be called before anything is read.
    pub fn head(&mut self) -> Result<&[u8]> {
        let (_, content) = self.reader.get_mut().get_mut();
        let mut head = Vec::new();
        content.by_ref().take(HEAD).read_to_end(&mut head)?;
        let (begin, _) = self.reader.get_mut().get_mut();
        *begin = Cursor::new(head);
        Ok(begin.get_ref())
    }
}

impl Read for Source {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.reader.read(into)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.reader.consume(n);
    }
}
