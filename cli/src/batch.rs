//! A batch: entries that own their texts, in one buffer for all of them.

use crate::entry::{Access, Entry, Event, Exchange, Origin};
use hashbrown::{DefaultHashBuilder, HashTable};
use hotpart::Operation;
use std::hash::{BuildHasher, Hash, Hasher};
use std::ops::Range;

/// Entries in the order in which they were pushed.
#[derive(Debug, Default)]
pub struct Batch {
    entries: Vec<Stored>,
    text: Vec<u8>,
    /// For a batch that is [summed](Batch::sum): the place of each access, by its texts and
    /// operation.
    sums: HashTable<u32>,
    hashing: DefaultHashBuilder,
    /// For a batch that is summed: the latest time.
    last_ms: u64,
    summed: usize,
}

/// An entry whose texts lie one after another in the buffer.
#[derive(Clone, Copy, Debug)]
struct Stored {
    time_ms: u64,
    text: usize,
    /// The lengths of table and pk or, of an exchange, of operation and request.
    lens: [u32; 2],
    /// The length of the model; [`NO_TEXT`] if there is none.
    model_len: u32,
    kind: Kind,
}

const NO_TEXT: u32 = u32::MAX;

/// An access without its time and amounts.
#[derive(PartialEq, Eq)]
struct Identity<'a> {
    text: &'a [u8],
    lens: u64,
}

impl Hash for Identity<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.text);
        state.write_u64(self.lens);
    }
}

impl Stored {
    fn text_len(&self) -> usize {
        let [first, second] = self.lens.map(|len| len as usize);
        let optional = |len: u32| if len == NO_TEXT { 0 } else { len as usize };
        let response = match self.kind {
            Kind::Access { .. } => 0,
            Kind::Exchange { response_len, .. } => optional(response_len),
        };
        first + second + optional(self.model_len) + response
    }

    /// Returns whether this is an access that DynamoDB did.
    fn is_access(&self) -> bool {
        matches!(self.kind, Kind::Access { event: Event::Done, .. })
    }

    /// Returns all of an access but its time and amounts. The lengths tell where its text is cut,
    /// and their lowest bit the operation.
    #[inline]
    fn identity<'a>(&self, text: &'a [u8]) -> Identity<'a> {
        let is_write = matches!(self.kind, Kind::Access { operation: Operation::Write, .. });
        let table_len = u64::from(self.lens[0]) << 1 | u64::from(is_write);
        Identity { text, lens: table_len << 32 | u64::from(self.model_len) }
    }

    /// Adds the amounts of another access. The time becomes the earlier of both.
    fn add(&mut self, other: &Self) {
        self.time_ms = self.time_ms.min(other.time_ms);
        if let (
            Kind::Access { operations, half_units, .. },
            Kind::Access { operations: more, half_units: more_units, .. },
        ) = (&mut self.kind, other.kind)
        {
            // An access of unknown capacity is taken for one unit, two halves, for each operation.
            if half_units.is_some() || more_units.is_some() {
                let told = |units: Option<u64>, n: u64| units.unwrap_or(n.saturating_mul(2));
                *half_units = Some(told(*half_units, *operations).saturating_add(told(more_units, more)));
            }
            *operations = operations.saturating_add(more);
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Access { operation: Operation, operations: u64, half_units: Option<u64>, event: Event },
    Exchange { from: Origin, response_len: u32, http_status: u16 },
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the number of entries of which it was made, with those that became one.
    pub fn made_of(&self) -> usize {
        self.entries.len() + self.summed
    }

    /// Returns the bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Stored>() + self.text.capacity()
    }

    /// Returns the times of the first entry and of the last.
    pub fn times(&self) -> Option<(u64, u64)> {
        Some((self.entries.first()?.time_ms, self.entries.last()?.time_ms.max(self.last_ms)))
    }

    /// Forgets all entries, and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.text.clear();
        self.sums.clear();
        (self.last_ms, self.summed) = (0, 0);
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
        let Exchange { from, time_ms, operation, request, response, model, http_status } = exchange;
        let (text, lens) = (self.text.len(), [self.append(operation), self.append(request)]);
        let model_len = model.map_or(NO_TEXT, |model| self.append(model));
        let response_len = response.map_or(NO_TEXT, |response| self.append(response));
        let kind = Kind::Exchange { from, response_len, http_status };
        self.entries.push(Stored { time_ms, text, lens, model_len, kind });
    }

    /// Pushes the entries `run` of another batch, which must lie there in the order in which they
    /// were pushed.
    pub fn extend(&mut self, other: &Self, run: Range<usize>) {
        let Some(first) = other.entries.get(run.start) else { return };
        let end = other.entries.get(run.end).map_or(other.text.len(), |after| after.text);
        let (from, to) = (first.text, self.text.len());
        self.text.extend_from_slice(&other.text[from..end]);
        let moved = |stored: &Stored| Stored { text: stored.text - from + to, ..*stored };
        self.entries.extend(other.entries[run].iter().map(moved));
    }

    /// Pushes the entries `run` of another batch. Accesses that differ in nothing but their times
    /// and amounts become one, of the earliest time and all amounts. This is for readers to whom
    /// the order in a second does not matter. It must not be mixed with other ways to push.
    pub fn sum(&mut self, other: &Self, run: Range<usize>) {
        for stored in &other.entries[run] {
            let text = &other.text[stored.text..][..stored.text_len()];
            self.last_ms = self.last_ms.max(stored.time_ms);
            let (hashing, entries, own) = (&self.hashing, &mut self.entries, &self.text);
            if stored.is_access() {
                let hash = hashing.hash_one(stored.identity(text));
                let is_same = |&i: &u32| {
                    let known = &entries[i as usize];
                    known.identity(&own[known.text..][..known.text_len()]) == stored.identity(text)
                };
                if let Some(&i) = self.sums.find(hash, is_same) {
                    entries[i as usize].add(stored);
                    self.summed += 1;
                    continue;
                }
                let hash_of = |&i: &u32| {
                    let known: &Stored = &entries[i as usize];
                    hashing.hash_one(known.identity(&own[known.text..][..known.text_len()]))
                };
                self.sums.insert_unique(hash, entries.len() as u32, hash_of);
            }
            entries.push(Stored { text: own.len(), ..*stored });
            self.text.extend_from_slice(text);
        }
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

    /// Puts entries in the order of their times. Those of one time keep their order.
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
            Kind::Exchange { from, response_len, http_status } => Entry::Exchange(Exchange {
                from,
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
                from: Origin { file: 1, line: 7 },
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

    #[test]
    fn accesses_of_one_partition_become_one() {
        let access = |time_ms, pk| Access::new(time_ms, Operation::Write, b"table", pk);
        let read = Access { operation: Operation::Read, ..access(1, b"a") };
        let throttled = Access { event: Event::Throttled(Reason::KeyRange), ..access(4, b"a") };
        let of_model = Access { model: Some(b"Order"), ..access(6, b"a") };
        let other_split = Access { table: b"tablea", pk: b"", ..access(7, b"a") };
        let told = Access { operations: 3, half_units: Some(1), ..access(9, b"a") };
        let exchange = Exchange {
            from: Origin { file: 0, line: 1 },
            time_ms: 5,
            operation: b"PutItem",
            request: b"{}",
            response: Some(b"{}"),
            model: None,
            http_status: 200,
        };
        let accesses =
            [access(0, b"a"), read, access(2, b"b"), access(3, b"a"), throttled, of_model, other_split, told];
        let mut other = Batch::default();
        accesses.iter().for_each(|access| other.push(&Entry::Access(*access)));
        other.push(&Entry::Exchange(exchange));
        let mut batch = Batch::default();
        batch.sum(&other, 0..3);
        batch.sum(&other, 3..9);
        let all = Access { operations: 5, half_units: Some(5), ..access(0, b"a") };
        let expected = [all, read, access(2, b"b"), throttled, of_model, other_split].map(Entry::Access);
        assert!(batch.iter().eq(expected.into_iter().chain([Entry::Exchange(exchange)])));
        assert_eq!((batch.len(), batch.made_of(), batch.times()), (7, 9, Some((0, 9))));
        batch.clear();
        batch.sum(&other, 3..4);
        assert!(batch.iter().eq([Entry::Access(access(3, b"a"))]), "what was cleared is not added to");
        batch.sum(&other, 0..1);
        let both = Access { operations: 2, ..access(0, b"a") };
        assert!(
            batch.iter().eq([Entry::Access(both)]),
            "one that comes out of order has the earliest time all the same"
        );
        assert_eq!(batch.times(), Some((0, 3)));
    }
}
