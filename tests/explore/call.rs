//! The stepped call, between two traps.

use crate::field::{Field, TABLE, operation, record, text};
use crate::heard::{self, Heard};
use crate::library::Library;
use crate::oracle::{Own, Seen};
use crate::scenario::{Call, Key, Kind};
use crate::tracer::stop_here;
use hotpart::ffi::*;
use std::ffi::c_char;
use std::ptr::null_mut;

/// All that a call is made with, prepared so that nothing else happens between the traps.
pub struct Prepared<'l> {
    library: &'l Library,
    detector: *const hpd_detector,
    handle: *const hpd_table,
    call: Call,
    pk: String,
    /// The keys that `records` points into.
    _pks: Vec<String>,
    records: Vec<hpd_record>,
}

/// The outcome of a call.
pub struct Given {
    pub returned: i64,
    pub warnings: Vec<Heard>,
    /// Of each partition in a snapshot: key, count, peak.
    pub hottest: Vec<(Key, u64, u64)>,
}

/// Runs `call` between two traps.
fn between<T>(call: impl FnOnce() -> T) -> T {
    stop_here();
    let given = call();
    stop_here();
    given
}

impl Call {
    /// The records that it makes.
    pub fn records(&self) -> Vec<Own> {
        let one = |key, kind| vec![Own { key, kind, amount: 1 }];
        match *self {
            Call::Write(key) | Call::Handle(key) => one(key, Kind::Write),
            Call::Read(key) => one(key, Kind::Read),
            Call::Throttle(key) => one(key, Kind::Throttle),
            Call::Full(key, amount) => vec![Own { key, kind: Kind::Write, amount }],
            Call::Batch(ref all) => {
                all.iter().map(|&(key, kind, amount)| Own { key, kind, amount }).collect()
            }
            Call::WriteCount(_) | Call::Clear | Call::Hottest => Vec::new(),
        }
    }

    fn key(&self) -> Key {
        match *self {
            Call::Write(key)
            | Call::Handle(key)
            | Call::Read(key)
            | Call::Throttle(key)
            | Call::Full(key, _)
            | Call::WriteCount(key) => key,
            Call::Batch(_) | Call::Clear | Call::Hottest => Key::MAX,
        }
    }
}

impl<'l> Prepared<'l> {
    pub fn new(call: &Call, field: &Field<'l>) -> Self {
        let own = call.records();
        let pks: Vec<String> = own.iter().map(|own| text(own.key)).collect();
        let records = own.iter().zip(&pks).map(|(own, pk)| record(pk, own.kind, own.amount)).collect();
        let (library, detector, handle) = (field.library, field.detector, field.handle);
        let pk = text(call.key());
        Self { library, detector, handle, call: call.clone(), pk, _pks: pks, records }
    }

    /// Makes the call, and stops before and after it.
    pub fn make(&self) -> Given {
        let (l, detector) = (self.library, self.detector);
        let (table, len) = (TABLE.as_ptr().cast::<c_char>(), TABLE.len());
        let (pk, pk_len) = (self.pk.as_ptr().cast::<c_char>(), self.pk.len());
        let (records, size) = (self.records.as_ptr(), size_of::<hpd_record>());
        let mut hottest = Vec::new();
        let mut warnings = Vec::new();
        // SAFETY: detector and handle are live, and texts, records and results are valid for what
        // they say.
        let returned = unsafe {
            match self.call {
                Call::Write(_) => between(|| (l.record_write)(detector, table, len, pk, pk_len)),
                Call::Read(_) => between(|| (l.record_read)(detector, table, len, pk, pk_len)),
                Call::WriteCount(_) => between(|| (l.write_count)(detector, table, len, pk, pk_len)),
                Call::Handle(_) => between(|| (l.table_record_write)(self.handle, pk, pk_len)),
                Call::Throttle(_) => {
                    let (operation, reason) = (operation(Kind::Write), HPD_THROTTLE_KEY_RANGE);
                    between(|| (l.record_throttle)(detector, table, len, pk, pk_len, operation, reason))
                }
                Call::Batch(_) => between(|| (l.record_batch)(detector, records, size, self.records.len())),
                Call::Full(..) => {
                    let mut warning = std::mem::zeroed::<hpd_warning>();
                    warning.struct_size = size_of::<hpd_warning>();
                    let count = between(|| (l.record_full)(detector, records, size, &mut warning));
                    if warning.count > 0 {
                        warnings.push(Heard::read(&warning));
                    }
                    count
                }
                Call::Clear => between(|| (l.clear)(detector).into()),
                Call::Hottest => {
                    let mut taken = null_mut();
                    let status = between(|| (l.hottest_take)(detector, HPD_WRITE, 10, &mut taken));
                    hottest = (0..(l.hottest_len)(taken)).map(|i| listed(l, taken, i as usize)).collect();
                    status.into()
                }
            }
        };
        warnings.extend(heard::take());
        Given { returned, warnings, hottest }
    }
}

/// # Safety
/// The snapshot is live and has a place `i`.
unsafe fn listed(library: &Library, taken: *const hpd_hottest, i: usize) -> (Key, u64, u64) {
    // SAFETY: zeros are a valid struct; the rest as the caller promises.
    unsafe {
        let mut hot = std::mem::zeroed::<hpd_hot_partition>();
        hot.struct_size = size_of::<hpd_hot_partition>();
        assert_eq!((library.hottest_get)(taken, i, &mut hot), HPD_OK);
        let pk = std::slice::from_raw_parts(hot.pk.cast::<u8>(), hot.pk_len);
        (crate::field::number(pk), hot.count, hot.peak)
    }
}

impl Given {
    /// The numbers that are to be judged.
    pub fn seen(&self, call: &Call) -> Vec<(Key, Kind, Seen)> {
        let returned = self.returned as u64;
        let mut seen = match *call {
            Call::WriteCount(key) => vec![(key, Kind::Write, Seen::Got(returned))],
            Call::Hottest => {
                let each = |&(key, count, peak)| {
                    [(key, Kind::Write, Seen::Got(count)), (key, Kind::Write, Seen::Peak(peak, count))]
                };
                self.hottest.iter().flat_map(each).collect()
            }
            Call::Batch(_) | Call::Clear => Vec::new(),
            _ => call.records().iter().map(|own| (own.key, own.kind, Seen::Recorded(returned))).collect(),
        };
        let peak = |heard: &Heard| (heard.key, heard.kind, Seen::Peak(heard.peak, heard.count));
        seen.extend(self.warnings.iter().map(peak));
        seen
    }

    /// Whether it succeeded.
    pub fn refused(&self, call: &Call) -> Option<String> {
        let right = match call {
            Call::Batch(all) => self.returned == all.len() as i64,
            Call::Clear | Call::Hottest => self.returned == i64::from(HPD_OK),
            _ => self.returned >= 0,
        };
        (!right).then(|| format!("the call returned {}", self.returned))
    }
}
