//! Subjects of refusal: a detector with a prepared table, and all that shows of it.

use crate::allocator::spare;
use hotpart::ffi::*;
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};

pub const T: *const c_char = c"t".as_ptr();
pub const K: *const c_char = c"k".as_ptr();
const FILLER: *const c_char = c"filler".as_ptr();
pub const PUT_ITEM: *const c_char = c"PutItem".as_ptr();
pub const PUT: &CStr = cr#"{"TableName":"t","Item":{"id":{"S":"k"}}}"#;

/// Whether requests are observed here.
pub const OBSERVES: bool = cfg!(feature = "dynamodb");

/// Never refuses this thread what it takes to read the request, which aborts as well.
pub fn spare_reading() {
    let subject = Subject::new(u32::MAX, false);
    assert_eq!(subject.observe(null_mut()), 1);
    spare(|| assert_eq!(subject.observe(null_mut()), 1));
}

/// A detector, and a prepared table of it; one write, or one throttle for its key range, makes hot.
pub struct Subject {
    pub detector: *mut hpd_detector,
    pub table: *mut hpd_table,
}

pub fn options(threshold: u32) -> hpd_options {
    // SAFETY: all zeros are valid options; then they are filled in.
    let mut options: hpd_options = unsafe { std::mem::zeroed() };
    // SAFETY: they are as large as is said.
    unsafe { hpd_options_init(&mut options, size_of::<hpd_options>()) };
    options.writes_threshold = threshold.into();
    options.reads_threshold = threshold.into();
    options.window_seconds = 60;
    options.callback = Some(ignore);
    options.clock = HPD_CLOCK_MANUAL;
    options.flags = HPD_FLAG_WARN_THROTTLES | HPD_FLAG_HASH_SEED;
    options.hash_seed = [3, 14];
    options
}

unsafe extern "C" fn ignore(_: *mut c_void, _: *const hpd_warning) {}

impl Subject {
    /// With as many partitions as fill its first segment, if it is to be `full`.
    pub fn new(threshold: u32, full: bool) -> Self {
        let (mut detector, mut table) = (null_mut(), null_mut());
        // SAFETY: the pointers are those of what lives here.
        unsafe {
            assert_eq!(hpd_new_with_options(&options(threshold), &mut detector), HPD_OK);
            assert_eq!(hpd_table_open(detector, T, 1, &mut table), HPD_OK);
            let declared = hpd_set_key_schema(detector, T, 1, null(), 0, &c"id".as_ptr(), &2, 1);
            assert_eq!(declared, if OBSERVES { HPD_OK } else { HPD_ERR_UNSUPPORTED });
            // These are never hot.
            assert_eq!(hpd_set_table_thresholds(detector, FILLER, 6, i64::MAX, i64::MAX), HPD_OK);
            for key in 0..if full { 64_u64 } else { 0 } {
                assert_eq!(hpd_record_write(detector, FILLER, 6, (&raw const key).cast(), 8), 1);
            }
        }
        Self { detector, table }
    }

    pub fn write(&self, key: &CStr) -> i64 {
        // SAFETY: the detector lives, and the texts are as long as is said.
        unsafe { hpd_record_write(self.detector, T, 1, key.as_ptr(), key.count_bytes()) }
    }

    /// Writes and throttles of the key "k".
    pub fn counted(&self) -> i64 {
        // SAFETY: the detector lives, and the texts are as long as is said.
        unsafe {
            hpd_get_write_count(self.detector, T, 1, K, 1)
                + hpd_get_throttle_count(self.detector, T, 1, K, 1, HPD_WRITE, HPD_THROTTLE_KEY_RANGE)
        }
    }

    /// Observes one write of the key "k".
    pub fn observe(&self, warnings: *mut *mut hpd_warnings) -> i64 {
        // SAFETY: all zeros are a valid exchange; the texts are as long as is said, and NULL is
        // good for no warnings.
        unsafe {
            let mut exchange: hpd_exchange = std::mem::zeroed();
            exchange.struct_size = size_of::<hpd_exchange>();
            (exchange.operation, exchange.operation_len) = (PUT_ITEM, 7);
            (exchange.request, exchange.request_len) = (PUT.as_ptr(), PUT.count_bytes());
            exchange.http_status = 200;
            if warnings.is_null() {
                hpd_observe(self.detector, &mut exchange)
            } else {
                hpd_observe_full(self.detector, &mut exchange, warnings)
            }
        }
    }

    /// All that a test can see, for two keys.
    pub fn view(&self) -> impl PartialEq + std::fmt::Debug + use<> {
        let (mut of_table, mut of_model) = ([0; 2], [0; 2]);
        // SAFETY: the detector lives, the texts are as long as is said, and what is written to
        // lives here.
        unsafe {
            let mut statistics: hpd_statistics = std::mem::zeroed();
            statistics.struct_size = size_of::<hpd_statistics>();
            assert_eq!(hpd_get_statistics(self.detector, &mut statistics), HPD_OK);
            let [writes, reads] = &mut of_table;
            assert_eq!(hpd_get_table_thresholds(self.detector, T, 1, writes, reads), HPD_OK);
            let [writes, reads] = &mut of_model;
            assert_eq!(hpd_get_model_thresholds(self.detector, T, 1, writes, reads), HPD_OK);
            let counts = [self.counted(), hpd_get_read_count(self.detector, T, 1, K, 1)];
            let filler = |key: u64| hpd_get_write_count(self.detector, FILLER, 6, (&raw const key).cast(), 8);
            let fillers: Vec<_> = (0..64).map(filler).collect();
            let hpd_statistics { records, partitions, bytes, cleared, warnings, suppressed, .. } = statistics;
            (of_table, of_model, counts, fillers, [records, partitions, bytes, cleared, warnings, suppressed])
        }
    }

    /// How many warnings this thread has kept.
    pub fn take(&self) -> i32 {
        let mut warnings = null_mut();
        // SAFETY: the detector lives, and the warnings are the library's.
        unsafe {
            let taken = hpd_take_warnings(self.detector, &mut warnings);
            hpd_warnings_free(warnings);
            taken
        }
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // SAFETY: nobody uses them any more.
        unsafe {
            hpd_table_close(self.table);
            hpd_free(self.detector);
        }
    }
}
