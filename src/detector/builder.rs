//! The builder: a detector's settings, checked and put together.

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::warning::{Callback, Warning};
use crate::error::Error;
use crate::key::hash::Hashing;
use crate::key::redaction::Redaction;
use crate::ledger::settings::{FilterSettings, Settings};
use crate::operation::Operation;
use crate::partition::content::Timing;
use crate::partition::series::SUSTAINED;
use crate::policy::measure::Measure;
use crate::policy::rule::RateThresholds;
use crate::policy::thresholds::{THRESHOLD_MAX, Thresholds};
use crate::sys::clock::Clock;
use crate::sys::memory::try_box;
use std::ops::RangeInclusive;

/// The least memory for bounded counting, and the most.
pub(crate) const FILTER_BYTES: RangeInclusive<u64> = 1 << 16..=1 << 40;
/// The shares of a threshold, in thousandths, at which a partition may come to be counted exactly.
pub(crate) const PROMOTE_PERMILLE: RangeInclusive<u32> = 10..=500;
const PROMOTE_PERMILLE_DEFAULT: u32 = 250;

/// The longest window, in seconds.
pub(crate) const WINDOW_MAX: u32 = 3_600;

/// Makes a [`Detector`]; see [`Detector::builder`].
#[must_use]
pub struct Builder {
    pub(crate) writes_threshold: u64,
    pub(crate) reads_threshold: u64,
    pub(crate) window_seconds: u32,
    pub(crate) warning_interval_seconds: Option<u32>,
    pub(crate) callback: Result<Option<Callback>, Error>,
    pub(crate) max_partitions: u64,
    pub(crate) manual_clock: bool,
    pub(crate) hash_seed: Option<[u64; 2]>,
    pub(crate) capacity: bool,
    pub(crate) processes: u32,
    pub(crate) second: Thresholds,
    pub(crate) sustained: Thresholds,
    pub(crate) warn_of_throttles: bool,
    pub(crate) redaction: Option<[u64; 2]>,
    pub(crate) filter_bytes: u64,
    pub(crate) promote_permille: u32,
}

impl Detector {
    /// A detector that only counts: no callback, the system's clock, no bound.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new(writes_threshold: u64, reads_threshold: u64, window_seconds: u32) -> Result<Self, Error> {
        Self::builder(writes_threshold, reads_threshold, window_seconds).build()
    }

    /// A builder, from the three numbers that have no defaults: the counts from which a partition
    /// is hot (1 to 2⁶³ − 1), and the window (1 to 3,600 seconds).
    pub fn builder(writes_threshold: u64, reads_threshold: u64, window_seconds: u32) -> Builder {
        Builder::new(writes_threshold, reads_threshold, window_seconds)
    }

    /// A builder for DynamoDB's own limits: 1,000 write units and 3,000 read units a second for a partition, of which
    /// this is one of `processes` that take their even share (1: all of it). It counts capacity
    /// (see [`Builder::capacity_mode`]) over a window of 60 seconds, and warns when the current second has reached its
    /// limit, or five seconds have reached `share` of theirs, such as 0.8.
    ///
    /// ```
    /// let detector = hotpart::Detector::for_dynamodb(0.8, 1)?.build()?;
    /// detector.record_write("events", "EVENTS")?; // of one unit, which is two half units
    /// assert_eq!(detector.write_count("events", "EVENTS")?, 2);
    /// # Ok::<(), hotpart::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a share not of 0.001 to 1, or no processes.
    pub fn for_dynamodb(share: f64, processes: u32) -> Result<Builder, Error> {
        if !(0.001..=1.0).contains(&share) {
            return Err(Error::Invalid(Argument::Share));
        }
        Builder::for_dynamodb((share * 1_000.0).round() as u32, processes)
    }
}

impl Builder {
    pub(crate) fn new(writes_threshold: u64, reads_threshold: u64, window_seconds: u32) -> Self {
        Self {
            writes_threshold,
            reads_threshold,
            window_seconds,
            warning_interval_seconds: None,
            callback: Ok(None),
            max_partitions: 0,
            manual_clock: false,
            hash_seed: None,
            capacity: false,
            processes: 1,
            second: Thresholds::default(),
            sustained: Thresholds::default(),
            warn_of_throttles: false,
            redaction: None,
            filter_bytes: 0,
            promote_permille: 0,
        }
    }

    /// DynamoDB's own limits for a partition, 1,000 write units and 3,000 read units a second, as far as one of
    /// so many like processes may take them: warns at `share` thousandths of a limit over five seconds and at
    /// all of it in one. In capacity mode, with a window of 60 seconds that has no threshold.
    pub(crate) fn for_dynamodb(share_permille: u32, processes: u32) -> Result<Self, Error> {
        let measure = Measure::try_new(true, processes)?;
        if !(1..=1_000).contains(&share_permille) {
            return Err(Error::Invalid(Argument::SharePermille));
        }
        let limits = |permille, seconds| {
            let [writes, reads] =
                Operation::ALL.map(|operation| Some(measure.share(operation, permille, seconds)));
            Thresholds { writes, reads }
        };
        let (second, sustained) = (limits(1_000, 1), limits(share_permille, SUSTAINED));
        let builder = Self::new(THRESHOLD_MAX, THRESHOLD_MAX, 60);
        Ok(Self { capacity: true, processes, second, sustained, ..builder })
    }

    /// Counts capacity, in half units, and not operations: amounts, thresholds, counts and warnings are then in half
    /// units, so that a read of half a unit is exact. A record without an amount adds one unit, which is 2.
    pub fn capacity_mode(mut self) -> Self {
        self.capacity = true;
        self
    }

    /// Sets how many processes record the same table's traffic, about evenly: this one's share of DynamoDB's limits is what
    /// utilisation is judged by. At least 1, the default.
    pub fn processes(mut self, processes: u32) -> Self {
        self.processes = processes;
        self
    }

    /// Sets what one second of a partition must have to be hot, whatever the window has. `None`, the default: no
    /// such rule.
    pub fn second_thresholds(mut self, thresholds: Thresholds) -> Self {
        self.second = thresholds;
        self
    }

    /// Sets what five seconds of a partition, the current one and the four before it, must have to be hot, whatever the
    /// window has. `None`, the default: no such rule. Needs a window of 5 seconds or more.
    pub fn sustained_thresholds(mut self, thresholds: Thresholds) -> Self {
        self.sustained = thresholds;
        self
    }

    /// Sets whether the first throttle for the key range of a partition gives a warning, and then the first in each
    /// interval.
    pub fn warn_of_throttles(mut self, warn: bool) -> Self {
        self.warn_of_throttles = warn;
        self
    }

    /// Sets the callback. It gets each warning, on the thread whose record was due one, after the record is
    /// visible. Nothing is locked meanwhile, so it may use the detector; records made inside it count
    /// but call back no further. A panic in it is caught and counted in
    /// [`Statistics`](crate::Statistics).
    pub fn on_warning(mut self, callback: impl Fn(&Warning<'_>) + Send + Sync + 'static) -> Self {
        self.callback = match try_box(callback) {
            Ok(callback) => Ok(Some(callback)),
            Err(refused) => Err(refused.into()),
        };
        self
    }

    /// Seconds between two warnings for one partition and operation. By default the window; 0: every
    /// hot record warns.
    pub fn warning_interval_seconds(mut self, seconds: u32) -> Self {
        self.warning_interval_seconds = Some(seconds);
        self
    }

    /// Sets the window, of 1 to 3,600 seconds: of [`Detector::for_dynamodb`] it is 60, and 5 is the least that its rules need. Counts,
    /// lists and metrics are of the window, and so is what [`Builder::memory`] must hold.
    ///
    /// ```
    /// let builder = hotpart::Detector::for_dynamodb(0.8, 1)?.window_seconds(5).memory(1 << 20);
    /// assert_eq!(builder.build()?.window_seconds(), 5);
    /// # Ok::<(), hotpart::Error>(())
    /// ```
    pub fn window_seconds(mut self, seconds: u32) -> Self {
        self.window_seconds = seconds;
        self
    }

    /// Sets how many partitions are tracked at most; 0, the default, for no bound. At the bound a new
    /// partition takes the place of an idle one, or of the quietest of a few. Throttles and tallies have as many places, apart.
    pub fn max_partitions(mut self, partitions: u64) -> Self {
        self.max_partitions = partitions;
        self
    }

    /// Sets the memory, in bytes, for bounded counting: 65,536 to 2⁴⁰; 0, the default, for none. Partitions are then counted in
    /// a filter of fixed size, and each exactly once it nears its threshold: no hot partition is missed, however many
    /// there are, and a [`Warning`] says in `carried` by how much its count may be too high. Each thread takes up to some
    /// 20 KiB besides, for what it is about to put in and to free. Excludes [`Builder::max_partitions`].
    pub fn memory(mut self, bytes: u64) -> Self {
        self.filter_bytes = bytes;
        self
    }

    /// Sets the share of its threshold, in thousandths, from which a partition is counted exactly, with
    /// [`Builder::memory`]: 10 to 500; 0, the default, is 250.
    pub fn promote_permille(mut self, permille: u32) -> Self {
        self.promote_permille = permille;
        self
    }

    /// A clock that starts at 0 and stands still until [`Detector::set_time_ms`] moves it.
    pub fn manual_clock(mut self) -> Self {
        self.manual_clock = true;
        self
    }

    /// Hash keys with this seed and not a random one, so that equal calls have equal effects.
    /// Not where strangers choose the keys: they could make them collide.
    pub fn hash_seed(mut self, seed: [u64; 2]) -> Self {
        self.hash_seed = Some(seed);
        self
    }

    /// Writes a hash in place of each partition key, wherever the library writes one as text: in metrics, and where a
    /// [`Warning`] is displayed. Whoever has this secret key can compute what stands for a partition, so that processes
    /// that share it agree, and can guess at what a hash stands for; with `[0, 0]` it is a random one. Fields stay
    /// as they were recorded, and so does what `Debug` shows of them. See [`Detector::redacted`].
    pub fn redact_keys(mut self, key: [u64; 2]) -> Self {
        self.redaction = Some(key);
        self
    }

    /// Makes the detector.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a threshold is not of 1 to 2⁶³ − 1 or the window not of 1 to 3,600
    /// seconds, or of under 5 with a threshold for five; if there are no processes; if the filter's memory or share is out of
    /// its range, or there is a bound as well; [`Error::Memory`] if the allocator refuses.
    pub fn build(self) -> Result<Detector, Error> {
        self.check()?;
        let rate = |thresholds: Thresholds| {
            Operation::ALL.map(|operation| thresholds.of(operation).unwrap_or(u64::MAX))
        };
        let interval = self.warning_interval_seconds.unwrap_or(self.window_seconds);
        let promote_permille =
            if self.promote_permille == 0 { PROMOTE_PERMILLE_DEFAULT } else { self.promote_permille };
        let settings = Settings {
            hashing: self.hash_seed.map_or_else(Hashing::random, Hashing::seeded),
            timing: Timing { window: self.window_seconds, interval_ms: u64::from(interval) * 1000 },
            filter: (self.filter_bytes != 0)
                .then(|| FilterSettings::new(self.filter_bytes, promote_permille)),
            max_partitions: self.max_partitions,
            thresholds: [self.writes_threshold, self.reads_threshold],
            rates: RateThresholds { second: rate(self.second), sustained: rate(self.sustained) },
            measure: Measure::try_new(self.capacity, self.processes)?,
            warn_of_throttles: self.warn_of_throttles,
            redaction: self.redaction.map(Redaction::new),
        };
        let clock = if self.manual_clock { Clock::manual() } else { Clock::monotonic() };
        Detector::from_parts(clock, settings, self.callback?)
    }

    fn check(&self) -> Result<(), Error> {
        let own = Thresholds { writes: Some(self.writes_threshold), reads: Some(self.reads_threshold) };
        own.check([Argument::WritesThreshold, Argument::ReadsThreshold])?;
        if !(1..=WINDOW_MAX).contains(&self.window_seconds) {
            return Err(Error::Invalid(Argument::WindowSeconds));
        }
        self.second.check([Argument::WritesPerSecond, Argument::ReadsPerSecond])?;
        self.sustained.check([Argument::WritesSustained, Argument::ReadsSustained])?;
        if self.sustained != Thresholds::default() && self.window_seconds < SUSTAINED {
            return Err(Error::Invalid(Argument::WindowSecondsSustained));
        }
        if self.filter_bytes != 0 && !FILTER_BYTES.contains(&self.filter_bytes) {
            return Err(Error::Invalid(Argument::FilterBytes));
        }
        if self.filter_bytes != 0 && self.max_partitions != 0 {
            return Err(Error::Invalid(Argument::FilterOrBound));
        }
        if self.promote_permille != 0 && !PROMOTE_PERMILLE.contains(&self.promote_permille) {
            return Err(Error::Invalid(Argument::PromotePermille));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("writes_threshold", &self.writes_threshold)
            .field("reads_threshold", &self.reads_threshold)
            .field("window_seconds", &self.window_seconds)
            .finish_non_exhaustive()
    }
}
