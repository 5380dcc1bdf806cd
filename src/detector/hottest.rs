//! The hottest partitions, found by a walk over the map while other threads record.

use crate::detector::Detector;
use crate::error::{Error, Refusal};
use crate::key::Key;
use crate::key::synthetic::{self, Kind, with_synthetic_key};
use crate::ledger::Ledger;
use crate::ledger::counters::Counters;
use crate::ledger::visit::Visit;
use crate::map::scan::Scan;
use crate::map::segment::Segment;
use crate::operation::Operation;
use crate::partition::Partition;
use crate::policy::measure::Measure;
use crate::reason::Reason;
use crate::sys::epoch;
use crate::sys::memory::try_bytes;

/// A partition in a snapshot, and what it had of one operation in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HotPartition {
    /// The table.
    pub table: Vec<u8>,
    /// The partition-key value.
    pub pk: Vec<u8>,
    /// The operation that is counted.
    pub operation: Operation,
    /// The count; in capacity mode, like the rest, in half units.
    pub count: u64,
    /// Throttles for its key range.
    pub throttles: u64,
    /// The count and, for each throttle, one operation or unit more: a key that is throttled to silence is still hot.
    pub demand: u64,
    /// The fullest second.
    pub peak: u64,
    /// At most so much of `count` may be other partitions', or older than the window; 0: it is exact. It is never more
    /// than 0 without [`Builder::memory`](crate::Builder::memory).
    pub carried: u64,
    /// The share of DynamoDB's limit for a partition that this second had, in thousandths; 1,000 at least if DynamoDB throttled
    /// the partition for its key range.
    pub utilisation_permille: u32,
}

/// Segments that are visited under one pin. Memory is reclaimed between two pins.
const SEGMENTS_PER_PIN: usize = 16;

/// One sample of a partition and of its throttles.
struct Sample<'g> {
    key: Key<'g>,
    count: u64,
    throttles: u64,
    demand: u64,
    peak: u64,
    carried: u64,
}

/// The `n` partitions with the most demand so far, and candidates that may yet drop out.
struct TopN {
    n: usize,
    measure: Measure,
    /// A partition with less demand than this is not among the `n`.
    least: u64,
    candidates: Vec<HotPartition>,
}

impl TopN {
    fn new(n: usize, measure: Measure) -> Self {
        Self { n, measure, least: 0, candidates: Vec::new() }
    }

    /// Adds a sample, if it may be among the `n`.
    fn add(&mut self, sample: Sample<'_>, operation: Operation) -> Result<(), Error> {
        let Sample { key, count, throttles, demand, peak, carried } = sample;
        if demand < self.least.max(1) {
            return Ok(());
        }
        self.candidates.try_reserve(1).map_err(|_| Error::Memory)?;
        self.candidates.push(HotPartition {
            table: try_bytes([key.table])?,
            pk: try_bytes([key.pk])?,
            operation,
            count,
            throttles,
            demand,
            peak,
            carried,
            // At its limit, says DynamoDB, whatever came through.
            utilisation_permille: self
                .measure
                .permille(operation, peak, 1)
                .max(1_000 * u32::from(throttles > 0)),
        });
        if self.candidates.len() >= self.n.saturating_mul(2).saturating_add(64) {
            self.truncate();
        }
        Ok(())
    }

    /// Drops all but the `n`, and sorts those: the most demand first.
    fn truncate(&mut self) {
        let all = &mut self.candidates;
        // A partition that moved, or was throttled too, may have been met twice.
        all.sort_unstable_by(|a, b| (&a.table, &a.pk, b.demand).cmp(&(&b.table, &b.pk, a.demand)));
        all.dedup_by(|later, first| (&later.table, &later.pk) == (&first.table, &first.pk));
        all.sort_unstable_by(|a, b| {
            (b.demand, b.count, &a.table, &a.pk).cmp(&(a.demand, a.count, &b.table, &b.pk))
        });
        all.truncate(self.n);
        if all.len() == self.n {
            self.least = all.last().map_or(0, |last| last.demand);
        }
    }
}

impl Detector {
    /// The `n` partitions with the most demand for an operation in the window, the most first; fewer if fewer have
    /// any. Others record meanwhile: each partition is as it was at some moment of the call. Takes time in proportion to
    /// the partitions tracked.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn hottest(&self, operation: Operation, n: usize) -> Result<Vec<HotPartition>, Error> {
        let measure = self.settings.measure;
        let mut top = TopN::new(n, measure);
        let throttled = Counters::get(&self.counters.throttles[Reason::KeyRange as usize]) > 0;
        let begin = |top: &mut TopN| *top = TopN::new(n, measure);
        self.scan(
            &mut top,
            begin,
            |_, _| {},
            |top, ledger, visit, found| {
                let key = if synthetic::is_synthetic(found.key()) {
                    // A partition that has nothing but throttles is found by these.
                    let Some(key) = synthetic::throttled_key(found.key()) else { return Ok(()) };
                    key
                } else {
                    found.key()
                };
                let sample = self.sample(ledger, visit, key, operation, throttled)?;
                top.add(sample, operation).map_err(|_| Refusal::Memory)
            },
        )?;
        top.truncate();
        Ok(top.candidates)
    }

    /// Samples a partition, and its throttles if there may be any.
    fn sample<'g>(
        &self,
        ledger: &Ledger,
        visit: Visit<'g>,
        key: Key<'g>,
        operation: Operation,
        throttled: bool,
    ) -> Result<Sample<'g>, Refusal> {
        let (mut count, mut peak) = self.count_and_peak(ledger, visit, key, operation)?;
        let mut throttles = 0;
        if throttled {
            (throttles, _) = with_synthetic_key(Kind::Throttle(Reason::KeyRange), key, |synthetic| {
                self.count_and_peak(ledger, visit, synthetic, operation)
            })?;
        }
        let carried_of = |found: Partition<'_>| {
            let alarm = found.alarm_if_any(visit.guard);
            Some(alarm.map_or(0, |alarm| alarm.carried(operation, visit.now.second(), visit.window() + 1)))
        };
        let mut carried = 0;
        if self.is_filtered() {
            match ledger.look(key, self.settings.hashing.key(key), visit, carried_of)? {
                Some(of_entry) => carried = count.min(of_entry.into()),
                // One that was throttled, and is counted in the cells.
                None => {
                    (_, count) = ledger.bounds(key, operation, visit)?;
                    (peak, carried) = (count, count);
                }
            }
        }
        let demand = count + throttles * u64::from(self.settings.measure.one());
        Ok(Sample { key, count, throttles, demand, peak, carried })
    }

    /// Returns the count of one key in the window, and its fullest second; zeros for a key that is not tracked.
    fn count_and_peak(
        &self,
        ledger: &Ledger,
        visit: Visit<'_>,
        key: Key<'_>,
        operation: Operation,
    ) -> Result<(u64, u64), Refusal> {
        let read = |found: Partition<'_>| {
            found.series(operation, visit.window(), visit.guard).count_and_peak(visit.now.second())
        };
        let hash = self.settings.hashing.key(key);
        Ok(ledger.look(key, hash, visit, read)?.unwrap_or((0, 0)))
    }

    /// Calls `see` with every entry, those with synthetic keys too, and begins again if the detector is cleared meanwhile.
    pub(crate) fn scan<T>(
        &self,
        state: &mut T,
        begin: impl Fn(&mut T),
        enter: impl Fn(&mut T, Segment<'_>),
        see: impl for<'g> Fn(&mut T, &'g Ledger, Visit<'g>, Partition<'g>) -> Result<(), Refusal>,
    ) -> Result<(), Error> {
        'again: loop {
            begin(state);
            let (mut scan, mut walked) = (Scan::default(), None);
            loop {
                let guard = epoch::pin();
                let visit = self.visit(self.clock.now(), &guard);
                let ledger = self.current.get(&guard);
                if *walked.get_or_insert(ledger.number) != ledger.number {
                    continue 'again;
                }
                for _ in 0..SEGMENTS_PER_PIN {
                    let Ok(next) = scan.next(&ledger.partitions, &guard) else { continue 'again };
                    let Some(segment) = next else { return Ok(()) };
                    segment.chain().for_each(|segment| enter(state, segment));
                    for (_, _, found) in segment.chain().flat_map(|segment| segment.entries()) {
                        match see(state, ledger, visit, found) {
                            Ok(()) => {}
                            Err(Refusal::Cleared) => continue 'again,
                            Err(Refusal::Memory) => return Err(Error::Memory),
                        }
                    }
                }
            }
        }
    }
}
