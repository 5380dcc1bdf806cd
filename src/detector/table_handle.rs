//! A table's name, prepared once: checked, copied and hashed.

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::delivery::Delivery;
use crate::detector::warning::Warning;
use crate::error::{Error, OutOfMemory};
use crate::key::hash::Prefix;
use crate::key::{Key, check_name, check_pk};
use crate::operation::Operation;
use crate::sys::memory::try_bytes;

/// A table of a detector, whose name has been checked and hashed once. Recording through it costs
/// less than through the detector, and counts in the same partitions. It survives
/// [`Detector::clear`]. Any number of threads may use it at once.
#[derive(Debug)]
pub struct TableHandle<'d> {
    detector: &'d Detector,
    prefix: Prefix,
    name: Vec<u8>,
}

impl Detector {
    /// Prepares a table's name once, for callers that record to it often.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of `1..=1024` bytes; [`Error::Memory`].
    pub fn table(&self, table: impl AsRef<[u8]>) -> Result<TableHandle<'_>, Error> {
        let name = table.as_ref();
        check_name(Argument::Table, name)?;
        Ok(TableHandle::try_new(self, name, self.settings.hashing.prefix(name))?)
    }
}

impl<'d> TableHandle<'d> {
    pub(crate) fn try_new(detector: &'d Detector, name: &[u8], prefix: Prefix) -> Result<Self, OutOfMemory> {
        Ok(Self { detector, prefix, name: try_bytes([name])? })
    }

    /// Records one write and returns the partition's count of writes with it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a key over 16,384 bytes; [`Error::Memory`].
    pub fn record_write(&self, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        self.record_key(pk.as_ref(), Operation::Write)
    }

    /// Records one read and returns the partition's count of reads with it.
    ///
    /// # Errors
    /// As [`TableHandle::record_write`].
    pub fn record_read(&self, pk: impl AsRef<[u8]>) -> Result<u64, Error> {
        self.record_key(pk.as_ref(), Operation::Read)
    }

    /// Records one operation.
    #[inline(always)]
    pub(crate) fn record_key(&self, pk: &[u8], operation: Operation) -> Result<u64, Error> {
        if self.detector.is_filtered() {
            return Ok(self.record_filtered(pk, operation, Delivery::Callback)?.0);
        }
        self.record_key_in::<false>(pk, operation)
    }

    /// Records one operation; by a filter, where there is one.
    #[inline(always)]
    pub(crate) fn record_key_in<const FILTERED: bool>(
        &self,
        pk: &[u8],
        operation: Operation,
    ) -> Result<u64, Error> {
        Ok(self.record_in::<FILTERED>(pk, operation, Delivery::Callback)?.0)
    }

    /// Does the same as `record_key`, but a due warning goes to the caller.
    #[inline(always)]
    pub(crate) fn record_and_warn<'a>(
        &'a self,
        pk: &'a [u8],
        operation: Operation,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        if self.detector.is_filtered() {
            return self.record_filtered(pk, operation, Delivery::Caller);
        }
        self.record_in::<false>(pk, operation, Delivery::Caller)
    }

    /// Records by a filter. A function of its own, so that the other way is not slowed by its code.
    #[inline(never)]
    fn record_filtered<'a>(
        &'a self,
        pk: &'a [u8],
        operation: Operation,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        self.record_in::<true>(pk, operation, delivery)
    }

    #[inline(always)]
    fn record_in<'a, const FILTERED: bool>(
        &'a self,
        pk: &'a [u8],
        operation: Operation,
        delivery: Delivery,
    ) -> Result<(u64, Option<Warning<'a>>), Error> {
        check_pk(pk)?;
        let key = Key { table: &self.name, pk };
        self.detector.record_with_prefix::<FILTERED>(&self.prefix, key, operation, delivery)
    }

    pub(crate) fn detector(&self) -> &'d Detector {
        self.detector
    }
}
