//! The least demand that a process lists, so that a partition that is hot only in the sum of many
//! processes is found.

/// Returns the least demand from which each process of a fleet lists a partition: see
/// [`Metrics::least`](crate::Metrics::least).
///
/// A partition that has `threshold` in all `processes` together has at least a `processes`-th of
/// that in one of them. Each process lists partitions from a `precision`-th of that share on. Then
/// the sum of the lists is less than a `precision`-th of `threshold` below the truth. With a
/// `precision` of 4 every partition that has `threshold` is found, and every partition that is
/// found has three quarters of it at least. A greater precision makes longer lists.
///
/// The result is at least 1. A `processes` or `precision` of 0 counts as 1.
///
/// ```
/// // 60,000 units in 50 processes are 1,200 in each. A quarter of that is listed.
/// assert_eq!(hotpart::fleet_least(60_000, 50, 4), 300);
/// ```
pub fn fleet_least(threshold: u64, processes: u32, precision: u32) -> u64 {
    let parts = u64::from(processes.max(1)) * u64::from(precision.max(1));
    (threshold / parts).max(1)
}
