//! The C ABI's types and constants of metrics.
#![allow(non_camel_case_types)]

use crate::ffi::status::Versioned;

/// OpenMetrics 1.0 and not Prometheus's text format 0.0.4.
pub const HPD_METRICS_OPEN_METRICS: u32 = 1;

/// A text of the library's. Read by hpd_text_data and hpd_text_len, freed by hpd_text_free. It never changes.
pub struct hpd_text {
    _opaque: [u8; 0],
}

/// What metrics are written, and how.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_metrics_options {
    /// sizeof(hpd_metrics_options).
    pub struct_size: usize,
    /// How many of the hottest partitions are written for each operation: 100 at most, whatever is asked for.
    pub hottest: u64,
    /// HPD_METRICS_*, or 0.
    pub flags: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: integers.
unsafe impl Versioned for hpd_metrics_options {
    const FIRST_SIZE: usize = 24;
}
