//! Runs: the parts of a log with more than an hour of nothing between, each with a grid of its own.
//!
//! A host whose clock is a year ahead writes a few records a year after all others. In one grid the
//! columns would be days wide, and show nothing. So each run has a grid until the log is over. Then
//! the runs become one grid, or the one that has nearly all records is shown by itself.
//!
//! Times come in order, and only at the end is it known where a far record belongs. So runs that
//! are not strays to each other are joined as soon as there is another, and few are left at any
//! time.

use crate::heatmap::cell::Cell;
use crate::heatmap::grid::Grid;
use crate::heatmap::judge::Warned;
use hotpart::Operation;

/// The seconds of nothing that part two runs.
const GAP: u64 = 3_600;
/// A run may be astray if it has less than one record for so many of another run.
const ALIKE: u64 = 100;
/// All runs but the greatest are left out if they have at most one of so many records...
const NEARLY_ALL: u64 = 10;
/// ... and would make columns at least so many times as wide.
const WIDER: u32 = 4;

/// One run.
#[derive(Debug)]
struct Run {
    grid: Grid,
    entries: u64,
}

/// A run that is not drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stray {
    /// Its first second and its last.
    pub span: (u64, u64),
    pub entries: u64,
}

/// Cells of all runs, in the order of time.
#[derive(Debug)]
pub struct Runs {
    runs: Vec<Run>,
    rows: usize,
    memory: Option<u64>,
}

impl Runs {
    /// Makes runs, whose grids are made with these arguments of [`Grid::new`].
    pub fn new(rows: usize, memory: Option<u64>) -> Self {
        Self { runs: Vec::new(), rows, memory }
    }

    /// Notes that a second, which is not before the last, had so many entries.
    pub fn see(&mut self, second: u64, entries: u64) {
        let last = self.runs.last().and_then(|run| run.grid.span);
        if last.is_none_or(|(_, last)| second.saturating_sub(last) > GAP) {
            self.join_alike();
            self.runs.push(Run { grid: Grid::new(self.rows, self.memory), entries: 0 });
        }
        let run = self.runs.last_mut().expect("there is one now");
        run.grid.see(second);
        run.entries += entries;
    }

    /// Adds to a partition's cell, in one of the last two runs.
    pub fn add(&mut self, table: &[u8], pk: &[u8], operation: Operation, second: u64, cell: &Cell) {
        if let Some(grid) = self.at(second) {
            grid.add(table, pk, operation, second, cell);
        }
    }

    /// Marks a warning.
    pub fn warn(&mut self, warned: Warned) {
        if let Some(grid) = self.at(warned.time_ms / 1_000) {
            grid.warn(warned);
        }
    }

    /// Returns about how many bytes it holds.
    pub fn bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.grid.bytes()).sum()
    }

    /// Returns the grid that is shown, and the runs that are not in it. If `whole`, all are in it.
    pub fn finish(mut self, whole: bool) -> (Grid, Vec<Stray>) {
        let entries: u64 = self.runs.iter().map(|run| run.entries).sum();
        let greatest = (0..self.runs.len()).max_by_key(|&i| self.runs[i].entries);
        let Some(main) = greatest else { return (Grid::new(self.rows, self.memory), vec![]) };
        let spans = || self.runs.iter().filter_map(|run| run.grid.span);
        let all = spans().reduce(|(first, _), (_, last)| (first, last)).unwrap_or_default();
        let is_astray = (entries - self.runs[main].entries) * NEARLY_ALL <= entries
            && Grid::width_of(all) >= self.runs[main].grid.width * WIDER;
        if is_astray && !whole {
            let Run { grid, .. } = self.runs.remove(main);
            let stray = |Run { grid, entries }: Run| Some(Stray { span: grid.span?, entries });
            return (grid, self.runs.into_iter().filter_map(stray).collect());
        }
        self.join_from(0);
        (self.runs.pop().expect("all are in one").grid, vec![])
    }

    /// Returns the grid in which a second is.
    fn at(&mut self, second: u64) -> Option<&mut Grid> {
        // A column begins before its first second that had something, but in no other run.
        let is_before = |run: &Run| run.grid.span.is_some_and(|(_, last)| second <= last);
        let n = self.runs.len();
        let i = if n > 1 && is_before(&self.runs[n - 2]) { n - 2 } else { n.checked_sub(1)? };
        Some(&mut self.runs[i].grid)
    }

    /// Joins the last run with the nearest run that is like it, and with all between, which are
    /// smaller.
    fn join_alike(&mut self) {
        let Some(last) = self.runs.last().map(|run| run.entries) else { return };
        for i in (0..self.runs.len() - 1).rev() {
            let other = self.runs[i].entries;
            if last.min(other).saturating_mul(ALIKE) >= last.max(other) {
                return self.join_from(i);
            }
            if other > last {
                return;
            }
        }
    }

    fn join_from(&mut self, i: usize) {
        let later = self.runs.split_off(i + 1);
        let run = &mut self.runs[i];
        for Run { grid, entries } in later {
            run.grid.join(grid);
            run.entries += entries;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: u64 = 31_536_000;
    const DAY: u64 = 86_400;

    /// Runs of an hour each, from these seconds on, with so many records.
    fn runs(of: &[(u64, u64)]) -> Runs {
        let mut runs = Runs::new(10, None);
        for &(from, entries) in of {
            for (second, entries) in [(from, entries - entries / 2), (from + 3_599, entries / 2)] {
                if entries > 0 {
                    runs.see(second, entries);
                    let cell = Cell { count: entries, ..Cell::default() };
                    runs.add(b"t", b"a", Operation::Write, second, &cell);
                }
            }
        }
        runs
    }

    /// The seconds that are drawn, those of strays, and all counts that are drawn.
    fn drawn(runs: Runs, whole: bool) -> ((u64, u64), Vec<u64>, u64) {
        let (grid, strays) = runs.finish(whole);
        let track = &grid.tables[&b"t"[..]][Operation::Write as usize].tracks[&b"a"[..]];
        (grid.span.unwrap(), strays.iter().map(|stray| stray.span.0).collect(), track.series.total().count)
    }

    #[test]
    fn a_stray_clock_is_left_out_wherever_it_stands() {
        let log = [(0, 1), (YEAR, 10_000), (2 * YEAR, 2), (3 * YEAR, 1)];
        assert_eq!(drawn(runs(&log), false), ((YEAR, YEAR + 3_599), vec![0, 2 * YEAR, 3 * YEAR], 10_000));
        assert_eq!(drawn(runs(&log), true), ((0, 3 * YEAR), vec![], 10_004));
        let one_host_of_twenty = [(YEAR, 19_000), (YEAR + 5 * 3_600, 1_000)];
        assert_eq!(drawn(runs(&one_host_of_twenty), false).1, [YEAR + 5 * 3_600]);
    }

    #[test]
    fn a_pause_is_drawn() {
        let nights = [(0, 500), (DAY, 700), (2 * DAY, 600), (5 * DAY, 2)];
        assert_eq!(runs(&nights[..3]).runs.len(), 2, "what is alike is joined soon");
        assert_eq!(drawn(runs(&nights), false), ((0, 5 * DAY + 3_599), vec![], 1_802));
        let two_parts = [(0, 5_000), (DAY, 1), (2 * DAY, 4_000)];
        assert_eq!(drawn(runs(&two_parts), false), ((0, 2 * DAY + 3_599), vec![], 9_001));
    }

    #[test]
    fn what_comes_late_is_added_to_the_run_that_it_is_of() {
        let mut runs = runs(&[(0, 100), (YEAR, 1)]);
        let cell = Cell { count: 7, ..Cell::default() };
        runs.add(b"t", b"a", Operation::Write, 3_595, &cell);
        assert_eq!(drawn(runs, false), ((0, 3_599), vec![YEAR], 107));
    }
}
