//! The hottest partitions, statistics and metrics as a C program sees them.

use crate::c_face::{CFace, CODES, text_of};
use crate::call::{Books, Hot, Numbers, Outcome, Spot};
use crate::samples::samples;
use hotpart::ffi::*;
use std::ptr::null_mut;

impl CFace {
    pub fn hottest(&self, operation: usize, n: usize) -> Outcome {
        let (mut hottest, mut all) = (null_mut(), Vec::new());
        // SAFETY: the detector lives; the snapshot is read before it is freed.
        unsafe {
            assert_eq!(hpd_hottest_take(self.detector, CODES[operation], n, &mut hottest), HPD_OK);
            for i in 0..hpd_hottest_len(hottest) as usize {
                let mut hot: hpd_hot_partition = std::mem::zeroed();
                hot.struct_size = size_of::<hpd_hot_partition>();
                assert_eq!(hpd_hottest_get(hottest, i, &mut hot), HPD_OK);
                assert_eq!(hot.operation, CODES[operation]);
                let (table, pk) = (text_of(hot.table, hot.table_len), text_of(hot.pk, hot.pk_len));
                all.push(Hot {
                    spot: Spot { table, pk },
                    operation,
                    count: hot.count,
                    throttles: hot.throttles,
                    demand: hot.demand,
                    peak: hot.peak,
                    permille: hot.utilisation_permille,
                });
            }
            hpd_hottest_free(hottest);
        }
        Outcome { hottest: all, ..Outcome::default() }
    }

    pub fn statistics(&self) -> Outcome {
        // SAFETY: zeros are a valid value; the detector lives.
        let numbers = unsafe {
            let mut numbers: hpd_statistics = std::mem::zeroed();
            numbers.struct_size = size_of::<hpd_statistics>();
            assert_eq!(hpd_get_statistics(self.detector, &mut numbers), HPD_OK);
            numbers
        };
        let hpd_statistics { partitions, reclaimed, cleared, .. } = numbers;
        Outcome {
            numbers: Some(Numbers {
                records: numbers.records,
                replaced: numbers.replaced,
                warnings: numbers.warnings,
                suppressed: numbers.suppressed,
                throttles: numbers.throttles,
                unattributed: numbers.unattributed,
                estimated_half_units: numbers.estimated_half_units,
                unknown_operations: numbers.unknown_operations,
                unread: numbers.unread,
            }),
            books: Some(Books { partitions, reclaimed, cleared }),
            ..Outcome::default()
        }
    }

    pub fn metrics(&self, hottest: u64) -> Outcome {
        let struct_size = size_of::<hpd_metrics_options>();
        let (options, mut text) =
            (hpd_metrics_options { struct_size, hottest, flags: 0, reserved: 0, least: 0 }, null_mut());
        // SAFETY: the detector and the options live; the text is read before it is freed.
        let metrics = unsafe {
            assert_eq!(hpd_metrics_take(self.detector, &options, &mut text), HPD_OK);
            let copy = text_of(hpd_text_data(text), hpd_text_len(text));
            hpd_text_free(text);
            String::from_utf8(copy.0).unwrap()
        };
        Outcome { samples: samples(&metrics), ..Outcome::default() }
    }
}
