//! Promise 7: a forked child goes on, even if other threads of its parent were inside calls.
#![cfg(unix)]

#[path = "common/allocator.rs"]
mod allocator;
mod common;

#[cfg(feature = "dynamodb")]
use allocator::allocations;
use allocator::{TestAllocator, live_bytes, while_inside};
use common::{THREADS, manual, never_hot, race, stress};
use hotpart::{Detector, Error, Operation, Record};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

#[global_allocator]
static ALLOCATOR: TestAllocator = TestAllocator;

/// A child that is stuck dies of this.
const PATIENCE_SECONDS: u32 = 60;

/// Forks, runs `child` in the child, and checks that it got to its end.
fn fork(child: impl FnOnce()) {
    // SAFETY: the child runs what the library promises to work there, on its only thread, and
    // leaves by `_exit`.
    unsafe {
        match libc::fork() {
            -1 => panic!("no fork: {}", std::io::Error::last_os_error()),
            0 => {
                libc::alarm(PATIENCE_SECONDS);
                let done = catch_unwind(AssertUnwindSafe(child)).is_ok();
                libc::_exit(if done { 0 } else { 1 });
            }
            pid => {
                let mut status = -1;
                assert_eq!(libc::waitpid(pid, &mut status, 0), pid);
                assert_eq!(status, 0, "the child's wait status");
            }
        }
    }
}

/// Generations of partitions, each idle when the next one comes, in a detector whose window is a
/// second. The memory that they take must be that of one or two.
fn churns_within_bounds(detector: &Detector) {
    const EACH: usize = 1_000;
    let begin_ms = 1_000_000;
    let mut bytes = Vec::new();
    for generation in 0..12_u64 {
        detector.set_time_ms(begin_ms + 3_000 * generation).unwrap();
        for i in 0..EACH {
            let key = [generation, i as u64].map(u64::to_le_bytes);
            assert_eq!(detector.record_write("churn", key.as_flattened()), Ok(1));
        }
        bytes.push(live_bytes());
    }
    assert!(detector.statistics().partitions <= 3 * EACH as u64);
    let (early, late) = (bytes[..4].iter().max().unwrap(), bytes[4..].iter().max().unwrap());
    // Eight generations that nobody frees would be more than twice that.
    assert!(late - early < 300_000, "{early} bytes in the first four generations, {late} in the others");
}

/// The thread that forks finds what it had recorded, and what it records from then on.
fn goes_on(detector: &Detector, recorded: u64) {
    assert_eq!(detector.write_count("t", "k"), Ok(recorded));
    assert_eq!(detector.record_write("t", "k"), Ok(recorded + 1));
    for key in 0..1_000_u64 {
        assert_eq!(detector.record_read("grown", key.to_le_bytes()), Ok(1));
    }
    churns_within_bounds(detector);
    detector.clear().unwrap();
    assert_eq!(detector.write_count("t", "k"), Ok(0));
    assert_eq!(detector.record_write("t", "k"), Ok(1));
}

/// A detector whose first segment is full, so that the next new partition splits it, and three
/// records of one partition.
fn nearly_full() -> Detector {
    let detector = never_hot(1).build().unwrap();
    (0..63_u64).for_each(|key| assert_eq!(detector.record_write("filler", key.to_le_bytes()), Ok(1)));
    (1..=3).for_each(|count| assert_eq!(detector.record_write("t", "k"), Ok(count)));
    detector
}

#[test]
fn a_child_goes_on_while_another_thread_of_its_parent_is_inside_a_call() {
    // The other thread has frozen a segment's lanes, and is about to make the first of the two that
    // it is split into, or has.
    for allocation in [1, 2] {
        let detector = nearly_full();
        while_inside(
            || assert_eq!(detector.write_count("t", "k"), Ok(3)),
            allocation,
            || assert_eq!(detector.record_write("t", "another"), Ok(1)),
            || {
                fork(|| goes_on(&detector, 3));
                assert_eq!(detector.record_write("t", "k"), Ok(4), "what the child does stays there");
            },
        );
        assert_eq!(detector.write_count("t", "another"), Ok(1), "and the parent goes on as well");
    }
}

#[test]
fn a_childs_child_goes_on() {
    let detector = nearly_full();
    while_inside(
        || assert_eq!(detector.write_count("t", "k"), Ok(3)),
        1,
        || assert_eq!(detector.record_write("t", "another"), Ok(1)),
        || {
            fork(|| {
                // The child has threads inside calls, too.
                while_inside(
                    || assert_eq!(detector.record_write("t", "k"), Ok(4)),
                    1,
                    || assert_eq!(detector.record_write("t", "a third"), Ok(1)),
                    || fork(|| goes_on(&detector, 4)),
                );
                goes_on(&detector, 4);
            });
        },
    );
}

/// A child starts with nothing that waits for a table's key, even if another thread had just locked
/// that.
#[cfg(feature = "dynamodb")]
#[test]
fn a_child_starts_with_none_of_what_waits() {
    use hotpart::{Exchange, ObserveError};
    let observe = |detector: &Detector| {
        detector.observe(&Exchange {
            operation: b"PutItem",
            request: br#"{"TableName":"t","Item":{"id":{"S":"k"}}}"#,
            http_status: 200,
            ..Exchange::default()
        })
    };
    let missing = Err(ObserveError::MissingSchema(vec!["t".to_owned()]));
    let new = || never_hot(1).build().unwrap();
    let in_all = {
        let detector = new();
        detector.write_count("t", "k").unwrap();
        allocations(|| assert_eq!(observe(&detector), missing))
    };
    assert!(in_all > 3, "nothing was kept");
    for nth in 1..=in_all {
        let detector = new();
        while_inside(
            || assert_eq!(detector.write_count("t", "k"), Ok(0)),
            nth,
            || assert_eq!(observe(&detector), missing),
            || {
                fork(|| {
                    assert_eq!(observe(&detector), missing);
                    assert_eq!(observe(&detector), Ok(1));
                    detector.set_key_schema("t", None, &["id"]).unwrap();
                    assert_eq!(detector.write_count("t", "k"), Ok(2), "its own");
                });
            },
        );
        // In the parent it is still there, but not in a child of now.
        fork(|| {
            detector.set_key_schema("t", None, &["id"]).unwrap();
            assert_eq!(detector.write_count("t", "k"), Ok(0));
        });
        detector.set_key_schema("t", None, &["id"]).unwrap();
        assert_eq!(detector.write_count("t", "k"), Ok(1));
    }
}

/// The parent's old ledger, which another thread kept, is never freed in the child. It must not be
/// in the way of the child's own clears.
#[test]
fn a_child_can_clear_a_memory_that_was_full_and_cleared_in_its_parent() {
    let detector = manual(40, 40, 60).memory(1 << 18).build().unwrap();
    let add = |key: &[u8]| detector.record(&Record::new("t", key, Operation::Write).amount(30)).unwrap();
    while_inside(
        || assert!(detector.write_count("t", "k").is_ok()),
        1,
        || assert!(add(&[b'k'; 2_048]) >= 30),
        || {
            (0..1_000_u64).for_each(|key| assert!(add(&key.to_le_bytes()) >= 30));
            assert!(detector.statistics().kept_out > 0);
            let cleared = (0..100).find(|_| detector.clear().is_err());
            assert!(cleared.is_some_and(|cleared| cleared > 0), "all that was cleared is still there");
            fork(|| {
                for _ in 0..20 {
                    (0..1_000_u64).for_each(|key| assert!(add(&key.to_le_bytes()) >= 30));
                    assert_eq!(detector.clear(), Ok(()));
                    assert_eq!(detector.write_count("t", 1_u64.to_le_bytes()), Ok(0));
                }
            });
            assert_eq!(detector.clear(), Err(Error::Memory), "in the parent it still is");
        },
    );
    assert_eq!(detector.clear(), Ok(()));
}

/// Ends the other threads' work, even if a child failed.
struct Stop<'a>(&'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Forks again and again, while the other threads record, insert and clear what they like.
#[test]
fn a_child_goes_on_whatever_other_threads_were_doing() {
    let detector = never_hot(1).build().unwrap();
    // Nobody clears this one.
    let all = never_hot(1).build().unwrap();
    let (stop, recorded) = (AtomicBool::new(false), AtomicU64::new(0));
    race(|thread| {
        if thread == 0 {
            let _stop = Stop(&stop);
            for _ in 0..stress(5) {
                fork(|| {
                    // Each of the others may have been about to say that it had recorded.
                    let surely = recorded.load(SeqCst);
                    let counted = all.write_count("t", "k").unwrap();
                    assert!((surely..surely + THREADS as u64).contains(&counted), "{counted} of {surely}");
                    assert_eq!((1..=500).find(|&n| detector.record_read("t", "own") != Ok(n)), None);
                    churns_within_bounds(&detector);
                });
            }
            return;
        }
        let mut i = thread as u64;
        while !stop.load(SeqCst) {
            assert!(detector.record_write("t", (i % 50_000).to_le_bytes()).is_ok());
            assert!(all.record_write("t", "k").is_ok());
            recorded.fetch_add(1, SeqCst);
            if i.is_multiple_of(10_000) {
                detector.clear().unwrap();
            }
            i += THREADS as u64;
        }
    });
}
