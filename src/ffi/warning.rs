//! The C ABI of warnings.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Output};
use crate::detector::Detector;
use crate::detector::warning::Warning;
use crate::ffi::boundary::*;
use crate::ffi::opaque::Opaque;
use crate::ffi::operation::operation_code;
use crate::ffi::pending::Warnings;
use crate::ffi::status::*;
use crate::key::Key;
use crate::operation::Operation;
use crate::policy::rule::{Breach, Rule};
use std::ffi::{c_char, c_void};

/// The rule of a warning: the window's count has reached its threshold.
pub const HPD_RULE_WINDOW: i32 = 0;
/// The current second has reached its threshold.
pub const HPD_RULE_SECOND: i32 = 1;
/// Five seconds, the current one and the four before it, have reached their threshold.
pub const HPD_RULE_SUSTAINED: i32 = 2;
/// DynamoDB throttled the partition for its key range.
pub const HPD_RULE_THROTTLE: i32 = 3;

/// Reads an HPD_RULE_*. A new rule goes here and into `rule_code`.
pub(crate) fn rule(code: i32) -> Result<Rule, Refused> {
    match code {
        HPD_RULE_WINDOW => Ok(Rule::Window),
        HPD_RULE_SECOND => Ok(Rule::Second),
        HPD_RULE_SUSTAINED => Ok(Rule::Sustained),
        HPD_RULE_THROTTLE => Ok(Rule::Throttle),
        _ => Err(Refused::invalid(Argument::Rule)),
    }
}

/// Returns a rule's HPD_RULE_*. The numbers are the ABI: new ones are appended, whatever the rule's
/// urgency.
fn rule_code(rule: Rule) -> i32 {
    match rule {
        Rule::Window => HPD_RULE_WINDOW,
        Rule::Second => HPD_RULE_SECOND,
        Rule::Sustained => HPD_RULE_SUSTAINED,
        Rule::Throttle => HPD_RULE_THROTTLE,
    }
}

/// A warning: a partition is hot. Read it up to struct_size: later versions append fields.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_warning {
    /// The number of bytes of this struct that the library has filled. A caller that hands in the
    /// struct to be filled sets it to sizeof(hpd_warning) first.
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
    /// The span of count, in seconds: 1 for HPD_RULE_SECOND, 5 for HPD_RULE_SUSTAINED, and the
    /// detector's window for HPD_RULE_WINDOW and HPD_RULE_THROTTLE.
    pub window_seconds: u32,
    /// The count that reached the threshold. For HPD_RULE_THROTTLE it is the number of throttled
    /// attempts in the window. Then peak and carried are numbers of attempts too, never half units.
    pub count: u64,
    /// The threshold that it reached; 1 for HPD_RULE_THROTTLE.
    pub threshold: u64,
    /// The number of hot records that gave no warning since the partition's last warning for this
    /// operation. It is forgotten when the partition is idle: its window empty, and its warning
    /// interval over.
    pub suppressed: u64,
    /// The largest count of any one second in the window.
    pub peak: u64,
    /// The rule that is met: HPD_RULE_*.
    pub rule: i32,
    /// count divided by its seconds, as a share of DynamoDB's limit a second for one partition, in
    /// thousandths (see hpd_options.processes). Without HPD_FLAG_CAPACITY an operation is taken for
    /// one unit. For HPD_RULE_THROTTLE it is 1000.
    pub utilisation_permille: u32,
    /// The largest part of count that may belong to other partitions, or be older than the window;
    /// 0 if count is exact, which it always is without filter_bytes.
    pub carried: u64,
}

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_warning {
    const FIRST_SIZE: usize = 80;
}

impl hpd_warning {
    /// Returns the warning in C's form, for a caller whose struct has `size` bytes. Its texts are
    /// those of `warning`.
    pub(crate) fn new(warning: &Warning<'_>, size: usize) -> Self {
        Self {
            struct_size: size_of::<Self>().min(size),
            table: pointer(warning.table),
            table_len: warning.table.len(),
            pk: pointer(warning.pk),
            pk_len: warning.pk.len(),
            operation: operation_code(warning.operation),
            window_seconds: warning.window_seconds,
            count: warning.count,
            threshold: warning.threshold,
            suppressed: warning.suppressed,
            peak: warning.peak,
            rule: rule_code(warning.rule),
            utilisation_permille: warning.utilisation_permille,
            carried: warning.carried,
        }
    }
}

/// A callback for warnings. It runs on the thread whose record made the warning due, once that
/// record is visible; nothing is locked. The warning and its texts live until the callback returns.
/// The callback may call every function but hpd_free and hpd_table_close. A record made inside it,
/// to any detector, counts but calls back no further. The callback must return normally: no C++
/// exception, no longjmp, no exit of its thread.
pub type hpd_warning_callback =
    Option<unsafe extern "C" fn(user_data: *mut c_void, warning: *const hpd_warning)>;

/// Warnings that calls gave; they may outlive the detector. Made by hpd_observe_full,
/// hpd_set_key_schema_full and hpd_take_warnings, read by hpd_warnings_get, freed by
/// hpd_warnings_free. They never change, so any number of threads may read them at once.
pub struct hpd_warnings {
    _opaque: [u8; 0],
}

impl Opaque for hpd_warnings {
    type Rust = Warnings;

    const ARGUMENT: Argument = Argument::Warnings;
}

/// Makes the warning that is filled in when none is due: its count is 0.
pub(crate) fn no_warning<'a>(key: Key<'a>, operation: Operation, detector: &Detector) -> Warning<'a> {
    let seconds = detector.window_seconds();
    Warning::new(key, operation, Breach { rule: Rule::Window, count: 0, threshold: 0, seconds })
}

/// Returns the number of warnings; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_warnings_len(warnings: *const hpd_warnings) -> usize {
    // SAFETY: as the caller promises.
    unsafe { hpd_warnings::as_ref(warnings) }.map_or(0, Warnings::len)
}

/// Writes the warning at index i, from 0, to *out. The caller has set its struct_size, which
/// becomes the number of bytes filled in. The warning's texts live as long as warnings. Returns
/// HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID if i is no index or the struct is smaller than version
/// 1's, or HPD_ERR_UNSUPPORTED if it is larger than this version's and not zero there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_warnings_get(
    warnings: *const hpd_warnings,
    i: usize,
    out: *mut hpd_warning,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (warnings, out) = unsafe { (hpd_warnings::as_ref(warnings)?, Room::new(Output, out)?) };
        let warning = warnings.get(i).ok_or(Refused::invalid(Argument::I))?;
        out.fill(|size| hpd_warning::new(&warning, size));
        Ok(HPD_OK)
    })
}

/// Frees warnings. Does nothing for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_warnings_free(warnings: *mut hpd_warnings) {
    // SAFETY: as the caller promises.
    unsafe { hpd_warnings::free(warnings) }
}
