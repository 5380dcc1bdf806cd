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

pub use crate::abi::*;
pub use crate::abi_heat::*;
pub use crate::abi_observe::*;
use crate::boundary::{boundary, count, detector_of};
use crate::builder::Builder;
use crate::detector::Detector;
pub use crate::ffi_heat::*;
pub use crate::ffi_observe::*;
pub use crate::ffi_table::*;
pub use crate::ffi_thresholds::*;
use crate::memory::try_box;
use crate::record::Record;
use crate::rule::Rule;
use crate::thresholds::Thresholds;
use crate::warning::Warning;
use std::ffi::{c_char, c_void};

/// The callback and its user data, which the caller promised to be good on any thread.
struct CCallback(unsafe extern "C" fn(*mut c_void, *const hpd_warning), *mut c_void);
// SAFETY: the header demands a callback that may run on every thread that records.
unsafe impl Send for CCallback {}
// SAFETY: as above.
unsafe impl Sync for CCallback {}

impl CCallback {
    fn call(&self, warning: &Warning<'_>) {
        // SAFETY: the header demands that it can be called with its user data while the detector lives.
        unsafe { self.0(self.1, &hpd_warning::new(warning, size_of::<hpd_warning>())) }
    }
}

/// # Safety
/// `out` is valid for a write.
unsafe fn publish(builder: Builder, out: *mut *mut hpd_detector) -> Result<i32, Refused> {
    let detector = try_box(builder.build()?).map_err(crate::Error::from)?;
    // SAFETY: as the caller promises.
    unsafe { out.write(Box::into_raw(detector).cast()) };
    Ok(HPD_OK)
}

fn with_callback(builder: Builder, callback: hpd_warning_callback, user_data: *mut c_void) -> Builder {
    match callback {
        None => builder,
        Some(callback) => {
            let callback = CCallback(callback, user_data);
            builder.on_warning(move |warning| callback.call(warning))
        }
    }
}

/// Fills options with defaults: no callback, HPD_INTERVAL_WINDOW, no bound, the monotonic clock, random
/// hash seeds. Thresholds and window have none and are 0, which hpd_new_with_options refuses.
/// struct_size is sizeof(hpd_options) as the caller knows it; no more is written. NULL does nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_options_init(options: *mut hpd_options, struct_size: usize) {
    // SAFETY: as the caller promises.
    unsafe { fill(options, struct_size, &hpd_options { struct_size, ..DEFAULTS }) }
}

const DEFAULTS: hpd_options = hpd_options {
    struct_size: 0,
    writes_threshold: 0,
    reads_threshold: 0,
    window_seconds: 0,
    warning_interval_seconds: HPD_INTERVAL_WINDOW,
    callback: None,
    user_data: std::ptr::null_mut(),
    max_partitions: 0,
    clock: HPD_CLOCK_MONOTONIC,
    flags: 0,
    hash_seed: [0, 0],
    writes_per_second: 0,
    reads_per_second: 0,
    writes_sustained: 0,
    reads_sustained: 0,
    processes: 0,
    reserved: 0,
};

/// # Safety
/// `options` is null or valid for writes of `struct_size` bytes.
unsafe fn fill(options: *mut hpd_options, struct_size: usize, with: &hpd_options) {
    if options.is_null() || struct_size > isize::MAX as usize {
        return;
    }
    // SAFETY: as the caller promises; what this version does not know is zeroed.
    unsafe {
        let known = write(options, struct_size, with);
        options.cast::<u8>().add(known).write_bytes(0, struct_size - known);
    }
}

/// Fills options with DynamoDB's own limits, 1,000 write units and 3,000 read units a second for a partition, of which
/// this is one of so many processes that take their even share (1: all of it): capacity is counted
/// (HPD_FLAG_CAPACITY) over a window of 60 seconds that has no threshold of its own, and a warning is due when the
/// current second has reached its limit, or five seconds have reached so many thousandths of theirs, such as
/// 800. The rest as hpd_options_init. Returns HPD_OK, HPD_ERR_NULL, or HPD_ERR_INVALID for no processes, a share not
/// of 1 to 1000, or a struct_size that is older than these limits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_options_for_dynamodb(
    options: *mut hpd_options,
    struct_size: usize,
    share_permille: u32,
    processes: u32,
) -> i32 {
    boundary(|| {
        if options.is_null() {
            return Err(NULL);
        }
        let preset = Builder::for_dynamodb(share_permille, processes)?;
        if !(size_of::<hpd_options>()..=isize::MAX as usize).contains(&struct_size) {
            return Err(INVALID);
        }
        let [writes_per_second, reads_per_second] = preset.rates.second;
        let [writes_sustained, reads_sustained] = preset.rates.sustained;
        let filled = hpd_options {
            struct_size,
            writes_threshold: preset.writes_threshold,
            reads_threshold: preset.reads_threshold,
            window_seconds: preset.window_seconds,
            flags: HPD_FLAG_CAPACITY,
            writes_per_second,
            reads_per_second,
            writes_sustained,
            reads_sustained,
            processes,
            ..DEFAULTS
        };
        // SAFETY: as the caller promises.
        unsafe { fill(options, struct_size, &filled) };
        Ok(HPD_OK)
    })
}

/// Makes a detector. writes_threshold and reads_threshold: the counts from which a partition is hot, 1
/// to INT64_MAX. window_seconds: 1 to 3600. callback may be NULL; it and user_data are fixed for the
/// detector's life. On success *out is the detector; on failure it is untouched. Returns HPD_OK,
/// HPD_ERR_NULL (out), HPD_ERR_INVALID or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_new(
    writes_threshold: u64,
    reads_threshold: u64,
    window_seconds: u32,
    callback: hpd_warning_callback,
    user_data: *mut c_void,
    out: *mut *mut hpd_detector,
) -> i32 {
    boundary(|| {
        if out.is_null() {
            return Err(NULL);
        }
        let builder = Detector::builder(writes_threshold, reads_threshold, window_seconds);
        // SAFETY: `out` is not null.
        unsafe { publish(with_callback(builder, callback, user_data), out) }
    })
}

/// Makes a detector from options that hpd_options_init filled. A struct_size smaller than this version's
/// is HPD_ERR_INVALID, as is an unknown clock; a larger one is fine if what lies beyond is zero, else
/// HPD_ERR_UNSUPPORTED, as is an unknown flag. Otherwise as hpd_new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_new_with_options(
    options: *const hpd_options,
    out: *mut *mut hpd_detector,
) -> i32 {
    boundary(|| {
        if options.is_null() || out.is_null() {
            return Err(NULL);
        }
        // SAFETY: the size comes first in every version.
        let options = unsafe { read(options, options.cast::<usize>().read_unaligned())? };
        if options.flags & !(HPD_FLAG_HASH_SEED | HPD_FLAG_CAPACITY | HPD_FLAG_WARN_THROTTLES) != 0 {
            return Err(UNSUPPORTED);
        }
        if options.reserved != 0 {
            return Err(INVALID);
        }
        let some = |threshold: u64| (threshold != 0).then_some(threshold);
        let thresholds = |writes, reads| Thresholds { writes: some(writes), reads: some(reads) };
        let mut builder =
            Detector::builder(options.writes_threshold, options.reads_threshold, options.window_seconds)
                .max_partitions(options.max_partitions)
                .second_thresholds(thresholds(options.writes_per_second, options.reads_per_second))
                .sustained_thresholds(thresholds(options.writes_sustained, options.reads_sustained))
                .warn_of_throttles(options.flags & HPD_FLAG_WARN_THROTTLES != 0)
                .processes(options.processes.max(1));
        if options.flags & HPD_FLAG_CAPACITY != 0 {
            builder = builder.capacity_mode();
        }
        if options.warning_interval_seconds != HPD_INTERVAL_WINDOW {
            builder = builder.warning_interval_seconds(options.warning_interval_seconds);
        }
        builder = match options.clock {
            HPD_CLOCK_MONOTONIC => builder,
            HPD_CLOCK_MANUAL => builder.manual_clock(),
            _ => return Err(INVALID),
        };
        if options.flags & HPD_FLAG_HASH_SEED != 0 {
            builder = builder.hash_seed(options.hash_seed);
        }
        // SAFETY: `out` is not null.
        unsafe { publish(with_callback(builder, options.callback, options.user_data), out) }
    })
}

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
/// caller knows it: smaller than this version's is HPD_ERR_INVALID; larger is fine if what lies beyond
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
        let written = hpd_warning::new(&due.unwrap_or_else(|| no_warning(&record, detector)), size);
        // SAFETY: the caller says that there is so much room.
        unsafe { write(warning, size, &written) };
        count(Ok(counted))
    })
}

/// What stands in the place of a warning when none is due.
fn no_warning<'a>(record: &Record<'a>, detector: &Detector) -> Warning<'a> {
    Warning {
        table: record.table,
        pk: record.pk,
        operation: record.operation,
        window_seconds: detector.window_seconds(),
        count: 0,
        threshold: 0,
        suppressed: 0,
        peak: 0,
        rule: Rule::Window,
        utilisation_permille: 0,
        in_half_units: false,
    }
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
        Ok(detector.record_each(n, check, nth)? as i64)
    })
}

/// Returns the partition's count of writes, or HPD_ERR_NULL or HPD_ERR_INVALID. Asking neither starts to
/// track a partition nor keeps it. Takes no lock.
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

/// The version of this header that the library implements: 1.
#[unsafe(no_mangle)]
pub extern "C" fn hpd_abi_version() -> u32 {
    1
}
