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

/// One attempt at a request to DynamoDB, and its answer. The library writes to it, so only one
/// thread may use it at a time.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hpd_exchange {
    /// sizeof(hpd_exchange), set by the caller.
    pub struct_size: usize,
    /// The operation, such as "PutItem", or the header X-Amz-Target: "DynamoDB_20120810.PutItem".
    pub operation: *const c_char,
    /// Its length in bytes.
    pub operation_len: usize,
    /// The request's JSON body as it was sent, members in any order.
    pub request: *const c_char,
    /// Its length in bytes.
    pub request_len: usize,
    /// The answer's body, whole or cut down to the members that are used: ConsumedCapacity, Item,
    /// Items, Attributes, Responses, UnprocessedItems, UnprocessedKeys, Table, TableDescription,
    /// CancellationReasons, ThrottlingReasons, __type and message. NULL or empty if there is none.
    pub response: *const c_char,
    /// Its length in bytes.
    pub response_len: usize,
    /// The model for which the records are made, 1 to 1024 bytes; NULL and 0 for none.
    pub model: *const c_char,
    /// The model's length in bytes.
    pub model_len: usize,
    /// The answer's HTTP status, 100 to 999; 0 if no answer came. With 0, and from 500 on, the
    /// request may have run, so it is recorded and its capacity estimated.
    pub http_status: i32,
    /// Must be 0.
    pub reserved: u32,
    /// Room for the names of the tables whose key schema is missing, each ended by a NUL; as many
    /// bytes are written as fit. May be NULL.
    pub table: *mut c_char,
    /// The room at table, in bytes; 0 if table is NULL.
    pub table_capacity: usize,
    /// Set by the library with HPD_ERR_SCHEMA: the length of those names, their NULs included,
    /// which may be more than there was room for.
    pub table_len: usize,
}

// SAFETY: integers and pointers, which may be null.
unsafe impl Versioned for hpd_exchange {
    const FIRST_SIZE: usize = 104;
}

/// Records the work of one attempt at a request to DynamoDB, as far as the request and its answer
/// tell: reads and writes of its items, capacity (with HPD_FLAG_CAPACITY; see hpd_ask_capacity),
/// and throttles. Call it for every attempt. Returns the number of item-level actions recorded, or
/// waiting. A table's description gives 0. So does an operation that is unknown to this version,
/// which is tallied in the statistics. A request that DynamoDB refused for another reason than a
/// throttle, a failed condition or a cancelled transaction is not read and gives 0. A statement, or
/// a part of a batch or transaction, that can't be read is tallied as HPD_UNATTRIBUTED_UNREAD; the
/// other parts are recorded. A value is counted under its key as recording functions take it: S as
/// its text, N as hpd_number_key writes it, B as its bytes; several values of one index key as a
/// JSON array of texts, such as ["eu","7"]. A table that is named by its ARN is counted under its
/// name. An item that is written is also recorded as a write to each global index that is known to
/// have it, as TABLE/index/INDEX; the number returned leaves these out.
///
/// Work on a table or index whose partition key is unknown waits, and everything else is recorded.
/// Waiting work is recorded when the key becomes known: by an observed DescribeTable, CreateTable
/// or UpdateTable, by hpd_set_key_schema, or by another request that shows it. It is recorded as of
/// the time at which it was observed. Its warnings are delivered as those of the call that made the
/// key known. HPD_ERR_SCHEMA is returned when the first part on a table waits, and after that at
/// most once a minute while more come. exchange->table and table_len then name all tables that are
/// asked for: call DescribeTable for each and observe its answer, or call hpd_forget_table if that
/// is denied. Do NOT observe this request again: it is kept.
///
/// At most 10,000 parts and 32 MiB wait. Beyond that the oldest are dropped and tallied as
/// HPD_UNATTRIBUTED_UNREAD; so are parts whose key becomes known after they waited for longer than
/// the window. hpd_clear drops what waits, and a forked child starts with none.
///
/// The other errors are HPD_ERR_JSON, HPD_ERR_NULL, HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (also from
/// a library built without this) and HPD_ERR_MEMORY, after which a part may have been recorded.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_observe(detector: *const hpd_detector, exchange: *mut hpd_exchange) -> i64 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let detector = unsafe { hpd_detector::as_ref(detector)? };
        if exchange.is_null() {
            return Err(Refused::null(Argument::Exchange));
        }
        // SAFETY: as the caller promises.
        unsafe { imp::observe(detector, exchange, None, &mut Vec::new()) }
    })
}

/// As hpd_observe, but due warnings are written to *out instead of calling back. *out is NULL if
/// there are none. Otherwise free it by hpd_warnings_free, after an error too: HPD_ERR_SCHEMA and
/// HPD_ERR_MEMORY can come with warnings. *out is untouched only if out, detector or exchange is
/// NULL.
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
        // Before anything else: the caller frees it even after a panic.
        out.write(std::ptr::null_mut());
        let mut warnings = Warnings::default();
        let hear = &mut |warning: &Warning<'_>| warnings.keep(warning);
        // SAFETY: as the caller promises.
        let observed = unsafe { imp::observe(detector, exchange, Some(hear), &mut Vec::new()) };
        give(warnings, out, observed)
    })
}

/// Declares the names of the attributes that make up the partition key of a table or, if index is
/// not NULL, of an index, in place of those that were known. attributes and attribute_lens are
/// arrays of n names and of their lengths: n is 1 for a table, 1 to 4 for an index. table may be an
/// ARN. An index that has the table's own partition key is taken for a local index, whose
/// partitions are the table's. hpd_clear does not forget key schemas. Names have 1 to 1024 bytes of
/// UTF-8. What waited for the key is recorded, as of when it was observed. Returns HPD_OK,
/// HPD_ERR_NULL, HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (from a library built without this) or
/// HPD_ERR_MEMORY, after which the key may be declared and a part of what waited recorded: declare
/// it again.
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
        let (detector, schema) = unsafe {
            let detector = hpd_detector::as_ref(detector)?;
            (detector, KeySchema::of(table, table_len, index, index_len, attributes, attribute_lens, n)?)
        };
        imp::set_key_schema(detector, &schema, None)?;
        Ok(HPD_OK)
    })
}

/// As hpd_set_key_schema, but due warnings of what waited are written to *out instead of calling
/// back, as by hpd_observe_full.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_set_key_schema_full(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
    index: *const c_char,
    index_len: usize,
    attributes: *const *const c_char,
    attribute_lens: *const usize,
    n: usize,
    out: *mut *mut hpd_warnings,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, out) = unsafe { (hpd_detector::as_ref(detector)?, Out::new(Output, out)?) };
        // Before anything else: the caller frees it even after a panic.
        out.write(std::ptr::null_mut());
        // SAFETY: as the caller promises.
        let schema =
            unsafe { KeySchema::of(table, table_len, index, index_len, attributes, attribute_lens, n)? };
        let mut warnings = Warnings::default();
        let declared = imp::set_key_schema(detector, &schema, Some(&mut |warning| warnings.keep(warning)));
        give(warnings, out, declared.map(|()| HPD_OK))
    })
}

/// Says that a table's key schema will not be known, for example because DescribeTable is denied.
/// Work that waits for it is tallied as HPD_UNATTRIBUTED_UNREAD. Later work on the table is tallied
/// too, without waiting, until its key becomes known after all. hpd_clear does not undo this, but a
/// forked child starts without it. table has 1 to 1024 bytes of UTF-8, and may be an ARN. Returns
/// HPD_OK, HPD_ERR_NULL, HPD_ERR_INVALID, HPD_ERR_UNSUPPORTED (from a library built without this)
/// or HPD_ERR_MEMORY, after which a part may be tallied: call it again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hpd_forget_table(
    detector: *const hpd_detector,
    table: *const c_char,
    table_len: usize,
) -> i32 {
    boundary(|| {
        // SAFETY: as the caller promises.
        let (detector, table) =
            unsafe { (hpd_detector::as_ref(detector)?, text(KeyTable, table, table_len)?) };
        imp::forget_table(detector, table)?;
        Ok(HPD_OK)
    })
}

/// Writes the warnings of a call to `out`, and returns the call's result. Its own error wins over
/// one of keeping the warnings.
fn give<T>(
    warnings: Warnings,
    out: Out<*mut hpd_warnings>,
    result: Result<T, Refused>,
) -> Result<T, Refused> {
    let lost = warnings.lost;
    let kept = warnings.boxed().map(|warnings| out.write(hpd_warnings::handle(warnings)));
    let result = result?;
    if lost {
        return Err(Error::Memory.into());
    }
    kept?;
    Ok(result)
}

/// The arguments of hpd_set_key_schema and its like.
#[cfg_attr(not(feature = "dynamodb"), expect(dead_code))]
pub(crate) struct KeySchema<'a> {
    table: &'a [u8],
    index: Option<&'a [u8]>,
    names: [&'a [u8]; 4],
    n: usize,
}

impl<'a> KeySchema<'a> {
    /// Reads the arguments.
    ///
    /// # Safety
    /// As the header demands of the texts, and of `n` pointers and lengths.
    pub(crate) unsafe fn of(
        table: *const c_char,
        table_len: usize,
        index: *const c_char,
        index_len: usize,
        attributes: *const *const c_char,
        attribute_lens: *const usize,
        n: usize,
    ) -> Result<Self, Refused> {
        // SAFETY: as the caller promises.
        let (table, name) = unsafe { (text(KeyTable, table, table_len)?, text(KeyIndex, index, index_len)?) };
        let index = (!index.is_null()).then_some(name);
        if attributes.is_null() {
            return Err(Refused::null(Argument::KeyAttributes));
        }
        if attribute_lens.is_null() {
            return Err(Refused::null(Argument::AttributeLens));
        }
        // No key has more, and the caller's arrays are read up to there.
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
        Ok(Self { table, index, names, n })
    }

    #[cfg(feature = "dynamodb")]
    fn attributes(&self) -> &[&'a [u8]] {
        &self.names[..self.n]
    }
}

#[cfg(not(feature = "dynamodb"))]
pub(crate) mod imp {
    use crate::detector::Detector;
    use crate::ffi::observe::{HPD_ERR_UNSUPPORTED, KeySchema, Refused, Warning, hpd_exchange};

    pub(crate) unsafe fn observe(
        _: &Detector,
        _: *mut hpd_exchange,
        _: Option<&mut dyn FnMut(&Warning<'_>)>,
        _: &mut Vec<String>,
    ) -> Result<i64, Refused> {
        Err(Refused::of(HPD_ERR_UNSUPPORTED))
    }

    pub(crate) fn set_key_schema(
        _: &Detector,
        _: &KeySchema<'_>,
        _: Option<&mut dyn FnMut(&Warning<'_>)>,
    ) -> Result<(), Refused> {
        Err(Refused::of(HPD_ERR_UNSUPPORTED))
    }

    pub(super) fn forget_table(_: &Detector, _: &[u8]) -> Result<(), Refused> {
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
    use crate::ffi::observe::{
        HPD_ERR_JSON, HPD_ERR_SCHEMA, KeySchema, Refused, Warning, hpd_exchange, text,
    };

    /// Observes. The tables whose key schema is missing are put into `missing` too.
    ///
    /// # Safety
    /// `exchange` is valid for the bytes that it says it has, and what it points to is as the
    /// header demands.
    pub(crate) unsafe fn observe(
        detector: &Detector,
        exchange: *mut hpd_exchange,
        hear: Option<&mut dyn FnMut(&Warning<'_>)>,
        missing: &mut Vec<String>,
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
            Err(ObserveError::MissingSchema(tables)) => {
                let mut len = 0;
                for text in tables.iter().flat_map(|table| [table.as_bytes(), b"\0"]) {
                    let room = text.len().min(given.table_capacity.saturating_sub(len));
                    if room > 0 {
                        // SAFETY: there is as much room as the caller says.
                        unsafe {
                            given.table.cast::<u8>().add(len).copy_from_nonoverlapping(text.as_ptr(), room);
                        }
                    }
                    len += text.len();
                }
                // SAFETY: the struct can be written to.
                unsafe { (&raw mut (*exchange).table_len).write_unaligned(len) };
                *missing = tables;
                Err(Refused::of(HPD_ERR_SCHEMA))
            }
        }
    }

    pub(crate) fn set_key_schema(
        detector: &Detector,
        schema: &KeySchema<'_>,
        hear: Option<&mut dyn FnMut(&Warning<'_>)>,
    ) -> Result<(), Refused> {
        let (table, index, attributes) = (schema.table, schema.index, schema.attributes());
        match hear {
            Some(hear) => detector.set_key_schema_and_warn(table, index, attributes, hear)?,
            None => detector.set_key_schema(table, index, attributes)?,
        }
        Ok(())
    }

    pub(super) fn forget_table(detector: &Detector, table: &[u8]) -> Result<(), Refused> {
        Ok(detector.forget_table(table)?)
    }
}
