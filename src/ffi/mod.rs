//! The C ABI: every function checks its pointers, calls the Rust API, and catches what must not cross.
//!
//! # Safety
//! The functions trust what the header demands of pointers: texts and structs are valid for their
//! lengths, handles came from the function that makes them and have not been freed, `out` can be written
//! to.
//!
//! Conventions, for all functions: text is a pointer and a length, NULL only with length 0; what is
//! fallible returns 0 or more, or an `HPD_ERR_*` and then has changed nothing; all but `hpd_free` and
//! `hpd_table_close` may be called by any number of threads at once, and none from a signal handler.

#![allow(clippy::missing_safety_doc)] // It is the same for all of them: above.

mod status;

mod detector;

mod table;

mod warning;

mod thresholds;

mod throttle;

mod hottest;

mod metrics;

mod abi_metrics;

mod observe;

mod abi_observe;

mod due;

mod boundary;

mod pending;

use crate::detector::Detector;
use crate::detector::recording::Listener;
pub use crate::ffi::abi_metrics::*;
pub use crate::ffi::abi_observe::*;
use crate::ffi::boundary::{boundary, count, detector_of};
pub use crate::ffi::detector::*;
pub use crate::ffi::due::*;
pub use crate::ffi::hottest::*;
pub use crate::ffi::metrics::*;
pub use crate::ffi::observe::*;
pub use crate::ffi::status::*;
pub use crate::ffi::table::*;
pub use crate::ffi::thresholds::*;
pub use crate::ffi::throttle::*;
use crate::ffi::warning::no_warning;
pub use crate::ffi::warning::*;
use std::ffi::c_char;

/// Frees a detector; NULL is fine. No call on it may be running, and its tables must be closed. Takes
/// time in proportion to the partitions tracked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_free(detector: *mut hpd_detector) {
    boundary(|| {
        if !detector.is_null() {
            // SAFETY: `publish` made the pointer from a box of this type.
            drop(unsafe { Box::from_raw(detector.cast::<Detector>()) });
        }
        Ok(HPD_OK)
    });
}

/// Records one write. table: 1 to 1024 bytes; pk: 0 to 16384. Returns the partition's count of writes
/// with this one, or HPD_ERR_NULL, HPD_ERR_INVALID or HPD_ERR_MEMORY. Takes no lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_write(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe {
        count(detector_of(detector)?.record_write(text(table, table_len)?, text(pk, pk_len)?))
    })
}

/// Records one read; otherwise as hpd_record_write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_read(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe {
        count(detector_of(detector)?.record_read(text(table, table_len)?, text(pk, pk_len)?))
    })
}

/// Records what record says, and returns the count with it. record_size is sizeof(hpd_record) as the
/// caller knows it: smaller than version 1's is HPD_ERR_INVALID; larger is fine if what lies beyond
/// is zero, else HPD_ERR_UNSUPPORTED. With a warning (its struct_size set by the caller, and judged in
/// the same way) a due warning is written there instead of calling back; its texts are the record's own,
/// and its struct_size becomes how much was filled in. A count of 0 in it: none was due.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_full(
    detector: *const hpd_detector,
    record: *const hpd_record,
    record_size: usize,
    warning: *mut hpd_warning,
) -> i64 {
    boundary(|| {
        if record.is_null() {
            return Err(NULL);
        }
        // SAFETY: as the caller promises.
        let (detector, record) = unsafe { (detector_of(detector)?, read(record, record_size)?.read()?) };
        if warning.is_null() {
            return count(detector.record(&record));
        }
        // SAFETY: the size comes first in every version, and the caller says that there is as much.
        let size = unsafe { warning.cast::<usize>().read_unaligned() };
        // SAFETY: as above.
        unsafe { check_size(warning, size)? };
        let (counted, due) = detector.record_and_warn(&record)?;
        let written = hpd_warning::new(
            &due.unwrap_or_else(|| no_warning(record.key(), record.operation, detector)),
            size,
        );
        // SAFETY: the caller says that there is so much room.
        unsafe { write(warning, size, &written) };
        count(Ok(counted))
    })
}

/// Records n records, record_size bytes apart, or none: if one is not valid nothing is recorded and its
/// error is returned. Warnings go to the callback. Returns how many were recorded: n, or fewer if memory
/// ran out on the way (HPD_ERR_MEMORY if it did at the first). records may be NULL if n is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_batch(
    detector: *const hpd_detector,
    records: *const hpd_record,
    record_size: usize,
    n: usize,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { detector_of(detector)? };
        if records.is_null() && n > 0 {
            return Err(NULL);
        }
        if record_size < size_of::<hpd_record>()
            || n.checked_mul(record_size).is_none_or(|size| size > isize::MAX as usize)
        {
            return Err(INVALID);
        }
        // SAFETY: the caller gives `n` records, this far apart.
        let at = |i: usize| unsafe { records.byte_add(i * record_size) };
        // SAFETY: as above.
        let check = |i: usize| unsafe { read(at(i), record_size)?.read()?.check().map_err(Refused::from) };
        // SAFETY: as above, and they have been checked, and stay as they are during the call.
        let nth = |i: usize| unsafe { at(i).read_unaligned().read_checked() };
        Ok(detector.record_each(n, check, nth, &mut Listener::Callback)? as i64)
    })
}

/// Returns the partition's count of writes; HPD_ERR_NULL or HPD_ERR_INVALID; or HPD_ERR_MEMORY, if the table is just being
/// changed there and memory has run out. Asking neither starts to track a partition nor keeps it. Takes no lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_write_count(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe {
        count(detector_of(detector)?.write_count(text(table, table_len)?, text(pk, pk_len)?))
    })
}

/// Returns the partition's count of reads; otherwise as hpd_get_write_count.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_read_count(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe {
        count(detector_of(detector)?.read_count(text(table, table_len)?, text(pk, pk_len)?))
    })
}

/// Forgets all counts, warning states and overrides of tables and models, at one moment for all threads.
/// The clock, the statistics and open tables stay. Takes time in proportion to what it forgets. Returns
/// HPD_OK, HPD_ERR_NULL, or HPD_ERR_MEMORY and then forgets nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_clear(detector: *const hpd_detector) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        unsafe { detector_of(detector)? }.clear()?;
        Ok(HPD_OK)
    })
}

/// Moves a manual clock forward, to milliseconds from 0 to 4294967295999 (beyond: HPD_ERR_INVALID). An
/// earlier time returns HPD_OK and changes nothing. HPD_ERR_UNSUPPORTED if the clock runs by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_set_time_ms(detector: *const hpd_detector, now_ms: u64) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        unsafe { detector_of(detector)? }.set_time_ms(now_ms)?;
        Ok(HPD_OK)
    })
}

/// What a status means, in English; for any status, a known one or not. Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_status_message(status: i32) -> *const c_char {
    match status {
        0.. => c"success",
        HPD_ERR_NULL => c"a pointer that must not be NULL is",
        HPD_ERR_INVALID => c"an argument is out of its range",
        HPD_ERR_UNSUPPORTED => c"not supported by this detector or this version",
        HPD_ERR_MEMORY => c"out of memory; nothing changed",
        HPD_ERR_SCHEMA => c"the name of the table's partition key is not known",
        HPD_ERR_JSON => c"not the JSON of that operation",
        HPD_ERR_INTERNAL => c"internal error: a bug in libhotpart",
        _ => c"unknown status",
    }
    .as_ptr()
}

/// The library's version, such as "0.1.0". Static, never NULL.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

/// The version of this header that the library implements: HPD_ABI_VERSION, if it is that header's.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_abi_version() -> u32 {
    HPD_ABI_VERSION
}
