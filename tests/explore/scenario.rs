//! A scenario: a detector, what was recorded before, the one call that is stepped through, and what
//! another thread does while that call stands still.

use std::fmt;

/// A partition, by the number in its key. From [`LONG`] on its key is long, so that few fill a
/// segment.
pub type Key = u32;

/// The partition that most scenarios are about.
pub const SUBJECT: Key = 0;
/// Another one.
pub const OTHER: Key = 1;
/// The first of those that [`Step::Insert`] makes.
pub const INSERTED: Key = 1_000;
/// The first with a key of 1,000 bytes.
pub const LONG: Key = 5_000;

/// Writes of the second that is about to leave the window: so many that no other sum looks like it.
pub const BURST: u64 = 1_000;

/// The counts of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Write,
    Read,
    /// A throttle for the key range.
    Throttle,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Write => "writes",
            Kind::Read => "reads",
            Kind::Throttle => "throttles",
        })
    }
}

/// A thing that a thread does by itself, wholly before or after everything else but the stepped
/// call.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Moves the clock by so many milliseconds.
    Wait(u64),
    Record(Key, Kind, u64),
    Get(Key, Kind),
    /// Makes so many partitions that there were not, by a write of each.
    Insert(u32),
    Clear,
    /// Sets the table's threshold of writes.
    Threshold(u64),
    /// For a twin that must fail: a write of the subject that is not put into the list.
    Unlisted,
    /// For a twin that must fail: never comes to its end.
    Hang,
}

/// The call that is stepped through.
#[derive(Clone, Debug)]
pub enum Call {
    Write(Key),
    Read(Key),
    WriteCount(Key),
    /// A write through a table's handle.
    Handle(Key),
    Throttle(Key),
    Batch(Vec<(Key, Kind, u64)>),
    /// Writes of this amount, whose warning the caller takes.
    Full(Key, u64),
    Clear,
    /// The ten partitions with the most writes.
    Hottest,
}

/// How the detector is made.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub window: u32,
    pub interval_seconds: u32,
    /// The threshold of writes; reads have none that can be reached.
    pub threshold: u64,
    /// 0: no bound.
    pub max_partitions: u64,
}

/// A threshold that nothing reaches.
pub const NEVER: u64 = i64::MAX as u64;

impl Rules {
    pub fn window(window: u32) -> Self {
        Self { window, interval_seconds: window, threshold: NEVER, max_partitions: 0 }
    }

    /// Whether partitions may lose their counts to others.
    pub fn lossy(&self) -> bool {
        self.max_partitions > 0
    }
}

#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub rules: Rules,
    pub before: Vec<Step>,
    pub call: Call,
    pub others: Vec<Step>,
    /// Whether warning state may be forgotten on the way, by a clear or because its partition was
    /// idle. At a bound it also goes with a partition that is replaced.
    pub forgets: bool,
    /// Whether the call is the first of its thread.
    pub first_call: bool,
    /// Acts of the others, without those that make the call's partition go. They are tried first at
    /// each place, to see whether the call finds its record hot; others that change the threshold
    /// leave that open.
    pub control: Option<Vec<Step>>,
    /// For a control: tells what came of the call, and judges nothing.
    pub tells: bool,
    /// The control's result: the count that the call's record returned, and whether that was hot.
    pub told: Option<(u64, bool)>,
}

impl Scenario {
    pub fn new(
        name: impl Into<String>,
        rules: Rules,
        before: impl IntoIterator<Item = Step>,
        call: Call,
        others: impl IntoIterator<Item = Step>,
    ) -> Self {
        let (before, others): (Vec<_>, Vec<_>) = (before.into_iter().collect(), others.into_iter().collect());
        let clears = others.iter().any(|step| matches!(step, Step::Clear)) || matches!(call, Call::Clear);
        Self {
            name: name.into(),
            rules,
            before,
            call,
            others,
            forgets: clears,
            first_call: false,
            control: None,
            tells: false,
            told: None,
        }
    }

    /// The scenario at the place of which its control has told.
    pub fn after_control(&self, told: &str) -> Option<Self> {
        let (count, hot) = told.split_once(' ')?;
        Some(Self { told: Some((count.parse().ok()?, hot.parse().ok()?)), control: None, ..self.clone() })
    }
}

/// A write of the subject.
pub fn write() -> Step {
    Step::Record(SUBJECT, Kind::Write, 1)
}

/// The next so many seconds, in each of which the subject gets a write.
pub fn turns(n: usize) -> Vec<Step> {
    [Step::Wait(1_000), write()].repeat(n)
}

/// Partitions enough to split the one segment that there is.
pub fn split() -> Vec<Step> {
    vec![Step::Insert(70)]
}

pub fn seconds(n: u32) -> Step {
    Step::Wait(u64::from(n) * 1_000)
}

/// One part after another.
pub fn then(parts: impl IntoIterator<Item = Vec<Step>>) -> Vec<Step> {
    parts.into_iter().flatten().collect()
}
