//! The watch: moves a detector's manual clock, and logs calls with what they can know of it.

use crate::oracle::Call;
use hotpart::{Detector, Operation, Record, TableHandle};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

/// A detector, and the clock as its callers see it.
pub struct Watch {
    pub detector: Detector,
    /// The clock has reached this second, and maybe the other.
    reached: AtomicU32,
    announced: AtomicU32,
    tickets: AtomicU64,
    /// The clock has stopped.
    pub over: AtomicBool,
}

impl Watch {
    pub fn new(detector: Detector, second: u32) -> Self {
        let watch = Self {
            detector,
            reached: AtomicU32::new(0),
            announced: AtomicU32::new(0),
            tickets: AtomicU64::new(0),
            over: AtomicBool::new(false),
        };
        watch.set(second);
        watch
    }

    /// Moves the clock. Only one thread does.
    pub fn set(&self, second: u32) {
        self.announced.store(second, SeqCst);
        self.detector.set_time_ms(u64::from(second) * 1_000).unwrap();
        self.reached.store(second, SeqCst);
    }

    pub fn second(&self) -> u32 {
        self.reached.load(SeqCst)
    }
}

/// The partitions of a detector, by number: the first `hot` are of the table `hot`, all others of
/// `churn`.
pub struct Keys {
    hot: usize,
    pks: Vec<Vec<u8>>,
}

/// Returns the number of a series: its partition's, doubled, and one more for reads.
pub fn series(key: usize, operation: Operation) -> u32 {
    (2 * key + operation as usize) as u32
}

fn operation(series: u32) -> Operation {
    Operation::ALL[series as usize % 2]
}

impl Keys {
    /// Most keys fit their entry; each sixteenth of `churn` does not.
    pub fn new(hot: usize, churn: usize) -> Self {
        let pk = |key: usize| {
            let mut pk = vec![b'-'; if key >= hot && key.is_multiple_of(16) { 200 } else { 8 }];
            pk[..8].copy_from_slice(&key.to_le_bytes());
            pk
        };
        Self { hot, pks: (0..hot + churn).map(pk).collect() }
    }

    fn table(&self, series: u32) -> &'static str {
        if (series as usize) < 2 * self.hot { "hot" } else { "churn" }
    }

    fn pk(&self, series: u32) -> &[u8] {
        &self.pks[series as usize / 2]
    }
}

/// A warning, and the call that it came with.
pub struct Heard {
    pub call: Call,
    pub count: u64,
    pub threshold: u64,
    pub suppressed: u64,
    pub peak: u64,
}

/// One thread's calls, each of which it logs.
pub struct Log<'w> {
    watch: &'w Watch,
    keys: &'w Keys,
    hot: TableHandle<'w>,
    pub calls: Vec<Call>,
    pub warnings: Vec<Heard>,
}

impl<'w> Log<'w> {
    pub fn new(watch: &'w Watch, keys: &'w Keys) -> Self {
        Self {
            watch,
            keys,
            hot: watch.detector.table("hot").unwrap(),
            calls: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Makes a call, and returns its log entry and what it returned.
    fn log<T>(&self, series: u32, amount: u64, call: impl FnOnce() -> T) -> (Call, T) {
        let Watch { reached, announced, tickets, .. } = self.watch;
        // In this order: no call that ended before this one began has seen a later second than this
        // one.
        let (begin, before) = (tickets.fetch_add(1, SeqCst), reached.load(SeqCst));
        let returned = call();
        let (end, after) = (tickets.fetch_add(1, SeqCst), announced.load(SeqCst));
        (Call { series, amount, count: None, tickets: [begin, end], before, after }, returned)
    }

    fn log_count(&mut self, series: u32, amount: u64, call: impl FnOnce() -> Result<u64, hotpart::Error>) {
        let (logged, count) = self.log(series, amount, call);
        self.calls.push(Call { count: Some(count.unwrap()), ..logged });
    }

    /// Records 1, by the shortest way.
    pub fn record(&mut self, series: u32) {
        let (detector, table, pk) = (&self.watch.detector, self.keys.table(series), self.keys.pk(series));
        self.log_count(series, 1, || match operation(series) {
            Operation::Write => detector.record_write(table, pk),
            Operation::Read => detector.record_read(table, pk),
        });
    }

    /// Records 1 in a hot partition, by its table's handle.
    pub fn record_prepared(&mut self, series: u32) {
        let pk = self.keys.pk(series);
        let (logged, count) = self.log(series, 1, || match operation(series) {
            Operation::Write => self.hot.record_write(pk),
            Operation::Read => self.hot.record_read(pk),
        });
        self.calls.push(Call { count: Some(count.unwrap()), ..logged });
    }

    pub fn record_amount(&mut self, series: u32, amount: u64) {
        let detector = &self.watch.detector;
        let record =
            Record::new(self.keys.table(series), self.keys.pk(series), operation(series)).amount(amount);
        self.log_count(series, amount, || detector.record(&record));
    }

    /// The same, and takes the warning if one is due.
    pub fn record_and_warn(&mut self, series: u32, amount: u64) {
        let detector = &self.watch.detector;
        let record =
            Record::new(self.keys.table(series), self.keys.pk(series), operation(series)).amount(amount);
        let (logged, returned) = self.log(series, amount, || detector.record_and_warn(&record));
        let (count, warning) = returned.unwrap();
        let call = Call { count: Some(count), ..logged };
        self.calls.push(call);
        self.warnings.extend(warning.map(|warning| {
            let hotpart::Warning { count, threshold, suppressed, peak, .. } = warning;
            Heard { call, count, threshold, suppressed, peak }
        }));
    }

    pub fn record_batch(&mut self, amounts: &[(u32, u64)]) {
        let record = |&(series, amount): &(u32, u64)| {
            Record::new(self.keys.table(series), self.keys.pk(series), operation(series)).amount(amount)
        };
        let records: Vec<_> = amounts.iter().map(record).collect();
        let (logged, done) = self.log(0, 0, || self.watch.detector.record_batch(&records));
        assert_eq!(done, Ok(records.len()));
        self.calls.extend(amounts.iter().map(|&(series, amount)| Call { series, amount, ..logged }));
    }

    pub fn get(&mut self, series: u32) {
        let (detector, table, pk) = (&self.watch.detector, self.keys.table(series), self.keys.pk(series));
        self.log_count(series, 0, || match operation(series) {
            Operation::Write => detector.write_count(table, pk),
            Operation::Read => detector.read_count(table, pk),
        });
    }
}
