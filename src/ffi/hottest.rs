//! The C ABI of the hottest partitions.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Output};
use crate::detector::closed_span::ClosedSpan;
use crate::detector::hot_partition::HotPartition;
use crate::error::Error;
use crate::ffi::boundary::*;
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::operation::*;
use crate::ffi::status::*;
use std::ffi::c_char;

/// A snapshot of the hottest partitions. Made by hpd_hottest_take or hpd_hottest_closed_take, read
/// by hpd_hottest_get, freed by hpd_hottest_free. It never changes, so any number of threads may
/// read it at once.
pub struct hpd_hottest {
    _opaque: [u8; 0],
}

/// The partitions of a snapshot, and the sum of all others; `None` if that was not asked for.
pub(crate) struct Snapshot {
    hottest: Vec<HotPartition>,
    rest: Option<u64>,
}

impl Opaque for hpd_hottest {
    type Rust = Snapshot;

    const ARGUMENT: Argument = Argument::Hottest;
}

/// A partition in a snapshot, and its numbers for one operation in the window or, in a snapshot of
/// hpd_hottest_closed_take, in its minute.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_hot_partition {
    /// Set by the caller to sizeof(hpd_hot_partition); then the number of bytes of this struct that
    /// the library has filled.
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
    /// Its fullest second as a share of DynamoDB's limit for one partition, in thousandths (see
    /// hpd_options.processes); at least 1000 if DynamoDB throttled it for its key range.
    pub utilisation_permille: u32,
    /// The count. With HPD_FLAG_CAPACITY count, demand, peak and carried are in half units.
    pub count: u64,
    /// Throttled attempts for its key range.
    pub throttles: u64,
    /// The count, plus one operation for each throttle (with HPD_FLAG_CAPACITY one unit, which is
    /// 2).
    pub demand: u64,
    /// The largest count of any one second in the window.
    pub peak: u64,
    /// The largest part of demand, and of count, that may belong to other partitions or be older
    /// than the window; 0 if both are exact, which they always are without filter_bytes. It is
    /// greater than count only where there was no room to count throttles exactly.
    pub carried: u64,
}

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_hot_partition {
    const FIRST_SIZE: usize = 80;
}

impl hpd_hot_partition {
    /// Returns the partition in C's form, for a caller whose struct has `size` bytes.
    pub(crate) fn new(hot: &HotPartition, size: usize) -> Self {
        Self {
            struct_size: size_of::<Self>().min(size),
            table: pointer(&hot.table),
            table_len: hot.table.len(),
            pk: pointer(&hot.pk),
            pk_len: hot.pk.len(),
            operation: operation_code(hot.operation),
            utilisation_permille: hot.utilisation_permille,
            count: hot.count,
            throttles: hot.throttles,
            demand: hot.demand,
            peak: hot.peak,
            carried: hot.carried,
        }
    }
}

/// Takes a snapshot of the n partitions with the most demand for an operation in the window, the
/// most first. operation_code is HPD_WRITE or HPD_READ. n may be 0, or more than there are. With
/// filter_bytes only partitions that are counted exactly are in the snapshot. Other threads may
/// record meanwhile: each partition is as it was at some moment of the call. Takes time in
/// proportion to the partitions tracked. On success *out is the snapshot, to be freed by
/// hpd_hottest_free; on failure *out is untouched. Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID
/// (operation_code) or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_take(
    detector: *const hpd_detector,
    operation_code: i32,
    n: usize,
    out: *mut *mut hpd_hottest,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(Output, out)?) };
        let hottest = detector.hottest(operation(operation_code)?, n)?;
        hpd_hottest::give(Snapshot { hottest, rest: None }, out)
    })
}

/// Takes a snapshot of the n partitions with the most demand for an operation in one minute that is
/// over, the most first. Their numbers are of that minute alone, so those of several minutes and
/// processes may be added up. The counts of a snapshot, plus its hpd_hottest_rest, are all that was
/// recorded in that minute.
///
/// minute counts from the start of the detector's clock: minute 0 has its first 60 seconds. Ask
/// some seconds after the minute's end, and before its first second leaves the window: with a
/// window of 120 seconds, within 60 seconds of its end. The record of a call that read the clock in
/// the minute, and has not returned, may be in no minute's snapshot. The detector needs a window of
/// 120 seconds or more, and no filter_bytes. At max_partitions, partitions that were replaced are
/// missing. Takes time in proportion to the partitions tracked.
///
/// Operations that wait for a table's key count in the second in which they were observed. If the
/// snapshot of that minute was taken before the key became known, they are in no snapshot. So
/// declare keys by hpd_set_key_schema, or observe the tables' descriptions, before traffic.
///
/// On success *out is the snapshot, to be freed by hpd_hottest_free; on failure *out is untouched.
/// Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID (operation_code; a minute that is not over, or
/// began longer ago than the window), HPD_ERR_UNSUPPORTED (the detector's window or filter_bytes)
/// or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_closed_take(
    detector: *const hpd_detector,
    operation_code: i32,
    minute: u64,
    n: usize,
    out: *mut *mut hpd_hottest,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(Output, out)?) };
        let closed = detector.hottest_closed(operation(operation_code)?, minute, n);
        let ClosedSpan { hottest, rest } = closed.map_err(|error| match error {
            Error::Unsupported => Refused::unsupported(Argument::DetectorOfMinutes),
            error => error.into(),
        })?;
        hpd_hottest::give(Snapshot { hottest, rest: Some(rest) }, out)
    })
}

/// Returns the sum of the counts of all partitions that are not in a snapshot of one minute (see
/// hpd_hottest_closed_take), or HPD_ERR_NULL, or HPD_ERR_UNSUPPORTED for a snapshot of
/// hpd_hottest_take.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_rest(hottest: *const hpd_hottest) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let rest = unsafe { hpd_hottest::as_ref(hottest)? }.rest;
        // No minute's records come near that bound.
        Ok(rest.ok_or(Refused::unsupported(Argument::Snapshot))?.min(i64::MAX as u64) as i64)
    })
}

/// Returns the number of partitions in a snapshot, which is at most the n that was asked for, or
/// HPD_ERR_NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_len(hottest: *const hpd_hottest) -> i64 {
    // SAFETY: as the caller promises.
    boundary(|| unsafe { Ok(hpd_hottest::as_ref(hottest)?.hottest.len() as i64) })
}

/// Writes the partition at index i of a snapshot, from 0, to *out. The caller has set
/// out->struct_size, which becomes the number of bytes filled in. The partition's texts live as
/// long as the snapshot. Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID if i is no index or the
/// struct is smaller than version 1's, or HPD_ERR_UNSUPPORTED if it is larger than this version's
/// and not zero there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_get(
    hottest: *const hpd_hottest,
    i: usize,
    out: *mut hpd_hot_partition,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (hottest, out) = unsafe { (hpd_hottest::as_ref(hottest)?, Room::new(Output, out)?) };
        let hot = hottest.hottest.get(i).ok_or(Refused::invalid(Argument::I))?;
        out.fill(|size| hpd_hot_partition::new(hot, size));
        Ok(HPD_OK)
    })
}

/// Frees a snapshot. Does nothing for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_hottest_free(hottest: *mut hpd_hottest) {
    // SAFETY: as the caller promises.
    unsafe { hpd_hottest::free(hottest) }
}
