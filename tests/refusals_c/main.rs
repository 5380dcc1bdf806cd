//! Promise 8, of memory, as a C program sees it: an allocation of ours that fails is
//! HPD_ERR_MEMORY, nothing has changed, and what was to be written is as it was. (`refusals` has
//! what may go wrong inside a record.)

#[path = "../common/allocator.rs"]
mod allocator;
mod subject;

use allocator::{TestAllocator, refusing, spare_crossbeam};
use hotpart::ffi::*;
use std::ops::Range;
use std::ptr::{null, null_mut};
use subject::{K, OBSERVES, PUT, PUT_ITEM, Subject, T, options, spare_reading};

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// Calls it on subjects made alike, with each of its allocations refused in turn: alone, and with
/// all that follow; each time on a thread that has kept nothing yet. Tells `judge` of each subject,
/// whether one is as this one was before the call, and what the call returned.
fn each_refused<T>(
    reads_requests: bool,
    make: impl Fn() -> Subject + Sync,
    call: impl Fn(&Subject) -> T + Sync,
    judge: impl Fn(&Subject, &dyn Fn(&Subject) -> bool, T) + Sync,
) {
    let refused = |these: Range<usize>| {
        spare_crossbeam();
        if reads_requests {
            spare_reading();
        }
        let subject = make();
        let before = subject.view();
        let (result, refused) = refusing(these, || call(&subject));
        judge(&subject, &|subject| subject.view() == before, result);
        refused
    };
    for only_one in [true, false] {
        let end = |n| if only_one { n + 1 } else { usize::MAX };
        let on_a_thread = |n| std::thread::scope(|scope| scope.spawn(|| refused(n..end(n))).join().unwrap());
        let refusals = (0..).take_while(|&n| on_a_thread(n) > 0).count();
        assert!(refusals > 0, "nothing was allocated");
    }
}

/// A call that is refused has changed nothing, and succeeds when it is made again.
fn refuse_each(make: impl Fn() -> Subject + Sync, call: impl Fn(&Subject) -> i64 + Sync) {
    refuse_each_if(false, make, call);
}

fn refuse_each_if(
    reads_requests: bool,
    make: impl Fn() -> Subject + Sync,
    call: impl Fn(&Subject) -> i64 + Sync,
) {
    let expected = {
        let subject = make();
        (call(&subject), subject.view())
    };
    assert!(expected.0 >= 0);
    each_refused(reads_requests, &make, &call, |subject, is_as_before, mut result| {
        if result < 0 {
            assert_eq!(result, i64::from(HPD_ERR_MEMORY));
            assert!(is_as_before(subject));
            result = call(subject);
        }
        assert_eq!((result, subject.view()), expected);
    });
}

fn empty() -> Subject {
    Subject::new(1, false)
}

fn full() -> Subject {
    Subject::new(1, true)
}

fn record() -> hpd_record {
    hpd_record {
        table: T,
        table_len: 1,
        pk: K,
        pk_len: 1,
        model: null(),
        model_len: 0,
        amount: 1,
        operation: HPD_WRITE,
        reserved: 0,
    }
}

#[test]
fn making_a_detector() {
    spare_crossbeam();
    let untouched = std::ptr::dangling_mut();
    for n in 0.. {
        let mut detector = untouched;
        // SAFETY: both live here.
        let make = || unsafe { hpd_new_with_options(&options(1), &mut detector) };
        let (made, refused) = refusing(n..n + 1, make);
        if refused == 0 {
            assert_eq!(made, HPD_OK);
            // SAFETY: just made.
            unsafe { hpd_free(detector) };
            break;
        }
        assert_eq!((made, detector), (HPD_ERR_MEMORY, untouched));
    }
}

#[test]
fn records_and_throttles() {
    // SAFETY: detector and table live, and texts and structs are as long as is said.
    unsafe {
        for make in [empty, full] {
            refuse_each(make, |subject| subject.write(c"k"));
            refuse_each(make, |subject| hpd_table_record_write_z(subject.table, K));
            refuse_each(make, |subject| {
                hpd_record_full(subject.detector, &record(), size_of::<hpd_record>(), null_mut())
            });
            refuse_each(make, |subject| {
                hpd_record_batch(subject.detector, &record(), size_of::<hpd_record>(), 1)
            });
            refuse_each(make, |subject| {
                hpd_record_throttle(subject.detector, T, 1, K, 1, HPD_WRITE, HPD_THROTTLE_KEY_RANGE)
            });
        }
    }
}

#[test]
fn thresholds_and_clearing() {
    // SAFETY: the detector lives, and texts are as long as is said.
    unsafe {
        refuse_each(empty, |subject| hpd_set_table_thresholds(subject.detector, T, 1, 5, -1).into());
        refuse_each(empty, |subject| hpd_set_model_thresholds(subject.detector, T, 1, 5, -1).into());
        refuse_each(full, |subject| hpd_clear(subject.detector).into());
    }
}

/// After a refusal requests are read by the schema that was there before.
#[cfg(feature = "dynamodb")]
#[test]
fn key_schemas() {
    let declare = |subject: &Subject| {
        // SAFETY: the detector lives, and the texts are as long as is said.
        unsafe { hpd_set_key_schema(subject.detector, T, 1, null(), 0, &c"other".as_ptr(), &5, 1) }
    };
    each_refused(false, empty, declare, |subject, is_as_before, mut result| {
        if result < 0 {
            assert_eq!(result, HPD_ERR_MEMORY);
            assert!(is_as_before(subject));
            assert_eq!(subject.observe(null_mut()), 1);
            result = declare(subject);
        }
        assert_eq!((result, subject.observe(null_mut())), (HPD_OK, HPD_ERR_SCHEMA.into()));
    });
}

/// A call that makes something: if it is refused the place for that is untouched, else `free` gets
/// what was made.
fn refuse_each_make<T>(
    make: impl Fn(&Subject, *mut *mut T) -> i32 + Sync,
    free: unsafe extern "C" fn(*mut T),
) {
    let warned = || {
        let subject = full();
        assert_eq!(subject.write(c"k"), 1);
        subject
    };
    refuse_each(warned, |subject| {
        let untouched = std::ptr::dangling_mut();
        let mut out = untouched;
        let made = make(subject, &mut out);
        if made == HPD_OK {
            // SAFETY: just made.
            unsafe { free(out) };
        } else {
            assert_eq!(out, untouched);
        }
        made.into()
    });
}

#[test]
fn tables_snapshots_metrics_and_log_lines() {
    // SAFETY: the detector lives, and so does what is written to; all zeros are a valid warning but
    // for its texts.
    unsafe {
        refuse_each_make(|subject, out| hpd_table_open(subject.detector, T, 1, out), hpd_table_close);
        refuse_each_make(
            |subject, out| hpd_hottest_take(subject.detector, HPD_WRITE, 9, out),
            hpd_hottest_free,
        );
        refuse_each_make(|subject, out| hpd_metrics_take(subject.detector, null(), out), hpd_text_free);
        let listed = hpd_metrics_options {
            struct_size: size_of::<hpd_metrics_options>(),
            hottest: 0,
            flags: HPD_METRICS_DEMAND_ONLY,
            reserved: 0,
            least: 1,
        };
        refuse_each_make(|subject, out| hpd_metrics_take(subject.detector, &listed, out), hpd_text_free);
        let log_line = |subject: &Subject, out| {
            let mut warning: hpd_warning = std::mem::zeroed();
            warning.struct_size = size_of::<hpd_warning>();
            (warning.table, warning.table_len, warning.pk, warning.pk_len) = (T, 1, K, 1);
            hpd_log_line(subject.detector, &warning, out)
        };
        refuse_each_make(log_line, hpd_text_free);
    }
}

/// A record counts even if its warning can't be kept, and then does not say that one was.
#[test]
fn records_that_keep_their_warning() {
    // SAFETY: detector and table live, and texts and structs are as long as is said.
    let ways: [fn(&Subject) -> i64; 4] = unsafe {
        [
            |subject| hpd_table_record_write_due(subject.table, K),
            |subject| hpd_record_due(subject.detector, &record(), size_of::<hpd_record>()),
            |subject| {
                hpd_record_throttle_due(subject.detector, T, 1, K, 1, HPD_WRITE, HPD_THROTTLE_KEY_RANGE)
            },
            |subject| hpd_observe_due(subject.detector, PUT_ITEM, PUT.as_ptr(), null(), 200, null()),
        ]
    };
    for (i, call) in ways.into_iter().enumerate().filter(|(i, _)| OBSERVES || *i < 3) {
        each_refused(i == 3, full, call, |subject, is_as_before, mut result| {
            if result < 0 {
                assert_eq!(result, i64::from(HPD_ERR_MEMORY));
                assert!(is_as_before(subject));
                result = call(subject);
            }
            let kept = i32::from(result & HPD_DUE != 0);
            assert_eq!((result & !HPD_DUE, subject.counted()), (1, 1));
            assert_eq!((subject.take(), subject.take()), (kept, 0));
        });
    }
}

#[cfg(feature = "dynamodb")]
#[test]
fn requests() {
    refuse_each_if(true, full, |subject| subject.observe(null_mut()));
}

/// Of an observed request that was refused a part may be recorded: here it is one record, so all or
/// nothing.
#[cfg(feature = "dynamodb")]
#[test]
fn a_request_whose_warning_is_handed_over() {
    let call = |subject: &Subject| {
        let mut warnings = std::ptr::dangling_mut();
        let observed = subject.observe(&mut warnings);
        // SAFETY: what is handed over is the library's, or null.
        unsafe {
            let handed = hpd_warnings_len(warnings);
            hpd_warnings_free(warnings);
            (observed, handed)
        }
    };
    each_refused(true, full, call, |subject, _, (observed, handed)| {
        if observed == 1 {
            assert_eq!((handed, subject.counted()), (1, 1));
        } else {
            // It was not recorded, or it was and there was no memory for its warning.
            assert_eq!((observed, handed), (HPD_ERR_MEMORY.into(), 0));
            assert!(subject.counted() <= 1);
        }
    });
}

#[test]
fn warnings_that_are_not_taken_are_still_kept() {
    let warned = || {
        let subject = empty();
        // SAFETY: the table lives.
        assert_eq!(unsafe { hpd_table_record_write_due(subject.table, K) }, HPD_DUE | 1);
        subject
    };
    each_refused(false, warned, Subject::take, |subject, _, taken| {
        if taken != 1 {
            assert_eq!((taken, subject.take()), (HPD_ERR_MEMORY, 1));
        }
        assert_eq!(subject.take(), 0);
    });
}
