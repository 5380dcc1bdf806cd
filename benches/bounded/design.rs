//! Designs: in which way a detector keeps its memory in bounds.

use hotpart::Builder;

/// The share of a threshold from which a partition is counted exactly, in thousandths: the
/// library's default.
const PROMOTE_PERMILLE: u64 = 250;
const PROMOTION_MAX: u64 = 32_768;

#[derive(Clone, Copy)]
pub enum Design {
    /// An exact table without a bound.
    Exact,
    /// An exact table of so many partitions, of which the quietest make room.
    Bound(u64),
    /// A filter of so many bytes. It is said to fit its traffic, or to be too small for it.
    Filter { bytes: u64, fits: bool },
}

impl Design {
    /// A filter that is to fit.
    pub const fn filter(bytes: u64) -> Self {
        Self::Filter { bytes, fits: true }
    }

    /// A filter that is too small: it still misses nothing.
    pub const fn small(bytes: u64) -> Self {
        Self::Filter { bytes, fits: false }
    }

    /// Filters of 64 KiB to 64 MiB, of which nobody says that they fit.
    pub fn sizes() -> Vec<Self> {
        (16..=26).map(|bits| Self::small(1 << bits)).collect()
    }

    pub fn apply(self, builder: Builder) -> Builder {
        match self {
            Self::Exact => builder,
            Self::Bound(partitions) => builder.max_partitions(partitions),
            Self::Filter { bytes, .. } => builder.memory(bytes),
        }
    }

    pub fn is_filter(self) -> bool {
        matches!(self, Self::Filter { .. })
    }
}

/// The count from which a partition is counted exactly.
pub fn promotion(threshold: u64) -> u64 {
    (threshold * PROMOTE_PERMILLE / 1_000).clamp(1, PROMOTION_MAX)
}
