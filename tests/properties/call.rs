//! Calls that a program can make, as values. The fuzz target `oracle` has them from here, too.

use crate::exchange::Attempt;
use hotpart::ffi::{HPD_ERR_INVALID, HPD_ERR_NULL, HPD_ERR_UNSUPPORTED};
use std::fmt;

/// The last moment of a detector's clock.
pub const LAST_MS: u64 = 4_294_967_295_999;
/// Where a slot saturates.
pub const SLOT_MOST: u64 = (1 << 30) - 1;

/// Bytes that are a name or a key, or too many or too few for that.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(pub Vec<u8>);

impl Text {
    /// The part before the first NUL.
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

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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

/// A mistake that only a C caller can make.
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

/// Who gets a call's warnings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearer {
    /// The callback.
    Callback,
    /// The caller, from the call.
    Caller,
    /// The caller, by asking for what was kept for its thread. Of C callers only.
    Thread,
}

#[derive(Clone, Debug)]
pub enum Call {
    Record(Spot, usize),
    Full(Entry, Hearer),
    /// Records, this many bytes farther apart than they are long.
    Batch(Vec<Entry>, usize),
    /// Opens a table at this index, which is closed before.
    Open(usize, Text),
    Close(usize),
    /// Records to the table at this index, by one of three functions.
    Prepared(usize, Text, usize, Form),
    Get(Spot, usize),
    /// Records a throttle for a reason, by its place among all.
    Throttle(Spot, usize, usize, Hearer),
    Throttles(Spot, usize, usize),
    /// The tally of a table, of a kind given by its place among all.
    Unattributed(Text, usize, usize),
    Observe(Attempt, Hearer),
    Hottest(usize, usize),
    Statistics,
    /// As many of the hottest, as text.
    Metrics(usize),
    Set(Scope, Text, [i64; 2]),
    Thresholds(Scope, Text),
    OwnThresholds,
    Clear,
    Forward(u64),
    Backward(u64),
    SetTime(u64),
    Flawed(Flaw),
}

impl Call {
    /// Whether it changes nothing.
    pub fn is_look(&self) -> bool {
        use Call::*;
        let thresholds = matches!(self, Self::Thresholds(..) | OwnThresholds);
        thresholds
            || matches!(
                self,
                Get(..) | Throttles(..) | Unattributed(..) | Hottest(..) | Statistics | Metrics(_)
            )
    }
}

/// How a key is given to a table that was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    WithLength,
    /// It ends at its first NUL.
    UntilNul,
    /// The same, and a warning is kept for the thread.
    Due,
}

impl Form {
    /// The key as the library reads it.
    pub fn key(self, pk: &Text) -> Text {
        if self == Form::WithLength { pk.clone() } else { pk.until_nul() }
    }
}

/// Tables that can be open at once.
pub const OPEN: usize = 2;

/// The options of a detector.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    pub window: u32,
    pub thresholds: [u64; 2],
    pub interval: u32,
    pub calls_back: bool,
    pub max_partitions: u64,
    /// Amounts are of half units.
    pub capacity: bool,
    /// Throttles for a key range warn.
    pub warns_of_throttles: bool,
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
    /// Whether it is of a throttle, and not of the window's count.
    pub of_throttle: bool,
}

/// A partition in a snapshot.
#[derive(Clone, Debug, PartialEq)]
pub struct Hot {
    pub spot: Spot,
    pub operation: usize,
    pub count: u64,
    pub throttles: u64,
    pub demand: u64,
    pub peak: u64,
    pub permille: u32,
}

/// A detector's statistics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Numbers {
    pub records: u64,
    pub replaced: u64,
    pub warnings: u64,
    pub suppressed: u64,
    pub throttles: [u64; 5],
    pub unattributed: [u64; 5],
    pub estimated_half_units: u64,
    pub unknown_operations: u64,
    pub unread: u64,
}

/// Numbers that depend on when idle partitions are given back.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Books {
    pub partitions: u64,
    pub reclaimed: u64,
    pub cleared: u64,
}

/// All that a call shows its caller.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub result: i64,
    pub thresholds: Option<[i64; 2]>,
    /// The warnings that its caller got.
    pub taken: Vec<Warned>,
    pub called_back: Vec<Warned>,
    pub hottest: Vec<Hot>,
    pub numbers: Option<Numbers>,
    pub books: Option<Books>,
    /// The samples of the hottest partitions' families of metrics, in half units or operations, and
    /// in thousandths.
    pub samples: Vec<[u64; 5]>,
}

impl Outcome {
    pub fn of(result: impl Into<i64>) -> Self {
        Self { result: result.into(), ..Self::default() }
    }

    /// Adds a warning where its hearer finds it.
    pub fn tell(&mut self, hearer: Hearer, warned: Option<Warned>) {
        let told = if hearer == Hearer::Callback { &mut self.called_back } else { &mut self.taken };
        told.extend(warned);
    }
}

/// A taker of calls: a detector behind one of its faces.
pub trait Face {
    fn call(&mut self, call: &Call) -> Outcome;
}
