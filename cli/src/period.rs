//! The period: the part of a log that is looked at.

use crate::batch::Batch;
use crate::input::account::{Account, OUTSIDE};
use crate::time::{self, Clock};
use anyhow::{Result, bail};
use clap::Args;

/// The times between which a log is looked at.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Period {
    /// Leave out what was before this time: UTC as in 2026-03-01T02:14, or milliseconds as the log
    /// has them
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub from: Option<u64>,
    /// Leave out what was at this time or later
    #[arg(long, value_name = "TIME", value_parser = time::parse)]
    pub until: Option<u64>,
    /// The number of entries outside it.
    #[arg(skip)]
    outside: u64,
    /// The first time of the log and the last, in it or not.
    #[arg(skip)]
    log: Option<(u64, u64)>,
}

/// A side of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Before,
    Within,
    After,
}

impl Period {
    /// Returns the period, if anything can be in it.
    pub fn checked(self) -> Result<Self> {
        if self.from.zip(self.until).is_some_and(|(from, until)| from >= until) {
            bail!("nothing is between --from and --until: --until is not later");
        }
        Ok(self)
    }

    /// Returns the period, if it begins and ends with a second: counts are of whole seconds.
    pub fn of_whole_seconds(self) -> Result<Self> {
        for (name, time_ms) in [("--from", self.from), ("--until", self.until)] {
            if let Some(time_ms) = time_ms.filter(|time_ms| time_ms % 1_000 != 0) {
                if let Some(question) = in_seconds(time_ms) {
                    bail!("{name} {time_ms}: {question}");
                }
                bail!(
                    "{name} is within a second, and counts are of whole seconds: {} or {} will do",
                    time_ms / 1_000 * 1_000,
                    (time_ms / 1_000 + 1) * 1_000
                );
            }
        }
        Ok(self)
    }

    /// Returns whether the period is all of the log.
    pub fn is_all(&self) -> bool {
        self.from.is_none() && self.until.is_none()
    }

    /// Returns whether the entries of a second are looked at. Those that are not are counted.
    pub fn takes(&mut self, batch: &Batch) -> bool {
        self.side(batch) == Side::Within
    }

    /// Returns where the entries of a second are. Those that are outside are counted.
    pub fn side(&mut self, batch: &Batch) -> Side {
        let Some((first_ms, last_ms)) = batch.times() else { return Side::After };
        self.log.get_or_insert((first_ms, last_ms)).1 = last_ms;
        let second = first_ms / 1_000 * 1_000;
        let side = match () {
            () if self.from.is_some_and(|from| second + 999 < from) => Side::Before,
            () if self.until.is_some_and(|until| second >= until) => Side::After,
            () => return Side::Within,
        };
        self.outside += batch.made_of() as u64;
        side
    }

    /// Returns the first time of the log and the last that have been seen, in the period or not.
    pub fn log_ms(&self) -> Option<(u64, u64)> {
        self.log
    }

    /// Returns for how long the log and the period go on together.
    pub fn length_ms(&self) -> u64 {
        let (first_ms, last_ms) = self.log.unwrap_or_default();
        let begin_ms = self.from.map_or(first_ms, |from| from.max(first_ms));
        self.until.map_or(last_ms, |until| until.min(last_ms)).saturating_sub(begin_ms)
    }

    /// Returns a sentence on when the log is, for a user whose period misses it.
    pub fn log(&self) -> Option<String> {
        let (first_ms, last_ms) = self.log.filter(|_| self.outside > 0)?;
        let clock = Clock::of_log(first_ms);
        if !clock.is_utc() {
            return Some(format!("The log is from {first_ms} to {last_ms} milliseconds."));
        }
        Some(format!("The log is from {} to {} UTC.", clock.second(first_ms), clock.second(last_ms)))
    }

    pub fn tell(&self, account: &mut Account) {
        if self.outside > 0 {
            account.entries -= self.outside;
            account.without_entries.insert(OUTSIDE, self.outside);
        }
        let is_utc = self.log.is_some_and(|(first_ms, _)| Clock::of_log(first_ms).is_utc());
        for (name, time_ms) in [("--from", self.from), ("--until", self.until)] {
            if let Some(time_ms) = time_ms.filter(|&time_ms| is_utc && !Clock::of_log(time_ms).is_utc()) {
                account.add_note(match in_seconds(time_ms) {
                    Some(question) => format!("{name} {time_ms}: {question}"),
                    None => format!(
                        "{name} {time_ms} is taken for milliseconds since 1970, and is far from the log's times. A time can also be written as 2026-03-01T02:14"
                    ),
                });
            }
        }
    }
}

/// Returns a question about a time that is of this century only if it is in seconds.
fn in_seconds(time_ms: u64) -> Option<String> {
    let as_ms = time_ms.checked_mul(1_000).filter(|_| !Clock::of_log(time_ms).is_utc())?;
    let clock = Clock::of_log(as_ms);
    let time = clock.second(as_ms).replace(' ', "T");
    clock.is_utc().then(|| format!("Is this in seconds? Give milliseconds, or {time}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Access, Entry};
    use hotpart::Operation;

    #[test]
    fn a_time_of_other_years_than_the_logs_is_told() {
        let mut batch = Batch::default();
        batch.push(&Entry::Access(Access::new(1_772_445_600_000, Operation::Read, b"t", b"a")));
        for (from, n) in [(1_772_445_000, 1), (1_772_445_000_000, 0)] {
            let mut period = Period { from: Some(from), ..Period::default() };
            assert!(period.takes(&batch));
            let mut account = Account::default();
            period.tell(&mut account);
            assert_eq!(account.notes.len(), n, "{:?}", account.notes);
            assert!(account.notes.iter().all(|note| {
                note == "--from 1772445000: Is this in seconds? Give milliseconds, or 2026-03-02T09:50:00"
            }));
        }
    }

    #[test]
    fn seconds_are_in_it_or_not() {
        let mut period = Period { from: Some(5_900), until: Some(7_000), ..Period::default() };
        let taken = [4, 5, 6, 7].map(|second| {
            let mut batch = Batch::default();
            batch.push(&Entry::Access(Access::new(second * 1_000 + 1, Operation::Read, b"t", b"a")));
            period.takes(&batch)
        });
        assert_eq!(taken, [false, true, true, false], "a second is in it that ends in it");
        assert_eq!(period.log().as_deref(), Some("The log is from 4001 to 7001 milliseconds."));
        let mut account = Account { records: 4, entries: 4, ..Account::default() };
        period.tell(&mut account);
        assert_eq!(account.line(), "4 records: 2 counted; 2 outside of --from and --until");
        assert!(account.notes.is_empty());
        assert!(period.checked().is_ok() && Period { until: Some(5_900), ..period }.checked().is_err());
    }
}
