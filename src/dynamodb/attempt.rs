//! An attempt that waits: the texts of an exchange, its moment, and the tables whose key it needs.

use crate::dynamodb::action::Action;
use crate::error::OutOfMemory;
use crate::operation::Operation;
use crate::sys::clock::Moment;
use crate::sys::memory::try_bytes;

/// The parts of one request that wait for one table's key.
#[derive(Debug)]
pub(crate) struct Waits {
    pub(crate) table: String,
    /// How many parts there are of each operation.
    pub(crate) parts: [u64; 2],
    /// How many item-level actions they come to, as far as that is known without the key.
    pub(crate) actions: u64,
}

impl Waits {
    pub(crate) fn new(table: &str, actions: &[Action<'_>]) -> Self {
        let parts = Operation::ALL.map(|operation| {
            let mine = |action: &&Action<'_>| action.table == table && action.operation == operation;
            actions.iter().filter(mine).count() as u64
        });
        Self { table: table.to_owned(), parts, actions: 0 }
    }

    /// Returns the one of a table, of those that are sorted by table.
    pub(crate) fn of<'w>(all: &'w mut [Self], table: &str) -> Option<&'w mut Self> {
        let at = all.binary_search_by(|waits| waits.table.as_str().cmp(table)).ok()?;
        Some(&mut all[at])
    }

    pub(crate) fn total(&self) -> u64 {
        self.parts.iter().sum()
    }
}

/// One attempt as it came: the texts of an exchange.
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
    /// The moment at which it was observed.
    pub(crate) then: Moment,
    /// Operation, request, response and model, one after the other.
    text: Vec<u8>,
    /// Where the first three end; whether there is a response, and a model.
    ends: [usize; 3],
    has: [bool; 2],
    http_status: u16,
    pub(crate) waits: Vec<Waits>,
}

impl Attempt {
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

    pub(crate) fn bytes(&self) -> usize {
        let names: usize = self.waits.iter().map(|waits| waits.table.len() + size_of::<Waits>()).sum();
        size_of::<Option<Self>>() + self.text.len() + names
    }

    pub(crate) fn parts(&self) -> u64 {
        self.waits.iter().map(Waits::total).sum()
    }
}
