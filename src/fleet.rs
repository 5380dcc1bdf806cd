//! The least that a process lists, so that a partition that is hot only in the sum of many is found.

/// Returns the least demand from which each process of a fleet lists a partition: see [`Metrics::least`](crate::Metrics::least).
///
/// A partition that has `threshold` in all `processes` together has that share of it in one of them at least. Listed from a
/// `precision`-th of that share on, the lists of all add up to within a `precision`-th of `threshold` of the truth: with 4, whatever
/// has `threshold` is found, and whatever is found has three quarters of it. A greater precision makes longer lists. Never less
/// than 1; 0 of anything counts as 1.
///
/// ```
/// assert_eq!(hotpart::fleet_least(60_000, 50, 4), 300);
/// ```
pub fn fleet_least(threshold: u64, processes: u32, precision: u32) -> u64 {
    let parts = u64::from(processes.max(1)) * u64::from(precision.max(1));
    (threshold / parts).max(1)
}
