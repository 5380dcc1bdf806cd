//! The hottest partitions, found by a walk over the table while others record.

use crate::detector::Detector;
use crate::error::{Error, Refusal};
use crate::key::Key;
use crate::key::synthetic::{self, Kind, with_synthetic_key};
use crate::ledger::Ledger;
use crate::ledger::counters::Counters;
use crate::map::scan::Scan;
use crate::map::segment::Segment;
use crate::operation::Operation;
use crate::partition::Partition;
use crate::policy::measure::Measure;
use crate::reason::Reason;
use crate::sys::clock::Moment;
use crate::sys::epoch;
use crate::sys::memory::try_bytes;
use crossbeam_epoch::Guard;

/// A partition in a snapshot, and what it had of one operation in the window.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HotPartition {
    /// The table.
    pub table: Vec<u8>,
    /// The partition-key value.
    pub pk: Vec<u8>,
    /// What is counted.
    pub operation: Operation,
    /// The count; in capacity mode, like the rest, in half units.
    pub count: u64,
    /// Throttles for its key range.
    pub throttles: u64,
    /// The count and, for each throttle, one operation or unit more: a key that is throttled to silence is still hot.
    pub demand: u64,
    /// The fullest second.
    pub peak: u64,
    /// What share of DynamoDB's limit for a partition that second had, in thousandths; 1,000 at least if DynamoDB throttled
    /// the partition for its key range.
    pub utilisation_permille: u32,
}

/// Segments that are visited before those who reclaim memory get a chance.
const SEGMENTS_A_PIN: usize = 16;

/// One look at a partition, and at its throttles.
struct Glance<'g> {
    key: Key<'g>,
    count: u64,
    throttles: u64,
    demand: u64,
    peak: u64,
}

/// The best so far, and more that may yet drop out.
struct Podium {
    n: usize,
    measure: Measure,
    /// Who has less is not among the best.
    least: u64,
    candidates: Vec<HotPartition>,
}

impl Podium {
    fn admit(&mut self, glance: Glance<'_>, operation: Operation) -> Result<(), Error> {
        let Glance { key, count, throttles, demand, peak } = glance;
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
            // At its limit, says DynamoDB, whatever came through.
            utilisation_permille: self
                .measure
                .permille(operation, peak, 1)
                .max(1_000 * u32::from(throttles > 0)),
        });
        if self.candidates.len() >= self.n.saturating_mul(2).saturating_add(64) {
            self.settle();
        }
        Ok(())
    }

    /// Leaves the best, in their order.
    fn settle(&mut self) {
        let all = &mut self.candidates;
        // One that moved, or was throttled too, may have been met twice.
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
        let mut podium = Podium { n, measure, least: 0, candidates: Vec::new() };
        let throttled = Counters::get(&self.settings.counters.throttles[Reason::KeyRange as usize]) > 0;
        let begin = |podium: &mut Podium| *podium = Podium { n, measure, least: 0, candidates: Vec::new() };
        self.scan(
            &mut podium,
            begin,
            |_, _| {},
            |podium, ledger, found, now, guard| {
                let key = if synthetic::is_synthetic(found.key()) {
                    // Found by its throttles, in case that it has nothing else.
                    let Some(key) = synthetic::throttled_key(found.key()) else { return Ok(()) };
                    key
                } else {
                    found.key()
                };
                let glance = self.glance(ledger, key, operation, throttled, now, guard)?;
                podium.admit(glance, operation).map_err(|_| Refusal::Memory)
            },
        )?;
        podium.settle();
        Ok(podium.candidates)
    }

    fn glance<'g>(
        &self,
        ledger: &Ledger,
        key: Key<'g>,
        operation: Operation,
        throttled: bool,
        now: Moment,
        guard: &'g Guard,
    ) -> Result<Glance<'g>, Refusal> {
        let look = |key: Key<'_>| {
            let look = |found: Partition<'g>| {
                found.series(operation, self.window_seconds(), guard).count_and_peak(now.second)
            };
            let hash = self.settings.hashing.key(key);
            Ok::<_, Refusal>(ledger.look(key, hash, now, &self.settings, guard, look)?.unwrap_or((0, 0)))
        };
        let (count, peak) = look(key)?;
        let mut throttles = 0;
        if throttled {
            (throttles, _) = with_synthetic_key(Kind::Throttle(Reason::KeyRange), key, look)?;
        }
        let demand = count + throttles * u64::from(self.settings.measure.one);
        Ok(Glance { key, count, throttles, demand, peak })
    }

    /// Calls `see` with every entry, those with synthetic keys too, and begins again if the detector is cleared meanwhile.
    pub(crate) fn scan<T>(
        &self,
        state: &mut T,
        begin: impl Fn(&mut T),
        enter: impl Fn(&mut T, Segment<'_>),
        see: impl for<'g> Fn(&mut T, &'g Ledger, Partition<'g>, Moment, &'g Guard) -> Result<(), Refusal>,
    ) -> Result<(), Error> {
        'again: loop {
            begin(state);
            let (mut scan, mut of) = (Scan::default(), None);
            loop {
                let guard = epoch::pin();
                let (ledger, now) = (self.current.get(&guard), self.clock.now());
                if *of.get_or_insert(ledger.number) != ledger.number {
                    continue 'again;
                }
                for _ in 0..SEGMENTS_A_PIN {
                    let Ok(next) = scan.next(&ledger.partitions, &guard) else { continue 'again };
                    let Some(segment) = next else { return Ok(()) };
                    segment.chain().for_each(|segment| enter(state, segment));
                    for (_, _, found) in segment.chain().flat_map(|segment| segment.entries()) {
                        match see(state, ledger, found, now, &guard) {
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
