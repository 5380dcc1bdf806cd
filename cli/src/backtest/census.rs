//! A census: how many partitions a log has, and the highest count in it.
//!
//! The library forgets a partition that has been idle for a window, so it can't tell how many there
//! were. Its counts help. If a partition's count is no more than what was just added, it had
//! nothing in the window before, so it may be new; no other can be. Those that may be new are
//! looked up in a set of hashes, of 128 bits, which two names practically never share. Which
//! partitions an exchange touched, the library alone knows: it is asked for all of them whenever a
//! window is over.

use crate::entry::{Access, Entry, Event};
use crate::feed::Measure;
use anyhow::Result;
use hotpart::{Detector, Operation};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

/// The highest count of an operation, when it was first reached, and which partition reached it.
#[derive(Debug, Default)]
pub struct Highest {
    pub count: u64,
    pub time_ms: u64,
    pub table: Vec<u8>,
    pub pk: Vec<u8>,
}

/// The partitions seen so far.
pub struct Census {
    measure: Measure,
    window: u64,
    hashers: [RandomState; 2],
    seen: HashSet<u128>,
    /// The highest count of each operation; accesses alone count here.
    pub highest: [Highest; 2],
    /// The time before which a partition may be new that had something in the window: before the
    /// period, of which nothing was noted.
    warm_until_ms: u64,
    /// The second since which the library has not been asked, if there were exchanges.
    open: Option<u64>,
    last: u64,
}

impl Census {
    /// `from_ms`: the first time of which entries are noted, if the log may begin earlier.
    pub fn new(measure: Measure, window: u32, from_ms: Option<u64>) -> Self {
        let hashers = [RandomState::new(), RandomState::new()];
        let highest = [Highest::default(), Highest::default()];
        let window = u64::from(window);
        // A count has the window and the current second.
        let warm_until_ms = from_ms.map_or(0, |from_ms| from_ms.saturating_add((window + 1) * 1_000));
        let seen = HashSet::new();
        Self { measure, window, hashers, seen, highest, warm_until_ms, open: None, last: 0 }
    }

    /// Notes an entry that is to be recorded.
    pub fn before(&mut self, detector: &Detector, entry: &Entry<'_>) -> Result<()> {
        let second = entry.time_ms() / 1_000;
        if let Some(open) = self.open.filter(|open| second >= open + self.window) {
            self.ask(detector, open..open + self.window)?;
            self.open = None;
        }
        if let Entry::Exchange(_) = entry {
            self.open.get_or_insert(second);
        }
        self.last = second;
        Ok(())
    }

    /// Notes an entry that has been recorded, and its count if it has one.
    pub fn after(&mut self, entry: &Entry<'_>, count: Option<u64>) {
        let Entry::Access(access) = entry else { return };
        let may_be_new = match access.event {
            Event::Done => {
                access.time_ms < self.warm_until_ms
                    || count.is_none_or(|count| count <= self.measure.amount(access))
            }
            Event::Throttled(_) => true,
        };
        if may_be_new {
            self.see(access.table, access.pk);
        }
        if let Some(count) = count {
            self.compare(access, count);
        }
    }

    fn see(&mut self, table: &[u8], pk: &[u8]) {
        let [high, low] = self.hashers.each_ref().map(|hasher| u128::from(hasher.hash_one((table, pk))));
        self.seen.insert(high << 64 | low);
    }

    fn compare(&mut self, access: &Access<'_>, count: u64) {
        let highest = &mut self.highest[access.operation as usize];
        if count > highest.count {
            (highest.count, highest.time_ms) = (count, access.time_ms);
            for (kept, name) in [(&mut highest.table, access.table), (&mut highest.pk, access.pk)] {
                kept.clear();
                kept.extend_from_slice(name);
            }
        }
    }

    /// Asks for all partitions that had something in a span, at whose end the clock is, or before
    /// it.
    fn ask(&mut self, detector: &Detector, seconds: std::ops::Range<u64>) -> Result<()> {
        detector.set_time_ms(seconds.end * 1_000)?;
        for operation in Operation::ALL {
            let all = detector.hottest_closed_in(operation, seconds.clone(), usize::MAX)?;
            all.hottest.iter().for_each(|hot| self.see(&hot.table, &hot.pk));
        }
        Ok(())
    }

    /// Returns how many partitions there were, once all entries have been recorded.
    pub fn finish(&mut self, detector: &Detector) -> Result<u64> {
        if let Some(open) = self.open.take() {
            self.ask(detector, open..self.last + 1)?;
        }
        Ok(self.seen.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Exchange, Origin};
    use crate::feed::Feed;

    /// Every entry is of a partition of its own, by its number; window 2 s.
    fn census(entries: &[Entry<'_>]) -> u64 {
        let detector = Detector::builder(100, 100, 2).manual_clock().build().unwrap();
        detector.set_key_schema("t", None, &["id"]).unwrap();
        let (mut feed, mut census) =
            (Feed::new(Measure::Operations), Census::new(Measure::Operations, 2, None));
        for entry in entries {
            census.before(&detector, entry).unwrap();
            let count = feed.timed(&detector, entry).unwrap();
            census.after(entry, count);
        }
        census.finish(&detector).unwrap()
    }

    #[test]
    fn a_partition_that_comes_back_is_the_same() {
        let access = |time_ms, pk| Entry::Access(Access::new(time_ms, Operation::Write, b"t", pk));
        let read = Entry::Access(Access::new(9_500, Operation::Read, b"t", b"a"));
        let throttled = Access {
            event: Event::Throttled(hotpart::Reason::Unknown),
            ..Access::new(9_600, Operation::Read, b"t", b"c")
        };
        let entries = [
            access(0, b"a"),
            access(1, b"a"),
            access(900, b"b"),
            access(9_000, b"a"),
            read,
            Entry::Access(throttled),
        ];
        assert_eq!(census(&entries), 3);
    }

    #[test]
    fn partitions_of_exchanges_are_counted_whenever_a_window_is_over() {
        let request = |n: u64| format!(r#"{{"TableName":"t","Key":{{"id":{{"S":"k{n}"}}}}}}"#);
        let requests: Vec<_> = (0..20).map(|n| (n * 700, request(n % 9))).collect();
        let entries: Vec<_> = requests
            .iter()
            .map(|(time_ms, request)| {
                Entry::Exchange(Exchange {
                    from: Origin::default(),
                    time_ms: *time_ms,
                    operation: b"GetItem",
                    request: request.as_bytes(),
                    response: Some(b"{}"),
                    model: None,
                    http_status: 200,
                })
            })
            .collect();
        assert_eq!(census(&entries), 9);
        assert_eq!(census(&entries[..5]), 5);
        assert_eq!(census(&[]), 0);
    }
}
