//! Steps: what is done to a detector, as a few bytes say it.

use crate::input::Input;
use crate::oracle::{MODELS, Overrides, Spot, TABLES};
use hotpart::Thresholds;

/// How many bytes say a step. So a failing sequence can be cut anywhere.
pub const BYTES: usize = 10;
/// Keys that come again and again; all others are strangers.
pub const FEW: u32 = 8;

#[derive(Clone, Copy, Debug)]
pub enum How {
    Plain,
    Prepared,
    /// One record in full, which asks for its warning.
    Full {
        model: Option<usize>,
        amount: u64,
    },
}

#[derive(Clone, Copy, Debug)]
pub enum Leap {
    Ms(u64),
    Seconds(u64),
    SubWindows(u64),
}

#[derive(Clone, Copy, Debug)]
pub enum Step {
    Record(Spot, usize, How),
    /// So many plain records of one key.
    Burst(Spot, usize, u64),
    /// Records of few keys and strangers in turn, in one call.
    Batch {
        table: u8,
        operation: usize,
        first: u32,
        n: u32,
        model: Option<usize>,
        amount: u64,
    },
    /// One plain record each of so many strangers, of which the first is numbered so; by batches, or
    /// one by one.
    Flood {
        table: u8,
        operation: usize,
        first: u32,
        n: u32,
        by_batches: bool,
    },
    Throttle(Spot, usize),
    Leap(Leap),
    /// So many sub-windows, in each of which one key is recorded.
    Pass {
        sub_windows: u32,
        key: u32,
    },
    SetTable(u8, Thresholds),
    SetModel(usize, Thresholds),
    Clear,
    Hottest(usize),
}

fn amount(input: &mut Input<'_>) -> u64 {
    match input.below(16) {
        0..9 => 1 + input.below(8) as u64,
        9..14 => 1 + u64::from(input.byte()),
        14 => input.number().clamp(1, 70_000),
        _ => input.number().max(1),
    }
}

fn threshold(input: &mut Input<'_>) -> Option<u64> {
    match input.below(8) {
        0..3 => None,
        3..7 => Some(1 + 3 * u64::from(input.byte())),
        _ => Some(input.number().clamp(1, i64::MAX as u64)),
    }
}

fn leap(input: &mut Input<'_>) -> Leap {
    match input.below(16) {
        0..4 => Leap::Ms(4 * u64::from(input.byte())),
        4..8 => Leap::Seconds(1 + input.below(4) as u64),
        8..13 => Leap::SubWindows(1 + input.below(6) as u64),
        13 => Leap::Seconds(input.number() % 100_000),
        14 => Leap::SubWindows(510 + input.below(6) as u64),
        _ => {
            const AWAY: [u64; 8] = [100, 256, 700, 1_020, 1_022, 1_536, 2_046, 4_096];
            Leap::SubWindows(input.one(&AWAY) + input.below(6) as u64)
        }
    }
}

impl Step {
    pub fn new(bytes: &[u8]) -> Self {
        let mut input = Input::new(bytes);
        let input = &mut input;
        let (step, operation) = (input.below(32), input.below(2));
        let spot = Spot { table: input.below(TABLES) as u8, key: input.below(FEW as usize) as u32 };
        let both = |input: &mut Input<'_>| Thresholds { writes: threshold(input), reads: threshold(input) };
        let model = |input: &mut Input<'_>| input.one(&[None, None, Some(0), Some(1)]);
        match step {
            0..3 => Self::Record(spot, operation, How::Plain),
            3 => Self::Record(spot, operation, How::Prepared),
            4..9 => {
                let (model, amount) = (model(input), amount(input));
                Self::Record(spot, operation, How::Full { model, amount })
            }
            9..14 => Self::Burst(spot, operation, 1 + 2 * u64::from(input.byte())),
            14..16 => Self::Batch {
                table: spot.table,
                operation,
                first: spot.key,
                n: input.byte().into(),
                model: model(input),
                amount: amount(input),
            },
            16..20 => {
                let n = match input.byte() {
                    n @ 0..240 => u32::from(n) * 16,
                    n @ 240..254 => u32::from(n - 239) * 2_000,
                    _ => 200_000,
                };
                // Strangers come back now and then.
                let first = 1_000 + 50_000 * input.below(8) as u32;
                Self::Flood { table: spot.table, operation, first, n, by_batches: input.flag() }
            }
            20 => Self::Throttle(spot, operation),
            21..27 => Self::Leap(leap(input)),
            27 => Self::Pass { sub_windows: input.one(&[3, 8, 40, 300, 600, 1_100]), key: spot.key },
            28 => Self::SetTable(spot.table, both(input)),
            29 => Self::SetModel(input.below(MODELS), both(input)),
            30 if input.below(4) == 0 => Self::Clear,
            _ => Self::Hottest(operation),
        }
    }

    /// Puts what it sets into overrides.
    pub fn set(&self, overrides: &mut Overrides) {
        match *self {
            Self::SetTable(table, both) => overrides.tables[table as usize] = [both.writes, both.reads],
            Self::SetModel(model, both) => overrides.models[model] = [both.writes, both.reads],
            _ => {}
        }
    }
}
