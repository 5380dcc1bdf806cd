//! The C ABI's type of an observed request.
#![allow(non_camel_case_types)]

use crate::ffi::status::Versioned;
use std::ffi::c_char;

/// Warnings that a call gave. Made by hpd_observe_full and hpd_take_warnings, read by hpd_warnings_get, freed by
/// hpd_warnings_free. They never change, so any number of threads may read them at once.
pub struct hpd_warnings {
    _opaque: [u8; 0],
}

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
