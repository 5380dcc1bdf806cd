//! The C ABI of metrics.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, Output};
use crate::detector::metrics::Metrics;
use crate::ffi::boundary::{Out, Versioned, boundary, read_sized};
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
use crate::ffi::status::*;
use crate::ffi::text::hpd_text;

/// Write OpenMetrics 1.0, whose Content-Type is "application/openmetrics-text; version=1.0.0;
/// charset=utf-8", in place of Prometheus's text format 0.0.4, which is "text/plain;
/// version=0.0.4".
pub const HPD_METRICS_OPEN_METRICS: u32 = 1;
/// Of each partition write only its demand, hotpart_partition_demand: one series in place of five
/// (six with filter_bytes). Do not use it with filter_bytes if demands of several processes are
/// added up: the sum's lower bound needs hotpart_partition_carried.
pub const HPD_METRICS_DEMAND_ONLY: u32 = 2;

/// The choice of metrics that are written, and of their format.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_metrics_options {
    /// sizeof(hpd_metrics_options), set by the caller.
    pub struct_size: usize,
    /// The number of hottest partitions that are written for each operation: 0 lists none, and more
    /// than 100 is taken for 100.
    pub hottest: u64,
    /// HPD_METRICS_*, or 0.
    pub flags: u32,
    /// Must be 0.
    pub reserved: u32,
    /// The least demand of the partitions that are listed; 0 lists the hottest instead. All
    /// partitions with that demand or more are listed, up to 990 for each operation, and hottest is
    /// not used. With HPD_FLAG_CAPACITY it is in half units, although the text has units. With
    /// filter_bytes it must be more than the count from which partitions are counted exactly, in
    /// every table: see promote_permille. To find what is hot only in the sum of several processes,
    /// divide the threshold of the sum by the number of processes, and by 4: then the sum of the
    /// lists lacks less than a quarter of that threshold. A number greater than 4 makes that less,
    /// and the lists longer.
    pub least: u64,
}

// SAFETY: integers.
unsafe impl Versioned for hpd_metrics_options {
    const FIRST_SIZE: usize = 24;
}

/// Writes the statistics and the hottest partitions as text for Prometheus, or in OpenMetrics. With
/// filter_bytes only partitions that are counted exactly are listed. If options is NULL, the text
/// has the ten hottest partitions by writes and by reads, for Prometheus.
/// hotpart_partition_unlisted_most tells the most demand that any other partition can have. It is
/// not written with max_partitions, as the demand of partitions that were replaced is not known.
/// Keys are hashed with HPD_FLAG_REDACT_KEYS. Takes time in proportion to the partitions tracked.
/// On success *out is the text, to be freed by hpd_text_free; on failure *out is untouched. Returns
/// HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID (struct_size, reserved or least), HPD_ERR_UNSUPPORTED
/// (unknown flags or fields) or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_metrics_take(
    detector: *const hpd_detector,
    options: *const hpd_metrics_options,
    out: *mut *mut hpd_text,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(Output, out)?) };
        let mut metrics = Metrics::default();
        if !options.is_null() {
            // SAFETY: as the caller promises.
            let options = unsafe { read_sized(Argument::Options, options)? };
            if options.flags & !(HPD_METRICS_OPEN_METRICS | HPD_METRICS_DEMAND_ONLY) != 0 {
                return Err(Refused::unsupported(Argument::Flags));
            }
            if options.reserved != 0 {
                return Err(Refused::invalid(Argument::Reserved));
            }
            metrics = metrics.hottest(usize::try_from(options.hottest).unwrap_or(usize::MAX));
            metrics = metrics.least(options.least);
            if options.flags & HPD_METRICS_OPEN_METRICS != 0 {
                metrics = metrics.open_metrics();
            }
            if options.flags & HPD_METRICS_DEMAND_ONLY != 0 {
                metrics = metrics.demand_only();
            }
        }
        hpd_text::give(detector.metrics(&metrics)?, out)
    })
}
