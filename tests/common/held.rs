//! The most bytes that bounded counting holds, by its own statistics and by the allocator. For test
//! programs whose allocator is `TestAllocator`.
#![allow(dead_code)] // Not every program uses all of it.

use crate::allocator::{all_live_bytes, most_live_bytes};
use crate::common::manual;
use hotpart::{Detector, Operation, Record};
use std::sync::{Mutex, PoisonError};

/// The most that a thread may have beside the memory: a segment under construction or both halves
/// of one, with the list of what is left out; its handle of the collector, with the bag that it
/// fills; and what std keeps for it.
pub const SEGMENT: isize = 14 * 1024;
pub const THREAD: isize = 3 * 1024;
/// Bags of the collector that are nobody's: the one that it keeps when it has no other, and the one
/// before that.
const COLLECTOR: isize = 2 * 2_072;

/// Runs a test while no other does.
pub fn alone(test: impl FnOnce()) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    settle();
    test();
}

/// Lets the collector free all that it can, and returns how many bytes are then live.
pub fn settle() -> isize {
    (0..60).for_each(|_| drop(Detector::new(1, 1, 1)));
    all_live_bytes()
}

pub fn detector(threshold: u64, window: u32, memory: u64) -> Detector {
    manual(threshold, threshold, window).memory(memory).build().unwrap()
}

pub fn add(detector: &Detector, pk: &[u8], operation: Operation, amount: u64) {
    let count = detector.record(&Record::new("orders", pk, operation).amount(amount)).unwrap();
    assert!(count >= amount);
}

/// The most bytes held, by the statistics and by the allocator.
pub struct Held<'d> {
    detector: &'d Detector,
    memory: u64,
    before: isize,
    pub most: u64,
    pub most_live: isize,
}

impl<'d> Held<'d> {
    /// `before`: what was live before the detector was made.
    pub fn new(detector: &'d Detector, memory: u64, before: isize) -> Self {
        most_live_bytes();
        Self { detector, memory, before, most: 0, most_live: 0 }
    }

    /// Looks now, and at all moments since the last look.
    #[track_caller]
    pub fn look(&mut self, threads: isize) {
        let (bytes, live) = (self.detector.statistics().bytes, most_live_bytes() - self.before);
        assert!(bytes <= self.memory, "{bytes} bytes of {}: {:?}", self.memory, self.detector.statistics());
        let bound = self.memory as isize + threads * (SEGMENT + THREAD) + COLLECTOR;
        assert!(live <= bound, "{live} bytes are live of {}: {:?}", self.memory, self.detector.statistics());
        (self.most, self.most_live) = (self.most.max(bytes), self.most_live.max(live));
    }
}
