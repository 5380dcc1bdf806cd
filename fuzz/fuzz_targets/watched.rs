//! A detector that exchanges are shown to, and what it shows of them.
#![allow(dead_code)] // Each target uses a part.

use hotpart::ffi::*;
use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut};

/// The tables that are described to it: with an index of each kind, and one whose key is merely
/// declared.
const TABLE: &str = r#"{"Table":{"TableName":"T","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"s","KeyType":"RANGE"}],"GlobalSecondaryIndexes":[{"IndexName":"G","KeySchema":[{"AttributeName":"g","KeyType":"HASH"}]},{"IndexName":"M","KeySchema":[{"AttributeName":"a","KeyType":"HASH"},{"AttributeName":"b","KeyType":"HASH"},{"AttributeName":"r","KeyType":"RANGE"}]}],"LocalSecondaryIndexes":[{"IndexName":"L","KeySchema":[{"AttributeName":"p","KeyType":"HASH"},{"AttributeName":"l","KeyType":"RANGE"}]}]}}"#;

pub struct Watched(*mut hpd_detector);

/// A partition, its count and its throttles, or what the statistics say.
pub type Shown = Vec<(Vec<u8>, Vec<u8>, u64, u64)>;

unsafe extern "C" fn unmoved(_: *mut c_void, _: *const hpd_warning) {}

impl Watched {
    pub fn new(capacity: bool) -> Self {
        let mut detector = null_mut();
        // SAFETY: zeros are a valid value, and the options are filled by the function made for
        // that.
        unsafe {
            let mut options: hpd_options = std::mem::zeroed();
            hpd_options_init(&mut options, size_of::<hpd_options>());
            (options.writes_threshold, options.reads_threshold, options.window_seconds) = (3, 3, 60);
            // So that warnings are heard, whichever way a request is observed.
            options.callback = Some(unmoved);
            options.clock = HPD_CLOCK_MANUAL;
            options.flags = HPD_FLAG_HASH_SEED | HPD_FLAG_WARN_THROTTLES;
            options.flags |= if capacity { HPD_FLAG_CAPACITY } else { 0 };
            assert_eq!(hpd_new_with_options(&options, &mut detector), HPD_OK);
            let (key, len) = (c"u".as_ptr(), 1);
            assert_eq!(hpd_set_key_schema(detector, c"U".as_ptr(), 1, null(), 0, &key, &len, 1), HPD_OK);
        }
        let watched = Self(detector);
        assert_eq!(watched.observe(b"DescribeTable", 200, br#"{"TableName":"T"}"#, TABLE.as_bytes()), 0);
        watched
    }

    /// Calls `observe` with an exchange, and checks what it says of refusals.
    fn exchange(
        &self,
        [operation, request, response]: [&[u8]; 3],
        http_status: i32,
        observe: impl FnOnce(*mut hpd_exchange) -> i64,
    ) -> i64 {
        let mut table = [0_u8; 16];
        let text = |text: &[u8]| if text.is_empty() { null() } else { text.as_ptr().cast() };
        let before = self.shown();
        let mut exchange = hpd_exchange {
            struct_size: size_of::<hpd_exchange>(),
            operation: text(operation),
            operation_len: operation.len(),
            request: text(request),
            request_len: request.len(),
            response: text(response),
            response_len: response.len(),
            model: null(),
            model_len: 0,
            http_status,
            reserved: 0,
            table: table.as_mut_ptr().cast(),
            table_capacity: table.len(),
            table_len: 0,
        };
        let actions = observe(&mut exchange);
        assert!(matches!(actions, 0..|-2| -6 | -7), "{actions}");
        assert_eq!(actions == i64::from(HPD_ERR_SCHEMA), exchange.table_len > 0);
        if actions < 0 && actions != i64::from(HPD_ERR_SCHEMA) {
            assert_eq!(self.shown(), before, "what is refused changes nothing");
        }
        actions
    }

    pub fn observe(&self, operation: &[u8], status: i32, request: &[u8], response: &[u8]) -> i64 {
        // SAFETY: the detector lives, and so do the texts.
        self.exchange([operation, request, response], status, |exchange| unsafe {
            hpd_observe(self.0, exchange)
        })
    }

    pub fn observe_full(&self, operation: &[u8], status: i32, request: &[u8], response: &[u8]) -> i64 {
        let mut warnings = null_mut();
        // SAFETY: as above; the warnings are freed once.
        unsafe {
            let observe = |exchange| hpd_observe_full(self.0, exchange, &mut warnings);
            let actions = self.exchange([operation, request, response], status, observe);
            hpd_warnings_free(warnings);
            actions
        }
    }

    pub fn observe_due(&self, operation: &[u8], status: i32, request: &[u8], response: &[u8]) -> i64 {
        let [operation, request, response] =
            [operation, request, response].map(|text| CString::new(text).unwrap());
        let response = if response.is_empty() { null() } else { response.as_ptr() };
        let mut warnings = null_mut();
        // SAFETY: as above; and the texts end in NUL.
        unsafe {
            let actions =
                hpd_observe_due(self.0, operation.as_ptr(), request.as_ptr(), response, status, null());
            let taken = hpd_take_warnings(self.0, &mut warnings);
            // A part of what waits elsewhere may have warned.
            let missing = actions == i64::from(HPD_ERR_SCHEMA);
            assert!(missing || (actions >= 0 && actions & HPD_DUE != 0) == (taken > 0));
            let mut names = null_mut();
            assert_eq!(hpd_take_missing_tables(&mut names), i32::from(missing));
            hpd_text_free(names);
            hpd_warnings_free(warnings);
            if actions < 0 { actions } else { actions & !HPD_DUE }
        }
    }

    /// All partitions, and all statistics.
    pub fn shown(&self) -> Shown {
        let mut shown = Vec::new();
        // SAFETY: the detector lives; the snapshot is read before it is freed.
        unsafe {
            for operation in [HPD_WRITE, HPD_READ] {
                let mut hottest = null_mut();
                assert_eq!(hpd_hottest_take(self.0, operation, usize::MAX, &mut hottest), HPD_OK);
                for i in 0..hpd_hottest_len(hottest) as usize {
                    let mut hot: hpd_hot_partition = std::mem::zeroed();
                    hot.struct_size = size_of::<hpd_hot_partition>();
                    assert_eq!(hpd_hottest_get(hottest, i, &mut hot), HPD_OK);
                    let text =
                        |text: *const c_char, len| std::slice::from_raw_parts(text.cast(), len).to_vec();
                    let (table, pk) = (text(hot.table, hot.table_len), text(hot.pk, hot.pk_len));
                    shown.push((table, pk, hot.count, hot.throttles));
                }
                hpd_hottest_free(hottest);
            }
            let mut numbers: hpd_statistics = std::mem::zeroed();
            numbers.struct_size = size_of::<hpd_statistics>();
            assert_eq!(hpd_get_statistics(self.0, &mut numbers), HPD_OK);
            let counts =
                [numbers.records, numbers.estimated_half_units, numbers.unknown_operations, numbers.unread];
            let warned = [numbers.partitions, numbers.warnings, numbers.suppressed];
            let all = [&counts[..], &warned, &numbers.throttles, &numbers.unattributed].concat();
            shown.extend(all.into_iter().map(|number| (vec![], vec![], number, 0)));
        }
        shown
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // SAFETY: it came from the library and is not used again.
        unsafe { hpd_free(self.0) }
    }
}
