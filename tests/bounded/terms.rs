//! Terms: what a detector is made with.

use crate::input::Input;
use hotpart::{Builder, Detector, Thresholds};

pub const WINDOWS: [u32; 6] = [1, 2, 3, 5, 60, 3600];
pub const LEAST_MEMORY: u64 = 65_536;
/// How many bytes say the terms.
pub const BYTES: usize = 24;

#[derive(Clone, Debug)]
pub struct Terms {
    pub window: u32,
    /// The detector's own, of writes and of reads.
    pub thresholds: [u64; 2],
    /// Of one second and of five; `None`: no such rule.
    pub second: [Option<u64>; 2],
    pub sustained: [Option<u64>; 2],
    /// `None`: the window.
    pub interval: Option<u32>,
    /// 0: nothing is bounded.
    pub memory: u64,
    /// 0: a quarter.
    pub permille: u32,
    pub capacity: bool,
    pub warns_of_throttles: bool,
    /// As for DynamoDB, whose thresholds are of rates alone.
    pub for_dynamodb: bool,
    pub seed: u8,
}

fn threshold(input: &mut Input<'_>) -> u64 {
    match input.below(8) {
        0..5 => 1 + u64::from(input.byte()),
        5 => 500,
        6 => input.one(&[1_000, 5_000, 131_072, 200_000]),
        _ => i64::MAX as u64,
    }
}

impl Terms {
    pub fn new(bytes: &[u8]) -> Self {
        let mut input = Input::new(bytes);
        let input = &mut input;
        let maybe = |input: &mut Input<'_>| (input.below(4) == 0).then(|| threshold(input));
        let mut terms = Self {
            window: 0,
            thresholds: [(); 2].map(|()| threshold(input)),
            second: [(); 2].map(|()| maybe(input)),
            sustained: [(); 2].map(|()| maybe(input)),
            interval: input.one(&[None, None, Some(0), Some(1), Some(7)]),
            memory: input.one(&[LEAST_MEMORY, LEAST_MEMORY, 65_537, 100_000, 262_144, 1 << 20, 1 << 23]),
            permille: input.one(&[0, 0, 10, 100, 125, 333, 500]),
            capacity: input.below(4) == 0,
            warns_of_throttles: input.flag(),
            for_dynamodb: input.below(8) == 0,
            seed: input.byte(),
        };
        terms.set_window(input.one(&WINDOWS));
        terms
    }

    /// Sets the window, and makes the other terms fit it.
    pub fn set_window(&mut self, window: u32) {
        self.window = window;
        if window < 5 {
            self.sustained = [None; 2];
        }
        if self.for_dynamodb && window >= 5 {
            self.capacity = true;
            self.thresholds = [i64::MAX as u64; 2];
            // A hundred processes have a hundredth of DynamoDB's limits each, in half units.
            (self.second, self.sustained) = ([Some(20), Some(60)], [Some(80), Some(240)]);
        }
    }

    pub fn interval_ms(&self) -> u64 {
        u64::from(self.interval.unwrap_or(self.window)) * 1_000
    }

    /// The amount that a record adds that names none.
    pub fn one(&self) -> u64 {
        if self.capacity { 2 } else { 1 }
    }

    /// Seconds of a sub-window.
    pub fn sub_window(&self) -> u32 {
        self.window.div_ceil(2)
    }

    /// The share of a threshold at which a partition comes to be counted exactly.
    pub fn share(&self, threshold: u64) -> u64 {
        let permille = if self.permille == 0 { 250 } else { self.permille };
        (u128::from(threshold) * u128::from(permille) / 1_000).clamp(1, 32_768) as u64
    }

    pub fn builder(&self) -> Builder {
        let of = |[writes, reads]: [Option<u64>; 2]| Thresholds { writes, reads };
        let [writes, reads] = self.thresholds;
        let dynamodb = self.for_dynamodb && self.window == 60;
        let builder = if dynamodb {
            Detector::for_dynamodb(0.8, 100).unwrap()
        } else {
            let builder = Detector::builder(writes, reads, self.window);
            builder.second_thresholds(of(self.second)).sustained_thresholds(of(self.sustained))
        };
        let builder = builder
            .manual_clock()
            .hash_seed([self.seed.into(), 14])
            .memory(self.memory)
            .promote_permille(self.permille)
            .warn_of_throttles(self.warns_of_throttles);
        let builder = if self.capacity { builder.capacity_mode() } else { builder };
        match self.interval {
            Some(seconds) => builder.warning_interval_seconds(seconds),
            None => builder,
        }
    }
}
