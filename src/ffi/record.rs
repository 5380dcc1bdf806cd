//! The C ABI of recording, and of counts.
//!
//! A record takes so little time that each branch on its arguments shows. So what is right about
//! nearly all of them is checked in one expression without branches: `is_plain`, and the head of
//! `record_by`. Only what fails that is looked at again, one argument after the other, to find out
//! which is refused, or whether it is valid in a rarer form (an empty key at NULL, a model).
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Model, Pk, Table};
use crate::detector::Detector;
use crate::detector::delivery::Listener;
use crate::detector::record::Record;
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::operation::{HPD_READ, HPD_WRITE, operation};
use crate::ffi::status::*;
use crate::ffi::warning::{hpd_warning, no_warning};
use crate::key::{Key, PK_MAX, is_name_len};
use crate::operation::Operation;
use std::ffi::c_char;

/// One record in full.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_record {
    /// The table, 1 to 1024 bytes: its name, or TABLE/index/INDEX for an index. An ARN is taken for
    /// a table of its own, which counts apart from that of the name.
    pub table: *const c_char,
    /// The table's length in bytes.
    pub table_len: usize,
    /// The partition-key value, 0 to 16384 bytes.
    pub pk: *const c_char,
    /// The key's length in bytes.
    pub pk_len: usize,
    /// The model, 1 to 1024 bytes; NULL and 0 for none. An empty name that is not NULL is
    /// HPD_ERR_INVALID.
    pub model: *const c_char,
    /// The model's length in bytes.
    pub model_len: usize,
    /// The amount that the record adds, at least 1; in half units with HPD_FLAG_CAPACITY. A
    /// partition's count of one second stops at 2^30 - 1.
    pub amount: u64,
    /// HPD_WRITE or HPD_READ.
    pub operation: i32,
    /// Must be 0.
    pub reserved: u32,
}

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_record {
    const FIRST_SIZE: usize = 64;
    const TOO_SMALL: Argument = Argument::RecordSize;
    const TOO_LARGE: Argument = Argument::NewerRecord;
}

impl hpd_record {
    /// Reads a record of `size` bytes, and checks its fields, but no text beyond its pointer.
    ///
    /// # Safety
    /// A non-null `record` is valid for `size` bytes; its texts are as the header demands, through
    /// `'a`.
    #[inline(always)]
    pub(crate) unsafe fn of<'a>(record: *const Self, size: usize) -> Result<Record<'a>, Refused> {
        if record.is_null() {
            return Err(Refused::null(Argument::Record));
        }
        // SAFETY: as the caller promises.
        unsafe { read(record, size)?.record() }
    }

    /// Returns whether the record is valid, its pk is not NULL, and it has no model, as nearly all
    /// are. One look, without branches.
    #[inline(always)]
    fn is_plain(&self) -> bool {
        !self.table.is_null()
            & is_name_len(self.table_len)
            & !self.pk.is_null()
            & (self.pk_len <= PK_MAX)
            & (self.model.addr() | self.model_len | self.reserved as usize == 0)
            & (self.amount > 0)
            & [HPD_WRITE, HPD_READ].contains(&self.operation)
    }

    /// Returns the record, with its fields checked one by one.
    ///
    /// # Safety
    /// The texts are as the header demands, through `'a`.
    #[inline(always)]
    unsafe fn record<'a>(&self) -> Result<Record<'a>, Refused> {
        if self.reserved != 0 {
            return Err(Refused::invalid(Argument::Reserved));
        }
        // SAFETY: as the caller promises.
        let (table, pk, model) = unsafe {
            (
                text(Table, self.table, self.table_len)?,
                text(Pk, self.pk, self.pk_len)?,
                text(Model, self.model, self.model_len)?,
            )
        };
        // A pointer to an empty name is a name, and refused as one.
        let model = (!self.model.is_null()).then_some(model);
        Ok(Record { table, pk, operation: operation(self.operation)?, model, amount: Some(self.amount) })
    }

    /// Returns the record without checking it again.
    ///
    /// # Safety
    /// `check` has accepted it, or it is plain.
    #[inline(always)]
    unsafe fn record_unchecked<'a>(&self) -> Record<'a> {
        // SAFETY: as the caller promises: of the table and of a model there is a byte at least, and
        // a pk may be NULL if it is empty.
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

/// Checks any record of `size` bytes.
///
/// # Safety
/// As for [`hpd_record::of`].
#[cold]
#[inline(never)]
unsafe fn check(record: *const hpd_record, size: usize) -> Result<(), Refused> {
    // SAFETY: as the caller promises.
    Ok(unsafe { hpd_record::of(record, size)? }.check()?)
}

/// A text and its length, as C hands them in.
type Text = (*const c_char, usize);

/// The values of `READ` in the functions below, which are compiled for each operation.
const WRITES: bool = false;
const READS: bool = true;

/// Records one operation, by a filter where there is one. The two ways are functions of their own,
/// with the caller's arguments. So `hpd_record_write` and `hpd_record_read` only choose between
/// them and jump there: they save no register.
///
/// # Safety
/// The handle is live, and the texts are as the header demands.
#[inline(always)]
unsafe fn record<const READ: bool>(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    unsafe {
        match hpd_detector::as_ref(detector) {
            Ok(detector) if detector.is_filtered() => {
                record_by::<true, READ>(detector, table, table_len, pk, pk_len)
            }
            Ok(detector) => record_by::<false, READ>(detector, table, table_len, pk, pk_len),
            Err(refused) => refuse(refused),
        }
    }
}

/// Does the same for a detector with or without a filter. What is right about nearly all keys is
/// looked at first, and at once.
///
/// It is `extern "C"` although only Rust calls it: such a function does not unwind, so its caller
/// has nothing left to do after it, and jumps.
///
/// # Safety
/// As for [`record`].
#[inline(never)]
unsafe extern "C" fn record_by<const FILTERED: bool, const READ: bool>(
    detector: &Detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    let operation = if READ { Operation::Read } else { Operation::Write };
    let is_name = !table.is_null() & is_name_len(table_len);
    boundary(|| {
        if !(is_name & !pk.is_null() & (pk_len <= PK_MAX)) {
            // SAFETY: as the caller promises.
            return unsafe { record_odd(detector, (table, table_len), (pk, pk_len), operation) };
        }
        // SAFETY: as the caller promises.
        let text = |text: *const c_char, len| unsafe { std::slice::from_raw_parts(text.cast(), len) };
        let key = Key { table: text(table, table_len), pk: text(pk, pk_len) };
        count(detector.record_key_in::<FILTERED>(key, operation))
    })
}

/// Does the same for any texts.
///
/// # Safety
/// As for [`record`].
#[cold]
#[inline(never)]
unsafe fn record_odd(
    detector: &Detector,
    table: Text,
    pk: Text,
    operation: Operation,
) -> Result<i64, Refused> {
    // SAFETY: as the caller promises.
    let (table, pk) = unsafe { (text(Table, table.0, table.1)?, text(Pk, pk.0, pk.1)?) };
    count(detector.record(&Record::new(table, pk, operation)))
}

/// Records one write. table has 1 to 1024 bytes, pk 0 to 16384. Returns the partition's count of
/// writes, this one included (with filter_bytes, the most that it can be), or HPD_ERR_NULL,
/// HPD_ERR_INVALID or HPD_ERR_MEMORY. Takes no lock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_write(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    unsafe { record::<WRITES>(detector, table, table_len, pk, pk_len) }
}

/// Records one read, and returns the count of reads; otherwise as hpd_record_write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_read(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    unsafe { record::<READS>(detector, table, table_len, pk, pk_len) }
}

/// Records a record in full, and returns the count, this record included. record_size is
/// sizeof(hpd_record) as the caller knows it. A size smaller than version 1's is HPD_ERR_INVALID; a
/// larger one is HPD_ERR_UNSUPPORTED unless the bytes beyond are zero. If warning is NULL, a due
/// warning goes to the callback. If it is not NULL, the caller has set its struct_size, which is
/// judged in the same way. A due warning is then written to *warning instead of calling back, and
/// warning->struct_size becomes the number of bytes filled in. The warning's texts are the record's
/// own. If none is due, warning->count becomes 0. Other errors are as of hpd_record_write; after
/// any error *warning is untouched.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_full(
    detector: *const hpd_detector,
    record: *const hpd_record,
    record_size: usize,
    warning: *mut hpd_warning,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, record) =
            unsafe { (hpd_detector::as_ref(detector)?, hpd_record::of(record, record_size)?) };
        if warning.is_null() {
            return count(detector.record(&record));
        }
        // SAFETY: as the caller promises.
        let out = unsafe { Room::new(Argument::Warning, warning)? };
        let (counted, due) = detector.record_and_warn(&record)?;
        let due = due.unwrap_or_else(|| no_warning(record.key(), record.operation, detector));
        out.fill(|size| hpd_warning::new(&due, size));
        count(Ok(counted))
    })
}

/// Records n records, which lie record_size bytes apart: record_size is sizeof(hpd_record) as the
/// caller knows it, as in hpd_record_full. If a record is not valid, nothing is recorded and its
/// error is returned. Warnings go to the callback. Returns the number recorded: n, or fewer if
/// memory ran out on the way, or HPD_ERR_MEMORY if it ran out at the first. records may be NULL if
/// n is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_record_batch(
    detector: *const hpd_detector,
    records: *const hpd_record,
    record_size: usize,
    n: usize,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { hpd_detector::as_ref(detector)? };
        if records.is_null() && n > 0 {
            return Err(Refused::null(Argument::Records));
        }
        if record_size < size_of::<hpd_record>() {
            return Err(Refused::invalid(Argument::RecordSize));
        }
        if n.checked_mul(record_size).is_none_or(|size| size > isize::MAX as usize) {
            return Err(Refused::invalid(Argument::N));
        }
        // SAFETY: the caller gives `n` records, this far apart.
        let at = |i: usize| unsafe { records.byte_add(i * record_size) };
        let check = |i: usize| {
            // SAFETY: as above, and a record is as large as this version's, or larger.
            let is_plain = unsafe { at(i).read_unaligned() }.is_plain();
            if is_plain && record_size == size_of::<hpd_record>() {
                return Ok(());
            }
            // SAFETY: as above.
            unsafe { check(at(i), record_size) }
        };
        // SAFETY: as above, and they have been checked, and stay as they are during the call.
        let nth = |i: usize| unsafe { at(i).read_unaligned().record_unchecked() };
        Ok(detector.record_each(n, check, nth, &mut Listener::Callback)? as i64)
    })
}

/// Returns the partition's count of writes, or 0 if it has none. With filter_bytes it is the most
/// that the count can be, also of a partition that was never recorded: see hpd_get_bounds. Or
/// returns HPD_ERR_NULL, HPD_ERR_INVALID, or HPD_ERR_MEMORY if the partition is being moved and
/// there is no memory for that. Asking neither starts to track a partition nor keeps it tracked.
/// Takes no lock.
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
        count(
            hpd_detector::as_ref(detector)?
                .write_count(text(Table, table, table_len)?, text(Pk, pk, pk_len)?),
        )
    })
}

/// Writes the bounds of the partition's count of an operation to *least and *most. Without
/// filter_bytes both are the count. operation_code is HPD_WRITE or HPD_READ. Returns HPD_OK, or an
/// error as hpd_get_write_count does, after which neither is written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_get_bounds(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    pk: *const c_char,
    pk_len: usize,
    operation_code: i32,
    least: *mut u64,
    most: *mut u64,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, table, pk) = unsafe {
            (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?, text(Pk, pk, pk_len)?)
        };
        // SAFETY: as the caller promises.
        let (least, most) = unsafe { (Out::new(Argument::Least, least)?, Out::new(Argument::Most, most)?) };
        let bounds = detector.bounds(table, pk, operation(operation_code)?)?;
        least.write(bounds.least);
        most.write(bounds.most);
        Ok(HPD_OK)
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
        count(
            hpd_detector::as_ref(detector)?.read_count(text(Table, table, table_len)?, text(Pk, pk, pk_len)?),
        )
    })
}
