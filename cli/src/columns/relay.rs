//! A relay: a column is closed on a thread of its own, while the next one is recorded.
//!
//! Closing a column takes more than half as long as recording it. So two detectors take turns: one
//! records while the other, whose column is over, is asked for all that it has, and cleared.
//!
//! ```text
//! this thread     column 0 in A    column 1 in B    column 2 in A    column 3 in B
//! the other                        closes that of A closes that of B closes that of A
//! ```
//!
//! That needs columns with nothing in common (`Columns::is_separate`). Once they have something,
//! all is recorded in one detector, which is waited for while its column is closed.

use crate::batch::Batch;
use crate::columns::{Column, Columns};
use crate::feed::Feed;
use anyhow::{Context, Result};
use hotpart::Detector;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Records seconds, and hands columns that are over to the thread that closes them.
pub struct Relay {
    /// `None` only after a failure.
    recording: Option<Columns>,
    other: Other,
    to: Sender<Columns>,
    back: Receiver<Result<Columns>>,
}

/// The columns that are not recording.
enum Other {
    Waiting(Box<Columns>),
    Closing,
    None,
}

/// Calls `read` with a relay, and, on another thread, `closed` with each column that is over, in
/// their order. `make` makes that in which they are recorded. Returns, once the last is closed, the
/// columns that know all that was recorded besides plain accesses.
pub fn relay<T>(
    make: impl Fn() -> Result<Columns>,
    mut closed: impl FnMut(&Detector, &Column) -> Result<()> + Send,
    read: impl FnOnce(&mut Relay) -> Result<T>,
) -> Result<(Columns, T)> {
    let recording = make()?;
    let other = if recording.is_separate() { Other::Waiting(Box::new(make()?)) } else { Other::None };
    let (to, from) = channel::<Columns>();
    let (give_back, back) = channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for mut columns in from {
                let done = columns.close(&mut closed).map(|()| columns);
                // Nobody listens any more once `read` has failed.
                let _ = give_back.send(done);
            }
        });
        let mut relay = Relay { recording: Some(recording), other, to, back };
        let read = read(&mut relay)?;
        Ok((relay.finish()?, read))
    })
}

impl Relay {
    /// Records the entries of a second, all of one.
    pub fn second(&mut self, batch: &Batch) -> Result<()> {
        if self.recording.as_ref().is_some_and(|columns| columns.is_over_by(batch)) {
            self.hand_over()?;
        }
        self.recording.as_mut().context("a column was not closed")?.record(batch)
    }

    /// Returns what was recorded of the column that is not over, and of all that is no plain
    /// access.
    pub fn feed(&self) -> Result<&Feed> {
        Ok(self.recording.as_ref().context("a column was not closed")?.feed())
    }

    /// Hands the column that is over to be closed, and goes on in the other columns, once theirs is
    /// closed.
    fn hand_over(&mut self) -> Result<()> {
        let mut over = self.recording.take().context("a column was not closed")?;
        let next = self.take_other()?.filter(|_| over.is_separate());
        match next {
            Some(mut next) => {
                over.go_beside(&mut next);
                self.close(over)?;
                (self.recording, self.other) = (Some(next), Other::Closing);
            }
            None => {
                over.beside_bytes = 0;
                self.close(over)?;
                self.recording = Some(self.closed()?);
            }
        }
        Ok(())
    }

    /// Closes the last column.
    fn finish(mut self) -> Result<Columns> {
        let last = self.recording.take().context("a column was not closed")?;
        self.take_other()?;
        self.close(last)?;
        let mut columns = self.closed()?;
        columns.finish(|_, _| Ok(()))?;
        Ok(columns)
    }

    /// Takes the other columns, once theirs is closed.
    fn take_other(&mut self) -> Result<Option<Columns>> {
        Ok(match std::mem::replace(&mut self.other, Other::None) {
            Other::Waiting(columns) => Some(*columns),
            Other::Closing => Some(self.closed()?),
            Other::None => None,
        })
    }

    fn close(&self, columns: Columns) -> Result<()> {
        self.to.send(columns).ok().context("the thread that closes columns is gone")
    }

    fn closed(&self) -> Result<Columns> {
        self.back.recv().context("the thread that closes columns is gone")?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Shape;
    use crate::entry::{Access, Entry, Event};
    use crate::feed::Measure;
    use anyhow::ensure;
    use hotpart::{Operation, Reason};

    const SHAPE: Shape = Shape { seconds: 10, measure: Measure::Operations, memory: None };

    fn make() -> Result<Columns> {
        Ok(Columns::new(SHAPE, |_| Ok(()))?.unlisted())
    }

    /// Records seconds 0 to 64 with a write in each, of which DynamoDB throttles the last of each
    /// column, from `throttled` on. Returns the columns, and of each its first second, its writes
    /// and its throttles.
    fn relayed(throttled: u64) -> (Columns, Vec<(u64, u64, u64)>) {
        let mut told = Vec::new();
        let add = |_: &Detector, column: &Column| {
            let (mut writes, mut throttles) = (0, 0);
            column.each(Operation::Write, |had| {
                (writes, throttles) = (writes + had.count, throttles + had.throttles);
                Ok(())
            })?;
            told.push((column.first, writes, throttles));
            Ok(())
        };
        let read = |relay: &mut Relay| {
            (0..65).try_for_each(|second| {
                let is_throttled = second % 10 == 9 && second >= throttled;
                relay.second(&batch(second, if is_throttled { THROTTLED } else { Event::Done }))
            })
        };
        let (columns, ()) = relay(make, add, read).expect("recorded");
        (columns, told)
    }

    const THROTTLED: Event = Event::Throttled(Reason::KeyRange);

    fn batch(second: u64, event: Event) -> Batch {
        let access = Access::new(second * 1_000, Operation::Write, b"t", b"a");
        let mut batch = Batch::default();
        batch.push(&Entry::Access(Access { event, ..access }));
        batch
    }

    #[test]
    fn columns_are_closed_in_their_order() {
        let (_, told) = relayed(u64::MAX);
        let expected: Vec<_> = (0..7).map(|n| (n * 10, if n < 6 { 10 } else { 5 }, 0)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn one_detector_knows_all_that_is_no_plain_access() {
        for (throttled, n) in [(0, 6), (15, 5), (25, 4), (55, 1)] {
            let (columns, told) = relayed(throttled);
            let had = |first: u64| if first + 9 >= throttled { (first, 9, 1) } else { (first, 10, 0) };
            let expected: Vec<_> = (0..6).map(|n| had(n * 10)).chain([(60, 5, 0)]).collect();
            assert_eq!(told, expected, "from {throttled} on");
            assert_eq!(columns.statistics().throttles.iter().sum::<u64>(), n, "from {throttled} on");
        }
    }

    #[test]
    fn a_failure_on_either_thread_is_told() {
        let run = |closing: Option<u64>, reading: Option<u64>| {
            let closed = |_: &Detector, column: &Column| {
                ensure!(Some(column.first) != closing, "at {}", column.first);
                Ok(())
            };
            let read = |relay: &mut Relay| {
                (0..65).try_for_each(|second| {
                    ensure!(Some(second) != reading, "before {second}");
                    relay.second(&batch(second, Event::Done))
                })
            };
            relay(make, closed, read).map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(run(None, None), Ok(()));
        for first in [0, 10, 50, 60] {
            assert_eq!(run(Some(first), None), Err(format!("at {first}")));
        }
        assert_eq!(run(None, Some(33)), Err("before 33".into()));
    }
}
