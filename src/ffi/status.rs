//! The C ABI's types and constants: layouts that never change, and how they are read and written.
//!
//! The comments of this file and of `ffi.rs` become those of `include/hotpart.h`.
#![allow(non_camel_case_types)]

use crate::detector::record::Record;
use crate::detector::warning::Warning;
use crate::error::Error;
use crate::operation::Operation;
use crate::policy::rule::Rule;
use std::ffi::{c_char, c_void};

/// The version of this header.
pub const HPD_ABI_VERSION: u32 = 1;

/// The call succeeded.
pub const HPD_OK: i32 = 0;
/// A pointer that must not be NULL is.
pub const HPD_ERR_NULL: i32 = -1;
/// An argument is out of its range.
pub const HPD_ERR_INVALID: i32 = -2;
/// Not with this detector: setting the time of a running clock; a flag, or more in a struct, than this
/// version knows.
pub const HPD_ERR_UNSUPPORTED: i32 = -3;
/// An allocation failed; nothing changed.
pub const HPD_ERR_MEMORY: i32 = -4;
/// A caught panic: a bug of the library.
pub const HPD_ERR_INTERNAL: i32 = -5;
/// The partition key's name is needed and unknown: describe the table, then call again.
pub const HPD_ERR_SCHEMA: i32 = -6;
/// It is not the JSON of that operation; nothing was recorded.
pub const HPD_ERR_JSON: i32 = -7;

/// The operation that consumes write capacity.
pub const HPD_WRITE: i32 = 0;
/// The operation that consumes read capacity.
pub const HPD_READ: i32 = 1;

/// What hpd_table_record_write_due and its like add to what they return when a warning is kept; no count has this bit.
pub const HPD_DUE: i64 = 0x4000_0000_0000_0000;

/// A threshold: the next level decides.
pub const HPD_INHERIT: i64 = -1;
/// A warning interval: as long as the window.
pub const HPD_INTERVAL_WINDOW: u32 = 0xFFFF_FFFF;
/// The system's coarse monotonic clock.
pub const HPD_CLOCK_MONOTONIC: i32 = 0;
/// A clock that starts at 0 and stands until hpd_set_time_ms moves it.
pub const HPD_CLOCK_MANUAL: i32 = 1;
/// Use hash_seed instead of random seeds, so that equal calls have equal effects. Not where strangers
/// choose the keys.
pub const HPD_FLAG_HASH_SEED: u32 = 1;
/// Count capacity and not operations: amounts, thresholds, counts and warnings are then in half units, so that
/// a read of half a unit is exact. A record without an amount adds one unit, which is 2.
pub const HPD_FLAG_CAPACITY: u32 = 2;
/// The first throttle for the key range of a partition gives a warning, and then the first in each interval.
pub const HPD_FLAG_WARN_THROTTLES: u32 = 4;
/// Metrics have a keyed hash in place of each partition key: see hpd_redact.
pub const HPD_FLAG_REDACT_KEYS: u32 = 8;

/// The rule of a warning: the window's count has reached its threshold.
pub const HPD_RULE_WINDOW: i32 = 0;
/// The current second has reached its threshold.
pub const HPD_RULE_SECOND: i32 = 1;
/// Five seconds, the current one and the four before it, have reached their threshold.
pub const HPD_RULE_SUSTAINED: i32 = 2;
/// DynamoDB throttled the partition for its key range.
pub const HPD_RULE_THROTTLE: i32 = 3;

/// A detector. Made by hpd_new or hpd_new_with_options, freed by hpd_free. Any number of threads may
/// use one at once.
pub struct hpd_detector {
    _opaque: [u8; 0],
}

/// A table's name, prepared once. Made by hpd_table_open, freed by hpd_table_close. Any number of
/// threads may use one at once. It belongs to its detector, survives hpd_clear, and is closed before
/// hpd_free.
pub struct hpd_table {
    _opaque: [u8; 0],
}

/// A warning: a partition is hot. Read it up to struct_size: later versions append fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_warning {
    /// How many bytes of this struct the library has filled.
    pub struct_size: usize,
    /// The table; never NULL, not NUL-terminated.
    pub table: *const c_char,
    /// The table's length in bytes.
    pub table_len: usize,
    /// The partition-key value; never NULL, not NUL-terminated.
    pub pk: *const c_char,
    /// The key's length in bytes.
    pub pk_len: usize,
    /// HPD_WRITE or HPD_READ.
    pub operation: i32,
    /// The seconds that count is of: the detector's window or, by the other rules, 1 or 5.
    pub window_seconds: u32,
    /// The count that reached the threshold.
    pub count: u64,
    /// The threshold it reached.
    pub threshold: u64,
    /// Records at or past the threshold since the last warning that gave none. Forgotten with the partition,
    /// once its window is empty and its interval over.
    pub suppressed: u64,
    /// The fullest second in the window.
    pub peak: u64,
    /// HPD_RULE_*: which rule is met.
    pub rule: i32,
    /// What share of DynamoDB's limit for a partition count is, in thousandths, on the average of its seconds.
    /// Without HPD_FLAG_CAPACITY an operation is taken for one unit. By HPD_RULE_THROTTLE 1000, and count is a number of
    /// attempts.
    pub utilisation_permille: u32,
}

/// Called with a warning on the thread whose record was due one, after that record is visible, with
/// nothing locked. The warning and its texts live until the callback returns. It may call every function
/// but hpd_free and hpd_table_close; records made inside it, to whichever detector, count but call back no
/// further. It must return normally: no C++ exception, no longjmp, no exit of its thread.
pub type hpd_warning_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, warning: *const hpd_warning)>;

/// What a detector is made with. Filled by hpd_options_init, then changed.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_options {
    /// sizeof(hpd_options), set by hpd_options_init.
    pub struct_size: usize,
    /// The count of writes from which a partition is hot: 1 to INT64_MAX. No default.
    pub writes_threshold: u64,
    /// The same for reads. No default.
    pub reads_threshold: u64,
    /// 1 to 3600. No default.
    pub window_seconds: u32,
    /// The least time between two warnings for one partition and operation. Default
    /// HPD_INTERVAL_WINDOW; 0: every hot record warns.
    pub warning_interval_seconds: u32,
    /// May be NULL.
    pub callback: hpd_warning_callback,
    /// Handed to the callback, on whichever thread it runs.
    pub user_data: *mut c_void,
    /// How many partitions are tracked at most; 0, the default: no bound. At the bound a new one takes
    /// the place of an idle one or of the quietest of a few. Calls under way may exceed it by one each. Throttles and
    /// tallies have as many places, apart.
    pub max_partitions: u64,
    /// HPD_CLOCK_MONOTONIC (default) or HPD_CLOCK_MANUAL.
    pub clock: i32,
    /// HPD_FLAG_*, or 0.
    pub flags: u32,
    /// Used with HPD_FLAG_HASH_SEED only.
    pub hash_seed: [u64; 2],
    /// What one second of a partition must have of writes to be hot, whatever the window has; 0, the default: no
    /// such rule. To INT64_MAX.
    pub writes_per_second: u64,
    /// The same for reads.
    pub reads_per_second: u64,
    /// What five seconds of a partition, the current one and the four before it, must have of writes to be hot; 0, the
    /// default: no such rule. To INT64_MAX. Needs a window of 5 seconds or more.
    pub writes_sustained: u64,
    /// The same for reads.
    pub reads_sustained: u64,
    /// How many processes record the same tables' traffic, about evenly: utilisation is judged by this one's share
    /// of DynamoDB's limits. 0, the default, and 1: it has all of them.
    pub processes: u32,
    /// 0.
    pub reserved: u32,
    /// The secret that keys are hashed with, with HPD_FLAG_REDACT_KEYS only; zeros: a random one.
    pub redact_key: [u64; 2],
}

/// One record in full.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_record {
    /// 1 to 1024 bytes: a table's name or ARN, or TABLE/index/INDEX.
    pub table: *const c_char,
    /// The table's length in bytes.
    pub table_len: usize,
    /// 0 to 16384 bytes.
    pub pk: *const c_char,
    /// The key's length in bytes.
    pub pk_len: usize,
    /// 1 to 1024 bytes; NULL and 0 for none. (An empty name, not NULL, is HPD_ERR_INVALID.)
    pub model: *const c_char,
    /// The model's length in bytes.
    pub model_len: usize,
    /// What the record adds: at least 1. A partition's second saturates at 2^30 - 1.
    pub amount: u64,
    /// HPD_WRITE or HPD_READ.
    pub operation: i32,
    /// 0.
    pub reserved: u32,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused(match error {
            Error::Invalid => HPD_ERR_INVALID,
            Error::Unsupported => HPD_ERR_UNSUPPORTED,
            Error::Memory => HPD_ERR_MEMORY,
        })
    }
}

/// An `HPD_ERR_*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) i32);

pub(crate) const NULL: Refused = Refused(HPD_ERR_NULL);
pub(crate) const INVALID: Refused = Refused(HPD_ERR_INVALID);
pub(crate) const UNSUPPORTED: Refused = Refused(HPD_ERR_UNSUPPORTED);

/// # Safety
/// A non-null `text` is valid for `len` bytes through `'a`.
#[inline(always)]
pub(crate) unsafe fn text<'a>(text: *const c_char, len: usize) -> Result<&'a [u8], Refused> {
    match (text.is_null(), len) {
        (true, 0) => Ok(&[]),
        (true, _) => Err(NULL),
        // No text of ours is nearly as long; a slice could not be either.
        (false, len) if len > isize::MAX as usize => Err(INVALID),
        // SAFETY: as the caller promises.
        (false, len) => Ok(unsafe { std::slice::from_raw_parts(text.cast(), len) }),
    }
}

/// A pointer to text for C, never null.
pub(crate) fn pointer(text: &[u8]) -> *const c_char {
    if text.is_empty() { c"".as_ptr() } else { text.as_ptr().cast() }
}

/// A struct of the header, of which zeros are a valid one. Later versions append fields.
///
/// # Safety
/// It is plain data that may be all zeros.
pub(crate) unsafe trait Versioned: Copy {
    /// What it took in version 1 of the header.
    const FIRST_SIZE: usize;
}

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_warning {
    const FIRST_SIZE: usize = 80;
}
// SAFETY: as above.
unsafe impl Versioned for hpd_options {
    const FIRST_SIZE: usize = 80;
}
// SAFETY: as above.
unsafe impl Versioned for hpd_record {
    const FIRST_SIZE: usize = 64;
}

/// Checks a struct that its caller says has `size` bytes: it may be older than this library's, but not than version 1;
/// or newer, which is fine while what is unknown here is zero.
///
/// # Safety
/// `from` is valid for `size` bytes, at any alignment.
#[inline(always)]
pub(crate) unsafe fn check_size<T: Versioned>(from: *const T, size: usize) -> Result<(), Refused> {
    if size < T::FIRST_SIZE || size > isize::MAX as usize {
        return Err(INVALID);
    }
    let own = size_of::<T>().min(size);
    // SAFETY: as the caller promises.
    let tail = unsafe { std::slice::from_raw_parts(from.cast::<u8>().add(own), size - own) };
    if tail.iter().any(|&byte| byte != 0) { Err(UNSUPPORTED) } else { Ok(()) }
}

/// Reads such a struct; what an older one lacks is zero.
///
/// # Safety
/// As for [`check_size`].
#[inline(always)]
pub(crate) unsafe fn read<T: Versioned>(from: *const T, size: usize) -> Result<T, Refused> {
    // SAFETY: as the caller promises. No more is read than there is, and zeros are a valid `T`.
    unsafe {
        check_size(from, size)?;
        if size >= size_of::<T>() {
            return Ok(from.read_unaligned());
        }
        let mut whole = std::mem::MaybeUninit::<T>::zeroed();
        whole.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(from.cast(), size);
        Ok(whole.assume_init())
    }
}

/// Writes as much of a struct as its reader knows, and returns how much that is.
///
/// # Safety
/// `to` is valid for writes of `size` bytes, at any alignment.
pub(crate) unsafe fn write<T: Versioned>(to: *mut T, size: usize, whole: &T) -> usize {
    let known = size.min(size_of::<T>());
    // SAFETY: as the caller promises; a `T` has so many bytes.
    unsafe { to.cast::<u8>().copy_from_nonoverlapping((&raw const *whole).cast(), known) };
    known
}

#[inline(always)]
pub(crate) fn operation(code: i32) -> Result<Operation, Refused> {
    match code {
        HPD_WRITE => Ok(Operation::Write),
        HPD_READ => Ok(Operation::Read),
        _ => Err(INVALID),
    }
}

impl hpd_record {
    /// # Safety
    /// The texts are as the header demands, through `'a`.
    #[inline(always)]
    pub(crate) unsafe fn read<'a>(&self) -> Result<Record<'a>, Refused> {
        if self.reserved != 0 {
            return Err(INVALID);
        }
        // SAFETY: as the caller promises.
        let (table, pk, model) = unsafe {
            (
                text(self.table, self.table_len)?,
                text(self.pk, self.pk_len)?,
                text(self.model, self.model_len)?,
            )
        };
        // A pointer to an empty name is a name, and refused as one.
        let model = (!self.model.is_null()).then_some(model);
        Ok(Record { table, pk, operation: operation(self.operation)?, model, amount: Some(self.amount) })
    }
}

impl hpd_record {
    /// # Safety
    /// `read` has accepted it.
    #[inline(always)]
    pub(crate) unsafe fn read_checked<'a>(&self) -> Record<'a> {
        // SAFETY: as the caller promises: of the table and of a model there is a byte at least, and a pk may be NULL
        // if it is empty.
        let text = |text: *const c_char, len: usize| unsafe { std::slice::from_raw_parts(text.cast(), len) };
        let pk = if self.pk.is_null() { c"".as_ptr() } else { self.pk };
        Record {
            table: text(self.table, self.table_len),
            pk: text(pk, self.pk_len),
            operation: if self.operation == HPD_READ { Operation::Read } else { Operation::Write },
            model: (!self.model.is_null()).then(|| text(self.model, self.model_len)),
            amount: Some(self.amount),
        }
    }
}

impl hpd_warning {
    /// The warning in no more than `size` bytes.
    pub(crate) fn new(warning: &Warning<'_>, size: usize) -> Self {
        Self {
            struct_size: size_of::<Self>().min(size),
            table: pointer(warning.table),
            table_len: warning.table.len(),
            pk: pointer(warning.pk),
            pk_len: warning.pk.len(),
            operation: if warning.operation == Operation::Write { HPD_WRITE } else { HPD_READ },
            window_seconds: warning.window_seconds,
            count: warning.count,
            threshold: warning.threshold,
            suppressed: warning.suppressed,
            peak: warning.peak,
            rule: match warning.rule {
                Rule::Window => HPD_RULE_WINDOW,
                Rule::Second => HPD_RULE_SECOND,
                Rule::Sustained => HPD_RULE_SUSTAINED,
                Rule::Throttle => HPD_RULE_THROTTLE,
            },
            utilisation_permille: warning.utilisation_permille,
        }
    }
}
