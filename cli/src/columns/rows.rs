//! Rows: what each partition had in a span, one after another, in one buffer for all names.

use hotpart::{ClosedCounts, HotPartition, Operation};

/// A partition's share of a column, of one operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Had<'a> {
    pub table: &'a [u8],
    pub pk: &'a [u8],
    pub operation: Operation,
    pub count: u64,
    /// The count of the fullest second.
    pub peak: u64,
    pub throttles: u64,
    /// The most of the count, and of the fullest second, that may be other partitions'.
    pub carried: u64,
}

impl<'a> From<&'a HotPartition> for Had<'a> {
    fn from(hot: &'a HotPartition) -> Self {
        let HotPartition { table, pk, operation, count, peak, throttles, carried, .. } = hot;
        let (operation, count, peak, throttles) = (*operation, *count, *peak, *throttles);
        Self { table, pk, operation, count, peak, throttles, carried: *carried.min(&count) }
    }
}

/// Rows, in no order.
#[derive(Debug, Default)]
pub struct Rows {
    rows: Vec<Row>,
    text: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    text: usize,
    table_len: u32,
    pk_len: u32,
    counts: [u64; 2],
    peaks: [u64; 2],
    throttles: [u64; 2],
}

impl Rows {
    pub fn push(&mut self, of: &ClosedCounts<'_>) {
        let ClosedCounts { table, pk, counts, peaks, throttles, .. } = *of;
        let text = self.text.len();
        self.text.extend_from_slice(table);
        self.text.extend_from_slice(pk);
        // The library takes no name that is longer.
        let (table_len, pk_len) = (table.len() as u32, pk.len() as u32);
        self.rows.push(Row { text, table_len, pk_len, counts, peaks, throttles });
    }

    pub fn clear(&mut self) {
        self.rows.clear();
        self.text.clear();
    }

    /// Returns the bytes that the rows hold.
    pub fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>() + self.text.capacity()
    }

    /// Returns what the partitions had of one operation, without those that had nothing.
    pub fn of(&self, operation: Operation) -> impl Iterator<Item = Had<'_>> {
        let i = operation as usize;
        self.rows.iter().filter(move |row| row.counts[i] + row.throttles[i] > 0).map(move |row| {
            let text = &self.text[row.text..][..(row.table_len + row.pk_len) as usize];
            let (table, pk) = text.split_at(row.table_len as usize);
            let (count, peak, throttles) = (row.counts[i], row.peaks[i], row.throttles[i]);
            Had { table, pk, operation, count, peak, throttles, carried: 0 }
        })
    }
}
