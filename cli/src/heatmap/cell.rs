//! A cell: what a partition, or a band of them, had in one column; and a series of cells.

/// The numbers of a cell: the library's, or sums and maxima of those. The default is an empty cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub count: u64,
    /// The fullest second.
    pub peak: u64,
    /// The greatest share of the limit, or of the threshold, in thousandths.
    pub permille: u32,
    pub warnings: u32,
    pub throttles: u32,
    /// The number of partitions that had something.
    pub partitions: u32,
    /// Whether bounded memory had no room to count one of its partitions. The numbers are then the
    /// most that it may have had.
    pub kept_out: bool,
}

impl Cell {
    /// Adds the cell of the same partitions in other seconds.
    pub fn extend(&mut self, later: &Self) {
        self.partitions = self.partitions.max(later.partitions);
        self.add_numbers(later);
    }

    /// Adds what other partitions had in the same seconds.
    pub fn join(&mut self, other: &Self) {
        self.partitions = self.partitions.saturating_add(other.partitions);
        self.add_numbers(other);
    }

    /// Returns the order of cells, the greatest in front: by the share; of equal shares by the
    /// fuller second, then by more in all.
    pub fn heat(&self) -> (u32, u64, u64) {
        (self.permille, self.peak, self.count)
    }

    fn add_numbers(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.peak = self.peak.max(other.peak);
        self.permille = self.permille.max(other.permille);
        self.warnings = self.warnings.saturating_add(other.warnings);
        self.throttles = self.throttles.saturating_add(other.throttles);
        self.kept_out |= other.kept_out;
    }
}

/// The cells that are not empty, by the numbers of their columns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Series {
    cells: Vec<(u32, Cell)>,
}

impl Series {
    pub fn cells(&self) -> &[(u32, Cell)] {
        &self.cells
    }

    /// Returns the cell of a column, and whether it is a new one.
    pub fn cell(&mut self, column: u32) -> (&mut Cell, bool) {
        // It is nearly always the last column, or the next.
        let at = match self.cells.last() {
            Some(&(last, _)) if last >= column => self.cells.partition_point(|&(at, _)| at < column),
            _ => self.cells.len(),
        };
        let is_new = self.cells.get(at).is_none_or(|&(there, _)| there != column);
        if is_new {
            self.cells.insert(at, (column, Cell::default()));
        }
        (&mut self.cells[at].1, is_new)
    }

    /// Raises each cell to so full a second and so great a share, which it may have had.
    pub fn allow_for(&mut self, second: u64, permille: u32) {
        for (_, cell) in &mut self.cells {
            (cell.peak, cell.permille) = (cell.peak.max(second), cell.permille.max(permille));
        }
    }

    /// Makes one column of every two.
    pub fn halve(&mut self) {
        self.cells.iter_mut().for_each(|(column, _)| *column /= 2);
        self.cells.dedup_by(|(later, cell), (column, kept)| {
            let is_same = later == column;
            if is_same {
                kept.extend(cell);
            }
            is_same
        });
    }

    /// Adds what the same partition had in other seconds.
    pub fn extend(&mut self, other: &Self) {
        for (column, cell) in &other.cells {
            self.cell(*column).0.extend(cell);
        }
    }

    /// Adds another partition's.
    pub fn join(&mut self, other: &Self) {
        for (column, cell) in &other.cells {
            self.cell(*column).0.join(cell);
        }
    }

    /// Returns all columns joined in one cell.
    pub fn total(&self) -> Cell {
        let mut total = Cell::default();
        self.cells.iter().for_each(|(_, cell)| total.extend(cell));
        total
    }

    /// Returns the first of the columns with the greatest share.
    pub fn hottest(&self) -> Option<u32> {
        let most = self.cells.iter().map(|(_, cell)| cell.permille).max()?;
        self.cells.iter().find(|(_, cell)| cell.permille == most).map(|&(column, _)| column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(count: u64, peak: u64) -> Cell {
        Cell { count, peak, permille: peak as u32, partitions: 1, ..Cell::default() }
    }

    fn series(cells: &[(u32, u64, u64)]) -> Series {
        let mut series = Series::default();
        cells.iter().for_each(|&(column, count, peak)| series.cell(column).0.extend(&cell(count, peak)));
        series
    }

    #[test]
    fn two_columns_are_one_with_both_counts_and_the_fuller_second() {
        let mut halved = series(&[(4, 10, 3), (5, 7, 5), (7, 1, 1), (2, 2, 2)]);
        halved.halve();
        assert_eq!(halved, series(&[(1, 2, 2), (2, 17, 5), (3, 1, 1)]));
        assert_eq!(halved.total(), cell(20, 5));
        assert_eq!(halved.hottest(), Some(2));
    }

    #[test]
    fn a_band_has_all_counts_and_is_as_hot_as_its_hottest() {
        let mut band = series(&[(1, 10, 3)]);
        band.join(&series(&[(1, 7, 5), (2, 1, 1)]));
        assert_eq!(band.cells(), [(1, Cell { partitions: 2, ..cell(17, 5) }), (2, cell(1, 1))]);
    }
}
