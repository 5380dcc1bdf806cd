//! Random fleets: the lists of all processes bound what a partition has in all of them.

use crate::common::{Random, manual, stress};
use crate::list::List;
use hotpart::Operation::Write;
use hotpart::{Argument, Detector, Error, Metrics, Reason, Record, Thresholds, fleet_least};
use std::collections::BTreeMap;

/// Some processes, and what was recorded of each key in all of them together.
struct Fleet {
    processes: Vec<Detector>,
    truth: BTreeMap<String, u64>,
}

impl Fleet {
    /// A random one; with a filter in each process, whose partitions are counted exactly from
    /// `level` on.
    fn random(random: &mut Random, level: Option<u64>) -> Self {
        let new = |_| match level {
            Some(level) => manual(level * 4, level * 4, 60).memory(1 << 20).build().unwrap(),
            None => manual(1_000, 1_000, 60).build().unwrap(),
        };
        let processes: Vec<_> = (0..1 + random.below(6)).map(new).collect();
        let mut truth = BTreeMap::new();
        for key in 0..random.below(60) {
            let key = format!("key-{key}");
            let most = [3, 30, 300, 3_000][random.below(4)];
            for process in &processes {
                // Some have none of it, and some all.
                let amount = random.below(most) as u64 * u64::from(random.below(3) > 0);
                if amount > 0 {
                    process.record(&Record::new("t", &key, Write).amount(amount)).unwrap();
                }
                let throttles = random.below(20).saturating_sub(15) as u64;
                for _ in 0..throttles {
                    process.record_throttle("t", &key, Write, Reason::KeyRange).unwrap();
                }
                *truth.entry(key.clone()).or_default() += amount + throttles;
            }
        }
        Self { processes, truth }
    }

    /// Checks what follows from all lists: for a key's sum, for the most that it can have, and for
    /// those that nobody lists.
    fn check(&self, least: u64) {
        let metrics = Metrics::default().least(least);
        let lists: Vec<_> = self.processes.iter().map(|each| List::of(each, Write, &metrics)).collect();
        let unlisted: u64 = lists.iter().map(|list| list.unlisted_most.unwrap()).sum();
        for (key, &truth) in &self.truth {
            let listing = lists.iter().filter_map(|list| Some((list, list.demands.get(key)?)));
            let mut sum = 0;
            let mut most = unlisted;
            for (list, &(demand, carried)) in listing {
                assert!(demand >= least);
                sum += demand - carried;
                most = most + demand - list.unlisted_most.unwrap();
            }
            assert!(sum <= truth && truth <= most, "{key}: {sum} <= {truth} <= {most}");
        }
    }
}

#[test]
fn a_partitions_demand_in_the_fleet_is_between_both_sums() {
    let random = &mut Random(26);
    for _ in 0..stress(60) {
        let fleet = Fleet::random(random, None);
        let processes = fleet.processes.len() as u32;
        for threshold in [1, 100, 1_000, 10_000] {
            fleet.check(fleet_least(threshold, processes, 1 + random.below(8) as u32));
        }
    }
}

#[test]
fn it_is_where_most_partitions_are_in_a_filter_too() {
    let random = &mut Random(62);
    for _ in 0..stress(20) {
        let level = 1 + random.below(100) as u64;
        let fleet = Fleet::random(random, Some(level));
        [level + 1, 2 * level, 1_000].into_iter().for_each(|least| fleet.check(least.max(level + 1)));
    }
}

#[test]
fn a_partition_that_nobody_lists_could_have_just_what_all_say_together() {
    let random = &mut Random(77);
    for _ in 0..stress(60) {
        let fleet = Fleet::random(random, None);
        let least = 1 + random.below(300) as u64;
        let lists: Vec<_> = fleet
            .processes
            .iter()
            .map(|each| List::of(each, Write, &Metrics::default().least(least)))
            .collect();
        let could: u64 = lists.iter().map(|list| list.unlisted_most.unwrap()).sum();
        // In each process some partition has just that much and is not listed. It could be one and
        // the same.
        for (process, list) in fleet.processes.iter().zip(&lists) {
            let all = process.hottest(Write, usize::MAX).unwrap();
            let demands = all.iter().map(|hot| hot.demand).filter(|&demand| demand < least);
            assert_eq!(demands.max().unwrap_or(0), list.unlisted_most.unwrap());
        }
        let unlisted =
            fleet.truth.iter().filter(|(key, _)| lists.iter().all(|list| !list.demands.contains_key(*key)));
        assert!(unlisted.map(|(_, truth)| truth).max().is_none_or(|most| *most <= could));
    }
}

#[test]
fn with_a_filter_the_least_must_be_over_the_level_of_every_table() {
    let detector = manual(400, 400, 60).memory(1 << 20).build().unwrap();
    let of = |least| detector.metrics(&Metrics::default().least(least)).map(|_| ());
    let refused = Err(Error::Invalid(Argument::ListedLeast));
    assert_eq!([of(1), of(100), of(101)], [refused, refused, Ok(())]);
    detector.set_table_thresholds("t", Thresholds { writes: Some(800), reads: None }).unwrap();
    assert_eq!([of(200), of(201)], [refused, Ok(())]);
    detector.set_table_thresholds("t", Thresholds { writes: None, reads: None }).unwrap();
    assert_eq!(of(200), refused, "its partitions have what they had, for a while");
    detector.set_time_ms(100_000).unwrap();
    assert_eq!([of(100), of(101)], [refused, Ok(())]);
    assert_eq!(
        detector.metrics(&Metrics::default()).map(|_| ()),
        Ok(()),
        "the hottest are asked for, whatever they have"
    );
}

#[test]
fn with_a_filter_a_partition_that_is_kept_out_is_bounded_too() {
    let detector = manual(4_000, 4_000, 60).memory(1 << 16).build().unwrap();
    let mut most = 0;
    for round in 1..=40 {
        for key in 0..60 {
            let pk = format!("a key that takes some room {key}");
            most = detector.record(&Record::new("t", &pk, Write).amount(round * 3)).unwrap().max(most);
        }
    }
    assert!(detector.statistics().kept_out > 0);
    let list = List::of(&detector, Write, &Metrics::default().least(1_001));
    let listed = list.demands.len();
    assert!(listed < 60 && list.unlisted_most.unwrap() >= 40 * 41 / 2 * 3, "{list:?}");
}

/// A lane that is full says nothing of how much there was; the number was what lanes can say at
/// most.
#[test]
fn with_a_filter_a_partition_that_is_kept_out_may_have_any_number() {
    let detector = manual(48_000, 144_000, 60).memory(1 << 16).promote_permille(10).build().unwrap();
    for key in 0..400 {
        let pk = format!("a key that takes some room {key}");
        detector.record(&Record::new("t", &pk, Write).amount(500)).unwrap();
    }
    let hot = "a key that takes some room 999";
    (0..20).for_each(|_| _ = detector.record(&Record::new("t", hot, Write).amount(50_000)).unwrap());
    let list = List::of(&detector, Write, &Metrics::default().least(1_441));
    assert!(!list.demands.contains_key(hot) && list.unlisted_most.unwrap() >= 1_000_000, "{list:?}");
    // A count reads as its threshold, or what lanes say, if that is more.
    assert_eq!(detector.write_count("t", hot), Ok(98_304));
}
