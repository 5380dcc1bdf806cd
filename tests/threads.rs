//! Threads that come and go: what they recorded stays, what they held does not, and destructors of
//! their thread-locals may record before the library's own have run, and after.
#![cfg(unix)]

#[path = "common/allocator.rs"]
mod allocator;
mod common;

use allocator::{TestAllocator, all_live_bytes};
use common::{manual, never_hot, stress};
use hotpart::ffi::*;
use hotpart::{Detector, Operation, Record};
use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, PoisonError};

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// Runs a thread at a time, `first` of them and then `more`, and no other test meanwhile; the
/// memory that all threads hold is the same after the latter, or nearly.
fn one_after_another(first: usize, more: usize, thread: impl Fn(usize) + Sync) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let run = |n| std::thread::scope(|scope| scope.spawn(|| thread(n)).join().unwrap());
    (0..first).for_each(run);
    let before = all_live_bytes();
    (first..first + more).for_each(run);
    let grown = all_live_bytes() - before;
    println!("{grown} bytes more after {more} threads");
    // A bag of what is retired has some 2,000 bytes, and there are a few.
    assert!(grown < 20_000, "{grown} bytes for {more} threads");
}

/// Generations of partitions, each made by a thread that is gone when they are idle.
#[test]
fn what_a_thread_recorded_outlives_it_and_what_it_retired_is_freed() {
    let detector = never_hot(1).build().unwrap();
    let all = never_hot(3_600).build().unwrap();
    let threads = stress(200);
    one_after_another(20, threads, |n| {
        detector.set_time_ms(n as u64 * 3_000).unwrap();
        assert!((0..300_u64).all(|key| detector.record_write("t", key.to_le_bytes()) == Ok(1)));
        assert_eq!(all.record_write("t", "k"), Ok(n as u64 + 1));
    });
    let statistics = detector.statistics();
    assert_eq!(statistics.records, 300 * (20 + threads as u64));
    assert!(statistics.partitions <= 600 && statistics.reclaimed > 0);
}

/// Records on its detector when it is dropped.
struct AtExit(Arc<Detector>, &'static str);

impl Drop for AtExit {
    fn drop(&mut self) {
        let AtExit(detector, pk) = self;
        let before = detector.write_count("t", *pk).unwrap();
        assert_eq!(detector.record_write("t", *pk), Ok(before + 1));
        assert_eq!(detector.table("t").unwrap().record_write(*pk), Ok(before + 2));
        let warn = Record::new("t", pk.as_bytes(), Operation::Read);
        let reads = detector.record(&warn).unwrap();
        let (count, _) = detector.record_and_warn(&warn).unwrap();
        assert_eq!(count, reads + 1);
        detector.set_table_thresholds(*pk, detector.thresholds()).unwrap();
        assert!(!detector.hottest(Operation::Write, 5).unwrap().is_empty());
        assert!(detector.record_write("new", (before as u32).to_le_bytes()).is_ok());
    }
}

thread_local! {
    static EARLY: RefCell<Option<AtExit>> = const { RefCell::new(None) };
    static LATE: RefCell<Option<AtExit>> = const { RefCell::new(None) };
}

#[test]
fn destructors_of_thread_locals_may_record() {
    let detector = Arc::new(manual(5, 5, 60).on_warning(|_| {}).build().unwrap());
    let threads = stress(100);
    one_after_another(100, threads, |n| {
        // Destructors run in the reverse order: this one's after the library's, if that has been
        // used in between.
        EARLY.with_borrow_mut(|early| *early = Some(AtExit(detector.clone(), "early")));
        if n % 2 == 0 {
            assert!(detector.record_write("t", "between").is_ok());
        }
        LATE.with_borrow_mut(|late| *late = Some(AtExit(detector.clone(), "late")));
        // What it inserts is to be the same partitions each time.
        if n % 10 == 0 {
            detector.clear().unwrap();
        }
    });
    // Of the last ten threads, none of which cleared but the first, before its destructors ran.
    for pk in ["early", "late"] {
        assert_eq!((detector.write_count("t", pk), detector.read_count("t", pk)), (Ok(20), Ok(20)));
    }
    assert_eq!(detector.statistics().callback_panics, 0);
}

/// A detector, a table of it, and how often the key has been recorded, as a destructor gets it.
struct Due {
    detector: *mut hpd_detector,
    table: *mut hpd_table,
    recorded: i64,
    /// The same by the destructors that had their warning kept.
    kept: i64,
}

const KEY: *const c_char = c"k".as_ptr();

impl Due {
    /// Records, and takes the warning if the thread can still keep it.
    fn record(&mut self) {
        self.recorded += 1;
        let mut warnings = null_mut();
        // SAFETY: detector and table live, and texts are as long as is said.
        unsafe {
            // What the call before has left.
            assert!(hpd_take_warnings(self.detector, &mut warnings) <= 1);
            hpd_warnings_free(warnings);
            let counted = hpd_table_record_write_due(self.table, KEY);
            assert_eq!(counted & !HPD_DUE, self.recorded);
            let kept = i32::from(counted & HPD_DUE != 0);
            assert_eq!(hpd_take_warnings(self.detector, &mut warnings), kept);
            assert_eq!(hpd_warnings_len(warnings), kept as usize);
            hpd_warnings_free(warnings);
            self.kept += i64::from(kept);
            // One is left, to the next or to go with the thread.
            hpd_table_record_read_due(self.table, KEY);
        }
    }
}

/// Runs in the C library's last phase of a thread, when no thread-local of ours is left.
unsafe extern "C" fn record_at_the_very_end(due: *mut c_void) {
    // SAFETY: the thread was given a pointer to what outlives it, and nobody else uses it
    // meanwhile.
    unsafe { (*due.cast::<Due>()).record() }
}

struct DueAtExit(*mut Due);

impl Drop for DueAtExit {
    fn drop(&mut self) {
        // SAFETY: as above.
        unsafe { (*self.0).record() }
    }
}

thread_local! {
    static DUE_EARLY: RefCell<Option<DueAtExit>> = const { RefCell::new(None) };
    static DUE_LATE: RefCell<Option<DueAtExit>> = const { RefCell::new(None) };
}

#[test]
fn records_that_keep_their_warning_may_come_at_a_threads_end() {
    let mut key = 0;
    let mut due = Due { detector: null_mut(), table: null_mut(), recorded: 0, kept: 0 };
    // SAFETY: what is passed lives here, and longer than the threads.
    unsafe {
        let mut options: hpd_options = std::mem::zeroed();
        hpd_options_init(&mut options, size_of::<hpd_options>());
        (options.writes_threshold, options.reads_threshold, options.window_seconds) = (1, 1, 60);
        (options.warning_interval_seconds, options.clock) = (0, HPD_CLOCK_MANUAL);
        assert_eq!(hpd_new_with_options(&options, &mut due.detector), HPD_OK);
        assert_eq!(hpd_table_open(due.detector, c"t".as_ptr(), 1, &mut due.table), HPD_OK);
        assert_eq!(libc::pthread_key_create(&mut key, Some(record_at_the_very_end)), 0);
    }
    let place = &raw mut due as usize;
    let threads = stress(100);
    one_after_another(10, threads, |n| {
        let due = place as *mut Due;
        DUE_EARLY.with_borrow_mut(|early| *early = Some(DueAtExit(due)));
        if n % 2 == 0 {
            // SAFETY: only one thread runs at a time, and `due` outlives it.
            unsafe { (*due).record() };
        }
        DUE_LATE.with_borrow_mut(|late| *late = Some(DueAtExit(due)));
        // SAFETY: the key was made above.
        assert_eq!(unsafe { libc::pthread_setspecific(key, due.cast()) }, 0);
    });
    let threads = 10 + threads as i64;
    assert_eq!(due.recorded, threads * 3 + threads / 2, "each destructor of each thread has run");
    println!("{} of {} were kept", due.kept, due.recorded);
    assert!(due.kept >= threads + threads / 2 && due.kept < due.recorded);
    // SAFETY: nobody uses them any more.
    unsafe {
        assert_eq!(hpd_get_read_count(due.detector, c"t".as_ptr(), 1, KEY, 1), due.recorded);
        hpd_table_close(due.table);
        hpd_free(due.detector);
        assert_eq!(libc::pthread_key_delete(key), 0);
    }
}
