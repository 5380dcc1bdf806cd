//! The C ABI of observing requests. Without the feature `dynamodb` its functions are there and
//! refuse.
#![allow(non_camel_case_types)]
#![allow(clippy::missing_safety_doc)] // See `ffi`.

use crate::argument::Argument::{self, KeyIndex, KeyTable, Output};
use crate::detector::warning::Warning;
use crate::error::Error;
use crate::ffi::boundary::{Out, Versioned, boundary, text};
use crate::ffi::detector::hpd_detector;
use crate::ffi::opaque::Opaque;
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
    /// The operation, such as "PutItem", or the header X-Amz-Target: "DynamoDB_20120810.PutItem".
    pub operation: *const c_char,
    /// Its length in bytes.
    pub operation_len: usize,
    /// The request's JSON body as it was sent, members in any order.
    pub request: *const c_char,
    /// Its length in bytes.
    pub request_len: usize,
    /// The answer's body, whole or cut down to the members that are used; NULL or empty if there is
    /// none.
    pub response: *const c_char,
    /// Its length in bytes.
    pub response_len: usize,
    /// The model that the records are made for; NULL and 0 for none.
    pub model: *const c_char,
    /// The model's length in bytes.
    pub model_len: usize,
    /// The answer's HTTP status, 100 to 999; 0 if no answer came.
    pub http_status: i32,
    /// Must be 0.
    pub reserved: u32,
    /// Where to write the name of a table whose key schema is missing, as much as there is room
    /// for; may be NULL.
    pub table: *mut c_char,
    /// The room there, in bytes.
    pub table_capacity: usize,
    /// With HPD_ERR_SCHEMA the library sets the name's length, which may be more than there was
    /// room for.
    pub table_len: usize,
}

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_exchange {
    const FIRST_SIZE: usize = 104;
}

/// Records the work of one attempt at a request to DynamoDB, as far as the request and its answer
/// tell: reads and writes of its items, capacity (with HPD_FLAG_CAPACITY), and throttles. Call it
/// for every attempt. Returns the number of item-level actions recorded. Operations that are
/// unknown to this version are tallied in the statistics and give 0, and what DynamoDB refused is
/// not read and gives 0. A statement that can't be read, or a part of a batch or transaction, is
/// tallied as HPD_UNATTRIBUTED_UNREAD; the others are recorded. After HPD_ERR_SCHEMA
/// exchange->table and table_len name a table whose partition key is unknown: call DescribeTable,
/// observe that, and observe this again. The other errors are HPD_ERR_JSON, HPD_ERR_NULL,
/// HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (also from a library built without this) and
/// HPD_ERR_MEMORY, after which a part may have been recorded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_observe(detector: *const hpd_detector, exchange: *mut hpd_exchange) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { hpd_detector::as_ref(detector)? };
        if exchange.is_null() {
            return Err(Refused::null(Argument::Exchange));
        }
        // SAFETY: as the caller promises.
        unsafe { imp::observe(detector, exchange, None) }
    })
}

/// As hpd_observe, but due warnings are written to *out instead of calling back. *out is NULL if
/// there are none, else to be freed by hpd_warnings_free. *out is written after an error too, as
/// warnings may have been given before memory ran out; it is untouched only if out, detector or
/// exchange is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_observe_full(
    detector: *const hpd_detector,
    exchange: *mut hpd_exchange,
    out: *mut *mut hpd_warnings,
) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(Output, out)?) };
        if exchange.is_null() {
            return Err(Refused::null(Argument::Exchange));
        }
        // First: the caller frees it even after a panic.
        out.write(std::ptr::null_mut());
        let mut warnings = Warnings::default();
        // SAFETY: as the caller promises.
        let observed =
            unsafe { imp::observe(detector, exchange, Some(&mut |warning| warnings.keep(warning))) };
        let lost = warnings.lost;
        let kept = warnings.boxed().map(|warnings| out.write(hpd_warnings::handle(warnings)));
        // What refused the request comes first.
        observed.and_then(|actions| {
            if lost { Err(Error::Memory.into()) } else { kept.map(|()| actions).map_err(Refused::from) }
        })
    })
}

/// Declares the names of the n attributes that make up the partition key of a table (n is 1) or, if
/// index is not NULL, of an index (n is 1 to 4). An index with the table's own key is taken for a
/// local one. hpd_clear does not forget key schemas. Names have 1 to 1024 bytes of UTF-8. Returns
/// HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (from a library built without this)
/// or HPD_ERR_MEMORY.
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
        let (detector, table, name) = unsafe {
            (
                hpd_detector::as_ref(detector)?,
                text(KeyTable, table, table_len)?,
                text(KeyIndex, index, index_len)?,
            )
        };
        let index = (!index.is_null()).then_some(name);
        if attributes.is_null() {
            return Err(Refused::null(Argument::KeyAttributes));
        }
        if attribute_lens.is_null() {
            return Err(Refused::null(Argument::AttributeLens));
        }
        // More than any key has; and an index of an array that the caller has.
        if !(1..=4).contains(&n) {
            return Err(Refused::invalid(Argument::KeyAttributes));
        }
        let mut names = [&[][..]; 4];
        for (i, name) in names.iter_mut().enumerate().take(n) {
            // SAFETY: the caller gives `n` of each.
            *name = unsafe {
                let (attribute, len) =
                    (attributes.add(i).read_unaligned(), attribute_lens.add(i).read_unaligned());
                text(Argument::KeyAttribute, attribute, len)?
            };
        }
        imp::set_key_schema(detector, table, index, &names[..n])
    })
}

#[cfg(not(feature = "dynamodb"))]
pub(crate) mod imp {
    use crate::detector::Detector;
    use crate::ffi::observe::{HPD_ERR_UNSUPPORTED, Refused, Warning, hpd_exchange};

    pub(crate) unsafe fn observe(
        _: &Detector,
        _: *mut hpd_exchange,
        _: Option<&mut dyn FnMut(&Warning<'_>)>,
    ) -> Result<i64, Refused> {
        Err(Refused::of(HPD_ERR_UNSUPPORTED))
    }

    pub(super) fn set_key_schema(
        _: &Detector,
        _: &[u8],
        _: Option<&[u8]>,
        _: &[&[u8]],
    ) -> Result<i32, Refused> {
        Err(Refused::of(HPD_ERR_UNSUPPORTED))
    }
}

#[cfg(feature = "dynamodb")]
pub(crate) mod imp {
    use crate::argument::Argument::{self, Model, Table};
    use crate::detector::Detector;
    use crate::detector::observe::Exchange;
    use crate::dynamodb::error::ObserveError;
    use crate::ffi::boundary::read_sized;
    use crate::ffi::observe::{HPD_ERR_JSON, HPD_ERR_SCHEMA, HPD_OK, Refused, Warning, hpd_exchange, text};

    /// # Safety
    /// `exchange` is valid for the bytes that it says it has, and what it points to is as the header demands.
    pub(crate) unsafe fn observe(
        detector: &Detector,
        exchange: *mut hpd_exchange,
        hear: Option<&mut dyn FnMut(&Warning<'_>)>,
    ) -> Result<i64, Refused> {
        // SAFETY: as the caller promises.
        let given = unsafe { read_sized(Argument::Exchange, exchange)? };
        if given.reserved != 0 {
            return Err(Refused::invalid(Argument::Reserved));
        }
        let http_status = match given.http_status {
            status @ (0 | 100..1_000) => status as u16,
            _ => return Err(Refused::invalid(Argument::HttpStatus)),
        };
        if given.table.is_null() && given.table_capacity > 0 {
            return Err(Refused::null(Table));
        }
        // SAFETY: as the caller promises.
        let (operation, request, response, model) = unsafe {
            (
                text(Argument::ApiOperation, given.operation, given.operation_len)?,
                text(Argument::Request, given.request, given.request_len)?,
                text(Argument::Response, given.response, given.response_len)?,
                text(Model, given.model, given.model_len)?,
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
            Err(ObserveError::Json) => Err(Refused::of(HPD_ERR_JSON)),
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
                Err(Refused::of(HPD_ERR_SCHEMA))
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
