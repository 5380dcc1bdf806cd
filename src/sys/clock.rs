//! The detector's time: it begins at about 0 when the detector is made, and never runs back.
//!
//! A record needs the time, and a precise clock costs more than the record. So the system's coarse
//! clock is read: it is a few milliseconds behind at most, which a window of whole seconds does not
//! notice. A manual clock stands at what it was last set to, so that tests and replays are exact.

use crate::argument::Argument;
use crate::error::Error;
use crate::sys::stamped::Stamped;
use crate::sys::sync::{AcqRel, Acquire, AtomicU64};

/// The last moment in which a detector can count, in ms: the end of second 2³² − 1.
pub(crate) const LAST_MS: u64 = 4_294_967_295_999;

/// The source of a detector's time.
#[derive(Debug)]
pub(crate) enum Clock {
    /// The system's coarse monotonic clock, counted from its second `start`.
    Monotonic { start: u64 },
    /// A clock that stands at what it was last set to: a [`Moment`]'s stamp.
    Manual(AtomicU64),
}

/// A moment by a detector's clock: its second, and nanoseconds of the next, in one word. A later
/// moment is a larger number. Seconds stop at 2³² − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(u64);

impl Moment {
    #[inline(always)]
    fn new(seconds: u64, nanos: u32) -> Self {
        let second = u32::try_from(seconds).unwrap_or(u32::MAX);
        Self(Stamped { second, value: nanos }.pack())
    }

    pub(crate) fn from_ms(ms: u64) -> Self {
        let ms = ms.min(LAST_MS);
        Self::new(ms / 1000, (ms % 1000) as u32 * 1_000_000)
    }

    pub(crate) fn from_us(us: u64) -> Self {
        Self::new(us / 1_000_000, (us % 1_000_000) as u32 * 1000)
    }

    /// Returns the whole seconds.
    #[inline(always)]
    pub(crate) fn second(self) -> u32 {
        Stamped::unpack(self.0).second
    }

    /// Returns the nanoseconds of the next second.
    fn nanos(self) -> u32 {
        Stamped::unpack(self.0).value
    }

    /// Returns the milliseconds since the clock's beginning.
    pub(crate) fn ms(self) -> u64 {
        u64::from(self.second()) * 1000 + u64::from(self.nanos() / 1_000_000)
    }

    /// Returns the microseconds since the clock's beginning.
    pub(crate) fn us(self) -> u64 {
        u64::from(self.second()) * 1_000_000 + u64::from(self.nanos() / 1000)
    }

    /// Returns the moment as a word, to be kept in an atomic and compared there.
    #[inline(always)]
    pub(crate) fn stamp(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(crate) fn of_stamp(stamp: u64) -> Self {
        Self(stamp)
    }
}

impl Clock {
    /// Makes a clock that runs by itself, from about 0.
    pub(crate) fn monotonic() -> Self {
        Clock::Monotonic { start: system().0 }
    }

    /// Makes a clock that stands at 0.
    pub(crate) fn manual() -> Self {
        Clock::Manual(AtomicU64::new(0))
    }

    /// Reads the clock.
    #[inline(always)]
    pub(crate) fn now(&self) -> Moment {
        match self {
            Clock::Monotonic { start } => {
                let (seconds, nanos) = system();
                Moment::new(seconds.saturating_sub(*start), nanos)
            }
            Clock::Manual(stamp) => Moment::of_stamp(stamp.load(Acquire)),
        }
    }

    /// Moves a manual clock forward to `now_ms`, which is in `0..=4_294_967_295_999`. An earlier
    /// time than the clock's changes nothing. Fails with [`Error::Unsupported`] for a clock that
    /// runs by itself.
    pub(crate) fn set_ms(&self, now_ms: u64) -> Result<(), Error> {
        let Clock::Manual(stamp) = self else {
            return Err(Error::Unsupported);
        };
        if now_ms > LAST_MS {
            return Err(Error::Invalid(Argument::NowMs));
        }
        stamp.fetch_max(Moment::from_ms(now_ms).stamp(), AcqRel);
        Ok(())
    }
}

/// Reads the system's clock: seconds, and nanoseconds of the next.
///
/// Linux's coarse clock costs less than the precise one and is a few milliseconds behind at most.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn system() -> (u64, u32) {
    read(libc::CLOCK_MONOTONIC_COARSE)
}

/// Reads Apple's nearest: monotonic, at the resolution of the last tick.
#[cfg(target_vendor = "apple")]
fn system() -> (u64, u32) {
    read(libc::CLOCK_MONOTONIC_RAW_APPROX)
}

/// Reads FreeBSD's nearest: a clock that favours speed over resolution.
#[cfg(target_os = "freebsd")]
fn system() -> (u64, u32) {
    read(libc::CLOCK_MONOTONIC_FAST)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd"))]
#[inline(always)]
fn read(id: libc::clockid_t) -> (u64, u32) {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place to write to. The call can only fail for a clock that the
    // kernel does not know, and then leaves `now` at zero.
    unsafe { libc::clock_gettime(id, &mut now) };
    (now.tv_sec as u64, now.tv_nsec as u32)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd")))]
fn system() -> (u64, u32) {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    let elapsed = START.get_or_init(Instant::now).elapsed();
    (elapsed.as_secs(), elapsed.subsec_nanos())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_starts_at_zero_and_never_runs_back() {
        let clock = Clock::manual();
        assert_eq!(clock.now().ms(), 0);
        clock.set_ms(61_500).unwrap();
        clock.set_ms(5).unwrap();
        assert_eq!((clock.now().ms(), clock.now().second()), (61_500, 61));
        assert_eq!(clock.set_ms(LAST_MS + 1), Err(Error::Invalid(Argument::NowMs)));
        clock.set_ms(LAST_MS).unwrap();
        assert_eq!((clock.now().second(), clock.now().ms()), (u32::MAX, LAST_MS));
    }

    #[test]
    fn a_monotonic_clock_starts_near_zero_and_can_not_be_set() {
        let clock = Clock::monotonic();
        assert_eq!(clock.set_ms(1), Err(Error::Unsupported));
        let first = clock.now();
        assert!(first.second() <= 2 && clock.now() >= first);
    }
}
