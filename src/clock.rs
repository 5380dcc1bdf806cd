//! The detector's time: milliseconds since it was made, never running back.

use crate::error::Error;
use crate::sync::{AcqRel, Acquire, AtomicU64};

/// The last moment a detector can count in: the end of second 2³² − 1.
pub(crate) const LAST_MS: u64 = 4_294_967_295_999;

/// Where a detector's time comes from.
#[derive(Debug)]
pub(crate) enum Clock {
    /// The system's coarse monotonic clock, from the moment given in its milliseconds.
    Monotonic { start_ms: u64 },
    /// Stands at what it was last set to.
    Manual(AtomicU64),
}

/// A moment by a detector's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) ms: u64,
    /// The whole second that `ms` lies in.
    pub(crate) second: u32,
}

impl Moment {
    #[inline(always)]
    pub(crate) fn from_ms(ms: u64) -> Self {
        let ms = ms.min(LAST_MS);
        Self { ms, second: (ms / 1000) as u32 }
    }
}

impl Clock {
    pub(crate) fn monotonic() -> Self {
        Clock::Monotonic { start_ms: system_ms() }
    }

    pub(crate) fn manual() -> Self {
        Clock::Manual(AtomicU64::new(0))
    }

    #[inline(always)]
    pub(crate) fn now(&self) -> Moment {
        Moment::from_ms(match self {
            Clock::Monotonic { start_ms } => system_ms().saturating_sub(*start_ms),
            Clock::Manual(ms) => ms.load(Acquire),
        })
    }

    /// Moves a manual clock forward; an earlier time changes nothing.
    pub(crate) fn set_ms(&self, now_ms: u64) -> Result<(), Error> {
        let Clock::Manual(ms) = self else {
            return Err(Error::Unsupported);
        };
        if now_ms > LAST_MS {
            return Err(Error::Invalid);
        }
        ms.fetch_max(now_ms, AcqRel);
        Ok(())
    }
}

/// Linux's coarse clock costs less than the precise one and is a few milliseconds behind at
/// most, which a window of whole seconds does not notice.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn system_ms() -> u64 {
    clock_ms(libc::CLOCK_MONOTONIC_COARSE)
}

/// Apple's nearest: monotonic, read at the resolution of the last tick.
#[cfg(target_vendor = "apple")]
fn system_ms() -> u64 {
    clock_ms(libc::CLOCK_MONOTONIC_RAW_APPROX)
}

/// FreeBSD's nearest: a clock that favours speed over resolution.
#[cfg(target_os = "freebsd")]
fn system_ms() -> u64 {
    clock_ms(libc::CLOCK_MONOTONIC_FAST)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd"))]
fn clock_ms(id: libc::clockid_t) -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is a valid place to write to. The call can only fail for a clock that the
    // kernel does not know, and then leaves `now` at zero.
    unsafe { libc::clock_gettime(id, &mut now) };
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", target_os = "freebsd")))]
fn system_ms() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_starts_at_zero_and_never_runs_back() {
        let clock = Clock::manual();
        assert_eq!(clock.now().ms, 0);
        clock.set_ms(61_500).unwrap();
        clock.set_ms(5).unwrap();
        assert_eq!(clock.now(), Moment { ms: 61_500, second: 61 });
        assert_eq!(clock.set_ms(LAST_MS + 1), Err(Error::Invalid));
        clock.set_ms(LAST_MS).unwrap();
        assert_eq!(clock.now().second, u32::MAX);
    }

    #[test]
    fn a_monotonic_clock_starts_near_zero_and_can_not_be_set() {
        let clock = Clock::monotonic();
        assert_eq!(clock.set_ms(1), Err(Error::Unsupported));
        let first = clock.now();
        assert!(clock.now().ms >= first.ms);
    }
}
