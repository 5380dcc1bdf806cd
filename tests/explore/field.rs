//! A detector under test, with the log of all that is done to it.

use crate::alarms::{Alarms, Post};
use crate::heard;
use crate::library::Library;
use crate::oracle::{Log, Record, Seen};
use crate::scenario::{INSERTED, Key, Kind, LONG, Rules, SUBJECT, Step};
use hotpart::ffi::*;
use std::ffi::c_char;
use std::ptr::{null, null_mut};

pub const TABLE: &str = "t";

/// The bytes of a partition key.
pub fn text(key: Key) -> String {
    let number = format!("k{key:04}");
    if key < LONG { number } else { format!("{number}{}", "x".repeat(995)) }
}

/// The number of a partition, from its key.
pub fn number(pk: &[u8]) -> Key {
    let digits = std::str::from_utf8(pk.get(1..5).unwrap_or_default()).unwrap_or_default();
    digits.parse().unwrap_or(Key::MAX)
}

pub fn operation(kind: Kind) -> i32 {
    if kind == Kind::Read { HPD_READ } else { HPD_WRITE }
}

/// A record's particulars for C. The key must outlive them.
pub fn record(pk: &str, kind: Kind, amount: u64) -> hpd_record {
    hpd_record {
        table: TABLE.as_ptr().cast(),
        table_len: TABLE.len(),
        pk: pk.as_ptr().cast(),
        pk_len: pk.len(),
        model: null(),
        model_len: 0,
        amount,
        operation: operation(kind),
        reserved: 0,
    }
}

/// The detector, which is never freed: its process ends first.
pub struct Field<'l> {
    pub library: &'l Library,
    pub detector: *const hpd_detector,
    pub handle: *const hpd_table,
    pub log: Log,
    pub alarms: Alarms,
    /// The reason for which the stepped call was refused, if it was.
    pub refused: Option<String>,
    ms: u64,
    threshold: u64,
    inserted: Key,
}

// SAFETY: the library's functions may be called from any thread with its detectors and handles.
unsafe impl Send for Field<'_> {}

impl<'l> Field<'l> {
    pub fn new(library: &'l Library, rules: Rules) -> Self {
        let (mut detector, mut handle) = (null_mut(), null_mut());
        // SAFETY: the options are initialised before they are changed and used, texts are valid for
        // their lengths, and both results have a place.
        unsafe {
            let mut options = std::mem::zeroed::<hpd_options>();
            (library.options_init)(&mut options, size_of::<hpd_options>());
            options.writes_threshold = rules.threshold;
            options.reads_threshold = i64::MAX as u64;
            options.window_seconds = rules.window;
            options.warning_interval_seconds = rules.interval_seconds;
            options.callback = Some(heard::hear);
            options.max_partitions = rules.max_partitions;
            options.clock = HPD_CLOCK_MANUAL;
            options.flags = HPD_FLAG_HASH_SEED;
            options.hash_seed = [3, 14];
            assert_eq!((library.new)(&options, &mut detector), HPD_OK);
            let opened = (library.table_open)(detector, TABLE.as_ptr().cast(), TABLE.len(), &mut handle);
            assert_eq!(opened, HPD_OK);
        }
        let log = Log { window: rules.window.into(), lossy: rules.lossy(), ..Log::default() };
        let alarms = Alarms::new(rules);
        let threshold = rules.threshold;
        let mut field = Self {
            library,
            detector,
            handle,
            log,
            alarms,
            refused: None,
            ms: 0,
            threshold,
            inserted: INSERTED,
        };
        field.mark();
        field
    }

    /// Begins a moment in the log.
    pub fn mark(&mut self) -> usize {
        self.log.moments.push(self.ms);
        self.log.thresholds.push(self.threshold);
        self.log.moments.len() - 1
    }

    pub fn now(&self) -> u64 {
        self.ms
    }

    /// The threshold of writes that is in force.
    pub fn threshold(&self) -> u64 {
        self.threshold
    }

    pub fn do_all(&mut self, steps: &[Step]) {
        steps.iter().for_each(|&step| self.act(step));
    }

    pub fn act(&mut self, step: Step) {
        match step {
            Step::Wait(ms) => {
                self.ms += ms;
                // SAFETY: the detector is live.
                assert_eq!(unsafe { (self.library.set_time_ms)(self.detector, self.ms) }, HPD_OK);
                self.mark();
            }
            Step::Record(key, kind, amount) => self.record(key, kind, amount),
            Step::Get(key, kind) => self.get(key, kind),
            Step::Insert(n) => {
                for key in self.inserted..self.inserted + n {
                    self.record(key, Kind::Write, 1);
                }
                self.inserted += n;
            }
            Step::Clear => {
                let at = self.mark();
                // SAFETY: the detector is live.
                assert_eq!(unsafe { (self.library.clear)(self.detector) }, HPD_OK);
                self.log.clears.push(at);
            }
            Step::Threshold(writes) => {
                // SAFETY: the detector is live, and the text is valid for its length.
                let set = unsafe {
                    let (table, len) = (TABLE.as_ptr().cast(), TABLE.len());
                    (self.library.set_table_thresholds)(self.detector, table, len, writes as i64, HPD_INHERIT)
                };
                assert_eq!(set, HPD_OK);
                self.threshold = writes;
                self.mark();
            }
            Step::Unlisted => {
                self.record(SUBJECT, Kind::Write, 1);
                self.log.records.pop();
                self.log.seen.pop();
            }
            Step::Hang => loop {
                std::thread::park();
            },
        }
    }

    fn record(&mut self, key: Key, kind: Kind, amount: u64) {
        let at = self.mark();
        let pk = text(key);
        let second = self.log.second(at);
        self.log.records.push(Record { at, key, kind, second, amount });
        // SAFETY: the detector is live, and texts are valid for their lengths.
        let count = unsafe {
            let (table, pk_at) = (TABLE.as_ptr().cast::<c_char>(), pk.as_ptr().cast());
            match kind {
                Kind::Throttle => (self.library.record_throttle)(
                    self.detector,
                    table,
                    TABLE.len(),
                    pk_at,
                    pk.len(),
                    HPD_WRITE,
                    HPD_THROTTLE_KEY_RANGE,
                ),
                _ => {
                    let record = record(&pk, kind, amount);
                    (self.library.record_full)(self.detector, &record, size_of::<hpd_record>(), null_mut())
                }
            }
        };
        // An error is a number that no count can be.
        let count = count as u64;
        self.log.seen.push((key, kind, Seen::Count(at, count)));
        let (span, warnings) = ((at, at), heard::take());
        self.alarms.posts.push(Post { key, kind, span, count, warnings, hot: None });
    }

    pub fn get(&mut self, key: Key, kind: Kind) {
        let at = self.mark();
        let count = self.count(key, kind);
        self.log.seen.push((key, kind, Seen::Count(at, count)));
    }

    /// The library's count, which is not noted.
    pub fn count(&self, key: Key, kind: Kind) -> u64 {
        let pk = text(key);
        let (table, len) = (TABLE.as_ptr().cast::<c_char>(), TABLE.len());
        let (pk_at, pk_len) = (pk.as_ptr().cast(), pk.len());
        // SAFETY: the detector is live, and texts are valid for their lengths.
        let count = unsafe {
            match kind {
                Kind::Write => (self.library.write_count)(self.detector, table, len, pk_at, pk_len),
                Kind::Read => (self.library.read_count)(self.detector, table, len, pk_at, pk_len),
                Kind::Throttle => (self.library.throttle_count)(
                    self.detector,
                    table,
                    len,
                    pk_at,
                    pk_len,
                    HPD_WRITE,
                    HPD_THROTTLE_KEY_RANGE,
                ),
            }
        };
        // An error is a number that no count can be.
        count as u64
    }

    pub fn statistics(&self) -> hpd_statistics {
        // SAFETY: zeros are a valid struct of integers, and the detector is live.
        unsafe {
            let mut statistics = std::mem::zeroed::<hpd_statistics>();
            statistics.struct_size = size_of::<hpd_statistics>();
            assert_eq!((self.library.statistics)(self.detector, &mut statistics), HPD_OK);
            statistics
        }
    }
}
