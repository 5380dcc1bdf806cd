//! The C ABI of observing requests. Without the feature `dynamodb` its functions are there and refuse.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::detector::warning::Warning;
use crate::error::Error;
use crate::ffi::boundary::{Versioned, boundary, detector_of, text};
use crate::ffi::detector::hpd_detector;
use crate::ffi::pending::Warnings;
use crate::ffi::status::*;
use crate::ffi::warning::hpd_warnings;
use std::ffi::c_char;

/// One attempt at a request to DynamoDB, and its answer.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_exchange {
    /// sizeof(hpd_exchange).
    pub struct_size: usize,
    /// "PutItem", or the header X-Amz-Target: "DynamoDB_20120810.PutItem".
    pub operation: *const c_char,
    /// Its length in bytes.
    pub operation_len: usize,
    /// The JSON body as it was sent, members in any order.
    pub request: *const c_char,
    /// Its length in bytes.
    pub request_len: usize,
    /// The answer's body, whole or cut down to the members that are used; NULL or empty: there is none.
    pub response: *const c_char,
    /// Its length in bytes.
    pub response_len: usize,
    /// The model that the records are made for; NULL and 0 for none.
    pub model: *const c_char,
    /// The model's length in bytes.
    pub model_len: usize,
    /// The answer's HTTP status, 100 to 999; 0: no answer came.
    pub http_status: i32,
    /// 0.
    pub reserved: u32,
    /// Where the name of a table goes whose key schema is missing, as much as there is room for; may be NULL.
    pub table: *mut c_char,
    /// How much room there is.
    pub table_capacity: usize,
    /// Out, with HPD_ERR_SCHEMA: the name's length, which may be more than there was room for.
    pub table_len: usize,
}

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_exchange {
    const FIRST_SIZE: usize = 104;
}

/// Records what a request to DynamoDB did, as far as its attempt and its answer tell: reads and writes of its items,
/// capacity (with HPD_FLAG_CAPACITY), and throttles. Call it for every attempt. Returns how many item-level actions were
/// recorded; operations that are not known are tallied in the statistics and give 0. HPD_ERR_SCHEMA: the name of a
/// table's partition key is needed and unknown; then exchange->table and table_len say which table: describe it,
/// observe that, and observe this again. HPD_ERR_JSON: it is not the JSON of that operation. HPD_ERR_NULL,
/// HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (a library built without this), HPD_ERR_MEMORY (a part may have been recorded).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_observe(detector: *const hpd_detector, exchange: *mut hpd_exchange) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { detector_of(detector)? };
        if exchange.is_null() {
            return Err(NULL);
        }
        // SAFETY: as the caller promises; the size comes first in every version.
        unsafe { imp::observe(detector, exchange, exchange.cast::<usize>().read_unaligned(), None) }
    })
}

/// As hpd_observe, but due warnings are written to *out instead of calling back: NULL if there are none, else to be freed by
/// hpd_warnings_free. *out is written to whatever is returned, unless that is HPD_ERR_NULL for out, detector or exchange:
/// before memory ran out, warnings may have been given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_observe_full(
    detector: *const hpd_detector,
    exchange: *mut hpd_exchange,
    out: *mut *mut hpd_warnings,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { detector_of(detector)? };
        if exchange.is_null() || out.is_null() {
            return Err(NULL);
        }
        // First: the caller frees it even after a panic.
        // SAFETY: `out` is not null.
        unsafe { out.write(std::ptr::null_mut()) };
        let mut warnings = Warnings::default();
        // SAFETY: as the caller promises; the size comes first in every version.
        let observed = unsafe {
            let size = exchange.cast::<usize>().read_unaligned();
            imp::observe(detector, exchange, size, Some(&mut |warning| warnings.keep(warning)))
        };
        let lost = warnings.lost;
        // SAFETY: as above.
        let kept = warnings.boxed().map(|warnings| unsafe {
            out.write(warnings.map_or(std::ptr::null_mut(), |warnings| Box::into_raw(warnings).cast()));
        });
        // What refused the request comes first.
        observed.and_then(|actions| {
            if lost { Err(Error::Memory.into()) } else { kept.map(|()| actions).map_err(Refused::from) }
        })
    })
}

/// Declares the names of the n attributes that make up the partition key of a table (one) or, if index is not NULL, of an
/// index (one to four). An index with the table's own key is taken for a local one. hpd_clear does not forget them. Names
/// have 1 to 1024 bytes of UTF-8. Returns HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (a library built
/// without this) or HPD_ERR_MEMORY.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_set_key_schema(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    index: *const c_char,
    index_len: usize,
    attributes: *const *const c_char,
    attribute_lens: *const usize,
    n: usize,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, table, name) =
            unsafe { (detector_of(detector)?, text(table, table_len)?, text(index, index_len)?) };
        let index = (!index.is_null()).then_some(name);
        if attributes.is_null() || attribute_lens.is_null() {
            return Err(NULL);
        }
        // More than any key has; and an index of an array that the caller has.
        if !(1..=4).contains(&n) {
            return Err(INVALID);
        }
        let mut names = [&[][..]; 4];
        for (i, name) in names.iter_mut().enumerate().take(n) {
            // SAFETY: the caller gives `n` of each.
            *name =
                unsafe { text(attributes.add(i).read_unaligned(), attribute_lens.add(i).read_unaligned())? };
        }
        imp::set_key_schema(detector, table, index, &names[..n])
    })
}

#[cfg(not(feature = "dynamodb"))]
pub(crate) mod imp {
    use super::{Refused, UNSUPPORTED, Warning, hpd_exchange};
    use crate::detector::Detector;

    pub(crate) unsafe fn observe(
        _: &Detector,
        _: *mut hpd_exchange,
        _: usize,
        _: Option<&mut dyn FnMut(&Warning<'_>)>,
    ) -> Result<i64, Refused> {
        Err(UNSUPPORTED)
    }

    pub(super) fn set_key_schema(
        _: &Detector,
        _: &[u8],
        _: Option<&[u8]>,
        _: &[&[u8]],
    ) -> Result<i32, Refused> {
        Err(UNSUPPORTED)
    }
}

#[cfg(feature = "dynamodb")]
pub(crate) mod imp {
    use super::{HPD_ERR_JSON, HPD_ERR_SCHEMA, HPD_OK, INVALID, NULL, Refused, Warning, hpd_exchange, text};
    use crate::detector::Detector;
    use crate::detector::observe::Exchange;
    use crate::dynamodb::error::ObserveError;
    use crate::ffi::boundary::read;

    /// # Safety
    /// `exchange` is valid for `size` bytes, and what it points to is as the header demands.
    pub(crate) unsafe fn observe(
        detector: &Detector,
        exchange: *mut hpd_exchange,
        size: usize,
        hear: Option<&mut dyn FnMut(&Warning<'_>)>,
    ) -> Result<i64, Refused> {
        // SAFETY: as the caller promises.
        let given = unsafe { read(exchange, size)? };
        if given.reserved != 0 {
            return Err(INVALID);
        }
        let http_status = u16::try_from(given.http_status).map_err(|_| INVALID)?;
        if http_status != 0 && !(100..1_000).contains(&http_status) {
            return Err(INVALID);
        }
        if given.table.is_null() && given.table_capacity > 0 {
            return Err(NULL);
        }
        // SAFETY: as the caller promises.
        let (operation, request, response, model) = unsafe {
            (
                text(given.operation, given.operation_len)?,
                text(given.request, given.request_len)?,
                text(given.response, given.response_len)?,
                text(given.model, given.model_len)?,
            )
        };
        let response = (!response.is_empty()).then_some(response);
        let model = (!given.model.is_null()).then_some(model);
        let exchanged = Exchange { operation, request, response, model, http_status };
        let observed = match hear {
            Some(hear) => detector.observe_and_warn(&exchanged, hear),
            None => detector.observe(&exchanged),
        };
        match observed {
            Ok(actions) => Ok(i64::try_from(actions).unwrap_or(i64::MAX)),
            Err(ObserveError::Json) => Err(Refused(HPD_ERR_JSON)),
            Err(ObserveError::Refused(error)) => Err(error.into()),
            Err(ObserveError::MissingSchema(table)) => {
                let room = table.len().min(given.table_capacity);
                // SAFETY: there is as much room as the caller says, and the struct can be written to.
                unsafe {
                    if room > 0 {
                        given.table.cast::<u8>().copy_from_nonoverlapping(table.as_ptr(), room);
                    }
                    (&raw mut (*exchange).table_len).write_unaligned(table.len());
                }
                Err(Refused(HPD_ERR_SCHEMA))
            }
        }
    }

    pub(super) fn set_key_schema(
        detector: &Detector,
        table: &[u8],
        index: Option<&[u8]>,
        attributes: &[&[u8]],
    ) -> Result<i32, Refused> {
        detector.set_key_schema(table, index, attributes)?;
        Ok(HPD_OK)
    }
}
