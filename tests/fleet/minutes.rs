//! Minutes that are over: all lines of all minutes add up to what was recorded, and no operation is
//! in two.

use crate::common::{Random, manual, never_hot, stress};
use hotpart::Operation::{Read, Write};
use hotpart::{Argument, Detector, Error, Reason, Record};
use std::collections::BTreeMap;

#[test]
fn the_lines_of_all_minutes_add_up_to_what_was_recorded() {
    let random = &mut Random(60);
    for _ in 0..stress(6) {
        let window = [120, 121, 300, 3_600][random.below(4)];
        let detector = never_hot(window).build().unwrap();
        let mut recorded: BTreeMap<(u64, String), u64> = BTreeMap::new();
        let (mut now_ms, mut taken, mut lines, mut rests) = (0, 0, BTreeMap::new(), 0);
        while taken < 8 {
            let minute = now_ms / 60_000;
            // Some time in the minute after.
            while taken < minute {
                let n = random.below(30);
                let closed = detector.hottest_closed(Write, taken, n).unwrap();
                assert!(closed.hottest.len() <= n);
                assert!(closed.hottest.is_sorted_by(|a, b| a.demand >= b.demand));
                for hot in closed.hottest {
                    let pk = String::from_utf8(hot.pk).unwrap();
                    assert!(hot.peak <= hot.count && hot.carried == 0);
                    assert!(lines.insert((taken, pk), hot.count).is_none());
                }
                rests += closed.rest;
                taken += 1;
            }
            let keys = 1 + random.below(40);
            let pk = random.below(keys).to_string();
            let amount = 1 + random.below(9) as u64;
            detector.record(&Record::new("t", &pk, Write).amount(amount)).unwrap();
            detector.record_read("t", &pk).unwrap();
            *recorded.entry((minute, pk)).or_default() += amount;
            now_ms += random.below(1_500) as u64;
            detector.set_time_ms(now_ms).unwrap();
        }
        recorded.retain(|(minute, _), _| *minute < taken);
        assert!(lines.iter().all(|(line, count)| recorded.get(line) == Some(count)));
        let all: u64 = recorded.values().sum();
        assert_eq!(lines.values().sum::<u64>() + rests, all);
    }
}

#[test]
fn a_minute_is_asked_for_once_it_is_over_and_while_the_window_has_it() {
    let detector = never_hot(120).build().unwrap();
    detector.record_write("t", "k").unwrap();
    let closed = |minute| detector.hottest_closed(Write, minute, 9).map(|closed| closed.hottest.len());
    let refused = Err(Error::Invalid(Argument::Minute));
    for (now_ms, found) in
        [(0, refused), (59_999, refused), (60_000, Ok(1)), (120_999, Ok(1)), (121_000, refused)]
    {
        detector.set_time_ms(now_ms).unwrap();
        assert_eq!(closed(0), found, "{now_ms}");
    }
    assert_eq!([closed(1), closed(2), closed(u64::MAX)], [Ok(0), refused, refused]);
}

#[test]
fn a_minute_needs_a_window_of_two_and_no_filter() {
    let refused = |detector: Detector| {
        detector.set_time_ms(60_000).unwrap();
        // Whatever minute it is: a number that no minute has asks whether there are any.
        for minute in [0, u64::MAX] {
            assert_eq!(detector.hottest_closed(Write, minute, 9), Err(Error::Unsupported));
        }
    };
    refused(never_hot(119).build().unwrap());
    refused(manual(1_000, 1_000, 120).memory(1 << 20).build().unwrap());
}

#[test]
fn throttles_of_a_minute_are_demand_and_not_among_what_was_recorded() {
    let detector = never_hot(120).build().unwrap();
    detector.record_read("t", "both").unwrap();
    for (pk, throttles) in [("both", 2), ("throttled", 5)] {
        (0..throttles).for_each(|_| _ = detector.record_throttle("t", pk, Read, Reason::KeyRange));
    }
    detector.set_time_ms(60_000).unwrap();
    detector.record_read("t", "both").unwrap();
    let closed = detector.hottest_closed(Read, 0, 9).unwrap();
    let numbers: Vec<_> = closed
        .hottest
        .iter()
        .map(|hot| (std::str::from_utf8(&hot.pk).unwrap(), hot.count, hot.throttles, hot.demand))
        .collect();
    assert_eq!(numbers, [("throttled", 0, 5, 5), ("both", 1, 2, 3)]);
    assert_eq!(closed.rest, 0);
    assert_eq!(detector.hottest_closed(Read, 0, 0).unwrap().rest, 1, "all others");
}

#[test]
fn the_fullest_second_of_a_span_is_the_first_of_those_with_most() {
    let detector = Detector::builder(u64::MAX >> 1, u64::MAX >> 1, 60).manual_clock().build().unwrap();
    let counts = [3_u64, 7, 1, 7, 0, 9, 2];
    for (second, &n) in counts.iter().enumerate() {
        detector.set_time_ms(second as u64 * 1_000).unwrap();
        (0..n).for_each(|_| assert!(detector.record_write("t", "k").is_ok()));
    }
    let fullest = |first, end| detector.fullest_second("t", "k", Write, first..end);
    for first in 0..6 {
        for end in first + 1..7 {
            let span = &counts[first..end];
            let most = *span.iter().max().unwrap();
            let at = first + span.iter().position(|&n| n == most).unwrap();
            let wanted = (most > 0).then_some((at as u64, most));
            assert_eq!(fullest(first as u64, end as u64), Ok(wanted), "{first}..{end}");
            let closed = detector.hottest_closed_in(Write, first as u64..end as u64, 5).unwrap();
            let sums = closed.hottest.iter().map(|hot| (hot.count, hot.peak)).collect::<Vec<_>>();
            let sum = span.iter().sum::<u64>();
            assert_eq!(sums, if sum > 0 { vec![(sum, most)] } else { vec![] });
        }
    }
    assert_eq!(
        fullest(0, 0).map_err(|e| e.to_string()).unwrap_err(),
        Error::Invalid(Argument::Minute).to_string()
    );
    assert!(fullest(3, 7).is_err(), "second 6 is not over");
    assert_eq!(detector.fullest_second("t", "other", Write, 0..6), Ok(None));
}

#[test]
fn all_partitions_of_a_span_are_handed_over_once_and_are_those_of_the_list() {
    let random = &mut Random(61);
    for _ in 0..stress(20) {
        let detector = never_hot(60).build().unwrap();
        let (mut second, keys) = (0, 1 + random.below(30));
        while second < 200 {
            for _ in 0..random.below(40) {
                let (table, pk) = (["t", "u"][random.below(2)], random.below(keys).to_string());
                let operation = [Write, Read][random.below(2)];
                match random.below(12) {
                    0 => _ = detector.record_throttle(table, &pk, operation, Reason::KeyRange).unwrap(),
                    1 => _ = detector.record_throttle(table, &pk, operation, Reason::Provisioned).unwrap(),
                    n => _ = detector.record(&Record::new(table, &pk, operation).amount(n as u64)).unwrap(),
                }
            }
            second += 1 + random.below(20) as u64 / 4;
            detector.set_time_ms(second * 1_000).unwrap();
            let span = second - second.min(1 + random.below(60) as u64)..second;
            let all = detector
                .fold_closed_in(span.clone(), BTreeMap::new, |all, of| {
                    let before =
                        all.insert((of.table.to_vec(), of.pk.to_vec()), (of.counts, of.peaks, of.throttles));
                    assert_eq!(before, None, "each is told once");
                    assert!(of.counts != [0; 2] || of.throttles != [0; 2]);
                })
                .unwrap();
            for (i, operation) in [Write, Read].into_iter().enumerate() {
                let listed = detector.hottest_closed_in(operation, span.clone(), usize::MAX).unwrap().hottest;
                let listed: BTreeMap<_, _> = listed
                    .into_iter()
                    .map(|hot| ((hot.table, hot.pk), (hot.count, hot.peak, hot.throttles)))
                    .collect();
                let of = |(counts, peaks, throttles): ([u64; 2], [u64; 2], [u64; 2])| {
                    (counts[i], peaks[i], throttles[i])
                };
                let told: BTreeMap<_, _> = all
                    .iter()
                    .map(|(key, &numbers)| (key.clone(), of(numbers)))
                    .filter(|(_, (count, _, throttles))| count + throttles > 0)
                    .collect();
                assert_eq!(told, listed);
            }
        }
    }
    let bounded = never_hot(60).memory(1 << 20).build().unwrap();
    assert_eq!(bounded.fold_closed_in(0..1, || (), |_, _| ()), Err(Error::Unsupported));
}
