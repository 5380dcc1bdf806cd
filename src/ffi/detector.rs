//! The C ABI of making a detector, and of what concerns it as a whole.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Output};
use crate::detector::Detector;
use crate::detector::builder::Builder;
use crate::detector::warning::Warning;
use crate::ffi::boundary::{Out, Versioned, boundary, read_sized, write};
use crate::ffi::opaque::Opaque;
use crate::ffi::status::*;
use crate::ffi::warning::{hpd_warning, hpd_warning_callback};
use crate::policy::thresholds::Thresholds;
use std::ffi::c_void;
use std::mem::offset_of;

/// The system's coarse monotonic clock, which is some milliseconds late. When a detector is made,
/// its clock reads less than one second.
pub const HPD_CLOCK_MONOTONIC: i32 = 0;
/// A clock that starts at 0 and stands until hpd_set_time_ms moves it.
pub const HPD_CLOCK_MANUAL: i32 = 1;

/// The warning interval that is as long as the window.
pub const HPD_INTERVAL_WINDOW: u32 = 0xFFFF_FFFF;

/// Use hash_seed instead of random seeds, so that equal calls have equal effects. Do not use it
/// where strangers choose the keys.
pub const HPD_FLAG_HASH_SEED: u32 = 1;
/// Count capacity and not operations. Amounts, thresholds, counts and warnings are then in half
/// units, because the smallest read is half a unit. A function that takes no amount, such as
/// hpd_record_write, adds one unit, which is 2.
pub const HPD_FLAG_CAPACITY: u32 = 2;
/// Warn of throttles for a partition's key range: its first throttle warns, and later the first
/// after each warning interval.
pub const HPD_FLAG_WARN_THROTTLES: u32 = 4;
/// Write a keyed hash in place of each partition key, in metrics and log lines: see hpd_redact.
pub const HPD_FLAG_REDACT_KEYS: u32 = 8;

/// A detector. Made by hpd_new or hpd_new_with_options, freed by hpd_free. Any number of threads
/// may use one at once.
pub struct hpd_detector {
    _opaque: [u8; 0],
}

impl Opaque for hpd_detector {
    type Rust = Detector;

    const ARGUMENT: Argument = Argument::Detector;
}

/// The options with which a detector is made. hpd_options_init or hpd_options_for_dynamodb fills
/// them; then change what you need.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_options {
    /// sizeof(hpd_options), set by the function that fills the options.
    pub struct_size: usize,
    /// Write threshold: the count of writes from which a partition is hot. Range 1 to INT64_MAX; no
    /// default.
    pub writes_threshold: u64,
    /// Read threshold. Range 1 to INT64_MAX; no default.
    pub reads_threshold: u64,
    /// The window, in seconds. Range 1 to 3600; no default.
    pub window_seconds: u32,
    /// The least time between two warnings for one partition and operation, in seconds: any number.
    /// HPD_INTERVAL_WINDOW (the default) is as long as the window; with 0 every hot record warns.
    pub warning_interval_seconds: u32,
    /// Called with each warning, unless the call hands it out, or keeps it (hpd_take_warnings). If
    /// it is NULL, a record that would call back gives no warning, and starts no warning interval.
    pub callback: hpd_warning_callback,
    /// Handed to the callback, on every thread that it runs on.
    pub user_data: *mut c_void,
    /// The most partitions that are tracked; 0 (the default) sets no bound. At the bound a new
    /// partition takes the place of an idle one or, if none of a few that are looked at is idle, of
    /// the quietest of those. The bound may be exceeded by one for each call under way. Throttles
    /// and tallies together have as many places again.
    pub max_partitions: u64,
    /// HPD_CLOCK_MONOTONIC (default) or HPD_CLOCK_MANUAL.
    pub clock: i32,
    /// HPD_FLAG_*, or 0.
    pub flags: u32,
    /// The seeds of the hash. Used with HPD_FLAG_HASH_SEED only.
    pub hash_seed: [u64; 2],
    /// Write threshold for a single second, independent of the window's. Range 1 to INT64_MAX; 0
    /// (the default) disables it.
    pub writes_per_second: u64,
    /// Read threshold for a single second. Range and default as for writes.
    pub reads_per_second: u64,
    /// Write threshold for five seconds, the current one and the four before it. Range 1 to
    /// INT64_MAX; 0 (the default) disables it. Needs a window of 5 seconds or more.
    pub writes_sustained: u64,
    /// Read threshold for five seconds. Range, default and need as for writes.
    pub reads_sustained: u64,
    /// The number of processes that record the same tables' traffic, about evenly. Utilisation, in
    /// warnings, snapshots and metrics, is judged by DynamoDB's limits divided by this; 0 (the
    /// default) is taken for 1. Only hpd_options_for_dynamodb divides thresholds, too.
    pub processes: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The secret with which keys are hashed; zeros stand for a random one. Processes with the same
    /// secret write the same hashes. Used with HPD_FLAG_REDACT_KEYS only.
    pub redact_key: [u64; 2],
    /// Bounded counting: the memory, in bytes, for partitions, throttles and tallies. Range 65536
    /// to 2^40; 0 (the default) turns it off. Partitions are then counted together in a filter of
    /// fixed size. When a partition nears its threshold, it gets an exact counter of its own. No
    /// hot partition is missed. A warning tells in carried by how much its count may be too high.
    /// hpd_notice_take tells if the bytes are too few. Not among them are key schemas, overrides,
    /// requests that wait for a schema (up to 32 MiB), and up to 17 KiB for each thread. Not allowed
    /// together with max_partitions.
    pub filter_bytes: u64,
    /// The share, in thousandths, of a partition's lowest threshold by any rule, from which it is
    /// counted exactly. A count of 32768 is enough whatever the threshold. Range 10 to 500; 0 (the
    /// default) is 250. Used with filter_bytes only.
    pub promote_permille: u32,
    /// Must be 0.
    pub reserved2: u32,
}

// SAFETY: integers and pointers, which may be null, as a callback may.
unsafe impl Versioned for hpd_options {
    const FIRST_SIZE: usize = 80;
}

/// The options as hpd_options_init fills them, but for their size.
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
    redact_key: [0, 0],
    filter_bytes: 0,
    promote_permille: 0,
    reserved2: 0,
};

/// A callback and its user data, of which the caller promises that they are good on any thread.
struct CCallback(unsafe extern "C" fn(*mut c_void, *const hpd_warning), *mut c_void);

// SAFETY: the header demands a callback that may run on every thread that records.
unsafe impl Send for CCallback {}
// SAFETY: as above.
unsafe impl Sync for CCallback {}

impl CCallback {
    /// Calls it with a warning in C's form, which lives until it returns.
    fn call(&self, warning: &Warning<'_>) {
        // SAFETY: the header demands that it can be called with its user data while the detector
        // lives.
        unsafe { self.0(self.1, &hpd_warning::new(warning, size_of::<hpd_warning>())) }
    }
}

/// Sets the callback, unless it is NULL.
fn with_callback(builder: Builder, callback: hpd_warning_callback, user_data: *mut c_void) -> Builder {
    match callback {
        None => builder,
        Some(callback) => {
            let callback = CCallback(callback, user_data);
            builder.on_warning(move |warning| callback.call(warning))
        }
    }
}

/// Makes a detector. writes_threshold and reads_threshold are the counts from which a partition is
/// hot: 1 to INT64_MAX. window_seconds is 1 to 3600. callback may be NULL; callback and user_data
/// are fixed for the detector's life. The other options are those of hpd_options_init. On success
/// *out is the detector, to be freed by hpd_free; on failure *out is untouched. Returns HPD_OK,
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
        // SAFETY: as the caller promises.
        let out = unsafe { Out::new(Output, out)? };
        let builder = Detector::builder(writes_threshold, reads_threshold, window_seconds);
        hpd_detector::give(with_callback(builder, callback, user_data).build()?, out)
    })
}

/// Fills options with the defaults: no callback, HPD_INTERVAL_WINDOW, no bound, the monotonic
/// clock, random hash seeds. Thresholds and window have no default: they become 0, which
/// hpd_new_with_options refuses. struct_size is sizeof(hpd_options) as the caller knows it; no more
/// is written. Does nothing if options is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_options_init(options: *mut hpd_options, struct_size: usize) {
    // SAFETY: as the caller promises.
    unsafe { fill(options, struct_size, &hpd_options { struct_size, ..DEFAULTS }) }
}

/// Writes options of `struct_size` bytes, which may be those of an older or a newer version.
///
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

/// Fills options with DynamoDB's own limits for a partition: 1,000 write units and 3,000 read units
/// a second. processes is the number of processes that share them evenly, this one included: 1
/// gives it all of them. Capacity is counted (HPD_FLAG_CAPACITY) over a window of 60 seconds, whose
/// own thresholds are INT64_MAX. A warning is due when the current second has reached this
/// process's limit, or when five seconds together have reached share_permille thousandths of five
/// times that limit. share_permille is 1 to 1000, such as 800. The other options are those of
/// hpd_options_init. Returns HPD_OK, HPD_ERR_NULL, or HPD_ERR_INVALID if processes is 0,
/// share_permille is out of its range, or struct_size is of a version without these limits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_options_for_dynamodb(
    options: *mut hpd_options,
    struct_size: usize,
    share_permille: u32,
    processes: u32,
) -> i32 {
    boundary(|| {
        if options.is_null() {
            return Err(Refused::null(Argument::Options));
        }
        let preset = Builder::for_dynamodb(share_permille, processes)?;
        // The limits end there. A caller whose struct is smaller could not hand them on.
        if !(offset_of!(hpd_options, redact_key)..=isize::MAX as usize).contains(&struct_size) {
            return Err(Refused::invalid(Argument::OlderOptions));
        }
        let [writes_per_second, reads_per_second] =
            [preset.second.writes, preset.second.reads].map(Option::unwrap_or_default);
        let [writes_sustained, reads_sustained] =
            [preset.sustained.writes, preset.sustained.reads].map(Option::unwrap_or_default);
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

/// Makes a detector from options that hpd_options_init or hpd_options_for_dynamodb filled. A
/// struct_size smaller than version 1's, and an unknown clock, are HPD_ERR_INVALID. An unknown flag
/// is HPD_ERR_UNSUPPORTED, and so is a larger struct_size unless the bytes beyond are zero.
/// Otherwise as hpd_new.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_new_with_options(
    options: *const hpd_options,
    out: *mut *mut hpd_detector,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (out, options) = unsafe { (Out::new(Output, out)?, read_sized(Argument::Options, options)?) };
        const KNOWN: u32 =
            HPD_FLAG_HASH_SEED | HPD_FLAG_CAPACITY | HPD_FLAG_WARN_THROTTLES | HPD_FLAG_REDACT_KEYS;
        if options.flags & !KNOWN != 0 {
            return Err(Refused::unsupported(Argument::Flags));
        }
        if options.reserved | options.reserved2 != 0 {
            return Err(Refused::invalid(Argument::Reserved));
        }
        let some = |threshold: u64| (threshold != 0).then_some(threshold);
        let thresholds = |writes, reads| Thresholds { writes: some(writes), reads: some(reads) };
        let mut builder =
            Detector::builder(options.writes_threshold, options.reads_threshold, options.window_seconds)
                .max_partitions(options.max_partitions)
                .memory(options.filter_bytes)
                .promote_permille(options.promote_permille)
                .second_thresholds(thresholds(options.writes_per_second, options.reads_per_second))
                .sustained_thresholds(thresholds(options.writes_sustained, options.reads_sustained))
                .warn_of_throttles(options.flags & HPD_FLAG_WARN_THROTTLES != 0)
                .processes(options.processes.max(1));
        if options.flags & HPD_FLAG_CAPACITY != 0 {
            builder = builder.capacity_mode();
        }
        if options.flags & HPD_FLAG_REDACT_KEYS != 0 {
            builder = builder.redact_keys(options.redact_key);
        }
        if options.warning_interval_seconds != HPD_INTERVAL_WINDOW {
            builder = builder.warning_interval_seconds(options.warning_interval_seconds);
        }
        builder = match options.clock {
            HPD_CLOCK_MONOTONIC => builder,
            HPD_CLOCK_MANUAL => builder.manual_clock(),
            _ => return Err(Refused::invalid(Argument::Clock)),
        };
        if options.flags & HPD_FLAG_HASH_SEED != 0 {
            builder = builder.hash_seed(options.hash_seed);
        }
        hpd_detector::give(with_callback(builder, options.callback, options.user_data).build()?, out)
    })
}

/// Frees a detector. Does nothing for NULL. No other call on the detector may be running, and its
/// tables must be closed. Takes time in proportion to the partitions tracked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_free(detector: *mut hpd_detector) {
    // SAFETY: as the caller promises.
    unsafe { hpd_detector::free(detector) }
}

/// Forgets all counts, warning states and overrides of tables and models, at one moment for all
/// threads, and drops requests that wait for a key schema. The clock, the statistics, key schemas,
/// open tables and kept warnings stay. Takes time in proportion to the memory that it forgets.
/// Returns HPD_OK, HPD_ERR_NULL, or HPD_ERR_MEMORY, after which nothing is forgotten.
/// With filter_bytes it also takes time in proportion to these. It may find too few free bytes,
/// because what an earlier call forgot is freed only when all calls that were running then have
/// returned. Then it waits up to a quarter of a second, and may return HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_clear(detector: *const hpd_detector) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        unsafe { hpd_detector::as_ref(detector)? }.clear()?;
        Ok(HPD_OK)
    })
}

/// Moves a manual clock forward to now_ms milliseconds: 0 to 4294967295999. An earlier time returns
/// HPD_OK and changes nothing. Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID for a time out of
/// range, or HPD_ERR_UNSUPPORTED if the clock runs by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_set_time_ms(detector: *const hpd_detector, now_ms: u64) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        unsafe { hpd_detector::as_ref(detector)? }.set_time_ms(now_ms)?;
        Ok(HPD_OK)
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::key::Key;

    /// Where the detector that `make` makes puts a key.
    fn place(make: impl FnOnce(*mut *mut hpd_detector) -> i32) -> u64 {
        let mut detector = std::ptr::null_mut();
        assert_eq!(make(&mut detector), HPD_OK);
        // SAFETY: it was just made, and is freed after its last use.
        unsafe {
            let hash = hpd_detector::as_ref(detector)
                .ok()
                .unwrap()
                .settings
                .hashing
                .key(Key { table: b"t", pk: b"k" });
            hpd_free(detector);
            hash.position.into()
        }
    }

    /// Otherwise strangers who choose keys could make them collide.
    #[test]
    fn seeds_are_random_unless_they_are_given() {
        let place_with = |flags| {
            // SAFETY: all zeros are valid options; then they are filled in, as large as is said.
            unsafe {
                let mut options: hpd_options = std::mem::zeroed();
                hpd_options_init(&mut options, size_of::<hpd_options>());
                (options.writes_threshold, options.reads_threshold, options.window_seconds) = (1, 1, 1);
                (options.flags, options.hash_seed) = (flags, [3, 14]);
                place(|out| hpd_new_with_options(&options, out))
            }
        };
        // SAFETY: no callback.
        let place_of_new = || place(|out| unsafe { hpd_new(1, 1, 1, None, std::ptr::null_mut(), out) });
        assert_ne!(place_of_new(), place_of_new());
        assert_ne!(place_with(0), place_with(0));
        assert_eq!(place_with(HPD_FLAG_HASH_SEED), place_with(HPD_FLAG_HASH_SEED));
        assert_ne!(place_with(HPD_FLAG_HASH_SEED), place_with(0));
    }
}
