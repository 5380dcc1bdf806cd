//! The C ABI of recording, and of counts.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::delivery::Listener;
use crate::detector::record::Record;
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::status::*;
use crate::ffi::warning::{hpd_warning, no_warning};
use crate::operation::Operation;
use std::ffi::c_char;

/// The operation that consumes write capacity.
pub const HPD_WRITE: i32 = 0;
/// The operation that consumes read capacity.
pub const HPD_READ: i32 = 1;

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

// SAFETY: as above.
unsafe impl Versioned for hpd_record {
    const FIRST_SIZE: usize = 64;
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
