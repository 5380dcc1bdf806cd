//! The C ABI of what a record is of: a write or a read.

use crate::argument::Argument;
use crate::ffi::status::Refused;
use crate::operation::Operation;

/// A write: an operation that consumes write capacity.
pub const HPD_WRITE: i32 = 0;
/// A read: an operation that consumes read capacity.
pub const HPD_READ: i32 = 1;

/// Reads HPD_WRITE or HPD_READ.
#[inline(always)]
pub(crate) fn operation(code: i32) -> Result<Operation, Refused> {
    match code {
        HPD_WRITE => Ok(Operation::Write),
        HPD_READ => Ok(Operation::Read),
        _ => Err(Refused::invalid(Argument::Operation)),
    }
}

/// Returns HPD_WRITE or HPD_READ.
pub(crate) fn operation_code(operation: Operation) -> i32 {
    match operation {
        Operation::Write => HPD_WRITE,
        Operation::Read => HPD_READ,
    }
}
