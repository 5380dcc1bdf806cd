//! The C ABI of prepared tables.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::table_handle::TableHandle;
use crate::ffi::boundary::{boundary, count, detector_of, text, text_z};
use crate::ffi::detector::hpd_detector;
use crate::ffi::status::*;
use crate::operation::Operation;
use crate::sys::memory::try_box;
use std::ffi::c_char;

/// A table's name, prepared once. Made by hpd_table_open, freed by hpd_table_close. Any number of
/// threads may use one at once. It belongs to its detector, survives hpd_clear, and is closed before
/// hpd_free.
pub struct hpd_table {
    _opaque: [u8; 0],
}

/// # Safety
/// A non-null `table` came from `hpd_table_open` and has not been closed.
pub(crate) unsafe fn table_of<'a>(table: *const hpd_table) -> Result<&'a TableHandle<'static>, Refused> {
    // SAFETY: as the caller promises; `hpd_table_open` made the pointer from a box of this type.
    unsafe { table.cast::<TableHandle<'static>>().as_ref() }.ok_or(NULL)
}

/// Prepares a table's name once; recording through it counts in the same partitions and costs less. The
/// name, 1 to 1024 bytes, is copied. On failure *out is untouched. Returns HPD_OK, HPD_ERR_NULL,
/// HPD_ERR_INVALID or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_open(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    out: *mut *mut hpd_table,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises; the detector outlives the handle.
        let (detector, name) = unsafe { (detector_of::<'static>(detector)?, text(table, table_len)?) };
        if out.is_null() {
            return Err(NULL);
        }
        let handle = try_box(detector.table(name)?).map_err(crate::Error::from)?;
        // SAFETY: `out` is not null.
        unsafe { out.write(Box::into_raw(handle).cast()) };
        Ok(HPD_OK)
    })
}

/// Records one write to a prepared table; otherwise as hpd_record_write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_write(
    table: *const hpd_table,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { count(table_of(table)?.record_one(text(pk, pk_len)?, Operation::Write)) })
}

/// Records one read to a prepared table; otherwise as hpd_record_write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_read(
    table: *const hpd_table,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { count(table_of(table)?.record_one(text(pk, pk_len)?, Operation::Read)) })
}

/// Records one write to a prepared table for a key that ends in NUL and holds none; must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_write_z(table: *const hpd_table, pk: *const c_char) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { count(table_of(table)?.record_one(text_z(pk)?, Operation::Write)) })
}

/// Records one read to a prepared table for a key that ends in NUL and holds none; must not be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_read_z(table: *const hpd_table, pk: *const c_char) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { count(table_of(table)?.record_one(text_z(pk)?, Operation::Read)) })
}

/// Frees a prepared table; NULL is fine. No call on it may be running.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_close(table: *mut hpd_table) {
    boundary(|| {
        if !table.is_null() {
            // SAFETY: `hpd_table_open` made the pointer from a box of this type.
            drop(unsafe { Box::from_raw(table.cast::<TableHandle<'static>>()) });
        }
        Ok(HPD_OK)
    });
}
