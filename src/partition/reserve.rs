//! The reserve of a partition where memory is bounded: what it may come to take.

use crate::partition::alarm::Alarm;
use crate::partition::past::{has_small_wheel, is_smaller_than_wheel};
use crate::partition::past_ptr::{CAPACITIES, Extension};
use crate::partition::wheel::Wheel;
use crate::sys::budget::DEFERRED_BYTES;

/// Returns the most bytes that a partition with an alarm from the first may come to take for a
/// window, besides its entry. They are those of all that hangs on it, of all that did and waits to
/// be freed, of the allocator for both, and of the collector for what waits.
pub(crate) fn most_bytes(window: u32) -> u64 {
    const ADDED: usize = 16;
    let sizes = if has_small_wheel(window) { 1 } else { CAPACITIES.len() };
    let histories = CAPACITIES.iter().take(sizes).filter(|&&each| is_smaller_than_wheel(each, window));
    // Each step of growth makes another extension, and so does the alarm. The other operation's
    // histories may come one by one, after the first has its wheel.
    let extensions = 2 * histories.clone().count() + 3;
    // Each for one operation, and then for the other: a copy, or anew.
    let histories: usize = histories.map(|each| 2 * (each * size_of::<u64>() + ADDED)).sum();
    let boxes = extensions * (size_of::<Extension>() + ADDED);
    let wheels = 2 * (Wheel::bytes(window) + ADDED);
    // The last goes with the partition.
    let deferred = (extensions - 1) as u64 * DEFERRED_BYTES;
    (histories + boxes + wheels + size_of::<Alarm>() + ADDED) as u64 + deferred
}
