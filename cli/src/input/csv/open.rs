//! An open quote: how far lines have been looked at that are in one.
//!
//! Where a quote is not closed, the next record begins on the line after its own, and may have an
//! open quote too. At the end of its first line it then is where the one before was there, and goes
//! the same way: to the last line that was looked at, at once.

/// Facts about the lines that were looked at last.
#[derive(Debug, Default)]
pub struct Open {
    last: Line,
}

/// A line that begins in an open quote.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line {
    /// Where it begins.
    pub place: u64,
    /// Its number.
    pub line: u64,
    /// Whether something follows a quote on it that closes the field. If not, it has not been
    /// looked at.
    pub is_stray: bool,
}

impl Open {
    /// A line that begins here is in an open quote.
    pub fn see(&mut self, place: u64, line: u64) {
        if place > self.last.place {
            self.last = Line { place, line, is_stray: false };
        }
    }

    /// Returns the last of them. Between the one that was seen now and this all are in that quote.
    pub fn last(&self) -> Line {
        self.last
    }

    /// Something follows a quote on the last of them that closes the field.
    pub fn is_stray(&mut self) {
        self.last.is_stray = true;
    }
}
