//! A detector as a C program sees it.

use crate::c_warnings::taking;
use crate::call::*;
use crate::exchange::TABLES;
use hotpart::ffi::*;
use std::cell::RefCell;
use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};

pub struct CFace {
    pub detector: *mut hpd_detector,
    open: [*mut hpd_table; OPEN],
    /// The warnings that the callback was given; shared with it.
    called_back: *mut RefCell<Vec<Warned>>,
}

/// The codes of operations.
pub const CODES: [i32; 2] = [HPD_WRITE, HPD_READ];

/// A text's pointer and length; NULL for an empty one.
pub fn raw(text: &Text) -> (*const c_char, usize) {
    (if text.0.is_empty() { null() } else { text.0.as_ptr().cast() }, text.0.len())
}

fn record_of(entry: &Entry) -> hpd_record {
    let ((table, table_len), (pk, pk_len)) = (raw(&entry.spot.table), raw(&entry.spot.pk));
    // NULL is no model; an empty one has a pointer.
    let (model, model_len) =
        entry.model.as_ref().map_or((null(), 0), |name| (name.0.as_ptr().cast(), name.0.len()));
    let operation = CODES[entry.operation];
    hpd_record {
        table,
        table_len,
        pk,
        pk_len,
        model,
        model_len,
        amount: entry.amount,
        operation,
        reserved: 0,
    }
}

/// The size of a warning in the first version of the header.
const FIRST_WARNING_SIZE: usize = 80;

pub fn blank_warning() -> hpd_warning {
    hpd_warning {
        struct_size: size_of::<hpd_warning>(),
        table: null(),
        table_len: 0,
        pk: null(),
        pk_len: 0,
        operation: -1,
        window_seconds: 0,
        count: u64::MAX,
        threshold: 0,
        suppressed: 0,
        peak: 0,
        rule: 0,
        utilisation_permille: 0,
        carried: 0,
    }
}

/// Copies a text of the library's.
///
/// # Safety
/// There are so many bytes.
pub unsafe fn text_of(text: *const c_char, len: usize) -> Text {
    assert!(!text.is_null());
    // SAFETY: as the caller promises.
    Text(unsafe { std::slice::from_raw_parts(text.cast(), len) }.to_vec())
}

/// Copies a warning that the library gave.
pub fn copy_of(warning: &hpd_warning) -> Warned {
    assert_eq!(warning.struct_size, size_of::<hpd_warning>());
    // SAFETY: the library's texts are never NULL and have these lengths.
    let (table, pk) =
        unsafe { (text_of(warning.table, warning.table_len), text_of(warning.pk, warning.pk_len)) };
    Warned {
        spot: Spot { table, pk },
        operation: CODES.iter().position(|&code| code == warning.operation).unwrap(),
        window: warning.window_seconds,
        count: warning.count,
        threshold: warning.threshold,
        suppressed: warning.suppressed,
        peak: warning.peak,
        of_throttle: warning.rule == HPD_RULE_THROTTLE,
    }
}

unsafe extern "C" fn on_warning(user_data: *mut c_void, warning: *const hpd_warning) {
    // SAFETY: the user data is the cell of the face that made the detector, which outlives it.
    unsafe { (*user_data.cast::<RefCell<Vec<Warned>>>()).borrow_mut().push(copy_of(&*warning)) }
}

impl CFace {
    pub fn new(terms: &Terms) -> Self {
        let called_back = Box::into_raw(Box::<RefCell<Vec<Warned>>>::default());
        let mut detector = null_mut();
        // SAFETY: zeros are a valid value, and the options are filled by the function made for
        // that.
        let status = unsafe {
            let mut options: hpd_options = std::mem::zeroed();
            hpd_options_init(&mut options, size_of::<hpd_options>());
            [options.writes_threshold, options.reads_threshold] = terms.thresholds;
            options.window_seconds = terms.window;
            options.warning_interval_seconds = terms.interval;
            options.max_partitions = terms.max_partitions;
            options.clock = HPD_CLOCK_MANUAL;
            options.flags = HPD_FLAG_HASH_SEED
                | if terms.capacity { HPD_FLAG_CAPACITY } else { 0 }
                | if terms.warns_of_throttles { HPD_FLAG_WARN_THROTTLES } else { 0 };
            options.hash_seed = [3, 14];
            options.callback = terms.calls_back.then_some(on_warning);
            options.user_data = called_back.cast();
            hpd_new_with_options(&options, &mut detector)
        };
        assert_eq!(status, HPD_OK);
        let (key, key_len) = (c"p".as_ptr(), 1);
        for table in TABLES {
            let (name, len) = (table.as_ptr().cast(), table.len());
            // SAFETY: the detector and the names live through the call.
            let status = unsafe { hpd_set_key_schema(detector, name, len, null(), 0, &key, &key_len, 1) };
            assert_eq!(status, HPD_OK);
        }
        Self { detector, open: [null_mut(); OPEN], called_back }
    }

    fn full(&self, entry: &Entry, hearer: Hearer) -> Outcome {
        let (record, size, mut warning) = (record_of(entry), size_of::<hpd_record>(), blank_warning());
        // SAFETY: the record's texts and the warning live through the call.
        unsafe {
            match hearer {
                Hearer::Callback => Outcome::of(hpd_record_full(self.detector, &record, size, null_mut())),
                Hearer::Caller => {
                    let result = hpd_record_full(self.detector, &record, size, &mut warning);
                    taking(result, &warning)
                }
                Hearer::Thread => self.kept(hpd_record_due(self.detector, &record, size)),
            }
        }
    }

    /// Records an array whose elements lie `gap` zeros apart.
    fn batch(&self, entries: &[Entry], gap: usize) -> i64 {
        let stride = size_of::<hpd_record>() + gap;
        let mut array = vec![0_u64; entries.len() * stride / 8];
        for (i, entry) in entries.iter().enumerate() {
            // SAFETY: the array has room for every stride, and is aligned for a record as strides
            // are.
            unsafe { array.as_mut_ptr().byte_add(i * stride).cast::<hpd_record>().write(record_of(entry)) };
        }
        // SAFETY: the array has that many records, whose texts live through the call.
        unsafe { hpd_record_batch(self.detector, array.as_ptr().cast(), stride, entries.len()) }
    }

    fn prepared(&self, at: usize, pk: &Text, operation: usize, form: Form) -> Outcome {
        let ((text, len), table) = (raw(pk), self.open[at]);
        let z = CString::new(pk.until_nul().0).unwrap();
        // SAFETY: the table is open or NULL; both forms of the key live through the call.
        unsafe {
            Outcome::of(match (operation, form) {
                (0, Form::WithLength) => hpd_table_record_write(table, text, len),
                (_, Form::WithLength) => hpd_table_record_read(table, text, len),
                (0, Form::UntilNul) => hpd_table_record_write_z(table, z.as_ptr()),
                (_, Form::UntilNul) => hpd_table_record_read_z(table, z.as_ptr()),
                (0, Form::Due) => return self.kept(hpd_table_record_write_due(table, z.as_ptr())),
                (_, Form::Due) => return self.kept(hpd_table_record_read_due(table, z.as_ptr())),
            })
        }
    }

    fn open(&mut self, at: usize, table: &Text) -> i32 {
        self.close(at);
        let (name, len) = raw(table);
        // SAFETY: the detector lives, and so does the name through the call.
        unsafe { hpd_table_open(self.detector, name, len, &mut self.open[at]) }
    }

    fn close(&mut self, at: usize) {
        // SAFETY: the table is open or NULL, and not used again.
        unsafe { hpd_table_close(std::mem::replace(&mut self.open[at], null_mut())) }
    }

    /// Reads thresholds, which stay as they were if that is refused.
    fn thresholds(get: impl FnOnce(*mut i64, *mut i64) -> i32) -> Outcome {
        let [mut writes, mut reads] = [-7; 2];
        let status = get(&mut writes, &mut reads);
        let both = [writes, reads];
        assert!(status == HPD_OK || both == [-7, -7]);
        Outcome { thresholds: (status == HPD_OK).then_some(both), ..Outcome::of(status) }
    }

    fn flawed(&self, flaw: Flaw) -> i64 {
        let name = c"T".as_ptr();
        let good = Entry {
            spot: Spot { table: Text(b"T".to_vec()), pk: Text(vec![]) },
            operation: 0,
            model: None,
            amount: 1,
        };
        let size = size_of::<hpd_record>();
        // SAFETY: a record's texts live through the call.
        let full = |record: hpd_record| unsafe { hpd_record_full(self.detector, &record, size, null_mut()) };
        // SAFETY: what is not NULL is valid for the lengths that go with it.
        unsafe {
            match flaw {
                Flaw::NullDetector => hpd_record_write(null(), name, 1, name, 1),
                Flaw::NullText => hpd_record_read(self.detector, name, 1, null(), 1),
                Flaw::NullOut => hpd_get_thresholds(self.detector, null_mut(), &mut 0).into(),
                Flaw::NullRecords => hpd_record_batch(self.detector, null(), size, 1),
                Flaw::UnknownOperation => full(hpd_record { operation: 2, ..record_of(&good) }),
                Flaw::Reserved => full(hpd_record { reserved: 1, ..record_of(&good) }),
                Flaw::ShortRecord => hpd_record_full(self.detector, &record_of(&good), size - 1, null_mut()),
                Flaw::ShortWarning => {
                    let mut short = hpd_warning { struct_size: FIRST_WARNING_SIZE - 1, ..blank_warning() };
                    let result = hpd_record_full(self.detector, &record_of(&good), size, &mut short);
                    assert_eq!(short.count, u64::MAX, "a refused call left its warning alone");
                    result
                }
                Flaw::UnknownTail => {
                    let longer = (record_of(&good), 1_u64);
                    hpd_record_full(self.detector, (&raw const longer).cast(), size + 8, null_mut())
                }
            }
        }
    }
}

impl Face for CFace {
    fn call(&mut self, call: &Call) -> Outcome {
        let detector = self.detector;
        // SAFETY: the detector lives, and so do all texts through the call.
        let outcome = unsafe {
            match call {
                Call::Record(Spot { table, pk }, operation) => {
                    let ((table, table_len), (pk, pk_len)) = (raw(table), raw(pk));
                    let record = [hpd_record_write, hpd_record_read][*operation];
                    Outcome::of(record(detector, table, table_len, pk, pk_len))
                }
                Call::Get(Spot { table, pk }, operation) => {
                    let ((table, table_len), (pk, pk_len)) = (raw(table), raw(pk));
                    let get = [hpd_get_write_count, hpd_get_read_count][*operation];
                    Outcome::of(get(detector, table, table_len, pk, pk_len))
                }
                Call::Full(entry, hearer) => self.full(entry, *hearer),
                Call::Batch(entries, gap) => Outcome::of(self.batch(entries, *gap)),
                Call::Open(at, table) => Outcome::of(self.open(*at, table)),
                Call::Close(at) => {
                    self.close(*at);
                    Outcome::default()
                }
                Call::Prepared(at, pk, operation, form) => self.prepared(*at, pk, *operation, *form),
                Call::Throttle(spot, operation, reason, hearer) => {
                    self.throttle(spot, *operation, *reason as i32, *hearer)
                }
                Call::Throttles(spot, operation, reason) => {
                    let ((table, table_len), (pk, pk_len)) = (raw(&spot.table), raw(&spot.pk));
                    let (code, reason) = (CODES[*operation], *reason as i32);
                    let count = hpd_get_throttle_count(detector, table, table_len, pk, pk_len, code, reason);
                    Outcome::of(count)
                }
                Call::Unattributed(table, operation, what) => {
                    let (table, len) = raw(table);
                    let (code, what) = (CODES[*operation], *what as i32);
                    Outcome::of(hpd_get_unattributed_count(detector, table, len, code, what))
                }
                Call::Observe(attempt, hearer) => self.observe(&attempt.exchanged(), *hearer),
                Call::Hottest(operation, n) => self.hottest(*operation, *n),
                Call::Statistics => self.statistics(),
                Call::Metrics(n) => self.metrics(*n as u64),
                Call::Set(scope, name, [writes, reads]) => {
                    let (name, len) = raw(name);
                    let set = match scope {
                        Scope::Table => hpd_set_table_thresholds,
                        Scope::Model => hpd_set_model_thresholds,
                    };
                    Outcome::of(set(detector, name, len, *writes, *reads))
                }
                Call::Thresholds(scope, name) => {
                    let (name, len) = raw(name);
                    let get = match scope {
                        Scope::Table => hpd_get_table_thresholds,
                        Scope::Model => hpd_get_model_thresholds,
                    };
                    Self::thresholds(|writes, reads| get(detector, name, len, writes, reads))
                }
                Call::OwnThresholds => {
                    Self::thresholds(|writes, reads| hpd_get_thresholds(detector, writes, reads))
                }
                Call::Clear => Outcome::of(hpd_clear(detector)),
                Call::SetTime(ms) => Outcome::of(hpd_set_time_ms(detector, *ms)),
                Call::Flawed(flaw) => Outcome::of(self.flawed(*flaw)),
                Call::Forward(_) | Call::Backward(_) => unreachable!("calls are by absolute times"),
            }
        };
        // SAFETY: the cell lives as long as this face.
        Outcome { called_back: unsafe { (*self.called_back).take() }, ..outcome }
    }
}

impl Drop for CFace {
    fn drop(&mut self) {
        (0..OPEN).for_each(|at| self.close(at));
        // SAFETY: the detector came from the library, the cell from a box; neither is used again.
        unsafe {
            hpd_free(self.detector);
            drop(Box::from_raw(self.called_back));
        }
    }
}
