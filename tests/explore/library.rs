//! The release library, loaded as a C program loads it: no code of the crate's own build is
//! explored.

use hotpart::ffi::*;
use libloading::Symbol;
use std::ffi::c_char;
use std::ops::Range;
use std::path::Path;

type Text = *const c_char;
type Detector = *const hpd_detector;
type OfKey = unsafe extern "C" fn(Detector, Text, usize, Text, usize) -> i64;
type OfThrottle = unsafe extern "C" fn(Detector, Text, usize, Text, usize, i32, i32) -> i64;

/// The C functions that scenarios call. They stay loaded until the process ends.
pub struct Library {
    pub options_init: unsafe extern "C" fn(*mut hpd_options, usize),
    pub new: unsafe extern "C" fn(*const hpd_options, *mut *mut hpd_detector) -> i32,
    pub set_time_ms: unsafe extern "C" fn(Detector, u64) -> i32,
    pub record_write: OfKey,
    pub record_read: OfKey,
    pub record_full: unsafe extern "C" fn(Detector, *const hpd_record, usize, *mut hpd_warning) -> i64,
    pub record_batch: unsafe extern "C" fn(Detector, *const hpd_record, usize, usize) -> i64,
    pub record_throttle: OfThrottle,
    pub write_count: OfKey,
    pub read_count: OfKey,
    pub throttle_count: OfThrottle,
    pub table_open: unsafe extern "C" fn(Detector, Text, usize, *mut *mut hpd_table) -> i32,
    pub table_record_write: unsafe extern "C" fn(*const hpd_table, Text, usize) -> i64,
    pub set_table_thresholds: unsafe extern "C" fn(Detector, Text, usize, i64, i64) -> i32,
    pub clear: unsafe extern "C" fn(Detector) -> i32,
    pub statistics: unsafe extern "C" fn(Detector, *mut hpd_statistics) -> i32,
    pub hottest_take: unsafe extern "C" fn(Detector, i32, usize, *mut *mut hpd_hottest) -> i32,
    pub hottest_get: unsafe extern "C" fn(*const hpd_hottest, usize, *mut hpd_hot_partition) -> i32,
    pub hottest_len: unsafe extern "C" fn(*const hpd_hottest) -> i64,
    /// Where its instructions are in memory.
    pub text: Range<usize>,
    /// Where the file's first byte is in memory.
    pub base: usize,
}

impl Library {
    pub fn load(path: &Path) -> Self {
        // SAFETY: loading runs no code but the library's and the C library's own.
        let loaded = unsafe { libloading::Library::new(path) };
        let loaded = loaded.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // Never unloaded: the functions outlive all who call them.
        let loaded = Box::leak(Box::new(loaded));
        let (base, text) = mapping(path);
        // SAFETY: the types are those of the definitions in `hotpart::ffi`.
        unsafe {
            Self {
                options_init: symbol(loaded, "hpd_options_init"),
                new: symbol(loaded, "hpd_new_with_options"),
                set_time_ms: symbol(loaded, "hpd_set_time_ms"),
                record_write: symbol(loaded, "hpd_record_write"),
                record_read: symbol(loaded, "hpd_record_read"),
                record_full: symbol(loaded, "hpd_record_full"),
                record_batch: symbol(loaded, "hpd_record_batch"),
                record_throttle: symbol(loaded, "hpd_record_throttle"),
                write_count: symbol(loaded, "hpd_get_write_count"),
                read_count: symbol(loaded, "hpd_get_read_count"),
                throttle_count: symbol(loaded, "hpd_get_throttle_count"),
                table_open: symbol(loaded, "hpd_table_open"),
                table_record_write: symbol(loaded, "hpd_table_record_write"),
                set_table_thresholds: symbol(loaded, "hpd_set_table_thresholds"),
                clear: symbol(loaded, "hpd_clear"),
                statistics: symbol(loaded, "hpd_get_statistics"),
                hottest_take: symbol(loaded, "hpd_hottest_take"),
                hottest_get: symbol(loaded, "hpd_hottest_get"),
                hottest_len: symbol(loaded, "hpd_hottest_len"),
                text,
                base,
            }
        }
    }
}

/// # Safety
/// `F` is the type of the function with this name.
unsafe fn symbol<F: Copy>(library: &libloading::Library, name: &str) -> F {
    // SAFETY: as the caller promises.
    let symbol: Result<Symbol<'_, F>, _> = unsafe { library.get(name) };
    *symbol.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Where this process has mapped the file: its first byte, and its instructions.
fn mapping(path: &Path) -> (usize, Range<usize>) {
    let name = path.canonicalize().expect("a library that is loaded");
    let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux");
    let (mut base, mut text) = (usize::MAX, 0..0);
    for line in maps.lines().filter(|line| line.ends_with(name.to_str().expect("a path of text"))) {
        let (range, rest) = line.split_once(' ').expect("a range first");
        let (start, end) = range.split_once('-').expect("a range");
        let at = |digits| usize::from_str_radix(digits, 16).expect("an address");
        base = base.min(at(start));
        if rest.starts_with("r-xp") {
            text = at(start)..at(end);
        }
    }
    assert!(!text.is_empty(), "{} is not mapped", name.display());
    (base, text)
}
