//! A detector of one design, which records the traffic, and its scores.

use crate::design::Design;
use crate::oracle::Series;
use crate::scenario::Scenario;
use crate::scores::{Heard, Made, Scores};
use crate::traffic::Traffic;
use hotpart::{Detector, Operation};
use std::sync::{Arc, Mutex};

pub struct Contender {
    pub design: Design,
    detector: Detector,
    threshold: u64,
    heard: Arc<Mutex<Vec<Heard>>>,
    pub scores: Scores,
}

impl Contender {
    pub fn new(scenario: &Scenario, design: Design) -> Self {
        let Scenario { threshold, window, .. } = *scenario;
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let ears = heard.clone();
        let builder = Detector::builder(threshold, threshold, window)
            .manual_clock()
            .hash_seed([27, 18])
            .on_warning(move |warning| ears.lock().expect("no panic").push(Heard::of(warning)));
        let detector = design.apply(builder).build().expect("settings in their ranges");
        Self { design, detector, threshold, heard, scores: Scores::default() }
    }

    pub fn set_second(&self, second: u32) {
        self.detector.set_time_ms(u64::from(second) * 1_000).expect("a manual clock");
    }

    pub fn record(&mut self, made: Made, (table, pk, operation): (&[u8], &[u8], Operation)) {
        let count = match operation {
            Operation::Write => self.detector.record_write(table, pk),
            Operation::Read => self.detector.record_read(table, pk),
        };
        let count = count.expect("a record");
        self.scores.record(made, count);
        if count >= self.threshold {
            for heard in self.heard.lock().expect("no panic").drain(..) {
                self.scores.warning(made, pk, self.threshold, &heard);
            }
        }
        if made.truth >= self.threshold {
            self.scores.hot(made, self.detector.window_seconds());
        }
    }

    /// Looks at what it knows of a series besides its count.
    pub fn check_bounds(&mut self, truth: u64, (table, pk, operation): (&[u8], &[u8], Operation)) {
        let bounds = self.detector.bounds(table, pk, operation).expect("bounds");
        self.scores.bounds(truth, bounds);
    }

    /// Looks at the count of a series that is cold.
    pub fn check_cold(&mut self, truth: u64, series: Series, traffic: &Traffic<'_>) {
        let count = traffic.name(series, |table, pk, operation| match operation {
            Operation::Write => self.detector.write_count(table, pk),
            Operation::Read => self.detector.read_count(table, pk),
        });
        self.scores.cold(truth, count.expect("a count"));
    }

    pub fn read_statistics(&mut self) {
        self.scores.statistics(self.detector.statistics());
        assert!(
            self.heard.lock().expect("no panic").is_empty(),
            "a warning whose record is below its threshold"
        );
    }
}
