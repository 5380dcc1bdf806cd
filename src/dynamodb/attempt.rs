//! An attempt that waits: the texts of an exchange, its moment, and the tables whose key it needs.
//!
//! The texts are copied as they came, in one piece of memory. Nothing that was read from them is
//! kept: the key may change how they are read.

use crate::dynamodb::action::Action;
use crate::error::OutOfMemory;
use crate::operation::Operation;
use crate::sys::clock::Moment;
use crate::sys::memory::try_bytes;

/// The parts of one request that wait for one table's key.
#[derive(Debug)]
pub(crate) struct Waits {
    pub(crate) table: String,
    /// How many parts there are: writes and reads.
    pub(crate) parts: [u64; 2],
    /// How many item-level actions they come to, as far as that is known without the key. It is
    /// less than the parts if some came back unprocessed or were refused.
    pub(crate) actions: u64,
}

impl Waits {
    /// Counts the parts of a request on a table. Its actions are counted later, part by part.
    pub(crate) fn new(table: &str, actions: &[Action<'_>]) -> Self {
        let parts = Operation::ALL.map(|operation| {
            let mine = |action: &&Action<'_>| action.table == table && action.operation == operation;
            actions.iter().filter(mine).count() as u64
        });
        Self { table: table.to_owned(), parts, actions: 0 }
    }

    /// Returns the entry of a table in a list that is sorted by table.
    pub(crate) fn of<'w>(all: &'w mut [Self], table: &str) -> Option<&'w mut Self> {
        let at = all.binary_search_by(|waits| waits.table.as_str().cmp(table)).ok()?;
        Some(&mut all[at])
    }

    /// Returns the number of parts, writes and reads together.
    pub(crate) fn total(&self) -> u64 {
        self.parts.iter().sum()
    }
}

/// The texts of one exchange, as they came.
#[derive(Clone, Copy)]
pub(crate) struct Given<'t> {
    pub(crate) operation: &'t [u8],
    pub(crate) request: &'t [u8],
    pub(crate) response: Option<&'t [u8]>,
    pub(crate) model: Option<&'t [u8]>,
    pub(crate) http_status: u16,
}

/// An attempt that waits.
pub(crate) struct Attempt {
    /// The moment at which it was observed, as of which it will be recorded.
    pub(crate) then: Moment,
    /// Operation, request, response and model, one after the other.
    text: Vec<u8>,
    /// The ends of the first three in `text`.
    ends: [usize; 3],
    /// Whether there is a response, and a model: an empty text may be either.
    has: [bool; 2],
    http_status: u16,
    /// The tables that it waits for: one entry is removed when a table gets known.
    pub(crate) waits: Vec<Waits>,
}

impl Attempt {
    /// Copies an exchange, observed at `then`.
    pub(crate) fn try_new(given: Given<'_>, waits: Vec<Waits>, then: Moment) -> Result<Self, OutOfMemory> {
        let Given { operation, request, response, model, http_status } = given;
        let texts = [operation, request, response.unwrap_or_default(), model.unwrap_or_default()];
        let mut end = 0;
        let ends = [0, 1, 2].map(|i: usize| {
            end += texts[i].len();
            end
        });
        let has = [response.is_some(), model.is_some()];
        Ok(Self { then, text: try_bytes(texts)?, ends, has, http_status, waits })
    }

    /// Returns the exchange as it came.
    pub(crate) fn given(&self) -> Given<'_> {
        let [operation, request, response] = self.ends;
        let part = |from: usize, to: usize| &self.text[from..to];
        Given {
            operation: part(0, operation),
            request: part(operation, request),
            response: self.has[0].then(|| part(request, response)),
            model: self.has[1].then(|| part(response, self.text.len())),
            http_status: self.http_status,
        }
    }

    /// Returns the memory that the attempt takes, by which the queue is bounded.
    pub(crate) fn bytes(&self) -> usize {
        let names: usize = self.waits.iter().map(|waits| waits.table.len() + size_of::<Waits>()).sum();
        size_of::<Option<Self>>() + self.text.len() + names
    }

    /// Returns the number of parts that wait, of all tables.
    pub(crate) fn parts(&self) -> u64 {
        self.waits.iter().map(Waits::total).sum()
    }
}
