//! The detector's side of what waits for a table's key: how it comes to wait, and how it is
//! recorded once the key is known.
//!
//! A part that waited is recorded **as of** the moment at which it was observed: see
//! [`Detector::record_as_of`]. So its partition counts it in the second in which it happened, and a
//! warning is about the window that ended then. Parts are recorded in the order in which they were
//! observed, which is that of their moments. There is one exception: a partition may have been
//! recorded in a later second meanwhile, by another call. Then the part lands in that second. It is
//! in the count for longer than it should be, by at most the time that it waited, and never for
//! less.
//!
//! An example, with a window of 60 seconds. A put to `orders` is observed at second 100, before its
//! key is known. At 104 DescribeTable is answered, and the put is recorded in second 100: it leaves
//! the count after 160, as if its key had been known. Had another call recorded the same partition
//! at 103, it would land in 103, and leave with that.

use crate::argument::Argument;
use crate::detector::Detector;
use crate::detector::delivery::Listener;
use crate::detector::observe::{Exchange, text};
use crate::detector::warning::Warning;
use crate::dynamodb::attempt::{Given, Waits};
use crate::dynamodb::attribution::Attribution;
use crate::dynamodb::error::ObserveError;
use crate::dynamodb::outcome::attribute_request;
use crate::dynamodb::request::{self, ApiOperation};
use crate::dynamodb::response;
use crate::dynamodb::schema::split_arn;
use crate::error::{Error, OutOfMemory};
use crate::key::check_name;
use crate::operation::Operation;
use crate::partition::slot::expired;
use crate::reason::Unattributed;
use crate::sys::clock::Moment;
use crate::sys::epoch;
use crate::sys::memory::{try_bytes, try_text};

/// The tables for which a request waits, and how many of its actions do.
pub(crate) struct Waiters {
    tables: Vec<String>,
    actions: u64,
}

/// The parts of one attempt on a table that is known by now.
enum Released {
    /// They are found.
    Found {
        found: Box<Attribution<'static>>,
        model: Option<Vec<u8>>,
        /// The moment as of which they are to be recorded.
        then: Moment,
    },
    /// They have waited for longer than a window: this number of writes, and of reads.
    Late([u64; 2]),
    /// They can't be found, although all that a description tells is known: this number of writes,
    /// and of reads.
    Unread([u64; 2]),
}

impl Detector {
    /// Declares the names of the attributes that make up the partition key of a table (one) or of
    /// an index (one to four). An index with the table's own key is taken for a local one. Clearing
    /// does not forget them. What waited for the table is recorded, as of when it was observed; due
    /// warnings go to the callback.
    ///
    /// # Errors
    /// [`Error::Invalid`] for names not of `1..=1024` bytes or not UTF-8, or too many or too few
    /// attributes. [`Error::Memory`]; then the key may be declared, and a part of what waited
    /// recorded: declare it again.
    pub fn set_key_schema(
        &self,
        table: impl AsRef<[u8]>,
        index: Option<&[u8]>,
        attributes: &[impl AsRef<[u8]>],
    ) -> Result<(), Error> {
        self.declare(table.as_ref(), index, attributes, &mut Listener::Callback)
    }

    /// Does the same, but calls `hear` with each due warning in place of the callback; `hear` may
    /// use the detector.
    ///
    /// # Errors
    /// As [`Detector::set_key_schema`]. Warnings may have been given before memory ran out.
    pub fn set_key_schema_and_warn(
        &self,
        table: impl AsRef<[u8]>,
        index: Option<&[u8]>,
        attributes: &[impl AsRef<[u8]>],
        mut hear: impl FnMut(&Warning<'_>),
    ) -> Result<(), Error> {
        self.declare(table.as_ref(), index, attributes, &mut Listener::Caller(&mut hear))
    }

    fn declare(
        &self,
        table: &[u8],
        index: Option<&[u8]>,
        attributes: &[impl AsRef<[u8]>],
        listener: &mut Listener<'_>,
    ) -> Result<(), Error> {
        let table = split_arn(name(Argument::KeyTable, table)?).0;
        let index = index.map(|index| name(Argument::KeyIndex, index)).transpose()?;
        let most = if index.is_some() { 4 } else { 1 };
        if !(1..=most).contains(&attributes.len()) {
            return Err(Error::Invalid(Argument::KeyAttributes));
        }
        let mut hash = Vec::new();
        hash.try_reserve_exact(attributes.len()).map_err(OutOfMemory::from)?;
        for attribute in attributes {
            hash.push(try_text([name(Argument::KeyAttribute, attribute.as_ref())?])?);
        }
        self.schemas.declare(table, index, &hash, &epoch::pin())?;
        self.release(table, false, listener)
    }

    /// Says that a table's key will not be known, as it may not be described. What waits for it is
    /// tallied as [`Unattributed::Unread`]. So is what comes from now on, at once, until the key is
    /// known after all.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a name not of `1..=1024` bytes or not UTF-8; [`Error::Memory`], and
    /// then a part may have been tallied.
    pub fn forget_table(&self, table: impl AsRef<[u8]>) -> Result<(), Error> {
        let table = split_arn(name(Argument::KeyTable, table.as_ref())?).0;
        self.waiting.forget(table, &mut |table, parts| self.tally_unread(table, parts))
    }

    /// Makes parts of a request wait. `known` is the number of changes of the schemas from before
    /// the parts were looked for, and not found.
    pub(crate) fn wait(
        &self,
        exchange: &Exchange<'_>,
        waits: Vec<Waits>,
        known: u64,
        listener: &mut Listener<'_>,
    ) -> Result<Waiters, Error> {
        let &Exchange { operation, request, response, model, http_status } = exchange;
        let given = Given { operation, request, response, model, http_status };
        let tables: Vec<_> = waits.iter().map(|waits| waits.table.clone()).collect();
        let tally = &mut |table: &str, parts| self.tally_unread(table, parts);
        let actions = self.waiting.push(given, waits, &self.clock, tally)?;
        // A thread that has made a key known since then may have looked into the queue before these
        // parts were in it. Either it sees them, or this thread sees its change: so nothing waits
        // for a key that is known.
        if self.schemas.changes() != known {
            tables.iter().try_for_each(|table| self.release(table, false, listener))?;
        }
        Ok(Waiters { tables, actions })
    }

    /// Asks for the tables that are waited for, unless that was done within a minute. Returns how
    /// many actions wait.
    pub(crate) fn ask(&self, waiters: Waiters) -> Result<u64, ObserveError> {
        let asked = self.waiting.ask(waiters.tables, self.clock.now().ms()).map_err(Error::from)?;
        if asked.is_empty() { Ok(waiters.actions) } else { Err(ObserveError::MissingSchema(asked)) }
    }

    /// Records what waited for a table of which more is known by now. If its description
    /// `told_all`, parts that are still not found are tallied as unread; otherwise they wait on.
    pub(crate) fn release(
        &self,
        table: &str,
        told_all: bool,
        listener: &mut Listener<'_>,
    ) -> Result<(), Error> {
        let (mut from, mut all_found) = (0, true);
        let mut read = |given: Given<'_>, then, waits: &Waits| {
            let released = self.read_again(given, then, waits, told_all)?;
            all_found &= !matches!(released, None | Some(Released::Unread(_)));
            Ok::<_, Error>(released)
        };
        // One attempt at a time: it is read under the queue's lock, and recorded, which may call
        // back, after it.
        while let Some(released) = self.waiting.take(table, &mut from, &mut read)? {
            match released {
                Released::Late(parts) | Released::Unread(parts) => self.tally_unread(table, parts)?,
                Released::Found { found, model, then } => {
                    self.apply(*found, model.as_deref(), Some(then), listener)?;
                }
            }
        }
        Ok(self.waiting.settle(table, all_found)?)
    }

    /// Works out what an attempt came to on the table for which it waited; `None` if it waits on.
    fn read_again(
        &self,
        given: Given<'_>,
        then: Moment,
        waits: &Waits,
        told_all: bool,
    ) -> Result<Option<Released>, Error> {
        // Its second has left the window: to record it would change nothing.
        if expired(then.second(), self.clock.now().second(), self.window_seconds()) {
            return Ok(Some(Released::Late(waits.parts)));
        }
        match self.attribute_again(given, &waits.table) {
            Ok(found) if found.waiting.is_empty() => {
                let model = given.model.map(|model| try_bytes([model])).transpose()?;
                Ok(Some(Released::Found { found: Box::new(found.into_owned()), model, then }))
            }
            // A key is still missing, as of an index; but a description may yet tell it.
            Ok(_) if !told_all => Ok(None),
            Err(ObserveError::Refused(Error::Memory)) => Err(Error::Memory),
            _ => Ok(Some(Released::Unread(waits.parts))),
        }
    }

    /// Reads an attempt once more, for the parts on one table.
    fn attribute_again<'a>(&self, given: Given<'a>, table: &str) -> Result<Attribution<'a>, ObserveError> {
        let Some(api) = ApiOperation::named(given.operation) else { return Ok(Attribution::default()) };
        let mut actions = request::actions(api, text(given.request)?)?;
        let outcome = response::outcome(given.http_status.into(), given.response)?;
        let capacity = self.settings.measure.is_capacity();
        attribute_request(api, &mut actions, &outcome, Some(table), &self.schemas, capacity, &epoch::pin())
    }

    /// Tallies parts that are not read: this number of writes, and of reads.
    fn tally_unread(&self, table: &str, parts: [u64; 2]) -> Result<(), Error> {
        Operation::ALL.into_iter().zip(parts).try_for_each(|(operation, parts)| {
            self.tally(table.as_bytes(), operation, Unattributed::Unread, parts, None)
        })
    }
}

/// Returns a name as text, which must be valid.
fn name(argument: Argument, name: &[u8]) -> Result<&str, Error> {
    check_name(argument, name)?;
    std::str::from_utf8(name).map_err(|_| Error::Invalid(argument))
}
