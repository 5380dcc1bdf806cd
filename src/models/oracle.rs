//! The counts that are possible while others record, by lists of records.

use std::collections::HashSet;

/// The sum of the records that are in a window of two seconds at `now`.
pub(super) fn sum(records: &[(u32, u64)], now: u32) -> u64 {
    let within = |&&(second, _): &&(u32, u64)| (now.saturating_sub(2)..=now).contains(&second);
    records.iter().filter(within).map(|(_, amount)| amount).sum()
}

/// All counts that partition 0 has at some moment of a race, for a thread whose clock says `clock`: with so many of `others`, in
/// their order, and with its `own` amount, if it records one, in any second from that on.
pub(super) fn held(
    before: &[(u32, u64)],
    others: &[(u32, u64)],
    clock: u32,
    own: Option<u64>,
) -> HashSet<u64> {
    let end = others.last().unwrap().0;
    let seconds: Vec<_> = own.map_or(vec![None], |own| (clock..=end).map(|at| Some((at, own))).collect());
    let moments = seconds.into_iter().flat_map(|own| (0..=others.len()).map(move |made| (own, made)));
    let count = |(own, made): (Option<(u32, u64)>, usize)| {
        let mut records = [before, &others[..made]].concat();
        let now =
            records.iter().map(|&(second, _)| second).chain(own.map(|(second, _)| second)).max().unwrap();
        records.extend(own);
        sum(&records, clock.max(now))
    };
    moments.map(count).collect()
}
