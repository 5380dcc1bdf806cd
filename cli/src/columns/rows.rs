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

/// Rows, in no order. Logs have millions of them, so they are small.
#[derive(Debug, Default)]
pub struct Rows {
    by_operation: [Vec<Row>; 2],
    text: Vec<u8>,
    /// Throttles of the few that had any.
    throttles: Vec<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    text: usize,
    table_len: u16,
    pk_len: u16,
    /// The place of its throttles, counted from 1; 0: it has none.
    throttles: u32,
    count: u64,
    peak: u64,
}

impl Rows {
    pub fn push(&mut self, of: &ClosedCounts<'_>) {
        let text = self.text.len();
        self.text.extend_from_slice(of.table);
        self.text.extend_from_slice(of.pk);
        // The library takes no name that is longer.
        let (table_len, pk_len) = (of.table.len() as u16, of.pk.len() as u16);
        for (i, rows) in self.by_operation.iter_mut().enumerate() {
            let (count, peak, throttled) = (of.counts[i], of.peaks[i], of.throttles[i]);
            if count + throttled == 0 {
                continue;
            }
            let mut throttles = 0;
            if throttled > 0 {
                self.throttles.push(throttled);
                throttles = self.throttles.len() as u32;
            }
            rows.push(Row { text, table_len, pk_len, throttles, count, peak });
        }
    }

    pub fn clear(&mut self) {
        self.by_operation.iter_mut().for_each(Vec::clear);
        self.text.clear();
        self.throttles.clear();
    }

    /// Returns the bytes that the rows hold.
    pub fn bytes(&self) -> usize {
        let rows = self.by_operation.iter().map(|rows| rows.capacity() * size_of::<Row>()).sum::<usize>();
        rows + self.text.capacity() + self.throttles.capacity() * size_of::<u64>()
    }

    /// Returns what the partitions had of one operation, without those that had nothing.
    pub fn of(&self, operation: Operation) -> impl Iterator<Item = Had<'_>> {
        self.by_operation[operation as usize].iter().map(move |row| {
            let Row { text, table_len, pk_len, throttles, count, peak } = *row;
            let (table_len, pk_len) = (usize::from(table_len), usize::from(pk_len));
            let (table, pk) = self.text[text..][..table_len + pk_len].split_at(table_len);
            let throttles = if throttles == 0 { 0 } else { self.throttles[throttles as usize - 1] };
            Had { table, pk, operation, count, peak, throttles, carried: 0 }
        })
    }
}
