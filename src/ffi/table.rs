//! The C ABI of prepared tables.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Output, Pk, Table};
use crate::detector::table_handle::TableHandle;
use crate::ffi::boundary::{Out, boundary, count, text, text_z};
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::operation::Operation;
use std::ffi::c_char;

/// A table's name, prepared once. Made by hpd_table_open, freed by hpd_table_close. Any number of
/// threads may use one at once. It belongs to its detector, survives hpd_clear, and must be closed
/// before hpd_free.
pub struct hpd_table {
    _opaque: [u8; 0],
}

impl Opaque for hpd_table {
    type Rust = TableHandle<'static>;

    const ARGUMENT: Argument = Argument::Table;
}

/// Prepares a table's name once. Recording through the prepared table counts in the same partitions
/// and costs less. The name, 1 to 1024 bytes, is copied. On success *out is the prepared table, to
/// be freed by hpd_table_close; on failure *out is untouched. Returns HPD_OK, HPD_ERR_NULL,
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
        let (detector, name, out) = unsafe {
            (hpd_detector::as_ref(detector)?, text(Table, table, table_len)?, Out::new(Output, out)?)
        };
        hpd_table::give(detector.table(name)?, out)
    })
}

/// Returns whether the table's detector counts most partitions in a filter. It is asked before
/// anything else, so that the arguments are handed on as they came, and neither way costs the other
/// anything.
///
/// # Safety
/// The handle is live.
#[inline(always)]
unsafe fn is_filtered(table: *const hpd_table) -> bool {
    // SAFETY: as the caller promises.
    unsafe { hpd_table::as_ref(table) }.is_ok_and(|table| table.detector().is_filtered())
}

/// Records one operation where there is a filter.
///
/// # Safety
/// The handle is live, and the text is as the header demands.
#[inline(never)]
unsafe fn record_filtered(
    table: *const hpd_table,
    pk: *const c_char,
    pk_len: usize,
    operation: Operation,
) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe {
        count(hpd_table::as_ref(table)?.record_key_in::<true>(text(Pk, pk, pk_len)?, operation))
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
    unsafe {
        if is_filtered(table) {
            return record_filtered(table, pk, pk_len, Operation::Write);
        }
        boundary(|| {
            count(hpd_table::as_ref(table)?.record_key_in::<false>(text(Pk, pk, pk_len)?, Operation::Write))
        })
    }
}

/// Records one read to a prepared table; otherwise as hpd_record_read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_read(
    table: *const hpd_table,
    pk: *const c_char,
    pk_len: usize,
) -> i64 {
    // SAFETY: as the caller promises.
    unsafe {
        if is_filtered(table) {
            return record_filtered(table, pk, pk_len, Operation::Read);
        }
        boundary(|| {
            count(hpd_table::as_ref(table)?.record_key_in::<false>(text(Pk, pk, pk_len)?, Operation::Read))
        })
    }
}

/// As hpd_table_record_write, but pk ends in NUL, and must not be NULL; a key that has a NUL inside
/// needs hpd_table_record_write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_write_z(table: *const hpd_table, pk: *const c_char) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { count(hpd_table::as_ref(table)?.record_key(text_z(Pk, pk)?, Operation::Write)) })
}

/// As hpd_table_record_read, but pk ends in NUL, and must not be NULL; a key that has a NUL inside
/// needs hpd_table_record_read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_record_read_z(table: *const hpd_table, pk: *const c_char) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { count(hpd_table::as_ref(table)?.record_key(text_z(Pk, pk)?, Operation::Read)) })
}

/// Frees a prepared table. Does nothing for NULL. No other call on the table may be running.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_table_close(table: *mut hpd_table) {
    // SAFETY: as the caller promises.
    unsafe { hpd_table::free(table) }
}
