//! Stalls: a thread stands still at whatever instruction it has come to, as if the scheduler had
//! taken it off its core just there.
//!
//! A timer of the thread's own sends it a signal, whose handler sleeps. So places where a stall
//! does harm, some nanoseconds long, are hit thousands of times a second, and not once a day; and a
//! machine that has but one core to spare hits them as well.

use crate::common::Random;
use std::ops::RangeInclusive;

#[cfg(target_os = "linux")]
mod by_timer {
    use super::{Random, RangeInclusive};
    use std::cell::Cell;
    use std::ptr::null_mut;

    const SIGNAL: libc::c_int = libc::SIGUSR1;

    thread_local! {
        /// How long the next handler on this thread sleeps.
        static MICROSECONDS: Cell<libc::suseconds_t> = const { Cell::new(0) };
        /// How many there were.
        static STALLS: Cell<u64> = const { Cell::new(0) };
    }

    /// Sleeps, by one of the functions that POSIX allows in a handler.
    extern "C" fn stand_still(_: libc::c_int) {
        STALLS.set(STALLS.get() + 1);
        let mut time = libc::timeval { tv_sec: 0, tv_usec: MICROSECONDS.get() };
        // SAFETY: there are no descriptors, and the time lives here.
        unsafe { libc::select(0, null_mut(), null_mut(), null_mut(), &mut time) };
    }

    /// Stalls the thread that made it.
    pub struct Stall {
        timer: libc::timer_t,
        microseconds: RangeInclusive<usize>,
    }

    impl Stall {
        pub fn new(microseconds: RangeInclusive<usize>) -> Self {
            let mut timer = null_mut();
            // SAFETY: all zeros are a valid action and event; what is written to lives here; and
            // the handler touches thread-locals without destructors alone.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                action.sa_sigaction = stand_still as extern "C" fn(libc::c_int) as usize;
                action.sa_flags = libc::SA_RESTART;
                assert_eq!(libc::sigaction(SIGNAL, &action, null_mut()), 0);
                let mut event: libc::sigevent = std::mem::zeroed();
                (event.sigev_notify, event.sigev_signo) = (libc::SIGEV_THREAD_ID, SIGNAL);
                event.sigev_notify_thread_id = libc::gettid();
                assert_eq!(libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer), 0);
                // Else each sleep is 50 microseconds longer.
                libc::prctl(libc::PR_SET_TIMERSLACK, 1_usize);
            }
            Self { timer, microseconds }
        }

        /// Stalls this thread once, within the next nanoseconds.
        pub fn soon(&self, nanoseconds: usize, random: &mut Random) {
            let (least, most) = (self.microseconds.start(), self.microseconds.end());
            MICROSECONDS.set((least + random.below(most - least + 1)) as _);
            // SAFETY: all zeros are a valid time, and the timer lives.
            unsafe {
                let mut once: libc::itimerspec = std::mem::zeroed();
                once.it_value.tv_nsec = 1 + random.below(nanoseconds) as libc::c_long;
                assert_eq!(libc::timer_settime(self.timer, 0, &once, null_mut()), 0);
            }
        }

        /// How often this thread was stalled.
        pub fn stalls(&self) -> u64 {
            STALLS.get()
        }
    }

    impl Drop for Stall {
        fn drop(&mut self) {
            // SAFETY: nobody uses it any more.
            unsafe { libc::timer_delete(self.timer) };
        }
    }
}

#[cfg(target_os = "linux")]
pub use by_timer::Stall;

/// Where threads have no timers of their own, they are only stopped when the scheduler stops them.
#[cfg(not(target_os = "linux"))]
pub struct Stall;

#[cfg(not(target_os = "linux"))]
impl Stall {
    pub fn new(_: RangeInclusive<usize>) -> Self {
        println!("no thread is stalled: its signals need Linux's timers");
        Self
    }

    pub fn soon(&self, _: usize, _: &mut Random) {}

    pub fn stalls(&self) -> u64 {
        0
    }
}
