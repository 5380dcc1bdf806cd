//! The builder: a detector's settings, checked and put together.
//!
//! Each method only takes a value down. [`Builder::build`] checks all of them, so the order of the
//! calls does not matter, and an invalid value is reported once, with its argument's name.

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::warning::{Callback, Warning};
use crate::error::Error;
use crate::key::hash::Hashing;
use crate::key::redaction::Redaction;
use crate::ledger::Ledger;
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

/// The memory that bounded counting may be given, in bytes.
pub(crate) const FILTER_BYTES: RangeInclusive<u64> = 1 << 16..=1 << 40;
/// The shares of a threshold, in thousandths, from which a partition may come to be counted
/// exactly.
pub(crate) const PROMOTE_PERMILLE: RangeInclusive<u32> = 10..=500;
/// The share if none is set.
const PROMOTE_PERMILLE_DEFAULT: u32 = 250;

/// The longest window, in seconds.
pub(crate) const WINDOW_MAX: u32 = 3_600;

/// Collects the settings of a [`Detector`], and makes it with [`build`](Self::build). See
/// [`Detector::builder`].
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
    /// Returns a detector that only counts: without a callback, by the system's clock, with no
    /// bound of partitions.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new(writes_threshold: u64, reads_threshold: u64, window_seconds: u32) -> Result<Self, Error> {
        Self::builder(writes_threshold, reads_threshold, window_seconds).build()
    }

    /// Returns a builder with the three numbers that have no defaults: the counts from which a
    /// partition is hot, in `1..=2⁶³ − 1`, and the window, in `1..=3600` seconds.
    pub fn builder(writes_threshold: u64, reads_threshold: u64, window_seconds: u32) -> Builder {
        Builder::new(writes_threshold, reads_threshold, window_seconds)
    }

    /// Returns a builder for DynamoDB's own limits: 1,000 write units and 3,000 read units a second
    /// for a partition. It counts capacity (see [`Builder::capacity_mode`]) over a window of 60
    /// seconds. It warns when one second has reached its limit, or five seconds have reached
    /// `share` of theirs, such as 0.8.
    ///
    /// `processes` is the number of processes that make about even parts of the traffic; this one's
    /// limits are DynamoDB's divided by `processes`.
    ///
    /// ```
    /// let detector = hotpart::Detector::for_dynamodb(0.8, 1)?.build()?;
    /// detector.record_write("events", "EVENTS")?; // of one unit, which is two half units
    /// assert_eq!(detector.write_count("events", "EVENTS")?, 2);
    /// # Ok::<(), hotpart::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Invalid`] for a `share` not in `0.001..=1.0`, or for 0 `processes`.
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

    /// Returns the same builder for a share in thousandths. The window has no threshold, as its
    /// rules are of one second and of five.
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

    /// Counts capacity in place of operations. Amounts, thresholds, counts and warnings are then in
    /// half units, so that a read of half a unit is exact. A record without an amount adds one
    /// unit, which is 2.
    pub fn capacity_mode(mut self) -> Self {
        self.capacity = true;
        self
    }

    /// Sets how many processes record the same table's traffic, about evenly; at least 1, the
    /// default. Utilisation is judged by this process's share of DynamoDB's limits.
    pub fn processes(mut self, processes: u32) -> Self {
        self.processes = processes;
        self
    }

    /// Sets the thresholds of a single second, each in `1..=2⁶³ − 1`: a partition is hot if its
    /// current second reaches one, whatever the window has. `None`, the default: no such rule.
    pub fn second_thresholds(mut self, thresholds: Thresholds) -> Self {
        self.second = thresholds;
        self
    }

    /// Sets the thresholds of five seconds, the current one and the four before it, each in
    /// `1..=2⁶³ − 1`: a partition is hot if their sum reaches one, whatever the window has. `None`,
    /// the default: no such rule. Needs a window of at least 5 seconds.
    pub fn sustained_thresholds(mut self, thresholds: Thresholds) -> Self {
        self.sustained = thresholds;
        self
    }

    /// Sets whether throttles warn; off by default. The first throttle for the key range of a
    /// partition then gives a warning, and after it the first in each interval.
    pub fn warn_of_throttles(mut self, warn: bool) -> Self {
        self.warn_of_throttles = warn;
        self
    }

    /// Sets the callback. It gets each warning, on the thread whose record made it due, once that
    /// record is visible. Nothing is locked meanwhile, so it may use the detector; records made
    /// inside it count but call back no further. A panic in it is caught and counted in
    /// [`Statistics`](crate::Statistics).
    pub fn on_warning(mut self, callback: impl Fn(&Warning<'_>) + Send + Sync + 'static) -> Self {
        self.callback = match try_box(callback) {
            Ok(callback) => Ok(Some(callback)),
            Err(refused) => Err(refused.into()),
        };
        self
    }

    /// Sets the least time between two warnings for one partition and operation, in seconds. By
    /// default it is the window; with 0 every hot record warns.
    pub fn warning_interval_seconds(mut self, seconds: u32) -> Self {
        self.warning_interval_seconds = Some(seconds);
        self
    }

    /// Sets the window, in `1..=3600` seconds. [`Detector::for_dynamodb`] sets 60, and its rules
    /// need at least 5. Counts, lists and metrics are of the window, and [`Builder::memory`] must
    /// hold what comes in it.
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

    /// Sets how many partitions are tracked at most; 0, the default, for no bound. At the bound a
    /// new partition takes the place of an idle one, or of the quietest of a few. Throttles and
    /// tallies have as many places of their own.
    pub fn max_partitions(mut self, partitions: u64) -> Self {
        self.max_partitions = partitions;
        self
    }

    /// Sets the memory for bounded counting, in `65_536..=2⁴⁰` bytes; 0, the default, for none.
    /// Partitions are then counted in a filter of fixed size, and each exactly once it nears its
    /// threshold. No hot partition is missed, however many there are. [`Warning::carried`] says by
    /// how much a count may be too high. Each thread takes up to 17 KiB besides, for what it
    /// is about to insert and to free. Excludes [`Builder::max_partitions`].
    pub fn memory(mut self, bytes: u64) -> Self {
        self.filter_bytes = bytes;
        self
    }

    /// Sets the share of a partition's lowest threshold, in thousandths, from which it is counted
    /// exactly, with [`Builder::memory`]: in `10..=500`; 0, the default, is 250.
    pub fn promote_permille(mut self, permille: u32) -> Self {
        self.promote_permille = permille;
        self
    }

    /// Makes the clock start at 0, and stand still until [`Detector::set_time_ms`] moves it.
    pub fn manual_clock(mut self) -> Self {
        self.manual_clock = true;
        self
    }

    /// Hashes keys with this seed in place of a random one, so that equal calls have equal effects.
    /// Don't use it where strangers choose the keys: they could make them collide.
    pub fn hash_seed(mut self, seed: [u64; 2]) -> Self {
        self.hash_seed = Some(seed);
        self
    }

    /// Writes a hash in place of each partition key, wherever the library writes one as text: in
    /// metrics, and where a [`Warning`] is displayed. `key` is the secret of the hash; with `[0,
    /// 0]` it is a random one. Processes that share it write the same hash for a partition. A
    /// reader who has it can test guesses of what a hash stands for. Fields stay as they were
    /// recorded, and so does what `Debug` shows of them. See [`Detector::redacted`].
    pub fn redact_keys(mut self, key: [u64; 2]) -> Self {
        self.redaction = Some(key);
        self
    }

    /// Makes the detector.
    ///
    /// # Errors
    /// [`Error::Invalid`], which names the argument: if a threshold is not in `1..=2⁶³ − 1`; if the
    /// window is not in `1..=3600` seconds, or under 5 with thresholds of five seconds; if there
    /// are 0 processes; if the memory or its share is out of its range; if there is memory and a
    /// bound of partitions as well. [`Error::Memory`] if the allocator refuses.
    pub fn build(self) -> Result<Detector, Error> {
        self.check()?;
        // A rate without a threshold has one that is never reached.
        let rate = |thresholds: Thresholds| {
            Operation::ALL.map(|operation| thresholds.of(operation).unwrap_or(u64::MAX))
        };
        let interval = self.warning_interval_seconds.unwrap_or(self.window_seconds);
        let promote_permille =
            if self.promote_permille == 0 { PROMOTE_PERMILLE_DEFAULT } else { self.promote_permille };
        let rates = RateThresholds { second: rate(self.second), sustained: rate(self.sustained) };
        let thresholds = [self.writes_threshold, self.reads_threshold];
        let filter = (self.filter_bytes != 0)
            .then(|| {
                let floors = rates.floors(thresholds);
                FilterSettings::try_new(
                    self.filter_bytes,
                    Ledger::bytes(),
                    promote_permille,
                    self.window_seconds,
                    floors,
                )
            })
            .transpose()?;
        let settings = Settings {
            hashing: self.hash_seed.map_or_else(Hashing::random, Hashing::seeded),
            timing: Timing { window: self.window_seconds, interval_ms: u64::from(interval) * 1000 },
            filter,
            max_partitions: self.max_partitions,
            thresholds,
            rates,
            measure: Measure::try_new(self.capacity, self.processes)?,
            warn_of_throttles: self.warn_of_throttles,
            redaction: self.redaction.map(Redaction::new),
        };
        let clock = if self.manual_clock { Clock::manual() } else { Clock::monotonic() };
        Detector::from_parts(clock, settings, self.callback?)
    }

    /// Checks all settings but the number of processes, which `Measure` checks.
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
