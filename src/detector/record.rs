//! One record in full, as a caller gives it. (`recording` makes it.)

use crate::argument::Argument;
use crate::error::Error;
use crate::key::hash::Hash;
use crate::key::{Key, check_name};
use crate::ledger::Posting;
use crate::operation::Operation;
use crate::partition::amount::Amount;
use crate::policy::measure::Measure;

/// One record: which partition, which operation, how much, and on behalf of which model.
///
/// ```
/// use hotpart::{Detector, Operation, Record};
/// let detector = Detector::new(500, 1_500, 60)?;
/// let record = Record::new("orders", "customer#7", Operation::Write).model("Order").amount(3);
/// assert_eq!(detector.record(&record)?, 3);
/// # Ok::<(), hotpart::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub(crate) table: &'a [u8],
    pub(crate) pk: &'a [u8],
    pub(crate) operation: Operation,
    pub(crate) model: Option<&'a [u8]>,
    /// `None` stands for one operation, or for one unit in capacity mode.
    pub(crate) amount: Option<u64>,
}

impl<'a> Record<'a> {
    /// Returns a record of one operation, or of one unit in capacity mode, for no model.
    pub fn new<T, P>(table: &'a T, pk: &'a P, operation: Operation) -> Self
    where
        T: AsRef<[u8]> + ?Sized,
        P: AsRef<[u8]> + ?Sized,
    {
        Self { table: table.as_ref(), pk: pk.as_ref(), operation, model: None, amount: None }
    }

    /// Sets the model, whose thresholds win over those of the table; `1..=1024` bytes.
    #[must_use]
    pub fn model<M: AsRef<[u8]> + ?Sized>(mut self, model: &'a M) -> Self {
        self.model = Some(model.as_ref());
        self
    }

    /// Sets the amount that the record adds, at least 1; in half units in capacity mode. A
    /// partition's second saturates at 2³⁰ − 1.
    #[must_use]
    pub fn amount(mut self, amount: u64) -> Self {
        self.amount = Some(amount);
        self
    }

    /// Checks all arguments, before anything is recorded.
    #[inline(always)]
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.model.map_or(Ok(()), |model| check_name(Argument::Model, model))?;
        if self.amount == Some(0) {
            return Err(Error::Invalid(Argument::Amount));
        }
        self.key().check()
    }

    #[inline(always)]
    pub(crate) fn key(&self) -> Key<'a> {
        Key { table: self.table, pk: self.pk }
    }

    /// Returns this record, once it has been checked, as a posting for the ledger: with its key's
    /// `hash`, and with an amount that is within a slot's range.
    #[inline(always)]
    pub(crate) fn posting(&self, hash: Hash, measure: Measure) -> Posting<'a> {
        let amount = self.amount.map_or(measure.one(), Amount::clamped);
        Posting { key: self.key(), hash, operation: self.operation, model: self.model, amount }
    }
}
