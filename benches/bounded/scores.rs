//! The verdict on one detector: its answers to the traffic, judged by the oracle.

use crate::oracle::Series;
use hotpart::{Bounds, Statistics, Warning};
use std::collections::{HashMap, HashSet};

/// A warning as it was heard.
pub struct Heard {
    pub pk: Vec<u8>,
    pub count: u64,
    pub threshold: u64,
    pub carried: u64,
}

impl Heard {
    pub fn of(warning: &Warning<'_>) -> Self {
        let &Warning { pk, count, threshold, carried, .. } = warning;
        Self { pk: pk.into(), count, threshold, carried }
    }
}

/// A record: when it was made, of which series, and the series' exact count with it.
#[derive(Clone, Copy)]
pub struct Made {
    pub second: u32,
    pub series: Series,
    pub truth: u64,
}

#[derive(Default)]
pub struct Scores {
    /// Records whose count was under the truth, and over it.
    pub under: u64,
    pub over: u64,
    /// When each series was warned about last.
    pub warned: HashMap<Series, u32>,
    /// Series that were hot and had no warning for an interval.
    overdue: HashSet<Series>,
    /// The least truth at a warning.
    pub least_truth: Option<u64>,
    /// The most that a warning carried.
    pub carried: u64,
    /// Warnings that told what is not so, and bounds that did not hold.
    pub untrue: Vec<String>,
    /// How far counts of cold series were over the truth, in all, and how many of them were looked
    /// at.
    excess: u64,
    looked_at: u64,
    /// The most of each that was seen.
    pub bytes: u64,
    pub entries: u64,
    pub load_permille: u64,
    pub last: Statistics,
}

impl Scores {
    /// A record returned this count.
    pub fn record(&mut self, made: Made, count: u64) {
        self.under += u64::from(count < made.truth);
        self.over += u64::from(count > made.truth);
    }

    /// The record's warning. `pk` is the key that it was made with.
    pub fn warning(&mut self, made: Made, pk: &[u8], threshold: u64, heard: &Heard) {
        let Made { second, series, truth } = made;
        self.warned.insert(series, second);
        self.least_truth = Some(self.least_truth.map_or(truth, |least| least.min(truth)));
        self.carried = self.carried.max(heard.carried);
        let Heard { count, carried, .. } = *heard;
        let own = heard.pk == pk && heard.threshold == threshold && count >= threshold;
        if !own || carried > count || !(count - carried..=count).contains(&truth) {
            self.untrue
                .push(format!("a warning of {count}, of which {carried} carried, where {truth} is true"));
        }
    }

    /// A hot record is over, and so is its warning, if it was due one.
    pub fn hot(&mut self, made: Made, interval: u32) {
        let warned = self.warned.get(&made.series);
        if warned.is_none_or(|second| made.second - second >= interval) {
            self.overdue.insert(made.series);
        }
    }

    pub fn bounds(&mut self, truth: u64, bounds: Bounds) {
        let Bounds { least, most, .. } = bounds;
        if !(least..=most).contains(&truth) {
            self.untrue.push(format!("bounds of {least} to {most}, where {truth} is true"));
        }
    }

    /// A cold series, recorded now or not.
    pub fn cold(&mut self, truth: u64, count: u64) {
        self.excess += count.saturating_sub(truth);
        self.looked_at += 1;
    }

    pub fn statistics(&mut self, now: Statistics) {
        self.bytes = self.bytes.max(now.bytes);
        self.entries = self.entries.max(now.partitions);
        self.load_permille = self.load_permille.max(now.filter_load_permille);
        self.last = now;
    }

    /// Hot series that were never warned about.
    pub fn missed(&self) -> usize {
        self.overdue.iter().filter(|series| !self.warned.contains_key(series)).count()
    }

    /// Hot series whose warning came later than it was due.
    pub fn late(&self) -> usize {
        self.overdue.len() - self.missed()
    }

    pub fn mean_excess(&self) -> f64 {
        self.excess as f64 / self.looked_at.max(1) as f64
    }
}
