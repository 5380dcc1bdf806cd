//! A column: what every partition had in a span of seconds that is over.

use crate::columns::rows::{Had, Rows};
use anyhow::Result;
use hotpart::{Detector, HotPartition, Operation};

/// A span that is over.
#[derive(Debug)]
pub struct Column {
    /// Its first second.
    pub first: u64,
    /// How many seconds it has.
    pub seconds: u64,
    /// By operation, all partitions, those with the most demand first. None if there are rows. In
    /// bounded memory, only those that are counted by themselves.
    pub hottest: [Vec<HotPartition>; 2],
    /// All partitions, in no order: see [`Columns::unlisted`](super::Columns::unlisted). None in
    /// bounded memory.
    pub rows: Rows,
    /// By operation, the sum of all others, with what the listed ones may have carried. Where
    /// memory is bounded, of accesses alone: nothing adds up what exchanges had.
    pub rest: [u64; 2],
    /// Partitions that reached a threshold, and for which there was no room.
    pub kept_out: Vec<KeptOut>,
    /// Warnings of more such partitions than are kept.
    pub left_out: u64,
    /// The bytes in which the library counts.
    pub library_bytes: u64,
    pub(super) is_bounded: bool,
}

/// A partition for which bounded memory had no room when it was hot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptOut {
    pub table: Vec<u8>,
    pub pk: Vec<u8>,
    pub operation: Operation,
    /// The most that it may have had in the column.
    pub most: u64,
}

impl Column {
    /// Calls `see` with what each partition had of an operation, whether it is listed or in a row.
    pub fn each<'a>(&'a self, operation: Operation, see: impl FnMut(Had<'a>) -> Result<()>) -> Result<()> {
        self.hottest[operation as usize]
            .iter()
            .map(Had::from)
            .chain(self.rows.of(operation))
            .try_for_each(see)
    }

    /// Returns the first of the fullest seconds of a partition. To be asked before the next column.
    pub fn fullest_second(&self, detector: &Detector, hot: &Had<'_>) -> Result<u64> {
        let end = self.first + self.seconds;
        let last = self.last_that_is_over();
        let fullest = detector.fullest_second(hot.table, hot.pk, hot.operation, self.first..last)?;
        Ok(match fullest {
            Some((second, count)) if count >= hot.peak => second,
            _ => end - 1,
        })
    }

    /// Returns each second in which a partition had something, and its count. As late as the above.
    pub fn seconds_of(&self, detector: &Detector, hot: &Had<'_>) -> Result<Vec<(u64, u64)>> {
        let mut seconds = Vec::new();
        for second in self.first..self.last_that_is_over() {
            let own = second..second + 1;
            seconds.extend(detector.fullest_second(hot.table, hot.pk, hot.operation, own)?);
        }
        let sum = seconds.iter().map(|(_, count)| count).sum();
        if hot.count > sum {
            seconds.push((self.first + self.seconds - 1, hot.count - sum));
        }
        Ok(seconds)
    }

    /// Returns the bytes that it holds, with those of the partitions for which there was no room.
    pub fn bytes(&self) -> u64 {
        let listed = self.hottest.iter().map(|listed| listed.capacity() * size_of::<HotPartition>());
        let names = self.hottest.iter().flatten().map(|hot| hot.table.capacity() + hot.pk.capacity());
        let kept_out = self.kept_out.capacity() * size_of::<KeptOut>();
        let their_names =
            self.kept_out.iter().map(|of| of.table.capacity() + of.pk.capacity()).sum::<usize>();
        (listed.sum::<usize>() + names.sum::<usize>() + self.rows.bytes() + 2 * kept_out + their_names) as u64
    }

    /// Returns the last second that is over: where memory is bounded, not yet the column's last.
    fn last_that_is_over(&self) -> u64 {
        self.first + self.seconds - u64::from(self.is_bounded)
    }
}
