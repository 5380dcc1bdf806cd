//! Calls that a program can make, as values. The fuzz target `oracle` has them from here, too.

use hotpart::ffi::{HPD_ERR_INVALID, HPD_ERR_NULL, HPD_ERR_UNSUPPORTED};
use std::fmt;

/// The last moment of a detector's clock.
pub const LAST_MS: u64 = 4_294_967_295_999;
/// Where a slot saturates.
pub const SLOT_MOST: u64 = (1 << 30) - 1;

/// Bytes that are a name or a key, or too many or too few for that.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(pub Vec<u8>);

impl Text {
    /// What is left of it for a reader who stops at the first NUL.
    pub fn until_nul(&self) -> Self {
        Self(self.0.split(|&byte| byte == 0).next().unwrap().to_vec())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            long if long.len() > 20 => write!(f, "[{}; {}]", long[0], long.len()),
            short => write!(f, "b\"{}\"", short.escape_ascii()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spot {
    pub table: Text,
    pub pk: Text,
}

/// One record. `operation` is 0 for a write, 1 for a read.
#[derive(Clone, Debug)]
pub struct Entry {
    pub spot: Spot,
    pub operation: usize,
    pub model: Option<Text>,
    pub amount: u64,
}

#[derive(Clone, Copy, Debug)]
pub enum Scope {
    Table,
    Model,
}

/// What only a C caller can get wrong.
#[derive(Clone, Copy, Debug)]
pub enum Flaw {
    NullDetector,
    NullText,
    NullOut,
    NullRecords,
    UnknownOperation,
    Reserved,
    ShortRecord,
    ShortWarning,
    UnknownTail,
}

impl Flaw {
    /// The code that the contract gives it.
    pub fn code(self) -> i32 {
        match self {
            Flaw::NullDetector | Flaw::NullText | Flaw::NullOut | Flaw::NullRecords => HPD_ERR_NULL,
            Flaw::UnknownOperation | Flaw::Reserved | Flaw::ShortRecord | Flaw::ShortWarning => {
                HPD_ERR_INVALID
            }
            Flaw::UnknownTail => HPD_ERR_UNSUPPORTED,
        }
    }
}

#[derive(Clone, Debug)]
pub enum Call {
    Record(Spot, usize),
    /// With `true`: takes its warning instead of being called back.
    Full(Entry, bool),
    /// Records, this many bytes farther apart than they are long.
    Batch(Vec<Entry>, usize),
    /// Opens a table at this index, which is closed before.
    Open(usize, Text),
    Close(usize),
    /// Records to the table at this index; with `true` by a key that ends at its first NUL.
    Prepared(usize, Text, usize, bool),
    Get(Spot, usize),
    Set(Scope, Text, [i64; 2]),
    Thresholds(Scope, Text),
    OwnThresholds,
    Clear,
    Forward(u64),
    Backward(u64),
    SetTime(u64),
    Flawed(Flaw),
}

/// Tables that can be open at once.
pub const OPEN: usize = 2;

/// What a detector is made with.
#[derive(Clone, Debug)]
pub struct Terms {
    pub window: u32,
    pub thresholds: [u64; 2],
    pub interval: u32,
    pub calls_back: bool,
    pub max_partitions: u64,
}

/// A warning, however it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Warned {
    pub spot: Spot,
    pub operation: usize,
    pub window: u32,
    pub count: u64,
    pub threshold: u64,
    pub suppressed: u64,
    pub peak: u64,
}

/// All that a call shows its caller.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    pub result: i64,
    pub thresholds: Option<[i64; 2]>,
    pub taken: Option<Warned>,
    pub called_back: Vec<Warned>,
}

impl Outcome {
    pub fn of(result: impl Into<i64>) -> Self {
        Self { result: result.into(), ..Self::default() }
    }
}

/// What takes calls: a detector behind one of its faces, or what is compared with it.
pub trait Face {
    fn call(&mut self, call: &Call) -> Outcome;
}
