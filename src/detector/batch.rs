//! Many records in one call.
//!
//! The idea: a record of one of many partitions mostly waits for memory. Single calls wait one
//! after the other. A batch first asks for the memory of up to 64 records at once, and then makes
//! them, one by one, while the loads are under way. All 64 share one look at the clock and one pin.
//!
//! A batch stops in two cases. For a warning it lets go of the pin, calls back, and goes on. If
//! memory runs out it ends, and tells how many were recorded.

use crate::detector::Detector;
use crate::detector::delivery::{Delivery, Listener};
use crate::detector::record::Record;
use crate::detector::warning::Warning;
use crate::error::Error;
use crate::key::Key;
use crate::key::hash::{Hash, Hashing, Prefix};
use crate::ledger::recorded::Unfinished;
use crate::ledger::visit::Visit;
use crate::ledger::{Ledger, Posting};
use crate::operation::Operation;
use crate::partition::Partition;
use crate::partition::label::Label;
use crate::sys::epoch;
use std::hint::black_box;
use std::ops::Range;

/// The records that are under way at once, whose memory is all asked for before the first of them
/// is made. It is more than a core has loads in flight, so that those are never fewer than they
/// could be.
const CHUNK: usize = 64;

/// Hashes keys, and remembers the last table: most batches are for one table, whose name is in one
/// place.
struct Hasher<'a, 'd> {
    hashing: &'d Hashing,
    table: &'a [u8],
    prefix: Prefix,
}

impl<'a, 'd> Hasher<'a, 'd> {
    fn new(hashing: &'d Hashing) -> Self {
        Self { hashing, table: &[], prefix: hashing.prefix(&[]) }
    }

    #[inline(always)]
    fn hash(&mut self, key: Key<'a>) -> Hash {
        // By address, which is cheap: an equal name in another place is only hashed again.
        if !std::ptr::eq(self.table, key.table) {
            (self.table, self.prefix) = (key.table, self.hashing.prefix(key.table));
        }
        self.prefix.key(key.pk)
    }
}

/// The reason for which a run of records stopped.
enum Stop<'a> {
    /// A warning is due. The number counts the records that were made, that of the warning
    /// included.
    Warning(usize, Warning<'a>),
    /// A record was refused. The number counts the records that were made before it.
    Refused(usize, Error),
}

impl Detector {
    /// Records all of `records`, or none if one of them is not valid. Warnings go to the callback.
    /// Returns how many were recorded, which is fewer than there are only if memory ran out on the
    /// way.
    ///
    /// # Errors
    /// As [`Detector::record`]; [`Error::Memory`] if it ran out at the first.
    pub fn record_batch(&self, records: &[Record<'_>]) -> Result<usize, Error> {
        self.record_each(records.len(), |i| records[i].check(), |i| records[i], &mut Listener::Callback)
    }

    /// Does the same for `n` records: `check` says whether a record is valid, and `nth` then
    /// returns it. It may be asked for several times.
    #[inline(always)]
    pub(crate) fn record_each<'a, E: From<Error>>(
        &self,
        n: usize,
        check: impl Fn(usize) -> Result<(), E>,
        nth: impl Fn(usize) -> Record<'a>,
        listener: &mut Listener<'_>,
    ) -> Result<usize, E> {
        (0..n).try_for_each(check)?;
        if self.is_filtered() {
            return Ok(self.record_valid_filtered(n, nth, listener)?);
        }
        Ok(self.record_valid::<false>(n, nth, listener)?)
    }

    /// Does the same by a filter. A function of its own, so that the other way is not slowed by its
    /// code.
    #[inline(never)]
    fn record_valid_filtered<'a>(
        &self,
        n: usize,
        nth: impl Fn(usize) -> Record<'a>,
        listener: &mut Listener<'_>,
    ) -> Result<usize, Error> {
        self.record_valid::<true>(n, nth, listener)
    }

    /// Records in runs of [`CHUNK`], each under a pin of its own; a warning ends a run early.
    #[inline(always)]
    fn record_valid<'a, const FILTERED: bool>(
        &self,
        n: usize,
        nth: impl Fn(usize) -> Record<'a>,
        listener: &mut Listener<'_>,
    ) -> Result<usize, Error> {
        let delivery = listener.delivery();
        let (mut done, mut hasher) = (0, Hasher::new(&self.settings.hashing));
        while done < n {
            let run = done..n.min(done + CHUNK);
            match self.record_run::<FILTERED>(run.clone(), &nth, &mut hasher, delivery) {
                Ok(()) => {
                    self.records.add(epoch::block(), run.len() as u64);
                    done = run.end;
                }
                Err(Stop::Warning(len, warning)) => {
                    self.records.add(epoch::block(), len as u64);
                    done += len;
                    listener.hear(self, &warning);
                }
                Err(Stop::Refused(0, refused)) if done == 0 => return Err(refused),
                Err(Stop::Refused(len, _)) => {
                    self.records.add(epoch::block(), len as u64);
                    return Ok(done + len);
                }
            }
        }
        Ok(n)
    }

    /// Records all of a run, or until a record warns or is refused.
    ///
    /// 1. Hashes all keys, and notes which are equal to the one before.
    /// 2. Asks for the memory in which they are, if the map is too large for the cache.
    /// 3. Makes the records, by the fast path and, where that is not enough, by `finish`.
    #[expect(clippy::result_large_err)] // Few runs stop, and a box could fail.
    #[inline(always)]
    fn record_run<'a, const FILTERED: bool>(
        &self,
        run: Range<usize>,
        nth: impl Fn(usize) -> Record<'a>,
        hasher: &mut Hasher<'a, '_>,
        delivery: Delivery,
    ) -> Result<(), Stop<'a>> {
        let (guard, now) = (epoch::pin(), self.clock.now());
        let ledger = if FILTERED { self.current.get(&guard) } else { self.current.get_unfiltered(&guard) };
        // 1. A record whose key is that of the record before needs neither a hash nor a look for
        //    its partition.
        let (mut hashes, mut repeated) = ([Hash::new(0); CHUNK], [false; CHUNK]);
        let mut last: Option<(Key<'a>, Hash)> = None;
        for ((hash, repeated), i) in hashes.iter_mut().zip(&mut repeated).zip(run.clone()) {
            let key = nth(i).key();
            *hash = match last {
                Some((last, hash)) if last == key => {
                    *repeated = true;
                    hash
                }
                _ => hasher.hash(key),
            };
            last = Some((key, *hash));
        }
        // 2. With a filter, each key's two cells; without one, the entries, unless the cache has
        //    them all.
        if let Some(filtering) = &ledger.filtering {
            for (&hash, i) in hashes.iter().zip(run.clone()) {
                filtering.pair(hash, nth(i).operation).prefetch();
            }
        } else if ledger.partitions.is_large() {
            prefetch(
                ledger,
                &hashes[..run.len()],
                run.clone().map(|i| nth(i).key()),
                self.visit(now, &guard),
            );
        }
        // 3. One record after the other.
        let first = run.start;
        let mut last = None;
        // Kept in memory: left to itself, the compiler works them out anew at each record.
        let floors = black_box(Operation::ALL.map(|operation| ledger.overrides.floor(operation)));
        for ((&hash, &repeated), i) in hashes.iter().zip(&repeated).zip(run) {
            // Made anew where it is needed again: that is seldom, and to keep it costs more.
            let posting = || nth(i).posting(hash, self.settings.measure);
            // If the partition has moved or gone since it was found, its head is frozen, and the
            // add fails.
            let found = match last {
                Some(last) if repeated => Some(last),
                _ if FILTERED => None,
                _ => ledger.partitions.find_fast(hash, posting().key, &guard),
            };
            let recorded = match found {
                Some(found) => {
                    let floor = floors[posting().operation.index()];
                    ledger.add_fast_by(floor, found, posting(), self.visit(now, &guard))
                }
                None if FILTERED => {
                    let Posting { hash, operation, amount, .. } = posting();
                    self.record_in_cells(hash, operation, amount, now).or_else(|not_cold| {
                        ledger.record_not_cold_fast(not_cold, posting(), self.visit(now, &guard))
                    })
                }
                None => Err(Unfinished::Missing),
            };
            let Err(unfinished) = recorded else {
                last = found;
                continue;
            };
            last = None;
            match self.finish(ledger, unfinished, &posting(), self.visit(now, &guard), delivery) {
                Ok((_, None)) => {}
                Ok((_, Some(warning))) => return Err(Stop::Warning(i + 1 - first, warning)),
                Err(refused) => return Err(Stop::Refused(i - first, refused)),
            }
        }
        Ok(())
    }
}

/// Asks for the memory where the partitions of these keys are, for all at once. Three rounds: the
/// places where they mostly are and what tells where else; the entries; and what hangs on those
/// that are elsewhere.
#[inline(always)]
fn prefetch<'a>(ledger: &Ledger, hashes: &[Hash], keys: impl Iterator<Item = Key<'a>>, visit: Visit<'_>) {
    for &hash in hashes {
        ledger.partitions.prefetch_home(hash, visit.guard);
    }
    let mut elsewhere = [None; CHUNK];
    let past = |found: Partition<'_>| found.prefetch_past(visit.now.second(), visit.window());
    for ((&hash, key), elsewhere) in hashes.iter().zip(keys).zip(&mut elsewhere) {
        match ledger.partitions.prefetch_entry(hash, Label::new(hash.position, key), visit.guard) {
            Some((found, true)) => past(found),
            Some((found, false)) => *elsewhere = Some(found),
            None => {}
        }
    }
    elsewhere.into_iter().flatten().for_each(past);
}
