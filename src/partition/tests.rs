//! The memory of a partition.

use super::*;
use crate::key::hash::Hash;
use crate::partition::past_ptr::Extension;
use crate::partition::slot::Slot;
use crate::partition::wheel::Wheel;
use crate::sys::budget::DEFERRED_BYTES;

/// Returns the bytes of a partition of a 25-byte key that saw these operations once in each of
/// `seconds` seconds.
fn size(operations: &[Operation], seconds: u32, window: u32) -> usize {
    let timing = Timing { window, interval_ms: 0 };
    let key = Key { table: b"orders", pk: b"customer#0000000007" };
    let content = Content::first(key, Hash::new(0), Operation::Write, Amount::ONE, 0, u64::MAX).unwrap();
    let entry = Partition::size(content.text_len()).next_multiple_of(16);
    let mut memory = vec![0_u64; entry / 8];
    // SAFETY: there are that many bytes, aligned for an entry.
    let partition = unsafe {
        let at = NonNull::from(memory.as_mut_slice()).cast();
        Partition::prepare(at);
        content.write(at, None);
        Partition::view(at)
    };
    let guard = &crossbeam_epoch::pin();
    for second in 0..seconds {
        let now = Moment::from_ms(u64::from(second) * 1000);
        for &operation in operations {
            let turned = partition.turn_fast(operation, Amount::ONE, second, window, u64::MAX, guard);
            let add = || partition.add(operation, Amount::ONE, now, timing, u64::MAX, guard).unwrap();
            turned.unwrap_or_else(add);
        }
    }
    let past = partition.freeze_past();
    // SAFETY: no other thread has seen it.
    let size = entry + unsafe { past.parts().bytes(window) };
    // SAFETY: as above.
    unsafe { past.free() };
    size
}

#[test]
fn a_partition_costs_in_step_with_the_seconds_it_was_seen_in() {
    let (one, both) = (&[Operation::Write][..], &Operation::ALL[..]);
    for seconds in [1, 2, 4, 5, 8, 9, 16, 17, 32, 33, 61] {
        println!(
            "{seconds:3} seconds: {:5} bytes, {:5} for both",
            size(one, seconds, 60),
            size(both, seconds, 60)
        );
    }
    assert_eq!(size(one, 1, 60), 64, "a cache line");
    assert!((1..=8).all(|seconds| size(one, seconds, 60) <= 128 && size(both, seconds, 60) <= 192));
    assert!(size(both, 1_000, 60) + size_of::<Alarm>() <= 1_200);
    // No cliff: one more second never more than doubles what the seconds before it cost.
    assert!((1..200).all(|seconds| size(one, seconds + 1, 60) <= 2 * size(one, seconds, 60)));
    // Long windows too pay by what was seen, until the wheel is earned.
    assert!(size(one, 8, 3_600) < 192 && size(one, 32, 3_600) < 512);
}

/// The sum is worked out in docs/design/bounded.md.
#[test]
fn what_may_hang_on_an_entry_of_a_minute_is_1620_bytes() {
    assert_eq!(reserve::most_bytes(60), 1_620);
}

/// Writes come for a while, and reads only then: their history is no copy, and makes an extension
/// more than once was reserved.
#[test]
fn an_entry_takes_no_more_than_it_reserves_whichever_operation_comes_first() {
    const ADDED: usize = 16;
    let guard = &crossbeam_epoch::pin();
    for window in [1, 5, 8, 60, 103, 104, 600, 3_600] {
        for reads_from in [0, 1, 8, 40] {
            let past = past::Past::new(PastPtr::with_alarm(Alarm::new()).unwrap());
            // Nothing is freed under the guard, so each address is of another allocation.
            let (mut extensions, mut histories) = (vec![past.load().0], Vec::new());
            for second in 1..100 {
                for operation in Operation::ALL {
                    let is_in =
                        if operation == Operation::Write { second <= 40 } else { second > reads_from };
                    if is_in {
                        past.put(operation, Slot::new(second, 1), window, guard).unwrap();
                    }
                    extensions.push(past.load().0);
                    histories.push(past.parts(guard).history);
                }
            }
            extensions.dedup();
            histories.dedup_by_key(|history| history.0);
            let of_history = |history: &PastPtr| match history.capacity() {
                0 => 0,
                capacity => capacity * size_of::<u64>() + ADDED,
            };
            let bytes = histories.iter().map(of_history).sum::<usize>()
                + extensions.len() * (size_of::<Extension>() + ADDED)
                + 2 * (Wheel::bytes(window) + ADDED)
                + size_of::<Alarm>()
                + ADDED
                + (extensions.len() - 1) * DEFERRED_BYTES as usize;
            assert!(
                bytes as u64 <= reserve::most_bytes(window),
                "window {window}, reads from {reads_from}: {bytes} bytes of {}",
                reserve::most_bytes(window)
            );
            // SAFETY: no other thread has seen it.
            unsafe { past.freeze_past().free() };
        }
    }
}
