//! Signals that interrupt system calls: the library makes none that could fail of it.
#![cfg(target_os = "linux")]

mod common;

use common::{THREADS, manual, race};
use hotpart::{Detector, Metrics, Operation};
use std::cell::Cell;
use std::ptr::null_mut;

thread_local! {
    static SIGNALS: Cell<u64> = const { Cell::new(0) };
}

extern "C" fn count(_: libc::c_int) {
    SIGNALS.set(SIGNALS.get() + 1);
}

/// A timer that interrupts the thread that made it, over and over.
struct Timer(libc::timer_t);

impl Timer {
    fn every_ns(ns: i64) -> Self {
        let mut timer = null_mut();
        // SAFETY: all zeros are a valid event and time; what is written to lives here.
        unsafe {
            let mut event: libc::sigevent = std::mem::zeroed();
            (event.sigev_notify, event.sigev_signo) = (libc::SIGEV_THREAD_ID, libc::SIGUSR1);
            event.sigev_notify_thread_id = libc::gettid();
            assert_eq!(libc::timer_create(libc::CLOCK_MONOTONIC, &mut event, &mut timer), 0);
            let mut often: libc::itimerspec = std::mem::zeroed();
            (often.it_interval.tv_nsec, often.it_value.tv_nsec) = (ns, ns);
            assert_eq!(libc::timer_settime(timer, 0, &often, null_mut()), 0);
        }
        Self(timer)
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: nobody uses it any more.
        unsafe { libc::timer_delete(self.0) };
    }
}

/// No SA_RESTART: a system call that is interrupted fails and says so.
fn handle_signals() {
    // SAFETY: all zeros are a valid action, and the handler only touches a thread-local without a
    // destructor.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as extern "C" fn(libc::c_int) as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, null_mut()), 0);
    }
}

/// Every kind of call on a detector that all share, and on one that is this thread's alone.
fn call(shared: &Detector, thread: usize, calls: u64) {
    assert!(shared.record_write("t", "shared").is_ok());
    assert!(shared.record_read("t", (thread as u64 * 1_000_000 + calls).to_le_bytes()).is_ok());
    if calls.is_multiple_of(50) {
        assert!(!shared.hottest(Operation::Write, 3).unwrap().is_empty());
        assert!(shared.metrics(&Metrics::default()).unwrap().contains("hotpart_records_total"));
        let own = Detector::new(1, 1, 60).unwrap();
        assert!((1..1_000).all(|n| own.record_write("t", "k") == Ok(n)));
        own.set_table_thresholds("t", own.thresholds()).unwrap();
        own.clear().unwrap();
        // The system's randomness is asked for once by each thread.
        std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                let _timer = Timer::every_ns(20_000);
                Detector::new(1, 1, 60).unwrap().record_write("t", "k")
            });
            assert_eq!(made.join().unwrap(), Ok(1));
        });
    }
}

#[test]
fn interrupted_threads_miss_nothing() {
    const ENOUGH: u64 = 300;
    handle_signals();
    let shared = manual(10, 10, 60).on_warning(|_| {}).build().unwrap();
    let calls = race(|thread| {
        let _timer = Timer::every_ns(50_000);
        let mut calls = 0;
        while SIGNALS.get() < ENOUGH {
            call(&shared, thread, calls);
            calls += 1;
        }
        calls
    });
    let recorded = calls.iter().sum();
    println!("{recorded} rounds of calls, {} signals", THREADS as u64 * ENOUGH);
    assert_eq!(shared.write_count("t", "shared"), Ok(recorded));
    assert_eq!(shared.statistics().records, 2 * recorded);
    assert_eq!(shared.statistics().partitions, recorded + 1);
}
