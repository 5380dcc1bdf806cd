//! The map: what is shown of a grid, once the log has been read.

use crate::feed::Measure;
use crate::heatmap::cell::{Cell, Series};
use crate::heatmap::grid::{BANDS, Grid, Pair, Track, band};
use crate::heatmap::judge::{Judge, Warned};
use crate::heatmap::label;
use crate::time::Clock;
use hotpart::Operation;
use std::cmp::Reverse;

/// The most cells in a page: past those the coldest tables show fewer rows.
const CELLS: usize = 250_000;
/// The rows of a table and operation for which there is no room.
const FEW: usize = 3;

/// Everything that is shown.
pub struct Map {
    pub title: String,
    pub clock: Clock,
    pub measure: Measure,
    /// The second in which the first column begins.
    pub from: u64,
    /// Seconds of a column.
    pub width: u32,
    pub columns: u32,
    /// The first and the last second of the log.
    pub span: (u64, u64),
    /// The tables and operations, the hottest first.
    pub panels: Vec<Panel>,
    /// Where memory was bounded, so that counts are upper bounds, by operation: the most that they
    /// lack of each of the narrowest columns in which a partition was not counted by itself.
    pub unknown: Option<[u64; 2]>,
    /// Records that are not drawn, as they are far from the others in time.
    pub strays: u64,
}

/// One table and operation.
pub struct Panel {
    pub table: String,
    pub operation: Operation,
    /// The threshold of which shares are; `None` if they are of DynamoDB's limit.
    pub threshold: Option<u64>,
    /// The number of its partitions, or the least number if cells were given up.
    pub partitions: u64,
    pub is_at_least: bool,
    pub rows: Vec<Row>,
}

/// A partition, or a band of several.
pub struct Row {
    pub name: String,
    /// The number of partitions in the band; `None` for one partition, by its name.
    pub band: Option<u64>,
    /// The cells, whose columns count from the first that is shown.
    pub series: Series,
    pub total: Cell,
    pub warnings: Vec<Warned>,
}

impl Panel {
    pub fn operation_name(&self) -> &'static str {
        match self.operation {
            Operation::Write => "writes",
            Operation::Read => "reads",
        }
    }

    /// Returns in words what 100 % is.
    pub fn whole(&self, measure: Measure) -> String {
        match self.threshold {
            Some(threshold) => format!("the threshold, {}", label::amount(threshold, measure)),
            None if self.operation == Operation::Write => "DynamoDB's limit, 1,000 units a second".into(),
            None => "DynamoDB's limit, 3,000 units a second".into(),
        }
    }

    /// Whether there are cells of partitions that memory had no room to count.
    pub fn has_kept_out(&self) -> bool {
        self.rows.iter().any(|row| row.total.kept_out)
    }

    fn hottest(&self) -> Reverse<(u32, u64, u64)> {
        let row = self.rows.first().map(|row| row.total.heat());
        Reverse(row.unwrap_or_default())
    }
}

impl Map {
    /// Makes the map. At most `rows` partitions of each table and operation are shown by name.
    pub fn new(title: String, grid: Grid, judge: &Judge, measure: Measure, rows: usize) -> Self {
        let (first, last) = grid.span.unwrap_or_default();
        let (start, end) = (grid.column(first), grid.column(last));
        let width = grid.width;
        let mut panels = Vec::new();
        for (table, pairs) in grid.tables {
            for (operation, pair) in Operation::ALL.into_iter().zip(pairs) {
                if pair.tracks.is_empty() {
                    continue;
                }
                let threshold = judge.threshold(&table, operation);
                panels.push(panel(&table, operation, threshold, pair, start, rows));
            }
        }
        panels.sort_by_cached_key(|panel| (panel.hottest(), panel.table.clone(), panel.operation as usize));
        let mut room = CELLS;
        for panel in &mut panels {
            let cells: usize = panel.rows.iter().map(|row| row.series.cells().len()).sum();
            if cells > room {
                panel.rows.truncate(FEW);
            }
            room = room.saturating_sub(cells);
        }
        Self {
            title,
            clock: Clock::of_log(first * 1_000),
            measure,
            from: u64::from(start) * u64::from(width),
            width,
            columns: end - start + 1,
            span: (first, last),
            panels,
            unknown: None,
            strays: 0,
        }
    }

    /// Whether there are cells of partitions that memory had no room to count.
    pub fn has_kept_out(&self) -> bool {
        self.panels.iter().any(Panel::has_kept_out)
    }

    /// Returns the second in which a column begins.
    pub fn second(&self, column: u32) -> u64 {
        self.from + u64::from(column) * u64::from(self.width)
    }
}

fn panel(
    table: &[u8],
    operation: Operation,
    threshold: Option<u64>,
    pair: Pair,
    start: u32,
    named: usize,
) -> Panel {
    let is_at_least = !pair.bands.is_empty();
    let mut tracks: Vec<(Vec<u8>, Track)> = pair.tracks.into_iter().collect();
    tracks.sort_by_cached_key(|(pk, track)| (Reverse(track.series.total().heat()), pk.clone()));
    // A band of one partition would say less than its name.
    let named = if !is_at_least && tracks.len() <= named + BANDS { tracks.len() } else { named };
    let others = tracks.split_off(named.min(tracks.len()));
    let mut bands: Vec<(u64, Series)> =
        pair.bands.into_iter().map(|band| (u64::from(band.total().partitions), band)).collect();
    bands.resize(BANDS, Default::default());
    for (pk, track) in &others {
        let (partitions, series) = &mut bands[band(pk)];
        *partitions += 1;
        series.join(&track.series);
    }
    let partitions = tracks.len() as u64 + bands.iter().map(|(partitions, _)| partitions).sum::<u64>();
    let by_name = tracks.into_iter().map(|(pk, Track { series, warnings })| {
        let name = if pk.is_empty() { "(an empty key)".into() } else { label::name(&pk) };
        Row { name, band: None, total: series.total(), series: shifted(series, start), warnings }
    });
    let by_hash = bands.into_iter().enumerate().filter(|(_, (partitions, _))| *partitions > 0);
    let by_hash = by_hash.map(|(i, (partitions, series))| Row {
        name: format!("others {} of {BANDS}", i + 1),
        band: Some(partitions),
        total: series.total(),
        series: shifted(series, start),
        warnings: Vec::new(),
    });
    let rows = by_name.chain(by_hash).collect();
    Panel { table: label::name(table), operation, threshold, partitions, is_at_least, rows }
}

/// Returns the series with columns that count from `start`.
fn shifted(series: Series, start: u32) -> Series {
    let mut shifted = Series::default();
    series.cells().iter().for_each(|(column, cell)| *shifted.cell(column - start).0 = *cell);
    shifted
}
