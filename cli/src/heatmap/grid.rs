//! The grid: cells of all partitions, while a log is read.
//!
//! How long the log is, and which partitions will be its hottest, is known only at its end. So
//! columns begin narrow, and every two become one whenever there are too many. And every partition
//! has cells of its own, until there are too many of those. Then the partitions that were coldest
//! so far give theirs to the bands, where many partitions share a row.

use crate::heatmap::cell::{Cell, Series};
use crate::heatmap::judge::Warned;
use hotpart::Operation;
use std::collections::HashMap;

/// The seconds of a column, to begin with.
pub const NARROWEST: u32 = 5;
/// The most columns: if there are more, every two are joined.
const COLUMNS: u32 = 400;
/// The rows of partitions that have none of their own.
pub const BANDS: usize = 20;
/// The most cells of partitions, unless memory is bounded.
const CELLS: usize = 4_000_000;
/// The bytes that a cell takes, with room for more.
const CELL_BYTES: usize = 64;
/// The bytes that a partition takes besides its name and its cells, with room for more.
const TRACK_BYTES: usize = 160;
/// When there are too many cells, the partitions that keep theirs, as a multiple of the rows that
/// are shown.
const KEPT: usize = 8;
/// The most warnings of a partition that are kept one by one.
const WARNINGS: usize = 500;

/// One partition, for one operation.
#[derive(Debug, Default)]
pub struct Track {
    pub series: Series,
    pub warnings: Vec<Warned>,
}

/// One table and operation.
#[derive(Debug, Default)]
pub struct Pair {
    pub tracks: HashMap<Vec<u8>, Track>,
    /// The cells that partitions gave up.
    pub bands: Vec<Series>,
}

impl Pair {
    /// Moves the cells of the coldest partitions to the bands. Returns how many cells are left.
    fn fold(&mut self, kept: usize) -> usize {
        self.bands.resize(BANDS, Series::default());
        let mut tracks: Vec<_> = self.tracks.drain().collect();
        tracks.sort_by_cached_key(|(_, track)| std::cmp::Reverse(track.series.total().heat()));
        for (pk, track) in tracks.split_off(kept.min(tracks.len())) {
            self.bands[band(&pk)].join(&track.series);
        }
        self.tracks.extend(tracks);
        self.tracks.values().map(|track| track.series.cells().len()).sum()
    }
}

/// Cells of all tables.
#[derive(Debug)]
pub struct Grid {
    /// Seconds of a column.
    pub width: u32,
    /// The first and the last second that had something.
    pub span: Option<(u64, u64)>,
    /// By table, its operations.
    pub tables: HashMap<Vec<u8>, [Pair; 2]>,
    rows: usize,
    /// Cells that partitions have of their own, and how many they may have.
    cells: usize,
    most: usize,
    /// The bytes of partitions without their cells.
    names: usize,
}

impl Grid {
    /// Makes a grid. `rows` is the number of partitions that will be shown by name, and `memory`,
    /// in bytes, the bound if there is one.
    pub fn new(rows: usize, memory: Option<u64>) -> Self {
        let bounded = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX) / CELL_BYTES;
        let most = memory.map_or(CELLS, bounded).min(CELLS);
        Self { width: NARROWEST, span: None, tables: HashMap::new(), rows, cells: 0, most, names: 0 }
    }

    /// Returns the column of a second.
    pub fn column(&self, second: u64) -> u32 {
        // A detector's clock ends before seconds need more bits.
        u32::try_from(second / u64::from(self.width)).unwrap_or(u32::MAX)
    }

    /// Notes that a second had something. Columns are joined if there are too many then.
    pub fn see(&mut self, second: u64) {
        let (first, last) = self.span.unwrap_or((second, second));
        let (first, last) = (first.min(second), last.max(second));
        self.span = Some((first, last));
        self.widen(Self::width_of((first, last)));
    }

    /// Returns the width that the columns of a span must have.
    pub fn width_of((first, last): (u64, u64)) -> u32 {
        let mut width = NARROWEST;
        while last / u64::from(width) - first / u64::from(width) >= u64::from(COLUMNS) {
            width *= 2;
        }
        width
    }

    /// Joins columns until they have this width.
    fn widen(&mut self, width: u32) {
        while self.width < width {
            self.width *= 2;
            let pairs = self.tables.values_mut().flatten();
            pairs.for_each(|pair| {
                pair.tracks.values_mut().for_each(|track| track.series.halve());
                pair.bands.iter_mut().for_each(Series::halve);
            });
            self.count_cells();
        }
    }

    fn count_cells(&mut self) {
        self.cells = self.tables.values().flatten().flat_map(|pair| pair.tracks.values()).map(own).sum();
    }

    /// Adds the cells of the same partitions in other seconds.
    pub fn join(&mut self, mut other: Self) {
        let Some((first, last)) = other.span else { return };
        [first, last].into_iter().for_each(|second| self.see(second));
        self.widen(other.width);
        other.widen(self.width);
        for (table, pairs) in other.tables {
            for (operation, pair) in Operation::ALL.into_iter().zip(pairs) {
                for (pk, Track { series, warnings }) in pair.tracks {
                    let track = self.track(&table, &pk, operation);
                    track.series.extend(&series);
                    let room = WARNINGS - track.warnings.len();
                    track.warnings.extend(warnings.into_iter().take(room));
                }
                if pair.bands.is_empty() {
                    continue;
                }
                let own = self.pair(&table, operation);
                own.bands.resize(BANDS, Series::default());
                own.bands.iter_mut().zip(&pair.bands).for_each(|(own, band)| own.extend(band));
            }
        }
        self.count_cells();
        self.fold();
    }

    /// Raises cells to the fullest second and the greatest share, by operation, that a partition
    /// may have had where it was not counted by itself.
    pub fn allow_for(&mut self, unknown: [(u64, u32); 2]) {
        for pairs in self.tables.values_mut() {
            for (pair, (second, permille)) in pairs.iter_mut().zip(unknown) {
                let own = pair.tracks.values_mut().map(|track| &mut track.series);
                own.chain(&mut pair.bands).for_each(|series| series.allow_for(second, permille));
            }
        }
    }

    /// Returns about how many bytes it holds.
    pub fn bytes(&self) -> u64 {
        (self.cells * CELL_BYTES + self.names) as u64
    }

    /// Adds to the cell of a partition.
    pub fn add(&mut self, table: &[u8], pk: &[u8], operation: Operation, second: u64, cell: &Cell) {
        let column = self.column(second);
        let track = self.track(table, pk, operation);
        let (at, is_new) = track.series.cell(column);
        at.extend(&Cell { partitions: 1, ..*cell });
        self.cells += usize::from(is_new);
        self.fold();
    }

    /// Has the coldest partitions give up their cells, if there are too many.
    fn fold(&mut self) {
        if self.cells > self.most {
            let pairs = self.tables.len() * 2;
            let room = self.most / (2 * COLUMNS as usize * pairs);
            let kept = room.clamp(1, self.rows * KEPT);
            self.cells = self.tables.values_mut().flatten().map(|pair| pair.fold(kept)).sum();
            // Otherwise it would be needed again for every cell from now on.
            self.most = self.most.max(self.cells * 2);
            let of = |pair: &Pair| pair.tracks.keys().map(|pk| TRACK_BYTES + pk.len()).sum::<usize>();
            self.names = self.tables.values().flatten().map(of).sum();
        }
    }

    /// Marks a warning.
    pub fn warn(&mut self, warned: Warned) {
        let Warned { time_ms, permille, .. } = warned;
        let cell = Cell { warnings: 1, permille, ..Cell::default() };
        let (table, pk, operation) = (warned.table.clone(), warned.pk.clone(), warned.operation);
        self.add(&table, &pk, operation, time_ms / 1_000, &cell);
        let warnings = &mut self.track(&table, &pk, operation).warnings;
        if warnings.len() < WARNINGS {
            warnings.push(warned);
        }
    }

    fn pair(&mut self, table: &[u8], operation: Operation) -> &mut Pair {
        if !self.tables.contains_key(table) {
            self.tables.insert(table.into(), Default::default());
        }
        &mut self.tables.get_mut(table).expect("it was there, or is now")[operation as usize]
    }

    fn track(&mut self, table: &[u8], pk: &[u8], operation: Operation) -> &mut Track {
        if !self.pair(table, operation).tracks.contains_key(pk) {
            self.names += TRACK_BYTES + pk.len();
            self.pair(table, operation).tracks.insert(pk.into(), Track::default());
        }
        self.pair(table, operation).tracks.get_mut(pk).expect("it was there, or is now")
    }
}

fn own(track: &Track) -> usize {
    track.series.cells().len()
}

/// Returns the band of a key, by a hash that is the same in every run.
pub fn band(pk: &[u8]) -> usize {
    // FNV-1a, whose bits short keys mix badly; then the last steps of MurmurHash3.
    let fnv = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3);
    let mut hash = pk.iter().fold(0xCBF2_9CE4_8422_2325, fnv);
    for factor in [0xFF51_AFD7_ED55_8CCD, 0xC4CE_B9FE_1A85_EC53] {
        hash = (hash ^ hash >> 33).wrapping_mul(factor);
    }
    (hash >> 32) as usize % BANDS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(seconds: &[(u64, &[u8], u64)]) -> Grid {
        let mut grid = Grid::new(1, None);
        for &(second, pk, count) in seconds {
            grid.see(second);
            let cell = Cell { count, peak: count, permille: count as u32, ..Cell::default() };
            grid.add(b"table", pk, Operation::Read, second, &cell);
        }
        grid
    }

    fn cells(grid: &Grid, pk: &[u8]) -> Vec<(u32, u64)> {
        let cells = grid.tables[&b"table"[..]][Operation::Read as usize].tracks[pk].series.cells();
        cells.iter().map(|(column, cell)| (*column, cell.count)).collect()
    }

    #[test]
    fn columns_are_joined_when_the_log_gets_longer() {
        let hour = grid(&[(3_600, b"a", 1), (3_605, b"a", 2), (3_615, b"a", 4), (7_199, b"a", 8)]);
        assert_eq!((hour.width, hour.span), (10, Some((3_600, 7_199))));
        assert_eq!(cells(&hour, b"a"), [(360, 3), (361, 4), (719, 8)]);
        assert_eq!(hour.cells, 3);
        let minutes = grid(&[(3_600, b"a", 1), (3_800, b"a", 2)]);
        assert_eq!((minutes.width, cells(&minutes, b"a")), (5, vec![(720, 1), (760, 2)]));
    }

    #[test]
    fn bands_are_of_much_the_same_size() {
        let mut sizes = [0; BANDS];
        (0..10_000).for_each(|key| sizes[band(format!("CUSTOMER#{key}").as_bytes())] += 1);
        assert!(sizes.iter().all(|size| (400..600).contains(size)), "{sizes:?}");
    }

    #[test]
    fn the_coldest_give_their_cells_to_the_bands() {
        let mut grid = grid(&[(1, b"hot", 9), (1, b"warm", 5), (2, b"cold", 1)]);
        let pair = &mut grid.tables.get_mut(&b"table"[..]).expect("it is there")[Operation::Read as usize];
        assert_eq!(pair.fold(2), 2);
        assert!(pair.tracks.contains_key(&b"warm"[..]) && !pair.tracks.contains_key(&b"cold"[..]));
        let total: Vec<_> = pair.bands.iter().map(|band| band.total().count).collect();
        assert_eq!((total.iter().sum::<u64>(), total[band(b"cold")]), (1, 1));
    }
}
