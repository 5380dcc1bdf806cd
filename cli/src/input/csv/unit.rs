//! The unit of a file's times: milliseconds, but seconds where milliseconds are hardly meant.

use crate::input::parse::Out;

/// The unit of a file's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Seconds,
}

impl Unit {
    /// The years 2012, when DynamoDB began, to 2099, in seconds since 1970. As milliseconds that
    /// would be within seven weeks of 1970, where a log's own clock may get, but none begins.
    const SECONDS: std::ops::Range<u64> = 1_325_376_000..4_102_444_800;
    /// Seconds reach this in the year 5138, milliseconds were there in 1973.
    const MILLISECONDS_LEAST: u64 = 100_000_000_000;

    /// Tells the unit by a file's first time. Tells the user too, if it is seconds.
    pub fn told(first: u64, out: &mut Out<'_>) -> Self {
        if !Self::SECONDS.contains(&first) {
            return Self::Milliseconds;
        }
        out.note("its times are taken for seconds since 1970: as milliseconds they would be of the first weeks of 1970");
        Self::Seconds
    }

    /// Returns a time of the file in milliseconds.
    #[inline]
    pub fn in_ms(self, time: u64) -> u64 {
        match self {
            Self::Seconds if time < Self::MILLISECONDS_LEAST => time * 1_000,
            _ => time,
        }
    }
}
