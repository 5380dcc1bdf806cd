//! The counts that promises 2 and 3 allow each call to return, worked out from a log of all calls.
//!
//! A call returns the count of some moment of it, at which the clock showed one of the seconds
//! `before..=after`. Nobody knows which, but for each second `s` the count is bounded from both
//! sides. A record of the same series is
//!
//! - surely counted if its earliest second is in the window at `s`, and it ended before the call
//!   began or before `s`;
//! - possibly counted if its latest second is in the window at `s`, and it began before the call
//!   ended and not after `s`.
//!
//! A count that no second allows is wrong. (Of records that took longer than the window, and ended
//! meanwhile, fewer are taken to be sure.)
//!
//! The calls are replayed in the order of their tickets. Trees hold the amounts of the records that
//! have begun and of those that have ended, by their earliest and by their latest second, so that
//! each bound comes from a few sums over the newest seconds: `n` calls take `n log n` steps, and
//! those that were stalled some more.

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
    /// Counts that are too low, or between what two seconds allow, and counts that are too high.
    pub low: Vec<Violation>,
    pub high: Vec<Violation>,
}

impl Verdict {
    /// Judges a count by the least and the most that each second allows.
    fn judge(&mut self, call: Call, spans: &[(u64, u64)]) {
        let Some(count) = call.count else { return };
        let least = spans.iter().map(|&(least, _)| least).min().expect("a call has a second");
        let most = spans.iter().map(|&(_, most)| most).max().expect("a call has a second");
        self.checked += 1;
        self.exact += u64::from(least == most);
        if count > most {
            self.high.push(Violation { call, least, most });
        } else if !spans.iter().any(|&(least, most)| (least..=most).contains(&count)) {
            self.low.push(Violation { call, least, most });
        }
    }
}

/// Amounts by second, in a Fenwick tree: adding, and summing from a second on, take a logarithm of
/// steps.
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

/// The records that have begun, or those that have ended.
struct Records<'s> {
    by_earliest: Amounts<'s>,
    by_latest: Amounts<'s>,
}

impl<'s> Records<'s> {
    fn new(seconds: &'s [u32]) -> Self {
        Self { by_earliest: Amounts::new(seconds), by_latest: Amounts::new(seconds) }
    }

    fn add(&mut self, call: &Call) {
        if call.amount > 0 {
            self.by_earliest.add(call.before, call.amount);
            self.by_latest.add(call.after, call.amount);
        }
    }
}

/// Checks every count of one detector's calls, all of which have ended. The clock showed these
/// `seconds`, in order.
pub fn check(window: u32, seconds: &[u32], calls: &[Call]) -> Verdict {
    let (mut verdict, mut calls) = (Verdict::default(), calls.to_vec());
    calls.sort_unstable_by_key(|call| call.series);
    for series in calls.chunk_by(|a, b| a.series == b.series) {
        check_series(window, seconds, series, &mut verdict);
    }
    verdict
}

fn check_series(window: u32, seconds: &[u32], calls: &[Call], verdict: &mut Verdict) {
    let (mut begun, mut ended) = (Records::new(seconds), Records::new(seconds));
    let mut events: Vec<_> =
        (0..calls.len()).flat_map(|i| calls[i].tickets.into_iter().zip([(i, false), (i, true)])).collect();
    events.sort_unstable();
    // For each second of each call that is under way, what had ended when it began: all that its
    // window has, and all that had not ended before it.
    let mut at_begin: Vec<Vec<(u64, u64)>> = vec![Vec::new(); calls.len()];
    for (_, (i, at_end)) in events {
        let call = &calls[i];
        let within = seconds.partition_point(|&each| each < call.before)
            ..seconds.partition_point(|&each| each <= call.after);
        let oldest = |second: u32| second.saturating_sub(window);
        let sums = |ended: &Records<'_>, second: u32| {
            (ended.by_earliest.since(oldest(second)), ended.by_latest.since(second))
        };
        if !at_end {
            at_begin[i] = seconds[within].iter().map(|&second| sums(&ended, second)).collect();
            begun.add(call);
            continue;
        }
        let span = |(&second, (sure, late)): (&u32, (u64, u64))| {
            // What has ended since it began, less what may have been later than this second.
            let (all, all_late) = sums(&ended, second);
            let meanwhile = (all - sure).saturating_sub(all_late - late);
            // A call that took longer than the window may have lost its own record from it.
            let own = if call.before >= oldest(second) { call.amount } else { 0 };
            let most = begun.by_latest.since(oldest(second)) - begun.by_earliest.since(second + 1);
            let least = sure + meanwhile + own;
            assert!(
                least <= most,
                "the oracle contradicts itself: {least} > {most} at {second} for {call:?}"
            );
            (least, most)
        };
        let spans: Vec<_> = seconds[within].iter().zip(std::mem::take(&mut at_begin[i])).map(span).collect();
        verdict.judge(*call, &spans);
        ended.add(call);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::Random;

    /// The bounds as the module's first lines say them.
    fn by_definition(window: u32, calls: &[Call], i: usize) -> Vec<(u64, u64)> {
        let (call, after) = (calls[i], |window: u32, second: u32| second.saturating_sub(window));
        let sum = |counted: &dyn Fn(usize, &Call) -> bool| {
            let of_series = calls.iter().enumerate().filter(|(_, other)| other.series == call.series);
            of_series.filter(|&(j, other)| counted(j, other)).map(|(_, other)| other.amount).sum::<u64>()
        };
        let span = |second: u32| {
            let least = sum(&|j, other| {
                let ended = other.tickets[1] < call.tickets[0]
                    || other.tickets[1] < call.tickets[1] && other.after < second;
                (ended || j == i) && other.before >= after(window, second)
            });
            let most = sum(&|_, other| {
                let begun = other.tickets[0] < call.tickets[1] && other.before <= second;
                begun && other.after >= after(window, second)
            });
            (least, most)
        };
        (call.before..=call.after).map(span).collect()
    }

    /// Calls at random, of which none takes longer than so many tickets. A second has four.
    fn made_up(random: &mut Random, longest: usize) -> Vec<Call> {
        let n = 1 + random.below(40);
        let mut free: Vec<u64> = (0..2 * n as u64).collect();
        let call = |_| {
            let begin = free.remove(0);
            let end = free.remove(random.below(free.len().min(longest)));
            let (series, amount) = (random.below(2) as u32, random.below(4) as u64);
            let after = (end as usize / 4 + random.below(2)) as u32;
            Call { series, amount, count: None, tickets: [begin, end], before: begin as u32 / 4, after }
        };
        (0..n).map(call).collect()
    }

    #[test]
    fn the_oracle_allows_what_its_definition_allows_and_no_more() {
        let seconds: Vec<u32> = (0..30).collect();
        for seed in 0..50 {
            let (mut random, window) = (Random(seed), 4 + seed as u32 % 5);
            let mut calls = made_up(&mut random, 6);
            for i in 0..calls.len() {
                let spans = by_definition(window, &calls, i);
                let most = spans.iter().map(|span| span.1).max().unwrap();
                for count in 0..=most + 1 {
                    calls[i].count = Some(count);
                    let allowed = spans.iter().any(|&(least, most)| (least..=most).contains(&count));
                    let verdict = check(window, &seconds, &calls);
                    let found = (verdict.checked, verdict.low.len(), verdict.high.len());
                    let expected = (1, usize::from(!allowed && count <= most), usize::from(count > most));
                    assert_eq!(found, expected, "seed {seed}, call {i} of {calls:?}");
                }
                calls[i].count = None;
            }
        }
    }

    #[test]
    fn the_oracle_forbids_nothing_that_its_definition_allows() {
        let seconds: Vec<u32> = (0..30).collect();
        for seed in 0..50 {
            let (mut random, window) = (Random(seed), 1 + seed as u32 % 3);
            let mut calls = made_up(&mut random, 40);
            for i in 0..calls.len() {
                for (least, most) in by_definition(window, &calls, i) {
                    for count in [least, most] {
                        calls[i].count = Some(count);
                        let verdict = check(window, &seconds, &calls);
                        assert!(verdict.low.is_empty() && verdict.high.is_empty(), "call {i} of {calls:?}");
                    }
                }
                calls[i].count = None;
            }
        }
    }
}
