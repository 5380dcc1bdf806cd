//! The counts that are possible while other threads record, by lists of records.
//!
//! It is as simple as can be, and shares no code with the library: a count is the sum of a list.
//! The counts that a thread may return are found by trying every moment of the race.

use std::collections::HashSet;

/// Returns the sum of the records, each a second and an amount, that are in a window of two seconds
/// at `now`.
pub(super) fn sum(records: &[(u32, u64)], now: u32) -> u64 {
    let within = |&&(second, _): &&(u32, u64)| (now.saturating_sub(2)..=now).contains(&second);
    records.iter().filter(within).map(|(_, amount)| amount).sum()
}

/// Returns all counts that partition 0 has at some moment of a race, for a thread whose clock says
/// `clock`: with the first few of `others`, in their order, and with its `own` amount, if it
/// records one, in any second from `clock` on.
///
/// With 1 before in second 0, others' 64 in second 1 and an own 256 by a clock at 0, these are 257
/// and 321.
pub(super) fn held(
    before: &[(u32, u64)],
    others: &[(u32, u64)],
    clock: u32,
    own: Option<u64>,
) -> HashSet<u64> {
    let end = others.last().unwrap().0;
    // The own record may land in any second that the partition reaches during the call.
    let seconds: Vec<_> = own.map_or(vec![None], |own| (clock..=end).map(|at| Some((at, own))).collect());
    // Each of these, with each number of the others' records made.
    let moments = seconds.into_iter().flat_map(|own| (0..=others.len()).map(move |made| (own, made)));
    let count = |(own, made): (Option<(u32, u64)>, usize)| {
        let mut records = [before, &others[..made]].concat();
        let now =
            records.iter().map(|&(second, _)| second).chain(own.map(|(second, _)| second)).max().unwrap();
        // The count is by the newest second that the partition has got, or by the thread's clock.
        records.extend(own);
        sum(&records, clock.max(now))
    };
    moments.map(count).collect()
}
