//! DynamoDB's capacity units, and how many of them an operation takes.
//!
//! The rules are those of the AWS developer guide, "DynamoDB read and write operations". A size
//! that only the request tells gives a lower bound. An update is charged by the larger of the item
//! before and the item after it, which only the response's `ConsumedCapacity` knows.
//!
//! | operation | is charged for each | units |
//! |---|---|---|
//! | write | 1,024 bytes begun | 1, or 2 in a transaction |
//! | read, eventually consistent | 4,096 bytes begun | 0.5 |
//! | read, strongly consistent | 4,096 bytes begun | 1 |
//! | read in a transaction | 4,096 bytes begun | 2 |

use std::fmt;
use std::ops::{Add, AddAssign};

/// An amount of capacity, exact to the half unit. Sums and products saturate.
///
/// ```
/// use hotpart::units::{Consistency, Units, read_units, write_units};
/// assert_eq!(write_units(100_000, false), Units::whole(98));
/// assert_eq!(read_units(1_000, Consistency::Eventual).to_string(), "0.5");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Units {
    halves: u64,
}

/// The consistency of a read, which decides its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Consistency {
    /// The read may miss the latest writes, at half the price.
    Eventual,
    /// The read sees all writes before it.
    Strong,
    /// The read is part of a transaction, at twice the price.
    Transactional,
}

/// The bytes that one write unit writes.
const WRITE_SIZE: u64 = 1_024;
/// The bytes that one read unit reads.
const READ_SIZE: u64 = 4_096;

impl Units {
    /// Makes an amount of `halves` half units, the measure of every amount in capacity mode.
    pub const fn from_halves(halves: u64) -> Self {
        Self { halves }
    }

    /// Makes an amount of `units` whole units.
    pub const fn whole(units: u64) -> Self {
        Self { halves: units.saturating_mul(2) }
    }

    /// Returns the amount in half units.
    pub const fn halves(self) -> u64 {
        self.halves
    }

    /// Returns `n` times the amount.
    #[must_use]
    pub const fn times(self, n: u64) -> Self {
        Self { halves: self.halves.saturating_mul(n) }
    }
}

impl Add for Units {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { halves: self.halves.saturating_add(other.halves) }
    }
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Units {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Self::add)
    }
}

/// Displays the amount in units: "12" or "12.5".
impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.halves / 2, if self.halves.is_multiple_of(2) { "" } else { ".5" })
    }
}

/// Returns the units that it takes to write an item of `bytes`. An empty item counts as one byte.
pub const fn write_units(bytes: u64, transactional: bool) -> Units {
    let units = Units::whole(at_least_one(bytes.div_ceil(WRITE_SIZE)));
    if transactional { units.times(2) } else { units }
}

/// Returns the units that it takes to read `bytes`: those of an item, or of all items that a page
/// of a query found. A read that finds nothing is charged as one byte.
pub const fn read_units(bytes: u64, consistency: Consistency) -> Units {
    let units = at_least_one(bytes.div_ceil(READ_SIZE));
    match consistency {
        Consistency::Eventual => Units::from_halves(units),
        Consistency::Strong => Units::whole(units),
        Consistency::Transactional => Units::whole(units).times(2),
    }
}

const fn at_least_one(units: u64) -> u64 {
    if units == 0 { 1 } else { units }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::Consistency::{Eventual, Strong, Transactional};
    use super::*;

    const KB: u64 = 1_024;

    /// "DynamoDB read and write operations", "Write operations consumption" and "provisioned
    /// capacity mode".
    #[test]
    fn writes_cost_what_the_developer_guide_says() {
        // "Write one item of the size up to 1 KB": 1, and 2 in a transaction. "If your item size is
        // 2 KB, you require two".
        assert_eq!(write_units(KB, false), Units::whole(1));
        assert_eq!(write_units(KB, true), Units::whole(2));
        assert_eq!(write_units(2 * KB, false), Units::whole(2));
        assert_eq!(write_units(2 * KB, true), Units::whole(4));
        // "Item sizes for writes are rounded up to the next 1 KB multiple: 500 bytes consumes the
        // same as 1 KB".
        assert_eq!(write_units(500, false), write_units(KB, false));
        // "3 KB ... three write request units", "6 KB" items: six.
        assert_eq!(write_units(3 * KB, false), Units::whole(3));
        assert_eq!(write_units(6 * KB, false), Units::whole(6));
    }

    /// The same, "Read operations consumption".
    #[test]
    fn reads_cost_what_the_developer_guide_says() {
        // "If your item is 8 KB": 2 strong, 1 eventual, 4 transactional.
        assert_eq!(read_units(8 * KB, Strong), Units::whole(2));
        assert_eq!(read_units(8 * KB, Eventual), Units::whole(1));
        assert_eq!(read_units(8 * KB, Transactional), Units::whole(4));
        // GetItem: "3.5 KB rounds up to 4 KB, 10 KB to 12 KB".
        assert_eq!(read_units(3_584, Strong), Units::whole(1));
        assert_eq!(read_units(10 * KB, Strong), Units::whole(3));
        // BatchGetItem: "1.5 KB and 6.5 KB are 4 + 8 KB = 12 KB, not the 8 KB that their sum is".
        let items = [1_536, 6_656].map(|bytes| read_units(bytes, Strong));
        assert_eq!(items.into_iter().sum::<Units>(), Units::whole(3));
        // Query: "10 items of a combined size of 40.8 KB": rounded up to 44 KB.
        assert_eq!(read_units(40 * KB + 820, Strong), Units::whole(11));
        assert_eq!(read_units(40 * KB + 820, Eventual).to_string(), "5.5");
        // "A read of an item that does not exist": 0.5 or 1, by consistency.
        assert_eq!(read_units(0, Eventual).to_string(), "0.5");
        assert_eq!(read_units(0, Strong).to_string(), "1");
    }

    #[test]
    fn every_size_is_rounded_up_and_none_wraps() {
        for bytes in 0..20_000 {
            let slow = |unit: u64| (1..).find(|n| n * unit >= bytes).unwrap_or(1);
            assert_eq!(write_units(bytes, false).halves(), 2 * slow(KB));
            assert_eq!(read_units(bytes, Eventual).halves(), slow(4 * KB));
        }
        assert_eq!(read_units(u64::MAX, Transactional).halves(), (u64::MAX / (4 * KB) + 1) * 4);
        assert_eq!(Units::whole(u64::MAX) + Units::whole(1), Units::from_halves(u64::MAX));
    }
}
