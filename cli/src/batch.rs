//! A batch: entries that own their texts, in one buffer for all of them.

use crate::entry::{Access, Entry, Event, Exchange};
use hotpart::Operation;
use std::ops::Range;

/// Entries in the order in which they were pushed.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<Stored>,
    text: Vec<u8>,
}

/// An entry whose texts lie one after another in the buffer.
#[derive(Clone, Copy, Debug)]
struct Stored {
    time_ms: u64,
    text: usize,
    /// Table and pk; or operation and request.
    lens: [u32; 2],
    /// `None` is [`NO_TEXT`].
    model_len: u32,
    kind: Kind,
}

const NO_TEXT: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Access { operation: Operation, operations: u64, half_units: Option<u64>, event: Event },
    Exchange { response_len: u32, http_status: u16 },
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Stored>() + self.text.capacity()
    }

    /// Returns the times of the first entry and of the last.
    pub fn times(&self) -> Option<(u64, u64)> {
        Some((self.entries.first()?.time_ms, self.entries.last()?.time_ms))
    }

    /// Forgets all entries, and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
    }

    pub fn push(&mut self, entry: &Entry<'_>) {
        match *entry {
            Entry::Access(access) => self.push_access(access),
            Entry::Exchange(exchange) => self.push_exchange(exchange),
        }
    }

    #[inline]
    pub fn push_access(&mut self, access: Access<'_>) {
        let Access { time_ms, operation, table, pk, model, operations, half_units, event } = access;
        let (text, lens) = (self.text.len(), [self.append(table), self.append(pk)]);
        let model_len = model.map_or(NO_TEXT, |model| self.append(model));
        let kind = Kind::Access { operation, operations, half_units, event };
        self.entries.push(Stored { time_ms, text, lens, model_len, kind });
    }

    fn push_exchange(&mut self, exchange: Exchange<'_>) {
        let Exchange { time_ms, operation, request, response, model, http_status } = exchange;
        let (text, lens) = (self.text.len(), [self.append(operation), self.append(request)]);
        let model_len = model.map_or(NO_TEXT, |model| self.append(model));
        let response_len = response.map_or(NO_TEXT, |response| self.append(response));
        let kind = Kind::Exchange { response_len, http_status };
        self.entries.push(Stored { time_ms, text, lens, model_len, kind });
    }

    /// Pushes some entries of another batch, to which they were pushed one after another, and which was not sorted since.
    pub fn extend(&mut self, other: &Self, run: Range<usize>) {
        let Some(first) = other.entries.get(run.start) else { return };
        let end = other.entries.get(run.end).map_or(other.text.len(), |after| after.text);
        let (from, to) = (first.text, self.text.len());
        self.text.extend_from_slice(&other.text[from..end]);
        let moved = |stored: &Stored| Stored { text: stored.text - from + to, ..*stored };
        self.entries.extend(other.entries[run].iter().map(moved));
    }

    /// Returns the entries' times.
    pub fn each_time(&self) -> impl Iterator<Item = u64> {
        self.entries.iter().map(|entry| entry.time_ms)
    }

    /// Appends a text, and returns how many of its bytes there was room for.
    #[inline]
    fn append(&mut self, text: &[u8]) -> u32 {
        let len = u32::try_from(text.len()).unwrap_or(NO_TEXT).min(NO_TEXT - 1);
        self.text.extend_from_slice(&text[..len as usize]);
        len
    }

    /// Puts entries in the order of their times; those of one time stay as they are.
    pub fn sort(&mut self) {
        if !self.entries.is_sorted_by_key(|entry| entry.time_ms) {
            self.entries.sort_by_key(|entry| entry.time_ms);
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries.iter().map(|stored| self.entry(stored))
    }

    #[inline]
    fn entry(&self, stored: &Stored) -> Entry<'_> {
        let mut rest = &self.text[stored.text..];
        let mut take = |len: u32| {
            let (text, after) = rest.split_at(len as usize);
            rest = after;
            text
        };
        let optional = |take: &mut dyn FnMut(u32) -> _, len: u32| (len != NO_TEXT).then(|| take(len));
        let (first, second) = (take(stored.lens[0]), take(stored.lens[1]));
        let (time_ms, model) = (stored.time_ms, optional(&mut take, stored.model_len));
        match stored.kind {
            Kind::Access { operation, operations, half_units, event } => Entry::Access(Access {
                time_ms,
                operation,
                table: first,
                pk: second,
                model,
                operations,
                half_units,
                event,
            }),
            Kind::Exchange { response_len, http_status } => Entry::Exchange(Exchange {
                time_ms,
                operation: first,
                request: second,
                response: optional(&mut take, response_len),
                model,
                http_status,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hotpart::Reason;

    #[test]
    fn entries_come_out_as_they_went_in() {
        let access = Access::new(3, Operation::Read, b"table", b"");
        let entries = [
            Entry::Access(Access { model: Some(b"Order"), half_units: Some(3), ..access }),
            Entry::Exchange(Exchange {
                time_ms: 2,
                operation: b"PutItem",
                request: b"{}",
                response: None,
                model: Some(b""),
                http_status: 0,
            }),
            Entry::Access(Access { time_ms: 2, event: Event::Throttled(Reason::KeyRange), ..access }),
        ];
        let mut batch = Batch::default();
        entries.iter().for_each(|entry| batch.push(entry));
        assert!(batch.iter().eq(entries));
        let mut other = Batch::default();
        other.push(&entries[2]);
        other.extend(&batch, 1..3);
        other.extend(&batch, 0..1);
        assert!(other.iter().eq([entries[2], entries[1], entries[2], entries[0]]));
        batch.sort();
        assert!(batch.iter().eq([entries[1], entries[2], entries[0]]), "those of one time keep their order");
    }
}
