//! The contents of a list, and the number that it has for all others.

use crate::common::never_hot;
use crate::list::List;
use hotpart::Metrics;
use hotpart::Operation::{Read, Write};

#[test]
fn a_list_has_what_has_the_least_and_says_what_the_others_have_at_most() {
    let detector = never_hot(60).build().unwrap();
    for (pk, writes) in [("a", 9), ("b", 5), ("c", 4), ("d", 1)] {
        (0..writes).for_each(|_| _ = detector.record_write("t", pk));
    }
    let of = |metrics: Metrics| List::of(&detector, Write, &metrics);
    let keys = |list: &List| list.demands.keys().cloned().collect::<String>();
    for (least, listed, most) in [(1, "abcd", 0), (4, "abc", 1), (5, "ab", 4), (9, "a", 5), (10, "", 9)] {
        let list = of(Metrics::default().least(least).demand_only());
        assert_eq!((keys(&list).as_str(), list.unlisted_most), (listed, Some(most)), "{least}");
    }
    let list = of(Metrics::default().hottest(1));
    assert_eq!((keys(&list).as_str(), list.unlisted_most), ("a", Some(5)), "without a least the hottest");
    let list = List::of(&detector, Read, &Metrics::default());
    assert_eq!((keys(&list).as_str(), list.unlisted_most), ("", Some(0)));
}

#[test]
fn of_a_partition_the_demand_alone_is_written_where_that_is_asked() {
    let detector = never_hot(60).build().unwrap();
    detector.record_write("t", "k").unwrap();
    let text = detector.metrics(&Metrics::default().demand_only()).unwrap();
    let families = text.lines().filter(|line| line.starts_with("# TYPE hotpart_partition_"));
    let families: Vec<_> = families.collect();
    assert_eq!(
        families,
        ["# TYPE hotpart_partition_demand gauge", "# TYPE hotpart_partition_unlisted_most gauge"]
    );
}

#[test]
fn no_more_than_990_are_listed_and_the_next_is_the_most_that_is_not() {
    let detector = never_hot(60).build().unwrap();
    for n in 1..=1_500_u64 {
        let pk = n.to_string();
        detector.record(&hotpart::Record::new("t", &pk, Write).amount(n)).unwrap();
    }
    let list = List::of(&detector, Write, &Metrics::default().hottest(3).least(2));
    assert_eq!((list.demands.len(), list.unlisted_most), (990, Some(510)));
    assert!(list.demands.values().all(|&(demand, _)| demand > 510));
}

#[test]
fn where_partitions_are_replaced_nobody_knows_what_is_not_listed() {
    let detector = never_hot(60).max_partitions(10).build().unwrap();
    detector.record_write("t", "k").unwrap();
    assert_eq!(List::of(&detector, Write, &Metrics::default()).unlisted_most, None);
}
