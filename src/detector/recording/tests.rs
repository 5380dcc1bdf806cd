//! A record's end, where memory is refused or its partition has gone in the middle of it.

use super::*;
use crate::partition::amount::Amount;
use crate::partition::head::{BASE_LIMIT, Head};
use crate::policy::thresholds::Thresholds;
use crate::sys::memory::REFUSING;

const KEY: Key<'_> = Key { table: b"t", pk: b"k" };

const NEVER: u64 = 1 << 40;

/// A detector on which so many writes are hot, in the window of five seconds or in one.
fn detector(in_window: u64, in_second: u64) -> Detector {
    let second = Thresholds { writes: Some(in_second), reads: None };
    Detector::builder(in_window, NEVER, 5).manual_clock().second_thresholds(second).build().unwrap()
}

fn posting(detector: &Detector) -> Posting<'static> {
    let hash = detector.settings.hashing.key(KEY);
    Posting { key: KEY, hash, operation: Operation::Write, model: None, amount: Amount::ONE }
}

fn visit<'g>(detector: &'g Detector, second: u64, guard: &'g Guard) -> Visit<'g> {
    detector.visit(Moment::from_ms(second * 1000), guard)
}

/// Finishes a record that found `count` in its partition, once `meanwhile` was done to that.
fn finish(
    detector: &Detector,
    count: u64,
    meanwhile: impl FnOnce(&Ledger, Partition<'_>, &Guard),
) -> (u64, Option<Warning<'static>>) {
    let guard = &epoch::pin();
    let (ledger, posting) = (detector.current.get(guard), posting(detector));
    let found = ledger.partitions.find(posting.hash, KEY, guard).unwrap().unwrap();
    meanwhile(ledger, found, guard);
    detector
        .finish(
            ledger,
            Unfinished::NeedsFollowUp(found, count),
            &posting,
            visit(detector, 0, guard),
            Delivery::Caller,
        )
        .unwrap()
}

/// As one who replaces a segment does, until it is refused memory for the copy's second segment.
fn freeze_all(ledger: &Ledger, guard: &Guard) {
    let (_, segment) = ledger.partitions.locate(0, guard).unwrap();
    segment.freeze();
    let frozen_heads = segment.frozen_heads().unwrap();
    segment.entries().for_each(|(at, _, entry)| _ = entry.freeze_agreed(&frozen_heads[at]));
}

/// It was taken for one that a clear had forgotten.
#[test]
fn a_record_that_no_memory_lets_judge_is_suppressed() {
    let detector = detector(NEVER, 10);
    (0..9).for_each(|_| _ = detector.record_write("t", "k").unwrap());
    let (count, warning) = finish(&detector, 10, |ledger, _, guard| {
        freeze_all(ledger, guard);
        REFUSING.set(true);
    });
    REFUSING.set(false);
    assert!((count, warning) == (10, None) && detector.statistics().suppressed == 1);
    let (count, warning) = detector.record_and_warn(&Record::new("t", "k", Operation::Write)).unwrap();
    assert_eq!((count, warning.unwrap().suppressed), (10, 1), "the record above was made up");
}

/// The window's rule is judged all the same.
#[test]
fn a_record_that_is_hot_by_the_window_warns_without_memory() {
    let detector = detector(10, 10);
    (0..9).for_each(|_| _ = detector.record_write("t", "k").unwrap());
    let (_, warning) = finish(&detector, 10, |ledger, _, guard| {
        freeze_all(ledger, guard);
        REFUSING.set(true);
    });
    REFUSING.set(false);
    assert_eq!(warning.map(|warning| (warning.rule, warning.count)), Some((Rule::Window, 10)));
}

/// It was neither warned about nor suppressed.
#[test]
fn a_hot_record_whose_partition_was_replaced_before_it_had_an_alarm_warns() {
    let detector = detector(10, NEVER);
    detector.record_write("t", "k").unwrap();
    let (_, warning) = finish(&detector, 10, |ledger, found, guard| {
        let context = visit(&detector, 0, guard).replace_context();
        assert!(ledger.partitions.remove(found, context, guard).unwrap().is_some());
    });
    let warning = warning.expect("the record was hot");
    assert_eq!((warning.count, warning.suppressed, warning.peak), (10, 0, 10));
    assert_eq!(detector.statistics().warnings, 1);
}

/// The same where there is no memory for the alarm.
#[test]
fn a_hot_record_without_memory_for_its_alarm_warns() {
    let detector = detector(10, NEVER);
    detector.record_write("t", "k").unwrap();
    let (_, warning) = finish(&detector, 10, |_, _, _| REFUSING.set(true));
    REFUSING.set(false);
    assert_eq!(warning.map(|warning| (warning.count, warning.suppressed)), Some((10, 0)));
}

/// A write of `amount` at `second` that found `before` in its head, though it had looked at a light
/// one, is finished.
fn overtaken(detector: &Detector, found: Partition<'_>, before: Head, second: u64, amount: u64) -> u64 {
    let guard = &epoch::pin();
    let posting = write(detector, amount);
    let unfinished = Unfinished::Overtaken(found, before);
    detector
        .current
        .get(guard)
        .record_rest(unfinished, &posting, visit(detector, second, guard))
        .unwrap()
        .count
}

fn write(detector: &Detector, amount: u64) -> Posting<'static> {
    Posting { amount: Amount::clamped(amount), ..posting(detector) }
}

/// A detector whose partition had so much in second 0 that its head in second 4 can't keep it, and
/// `amount` in that.
fn heavy(amount: u64) -> Detector {
    let detector = detector(NEVER, NEVER);
    let guard = &epoch::pin();
    for (second, amount) in [(0, BASE_LIMIT), (1, 1), (2, 1), (3, 1), (4, amount)] {
        detector
            .current
            .get(guard)
            .record(&write(&detector, amount), visit(&detector, second, guard))
            .unwrap();
    }
    detector
}

/// Its partition has moved since, and the copy has taken the slot of the much for a later second:
/// what is added up of the past they share is no count.
#[test]
fn a_record_that_was_overtaken_asks_the_copy_for_its_count() {
    let detector = heavy(5 + 3);
    let guard = &epoch::pin();
    let ledger = detector.current.get(guard);
    let found = ledger.partitions.find(posting(&detector).hash, KEY, guard).unwrap().unwrap();
    let before = Head::new(4, 0, 5);
    assert_eq!(overtaken(&detector, found, before, 4, 3), BASE_LIMIT + 3 + 5 + 3);
    ledger.partitions.replace_at(0, visit(&detector, 4, guard).replace_context(), guard).unwrap();
    assert_eq!(overtaken(&detector, found, before, 4, 3), BASE_LIMIT + 3 + 5 + 3);
    for second in 5..8 {
        ledger.record(&write(&detector, 1), visit(&detector, second, guard)).unwrap();
    }
    assert_eq!(overtaken(&detector, found, before, 4, 3), 2 + 5 + 3 + 3, "seconds 2 to 7");
}

/// Its partition has gone since: it returns what its own second had.
#[test]
fn a_record_whose_heavy_partition_has_gone_has_its_own_second() {
    let detector = heavy(5 + 3);
    let guard = &epoch::pin();
    let ledger = detector.current.get(guard);
    let found = ledger.partitions.find(posting(&detector).hash, KEY, guard).unwrap().unwrap();
    ledger.partitions.remove(found, visit(&detector, 4, guard).replace_context(), guard).unwrap();
    assert_eq!(overtaken(&detector, found, Head::new(4, 0, 5), 4, 3), 5 + 3);
}
