//! Facts that are told of a partition: that it is hot, by how much its count may be too high, and
//! what it has at least.

use crate::common::manual;
use hotpart::{Bounds, Builder, Detector, Operation, Reason, Record, Thresholds, Warning};
use std::sync::{Arc, Mutex};

/// Warnings: key, count, carried.
type Warned = Arc<Mutex<Vec<(Vec<u8>, u64, u64)>>>;

fn watched(builder: Builder) -> (Detector, Warned) {
    let warned = Warned::default();
    let to = warned.clone();
    let callback = move |w: &Warning<'_>| to.lock().unwrap().push((w.pk.to_vec(), w.count, w.carried));
    (builder.on_warning(callback).build().unwrap(), warned)
}

fn record<'a>(pk: &'a [u8], amount: u64) -> Record<'a> {
    Record::new("t", pk, Operation::Write).amount(amount)
}

fn bounds(detector: &Detector, pk: &[u8]) -> Bounds {
    detector.bounds("t", pk, Operation::Write).unwrap()
}

fn of(writes: u64) -> Thresholds {
    Thresholds { writes: Some(writes), reads: None }
}

/// Records hot keys until there is no more room.
fn fill(detector: &Detector, table: &str, amount: u64) {
    for key in 0..100_000_u32 {
        let pk = key.to_le_bytes();
        detector.record(&Record::new(table, &pk, Operation::Write).amount(amount)).unwrap();
        if detector.statistics().kept_out > 0 {
            return;
        }
    }
    panic!("there is always room");
}

/// A share is of the least threshold that can be met. One that is set, or removed, elsewhere does
/// not change what others carry: it had no threshold before, and not the highest there is.
#[test]
fn an_override_of_others_leaves_what_is_carried_under_a_share() {
    let none = Thresholds::default();
    let set: [fn(&Detector); 5] = [
        |detector| detector.set_model_thresholds("m", of(1_000)).unwrap(),
        |detector| detector.set_model_thresholds("m", Thresholds::default()).unwrap(),
        |detector| detector.set_table_thresholds("other", of(100_000)).unwrap(),
        |detector| {
            detector.set_table_thresholds("other", of(100_000)).unwrap();
            detector.set_table_thresholds("other", of(50)).unwrap();
        },
        |detector| {
            detector.set_model_thresholds("m", of(900)).unwrap();
            detector.set_model_thresholds("m", Thresholds::default()).unwrap();
        },
    ];
    for (i, set) in set.into_iter().enumerate() {
        let (detector, warned) = watched(manual(400, 400, 60).memory(1 << 20));
        set(&detector);
        detector.set_table_thresholds("yet another", none).unwrap();
        // Each of a crowd is far under a share of its table's threshold; what they put into a cell
        // together is over one of the others'.
        detector.set_table_thresholds("crowd", of(1_000_000)).unwrap();
        for key in 0..60_000_u32 {
            let pk = key.to_le_bytes();
            detector.record(&Record::new("crowd", &pk, Operation::Write).amount(30)).unwrap();
        }
        assert_eq!(detector.statistics().kept_out, 0);
        let mut most = 0;
        for key in 0..400_u32 {
            let pk = key.to_le_bytes();
            let count = detector.record(&record(&pk, 1)).unwrap();
            let Bounds { least, most: all, .. } = bounds(&detector, &pk);
            most = most.max(all - least);
            assert!(count >= 1 && least <= 1);
        }
        assert!(most > 50, "the cells are crowded");
        assert!(most < 100, "override {i}: {most} is carried, where a share is 100");
        assert!(warned.lock().unwrap().is_empty(), "override {i}: keys of one record are told of");
    }
}

/// A lane that is full says only that there was more than it can tell. So it is hot by whatever
/// rule a record meets, and not by the lowest alone.
#[test]
fn a_full_cell_of_a_key_that_is_kept_out_is_hot_by_any_threshold() {
    let (detector, warned) = watched(manual(200_000, 200_000, 60).memory(1 << 16));
    // A model that others have.
    detector.set_model_thresholds("low", of(300)).unwrap();
    fill(&detector, "t", 400);
    warned.lock().unwrap().clear();
    for part in 1..=10 {
        let count = detector.record(&record(b"hot", 20_000)).unwrap();
        assert!(count >= (part * 20_000).min(32_767), "{count} after {part} times 20,000");
    }
    let told = std::mem::take(&mut *warned.lock().unwrap());
    assert!(told.iter().any(|warning| warning.0 == b"hot"), "200,000 were made, and nobody told");
    // And where it is reached at once.
    detector.record(&record(b"hotter", 250_000)).unwrap();
    let told = std::mem::take(&mut *warned.lock().unwrap());
    assert!(told.iter().any(|warning| warning.0 == b"hotter"), "250,000 were made, and nobody told");
}

/// An amount that fills a cell does not hide what was there before.
#[test]
fn a_large_amount_forgets_nothing_that_came_before_it() {
    for amount in [32_767, 32_768, 65_535, 65_536, 98_304, 131_072, 1 << 29] {
        let (detector, _) = watched(manual(40, 40, 60).memory(1 << 16));
        assert_eq!(detector.record(&record(b"k", 3)), Ok(3));
        assert!(detector.record(&record(b"k", amount)).unwrap() >= amount + 3, "{amount}");
        let Bounds { least, most, .. } = bounds(&detector, b"k");
        assert!(least <= amount + 3 && amount + 3 <= most, "{amount}: {least} to {most}");
        assert!(most < amount + 3 + 10, "{amount}: {most}, where a share is 10");
    }
}

/// A partition is listed for its throttles, though it is counted in cells: its count is theirs.
#[test]
fn a_cold_partition_that_was_throttled_is_listed_with_its_bound() {
    let (detector, _) = watched(manual(400, 400, 60).memory(1 << 16));
    let listed = |pk: &[u8], exact: u64| {
        let hottest = detector.hottest(Operation::Write, 1_000).unwrap();
        let hot = hottest.into_iter().find(|hot| hot.pk == pk).expect("it is listed");
        assert!(hot.count >= exact, "{exact} were made, but {hot:?}");
        assert!(
            hot.carried <= hot.count && hot.count - hot.carried <= exact,
            "{exact} were made, but {hot:?}"
        );
        assert!(hot.demand > hot.count);
    };
    detector.record_throttle("t", "cold", Operation::Write, Reason::KeyRange).unwrap();
    detector.record(&record(b"cold", 20)).unwrap();
    listed(b"cold", 20);
    detector.record_throttle("t", "kept out", Operation::Write, Reason::KeyRange).unwrap();
    fill(&detector, "t", 150);
    detector.record(&record(b"kept out", 450)).unwrap();
    listed(b"kept out", 450);
}

/// A demoted partition gives back to the cells what is in the window, and not what has left it: a
/// partition that is demoted for being quiet would be due to be promoted at once.
#[test]
fn what_is_demoted_gives_back_what_is_in_the_window() {
    let (detector, warned) = watched(manual(200, 200, 3).memory(1 << 16));
    // In sub-windows of two seconds. It has an entry from the first: so its cells have nothing of
    // the second time.
    for (second, amount) in [(0, 60), (3, 60), (6, 130), (8, 1), (10, 1)] {
        detector.set_time_ms(second * 1_000).unwrap();
        detector.record(&record(b"k", amount)).unwrap();
    }
    // Passers-by have reclaim come round.
    (0..2_000_u32).for_each(|n| _ = detector.record(&record(&(n % 20).to_le_bytes(), 1)).unwrap());
    let Bounds { least, most, .. } = bounds(&detector, b"k");
    assert!(least <= 2 && most >= 2);
    assert!(most < 50, "{most} are said to be in the window, where 2 are, and a share is 50");
    assert!(warned.lock().unwrap().is_empty());
}

/// A reclaim takes a copy of a segment, for which there was no room where all was full.
#[test]
fn memory_that_is_full_is_given_back_when_its_window_is_over() {
    for memory in (65_536..120_000).step_by(1_777).chain([1 << 18, 1 << 20]) {
        for len in [4, 40, 400] {
            let detector = manual(40, 40, 10).memory(memory).build().unwrap();
            let pk = |n: u32| [&n.to_le_bytes()[..], &vec![7; len]].concat();
            let hot = |n| detector.record(&record(&pk(n), 50)).unwrap();
            (0..100_000).take_while(|_| detector.statistics().kept_out < 3).for_each(|n| _ = hot(n));
            if detector.statistics().promoted == 0 {
                assert!(len == 400 && memory < 120_000, "the least memory has no room for long keys");
                continue;
            }
            let kept_out = |second: u32| {
                detector.set_time_ms(u64::from(second) * 1_000).unwrap();
                (0..200).for_each(|_| _ = detector.record_read("t", "passers-by").unwrap());
                let before = detector.statistics().kept_out;
                hot(200_000 + second);
                std::thread::yield_now();
                detector.statistics().kept_out - before
            };
            // Once what was retired is freed, which other tests' threads may hold up.
            let is_over = (12..60).any(|second| (0..50).any(|_| kept_out(second) == 0));
            assert!(is_over, "{memory} bytes, keys of {}: {:?}", len + 4, detector.statistics());
        }
    }
}

/// Operations that had waited for a table's key were put down, once the partition was promoted, in
/// the second of its release: they stayed in the count, and in `least`, for a window from then, and
/// made warnings that said nothing of it.
#[cfg(feature = "dynamodb")]
#[test]
fn what_waited_for_a_key_is_carried_where_it_stays_for_longer() {
    use hotpart::{Exchange, ObserveError};
    let (detector, warned) = watched(manual(500, 500, 60).memory(1 << 20));
    for _ in 0..450 {
        let put = Exchange {
            operation: b"PutItem",
            request: br#"{"Item":{"id":{"S":"k"}},"TableName":"t"}"#,
            response: Some(b"{}"),
            http_status: 200,
            ..Exchange::default()
        };
        assert!(matches!(detector.observe(&put), Ok(1) | Err(ObserveError::MissingSchema(_))));
    }
    detector.set_time_ms(59_000).unwrap();
    detector.set_key_schema("t", None, &["id"]).unwrap();
    // They are of second 0, and in the window still: none of the 450 is missed.
    assert!(bounds(&detector, b"k").most >= 450);
    detector.set_time_ms(118_000).unwrap();
    assert_eq!(bounds(&detector, b"k").least, 0, "nothing is of the last 60 seconds");
    for _ in 0..50 {
        detector.record_write("t", "k").unwrap();
    }
    assert!(bounds(&detector, b"k").least <= 50);
    for (_, count, carried) in warned.lock().unwrap().iter() {
        assert!(count - carried <= 50, "{count}, {carried} of them carried");
    }
}

/// A carry whose second had left the window came back with each record that was late.
#[cfg(feature = "dynamodb")]
#[test]
fn a_carry_that_is_over_does_not_come_back_with_a_late_record() {
    use hotpart::{Exchange, ObserveError};
    let (detector, _) = watched(manual(500, 500, 60).memory(1 << 20));
    (0..125).for_each(|_| _ = detector.record_write("t", "k").unwrap());
    for ms in [50_000, 100_000, 150_000] {
        detector.set_time_ms(ms).unwrap();
        detector.record(&record(b"k", 200)).unwrap();
    }
    detector.set_time_ms(170_000).unwrap();
    let put = Exchange {
        operation: b"PutItem",
        request: br#"{"Item":{"id":{"S":"k"}},"TableName":"t"}"#,
        response: Some(b"{}"),
        http_status: 200,
        ..Exchange::default()
    };
    assert!(matches!(detector.observe(&put), Err(ObserveError::MissingSchema(_))));
    detector.set_time_ms(171_000).unwrap();
    detector.record_write("t", "k").unwrap();
    detector.set_key_schema("t", None, &["id"]).unwrap();
    let Bounds { least, most, .. } = bounds(&detector, b"k");
    assert_eq!((least, most), (201, 202));
}
