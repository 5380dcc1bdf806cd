//! Faults on purpose, through the library: ci/sanitizers.sh demands that each is reported. Nobody
//! else runs them.

use hotpart::Detector;
use hotpart::ffi::*;
use std::cell::UnsafeCell;
use std::ptr::{null_mut, read_volatile, write_volatile};
use std::sync::{Arc, Barrier};

struct Unguarded(UnsafeCell<u64>);
// SAFETY: it is not, on purpose.
unsafe impl Sync for Unguarded {}

/// A callback that adds to a plain number, on two threads.
#[test]
#[ignore = "a fault on purpose"]
fn race() {
    static CALLS: Unguarded = Unguarded(UnsafeCell::new(0));
    let start = Barrier::new(2);
    let builder = Detector::builder(1, 1, 60).warning_interval_seconds(0).on_warning(|_| {
        let number = CALLS.0.get();
        // SAFETY: it is not, on purpose.
        unsafe { write_volatile(number, read_volatile(number) + 1) };
    });
    let detector = builder.build().unwrap();
    std::thread::scope(|scope| {
        for key in ["one", "other"] {
            let (detector, start) = (&detector, &start);
            scope.spawn(move || {
                // Together again and again: on a busy machine one thread may else have done before
                // the other begins.
                for _ in 0..100 {
                    start.wait();
                    (0..10).for_each(|_| assert!(detector.record_write("t", key).is_ok()));
                }
            });
        }
    });
}

/// The last owner of an `Arc` frees a detector, and so drops its callback, which writes what
/// another thread writes.
#[test]
#[ignore = "a fault on purpose"]
fn race_in_an_arc() {
    static DROPS: Unguarded = Unguarded(UnsafeCell::new(0));
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            let number = DROPS.0.get();
            // SAFETY: it is not, on purpose.
            unsafe { write_volatile(number, read_volatile(number) + 1) };
        }
    }
    let start = Barrier::new(2);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                // Often, as what else a detector does when it is dropped may order two drops.
                for _ in 0..1_000 {
                    let counted = Counted;
                    let builder = Detector::builder(1, 1, 60).on_warning(move |_| _ = &counted);
                    drop(Arc::new(builder.build().unwrap()));
                }
            });
        }
    });
}

/// Detectors that nobody frees: several, as a word of the stack may still point to the last.
#[test]
#[ignore = "a fault on purpose"]
fn leak() {
    (0..10).for_each(|_| std::mem::forget(Box::new(Detector::new(1, 1, 60).unwrap())));
}

/// A record by a table that was closed.
#[test]
#[ignore = "a fault on purpose"]
fn use_after_free() {
    let (mut detector, mut table) = (null_mut(), null_mut());
    // SAFETY: it is not, on purpose.
    unsafe {
        assert_eq!(hpd_new(1, 1, 60, None, null_mut(), &mut detector), HPD_OK);
        assert_eq!(hpd_table_open(detector, c"t".as_ptr(), 1, &mut table), HPD_OK);
        hpd_table_close(table);
        hpd_table_record_write(table, c"k".as_ptr(), 1);
        hpd_free(detector);
    }
}
