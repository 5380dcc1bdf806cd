//! Heard: a detector's warnings, and the throttles that it was told of.
//!
//! Throttles are heard as warnings of a rule of their own. So there is one kind of evidence, both
//! for logs of accesses and for logs of exchanges, whose partitions the library alone knows. The
//! first throttle of a partition and operation is always heard, and after it the first in each
//! interval.

use hotpart::{Operation, Rule, Warning};
use std::collections::{BTreeMap, HashMap};

/// One warning.
#[derive(Clone, Copy, Debug)]
pub struct Warned {
    pub time_ms: u64,
    /// The partition's number in [`Heard::partitions`].
    pub partition: u32,
    pub operation: Operation,
    pub rule: Rule,
    pub window_seconds: u32,
    pub count: u64,
    pub threshold: u64,
    /// The most of `count` that is not the partition's own.
    pub carried: u64,
}

/// A partition's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub table: Vec<u8>,
    pub pk: Vec<u8>,
}

/// One operation of one partition.
#[derive(Clone, Debug, Default)]
pub struct Series {
    pub warnings: u64,
    pub first_warning_ms: Option<u64>,
    /// The time of the warning that stood when the period began.
    pub standing_ms: Option<u64>,
    pub last_warning_ms: u64,
    /// The highest count of a warning.
    pub most: u64,
    pub first_throttle_ms: Option<u64>,
    /// Whether there was a warning before the first throttle, or one stood.
    pub was_warned_of: bool,
}

/// The beginning of a period. A warning from before it is not heard. But it stands for an interval,
/// in which the library gives no other one about the same partition and operation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beginning {
    pub from_ms: u64,
    pub interval_ms: u64,
}

/// Everything that one detector said.
#[derive(Debug, Default)]
pub struct Heard {
    /// The partitions of which something was said.
    pub partitions: Vec<Name>,
    pub series: BTreeMap<(u32, Operation), Series>,
    /// The warnings in the order of time; none unless they are kept.
    pub warnings: Vec<Warned>,
    pub n: u64,
    keeps_warnings: bool,
    beginning: Beginning,
    numbers: HashMap<Vec<u8>, HashMap<Vec<u8>, u32>>,
}

impl Heard {
    pub fn new(keeps_warnings: bool, beginning: Beginning) -> Self {
        Self { keeps_warnings, beginning, ..Self::default() }
    }

    pub fn hear(&mut self, time_ms: u64, warning: &Warning<'_>) {
        let Beginning { from_ms, interval_ms } = self.beginning;
        let stands = time_ms.saturating_add(interval_ms) > from_ms && warning.rule != Rule::Throttle;
        if time_ms < from_ms && !stands {
            return;
        }
        let partition = self.number(warning.table, warning.pk);
        let series = self.series.entry((partition, warning.operation)).or_default();
        if time_ms < from_ms {
            series.standing_ms = Some(time_ms);
            return;
        }
        if warning.rule == Rule::Throttle {
            if series.first_throttle_ms.is_none() {
                series.first_throttle_ms = Some(time_ms);
                series.was_warned_of = series.earliest_ms().is_some();
            }
            return;
        }
        self.n += 1;
        series.warnings += 1;
        series.first_warning_ms.get_or_insert(time_ms);
        series.last_warning_ms = time_ms;
        series.most = series.most.max(warning.count);
        if self.keeps_warnings {
            let Warning { operation, rule, window_seconds, count, threshold, carried, .. } = *warning;
            let warned =
                Warned { time_ms, partition, operation, rule, window_seconds, count, threshold, carried };
            self.warnings.push(warned);
        }
    }

    fn number(&mut self, table: &[u8], pk: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(table).and_then(|keys| keys.get(pk)) {
            return number;
        }
        let number = u32::try_from(self.partitions.len()).expect("memory for fewer partitions than that");
        self.partitions.push(Name { table: table.into(), pk: pk.into() });
        self.numbers.entry(table.into()).or_default().insert(pk.into(), number);
        number
    }

    pub fn name(&self, partition: u32) -> &Name {
        &self.partitions[partition as usize]
    }

    /// Returns how many partitions were warned of, for either operation.
    pub fn warned_partitions(&self) -> u64 {
        self.partitions_of(|series| series.warnings > 0)
    }

    /// Returns of how many partitions a warning stood when the period began.
    pub fn standing_partitions(&self) -> u64 {
        self.partitions_of(|series| series.standing_ms.is_some())
    }

    fn partitions_of(&self, is_one: impl Fn(&Series) -> bool) -> u64 {
        let ones = self.series.iter().filter(|(_, series)| is_one(series));
        let mut partitions: Vec<u32> = ones.map(|(&(partition, _), _)| partition).collect();
        partitions.dedup();
        partitions.len() as u64
    }
}
