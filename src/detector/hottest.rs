//! The hottest partitions, found by a walk over the map while other threads record.
//!
//! The walk pins for 16 segments at a time, so that memory is reclaimed meanwhile. It meets every
//! entry that is there throughout. Each is read as it is at some moment of the walk, so a list is
//! no snapshot of one moment. If the detector is cleared meanwhile, the walk begins anew.

use crate::detector::Detector;
use crate::detector::hot_partition::HotPartition;
use crate::detector::top::{Choice, Sample, Top};
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
use crate::partition::series::Series;
use crate::reason::Reason;
use crate::sys::epoch;

/// The segments that are visited under one pin. Memory is reclaimed between two pins.
const SEGMENTS_PER_PIN: usize = 16;

impl Detector {
    /// Returns the `n` partitions with the most demand for an operation in the window, the most
    /// first; fewer if fewer have any. Other threads may record meanwhile: each partition is as it
    /// was at some moment of the call. Takes time in proportion to the partitions tracked.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn hottest(&self, operation: Operation, n: usize) -> Result<Vec<HotPartition>, Error> {
        Ok(self.top(operation, Choice { n, least: 0 })?.candidates)
    }

    /// Chooses partitions by their demand in the window.
    pub(crate) fn top(&self, operation: Operation, choice: Choice) -> Result<Top, Error> {
        let measure = self.settings.measure;
        let mut top = Top::new(choice, measure);
        let throttled = self.has_throttles();
        let begin = |top: &mut Top| *top = Top::new(choice, measure);
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
        Ok(top)
    }

    /// Returns whether a key range may ever have been throttled. If none was, no throttles are
    /// looked for.
    pub(crate) fn has_throttles(&self) -> bool {
        Counters::get(&self.counters.throttles[Reason::KeyRange as usize]) > 0
    }

    /// Samples a partition: its count, its fullest second, its throttles if there may be any, and
    /// what may be others' in these. Demand is the count and one operation or unit for each
    /// throttle.
    fn sample<'g>(
        &self,
        ledger: &Ledger,
        visit: Visit<'g>,
        key: Key<'g>,
        operation: Operation,
        throttled: bool,
    ) -> Result<Sample<'g>, Refusal> {
        let (mut count, mut peak) = self.count_and_peak(ledger, visit, key, operation)?;
        let mut throttles = (0, 0);
        if throttled {
            throttles = with_synthetic_key(Kind::Throttle(Reason::KeyRange), key, |synthetic| {
                self.bounds_of_throttles(ledger, visit, synthetic, operation)
            })?;
        }
        let carried_of = |found: Partition<'_>| {
            let alarm = found.alarm_if_any(visit.guard);
            let carried = alarm
                .map_or(Some(0), |alarm| alarm.carried(operation, visit.now.second(), visit.window() + 1));
            Some((!found.is_fresh()).then_some(carried))
        };
        let mut carried = 0;
        if self.is_filtered() {
            match ledger.look(key, self.settings.hashing.key(key), visit, carried_of)? {
                Some(Some(of_entry)) => carried = of_entry.map_or(count, |carried| count.min(carried.into())),
                // An entry that is being promoted, or none where only throttles are: the cells have
                // a part of the count, or all of it.
                Some(None) | None => {
                    let (least, most) = ledger.bounds(key, operation, visit)?;
                    (count, peak, carried) = (most, most, most - least);
                }
            }
        }
        let ((known, throttles), one) = (throttles, u64::from(self.settings.measure.one()));
        let demand = count.saturating_add(throttles.saturating_mul(one));
        let carried = carried.saturating_add((throttles - known).saturating_mul(one));
        Ok(Sample { key, count, throttles, is_throttled: known > 0, demand, peak, carried })
    }

    /// Returns the least and the most throttles that a synthetic key has, by its cells and its
    /// entry.
    fn bounds_of_throttles(
        &self,
        ledger: &Ledger,
        visit: Visit<'_>,
        synthetic: Key<'_>,
        operation: Operation,
    ) -> Result<(u64, u64), Refusal> {
        if self.is_filtered() {
            return ledger.bounds(synthetic, operation, visit);
        }
        let (throttles, _) = self.count_and_peak(ledger, visit, synthetic, operation)?;
        Ok((throttles, throttles))
    }

    /// Returns the count of one key in the window, and its fullest second; zeros for a key that is
    /// not tracked.
    fn count_and_peak(
        &self,
        ledger: &Ledger,
        visit: Visit<'_>,
        key: Key<'_>,
        operation: Operation,
    ) -> Result<(u64, u64), Refusal> {
        self.read(ledger, visit, key, operation, |series| series.count_and_peak(visit.now.second()))
    }

    /// Returns a count and a fullest second that `read` finds of one key; zeros for a key that is
    /// not tracked.
    pub(crate) fn read(
        &self,
        ledger: &Ledger,
        visit: Visit<'_>,
        key: Key<'_>,
        operation: Operation,
        read: impl Fn(Series<'_>) -> Option<(u64, u64)>,
    ) -> Result<(u64, u64), Refusal> {
        let read = |found: Partition<'_>| read(found.series(operation, visit.window(), visit.guard));
        let hash = self.settings.hashing.key(key);
        Ok(ledger.look(key, hash, visit, read)?.unwrap_or((0, 0)))
    }

    /// Calls `see` with every entry, synthetic keys included, and `enter` with every segment. It
    /// calls `begin` first, and again whenever it begins anew because the detector was cleared.
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
                // Another ledger is current than the one in which the walk began.
                if *walked.get_or_insert(ledger.number) != ledger.number {
                    continue 'again;
                }
                for _ in 0..SEGMENTS_PER_PIN {
                    // The map refuses if it was cleared since the pin.
                    let Ok(next) = scan.next(&ledger.partitions, &guard) else { continue 'again };
                    let Some(segment) = next else { return Ok(()) };
                    // A segment may be a chain of several, where one has no room for keys of the
                    // same position.
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
