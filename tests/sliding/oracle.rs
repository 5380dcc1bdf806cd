//! The counts that promise 2 allows each call to return, worked out from a log of all calls.
//!
//! Nobody knows at which moment between its begin and its end a call took effect, so the oracle bounds each count
//! from both sides. A call asks at some second of `before..=after`, and so a record of its series is
//!
//! - surely counted if it ended before the call began and its earliest second is in the window at `after`;
//! - possibly counted if it began before the call ended and its latest second is in the window at `before`.
//!
//! The calls are replayed in the order of their tickets. Two trees hold the amounts of those that have begun and of
//! those that have ended, by second, so that each bound is one sum over the newest seconds: `n` calls take
//! `n log n` steps.

/// One call of the log, or one record of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Which operation of which partition.
    pub series: u32,
    /// The amount that was recorded; 0 for a get.
    pub amount: u64,
    /// The count that was returned. A batch returns none.
    pub count: Option<u64>,
    /// Tickets taken before and after the call.
    pub tickets: [u64; 2],
    /// Seconds that the clock had reached surely before the call, and at most after it.
    pub before: u32,
    pub after: u32,
}

/// A returned count that is not allowed.
#[derive(Debug)]
#[expect(dead_code, reason = "they are printed")]
pub struct Violation {
    pub call: Call,
    pub least: u64,
    pub most: u64,
}

/// The result of a check.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Counts that were returned and checked.
    pub checked: u64,
    /// Counts for which there was one value alone.
    pub exact: u64,
    /// Counts that are too low, and counts that are too high.
    pub low: Vec<Violation>,
    pub high: Vec<Violation>,
}

impl Verdict {
    fn judge(&mut self, call: Call, least: u64, most: u64) {
        assert!(least <= most, "the oracle contradicts itself: {least} > {most} for {call:?}");
        let Some(count) = call.count else { return };
        self.checked += 1;
        self.exact += u64::from(least == most);
        let violation = Violation { call, least, most };
        if count < least {
            self.low.push(violation);
        } else if count > most {
            self.high.push(violation);
        }
    }
}

/// Amounts by second, in a Fenwick tree: adding, and summing from a second on, take a logarithm of steps.
struct Amounts<'s> {
    /// All seconds there are, in order.
    seconds: &'s [u32],
    sums: Vec<u64>,
}

impl<'s> Amounts<'s> {
    fn new(seconds: &'s [u32]) -> Self {
        Self { seconds, sums: vec![0; seconds.len() + 1] }
    }

    /// The newest second has index 1, so that a prefix is a sum of newest seconds.
    fn index(&self, second: u32) -> usize {
        self.seconds.len() - self.seconds.partition_point(|&each| each < second)
    }

    fn add(&mut self, second: u32, amount: u64) {
        let mut i = self.index(second);
        while i < self.sums.len() {
            self.sums[i] += amount;
            i += i & i.wrapping_neg();
        }
    }

    fn since(&self, second: u32) -> u64 {
        let (mut i, mut sum) = (self.index(second), 0);
        while i > 0 {
            sum += self.sums[i];
            i &= i - 1;
        }
        sum
    }
}

/// Checks every count of one detector's calls, all of which have ended.
pub fn check(window: u32, calls: &[Call]) -> Verdict {
    let (mut verdict, mut calls) = (Verdict::default(), calls.to_vec());
    calls.sort_unstable_by_key(|call| call.series);
    for series in calls.chunk_by(|a, b| a.series == b.series) {
        check_series(window, series, &mut verdict);
    }
    verdict
}

fn check_series(window: u32, calls: &[Call], verdict: &mut Verdict) {
    let mut seconds: Vec<_> = calls.iter().flat_map(|call| [call.before, call.after]).collect();
    seconds.sort_unstable();
    seconds.dedup();
    let (mut begun, mut ended) = (Amounts::new(&seconds), Amounts::new(&seconds));
    let mut events: Vec<_> =
        (0..calls.len()).flat_map(|i| calls[i].tickets.into_iter().zip([(i, false), (i, true)])).collect();
    events.sort_unstable();
    let mut least = vec![0; calls.len()];
    for (_, (i, at_end)) in events {
        let call = calls[i];
        let (oldest_sure, oldest_possible) =
            (call.after.saturating_sub(window), call.before.saturating_sub(window));
        if at_end {
            verdict.judge(call, least[i], begun.since(oldest_possible));
            ended.add(call.before, call.amount);
        } else {
            // A call that took longer than the window may have lost its own record from it.
            let own = if call.before >= oldest_sure { call.amount } else { 0 };
            least[i] = ended.since(oldest_sure) + own;
            begun.add(call.after, call.amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Random;

    /// The bounds as the module's first lines say them.
    fn by_definition(window: u32, calls: &[Call], i: usize) -> (u64, u64) {
        let call = calls[i];
        let sum = |counted: &dyn Fn(usize, &Call) -> bool| {
            let of_series = calls.iter().enumerate().filter(|(_, other)| other.series == call.series);
            of_series.filter(|&(j, other)| counted(j, other)).map(|(_, other)| other.amount).sum::<u64>()
        };
        let least = sum(&|j, other| {
            (j == i || other.tickets[1] < call.tickets[0]) && other.before + window >= call.after
        });
        let most = sum(&|_, other| other.tickets[0] < call.tickets[1] && other.after + window >= call.before);
        (least, most)
    }

    #[test]
    fn the_oracle_allows_what_its_definition_allows_and_no_more() {
        for seed in 0..300 {
            let (mut random, window) = (Random(seed), 1 + seed as u32 % 5);
            let n = 1 + random.below(40);
            let mut tickets: Vec<u64> = (0..2 * n as u64).collect();
            (0..2 * n).for_each(|i| tickets.swap(i, random.below(2 * n)));
            let mut calls: Vec<_> = (0..n)
                .map(|i| {
                    let (a, b) = (tickets[2 * i], tickets[2 * i + 1]);
                    let (before, lasted) = (a.min(b) as u32 / 4, random.below(3) as u32);
                    let (series, amount) = (random.below(2) as u32, random.below(4) as u64);
                    let after = before + lasted + (a.max(b) - a.min(b)) as u32 / 4;
                    Call { series, amount, count: None, tickets: [a.min(b), a.max(b)], before, after }
                })
                .collect();
            for i in 0..n {
                let (least, most) = by_definition(window, &calls, i);
                for (count, low, high) in
                    [(least, 0, 0), (most, 0, 0), (least.wrapping_sub(1), 1, 0), (most + 1, 0, 1)]
                {
                    // Under 0 is nothing, and a count that wraps is too high.
                    let (low, high) = if count == u64::MAX { (0, 1) } else { (low, high) };
                    calls[i].count = Some(count);
                    let verdict = check(window, &calls);
                    let found = (verdict.checked, verdict.low.len(), verdict.high.len());
                    assert_eq!(found, (1, low, high), "seed {seed}, call {i} of {calls:?}");
                }
                calls[i].count = None;
            }
        }
    }
}
