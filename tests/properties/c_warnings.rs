//! Warnings that a C program asks for, and the throttles and requests that give them.

use crate::c_face::{CFace, CODES, blank_warning, copy_of, raw};
use crate::call::{Hearer, Outcome, Spot, Warned};
use crate::exchange::Exchanged;
use hotpart::ffi::*;
use std::ffi::CString;
use std::ptr::{null, null_mut};

/// The outcome of a call that wrote its warning, if one was due, to `warning`.
pub fn taking(result: i64, warning: &hpd_warning) -> Outcome {
    let due = result >= 0 && warning.count > 0;
    Outcome { taken: due.then(|| copy_of(warning)).into_iter().collect(), ..Outcome::of(result) }
}

/// Copies warnings, and frees them.
///
/// # Safety
/// They came from the library and have not been freed.
unsafe fn freed(warnings: *mut hpd_warnings) -> Vec<Warned> {
    // SAFETY: as the caller promises; each is read before they are freed.
    unsafe {
        let nth = |i| {
            let mut warning = blank_warning();
            assert_eq!(hpd_warnings_get(warnings, i, &mut warning), HPD_OK);
            copy_of(&warning)
        };
        let all = (0..hpd_warnings_len(warnings)).map(nth).collect();
        hpd_warnings_free(warnings);
        all
    }
}

impl CFace {
    /// The outcome of a call that kept its warnings for this thread.
    pub fn kept(&self, result: i64) -> Outcome {
        let mut warnings = null_mut();
        // SAFETY: the detector lives; what is taken is freed once.
        let taken = unsafe {
            let n = hpd_take_warnings(self.detector, &mut warnings);
            let taken = freed(warnings);
            assert_eq!(n, taken.len() as i32);
            taken
        };
        assert_eq!(result >= 0 && result & HPD_DUE != 0, !taken.is_empty());
        Outcome { taken, ..Outcome::of(if result < 0 { result } else { result & !HPD_DUE }) }
    }

    pub fn throttle(&self, spot: &Spot, operation: usize, reason: i32, hearer: Hearer) -> Outcome {
        let (detector, operation, mut warning) = (self.detector, CODES[operation], blank_warning());
        let ((table, table_len), (pk, pk_len)) = (raw(&spot.table), raw(&spot.pk));
        // SAFETY: the detector lives, and so do the texts and the warning through the call.
        unsafe {
            match hearer {
                Hearer::Callback => Outcome::of(hpd_record_throttle(
                    detector, table, table_len, pk, pk_len, operation, reason,
                )),
                Hearer::Caller => {
                    let out = &mut warning;
                    let result = hpd_record_throttle_full(
                        detector, table, table_len, pk, pk_len, operation, reason, out,
                    );
                    taking(result, &warning)
                }
                Hearer::Thread => self
                    .kept(hpd_record_throttle_due(detector, table, table_len, pk, pk_len, operation, reason)),
            }
        }
    }

    pub fn observe(&self, exchanged: &Exchanged, hearer: Hearer) -> Outcome {
        let Exchanged { operation, status, request, response } = exchanged;
        let [operation, request, response] =
            [*operation, request, response].map(|text| CString::new(text).unwrap());
        let mut exchange = hpd_exchange {
            struct_size: size_of::<hpd_exchange>(),
            operation: operation.as_ptr(),
            operation_len: operation.count_bytes(),
            request: request.as_ptr(),
            request_len: request.count_bytes(),
            response: response.as_ptr(),
            response_len: response.count_bytes(),
            model: null(),
            model_len: 0,
            http_status: (*status).into(),
            reserved: 0,
            table: null_mut(),
            table_capacity: 0,
            table_len: 0,
        };
        let (detector, mut warnings) = (self.detector, null_mut());
        // SAFETY: the detector lives, and so do the texts through the call; warnings are freed
        // once.
        unsafe {
            match hearer {
                Hearer::Callback => Outcome::of(hpd_observe(detector, &mut exchange)),
                Hearer::Caller => {
                    let result = hpd_observe_full(detector, &mut exchange, &mut warnings);
                    Outcome { taken: freed(warnings), ..Outcome::of(result) }
                }
                Hearer::Thread => {
                    let [operation, request, response] =
                        [&operation, &request, &response].map(|text| text.as_ptr());
                    let status = exchange.http_status;
                    self.kept(hpd_observe_due(detector, operation, request, response, status, null()))
                }
            }
        }
    }
}
