//! The subject of a measurement: it counts a visit to a key.

use crate::keys::TABLE;
use crate::workload::Workload;
use hotpart::{Detector, TableHandle};
use std::hint::black_box;

/// Thresholds that no count reaches.
pub const NEVER: u64 = i64::MAX as u64;
pub const WINDOW_SECONDS: u32 = 60;

pub trait Recorder {
    /// Counts a visit to a key that is there already.
    fn record(&self, pk: &[u8]) -> u64;
}

/// A recorder with keys of its own.
pub trait Map: Recorder + Default {
    /// Counts the first visit to a key.
    fn insert(&self, pk: &[u8]);

    fn holding(workload: &Workload) -> Self {
        let map = Self::default();
        workload.keys().for_each(|pk| map.insert(&pk));
        map
    }
}

/// The library: table and key, window, clock and thresholds.
pub struct Hotpart {
    pub detector: Detector,
    table: &'static [u8],
}

impl Hotpart {
    /// With a clock that stands until it is set.
    pub fn manual(threshold: u64) -> Self {
        Self::of(Detector::builder(threshold, threshold, WINDOW_SECONDS).manual_clock().build().unwrap())
    }

    fn of(detector: Detector) -> Self {
        // Opaque: to hash the table's name at compile time is not what a caller can count on.
        Self { detector, table: black_box(TABLE) }
    }
}

impl Default for Hotpart {
    fn default() -> Self {
        Self::of(Detector::new(NEVER, NEVER, WINDOW_SECONDS).unwrap())
    }
}

impl Recorder for Hotpart {
    fn record(&self, pk: &[u8]) -> u64 {
        self.detector.record_write(self.table, pk).unwrap()
    }
}

impl Map for Hotpart {
    fn insert(&self, pk: &[u8]) {
        self.record(pk);
    }
}

impl Recorder for TableHandle<'_> {
    fn record(&self, pk: &[u8]) -> u64 {
        self.record_write(pk).unwrap()
    }
}
