//! Batches against the same records made one by one.

use hotpart::{Argument, Detector, Error, Operation, Record, Warning};
use std::sync::{Arc, Mutex};

/// Keys of all lengths, of which many come again.
fn pks(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("{}{:04}", "customer#".repeat(i % 23), i * i % (n / 3))).collect()
}

fn detector() -> (Detector, Arc<Mutex<Vec<String>>>) {
    let warnings = Arc::new(Mutex::new(Vec::new()));
    let heard = warnings.clone();
    let detector = Detector::builder(7, 9, 60)
        .manual_clock()
        .hash_seed([1, 2])
        .on_warning(move |warning: &Warning<'_>| heard.lock().unwrap().push(warning.to_string()))
        .build()
        .unwrap();
    (detector, warnings)
}

/// Enough keys for a table that asks for memory ahead; warnings come in the middle of batches.
#[test]
fn a_batch_is_its_records_one_by_one() {
    let (arn, pks) = ("arn:aws:dynamodb:eu-central-1:123456789012:table/orders".repeat(4), pks(30_000));
    // Three of them begin at one place, so that only their lengths tell them apart.
    let names = [&arn[..3], &arn[..12], "orders", &arn];
    let records: Vec<_> = pks
        .iter()
        .enumerate()
        .map(|(i, pk)| {
            let operation = if i % 5 == 0 { Operation::Read } else { Operation::Write };
            Record::new(names[i / 50 % 4], pk, operation).amount(i as u64 % 3 + 1)
        })
        .collect();
    let ((batched, heard), (single, expected)) = (detector(), detector());
    let lens = [1, 2, 15, 16, 17, 33, 64, 1_000];
    let (mut rest, mut moment) = (&records[..], 0);
    for len in lens.iter().cycle() {
        let (batch, after) = rest.split_at(rest.len().min(*len));
        assert_eq!(batched.record_batch(batch), Ok(batch.len()));
        assert!(batch.iter().all(|record| single.record(record).is_ok()));
        rest = after;
        if rest.is_empty() {
            break;
        }
        moment += 1;
        for detector in [&batched, &single] {
            detector.set_time_ms(moment * 20).unwrap();
        }
    }
    assert!(batched.statistics().partitions > 5_000);
    for (i, pk) in pks.iter().enumerate() {
        let table = names[i / 50 % 4];
        assert_eq!(batched.write_count(table, pk), single.write_count(table, pk));
        assert_eq!(batched.read_count(table, pk), single.read_count(table, pk));
    }
    assert!(!expected.lock().unwrap().is_empty());
    assert_eq!(*heard.lock().unwrap(), *expected.lock().unwrap());
}

/// A record of the same key as the one before it takes a shorter way.
#[test]
fn runs_of_one_key_are_counted_one_by_one() {
    let ((batched, heard), (single, expected)) = (detector(), detector());
    let long = "k".repeat(33);
    // Neighbours have a table, a length, or all but a byte in common.
    let keys = ["", "a", "b", "0123456789abcdef", "0123456789abcdeg", "0123456789abcdefg", &long, "key"];
    let texts: Vec<_> = (0..4_000)
        .map(|i| {
            let run = i / (1 + i / 100 % 5);
            let table = if run % 11 < 9 { "orders" } else { "order" };
            (table.to_owned(), keys[run * 7 % keys.len()].to_owned())
        })
        .collect();
    let records: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(i, (table, pk))| {
            let operation = if i % 3 == 0 { Operation::Read } else { Operation::Write };
            Record::new(table, pk, operation).amount(i as u64 % 2 + 1)
        })
        .collect();
    for (n, chunk) in records.chunks(61).enumerate() {
        batched.set_time_ms(n as u64 * 700).unwrap();
        single.set_time_ms(n as u64 * 700).unwrap();
        assert_eq!(batched.record_batch(chunk), Ok(chunk.len()));
        for record in chunk {
            single.record(record).unwrap();
        }
    }
    for table in ["orders", "order"] {
        for pk in keys {
            assert_eq!(batched.write_count(table, pk), single.write_count(table, pk), "{table} {pk}");
            assert_eq!(batched.read_count(table, pk), single.read_count(table, pk), "{table} {pk}");
        }
    }
    assert_eq!(*heard.lock().unwrap(), *expected.lock().unwrap());
    assert_eq!(batched.statistics().records, records.len() as u64);
}

#[test]
fn one_record_that_is_not_valid_refuses_them_all() {
    let (detector, _) = detector();
    let long = "x".repeat(16_385);
    for (n, bad) in [(1, 0), (16, 15), (40, 0), (40, 16), (40, 39)] {
        let mut records = vec![Record::new("t", "k", Operation::Write); n];
        records[bad] = Record::new("t", &long, Operation::Write);
        assert_eq!(detector.record_batch(&records), Err(Error::Invalid(Argument::Pk)));
        records[bad] = Record::new("t", "k", Operation::Write).amount(0);
        assert_eq!(detector.record_batch(&records), Err(Error::Invalid(Argument::Amount)));
    }
    assert_eq!(detector.write_count("t", "k"), Ok(0));
    assert_eq!(detector.record_batch(&[]), Ok(0));
}

/// A callback in the middle of a batch records, and clears: what comes after in the batch is
/// counted anew.
#[test]
fn a_callback_may_clear_in_the_middle_of_a_batch() {
    let itself = Arc::new(std::sync::OnceLock::<Detector>::new());
    // A reference that does not count: the detector holds its callback, and that must not hold the
    // detector.
    let inner = Arc::downgrade(&itself);
    let detector = Detector::builder(3, 3, 60)
        .manual_clock()
        .on_warning(move |_: &Warning<'_>| {
            let itself = inner.upgrade().unwrap();
            let detector = itself.get().unwrap();
            detector.clear().unwrap();
            assert_eq!(detector.record_write("t", "other"), Ok(1));
        })
        .build()
        .unwrap();
    let detector = itself.get_or_init(|| detector);
    assert_eq!(detector.record_batch(&[Record::new("t", "k", Operation::Write); 20]), Ok(20));
    // Cleared after the third, the sixth, and so on; two are left.
    assert_eq!(detector.write_count("t", "k"), Ok(2));
    assert_eq!(detector.write_count("t", "other"), Ok(1));
}
