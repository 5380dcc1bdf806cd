//! The loops of `benches/c_calls.c`, compiled now and loaded into this process with the release's
//! `libhotpart.so`.

use crate::keys::{PK_LEN, TABLE};
use crate::workload::Workload;
use libloading::Symbol;
use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::process::Command;

/// Set by `make bench`: the directory of `libhotpart.so`.
const LIBRARY_DIR: &str = "HOTPART_LIBRARY_DIR";
const SOURCE: &str = "benches/c_calls.c";

type Loop = unsafe extern "C" fn(*const c_void, *const c_char, usize, usize) -> i64;
type BatchLoop = unsafe extern "C" fn(*const c_void, *const c_void, usize, usize) -> i64;
type New = unsafe extern "C" fn(*const c_char, usize, c_int, u64) -> *mut c_void;
type Promoted = unsafe extern "C" fn(*const c_void) -> i64;
type SetTime = unsafe extern "C" fn(*const c_void, u64) -> i32;
type NewRecords = unsafe extern "C" fn(*const c_char, usize, *const c_char, usize, usize) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);

/// The C functions. They stay loaded until the process ends.
pub struct Library {
    new: New,
    free: Free,
    set_time_ms: SetTime,
    promoted: Promoted,
    record: Loop,
    record_by_handle: Loop,
    record_batches: BatchLoop,
    new_records: NewRecords,
    free_records: Free,
}

impl Library {
    /// Compiles and loads them.
    pub fn load() -> Self {
        let dir = std::env::var(LIBRARY_DIR)
            .unwrap_or_else(|_| panic!("{LIBRARY_DIR} is not set: run this by `make bench`"));
        let object = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_calls.so");
        let compiler = compiler();
        let mut words = compiler.split_whitespace();
        let compiled = Command::new(words.next().expect("a C compiler's name"))
            .args(words)
            .args([
                "-std=c99",
                "-pedantic",
                "-Wall",
                "-Wextra",
                "-O2",
                "-shared",
                "-fPIC",
                "-Iinclude",
                SOURCE,
                "-o",
            ])
            .arg(&object)
            .args([format!("-L{dir}"), "-lhotpart".into(), format!("-Wl,-rpath,{dir}")])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("a C compiler");
        assert!(compiled.success(), "{SOURCE} does not compile");
        // SAFETY: loading runs no code but libhotpart's and the C library's own.
        let library = unsafe { libloading::Library::new(object) }.expect("what was just compiled");
        // Never unloaded: the functions outlive all who call them.
        let library = Box::leak(Box::new(library));
        // SAFETY: the types are those of the C definitions, where pointers to structs are opaque.
        unsafe {
            Self {
                new: symbol(library, "caller_new"),
                free: symbol(library, "caller_free"),
                set_time_ms: symbol(library, "caller_set_time_ms"),
                promoted: symbol(library, "caller_promoted"),
                record: symbol(library, "caller_record"),
                record_by_handle: symbol(library, "caller_record_by_handle"),
                record_batches: symbol(library, "caller_record_batches"),
                new_records: symbol(library, "records_new"),
                free_records: symbol(library, "records_free"),
            }
        }
    }
}

/// The C compiler that `make` names, or the system's.
pub fn compiler() -> String {
    std::env::var("CC").ok().filter(|cc| !cc.trim().is_empty()).unwrap_or_else(|| "cc".into())
}

/// # Safety
/// `F` is the type of the function with this name.
unsafe fn symbol<F: Copy>(library: &libloading::Library, name: &str) -> F {
    // SAFETY: as the caller promises.
    let symbol: Result<Symbol<'_, F>, _> = unsafe { library.get(name) };
    *symbol.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A detector that C made, and a handle to its table.
pub struct CCaller<'l> {
    library: &'l Library,
    caller: *mut c_void,
}

impl<'l> CCaller<'l> {
    pub fn holding(library: &'l Library, workload: &Workload) -> Self {
        let own = Self::new(library, false, 0);
        own.record_once(workload);
        own
    }

    /// With a clock that stands at 0 until it is set.
    pub fn holding_by_manual_clock(library: &'l Library, workload: &Workload) -> Self {
        let own = Self::new(library, true, 0);
        own.record_once(workload);
        own
    }

    /// With a filter of so many bytes, in which each key was recorded once.
    pub fn bounded(library: &'l Library, workload: &Workload, filter_bytes: u64) -> Self {
        let own = Self::new(library, false, filter_bytes);
        // Others may have the same cells.
        workload.keys().for_each(|pk| assert!(own.record(&pk) >= 1));
        own
    }

    fn new(library: &'l Library, manual_clock: bool, filter_bytes: u64) -> Self {
        // SAFETY: the table is a constant, which outlives the caller.
        let caller =
            unsafe { (library.new)(TABLE.as_ptr().cast(), TABLE.len(), manual_clock.into(), filter_bytes) };
        assert!(!caller.is_null());
        Self { library, caller }
    }

    fn record_once(&self, workload: &Workload) {
        workload.keys().for_each(|pk| assert_eq!(self.record(&pk), 1));
    }

    /// Fails if a key has come to be counted exactly: what was measured is then not what a cold one
    /// costs.
    pub fn assert_cold(&self) {
        // SAFETY: `caller` is live.
        assert_eq!(unsafe { (self.library.promoted)(self.caller) }, 0, "keys that are cold");
    }

    pub fn set_time_ms(&self, now_ms: u64) {
        // SAFETY: `caller` is live.
        let status = unsafe { (self.library.set_time_ms)(self.caller, now_ms) };
        assert_eq!(status, 0, "the clock is a manual one");
    }

    /// The sum of the counts that the records returned.
    pub fn record(&self, pks: &[u8]) -> i64 {
        self.run(self.library.record, pks)
    }

    pub fn record_by_handle(&self, pks: &[u8]) -> i64 {
        self.run(self.library.record_by_handle, pks)
    }

    fn run(&self, all: Loop, pks: &[u8]) -> i64 {
        // SAFETY: `caller` is live, and `pks` holds so many keys of this length.
        unsafe { all(self.caller, pks.as_ptr().cast(), PK_LEN, pks.len() / PK_LEN) }
    }

    pub fn record_batches(&self, records: &CRecords<'_>, batch: usize) {
        let CRecords { records, workload, .. } = records;
        let n = workload.visits_len();
        // SAFETY: `caller` and `records` are live, and there are n of them.
        let recorded = unsafe { (self.library.record_batches)(self.caller, *records, n, batch) };
        assert_eq!(recorded, n as i64);
    }
}

// SAFETY: the loops only read `caller`, and any number of threads may use its detector and its
// handle at once.
unsafe impl Sync for CCaller<'_> {}

impl Drop for CCaller<'_> {
    fn drop(&mut self) {
        // SAFETY: it came from `new`, and nobody uses it any more.
        unsafe { (self.library.free)(self.caller) }
    }
}

/// An array of `hpd_record`, one for each visit, in their order.
pub struct CRecords<'w> {
    library: &'w Library,
    workload: &'w Workload,
    records: *mut c_void,
}

impl<'w> CRecords<'w> {
    pub fn of(library: &'w Library, workload: &'w Workload) -> Self {
        let (table, pks) = (TABLE.as_ptr().cast(), workload.visits().as_ptr().cast());
        // SAFETY: both texts outlive the records, and there are so many keys of this length.
        let records =
            unsafe { (library.new_records)(table, TABLE.len(), pks, PK_LEN, workload.visits_len()) };
        assert!(!records.is_null());
        Self { library, workload, records }
    }
}

impl Drop for CRecords<'_> {
    fn drop(&mut self) {
        // SAFETY: they came from `new_records`, and nobody uses them any more.
        unsafe { (self.library.free_records)(self.records) }
    }
}
